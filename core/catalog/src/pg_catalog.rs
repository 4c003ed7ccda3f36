//! The port, over PostgreSQL.

use std::collections::BTreeSet;
use std::sync::Arc;

use respaldo_domain::backup::{ArchiveName, BackupId};
use respaldo_domain::retention::Policy;
use respaldo_domain::schedule::{PastRun, RuleChange, Schedule};
use respaldo_domain::second_place::{CloudSettings, SecondCopy};
use respaldo_domain::source::SourceFacts;
use respaldo_engine::ports::{
    Browse, Catalog, CatalogEntry, CatalogFilter, EventLevel, Fault, LeaseRow, NewBackup,
    SealedBackup, StoredSchedule, ValidationRecord,
};
use respaldo_postgres::{ConnInfo, Session, sql};
use serde_json::Value;
use uuid::Uuid;

use crate::connection::{CatalogLimits, Connection, transaction};
use crate::error::CatalogError;
use crate::event::EventRow;
use crate::lease::StoredLease;
use crate::row::ManifestRow;
use crate::validation::ValidationRow;
use crate::{chain, entry, event, labels, migrations, row, runs, settings, validation, witness};

/// The catalog in schema `seguridad` of a database. Connects when it is first used, and again
/// when a connection broke; every call ends within [`CatalogLimits::call`].
pub struct PgCatalog {
    connection: Connection,
    source: Option<Connection>,
}

impl PgCatalog {
    /// A catalog in the database that is backed up.
    pub fn connect(info: ConnInfo, limits: CatalogLimits) -> Self {
        Self {
            connection: Connection::new(info, limits),
            source: None,
        }
    }

    /// Names the database that is backed up, where the catalog's address is another. Witnesses
    /// are left only if both addresses turn out to lead to the same database.
    #[must_use]
    pub fn of_source(mut self, source: ConnInfo) -> Self {
        let limits = self.connection.limits().clone();
        self.source = Some(Connection::new(source, limits));
        self
    }

    /// Where the catalog is.
    pub fn info(&self) -> &ConnInfo {
        self.connection.info()
    }

    /// Does `work` on a session, within the limit of a call.
    pub(crate) fn run<T, W>(&self, doing: &str, work: W) -> Result<T, Fault>
    where
        T: Send + 'static,
        W: FnOnce(&mut Session) -> Result<T, CatalogError> + Send + 'static,
    {
        self.connection.run(doing, work)
    }

    fn is_in_source(&self) -> Result<bool, Fault> {
        let Some(source) = &self.source else {
            return Ok(true);
        };
        let here = self
            .connection
            .run("asking which database it is", witness::identity)?;
        // The same address need not be asked twice, for which there would be a session more.
        if source.info() == self.info() && source.info().names_one_address() {
            return Ok(here.is_some());
        }
        let there = source.run("asking which database the source is", witness::identity)?;
        Ok(here.is_some() && here == there)
    }
}

impl Catalog for PgCatalog {
    fn browse(&self) -> Option<&dyn Browse> {
        Some(self)
    }

    fn migrate(&self) -> Result<(), Fault> {
        self.connection
            .run("making or upgrading the tables", migrations::run)
    }

    fn begin(&self, backup: &NewBackup) -> Result<BackupId, Fault> {
        let new = ManifestRow::running(backup);
        self.connection.run(
            &format!("recording the start of {}", backup.archive),
            move |session| transaction(session, |session| row::begin(session, &new)),
        )
    }

    fn seal(&self, backup: &SealedBackup<'_>) -> Result<BackupId, Fault> {
        let sealed = ManifestRow::sealed(backup);
        let full = backup.header.full.to_string();
        self.connection.run(
            &format!("recording {}", backup.header.archive),
            move |session| {
                transaction(session, |session| {
                    let id = row::seal(session, &sealed)?;
                    chain::relink(session, &sealed.archive, id)?;
                    chain::derive(session, &full)?;
                    Ok(id)
                })
            },
        )
    }

    fn fail(&self, run: Uuid, message: &str) -> Result<(), Fault> {
        let message = message.to_owned();
        self.connection.run(
            &format!("recording the failure of run {run}"),
            move |session| {
                let update = format!("{FAIL} AND metadata->>'ejecucion' = $2 AND {NOT_SEALED}");
                session.execute(sql(update).bind(message).bind(run.to_string()))?;
                Ok(())
            },
        )
    }

    fn fail_abandoned(&self, source: &SourceFacts, alive: Option<Uuid>) -> Result<u64, Fault> {
        // In the source itself every run is one of the source's.
        let all = self.is_in_source()?;
        let database = source.database.clone();
        let system = source.lineage.system_identifier.to_string();
        self.connection
            .run("marking abandoned runs as failed", move |session| {
                let update = format!(
                    "{FAIL} AND estado = 'EN_PROGRESO'
                    AND metadata->>'ejecucion' IS DISTINCT FROM $2
                    AND ($3 OR fecha_inicio < now() - interval '7 days'
                         OR (coalesce(metadata->>'base_datos', $4) = $4
                             AND coalesce(metadata->>'identificador_sistema', $5) = $5))"
                );
                let update = sql(update)
                    .bind(ABANDONED)
                    .bind(alive.map(|run| run.to_string()))
                    .bind(all)
                    .bind(database)
                    .bind(system);
                Ok(session.execute(update)?)
            })
    }

    fn list(&self, filter: &CatalogFilter) -> Result<Vec<CatalogEntry>, Fault> {
        let filter = filter.clone();
        self.connection.run("listing backups", move |session| {
            entry::list(session, &filter)
        })
    }

    fn get(&self, id: BackupId) -> Result<Option<CatalogEntry>, Fault> {
        self.connection
            .run(&format!("reading backup {id}"), move |session| {
                entry::get(session, id)
            })
    }

    fn find(&self, archive: &ArchiveName) -> Result<Option<CatalogEntry>, Fault> {
        let name = archive.clone();
        self.connection
            .run(&format!("reading {archive}"), move |session| {
                entry::find(session, &name)
            })
    }

    fn forget(&self, archive: &ArchiveName) -> Result<(), Fault> {
        let name = archive.clone();
        self.connection
            .run(&format!("forgetting {archive}"), move |session| {
                transaction(session, |session| chain::forget(session, &name))
            })
    }

    fn record_validation(&self, record: &ValidationRecord<'_>) -> Result<(), Fault> {
        let row = ValidationRow::of(record);
        self.connection.run(
            &format!("recording a validation of {}", record.archive),
            move |s| validation::record(s, row),
        )
    }

    fn event(
        &self,
        level: EventLevel,
        kind: &str,
        archive: Option<&ArchiveName>,
        detail: &Value,
    ) -> Result<(), Fault> {
        let row = EventRow {
            level: labels::event_level(level),
            kind: kind.to_owned(),
            archive: archive.map(ToString::to_string),
            detail: detail.clone(),
        };
        self.connection.run("recording an event", move |session| {
            event::record(session, row)
        })
    }

    fn proven(&self) -> Result<BTreeSet<ArchiveName>, Fault> {
        self.connection
            .run("asking what was proven", validation::proven)
    }

    fn retention(&self) -> Result<Option<Policy>, Fault> {
        self.connection
            .run("reading the retention policy", settings::retention)
    }

    fn set_retention(&self, policy: &Policy) -> Result<(), Fault> {
        let policy = *policy;
        self.connection
            .run("storing the retention policy", move |session| {
                settings::set_retention(session, &policy)
            })
    }

    fn cloud(&self) -> Result<Option<CloudSettings>, Fault> {
        self.connection
            .run("reading where copies go", settings::cloud)
    }

    fn set_cloud(&self, cloud: &CloudSettings) -> Result<(), Fault> {
        let cloud = cloud.clone();
        self.connection
            .run("storing where copies go", move |session| {
                settings::set_cloud(session, &cloud)
            })
    }

    fn record_copy(&self, archive: &ArchiveName, copy: Option<&SecondCopy>) -> Result<(), Fault> {
        let (name, copy) = (archive.clone(), copy.cloned());
        self.connection.run(
            &format!("recording the copy of {archive}"),
            move |session| row::record_copy(session, &name, copy.as_ref()),
        )
    }

    fn schedule(&self, otherwise: &Schedule) -> Result<Option<StoredSchedule>, Fault> {
        let otherwise = *otherwise;
        self.connection.run("reading the schedule", move |session| {
            settings::schedule(session, &otherwise)
        })
    }

    fn change_schedule(&self, change: RuleChange, otherwise: &Schedule) -> Result<(), Fault> {
        let otherwise = *otherwise;
        self.connection.run("storing the schedule", move |session| {
            transaction(session, |session| {
                settings::change_schedule(session, change, &otherwise)
            })
        })
    }

    fn past_runs(&self) -> Result<Vec<PastRun>, Fault> {
        let database = self.source.as_ref();
        let database = database.map(|source| source.info().database().to_owned());
        self.connection.run("asking what was made", move |session| {
            runs::past(session, database.as_deref())
        })
    }

    fn leave_witness(&self, archive: &ArchiveName, token: Uuid) -> Result<bool, Fault> {
        if !self.is_in_source()? {
            return Ok(false);
        }
        let name = archive.clone();
        let left = self.connection.run(
            &format!("leaving the witness of {archive}"),
            move |session| witness::leave(session, &name, token).map(|()| true),
        );
        // An idle session that wrote a moment ago may not have reported what it wrote: whoever
        // compares counters would have to wait ten seconds for it. One that is gone has.
        self.connection.let_go();
        left
    }

    fn sees_witness(&self, archive: &ArchiveName, token: Uuid) -> Result<bool, Fault> {
        if !self.is_in_source()? {
            return Ok(false);
        }
        let name = archive.clone();
        self.connection.run(
            &format!("looking for the witness of {archive}"),
            move |session| witness::sees(session, &name, token),
        )
    }

    fn lease_row(&self) -> Option<Arc<dyn LeaseRow>> {
        Some(Arc::new(StoredLease))
    }

    fn rest(&self) {
        self.connection.let_go();
        if let Some(source) = &self.source {
            source.let_go();
        }
    }
}

/// Only rows of ours; the existing application's are its own business.
const FAIL: &str = "
    UPDATE seguridad.backup_manifest
    SET estado = 'FALLIDO', error_mensaje = $1, fecha_fin = greatest(fecha_inicio, now())
    WHERE metadata->>'motor' = 'respaldo'";

/// A seal is never taken back by a failure that came after it.
const NOT_SEALED: &str = "estado IN ('PENDIENTE', 'EN_PROGRESO')";

/// What the row of a run says that ended without a word.
const ABANDONED: &str = "la ejecución terminó sin sellar el respaldo";
