//! Calls to a library in this process.
//!
//! Both sides of the isolation use it: the engine's process for plugins that the operator trusts, and
//! the child process for all others.
#![expect(unsafe_code, reason = "the boundary to a library of somebody else")]

mod callbacks;
mod texts;

use std::ffi::c_void;
use std::io::{self, BufReader};
use std::sync::{Mutex, PoisonError};
use std::thread;

use respaldo_engine::ports::Context;
use respaldo_sdk::Status;
use respaldo_sdk::abi::{
    Detector, Dumper, FLAG_CONCURRENT, Instance, STATUS_OK, Storage, Validator,
};

use crate::error::PluginErrorKind;
use crate::library::{Library, field};
use crate::request::Request;
use crate::service::{BUFFER_BYTES, Borrower, Buffered, Emit, Lender, Service, Streams};
use callbacks::{CallState, ReaderState, WriterState};
use texts::HostText;

/// Stack of a thread that calls a plugin: what authors of C libraries count on.
pub(crate) const STACK_BYTES: usize = 8 << 20;

/// What a call asks of whoever made it.
pub(crate) trait Host: Sync {
    /// Whether the call is to stop.
    fn is_cancelled(&self) -> bool;
    /// A sign of life.
    fn progress(&self, done: u64, total: u64);
    /// Takes a document; false: stop.
    fn emit(&self, json: &str) -> bool;
    /// Takes a line of log.
    fn log(&self, level: u32, message: &str);
}

/// How a call ended, in the plugin's words and in those of the streams.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: i32,
    pub(crate) message: String,
    pub(crate) read_bytes: u64,
    pub(crate) stream: Option<io::Error>,
}

/// An instance in this process.
pub(crate) struct Local {
    instance: Instance,
    api: u32,
    /// Its name in the configuration, for the log.
    name: String,
    /// Held during a call where the plugin wants one call after the other.
    turn: Option<Mutex<()>>,
    location: String,
}

// SAFETY: the state is only handed to the plugin's functions, which are called as the instance's flags say.
unsafe impl Send for Local {}
// SAFETY: as above.
unsafe impl Sync for Local {}

impl Drop for Local {
    fn drop(&mut self) {
        if let Some(destroy) = self.instance.destroy {
            // SAFETY: no call is under way: calls borrow the instance.
            unsafe { destroy(self.instance.state) }
        }
    }
}

impl Local {
    /// Makes an instance of a library's plugin.
    pub(crate) fn create(
        library: &Library,
        name: &str,
        id: &str,
        options: &str,
    ) -> Result<Self, PluginErrorKind> {
        let (id, options) = (HostText::new(id), HostText::new(options));
        let host = Creating {
            name: name.to_owned(),
            told: Mutex::default(),
        };
        let state = CallState::new(&host);
        let call = state.call(library.api());
        let mut instance = empty_instance();
        let status = library.create(&call, id.text(), options.text(), &mut instance)?;
        if status != STATUS_OK {
            let message = state.message();
            return Err(PluginErrorKind::failed(Status::of_code(status), message));
        }
        let is_concurrent = instance.flags & FLAG_CONCURRENT != 0;
        Ok(Self {
            instance,
            api: library.api(),
            name: name.to_owned(),
            turn: (!is_concurrent).then(Mutex::default),
            location: host.location(),
        })
    }

    /// As the plugin said when it was made.
    pub(crate) fn location(&self) -> &str {
        &self.location
    }

    /// Whether calls may come at once.
    pub(crate) fn is_concurrent(&self) -> bool {
        self.turn.is_none()
    }

    /// Makes the call.
    pub(crate) fn invoke(
        &self,
        request: &Request,
        source: Option<&mut dyn Lender>,
        into: Option<&mut dyn Borrower>,
        host: &dyn Host,
    ) -> Outcome {
        let _turn = self
            .turn
            .as_ref()
            .map(|turn| turn.lock().unwrap_or_else(PoisonError::into_inner));
        let state = CallState::new(host);
        let mut reader = source.map(ReaderState::new);
        let mut writer = into.map(WriterState::new);
        let status = self.dispatch(request, &state, reader.as_mut(), writer.as_mut());
        let mut stream = reader.as_mut().and_then(ReaderState::take_failure);
        if let Some(writer) = &mut writer {
            stream = stream.or_else(|| writer.finish(status == STATUS_OK));
        }
        Outcome {
            status,
            message: state.message(),
            read_bytes: reader.map_or(0, |reader| reader.given()),
            stream,
        }
    }

    fn dispatch(
        &self,
        request: &Request,
        state: &CallState<'_>,
        reader: Option<&mut ReaderState<'_>>,
        writer: Option<&mut WriterState<'_>>,
    ) -> i32 {
        let table = self.interface(request.interface());
        if table.is_null() {
            return state.refuse(Status::Unsupported, "this plugin does not offer that");
        }
        let call = state.call(self.api);
        let reader = reader.map(ReaderState::reader);
        let writer = writer.map(WriterState::writer);
        let plugin = self.instance.state;
        // A function of the table with the arguments of every call and its own.
        macro_rules! run {
            ($table:ty, $function:ident $(, $argument:expr)*) => {{
                match field!(table.cast::<$table>(), $table, $function) {
                    // SAFETY: all pointers are valid until it returns, and the table is that of the interface asked for.
                    Some(function) => unsafe { function(plugin, &raw const call $(, $argument)*) },
                    None => state.refuse(
                        Status::Unsupported,
                        concat!("this plugin has no ", stringify!($function)),
                    ),
                }
            }};
        }
        macro_rules! text {
            ($text:expr) => {
                HostText::new($text).text()
            };
        }
        let (source, into) = (pointer(reader.as_ref()), pointer(writer.as_ref()));
        match request {
            Request::SinkProbe => run!(Storage, probe),
            Request::Put { key, size_bytes } => {
                run!(Storage, put, text!(key), *size_bytes, source)
            }
            Request::Get { key, offset, len } => {
                run!(Storage, get, text!(key), *offset, *len, into)
            }
            Request::Head { key } => run!(Storage, head, text!(key)),
            Request::List { prefix } => run!(Storage, list, text!(prefix)),
            Request::Remove { key } => run!(Storage, remove, text!(key)),
            Request::Sweep => run!(Storage, sweep),
            Request::Baseline { request } => run!(Detector, baseline, text!(request)),
            Request::Verdicts { request } => run!(Detector, verdicts, text!(request)),
            Request::DumperProbe { request } => run!(Dumper, probe, text!(request)),
            Request::Dump { request } => run!(Dumper, dump, text!(request), into),
            Request::Validate { request } => run!(Validator, validate, text!(request), source),
        }
    }

    fn interface(&self, id: &str) -> *const c_void {
        let Some(get_interface) = self.instance.get_interface else {
            return std::ptr::null();
        };
        let id = HostText::new(id);
        // SAFETY: a function of the instance, called as the header says.
        unsafe { get_interface(self.instance.state, id.text()) }
    }
}

fn pointer<T>(value: Option<&T>) -> *const T {
    value.map_or(std::ptr::null(), std::ptr::from_ref)
}

fn empty_instance() -> Instance {
    Instance {
        struct_size: size_of::<Instance>() as u32,
        flags: 0,
        state: std::ptr::null_mut(),
        get_interface: None,
        destroy: None,
    }
}

/// While an instance is made it may only say where its objects are found.
struct Creating {
    name: String,
    told: Mutex<String>,
}

impl Creating {
    fn location(&self) -> String {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let told: Option<serde_json::Value> = serde_json::from_str(&told).ok();
        told.and_then(|told| Some(told.get("location")?.as_str()?.to_owned()))
            .unwrap_or_default()
    }
}

impl Host for Creating {
    fn is_cancelled(&self) -> bool {
        false
    }

    fn progress(&self, _done: u64, _total: u64) {}

    fn emit(&self, json: &str) -> bool {
        json.clone_into(&mut self.told.lock().unwrap_or_else(PoisonError::into_inner));
        true
    }

    fn log(&self, level: u32, message: &str) {
        log(&self.name, level, message);
    }
}

/// A line of a plugin in our own log.
pub(crate) fn log(plugin: &str, level: u32, message: &str) {
    match level {
        respaldo_sdk::abi::LOG_ERROR => tracing::error!(plugin, "{message}"),
        respaldo_sdk::abi::LOG_WARN => tracing::warn!(plugin, "{message}"),
        respaldo_sdk::abi::LOG_INFO => tracing::info!(plugin, "{message}"),
        _ => tracing::debug!(plugin, "{message}"),
    }
}

/// The engine's side of a call in this process.
struct Direct<'a, 'b> {
    name: &'a str,
    cx: &'a Context,
    emit: Mutex<(&'a mut Emit<'b>, Option<PluginErrorKind>)>,
}

impl Host for Direct<'_, '_> {
    fn is_cancelled(&self) -> bool {
        self.cx.interrupt().is_set()
    }

    fn progress(&self, _done: u64, _total: u64) {}

    fn emit(&self, json: &str) -> bool {
        let mut emit = self.emit.lock().unwrap_or_else(PoisonError::into_inner);
        if emit.1.is_some() {
            return false;
        }
        let (take, failed) = &mut *emit;
        *failed = take(json).err();
        failed.is_none()
    }

    fn log(&self, level: u32, message: &str) {
        log(self.name, level, message);
    }
}

impl Service for Local {
    fn call(
        &self,
        request: &Request,
        streams: &mut Streams<'_>,
        cx: &Context,
    ) -> Result<(), PluginErrorKind> {
        let mut source = streams
            .source
            .as_deref_mut()
            .map(|source| BufReader::with_capacity(BUFFER_BYTES, source));
        let mut into = streams.into.as_deref_mut().map(Buffered::new);
        let host = Direct {
            name: &self.name,
            cx,
            emit: Mutex::new((&mut streams.emit, None)),
        };
        let outcome = on_large_stack(|| {
            self.invoke(
                request,
                source.as_mut().map(|source| source as &mut dyn Lender),
                into.as_mut().map(|into| into as &mut dyn Borrower),
                &host,
            )
        })?;
        let refused = host
            .emit
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .1;
        judge(request, outcome, refused, cx)
    }

    fn location(&self) -> String {
        self.location.clone()
    }
}

/// What the end of a call means: our own failures first, then the plugin's word, which is checked.
pub(crate) fn judge(
    request: &Request,
    outcome: Outcome,
    refused: Option<PluginErrorKind>,
    cx: &Context,
) -> Result<(), PluginErrorKind> {
    if let Some(error) = outcome.stream {
        return Err(PluginErrorKind::Stream(error));
    }
    if let Some(refused) = refused {
        return Err(refused);
    }
    if outcome.status != STATUS_OK {
        let status = Status::of_code(outcome.status);
        let was_stopped = matches!(status, Status::Cancelled | Status::Stream);
        if was_stopped && cx.interrupt().is_set() {
            return Err(PluginErrorKind::Cancelled);
        }
        return Err(PluginErrorKind::failed(
            status,
            words(status, outcome.message),
        ));
    }
    match request {
        Request::Put { size_bytes, .. } if outcome.read_bytes != *size_bytes => {
            Err(PluginErrorKind::Broke(format!(
                "it said done, but took {} of {size_bytes} bytes",
                outcome.read_bytes
            )))
        }
        _ => Ok(()),
    }
}

/// A plugin may fail without a word.
fn words(status: Status, message: String) -> String {
    if message.is_empty() {
        format!("it failed without saying why ({status:?})")
    } else {
        message
    }
}

/// Runs it on a thread of its own.
fn on_large_stack<T: Send>(call: impl FnOnce() -> T + Send) -> Result<T, PluginErrorKind> {
    thread::scope(|scope| {
        let thread = thread::Builder::new()
            .name("plugin call".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, call)
            .map_err(PluginErrorKind::System)?;
        thread
            .join()
            .map_err(|_| PluginErrorKind::Broke("our side of the call panicked".to_owned()))
    })
}
