//! The fake of Google Drive itself: what Google documents, asked for without the sink.

use std::time::Duration;

use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::header::{CONTENT_RANGE, CONTENT_TYPE, LOCATION, RANGE, RETRY_AFTER};
use respaldo_tests::stores::google_drive::{
    CLIENT_ID, CLIENT_SECRET, GoogleDrive, Mishap, Operation, REFRESH_TOKEN,
};
use serde_json::{Value, json};

const GRAIN: usize = 256 * 1024;

struct Caller {
    drive: GoogleDrive,
    client: Client,
    token: String,
}

impl Caller {
    fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut caller = Self {
            drive: GoogleDrive::start(),
            client: Client::new(),
            token: String::new(),
        };
        let given = caller.ask_token(REFRESH_TOKEN);
        assert_eq!(given.status(), 200);
        let given = json_of(given);
        given["access_token"]
            .as_str()
            .unwrap()
            .clone_into(&mut caller.token);
        caller
    }

    fn ask_token(&self, refresh_token: &str) -> Response {
        let form = format!(
            "grant_type=refresh_token&client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}\
             &refresh_token={refresh_token}"
        );
        let request = self.client.post(self.drive.token_url()).body(form);
        request.send().unwrap()
    }

    fn get(&self, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.drive.base_url());
        self.client.get(url).bearer_auth(&self.token)
    }

    fn list(&self, query: &str, more: &[(&str, &str)]) -> Value {
        let mut url = reqwest::Url::parse(self.drive.base_url()).unwrap();
        url.set_path("/drive/v3/files");
        url.query_pairs_mut()
            .append_pair("q", query)
            .extend_pairs(more);
        json_of(
            self.client
                .get(url)
                .bearer_auth(&self.token)
                .send()
                .unwrap(),
        )
    }

    fn begin(&self, folder: &str, total: usize) -> String {
        let url = format!(
            "{}/upload/drive/v3/files?uploadType=resumable",
            self.drive.base_url()
        );
        let metadata = json!({ "name": "a", "parents": [folder] });
        let request = self.client.post(url).bearer_auth(&self.token);
        let request = request.header(CONTENT_TYPE, "application/json");
        let request = request.header("X-Upload-Content-Length", total);
        let begun = request.body(metadata.to_string()).send().unwrap();
        assert_eq!(begun.status(), 200);
        header(&begun, LOCATION.as_str()).unwrap()
    }

    fn piece(&self, session: &str, range: &str, bytes: Vec<u8>) -> Response {
        let request = self.client.put(session).bearer_auth(&self.token);
        request
            .header(CONTENT_RANGE, range)
            .body(bytes)
            .send()
            .unwrap()
    }
}

fn json_of(response: Response) -> Value {
    serde_json::from_str(&response.text().unwrap()).unwrap()
}

fn header(response: &Response, name: &str) -> Option<String> {
    Some(response.headers().get(name)?.to_str().unwrap().to_owned())
}

fn reason(response: Response) -> String {
    json_of(response)["error"]["errors"][0]["reason"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn a_token_is_given_for_consent_and_asked_for_everywhere() {
    let caller = Caller::new();
    let refused = caller.ask_token("stale");
    assert_eq!(refused.status(), 400);
    assert_eq!(json_of(refused)["error"], "invalid_grant");
    caller.drive.end_tokens();
    let refused = caller.get("/drive/v3/about?fields=user").send().unwrap();
    assert_eq!(refused.status(), 401);
    assert_eq!(reason(refused), "authError");
}

#[test]
fn an_upload_is_acknowledged_in_grains_and_appears_with_its_last_byte() {
    let caller = Caller::new();
    let folder = caller.drive.folder();
    let total = GRAIN + 10;
    let session = caller.begin(&folder, total);
    let status = format!("bytes */{total}");
    let asked = caller.piece(&session, &status, Vec::new());
    assert_eq!(
        (asked.status().as_u16(), header(&asked, "range")),
        (308, None)
    );
    let odd = caller.piece(&session, &format!("bytes 0-99/{total}"), vec![1; 100]);
    assert_eq!(odd.status(), 400);
    let range = format!("bytes 0-{}/{total}", GRAIN - 1);
    let first = caller.piece(&session, &range, vec![1; GRAIN]);
    assert_eq!(first.status(), 308);
    assert_eq!(
        header(&first, "range"),
        Some(format!("bytes=0-{}", GRAIN - 1))
    );
    assert_eq!(caller.drive.names(&folder), [""; 0]);
    let range = format!("bytes {GRAIN}-{}/{total}", total - 1);
    let last = caller.piece(&session, &range, vec![2; 10]);
    assert_eq!(last.status(), 200);
    let told = json_of(caller.piece(&session, &status, Vec::new()));
    assert_eq!(told["name"], "a");
    assert_eq!(caller.drive.names(&folder), ["a"]);
    caller.drive.expire_sessions();
    assert_eq!(caller.piece(&session, &status, Vec::new()).status(), 404);
}

#[test]
fn a_session_is_given_up_with_a_status_of_its_own() {
    let caller = Caller::new();
    let session = caller.begin(&caller.drive.folder(), 1);
    let given_up = caller
        .client
        .delete(&session)
        .bearer_auth(&caller.token)
        .send()
        .unwrap();
    assert_eq!(given_up.status().as_u16(), 499);
    assert_eq!(caller.drive.open_sessions(), 0);
}

#[test]
fn lists_are_searched_paged_and_cut_to_the_fields() {
    let caller = Caller::new();
    let folder = caller.drive.folder();
    for _ in 0..5 {
        caller.drive.add(&folder, "same name", b"abc");
    }
    let query = format!("'{folder}' in parents and name = 'same name' and trashed = false");
    let fields = ("fields", "nextPageToken,files(id,size,md5Checksum)");
    let (mut ids, mut token) = (Vec::new(), String::new());
    for _ in 0..3 {
        let size = ("pageSize", "2");
        let page = match token.as_str() {
            "" => caller.list(&query, &[fields, size]),
            token => caller.list(&query, &[fields, size, ("pageToken", token)]),
        };
        for file in page["files"].as_array().unwrap() {
            assert_eq!(file["md5Checksum"], "900150983cd24fb0d6963f7d28e17f72");
            assert_eq!((file["size"].as_str(), file.get("name")), (Some("3"), None));
            ids.push(file["id"].as_str().unwrap().to_owned());
        }
        token = page["nextPageToken"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
    }
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), token.as_str()), (5, ""));
    assert_eq!(caller.list("nonsense", &[])["error"]["code"], 400);
    assert_eq!(
        caller.list(&query, &[("fields", "unheard")])["error"]["code"],
        400
    );
}

#[test]
fn what_lies_in_shared_drives_exists_for_who_asks_for_it() {
    let caller = Caller::new();
    let folder = caller.drive.shared_folder();
    let file = caller.drive.add(&folder, "a", b"abc");
    let path = format!("/drive/v3/files/{file}");
    assert_eq!(caller.get(&path).send().unwrap().status(), 404);
    let path = format!("{path}?supportsAllDrives=true");
    assert_eq!(caller.get(&path).send().unwrap().status(), 200);
}

#[test]
fn bytes_come_whole_and_in_ranges() {
    let caller = Caller::new();
    let file = caller.drive.add(&caller.drive.folder(), "a", b"0123456789");
    let path = format!("/drive/v3/files/{file}?alt=media");
    assert_eq!(
        caller.get(&path).send().unwrap().text().unwrap(),
        "0123456789"
    );
    let part = caller.get(&path).header(RANGE, "bytes=3-5").send().unwrap();
    assert_eq!(
        header(&part, "content-range"),
        Some("bytes 3-5/10".to_owned())
    );
    assert_eq!(part.text().unwrap(), "345");
    let beyond = caller.get(&path).header(RANGE, "bytes=10-").send().unwrap();
    assert_eq!(beyond.status(), 416);
}

#[test]
fn what_is_planned_happens_in_google_s_words() {
    let caller = Caller::new();
    let mishap = Mishap::Refused {
        status: 429,
        reason: "rateLimitExceeded",
        retry_after: Some(7),
    };
    caller.drive.plan(Operation::About, 1, 1, mishap);
    let path = "/drive/v3/about?fields=storageQuota";
    assert_eq!(caller.get(path).send().unwrap().status(), 200);
    let refused = caller.get(path).send().unwrap();
    assert_eq!(header(&refused, RETRY_AFTER.as_str()), Some("7".to_owned()));
    assert_eq!(reason(refused), "rateLimitExceeded");
    caller
        .drive
        .plan(Operation::About, 0, 1, Mishap::AnswerLost);
    let request = caller.get(path).timeout(Duration::from_secs(20));
    assert!(request.send().is_err_and(|error| !error.is_timeout()));
    caller.drive.ensure_all_happened();
}
