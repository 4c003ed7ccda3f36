//! The stock tools that fit the server.

use respaldo_contract::messages::Doctor;
use respaldo_postgres::Tools;

use super::checks::Checks;
use super::server::version_text;
use crate::config::Config;

/// Examines the tools. A minor release older than the server's writes what only the server knows
/// (such as the column option `pg_attver`) into definitions.
pub fn examine(config: &Config, server_version_num: u32, checks: &mut Checks) {
    let tools = match Tools::find(config.pg_bin_path.as_deref(), server_version_num) {
        Ok(tools) => tools,
        Err(error) => {
            let seen = Doctor::ToolMissing {
                tool: &"pg_dump, pg_restore, psql, pg_dumpall",
            };
            return checks.bad_with("herramientas", seen, error.to_string());
        }
    };
    for tool in [
        &tools.pg_dump,
        &tools.pg_restore,
        &tools.psql,
        &tools.pg_dumpall,
    ] {
        let (name, version, path) = (tool.name(), tool.version(), tool.path().display());
        if tool.is_older_minor_than(server_version_num) {
            let server = version_text(server_version_num);
            checks.warning(
                "herramientas",
                Doctor::ToolOld {
                    tool: &name,
                    version,
                    server: &server,
                },
            );
        } else {
            checks.good(
                "herramientas",
                Doctor::Tool {
                    tool: &name,
                    version,
                    path: &path,
                },
            );
        }
    }
}
