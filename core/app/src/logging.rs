//! Diagnostics for people who look into a problem, on stderr.

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Starts logging: warnings, with `-v` what we do, with `-vv` also what libraries do.
pub fn start(verbosity: u8, quiet: bool, format: LogFormat) {
    let default = match (quiet, verbosity) {
        (true, _) => "off",
        (false, 0) => "off,respaldo=warn",
        (false, 1) => "warn,respaldo=debug",
        (false, _) => "info,respaldo=trace",
    };
    // `sqlx::query` at debug level logs statements with their bound values.
    let filter =
        EnvFilter::try_from_env("RESPALDO_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(verbosity > 0);
    // A second call keeps the first subscriber, which is what a library user set up.
    let _ = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder
            .json()
            .with_target(true)
            .with_current_span(true)
            .with_span_list(false)
            .try_init(),
    };
}
