//! The configuration file that `init` writes.

/// A commented `respaldo.toml` with every setting of this version at its default.
pub fn template() -> &'static str {
    TEMPLATE
}

const TEMPLATE: &str = r#"# Configuration of respaldo. Later layers win: defaults, this file, the environment
# (DATABASE_URL, DB_HOST ..., RESPALDO_<SECTION>__<KEY>), flags of the command line.
# `respaldo config show` lists every value and where it came from.
# Relative paths are relative to this file. Secrets may also be { file = "..." } or { env = "..." }.

[database]
# What to back up. Without it: DATABASE_URL, else DB_HOST DB_PORT DB_NAME DB_USER DB_PASSWORD,
# else libpq's own variables and password file.
# url = { env = "DATABASE_URL" }
# Folder of pg_dump, pg_restore and psql. Without it they are searched, the newest that can read
# the server is used.
# pg_bin_path = "/usr/lib/postgresql/15/bin"
# Left out altogether:
exclude_schemas = []
# Definition kept, rows left out ("schema.table"):
exclude_tables = []
# Restores set app.user_id to this number (0: not at all).
maintenance_user_id = 0

[catalog]
# Where the list of backups is kept (schema seguridad). Default: the database itself.
# url = { file = "/etc/respaldo/catalog-url" }
enabled = true

[repository]
dir = "backups_incrementales"

[detector]
# How unchanged tables are recognised.
use = "pg-stat"

[dumper]
use = "pg-dump"
# Compression: 0 none, 1 fast to 9 small. 0 and the others cannot follow each other in a chain.
# level = 2

# Where backups are stored. Without any [[sink]]: the repository folder.
# [[sink]]
# name = "local"
# use = "local"
# dir = "backups_incrementales"
# required = true

# Checks made after each backup, besides those of writing it.
# [[validator]]
# use = "checksum"
# when = "after-backup"

[retention]
# How long each kind is kept, counted back from the newest backup. Values given here win over those
# stored with `respaldo retention set`.
# full_months = 12
# dif_weeks = 8
# inc_days = 7
# The newest complete chains stay whatever their age:
# min_chains = 2
# "auto": applied after each backup that succeeded; "manual": by `respaldo expire` alone.
purge = "manual"
"#;
