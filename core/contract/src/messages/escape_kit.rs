//! The guide of an escape kit, in both languages at once: nobody knows who will need it.

use respaldo_domain::manifest::Manifest;

const TEMPLATE: &str = include_str!("escape_kit/RESTORE.md");

/// RESTORE.md for a restore point.
pub fn escape_kit_guide(manifest: &Manifest) -> String {
    let source = &manifest.source;
    // Names go into code spans, which a backtick or a line break would end.
    let database = source.database.replace(['`', '\n', '\r'], "?");
    let version = source.server_version_num;
    let server = format!("{}.{}", version / 10_000, version % 10_000);
    TEMPLATE
        .replace("{database}", &database)
        .replace("{archive}", manifest.archive.as_str())
        .replace("{point}", &manifest.snapshot_at.to_rfc3339())
        .replace("{server}", &server)
        .replace("{encoding}", &source.properties.encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_give_the_same_commands() {
        let (english, spanish) = TEMPLATE.split_once("\n---\n").unwrap();
        for command in [
            "sh restore.sh ",
            "--roles",
            "createdb",
            "PG_RESTORE_OPTIONS",
            "JOBS=4",
        ] {
            let count = |text: &str| text.matches(command).count();
            assert_eq!(count(english), count(spanish), "{command}");
            assert!(count(english) > 0, "{command}");
        }
    }
}
