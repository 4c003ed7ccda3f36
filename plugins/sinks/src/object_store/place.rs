//! Where the objects lie: a bucket, a prefix in it, and how both are called.

use std::path::Path;

use reqwest::Url;
use respaldo_domain::object::ObjectKey;

use crate::Problem;

/// A bucket and the part of it that is ours.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The bucket's address for people, without a slash at the end.
    address: String,
    /// Empty, or a text that ends with a slash.
    prefix: String,
}

impl Place {
    pub(super) fn new(address: String, prefix: Option<&str>) -> Result<Self, Problem> {
        let folder = prefix.unwrap_or_default().trim_matches('/');
        if !folder.is_empty() && ObjectKey::parse(folder).is_err() {
            return Err(wrong(
                "prefix",
                "use letters, digits, '.', '_' and '-', with '/' between, or leave it out",
            ));
        }
        let prefix = match folder {
            "" => String::new(),
            folder => format!("{folder}/"),
        };
        Ok(Self { address, prefix })
    }

    /// The bucket's address.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Bucket and prefix.
    pub(super) fn whole(&self) -> String {
        format!("{}/{}", self.address, self.prefix)
    }

    /// What an object is called in the bucket.
    pub(super) fn name(&self, key: &ObjectKey) -> String {
        format!("{}{key}", self.prefix)
    }

    /// The start of the names of those objects whose keys start with `prefix`.
    pub(super) fn names(&self, prefix: &str) -> String {
        format!("{}{prefix}", self.prefix)
    }

    /// The key of a name; `None` where it is not one of ours.
    pub(super) fn key(&self, name: &str) -> Option<ObjectKey> {
        ObjectKey::parse(name.strip_prefix(&self.prefix)?).ok()
    }

    /// Where a person finds an object.
    pub(super) fn location(&self, key: &ObjectKey) -> String {
        format!("{}/{}", self.address, self.name(key))
    }
}

/// The problem of an option that is of no use.
pub(super) fn wrong(option: &'static str, why: impl Into<String>) -> Problem {
    Problem::value(option, why)
}

/// The name of a bucket or container, which becomes a part of addresses.
pub(super) fn check_bucket(option: &'static str, name: &str) -> Result<(), Problem> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    match (3..=63).contains(&name.len()) && name.bytes().all(legal) && !name.contains("..") {
        true => Ok(()),
        false => Err(wrong(
            option,
            "it has 3 to 63 letters, digits, '.', '_' and '-'",
        )),
    }
}

/// A text of a configuration that becomes a part of headers.
pub(super) fn check_word(option: &'static str, text: &str) -> Result<(), Problem> {
    match !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic()) {
        true => Ok(()),
        false => Err(wrong(
            option,
            "it is empty, or has spaces or letters beyond ASCII in it",
        )),
    }
}

/// The address of a server: HTTPS, or plain HTTP on this machine or where that was allowed aloud.
pub(super) fn endpoint(text: &str, allow_http: bool) -> Result<Url, Problem> {
    let wrong = |why: &str| wrong("endpoint", why);
    let url = Url::parse(text.trim_end_matches('/'))
        .map_err(|_| wrong("it is no address such as https://host:port"))?;
    if url.host_str().is_none() || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it is no address such as https://host:port"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("credentials do not belong in it"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if allow_http || is_loopback(&url) => Ok(url),
        "http" => Err(wrong(
            "it is not encrypted: use https, or set allow_http = true",
        )),
        _ => Err(wrong("use https")),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// The same address with more steps at its end. Steps are keys and names that were checked.
pub(super) fn below(url: &Url, steps: &str) -> Url {
    let mut url = url.clone();
    let path = format!("{}/{steps}", url.path().trim_end_matches('/'));
    url.set_path(&path);
    url
}

/// A file of the configuration as a path.
pub(super) fn file(path: Option<&std::path::PathBuf>) -> Option<&Path> {
    path.map(std::path::PathBuf::as_path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_needs_a_word_beyond_this_machine() {
        for good in [
            "https://s3.example.org",
            "http://127.0.0.1:1",
            "http://[::1]:1",
        ] {
            assert!(endpoint(good, false).is_ok(), "{good}");
        }
        for bad in [
            "http://s3.example.org",
            "ftp://x",
            "x",
            "https://user:word@host",
            "https://host?x=1",
        ] {
            assert!(endpoint(bad, false).is_err(), "{bad}");
        }
        assert!(endpoint("http://s3.example.org", true).is_ok());
    }

    #[test]
    fn names_outside_of_the_prefix_are_no_keys() {
        let place = Place::new("s3://b".to_owned(), Some("/a/b/")).unwrap();
        let key = ObjectKey::parse("full/x").unwrap();
        assert_eq!(place.name(&key), "a/b/full/x");
        assert_eq!(place.key("a/b/full/x"), Some(key));
        for foreign in ["a/bc", "a/b/", "a/b//x", "full/x", "a/b/.hidden"] {
            assert_eq!(place.key(foreign), None, "{foreign}");
        }
        assert!(Place::new(String::new(), Some("a b")).is_err());
    }
}
