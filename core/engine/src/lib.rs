//! The engine: the strategy traits it is built from (`ports`) and the flows that use them, one
//! module per thing a person can ask for. Flows are blocking: a port may be a plugin in another
//! process, and nothing asynchronous crosses that boundary.

pub mod faults;
pub mod ports;
pub mod store;
