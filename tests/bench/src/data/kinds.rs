//! The kinds of tables: columns, and rows in COPY's text format.

use std::fmt::Write;

use super::random::Random;

/// A kind of table.
pub struct Kind {
    /// First part of its tables' names.
    pub name: &'static str,
    /// Columns after the common ones.
    pub columns: &'static str,
    /// The one of them that rows are looked up by: what names them to others, or else when or whose they are.
    pub looked_up_by: &'static str,
    /// Appends those columns of a row.
    pub row: fn(&mut String, &mut Random),
}

/// All kinds.
pub const KINDS: [Kind; 8] = [
    Kind {
        name: "orders",
        columns: "status text, currency text, total numeric(12,2), tax numeric(12,2),
                  reference uuid, shipped_at timestamptz, lines int, carrier bigint, gift boolean,
                  store bigint, address text",
        looked_up_by: "reference",
        row: order,
    },
    Kind {
        name: "events",
        columns: "session uuid, kind text, payload jsonb",
        looked_up_by: "session",
        row: event,
    },
    Kind {
        name: "documents",
        columns: "title text, body text",
        looked_up_by: "title",
        row: document,
    },
    Kind {
        name: "measurements",
        columns: "sensor int, value float8, quality numeric(6,3), taken timestamp",
        looked_up_by: "taken",
        row: measurement,
    },
    Kind {
        name: "customers",
        columns: "name text, email text, phone text, token uuid, since date, active boolean,
                  visits bigint, newsletter boolean, credit bigint",
        looked_up_by: "token",
        row: customer,
    },
    Kind {
        name: "ledger",
        columns: "account text, debit numeric(14,2), credit numeric(14,2), entry uuid,
                  period bigint, closed boolean, journal bigint",
        looked_up_by: "entry",
        row: ledger,
    },
    Kind {
        name: "messages",
        columns: "sender text, recipient text, subject text, body text, seen boolean",
        looked_up_by: "recipient",
        row: message,
    },
    Kind {
        name: "audit",
        columns: "actor text, action text, before jsonb, after jsonb",
        looked_up_by: "actor",
        row: audit,
    },
];

/// Appends the columns that every table has: id, parent, whether it is deleted, how often it was written, time, note.
pub fn common(text: &mut String, id: u64, parents: u64, random: &mut Random) {
    let deleted = random.one_of(&["f", "f", "f", "f", "f", "f", "f", "t"]);
    let (parent, revision) = (1 + random.below(parents), 1 + random.below(3));
    let _ = write!(text, "{id}\t{parent}\t{deleted}\t{revision}\t");
    // Rows come in the order of their times, as they do in most tables.
    let second = id * 37 + random.below(37);
    time(text, second);
    text.push('\t');
    random.words(text, 0, 3);
}

fn order(text: &mut String, random: &mut Random) {
    let status = random.one_of(&["open", "paid", "shipped", "returned", "cancelled"]);
    let currency = random.one_of(&["EUR", "USD", "BOB", "PEN"]);
    let _ = write!(text, "\t{status}\t{currency}\t");
    random.amount(text, 5_000);
    text.push('\t');
    random.amount(text, 500);
    text.push('\t');
    random.uuid(text);
    text.push('\t');
    // Whole hours: parcels are collected by then.
    time(text, random.below(22_000) * 3_600);
    let (lines, carrier) = (1 + random.below(9), 1 + random.below(12));
    let (gift, store) = (random.one_of(&["f", "f", "f", "t"]), 1 + random.below(40));
    let _ = write!(text, "\t{lines}\t{carrier}\t{gift}\t{store}\t");
    random.words(text, 2, 4);
}

fn event(text: &mut String, random: &mut Random) {
    text.push('\t');
    // Somebody looks at a few pages.
    random.repeating_uuid(text, 2);
    let kind = random.one_of(&["click", "view", "search", "purchase", "login", "error"]);
    let _ = write!(text, "\t{kind}\t");
    let page = random.below(400);
    let (ms, status) = (random.below(3_000), random.one_of(&["200", "302", "404"]));
    let _ = write!(
        text,
        "{{\"page\": \"/shop/item/{page}\", \"ms\": {ms}, \"status\": {status}, \"query\": \""
    );
    random.words(text, 1, 5);
    let device = random.one_of(&["phone", "tablet", "desktop"]);
    let _ = write!(text, "\", \"device\": \"{device}\", \"tags\": [\"");
    random.word(text);
    text.push_str("\", \"");
    random.word(text);
    text.push_str("\"]}");
}

fn document(text: &mut String, random: &mut Random) {
    text.push('\t');
    random.words(text, 3, 8);
    text.push('\t');
    random.words(text, 12, 45);
}

fn measurement(text: &mut String, random: &mut Random) {
    // Sensors resolve a part of a whole and report on the minute.
    let (sensor, value) = (random.below(500), random.below(1 << 16));
    let _ = write!(text, "\t{sensor}\t{}", value as f64 / 64.0);
    let _ = write!(text, "\t{}.{}00\t", random.below(100), random.below(10));
    time(text, random.below(1_300_000) * 60);
}

fn customer(text: &mut String, random: &mut Random) {
    text.push('\t');
    random.words(text, 2, 3);
    text.push('\t');
    random.word(text);
    let _ = write!(text, "{}@", random.below(10_000));
    random.word(text);
    let phone = random.below(100_000_000);
    let _ = write!(text, ".example.org\t+591 {phone:08}\t");
    random.uuid(text);
    let (year, month, day) = (random.below(20), random.below(12), random.below(28));
    let active = random.one_of(&["t", "t", "t", "f"]);
    let _ = write!(
        text,
        "\t{}-{:02}-{:02}\t{active}",
        2005 + year,
        month + 1,
        day + 1
    );
    let (visits, credit) = (random.below(60), random.below(20) * 100);
    let newsletter = random.one_of(&["f", "t"]);
    let _ = write!(text, "\t{visits}\t{newsletter}\t{credit}");
}

fn ledger(text: &mut String, random: &mut Random) {
    let account = random.below(2_000);
    let _ = write!(text, "\t{:04}-{account:05}\t", account % 90);
    // An entry is on one side of the account.
    match random.below(2) {
        0 => {
            random.amount(text, 100_000);
            text.push_str("\t0.00");
        }
        _ => {
            text.push_str("0.00\t");
            random.amount(text, 100_000);
        }
    }
    text.push('\t');
    // An entry has two lines, one after the other.
    random.repeating_uuid(text, 2);
    let (period, closed) = (1 + random.below(12), random.one_of(&["t", "f"]));
    let _ = write!(text, "\t{period}\t{closed}\t{}", 1 + random.below(5));
}

fn message(text: &mut String, random: &mut Random) {
    for _ in 0..2 {
        text.push('\t');
        random.word(text);
        text.push_str("@example.org");
    }
    text.push('\t');
    random.words(text, 2, 7);
    text.push('\t');
    random.words(text, 4, 16);
    let _ = write!(text, "\t{}", random.one_of(&["t", "f"]));
}

fn audit(text: &mut String, random: &mut Random) {
    text.push('\t');
    random.word(text);
    let action = random.one_of(&["insert", "update", "delete"]);
    let _ = write!(text, "\t{action}");
    let version = random.below(40);
    for step in 0..2 {
        let _ = write!(text, "\t{{\"version\": {}, \"owner\": \"", version + step);
        random.word(text);
        text.push_str("\", \"label\": \"");
        random.words(text, 2, 6);
        let _ = write!(text, "\", \"price\": {}}}", random.below(10_000));
    }
}

/// Seconds since the first of January 2023 as a time, in months of 28 days: any valid date will do.
fn time(text: &mut String, second: u64) {
    let (day, second) = (second / 86_400, second % 86_400);
    let (month, day) = (day / 28, day % 28 + 1);
    let _ = write!(
        text,
        "{}-{:02}-{day:02} {:02}:{:02}:{:02}+00",
        2023 + month / 12,
        month % 12 + 1,
        second / 3_600,
        second / 60 % 60,
        second % 60
    );
}
