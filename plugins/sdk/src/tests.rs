//! A library as a host meets it: the entry, an instance, each kind's functions.
#![expect(unsafe_code, reason = "the tests are the host")]

pub(crate) mod mock;
mod plugins;

use std::ffi::c_void;
use std::mem::{self, offset_of};
use std::ptr;

use serde_json::{Value, json};

use crate::Status;
use crate::abi;
use crate::fields::text;

use mock::{Destination, Host, Source};
use plugins::{Counter, Echo, Memory, Never};

crate::export_plugins!(
    storage: Memory,
    detector: Never,
    dumper: Echo,
    validator: Counter,
);

unsafe extern "C" {
    fn respaldo_plugin_entry() -> *const abi::Entry;
}

fn entry() -> &'static abi::Entry {
    // SAFETY: ours.
    unsafe { &*respaldo_plugin_entry() }
}

fn empty_instance() -> abi::Instance {
    abi::Instance {
        struct_size: size_of::<abi::Instance>() as u32,
        flags: 0,
        state: ptr::null_mut(),
        get_interface: None,
        destroy: None,
    }
}

/// An instance that ends with the test.
struct Made(abi::Instance);

impl Made {
    fn of(host: &Host, id: &str, options: &str) -> std::result::Result<Self, i32> {
        let (mut out, call) = (empty_instance(), host.call());
        let (id, options) = (abi::Str::of(id), abi::Str::of(options));
        // SAFETY: as a host does it.
        match unsafe { entry().create.unwrap()(&raw const call, id, options, &raw mut out) } {
            abi::STATUS_OK => Ok(Self(out)),
            status => Err(status),
        }
    }

    fn table<T>(&self, id: &str) -> &T {
        // SAFETY: the table of that id, as long as the instance.
        unsafe {
            let table = self.0.get_interface.unwrap()(self.0.state, abi::Str::of(id));
            table.cast::<T>().as_ref().unwrap()
        }
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // SAFETY: as a host does it.
        unsafe { self.0.destroy.unwrap()(self.0.state) };
    }
}

/// A sink and its host.
struct Sink(Host, Made);

impl Sink {
    fn new() -> Self {
        let host = Host::default();
        let made = Made::of(&host, "test.memory", r#"{"name": "m"}"#).unwrap();
        host.heard();
        Self(host, made)
    }

    fn call(
        &self,
        what: impl FnOnce(&abi::Storage, *mut c_void, *const abi::Call) -> i32,
    ) -> (i32, Vec<String>) {
        let call = self.0.call();
        let table = self.1.table(abi::STORAGE_ID);
        let status = what(table, self.1.0.state, &raw const call);
        (status, self.0.heard())
    }

    fn put(&self, key: &str, size: u64, source: &Source) -> (i32, Vec<String>) {
        let reader = source.reader();
        // SAFETY: as a host does it; so in all calls below.
        self.call(|table, state, call| unsafe {
            table.put.unwrap()(state, call, abi::Str::of(key), size, &raw const reader)
        })
    }

    fn get(&self, key: &str, offset: u64, len: u64, into: &Destination) -> (i32, Vec<String>) {
        let writer = into.writer();
        // SAFETY: as above.
        self.call(|table, state, call| unsafe {
            table.get.unwrap()(
                state,
                call,
                abi::Str::of(key),
                offset,
                len,
                &raw const writer,
            )
        })
    }
}

fn errors(heard: &[String]) -> Vec<&str> {
    let errors = heard.iter().filter_map(|line| line.strip_prefix("error "));
    errors.collect()
}

#[test]
fn a_library_describes_its_plugins() {
    let entry = entry();
    assert_eq!(
        (entry.magic, entry.api_min),
        (abi::ENTRY_MAGIC, abi::API_MIN)
    );
    // SAFETY: as a host does it.
    let (status, count) = unsafe { (entry.init.unwrap()(entry.api_max), entry.count.unwrap()()) };
    assert_eq!((status, count), (abi::STATUS_OK, 4));
    let described: Vec<(u32, &str)> = (0..count)
        .map(|index| {
            // SAFETY: as a host does it.
            let descriptor = unsafe { &*entry.descriptor.unwrap()(index) };
            // SAFETY: a static text.
            (
                descriptor.kind,
                unsafe { text("id", descriptor.id) }.unwrap(),
            )
        })
        .collect();
    assert_eq!(
        described,
        [
            (1, "test.memory"),
            (2, "test.never"),
            (3, "test.echo"),
            (4, "test.counter")
        ]
    );
    // SAFETY: as a host does it.
    let (beyond, first) = unsafe {
        let descriptor = entry.descriptor.unwrap();
        (descriptor(4), &*descriptor(0))
    };
    assert!(beyond.is_null());
    // SAFETY: a text that lives as long as the library.
    let schema = unsafe { text("schema", first.options_schema) }.unwrap();
    let schema: Value = serde_json::from_str(schema).unwrap();
    assert_eq!(
        schema["properties"]["name"]["description"],
        "Shown as the location."
    );
}

#[test]
fn what_cannot_be_made_says_why() {
    let host = Host::default();
    for (id, options, status, message) in [
        (
            "test.other",
            "{}",
            Status::Invalid,
            "no plugin \"test.other\" in this library",
        ),
        (
            "test.memory",
            "{}",
            Status::Invalid,
            "options: missing field `name`",
        ),
        (
            "test.never",
            r#"{"a": 1}"#,
            Status::Invalid,
            "options.a: unknown field `a`, there are no fields",
        ),
        (
            "test.memory",
            r#"{"name": "panic"}"#,
            Status::Panic,
            "told to",
        ),
    ] {
        assert_eq!(
            Made::of(&host, id, options).err(),
            Some(status.code()),
            "{id}"
        );
        let heard = host.heard();
        assert!(errors(&heard)[0].ends_with(message), "{heard:?}");
    }
}

#[test]
fn a_sink_says_where_it_is_and_ends_with_its_instance() {
    let host = Host::default();
    let sink = Made::of(&host, "test.memory", r#"{"name": "x"}"#).unwrap();
    assert_eq!(host.heard(), [r#"emit {"location":"memory:x/"}"#]);
    assert_eq!(sink.0.flags, abi::FLAG_CONCURRENT);
    // SAFETY: as a host does it.
    let other =
        unsafe { sink.0.get_interface.unwrap()(sink.0.state, abi::Str::of("respaldo.storage/2")) };
    assert!(other.is_null());
    drop(sink);
    drop(Made::of(&host, "test.memory", r#"{"name": "panic when dropped"}"#).unwrap());
}

#[test]
fn a_host_too_old_for_an_instance_gets_none() {
    let host = Host::default();
    for end in [
        offset_of!(abi::Instance, state),
        offset_of!(abi::Instance, destroy),
    ] {
        let (mut out, call) = (empty_instance(), host.call());
        out.struct_size = end as u32;
        let (id, options) = (abi::Str::of("test.never"), abi::Str::of(""));
        // SAFETY: as an old host does it.
        let status = unsafe { entry().create.unwrap()(&raw const call, id, options, &raw mut out) };
        assert_eq!(status, abi::STATUS_UNSUPPORTED);
        assert!(out.destroy.is_none());
    }
}

#[test]
fn objects_go_in_and_out() {
    let sink = Sink::new();
    let bytes: Vec<u8> = (0..50_000_u32).map(|at| at as u8).collect();
    for lends in [true, false] {
        let source = Source::of(bytes.clone()).lending(lends);
        assert_eq!(sink.put("a/b", 50_000, &source).0, abi::STATUS_OK);
        for (offset, len, range) in [
            (0, abi::TO_THE_END, 0..50_000),
            (7, abi::TO_THE_END, 7..50_000),
            (7, 10_000, 7..10_007),
            (7, 0, 7..7),
        ] {
            let into = Destination::default().lending(lends);
            assert_eq!(sink.get("a/b", offset, len, &into).0, abi::STATUS_OK);
            assert!(into.taken() == bytes[range]);
        }
    }
    let missing = sink.get("a/c", 0, abi::TO_THE_END, &Destination::default());
    assert_eq!(
        missing,
        (
            abi::STATUS_NOT_FOUND,
            vec!["error 1 a/c is not there".to_owned()]
        )
    );
    let beyond = sink.get("a/b", 49_999, 2, &Destination::default());
    assert_eq!(beyond.0, abi::STATUS_CORRUPT);
}

#[test]
fn records_are_emitted() {
    let sink = Sink::new();
    sink.put("a/b", 1, &Source::of(vec![1]));
    // SAFETY: as a host does it; so in all calls below.
    let probed = sink.call(|table, state, call| unsafe { table.probe.unwrap()(state, call) });
    assert_eq!(
        probed,
        (
            0,
            vec![r#"emit {"max_object_bytes":1073741824}"#.to_owned()]
        )
    );
    let info = vec![r#"emit {"key":"a/b","size_bytes":1}"#.to_owned()];
    // SAFETY: as above.
    let head = sink.call(|table, state, call| unsafe {
        table.head.unwrap()(state, call, abi::Str::of("a/b"))
    });
    assert_eq!(head, (0, info.clone()));
    for (prefix, expected) in [("", info.clone()), ("a/", info), ("b", Vec::new())] {
        // SAFETY: as above.
        let list = sink.call(|table, state, call| unsafe {
            table.list.unwrap()(state, call, abi::Str::of(prefix))
        });
        assert_eq!(list, (0, expected));
    }
    // SAFETY: as above.
    let swept = sink.call(|table, state, call| unsafe { table.sweep.unwrap()(state, call) });
    assert_eq!(swept, (0, vec!["emit 3".to_owned()]));
    // SAFETY: as above.
    let removed = sink.call(|table, state, call| unsafe {
        table.remove.unwrap()(state, call, abi::Str::of("a/b"))
    });
    assert_eq!(removed.0, 0);
    sink.put("c", 1, &Source::of(vec![1]));
    sink.0.refuse();
    // SAFETY: as above.
    let refused = sink
        .call(|table, state, call| unsafe { table.list.unwrap()(state, call, abi::Str::of("")) });
    assert_eq!(refused.0, abi::STATUS_STREAM);
}

#[test]
fn whatever_goes_wrong_has_its_status() {
    let sink = Sink::new();
    for (key, status) in [("../x", abi::STATUS_INVALID), ("panic", abi::STATUS_PANIC)] {
        let (got, heard) = sink.put(key, 1, &Source::of(vec![1]));
        assert_eq!(got, status, "{heard:?}");
        assert_eq!(errors(&heard).len(), 1);
    }
    let broken = Source::of(vec![1; 100_000]).failing_at(50_000);
    assert_eq!(sink.put("k", 100_000, &broken).0, abi::STATUS_STREAM);
    assert_eq!(
        sink.put("k", 99, &Source::of(vec![1; 100])).0,
        abi::STATUS_CORRUPT
    );
    assert_eq!(
        sink.put("k", 100_000, &Source::of(vec![1; 100_000])).0,
        abi::STATUS_OK
    );
    let full = Destination::default().failing_at(10_000);
    assert_eq!(
        sink.get("k", 0, abi::TO_THE_END, &full).0,
        abi::STATUS_STREAM
    );
    sink.0.cancel();
    assert_eq!(
        sink.put("k", 1, &Source::of(vec![1])).0,
        abi::STATUS_CANCELLED
    );
}

#[test]
fn a_table_keeps_the_order_in_which_it_was_promised() {
    let sink = Sink::new();
    let table: &abi::Storage = sink.1.table(abi::STORAGE_ID);
    assert_eq!(table.struct_size as usize, size_of::<abi::Storage>());
    assert_eq!(mem::size_of_val(table), 64);
}

fn target() -> Value {
    json!({
        "conninfo": "postgresql://u:s3cret@h/shop", "database": "shop", "server_version_num": 150_020,
        "in_recovery": false, "role": "u", "added_later": true,
    })
}

#[test]
fn a_detector_gives_a_verdict_for_every_table_and_a_summary() {
    let host = Host::default();
    let made = Made::of(&host, "test.never", "").unwrap();
    let (table, call): (&abi::Detector, _) = (made.table(abi::DETECTOR_ID), host.call());
    let ask = |which: unsafe extern "C" fn(*mut c_void, *const abi::Call, abi::Str) -> i32,
               request: &Value| {
        let request = request.to_string();
        // SAFETY: as a host does it.
        let status = unsafe { which(made.0.state, &raw const call, abi::Str::of(&request)) };
        (status, host.heard())
    };
    let baseline = ask(table.baseline.unwrap(), &target());
    assert_eq!(baseline, (0, vec![r#"emit {"lsn":"0/1"}"#.to_owned()]));
    let request = json!({
        "target": target(), "snapshot": "1-1", "snapshot_at": "2026-11-28T00:00:00Z", "baseline": 5,
        "tables": [{"oid": 7, "schema": "s", "name": "t", "relfilenode": 8, "columns": [],
            "columns_hash": "", "types_hash": "", "readable": true}],
    });
    let verdicts = ask(table.verdicts.unwrap(), &request);
    assert_eq!(
        verdicts,
        (
            0,
            vec![
                r#"emit {"oid":7,"verdict":"unknown","reason":"never","evidence":5}"#.to_owned(),
                r#"emit {"alarms":[],"figures":{}}"#.to_owned(),
            ]
        )
    );
    let mut bad = target();
    bad["server_version_num"] = json!("s3cret");
    let (status, heard) = ask(table.baseline.unwrap(), &bad);
    assert_eq!(status, abi::STATUS_INVALID);
    assert_eq!(
        errors(&heard),
        ["7 request.server_version_num: expected u32"]
    );
}

#[test]
fn a_dumper_writes_and_a_validator_reads() {
    let host = Host::default();
    let call = host.call();
    let dumper = Made::of(&host, "test.echo", "").unwrap();
    let request = json!({
        "target": target(), "snapshot": "1-1", "tables": [{"schema": "s", "name": "t"}], "definition_only": [],
        "leave_out": [], "exclude_schemas": [], "large_objects": true, "lock_timeout_ms": 1,
    })
    .to_string();
    let into = Destination::default();
    let writer = into.writer();
    let table: &abi::Dumper = dumper.table(abi::DUMPER_ID);
    // SAFETY: as a host does it.
    let status = unsafe {
        table.dump.unwrap()(
            dumper.0.state,
            &raw const call,
            abi::Str::of(&request),
            &raw const writer,
        )
    };
    assert_eq!((status, into.taken()), (0, b"s.t\n".to_vec()));

    let validator = Made::of(&host, "test.counter", "").unwrap();
    let subject = json!({"key": "k", "size_bytes": 3, "sha256": "", "manifest": {}}).to_string();
    let source = Source::of(vec![0; 3]);
    let reader = source.reader();
    let table: &abi::Validator = validator.table(abi::VALIDATOR_ID);
    // SAFETY: as a host does it.
    let status = unsafe {
        table.validate.unwrap()(
            validator.0.state,
            &raw const call,
            abi::Str::of(&subject),
            &raw const reader,
        )
    };
    let finding = r#"emit {"severity":"error","code":"odd","subject":"k","detail":"3 bytes"}"#;
    assert_eq!((status, host.heard()), (0, vec![finding.to_owned()]));
}
