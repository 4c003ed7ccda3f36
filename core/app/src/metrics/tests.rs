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
    let metrics = Metrics::default();
    metrics.engine(EngineState::Professional);
    metrics.leads(true);
    metrics.oldest_unproven(Some(at(1)));
    metrics.ran(BackupKind::Full, Ran::Succeeded);
    metrics.ran(BackupKind::Full, Ran::Failed);
    let made = Made {
        at: at(2),
        duration: Duration::from_millis(1500),
        bytes: 1_000_000,
        dumped: 3,
        skipped: 7,
    };
    metrics.clone().made(BackupKind::Full, &made);

    let now = scraped(&metrics.render(at(3)));
    for (name, value) in [
        ("respaldo_last_success_age_seconds{kind=\"full\"}", 3600.0),
        ("respaldo_backup_duration_seconds{kind=\"full\"}", 1.5),
        ("respaldo_backup_bytes{kind=\"full\"}", 1_000_000.0),
        ("respaldo_backup_tables{kind=\"full\",what=\"dumped\"}", 3.0),
        (
            "respaldo_backup_tables{kind=\"full\",what=\"skipped\"}",
            7.0,
        ),
        ("respaldo_oldest_unproven_restore_point_age_seconds", 7200.0),
        ("respaldo_engine_state{state=\"professional\"}", 1.0),
        ("respaldo_engine_state{state=\"legacy\"}", 0.0),
        ("respaldo_engine_state{state=\"stopped\"}", 0.0),
        ("respaldo_leader", 1.0),
        ("respaldo_runs_total{kind=\"full\",result=\"success\"}", 1.0),
        ("respaldo_runs_total{kind=\"full\",result=\"failure\"}", 1.0),
        (
            "respaldo_runs_total{kind=\"incremental\",result=\"failure\"}",
            0.0,
        ),
    ] {
        assert_eq!(now.get(name), Some(&value), "{name}: {now:#?}");
    }
    let later = scraped(&metrics.render(at(5)));
    assert_eq!(
        later["respaldo_last_success_age_seconds{kind=\"full\"}"],
        10_800.0
    );
}

#[test]
fn two_databases_are_measured_apart() {
    let (one, other) = (Metrics::default(), Metrics::default());
    one.leads(true);
    assert_eq!(scraped(&other.render(at(1)))["respaldo_leader"], 0.0);
}

#[test]
fn every_name_is_in_the_guide() {
    let guide = include_str!("../../../../docs/guide/metrics.md");
    let metrics = Metrics::default();
    metrics.made(
        BackupKind::Full,
        &Made {
            at: at(1),
            duration: Duration::ZERO,
            bytes: 0,
            dumped: 0,
            skipped: 0,
        },
    );
    for name in scraped(&metrics.render(at(1))).into_keys() {
        let name = name.split('{').next().unwrap_or_default();
        assert!(guide.contains(&format!("`{name}`")), "{name}");
    }
}
