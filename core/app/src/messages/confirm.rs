//! Questions that need an answer.

use respaldo_contract::messages::Lang;

/// Before a database is replaced.
pub fn replace(database: &str, lang: Lang) -> String {
    lang.choose(
        format!("Database {database} will be replaced. Type its name to go on: "),
        format!("La base {database} será reemplazada. Escriba su nombre para seguir: "),
    )
}
