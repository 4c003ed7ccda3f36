//! A job under way: a thread of its own, watched and told to stop.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use chrono::Utc;
use serde_json::json;

use super::record::{Filed, Job, State};
use super::{Jobs, Stream};
use crate::ask::Work;
use crate::ports::{Call, Watch, Worked};
use crate::problem::Refusal;

/// Between two words on how far it is.
const TOLD_EVERY: Duration = Duration::from_millis(200);

/// A job that waits or works.
pub struct Active {
    job: Mutex<Job>,
    work: Work,
    call: Call,
    key: Option<(String, String)>,
    file: Mutex<Option<(std::path::PathBuf, String)>>,
    bytes: AtomicU64,
    told: Mutex<Option<Instant>>,
    /// Told to stop because the service ends.
    interrupted: AtomicBool,
    /// What happens to it.
    pub stream: Stream,
}

impl Active {
    /// One that waits.
    pub fn new(job: Job, work: Work, call: Call, key: Option<(String, String)>) -> Self {
        Self {
            job: Mutex::new(job),
            work,
            call,
            key,
            file: Mutex::default(),
            bytes: AtomicU64::new(0),
            told: Mutex::default(),
            interrupted: AtomicBool::new(false),
            stream: Stream::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Job> {
        self.job.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As it stands.
    pub fn job(&self) -> Job {
        let mut job = self.lock().clone();
        job.progreso.bytes = self.bytes.load(Ordering::Relaxed);
        job
    }

    /// As it is filed.
    pub fn filed(&self) -> Filed {
        // One lock after the other: whoever ends the job holds the first while it takes the second.
        let job = self.job();
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        Filed {
            job,
            proceso: std::process::id(),
            clave: self.key.clone(),
            archivo: file.clone(),
        }
    }

    /// Tells it to stop.
    pub fn cancel(&self) {
        self.lock().cancelando = true;
        self.call.stop.set();
        self.tell();
    }

    /// Tells it to stop because the service does.
    pub fn interrupt(&self) {
        self.interrupted.store(true, Ordering::SeqCst);
        self.call.stop.set();
    }

    /// No thread was to be had.
    pub fn fail_to_begin(&self, error: &io::Error) {
        let mut job = self.lock();
        job.estado = State::Fallido;
        job.fin = Some(Utc::now());
        drop(job);
        tracing::error!(%error, "a job got no thread");
    }

    fn tell(&self) {
        self.stream.push("progreso", &self.job().summary());
    }

    fn tell_now_and_then(&self) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|at| at.elapsed() >= TOLD_EVERY) {
            *told = Some(Instant::now());
            drop(told);
            self.tell();
        }
    }

    fn begins(&self) {
        let mut job = self.lock();
        job.estado = State::EnProgreso;
        job.inicio = Some(Utc::now());
        drop(job);
        self.tell();
    }

    fn ends(&self, jobs: &Jobs, worked: Result<Worked, Refusal>) {
        let was_interrupted = self.interrupted.load(Ordering::SeqCst);
        let mut job = self.lock();
        job.fin = Some(Utc::now());
        match worked {
            Ok(worked) => {
                job.estado = State::Completado;
                job.resultado = Some(worked.record);
                if let Some(file) = worked.file {
                    job.descarga = Some(format!("/api/v1/exports/{}", job.id));
                    *self.file.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
                }
            }
            Err(refusal) => {
                let stopped = self.call.stop.is_set();
                job.estado = match (was_interrupted, stopped) {
                    (true, _) => State::Interrumpido,
                    (false, true) => State::Cancelado,
                    (false, false) => State::Fallido,
                };
                job.error = Some(refusal.problem(&*jobs.ports.phrases, self.call.lang));
            }
        }
        let at = job.descarga.clone();
        let result = job
            .resultado
            .as_mut()
            .and_then(serde_json::Value::as_object_mut);
        if let (Some(result), Some(at)) = (result, at) {
            result.insert("descarga".to_owned(), json!(at));
        }
    }
}

/// The watcher of a job.
struct Watcher(Arc<Active>);

impl Watch for Watcher {
    fn step(&self, name: &str, total_bytes: Option<u64>) {
        let mut job = self.0.lock();
        job.progreso.paso = Some(name.to_owned());
        job.progreso.bytes_total = total_bytes;
        drop(job);
        self.0.bytes.store(0, Ordering::Relaxed);
        self.0.tell();
    }

    fn bytes(&self, count: u64) {
        self.0.bytes.fetch_add(count, Ordering::Relaxed);
        self.0.tell_now_and_then();
    }

    fn table(&self, name: &str) {
        let mut job = self.0.lock();
        job.progreso.tablas += 1;
        job.progreso.tabla = Some(name.to_owned());
        let told = json!({ "tabla": name, "tablas": job.progreso.tablas });
        drop(job);
        self.0.stream.push("tabla", &told);
    }
}

/// How many work at once.
pub struct Slots {
    free: Mutex<usize>,
    given: Condvar,
}

impl Slots {
    /// So many.
    pub fn new(count: usize) -> Self {
        Self {
            free: Mutex::new(count),
            given: Condvar::new(),
        }
    }

    /// Waits for one; `false`: `stop` says that it is not needed any more.
    fn take(&self, stop: &dyn Fn() -> bool) -> bool {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        while *free == 0 {
            if stop() {
                return false;
            }
            let wait = self.given.wait_timeout(free, Duration::from_millis(200));
            free = wait.unwrap_or_else(PoisonError::into_inner).0;
        }
        *free -= 1;
        true
    }

    fn give(&self) {
        *self.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.given.notify_one();
    }
}

/// Begins the thread.
pub fn start(jobs: &Arc<Jobs>, active: &Arc<Active>) -> io::Result<()> {
    let (jobs, active) = (Arc::clone(jobs), Arc::clone(active));
    let work = move || {
        let worked = work(&jobs, &active);
        // Before it is seen to be over: whoever sees that asks what is new.
        jobs.cache.forget();
        active.ends(&jobs, worked);
        // First to be had, then told: who is told asks for it.
        jobs.end(&active);
        active.stream.push("fin", &active.job());
    };
    let thread = thread::Builder::new().name("respaldo-job".to_owned());
    thread.spawn(work).map(|_| ())
}

fn work(jobs: &Jobs, active: &Arc<Active>) -> Result<Worked, Refusal> {
    let cancelled = || Refusal::new(409, "interrupted", "");
    if !jobs.slots.take(&|| active.call.stop.is_set()) {
        return Err(cancelled());
    }
    active.begins();
    jobs.file(&active.filed());
    let watch = Arc::new(Watcher(Arc::clone(active)));
    let works = || jobs.ports.works.work(&active.work, &active.call, watch);
    let worked = catch_unwind(AssertUnwindSafe(works));
    jobs.slots.give();
    match worked {
        Ok(worked) => Ok(worked?),
        Err(_) => Err(Refusal::new(500, "internal", active.work.class())),
    }
}
