//! Which files go: of each type the newest N stay, by the time in their name. A pure decision, with
//! a reason for every file.

use crate::file::{LegacyFile, Owner};
use crate::kind::LegacyKind;

/// How many of each type stay. Never zero: retention does not remove the newest backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Daily ones.
    pub daily: u32,
    /// Weekly ones.
    pub weekly: u32,
    /// Monthly ones.
    pub monthly: u32,
    /// Manual ones.
    pub manual: u32,
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            daily: 7,
            weekly: 4,
            monthly: 6,
            manual: 100,
        }
    }
}

impl Keep {
    /// The count of a type.
    pub fn of(&self, kind: LegacyKind) -> usize {
        let count = match kind {
            LegacyKind::Daily => self.daily,
            LegacyKind::Weekly => self.weekly,
            LegacyKind::Monthly => self.monthly,
            LegacyKind::Manual => self.manual,
        };
        count.max(1) as usize
    }
}

/// Whose files are counted and may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PruneScope {
    /// Those this service recorded as its own, of this database, unchanged since.
    Own,
    /// Every backup of the folder, whoever made it: the operator's word.
    Foreign,
}

/// What becomes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It stays.
    Keep(KeepReason),
    /// As many newer ones of its type stay as are to be kept.
    Remove,
}

/// Why a file stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepReason {
    /// Among the newest of its type.
    Newest,
    /// Somebody else made it.
    Foreign,
    /// Made by this service, of another database.
    OtherDatabase,
    /// Recorded as its own, and not what was recorded any more.
    Changed,
    /// Its name tells no time.
    NoTime,
}

/// Rules on every file, newest first within each type.
pub fn plan(mut files: Vec<LegacyFile>, keep: &Keep, scope: PruneScope) -> Vec<(LegacyFile, Fate)> {
    files.sort_by(|a, b| (a.kind, b.age()).cmp(&(b.kind, a.age())));
    let mut kept = [0_usize; LegacyKind::ALL.len()];
    let mut rule = |file: LegacyFile| {
        let fate = match exempt(&file, scope) {
            Some(reason) => Fate::Keep(reason),
            None if kept[file.kind as usize] < keep.of(file.kind) => {
                kept[file.kind as usize] += 1;
                Fate::Keep(KeepReason::Newest)
            }
            None => Fate::Remove,
        };
        (file, fate)
    };
    files.drain(..).map(&mut rule).collect()
}

/// Why a file is not even counted.
fn exempt(file: &LegacyFile, scope: PruneScope) -> Option<KeepReason> {
    if file.stamp.is_none() {
        return Some(KeepReason::NoTime);
    }
    match (scope, file.owner) {
        (PruneScope::Foreign, _) | (PruneScope::Own, Owner::Own) => None,
        (PruneScope::Own, Owner::Foreign) => Some(KeepReason::Foreign),
        (PruneScope::Own, Owner::OtherDatabase) => Some(KeepReason::OtherDatabase),
        (PruneScope::Own, Owner::Changed) => Some(KeepReason::Changed),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDate, TimeDelta};
    use proptest::prelude::*;

    use super::*;
    use crate::name::BackupName;

    fn file(kind: LegacyKind, day: i64, copy: u32, owner: Owner) -> LegacyFile {
        let first = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
        let stamp = BackupName {
            kind,
            at: first.and_time(chrono::NaiveTime::MIN) + TimeDelta::days(day),
            copy,
        };
        LegacyFile {
            name: stamp.to_string(),
            path: format!("/b/{kind}/{stamp}").into(),
            kind,
            size_bytes: 1,
            created_at: DateTime::UNIX_EPOCH,
            stamp: Some(stamp),
            owner,
        }
    }

    fn removed(files: Vec<LegacyFile>, keep: &Keep, scope: PruneScope) -> Vec<String> {
        let gone = plan(files, keep, scope)
            .into_iter()
            .filter(|(_, fate)| *fate == Fate::Remove);
        gone.map(|(file, _)| file.name).collect()
    }

    #[test]
    fn the_oldest_beyond_the_count_go_whatever_their_dates_on_disk() {
        let files = (0..9).map(|day| file(LegacyKind::Daily, day, 1, Owner::Own));
        let gone = removed(files.collect(), &Keep::default(), PruneScope::Own);
        assert_eq!(
            gone,
            [
                "backup_daily_20260102_000000.sql",
                "backup_daily_20260101_000000.sql"
            ]
        );
    }

    #[test]
    fn of_each_type_as_many_stay_as_the_existing_service_keeps() {
        let counts = [
            (LegacyKind::Daily, 7),
            (LegacyKind::Weekly, 4),
            (LegacyKind::Monthly, 6),
            (LegacyKind::Manual, 100),
        ];
        let of = |kind| (0..130).map(move |day| file(kind, day, 1, Owner::Own));
        let all: Vec<_> = counts.iter().flat_map(|(kind, _)| of(*kind)).collect();
        let gone = removed(all, &Keep::default(), PruneScope::Own);
        for (kind, count) in counts {
            let mut names: Vec<_> = of(kind).map(|file| file.name).collect();
            let newest = names.split_off(130 - count);
            assert!(names.iter().all(|name| gone.contains(name)), "{kind}");
            assert!(newest.iter().all(|name| !gone.contains(name)), "{kind}");
        }
    }

    #[test]
    fn what_others_made_is_neither_counted_nor_removed() {
        let mut files: Vec<_> = (0..20)
            .map(|day| file(LegacyKind::Weekly, day, 1, Owner::Foreign))
            .collect();
        files.extend((0..5).map(|day| file(LegacyKind::Weekly, day, 2, Owner::Own)));
        files.push(file(LegacyKind::Weekly, 0, 3, Owner::Changed));
        files.push(file(LegacyKind::Weekly, 0, 4, Owner::OtherDatabase));
        let own = removed(files.clone(), &Keep::default(), PruneScope::Own);
        assert_eq!(own, ["backup_weekly_20260101_000000_2.sql"]);
        let all = removed(files, &Keep::default(), PruneScope::Foreign);
        assert_eq!(all.len(), 27 - 4);
    }

    #[test]
    fn a_name_without_a_time_stays_whoever_asks() {
        let mut odd = file(LegacyKind::Manual, 0, 1, Owner::Foreign);
        odd.stamp = None;
        let ruled = plan(vec![odd], &Keep::default(), PruneScope::Foreign);
        assert_eq!(ruled[0].1, Fate::Keep(KeepReason::NoTime));
    }

    fn any_file() -> impl Strategy<Value = LegacyFile> {
        let owners = [
            Owner::Own,
            Owner::Foreign,
            Owner::OtherDatabase,
            Owner::Changed,
        ];
        (
            proptest::sample::select(LegacyKind::ALL.to_vec()),
            0..400_i64,
            1..3_u32,
            proptest::sample::select(owners.to_vec()),
        )
            .prop_map(|(kind, day, copy, owner)| file(kind, day, copy, owner))
    }

    proptest! {
        #[test]
        fn nothing_newer_goes_while_something_older_of_the_same_stays(
            files in proptest::collection::vec(any_file(), 0..60),
            count in 1..9_u32,
        ) {
            let keep = Keep { daily: count, weekly: count, monthly: count, manual: count };
            let ruled = plan(files, &keep, PruneScope::Own);
            for (file, fate) in &ruled {
                prop_assert!(*fate != Fate::Remove || file.owner == Owner::Own);
            }
            for kind in LegacyKind::ALL {
                let own = |fate: Fate| ruled.iter().filter(move |(file, ruled)| {
                    file.kind == kind && file.owner == Owner::Own && *ruled == fate
                }).map(|(file, _)| file.age());
                let kept: Vec<_> = own(Fate::Keep(KeepReason::Newest)).collect();
                let gone: Vec<_> = own(Fate::Remove).collect();
                prop_assert!(kept.len() <= count as usize);
                prop_assert!(gone.is_empty() || kept.len() == count as usize);
                prop_assert!(kept.iter().min() >= gone.iter().max() || gone.is_empty());
            }
        }
    }
}
