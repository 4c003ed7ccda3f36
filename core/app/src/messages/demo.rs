//! What happens to the sample between backups.

use respaldo_contract::messages::{Lang, Spoken};
use respaldo_domain::backup::BackupKind;

/// Between the first backup and the second.
pub fn first_changes(lang: Lang) -> &'static str {
    lang.choose(
        "an order comes in, the carts are truncated, customer gets a new column, supplier is a new \
         table, old_price_list is dropped",
        "entra un pedido, se vacían los carritos con TRUNCATE, customer tiene una columna nueva, \
         supplier es una tabla nueva, se elimina old_price_list",
    )
}

/// Between the second and the third.
pub fn more_changes(lang: Lang) -> &'static str {
    lang.choose(
        "stock goes down, a supplier leaves, orders can be returned (a new enum label), there is a \
         new index and a new table visit",
        "baja el stock, se va un proveedor, los pedidos se pueden devolver (una etiqueta nueva del \
         enum), hay un índice nuevo y una tabla nueva visit",
    )
}

/// Before a restore.
pub fn restoring(kind: BackupKind, database: &str, lang: Lang) -> String {
    let kind = kind.spoken(lang);
    lang.choose(
        format!("Restoring the {kind} backup into a new database, {database}."),
        format!("Se restaura el respaldo {kind} en una base nueva, {database}."),
    )
}
