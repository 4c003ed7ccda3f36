//! The lines of the table.

use super::Access::{At, Open};
use super::Endpoint as E;
use super::Kind::{Flag, Number, OneOf, Text};
use super::Method::{Delete, Get, Patch, Post, Put};
use super::{Access, BodyKind, Method, Param, Route};
use crate::ask::Role;

const VIEWER: Access = At(Role::Viewer);
const OPERATOR: Access = At(Role::Operator);
const ADMIN: Access = At(Role::Admin);

const LIMIT: Param = param("limit", Number(1, 500, 50), "At most so many");
const OFFSET: Param = param("offset", Number(0, 10_000_000, 0), "After so many");
const PAGE: &[Param] = &[LIMIT, OFFSET];

const KINDS: &[&str] = &["FULL", "DIFERENCIAL", "INCREMENTAL"];
const STATES: &[&str] = &[
    "PENDIENTE",
    "EN_PROGRESO",
    "COMPLETADO",
    "FALLIDO",
    "VALIDANDO",
];

const fn param(name: &'static str, kind: super::Kind, says: &'static str) -> Param {
    Param { name, kind, says }
}

const fn get(
    path: &'static str,
    access: Access,
    endpoint: E,
    query: &'static [Param],
    shape: &'static str,
    says: &'static str,
) -> Route {
    Route {
        method: Get,
        path,
        access,
        endpoint,
        says,
        query,
        body: None,
        answer: (200, shape),
    }
}

const fn job(
    path: &'static str,
    access: Access,
    endpoint: E,
    body: Option<BodyKind>,
    says: &'static str,
) -> Route {
    Route {
        method: Post,
        path,
        access,
        endpoint,
        says,
        query: &[],
        body,
        answer: (202, "Job"),
    }
}

const fn change(
    (method, path): (Method, &'static str),
    access: Access,
    endpoint: E,
    body: Option<BodyKind>,
    answer: (u16, &'static str),
    says: &'static str,
) -> Route {
    Route {
        method,
        path,
        access,
        endpoint,
        says,
        query: &[],
        body,
        answer,
    }
}

/// Every route below `/api/v1`.
pub const ROUTES: &[Route] = &[
    get(
        "/session",
        Open,
        E::Session,
        &[],
        "Session",
        "Who is logged in",
    ),
    change(
        (Post, "/session"),
        Open,
        E::Login,
        Some(BodyKind::Login),
        (200, "Session"),
        "Log in",
    ),
    change(
        (Delete, "/session"),
        VIEWER,
        E::Logout,
        None,
        (204, ""),
        "Log out",
    ),
    change(
        (Put, "/session/password"),
        VIEWER,
        E::Password,
        Some(BodyKind::Password),
        (204, ""),
        "Change one's own password",
    ),
    change(
        (Post, "/setup"),
        Open,
        E::Setup,
        Some(BodyKind::Setup),
        (201, "Session"),
        "Make the first user",
    ),
    get(
        "/status",
        VIEWER,
        E::Status,
        &[],
        "Status",
        "How things stand",
    ),
    get(
        "/overview",
        VIEWER,
        E::Overview,
        &[],
        "Overview",
        "How things stand, restore points, growth",
    ),
    get(
        "/backups",
        VIEWER,
        E::Backups,
        &[
            param("tipo", OneOf(KINDS), "Only this kind"),
            param("estado", OneOf(STATES), "Only this state"),
            param(
                "desde",
                Text(40),
                "Not begun before: RFC 3339 or YYYY-MM-DD",
            ),
            param(
                "hasta",
                Text(40),
                "Not begun after: RFC 3339 or YYYY-MM-DD, that day included",
            ),
            param(
                "buscar",
                Text(200),
                "Only those with this in their name or label",
            ),
            param(
                "orden",
                OneOf(&["fecha", "tamano", "tipo", "estado"]),
                "By what they are sorted",
            ),
            param("dir", OneOf(&["asc", "desc"]), "desc where nothing is said"),
            LIMIT,
            OFFSET,
        ],
        "BackupPage",
        "Backups",
    ),
    job(
        "/backups",
        OPERATOR,
        E::StartBackup,
        Some(BodyKind::Backup),
        "Make a backup",
    ),
    get(
        "/backups/{id}",
        VIEWER,
        E::Backup,
        &[
            param(
                "tablas_limit",
                Number(0, 2000, 100),
                "At most so many tables",
            ),
            param(
                "tablas_offset",
                Number(0, 10_000_000, 0),
                "After so many tables",
            ),
            param("tabla", Text(200), "Only tables with this in their name"),
        ],
        "Backup",
        "One backup",
    ),
    Route {
        query: &[param("with_dependents", Flag, "And what depends on it")],
        ..change(
            (Delete, "/backups/{id}"),
            ADMIN,
            E::DeleteBackup,
            None,
            (200, "Deleted"),
            "Remove a backup",
        )
    },
    get(
        "/backups/{id}/chain",
        VIEWER,
        E::Chain,
        &[],
        "Chain",
        "What it builds on and what builds on it",
    ),
    get(
        "/backups/{id}/dependents",
        VIEWER,
        E::Dependents,
        &[],
        "BackupList",
        "What deleting it would take along",
    ),
    job(
        "/backups/{id}/upload",
        OPERATOR,
        E::StartUpload,
        None,
        "Give sinks what they lack",
    ),
    get(
        "/validations",
        VIEWER,
        E::Validations,
        &[
            param("backup", Text(255), "Of one backup: number or name"),
            LIMIT,
            OFFSET,
        ],
        "ValidationPage",
        "Looks at backups that were recorded",
    ),
    job(
        "/validations",
        OPERATOR,
        E::StartValidation,
        Some(BodyKind::Validate),
        "Look into backups",
    ),
    job(
        "/exports",
        ADMIN,
        E::StartExport,
        Some(BodyKind::Export),
        "Write one stock archive of a restore point",
    ),
    get(
        "/exports/{id}",
        ADMIN,
        E::Download,
        &[],
        "Archive",
        "Fetch the archive that a job wrote",
    ),
    get(
        "/preview",
        VIEWER,
        E::Preview,
        &[
            param(
                "at",
                Text(40),
                "RFC 3339, YYYY-MM-DD[ HH:MM[:SS]] or latest",
            ),
            param("id", Text(255), "Number or name of a backup"),
            param("live", Flag, "Compared with the live database"),
        ],
        "Preview",
        "What a restore would do",
    ),
    change(
        (Post, "/restores/plan"),
        ADMIN,
        E::PlanRestore,
        Some(BodyKind::RestoreWish),
        (200, "Plan"),
        "Plan a restore; nothing is changed",
    ),
    job(
        "/restores",
        ADMIN,
        E::StartRestore,
        Some(BodyKind::Restore),
        "Restore as planned",
    ),
    get(
        "/jobs",
        VIEWER,
        E::Jobs,
        PAGE,
        "JobPage",
        "Jobs, newest first",
    ),
    get("/jobs/{id}", VIEWER, E::Job, &[], "Job", "One job"),
    change(
        (Delete, "/jobs/{id}"),
        OPERATOR,
        E::CancelJob,
        None,
        (202, "Job"),
        "Cancel a job; a restore: ADMIN",
    ),
    get(
        "/jobs/{id}/events",
        VIEWER,
        E::JobEvents,
        &[],
        "Events",
        "A job as server-sent events",
    ),
    get(
        "/events",
        VIEWER,
        E::Events,
        &[],
        "Events",
        "The service as server-sent events",
    ),
    get(
        "/log",
        VIEWER,
        E::Log,
        &[
            param(
                "nivel",
                OneOf(&["INFO", "WARNING", "ERROR"]),
                "Only this level",
            ),
            LIMIT,
            OFFSET,
        ],
        "LogPage",
        "Events that were recorded",
    ),
    get("/audit", ADMIN, E::Audit, PAGE, "AuditPage", "Who did what"),
    get(
        "/schedule",
        VIEWER,
        E::Schedule,
        &[],
        "Schedule",
        "The schedule in force",
    ),
    change(
        (Put, "/schedule"),
        ADMIN,
        E::SetSchedule,
        Some(BodyKind::Schedule),
        (200, "Schedule"),
        "Change the schedule",
    ),
    get(
        "/schedule/next",
        VIEWER,
        E::NextRuns,
        &[],
        "NextRuns",
        "The next runs",
    ),
    get(
        "/retention",
        VIEWER,
        E::Retention,
        &[],
        "Retention",
        "The retention in force",
    ),
    change(
        (Put, "/retention"),
        ADMIN,
        E::SetRetention,
        Some(BodyKind::Retention),
        (200, "Retention"),
        "Change the retention",
    ),
    get(
        "/expiry",
        VIEWER,
        E::Expiry,
        &[],
        "Expiry",
        "What retention would do",
    ),
    job("/expiry", ADMIN, E::StartExpiry, None, "Apply retention"),
    get("/cloud", VIEWER, E::Cloud, &[], "Cloud", "The second place"),
    change(
        (Put, "/cloud"),
        ADMIN,
        E::SetCloud,
        Some(BodyKind::Cloud),
        (200, "Cloud"),
        "Change the second place",
    ),
    get("/sinks", VIEWER, E::Sinks, &[], "Sinks", "The sinks"),
    job(
        "/sinks/{name}/check",
        ADMIN,
        E::CheckSink,
        None,
        "Examine a sink",
    ),
    job(
        "/sinks/{name}/sync",
        ADMIN,
        E::SyncSink,
        None,
        "Fill a sink",
    ),
    get(
        "/plugins",
        VIEWER,
        E::Plugins,
        &[],
        "Plugins",
        "The strategies",
    ),
    get(
        "/doctor",
        ADMIN,
        E::Doctor,
        &[],
        "Doctor",
        "The surroundings",
    ),
    get(
        "/config",
        ADMIN,
        E::Config,
        &[],
        "Config",
        "The settings and their origins",
    ),
    get(
        "/restore-points",
        VIEWER,
        E::RestorePoints,
        &[param("limit", Number(1, 1000, 100), "At most so many days")],
        "RestorePoints",
        "Days one can go back to",
    ),
    get("/stats", VIEWER, E::Stats, &[], "Stats", "Counts and sizes"),
    get("/space", VIEWER, E::Space, &[], "Space", "Space per kind"),
    get("/users", ADMIN, E::Users, PAGE, "UserPage", "The users"),
    change(
        (Post, "/users"),
        ADMIN,
        E::AddUser,
        Some(BodyKind::User),
        (201, "User"),
        "Make a user",
    ),
    change(
        (Patch, "/users/{usuario}"),
        ADMIN,
        E::ChangeUser,
        Some(BodyKind::UserChange),
        (200, "User"),
        "Change a user",
    ),
    change(
        (Delete, "/users/{usuario}"),
        ADMIN,
        E::RemoveUser,
        None,
        (204, ""),
        "Remove a user",
    ),
    get("/tokens", ADMIN, E::Tokens, PAGE, "TokenPage", "The tokens"),
    change(
        (Post, "/tokens"),
        ADMIN,
        E::AddToken,
        Some(BodyKind::Token),
        (201, "NewToken"),
        "Make a token; it is told once",
    ),
    change(
        (Delete, "/tokens/{id}"),
        ADMIN,
        E::RemoveToken,
        None,
        (204, ""),
        "End a token",
    ),
    get(
        "/openapi.json",
        Open,
        E::OpenApi,
        &[],
        "OpenApi",
        "This document",
    ),
];
