//! Builds what tells glibc how to keep memory.

fn main() {
    println!("cargo:rerun-if-changed=native/malloc.c");
    let is_glibc = std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "gnu");
    let is_linux = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux");
    if is_glibc && is_linux {
        // Nothing refers to it: all of it is linked all the same.
        cc::Build::new()
            .file("native/malloc.c")
            .link_lib_modifier("+whole-archive")
            .compile("respaldo_malloc");
    }
}
