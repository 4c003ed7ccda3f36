//! Our side of calls to a child.

use std::fs::File;
use std::io::{self, Read};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use respaldo_engine::ports::{Context, Interrupt};
use respaldo_sdk::abi::STATUS_OK;
use rustix::event::{PollFd, PollFlags, Timespec};

use super::frame::{Answer, Ask, Frame, Made, documents};
use super::lane::{Lane, SLOT_BYTES, SLOTS};
use super::process::{Process, lock};
use crate::config::PluginConfig;
use crate::error::PluginErrorKind;
use crate::in_process::{self, Outcome, judge};
use crate::library::Description;
use crate::request::Request;
use crate::service::{Service, Streams};

/// How often a wait looks whether the call was cancelled.
const LOOK: Duration = Duration::from_millis(50);

/// A plugin in a child process, which is started when it is needed.
pub(crate) struct Isolated {
    config: PluginConfig,
    id: String,
    library: File,
    state: Mutex<State>,
    /// Held during a call where the plugin wants one call after the other: whoever waits for his turn
    /// here is not waiting for the plugin.
    turn: Mutex<()>,
}

#[derive(Default)]
struct State {
    process: Option<Arc<Process>>,
    deaths: u32,
    made: Made,
}

impl Isolated {
    /// A plugin of the library in this memory; nothing is started yet.
    pub(crate) fn new(config: PluginConfig, id: String, library: File) -> Self {
        Self {
            config,
            id,
            library,
            state: Mutex::default(),
            turn: Mutex::default(),
        }
    }

    /// What is in a library, asked in a child that lives no longer.
    pub(crate) fn describe(
        config: &PluginConfig,
        library: &File,
    ) -> Result<Vec<Description>, PluginErrorKind> {
        let process = Process::start(config, library).map_err(PluginErrorKind::System)?;
        load(&process, config)
    }

    /// Starts the child, where it is not, so that what keeps it from starting shows now.
    pub(crate) fn start(&self) -> Result<(), PluginErrorKind> {
        self.process().map(drop)
    }

    fn process(&self) -> Result<Arc<Process>, PluginErrorKind> {
        let mut state = lock(&self.state);
        if let Some(process) = &state.process {
            return Ok(Arc::clone(process));
        }
        if state.deaths > self.config.limits.max_restarts {
            return Err(PluginErrorKind::Disabled(format!(
                "it ended {} times in a row and is not started again before respaldo is",
                state.deaths
            )));
        }
        let started = self.start_anew();
        match started {
            Ok((process, made)) => {
                state.made = made;
                state.process = Some(Arc::clone(&process));
                Ok(process)
            }
            Err(error) => {
                state.deaths += 1;
                Err(error)
            }
        }
    }

    fn start_anew(&self) -> Result<(Arc<Process>, Made), PluginErrorKind> {
        let process =
            Process::start(&self.config, &self.library).map_err(PluginErrorKind::System)?;
        load(&process, &self.config)?;
        let create = Ask::Create {
            id: self.id.clone(),
            options: self.config.options.to_string(),
        };
        let mut made = Made::default();
        ask(&process, &self.config, &create, &mut |json| {
            made = serde_json::from_str(json)
                .map_err(|error| PluginErrorKind::Broke(error.to_string()))?;
            Ok(())
        })?;
        Ok((Arc::new(process), made))
    }

    /// After a call: a process that is of no use any more goes, and the next call gets another.
    fn note(&self, process: &Arc<Process>, result: &Result<(), PluginErrorKind>) {
        let mut state = lock(&self.state);
        match result {
            Err(error) if error.is_fatal() => {
                process.kill();
                if state
                    .process
                    .as_ref()
                    .is_some_and(|current| Arc::ptr_eq(current, process))
                {
                    state.process = None;
                    state.deaths += 1;
                }
            }
            Ok(()) => state.deaths = 0,
            Err(_) => {}
        }
    }
}

impl Service for Isolated {
    fn call(
        &self,
        request: &Request,
        streams: &mut Streams<'_>,
        cx: &Context,
    ) -> Result<(), PluginErrorKind> {
        let process = self.process()?;
        let is_concurrent = lock(&self.state).made.concurrent;
        let _turn = (!is_concurrent).then(|| lock(&self.turn));
        let limits = &self.config.limits;
        let conversation = Conversation::begin(&process, limits.stall, limits.grace, cx);
        let ended = conversation
            .and_then(|conversation| conversation.run(&Ask::Call(request.clone()), streams));
        let result = ended.and_then(|ended| judge(request, ended.outcome, ended.refused, cx));
        // A killed call of a cancelled run is over as was wanted, but its process is dead all the same.
        self.note(&process, &result);
        match result {
            Err(PluginErrorKind::Hung(_)) if cx.interrupt().is_set() => {
                Err(PluginErrorKind::Cancelled)
            }
            other => other,
        }
    }

    fn location(&self) -> String {
        lock(&self.state).made.location.clone()
    }

    fn resident_bytes(&self) -> Option<u64> {
        lock(&self.state).process.as_ref()?.resident_bytes()
    }
}

fn load(process: &Process, config: &PluginConfig) -> Result<Vec<Description>, PluginErrorKind> {
    let mut found = Vec::new();
    ask(process, config, &Ask::Load, &mut |json| {
        let description = serde_json::from_str(json);
        found.push(description.map_err(|error| PluginErrorKind::Broke(error.to_string()))?);
        Ok(())
    })?;
    Ok(found)
}

/// A question without streams, within the time for loading.
fn ask(
    process: &Process,
    config: &PluginConfig,
    question: &Ask,
    emit: &mut (dyn FnMut(&str) -> Result<(), PluginErrorKind> + Send),
) -> Result<(), PluginErrorKind> {
    let cx = Context::quiet().with_interrupt(Interrupt::default());
    let mut streams = Streams {
        source: None,
        into: None,
        emit,
    };
    let limits = &config.limits;
    let conversation = Conversation::begin(process, limits.load, limits.grace, &cx)?;
    let ended = conversation.run(question, &mut streams)?;
    let outcome = ended.outcome;
    if ended.load_failed {
        return Err(PluginErrorKind::Load(outcome.message));
    }
    if let Some(refused) = ended.refused {
        return Err(refused);
    }
    if outcome.status == STATUS_OK {
        return Ok(());
    }
    let status = respaldo_sdk::Status::of_code(outcome.status);
    Err(PluginErrorKind::failed(status, outcome.message))
}

/// One call on one lane.
struct Conversation<'a> {
    process: &'a Process,
    lane: Lane,
    cx: &'a Context,
    stall: Duration,
    grace: Duration,
    /// Slots that are ours to fill.
    free: Vec<u32>,
    /// Time that the plugin has been silent while it was its turn.
    silent: Duration,
    /// Most that it has told to have done.
    done: u64,
    asked_to_stop: Option<Instant>,
    source_ended: bool,
    stream: Option<io::Error>,
    refused: Option<PluginErrorKind>,
    window: Vec<u8>,
}

/// How a conversation ended.
struct Ended {
    outcome: Outcome,
    refused: Option<PluginErrorKind>,
    load_failed: bool,
}

impl<'a> Conversation<'a> {
    fn begin(
        process: &'a Process,
        stall: Duration,
        grace: Duration,
        cx: &'a Context,
    ) -> Result<Self, PluginErrorKind> {
        let lane = process.lane().map_err(|_| crashed(process))?;
        lane.set_cancelled(false);
        // A half frame must not keep us longer than silence does.
        let limited = lane.socket.set_read_timeout(Some(stall));
        limited
            .and_then(|()| lane.socket.set_write_timeout(Some(stall)))
            .map_err(PluginErrorKind::System)?;
        Ok(Self {
            process,
            lane,
            cx,
            stall,
            grace,
            free: Vec::new(),
            silent: Duration::ZERO,
            done: 0,
            asked_to_stop: None,
            source_ended: false,
            stream: None,
            refused: None,
            window: Vec::new(),
        })
    }

    fn run(mut self, ask: &Ask, streams: &mut Streams<'_>) -> Result<Ended, PluginErrorKind> {
        let text = serde_json::to_vec(ask).map_err(|e| PluginErrorKind::System(e.into()))?;
        self.send(&Frame::Call(text))?;
        if streams.source.is_some() {
            self.free.extend(0..SLOTS);
        } else {
            self.source_ended = true;
        }
        loop {
            self.feed(streams)?;
            let Some(frame) = self.next()? else {
                continue;
            };
            if let Some(answer) = self.take(frame, streams)? {
                return self.end(answer);
            }
        }
    }

    /// Fills one free slot, where there is something to fill it with.
    fn feed(&mut self, streams: &mut Streams<'_>) -> Result<(), PluginErrorKind> {
        let (Some(source), false) = (streams.source.as_deref_mut(), self.source_ended) else {
            return Ok(());
        };
        let Some(slot) = self.free.pop() else {
            return Ok(());
        };
        match fill(source, self.lane.slot(slot)) {
            Ok(0) => {
                self.source_ended = true;
                self.send(&Frame::End)
            }
            Ok(len) => self.send(&Frame::Data {
                slot,
                len: len as u64,
            }),
            Err(error) => {
                self.stream = Some(error);
                self.stop()
            }
        }
    }

    /// The next frame, or nothing where there is none yet and something else may be done.
    fn next(&mut self) -> Result<Option<Frame>, PluginErrorKind> {
        let may_feed = !self.source_ended && !self.free.is_empty();
        let wait = if may_feed { Duration::ZERO } else { LOOK };
        let since = Instant::now();
        let is_readable = self.is_readable(wait)?;
        if !may_feed {
            self.silent += since.elapsed();
        }
        if is_readable {
            return match Frame::read(&self.lane.socket) {
                Ok(frame) => Ok(Some(frame)),
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    Err(PluginErrorKind::Broke(format!("it sent {error}")))
                }
                Err(_) => Err(crashed(self.process)),
            };
        }
        self.look_at_the_clocks()?;
        Ok(None)
    }

    fn is_readable(&self, wait: Duration) -> Result<bool, PluginErrorKind> {
        let mut fds = [PollFd::new(&self.lane.socket, PollFlags::IN)];
        let wait = Timespec {
            tv_sec: wait.as_secs().cast_signed(),
            tv_nsec: i64::from(wait.subsec_nanos()),
        };
        match rustix::event::poll(&mut fds, Some(&wait)) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(PluginErrorKind::System(error.into())),
        }
    }

    fn look_at_the_clocks(&mut self) -> Result<(), PluginErrorKind> {
        if self.cx.interrupt().is_set() && self.asked_to_stop.is_none() {
            self.stop()?;
        }
        let seconds = |limit: Duration| format!("{:.0} s", limit.as_secs_f64());
        if self
            .asked_to_stop
            .is_some_and(|at| at.elapsed() > self.grace)
        {
            self.process.kill();
            return Err(PluginErrorKind::Hung(format!(
                "it was asked to stop and had not after {}; its process was killed",
                seconds(self.grace)
            )));
        }
        if self.silent > self.stall {
            self.process.kill();
            return Err(PluginErrorKind::Hung(format!(
                "it gave no sign of life for {}; its process was killed",
                seconds(self.stall)
            )));
        }
        Ok(())
    }

    /// Wakes it where it waits for a stream, and tells it where it asks.
    fn stop(&mut self) -> Result<(), PluginErrorKind> {
        self.asked_to_stop.get_or_insert_with(Instant::now);
        self.source_ended = true;
        self.lane.set_cancelled(true);
        self.send(&Frame::Abort)
    }

    fn take(
        &mut self,
        frame: Frame,
        streams: &mut Streams<'_>,
    ) -> Result<Option<Answer>, PluginErrorKind> {
        if self.is_sign_of_life(&frame) {
            self.silent = Duration::ZERO;
        }
        match frame {
            Frame::Credit { slot } if slot < SLOTS && !self.free.contains(&slot) => {
                self.free.push(slot);
            }
            Frame::Data { slot, len } if slot < SLOTS && len <= SLOT_BYTES as u64 => {
                self.write(slot, len as usize, streams)?;
            }
            Frame::Emit(batch) => self.emit(&batch, streams)?,
            Frame::Progress { done } => self.done = self.done.max(done),
            Frame::Log { level, message } => {
                in_process::log(
                    self.process.plugin(),
                    level,
                    &String::from_utf8_lossy(&message),
                );
            }
            Frame::Result(text) => {
                let answer = serde_json::from_slice(&text);
                return answer
                    .map(Some)
                    .map_err(|error| PluginErrorKind::Broke(error.to_string()));
            }
            _ => {
                let what = "its process sent a frame that has no place here";
                return Err(PluginErrorKind::Broke(what.to_owned()));
            }
        }
        self.look_at_the_clocks().map(|()| None)
    }

    /// Words are none, nor is progress that stands still.
    fn is_sign_of_life(&self, frame: &Frame) -> bool {
        match frame {
            Frame::Log { .. } => false,
            Frame::Progress { done } => *done > self.done,
            _ => true,
        }
    }

    fn write(
        &mut self,
        slot: u32,
        len: usize,
        streams: &mut Streams<'_>,
    ) -> Result<(), PluginErrorKind> {
        let Some(into) = streams.into.as_deref_mut() else {
            let what = "it wrote where nothing is to be written";
            return Err(PluginErrorKind::Broke(what.to_owned()));
        };
        if self.stream.is_some() || self.asked_to_stop.is_some() {
            return Ok(());
        }
        self.window.resize(SLOT_BYTES, 0);
        let bytes = &mut self.window[..len];
        self.lane.copy_out(slot, bytes);
        match into.write_all(bytes) {
            Ok(()) => self.send(&Frame::Credit { slot }),
            Err(error) => {
                self.stream = Some(error);
                self.stop()
            }
        }
    }

    fn emit(&mut self, batch: &[u8], streams: &mut Streams<'_>) -> Result<(), PluginErrorKind> {
        let Some(documents) = documents(batch) else {
            let what = "its process sent documents that are none";
            return Err(PluginErrorKind::Broke(what.to_owned()));
        };
        for json in documents {
            if self.refused.is_some() {
                break;
            }
            if let Err(error) = (streams.emit)(json) {
                self.refused = Some(error);
                self.stop()?;
            }
        }
        Ok(())
    }

    fn send(&self, frame: &Frame) -> Result<(), PluginErrorKind> {
        frame
            .write(&self.lane.socket)
            .map_err(|_| crashed(self.process))
    }

    /// The lane is of use again.
    fn end(self, answer: Answer) -> Result<Ended, PluginErrorKind> {
        self.send(&Frame::Over)?;
        self.process.give_back(self.lane);
        Ok(Ended {
            outcome: Outcome {
                status: answer.status,
                message: answer.message,
                read_bytes: answer.read_bytes,
                stream: self.stream,
            },
            refused: self.refused,
            load_failed: answer.load_failed,
        })
    }
}

fn crashed(process: &Process) -> PluginErrorKind {
    PluginErrorKind::Crashed(process.epitaph())
}

/// Reads until the room is full or the source ends.
fn fill(source: &mut (dyn Read + Send), room: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < room.len() {
        match source.read(&mut room[filled..]) {
            Ok(0) => break,
            Ok(got) => filled += got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
