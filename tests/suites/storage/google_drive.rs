//! The sink `google-drive` on a fake of Google Drive: what it promises, and who may log in.

use std::error::Error as _;
use std::io::{self, Cursor, Read, Write};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Context, Fault, FaultKind, PutSource, StorageSink};
use respaldo_sinks::conformance;
use respaldo_sinks::google_drive::{GoogleDriveSink, Options};
use respaldo_tests::stores::google_drive::{
    CLIENT_ID, CLIENT_SECRET, GoogleDrive, Mishap, Operation, PERSON, REFRESH_TOKEN,
};
use sha2::{Digest, Sha256};

pub(crate) const MIB: usize = 1024 * 1024;
const DAY: Duration = Duration::from_hours(24);

/// Options of a person's login.
pub(crate) fn person(drive: &GoogleDrive, folder: &str) -> Options {
    Options {
        folder_id: folder.to_owned(),
        client_id: Some(CLIENT_ID.to_owned()),
        client_secret: Some(CLIENT_SECRET.into()),
        refresh_token: Some(REFRESH_TOKEN.into()),
        base_url: Some(drive.base_url().to_owned()),
        token_url: Some(drive.token_url()),
        ..Options::default()
    }
}

/// Options of a service account.
pub(crate) fn account(drive: &GoogleDrive, folder: &str) -> Options {
    Options {
        folder_id: folder.to_owned(),
        service_account: Some(drive.account_key().into()),
        base_url: Some(drive.base_url().to_owned()),
        token_url: Some(drive.token_url()),
        ..Options::default()
    }
}

pub(crate) fn sink(options: &Options) -> GoogleDriveSink {
    GoogleDriveSink::new("drive", options, None).unwrap()
}

/// A drive with a folder, and a sink on it.
pub(crate) fn scene() -> (GoogleDrive, String, GoogleDriveSink) {
    let drive = GoogleDrive::start();
    let folder = drive.folder();
    let sink = sink(&person(&drive, &folder));
    (drive, folder, sink)
}

pub(crate) fn key(text: &str) -> ObjectKey {
    ObjectKey::parse(text).unwrap()
}

/// Bytes that differ from place to place.
pub(crate) fn sample(size: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..size).map(|_| next()).collect()
}

pub(crate) fn put(sink: &GoogleDriveSink, name: &str, bytes: &[u8]) -> Result<(), Fault> {
    let mut source = Cursor::new(bytes.to_vec());
    let stored = sink.put(&key(name), &mut source, &Context::quiet());
    stored.map(|info| assert_eq!(info.size_bytes, bytes.len() as u64))
}

pub(crate) fn get(sink: &GoogleDriveSink, name: &str) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    sink.get(&key(name), None, &mut bytes, &Context::quiet())?;
    Ok(bytes)
}

pub(crate) fn probe(sink: &GoogleDriveSink) -> Result<respaldo_engine::ports::SinkLimits, Fault> {
    sink.probe(&Context::quiet())
}

/// The kind of a fault, whose words hold a hint and no secret.
pub(crate) fn refused<T>(call: Result<T, Fault>, hint: &str) -> FaultKind {
    let fault = call.err().unwrap();
    let words = words(&fault);
    assert!(words.contains(hint), "no {hint:?} in {words}");
    fault.kind
}

/// All that a fault tells, which holds no secret.
pub(crate) fn words(fault: &Fault) -> String {
    let source = fault.source().map(|source| format!("{source} {source:?}"));
    let words = format!("{fault} {fault:?} {}", source.unwrap_or_default());
    for secret in [
        CLIENT_SECRET,
        REFRESH_TOKEN,
        "PRIVATE KEY",
        "ya29.",
        "upload_id",
    ] {
        assert!(!words.contains(secret), "{secret} in {words}");
    }
    words
}

fn keeps_every_promise(options: &Options) {
    assert_eq!(conformance::run(&|| Arc::new(sink(options))), []);
}

#[test]
fn a_person_s_drive_keeps_every_promise() {
    let (drive, folder, _) = scene();
    drive.limit_pages(3);
    keeps_every_promise(&person(&drive, &folder));
    assert_eq!(drive.names(&folder), [""; 0]);
    assert_eq!(drive.open_sessions(), 0);
}

#[test]
fn a_shared_drive_keeps_every_promise_by_a_service_account() {
    let drive = GoogleDrive::start();
    let folder = drive.shared_folder();
    keeps_every_promise(&account(&drive, &folder));
    assert_eq!(drive.names(&folder), [""; 0]);
}

#[test]
fn an_index_of_names_that_lags_behind_breaks_no_promise() {
    let (drive, folder, _) = scene();
    drive.lag_names();
    keeps_every_promise(&person(&drive, &folder));
}

#[test]
fn a_service_account_stores_on_the_drive_of_whom_it_may_act_as() {
    let drive = GoogleDrive::start();
    let folder = drive.folder();
    let mut options = account(&drive, &folder);
    options.subject = Some(PERSON.to_owned());
    let denied = probe(&sink(&options));
    assert_eq!(refused(denied, "delegation"), FaultKind::Denied);
    drive.allow_delegation();
    assert!(probe(&sink(&options)).unwrap().free_bytes.is_some());
    put(&sink(&options), "a", b"a").unwrap();
}

#[test]
fn a_service_account_without_storage_is_told_where_there_is_some() {
    let drive = GoogleDrive::start();
    let sink = sink(&account(&drive, &drive.folder()));
    assert_eq!(refused(probe(&sink), "shared drive"), FaultKind::Full);
    let full = put(&sink, "a", b"a");
    assert_eq!(refused(full, "shared drive"), FaultKind::Full);
}

#[test]
fn wrong_credentials_are_denied_with_what_to_renew() {
    let drive = GoogleDrive::start();
    let folder = drive.folder();
    let mut options = person(&drive, &folder);
    options.refresh_token = Some("stale".into());
    assert_eq!(
        refused(probe(&sink(&options)), "refresh_token"),
        FaultKind::Denied
    );
    let mut options = person(&drive, &folder);
    options.client_secret = Some("wrong".into());
    assert_eq!(
        refused(probe(&sink(&options)), "client_secret"),
        FaultKind::Denied
    );
    let mut options = account(&drive, &folder);
    options.service_account = Some(drive.foreign_key().into());
    let denied = put(&sink(&options), "a", b"a");
    assert_eq!(refused(denied, "service_account"), FaultKind::Denied);
}

#[test]
fn consent_that_is_withdrawn_in_the_middle_is_denied() {
    let (drive, _, sink) = scene();
    put(&sink, "a", b"a").unwrap();
    drive.withdraw_consent();
    drive.end_tokens();
    assert_eq!(refused(get(&sink, "a"), "consent again"), FaultKind::Denied);
}

#[test]
fn a_folder_that_is_not_there_is_no_empty_one() {
    let (drive, folder, _) = scene();
    let nowhere = sink(&person(&drive, "nowhere"));
    let listed = nowhere.list("", &Context::quiet());
    assert_eq!(refused(listed, "folder_id"), FaultKind::Denied);
    assert_eq!(refused(get(&nowhere, "a"), "folder_id"), FaultKind::Denied);
    let file = drive.add(&folder, "a", b"a");
    let no_folder = sink(&person(&drive, &file));
    assert_eq!(refused(probe(&no_folder), "no folder"), FaultKind::Denied);
    drive.trash(&folder);
    let in_trash = sink(&person(&drive, &folder));
    assert_eq!(refused(probe(&in_trash), "trash"), FaultKind::Denied);
}

#[test]
fn rights_that_lack_are_found_by_a_probe() {
    let (drive, folder, sink_) = scene();
    assert!(probe(&sink_).unwrap().free_bytes.is_some());
    assert_eq!(drive.names(&folder), [""; 0]);
    drive.limit_rights(true, false);
    assert_eq!(refused(probe(&sink_), "manager"), FaultKind::Denied);
    drive.limit_rights(false, false);
    let sink = sink(&person(&drive, &folder));
    assert_eq!(refused(probe(&sink), "editor"), FaultKind::Denied);
}

#[test]
fn a_full_drive_is_full_and_shows_nothing() {
    let (drive, folder, sink) = scene();
    drive.limit_room(1000);
    assert_eq!(probe(&sink).unwrap().free_bytes, Some(1000));
    let full = put(&sink, "a", &sample(1001));
    assert_eq!(refused(full, "make room"), FaultKind::Full);
    assert_eq!(drive.names(&folder), [""; 0]);
    put(&sink, "a", &sample(1000)).unwrap();
}

/// Generated bytes, so that neither side needs to hold them.
struct Generated {
    left: u64,
    size_bytes: u64,
    state: u64,
    hash: Sha256,
}

impl Generated {
    fn new(size_bytes: u64) -> Self {
        Self {
            left: size_bytes,
            size_bytes,
            state: 1,
            hash: Sha256::new(),
        }
    }
}

impl Read for Generated {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = (into.len() as u64).min(self.left) as usize;
        for byte in &mut into[..length] {
            self.state ^= self.state << 13;
            self.state ^= self.state >> 7;
            self.state ^= self.state << 17;
            *byte = (self.state >> 32) as u8;
        }
        self.hash.update(&into[..length]);
        self.left -= length as u64;
        Ok(length)
    }
}

impl PutSource for Generated {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }
}

struct Hashing<'a>(&'a mut Sha256);

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_large_object_comes_back_whole_and_in_ranges() {
    let (_drive, _, sink) = scene();
    let (cx, large, size) = (Context::quiet(), key("large"), 100 * MIB as u64 + 12_345);
    let mut source = Generated::new(size);
    sink.put(&large, &mut source, &cx).unwrap();
    let sent = source.hash.finalize();
    let mut whole = Sha256::new();
    sink.get(&large, None, &mut Hashing(&mut whole), &cx)
        .unwrap();
    assert_eq!(whole.finalize(), sent);
    let mut ranges = Sha256::new();
    for begin in (0..size).step_by(30 * MIB) {
        let range = begin..size.min(begin + 30 * MIB as u64);
        sink.get(&large, Some(range), &mut Hashing(&mut ranges), &cx)
            .unwrap();
    }
    assert_eq!(ranges.finalize(), sent);
}

#[test]
fn one_of_many_machines_wins_a_key() {
    let (drive, folder, _) = scene();
    for round in 0..5 {
        let name = format!("race/{round}");
        let puts: Vec<_> = thread::scope(|scope| {
            let racers = (0..6_u8).map(|racer| {
                let (sink, name) = (sink(&person(&drive, &folder)), &name);
                scope.spawn(move || (racer, put(&sink, name, &[racer; 1000])))
            });
            let racers: Vec<_> = racers.collect();
            racers
                .into_iter()
                .map(|racer| racer.join().unwrap())
                .collect()
        });
        let (won, lost): (Vec<_>, Vec<_>) = puts.into_iter().partition(|(_, put)| put.is_ok());
        assert_eq!(won.len(), 1, "{lost:?}");
        for (_, put) in lost {
            assert_eq!(put.unwrap_err().kind, FaultKind::Exists);
        }
        let reader = sink(&person(&drive, &folder));
        assert_eq!(get(&reader, &name).unwrap(), [won[0].0; 1000]);
        assert_eq!(drive.ids(&folder, &name).len(), 1);
    }
    assert_eq!(drive.names(&folder).len(), 5);
}

#[test]
fn of_several_files_of_a_key_all_read_the_earliest_and_a_delete_leaves_none() {
    let (drive, folder, sink) = scene();
    let cx = Context::quiet();
    drive.add(&folder, "k", b"younger");
    let older = drive.add(&folder, "k", b"older");
    drive.age(&older, Duration::from_mins(1));
    let trashed = drive.add(&folder, "k", b"thrown away");
    drive.age(&trashed, Duration::from_mins(2));
    drive.trash(&trashed);
    assert_eq!(get(&sink, "k").unwrap(), b"older");
    let listed = sink.list("", &cx).unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].size_bytes, 5);
    assert_eq!(put(&sink, "k", b"new").unwrap_err().kind, FaultKind::Exists);
    sink.delete(&key("k"), &cx).unwrap();
    assert_eq!(get(&sink, "k").unwrap_err().kind, FaultKind::NotFound);
    assert_eq!(drive.ids(&folder, "k"), [trashed]);
}

#[test]
fn leftovers_go_once_their_process_is_dead_or_they_are_a_day_old() {
    let (drive, folder, sink) = scene();
    let cx = Context::quiet();
    put(&sink, "object", b"object").unwrap();
    let killed = drive.add(&folder, ".respaldo-claim.k", b"whole");
    drive.set_property(&killed, "respaldo-owner", &dead_owner(&drive, &folder));
    let foreign = drive.add(&folder, ".respaldo-claim.k", b"of another machine");
    drive.set_property(&foreign, "respaldo-owner", "elsewhere.1.c.p");
    let notes = drive.add(&folder, "My notes", b"of a person");
    drive.age(&notes, 2 * DAY);
    assert_eq!(sink.sweep(&cx).unwrap(), 1);
    assert_eq!(
        drive.names(&folder),
        [".respaldo-claim.k", "My notes", "object"]
    );
    drive.age(&foreign, 2 * DAY);
    assert_eq!(sink.sweep(&cx).unwrap(), 1);
    assert_eq!(drive.names(&folder), ["My notes", "object"]);
}

#[test]
fn a_put_takes_over_from_one_that_was_killed() {
    let (drive, folder, sink) = scene();
    let killed = drive.add(&folder, ".respaldo-claim.k", b"whole");
    drive.set_property(&killed, "respaldo-owner", &dead_owner(&drive, &folder));
    assert_eq!(get(&sink, "k").unwrap_err().kind, FaultKind::NotFound);
    put(&sink, "k", b"next").unwrap();
    assert_eq!(drive.names(&folder), ["k"]);
}

#[test]
fn what_was_published_after_it_was_listed_is_no_leftover() {
    let (drive, folder, sink) = scene();
    let ended = dead_owner(&drive, &folder);
    let swept = drive.add(&folder, ".respaldo-claim.swept", b"stored");
    drive.set_property(&swept, "respaldo-owner", &ended);
    drive.plan(Operation::List, 0, 1, Mishap::ClaimsPublished);
    assert_eq!(sink.sweep(&Context::quiet()).unwrap(), 0);
    let rival = drive.add(&folder, ".respaldo-parked.put", b"stored");
    drive.set_property(&rival, "respaldo-owner", &ended);
    drive.age(&rival, Duration::from_mins(1));
    drive.plan(Operation::List, 1, 1, Mishap::ParkedPublished);
    assert_eq!(
        put(&sink, "put", b"later").unwrap_err().kind,
        FaultKind::Exists
    );
    drive.ensure_all_happened();
    assert_eq!(drive.names(&folder), ["put", "swept"]);
    for name in ["put", "swept"] {
        assert_eq!(get(&sink, name).unwrap(), b"stored");
    }
}

/// What a process of this machine leaves as owner, when it was killed: an own put's, with the number
/// of a process that cannot be.
fn dead_owner(drive: &GoogleDrive, folder: &str) -> String {
    let witness = sink(&person(drive, folder));
    put(&witness, "witness", b"w").unwrap();
    let id = drive.ids(folder, "witness").remove(0);
    let (_, owner) = drive.properties(&id).remove(0);
    witness.delete(&key("witness"), &Context::quiet()).unwrap();
    owner.replace(
        &format!(".{}.", std::process::id()),
        &format!(".{}.", i32::MAX),
    )
}

#[test]
fn a_stored_file_that_changed_is_noticed() {
    let (drive, folder, sink) = scene();
    put(&sink, "k", &sample(MIB)).unwrap();
    drive.corrupt(&drive.ids(&folder, "k")[0], 500_000);
    assert_eq!(get(&sink, "k").unwrap_err().kind, FaultKind::Corrupt);
}

#[test]
fn tokens_are_kept_and_renewed_before_they_end() {
    let (drive, _, sink) = scene();
    put(&sink, "a", b"a").unwrap();
    get(&sink, "a").unwrap();
    assert_eq!(drive.count(Operation::Token), 1);
    drive.end_tokens();
    drive.limit_tokens(1);
    get(&sink, "a").unwrap();
    assert_eq!(drive.count(Operation::Token), 2);
    drive.plan(Operation::Media, 0, 1, Mishap::refused(401, "authError"));
    get(&sink, "a").unwrap();
    drive.ensure_all_happened();
    assert!(drive.count(Operation::Token) > 2);
}

#[test]
fn an_address_shows_the_folder_and_the_key() {
    let (_drive, folder, sink) = scene();
    let address = format!("https://drive.google.com/drive/folders/{folder}#full/x.backup");
    assert_eq!(sink.location(&key("full/x.backup")), address);
}
