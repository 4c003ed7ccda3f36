//! What commands say when they are done: the `mensaje` of results and the text of the CLI.

catalogue! {
    /// The outcome of a command.
    Outcome {
        BackupMade { kind, archive, dumped, total, size } =>
            "{kind} backup {archive}: {dumped} of {total} tables dumped, {size}",
            "respaldo {kind} {archive}: {dumped} de {total} tablas volcadas, {size}";
        BackupNothingChanged { kind, archive, total } =>
            "{kind} backup {archive}: none of {total} tables changed",
            "respaldo {kind} {archive}: ninguna de {total} tablas cambió";
        BackupFullInstead { reason } =>
            "made a full instead: {reason}",
            "se hizo un completo en su lugar: {reason}";
        BackupPartial { count } =>
            "partial backup: {count} objects could not be read",
            "respaldo parcial: no se pudieron leer {count} objetos";
        BackupByLegacy { file } =>
            "the legacy service made {file}",
            "el sistema heredado creó {file}";
        BackupFromChain { archive, point } =>
            "full {archive} made from the chain as of {point}, without reading the database",
            "completo {archive} hecho desde la cadena al {point}, sin leer la base de datos";
        Restored { database, tables, point, time } =>
            "restored {tables} tables as of {point} into {database} in {time}",
            "se restauraron {tables} tablas al {point} en {database} en {time}";
        RestoredTables { tables, schema } =>
            "restored {tables} tables into schema {schema}",
            "se restauraron {tables} tablas en el esquema {schema}";
        RestoredEqual { tables } =>
            "all {tables} tables are equal to the backup, row by row",
            "las {tables} tablas son iguales al respaldo, fila por fila";
        RestoredDiffers { different, tables } =>
            "{different} of {tables} tables differ from the backup",
            "{different} de {tables} tablas difieren del respaldo";
        PreviousKept { name } =>
            "the database that was there is kept as {name}",
            "la base que había se conserva como {name}";
        PreviousDropped { name } =>
            "the database that was there was dropped: {name}",
            "la base que había fue eliminada: {name}";
        PreviewPoint { archive, point, backups, tables, size } =>
            "would restore {archive} as of {point}: {tables} tables out of {backups} backups, {size} to read",
            "se restauraría {archive} al {point}: {tables} tablas de {backups} respaldos, {size} por leer";
        PreviewWhole {} =>
            "everything it needs is there",
            "está todo lo que necesita";
        PreviewProblems { count } =>
            "{count} problems: a restore would not be exact",
            "{count} problemas: una restauración no sería exacta";
        LiveIdentical { table } =>
            "{table}: identical to the live table",
            "{table}: igual a la tabla actual";
        LiveVanish { table, rows } =>
            "{table}: {rows} rows would vanish",
            "{table}: desaparecerían {rows} filas";
        LiveReturn { table, rows } =>
            "{table}: {rows} rows would return",
            "{table}: volverían {rows} filas";
        LiveDiffers { table, now, then } =>
            "{table}: {now} rows now, {then} other rows at the restore point",
            "{table}: {now} filas ahora, otras {then} en el punto de restauración";
        NoBackups {} =>
            "there are no backups yet",
            "todavía no hay respaldos";
        Valid { archive, level } =>
            "{archive} is valid at level {level}",
            "{archive} es válido al nivel {level}";
        ValidWithWarnings { archive, level, count } =>
            "{archive} is valid at level {level}, with {count} warnings",
            "{archive} es válido al nivel {level}, con {count} advertencias";
        Invalid { archive, level, count } =>
            "{archive} is NOT valid: {count} findings at level {level}",
            "{archive} NO es válido: {count} hallazgos al nivel {level}";
        ValidatedAll { total, valid, invalid } =>
            "{total} backups validated: {valid} valid, {invalid} invalid",
            "{total} respaldos validados: {valid} válidos, {invalid} inválidos";
        Deleted { count } =>
            "deleted backups: {count}",
            "respaldos eliminados: {count}";
        DeleteWouldTake { archives } =>
            "these depend on it and would go too: {archives}",
            "estos dependen de él y también se irían: {archives}";
        Exported { file, size } =>
            "wrote {file}, {size}, readable by pg_restore",
            "se escribió {file}, {size}, legible por pg_restore";
        EscapeKitWritten { folder } =>
            "wrote the escape kit into {folder}; RESTORE.md says how to use it",
            "se escribió el kit de escape en {folder}; RESTORE.md explica cómo usarlo";
        Expired { removed, kept } =>
            "retention removed {removed} backups and keeps {kept}",
            "la retención quitó {removed} respaldos y conserva {kept}";
        WouldExpire { removed, kept } =>
            "retention would remove {removed} backups and keep {kept}",
            "la retención quitaría {removed} respaldos y conservaría {kept}";
        CatalogRebuilt { count } =>
            "catalog rebuilt from {count} manifests",
            "catálogo reconstruido desde {count} manifiestos";
        Adopted { count } =>
            "adopted {count} backups of the existing system",
            "se adoptaron {count} respaldos del sistema existente";
        Purged { count } =>
            "removed {count} entries whose objects are gone",
            "se quitaron {count} entradas cuyos objetos ya no están";
        DiffEqual { first, second } =>
            "{first} and {second} hold the same rows",
            "{first} y {second} tienen las mismas filas";
        DiffTables { count, first, second } =>
            "{count} tables differ between {first} and {second}",
            "{count} tablas difieren entre {first} y {second}";
        SinkSound { sink } =>
            "sink {sink} does all it must",
            "el destino {sink} hace todo lo que debe";
        SinkSynced { sink, count } =>
            "sink {sink}: {count} objects copied",
            "destino {sink}: {count} objetos copiados";
        SettingsSaved { key } =>
            "{key} saved",
            "{key} guardado";
        NothingMissed {} =>
            "no backup is overdue",
            "no hay respaldos atrasados";
        Initialized { file, repository } =>
            "wrote {file}; backups go to {repository}",
            "se escribió {file}; los respaldos van a {repository}";
        EngineDegraded { reason } =>
            "the legacy service makes the backups, because {reason}",
            "el sistema heredado hace los respaldos porque {reason}";
        LookAt { count } =>
            "done, with {count} warnings",
            "hecho, con {count} advertencias";
    }
}
