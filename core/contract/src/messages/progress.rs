//! What runs say on standard error while they work.

catalogue! {
    /// A step or an advance of a run.
    Progress {
        Waiting { seconds } => "waiting for the lease, up to {seconds} s", "esperando el turno, hasta {seconds} s";
        Leased {} => "lease taken", "turno obtenido";
        ChoosingBase {} => "looking for a base", "buscando una base";
        Base { archive } => "comparing with {archive}", "comparando con {archive}";
        Snapshot { at } => "snapshot of {at}", "instantánea del {at}";
        SnapshotAgain { count } => "snapshot overtaken by DDL, taking another ({count})", "instantánea superada por cambios de estructura, se toma otra ({count})";
        Detecting { tables } => "looking for changes in {tables} tables", "buscando cambios en {tables} tablas";
        Detected { dump, keep } => "{dump} tables to dump, {keep} unchanged", "{dump} tablas por volcar, {keep} sin cambios";
        Dumping { done, total, size } => "dumping: {done} of {total} tables, {size}", "volcando: {done} de {total} tablas, {size}";
        Storing { sink, size } => "storing in {sink}, {size}", "guardando en {sink}, {size}";
        Sealing {} => "sealing", "sellando";
        Checking { objects } => "checking {objects} objects before anything is touched", "comprobando {objects} objetos antes de tocar nada";
        CreatingDatabase { name } => "creating database {name}", "creando la base {name}";
        RestoringSchema {} => "making tables and types", "creando tablas y tipos";
        Loading { done, total, size } => "loading: {done} of {total} tables, {size}", "cargando: {done} de {total} tablas, {size}";
        RestoringRest {} => "making indexes, constraints and triggers", "creando índices, restricciones y disparadores";
        Verifying { done, total } => "verifying: {done} of {total} tables", "verificando: {done} de {total} tablas";
        Swapping { name } => "putting {name} in its place", "poniendo {name} en su lugar";
        Validating { archive, level } => "validating {archive}, level {level}", "validando {archive}, nivel {level}";
        Rate { rate, left } => "{rate}/s, {left} left", "{rate}/s, faltan {left}";
        Retrying { what, seconds } => "{what}; trying again in {seconds} s", "{what}; nuevo intento en {seconds} s";
        Stopping {} => "stopping cleanly", "deteniéndose en orden";
    }
}
