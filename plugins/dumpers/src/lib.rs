//! Dumpers.
