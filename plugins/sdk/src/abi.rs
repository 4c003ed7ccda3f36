//! The binary boundary: what crosses between respaldo and a plugin, in C terms.
//!
//! `include/respaldo_plugin.h` is generated from this file. The rules that keep old plugins
//! working with new hosts, and new plugins with old hosts:
//!
//! * One exported function, [`ENTRY_SYMBOL`], returns an [`Entry`] whose first 16 bytes never change.
//! * Structs grow at the end only and begin with their size. Whoever reads a field checks first
//!   that the other side's struct reaches that far.
//! * An interface is asked for by an id which carries its revision. An incompatible change is a
//!   new id; a plugin may offer both.
//! * No enum crosses: constants of fixed width, and unknown values are [`STATUS_INTERNAL`] or ignored.
//! * No memory changes its owner. What a call is given is valid until it returns; what the plugin
//!   hands to a function of the host is copied before that function returns.
//! * Every call is synchronous. A stream belongs to its call and is used by one thread at a time;
//!   the functions of a [`Call`] may be used by any thread until the call returns.
//! * No exception and no panic leaves a function, in either direction.

#![expect(
    unsafe_code,
    reason = "tables that cross the boundary are shared between threads"
)]

use core::ffi::{c_char, c_void};

/// Name of the only symbol that a plugin exports: `const respaldo_entry *respaldo_plugin_entry(void)`.
pub const ENTRY_SYMBOL: &str = "respaldo_plugin_entry";

/// "PGBK", read as a little-endian number.
pub const ENTRY_MAGIC: u32 = 0x4B42_4750;

/// Oldest version of the boundary that this header's plugins can work with: major << 16 | minor.
pub const API_MIN: u32 = 0x0001_0000;
/// Version of the boundary described here.
pub const API_VERSION: u32 = 0x0001_0000;

/// What a plugin is: it offers the interface of the same number's id.
pub const KIND_STORAGE: u32 = 1;
/// See [`KIND_STORAGE`].
pub const KIND_DETECTOR: u32 = 2;
/// See [`KIND_STORAGE`].
pub const KIND_DUMPER: u32 = 3;
/// See [`KIND_STORAGE`].
pub const KIND_VALIDATOR: u32 = 4;

/// Id of [`Storage`].
pub const STORAGE_ID: &str = "respaldo.storage/1";
/// Id of [`Detector`].
pub const DETECTOR_ID: &str = "respaldo.detector/1";
/// Id of [`Dumper`].
pub const DUMPER_ID: &str = "respaldo.dumper/1";
/// Id of [`Validator`].
pub const VALIDATOR_ID: &str = "respaldo.validator/1";

/// Flag of [`Instance`]: calls may come from several threads at once. Without it the host makes
/// one call after the other.
pub const FLAG_CONCURRENT: u32 = 1;

/// Done.
pub const STATUS_OK: i32 = 0;
/// The object is not there.
pub const STATUS_NOT_FOUND: i32 = 1;
/// The key is taken.
pub const STATUS_EXISTS: i32 = 2;
/// Not allowed.
pub const STATUS_DENIED: i32 = 3;
/// The other side does not answer, or not now.
pub const STATUS_UNAVAILABLE: i32 = 4;
/// No room.
pub const STATUS_FULL: i32 = 5;
/// Bytes are not what they must be.
pub const STATUS_CORRUPT: i32 = 6;
/// The options or the request make no sense to this plugin.
pub const STATUS_INVALID: i32 = 7;
/// The call was cancelled.
pub const STATUS_CANCELLED: i32 = 8;
/// This plugin does not do that.
pub const STATUS_UNSUPPORTED: i32 = 9;
/// A bug in the plugin.
pub const STATUS_INTERNAL: i32 = 10;
/// A panic that the SDK caught.
pub const STATUS_PANIC: i32 = 11;
/// The stream of the host failed; the host knows why.
pub const STATUS_STREAM: i32 = 12;

/// Level of a line of log.
pub const LOG_ERROR: u32 = 1;
/// See [`LOG_ERROR`].
pub const LOG_WARN: u32 = 2;
/// See [`LOG_ERROR`].
pub const LOG_INFO: u32 = 3;
/// See [`LOG_ERROR`].
pub const LOG_DEBUG: u32 = 4;

/// Length of a [`Storage::get`] that goes to the object's end.
pub const TO_THE_END: u64 = u64::MAX;

/// A text: UTF-8, of `len` bytes. Those that the host gives end with a NUL besides, which `len` does
/// not count.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Str {
    /// First byte; may be null where `len` is 0.
    pub ptr: *const c_char,
    /// Number of bytes.
    pub len: usize,
}

/// What [`ENTRY_SYMBOL`] returns; lives as long as the library.
#[repr(C)]
pub struct Entry {
    /// [`ENTRY_MAGIC`].
    pub magic: u32,
    /// Size of this struct as the plugin knows it.
    pub struct_size: u32,
    /// Oldest version of the boundary that the plugin can work with.
    pub api_min: u32,
    /// Newest version of the boundary that the plugin can work with.
    pub api_max: u32,
    /// Told once, before anything else, which version was agreed; may be called again.
    pub init: Option<unsafe extern "C" fn(api: u32) -> i32>,
    /// How many plugins the library has.
    pub count: Option<unsafe extern "C" fn() -> u32>,
    /// The plugin of that number, from 0; null where there is none. Lives as long as the library.
    pub descriptor: Option<unsafe extern "C" fn(index: u32) -> *const Descriptor>,
    /// Makes an instance of the plugin `id`. Reaches nothing outside yet. A storage sink may emit
    /// `{"location": "..."}`: what a key is appended to so that a person finds the object.
    pub create: Option<
        unsafe extern "C" fn(
            call: *const Call,
            id: Str,
            options_json: Str,
            out: *mut Instance,
        ) -> i32,
    >,
}

/// What a plugin says of itself.
#[repr(C)]
pub struct Descriptor {
    /// Size of this struct as the plugin knows it.
    pub struct_size: u32,
    /// One of the kinds.
    pub kind: u32,
    /// None yet.
    pub flags: u32,
    /// Zero.
    pub reserved: u32,
    /// `vendor.name`: lower-case letters, digits, `-`, and at least one dot.
    pub id: Str,
    /// For people.
    pub name: Str,
    /// Semantic version.
    pub version: Str,
    /// Who makes it.
    pub vendor: Str,
    /// SPDX expression.
    pub license: Str,
    /// One sentence.
    pub description: Str,
    /// JSON Schema of the options; `"writeOnly": true` marks a secret.
    pub options_schema: Str,
}

/// A plugin at work. The host zeroes it and sets `struct_size` before [`Entry::create`] fills it.
#[repr(C)]
pub struct Instance {
    /// Size of this struct as the host knows it.
    pub struct_size: u32,
    /// [`FLAG_CONCURRENT`] or 0.
    pub flags: u32,
    /// The plugin's own; the first argument of every call.
    pub state: *mut c_void,
    /// The interface of that id, or null. Lives as long as the instance.
    pub get_interface: Option<unsafe extern "C" fn(state: *mut c_void, id: Str) -> *const c_void>,
    /// Ends it; no call is under way. May block for seconds.
    pub destroy: Option<unsafe extern "C" fn(state: *mut c_void)>,
}

/// What every call is given by the host.
#[repr(C)]
pub struct Call {
    /// Size of this struct as the host knows it.
    pub struct_size: u32,
    /// The version that was agreed.
    pub api: u32,
    /// The host's own.
    pub ctx: *mut c_void,
    /// Not 0 once the call is to stop: it then cleans up and returns [`STATUS_CANCELLED`].
    pub is_cancelled: Option<unsafe extern "C" fn(call: *const Call) -> i32>,
    /// So much of so much is done (`total` 0: unknown). Also the heartbeat of a long call, as long as
    /// `done` grows.
    pub progress: Option<unsafe extern "C" fn(call: *const Call, done: u64, total: u64)>,
    /// Why the call is about to fail.
    pub set_error: Option<unsafe extern "C" fn(call: *const Call, error: *const Error)>,
    /// Hands over one JSON document of the result. Not 0: stop and return [`STATUS_STREAM`].
    pub emit: Option<unsafe extern "C" fn(call: *const Call, json: Str) -> i32>,
    /// A line for the host's log. Never a secret.
    pub log: Option<unsafe extern "C" fn(call: *const Call, level: u32, message: Str)>,
    /// Copies what stands at `pointer` (RFC 6901) of `json` into `buf` with a NUL behind it: a string as
    /// its text, everything else as JSON. Returns its length, -1 where there is nothing, -2 where `json` is
    /// none; where the length is `cap` or more nothing was copied.
    pub json_get: Option<
        unsafe extern "C" fn(
            call: *const Call,
            json: Str,
            pointer: Str,
            buf: *mut c_char,
            cap: usize,
        ) -> i64,
    >,
}

/// Why a call fails.
#[repr(C)]
pub struct Error {
    /// Size of this struct as the plugin knows it.
    pub struct_size: u32,
    /// One of the statuses.
    pub status: i32,
    /// For people: what was being done, to what, and why it failed. Never a secret.
    pub message: Str,
}

/// A stream that the host gives. `read`, or `fill` and `consume`, not both.
#[repr(C)]
pub struct Reader {
    /// Size of this struct as the host knows it.
    pub struct_size: u32,
    /// None yet.
    pub flags: u32,
    /// The host's own.
    pub ctx: *mut c_void,
    /// Copies up to `len` bytes; returns how many, 0 at the end, less than 0 where the stream failed:
    /// then clean up and return [`STATUS_STREAM`].
    pub read: Option<unsafe extern "C" fn(reader: *const Reader, buf: *mut u8, len: usize) -> i64>,
    /// Lends the bytes that come next, as `read` counts them; they stay until `consume`.
    pub fill: Option<unsafe extern "C" fn(reader: *const Reader, out: *mut *const u8) -> i64>,
    /// So many of the lent bytes were taken.
    pub consume: Option<unsafe extern "C" fn(reader: *const Reader, len: usize)>,
}

/// A stream that the host takes. `write`, or `reserve` and `commit`, not both.
#[repr(C)]
pub struct Writer {
    /// Size of this struct as the host knows it.
    pub struct_size: u32,
    /// None yet.
    pub flags: u32,
    /// The host's own.
    pub ctx: *mut c_void,
    /// Takes all `len` bytes and returns 0, or less than 0 where the stream failed: then clean up and
    /// return [`STATUS_STREAM`].
    pub write:
        Option<unsafe extern "C" fn(writer: *const Writer, buf: *const u8, len: usize) -> i64>,
    /// Lends room, and returns how much: at least 1 byte; less than 0 as `write`.
    pub reserve: Option<unsafe extern "C" fn(writer: *const Writer, out: *mut *mut u8) -> i64>,
    /// So many bytes of the lent room were written; returns as `write`.
    pub commit: Option<unsafe extern "C" fn(writer: *const Writer, len: usize) -> i64>,
}

/// Keeps objects ([`STORAGE_ID`]). Keys are relative, `/` between their parts, of ASCII letters, digits,
/// `.`, `_`, `-`; no part is empty or begins with a dot; 512 bytes at most.
#[repr(C)]
pub struct Storage {
    /// Size of this struct as the plugin knows it.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// Reaches the store and emits one `SinkLimits`.
    pub probe: Option<unsafe extern "C" fn(state: *mut c_void, call: *const Call) -> i32>,
    /// Stores the `size` bytes of `source` under `key`. [`STATUS_OK`] means durable and visible; on an error,
    /// cancellation or crash the key shows what it showed before. [`STATUS_EXISTS`] where the key is taken.
    pub put: Option<
        unsafe extern "C" fn(
            state: *mut c_void,
            call: *const Call,
            key: Str,
            size: u64,
            source: *const Reader,
        ) -> i32,
    >,
    /// Writes `len` bytes ([`TO_THE_END`]: all) from `offset` on. [`STATUS_NOT_FOUND`] before the first
    /// byte; [`STATUS_CORRUPT`] where the object ends before the range.
    pub get: Option<
        unsafe extern "C" fn(
            state: *mut c_void,
            call: *const Call,
            key: Str,
            offset: u64,
            len: u64,
            into: *const Writer,
        ) -> i32,
    >,
    /// Emits one `ObjectInfo`, or [`STATUS_NOT_FOUND`].
    pub head: Option<unsafe extern "C" fn(state: *mut c_void, call: *const Call, key: Str) -> i32>,
    /// Emits an `ObjectInfo` for every object whose key begins with `prefix`, each once, in any order.
    pub list:
        Option<unsafe extern "C" fn(state: *mut c_void, call: *const Call, prefix: Str) -> i32>,
    /// Removes an object; [`STATUS_OK`] where there is none.
    pub remove:
        Option<unsafe extern "C" fn(state: *mut c_void, call: *const Call, key: Str) -> i32>,
    /// Removes leftovers of interrupted puts and emits their number. Never an object.
    pub sweep: Option<unsafe extern "C" fn(state: *mut c_void, call: *const Call) -> i32>,
}

/// Says which tables provably did not change ([`DETECTOR_ID`]).
#[repr(C)]
pub struct Detector {
    /// Size of this struct as the plugin knows it.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// Reads what must be read before the snapshot is taken, and emits it; emits nothing where there is
    /// nothing. `request` is a `Target`.
    pub baseline:
        Option<unsafe extern "C" fn(state: *mut c_void, call: *const Call, request: Str) -> i32>,
    /// Emits a `TableVerdict` for every table that has rows, then one `Summary`. `request` is a
    /// `DetectionRequest`.
    pub verdicts:
        Option<unsafe extern "C" fn(state: *mut c_void, call: *const Call, request: Str) -> i32>,
}

/// Writes the archive of a backup ([`DUMPER_ID`]).
#[repr(C)]
pub struct Dumper {
    /// Size of this struct as the plugin knows it.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// Checks that it can dump this source and emits one `DumperFacts`. `request` is a `Target`.
    pub probe:
        Option<unsafe extern "C" fn(state: *mut c_void, call: *const Call, request: Str) -> i32>,
    /// Writes one archive in the custom format of pg_dump, as the snapshot sees the source. Offsets need not
    /// be filled in, and any compression will do. `request` is a `DumpRequest`.
    pub dump: Option<
        unsafe extern "C" fn(
            state: *mut c_void,
            call: *const Call,
            request: Str,
            into: *const Writer,
        ) -> i32,
    >,
}

/// Looks at a sealed backup ([`VALIDATOR_ID`]).
#[repr(C)]
pub struct Validator {
    /// Size of this struct as the plugin knows it.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// Reads `archive` and emits a `Finding` for everything that is wrong; going on after the first. A status
    /// other than [`STATUS_OK`] means that the check could not be made, which never counts as good. `request`
    /// is a `Subject`.
    pub validate: Option<
        unsafe extern "C" fn(
            state: *mut c_void,
            call: *const Call,
            request: Str,
            archive: *const Reader,
        ) -> i32,
    >,
}

// SAFETY: tables of functions and static texts, written once and only read.
unsafe impl Sync for Entry {}
// SAFETY: as above.
unsafe impl Sync for Descriptor {}
