//! Spanish help of `plugin`.

/// As the other table.
pub(super) const PLUGIN: &[(&str, &str, &str)] = &[
    (
        "plugin",
        "",
        "Estrategias de terceros: listarlas, examinarlas, permitirlas, empezar una",
    ),
    (
        "plugin list",
        "",
        "Listar las estrategias incluidas y los complementos configurados",
    ),
    (
        "plugin info",
        "",
        "Mostrar lo que un complemento configurado dice de sí mismo y sus opciones",
    ),
    ("plugin info", "name", "Su nombre en la configuración"),
    (
        "plugin check",
        "",
        "Examinar una biblioteca: su archivo, sus llamadas y una cadena entera de respaldos con ella",
    ),
    ("plugin check", "path", "La biblioteca"),
    (
        "plugin check",
        "id",
        "Cuál de sus complementos, si tiene varios",
    ),
    (
        "plugin check",
        "options",
        "Sus opciones: un objeto JSON, o @ARCHIVO con uno",
    ),
    (
        "plugin pin",
        "",
        "Imprimir la configuración que permite una biblioteca, con su SHA-256",
    ),
    ("plugin pin", "path", "La biblioteca"),
    (
        "plugin new",
        "",
        "Escribir el esqueleto de un complemento en una carpeta nueva",
    ),
    ("plugin new", "kind", "sink, detector, dumper o validator"),
    (
        "plugin new",
        "dir",
        "Carpeta donde escribir; no debe existir",
    ),
];
