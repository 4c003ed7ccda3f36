//! Change detectors.
