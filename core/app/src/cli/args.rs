//! The command line as a value.

mod cloud;
mod diff;
mod doctor;
mod plugin;
mod retention;
mod schedule;
mod sink;

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};
use respaldo_domain::backup::BackupKind;
use respaldo_domain::table::TableName;
use respaldo_domain::validation::ValidationLevel;
use respaldo_legacy::LegacyKind;

pub use cloud::{CloudCommand, CloudCopyArgs, CloudSetArgs, ProviderArg};
pub use diff::DiffArgs;
pub use doctor::DoctorArgs;
pub use plugin::{
    LangArg, PluginCheckArgs, PluginCommand, PluginInfoArgs, PluginKindArg, PluginLanguage,
    PluginNewArgs, PluginPinArgs,
};
pub use retention::{RetentionArgs, RetentionCommand};
pub use schedule::{ScheduleCommand, ScheduledKind, SetScheduleArgs};
pub use sink::SinkCommand;

use super::time::{BackupRef, TimePoint};
use crate::config::LogFormat;

/// Table-level full, differential and incremental backups of PostgreSQL.
#[derive(Debug, Parser)]
#[command(
    name = "respaldo",
    version,
    max_term_width = 100,
    disable_help_subcommand = false
)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub globals: Globals,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Options before or after any command.
#[derive(Debug, Clone, Args)]
pub struct Globals {
    /// Configuration file [default: respaldo.toml where there is one]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Which of several configured databases
    #[arg(long, global = true, value_name = "NAME")]
    pub database: Option<String>,
    /// Language: en or es [default: that of LC_ALL or LANG]; of plugin new: rust or c
    #[arg(long, global = true, value_name = "LANG")]
    pub lang: Option<LangArg>,
    /// Print one JSON document, and no progress
    #[arg(long, global = true)]
    pub json: bool,
    /// How diagnostics look: text or json [default: text]
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        hide_possible_values = true
    )]
    pub log_format: Option<LogFormat>,
    /// Say more about what is done; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,
    /// No progress, no diagnostics but errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
}

/// What is asked for.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a commented respaldo.toml, check it, make the repository and the catalog
    Init,
    /// Make one backup
    Backup(BackupArgs),
    /// List backups, newest first
    List(ListArgs),
    /// Show one backup: its tables, why each was dumped or not, where their rows lie
    Show(ShowArgs),
    /// Show what differs between two backups, by table, and of one table by row
    Diff(DiffArgs),
    /// Show what a restore would do
    Preview(PreviewArgs),
    /// Restore a backup
    Restore(RestoreArgs),
    /// Write one archive of a restore point that pg_restore reads, merged from its chain
    Export(ExportArgs),
    /// Write a folder from which psql, pg_restore and sha256sum alone rebuild a restore point
    EscapeKit(EscapeKitArgs),
    /// Show the state of the engine, the newest backups and the space they take
    Status,
    /// Remove one backup
    Delete(DeleteArgs),
    /// Remove backups that are too old and needed by nothing
    Expire(ExpireArgs),
    /// Look at or change how long backups are kept
    #[command(subcommand)]
    Retention(RetentionCommand),
    /// Look at or change whether backups are copied to a second place, as the existing panel does
    #[command(subcommand)]
    Cloud(CloudCommand),
    /// Look at or change when backups are due, and what is overdue
    #[command(subcommand)]
    Schedule(ScheduleCommand),
    /// Look whether backups are whole
    Validate(ValidateArgs),
    /// Whole dumps, daily, weekly, monthly and by hand, without the engine
    #[command(subcommand)]
    Legacy(LegacyCommand),
    /// Make backups when they are due, by the engine or else by the legacy service, until a signal
    Serve,
    /// Where backups are stored: list, examine one, fill a new one
    #[command(subcommand)]
    Sink(SinkCommand),
    /// Strategies of others: list, examine, allow, begin one
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// Mend the catalog
    #[command(subcommand)]
    Catalog(CatalogCommand),
    /// Check configuration, server, tools, rights, clock, sinks and space
    Doctor(DoctorArgs),
    /// Look at the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Rehearse everything on a throwaway PostgreSQL and prove the restore equal
    Demo(DemoArgs),
    /// Print the completion script of a shell
    Completions(CompletionsArgs),
    /// Print the manual page, or write one page per command into a folder
    Man(ManArgs),
}

/// `backup`.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// Kind of backup; dif and inc make a full where there is no base
    #[arg(value_name = "KIND")]
    pub kind: KindArg,
    /// Free text kept with the backup
    #[arg(long, value_name = "TEXT")]
    pub label: Option<String>,
    /// Go on where the role cannot read everything; what is missing is named
    #[arg(long)]
    pub allow_partial: bool,
    /// Make a full from the newest backup and its chain, without reading the database
    #[arg(long, conflicts_with = "allow_partial")]
    pub from_chain: bool,
    /// Where the engine cannot start, have the legacy service make a whole dump; exit code 3
    #[arg(long, conflicts_with = "from_chain")]
    pub fallback: bool,
}

/// A kind of backup as people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KindArg {
    /// Every table
    Full,
    /// Tables changed since the full
    #[value(alias = "differential", alias = "diferencial")]
    Dif,
    /// Tables changed since the newest backup
    #[value(alias = "incremental")]
    Inc,
    /// A full labelled "manual"
    Manual,
}

impl KindArg {
    /// What the legacy service makes in its stead.
    pub fn whole(self) -> LegacyKind {
        match self {
            Self::Full => LegacyKind::Monthly,
            Self::Dif => LegacyKind::Weekly,
            Self::Inc => LegacyKind::Daily,
            Self::Manual => LegacyKind::Manual,
        }
    }

    /// The kind that is made.
    pub fn kind(self) -> BackupKind {
        match self {
            Self::Full | Self::Manual => BackupKind::Full,
            Self::Dif => BackupKind::Differential,
            Self::Inc => BackupKind::Incremental,
        }
    }
}

/// `list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only this kind
    #[arg(long, value_name = "KIND")]
    pub kind: Option<KindArg>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub limit: u32,
    /// Also those running, failed or being validated
    #[arg(long)]
    pub all_states: bool,
}

/// `show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Number or file name of the backup
    #[arg(value_name = "ID")]
    pub backup: BackupRef,
}

/// A restore point.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub struct PointArgs {
    /// The newest backup not later than this: RFC 3339, YYYY-MM-DD[ HH:MM[:SS]] or latest
    #[arg(long, value_name = "TIME")]
    pub at: Option<TimePoint>,
    /// This backup, by number or file name
    #[arg(long, value_name = "ID")]
    pub id: Option<BackupRef>,
}

/// `preview`.
#[derive(Debug, Args)]
pub struct PreviewArgs {
    /// Restore point.
    #[command(flatten)]
    pub point: PointArgs,
    /// Compare each table with the live database
    #[arg(long)]
    pub live: bool,
}

/// `restore`.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub struct RestoreArgs {
    /// Restore point.
    #[command(flatten)]
    pub point: PointArgs,
    /// Database to restore into [default: the configured one]
    #[arg(long, value_name = "NAME")]
    pub target_db: Option<String>,
    /// Another server; a password is better kept in the variable or the password file
    #[arg(
        long,
        value_name = "URL",
        env = "RESPALDO_TARGET_URL",
        hide_env_values = true
    )]
    pub target_url: Option<String>,
    /// Make the target where it is missing
    #[arg(long)]
    pub create: bool,
    /// Make roles that are missing on the target, without passwords
    #[arg(long)]
    pub create_roles: bool,
    /// Replace a target that is not empty; the old database is kept under another name
    #[arg(long, conflicts_with = "into_schema")]
    pub replace: bool,
    /// With --replace: do not keep the old database
    #[arg(long, requires = "replace")]
    pub drop_old: bool,
    /// Take a table that cannot be read from its previous verified version
    #[arg(long)]
    pub allow_older_tables: bool,
    /// Tables loaded at once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: Option<u16>,
    /// Only this table, as SCHEMA.NAME; may be given several times
    #[arg(long = "table", value_name = "SCHEMA.NAME", value_parser = table, requires = "into_schema")]
    pub tables: Vec<TableName>,
    /// Restore tables into this schema of the target, beside the live ones
    #[arg(long, value_name = "NAME", requires = "tables")]
    pub into_schema: Option<String>,
    /// Everything belongs to the restoring role
    #[arg(long)]
    pub no_owner: bool,
    /// No GRANTs
    #[arg(long)]
    pub no_privileges: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

fn table(text: &str) -> Result<TableName, String> {
    TableName::parse(text).ok_or_else(|| "write it as SCHEMA.NAME".to_owned())
}

/// `export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Restore point.
    #[command(flatten)]
    pub point: PointArgs,
    /// File to write; - is standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Replace a file that is there, once the new one is whole
    #[arg(long)]
    pub force: bool,
    /// Do not wait until the file is on the disk: if the machine fails soon after, it may be lost
    #[arg(long)]
    pub no_sync: bool,
}

/// `escape-kit`.
#[derive(Debug, Args)]
pub struct EscapeKitArgs {
    /// Restore point.
    #[command(flatten)]
    pub point: PointArgs,
    /// Folder to make; it must not exist, or be empty
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// Write what is encrypted in the clear; without it the program age opens the kit
    #[arg(long)]
    pub decrypted: bool,
}

/// `delete`.
#[derive(Debug, Args)]
pub struct DeleteArgs {
    /// Number or file name of the backup
    #[arg(value_name = "ID")]
    pub backup: BackupRef,
    /// Also those that depend on it
    #[arg(long)]
    pub with_dependents: bool,
}

/// `expire`.
#[derive(Debug, Args)]
pub struct ExpireArgs {
    /// Only show what would go, what stays and why
    #[arg(long)]
    pub dry_run: bool,
}

/// `validate`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// Numbers or file names of backups
    #[arg(
        value_name = "ID",
        required_unless_present = "all",
        conflicts_with = "all"
    )]
    pub backups: Vec<BackupRef>,
    /// Every backup
    #[arg(long)]
    pub all: bool,
    /// How deep to look; each level includes those before it
    #[arg(long, value_name = "LEVEL", default_value = "chain")]
    pub level: LevelArg,
}

/// A validation level as people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LevelArg {
    /// Every object is there with its size
    Presence,
    /// Every object has its checksum
    Checksum,
    /// Every block of its own archive decodes to its rows
    Readable,
    /// The same for every block in other archives
    Chain,
    /// Restored into a scratch database and compared
    Drill,
}

impl LevelArg {
    /// The level.
    pub fn level(self) -> ValidationLevel {
        match self {
            Self::Presence => ValidationLevel::Presence,
            Self::Checksum => ValidationLevel::Checksum,
            Self::Readable => ValidationLevel::Readable,
            Self::Chain => ValidationLevel::Chain,
            Self::Drill => ValidationLevel::Drill,
        }
    }
}

/// `legacy`.
#[derive(Debug, Subcommand)]
pub enum LegacyCommand {
    /// Make one whole dump
    Backup(LegacyBackupArgs),
    /// List the files of its folder, newest first
    List,
    /// Show each type's last and next run, and whether one was missed
    Status,
    /// Remove own files beyond the count of their type
    Prune(LegacyPruneArgs),
    /// Restore one file
    Restore(LegacyRestoreArgs),
}

/// `legacy backup`.
#[derive(Debug, Args)]
pub struct LegacyBackupArgs {
    /// Type: daily, weekly, monthly or manual
    #[arg(value_name = "TYPE", value_parser = LegacyKind::from_str)]
    pub kind: LegacyKind,
}

/// `legacy prune`.
#[derive(Debug, Args)]
pub struct LegacyPruneArgs {
    /// Count and remove the files of others, too
    #[arg(long)]
    pub include_foreign: bool,
    /// Only show what would go, what stays and why
    #[arg(long)]
    pub dry_run: bool,
}

/// `legacy restore`.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub struct LegacyRestoreArgs {
    /// Path of a file, or the name of one that is listed
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Database to restore into [default: the configured one]
    #[arg(long, value_name = "NAME")]
    pub target_db: Option<String>,
    /// Make the target where it is missing
    #[arg(long)]
    pub create: bool,
    /// Replace a target that is not empty; the old database is kept under another name
    #[arg(long)]
    pub replace: bool,
    /// With --replace: do not keep the old database
    #[arg(long, requires = "replace")]
    pub drop_old: bool,
    /// Everything belongs to the restoring role
    #[arg(long)]
    pub no_owner: bool,
    /// No GRANTs
    #[arg(long)]
    pub no_privileges: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// `catalog`.
#[derive(Debug, Subcommand)]
pub enum CatalogCommand {
    /// Make the catalog again from the manifests in storage
    Rebuild,
    /// Take in backups that the existing system made; its files are not touched
    Adopt,
    /// Remove entries whose objects are gone; never an object
    PurgeInvalid,
}

/// `config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Show every setting, where it came from, secrets masked
    Show,
}

/// `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Leave the server and the backups, and say how to connect
    #[arg(long)]
    pub keep: bool,
    /// Serve the panel on them until a signal
    #[arg(long)]
    pub panel: bool,
}

/// `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// `man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write one page per command into this folder
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_definition_of_the_command_line_is_sound() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn kinds_are_understood_in_both_languages() {
        for (word, kind) in [
            ("full", BackupKind::Full),
            ("manual", BackupKind::Full),
            ("differential", BackupKind::Differential),
            ("diferencial", BackupKind::Differential),
            ("dif", BackupKind::Differential),
            ("incremental", BackupKind::Incremental),
            ("inc", BackupKind::Incremental),
        ] {
            let cli = parse(&format!("respaldo backup {word} --json")).unwrap();
            let Command::Backup(backup) = cli.command else {
                panic!("{word}")
            };
            assert_eq!(backup.kind.kind(), kind, "{word}");
            assert!(cli.globals.json);
        }
    }

    #[test]
    fn a_restore_needs_one_point_and_options_that_fit_together() {
        for good in [
            "--at latest",
            "--id 4 --replace --drop-old",
            "--id 4 --table a.b --into-schema s",
        ] {
            assert!(parse(&format!("respaldo restore {good}")).is_ok(), "{good}");
        }
        for bad in [
            "",
            "--at latest --id 4",
            "--id 4 --drop-old",
            "--id 4 --table a.b",
            "--id 4 --into-schema s",
            "--id 4 --table ab --into-schema s",
            "--id 4 --jobs 0",
        ] {
            assert!(parse(&format!("respaldo restore {bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_taken_out_needs_a_point_and_a_place() {
        assert!(parse("respaldo export --at latest -o -").is_ok());
        assert!(parse("respaldo export --id 3 --output f --force").is_ok());
        assert!(parse("respaldo escape-kit --id 3 -o kit").is_ok());
        for bad in [
            "export --at latest",
            "export -o f",
            "escape-kit --at latest",
            "escape-kit -o d",
        ] {
            assert!(parse(&format!("respaldo {bad}")).is_err(), "{bad}");
        }
        assert!(parse("respaldo backup full --from-chain --allow-partial").is_err());
    }

    #[test]
    fn validate_looks_at_named_backups_or_at_all() {
        assert!(parse("respaldo validate 1 2 --level drill").is_ok());
        assert!(parse("respaldo validate --all").is_ok());
        assert!(parse("respaldo validate").is_err());
        assert!(parse("respaldo validate 1 --all").is_err());
    }
}
