//! Where to go, and as whom: the options, checked.

use secrecy::SecretString;
use url::{Host, Url};

use super::Options;
use crate::Problem;

/// A folder on a server and what opens it.
pub(super) struct Account {
    /// Ends with a slash.
    pub(super) root: Url,
    pub(super) login: Login,
}

/// What proves who we are.
pub(super) enum Login {
    Nobody,
    User(String, Option<SecretString>),
    Token(SecretString),
}

impl Account {
    pub(super) fn new(options: Options) -> Result<Self, Problem> {
        let mut root = address(&options.url, options.allow_http)?;
        add_folder(&mut root, options.dir.as_deref().unwrap_or(""))?;
        Ok(Self {
            root,
            login: login(options)?,
        })
    }
}

fn address(text: &str, allow_http: bool) -> Result<Url, Problem> {
    // The text is not quoted: a password may be in it.
    let Ok(url) = Url::parse(text.trim()) else {
        return wrong("url", "must be an address as https://server/folder");
    };
    if !url.username().is_empty() || url.password().is_some() {
        return wrong(
            "url",
            "must not hold the user or password: use those options",
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return wrong("url", "must end with the folder: without ? and #");
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if allow_http || is_loopback(&url) => Ok(url),
        "http" => wrong(
            "url",
            "would send secrets unencrypted: use https://, or allow_http = true where the network \
             is your own",
        ),
        _ => wrong("url", "must begin with https://"),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn add_folder(root: &mut Url, dir: &str) -> Result<(), Problem> {
    let parts: Vec<&str> = dir.split('/').filter(|part| !part.is_empty()).collect();
    let odd = |part: &&str| [".", ".."].contains(part) || part.contains(char::is_control);
    if parts.iter().any(odd) {
        return wrong("dir", "must be a path of plain names");
    }
    match root.path_segments_mut() {
        Ok(mut segments) => {
            segments.pop_if_empty().extend(parts).push("");
            Ok(())
        }
        Err(()) => wrong("url", "must be an address as https://server/folder"),
    }
}

fn login(options: Options) -> Result<Login, Problem> {
    match (options.user, options.password, options.token) {
        (None, None, None) => Ok(Login::Nobody),
        (None, None, Some(token)) => Ok(Login::Token(token)),
        (Some(user), password, None) if is_user(&user) => Ok(Login::User(user, password)),
        (Some(_), _, None) => wrong("user", "must be a name without a colon"),
        (None, Some(_), None) => wrong("user", "give the user that the password is for"),
        _ => wrong("token", "give either a token, or user and password"),
    }
}

/// Basic authentication ends the name at the first colon.
fn is_user(user: &str) -> bool {
    !user.is_empty() && !user.contains(|c: char| c == ':' || c.is_control())
}

fn wrong<T>(option: &'static str, why: &str) -> Result<T, Problem> {
    Err(Problem::value(option, why))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::by_name;

    fn complaint(options: serde_json::Value) -> String {
        use std::error::Error as _;
        let error = by_name("webdav", "away", options).err().unwrap();
        error.source().unwrap().to_string()
    }

    #[test]
    fn what_is_of_no_use_is_told_by_option_and_without_the_secret() {
        for (options, named) in [
            (json!({ "url": "hunter2" }), "url"),
            (json!({ "url": "ftp://h/" }), "url"),
            (json!({ "url": "https://u:hunter2@h/" }), "url"),
            (json!({ "url": "https://h/?key=hunter2" }), "url"),
            (json!({ "url": "http://h.example/" }), "allow_http"),
            (json!({ "url": "https://h/", "dir": "a/../b" }), "dir"),
            (
                json!({ "url": "https://h/", "password": "hunter2" }),
                "user",
            ),
            (json!({ "url": "https://h/", "user": "a:b" }), "user"),
            (
                json!({ "url": "https://h/", "user": "u", "token": "hunter2" }),
                "token",
            ),
            (
                json!({ "url": "https://h/", "ca_file": "/nowhere" }),
                "ca_file",
            ),
        ] {
            let said = complaint(options);
            assert!(said.contains(named) && !said.contains("hunter2"), "{said}");
        }
    }

    #[test]
    fn plain_http_is_spoken_to_this_machine_or_on_demand() {
        for options in [
            json!({ "url": "http://127.0.0.1:8080/dav" }),
            json!({ "url": "http://[::1]/" }),
            json!({ "url": "http://h.example/", "allow_http": true }),
        ] {
            assert!(
                by_name("webdav", "away", options.clone()).is_ok(),
                "{options}"
            );
        }
    }

    #[test]
    fn an_object_is_found_below_url_and_folder() {
        let options = json!({ "url": "https://h/remote.php/dav", "dir": "my backups/" });
        let sink = by_name("webdav", "away", options).unwrap();
        let key = respaldo_domain::object::ObjectKey::parse("full/a.backup").unwrap();
        let location = "https://h/remote.php/dav/my%20backups/full/a.backup";
        assert_eq!(sink.location(&key), location);
    }
}
