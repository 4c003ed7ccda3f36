//! Write a respaldo plugin: a storage sink, a change detector, a dumper or a validator.
//!
//! Implement one of the traits of [`strategies`] and [`Plugin`] for a type, and name it in
//! [`export_plugins!`]. The rest of this crate is the boundary itself: [`abi`] in C terms
//! (the header is generated from it) and [`records`], the JSON documents that cross it.

pub mod abi;
#[cfg(feature = "tokio")]
pub mod asynchronous;
mod call;
mod documents;
mod error;
#[doc(hidden)]
pub mod export;
mod fields;
mod glue;
mod guard;
pub mod records;
pub mod strategies;
mod streams;
#[cfg(test)]
mod tests;

pub use error::{Error, Result, Status};
pub use strategies::{
    ChangeDetector, Context, Dumper, Each, Level, NoOptions, Plugin, StorageSink, Validator,
};
pub use streams::copy;

// What a plugin needs of these must be the same version as ours.
pub use {schemars, serde, serde_json};
