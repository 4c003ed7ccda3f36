//! Short phrases for the codes that tables of results carry.

use respaldo_domain::backup::{BackupKind, BackupState, Trigger};
use respaldo_domain::base::FullReason;
use respaldo_domain::changes::Reason;
use respaldo_domain::coverage::GapKind;
use respaldo_domain::report::WarningCode;
use respaldo_domain::retention::{Fate, KeepReason};
use respaldo_domain::validation::{FindingCode, Severity, ValidationLevel};

use super::{Lang, Spoken};
use crate::labels::Label;

/// What makes backups at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EngineState {
    /// The professional engine.
    Professional,
    /// The legacy service, as a fallback.
    Legacy,
    /// Nothing.
    Stopped,
}

labels!(EngineState, "state of the engine" {
    Professional => "PROFESIONAL",
    Legacy => "LEGACY",
    Stopped => "DETENIDO",
});

spoken!(EngineState {
    Professional => "professional engine", "motor profesional";
    Legacy => "legacy service (fallback)", "sistema heredado (respaldo de emergencia)";
    Stopped => "stopped: no backups are being made", "detenido: no se hacen respaldos";
});

/// Who says when backups are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScheduleSource {
    /// What is stored beside the catalog.
    Database,
    /// What was stored there when it answered last.
    Memory,
    /// The configuration, or the defaults.
    Configuration,
}

labels!(ScheduleSource, "source of a schedule" {
    Database => "base_de_datos",
    Memory => "recordado",
    Configuration => "configuracion",
});

spoken!(ScheduleSource {
    Database => "stored in the database", "guardado en la base de datos";
    Memory => "as last read from the database", "como se leyó por última vez de la base de datos";
    Configuration => "configuration", "configuración";
});

/// Why a backup stays under retention, or that it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FateWord {
    /// Not as old as its kind may become.
    Young,
    /// Of one of the newest complete chains.
    NewestChain,
    /// The newest that was proven to restore.
    NewestProven,
    /// Another that stays reads it.
    Needed,
    /// It is being read or copied.
    InUse,
    /// Others made it.
    NotOurs,
    /// It goes.
    Expired,
}

impl FateWord {
    /// The word for a fate.
    pub fn of(fate: &Fate) -> Self {
        match fate {
            Fate::Expire(_) => Self::Expired,
            Fate::Keep(KeepReason::Young) => Self::Young,
            Fate::Keep(KeepReason::NewestChain) => Self::NewestChain,
            Fate::Keep(KeepReason::NewestProven) => Self::NewestProven,
            Fate::Keep(KeepReason::NeededBy(_)) => Self::Needed,
            Fate::Keep(KeepReason::InUse) => Self::InUse,
            Fate::Keep(KeepReason::NotOurs) => Self::NotOurs,
        }
    }
}

labels!(FateWord, "fate of a backup" {
    Young => "reciente",
    NewestChain => "cadena_mas_nueva",
    NewestProven => "ultimo_probado",
    Needed => "necesario",
    InUse => "en_uso",
    NotOurs => "ajeno",
    Expired => "vencido",
});

spoken!(FateWord {
    Young => "young enough", "reciente";
    NewestChain => "one of the newest chains", "de las cadenas más nuevas";
    NewestProven => "the newest proven to restore", "el último que se probó restaurar";
    Needed => "needed by another that stays", "lo necesita otro que queda";
    InUse => "being read now", "se está leyendo";
    NotOurs => "made by others", "hecho por otros";
    Expired => "too old since", "vencido desde";
});

spoken!(BackupKind {
    Full => "full", "completo";
    Differential => "differential", "diferencial";
    Incremental => "incremental", "incremental";
});

spoken!(BackupState {
    Pending => "pending", "pendiente";
    Running => "running", "en progreso";
    Completed => "completed", "completado";
    Failed => "failed", "fallido";
    Validating => "being validated", "validándose";
});

spoken!(Trigger {
    Schedule => "schedule", "programado";
    Operator => "operator", "operador";
});

spoken!(Reason {
    Full => "part of a full", "parte de un completo";
    New => "created since the base", "creada después de la base";
    Columns => "its columns changed", "cambiaron sus columnas";
    Types => "a type it uses changed", "cambió un tipo que usa";
    Fragile => "its text depends on other objects", "su texto depende de otros objetos";
    AccessMethod => "not a heap table", "no es una tabla heap";
    Lineage => "the server's history broke since the base", "la historia del servidor se cortó desde la base";
    NoReading => "the base has no reading of it", "la base no tiene una lectura de ella";
    XminDiffers => "rows written since the base", "filas escritas después de la base";
    XminEqual => "no row written since the base", "ninguna fila escrita desde la base";
    CountersDiffer => "its counters moved", "se movieron sus contadores";
    CountersEqual => "its counters did not move", "no se movieron sus contadores";
    LogSilent => "no committed change of it in the server's log", "ningún cambio confirmado de ella en el registro del servidor";
    SpotCheckFailed => "a spot check contradicted the counters", "un muestreo contradijo a los contadores";
    ContentDiffers => "its content differs", "su contenido es distinto";
    ContentEqual => "its content is the same", "su contenido es el mismo";
    ExtensionCondition => "its extension dumps other rows now", "su extensión vuelca ahora otras filas";
    Always => "this detector dumps everything", "este detector vuelca todo";
    NotExamined => "could not be examined", "no se pudo examinar";
    Operational => "table of respaldo itself: definition only", "tabla de respaldo mismo: solo la definición";
    Excluded => "excluded by configuration", "excluida por configuración";
    Unreadable => "the role cannot read it", "el rol no puede leerla";
    NoData => "holds no rows of its own", "no tiene filas propias";
    Refreshed => "refreshed on restore", "se refresca al restaurar";
    | Other
});

spoken!(FullReason {
    NoBase => "there is no backup to compare with", "no hay un respaldo con el cual comparar";
    OtherLineage => "the newest backup is of another database", "el respaldo más nuevo es de otra base de datos";
    OtherCompression => "the base is compressed in another way", "la base está comprimida de otra forma";
    OtherFingerprint => "the base has fingerprints of another kind", "la base tiene huellas de otra clase";
    OtherExclusions => "the base was made with other exclusions", "la base se hizo con otras exclusiones";
    BaseDamaged => "objects of the base are missing", "faltan objetos de la base";
    BaseLocked => "the base is encrypted, and this machine has no copy of its manifest", "la base está cifrada y esta máquina no tiene copia de su manifiesto";
});

spoken!(GapKind {
    NoSelect => "no right to read the table", "sin permiso para leer la tabla";
    NoUsage => "no right to use the schema", "sin permiso para usar el esquema";
    RowSecurity => "row-level security hides rows", "la seguridad de filas oculta filas";
    Unlogged => "unlogged: a standby has none of its rows", "sin registro (unlogged): un servidor en espera no tiene sus filas";
    Sequence => "no right to read the sequence", "sin permiso para leer la secuencia";
    LargeObject => "no right to read the large object", "sin permiso para leer el objeto grande";
    Definition => "pg_dump cannot carry it", "pg_dump no puede llevarlo";
});

spoken!(WarningCode {
    Partial => "the backup is partial", "el respaldo es parcial";
    DamagedCopy => "a copy is damaged, and another sink's was taken", "una copia está dañada y se tomó la de otro destino";
    LockTooShort => "a sink does not keep what the backup needs as long as the backup", "un destino no conserva lo que el respaldo necesita tanto tiempo como al respaldo";
    SecondPlace => "copies do not go where the panel says", "las copias no van adonde dice el panel";
    SinkOwed => "an optional sink failed and is owed this backup", "un destino opcional falló y se le debe este respaldo";
    CatalogBehind => "the catalog could not be written; storage is complete", "no se pudo escribir el catálogo; el almacenamiento está completo";
    ClockMovedBack => "the clock is behind the newest backup", "el reloj está atrás del respaldo más nuevo";
    SpotCheckFailed => "a program writes without reporting statistics", "un programa escribe sin informar estadísticas";
    DetectorLimited => "the detector had to do without what it is configured to use", "el detector tuvo que prescindir de lo que tiene configurado";
    NotExamined => "a table could not be examined and is dumped", "no se pudo examinar una tabla y se vuelca";
    LocksHeld => "locks were held while another session waited", "se retuvieron bloqueos mientras otra sesión esperaba";
    ValidationFindings => "validation after the backup found something", "la validación posterior encontró algo";
    RowsDiffer => "restored rows differ from the backup's fingerprint", "las filas restauradas difieren de la huella del respaldo";
    NotComparable => "text of a column legitimately differs in another database", "el texto de una columna difiere con razón en otra base";
    OlderTable => "a table came from an older backup", "una tabla vino de un respaldo anterior";
    FollowsDatabase => "something follows the replaced database and not the new one", "algo sigue a la base reemplazada y no a la nueva";
    OldTools => "the client tools are older than the server", "las herramientas cliente son más antiguas que el servidor";
    LeftOut => "the client tools do not dump this; those of PostgreSQL 15 or later do, from older servers too", "las herramientas cliente no vuelcan esto; las de PostgreSQL 15 o posterior sí, también de servidores anteriores";
    MissingRole => "a role is missing on the target", "falta un rol en el destino";
    DatabaseSettings => "settings of the database could not be carried over", "no se pudieron trasladar ajustes de la base";
    RetentionFailed => "retention could not be applied", "no se pudo aplicar la retención";
    Swept => "unfinished objects of an earlier run were removed", "se quitaron objetos incompletos de una ejecución anterior";
    ScheduleRepaired => "a stored due time makes no sense; another holds instead", "un horario guardado no tiene sentido; rige otro en su lugar";
    ScheduleUnknown => "the stored due times could not be read; those known otherwise hold", "no se pudieron leer los horarios guardados; rigen los que se conocen";
});

spoken!(FindingCode {
    Missing => "the object is missing", "falta el objeto";
    WrongSize => "the object has another size", "el objeto tiene otro tamaño";
    WrongChecksum => "the object has another checksum", "el objeto tiene otra suma";
    ManifestUnreadable => "the manifest cannot be read", "no se puede leer el manifiesto";
    Unreadable => "a table's data cannot be decoded", "no se pueden decodificar los datos de una tabla";
    WrongRows => "a table's rows are not those that were dumped", "las filas de una tabla no son las que se volcaron";
    BrokenChain => "a backup it depends on is gone", "falta un respaldo del que depende";
    DrillFailed => "the rehearsed restore failed", "falló la restauración de simulacro";
    DrillDiffers => "the rehearsed restore gave other rows", "la restauración de simulacro dio otras filas";
    NotChecked => "the check could not be made", "no se pudo hacer la comprobación";
    NoKey => "it is encrypted, and no key is at hand to look inside", "está cifrado y no hay una clave a mano para mirar dentro";
    | Other
});

spoken!(Severity {
    Warning => "warning", "advertencia";
    Error => "error", "error";
});

spoken!(ValidationLevel {
    Presence => "every object is there", "están todos los objetos";
    Checksum => "every object has its checksum", "cada objeto tiene su suma";
    Readable => "every block decodes to its rows", "cada bloque da sus filas";
    Chain => "every block in other backups too", "también cada bloque en otros respaldos";
    Drill => "restored into a scratch database and compared", "restaurado en una base de prueba y comparado";
});
