//! Long works: each has a number, tells how far it is, and can be told to stop. One that writes is alone on its database.
//!
//! A job's record is a file of the state folder, written when it begins and when it ends; one that a process left behind
//! was interrupted, and says so. What is in memory is of jobs under way, and a line of each of the others.

mod events;
mod record;
mod run;

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::Utc;
use uuid::Uuid;

use crate::ask::Work;
use crate::cache::Cache;
use crate::ports::{Call, Lang, Ports, Stop};
use crate::problem::Refusal;
use crate::store;

pub use events::{Event, Stream};
pub use record::{Filed, Job, State};
pub use run::Active;

const FOLDER: &str = "panel-jobs";
/// Files of archives that were exported, until they are too old.
const EXPORTS: &str = "panel-exports";
/// Jobs that are remembered.
const MOST: usize = 300;
/// Jobs that wait or work at once.
const MOST_ACTIVE: usize = 20;
/// An exported archive is kept so long.
const EXPORT_KEPT: Duration = Duration::from_hours(24);

/// All jobs.
pub struct Jobs {
    folder: PathBuf,
    exports: PathBuf,
    ports: Ports,
    inner: Mutex<Inner>,
    slots: Arc<run::Slots>,
    /// Answers that count no more once a job is over.
    cache: Arc<Cache>,
    /// What happens to all of them.
    pub stream: Arc<Stream>,
}

#[derive(Default)]
struct Inner {
    active: HashMap<Uuid, Arc<Active>>,
    /// Newest first.
    ended: VecDeque<Job>,
    /// What a key began: fingerprint of the request, and the job.
    keys: HashMap<String, (String, Uuid)>,
    closing: bool,
}

/// Who begins a job, and with what.
pub struct Begin<'a> {
    /// What is done.
    pub work: Work,
    /// For whom.
    pub call: Call,
    /// Who asks.
    pub user: &'a str,
    /// The key of the request and the fingerprint of its body.
    pub key: Option<(String, String)>,
}

impl Jobs {
    /// Those of a folder. What another process left under way was interrupted.
    pub fn open(
        folder: &Path,
        ports: &Ports,
        parallel: usize,
        cache: &Arc<Cache>,
    ) -> io::Result<Self> {
        let jobs = Self {
            folder: folder.join(FOLDER),
            exports: folder.join(EXPORTS),
            ports: ports.clone(),
            inner: Mutex::default(),
            slots: Arc::new(run::Slots::new(parallel)),
            cache: Arc::clone(cache),
            stream: Arc::default(),
        };
        store::make_private(&jobs.folder)?;
        jobs.take_up()?;
        Ok(jobs)
    }

    fn take_up(&self) -> io::Result<()> {
        let mut filed: Vec<Filed> = Vec::new();
        for file in fs::read_dir(&self.folder)?.flatten() {
            let path = file.path();
            if path.extension().is_none_or(|ending| ending != "json") {
                continue;
            }
            match store::read::<Filed>(&path) {
                Ok(Some(job)) => filed.push(job),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, file = %path.display(), "a job's record cannot be read");
                    fs::remove_file(&path).ok();
                }
            }
        }
        filed.sort_by_key(|filed| filed.job.creado);
        let mut inner = self.lock();
        for mut filed in filed {
            if filed.is_left() {
                filed.job.estado = State::Interrumpido;
                filed.job.fin = Some(Utc::now());
                self.file(&filed);
            }
            if let Some((key, print)) = &filed.clave {
                let began = (print.clone(), filed.job.id);
                inner.keys.insert(key.clone(), began);
            }
            inner.ended.push_front(filed.job.summary());
        }
        self.forget_old(&mut inner);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, id: Uuid) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    fn file(&self, filed: &Filed) {
        if let Err(error) = store::write(&self.path(filed.job.id), filed) {
            tracing::warn!(%error, job = %filed.job.id, "a job's record is not written");
        }
    }

    fn forget_old(&self, inner: &mut Inner) {
        while inner.ended.len() > MOST {
            let Some(old) = inner.ended.pop_back() else {
                return;
            };
            inner.keys.retain(|_, (_, id)| *id != old.id);
            fs::remove_file(self.path(old.id)).ok();
        }
        let files = fs::read_dir(&self.exports).into_iter().flatten().flatten();
        for file in files {
            let age = file.metadata().and_then(|facts| facts.modified()).ok();
            let age = age.and_then(|at| at.elapsed().ok());
            let name = file.file_name().to_string_lossy().into_owned();
            let active = inner.active.keys().any(|id| name.contains(&id.to_string()));
            if !active && age.is_some_and(|age| age > EXPORT_KEPT) {
                fs::remove_dir_all(file.path()).ok();
            }
        }
    }

    /// Where a job may write what is to be fetched.
    pub fn export_folder(&self, id: Uuid) -> PathBuf {
        self.exports.join(id.to_string())
    }

    /// The job that a key began with the same request.
    pub fn begun_with(&self, key: &(String, String)) -> Result<Option<Job>, Refusal> {
        let began = self.lock().keys.get(&key.0).cloned();
        match began {
            None => Ok(None),
            Some((print, id)) if print == key.1 => self.get(id).map(Some),
            Some(_) => Err(Refusal::new(422, "key-reused", "Idempotency-Key")),
        }
    }

    /// Begins a job. `work` is told the number, for what it writes.
    pub fn begin(self: &Arc<Self>, begin: Begin<'_>) -> Result<Job, Refusal> {
        let id = Uuid::new_v4();
        let mut work = begin.work;
        if let Work::Export { folder, .. } = &mut work {
            *folder = self.export_folder(id);
        }
        let job = Job::new(id, &work, &begin.call.base, begin.user);
        let (active, filed) = {
            let mut inner = self.lock();
            if inner.closing {
                return Err(Refusal::busy());
            }
            if inner.active.len() >= MOST_ACTIVE {
                return Err(Refusal::too_many());
            }
            if work.is_writing() {
                self.refuse_beside(&inner, &begin.call.base)?;
            }
            let active = Arc::new(Active::new(
                job.clone(),
                work,
                begin.call,
                begin.key.clone(),
            ));
            inner.active.insert(id, Arc::clone(&active));
            if let Some((key, print)) = begin.key {
                inner.keys.insert(key, (print, id));
            }
            let filed = active.filed();
            (active, filed)
        };
        self.file(&filed);
        self.stream.push("trabajo", &filed.job.summary());
        if let Err(error) = run::start(self, &active) {
            active.fail_to_begin(&error);
            self.end(&active);
        }
        Ok(job)
    }

    fn refuse_beside(&self, inner: &Inner, base: &str) -> Result<(), Refusal> {
        let mut others = inner.active.values().map(|active| active.job());
        let other = others.find(|job| job.base == base && job.escribe && !job.is_over());
        let other = other.map(|job| format!("{}: {} ({})", job.usuario, job.clase, job.id));
        match other.or_else(|| self.ports.works.at_work(base)) {
            Some(who) => Err(Refusal::new(409, "run-active", who)),
            None => Ok(()),
        }
    }

    /// A job is over.
    fn end(&self, active: &Active) {
        let filed = active.filed();
        self.file(&filed);
        let mut inner = self.lock();
        inner.active.remove(&filed.job.id);
        inner.ended.push_front(filed.job.summary());
        self.forget_old(&mut inner);
        drop(inner);
        self.stream.push("trabajo", &filed.job.summary());
    }

    /// Jobs, newest first, and how many there are.
    pub fn list(&self, limit: usize, offset: usize) -> (Vec<Job>, usize) {
        let inner = self.lock();
        let mut active: Vec<Job> = inner
            .active
            .values()
            .map(|active| active.job().summary())
            .collect();
        active.sort_by_key(|job| std::cmp::Reverse(job.creado));
        let total = active.len() + inner.ended.len();
        let all = active.iter().chain(&inner.ended);
        (all.skip(offset).take(limit).cloned().collect(), total)
    }

    /// One of them.
    pub fn get(&self, id: Uuid) -> Result<Job, Refusal> {
        if let Some(active) = self.active(id) {
            return Ok(active.job());
        }
        self.filed(id).map(|filed| filed.job)
    }

    /// One of them as it is filed.
    pub fn filed(&self, id: Uuid) -> Result<Filed, Refusal> {
        let unknown = || Refusal::new(404, "not-found", id.to_string());
        // One that is over is told of as that a moment before it is filed.
        if let Some(active) = self.active(id).filter(|active| active.job().is_over()) {
            return Ok(active.filed());
        }
        let known = self.lock().ended.iter().any(|job| job.id == id);
        if !known {
            return Err(unknown());
        }
        let read = store::read::<Filed>(&self.path(id));
        let read = read.map_err(|error| Refusal::new(503, "panel-state", error.to_string()))?;
        read.ok_or_else(unknown)
    }

    /// One that is under way.
    pub fn active(&self, id: Uuid) -> Option<Arc<Active>> {
        self.lock().active.get(&id).cloned()
    }

    /// Tells a job to stop. One that is over stays as it is.
    pub fn cancel(&self, id: Uuid) -> Result<Job, Refusal> {
        match self.active(id) {
            Some(active) if !active.job().is_over() => {
                active.cancel();
                Ok(active.job())
            }
            _ => Err(match self.get(id) {
                Ok(_) => Refusal::new(409, "job-over", id.to_string()),
                Err(refusal) => refusal,
            }),
        }
    }

    /// None begins any more; those under way may end within `within`, and are then told to stop, which takes
    /// `clean_up` at most.
    pub fn close(&self, within: Duration, clean_up: Duration) {
        self.lock().closing = true;
        if self.is_idle_within(within) {
            return;
        }
        let left: Vec<Arc<Active>> = self.lock().active.values().cloned().collect();
        for active in left {
            active.interrupt();
        }
        self.is_idle_within(clean_up);
    }

    fn is_idle_within(&self, limit: Duration) -> bool {
        let began = Instant::now();
        loop {
            if self.lock().active.is_empty() {
                return true;
            }
            if began.elapsed() >= limit {
                return false;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A call that a job makes: in the same language, until it is told to stop.
pub fn call(base: &str, lang: Lang) -> Call {
    Call {
        base: base.to_owned(),
        lang,
        stop: Stop::default(),
    }
}
