#![expect(clippy::float_cmp, reason = "what was set is what is read")]

use super::*;

fn at(hour: u32) -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339(&format!("2026-11-24T{hour:02}:00:00-03:00")).unwrap()
}

/// Every sample by its name and labels; panics on a line that is none.
fn scraped(text: &str) -> BTreeMap<String, f64> {
    let samples = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    samples
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(name.starts_with("respaldo_"), "{line}");
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

#[test]
fn what_was_measured_is_scraped_and_ages_grow_while_nothing_happens() {
    let figures = Figures::default();
    let metrics = figures.of("ventas");
    metrics.engine(EngineState::Professional);
    metrics.leads(true);
    metrics.oldest_unproven(Some(at(1)));
    metrics.ran(BackupKind::Full, Ran::Succeeded);
    metrics.ran(BackupKind::Full, Ran::Failed);
    let made = Made {
        at: at(2),
        duration: Duration::from_millis(1500),
        bytes: 1_000_000,
        tables: Some(Tables {
            dumped: 3,
            skipped: 7,
        }),
    };
    metrics.clone().made(BackupKind::Full, &made);

    let now = scraped(&figures.render(at(3)));
    for (name, value) in [
        (
            "respaldo_last_success_age_seconds{database=\"ventas\",kind=\"full\"}",
            3600.0,
        ),
        (
            "respaldo_backup_duration_seconds{database=\"ventas\",kind=\"full\"}",
            1.5,
        ),
        (
            "respaldo_backup_bytes{database=\"ventas\",kind=\"full\"}",
            1_000_000.0,
        ),
        (
            "respaldo_backup_tables{database=\"ventas\",kind=\"full\",what=\"dumped\"}",
            3.0,
        ),
        (
            "respaldo_backup_tables{database=\"ventas\",kind=\"full\",what=\"skipped\"}",
            7.0,
        ),
        (
            "respaldo_oldest_unproven_restore_point_age_seconds{database=\"ventas\"}",
            7200.0,
        ),
        (
            "respaldo_engine_state{database=\"ventas\",state=\"professional\"}",
            1.0,
        ),
        (
            "respaldo_engine_state{database=\"ventas\",state=\"legacy\"}",
            0.0,
        ),
        (
            "respaldo_engine_state{database=\"ventas\",state=\"stopped\"}",
            0.0,
        ),
        ("respaldo_leader{database=\"ventas\"}", 1.0),
        (
            "respaldo_runs_total{database=\"ventas\",kind=\"full\",result=\"success\"}",
            1.0,
        ),
        (
            "respaldo_runs_total{database=\"ventas\",kind=\"full\",result=\"failure\"}",
            1.0,
        ),
        (
            "respaldo_runs_total{database=\"ventas\",kind=\"incremental\",result=\"failure\"}",
            0.0,
        ),
    ] {
        assert_eq!(now.get(name), Some(&value), "{name}: {now:#?}");
    }
    let later = scraped(&figures.render(at(5)));
    assert_eq!(
        later["respaldo_last_success_age_seconds{database=\"ventas\",kind=\"full\"}"],
        10_800.0
    );
}

#[test]
fn two_databases_are_measured_apart() {
    let figures = Figures::default();
    let (one, _other) = (figures.of("one"), figures.of("other"));
    one.leads(true);
    let now = scraped(&figures.render(at(1)));
    assert_eq!(now["respaldo_leader{database=\"one\"}"], 1.0);
    assert_eq!(now["respaldo_leader{database=\"other\"}"], 0.0);
}

#[test]
fn a_database_without_a_backup_can_be_told_from_one_that_has_one() {
    let figures = Figures::default();
    let metrics = figures.of("ventas");
    let has = |kind: &str| {
        let now = scraped(&figures.render(at(3)));
        now[&format!("respaldo_has_backup{{database=\"ventas\",kind=\"{kind}\"}}")]
    };
    assert_eq!((has("full"), has("incremental")), (0.0, 0.0));
    metrics.made(BackupKind::Full, &nothing_much());
    assert_eq!((has("full"), has("incremental")), (1.0, 0.0));
}

#[test]
fn nothing_is_told_of_a_database_that_is_gone_until_it_is_back() {
    let figures = Figures::default();
    let names = ["ventas", "ven\"tas\\"];
    let all: Vec<Metrics> = names.iter().map(|name| figures.of(name)).collect();
    let count = || scraped(&figures.render(at(3))).len();
    for metrics in &all {
        metrics.made(BackupKind::Full, &nothing_much());
    }
    let both = count();
    for (name, metrics) in names.iter().zip(&all) {
        figures.forget(name);
        metrics.made(BackupKind::Full, &nothing_much());
        assert_eq!(count(), both / 2, "{name}");
        figures.of(name).made(BackupKind::Full, &nothing_much());
        assert_eq!(count(), both);
    }
}

fn nothing_much() -> Made {
    Made {
        at: at(1),
        duration: Duration::ZERO,
        bytes: 0,
        tables: None,
    }
}

#[test]
fn every_name_is_in_the_guide() {
    let guide = include_str!("../../../../docs/guide/metrics.md");
    let figures = Figures::default();
    figures.of("ventas").made(
        BackupKind::Full,
        &Made {
            at: at(1),
            duration: Duration::ZERO,
            bytes: 0,
            tables: Some(Tables {
                dumped: 0,
                skipped: 0,
            }),
        },
    );
    for name in scraped(&figures.render(at(1))).into_keys() {
        let name = name.split('{').next().unwrap_or_default();
        assert!(guide.contains(&format!("`{name}`")), "{name}");
    }
}
