//! Round trips, parts, and whatever is wrong with keys or bytes.

use std::io::{Cursor, SeekFrom};

use age::secrecy::ExposeSecret as _;

use super::*;
use crate::identity::Key;

fn key() -> Identity {
    Identity::generate()
}

fn source(key: &Identity) -> IdentitySource {
    IdentitySource {
        key: Key::Text(key.to_string().expose_secret().to_owned().into()),
        passphrase: None,
    }
}

fn for_keys(keys: &[&Identity], own: Option<&Identity>) -> Age {
    let recipients: Vec<_> = keys.iter().map(|key| key.to_public().to_string()).collect();
    Age::new(&recipients, own.map(source)).unwrap()
}

fn plain(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at * 7 % 251) as u8).collect()
}

fn encrypted(age: &Age, plain: &[u8]) -> Vec<u8> {
    let mut stored = Vec::new();
    age.encrypt(&mut &plain[..], &mut stored, &Context::quiet())
        .unwrap();
    stored
}

fn opened(age: &Age, stored: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut inside = Vec::new();
    let mut reader = age.decrypt(Box::new(Cursor::new(stored)))?;
    match reader.read_to_end(&mut inside) {
        Ok(_) => Ok(inside),
        Err(error) => Err(error.downcast().unwrap()),
    }
}

#[test]
fn what_is_encrypted_is_opened_by_each_recipient_and_by_nobody_else() {
    let (one, two, other) = (key(), key(), key());
    for size in [0, 1, 65_535, 65_536, 65_537, 200_000] {
        let stored = encrypted(&for_keys(&[&one, &two], None), &plain(size));
        for own in [&one, &two] {
            let age = for_keys(&[], Some(own));
            assert_eq!(opened(&age, &stored).unwrap(), plain(size));
        }
        let fault = opened(&for_keys(&[], Some(&other)), &stored).unwrap_err();
        assert_eq!(fault.kind, FaultKind::NoKey);
        let fault = opened(&for_keys(&[&one], None), &stored).unwrap_err();
        assert_eq!(fault.kind, FaultKind::NoKey);
    }
}

#[test]
fn a_part_is_read_from_the_bytes_that_hold_it() {
    let own = key();
    let age = for_keys(&[&own], Some(&own));
    let inside = plain(300_000);
    let stored = encrypted(&age, &inside);
    for (start, end) in [
        (0_u64, 1_u64),
        (65_530, 65_540),
        (131_072, 196_608),
        (299_999, 300_000),
    ] {
        let mut reader = age.decrypt(Box::new(Cursor::new(stored.clone()))).unwrap();
        reader.seek(SeekFrom::Start(start)).unwrap();
        let mut part = vec![0; (end - start) as usize];
        reader.read_exact(&mut part).unwrap();
        assert_eq!(part, inside[start as usize..end as usize]);
    }
    assert_eq!(age.span(&(0..1)), STORED_PIECE_BYTES);
    assert_eq!(age.span(&(65_530..65_540)), 2 * STORED_PIECE_BYTES);
    assert_eq!(age.span(&(65_536..131_072)), STORED_PIECE_BYTES);
}

#[test]
fn a_changed_or_missing_byte_anywhere_is_found() {
    let own = key();
    let age = for_keys(&[&own], Some(&own));
    let stored = encrypted(&age, &plain(150_000));
    for at in (0..stored.len()).step_by(997).chain(0..260) {
        let mut changed = stored.clone();
        changed[at] ^= 1;
        // A changed recipient's line may make it somebody else's.
        let fault = opened(&age, &changed).unwrap_err();
        let kinds = [FaultKind::Corrupt, FaultKind::NoKey, FaultKind::Invalid];
        assert!(kinds.contains(&fault.kind), "{at}: {fault:?}");
    }
    for length in [0, 1, 100, 200, 300, 65_536 + 300, stored.len() - 1] {
        let fault = opened(&age, &stored[..length]).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Corrupt, "{length}: {fault:?}");
    }
    // Cut off between two pieces.
    let header = stored.len() - 2 * STORED_PIECE_BYTES as usize - (150_000 - 131_072 + 16);
    let fault = opened(&age, &stored[..header + STORED_PIECE_BYTES as usize]).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Corrupt);
}

#[test]
fn a_protected_key_needs_its_passphrase() {
    let own = key();
    let text = own.to_string().expose_secret().to_owned();
    let mut recipient = scrypt_recipient("right");
    recipient.set_work_factor(2);
    let protected = age::encrypt(&recipient, text.as_bytes()).unwrap();
    let folder = std::env::temp_dir().join(format!("identity-{}", std::process::id()));
    std::fs::write(&folder, protected).unwrap();
    let with = |passphrase: Option<&str>| {
        let source = IdentitySource {
            key: Key::File(folder.clone()),
            passphrase: passphrase.map(Into::into),
        };
        Age::new(&[], Some(source)).unwrap().own_recipients()
    };
    assert_eq!(
        with(Some("right\n")).unwrap(),
        [own.to_public().to_string()]
    );
    for wrong in [None, Some("wrong")] {
        let fault = with(wrong).unwrap_err();
        assert_eq!(fault.kind, FaultKind::NoKey);
        let why = fault.source.unwrap().to_string();
        assert!(why.contains("passphrase"), "{why}");
    }
    std::fs::remove_file(folder).unwrap();
}

fn scrypt_recipient(passphrase: &str) -> age::scrypt::Recipient {
    age::scrypt::Recipient::new(passphrase.to_owned().into())
}

#[test]
fn what_is_no_recipient_is_refused_and_a_secret_is_not_repeated() {
    let secret = key().to_string().expose_secret().to_owned();
    let refused = Age::new(&[secret], None).err().unwrap();
    assert!(!refused.to_string().contains("SECRET-KEY-1"), "{refused}");
    assert!(Age::new(&["age1nonsense".to_owned()], None).is_err());
}
