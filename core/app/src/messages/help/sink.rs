//! Spanish help of `sink` and `cloud`.

/// As the other table.
pub(super) const SINK: &[(&str, &str, &str)] = &[
    (
        "cloud",
        "",
        "Ver o cambiar si los respaldos se copian a un segundo lugar, como lo hace el panel existente",
    ),
    (
        "cloud show",
        "",
        "Mostrar el ajuste y los destinos a los que van ahora las copias",
    ),
    (
        "cloud set",
        "",
        "Guardar el ajuste junto al catálogo; lo que no se da queda igual",
    ),
    (
        "cloud set",
        "enabled",
        "Si los respaldos se copian: true o false",
    ),
    ("cloud set", "provider", "Adónde: local, google-drive o s3"),
    (
        "cloud set",
        "sync_dir",
        "La carpeta de local, y la de un proveedor que no está configurado",
    ),
    (
        "cloud upload",
        "",
        "Copiar un respaldo y todo lo que hace falta para restaurarlo, estén o no activadas las copias",
    ),
    (
        "cloud remove",
        "",
        "Quitar la copia de un respaldo; el respaldo mismo queda",
    ),
    (
        "cloud upload",
        "backup",
        "Número o nombre de archivo del respaldo",
    ),
    (
        "cloud upload",
        "provider",
        "Otro proveedor que el guardado: local, google-drive o s3",
    ),
    ("cloud upload", "sync_dir", "Otra carpeta que la guardada"),
    (
        "cloud remove",
        "backup",
        "Número o nombre de archivo del respaldo",
    ),
    (
        "cloud remove",
        "provider",
        "Otro proveedor que el guardado: local, google-drive o s3",
    ),
    ("cloud remove", "sync_dir", "Otra carpeta que la guardada"),
    (
        "sink",
        "",
        "Los destinos: listarlos, examinar uno, llenar uno nuevo",
    ),
    (
        "sink list",
        "",
        "Listar los destinos configurados: dónde están, si responden, qué se les debe",
    ),
    (
        "sink check",
        "",
        "Examinar un destino: poner, leer, listar y quitar objetos propios, sin dejar nada",
    ),
    ("sink check", "name", "Su nombre en la configuración"),
    (
        "sink sync",
        "",
        "Copiar todos los respaldos que otros destinos tienen y este no",
    ),
    ("sink sync", "name", "Su nombre en la configuración"),
];
