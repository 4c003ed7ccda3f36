//! What writers do: each action is one way to hide a change from somebody, or to mislead him.

use respaldo_tests::pipeline;

use crate::writers::Writer;

/// An action, and how often it is chosen.
type Action = (u64, fn(&mut Writer));

/// Short transactions, and sessions that stay idle.
const CALM: [Action; 5] = [
    (8, two_commits_then_idle),
    (4, one_write_by_a_newcomer_that_stays),
    (3, roll_back),
    (3, savepoints),
    (2, copy_in),
];

/// Whatever keeps a change from being seen, or from being counted.
const WILD: [Action; 16] = [
    (8, two_commits_then_idle),
    (5, two_commits_then_in_transaction),
    (4, two_commits_then_a_long_statement),
    (3, call_with_commits),
    (3, several_statements_in_one_message),
    (3, in_a_pipeline),
    (5, long_transaction),
    (4, savepoints),
    (3, exception_blocks),
    (4, two_phase),
    (4, finish_somebody_elses),
    (3, copy_in),
    (1, terminate_somebody),
    (1, reset_statistics),
    (3, roll_back),
    (3, write_uncounted),
];

/// Changes that no counter tells of, and that overtake snapshots.
const DDL: [Action; 8] = [
    (3, truncate),
    (3, truncate_and_fill),
    (2, insert_and_truncate),
    (2, vacuum),
    (3, add_or_drop_column),
    (3, swap_by_rename),
    (3, drop_and_create),
    (1, rename_enum_label),
];

/// The writer's next action.
pub fn choose(writer: &mut Writer) -> fn(&mut Writer) {
    let ddl_percent = if writer.shared.uncounted { 25 } else { 2 };
    let actions: &[Action] = if writer.below(100) < ddl_percent {
        &DDL
    } else if writer.shared.is_calm() {
        &CALM
    } else {
        &WILD
    };
    let total = actions.iter().map(|(weight, _)| weight).sum();
    let mut left = writer.below(total);
    for (weight, action) in actions {
        if left < *weight {
            return *action;
        }
        left -= weight;
    }
    two_commits_then_idle
}

/// The second commit comes within a second of the first: its counts stay in the session.
fn two_commits(w: &mut Writer) {
    let change = w.change();
    w.send(&change);
    w.idle(200);
    let change = w.change();
    w.send(&change);
}

fn two_commits_then_idle(w: &mut Writer) {
    two_commits(w);
    let rest = w.below(2_500);
    w.idle(rest);
}

fn two_commits_then_in_transaction(w: &mut Writer) {
    two_commits(w);
    w.send("BEGIN; SELECT 1");
    let rest = 500 + w.below(4_000);
    w.idle(rest);
    w.send("COMMIT");
}

fn two_commits_then_a_long_statement(w: &mut Writer) {
    two_commits(w);
    let seconds = 1 + w.below(3);
    w.send(&format!("SELECT pg_sleep({seconds})"));
}

fn call_with_commits(w: &mut Writer) {
    let (table, times) = (w.table().name, 5 + w.below(15));
    w.send(&format!("CALL s.churn('{table}', {times})"));
}

fn several_statements_in_one_message(w: &mut Writer) {
    let (change, seconds) = (w.change(), 1 + w.below(2));
    w.send(&format!(
        "BEGIN; {change}; COMMIT; SELECT pg_sleep({seconds})"
    ));
}

fn in_a_pipeline(w: &mut Writer) {
    let statements = [
        "SET lock_timeout = '400ms'".to_owned(),
        "BEGIN".to_owned(),
        w.change(),
        "COMMIT".to_owned(),
        "SELECT pg_sleep(0.3)".to_owned(),
    ];
    let rest = 500 + w.below(2_000);
    // A server that crashes meanwhile ends it.
    let _ = pipeline::run(w.shared.port, "live", &statements, || w.idle(rest));
}

fn long_transaction(w: &mut Writer) {
    let (first, second) = (w.change(), w.change());
    let (before, after) = (w.below(2_500), w.below(2_500));
    w.send(&format!("BEGIN; {first}"));
    w.idle(before);
    w.send(&second);
    w.idle(after);
    let end = if w.below(4) == 0 {
        "ROLLBACK"
    } else {
        "COMMIT"
    };
    w.send(end);
}

fn savepoints(w: &mut Writer) {
    let (kept, undone, last) = (w.change(), w.change(), w.change());
    w.send(&format!(
        "BEGIN; SAVEPOINT a; {kept}; RELEASE a; SAVEPOINT b; {undone}; ROLLBACK TO b; SAVEPOINT c; {last}"
    ));
    let rest = w.below(1_500);
    w.idle(rest);
    w.send("COMMIT");
}

fn exception_blocks(w: &mut Writer) {
    let (kept, undone) = (w.change(), w.change());
    w.send(&format!(
        "DO $$ BEGIN BEGIN {kept}; END; BEGIN {undone}; PERFORM 1 / 0; EXCEPTION WHEN division_by_zero THEN END; END $$"
    ));
}

fn two_phase(w: &mut Writer) {
    let (change, name) = (w.change(), format!("gid {}", w.below(u64::MAX)));
    if w.send(&format!("BEGIN; {change}; PREPARE TRANSACTION '{name}'")) {
        w.shared.prepared.lock().unwrap().push(name);
    }
    let rest = w.below(1_000);
    w.idle(rest);
}

/// Its counts belong to the session that commits it.
fn finish_somebody_elses(w: &mut Writer) {
    let Some(name) = w.shared.prepared.lock().unwrap().pop() else {
        return;
    };
    let end = if w.below(5) == 0 {
        "ROLLBACK"
    } else {
        "COMMIT"
    };
    if !w.send(&format!("{end} PREPARED '{name}'")) {
        w.shared.prepared.lock().unwrap().insert(0, name);
    }
    let rest = w.below(1_500);
    w.idle(rest);
}

fn copy_in(w: &mut Writer) {
    let (table, first) = (w.table(), 1_000 + w.below(1 << 30));
    let into = if table.is_leaf {
        "s.p".to_owned()
    } else {
        table.name
    };
    let rows: Vec<String> = (first..first + 4)
        .map(|n| format!("{n}\t{n}\tcopied\n"))
        .collect();
    w.copy(
        &format!("COPY {into} (id, v, w) FROM STDIN"),
        &rows.concat(),
    );
}

fn truncate(w: &mut Writer) {
    let table = w.table().name;
    w.send(&format!("TRUNCATE {table}"));
}

/// As many rows as before, others.
fn truncate_and_fill(w: &mut Writer) {
    let table = w.free_table();
    w.send(&format!(
        "BEGIN; TRUNCATE {}; {}; COMMIT",
        table.name,
        table.fill(25)
    ));
}

fn insert_and_truncate(w: &mut Writer) {
    let (change, table) = (w.change(), w.table().name);
    w.send(&format!("BEGIN; {change}; TRUNCATE {table}; COMMIT"));
}

fn vacuum(w: &mut Writer) {
    let table = w.table().name;
    let how = ["", "FULL", "FREEZE"][w.below(3) as usize];
    w.send(&format!("VACUUM {how} {table}"));
}

fn add_or_drop_column(w: &mut Writer) {
    let (table, value) = (w.free_table().name, w.below(1 << 40));
    let what = match w.below(3) {
        0 => format!("ADD COLUMN IF NOT EXISTS x bigint DEFAULT {value}"),
        1 => "DROP COLUMN IF EXISTS x".to_owned(),
        _ => format!("DROP COLUMN IF EXISTS x, ADD x bigint DEFAULT {value}"),
    };
    w.send(&format!("ALTER TABLE {table} {what}"));
}

fn swap_by_rename(w: &mut Writer) {
    let (a, b) = (w.free_table(), w.free_table());
    if a.name != b.name && (a.has_enum, a.is_unlogged) == (b.has_enum, b.is_unlogged) {
        let bare = |name: &str| name.trim_start_matches("s.").to_owned();
        w.send(&format!(
            "BEGIN; ALTER TABLE {} RENAME TO swapping; ALTER TABLE {} RENAME TO {}; ALTER TABLE s.swapping RENAME TO {}; COMMIT",
            a.name, b.name, bare(&a.name), bare(&b.name)
        ));
    }
}

fn drop_and_create(w: &mut Writer) {
    let table = w.free_table();
    w.send(&format!(
        "BEGIN; DROP TABLE {}; {}; COMMIT",
        table.name,
        table.create()
    ));
}

fn rename_enum_label(w: &mut Writer) {
    let (at, number) = (1 + w.below(3), w.below(1 << 40));
    w.send(&format!(
        "DO $$ DECLARE old text := (enum_range(NULL::s.mood))[{at}]; BEGIN
            EXECUTE format('ALTER TYPE s.mood RENAME VALUE %L TO %L', old, 'mood{number}'); END $$"
    ));
}

fn terminate_somebody(w: &mut Writer) {
    w.send(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE application_name = 'writer' AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1",
    );
}

/// Rarely where counters are to decide: after a reset they prove nothing until the next backup.
fn reset_statistics(w: &mut Writer) {
    if !w.shared.uncounted && w.below(10) > 0 {
        return;
    }
    let table = w.table().name;
    let what = match w.below(3) {
        0 => "pg_stat_reset()".to_owned(),
        _ => format!("pg_stat_reset_single_table_counters('{table}'::regclass)"),
    };
    w.send(&format!("SELECT {what}"));
}

fn roll_back(w: &mut Writer) {
    let change = w.change();
    w.send(&format!("BEGIN; {change}; ROLLBACK"));
}

fn write_uncounted(w: &mut Writer) {
    if !w.shared.uncounted {
        return two_commits_then_idle(w);
    }
    let (change, table) = (w.change(), w.table().name);
    if w.below(2) == 0 {
        w.send(&format!("SELECT s.uncounted('{table}')"));
    } else {
        w.send("SET track_counts = off");
        w.send(&change);
        w.leave();
    }
}

fn one_write_by_a_newcomer_that_stays(w: &mut Writer) {
    w.leave();
    let change = w.change();
    w.send(&change);
    let rest = 500 + w.below(3_000);
    w.idle(rest);
}
