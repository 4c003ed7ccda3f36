//! Service accounts: a key in JSON, and the signed statement that is exchanged for a token.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use respaldo_engine::ports::{Fault, FaultKind};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::options::wrong;
use crate::Problem;

/// All of Drive: the narrower scopes do not reach a folder that somebody else made and shared.
const SCOPE: &str = "https://www.googleapis.com/auth/drive";
/// The longest that Google takes.
const LIFE: Duration = Duration::from_hours(1);
const OPTION: &str = "service_account";

/// Who signs, and for whom.
pub(super) struct ServiceAccount {
    email: String,
    key_id: Option<String>,
    subject: Option<String>,
    audience: String,
    key: RsaKeyPair,
}

/// The file that Google's console gives.
#[derive(Deserialize)]
struct KeyFile {
    client_email: String,
    private_key: SecretString,
    private_key_id: Option<String>,
    token_uri: Option<String>,
}

impl ServiceAccount {
    /// Reads the key; `audience` is for whom a statement is meant where the key does not tell.
    pub(super) fn parse(
        json: &SecretString,
        subject: Option<String>,
        audience: String,
    ) -> Result<Self, Problem> {
        let file: KeyFile = serde_json::from_str(json.expose_secret()).map_err(|error| {
            // What the error quotes may be of the key.
            let place = format!("line {}, column {}", error.line(), error.column());
            wrong(
                OPTION,
                format!("it is not the JSON key of a service account, see {place}"),
            )
        })?;
        Ok(Self {
            key: key_pair(&file.private_key)?,
            email: file.client_email,
            key_id: file.private_key_id,
            audience: file.token_uri.unwrap_or(audience),
            subject,
        })
    }

    /// Its address, for people.
    pub(super) fn email(&self) -> &str {
        &self.email
    }

    /// Whether it acts as somebody who has storage of their own.
    pub(super) fn acts_as_another(&self) -> bool {
        self.subject.is_some()
    }

    /// A statement of who asks, good for an hour from `now`.
    pub(super) fn assertion(&self, now: SystemTime) -> Result<SecretString, Fault> {
        let issued = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut claims = json!({
            "iss": self.email,
            "scope": SCOPE,
            "aud": self.audience,
            "iat": issued,
            "exp": issued + LIFE.as_secs(),
        });
        if let Some(subject) = &self.subject {
            claims["sub"] = json!(subject);
        }
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": self.key_id });
        let signed = format!("{}.{}", encoded(&header), encoded(&claims));
        let signature = self.sign(signed.as_bytes())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)).into())
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Fault> {
        let mut signature = vec![0; self.key.public().modulus_len()];
        let random = SystemRandom::new();
        let signed = self
            .key
            .sign(&RSA_PKCS1_SHA256, &random, message, &mut signature);
        signed.map_err(|error| {
            let subject = format!("sign in as {}", self.email);
            Fault::new(FaultKind::Internal, subject, error.to_string())
        })?;
        Ok(signature)
    }
}

fn encoded(json: &serde_json::Value) -> String {
    URL_SAFE_NO_PAD.encode(json.to_string())
}

fn key_pair(pem: &SecretString) -> Result<RsaKeyPair, Problem> {
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem.expose_secret().as_bytes());
    let der = der.map_err(|_| wrong(OPTION, "its private_key is no PKCS #8 key in PEM form"))?;
    RsaKeyPair::from_pkcs8(der.secret_pkcs8_der())
        .map_err(|error| wrong(OPTION, format!("its private_key is no RSA key: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_key_is_refused_without_being_quoted() {
        for text in [
            "",
            "hidden-words",
            r#"{"client_email": "hidden-words", "private_key": 1}"#,
            r#"{"client_email": "a@b.example", "private_key": "hidden-words"}"#,
            r#"{"client_email": "a@b.example", "private_key": "-----BEGIN PRIVATE KEY-----\naGlkZGVuLXdvcmRz\n-----END PRIVATE KEY-----\n"}"#,
        ] {
            let problem = ServiceAccount::parse(&text.into(), None, String::new()).err();
            let problem = problem.unwrap().to_string();
            assert!(problem.starts_with("service_account: "), "{problem}");
            assert!(!problem.contains("hidden-words"), "{problem}");
        }
    }
}
