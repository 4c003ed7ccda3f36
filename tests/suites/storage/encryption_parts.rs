//! How much of an encrypted object is fetched for a part of what is in it.

use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

use respaldo_encryption::{Age, IdentitySource, Key};
use respaldo_engine::ports::{Context, Encryption, FaultKind, ObjectReader};
use respaldo_engine::store::{Store, StoreSink, Vault};
use respaldo_sinks::memory::MemorySink;
use respaldo_tests::age::KeyFile;

use super::stores::{fault_of, key};

const MIB: usize = 1024 * 1024;
/// A piece of what is encrypted together.
const PIECE: u64 = 64 * 1024;

fn age() -> Age {
    let folder = tempfile::tempdir().unwrap();
    let made = KeyFile::make(folder.path(), "key.txt");
    let source = IdentitySource {
        key: Key::Text(std::fs::read_to_string(&made.path).unwrap().into()),
        passphrase: None,
    };
    Age::new(&[made.recipient], Some(source)).unwrap()
}

fn store() -> (Arc<MemorySink>, Store, Vec<u8>) {
    let inside: Vec<u8> = (0..40 * MIB).map(|at| (at / 3 % 251) as u8).collect();
    let (age, mut stored) = (age(), Vec::new());
    age.encrypt(&mut &inside[..], &mut stored, &Context::quiet())
        .unwrap();
    let sink = Arc::new(MemorySink::new("memory"));
    sink.tamper(&key("full/large.backup.age"), stored);
    let entry = StoreSink {
        sink: sink.clone(),
        required: true,
    };
    let folder = std::env::temp_dir();
    let store = Store::new(vec![entry]).with_vault(Vault::new(Arc::new(age), &folder));
    (sink, store, inside)
}

fn read(store: &Store, range: Range<u64>) -> Vec<u8> {
    let (key, cx) = (key("full/large.backup.age"), Context::quiet());
    let mut bytes = Vec::new();
    let mut part = store.open_inside(&key, Some(range), &cx).unwrap();
    part.read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn a_part_is_fetched_with_no_more_than_the_pieces_around_it() {
    let (sink, store, inside) = store();
    for range in [
        0..1,
        30..2 * PIECE,
        (20 * MIB as u64) - 5..(20 * MIB as u64) + 5,
        (7 * MIB as u64)..(13 * MIB as u64),
        (40 * MIB as u64) - 1..(40 * MIB as u64),
    ] {
        let expected = &inside[range.start as usize..range.end as usize];
        assert!(read(&store, range.clone()) == expected, "{range:?}");
        let fetched = sink.take_fetched();
        let wanted = range.end - range.start;
        let most = wanted + 2 * PIECE + 8192;
        assert!(fetched.bytes <= most, "{range:?}: {fetched:?}");
        let windows = wanted / (4 * MIB as u64);
        assert!(fetched.calls <= windows + 3, "{range:?}: {fetched:?}");
    }
}

#[test]
fn the_whole_and_its_size_are_told_and_what_is_not_encrypted_is_read_as_it_is() {
    let (_, store, inside) = store();
    let (name, cx) = (key("full/large.backup.age"), Context::quiet());
    let size = store.inside().head(&name, &cx).unwrap().size_bytes;
    assert_eq!(size, inside.len() as u64);
    let mut whole = Vec::new();
    let mut reader = store.open_inside(&name, None, &cx).unwrap();
    reader.read_to_end(&mut whole).unwrap();
    assert!(whole == inside);
    let bounded = store.read_inside(&name, 1000, &cx);
    fault_of(bounded, FaultKind::Corrupt);
    let stored = ObjectReader::head(&store, &name, &cx).unwrap().size_bytes;
    assert!(stored > size);
}
