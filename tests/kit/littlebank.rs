//! A small bank for demonstrations and journeys: accounts, movements, and days on which things
//! happen. The same data on every run.

use crate::{Client, Cluster};

const SCHEMA: &str = "
    CREATE SCHEMA bank;
    CREATE TABLE bank.account (
        id int PRIMARY KEY, owner text NOT NULL, balance numeric(12,2) NOT NULL DEFAULT 0);
    CREATE TABLE bank.movement (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account int NOT NULL REFERENCES bank.account,
        day int NOT NULL, amount numeric(12,2) NOT NULL, note text);
    CREATE TABLE bank.branch (id int PRIMARY KEY, city text NOT NULL);
    CREATE TABLE bank.audit (id bigserial PRIMARY KEY, what text NOT NULL);
    CREATE VIEW bank.total AS SELECT sum(balance) AS total FROM bank.account;
    INSERT INTO bank.branch VALUES (1, 'Rosario'), (2, 'La Plata'), (3, 'San Juan');
    INSERT INTO bank.account SELECT g, 'owner ' || g, 100 * g FROM generate_series(1, 200) g;
    INSERT INTO bank.movement (account, day, amount, note)
        SELECT 1 + g % 200, 0, g, 'opening ' || g FROM generate_series(1, 2000) g;";

/// Creates a database `name`, owned by `dueno`, with the bank as on day 0; gives its URL as owner.
pub fn open(cluster: &Cluster, name: &str) -> String {
    let url = cluster.owned_database(name, "dueno");
    Client::connect(&url).exec(SCHEMA);
    url
}

/// What happens on day `n` (from 1): movements every day; on some days an account is opened, one is
/// closed, the audit is emptied, or a column is added. `branch` never changes.
pub fn day(url: &str, n: u32) {
    let mut bank = Client::connect(url);
    bank.exec(&format!(
        "BEGIN;
         INSERT INTO bank.movement (account, day, amount, note)
             SELECT id, {n}, (id * {n}) % 97 - 48, 'day {n}' FROM bank.account WHERE id % 10 = {n} % 10;
         UPDATE bank.account a SET balance = balance + m.amount
             FROM bank.movement m WHERE m.account = a.id AND m.day = {n};
         COMMIT"
    ));
    if n.is_multiple_of(2) {
        bank.exec(&format!(
            "INSERT INTO bank.account VALUES ({}, 'opened on day {n}')",
            1000 + n
        ));
    }
    if n.is_multiple_of(3) {
        bank.exec(&format!(
            "TRUNCATE bank.audit; INSERT INTO bank.audit (what) VALUES ('day {n}')"
        ));
    }
    if n.is_multiple_of(5) {
        bank.exec(&format!(
            "ALTER TABLE bank.account ADD day_{n} int DEFAULT {n}"
        ));
    }
    if n.is_multiple_of(7) {
        bank.exec(&format!(
            "CREATE TABLE bank.promotion_{n} AS SELECT id, owner FROM bank.account WHERE id < 20"
        ));
    }
}
