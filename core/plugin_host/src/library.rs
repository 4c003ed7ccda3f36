//! A library in this process: loaded, asked what it is, and never unloaded.
#![expect(unsafe_code, reason = "the boundary to a library of somebody else")]

use std::fs::File;
use std::mem;
use std::os::fd::{AsRawFd, IntoRawFd};
use std::ptr;

use libloading::os::unix::{Library as Handle, RTLD_LOCAL, RTLD_NOW};
use respaldo_sdk::abi::{
    API_MIN, API_VERSION, Call, Descriptor, ENTRY_MAGIC, ENTRY_SYMBOL, Entry, Instance, Str,
};
use serde::{Deserialize, Serialize};

use crate::error::PluginErrorKind;

/// Most plugins in one library.
const MAX_PLUGINS: u32 = 64;
/// Longest text of a descriptor, in bytes.
const MAX_TEXT: usize = 1 << 20;

/// A field of a struct of the plugin, which may be of an older version and end before it. All such
/// fields are functions, so that "not there" and "not offered" are the same.
macro_rules! field {
    ($pointer:expr, $struct:ty, $field:ident) => {{
        let pointer: *const $struct = $pointer;
        let end = std::mem::offset_of!($struct, $field) + size_of::<usize>();
        // SAFETY: every struct begins with its size, and the field lies within that.
        unsafe {
            if std::ptr::addr_of!((*pointer).struct_size).read() as usize >= end {
                std::ptr::addr_of!((*pointer).$field).read()
            } else {
                None
            }
        }
    }};
}
pub(crate) use field;

/// What a plugin says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// What it is.
    pub kind: Kind,
    /// `vendor.name`.
    pub id: String,
    /// For people.
    pub name: String,
    /// Semantic version.
    pub version: String,
    /// Who makes it.
    pub vendor: String,
    /// SPDX expression.
    pub license: String,
    /// One sentence.
    pub description: String,
    /// JSON Schema of its options.
    pub options_schema: String,
    /// Version of the boundary that was agreed with its library: major << 16 | minor.
    pub api: u32,
}

/// Which trait a plugin is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A storage sink.
    Sink,
    /// A change detector.
    Detector,
    /// A dumper.
    Dumper,
    /// A validator.
    Validator,
}

impl Kind {
    fn of(number: u32) -> Option<Self> {
        match number {
            respaldo_sdk::abi::KIND_STORAGE => Some(Self::Sink),
            respaldo_sdk::abi::KIND_DETECTOR => Some(Self::Detector),
            respaldo_sdk::abi::KIND_DUMPER => Some(Self::Dumper),
            respaldo_sdk::abi::KIND_VALIDATOR => Some(Self::Validator),
            _ => None,
        }
    }

    /// The word for it in configurations and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sink => "sink",
            Self::Detector => "detector",
            Self::Dumper => "dumper",
            Self::Validator => "validator",
        }
    }
}

/// A loaded library that speaks a version of the boundary that we speak.
pub(crate) struct Library {
    entry: *const Entry,
    api: u32,
}

// SAFETY: what the entry points to is written once by the library and only read.
unsafe impl Send for Library {}
// SAFETY: as above.
unsafe impl Sync for Library {}

impl Library {
    /// Loads it. Whatever its constructors do happens here.
    pub(crate) fn open(memory: File) -> Result<Self, PluginErrorKind> {
        let load = |error: libloading::Error| PluginErrorKind::Load(reason(&error));
        let path = format!("/proc/self/fd/{}", memory.as_raw_fd());
        // The loader knows libraries by the path they came from: the number must never be used again.
        let _ = memory.into_raw_fd();
        // SAFETY: the operator allowed this file by its hash.
        let handle = unsafe { Handle::open(Some(path), RTLD_NOW | RTLD_LOCAL) }.map_err(load)?;
        // SAFETY: the symbol has this type in every version of the boundary.
        let entry = unsafe {
            handle.get::<unsafe extern "C" fn() -> *const Entry>(ENTRY_SYMBOL.as_bytes())
        };
        let entry = entry.map(|symbol| *symbol).map_err(|_| {
            PluginErrorKind::Load(format!(
                "it has no function {ENTRY_SYMBOL}: it is no plugin"
            ))
        });
        // Threads and thread-locals of the library may outlive everything: it is never unloaded.
        mem::forget(handle);
        // SAFETY: a function without arguments of a library that stays.
        let entry = unsafe { entry?() };
        let api = agree(entry)?;
        let library = Self { entry, api };
        library.init()?;
        Ok(library)
    }

    fn init(&self) -> Result<(), PluginErrorKind> {
        let Some(init) = field!(self.entry, Entry, init) else {
            return Ok(());
        };
        // SAFETY: a function of the library, called as the header says.
        match unsafe { init(self.api) } {
            0 => Ok(()),
            status => Err(PluginErrorKind::Load(format!(
                "its init failed with status {status}"
            ))),
        }
    }

    /// The version that was agreed.
    pub(crate) fn api(&self) -> u32 {
        self.api
    }

    /// What is in it.
    pub(crate) fn descriptions(&self) -> Result<Vec<Description>, PluginErrorKind> {
        let (Some(count), Some(descriptor)) = (
            field!(self.entry, Entry, count),
            field!(self.entry, Entry, descriptor),
        ) else {
            return Err(PluginErrorKind::Load("it describes no plugins".to_owned()));
        };
        // SAFETY: a function of the library, called as the header says.
        let count = unsafe { count() };
        if count == 0 || count > MAX_PLUGINS {
            let what = format!("it says that it has {count} plugins");
            return Err(PluginErrorKind::Load(what));
        }
        (0..count)
            // SAFETY: as above.
            .map(|index| describe(unsafe { descriptor(index) }, self.api))
            .collect()
    }

    /// Calls its `create`.
    pub(crate) fn create(
        &self,
        call: &Call,
        id: Str,
        options: Str,
        out: &mut Instance,
    ) -> Result<i32, PluginErrorKind> {
        let Some(create) = field!(self.entry, Entry, create) else {
            let what = "it cannot make an instance";
            return Err(PluginErrorKind::Load(what.to_owned()));
        };
        // SAFETY: all pointers are valid until it returns.
        Ok(unsafe { create(call, id, options, out) })
    }
}

/// The reason alone: libloading's own words repeat the path of the memory file.
fn reason(error: &libloading::Error) -> String {
    let text =
        std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    let text = text
        .split_once(": ")
        .filter(|(path, _)| path.starts_with("/proc/self/fd/"))
        .map_or(text.clone(), |(_, rest)| rest.to_owned());
    format!("the system cannot load it: {text}")
}

fn agree(entry: *const Entry) -> Result<u32, PluginErrorKind> {
    let load = |what: String| Err(PluginErrorKind::Load(what));
    if entry.is_null() {
        return load(format!("{ENTRY_SYMBOL} gave nothing"));
    }
    // SAFETY: the first 16 bytes are the same in every version.
    let (magic, size, least, most) = unsafe {
        (
            ptr::addr_of!((*entry).magic).read(),
            ptr::addr_of!((*entry).struct_size).read() as usize,
            ptr::addr_of!((*entry).api_min).read(),
            ptr::addr_of!((*entry).api_max).read(),
        )
    };
    if magic != ENTRY_MAGIC || size < 16 {
        return load(format!(
            "what {ENTRY_SYMBOL} gave is not the entry of a plugin"
        ));
    }
    let agreed = most.min(API_VERSION);
    if agreed >= least.max(API_MIN) {
        return Ok(agreed);
    }
    let whose = if least > API_VERSION {
        "a newer respaldo is needed"
    } else {
        "the plugin must be built anew with a newer SDK"
    };
    load(format!(
        "it speaks versions {} to {} of the plugin interface, this respaldo {} to {}: {whose}",
        version(least),
        version(most),
        version(API_MIN),
        version(API_VERSION)
    ))
}

/// `major.minor` of a version of the boundary.
pub fn version(api: u32) -> String {
    format!("{}.{}", api >> 16, api & 0xFFFF)
}

fn describe(descriptor: *const Descriptor, api: u32) -> Result<Description, PluginErrorKind> {
    let load = |what: &str| PluginErrorKind::Load(what.to_owned());
    if descriptor.is_null() {
        return Err(load("it does not describe one of its plugins"));
    }
    // SAFETY: it begins with its size.
    let size = unsafe { ptr::addr_of!((*descriptor).struct_size).read() } as usize;
    if size < size_of::<Descriptor>() {
        return Err(load("it describes one of its plugins in part only"));
    }
    // SAFETY: it is as large as ours.
    let found = unsafe { &*descriptor };
    let kind = Kind::of(found.kind)
        .ok_or_else(|| load("one of its plugins is of a kind that this respaldo does not know"))?;
    let description = Description {
        kind,
        id: text(found.id)?,
        name: text(found.name)?,
        version: text(found.version)?,
        vendor: text(found.vendor)?,
        license: text(found.license)?,
        description: text(found.description)?,
        options_schema: text(found.options_schema)?,
        api,
    };
    if is_id(&description.id) {
        Ok(description)
    } else {
        Err(PluginErrorKind::Load(format!(
            "{:?} is no plugin id (`vendor.name` of lower-case letters, digits and `-`)",
            description.id
        )))
    }
}

fn is_id(id: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    id.contains('.') && id.len() <= 128 && id.split('.').all(part)
}

/// A text of the plugin, copied; it must be what it should be.
pub(crate) fn text(text: Str) -> Result<String, PluginErrorKind> {
    let broke = |what: &str| PluginErrorKind::Broke(what.to_owned());
    if text.len == 0 {
        return Ok(String::new());
    }
    if text.ptr.is_null() || text.len > MAX_TEXT {
        return Err(broke("one of its texts is none"));
    }
    // SAFETY: the plugin says that so many bytes are there, and nothing can check it.
    let bytes = unsafe { std::slice::from_raw_parts(text.ptr.cast::<u8>(), text.len) };
    let text = std::str::from_utf8(bytes).map_err(|_| broke("one of its texts is not UTF-8"))?;
    Ok(text.to_owned())
}
