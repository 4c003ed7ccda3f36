//! Connections, server facts, snapshots and the stock PostgreSQL tools.
