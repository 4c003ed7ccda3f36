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
# parallel copies rows over several connections; pg-dump leaves everything to the stock tool.
use = "parallel"
# gzip, or zstd where pg_dump and pg_restore are of PostgreSQL 16 or later. Another one begins with a full.
# compression = "gzip"
# Of gzip 0 none, 1 fast to 9 small; of zstd 1 to 19.
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

[schedule]
# When backups are due. The times hold until others are stored beside the catalog, by `respaldo schedule set`
# or by the existing application; that of the validation always. false: nothing is ever due.
enabled = true
# Whose clock they follow, as the IANA database names it ("America/Montevideo"); "" is this machine's.
timezone = ""
# What was missed is made up at the next start or after a suspend; false: only within an hour.
catch_up = true
# Day of the month (in a shorter month its last) and time; day of the week and time; times of day.
full = "1 00:00"
differential = "sunday 23:30"
incremental = "23:00"
validation = "01:00"

[legacy]
# Whole dumps, daily, weekly, monthly and by hand: respaldo legacy. It also takes over where the engine
# cannot start, unless this is false.
enabled = true
# Where they go. The default, "backups" in the working folder, gives way to the folder that the existing
# application's own settings name (~/.nexoryn/backup_settings.json).
# dir = "backups"
# The newest of each type that respaldo legacy prune leaves:
keep_daily = 7
keep_weekly = 4
keep_monthly = 6
keep_manual = 100
# A folder that gets a copy of each.
# sync_dir = "/media/usb/backups"
# Whose clock the hours and file names follow; "" is this machine's.
timezone = ""
# Longest time for one dump.
time_limit_s = 86400
# An existing program that makes the dump instead: {type} {dir} {database} {file} are filled in.
command = []

[supervisor]
# respaldo serve, in seconds. After the first failure to start the engine, doubled up to ten minutes:
retry_primary_after = 30
# Between looks at an engine that is up:
health_interval = 60
# After the first failure of a backup, doubled up to ten minutes:
retry_run_after = 60
# What a backup under way gets to end when the service is stopped:
stop_within = 60
# Between looks at what is due: a divisor of 60.
beat_interval = 15
# Backups at work at once, where several databases are configured:
parallel_runs = 2

# Whom to tell. Alarms are told once when they begin and once when they are over.
# [notify]
# A backup that is due and not made after so many seconds is an alarm:
# missed_after = 3600
# POSTed as JSON:
# webhook = { file = "/etc/respaldo/webhook-url" }
# Pinged for each run: URL/start, then URL or URL/fail.
# healthcheck_url = { env = "HEALTHCHECK_URL" }
# [notify.smtp]
# host = "mail.example.com"
# tls = "starttls"   # or "tls"; "none" to a server on this machine only
# user = "respaldo"
# password = { file = "/etc/respaldo/smtp-password" }
# from = "respaldo <respaldo@example.com>"
# to = ["ana@example.com"]

[encryption]
# For whom new backups are encrypted: the public keys that age-keygen prints. Whoever loses every
# secret key loses every backup: keep one away from this machine.
# recipients = ["age1..."]
# The secret key, which only restoring and looking into backups need, and the passphrase of its file.
# identity = { file = "/etc/respaldo/key.txt" }
# passphrase = { env = "RESPALDO_PASSPHRASE" }

[panel]
# The panel of respaldo serve, its API, /healthz and /metrics; "": nowhere. Others than this machine need TLS.
listen = "127.0.0.1:8787"
# tls_cert = "panel.crt"
# tls_key = "panel.key"
# Below a path, behind a proxy that speaks TLS.
# base_path = "/respaldo"
# behind_proxy = true
# trusted_proxies = ["127.0.0.1"]
# session_minutes = 60
# Users, jobs, exported archives; else .respaldo/panel of the repository.
# state_dir = "/var/lib/respaldo/panel"

[log]
# "text" for people, "json" for programs; both go to stderr.
format = "text"
"#;
