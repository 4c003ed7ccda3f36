//! Storage sinks.
