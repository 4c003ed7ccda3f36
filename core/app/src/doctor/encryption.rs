//! Encryption: for whom, whether the key at hand is theirs, and what it means to lose it.

use respaldo_contract::messages::Doctor;
use respaldo_encryption::Age;

use super::checks::Checks;
use crate::config::{Config, EncryptionSettings};
use crate::failure::reason_of;

/// Examines what is configured of it; silent where nothing is.
pub fn examine(config: &Config, checks: &mut Checks) {
    let settings = &config.encryption;
    let Some(age) = &settings.age else {
        return;
    };
    match settings.recipients.len() {
        0 => checks.warning("cifrado", Doctor::EncryptsNothing {}),
        count => checks.good("cifrado", Doctor::Encrypts { recipients: &count }),
    }
    key(settings, age, checks);
    checks.good("cifrado", Doctor::KeyLoss {});
}

fn key(settings: &EncryptionSettings, age: &Age, checks: &mut Checks) {
    if !settings.has_key {
        checks.good("cifrado", Doctor::KeyElsewhere {});
        return;
    }
    match age.own_recipients() {
        Err(fault) => {
            let reason = reason_of(&fault);
            checks.bad("cifrado", Doctor::KeyUnusable { reason: &reason });
        }
        Ok(own) if own.iter().any(|own| settings.recipients.contains(own)) => {
            checks.good("cifrado", Doctor::KeyOpens {});
        }
        Ok(own) => {
            let recipient = own.join(", ");
            checks.warning(
                "cifrado",
                Doctor::KeyOfAnother {
                    recipient: &recipient,
                },
            );
        }
    }
}
