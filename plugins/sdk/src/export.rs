//! What a library exports: one function, from which the host finds everything else.

#![expect(unsafe_code, reason = "called by the host")]

use std::ptr;
use std::sync::OnceLock;

use crate::abi;
use crate::call::HostCall;
use crate::documents;
use crate::error::{Error, Result, Status};
use crate::fields::text;
use crate::glue::{detector, dumper, storage, validator};
use crate::guard;
use crate::strategies::{ChangeDetector, Dumper, Plugin, StorageSink, Validator};

/// Makes a library of plugins: `export_plugins!(storage: MySink, dumper: MyDumper)`. The kinds are `storage`,
/// `detector`, `dumper` and `validator`.
#[macro_export]
macro_rules! export_plugins {
    ($($kind:ident : $plugin:ty),+ $(,)?) => {
        const _: () = {
            struct TheLibrary;

            impl $crate::export::Library for TheLibrary {
                fn exports() -> &'static [$crate::export::Export] {
                    const COUNT: usize = [$(stringify!($kind)),+].len();
                    static EXPORTS: [$crate::export::Export; COUNT] =
                        [$($crate::export::Export::$kind::<$plugin>()),+];
                    &EXPORTS
                }
            }

            /// What the host looks for.
            #[unsafe(no_mangle)]
            pub extern "C" fn respaldo_plugin_entry() -> *const $crate::abi::Entry {
                static ENTRY: $crate::abi::Entry = $crate::export::entry::<TheLibrary>();
                &raw const ENTRY
            }
        };
    };
}

/// The plugins of a library.
#[doc(hidden)]
pub trait Library {
    /// All of them.
    fn exports() -> &'static [Export];
}

/// One plugin of a library.
#[doc(hidden)]
pub struct Export {
    id: &'static str,
    describe: fn() -> abi::Descriptor,
    create: unsafe fn(&HostCall<'_>, &str, *mut abi::Instance) -> Result<()>,
    descriptor: OnceLock<&'static abi::Descriptor>,
}

/// The constructor of one kind.
macro_rules! of_kind {
    ($kind:ident, $trait:ident, $number:ident) => {
        /// One of this kind.
        pub const fn $kind<T: Plugin + $trait>() -> Self {
            assert!(
                is_id(T::ID),
                "ID: lower-case letters, digits, - and at least one dot"
            );
            Self {
                id: T::ID,
                describe: || described::<T>(abi::$number),
                create: |host, options, out| {
                    let options = documents::parsed("options", options)?;
                    // SAFETY: the promise of `create` below.
                    unsafe { $kind::create::<T>(host, options, out) }
                },
                descriptor: OnceLock::new(),
            }
        }
    };
}

impl Export {
    of_kind!(storage, StorageSink, KIND_STORAGE);
    of_kind!(detector, ChangeDetector, KIND_DETECTOR);
    of_kind!(dumper, Dumper, KIND_DUMPER);
    of_kind!(validator, Validator, KIND_VALIDATOR);
}

const fn is_id(id: &str) -> bool {
    let bytes = id.as_bytes();
    let (mut at, mut dots) = (0, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'a'..=b'z' | b'0'..=b'9' | b'-' => {}
            b'.' if at > 0 && at + 1 < bytes.len() && bytes[at - 1] != b'.' => dots += 1,
            _ => return false,
        }
        at += 1;
    }
    dots > 0
}

/// What a plugin says of itself; lives as long as the library.
fn described<T: Plugin>(kind: u32) -> abi::Descriptor {
    let schema: &'static str = documents::schema::<T::Options>().leak();
    abi::Descriptor {
        struct_size: size_of::<abi::Descriptor>() as u32,
        kind,
        flags: 0,
        reserved: 0,
        id: abi::Str::of(T::ID),
        name: abi::Str::of(T::NAME),
        version: abi::Str::of(T::VERSION),
        vendor: abi::Str::of(T::VENDOR),
        license: abi::Str::of(T::LICENSE),
        description: abi::Str::of(T::DESCRIPTION),
        options_schema: abi::Str::of(schema),
    }
}

/// The entry of a library.
#[doc(hidden)]
pub const fn entry<L: Library>() -> abi::Entry {
    abi::Entry {
        magic: abi::ENTRY_MAGIC,
        struct_size: size_of::<abi::Entry>() as u32,
        api_min: abi::API_MIN,
        api_max: abi::API_VERSION,
        init: Some(init),
        count: Some(count::<L>),
        descriptor: Some(descriptor::<L>),
        create: Some(create::<L>),
    }
}

unsafe extern "C" fn init(_api: u32) -> i32 {
    let ready = guard::caught(|| Ok(()));
    ready.map_or_else(|error| error.status.code(), |()| abi::STATUS_OK)
}

unsafe extern "C" fn count<L: Library>() -> u32 {
    u32::try_from(L::exports().len()).unwrap_or(0)
}

unsafe extern "C" fn descriptor<L: Library>(index: u32) -> *const abi::Descriptor {
    let Some(export) = L::exports().get(index as usize) else {
        return ptr::null();
    };
    let make = || Box::leak(Box::new((export.describe)())) as &'static abi::Descriptor;
    let found = guard::caught(|| Ok(*export.descriptor.get_or_init(make)));
    found.map_or(ptr::null(), ptr::from_ref)
}

unsafe extern "C" fn create<L: Library>(
    call: *const abi::Call,
    id: abi::Str,
    options_json: abi::Str,
    out: *mut abi::Instance,
) -> i32 {
    // SAFETY: as the header demands of the host.
    let host = unsafe { HostCall::new(call) };
    guard::status(&host, || {
        // SAFETY: as above.
        let (id, options) = unsafe { (text("id", id)?, text("options", options_json)?) };
        let export = L::exports().iter().find(|export| export.id == id);
        let unknown = || Error::new(Status::Invalid, format!("no plugin {id:?} in this library"));
        // SAFETY: `out` is the host's, its size set.
        unsafe { (export.ok_or_else(unknown)?.create)(&host, options, out) }
    })
}
