//! The help of what looks at the program and its surroundings.

/// Command path and option, Spanish help.
pub(super) const LOOKING: &[(&str, &str, &str)] = &[
    (
        "doctor",
        "",
        "Revisar configuración, servidor, herramientas, permisos, reloj, destinos y espacio",
    ),
    (
        "doctor",
        "sinks",
        "Examinar también cada destino como lo hace sink check; lo que se deja allí se quita de nuevo",
    ),
    ("config", "", "Mirar la configuración"),
    (
        "config show",
        "",
        "Mostrar cada ajuste y de dónde viene, con los secretos ocultos",
    ),
    (
        "demo",
        "",
        "Ensayar todo en un PostgreSQL descartable y probar que lo restaurado es igual",
    ),
    (
        "demo",
        "keep",
        "Dejar el servidor y los respaldos, y decir cómo conectarse",
    ),
    (
        "demo",
        "panel",
        "Servir el panel sobre ellos hasta una señal",
    ),
    (
        "completions",
        "",
        "Imprimir las instrucciones de autocompletado de un intérprete de órdenes",
    ),
    ("completions", "shell", "El intérprete de órdenes"),
    (
        "man",
        "",
        "Imprimir la página de manual, o escribir una por orden en una carpeta",
    ),
    (
        "man",
        "folder",
        "Escribir una página por orden en esta carpeta",
    ),
];
