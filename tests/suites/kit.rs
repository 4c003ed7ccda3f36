//! The kit's own tests: what the other suites stand on.

#[path = "kit/basics.rs"]
mod basics;
#[path = "kit/oracle.rs"]
mod oracle;
