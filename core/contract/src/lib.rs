//! The Spanish edge of respaldo: everything that other programs and people read.
//!
//! Labels in database columns, keys of JSON results and files, settings stored as JSON, and the
//! texts of both languages. The rest of the code speaks the domain's English types; each foreign
//! word is written down once, here.

// First, for its macro.
#[macro_use]
pub mod labels;

mod layout;
pub mod manifest_file;
pub mod messages;
pub mod operational;
pub mod records;
pub mod settings;
pub mod stats_file;
