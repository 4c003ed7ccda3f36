//! The guide of an escape kit, in both languages at once: nobody knows who will need it.

use respaldo_domain::manifest::Manifest;

const TEMPLATE: &str = include_str!("escape_kit/RESTORE.md");

const ENCRYPTED: [(&str, &str); 2] = [
    (
        "{encrypted}",
        "\
The files that end in `.age` are encrypted. The program `age` must be installed (most systems have a
package of that name), and `AGE_IDENTITY` names the file with the secret key:
`AGE_IDENTITY=key.txt sh restore.sh NEW`. There must be room in `TMPDIR` for the archives.

",
    ),
    (
        "{cifrado}",
        "\
Los archivos que terminan en `.age` están cifrados. Debe estar instalado el programa `age` (casi todos
los sistemas tienen un paquete con ese nombre), y `AGE_IDENTITY` nombra el archivo con la clave
secreta: `AGE_IDENTITY=clave.txt sh restore.sh NUEVA`. En `TMPDIR` debe haber lugar para los archivos.

",
    ),
];

/// RESTORE.md for a restore point, of a kit that is encrypted or not.
pub fn escape_kit_guide(manifest: &Manifest, is_encrypted: bool) -> String {
    let source = &manifest.source;
    // Names go into code spans, which a backtick or a line break would end.
    let database = source.database.replace(['`', '\n', '\r'], "?");
    let version = source.server_version_num;
    let server = format!("{}.{}", version / 10_000, version % 10_000);
    let told = |text: String, (place, words): (&str, &str)| {
        text.replace(
            &format!("{place}\n\n"),
            if is_encrypted { words } else { "" },
        )
    };
    ENCRYPTED
        .into_iter()
        .fold(TEMPLATE.to_owned(), told)
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
