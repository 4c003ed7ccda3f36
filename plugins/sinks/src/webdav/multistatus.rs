//! The answers of PROPFIND. Names are told apart by their last part: servers choose their own
//! prefixes for the namespace `DAV:`.

use std::error::Error;
use std::time::SystemTime;

use percent_encoding::percent_decode_str;
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};
use respaldo_engine::ports::{Fault, FaultKind};
use url::Url;

/// Why an answer cannot be read.
type Garbled = Box<dyn Error + Send + Sync>;

/// Something under an address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// As the server writes it: with or without the server's name, with or without a slash.
    href: String,
    pub(super) is_folder: bool,
    size: Option<u64>,
    pub(super) modified_at: Option<SystemTime>,
    pub(super) free_bytes: Option<u64>,
}

impl Entry {
    /// The path, decoded and without a slash at its end.
    fn path(&self) -> String {
        let path = match self.href.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
            None => &self.href,
        };
        decoded(path)
    }

    /// Whether it is what lies under `url` itself.
    pub(super) fn is_at(&self, url: &Url) -> bool {
        self.path() == decoded(url.path())
    }

    /// The last part of the path.
    pub(super) fn name(&self) -> String {
        let path = self.path();
        path.rsplit('/').next().unwrap_or_default().to_owned()
    }

    /// The size of a file.
    pub(super) fn size_bytes(&self, url: &Url) -> Result<u64, Fault> {
        let untold = || {
            let subject = format!("the server does not tell the size of {url}");
            Fault::bare(FaultKind::Invalid, subject)
        };
        self.size.ok_or_else(untold)
    }
}

fn decoded(path: &str) -> String {
    let path = percent_decode_str(path).decode_utf8_lossy();
    path.trim_end_matches('/').to_owned()
}

/// The entries of an answer.
pub(super) fn parse(text: &str) -> Result<Vec<Entry>, Garbled> {
    let mut parser = Parser::default();
    walk(text, |step| parser.take(step))?;
    Ok(parser.entries)
}

/// The words of an error document for people, where it has any.
pub(super) fn message(text: &str) -> String {
    let mut words = String::new();
    let walked = walk(text, |step| {
        if let Step::End("message" | "title" | "responsedescription", said) = step {
            said.trim().clone_into(&mut words);
        }
    });
    match walked {
        Ok(()) => words,
        Err(_) => String::new(),
    }
}

/// The beginning of an element, or its end with the text right in it.
#[derive(Clone, Copy)]
enum Step<'a> {
    Begin(&'a str),
    End(&'a str, &'a str),
}

fn walk(text: &str, mut take: impl FnMut(Step<'_>)) -> Result<(), Garbled> {
    let mut reader = Reader::from_str(text);
    let mut said = String::new();
    let mut depth = 0_u32;
    loop {
        match reader.read_event()? {
            Event::Start(start) => {
                depth += 1;
                said.clear();
                take(Step::Begin(start.local_name().as_ref()));
            }
            Event::Empty(empty) => {
                said.clear();
                take(Step::Begin(empty.local_name().as_ref()));
                take(Step::End(empty.local_name().as_ref(), ""));
            }
            Event::Text(more) => said.push_str(&more.xml10_content()),
            Event::CData(more) => said.push_str(&more.xml10_content()),
            Event::GeneralRef(reference) => said.extend(resolved(&reference)?),
            Event::End(end) => {
                take(Step::End(end.local_name().as_ref(), said.trim()));
                said.clear();
                depth -= 1;
            }
            Event::Eof if depth > 0 => return Err("it ends in the middle".into()),
            Event::Eof => return Ok(()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

fn resolved(reference: &BytesRef<'_>) -> Result<Option<String>, Garbled> {
    if let Some(character) = reference.resolve_char_ref()? {
        return Ok(Some(character.to_string()));
    }
    Ok(resolve_predefined_entity(reference).map(str::to_owned))
}

/// Gathers entries. A property counts only where its group says that it was found.
#[derive(Default)]
struct Parser {
    entries: Vec<Entry>,
    entry: Entry,
    group: Entry,
    in_group: bool,
    group_found: bool,
}

impl Parser {
    fn take(&mut self, step: Step<'_>) {
        match step {
            Step::Begin("response") => self.entry = Entry::default(),
            Step::Begin("propstat") => {
                self.group = Entry::default();
                (self.in_group, self.group_found) = (true, true);
            }
            Step::End("response", _) => self.entries.push(std::mem::take(&mut self.entry)),
            Step::End("propstat", _) => self.end_group(),
            Step::End(name, said) if self.in_group => self.take_property(name, said),
            Step::End("href", said) => said.clone_into(&mut self.entry.href),
            Step::Begin(_) | Step::End(..) => {}
        }
    }

    fn take_property(&mut self, name: &str, said: &str) {
        let group = &mut self.group;
        match name {
            "collection" => group.is_folder = true,
            "getcontentlength" => group.size = said.parse().ok(),
            "getlastmodified" => group.modified_at = httpdate::parse_http_date(said).ok(),
            // Negative where it is unlimited or unknown.
            "quota-available-bytes" => group.free_bytes = said.parse().ok(),
            "status" => self.group_found = said.split(' ').nth(1) == Some("200"),
            _ => {}
        }
    }

    fn end_group(&mut self) {
        self.in_group = false;
        if !self.group_found {
            return;
        }
        let (entry, group) = (&mut self.entry, &self.group);
        entry.is_folder |= group.is_folder;
        entry.size = group.size.or(entry.size);
        entry.modified_at = group.modified_at.or(entry.modified_at);
        entry.free_bytes = group.free_bytes.or(entry.free_bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEXTCLOUD: &str = r#"<?xml version="1.0"?>
<d:multistatus xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns">
 <d:response><d:href>/remote.php/dav/files/ana/my%20backups/</d:href>
  <d:propstat><d:prop><d:resourcetype><d:collection/></d:resourcetype>
   <d:quota-available-bytes>-3</d:quota-available-bytes></d:prop>
   <d:status>HTTP/1.1 200 OK</d:status></d:propstat>
  <d:propstat><d:prop><d:getcontentlength/></d:prop>
   <d:status>HTTP/1.1 404 Not Found</d:status></d:propstat></d:response>
 <d:response><d:href>/remote.php/dav/files/ana/my%20backups/a%26b.txt</d:href>
  <d:propstat><d:prop><d:resourcetype/><d:getcontentlength>17</d:getcontentlength>
   <d:getlastmodified>Tue, 24 Nov 2026 10:00:00 GMT</d:getlastmodified></d:prop>
   <d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>
</d:multistatus>"#;

    #[test]
    fn prefixes_groups_and_encoded_paths_are_understood() {
        let entries = parse(NEXTCLOUD).unwrap();
        let url = Url::parse("https://h/remote.php/dav/files/ana/my%20backups").unwrap();
        let [folder, file] = &entries[..] else {
            panic!("{entries:?}");
        };
        assert!(folder.is_folder && folder.is_at(&url));
        assert_eq!((folder.size, folder.free_bytes), (None, None));
        assert!(!file.is_folder && !file.is_at(&url));
        assert_eq!((file.name().as_str(), file.size), ("a&b.txt", Some(17)));
        assert!(file.modified_at.is_some());
    }

    #[test]
    fn absolute_addresses_and_folders_without_a_slash_are_understood() {
        let text = r#"<D:multistatus xmlns:D="DAV:"><D:response>
            <D:href>http://other:8080/dav/x</D:href><D:propstat><D:prop><D:resourcetype>
            <D:collection/></D:resourcetype></D:prop><D:status>HTTP/1.1 200 OK</D:status>
            </D:propstat></D:response></D:multistatus>"#;
        let entries = parse(text).unwrap();
        assert!(entries[0].is_folder);
        assert!(entries[0].is_at(&Url::parse("https://h/dav/x/").unwrap()));
        assert_eq!(entries[0].name(), "x");
    }

    #[test]
    fn references_in_a_path_are_resolved() {
        let text = "<multistatus><response><href>/a&amp;b&#x2f;c</href></response></multistatus>";
        assert_eq!(parse(text).unwrap()[0].path(), "/a&b/c");
    }

    #[test]
    fn what_is_cut_is_no_answer() {
        let half = &NEXTCLOUD[..NEXTCLOUD.len() - 20];
        assert!(parse(half).is_err());
    }

    #[test]
    fn the_words_of_an_error_are_found() {
        let text = r#"<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns">
            <s:exception>Locked</s:exception><s:message>it is locked</s:message></d:error>"#;
        assert_eq!(message(text), "it is locked");
        assert_eq!(message("<html><p>"), "");
    }
}
