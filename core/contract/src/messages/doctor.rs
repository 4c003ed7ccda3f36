//! What `doctor` says of the surroundings.

catalogue! {
    /// A line of the doctor.
    Doctor {
        ConfigFrom { file } => "configuration read from {file}", "configuración leída de {file}";
        ConfigDefaults {} => "no configuration file: defaults and environment", "sin archivo de configuración: valores por defecto y entorno";
        ValueFrom { key, value, origin } => "{key} = {value} (from {origin})", "{key} = {value} (de {origin})";
        Connected { database, server, role } => "connected to {database}, PostgreSQL {server}, as {role}", "conectado a {database}, PostgreSQL {server}, como {role}";
        NotConnected { reason } => "cannot connect: {reason}", "no se puede conectar: {reason}";
        Standby {} => "this server is a standby: backups work, counters do not", "este servidor es una réplica: los respaldos funcionan, los contadores no";
        Tool { tool, version, path } => "{tool} {version} at {path}", "{tool} {version} en {path}";
        ToolMissing { tool } => "{tool} was not found", "no se encontró {tool}";
        ToolOld { tool, version, server } => "{tool} {version} is older than the server's {server}", "{tool} {version} es más antiguo que el servidor {server}";
        AllReadable { tables } => "the role reads all {tables} tables", "el rol lee las {tables} tablas";
        NotReadable { object, cause } => "{object}: {cause}", "{object}: {cause}";
        Remedy { statement } => "run as the owner or a superuser: {statement}", "ejecutar como dueño o superusuario: {statement}";
        SeesActivity {} => "the role sees other sessions (pg_read_all_stats)", "el rol ve las otras sesiones (pg_read_all_stats)";
        BlindToActivity { role } => "the role does not see other sessions: every table is scanned instead of trusting counters; GRANT pg_read_all_stats TO {role}", "el rol no ve las otras sesiones: se examina cada tabla en vez de confiar en contadores; GRANT pg_read_all_stats TO {role}";
        CountersOff {} => "track_counts is off: every table is scanned", "track_counts está apagado: se examina cada tabla";
        SlotAbsent {} => "there is no replication slot yet; the first backup makes it", "todavía no hay slot de replicación; lo crea el primer respaldo";
        SlotObstacle { reason } => "no replication slot can be used, every table is scanned: {reason}", "no se puede usar un slot de replicación, se examina cada tabla: {reason}";
        SlotHeld { slot, status, retained, limit } => "slot {slot} (not being read, {status}) holds {retained} of WAL; it is dropped above {limit}", "el slot {slot} (nadie lo lee ahora, {status}) retiene {retained} de WAL; se elimina al pasar de {limit}";
        SlotInUse { slot, status, retained, limit } => "slot {slot} (being read now, {status}) holds {retained} of WAL; it is dropped above {limit}", "el slot {slot} (alguien lo lee ahora, {status}) retiene {retained} de WAL; se elimina al pasar de {limit}";
        SlotTooLarge { slot, retained, limit } => "slot {slot} holds {retained} of WAL, more than {limit}: the next backup drops it", "el slot {slot} retiene {retained} de WAL, más que {limit}: el próximo respaldo lo elimina";
        SlotLost { slot, status } => "slot {slot} can no longer be read from ({status}): the next backup drops it and scans every table", "ya no se puede leer del slot {slot} ({status}): el próximo respaldo lo elimina y examina cada tabla";
        SlotUnlimited {} => "max_slot_wal_keep_size is -1: a slot that nobody reads any more fills the server's disk; no slot is made unless detector.slot_allow_unlimited is set", "max_slot_wal_keep_size es -1: un slot que ya nadie lee llena el disco del servidor; no se crea ninguno salvo con detector.slot_allow_unlimited";
        SlotLimited { size } => "the server itself ends a slot that holds {size} of WAL (max_slot_wal_keep_size)", "el propio servidor termina un slot que retiene {size} de WAL (max_slot_wal_keep_size)";
        SlotLimitMissing {} => "before PostgreSQL 13 nothing limits a slot; none is made unless detector.slot_allow_unlimited is set", "antes de PostgreSQL 13 nada limita un slot; no se crea ninguno salvo con detector.slot_allow_unlimited";
        SlotOrphan { slot, retained } => "slot {slot} is not used by this configuration and holds {retained} of WAL and the vacuum of catalogs; if no other uses it, drop it", "esta configuración no usa el slot {slot}, que retiene {retained} de WAL y el vacuum de los catálogos; si ninguna otra lo usa, hay que eliminarlo";
        SlotElsewhere { slot, database, retained } => "slot {slot} of database {database} belongs to another configuration, or to none; it holds {retained} of WAL", "el slot {slot} de la base {database} es de otra configuración, o de ninguna; retiene {retained} de WAL";
        MayCreateDatabases {} => "the role may create databases: drills and --replace work", "el rol puede crear bases: funcionan los simulacros y --replace";
        MayNotCreateDatabases { role } => "the role may not create databases: no drills, no --replace; ALTER ROLE {role} CREATEDB", "el rol no puede crear bases: sin simulacros ni --replace; ALTER ROLE {role} CREATEDB";
        ClockAgrees {} => "the clocks of this machine and the server agree", "coinciden los relojes de esta máquina y del servidor";
        ClockDiffers { seconds } => "the clocks of this machine and the server differ by {seconds} s", "los relojes de esta máquina y del servidor difieren en {seconds} s";
        SinkSound { sink, address } => "sink {sink} works: {address}", "el destino {sink} funciona: {address}";
        SinkFailed { sink, reason } => "sink {sink} does not work: {reason}", "el destino {sink} no funciona: {reason}";
        SinkKeeps { sink, count } => "sink {sink} keeps all that a sink promises: {count}", "el destino {sink} cumple todo lo que un destino promete: {count}";
        SinkBreaks { sink, promise, why } => "sink {sink} breaks a promise, {promise}: {why}", "el destino {sink} no cumple una promesa, {promise}: {why}";
        SpaceEnough { free, needed } => "{free} free, about {needed} needed for a full", "{free} libres, un completo necesita cerca de {needed}";
        SpaceShort { free, needed } => "only {free} free, about {needed} needed for a full", "solo {free} libres, un completo necesita cerca de {needed}";
        RepositoryReady { folder } => "repository {folder} is writable", "se puede escribir en el repositorio {folder}";
        RepositoryDenied { folder, reason } => "repository {folder}: {reason}", "repositorio {folder}: {reason}";
        CatalogReady { schema } => "catalog in schema {schema} is up to date", "el catálogo en el esquema {schema} está al día";
        CatalogMissing { schema } => "there is no catalog in schema {schema} yet; the first backup makes it", "todavía no hay catálogo en el esquema {schema}; lo crea el primer respaldo";
        ExistingSystem {} => "the existing backup system is here too; both can run side by side", "también está el sistema de respaldos existente; pueden funcionar a la par";
        Encrypts { recipients } => "backups are encrypted for recipients: {recipients}", "los respaldos se cifran para destinatarios: {recipients}";
        EncryptsNothing {} => "a key is configured and no recipient: new backups are not encrypted (set encryption.recipients)", "hay una clave configurada y ningún destinatario: los respaldos nuevos no se cifran (configure encryption.recipients)";
        KeyOpens {} => "the key at hand opens new backups", "la clave a mano abre los respaldos nuevos";
        KeyElsewhere {} => "no key is at hand: backups are made and expire without it; restoring and looking inside need it", "no hay clave a mano: los respaldos se hacen y vencen sin ella; restaurar y mirar dentro la necesitan";
        KeyUnusable { reason } => "the key cannot be used: {reason}", "no se puede usar la clave: {reason}";
        KeyOfAnother { recipient } => "the key at hand ({recipient}) is of no recipient: it does not open new backups", "la clave a mano ({recipient}) no es de ningún destinatario: no abre los respaldos nuevos";
        KeyLoss {} => "whoever loses every key loses every encrypted backup: keep a copy of one away from this machine, and try it", "quien pierde todas las claves pierde todos los respaldos cifrados: guarde copia de una fuera de esta máquina, y pruébela";
        PanelNowhere {} => "the panel is switched off: panel.listen is empty", "el panel está apagado: panel.listen está vacío";
        PanelHere { address } => "the panel listens on {address}, for this machine alone", "el panel escucha en {address}, solo para esta máquina";
        PanelFar { address } => "the panel listens on {address}, for others too, and speaks TLS", "el panel escucha en {address}, también para otras máquinas, y habla TLS";
        PanelBehindProxy { address } => "the panel listens on {address}, for others too, without TLS: a proxy before it has to speak it, and nobody else may reach the port", "el panel escucha en {address}, también para otras máquinas, sin TLS: debe hablarlo un proxy delante, y nadie más debe llegar al puerto";
        PanelTls { reason } => "the panel's certificate cannot be used: {reason}", "no se puede usar el certificado del panel: {reason}";
        PanelWithoutUser {} => "the panel has no user yet: respaldo serve prints a token for the first one", "el panel aún no tiene usuarios: respaldo serve imprime un código para el primero";
        PanelUsers { reason } => "the panel's users cannot be read: {reason}", "no se pueden leer los usuarios del panel: {reason}";
        PasswordInUrl {} => "the password stands in the URL; a password file or {{ env = \"...\" }} keeps it out of files", "la contraseña está en la URL; un archivo de contraseñas o {{ env = \"...\" }} la mantiene fuera de los archivos";
        Healthy {} => "everything is in order", "está todo en orden";
        Problems { errors, warnings } => "errors: {errors}, warnings: {warnings}", "errores: {errors}, advertencias: {warnings}";
    }
}
