//! Write a respaldo plugin: a storage sink, a change detector, a dumper or a validator.
//!
//! Implement one of the traits of [`strategies`] and [`Plugin`](strategies::Plugin) for a type, and
//! name it in `export_plugins!`. The rest of this crate is the boundary itself: [`abi`] in C terms
//! (the header is generated from it) and [`records`], the JSON documents that cross it.

pub mod abi;
mod error;
pub mod records;
pub mod strategies;

pub use error::{Error, Result, Status};
pub use strategies::{
    ChangeDetector, Context, Dumper, Each, Level, Plugin, StorageSink, Validator,
};
