//! The child's side: loads the library, makes the instance, and answers calls, one thread per lane.
//!
//! It ends when its parent does, at once and with all that the plugin has started.

use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use respaldo_sdk::Status;
use respaldo_sdk::abi::STATUS_OK;
use rustix::process::{Resource, Rlimit, Signal};

use super::frame::{Answer, Ask, Frame, Made, append};
use super::lane::{self, Lane, SLOT_BYTES, SLOTS};
use super::process::lock;
use crate::error::PluginErrorKind;
use crate::in_process::{Host, Local, Outcome, STACK_BYTES};
use crate::library::Library;
use crate::request::Request;
use crate::service::{Borrower, Lender};

/// Bytes of documents that are sent together.
const BATCH_BYTES: usize = 32 << 10;
/// How long documents and bytes wait for others.
const BATCH_WAIT: Duration = Duration::from_millis(100);

/// Runs the child; `memory_bytes` is the second argument, where there is one.
pub fn child_main(memory_bytes: Option<&str>) -> ExitCode {
    let control = match prepare(memory_bytes) {
        Ok(control) => control,
        Err(error) => {
            last_words("be prepared", &error);
            return ExitCode::FAILURE;
        }
    };
    let shared = Arc::new(Shared::default());
    while let Ok(Some((what, files))) = lane::receive_files(&control) {
        if let Err(error) = shared.take(what, files) {
            last_words("go on", &error);
            break;
        }
    }
    // The parent is gone. What the plugin started is in our group, as we are.
    let _ = rustix::process::kill_current_process_group(Signal::KILL);
    ExitCode::FAILURE
}

/// The parent keeps what is said here, and shows it when the child is gone.
fn last_words(what: &str, error: &io::Error) {
    let _ = writeln!(
        io::stderr(),
        "the process of a plugin cannot {what}: {error}"
    );
}

/// Takes the control socket from where programs that the plugin starts would inherit it, and lays off
/// what a plugin does not need.
fn prepare(memory_bytes: Option<&str>) -> io::Result<OwnedFd> {
    let control = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 10)?;
    let null = File::open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    // Fails only where it leads a group already.
    let _ = rustix::process::setsid();
    rustix::thread::set_no_new_privs(true)?;
    limit(Resource::Core, 0)?;
    if let Some(bytes) = memory_bytes.and_then(|text| text.parse().ok()) {
        limit(Resource::As, bytes)?;
    }
    Ok(control)
}

fn limit(what: Resource, most: u64) -> io::Result<()> {
    let limit = Rlimit {
        current: Some(most),
        maximum: Some(most),
    };
    Ok(rustix::process::setrlimit(what, limit)?)
}

/// What all lanes use.
#[derive(Default)]
struct Shared {
    file: Mutex<Option<File>>,
    library: OnceLock<Result<Library, String>>,
    instance: OnceLock<Local>,
}

impl Shared {
    fn take(self: &Arc<Self>, what: u8, files: Vec<OwnedFd>) -> io::Result<()> {
        let mut files = files.into_iter();
        match (what, files.next(), files.next()) {
            (lane::LIBRARY, Some(file), None) => {
                *lock(&self.file) = Some(File::from(file));
                Ok(())
            }
            (lane::LANE, Some(socket), Some(memory)) => {
                let lane = Lane::of(UnixStream::from(socket), &memory)?;
                let shared = Arc::clone(self);
                thread::Builder::new()
                    .name("plugin lane".to_owned())
                    .stack_size(STACK_BYTES)
                    .spawn(move || shared.serve(&lane))?;
                Ok(())
            }
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// Answers what is asked on a lane until the parent closes it.
    fn serve(&self, lane: &Lane) {
        while let Ok(Frame::Call(text)) = Frame::read(&lane.socket) {
            let answered = serde_json::from_slice(&text)
                .map_err(io::Error::from)
                .and_then(|ask| self.answer(&ask, lane));
            if answered.and_then(|()| drain(lane)).is_err() {
                return;
            }
        }
    }

    fn answer(&self, ask: &Ask, lane: &Lane) -> io::Result<()> {
        let speaker = Line::new(lane);
        let answered = match ask {
            Ask::Load => self.load(&speaker).map(|()| Answer::default()),
            Ask::Create { id, options } => self.create(id, options, &speaker),
            Ask::Call(request) => self.call(request, &speaker),
        };
        let reply = answered.unwrap_or_else(|error| answer_of(&error));
        speaker.flush()?;
        speaker.send(&Frame::Result(serde_json::to_vec(&reply)?))
    }

    fn library(&self) -> Result<&Library, PluginErrorKind> {
        let load = || {
            let file = lock(&self.file).take();
            let file = file.ok_or_else(|| "no library was sent".to_owned())?;
            Library::open(file).map_err(|error| error.to_string())
        };
        let library = self.library.get_or_init(load).as_ref();
        library.map_err(|why| PluginErrorKind::Load(why.clone()))
    }

    fn load(&self, speaker: &Line<'_>) -> Result<(), PluginErrorKind> {
        for description in self.library()?.descriptions()? {
            let json = serde_json::to_string(&description)
                .map_err(|error| PluginErrorKind::System(error.into()))?;
            speaker.emit(&json);
        }
        Ok(())
    }

    fn create(
        &self,
        id: &str,
        options: &str,
        speaker: &Line<'_>,
    ) -> Result<Answer, PluginErrorKind> {
        let local = Local::create(self.library()?, id, id, options)?;
        let made = Made {
            location: local.location().to_owned(),
            concurrent: local.is_concurrent(),
        };
        let made = serde_json::to_string(&made);
        speaker.emit(&made.map_err(|error| PluginErrorKind::System(error.into()))?);
        let _ = self.instance.set(local);
        Ok(Answer::default())
    }

    fn call(&self, request: &Request, speaker: &Line<'_>) -> Result<Answer, PluginErrorKind> {
        let Some(instance) = self.instance.get() else {
            let what = "an instance was called before it was made";
            return Err(PluginErrorKind::Broke(what.to_owned()));
        };
        let (mut source, mut into) = (Source::new(speaker), Into::new(speaker));
        let Outcome {
            status,
            message,
            read_bytes,
            stream,
        } = instance.invoke(
            request,
            Some(&mut source as &mut dyn Lender),
            Some(&mut into as &mut dyn Borrower),
            speaker,
        );
        // Only a stream that the parent knows to have failed can have: it has the reason.
        let failed = stream.is_some() && status == STATUS_OK;
        Ok(Answer {
            status: if failed {
                Status::Stream.code()
            } else {
                status
            },
            message,
            read_bytes,
            load_failed: false,
        })
    }
}

fn answer_of(error: &PluginErrorKind) -> Answer {
    let status = match error {
        PluginErrorKind::Failed { status, .. } => *status,
        _ => Status::Internal,
    };
    Answer {
        status: status.code(),
        message: error.to_string(),
        read_bytes: 0,
        load_failed: matches!(error, PluginErrorKind::Load(_) | PluginErrorKind::Broke(_)),
    }
}

/// What the parent sent for a call that did not want it.
fn drain(lane: &Lane) -> io::Result<()> {
    while Frame::read(&lane.socket)? != Frame::Over {}
    Ok(())
}

/// Our end of a lane during a call; frames of several threads do not mix.
struct Line<'a> {
    lane: &'a Lane,
    out: Mutex<Batch>,
}

#[derive(Default)]
struct Batch {
    documents: Vec<u8>,
    since: Option<Instant>,
    is_closed: bool,
}

impl<'a> Line<'a> {
    fn new(lane: &'a Lane) -> Self {
        Self {
            lane,
            out: Mutex::default(),
        }
    }

    fn send(&self, frame: &Frame) -> io::Result<()> {
        let _one_at_a_time = lock(&self.out);
        frame.write(&self.lane.socket)
    }

    fn flush(&self) -> io::Result<()> {
        let mut batch = lock(&self.out);
        self.flush_batch(&mut batch)
    }

    fn flush_batch(&self, batch: &mut Batch) -> io::Result<()> {
        let documents = std::mem::take(&mut batch.documents);
        batch.since = None;
        if documents.is_empty() {
            return Ok(());
        }
        Frame::Emit(documents).write(&self.lane.socket)
    }
}

impl Host for Line<'_> {
    fn is_cancelled(&self) -> bool {
        self.lane.is_cancelled()
    }

    fn progress(&self, done: u64, _total: u64) {
        // A parent that is gone ends this process by itself.
        let _ = self
            .flush()
            .and_then(|()| self.send(&Frame::Progress { done }));
    }

    fn emit(&self, json: &str) -> bool {
        let mut batch = lock(&self.out);
        append(&mut batch.documents, json);
        let since = *batch.since.get_or_insert_with(Instant::now);
        if batch.documents.len() >= BATCH_BYTES || since.elapsed() >= BATCH_WAIT {
            batch.is_closed |= self.flush_batch(&mut batch).is_err();
        }
        !batch.is_closed && !self.lane.is_cancelled()
    }

    fn log(&self, level: u32, message: &str) {
        let message = message.as_bytes().to_vec();
        let _ = self.send(&Frame::Log { level, message });
    }
}

/// The stream that the parent sends.
struct Source<'a, 'b> {
    line: &'a Line<'b>,
    /// Slot, what of it was read, and its length.
    current: Option<(u32, usize, usize)>,
    has_ended: bool,
}

impl<'a, 'b> Source<'a, 'b> {
    fn new(line: &'a Line<'b>) -> Self {
        Self {
            line,
            current: None,
            has_ended: false,
        }
    }

    /// Waits for the next slot, unless there is one or the stream has ended.
    fn advance(&mut self) -> io::Result<()> {
        while self.current.is_none() && !self.has_ended {
            match Frame::read(&self.line.lane.socket)? {
                Frame::Data { slot, len } => {
                    let len = usize::try_from(len).unwrap_or(SLOT_BYTES).min(SLOT_BYTES);
                    self.current = Some((slot, 0, len));
                }
                Frame::End => self.has_ended = true,
                _ => return Err(failed()),
            }
        }
        Ok(())
    }
}

impl BufRead for Source<'_, '_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.advance()?;
        Ok(match self.current {
            Some((slot, read, len)) => &self.line.lane.slot(slot)[read..len],
            None => &[],
        })
    }

    fn consume(&mut self, amount: usize) {
        let Some((slot, read, len)) = self.current else {
            return;
        };
        let read = read + amount;
        self.current = (read < len).then_some((slot, read, len));
        if self.current.is_none() {
            let _ = self.line.send(&Frame::Credit { slot });
        }
    }
}

impl Read for Source<'_, '_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let lent = self.fill_buf()?;
        let len = lent.len().min(room.len());
        room[..len].copy_from_slice(&lent[..len]);
        self.consume(len);
        Ok(len)
    }
}

/// The stream that the parent takes.
struct Into<'a, 'b> {
    line: &'a Line<'b>,
    free: Vec<u32>,
    /// Slot, what of it is written, and since when.
    current: Option<(u32, usize, Instant)>,
}

impl<'a, 'b> Into<'a, 'b> {
    fn new(line: &'a Line<'b>) -> Self {
        Self {
            line,
            free: (0..SLOTS).collect(),
            current: None,
        }
    }

    fn hand_over(&mut self) -> io::Result<()> {
        let Some((slot, len, _)) = self.current.take() else {
            return Ok(());
        };
        let len = len as u64;
        self.line.send(&Frame::Data { slot, len })
    }

    fn free_slot(&mut self) -> io::Result<u32> {
        if let Some(slot) = self.free.pop() {
            return Ok(slot);
        }
        match Frame::read(&self.line.lane.socket)? {
            Frame::Credit { slot } => Ok(slot),
            _ => Err(failed()),
        }
    }
}

impl Borrower for Into<'_, '_> {
    fn reserve(&mut self) -> io::Result<&mut [u8]> {
        if self.line.lane.is_cancelled() {
            return Err(failed());
        }
        let (slot, len) = match self.current {
            Some((slot, len, _)) => (slot, len),
            None => {
                let slot = self.free_slot()?;
                self.current = Some((slot, 0, Instant::now()));
                (slot, 0)
            }
        };
        Ok(&mut self.line.lane.slot(slot)[len..])
    }

    fn commit(&mut self, amount: usize) -> io::Result<()> {
        let Some((slot, len, since)) = self.current else {
            return Err(failed());
        };
        let len = len + amount;
        self.current = Some((slot, len, since));
        // What trickles is a sign of life, too.
        if len == SLOT_BYTES || (len > 0 && since.elapsed() >= 10 * BATCH_WAIT) {
            return self.hand_over();
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        match self.current {
            Some((_, len, _)) if len > 0 => self.hand_over(),
            _ => Ok(()),
        }
    }
}

fn failed() -> io::Error {
    io::Error::other("the other end has given up the stream")
}
