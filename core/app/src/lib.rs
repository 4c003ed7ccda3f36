//! The respaldo binary: command line, configuration, wiring.
