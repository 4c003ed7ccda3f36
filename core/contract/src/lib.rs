//! The Spanish edge: labels, records, settings, the manifest file, messages.
