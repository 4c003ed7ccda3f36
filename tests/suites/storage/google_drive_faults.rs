//! The sink `google-drive` when Google Drive, or the network before it, misbehaves.

use std::io::Cursor;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use respaldo_engine::ports::{Context, FaultKind, Interrupt, Quiet, StorageSink};
use respaldo_tests::stores::google_drive::{Mishap, Operation};

use super::google_drive::{MIB, get, key, person, put, sample, scene, sink, words};

const PIECE: u64 = 8 * MIB as u64;

#[test]
fn what_passes_is_tried_again_wherever_it_happens() {
    let (drive, folder, sink) = scene();
    let bytes = sample(9 * MIB);
    for (at, (operation, mishap)) in [
        (Operation::Token, Mishap::refused(503, "backendError")),
        (Operation::List, Mishap::refused(403, "rateLimitExceeded")),
        (
            Operation::Begin,
            Mishap::refused(403, "userRateLimitExceeded"),
        ),
        (Operation::Piece, Mishap::refused(500, "backendError")),
        (
            Operation::Piece,
            Mishap::refused(403, "userRateLimitExceeded"),
        ),
        (Operation::Piece, Mishap::refused(401, "authError")),
        (Operation::Patch, Mishap::refused(503, "backendError")),
        (Operation::Patch, Mishap::AnswerLost),
        (Operation::List, Mishap::AnswerLost),
        (Operation::Media, Mishap::refused(429, "rateLimitExceeded")),
        (Operation::Media, Mishap::AnswerCut(1_000_000)),
        (Operation::Delete, Mishap::AnswerLost),
    ]
    .into_iter()
    .enumerate()
    {
        drive.end_tokens();
        drive.plan(operation, 0, 1, mishap.clone());
        let name = format!("k{at}");
        put(&sink, &name, &bytes).unwrap_or_else(|fault| panic!("{mishap:?}: {}", words(&fault)));
        assert!(get(&sink, &name).unwrap() == bytes, "{mishap:?}");
        sink.delete(&key(&name), &Context::quiet()).unwrap();
        drive.ensure_all_happened();
        assert_eq!(drive.names(&folder), [""; 0], "{mishap:?}");
    }
}

#[test]
fn an_upload_goes_on_where_it_was_cut() {
    let (drive, folder, sink) = scene();
    let bytes = sample(20 * MIB + 77);
    for (at, (skipped, mishap)) in [
        (0, Mishap::RequestCut(0)),
        (0, Mishap::RequestCut(3_000_000)),
        (1, Mishap::RequestCut(5_000_000)),
        (2, Mishap::RequestCut(4_000_000)),
        (0, Mishap::ShortPiece(1 << 20)),
        (1, Mishap::ShortPiece(300_000)),
        (1, Mishap::ShortPiece(0)),
        (0, Mishap::AnswerLost),
        (2, Mishap::AnswerLost),
    ]
    .into_iter()
    .enumerate()
    {
        drive.plan(Operation::Piece, skipped, 1, mishap.clone());
        let name = format!("k{at}");
        put(&sink, &name, &bytes).unwrap_or_else(|fault| panic!("{mishap:?}: {}", words(&fault)));
        drive.ensure_all_happened();
        assert!(get(&sink, &name).unwrap() == bytes, "{mishap:?}");
    }
    assert_eq!(drive.names(&folder).len(), 9);
}

#[test]
fn an_expired_session_is_begun_anew_only_while_nothing_was_taken() {
    let (drive, folder, sink) = scene();
    let bytes = sample(9 * MIB);
    drive.plan(Operation::Piece, 0, 1, Mishap::SessionLost);
    put(&sink, "first", &bytes).unwrap();
    assert!(get(&sink, "first").unwrap() == bytes);
    drive.plan(Operation::Piece, 1, 1, Mishap::SessionLost);
    let fault = put(&sink, "second", &bytes).unwrap_err();
    assert!(fault.kind.is_transient(), "{}", words(&fault));
    drive.ensure_all_happened();
    assert_eq!(drive.names(&folder), ["first"]);
}

#[test]
fn a_wait_that_is_asked_for_is_kept() {
    let (drive, _, sink) = scene();
    let mishap = Mishap::Refused {
        status: 429,
        reason: "rateLimitExceeded",
        retry_after: Some(2),
    };
    drive.plan(Operation::Begin, 0, 1, mishap);
    let began = Instant::now();
    put(&sink, "k", b"k").unwrap();
    drive.ensure_all_happened();
    assert!(began.elapsed() >= Duration::from_secs(2));
}

#[test]
fn trouble_that_does_not_pass_is_transient_and_shows_nothing() {
    let (drive, folder, sink) = scene();
    let bytes = sample(PIECE as usize + 1);
    for (operation, mishap) in [
        (Operation::Begin, Mishap::refused(503, "backendError")),
        (Operation::Piece, Mishap::RequestCut(100_000)),
        (Operation::Patch, Mishap::RequestCut(0)),
        (Operation::Patch, Mishap::AnswerLost),
        (Operation::List, Mishap::refused(429, "rateLimitExceeded")),
    ] {
        drive.plan(operation, 0, 5, mishap.clone());
        let fault = put(&sink, "k", &bytes).unwrap_err();
        assert!(fault.kind.is_transient(), "{mishap:?}: {}", words(&fault));
        drive.ensure_all_happened();
        assert_eq!(drive.names(&folder), [""; 0], "{operation:?} {mishap:?}");
    }
    assert_eq!(drive.open_sessions(), 0);
    put(&sink, "k", &bytes).unwrap();
}

#[test]
fn lasting_refusals_are_told_by_their_kind_and_at_once() {
    let (drive, folder, sink) = scene();
    for (reason, kind) in [
        ("storageQuotaExceeded", FaultKind::Full),
        ("appNotAuthorizedToFile", FaultKind::Denied),
        ("insufficientFilePermissions", FaultKind::Denied),
    ] {
        for operation in [Operation::Begin, Operation::Piece, Operation::Patch] {
            drive.plan(operation, 0, 1, Mishap::refused(403, reason));
            let fault = put(&sink, "k", b"k").unwrap_err();
            assert_eq!(fault.kind, kind, "{}", words(&fault));
            drive.ensure_all_happened();
            assert_eq!(drive.names(&folder), [""; 0]);
        }
    }
}

#[test]
fn damage_on_the_way_is_noticed_and_removed() {
    let (drive, folder, sink) = scene();
    for skipped in 0..2 {
        drive.plan(Operation::Piece, skipped, 1, Mishap::Damaged);
        let fault = put(&sink, "k", &sample(9 * MIB)).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Corrupt, "{}", words(&fault));
        drive.ensure_all_happened();
        assert_eq!(drive.names(&folder), [""; 0]);
    }
}

#[test]
fn silence_in_the_middle_ends_within_seconds_of_a_wish_to_stop() {
    let (drive, folder, sink) = scene();
    for operation in [
        Operation::Token,
        Operation::Begin,
        Operation::Piece,
        Operation::Patch,
    ] {
        drive.end_tokens();
        drive.plan(operation, 0, 1, Mishap::Silence);
        let interrupt = Interrupt::default();
        let cx = Context::new(interrupt.clone(), Arc::new(Quiet));
        let asked_before = drive.count(operation);
        let (fault, took) = thread::scope(|scope| {
            let putting = scope.spawn(|| {
                let fault = sink
                    .put(&key("k"), &mut Cursor::new(sample(MIB)), &cx)
                    .unwrap_err();
                (fault, Instant::now())
            });
            let limit = Instant::now() + Duration::from_mins(1);
            while drive.count(operation) == asked_before {
                assert!(Instant::now() < limit, "{operation:?} was never asked");
                thread::yield_now();
            }
            let stopped = Instant::now();
            interrupt.set();
            let (fault, ended) = putting.join().unwrap();
            (fault, ended - stopped)
        });
        assert_eq!(fault.kind, FaultKind::Cancelled, "{operation:?}");
        assert!(took < Duration::from_secs(4), "{operation:?}: {took:?}");
        drive.ensure_all_happened();
        assert_eq!(drive.names(&folder), [""; 0], "{operation:?}");
    }
}

#[test]
fn a_server_that_is_gone_is_unavailable_and_one_that_comes_back_has_nothing() {
    let (drive, folder, _) = scene();
    let proxy = respaldo_tests::Proxy::before(drive.port());
    let mut options = person(&drive, &folder);
    options.base_url = Some(format!("http://127.0.0.1:{}", proxy.port()));
    let sink = sink(&options);
    put(&sink, "a", b"a").unwrap();
    drop(drive);
    let fault = put(&sink, "b", b"b").unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unavailable, "{}", words(&fault));
    let fault = get(&sink, "a").unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unavailable, "{}", words(&fault));
}
