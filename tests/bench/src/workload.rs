//! What a day does to the mixed database: a fiftieth of the rows of a few tables is updated.

use respaldo_tests::Client;

use crate::data;

/// Share of a table's rows that a day touches: one of so many.
const ONE_OF: u32 = 50;

/// Lets day `n` (from 1) pass.
pub fn day(url: &str, n: u32) {
    let mut client = Client::connect(url);
    for table in data::changing() {
        client.exec(&format!(
            "UPDATE {table} SET at = at + interval '1 day', note = 'day {n}: ' || left(note, 60)
             WHERE id % {ONE_OF} = {n}"
        ));
    }
}
