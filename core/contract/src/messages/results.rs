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
            "partial backup, objects that could not be read: {count}",
            "respaldo parcial, objetos que no se pudieron leer: {count}";
        BackupByLegacy { file } =>
            "the legacy service made {file}",
            "el sistema heredado creó {file}";
        BackupFromChain { archive, point } =>
            "full {archive} made from the chain as of {point}, without reading the database",
            "completo {archive} hecho desde la cadena al {point}, sin leer la base de datos";
        LegacyMade { kind, file, size } =>
            "{kind} dump {file}, {size}",
            "volcado {kind} {file}, {size}";
        LegacyMadeElsewhere { kind } =>
            "the external program made the {kind} backup",
            "el programa externo hizo el respaldo {kind}";
        LegacyNone { folder } =>
            "there are no files in {folder} yet",
            "todavía no hay archivos en {folder}";
        LegacyPruned { removed, kept } =>
            "files removed: {removed}, kept: {kept}",
            "archivos quitados: {removed}, conservados: {kept}";
        LegacyWouldPrune { removed, kept } =>
            "files that would be removed: {removed}, kept: {kept}",
            "archivos que se quitarían: {removed}, que se conservarían: {kept}";
        LegacyRestored { file, database, tables, time } =>
            "restored {file}, {tables} tables, into {database} in {time}",
            "se restauró {file}, {tables} tablas, en {database} en {time}";
        PluginKeepsAll { count } =>
            "all {count} promises are kept",
            "se cumplen las {count} promesas";
        PluginBreaks { broken, count } =>
            "{broken} of {count} promises are not kept",
            "no se cumplen {broken} de {count} promesas";
        PluginSkeleton { folder } =>
            "a plugin begins in {folder}; its README tells how to build and examine it",
            "un complemento empieza en {folder}; su README dice cómo construirlo y examinarlo";
        SinkKeepsAll { sink, count } =>
            "{sink} keeps all {count} promises",
            "{sink} cumple las {count} promesas";
        SinkBreaks { sink, broken, count } =>
            "{sink} does not keep {broken} of {count} promises",
            "{sink} no cumple {broken} de {count} promesas";
        SinkIsOwed { sink, count, why } =>
            "{sink} is owed {count} backups: {why}",
            "a {sink} se le deben {count} respaldos: {why}";
        CopyThere { archive, url } =>
            "{archive} and all that it is restored from are in the second place: {url}",
            "{archive} y todo lo que hace falta para restaurarlo están en el segundo lugar: {url}";
        CopyIncomplete { archive, sink, failed } =>
            "{archive} is not complete in {sink}: {failed} backups could not be copied",
            "{archive} no está completo en {sink}: {failed} respaldos no se pudieron copiar";
        CopyRemoved { archive, sink } =>
            "{archive} is not in {sink} any more; the backup itself stays",
            "{archive} ya no está en {sink}; el respaldo mismo queda";
        SinkLacksNothing { sink } =>
            "{sink} has every backup that the others have",
            "{sink} tiene todos los respaldos que tienen los demás";
        SinkFilled { sink, count, size } =>
            "{count} backups copied into {sink}, {size}",
            "{count} respaldos copiados en {sink}, {size}";
        SinkStillLacks { sink, count, failed } =>
            "{count} backups copied into {sink}, {failed} still missing there",
            "{count} respaldos copiados en {sink}, {failed} siguen faltando allí";
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
            "a restore would not be exact, problems: {count}",
            "una restauración no sería exacta, problemas: {count}";
        Differing { before, after, differing, tables } =>
            "{differing} of {tables} tables differ between {before} and {after}",
            "{differing} de {tables} tablas difieren entre {before} y {after}";
        DifferingRows { table, added, removed, changed } =>
            "{table}: rows added: {added}, removed: {removed}, changed: {changed}",
            "{table}: filas agregadas: {added}, quitadas: {removed}, cambiadas: {changed}";
        DifferingMore { count } =>
            "and {count} more; --rows tells as many as you like",
            "y {count} más; --rows muestra las que quiera";
        TableOther { table, before, after } =>
            "{table}: other rows, {before} before and {after} after",
            "{table}: otras filas, {before} antes y {after} después";
        TableOnlyBefore { table, rows } =>
            "{table}: gone, with {rows} rows",
            "{table}: ya no está, con {rows} filas";
        TableOnlyAfter { table, rows } =>
            "{table}: new, with {rows} rows",
            "{table}: nueva, con {rows} filas";
        TableUnknown { table, before, after } =>
            "{table}: {before} rows before and {after} after, which cannot be compared",
            "{table}: {before} filas antes y {after} después, que no se pueden comparar";
        TableDefinition { table } =>
            "{table}: the same rows, another name or other columns",
            "{table}: las mismas filas, otro nombre u otras columnas";
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
        PanelSetUp { url, token } =>
            "The panel has no user yet. Open {url}/ and make the first one with this token, which counts once and until the service ends:\n  {token}",
            "El panel aún no tiene usuarios. Abra {url}/ y cree el primero con este código, que vale una vez y hasta que el servicio termine:\n  {token}";
        ServeBegan {} =>
            "respaldo serves: SIGTERM ends it",
            "respaldo está en servicio: SIGTERM lo termina";
        ServeEnded {} =>
            "respaldo ended its service",
            "respaldo terminó su servicio";
        ServiceIsSilent { at } =>
            "the service of this machine was last heard of at {at}: it did not end as it should",
            "el servicio de este equipo dio señales por última vez el {at}: no terminó como debía";
        AnotherLeads {} =>
            "another service of this database leads and makes its backups",
            "otro servicio de esta base de datos lidera y hace sus respaldos";
        EngineIsUp {} =>
            "the professional engine makes the backups",
            "el motor profesional hace los respaldos";
        EngineFellBack { reason } =>
            "the professional engine cannot start, the legacy service makes the backups: {reason}",
            "el motor profesional no puede arrancar, el sistema heredado hace los respaldos: {reason}";
        EngineStopped { reason } =>
            "NO BACKUPS ARE BEING MADE: {reason}",
            "NO SE HACEN RESPALDOS: {reason}";
        NoBackups {} =>
            "there are no backups yet",
            "todavía no hay respaldos";
        Valid { archive, level } =>
            "{archive} is valid at level {level}",
            "{archive} es válido al nivel {level}";
        ValidWithWarnings { archive, level, count } =>
            "{archive} is valid at level {level}, warnings: {count}",
            "{archive} es válido al nivel {level}, advertencias: {count}";
        Invalid { archive, level, count } =>
            "{archive} is NOT valid at level {level}, findings: {count}",
            "{archive} NO es válido al nivel {level}, hallazgos: {count}";
        ValidatedAll { total, valid, invalid } =>
            "backups validated: {total}, valid: {valid}, invalid: {invalid}",
            "respaldos validados: {total}, válidos: {valid}, inválidos: {invalid}";
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
            "retention removed backups: {removed}, kept: {kept}",
            "respaldos quitados por la retención: {removed}, conservados: {kept}";
        WouldExpire { removed, kept } =>
            "retention would remove backups: {removed}, keep: {kept}",
            "respaldos que quitaría la retención: {removed}, que conservaría: {kept}";
        NothingOverdue {} =>
            "nothing is overdue",
            "no hay nada atrasado";
        ScheduleOff {} =>
            "the schedule is switched off ([schedule] enabled = false): nothing is run by itself",
            "el horario está desactivado ([schedule] enabled = false): nada se ejecuta por sí solo";
        CatalogRebuilt { count } =>
            "catalog rebuilt, manifests read: {count}",
            "catálogo reconstruido, manifiestos leídos: {count}";
        Adopted { count } =>
            "backups of the existing system adopted: {count}",
            "respaldos adoptados del sistema existente: {count}";
        Purged { count } =>
            "entries removed because their objects are gone: {count}",
            "entradas quitadas porque sus objetos ya no están: {count}";
        DiffEqual { first, second } =>
            "{first} and {second} hold the same rows",
            "{first} y {second} tienen las mismas filas";
        DiffTables { count, first, second } =>
            "tables that differ between {first} and {second}: {count}",
            "tablas que difieren entre {first} y {second}: {count}";
        SinkSound { sink } =>
            "sink {sink} does all it must",
            "el destino {sink} hace todo lo que debe";
        SinkSynced { sink, count } =>
            "sink {sink}, objects copied: {count}",
            "destino {sink}, objetos copiados: {count}";
        SettingsSaved { key } =>
            "{key} saved",
            "{key} guardado";
        Initialized { file, repository } =>
            "wrote {file}; backups go to {repository}",
            "se escribió {file}; los respaldos van a {repository}";
        EngineDegraded { reason } =>
            "the legacy service makes the backups, because {reason}",
            "el sistema heredado hace los respaldos porque {reason}";
        LookAt { count } =>
            "done, warnings: {count}",
            "hecho, advertencias: {count}";
    }
}
