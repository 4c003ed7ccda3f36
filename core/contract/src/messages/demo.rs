//! The story that `demo` tells.

catalogue! {
    /// A line of the demonstration.
    Demo {
        Welcome {} =>
            "A rehearsal on a PostgreSQL of its own: nothing of yours is read or changed.",
            "Un ensayo sobre un PostgreSQL propio: no se lee ni se cambia nada suyo.";
        StartingServer { version } =>
            "Starting a throwaway PostgreSQL {version}...",
            "Iniciando un PostgreSQL {version} descartable...";
        ServerReady { port } =>
            "It listens on 127.0.0.1, port {port}.",
            "Escucha en 127.0.0.1, puerto {port}.";
        LoadingSample { tables, rows } =>
            "A small business moves in: {tables} tables, {rows} rows.",
            "Se instala un pequeño comercio: {tables} tablas, {rows} filas.";
        Full {} =>
            "First day: a FULL backup. Every table goes into it.",
            "Primer día: un respaldo FULL. Lleva todas las tablas.";
        FirstChanges { changes } =>
            "Business goes on: {changes}.",
            "El comercio sigue: {changes}.";
        Differential {} =>
            "A DIFFERENTIAL backup: only the tables that changed since the FULL.",
            "Un respaldo DIFERENCIAL: solo las tablas que cambiaron desde el FULL.";
        MoreChanges { changes } =>
            "And on: {changes}.",
            "Y sigue: {changes}.";
        Incremental {} =>
            "An INCREMENTAL backup: only what changed since the last backup of any kind.",
            "Un respaldo INCREMENTAL: solo lo que cambió desde el último respaldo de cualquier tipo.";
        Dumped { dumped, total, size } =>
            "Dumped {dumped} of {total} tables, {size}.",
            "Se volcaron {dumped} de {total} tablas, {size}.";
        WhyDumped { table, reason } =>
            "{table}: {reason}",
            "{table}: {reason}";
        Validating {} =>
            "Is it all there? Every object, every checksum, every row is read again.",
            "¿Está todo? Se releen todos los objetos, todas las sumas, todas las filas.";
        Accident { table } =>
            "Then somebody forgets a WHERE: {table} is empty.",
            "Entonces alguien olvida un WHERE: {table} está vacía.";
        Restoring { database } =>
            "Restoring the last backup into a new database, {database}.",
            "Se restaura el último respaldo en una base nueva, {database}.";
        Comparing {} =>
            "Comparing each table of it with what the database held when the backup was made.",
            "Se compara cada una de sus tablas con lo que la base tenía al hacer el respaldo.";
        Equal { tables, rows } =>
            "Proof: {tables} tables, {rows} rows, all equal.",
            "Prueba: {tables} tablas, {rows} filas, todas iguales.";
        Different { table } =>
            "{table} is NOT equal: this must not happen, please report it.",
            "{table} NO es igual: esto no debe ocurrir, por favor infórmelo.";
        StockTools { command } =>
            "And without respaldo? Any archive opens with the stock tool: {command}",
            "¿Y sin respaldo? Cualquier archivo se abre con la herramienta de siempre: {command}";
        Kept { folder, url } =>
            "Kept in {folder}; the database is {url}",
            "Queda en {folder}; la base es {url}";
        Removed {} =>
            "Everything was removed again.",
            "Todo fue eliminado.";
        PanelOffered {} =>
            "To look around in the panel on data like this: respaldo demo --panel",
            "Para recorrer el panel con datos como estos: respaldo demo --panel";
        PanelOpens {} =>
            "The panel is served on all this until Ctrl-C.",
            "El panel queda servido sobre todo esto hasta Ctrl-C.";
        Finished { time } =>
            "Done in {time}.",
            "Terminado en {time}.";
    }
}
