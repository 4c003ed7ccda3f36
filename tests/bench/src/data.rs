//! The mixed database: 40 tables of eight kinds, 86 indexes, 19 foreign keys, sizes that differ by
//! a factor of ten, five sixths as much text as heap, of which pg_dump -Fc makes a third. The same content
//! in every run.

mod kinds;
pub mod random;

use std::thread;

use respaldo_tests::Client;

use kinds::{KINDS, Kind};
use random::Random;

/// Bytes of COPY text that fill a megabyte of heap, about.
const TEXT_PER_MEGABYTE: f64 = 0.81 * 1024.0 * 1024.0;
/// No row is longer, so that a table surely has one row per so many bytes.
const LONGEST_ROW: u64 = 2_000;
/// COPY text sent at once.
const PIECE_BYTES: usize = 8 << 20;
const LOADERS: usize = 2;

const TABLES: usize = 40;
/// The last tables, which others refer to.
const PARENTS: usize = 6;
const FOREIGN_KEYS: usize = 19;
/// So many of the first tables, and those that change, have an index on what their rows are looked up by.
const LOOKED_UP: usize = 22;
/// Small ones of several kinds, referred to by nobody: 6.9 % of the data, and of its compressed size.
const CHANGING: [usize; 6] = [17, 22, 23, 27, 29, 32];

struct Table {
    number: usize,
    text_bytes: u64,
}

/// Names of the tables that a day changes.
pub fn changing() -> impl Iterator<Item = String> {
    CHANGING.into_iter().map(name)
}

/// Fills an empty database with the mixed tables: `megabytes` of heap altogether.
pub fn fill_mixed(url: &str, megabytes: u64) {
    let text_bytes = megabytes as f64 * TEXT_PER_MEGABYTE;
    let sized = |number| Table {
        number,
        text_bytes: (text_bytes * share(number)) as u64,
    };
    let tables: Vec<Table> = (0..TABLES).map(sized).collect();
    let parent_rows = tables[TABLES - 1].text_bytes / LONGEST_ROW;
    load_all(url, &tables, parent_rows.max(1));
    let mut client = Client::connect(url);
    for number in children() {
        let (child, parent) = (name(number), name(parent_of(number)));
        client.exec(&format!(
            "ALTER TABLE {child} ADD FOREIGN KEY (parent_id) REFERENCES {parent}"
        ));
    }
    settle(&mut client);
}

/// Fills an empty database with the largest of the mixed tables alone.
pub fn fill_one(url: &str, megabytes: u64) {
    let text_bytes = (megabytes as f64 * TEXT_PER_MEGABYTE) as u64;
    let only = Table {
        number: 0,
        text_bytes,
    };
    load_all(url, &[only], 1);
    settle(&mut Client::connect(url));
}

fn name(number: usize) -> String {
    format!("{}_{number:02}", kind(number).name)
}

fn kind(number: usize) -> &'static Kind {
    &KINDS[number % KINDS.len()]
}

/// Tables that refer to others: those that a day changes, as orders and entries do, and the largest.
fn children() -> impl Iterator<Item = usize> {
    let largest = 0..FOREIGN_KEYS - CHANGING.len();
    CHANGING.into_iter().chain(largest)
}

fn parent_of(number: usize) -> usize {
    TABLES - PARENTS + number % PARENTS
}

/// Share of a table in the whole: one large, a few middling, many small.
fn share(number: usize) -> f64 {
    match number {
        0 => 0.112,
        1..=5 => 0.06,
        6..=15 => 0.0312,
        _ => 0.0115,
    }
}

fn load_all(url: &str, tables: &[Table], parent_rows: u64) {
    thread::scope(|scope| {
        for loader in 0..LOADERS {
            let own = tables.iter().skip(loader).step_by(LOADERS);
            scope.spawn(move || {
                let mut client = Client::connect(url);
                own.for_each(|table| load(&mut client, table, parent_rows));
            });
        }
    });
}

fn load(client: &mut Client, table: &Table, parent_rows: u64) {
    let (name, kind) = (name(table.number), kind(table.number));
    client.exec(&format!(
        "CREATE TABLE {name} (id bigint NOT NULL, parent_id bigint NOT NULL, deleted boolean NOT NULL,
         revision bigint NOT NULL, at timestamptz NOT NULL, note text NOT NULL, {})",
        kind.columns
    ));
    fill(client, table, parent_rows);
    client.exec(&format!("ALTER TABLE {name} ADD PRIMARY KEY (id)"));
    for column in indexed(table.number) {
        client.exec(&format!("CREATE INDEX ON {name} ({column})"));
    }
}

/// Columns with an index beside the primary key's.
fn indexed(number: usize) -> impl Iterator<Item = &'static str> {
    let refers = children().any(|child| child == number);
    let looked_up = number < LOOKED_UP || CHANGING.contains(&number);
    let parent = refers.then_some("parent_id");
    parent
        .into_iter()
        .chain(looked_up.then_some(kind(number).looked_up_by))
}

fn fill(client: &mut Client, table: &Table, parent_rows: u64) {
    let mut random = Random::new(table.number as u64 + 1);
    let copy = format!("COPY {} FROM STDIN", name(table.number));
    let (mut text, mut sent, mut id) = (String::new(), 0, 0);
    while sent < table.text_bytes {
        while text.len() < PIECE_BYTES && sent + (text.len() as u64) < table.text_bytes {
            id += 1;
            kinds::common(&mut text, id, parent_rows, &mut random);
            (kind(table.number).row)(&mut text, &mut random);
            text.push('\n');
        }
        client.try_copy_in(&copy, &text).unwrap();
        sent += text.len() as u64;
        text.clear();
    }
}

/// Leaves nothing that the server would do by itself later.
fn settle(client: &mut Client) {
    client.exec("VACUUM ANALYZE");
    client.exec("CHECKPOINT");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_of_all_tables_are_the_whole() {
        let whole: f64 = (0..TABLES).map(share).sum();
        assert!((whole - 1.0).abs() < 0.001, "{whole}");
    }

    #[test]
    fn there_are_86_indexes() {
        let beside_keys: usize = (0..TABLES).map(|number| indexed(number).count()).sum();
        assert_eq!(TABLES + beside_keys, 86);
    }

    #[test]
    fn nobody_refers_to_a_table_that_changes() {
        assert!(CHANGING.iter().all(|number| *number < TABLES - PARENTS));
    }

    #[test]
    fn rows_are_the_same_in_every_run_and_never_too_long() {
        for kind in &KINDS {
            let rows = |seed| {
                let (mut text, mut random) = (String::new(), Random::new(seed));
                for id in 0..500 {
                    kinds::common(&mut text, id, 10, &mut random);
                    (kind.row)(&mut text, &mut random);
                    text.push('\n');
                }
                text
            };
            assert_eq!(rows(7), rows(7), "{}", kind.name);
            let longest = rows(7).lines().map(str::len).max().unwrap();
            assert!(longest < LONGEST_ROW as usize, "{}: {longest}", kind.name);
        }
    }
}
