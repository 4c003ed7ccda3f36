//! Words of the legacy service's results.

use super::{Lang, Spoken};
use crate::labels::Label;

/// Whose a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LegacyOwner {
    /// Of this service, of this database.
    Own,
    /// Of this service, of another database.
    OtherDatabase,
    /// Of this service, and changed since.
    Changed,
    /// Of somebody else.
    Foreign,
}

labels!(LegacyOwner, "owner of a file" {
    Own => "propio",
    OtherDatabase => "otra_base",
    Changed => "modificado",
    Foreign => "ajeno",
});

spoken!(LegacyOwner {
    Own => "respaldo", "respaldo";
    OtherDatabase => "respaldo, of another database", "respaldo, de otra base";
    Changed => "respaldo, changed since", "respaldo, modificado después";
    Foreign => "others", "otros";
});

/// Why a file stays when the legacy service prunes, or that it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LegacyFate {
    /// Among the newest of its type.
    Newest,
    /// Made by others.
    Foreign,
    /// Of another database.
    OtherDatabase,
    /// Changed since it was made.
    Changed,
    /// Its name tells no time.
    NoTime,
    /// It goes.
    Removed,
}

labels!(LegacyFate, "fate of a file" {
    Newest => "de_los_mas_nuevos",
    Foreign => "ajeno",
    OtherDatabase => "otra_base",
    Changed => "modificado",
    NoTime => "sin_hora_en_el_nombre",
    Removed => "sobrante",
});

spoken!(LegacyFate {
    Newest => "among the newest of its type", "de los más nuevos de su tipo";
    Foreign => "made by others", "hecho por otros";
    OtherDatabase => "of another database", "de otra base de datos";
    Changed => "changed since it was made", "modificado después de hacerse";
    NoTime => "its name tells no time", "su nombre no dice la hora";
    Removed => "beyond the count of its type", "excede la cantidad de su tipo";
});

/// What deserves a look after a run of the legacy service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LegacyNotice {
    /// There is no copy.
    NotCopied,
    /// The database was not told.
    RunNotRecorded,
    /// The record of own files is unreadable.
    RecordLost,
    /// A file was not looked through.
    NotChecked,
    /// Something of a dead run was cleared up.
    Swept,
    /// Settings were not carried over.
    DatabaseSettings,
    /// Rows about newer backups were not taken over.
    RowsNotCarried,
    /// There are no statistics.
    NotAnalyzed,
    /// An old database is still there.
    NotDropped,
    /// A file could not be removed.
    NotRemoved,
}

labels!(LegacyNotice, "notice of the legacy service" {
    NotCopied => "sin_copia",
    RunNotRecorded => "ejecucion_no_registrada",
    RecordLost => "registro_ilegible",
    NotChecked => "no_comprobado",
    Swept => "limpieza",
    DatabaseSettings => "ajustes_de_la_base",
    RowsNotCarried => "filas_no_trasladadas",
    NotAnalyzed => "sin_estadisticas",
    NotDropped => "base_anterior_no_eliminada",
    NotRemoved => "no_eliminado",
});

spoken!(LegacyNotice {
    NotCopied => "the backup was made, the copy was not", "el respaldo se hizo, la copia no";
    RunNotRecorded => "the run could not be recorded", "no se pudo registrar la ejecución";
    RecordLost => "the record of own files cannot be read or written; what it does not name is never pruned", "no se puede leer o escribir el registro de archivos propios; lo que no nombra nunca se quita";
    NotChecked => "what the external program made was not looked through", "no se revisó lo que hizo el programa externo";
    Swept => "what an earlier run left was cleared up", "se limpió lo que dejó una ejecución anterior";
    DatabaseSettings => "a setting of the database could not be carried over", "no se pudo trasladar un ajuste de la base";
    RowsNotCarried => "what the old database knew of newer backups could not be taken over", "no se pudo trasladar lo que la base anterior sabía de respaldos más nuevos";
    NotAnalyzed => "statistics could not be gathered; run ANALYZE", "no se pudieron reunir estadísticas; ejecute ANALYZE";
    NotDropped => "the old database could not be dropped", "no se pudo eliminar la base anterior";
    NotRemoved => "a file could not be removed", "no se pudo quitar un archivo";
});
