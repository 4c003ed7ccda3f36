//! The OpenAPI document, made from the table of routes.

mod shapes;

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::Settings;
use crate::ask;
use crate::problem::PROBLEM_JSON;
use crate::routes::{Access, BodyKind, Endpoint, Kind, Method, Param, ROUTES, Route};

/// The document.
pub fn document(settings: &Settings) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in ROUTES {
        let path = format!("/api/v1{}", route.path);
        let operations = paths.entry(path).or_insert_with(|| json!({}));
        operations[route.method.name().to_lowercase()] = operation(route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "respaldo",
            "version": settings.version,
            "description": "Backups of PostgreSQL: what `respaldo` does, over HTTP. Keys are those of `--json`.",
        },
        "servers": [{ "url": if settings.base_path.is_empty() { "/" } else { &settings.base_path } }],
        "paths": paths,
        "components": {
            "schemas": shapes::all(),
            "securitySchemes": {
                "sesion": { "type": "apiKey", "in": "cookie", "name": "respaldo_session" },
                "ficha": { "type": "http", "scheme": "bearer" },
            },
        },
    })
}

fn operation(route: &Route) -> Value {
    let mut operation = json!({
        "operationId": format!("{:?}", route.endpoint),
        "summary": route.says,
        "parameters": parameters(route),
        "responses": responses(route),
        "x-rol": match route.access {
            Access::Open => Value::Null,
            Access::At(role) => json!(role.label()),
        },
        "security": match route.access {
            Access::Open => json!([]),
            Access::At(_) => json!([{ "sesion": [] }, { "ficha": [] }]),
        },
    });
    if let Some(kind) = route.body {
        operation["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": body(kind) } },
        });
    }
    operation
}

fn parameters(route: &Route) -> Vec<Value> {
    let part = |name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string", "minLength": 1 } });
    let mut all: Vec<Value> = route.parts().map(part).collect();
    all.extend(route.query.iter().map(in_query));
    all.push(named(
        "base",
        100,
        "Which of several databases; the first where nothing is said",
    ));
    all.push(json!({
        "name": "lang", "in": "query", "description": "Language of what people read",
        "schema": { "type": "string", "enum": ["en", "es"] },
    }));
    if route.is_job() {
        all.push(json!({
            "name": "Idempotency-Key", "in": "header",
            "description": "The same key and request begin one job; with another request it is refused",
            "schema": { "type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[A-Za-z0-9._-]+$" },
        }));
    }
    if matches!(route.endpoint, Endpoint::JobEvents | Endpoint::Events) {
        all.push(json!({
            "name": "Last-Event-ID", "in": "header", "description": "Begin after this event",
            "schema": { "type": "integer", "minimum": 0 },
        }));
    }
    all
}

fn named(name: &str, longest: u32, says: &str) -> Value {
    json!({
        "name": name, "in": "query", "description": says,
        "schema": { "type": "string", "maxLength": longest },
    })
}

fn in_query(param: &Param) -> Value {
    let schema = match param.kind {
        Kind::Text(longest) => return named(param.name, longest, param.says),
        Kind::Number(least, most, usual) => {
            json!({ "type": "integer", "minimum": least, "maximum": most, "default": usual })
        }
        Kind::Flag => json!({ "type": "boolean", "default": false }),
        Kind::OneOf(words) => json!({ "type": "string", "enum": words }),
    };
    json!({ "name": param.name, "in": "query", "description": param.says, "schema": schema })
}

fn responses(route: &Route) -> Value {
    let (status, shape) = route.answer;
    let mut all = Map::new();
    let good = match shape {
        "" => json!({ "description": "Done" }),
        "Events" => json!({
            "description": "Server-sent events",
            "content": { "text/event-stream": { "schema": { "type": "string" } } },
        }),
        "Archive" => json!({
            "description": "A pg_dump custom-format archive",
            "content": { "application/octet-stream": { "schema": { "type": "string", "format": "binary" } } },
        }),
        shape => json!({
            "description": route.says,
            "content": { "application/json": { "schema": { "$ref": format!("#/components/schemas/{shape}") } } },
        }),
    };
    all.insert(status.to_string(), good);
    for (status, says) in problems(route) {
        all.insert(status.to_string(), json!({
            "description": says,
            "content": { (PROBLEM_JSON): { "schema": { "$ref": "#/components/schemas/Problem" } } },
        }));
    }
    Value::Object(all)
}

/// What else may be answered.
fn problems(route: &Route) -> Vec<(u16, &'static str)> {
    let mut all = vec![
        (400, "A parameter is none, or has no such value"),
        (404, "There is no such thing"),
        (405, "Not with this method"),
        (408, "It took too long to be sent"),
        (413, "More was sent than is read"),
        (500, "A bug"),
        (503, "Too many at once, or something that is needed is away"),
        (504, "No answer in time"),
    ];
    if route.access != Access::Open {
        all.push((401, "Nobody is logged in"));
        all.push((403, "The role is not enough, or another site sent it"));
    }
    if route.method == Method::Get {
        all.push((409, "Not while things stand as they do"));
        all.push((422, "What was asked makes no sense"));
    } else {
        all.push((403, "The role is not enough, or another site sent it"));
        all.push((409, "Not while things stand as they do"));
        all.push((415, "Not JSON"));
        all.push((422, "What was sent makes no sense"));
    }
    if route.is_job() || route.endpoint == Endpoint::PlanRestore {
        all.push((429, "Too many are under way: wait"));
    }
    if matches!(
        route.endpoint,
        Endpoint::Login | Endpoint::Setup | Endpoint::Password
    ) {
        all.push((401, "Not with this name and password"));
        all.push((429, "Too many failures: wait"));
    }
    all.retain(|(status, _)| *status != route.answer.0);
    all
}

fn body(kind: BodyKind) -> Value {
    match kind {
        BodyKind::Login => of::<ask::LoginBody>(),
        BodyKind::Setup => of::<ask::SetupBody>(),
        BodyKind::Password => of::<ask::PasswordBody>(),
        BodyKind::User => of::<ask::UserBody>(),
        BodyKind::UserChange => of::<ask::UserChangeBody>(),
        BodyKind::Token => of::<ask::TokenBody>(),
        BodyKind::Backup => of::<ask::BackupBody>(),
        BodyKind::Validate => of::<ask::ValidateBody>(),
        BodyKind::Export => of::<ask::ExportBody>(),
        BodyKind::RestoreWish => of::<ask::RestoreWish>(),
        BodyKind::Restore => of::<ask::RestoreBody>(),
        BodyKind::Schedule => of::<ask::ScheduleBody>(),
        BodyKind::Retention => of::<ask::RetentionBody>(),
        BodyKind::Cloud => of::<ask::CloudBody>(),
    }
}

/// The schema of a type, whole.
fn of<T: JsonSchema>() -> Value {
    let mut settings = schemars::generate::SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let schema = SchemaGenerator::new(settings).into_root_schema_for::<T>();
    schema.to_value()
}
