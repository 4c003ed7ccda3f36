//! The sweep over the restore flow: into a new database, and in place of the live one. What must
//! be true after every fault: the target is as it was, or is the restore point, whole; the live
//! database is open; nothing of the broken run is left after the next one.

use std::collections::BTreeSet;

use respaldo_tests::{DbImage, Outcome, Scene, assert_equal};

const COPY: &str = "bank_copy";
/// After how many faults whole images are compared; row counts are looked at each time.
const COMPARE_EVERY: usize = 6;

/// A bank with a full and an incremental on it, and what the incremental holds.
struct Prepared {
    scene: Scene,
    archive: String,
    image: DbImage,
}

fn prepared() -> Prepared {
    let scene = Scene::open();
    scene.repository.plant_foreign_archive();
    scene.backup("full");
    scene.day(1);
    let archive = scene.backup_name("inc");
    let image = scene.image();
    Prepared {
        scene,
        archive,
        image,
    }
}

impl Prepared {
    fn new_database(&self) -> [&str; 7] {
        [
            "restore",
            "--id",
            &self.archive,
            "--target-db",
            COPY,
            "--create",
            "--json",
        ]
    }

    fn in_place(&self) -> [&str; 7] {
        [
            "restore",
            "--id",
            &self.archive,
            "--replace",
            "--drop-old",
            "--yes",
            "--json",
        ]
    }

    /// The copy is whole where the run says so, and not there where it does not.
    fn assert_copy_is_whole_or_absent(&self, outcome: &Outcome, when: &str) {
        assert_eq!(
            self.scene.exists(COPY),
            outcome.is_done(),
            "{when}: {outcome:#?}"
        );
        if outcome.is_done() {
            assert_equal(&self.image, &self.scene.image_of(COPY));
            self.scene.cluster.drop_database(COPY);
        } else {
            assert_ne!(outcome.error_code(), "internal", "{when}: {outcome:#?}");
        }
    }

    /// The restore works now, and leaves nothing.
    fn next_restore_works(&self, when: &str) {
        let next = self.scene.respaldo.run(&self.new_database());
        assert!(next.is_done(), "{when}, then: {next:#?}");
        self.assert_copy_is_whole_or_absent(&next, when);
        self.scene.assert_tidy(when);
        self.scene.repository.assert_foreign_archive_is_intact();
    }

    /// The live bank is the restore point, or what it was before with its newest branch.
    fn live_is_one_or_the_other(
        &self,
        branch: usize,
        before: Option<&DbImage>,
        when: &str,
    ) -> bool {
        let old = self.scene.has_branch(branch);
        let expected = if old {
            before
        } else {
            before.and(Some(&self.image))
        };
        if let Some(expected) = expected {
            assert_equal(expected, &self.scene.image());
        }
        // Open for writing, too.
        self.scene
            .client()
            .exec("INSERT INTO bank.audit (what) VALUES ('still open')");
        assert!(self.scene.exists("bank"), "{when}");
        old
    }
}

#[test]
fn a_fault_at_any_step_of_a_restore_leaves_a_whole_database_or_none() {
    let bank = prepared();
    let steps = bank.scene.respaldo.trace_steps(&bank.new_database());
    bank.scene.cluster.drop_database(COPY);
    let mut fired = 0;
    for n in 1.. {
        let Some(outcome) = bank.scene.respaldo.fail_nth_step(n, &bank.new_database()) else {
            break;
        };
        fired = n;
        let when = format!("step {n} of a restore failed");
        bank.assert_copy_is_whole_or_absent(&outcome, &when);
        bank.scene.assert_tidy(&when);
        if n.is_multiple_of(COMPARE_EVERY) {
            bank.next_restore_works(&when);
        }
    }
    assert!(
        fired * 4 >= steps.len() * 3,
        "only {fired} of {} steps: {steps:?}",
        steps.len()
    );
    bank.scene.cluster.drop_database(COPY);
    bank.next_restore_works("after all of it");
}

#[test]
fn a_kill_at_any_step_of_a_restore_leaves_a_whole_database_or_none() {
    let bank = prepared();
    let steps = bank.scene.respaldo.trace_steps(&bank.new_database());
    bank.scene.cluster.drop_database(COPY);
    for step in steps.iter().collect::<BTreeSet<_>>() {
        bank.scene.respaldo.kill_at_step(step, &bank.new_database());
        bank.scene.wait_for_the_lease();
        let when = format!("a restore was killed at {step}");
        if bank.scene.exists(COPY) {
            assert_equal(&bank.image, &bank.scene.image_of(COPY));
            bank.scene.cluster.drop_database(COPY);
        }
        bank.next_restore_works(&when);
    }
}

#[test]
fn a_fault_at_any_step_of_a_restore_in_place_leaves_the_old_database_or_the_restored_one() {
    let bank = prepared();
    bank.scene.add_branch(99);
    let steps = bank.scene.respaldo.trace_steps(&bank.in_place());
    let (mut fired, mut replaced) = (0, 0);
    for n in 1.. {
        bank.scene.add_branch(n + 100);
        let before = n.is_multiple_of(COMPARE_EVERY).then(|| bank.scene.image());
        let Some(outcome) = bank.scene.respaldo.fail_nth_step(n, &bank.in_place()) else {
            break;
        };
        fired = n;
        let when = format!("step {n} of a restore in place failed");
        let old = bank.live_is_one_or_the_other(n + 100, before.as_ref(), &when);
        assert_eq!(old, !outcome.is_done(), "{when}: {outcome:#?}");
        replaced += usize::from(!old);
        bank.scene.assert_tidy(&when);
    }
    assert!(
        fired * 4 >= steps.len() * 3,
        "only {fired} of {} steps: {steps:?}",
        steps.len()
    );
    assert!(replaced > 0 && replaced < fired, "{replaced} of {fired}");
    bank.scene.backup("full");
}

#[test]
fn a_kill_at_any_step_of_a_restore_in_place_leaves_the_old_database_or_the_restored_one() {
    let bank = prepared();
    bank.scene.add_branch(99);
    let steps = bank.scene.respaldo.trace_steps(&bank.in_place());
    for (n, step) in steps
        .iter()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .enumerate()
    {
        bank.scene.add_branch(n + 100);
        let before = n.is_multiple_of(COMPARE_EVERY).then(|| bank.scene.image());
        bank.scene.respaldo.kill_at_step(step, &bank.in_place());
        bank.scene.wait_for_the_lease();
        let when = format!("a restore in place was killed at {step}");
        bank.live_is_one_or_the_other(n + 100, before.as_ref(), &when);
        let next = bank.scene.respaldo.run(&bank.in_place());
        assert!(next.is_done(), "{when}, then: {next:#?}");
        assert_equal(&bank.image, &bank.scene.image());
        bank.scene.assert_tidy(&when);
    }
    let listed = bank.scene.respaldo.ok(&["list", "--json"]).json();
    assert_eq!(listed.as_array().unwrap().len(), 2, "{listed:#}");
}
