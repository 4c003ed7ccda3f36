//! The respaldo binary.

fn main() -> std::process::ExitCode {
    respaldo::cli::main()
}
