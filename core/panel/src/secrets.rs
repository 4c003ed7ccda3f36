//! Random texts, their hashes, and passwords.
//!
//! A random text of 256 bits is remembered by its SHA-256 alone: who reads the memory of it cannot use it, and looking
//! one up by its hash tells nothing by how long it takes. Passwords are argon2id, in the usual text form.

use std::fmt::Write as _;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};

/// Bytes of a random text.
const RANDOM: usize = 32;
const SALT: usize = 16;
const HASH: usize = 32;
/// Memory in KiB, passes and lanes: what OWASP asks for at least.
const COSTS: (u32, u32, u32) = (19_456, 2, 1);
/// Shortest password.
pub const SHORTEST: usize = 10;
/// Longest, in bytes: more is nobody's password, and costs time to hash.
pub const LONGEST: usize = 1024;

/// No random bytes are to be had, or a password could not be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random bytes, or no memory for a password's hash")]
pub struct NoSecret;

/// A text that nobody guesses, of letters, digits, `-` and `_`.
pub fn random() -> Result<String, NoSecret> {
    let mut bytes = [0; RANDOM];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoSecret)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// SHA-256 in hexadecimal digits.
pub fn hash(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let mut hex = String::with_capacity(2 * digest.len());
    for byte in digest {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// Whether two texts are the same, in a time that does not tell where they differ.
pub fn are_same(one: &str, other: &str) -> bool {
    // Hashes of what the other side cannot choose freely: comparing them tells nothing.
    hash(one) == hash(other)
}

/// A password as it is stored.
pub fn of_password(password: &str) -> Result<String, NoSecret> {
    let mut salt = [0; SALT];
    SystemRandom::new().fill(&mut salt).map_err(|_| NoSecret)?;
    let (memory, passes, lanes) = COSTS;
    let hash = argon(password, &salt, COSTS).ok_or(NoSecret)?;
    Ok(format!(
        "$argon2id$v=19$m={memory},t={passes},p={lanes}${}${}",
        STANDARD_NO_PAD.encode(salt),
        STANDARD_NO_PAD.encode(hash)
    ))
}

/// Whether a password is the stored one. What is stored and makes no sense is nobody's password.
pub fn is_password(password: &str, stored: &str) -> bool {
    let Some((salt, costs, expected)) = read(stored) else {
        return false;
    };
    let found = argon(password, &salt, costs);
    found.is_some_and(|found| hash(&STANDARD_NO_PAD.encode(found)) == hash(&expected))
}

/// Takes as long as looking at a password, for a user who does not exist.
pub fn nobodys_password(password: &str) {
    // The result is of no interest.
    let _ = argon(password, &[0; SALT], COSTS);
}

fn argon(password: &str, salt: &[u8], costs: (u32, u32, u32)) -> Option<[u8; HASH]> {
    let params = Params::new(costs.0, costs.1, costs.2, Some(HASH)).ok()?;
    let mut hash = [0; HASH];
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let done = argon.hash_password_into(password.as_bytes(), salt, &mut hash);
    done.ok().map(|()| hash)
}

type Stored = (Vec<u8>, (u32, u32, u32), String);

fn read(stored: &str) -> Option<Stored> {
    let mut parts = stored.strip_prefix("$argon2id$v=19$")?.split('$');
    let mut costs = parts.next()?.split(',').map(|cost| {
        let (_, number) = cost.split_once('=')?;
        number.parse::<u32>().ok()
    });
    let costs = (costs.next()??, costs.next()??, costs.next()??);
    let salt = STANDARD_NO_PAD.decode(parts.next()?).ok()?;
    Some((salt, costs, parts.next()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_again_and_no_other_is() {
        let stored = of_password("una clave larga").unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(is_password("una clave larga", &stored));
        assert!(!is_password("una clave larg", &stored));
        assert!(!is_password("x", "nonsense") && !is_password("", ""));
        assert_ne!(stored, of_password("una clave larga").unwrap(), "salted");
    }

    #[test]
    fn random_texts_are_long_and_differ() {
        let (one, other) = (random().unwrap(), random().unwrap());
        assert_eq!(one.len(), 43);
        assert_ne!(one, other);
        assert!(are_same(&one, &one) && !are_same(&one, &other));
    }
}
