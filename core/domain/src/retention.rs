//! Which backups are kept, and why; everything else may go.
//!
//! Age is counted back from the newest backup, not from today: where backups have stopped, nothing
//! grows old.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, FixedOffset, Months};
use serde::{Deserialize, Serialize};

use crate::backup::{ArchiveName, BackupKind};
use crate::manifest::Header;

/// How long backups are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Months a full is kept.
    pub full_months: u32,
    /// Weeks a differential is kept.
    pub dif_weeks: u32,
    /// Days an incremental is kept.
    pub inc_days: u32,
    /// Newest complete chains kept whatever their age.
    pub min_chains: u32,
}

impl Default for Policy {
    /// What the existing system describes as its standard policy.
    fn default() -> Self {
        Self {
            full_months: 12,
            dif_weeks: 8,
            inc_days: 7,
            min_chains: 2,
        }
    }
}

/// Values of a policy that win over those of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PolicyOverrides {
    /// Months a full is kept.
    pub full_months: Option<u32>,
    /// Weeks a differential is kept.
    pub dif_weeks: Option<u32>,
    /// Days an incremental is kept.
    pub inc_days: Option<u32>,
    /// Newest complete chains kept whatever their age.
    pub min_chains: Option<u32>,
}

impl PolicyOverrides {
    /// The policy with these values in place of its own.
    #[must_use]
    pub fn over(self, policy: Policy) -> Policy {
        Policy {
            full_months: self.full_months.unwrap_or(policy.full_months),
            dif_weeks: self.dif_weeks.unwrap_or(policy.dif_weeks),
            inc_days: self.inc_days.unwrap_or(policy.inc_days),
            min_chains: self.min_chains.unwrap_or(policy.min_chains),
        }
    }
}

/// What the decision looks at in a sealed backup.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts of a backup"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its name.
    pub archive: ArchiveName,
    /// Its kind.
    pub kind: BackupKind,
    /// The full at the root of its chain.
    pub full: ArchiveName,
    /// Its place in the repository's history.
    pub sequence: u64,
    /// Its restore point.
    pub snapshot_at: DateTime<FixedOffset>,
    /// Sets that a restore of it reads, itself left out.
    pub reads: BTreeSet<ArchiveName>,
    /// It covers the whole database.
    pub complete: bool,
    /// We made it.
    pub ours: bool,
    /// The newest look at it found that it restores.
    pub proven: bool,
    /// A restore or an upload of it is under way.
    pub in_use: bool,
}

impl Held {
    /// What a manifest tells; nothing is proven or in use as yet.
    pub fn of(manifest: &Header) -> Self {
        let name = &manifest.archive;
        let mut reads: BTreeSet<ArchiveName> = manifest
            .archives_needed()
            .map(|facts| facts.name.clone())
            .collect();
        // The roles of a chain lie with its full.
        reads.insert(manifest.full.clone());
        reads.remove(name);
        Self {
            archive: name.clone(),
            kind: manifest.kind,
            full: manifest.full.clone(),
            sequence: manifest.sequence,
            snapshot_at: manifest.snapshot_at,
            reads,
            complete: manifest.counts.is_complete,
            ours: !manifest.is_adopted() || manifest.is_of_fallback(),
            proven: false,
            in_use: false,
        }
    }
}

/// Why a backup stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeepReason {
    /// It is not as old as its kind may become.
    Young,
    /// It belongs to one of the newest complete chains.
    NewestChain,
    /// It is the newest that was proven to restore.
    NewestProven,
    /// A kept backup reads it.
    NeededBy(ArchiveName),
    /// A restore or an upload of it is under way.
    InUse,
    /// Others made it: it is theirs to remove.
    NotOurs,
}

/// What becomes of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It stays.
    Keep(KeepReason),
    /// It goes: it has been older than its kind may become since then.
    Expire(DateTime<FixedOffset>),
}

/// A backup with what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// The backup.
    pub archive: ArchiveName,
    /// What becomes of it.
    pub fate: Fate,
}

impl Ruling {
    /// Whether it goes.
    pub fn expires(&self) -> bool {
        matches!(self.fate, Fate::Expire(_))
    }
}

/// Decides for every backup, newest first: in that order they can be removed, since none reads a
/// newer one.
pub fn plan(policy: &Policy, held: &[Held]) -> Vec<Ruling> {
    let mut newest_first: Vec<&Held> = held.iter().collect();
    newest_first.sort_by_key(|backup| std::cmp::Reverse(backup.sequence));
    let Some(now) = held.iter().map(|backup| backup.snapshot_at).max() else {
        return Vec::new();
    };
    let chains = newest_chains(policy, &newest_first);
    let proven = newest_first.iter().find(|backup| backup.proven);
    let proven = proven.map(|backup| &backup.archive);
    let mut needed: BTreeMap<&ArchiveName, &ArchiveName> = BTreeMap::new();
    let mut rulings = Vec::new();
    for backup in newest_first {
        let fate = match own_reason(policy, backup, now, &chains, proven) {
            Ok(reason) => Fate::Keep(reason),
            Err(since) => match needed.get(&backup.archive) {
                Some(by) => Fate::Keep(KeepReason::NeededBy((*by).clone())),
                None => Fate::Expire(since),
            },
        };
        if matches!(fate, Fate::Keep(_)) {
            for read in &backup.reads {
                needed.entry(read).or_insert(&backup.archive);
            }
        }
        rulings.push(Ruling {
            archive: backup.archive.clone(),
            fate,
        });
    }
    rulings
}

/// Why a backup stays for its own sake, or since when it need not.
fn own_reason(
    policy: &Policy,
    backup: &Held,
    now: DateTime<FixedOffset>,
    chains: &BTreeSet<&ArchiveName>,
    proven: Option<&ArchiveName>,
) -> Result<KeepReason, DateTime<FixedOffset>> {
    let until = old_at(policy, backup);
    if !backup.ours {
        Ok(KeepReason::NotOurs)
    } else if until.is_none_or(|until| now <= until) {
        Ok(KeepReason::Young)
    } else if chains.contains(&backup.full) {
        Ok(KeepReason::NewestChain)
    } else if proven == Some(&backup.archive) {
        Ok(KeepReason::NewestProven)
    } else if backup.in_use {
        Ok(KeepReason::InUse)
    } else {
        Err(until.unwrap_or(now))
    }
}

/// When a backup becomes old; `None` where that is beyond all calendars.
fn old_at(policy: &Policy, backup: &Held) -> Option<DateTime<FixedOffset>> {
    let made = backup.snapshot_at;
    match backup.kind {
        BackupKind::Full => made.checked_add_months(Months::new(policy.full_months)),
        BackupKind::Differential => {
            made.checked_add_days(Days::new(u64::from(policy.dif_weeks) * 7))
        }
        BackupKind::Incremental => made.checked_add_days(Days::new(u64::from(policy.inc_days))),
    }
}

/// Roots of the newest chains that are kept whatever their age. A chain whose full does not cover
/// the whole database does not count as one, and stays no longer than others.
fn newest_chains<'a>(policy: &Policy, newest_first: &[&'a Held]) -> BTreeSet<&'a ArchiveName> {
    newest_first
        .iter()
        .filter(|backup| backup.kind == BackupKind::Full && backup.complete && backup.ours)
        .take(policy.min_chains.max(1) as usize)
        .map(|backup| &backup.archive)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POLICY: Policy = Policy {
        full_months: 12,
        dif_weeks: 8,
        inc_days: 7,
        min_chains: 2,
    };

    #[test]
    fn configured_values_win_over_stored_ones() {
        let overrides = PolicyOverrides {
            inc_days: Some(30),
            ..PolicyOverrides::default()
        };
        let policy = overrides.over(POLICY);
        assert_eq!((policy.inc_days, policy.full_months), (30, 12));
        assert_eq!(PolicyOverrides::default().over(POLICY), Policy::default());
    }

    fn day(n: u32) -> DateTime<FixedOffset> {
        let start = DateTime::parse_from_rfc3339("2024-01-31T23:00:00-03:00").unwrap();
        start + chrono::TimeDelta::days(i64::from(n))
    }

    fn name(kind: BackupKind, n: u32) -> ArchiveName {
        ArchiveName::new(kind, day(n), u16::try_from(n).unwrap())
    }

    /// A history of one backup each so many days, each reading its base's sets.
    fn history(makings: &[(u32, BackupKind)]) -> Vec<Held> {
        let mut all: Vec<Held> = Vec::new();
        let mut today = 0;
        for (gap, kind) in makings {
            today += gap;
            let full = all.iter().rev().find(|held| held.kind == BackupKind::Full);
            let kind = full.map_or(BackupKind::Full, |_| *kind);
            let base = match kind {
                BackupKind::Full => None,
                BackupKind::Differential => full,
                BackupKind::Incremental => all.last(),
            };
            let mut reads: BTreeSet<ArchiveName> = base.iter().map(|b| b.archive.clone()).collect();
            reads.extend(base.iter().flat_map(|base| base.reads.iter().cloned()));
            let archive = name(kind, u32::try_from(all.len()).unwrap());
            let root = full.filter(|_| base.is_some());
            all.push(Held {
                full: root.map_or(archive.clone(), |full| full.archive.clone()),
                archive,
                kind,
                sequence: all.len() as u64,
                snapshot_at: day(today),
                reads,
                complete: true,
                ours: true,
                proven: false,
                in_use: false,
            });
        }
        all
    }

    fn fate<'a>(rulings: &'a [Ruling], held: &Held) -> &'a Fate {
        let of = rulings.iter().find(|ruling| ruling.archive == held.archive);
        &of.unwrap().fate
    }

    use BackupKind::{Differential as Dif, Full, Incremental as Inc};

    #[test]
    fn each_kind_grows_old_in_its_own_time_and_what_is_read_stays() {
        // Fulls at day 0, 200, 400 and 430, an incremental and a differential on the first.
        let held = history(&[
            (0, Full),
            (1, Inc),
            (1, Dif),
            (198, Full),
            (200, Full),
            (30, Full),
        ]);
        let rulings = plan(&POLICY, &held);
        assert!(fate(&rulings, &held[0]) == &Fate::Expire(day(366)));
        assert!(matches!(fate(&rulings, &held[1]), Fate::Expire(_)));
        assert!(matches!(fate(&rulings, &held[2]), Fate::Expire(_)));
        assert_eq!(*fate(&rulings, &held[3]), Fate::Keep(KeepReason::Young));
        // An incremental kept for any reason keeps what it reads.
        let mut proven = held.clone();
        proven[1].proven = true;
        let rulings = plan(&POLICY, &proven);
        assert_eq!(
            *fate(&rulings, &held[1]),
            Fate::Keep(KeepReason::NewestProven)
        );
        let needed = Fate::Keep(KeepReason::NeededBy(held[1].archive.clone()));
        assert_eq!(*fate(&rulings, &held[0]), needed);
    }

    #[test]
    fn where_backups_have_stopped_nothing_grows_old() {
        let held = history(&[(0, Full), (1, Inc)]);
        let rulings = plan(&POLICY, &held);
        assert!(rulings.iter().all(|ruling| !ruling.expires()));
    }

    #[test]
    fn what_others_made_and_what_is_being_read_stays() {
        let mut held = history(&[(0, Full), (400, Full), (1, Full), (1, Full)]);
        held[0].ours = false;
        assert_eq!(
            *fate(&plan(&POLICY, &held), &held[0]),
            Fate::Keep(KeepReason::NotOurs)
        );
        held[0].ours = true;
        held[0].in_use = true;
        assert_eq!(
            *fate(&plan(&POLICY, &held), &held[0]),
            Fate::Keep(KeepReason::InUse)
        );
    }

    #[test]
    fn a_chain_that_does_not_cover_everything_is_none_of_the_newest() {
        let mut held = history(&[(0, Full), (400, Full), (400, Full), (400, Full)]);
        held[2].complete = false;
        let rulings = plan(&POLICY, &held);
        assert_eq!(
            *fate(&rulings, &held[1]),
            Fate::Keep(KeepReason::NewestChain)
        );
        assert!(matches!(fate(&rulings, &held[2]), Fate::Expire(_)));
    }

    fn any_history() -> impl Strategy<Value = Vec<Held>> {
        let kind = prop_oneof![1 => Just(Full), 2 => Just(Dif), 6 => Just(Inc)];
        let making = (0u32..40, kind);
        let flags = proptest::collection::vec(any::<(bool, bool, bool, bool)>(), 60);
        (proptest::collection::vec(making, 0..60), flags).prop_map(|(makings, flags)| {
            let mut held = history(&makings);
            for (held, (complete, theirs, proven, in_use)) in held.iter_mut().zip(flags) {
                held.complete = complete;
                held.ours = !(theirs && in_use);
                held.proven = proven;
                held.in_use = in_use && !theirs;
            }
            held
        })
    }

    fn any_policy() -> impl Strategy<Value = Policy> {
        (1u32..30, 1u32..20, 1u32..40, 1u32..5).prop_map(
            |(full_months, dif_weeks, inc_days, min_chains)| Policy {
                full_months,
                dif_weeks,
                inc_days,
                min_chains,
            },
        )
    }

    proptest! {
        #[test]
        fn whatever_is_kept_can_be_restored(held in any_history(), policy in any_policy()) {
            let rulings = plan(&policy, &held);
            prop_assert_eq!(rulings.len(), held.len());
            let gone: BTreeSet<_> =
                rulings.iter().filter(|r| r.expires()).map(|r| &r.archive).collect();
            for backup in held.iter().filter(|backup| !gone.contains(&backup.archive)) {
                prop_assert!(backup.reads.iter().all(|read| !gone.contains(read)), "{:?}", backup);
            }
        }

        #[test]
        fn at_any_moment_of_the_removal_nothing_reads_what_is_gone(
            held in any_history(), policy in any_policy()
        ) {
            let mut there: Vec<&Held> = held.iter().collect();
            for ruling in plan(&policy, &held).iter().filter(|ruling| ruling.expires()) {
                there.retain(|backup| backup.archive != ruling.archive);
                prop_assert!(there.iter().all(|backup| !backup.reads.contains(&ruling.archive)));
            }
        }

        #[test]
        fn the_young_the_newest_the_proven_and_the_chains_stay(
            held in any_history(), policy in any_policy()
        ) {
            let rulings = plan(&policy, &held);
            let stays = |backup: &Held| !matches!(fate(&rulings, backup), Fate::Expire(_));
            if let Some(newest) = held.last() {
                prop_assert!(stays(newest));
                let days = u64::from(policy.inc_days);
                // A full may grow old sooner: a month can be shorter than so many days.
                let young = |b: &&Held| {
                    b.kind == Inc && b.snapshot_at + Days::new(days) >= newest.snapshot_at
                };
                prop_assert!(held.iter().filter(young).all(stays));
            }
            let proven = held.iter().rev().find(|backup| backup.proven);
            prop_assert!(proven.is_none_or(stays));
            let chains = |b: &&Held| b.kind == Full && b.complete && b.ours;
            let wanted = policy.min_chains as usize;
            prop_assert!(held.iter().rev().filter(chains).take(wanted).all(stays));
        }

        #[test]
        fn a_second_time_nothing_more_goes(held in any_history(), policy in any_policy()) {
            let rulings = plan(&policy, &held);
            let mut kept = held.clone();
            kept.retain(|backup| !matches!(fate(&rulings, backup), Fate::Expire(_)));
            prop_assert!(plan(&policy, &kept).iter().all(|ruling| !ruling.expires()));
        }
    }
}
