//! What changes storage but no content, and the ways in which a transaction can go.

use super::rows::one;
use super::{Kind, kind};

pub(super) const KINDS: &[Kind] = &[
    kind("vacuum", |m| {
        m.any_table()
            .and_then(|t| one(format!("VACUUM {}", t.name)))
    }),
    kind("vacuum full", |m| {
        m.any_table()
            .and_then(|t| one(format!("VACUUM FULL {}", t.name)))
    }),
    kind("vacuum freeze", |m| {
        m.any_table()
            .and_then(|t| one(format!("VACUUM (FREEZE) {}", t.name)))
    }),
    kind("vacuum full of every.customer", |m| {
        m.every.then(|| vec!["VACUUM FULL every.customer".into()])
    }),
    kind("cluster", |m| {
        let it = m.pick(
            "SELECT pg_catalog.format('CLUSTER %s USING %I', i.indrelid::pg_catalog.regclass, c.relname) \
             FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname IN ('m0', 'm1', 'm2') AND i.indisprimary AND c.relkind = 'i'",
        )?;
        one(it)
    }),
    kind("reindex", |m| {
        m.any_table()
            .and_then(|t| one(format!("REINDEX TABLE {}", t.name)))
    }),
    kind("analyze", |m| {
        m.any_table()
            .and_then(|t| one(format!("ANALYZE {}", t.name)))
    }),
    kind("checkpoint", |m| {
        m.superuser.then(|| vec!["CHECKPOINT".into()])
    }),
    kind("transaction rolled back", |m| {
        let t = m.any_table()?;
        let insert = m.insert(&t, 20);
        Some(vec![
            "BEGIN".into(),
            insert,
            format!("DELETE FROM {} WHERE id % 2 = 0", t.name),
            "ROLLBACK".into(),
        ])
    }),
    kind("table definition rolled back", |m| {
        let t = m.any_table()?;
        Some(vec![
            format!("BEGIN; TRUNCATE {} CASCADE", t.name),
            "ROLLBACK".into(),
        ])
    }),
    kind("savepoint rolled back", |m| {
        let t = m.any_table()?;
        let (kept, lost) = (m.insert(&t, 2), m.insert(&t, 30));
        Some(vec![
            format!("BEGIN; {kept}; SAVEPOINT s; {lost}; ROLLBACK TO s"),
            "COMMIT".into(),
        ])
    }),
    kind("savepoint released", |m| {
        let t = m.any_table()?;
        let (a, b) = (m.insert(&t, 2), m.insert(&t, 3));
        Some(vec![
            format!("BEGIN; SAVEPOINT s; {a}; SAVEPOINT s2; {b}; RELEASE s2; RELEASE s"),
            "COMMIT".into(),
        ])
    }),
    kind("subtransactions", |m| {
        let t = m.any_table()?;
        let insert = m.insert(&t, 1);
        one(format!(
            "DO $do$ BEGIN FOR i IN 1..5 LOOP BEGIN {insert}; IF i % 2 = 0 THEN RAISE division_by_zero; END IF; \
             EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END $do$"
        ))
    }),
    kind("two-phase commit", |m| {
        let t = m.any_table()?;
        let (insert, n) = (m.insert(&t, 4), m.fresh());
        Some(vec![
            format!("BEGIN; {insert}"),
            format!("PREPARE TRANSACTION 'm{n}'"),
            format!("COMMIT PREPARED 'm{n}'"),
        ])
    }),
    kind("two-phase rollback", |m| {
        let t = m.any_table()?;
        let (insert, n) = (m.insert(&t, 4), m.fresh());
        Some(vec![
            format!("BEGIN; {insert}"),
            format!("PREPARE TRANSACTION 'm{n}'"),
            format!("ROLLBACK PREPARED 'm{n}'"),
        ])
    }),
    kind("writes in several transactions", |m| {
        let t = m.any_table()?;
        let (a, b, c) = (m.insert(&t, 1), m.insert(&t, 1), m.insert(&t, 1));
        one(format!("{a}; COMMIT; {b}; COMMIT; {c}"))
    }),
    kind("select for update", |m| {
        m.any_table()
            .and_then(|t| one(format!("SELECT 1 FROM {} FOR UPDATE", t.name)))
    }),
    kind("truncate of an empty table", |m| {
        let name = m.fresh_name("empty");
        Some(vec![
            format!("CREATE TABLE {name} (id bigint)"),
            format!("TRUNCATE {name}"),
            format!("DROP TABLE {name}"),
        ])
    }),
    kind("drop prepared rows and commit late", |m| {
        let t = m.any_table()?;
        Some(vec![
            format!("BEGIN; SELECT count(*) FROM {}", t.name),
            format!("DELETE FROM {} WHERE id % 19 = 1", t.name),
            "COMMIT".into(),
        ])
    }),
];
