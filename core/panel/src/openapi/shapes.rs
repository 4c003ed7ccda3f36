//! Shapes of answers: the keys that are always there. More may be added.

use serde_json::{Map, Value, json};

/// A key and what it holds: `s` text, `i` whole number, `n` number, `b` true or false, `o` object, `a` list, `t` time,
/// `?` anything; `s?` and so on: or null. `=Name` another shape, `[Name` a list of them.
type Keys = &'static [(&'static str, &'static str)];

const PAGE: Keys = &[("total", "i"), ("limit", "i"), ("offset", "i")];

const BACKUP: Keys = &[
    ("id", "i?"),
    ("tipo", "s"),
    ("archivo", "s"),
    ("nombre", "s"),
    ("fecha_inicio", "t"),
    ("fecha_fin", "t"),
    ("tamano", "i?"),
    ("checksum", "s?"),
    ("estado", "s"),
    ("nube_subido", "b"),
    ("backup_base_id", "i?"),
];

const SHAPES: &[(&str, Keys)] = &[
    (
        "Problem",
        &[
            ("type", "s"),
            ("title", "s"),
            ("status", "i"),
            ("detail", "s"),
            ("codigo", "s"),
            ("sugerencia", "s"),
        ],
    ),
    (
        "Session",
        &[
            ("usuario", "s?"),
            ("rol", "s?"),
            ("csrf", "s?"),
            ("idioma", "s"),
            ("configurado", "b"),
            ("version", "s"),
            ("bases", "a"),
        ],
    ),
    (
        "Status",
        &[
            ("motor", "s"),
            ("motivo", "s?"),
            ("en_curso", "o?"),
            ("proximos_backups", "o"),
            ("ultimo_backup", "o?"),
            ("estadisticas", "o"),
            ("espacio_uso", "o"),
            ("fecha_actual", "t"),
        ],
    ),
    (
        "Overview",
        &[
            ("status", "=Status"),
            ("puntos", "a"),
            ("crecimiento", "a"),
            ("tablas_volcadas", "i?"),
            ("tablas_omitidas", "i?"),
            ("punto_sin_probar_mas_antiguo", "t?"),
        ],
    ),
    ("ListedBackup", BACKUP),
    (
        "Backup",
        &[
            ("id", "i?"),
            ("tipo", "s"),
            ("estado", "s"),
            ("archivo", "s"),
            ("nombre", "s"),
            ("tablas", "a"),
            ("tablas_total", "i"),
            ("tablas_encontradas", "i"),
            ("tablas_volcadas", "i"),
            ("objetos", "a"),
            ("cobertura", "o"),
        ],
    ),
    (
        "Deleted",
        &[("exitoso", "b"), ("mensaje", "s"), ("eliminados", "a")],
    ),
    ("Chain", &[("nodos", "a"), ("aristas", "a")]),
    ("Preview", &[("existe", "b")]),
    (
        "Plan",
        &[
            ("preview", "=Preview"),
            ("archivo", "s"),
            ("confirmacion", "s"),
            ("ficha", "s"),
            ("vence", "t"),
        ],
    ),
    (
        "Job",
        &[
            ("id", "s"),
            ("clase", "s"),
            ("base", "s"),
            ("estado", "s"),
            ("creado", "t"),
            ("inicio", "t?"),
            ("fin", "t?"),
            ("usuario", "s"),
            ("cancelando", "b"),
            ("escribe", "b"),
            ("pedido", "?"),
            ("progreso", "o"),
        ],
    ),
    (
        "LogEntry",
        &[
            ("id", "i?"),
            ("fecha", "t"),
            ("nivel", "s"),
            ("tipo", "s"),
            ("backup_id", "i?"),
            ("detalle", "?"),
        ],
    ),
    (
        "AuditEntry",
        &[
            ("id", "s"),
            ("fecha", "t"),
            ("usuario", "s"),
            ("origen", "s"),
            ("accion", "s"),
            ("objeto", "s"),
            ("resultado", "s"),
            ("detalle", "?"),
        ],
    ),
    (
        "ValidationEntry",
        &[
            ("id", "i"),
            ("backup_id", "i"),
            ("archivo", "s"),
            ("tipo", "s"),
            ("fecha", "t"),
            ("nivel", "s"),
            ("resultado", "s"),
            ("tiempo_segundos", "n?"),
            ("hallazgos", "a"),
        ],
    ),
    (
        "Schedule",
        &[
            ("FULL", "o"),
            ("DIFERENCIAL", "o"),
            ("INCREMENTAL", "o"),
            ("zona_horaria", "s"),
            ("activo", "b"),
            ("recuperar", "b"),
            ("origen", "s"),
            ("advertencias", "a"),
        ],
    ),
    ("NextRuns", &[]),
    (
        "Retention",
        &[
            ("full_months", "i"),
            ("dif_weeks", "i"),
            ("inc_days", "i"),
            ("min_chains", "i"),
            ("automatica", "b"),
        ],
    ),
    (
        "Expiry",
        &[
            ("exitoso", "b"),
            ("mensaje", "s"),
            ("eliminados", "a"),
            ("conservados", "a"),
        ],
    ),
    (
        "Cloud",
        &[
            ("enabled", "b"),
            ("provider", "s"),
            ("sync_dir", "s"),
            ("destinos", "a"),
        ],
    ),
    ("Sinks", &[("destinos", "a")]),
    ("Plugins", &[("complementos", "a")]),
    ("Doctor", &[("comprobaciones", "a"), ("mensaje", "s")]),
    ("Config", &[("ajustes", "a")]),
    ("Stats", &[("_total", "o")]),
    ("Space", &[("por_tipo", "o"), ("total", "o")]),
    (
        "User",
        &[
            ("usuario", "s"),
            ("rol", "s"),
            ("bloqueado", "b"),
            ("creado", "t"),
        ],
    ),
    (
        "Token",
        &[
            ("id", "s"),
            ("nombre", "s"),
            ("alcance", "s"),
            ("expira", "t"),
            ("creado", "t"),
            ("creado_por", "s"),
        ],
    ),
    (
        "NewToken",
        &[
            ("id", "s"),
            ("nombre", "s"),
            ("alcance", "s"),
            ("expira", "t"),
            ("creado", "t"),
            ("creado_por", "s"),
            ("token", "s"),
        ],
    ),
    ("OpenApi", &[("openapi", "s"), ("paths", "o")]),
];

/// Pages of another shape.
const PAGES: &[(&str, &str)] = &[
    ("BackupPage", "ListedBackup"),
    ("ValidationPage", "ValidationEntry"),
    ("JobPage", "Job"),
    ("LogPage", "LogEntry"),
    ("AuditPage", "AuditEntry"),
    ("UserPage", "User"),
    ("TokenPage", "Token"),
];

/// All of them by name.
pub fn all() -> Value {
    let mut all = Map::new();
    for (name, keys) in SHAPES {
        all.insert((*name).to_owned(), object(keys));
    }
    for (name, of) in PAGES {
        let mut page = object(PAGE);
        page["properties"]["elementos"] = list(of);
        if let Some(required) = page["required"].as_array_mut() {
            required.push(json!("elementos"));
        }
        all.insert((*name).to_owned(), page);
    }
    all.insert("BackupList".to_owned(), list("ListedBackup"));
    all.insert(
        "RestorePoints".to_owned(),
        json!({ "type": "array", "items": object(&[
        ("fecha", "s"), ("cantidad_backups", "i"), ("primero", "t"), ("ultimo", "t"),
    ]) }),
    );
    Value::Object(all)
}

fn list(of: &str) -> Value {
    json!({ "type": "array", "items": reference(of) })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn object(keys: Keys) -> Value {
    let names: Vec<&str> = keys.iter().map(|(name, _)| *name).collect();
    let properties: Map<String, Value> = keys
        .iter()
        .map(|(name, kind)| ((*name).to_owned(), value(kind)))
        .collect();
    json!({ "type": "object", "required": names, "properties": properties })
}

fn value(kind: &str) -> Value {
    if let Some(name) = kind.strip_prefix('=') {
        return reference(name);
    }
    if let Some(name) = kind.strip_prefix('[') {
        return list(name);
    }
    let (kind, or_null) = kind
        .strip_suffix('?')
        .map_or((kind, false), |kind| (kind, true));
    let word = match kind {
        "s" | "t" => "string",
        "i" => "integer",
        "n" => "number",
        "b" => "boolean",
        "o" => "object",
        "a" => "array",
        _ => return json!({}),
    };
    let mut schema = match or_null {
        true => json!({ "type": [word, "null"] }),
        false => json!({ "type": word }),
    };
    if kind == "t" {
        schema["format"] = json!("date-time");
    }
    schema
}
