use std::fs;
use std::path::Path;

use secrecy::ExposeSecret;

use super::*;

/// A folder of its own for one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(file: &str) -> Self {
        let path = std::env::temp_dir().join(format!("respaldo-config-{}", uuid::Uuid::new_v4()));
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join(FILE_NAME), file).unwrap();
        Self(path)
    }

    fn load(&self, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::load(
            &Sources::of(Environment::of(&self.0, variables)),
            Vec::new(),
        )
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Everything an error would ever print, its causes and debug form included.
fn all_of(error: &ConfigError) -> String {
    let mut text = format!("{error} {error:?}");
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}

const URL: (&str, &str) = ("DATABASE_URL", "postgresql://ana:geheim@db/ventas");

#[test]
fn later_layers_win_and_each_value_names_its_origin() {
    let folder = Folder::new("[repository]\ndir = \"a\"\n[detector]\nuse = \"xmin\"\n");
    let config = folder
        .load(&[URL, ("RESPALDO_DETECTOR__USE", "always")])
        .unwrap();
    assert_eq!(config.detector.name, "always");
    assert_eq!(config.dumper.name, "parallel");
    assert_eq!(config.repository, folder.0.join("a"));
    let origin = |key: &str| {
        let shown = config
            .provenance
            .all()
            .iter()
            .find(|shown| shown.key == key)
            .unwrap();
        shown.origin.clone()
    };
    assert!(origin("detector.use").contains("RESPALDO_DETECTOR__USE"));
    assert!(origin("repository.dir").contains(FILE_NAME));
    assert_eq!(origin("dumper.use"), "the defaults");
    let set = vec![Layer::set("detector.use", "content-hash")];
    let environment = Environment::of(&folder.0, &[URL, ("RESPALDO_DETECTOR__USE", "always")]);
    let config = Config::load(&Sources::of(environment), set).unwrap();
    assert_eq!(config.detector.name, "content-hash");
}

#[test]
fn secrets_of_notifications_are_read_and_never_shown() {
    let file = "[notify]\nwebhook = \"https://x/geheim\"\n[notify.smtp]\nhost = \"mail\"\nuser = \"ana\"\n\
                password = { env = \"MAIL\" }\nfrom = \"a@b.c\"\nto = [\"d@e.f\"]\n";
    let folder = Folder::new(file);
    let config = folder
        .load(&[
            URL,
            ("MAIL", "geheim"),
            ("RESPALDO_NOTIFY__SMTP__PORT", "2525"),
        ])
        .unwrap();
    assert_eq!(
        config.notify.webhook.as_ref().unwrap().expose_secret(),
        "https://x/geheim"
    );
    let smtp = config.notify.smtp.as_ref().unwrap();
    assert_eq!((smtp.host.as_str(), smtp.port), ("mail", Some(2525)));
    assert_eq!(smtp.password.as_ref().unwrap().expose_secret(), "geheim");
    assert!(!format!("{config:?}").contains("geheim"));
    let shown = config.provenance.all().iter();
    let webhook = shown.clone().find(|shown| shown.key == "notify.webhook");
    assert_eq!(webhook.unwrap().value, "(set)");
}

#[test]
fn the_form_of_the_log_is_known_before_anything_else_is() {
    let folder = Folder::new("[log]\nformat = \"json\"\n[detector]\nuse = 3\n");
    let environment = Environment::of(&folder.0, &[URL, ("PG_BIN_PATH", "/x")]);
    assert_eq!(log_format(&Sources::of(environment)), LogFormat::Json);
    let environment = Environment::of(&folder.0, &[("RESPALDO_LOG__FORMAT", "text")]);
    assert_eq!(log_format(&Sources::of(environment)), LogFormat::Text);
}

#[test]
fn variables_of_other_programs_keep_no_section_from_being_read() {
    let variables = [
        URL,
        ("PG_BIN_PATH", "/x"),
        ("DB_MAINTENANCE_USER_ID", "7"),
        ("RESPALDO_PANEL__LISTEN", "127.0.0.1:7"),
    ];
    let sources = Sources::of(Environment::of("/nonexistent", &variables));
    let listen = super::PanelSettings::load(&sources).listen;
    assert_eq!(listen.map(|address| address.port()), Some(7));
}

#[test]
fn a_file_asked_for_must_exist_and_the_usual_one_need_not() {
    let environment = Environment::of("/nonexistent", &[URL]);
    let usual = Sources::of(environment);
    assert!(Config::load(&usual, Vec::new()).is_ok());
    let asked = Sources {
        file: Some("other.toml".into()),
        ..usual
    };
    let asked = Config::load(&asked, Vec::new());
    assert!(matches!(asked, Err(ConfigError::FileMissing(_))));
    let named = Environment::of("/nonexistent", &[URL, ("RESPALDO_CONFIG", "other.toml")]);
    assert!(matches!(
        Config::load(&Sources::of(named), Vec::new()),
        Err(ConfigError::FileMissing(_))
    ));
}

#[test]
fn a_secret_appears_in_no_error_and_no_listing() {
    let broken = [
        "[database]\nurl = \"postgresql://ana:geheim@db/ventas\n",
        "[database]\nurl = 'mysql://ana:geheim@db/ventas'\n",
        "[database]\nurl = ['geheim']\n",
        "[database]\npassword = 'geheim'\n",
        "[database]\nexclude_schemas = 'geheim'\n",
        "[repository]\ndir = 5\n[database]\nmaintenance_user_id = 'geheim'\n",
        "[encryption]\nidentiti = 'geheim'\n",
        "geheim",
        "[[sink]]\nname='x'\nuse='local'\nsecret='geheim'\n",
    ];
    for text in broken {
        let error = Folder::new(text).load(&[]).unwrap_err();
        assert!(!all_of(&error).contains("geheim"), "{text}\n{error}");
    }
    let config = Folder::new("").load(&[URL]).unwrap();
    let all = format!("{config:?}");
    assert!(!all.contains("geheim"), "{all}");
}

#[test]
fn a_secret_may_lie_in_a_file_or_another_variable() {
    let folder = Folder::new("[database]\nurl = { file = 'url' }\n");
    fs::write(folder.0.join("url"), "postgresql://ana:uno@db/ventas\n").unwrap();
    let config = folder.load(&[]).unwrap();
    assert_eq!(config.source.password().unwrap().expose_secret(), "uno");
    let folder = Folder::new("[database]\nurl = { env = 'MINE' }\n");
    let config = folder
        .load(&[("MINE", "postgresql://ana:0012@db/ventas")])
        .unwrap();
    assert_eq!(config.source.password().unwrap().expose_secret(), "0012");
    assert!(matches!(
        folder.load(&[]),
        Err(ConfigError::SecretMissing { .. })
    ));
}

#[test]
fn an_unknown_key_is_an_error_that_names_the_closest_one() {
    for (text, wanted) in [
        (
            "[database]\nexclude_table = []\n",
            "did you mean database.exclude_tables?",
        ),
        ("[databse]\n", "did you mean [database]?"),
        (
            "[[sink]]\nname='a'\nuse='local'\nrequierd=true\n",
            "did you mean sink.required?",
        ),
        (
            "[repository]\ncolour = 'red'\n",
            "unknown setting repository.colour",
        ),
    ] {
        let error = Folder::new(text).load(&[URL]).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
    let folder = Folder::new("");
    for (name, wanted) in [
        (
            "RESPALDO_DATABASE_URL",
            "did you mean RESPALDO_DATABASE__URL?",
        ),
        ("RESPALDO_REPOSITORY__DIRR", "did you mean repository.dir?"),
    ] {
        let error = folder.load(&[URL, (name, "x")]).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
    assert!(folder.load(&[URL, ("RESPALDO_SOMETHING", "x")]).is_ok());
}

#[test]
fn what_is_no_recipient_is_refused_and_a_key_is_read_only_when_it_is_needed() {
    let text = "[encryption]\nrecipients = ['AGE-SECRET-KEY-1GEHEIM']\n";
    let error = Folder::new(text).load(&[URL]).unwrap_err();
    let all = all_of(&error);
    assert!(
        all.contains("encryption.recipients") && !all.contains("GEHEIM"),
        "{all}"
    );
    let text = "[encryption]\nidentity = { file = 'not-there' }\n";
    let config = Folder::new(text).load(&[URL]).unwrap();
    let age = config.encryption.age.unwrap();
    assert!(config.encryption.has_key && age.own_recipients().is_err());
}

#[test]
fn a_schedule_that_makes_no_sense_is_refused_with_what_would() {
    for (text, wanted) in [
        ("full = \"32 00:00\"", "a day of the month and a time"),
        ("differential = \"someday 23:30\"", "a day of the week"),
        ("incremental = \"25:00\"", "a time of day"),
        (
            "timezone = \"Europe/Madird\"",
            "did you mean Europe/Madrid?",
        ),
        ("time_zone = \"UTC\"", "did you mean schedule.timezone?"),
    ] {
        let folder = Folder::new(&format!("[schedule]\n{text}\n"));
        let error = folder.load(&[URL]).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
    let folder = Folder::new("[schedule]\nfull = \"31 04:30\"\ntimezone = \"Europe/Madrid\"\n");
    let schedule = folder.load(&[URL]).unwrap().schedule;
    assert_eq!(schedule.zone_name, "Europe/Madrid");
    assert_eq!(schedule.first.full.day(), 31);
    let named = Folder::new("").load(&[URL, ("TZ", ":America/Santiago")]);
    assert_eq!(named.unwrap().schedule.zone_name, "America/Santiago");
}

#[test]
fn retention_is_taken_where_it_makes_sense() {
    let config = Folder::new("[retention]\nfull_months = 24\npurge = 'auto'\n").load(&[URL]);
    let config = config.unwrap();
    assert_eq!(config.retention.full_months, Some(24));
    assert_eq!(config.retention.inc_days, None);
    assert!(config.expire_after_backup);
    for text in ["inc_days = 0", "min_chains = -1", "purge = 'never'"] {
        let loaded = Folder::new(&format!("[retention]\n{text}\n")).load(&[URL]);
        assert!(loaded.is_err(), "{text}");
    }
}

#[test]
fn the_database_comes_from_the_strongest_layer_that_names_one() {
    let folder = Folder::new("[database]\nurl = 'postgresql://f@file/file'\n");
    let name = |variables: &[(&str, &str)]| folder.load(variables).unwrap().source;
    assert_eq!(name(&[]).database(), "file");
    let parts = [
        ("DB_HOST", "h"),
        ("DB_PORT", "6543"),
        ("DB_PASSWORD", "p@ss:1"),
    ];
    let info = name(&parts);
    assert_eq!(
        (info.host(), info.port(), info.database()),
        ("h", 6543, "nexoryn_tech")
    );
    assert_eq!(info.password().unwrap().expose_secret(), "p@ss:1");
    assert_eq!(name(&[parts[0], URL]).database(), "ventas");
    let ours = ("RESPALDO_DATABASE__URL", "postgresql://x@y/mine");
    assert_eq!(name(&[ours, URL]).database(), "mine");
    let empty = Folder::new("");
    assert!(matches!(empty.load(&[]), Err(ConfigError::NoDatabase)));
}

#[test]
fn text_stays_text_and_numbers_must_be_numbers() {
    let folder = Folder::new("");
    let config = folder
        .load(&[URL, ("RESPALDO_REPOSITORY__DIR", "007")])
        .unwrap();
    assert_eq!(config.repository, Path::new("007"));
    let config = folder
        .load(&[URL, ("DB_MAINTENANCE_USER_ID", "7")])
        .unwrap();
    assert_eq!(config.maintenance_user_id, Some(7));
    let config = folder
        .load(&[URL, ("DB_MAINTENANCE_USER_ID", "0")])
        .unwrap();
    assert_eq!(config.maintenance_user_id, None);
    assert!(
        folder
            .load(&[URL, ("DB_MAINTENANCE_USER_ID", "ana")])
            .is_err()
    );
    let lists = ("RESPALDO_DATABASE__EXCLUDE_TABLES", "app.x, \"We ird\".y");
    assert_eq!(folder.load(&[URL, lists]).unwrap().exclude_tables.len(), 2);
}

#[test]
fn a_password_is_found_in_libpqs_file_only_where_others_cannot_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("");
    let file = folder.0.join("pass");
    fs::write(&file, "db:5432:ventas:ana:a b&c%\n").unwrap();
    let variables = [
        ("DATABASE_URL", "postgresql://ana@db/ventas?sslmode=require"),
        ("PGPASSFILE", file.to_str().unwrap()),
    ];
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let config = folder.load(&variables).unwrap();
    assert_eq!(config.source.password().unwrap().expose_secret(), "a b&c%");
    assert!(config.source.tool_argument().contains("sslmode='require'"));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(folder.load(&variables).unwrap().source.password().is_none());
}

#[test]
fn the_file_that_init_writes_is_valid_and_says_the_defaults() {
    let written = Folder::new(template()).load(&[URL]).unwrap();
    let default = Folder::new("").load(&[URL]).unwrap();
    assert_eq!(written.detector, default.detector);
    assert_eq!(written.validators, default.validators);
    assert_eq!(
        written.repository.file_name(),
        default.repository.file_name()
    );
}

#[test]
fn sinks_have_names_of_their_own_and_the_first_is_required() {
    let sink = |name: &str, dir: &str, required: bool| {
        format!("[[sink]]\nname='{name}'\nuse='local'\ndir='{dir}'\nrequired={required}\n")
    };
    let load = |text: String| Folder::new(&text).load(&[URL]);
    assert_eq!(
        load(sink("a", "x", true) + &sink("b", "y", false))
            .unwrap()
            .sinks
            .len(),
        2
    );
    assert!(load(sink("a", "x", true) + &sink("a", "y", false)).is_err());
    assert!(load(sink("a", "x", true) + &sink("b", "x", false)).is_err());
    assert!(load(sink("a", "x", false)).is_err());
}

#[test]
fn the_legacy_service_reads_its_own_sections_and_nobody_elses_mistakes() {
    let broken = "[detector]\nuze = 'xmin'\n[nonsense]\n[legacy]\nkeep_daily = 3\ndir = 'x'\n";
    let folder = Folder::new(broken);
    assert!(folder.load(&[URL]).is_err());
    let variables = [URL, ("RESPALDO_DETECTOR__WORKERS", "many")];
    let environment = Environment::of(&folder.0, &variables);
    let setup = LegacySetup::load(&Sources::of(environment)).unwrap();
    assert_eq!(setup.legacy.service.keep.daily, 3);
    assert_eq!(setup.legacy.service.keep.weekly, 4);
    assert_eq!(setup.legacy.service.dir, folder.0.join("x"));
    assert_eq!(setup.source.database(), "ventas");
}

#[test]
fn senseless_settings_of_the_legacy_service_are_told() {
    for text in [
        "[legacy]\nkeep_monthly = 0\n",
        "[legacy]\ntimezone = 'Mars/Olympus'\n",
        "[legacy]\ntime_limit_s = 0\n",
        "[legacy]\ncommand = ['']\n",
        "[legacy]\nkeep_dayly = 3\n",
    ] {
        let folder = Folder::new(text);
        assert!(folder.load(&[URL]).is_err(), "{text}");
        let environment = Environment::of(&folder.0, &[URL]);
        assert!(
            LegacySetup::load(&Sources::of(environment)).is_err(),
            "{text}"
        );
    }
}

const FLEET: &str = "
[repository]
dir = 'copias'
[detector]
use = 'xmin'
[[databases]]
name = 'ventas'
database.url = 'postgresql://db/ventas'
detector.use = 'always'
[[databases]]
name = 'caja'
database.url = { env = 'CAJA' }
repository.dir = 'aparte'
";

impl Folder {
    fn load_of(&self, name: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let sources = Sources::of(Environment::of(&self.0, variables));
        Config::load(&sources.of_database(name), Vec::new())
    }
}

#[test]
fn each_of_several_databases_has_what_it_sets_and_what_holds_for_all() {
    let folder = Folder::new(FLEET);
    let sources = Sources::of(Environment::of(&folder.0, &[]));
    assert_eq!(sources.databases().unwrap(), ["ventas", "caja"]);
    // The environment's address is nobody's.
    let variables = [URL, ("CAJA", "postgresql://db/caja"), ("DB_NAME", "x")];
    let sales = folder.load_of("ventas", &variables).unwrap();
    assert_eq!(sales.source.database(), "ventas");
    assert_eq!(sales.detector.name, "always");
    assert_eq!(sales.repository, folder.0.join("copias/ventas"));
    assert_eq!(sales.legacy.service.dir, Path::new("backups/ventas"));
    let till = folder.load_of("caja", &variables).unwrap();
    assert_eq!(till.source.database(), "caja");
    assert_eq!(till.detector.name, "xmin");
    assert_eq!(till.repository, folder.0.join("aparte"));
    let setup = LegacySetup::load(&sources.of_database("ventas")).unwrap();
    assert_eq!(setup.source.database(), "ventas");
}

#[test]
fn which_of_several_databases_is_meant_must_be_said() {
    let folder = Folder::new(FLEET);
    let unsaid = folder.load(&[URL]).unwrap_err();
    assert!(unsaid.to_string().contains("ventas, caja"), "{unsaid}");
    let wrong = folder.load_of("bodega", &[URL]).unwrap_err();
    assert!(
        wrong.to_string().contains("there are ventas, caja"),
        "{wrong}"
    );
    let none = Folder::new("").load_of("ventas", &[URL]).unwrap_err();
    assert!(none.to_string().contains("no [[databases]]"), "{none}");
    for text in [
        "[[databases]]\n",
        "[[databases]]\nname = 'a/b'\ndatabase.url = 'postgresql:///x'\n",
        "[[databases]]\nname = 'a'\n",
        "[[databases]]\nname = 'a'\ndatabase.url = 'postgresql:///x'\nsupervisor.stop_within = 3\n",
        "[[databases]]\nname = 'a'\ndatabase.url = 'postgresql:///x'\ndetector.uze = 'xmin'\n",
        "[[databases]]\nname = 'a'\ndatabase.url = 'postgresql:///x'\n[[databases]]\nname = 'A'\n",
        "[databases]\nname = 'a'\n",
    ] {
        assert!(Folder::new(text).load_of("a", &[]).is_err(), "{text}");
    }
}
