//! The help of every command and option in Spanish; the English stands at the definitions.

mod looking;
mod plugin;
mod sink;

use clap::{Arg, ArgAction, Command};
use respaldo_contract::messages::Lang;

/// Command path and option ("" for the command itself), Spanish help.
const SPANISH: &[(&str, &str, &str)] = &[
    (
        "",
        "",
        "Respaldos completos, diferenciales e incrementales de PostgreSQL, tabla por tabla",
    ),
    (
        "",
        "config",
        "Archivo de configuración [por defecto: respaldo.toml si existe]",
    ),
    ("", "database", "Cuál de varias bases de datos configuradas"),
    (
        "",
        "lang",
        "Idioma: en o es [por defecto: el de LC_ALL o LANG]; de plugin new: rust o c",
    ),
    ("", "json", "Imprimir un solo documento JSON, sin progreso"),
    (
        "",
        "verbose",
        "Contar más de lo que se hace; dos veces para todo",
    ),
    (
        "",
        "log_format",
        "Forma de los diagnósticos: text o json [por omisión: text]",
    ),
    ("", "quiet", "Sin progreso ni diagnósticos, salvo errores"),
    (
        "init",
        "",
        "Escribir un respaldo.toml comentado, revisarlo, crear el repositorio y el catálogo",
    ),
    ("backup", "", "Hacer un respaldo"),
    (
        "backup",
        "kind",
        "Clase de respaldo; dif e inc hacen un completo si no hay base",
    ),
    (
        "backup",
        "label",
        "Texto libre que se guarda con el respaldo",
    ),
    (
        "backup",
        "allow_partial",
        "Seguir aunque el rol no pueda leer todo; se nombra lo que falta",
    ),
    (
        "backup",
        "from_chain",
        "Hacer un completo desde el respaldo más nuevo y su cadena, sin leer la base",
    ),
    (
        "backup",
        "fallback",
        "Si el motor no puede arrancar, que el sistema heredado haga un volcado entero; código de salida 3",
    ),
    ("list", "", "Listar los respaldos, los más nuevos primero"),
    ("list", "kind", "Solo de esta clase"),
    ("list", "limit", "Como mucho, esta cantidad"),
    (
        "list",
        "all_states",
        "También los que están en curso, fallidos o validándose",
    ),
    (
        "show",
        "",
        "Mostrar un respaldo: sus tablas, por qué se volcó cada una y dónde están sus filas",
    ),
    ("show", "backup", "Número o nombre de archivo del respaldo"),
    (
        "diff",
        "",
        "Mostrar qué difiere entre dos respaldos, por tabla, y de una tabla por fila",
    ),
    (
        "diff",
        "before",
        "Número o nombre de archivo del primer respaldo",
    ),
    ("diff", "after", "Número o nombre de archivo del segundo"),
    (
        "diff",
        "table",
        "Comparar las filas de esta tabla, por su clave primaria",
    ),
    (
        "diff",
        "rows",
        "Filas que se muestran como mucho; las demás se cuentan",
    ),
    ("preview", "", "Mostrar qué haría una restauración"),
    (
        "preview",
        "at",
        "El respaldo más nuevo no posterior a: RFC 3339, AAAA-MM-DD[ HH:MM[:SS]] o latest",
    ),
    (
        "preview",
        "id",
        "Este respaldo, por número o nombre de archivo",
    ),
    ("preview", "live", "Comparar cada tabla con la base actual"),
    ("restore", "", "Restaurar un respaldo"),
    (
        "restore",
        "at",
        "El respaldo más nuevo no posterior a: RFC 3339, AAAA-MM-DD[ HH:MM[:SS]] o latest",
    ),
    (
        "restore",
        "id",
        "Este respaldo, por número o nombre de archivo",
    ),
    (
        "restore",
        "target_db",
        "Base en la que se restaura [por defecto: la configurada]",
    ),
    (
        "restore",
        "target_url",
        "Otro servidor; la contraseña conviene en la variable o en el archivo de contraseñas",
    ),
    ("restore", "create", "Crear la base de destino si no existe"),
    (
        "restore",
        "create_roles",
        "Crear los roles que falten en el destino, sin contraseñas",
    ),
    (
        "restore",
        "replace",
        "Reemplazar un destino que no está vacío; la base anterior se conserva con otro nombre",
    ),
    (
        "restore",
        "drop_old",
        "Con --replace: no conservar la base anterior",
    ),
    (
        "restore",
        "allow_older_tables",
        "Tomar una tabla ilegible de su versión anterior verificada",
    ),
    ("restore", "jobs", "Tablas que se cargan a la vez"),
    (
        "restore",
        "tables",
        "Solo esta tabla, como ESQUEMA.NOMBRE; puede repetirse",
    ),
    (
        "restore",
        "into_schema",
        "Restaurar tablas en este esquema del destino, junto a las actuales",
    ),
    ("restore", "no_owner", "Todo pertenece al rol que restaura"),
    ("restore", "no_privileges", "Sin GRANT"),
    ("restore", "yes", "No preguntar"),
    (
        "export",
        "",
        "Escribir un archivo de un punto de restauración que lee pg_restore, unido desde su cadena",
    ),
    (
        "export",
        "at",
        "El respaldo más nuevo no posterior a: RFC 3339, AAAA-MM-DD[ HH:MM[:SS]] o latest",
    ),
    (
        "export",
        "id",
        "Este respaldo, por número o nombre de archivo",
    ),
    (
        "export",
        "output",
        "Archivo que se escribe; - es la salida estándar",
    ),
    (
        "export",
        "force",
        "Reemplazar un archivo que ya existe, cuando el nuevo esté entero",
    ),
    (
        "export",
        "no_sync",
        "No esperar a que el archivo esté en el disco: si la máquina falla poco después, puede perderse",
    ),
    (
        "escape-kit",
        "",
        "Escribir una carpeta desde la que solo psql, pg_restore y sha256sum reconstruyen un punto",
    ),
    (
        "escape-kit",
        "at",
        "El respaldo más nuevo no posterior a: RFC 3339, AAAA-MM-DD[ HH:MM[:SS]] o latest",
    ),
    (
        "escape-kit",
        "id",
        "Este respaldo, por número o nombre de archivo",
    ),
    (
        "escape-kit",
        "output",
        "Carpeta que se crea; no debe existir o debe estar vacía",
    ),
    (
        "escape-kit",
        "decrypted",
        "Escribir en claro lo que está cifrado; sin esto el programa age abre la carpeta",
    ),
    (
        "status",
        "",
        "Mostrar el estado del motor, los respaldos más nuevos y el espacio que ocupan",
    ),
    ("delete", "", "Quitar un respaldo"),
    (
        "delete",
        "backup",
        "Número o nombre de archivo del respaldo",
    ),
    (
        "delete",
        "with_dependents",
        "También los que dependen de él",
    ),
    (
        "expire",
        "",
        "Quitar los respaldos vencidos que ningún otro necesita",
    ),
    (
        "expire",
        "dry_run",
        "Solo mostrar qué se quitaría, qué queda y por qué",
    ),
    (
        "retention",
        "",
        "Ver o cambiar cuánto se conservan los respaldos",
    ),
    ("retention show", "", "Mostrar la política vigente"),
    (
        "retention set",
        "",
        "Guardar una política junto al catálogo; lo que no se da queda igual",
    ),
    (
        "retention set",
        "full_months",
        "Meses que se conserva un completo",
    ),
    (
        "retention set",
        "dif_weeks",
        "Semanas que se conserva un diferencial",
    ),
    (
        "retention set",
        "inc_days",
        "Días que se conserva un incremental",
    ),
    (
        "retention set",
        "min_chains",
        "Cadenas completas más nuevas que quedan a cualquier edad",
    ),
    (
        "schedule",
        "",
        "Ver o cambiar cuándo tocan los respaldos, y ver cuáles están atrasados",
    ),
    ("schedule show", "", "Mostrar cuándo tocan los respaldos"),
    (
        "schedule set",
        "",
        "Guardar otro horario junto al catálogo; lo que no se da queda igual",
    ),
    ("schedule set", "kind", "Clase de respaldo"),
    (
        "schedule set",
        "day",
        "Día del mes de un completo; en un mes más corto, el último",
    ),
    (
        "schedule set",
        "weekday",
        "Día de la semana de un diferencial: de 0 lunes a 6 domingo, o su nombre",
    ),
    ("schedule set", "hour", "Hora"),
    ("schedule set", "minute", "Minuto"),
    ("schedule next", "", "Mostrar cuándo toca cada clase"),
    ("schedule missed", "", "Mostrar qué está atrasado ahora"),
    (
        "serve",
        "",
        "Hacer los respaldos cuando corresponde, con el motor o si no con el sistema heredado, hasta una señal",
    ),
    ("validate", "", "Comprobar si los respaldos están enteros"),
    (
        "validate",
        "backups",
        "Números o nombres de archivo de respaldos",
    ),
    ("validate", "all", "Todos los respaldos"),
    (
        "validate",
        "level",
        "A qué profundidad; cada nivel incluye los anteriores",
    ),
    (
        "legacy",
        "",
        "Volcados enteros, diarios, semanales, mensuales y a mano, sin el motor",
    ),
    ("legacy backup", "", "Hacer un volcado entero"),
    (
        "legacy backup",
        "kind",
        "Tipo: daily, weekly, monthly o manual",
    ),
    (
        "legacy list",
        "",
        "Listar los archivos de su carpeta, los más nuevos primero",
    ),
    (
        "legacy status",
        "",
        "Mostrar la última y la próxima ejecución de cada tipo, y si una se perdió",
    ),
    (
        "legacy prune",
        "",
        "Quitar los archivos propios que exceden la cantidad de su tipo",
    ),
    (
        "legacy prune",
        "include_foreign",
        "Contar y quitar también los archivos de otros",
    ),
    (
        "legacy prune",
        "dry_run",
        "Solo mostrar qué se quitaría, qué queda y por qué",
    ),
    ("legacy restore", "", "Restaurar un archivo"),
    (
        "legacy restore",
        "file",
        "Ruta de un archivo, o el nombre de uno listado",
    ),
    (
        "legacy restore",
        "target_db",
        "Base en la que se restaura [por defecto: la configurada]",
    ),
    (
        "legacy restore",
        "create",
        "Crear la base de destino si no existe",
    ),
    (
        "legacy restore",
        "replace",
        "Reemplazar un destino que no está vacío; la base anterior se conserva con otro nombre",
    ),
    (
        "legacy restore",
        "drop_old",
        "Con --replace: no conservar la base anterior",
    ),
    (
        "legacy restore",
        "no_owner",
        "Todo pertenece al rol que restaura",
    ),
    ("legacy restore", "no_privileges", "Sin GRANT"),
    ("legacy restore", "yes", "No preguntar"),
    ("catalog", "", "Reparar el catálogo"),
    (
        "catalog rebuild",
        "",
        "Rehacer el catálogo desde los manifiestos almacenados",
    ),
    (
        "catalog adopt",
        "",
        "Incorporar los respaldos hechos por el sistema existente",
    ),
    (
        "catalog purge-invalid",
        "",
        "Quitar entradas cuyos objetos ya no están; nunca un objeto",
    ),
];

/// The command line with its help in a language.
pub fn localized(command: Command, lang: Lang) -> Command {
    match lang {
        Lang::En => command,
        Lang::Es => {
            let mut command = spanish(command, "");
            // clap makes its own help commands when it builds.
            command.build();
            with_spanish_help_commands(command)
        }
    }
}

fn spanish(command: Command, path: &str) -> Command {
    let mut command = with_spanish_headings(command);
    if path.is_empty() {
        command = with_spanish_version(command);
    }
    if let Some(text) = help_of(path, "") {
        command = command.about(text);
    }
    let names: Vec<String> = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect();
    for name in names {
        let below = if path.is_empty() {
            name.clone()
        } else {
            format!("{path} {name}")
        };
        command = command.mut_subcommand(&name, |sub| spanish(sub, &below));
    }
    command.mut_args(|arg| {
        let heading = if arg.is_positional() {
            "Argumentos"
        } else {
            "Opciones"
        };
        match help_of(path, arg.get_id().as_str()) {
            Some(text) => arg.help(text).help_heading(heading),
            None => arg,
        }
    })
}

/// clap makes its own option and headings in English, unless they are there already.
fn with_spanish_headings(command: Command) -> Command {
    let help = Arg::new("help")
        .short('h')
        .long("help")
        .action(ArgAction::Help);
    command
        .help_template("{before-help}{about-with-newline}\nUso: {usage}\n\n{all-args}{after-help}")
        .subcommand_help_heading("Órdenes")
        .disable_help_flag(true)
        .arg(help.help("Mostrar la ayuda").help_heading("Opciones"))
}

fn with_spanish_version(command: Command) -> Command {
    let version = Arg::new("version")
        .short('V')
        .long("version")
        .action(ArgAction::Version);
    command
        .disable_version_flag(true)
        .arg(version.help("Mostrar la versión").help_heading("Opciones"))
}

fn with_spanish_help_commands(mut command: Command) -> Command {
    let names: Vec<String> = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect();
    for name in names {
        command = command.mut_subcommand(&name, |sub| match name.as_str() {
            "help" => sub.about("Mostrar la ayuda de una orden"),
            _ => with_spanish_help_commands(sub),
        });
    }
    command
}

fn help_of(path: &str, arg: &str) -> Option<&'static str> {
    let found = SPANISH
        .iter()
        .chain(looking::LOOKING)
        .chain(plugin::PLUGIN)
        .chain(sink::SINK)
        .find(|(of, name, _)| *of == path && *name == arg);
    found.map(|(_, _, text)| *text)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    fn missing(command: &Command, path: &str, into: &mut Vec<String>) {
        if help_of(path, "").is_none() {
            into.push(path.to_owned());
        }
        for arg in command.get_arguments() {
            if help_of(path, arg.get_id().as_str()).is_none() {
                into.push(format!("{path} {}", arg.get_id()));
            }
        }
        for sub in command.get_subcommands() {
            missing(sub, format!("{path} {}", sub.get_name()).trim(), into);
        }
    }

    #[test]
    fn every_command_and_option_has_spanish_help_and_no_help_is_orphaned() {
        let mut without = Vec::new();
        missing(&Cli::command(), "", &mut without);
        assert_eq!(without, Vec::<String>::new());
        let others = [looking::LOOKING, plugin::PLUGIN, sink::SINK].concat();
        for (path, arg, _) in SPANISH.iter().chain(&others) {
            let mut command = &Cli::command();
            for name in path.split_whitespace() {
                command = command.find_subcommand(name).unwrap();
            }
            let known = arg.is_empty() || command.get_arguments().any(|a| a.get_id() == arg);
            assert!(known, "{path} {arg}");
        }
    }

    #[test]
    fn nothing_of_the_help_is_left_in_english() {
        let command = localized(Cli::command(), Lang::Es);
        for line in [
            "respaldo --help",
            "respaldo help catalog",
            "respaldo backup -h",
        ] {
            let shown = command
                .clone()
                .try_get_matches_from(line.split(' '))
                .unwrap_err();
            let text = shown.to_string();
            for word in ["Usage", "Commands", "Options", "Arguments", "Print"] {
                assert!(!text.contains(word), "{line}: {word}\n{text}");
            }
        }
    }
}
