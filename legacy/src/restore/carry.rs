//! What the application knows of its professional backups does not go back in time with its data:
//! rows of `seguridad.backup_manifest` that are newer than the file are taken over from the database
//! that is replaced. Else their files would belong to nobody.

use respaldo_postgres::{ConnInfo, PgError, Session, quote_identifier, sql};

use super::Restoring;
use crate::copy::chain;
use crate::report::LegacyWarningKind;

const TABLE: &str = "seguridad.backup_manifest";

impl Restoring<'_> {
    /// Takes them over, where both databases have the table. Failing that is said.
    pub(super) fn carry_rows(&mut self, old: &ConnInfo, new: &ConnInfo) {
        let options = self.session_options();
        let carried = Session::connect(old, &options).and_then(|mut old| {
            let mut new = Session::connect(new, &options)?;
            carry(&mut old, &mut new)
        });
        if let Err(error) = carried {
            self.warn(LegacyWarningKind::RowsNotCarried, chain(&error));
        }
    }
}

fn carry(old: &mut Session, new: &mut Session) -> Result<(), PgError> {
    let there = columns(new)?;
    let both = columns(old)?.into_iter();
    let both: Vec<String> = both.filter(|name| there.contains(name)).collect();
    if both.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = both.iter().map(|name| quote_identifier(name)).collect();
    let list = list.join(", ");
    let mut rows = Vec::new();
    old.copy_out(
        &format!("COPY (SELECT {list} FROM {TABLE}) TO STDOUT"),
        |piece| {
            rows.extend_from_slice(piece);
            Ok::<_, PgError>(())
        },
    )?;
    new.batch(&format!("CREATE TEMPORARY TABLE carried (LIKE {TABLE})"))?;
    let mut copy = new.copy_in(&format!("COPY pg_temp.carried ({list}) FROM STDIN"))?;
    copy.send(&rows)?;
    copy.finish()?;
    new.batch(&format!(
        "INSERT INTO {TABLE} ({list}) OVERRIDING SYSTEM VALUE \
         SELECT {list} FROM pg_temp.carried AS c ORDER BY c.id ON CONFLICT DO NOTHING"
    ))?;
    new.batch(&format!(
        "SELECT pg_catalog.setval(s, m) FROM pg_catalog.pg_get_serial_sequence('{TABLE}', 'id') AS s, \
         (SELECT pg_catalog.max(id) AS m FROM {TABLE}) AS newest WHERE s IS NOT NULL AND m IS NOT NULL"
    ))
}

/// The table's columns; none where it does not exist.
fn columns(session: &mut Session) -> Result<Vec<String>, PgError> {
    session.value(sql(
        "SELECT coalesce(pg_catalog.array_agg(a.attname::text ORDER BY a.attnum), '{}') \
         FROM pg_catalog.pg_attribute AS a \
         JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid AND c.relname = 'backup_manifest' \
         JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = 'seguridad' \
         WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''",
    ))
}
