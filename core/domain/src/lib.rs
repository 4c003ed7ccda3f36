//! Pure values and decisions of respaldo: what a backup, a table, a change, a chain, a manifest
//! and a plan *are*, and what follows from them. No I/O, no clock, no database: everything a
//! decision needs comes in as a value, so every rule can be tested without a server.

pub mod alert;
pub mod backup;
pub mod base;
pub mod changes;
pub mod coverage;
pub mod difference;
pub mod fingerprint;
pub mod hold;
pub mod manifest;
pub mod object;
pub mod range;
pub mod readings;
pub mod report;
pub mod restore_plan;
pub mod retention;
pub mod schedule;
pub mod scope;
pub mod second_place;
pub mod source;
pub mod supervision;
pub mod table;
pub mod validation;
