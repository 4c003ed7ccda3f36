//! A put, from the source to an object that is known to be ours.
//!
//! Whatever fails before the completion leaves nothing under the key. Where the answer to a
//! completion is lost or ambiguous, the object is looked at: its mark tells who made it.

use std::sync::Arc;
use std::time::Duration;

use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Context, Fault, FaultKind, ObjectInfo, PutSource};
use tokio::task::JoinSet;

use super::parts::{Cut, Parts};
use super::store::{Found, Put, Receipt, Store, Upload};
use super::sweep::Running;
use super::{ASK_LIMIT, ObjectStoreSink};
use crate::notes;

/// How long a completion goes on after the run was told to stop: it is nearly always through by
/// then, and one that is cut short may show or not.
const COMPLETION_GRACE: Duration = Duration::from_secs(1);
/// How long the end of a put that failed is waited for; it goes on beside us.
const AFTERMATH_LIMIT: Duration = Duration::from_secs(1);

/// Stores the source under `key`, unless something is there.
pub(super) fn put<S: Store>(
    sink: &ObjectStoreSink<S>,
    key: &ObjectKey,
    source: &mut dyn PutSource,
    cx: &Context,
) -> Result<ObjectInfo, Fault> {
    let put = Put::new(key, source.size_bytes());
    let cut = Cut::of(put.size_bytes, S::SHAPE).ok_or_else(|| too_large::<S>(&put))?;
    let mut parts = Parts::new(source, key, cut, cx);
    match cut.parts {
        1 => put_whole(sink, &put, &mut parts, cx)?,
        _ => put_parts(sink, &put, &mut parts, cut, cx)?,
    }
    Ok(ObjectInfo {
        key: key.clone(),
        size_bytes: put.size_bytes,
    })
}

fn too_large<S: Store>(put: &Put) -> Fault {
    let why = format!(
        "it has {} bytes, and the store takes {} at most",
        put.size_bytes,
        S::SHAPE.max_object_bytes
    );
    Fault::new(FaultKind::Full, format!("put {}", put.key), why)
}

fn put_whole<S: Store>(
    sink: &ObjectStoreSink<S>,
    put: &Arc<Put>,
    parts: &mut Parts<'_>,
    cx: &Context,
) -> Result<(), Fault> {
    let whole = parts.next()?;
    cx.check()?;
    let made = complete(sink, cx, sink.store.put_whole(put, whole));
    settle(sink, put, made, cx)
}

fn put_parts<S: Store>(
    sink: &ObjectStoreSink<S>,
    put: &Arc<Put>,
    parts: &mut Parts<'_>,
    cut: Cut,
    cx: &Context,
) -> Result<(), Fault> {
    refuse_taken(sink, put, cx)?;
    let place = sink.store.place().whole();
    let mut note = notes::note(sink.notes.as_ref(), &place, put.key.as_str());
    let begun = sink.ask(cx, sink.store.begin(put))?;
    notes::note_id(note.as_mut(), &begun.id);
    let upload = Arc::new(Upload {
        put: Arc::clone(put),
        id: begun.id,
    });
    let running = Running::new(sink.store.place(), &upload.id).noted(note, begun.repeated);
    let made = send_and_complete(sink, &upload, parts, cut, cx);
    match &made {
        Ok(()) => running.done(),
        Err(_) => give_up(sink, upload, running),
    }
    made
}

/// Tells a taken key before gigabytes are sent; only the completion is sure.
fn refuse_taken<S: Store>(sink: &ObjectStoreSink<S>, put: &Put, cx: &Context) -> Result<(), Fault> {
    match sink.ask(cx, sink.store.head(&put.key)) {
        Ok(_) => Err(taken(sink, put)),
        Err(fault) if fault.kind == FaultKind::NotFound => Ok(()),
        Err(fault) => Err(fault),
    }
}

fn taken<S: Store>(sink: &ObjectStoreSink<S>, put: &Put) -> Fault {
    let location = sink.store.place().location(&put.key);
    Fault::bare(FaultKind::Exists, format!("{location} is there already"))
}

fn send_and_complete<S: Store>(
    sink: &ObjectStoreSink<S>,
    upload: &Arc<Upload>,
    parts: &mut Parts<'_>,
    cut: Cut,
    cx: &Context,
) -> Result<(), Fault> {
    let mut sending = Sending::new(sink, upload);
    for _ in 1..cut.parts {
        sending.wait_until(cut.held - 1, cx)?;
        let part = parts.next()?;
        sending.wait_until(S::SHAPE.at_once - 1, cx)?;
        sending.begin(part);
    }
    sending.wait_until(cut.held - 1, cx)?;
    let last = parts.next()?;
    sending.wait_until(0, cx)?;
    let receipts = sending.receipts();
    let made = complete(sink, cx, sink.store.complete(upload, receipts, last));
    settle(sink, &upload.put, made, cx)
}

/// Parts on their way. Dropped, they stop where they are.
struct Sending<'a, S> {
    sink: &'a ObjectStoreSink<S>,
    upload: &'a Arc<Upload>,
    tasks: JoinSet<Result<Receipt, Fault>>,
    receipts: Vec<Receipt>,
}

impl<'a, S: Store> Sending<'a, S> {
    fn new(sink: &'a ObjectStoreSink<S>, upload: &'a Arc<Upload>) -> Self {
        Self {
            sink,
            upload,
            tasks: JoinSet::new(),
            receipts: Vec::new(),
        }
    }

    fn begin(&mut self, part: super::parts::Part) {
        let (store, upload) = (Arc::clone(&self.sink.store), Arc::clone(self.upload));
        let work = async move { store.put_part(&upload, part).await };
        self.tasks.spawn_on(work, self.sink.driver.handle());
    }

    /// Waits until no more than so many parts are on their way.
    fn wait_until(&mut self, parts: u64, cx: &Context) -> Result<(), Fault> {
        while self.tasks.len() as u64 > parts {
            let tasks = &mut self.tasks;
            let next = async { Ok(tasks.join_next().await) };
            match self.sink.ask(cx, next)? {
                Some(Ok(receipt)) => self.receipts.push(receipt?),
                Some(Err(error)) => {
                    let subject = format!("send a part of {}", self.upload.put.key);
                    return Err(Fault::new(FaultKind::Internal, subject, error));
                }
                None => break,
            }
        }
        Ok(())
    }

    /// What the store said of each part, in their order.
    fn receipts(self) -> Vec<Receipt> {
        let mut receipts = self.receipts;
        receipts.sort_by_key(|receipt| receipt.number);
        receipts
    }
}

/// Waits for a completion; one that is under way is not cut short the moment the run is to stop.
fn complete<S: Store>(
    sink: &ObjectStoreSink<S>,
    cx: &Context,
    work: impl Future<Output = Result<(), Fault>>,
) -> Result<(), Fault> {
    cx.check()?;
    let patient = async {
        tokio::select! {
            made = work => made,
            fault = stopped_long_ago(cx) => Err(fault),
        }
    };
    sink.ask(&Context::quiet(), patient)
}

async fn stopped_long_ago(cx: &Context) -> Fault {
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if let Err(fault) = cx.check() {
            tokio::time::sleep(COMPLETION_GRACE).await;
            return fault;
        }
    }
}

/// Holds what the store says of a completion against the object that is there.
fn settle<S: Store>(
    sink: &ObjectStoreSink<S>,
    put: &Arc<Put>,
    made: Result<(), Fault>,
    cx: &Context,
) -> Result<(), Fault> {
    if let Err(fault) = &made
        && !is_ambiguous(fault.kind)
    {
        if fault.kind == FaultKind::Cancelled {
            take_back(sink, put);
        }
        return made;
    }
    let found = sink.driver.wait(
        &format!("look for {}", put.key),
        ASK_LIMIT,
        cx,
        sink.store.head(&put.key),
    );
    match (made, found) {
        (_, Ok(found)) if is_of(&found, put) => ensure_size(&found, put),
        (Ok(()), Ok(_)) => Err(foreign(put)),
        // The store had said so, and had checked each part.
        (Ok(()), Err(fault)) if fault.kind.is_transient() => Ok(()),
        (Ok(()), Err(fault)) => Err(fault),
        (Err(_), Ok(_)) => Err(taken(sink, put)),
        (Err(fault), Err(_)) => Err(vanished(put, fault)),
    }
}

/// Whether the object may be ours all the same: an answer was lost, and the request was repeated.
fn is_ambiguous(kind: FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::Exists | FaultKind::NotFound | FaultKind::Unavailable | FaultKind::Invalid
    )
}

fn is_of(found: &Found, put: &Put) -> bool {
    found.mark.as_ref() == Some(&put.mark)
}

fn ensure_size(found: &Found, put: &Put) -> Result<(), Fault> {
    if found.size_bytes == put.size_bytes {
        return Ok(());
    }
    let subject = format!(
        "{} has {} bytes in the store, and {} were sent",
        put.key, found.size_bytes, put.size_bytes
    );
    Err(Fault::bare(FaultKind::Corrupt, subject))
}

fn foreign(put: &Put) -> Fault {
    let why = "another object lies under the key, or the store keeps no metadata of objects: \
               it cannot be used";
    Fault::new(FaultKind::Invalid, format!("put {}", put.key), why)
}

/// Nothing is under the key although it was taken a moment ago, or the upload is gone: again.
fn vanished(put: &Put, fault: Fault) -> Fault {
    match fault.kind {
        FaultKind::Exists | FaultKind::NotFound => {
            let subject = format!("put {}: the upload was disturbed by another", put.key);
            Fault {
                kind: FaultKind::Unavailable,
                subject,
                source: Some(Box::new(fault)),
            }
        }
        _ => fault,
    }
}

/// Removes an object of ours that a completion made although it was cut short.
fn take_back<S: Store>(sink: &ObjectStoreSink<S>, put: &Arc<Put>) {
    let (store, put) = (Arc::clone(&sink.store), Arc::clone(put));
    beside(sink, async move {
        if let Ok(found) = store.head(&put.key).await
            && is_of(&found, &put)
            && let Err(error) = store.delete(&put.key).await
        {
            tracing::warn!(key = %put.key, ?error, "an object of a stopped put is left");
        }
    });
}

/// Ends an upload. What fails is left to a sweep.
fn give_up<S: Store>(sink: &ObjectStoreSink<S>, upload: Arc<Upload>, running: Running) {
    running.given_up();
    let running = match S::ENDS_AT_ONCE {
        true => running,
        false => running.unsure(),
    };
    let store = Arc::clone(&sink.store);
    beside(sink, async move {
        match store.abort(&upload).await {
            Ok(()) => running.done(),
            Err(error) => {
                tracing::warn!(key = %upload.put.key, ?error, "an upload is left to a sweep");
            }
        }
    });
}

/// Does what remains to be done after a put that failed. It is waited for a moment, and goes on
/// beside us where it takes longer.
fn beside<S: Store>(sink: &ObjectStoreSink<S>, work: impl Future<Output = ()> + Send + 'static) {
    let work = sink.driver.handle().spawn(work);
    let ended = async {
        let _ = work.await;
        Ok(())
    };
    let quiet = Context::quiet();
    let _ = sink
        .driver
        .wait("end a put", AFTERMATH_LIMIT, &quiet, ended);
}
