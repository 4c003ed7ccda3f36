//! The token endpoint: consent of a person, and statements of a service account.

use std::collections::BTreeMap;

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use ring::signature::{KeyPair as _, RsaKeyPair};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::{Value, json};

use super::refusal::{answer, no_token};
use super::state::Drive;
use super::{ACCOUNT, CLIENT_ID, CLIENT_SECRET, KEY, PERSON, REFRESH_TOKEN, Shared};

const SCOPE: &str = "https://www.googleapis.com/auth/drive";
const BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// How far a clock may be off, in seconds.
const SKEW: i64 = 300;

/// Gives out a token, or says why not.
pub(super) fn token(shared: &Shared, form: &[u8]) -> Response {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(form).into_owned().collect();
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let mut drive = shared.drive();
    let (email, has_storage) = match field("grant_type") {
        "refresh_token" => match consent(&drive, field) {
            Ok(()) => (PERSON, true),
            Err(response) => return response,
        },
        BEARER => match statement(&drive, field("assertion"), &shared.token_url()) {
            Ok(acts_as_person) => (ACCOUNT, acts_as_person),
            Err(response) => return response,
        },
        _ => return no_token(400, "unsupported_grant_type", "Invalid grant_type"),
    };
    let token = drive.new_token(email, has_storage);
    let seconds = drive.token_seconds;
    let given = json!({
        "access_token": token, "expires_in": seconds, "scope": SCOPE, "token_type": "Bearer"
    });
    answer(200, &given)
}

fn consent<'a>(drive: &Drive, field: impl Fn(&str) -> &'a str) -> Result<(), Response> {
    if field("client_id") != CLIENT_ID {
        return Err(no_token(
            401,
            "invalid_client",
            "The OAuth client was not found.",
        ));
    }
    if field("client_secret") != CLIENT_SECRET {
        return Err(no_token(401, "invalid_client", "Unauthorized"));
    }
    match field("refresh_token") == REFRESH_TOKEN && drive.consent {
        true => Ok(()),
        false => Err(no_token(
            400,
            "invalid_grant",
            "Token has been expired or revoked.",
        )),
    }
}

/// Whether a good statement is made as the person.
fn statement(drive: &Drive, assertion: &str, audience: &str) -> Result<bool, Response> {
    let invalid = |why: &str| no_token(400, "invalid_grant", &format!("Invalid JWT: {why}"));
    let (signed, signature) = assertion
        .rsplit_once('.')
        .ok_or_else(|| invalid("no JWT"))?;
    let (header, claims) = signed.split_once('.').ok_or_else(|| invalid("no JWT"))?;
    let header = decoded(header).ok_or_else(|| invalid("Failed to decode header"))?;
    let claims = decoded(claims).ok_or_else(|| invalid("Failed to decode claims"))?;
    if header["alg"] != "RS256" {
        return Err(invalid("alg"));
    }
    if claims["iss"] != ACCOUNT {
        return Err(no_token(
            400,
            "invalid_grant",
            "Invalid grant: account not found",
        ));
    }
    if !is_signed(signed, signature) {
        return Err(no_token(400, "invalid_grant", "Invalid JWT Signature."));
    }
    if claims["aud"] != audience {
        return Err(invalid("Failed audience check."));
    }
    let (issued, ends) = (claims["iat"].as_i64(), claims["exp"].as_i64());
    let (issued, ends) = issued.zip(ends).ok_or_else(|| invalid("iat and exp"))?;
    let now = Utc::now().timestamp();
    if ends - issued > 3600 || (issued - now).abs() > SKEW || ends <= now {
        return Err(invalid("Token must be a short-lived token (60 minutes)"));
    }
    let scopes = claims["scope"].as_str().unwrap_or_default();
    if !scopes.split(' ').any(|scope| scope == SCOPE) {
        return Err(no_token(
            400,
            "invalid_scope",
            "Invalid OAuth scope or ID token audience",
        ));
    }
    match claims["sub"].as_str() {
        None => Ok(false),
        Some(PERSON) if drive.delegation => Ok(true),
        Some(_) => Err(no_token(
            401,
            "unauthorized_client",
            "Client is unauthorized to retrieve access tokens using this method",
        )),
    }
}

fn decoded(part: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

fn is_signed(signed: &str, signature: &str) -> bool {
    let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else {
        return false;
    };
    let key = key_pair(KEY);
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref());
    public.verify(signed.as_bytes(), &signature).is_ok()
}

/// A key out of its text.
pub(super) fn key_pair(pem: &str) -> RsaKeyPair {
    let lines = pem
        .lines()
        .skip_while(|line| !line.starts_with("-----BEGIN"));
    let text: String = lines.filter(|line| !line.starts_with("-----")).collect();
    let der = base64::engine::general_purpose::STANDARD
        .decode(text)
        .unwrap();
    RsaKeyPair::from_pkcs8(&der).unwrap()
}
