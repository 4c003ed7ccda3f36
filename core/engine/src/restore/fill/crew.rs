//! The sessions that fill a database. The first error stops all; a session that is in the middle of a
//! long statement then is cancelled, as it is when the run is interrupted.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use respaldo_domain::restore_plan::RestorePlan;
use respaldo_postgres::{ConnInfo, PgError, Session, SessionOptions, sql};

use super::Work;
use crate::backup::chain;
use crate::ports::{Context, Fault, FaultKind};
use crate::restore::makings::Making;
use crate::restore::schedule::{Next, Schedule, Task, TaskId};
use crate::restore::{Restore, RestoreError, SchemaFiles, load, schema};

/// How often the run's interrupt is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// What the sessions share.
pub(super) struct Crew<'a> {
    restore: &'a Restore<'a>,
    plan: &'a RestorePlan,
    files: &'a SchemaFiles,
    database: &'a ConnInfo,
    works: Vec<Work<'a>>,
    /// The target has the tablespaces that definitions name.
    tablespaces: bool,
    /// Of this part of the run alone; set by the first error.
    cx: Context,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    schedule: Schedule,
    /// Sessions that are not at their end.
    at_work: usize,
    /// Server processes that run a statement.
    busy: Vec<i32>,
    failure: Option<RestoreError>,
}

impl<'a> Crew<'a> {
    pub(super) fn new(
        restore: &'a Restore<'a>,
        plan: &'a RestorePlan,
        files: &'a SchemaFiles,
        database: &'a ConnInfo,
        tasks: Vec<Task>,
        works: Vec<Work<'a>>,
    ) -> Result<Self, RestoreError> {
        let light = tasks.iter().filter(|task| task.light).count();
        let jobs = restore.jobs();
        let workers = (jobs + light).min(restore.jobs_for_small_tables().max(jobs));
        let state = State {
            schedule: Schedule::new(tasks, jobs),
            at_work: workers,
            busy: Vec::new(),
            failure: None,
        };
        Ok(Self {
            restore,
            plan,
            files,
            database,
            works,
            tablespaces: schema::has_tablespaces(files, database)?,
            cx: restore.cx.with_interrupt(restore.cx.interrupt().child()),
            state: Mutex::new(state),
            changed: Condvar::new(),
        })
    }

    /// Does all tasks; task N is the N-th work.
    pub(super) fn run(self) -> Result<(), RestoreError> {
        let workers = self.lock().at_work;
        thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| self.work());
            }
            self.watch();
        });
        let state = self
            .state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        state.failure.map_or(Ok(()), Err)
    }

    /// Until everybody is done. An interrupted run waits for no statement to end by itself.
    fn watch(&self) {
        let mut state = self.lock();
        while state.at_work > 0 {
            let waited = self.changed.wait_timeout(state, LOOK);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if self.cx.interrupt().is_set() && !state.busy.is_empty() {
                let busy = state.busy.clone();
                drop(state);
                self.cancel(&busy);
                state = self.lock();
            }
        }
    }

    fn cancel(&self, busy: &[i32]) {
        let cancel = || -> Result<(), respaldo_postgres::PgError> {
            let mut session = Session::connect(self.database, &SessionOptions::default())?;
            for pid in busy {
                session.rows(sql("SELECT pg_catalog.pg_cancel_backend($1)").bind(*pid))?;
            }
            Ok(())
        };
        if let Err(error) = cancel() {
            tracing::debug!(%error, "a statement could not be cancelled");
        }
    }

    fn work(&self) {
        let _leaving = Leaving(self);
        if let Err(error) = self.work_off() {
            self.fail(error);
        }
    }

    /// What the others run into after the first error is its echo.
    fn fail(&self, error: RestoreError) {
        self.lock().failure.get_or_insert(error);
        self.cx.interrupt().set();
    }

    fn work_off(&self) -> Result<(), RestoreError> {
        let mut session = self.connect()?;
        while let Some((task, alone)) = self.next_task()? {
            self.lock().busy.push(session.pid());
            let pid = session.pid();
            let done = self.perform(&mut session, task, alone);
            self.lock().busy.retain(|busy| *busy != pid);
            let done = match done {
                Err(error) if is_refusal(&error) && !self.cx.interrupt().is_set() => {
                    // The session may be in the middle of a COPY.
                    session = self.connect()?;
                    self.refused(task, error)
                }
                done => done.map(|()| self.lock().schedule.done(task)),
            };
            self.changed.notify_all();
            done?;
        }
        Ok(())
    }

    /// Waits for something that may be done; `None`: nothing is left.
    fn next_task(&self) -> Result<Option<(TaskId, bool)>, RestoreError> {
        let mut state = self.lock();
        loop {
            self.cx.check().map_err(RestoreError::Definitions)?;
            match state.schedule.next() {
                Next::Run { task, alone } => return Ok(Some((task, alone))),
                Next::End => return Ok(None),
                Next::Stuck => {
                    let what = "definitions that need one another";
                    let fault = Fault::bare(FaultKind::Internal, what);
                    return Err(RestoreError::Definitions(fault));
                }
                Next::Wait => {
                    let waited = self.changed.wait_timeout(state, LOOK);
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }

    fn perform(
        &self,
        session: &mut Session,
        task: TaskId,
        alone: bool,
    ) -> Result<(), RestoreError> {
        match &self.works[task] {
            Work::Rows(load, manner) => {
                let table = &load.entry.name;
                let work = load::Work {
                    parts: self.restore.parts,
                    plan: self.plan,
                };
                let loaded = load::load_one(
                    &work,
                    session,
                    || Ok(self.open_session()?),
                    load,
                    *manner,
                    &self.cx,
                );
                loaded.map_err(|source| RestoreError::Load {
                    table: table.clone(),
                    source,
                })?;
                self.cx.progress().table(&table.to_string());
                Ok(())
            }
            Work::Beside => {
                schema::beside_rows(self.restore, self.plan, self.files, self.database, &self.cx)
            }
            Work::AllRows => self
                .restore
                .enter("restore.indexes")
                .map_err(RestoreError::Definitions),
            Work::Making(making) => self.make(session, making, alone),
        }
    }

    fn make(
        &self,
        session: &mut Session,
        making: &Making,
        alone: bool,
    ) -> Result<(), RestoreError> {
        let made = session.batch(&making.statements(alone, self.tablespaces));
        made.map_err(|error| {
            let mut fault = Fault::from(error);
            fault.subject = format!("making {}", making.name);
            RestoreError::Definitions(fault)
        })
    }

    /// The server refused it: it is tried once more when all else is done. Of a partial backup the
    /// definitions may lack what they refer to; then the comparison of rows decides.
    fn refused(&self, task: TaskId, error: RestoreError) -> Result<(), RestoreError> {
        let mut state = self.lock();
        if state.schedule.put_off(task) {
            return Ok(());
        }
        let is_partial = !self.plan.manifest.coverage.is_complete();
        match (&self.works[task], is_partial) {
            (Work::Making(_), true) => {
                tracing::warn!(error = %chain(&error), "definitions of a partial backup are incomplete");
                state.schedule.done(task);
                Ok(())
            }
            _ => Err(error),
        }
    }

    fn connect(&self) -> Result<Session, RestoreError> {
        self.open_session()
            .map_err(|e| RestoreError::Server(e.into()))
    }

    fn open_session(&self) -> Result<Session, PgError> {
        let mut options = SessionOptions {
            // The schedule knows who waits for whom; a statement may wait as long as that takes.
            lock_timeout: Duration::ZERO,
            ..SessionOptions::default()
        };
        let mut set = |name: &str, value: String| options.settings.push((name.to_owned(), value));
        if let Some(id) = self.restore.parts.settings.maintenance_user_id {
            set("app.user_id", id.to_string());
        }
        set("synchronous_commit", "off".to_owned());
        Session::connect(self.database, &options)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever is at work leaves once, whatever happens.
struct Leaving<'c, 'a>(&'c Crew<'a>);

impl Drop for Leaving<'_, '_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let fault = Fault::bare(FaultKind::Internal, "a load panicked");
            self.0.fail(RestoreError::Definitions(fault));
        }
        self.0.lock().at_work -= 1;
        self.0.changed.notify_all();
    }
}

/// Whether the server did not want a statement as things stood. Lost connections, full disks and
/// damaged blocks do not get better by trying again.
fn is_refusal(error: &RestoreError) -> bool {
    match error {
        RestoreError::Load { source, .. } => source.kind == FaultKind::Invalid,
        RestoreError::Definitions(fault) => matches!(
            fault.kind,
            FaultKind::Invalid | FaultKind::Denied | FaultKind::NotFound
        ),
        _ => false,
    }
}
