//! The tables of the domain's values.

use respaldo_domain::backup::{BackupKind, BackupState, Trigger};
use respaldo_domain::base::FullReason;
use respaldo_domain::changes::Reason;
use respaldo_domain::coverage::GapKind;
use respaldo_domain::manifest::Compression;
use respaldo_domain::object::ObjectRole;
use respaldo_domain::report::WarningCode;
use respaldo_domain::schedule::Task;
use respaldo_domain::second_place::Provider;
use respaldo_domain::table::RelationKind;
use respaldo_domain::validation::{FindingCode, Severity, ValidationLevel};

use super::{Label, OpenLabel};

labels!(BackupKind, "kind of backup" {
    Full => "FULL",
    Differential => "DIFERENCIAL",
    Incremental => "INCREMENTAL",
    ;
    "MANUAL" => Full,
});

/// The kind a person means: `full`, `dif`, `inc`, `manual`, either language, any case.
///
/// ```
/// use respaldo_contract::labels::kind_from_word;
/// use respaldo_domain::backup::BackupKind;
///
/// assert_eq!(kind_from_word("dif"), Some(BackupKind::Differential));
/// assert_eq!(kind_from_word("Diferencial"), Some(BackupKind::Differential));
/// assert_eq!(kind_from_word("daily"), None);
/// ```
pub fn kind_from_word(word: &str) -> Option<BackupKind> {
    match word.to_ascii_lowercase().as_str() {
        "full" | "manual" => Some(BackupKind::Full),
        "dif" | "differential" | "diferencial" => Some(BackupKind::Differential),
        "inc" | "incremental" => Some(BackupKind::Incremental),
        _ => None,
    }
}

labels!(Provider, "second place" {
    Local => "LOCAL",
    GoogleDrive => "GOOGLE_DRIVE",
    S3 => "S3",
    Gcs => "GCS",
    Azure => "AZURE",
    Sftp => "SFTP",
    WebDav => "WEBDAV",
});

labels!(BackupState, "state of a backup" {
    Pending => "PENDIENTE",
    Running => "EN_PROGRESO",
    Completed => "COMPLETADO",
    Failed => "FALLIDO",
    Validating => "VALIDANDO",
});

labels!(Trigger, "trigger" {
    Schedule => "programado",
    Operator => "operador",
});

labels!(FullReason, "reason for a full" {
    NoBase => "sin_base",
    OtherLineage => "otra_linea",
    OtherCompression => "otra_compresion",
    OtherFingerprint => "otra_huella",
    OtherExclusions => "otras_exclusiones",
    BaseDamaged => "base_danada",
    BaseLocked => "base_cifrada",
});

labels!(GapKind, "kind of gap" {
    NoSelect => "sin_select",
    NoUsage => "sin_usage",
    RowSecurity => "seguridad_de_filas",
    Unlogged => "sin_registro",
    Sequence => "secuencia",
    LargeObject => "objeto_grande",
    Definition => "definicion",
});

labels!(Compression, "compression" {
    None => "ninguna",
    Gzip => "gzip",
    Lz4 => "lz4",
    Zstd => "zstd",
});

labels!(ObjectRole, "role of an object" {
    Archive => "archivo",
    Stats => "lecturas",
    Roles => "roles",
    Manifest => "manifiesto",
});

labels!(RelationKind, "kind of relation" {
    Table => "tabla",
    Partitioned => "particionada",
    MaterializedView => "vista_materializada",
    Foreign => "externa",
});

// These words are also what `--level` takes, hence English.
labels!(ValidationLevel, "validation level" {
    Presence => "presence",
    Checksum => "checksum",
    Readable => "readable",
    Chain => "chain",
    Drill => "drill",
});

labels!(Task, "scheduled task" {
    Full => "FULL",
    Differential => "DIFERENCIAL",
    Incremental => "INCREMENTAL",
    Validation => "VALIDACION",
});

labels!(Severity, "severity" {
    Warning => "ADVERTENCIA",
    Error => "ERROR",
});

labels!(WarningCode, "warning" {
    Partial => "parcial",
    SinkOwed => "destino_pendiente",
    LockTooShort => "bloqueo_insuficiente",
    SecondPlace => "segundo_destino",
    DamagedCopy => "copia_danada",
    CatalogBehind => "catalogo_atrasado",
    ClockMovedBack => "reloj_atrasado",
    SpotCheckFailed => "muestreo_fallido",
    DetectorLimited => "detector_limitado",
    NotExamined => "no_examinada",
    LocksHeld => "bloqueos_retenidos",
    ValidationFindings => "hallazgos_de_validacion",
    RowsDiffer => "filas_distintas",
    NotComparable => "no_comparable",
    OlderTable => "tabla_anterior",
    FollowsDatabase => "sigue_a_la_base",
    OldTools => "herramientas_antiguas",
    LeftOut => "fuera_del_volcado",
    MissingRole => "rol_ausente",
    DatabaseSettings => "ajustes_de_la_base",
    RetentionFailed => "retencion_fallida",
    Swept => "limpieza",
    ScheduleRepaired => "horario_reparado",
    ScheduleUnknown => "horario_desconocido",
});

open_labels!(Reason {
    Full => "completo",
    New => "nueva",
    Columns => "columnas",
    Types => "tipos",
    Fragile => "fragil",
    AccessMethod => "metodo_de_acceso",
    Lineage => "otra_linea",
    NoReading => "sin_lectura",
    XminDiffers => "xmin_distinto",
    XminEqual => "xmin_igual",
    CountersDiffer => "contadores_distintos",
    CountersEqual => "contadores_iguales",
    LogSilent => "sin_cambios_en_el_wal",
    SpotCheckFailed => "muestreo_fallido",
    ContentDiffers => "contenido_distinto",
    ContentEqual => "contenido_igual",
    ExtensionCondition => "condicion_extension",
    Always => "siempre",
    NotExamined => "no_examinada",
    Operational => "catalogo",
    Excluded => "excluida",
    Unreadable => "ilegible",
    NoData => "sin_datos",
    Refreshed => "se_refresca",
});

open_labels!(FindingCode {
    Missing => "ausente",
    WrongSize => "tamano_distinto",
    WrongChecksum => "checksum_distinto",
    ManifestUnreadable => "manifiesto_ilegible",
    Unreadable => "ilegible",
    WrongRows => "filas_distintas",
    BrokenChain => "cadena_rota",
    DrillFailed => "simulacro_fallido",
    DrillDiffers => "simulacro_distinto",
    NotChecked => "no_verificado",
    NoKey => "sin_clave",
});

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::labels::{EventName, ValidationResult};
    use crate::messages::{LegacyFate, LegacyNotice, LegacyOwner};

    fn is_read_back<T: Label + PartialEq + std::fmt::Debug>() {
        let mut seen = HashSet::new();
        for value in T::ALL {
            assert!(seen.insert(value.label()), "{} twice", value.label());
            assert_eq!(T::from_label(value.label()), Ok(*value));
            assert!(!value.label().is_empty() && value.label().is_ascii());
        }
        assert!(T::from_label("no such word").is_err());
    }

    #[test]
    fn every_word_is_unique_in_its_table_and_read_back() {
        is_read_back::<BackupKind>();
        is_read_back::<BackupState>();
        is_read_back::<Trigger>();
        is_read_back::<FullReason>();
        is_read_back::<GapKind>();
        is_read_back::<Compression>();
        is_read_back::<ObjectRole>();
        is_read_back::<RelationKind>();
        is_read_back::<ValidationLevel>();
        is_read_back::<Severity>();
        is_read_back::<WarningCode>();
        is_read_back::<EventName>();
        is_read_back::<ValidationResult>();
        is_read_back::<LegacyOwner>();
        is_read_back::<LegacyFate>();
        is_read_back::<LegacyNotice>();
    }

    #[test]
    fn manual_is_read_as_full_and_never_written() {
        assert_eq!(BackupKind::from_label("MANUAL"), Ok(BackupKind::Full));
        assert!(BackupKind::ALL.iter().all(|kind| kind.label() != "MANUAL"));
    }

    #[test]
    fn states_fit_the_check_constraint_of_the_existing_table() {
        let words: Vec<_> = BackupState::ALL.iter().map(|state| state.label()).collect();
        assert_eq!(
            words,
            [
                "PENDIENTE",
                "EN_PROGRESO",
                "COMPLETADO",
                "FALLIDO",
                "VALIDANDO"
            ]
        );
    }

    #[test]
    fn a_plugins_own_code_passes_through() {
        for word in ["completo", "catalogo", "se_refresca", "acme_wal_quiet"] {
            assert_eq!(Reason::from_label(word).label(), word);
        }
        assert_eq!(Reason::from_label("acme"), Reason::Other("acme".into()));
        for word in ["ausente", "no_verificado", "acme_virus"] {
            assert_eq!(FindingCode::from_label(word).label(), word);
        }
        assert_eq!(
            FindingCode::from_label("cadena_rota"),
            FindingCode::BrokenChain
        );
    }
}
