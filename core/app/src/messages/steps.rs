//! Steps of flows, for people who watch.

use respaldo_contract::messages::Lang;

/// Step, English, Spanish.
const STEPS: &[(&str, &str, &str)] = &[
    ("backup.lease", "taking the lease", "tomando el turno"),
    (
        "backup.source",
        "looking at the server",
        "consultando el servidor",
    ),
    (
        "backup.sweep",
        "clearing up after earlier runs",
        "limpiando restos de ejecuciones previas",
    ),
    (
        "backup.history",
        "reading the history",
        "leyendo el historial",
    ),
    (
        "backup.catalog",
        "bringing the catalog up to date",
        "poniendo el catálogo al día",
    ),
    ("sync.copy", "copying a backup", "copiando un respaldo"),
    ("backup.base", "choosing the base", "eligiendo la base"),
    (
        "backup.intent",
        "recording what will be written",
        "anotando lo que se va a escribir",
    ),
    (
        "backup.begin",
        "recording the run",
        "registrando la ejecución",
    ),
    ("backup.baseline", "reading counters", "leyendo contadores"),
    (
        "backup.snapshot",
        "taking the snapshot",
        "tomando la instantánea",
    ),
    (
        "backup.fence",
        "checking the snapshot",
        "comprobando la instantánea",
    ),
    (
        "backup.definitions",
        "comparing definitions",
        "comparando definiciones",
    ),
    ("backup.coverage", "checking rights", "comprobando permisos"),
    ("backup.verdicts", "looking for changes", "buscando cambios"),
    ("backup.dump", "dumping", "volcando"),
    (
        "backup.dumped",
        "checking the archive",
        "comprobando el archivo",
    ),
    ("backup.store", "storing", "guardando"),
    (
        "backup.manifest",
        "storing the manifest",
        "guardando el manifiesto",
    ),
    ("backup.seal", "sealing", "sellando"),
    ("backup.witness", "leaving a witness", "dejando un testigo"),
    ("backup.validate", "validating", "validando"),
    (
        "backup.expire",
        "applying retention",
        "aplicando la retención",
    ),
    ("consolidate.lease", "taking the lease", "tomando el turno"),
    (
        "consolidate.export",
        "joining the chain",
        "uniendo la cadena",
    ),
    ("consolidate.store", "storing", "guardando"),
    (
        "consolidate.manifest",
        "writing the manifest",
        "escribiendo el manifiesto",
    ),
    ("restore.plan", "planning", "planificando"),
    (
        "restore.inspect",
        "looking at the target",
        "consultando el destino",
    ),
    ("restore.lease", "taking the lease", "tomando el turno"),
    (
        "restore.objects",
        "checking every object it needs",
        "comprobando cada objeto necesario",
    ),
    (
        "restore.fetch",
        "reading definitions",
        "leyendo definiciones",
    ),
    (
        "restore.preflight",
        "checking what the target must have",
        "comprobando lo que debe tener el destino",
    ),
    ("restore.roles", "making roles", "creando roles"),
    (
        "restore.scratch",
        "making a scratch database",
        "creando una base provisoria",
    ),
    (
        "restore.definitions",
        "making tables and types",
        "creando tablas y tipos",
    ),
    (
        "restore.into_schema",
        "making the tables",
        "creando las tablas",
    ),
    (
        "restore.load",
        "loading rows and making indexes",
        "cargando filas y creando índices",
    ),
    (
        "restore.sequences",
        "setting sequences",
        "ajustando secuencias",
    ),
    (
        "restore.large_objects",
        "loading large objects",
        "cargando objetos grandes",
    ),
    (
        "restore.indexes",
        "making the last indexes and constraints",
        "creando los últimos índices y restricciones",
    ),
    (
        "restore.rest",
        "making triggers, rules and grants",
        "creando disparadores, reglas y permisos",
    ),
    (
        "restore.analyze",
        "gathering statistics",
        "reuniendo estadísticas",
    ),
    (
        "restore.verify",
        "comparing with the backup",
        "comparando con el respaldo",
    ),
    (
        "restore.properties",
        "settings of the database",
        "ajustes de la base",
    ),
    (
        "restore.swap",
        "putting the database in its place",
        "poniendo la base en su lugar",
    ),
    (
        "restore.swapped",
        "the database is in its place",
        "la base está en su lugar",
    ),
    ("restore.commit", "committing", "confirmando"),
    ("validate", "validating", "validando"),
    ("export.copy", "copying", "copiando"),
    ("kit.archives", "copying archives", "copiando archivos"),
];

/// The step in a language; one that has no words yet by its name.
pub fn text(step: &str, lang: Lang) -> String {
    let found = STEPS.iter().find(|(name, _, _)| *name == step);
    found
        .map_or(step, |(_, english, spanish)| lang.choose(english, spanish))
        .to_owned()
}
