//! Column headings and field names of printed tables.

use super::{Lang, Spoken};

macro_rules! headers {
    ($($name:ident => $en:literal, $es:literal;)+) => {
        /// A heading.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Header {
            $(#[doc = $en] $name,)+
        }

        impl Header {
            /// Every heading.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];
        }

        spoken!(Header { $($name => $en, $es;)+ });
    };
}

headers! {
    Id => "ID", "ID";
    Kind => "Kind", "Tipo";
    Name => "Name", "Nombre";
    Version => "Version", "Versión";
    State => "State", "Estado";
    Archive => "Archive", "Archivo";
    Label => "Label", "Etiqueta";
    Date => "Date", "Fecha";
    Started => "Started", "Inicio";
    Finished => "Finished", "Fin";
    Snapshot => "Snapshot", "Instantánea";
    Duration => "Duration", "Duración";
    Size => "Size", "Tamaño";
    Checksum => "Checksum", "Suma";
    Base => "Base", "Base";
    Chain => "Chain", "Cadena";
    Table => "Table", "Tabla";
    Tables => "Tables", "Tablas";
    Rows => "Rows", "Filas";
    Bytes => "Bytes", "Bytes";
    Fingerprint => "Fingerprint", "Huella";
    Dumped => "Dumped", "Volcada";
    Reason => "Reason", "Motivo";
    DataIn => "Data in", "Datos en";
    DefinitionsOf => "Definitions of", "Definiciones de";
    Level => "Level", "Nivel";
    Finding => "Finding", "Hallazgo";
    Subject => "Subject", "Objeto";
    Detail => "Detail", "Detalle";
    Sink => "Sink", "Destino";
    Address => "Address", "Dirección";
    Required => "Required", "Requerido";
    Owed => "Owed", "Pendientes";
    Count => "Count", "Cantidad";
    First => "First", "Primero";
    Last => "Last", "Último";
    Next => "Next", "Próximo";
    Due => "Due", "Previsto";
    Missed => "Missed", "Perdido";
    Schedule => "Schedule", "Horario";
    TimeZone => "Time zone", "Zona horaria";
    CatchUp => "Missed ones are made up", "Se recuperan los perdidos";
    CoveredBy => "Covered by", "Cubierto por";
    Engine => "Engine", "Motor";
    Space => "Space", "Espacio";
    Total => "Total", "Total";
    Server => "Server", "Servidor";
    Database => "Database", "Base de datos";
    Tools => "Tools", "Herramientas";
    Coverage => "Coverage", "Cobertura";
    LargeObjects => "Large objects", "Objetos grandes";
    Warnings => "Warnings", "Advertencias";
    Hint => "hint", "sugerencia";
    CausedBy => "because", "porque";
    Error => "error", "error";
    Value => "Value", "Valor";
    Setting => "Setting", "Ajuste";
    Origin => "From", "De";
    Change => "Change", "Cambio";
    Yes => "yes", "sí";
    No => "no", "no";
    None => "none", "ninguno";
    Owner => "Made by", "Hecho por";
    File => "File", "Archivo";
    Complete => "complete", "completa";
    Partial => "partial", "parcial";
}
