//! A schema of our own with every kind of object, in a part that a database's owner can create and
//! a part that needs a superuser. A few hundred rows altogether.

use crate::Cluster;

const OWNER: &str = include_str!("schema/owner.sql");
const SUPERUSER: &str = include_str!("schema/superuser.sql");
const HOSTILE: &str = include_str!("schema/hostile.sql");

/// Loads both parts into an empty database that `role` owns.
pub fn load(cluster: &Cluster, db: &str, role: &str) {
    load_owner_part(cluster, db, role);
    load_superuser_part(cluster, db);
}

/// Loads what `role`, the database's owner, can create without being a superuser.
pub fn load_owner_part(cluster: &Cluster, db: &str, role: &str) {
    cluster.psql_as(role, db, OWNER);
}

/// Loads what only a superuser can create; after the owner's part.
pub fn load_superuser_part(cluster: &Cluster, db: &str) {
    cluster.psql("postgres", "GRANT lector, escritor TO dueno");
    cluster.psql(db, SUPERUSER);
}

/// Adds casts, functions, operators and tables that mislead unqualified catalog queries.
pub fn load_hostile_part(cluster: &Cluster, db: &str) {
    cluster.psql(db, HOSTILE);
}
