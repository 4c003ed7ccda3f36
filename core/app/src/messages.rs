//! What only the command line says, in both languages: its help, its questions and the names of
//! steps.

pub mod checks;
pub mod confirm;
pub mod demo;
pub mod help;
pub mod steps;
pub mod take_over;
pub mod usage;
