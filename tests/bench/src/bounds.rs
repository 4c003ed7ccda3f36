//! The ratios that were to be reached, and whether they were.

use crate::meter::Cost;
use crate::results::{Results, Row, Spread};
use crate::rooms::{OURS, OURS_AT_6, OURS_STOCK};
use crate::rooms::{boundary, upload, viewers};

/// Walls mean little when others use more than this share of the processors.
const CALM: f64 = 0.10;

const FC: Work = ("full", "pg_dump -Fc");
const FD: Work = ("full", "pg_dump -Fd -j2");
const FD_Z1: Work = ("full", "pg_dump -Fd -j2 -Z1");
const FULL: Work = ("full", OURS);
const FULL_AT_6: Work = ("full", OURS_AT_6);
const FULL_STOCK: Work = ("full", OURS_STOCK);
const DAY: Work = ("day", OURS);
const DAY_PGBACKREST: Work = ("day", "pgBackRest incr");
const DAY_RESTIC: Work = ("day", "restic over pg_dump, again");
const RESTORE: Work = ("restore", OURS);
const NAIVE: Work = ("restore", "naive replay of FULL + 6");
const PG_RESTORE: Work = ("restore", "pg_restore -j2 of a fresh full");

const INTO_HERE: Work = ("boundary", boundary::HERE);
const INTO_APART: Work = ("boundary", boundary::APART);
const HASHED: Work = ("boundary", boundary::HASH);

const UPLOADED: Work = ("upload", OURS);
const UPLOADED_AWS: Work = ("upload", upload::AWS);
const UPLOADED_RCLONE: Work = ("upload", upload::RCLONE);

const ALONE: Work = ("viewers", viewers::ALONE);
const WATCHED: Work = ("viewers", viewers::WATCHED);

/// A section and a tool in it.
type Work = (&'static str, &'static str);

/// A figure of a cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Figure {
    /// Wall time, in seconds.
    Wall,
    /// Wall time beyond what the section tells apart.
    Beyond,
    /// Wall time of what the section tells apart.
    Apart,
    /// CPU seconds of clients and servers.
    Cpu,
    /// Bytes stored.
    Stored,
    /// Peak memory in MiB.
    Peak,
}

use Figure::{Apart, Beyond, Cpu, Peak, Stored, Wall};

/// One bound.
struct Rule {
    what: &'static str,
    of: (Work, Figure),
    /// What it is compared to; an absolute figure where there is nothing.
    to: Option<(Work, Figure)>,
    at_most: f64,
}

const fn ratio(what: &'static str, of: (Work, Figure), to: (Work, Figure), at_most: f64) -> Rule {
    Rule {
        what,
        of,
        to: Some(to),
        at_most,
    }
}

const fn absolute(what: &'static str, of: (Work, Figure), at_most: f64) -> Rule {
    Rule {
        what,
        of,
        to: None,
        at_most,
    }
}

const RULES: &[Rule] = &[
    ratio("full dump, wall", (FULL, Wall), (FC, Wall), 0.25),
    ratio("full dump, wall", (FULL, Wall), (FD, Wall), 0.38),
    ratio("full dump, wall", (FULL, Wall), (FD_Z1, Wall), 0.85),
    ratio("full dump, size", (FULL, Stored), (FD_Z1, Stored), 1.0),
    ratio("full dump, size", (FULL, Stored), (FC, Stored), 1.10),
    ratio("full dump, CPU of all", (FULL, Cpu), (FC, Cpu), 0.38),
    ratio(
        "full dump at level 6, wall",
        (FULL_AT_6, Wall),
        (FC, Wall),
        0.38,
    ),
    ratio(
        "full dump at level 6, size",
        (FULL_AT_6, Stored),
        (FC, Stored),
        1.01,
    ),
    ratio(
        "one table, wall",
        (("one", OURS), Wall),
        (("one", "pg_dump -Fd -j2"), Wall),
        0.45,
    ),
    ratio(
        "full dump by the stock tool, wall",
        (FULL_STOCK, Wall),
        (FC, Wall),
        0.40,
    ),
    ratio(
        "a stream into a plugin, CPU",
        (INTO_APART, Cpu),
        (INTO_HERE, Cpu),
        2.5,
    ),
    ratio(
        "a stream into a plugin, CPU",
        (INTO_APART, Cpu),
        (HASHED, Cpu),
        0.25,
    ),
    ratio(
        "upload to S3, wall",
        (UPLOADED, Wall),
        (UPLOADED_AWS, Wall),
        1.1,
    ),
    ratio(
        "upload to S3, wall",
        (UPLOADED, Wall),
        (UPLOADED_RCLONE, Wall),
        1.1,
    ),
    ratio(
        "full dump while 50 look at the panel, wall",
        (WATCHED, Wall),
        (ALONE, Wall),
        1.05,
    ),
    ratio("daily incremental, wall", (DAY, Wall), (FC, Wall), 0.08),
    ratio(
        "daily incremental beyond detection, wall",
        (DAY, Beyond),
        (FC, Wall),
        0.03,
    ),
    ratio(
        "daily incremental beyond detection, wall",
        (DAY, Beyond),
        (DAY_PGBACKREST, Wall),
        0.30,
    ),
    ratio(
        "daily incremental beyond detection, wall",
        (DAY, Beyond),
        (DAY_RESTIC, Wall),
        0.10,
    ),
    ratio(
        "daily incremental, size",
        (DAY, Stored),
        (DAY_PGBACKREST, Stored),
        0.65,
    ),
    ratio(
        "daily incremental, size",
        (DAY, Stored),
        (DAY_RESTIC, Stored),
        0.85,
    ),
    ratio(
        "restore without comparing, wall",
        (RESTORE, Beyond),
        (NAIVE, Wall),
        0.50,
    ),
    ratio(
        "restore without comparing, wall",
        (RESTORE, Beyond),
        (PG_RESTORE, Wall),
        0.92,
    ),
    ratio(
        "comparing all fingerprints, wall",
        (RESTORE, Apart),
        (RESTORE, Beyond),
        0.40,
    ),
    ratio(
        "export of the newest point, wall",
        (("export", OURS), Wall),
        (("export", "cp of the same bytes"), Wall),
        2.0,
    ),
    ratio(
        "nothing changed in 10,000 tables, beyond detection, wall",
        (("many-10000", OURS), Beyond),
        (("many-10000", "pg_dump -Fc --schema-only"), Wall),
        0.15,
    ),
    ratio(
        "engine around the stock tool, wall",
        (FULL_STOCK, Beyond),
        (FC, Wall),
        0.05,
    ),
    absolute(
        "nothing changed in 1,000 tables, seconds",
        (("many-1000", OURS), Wall),
        3.0,
    ),
    absolute("peak memory of a full dump, MiB", (FULL, Peak), 150.0),
    absolute(
        "peak memory of a full dump by the stock tool, MiB",
        (FULL_STOCK, Peak),
        150.0,
    ),
    absolute(
        "peak memory of a full dump of 10,000 tables, MiB",
        (("full-10000", OURS), Peak),
        150.0,
    ),
    absolute(
        "peak memory of an incremental of 10,000 tables, MiB",
        (("many-10000", OURS), Peak),
        150.0,
    ),
    absolute("peak memory of a restore, MiB", (RESTORE, Peak), 150.0),
    absolute(
        "peak memory of an export, MiB",
        (("export", OURS), Peak),
        150.0,
    ),
];

/// A bound with what was measured.
#[derive(Debug)]
pub struct Bound {
    /// The work and the figure.
    pub what: &'static str,
    /// The tool and work it is compared to.
    pub against: &'static str,
    /// The bound.
    pub at_most: f64,
    /// What was measured; none where a side of it is missing.
    pub measured: Option<f64>,
    /// The same of CPU seconds, which hold on a busy machine as well; only beside whole walls.
    pub by_cpu: Option<f64>,
    /// A wall time, and others used the machine.
    pub disturbed: bool,
}

impl Bound {
    /// Whether the bound was reached.
    pub fn verdict(&self) -> &'static str {
        match (self.measured, self.disturbed) {
            (None, _) => "not measured",
            (Some(measured), false) if measured <= self.at_most => "reached",
            (Some(measured), true) if measured <= self.at_most => "reached (busy)",
            (Some(_), false) => "**missed**",
            (Some(_), true) => "**missed** (busy)",
        }
    }
}

/// All bounds with what was measured.
pub fn check(results: &Results) -> Vec<Bound> {
    RULES.iter().map(|rule| checked(rule, results)).collect()
}

fn checked(rule: &Rule, results: &Results) -> Bound {
    let (of, figure) = rule.of;
    let divided = |mine: Figure, theirs: Option<(Work, Figure)>| match theirs {
        Some(theirs) => divided(results, (of, mine), theirs),
        None => middle(results, of, mine),
    };
    let whole = figure == Wall && rule.to.is_some();
    let sides = [Some(of), rule.to.map(|(work, _)| work)];
    Bound {
        what: rule.what,
        against: rule.to.map_or("", |(work, _)| match work == of {
            true => "the rest of it",
            false => work.1,
        }),
        at_most: rule.at_most,
        measured: divided(figure, rule.to),
        by_cpu: whole
            .then(|| divided(Cpu, rule.to.map(|(work, _)| (work, Cpu))))
            .flatten(),
        disturbed: !matches!(figure, Stored | Peak | Cpu)
            && sides
                .into_iter()
                .flatten()
                .any(|work| was_disturbed(results, work)),
    }
}

/// The median of the rounds' ratios where both were measured in each: a machine that is slower in one round than in
/// another is so for both. Else the ratio of the medians.
fn divided(results: &Results, of: (Work, Figure), by: (Work, Figure)) -> Option<f64> {
    let rounds = |((section, tool), figure): (Work, Figure)| -> Option<Vec<f64>> {
        let row = results.find(section, tool)?;
        let all = || row.costs.iter().map(|cost| figure.of(cost)).collect();
        row.failed.is_none().then(all)?
    };
    let ((section, _), (their_section, _)) = (of.0, by.0);
    let is_same_work = section == their_section;
    if let (true, Some(ours), Some(theirs)) = (is_same_work, rounds(of), rounds(by))
        && ours.len() == theirs.len()
    {
        let ratios = ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs);
        return Some(Spread::of(ratios.collect())?.median);
    }
    Some(middle(results, of.0, of.1)? / middle(results, by.0, by.1)?)
}

fn middle(results: &Results, work: Work, figure: Figure) -> Option<f64> {
    let row = results.find(work.0, work.1)?;
    Some(row.spread(|cost| figure.of(cost))?.median)
}

fn was_disturbed(results: &Results, work: Work) -> bool {
    results.find(work.0, work.1).is_some_and(disturbed)
}

/// Whether others used so much of the machine that the wall times of a row mean little.
pub fn disturbed(row: &Row) -> bool {
    let others = row.spread(|cost| Some(cost.others));
    others.is_some_and(|spread| spread.median > CALM)
}

impl Figure {
    fn of(self, cost: &Cost) -> Option<f64> {
        match self {
            Self::Wall => Some(cost.wall_s),
            Self::Beyond => cost.beyond_s,
            Self::Apart => Some(cost.wall_s - cost.beyond_s?),
            Self::Cpu => Some(cost.cpu_s()),
            Self::Stored => Some(cost.stored_bytes? as f64),
            Self::Peak => Some(cost.peak_kib as f64 / 1024.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(others: f64) -> Results {
        let cost = |wall_s| Cost {
            wall_s,
            client_s: wall_s,
            others,
            ..Cost::default()
        };
        let mut results = Results::default();
        results.section("full", String::new(), None);
        results.record(FC.1, Ok(cost(10.0)));
        results.record(OURS, Ok(cost(2.0)));
        results
    }

    #[test]
    fn a_ratio_below_its_bound_is_reached() {
        let bounds = check(&results(0.0));
        assert_eq!(bounds[0].measured, Some(0.2));
        assert_eq!(bounds[0].verdict(), "reached");
        assert_eq!(bounds[1].verdict(), "not measured");
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        let cost = |wall_s| Cost {
            wall_s,
            ..Cost::default()
        };
        let mut results = Results::default();
        results.section("full", String::new(), None);
        for (theirs, ours) in [(10.0, 2.0), (20.0, 4.0), (10.0, 3.0)] {
            results.record(FC.1, Ok(cost(theirs)));
            results.record(OURS, Ok(cost(ours)));
        }
        let measured = check(&results)[0].measured.unwrap();
        assert!((measured - 0.2).abs() < 1e-9, "{measured}");
    }

    #[test]
    fn a_wall_taken_beside_others_says_so_and_a_cpu_ratio_does_not() {
        let bounds = check(&results(0.5));
        assert_eq!(bounds[0].verdict(), "reached (busy)");
        let cpu = bounds
            .iter()
            .find(|bound| bound.what.contains("CPU"))
            .unwrap();
        assert_eq!(cpu.verdict(), "reached");
    }
}
