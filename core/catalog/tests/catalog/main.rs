//! The catalog on real clusters, alone and beside the existing application.

mod beside;
mod faults;
mod migrating;
mod records;
mod sealing;
mod support;
