//! What can be asked, changed and begun, as values; and the bodies of requests.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Part {
    /// At most so many.
    pub limit: u32,
    /// After so many.
    pub offset: u32,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Question {
    /// How things stand.
    Status,
    /// The first page.
    Overview,
    /// A list of backups.
    Backups(Backups),
    /// One backup.
    Backup {
        /// Number or name.
        which: String,
        /// Only tables whose name has this in it.
        table: Option<String>,
        /// Which of them.
        part: Part,
    },
    /// What one backup builds on, and what builds on it.
    Chain(String),
    /// What deleting a backup would take along.
    Dependents(String),
    /// Looks at backups that were recorded.
    Validations {
        /// Of one backup.
        backup: Option<String>,
        /// Which of them.
        part: Part,
    },
    /// What a restore would do.
    Preview {
        /// Of which.
        point: Point,
        /// Compared with the live database.
        live: bool,
    },
    /// Events that were recorded.
    Log {
        /// Only those of this level.
        level: Option<String>,
        /// Which of them.
        part: Part,
    },
    /// The schedule in force.
    Schedule,
    /// The next runs.
    NextRuns,
    /// The retention in force.
    Retention,
    /// What retention would do.
    Expiry,
    /// The second place.
    Cloud,
    /// The sinks.
    Sinks,
    /// The strategies.
    Plugins,
    /// The surroundings.
    Doctor,
    /// The settings and their origins.
    Config,
    /// Days one can go back to.
    RestorePoints(u32),
    /// Counts and sizes.
    Stats,
    /// Space.
    Space,
}

/// Which backups are listed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Backups {
    /// Only this kind: FULL, DIFERENCIAL, INCREMENTAL.
    pub kind: Option<String>,
    /// Only this state.
    pub state: Option<String>,
    /// Not begun before.
    pub since: Option<String>,
    /// Not begun after.
    pub until: Option<String>,
    /// Only those with this in their name or label.
    pub search: Option<String>,
    /// By what they are sorted: `fecha`, `tamano`, `tipo`, `estado`.
    pub order: Option<String>,
    /// The greatest first.
    pub descending: bool,
    /// At most so many.
    pub limit: u32,
    /// After so many.
    pub offset: u32,
}

/// A restore point: a time, or a backup.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Point {
    /// The newest backup not later; `latest` for the newest.
    At(String),
    /// Number or name of a backup.
    Id(String),
}

/// A change.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Of the schedule.
    Schedule(ScheduleBody),
    /// Of the retention.
    Retention(RetentionBody),
    /// Of the second place.
    Cloud(CloudBody),
    /// A backup goes.
    Delete {
        /// Number or name.
        which: String,
        /// And what depends on it.
        with_dependents: bool,
    },
}

/// What takes long.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// A backup.
    Backup(BackupBody),
    /// A look at backups.
    Validate(ValidateBody),
    /// A restore.
    Restore {
        /// Of what into what.
        wish: RestoreWish,
        /// The backup that was looked at when it was planned.
        archive: String,
    },
    /// One stock archive, into a file of this folder.
    Export {
        /// Of which.
        point: Point,
        /// The folder.
        folder: std::path::PathBuf,
    },
    /// Gives sinks what they lack.
    Upload(String),
    /// Examines a sink.
    CheckSink(String),
    /// Fills a sink.
    SyncSink(String),
    /// Applies retention.
    Expire,
}

impl Work {
    /// What it is, for programs.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Backup(_) => "backup",
            Self::Validate(_) => "validate",
            Self::Restore { .. } => "restore",
            Self::Export { .. } => "export",
            Self::Upload(_) => "upload",
            Self::CheckSink(_) => "sink-check",
            Self::SyncSink(_) => "sink-sync",
            Self::Expire => "expire",
        }
    }

    /// Whether only one of its kind may be at work on a database.
    pub fn is_writing(&self) -> bool {
        matches!(self, Self::Backup(_) | Self::Restore { .. } | Self::Expire)
    }
}

/// Body of `POST /session`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginBody {
    /// The user.
    #[schemars(length(max = 64))]
    pub usuario: String,
    /// The password.
    #[schemars(length(max = 1024))]
    pub clave: String,
}

/// Body of `POST /setup`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetupBody {
    /// The token that `serve` printed.
    #[schemars(length(max = 128))]
    pub token: String,
    /// The first user.
    #[schemars(length(max = 64))]
    pub usuario: String,
    /// The password, at least 10 characters.
    #[schemars(length(max = 1024))]
    pub clave: String,
}

/// Body of `PUT /session/password`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordBody {
    /// The password of now.
    #[schemars(length(max = 1024))]
    pub actual: String,
    /// The new one, at least 10 characters.
    #[schemars(length(max = 1024))]
    pub nueva: String,
}

/// Body of `POST /users`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserBody {
    /// Name: letters, digits, `.`, `-`, `_`, `@`.
    #[schemars(length(max = 64))]
    pub usuario: String,
    /// The password, at least 10 characters.
    #[schemars(length(max = 1024))]
    pub clave: String,
    /// What the user may do.
    pub rol: Role,
}

/// Body of `PATCH /users/{usuario}`: what is not given stays.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChangeBody {
    /// Another password.
    #[schemars(length(max = 1024))]
    pub clave: Option<String>,
    /// Another role.
    pub rol: Option<Role>,
    /// May not log in.
    pub bloqueado: Option<bool>,
}

/// Body of `POST /tokens`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenBody {
    /// What it is for.
    #[schemars(length(max = 64))]
    pub nombre: String,
    /// What it may do.
    pub alcance: Role,
    /// Days until it expires, 1 to 3650; 90 where nothing is said.
    #[schemars(range(min = 1, max = 3650))]
    pub dias: Option<u32>,
}

/// What somebody may do.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "UPPERCASE")]
#[schemars(inline)]
pub enum Role {
    /// Look.
    Viewer,
    /// Also make and look into backups.
    Operator,
    /// All.
    Admin,
}

impl Role {
    /// As it is written.
    pub fn label(self) -> &'static str {
        match self {
            Self::Viewer => "VIEWER",
            Self::Operator => "OPERATOR",
            Self::Admin => "ADMIN",
        }
    }
}

/// Body of `POST /backups`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupBody {
    /// What is made; a manual one is a full with that label.
    pub tipo: KindWord,
    /// A label.
    #[schemars(length(max = 200))]
    pub etiqueta: Option<String>,
    /// A full without reading the database.
    #[serde(default)]
    pub from_chain: bool,
    /// Also where not everything can be read.
    #[serde(default)]
    pub allow_partial: bool,
}

/// A kind of backup as it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schemars(inline)]
#[expect(missing_docs, reason = "as they are written")]
pub enum KindWord {
    #[serde(alias = "full")]
    Full,
    #[serde(alias = "dif", alias = "diferencial")]
    Diferencial,
    #[serde(alias = "inc", alias = "incremental")]
    Incremental,
    #[serde(alias = "manual")]
    Manual,
}

/// How deep a backup is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
#[expect(missing_docs, reason = "as they are written")]
pub enum LevelWord {
    Presence,
    Checksum,
    Readable,
    Chain,
    Drill,
}

/// Body of `POST /validations`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValidateBody {
    /// Numbers or names; all where none are given.
    #[serde(default)]
    pub ids: Option<Vec<BackupRef>>,
    /// How deep; `chain` where nothing is said.
    pub nivel: Option<LevelWord>,
}

/// A backup by its number or its lasting name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum BackupRef {
    /// Number in the catalog.
    Number(i64),
    /// Name.
    Name(String),
}

impl BackupRef {
    /// As text.
    pub fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Name(name) => name.clone(),
        }
    }
}

/// Body of `POST /exports`: `id` or `fecha`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportBody {
    /// Number or name of a backup.
    pub id: Option<BackupRef>,
    /// A time, or `latest`.
    pub fecha: Option<String>,
}

/// Body of `POST /restores/plan`: `at` or `id`, and how to restore.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command"
)]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreWish {
    /// A time, or `latest`.
    pub at: Option<String>,
    /// Number or name of a backup.
    pub id: Option<BackupRef>,
    /// The target; the configured database where nothing is said.
    #[schemars(length(max = 63))]
    pub target_db: Option<String>,
    /// Make the target when it is missing.
    #[serde(default)]
    pub create: bool,
    /// Replace the target: built beside it, compared, renamed last.
    #[serde(default)]
    pub replace: bool,
    /// Do not keep the old database.
    #[serde(default)]
    pub drop_old: bool,
    /// Make roles that are missing.
    #[serde(default)]
    pub create_roles: bool,
    /// Own everything.
    #[serde(default)]
    pub no_owner: bool,
    /// No grants.
    #[serde(default)]
    pub no_privileges: bool,
    /// Also from archives of tables whose definition changed since.
    #[serde(default)]
    pub allow_older_tables: bool,
    /// Tables at once.
    #[schemars(range(min = 1, max = 64))]
    pub jobs: Option<u16>,
    /// Only these tables, `schema.name`; with `into_schema`.
    #[serde(default)]
    pub tables: Vec<String>,
    /// Copies of the tables in this schema, beside the live ones.
    #[schemars(length(max = 63))]
    pub into_schema: Option<String>,
}

/// Body of `POST /restores`: the ticket of the plan, the typed text, and the same wish.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RestoreBody {
    /// The ticket.
    #[schemars(length(max = 128))]
    pub ficha: String,
    /// What was typed.
    #[schemars(length(max = 128))]
    pub confirmacion: String,
    /// As in the plan.
    #[serde(flatten)]
    pub wish: RestoreFields,
}

/// The fields of a wish where others stand beside them.
pub type RestoreFields = serde_json::Map<String, serde_json::Value>;

/// Body of `PUT /schedule`: kinds that are not given stay, and minutes and hours that are not given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleBody {
    /// The full, on a day of the month.
    #[serde(rename = "FULL")]
    pub full: Option<MonthlyBody>,
    /// The differential, on a day of the week.
    #[serde(rename = "DIFERENCIAL")]
    pub differential: Option<WeeklyBody>,
    /// The incremental, daily.
    #[serde(rename = "INCREMENTAL")]
    pub incremental: Option<DailyBody>,
}

/// On a day of the month.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct MonthlyBody {
    /// 1 to 31.
    #[schemars(range(min = 1, max = 31))]
    pub day: Option<u32>,
    /// 0 to 23.
    #[schemars(range(min = 0, max = 23))]
    pub hour: Option<u32>,
    /// 0 to 59.
    #[schemars(range(min = 0, max = 59))]
    pub minute: Option<u32>,
}

/// On a day of the week.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct WeeklyBody {
    /// 0 (Monday) to 6 (Sunday).
    #[schemars(range(min = 0, max = 6))]
    pub weekday: Option<u32>,
    /// 0 to 23.
    #[schemars(range(min = 0, max = 23))]
    pub hour: Option<u32>,
    /// 0 to 59.
    #[schemars(range(min = 0, max = 59))]
    pub minute: Option<u32>,
}

/// Each day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct DailyBody {
    /// 0 to 23.
    #[schemars(range(min = 0, max = 23))]
    pub hour: Option<u32>,
    /// 0 to 59.
    #[schemars(range(min = 0, max = 59))]
    pub minute: Option<u32>,
}

/// Body of `PUT /retention`: what is not given stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetentionBody {
    /// Months of fulls.
    pub full_months: Option<u32>,
    /// Weeks of differentials.
    pub dif_weeks: Option<u32>,
    /// Days of incrementals.
    pub inc_days: Option<u32>,
    /// Chains that stay whatever their age.
    pub min_chains: Option<u32>,
}

/// Body of `PUT /cloud`: what is not given stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloudBody {
    /// Whether backups are copied.
    pub enabled: Option<bool>,
    /// LOCAL, GOOGLE_DRIVE or S3.
    pub provider: Option<String>,
    /// The folder.
    #[schemars(length(max = 4096))]
    pub sync_dir: Option<String>,
}
