//! Ports and flows: backup, restore, validate.
