//! Every way to tell, against servers of this machine that answer well, badly, or not at all.
#![expect(
    clippy::unwrap_used,
    reason = "what cannot be set up must fail the test at once"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use chrono::DateTime;
use respaldo_domain::alert::{Alarm, Notice, NoticeKind};
use respaldo_engine::ports::{Fault, FaultKind, Notifier};
use respaldo_notifiers::{
    Healthcheck, Herald, Retries, Settled, Smtp, SmtpConfig, SmtpTls, Webhook,
};

const LIMIT: Duration = Duration::from_secs(2);
/// A part of every address and password here; nothing that is said may hold it.
const SECRET: &str = "geheim7261";

/// How a server treats whoever calls.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    Status(u16),
    Hangs,
    HangsUp,
    /// So often unavailable, then well.
    RecoversAfter(usize),
}

struct Server {
    port: u16,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn http(manner: Manner) -> Self {
        Self::start(move |stream, heard| {
            let number = heard.lock().unwrap().len();
            heard.lock().unwrap().push(String::new());
            if manner == Manner::HangsUp {
                return;
            }
            let request = read_request(&stream);
            *heard.lock().unwrap().last_mut().unwrap() = request;
            let status = match manner {
                Manner::Status(status) => status,
                Manner::RecoversAfter(times) if number < times => 503,
                Manner::RecoversAfter(_) => 200,
                Manner::Hangs | Manner::HangsUp => {
                    thread::sleep(Duration::from_mins(1));
                    return;
                }
            };
            let to = "Location: http://127.0.0.1:9/elsewhere\r\n";
            let _ = write!(
                &stream,
                "HTTP/1.1 {status} X\r\n{to}Content-Length: 0\r\nConnection: close\r\n\r\n"
            );
        })
    }

    /// A mail server without TLS that wants a login.
    fn smtp() -> Self {
        Self::start(|stream, heard| {
            let say = |text: &str| {
                (&stream)
                    .write_all(format!("{text}\r\n").as_bytes())
                    .unwrap();
            };
            say("220 ready");
            let mut in_data = false;
            for line in BufReader::new(&stream).lines().map_while(Result::ok) {
                let word = line.split(' ').next().unwrap_or_default().to_owned();
                heard.lock().unwrap().push(line);
                match word.as_str() {
                    "." => in_data = false,
                    _ if in_data => continue,
                    "EHLO" => {
                        say("250-here");
                        say("250 AUTH PLAIN");
                        continue;
                    }
                    "AUTH" => {
                        say("235 welcome");
                        continue;
                    }
                    "DATA" => {
                        in_data = true;
                        say("354 go on");
                        continue;
                    }
                    "QUIT" => {
                        say("221 bye");
                        return;
                    }
                    _ => {}
                }
                say("250 well");
            }
        })
    }

    fn start(serve: impl Fn(TcpStream, &Mutex<Vec<String>>) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (record, serve) = (Arc::clone(&heard), Arc::new(serve));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (record, serve) = (Arc::clone(&record), Arc::clone(&serve));
                thread::spawn(move || serve(stream, &record));
            }
        });
        Self { port, heard }
    }

    fn address(&self) -> secrecy::SecretString {
        format!("http://127.0.0.1:{}/{SECRET}?key={SECRET}", self.port).into()
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    fn smtp_config(&self) -> SmtpConfig {
        SmtpConfig {
            host: "127.0.0.1".to_owned(),
            port: Some(self.port),
            tls: SmtpTls::Plain,
            user: Some("ana".to_owned()),
            password: Some(SECRET.into()),
            from: "respaldo <respaldo@example.com>".to_owned(),
            to: vec!["ana@example.com".to_owned(), "leo@example.com".to_owned()],
        }
    }
}

/// The first line and the body.
fn read_request(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.to_lowercase();
        if let Some(text) = line.strip_prefix("content-length:") {
            length = text.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    format!("{}\n{}", first.trim(), String::from_utf8(body).unwrap())
}

fn notice(kind: NoticeKind) -> Notice {
    Notice {
        kind,
        subject: "backups of app fail:\nno space".to_owned(),
        at: DateTime::parse_from_rfc3339("2026-11-24T23:00:00-03:00").unwrap(),
        database: "app".to_owned(),
        run: None,
        detail: serde_json::json!({ "why": "no space" }),
    }
}

fn alarm() -> Notice {
    notice(NoticeKind::Began(Alarm::BackupFailing))
}

/// Everything that a fault would ever say.
fn words(fault: &Fault) -> String {
    let mut text = format!("{fault} {fault:?}");
    let mut source = std::error::Error::source(fault);
    while let Some(error) = source {
        text = format!("{text} {error} {error:?}");
        source = error.source();
    }
    text
}

/// A closed port.
fn nobody() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[test]
fn a_webhook_gets_the_notice_as_json_and_no_word_of_single_runs() {
    let server = Server::http(Manner::Status(204));
    let webhook = Webhook::new(&server.address(), LIMIT).unwrap();
    webhook.tell(&notice(NoticeKind::RunStarted)).unwrap();
    webhook.tell(&alarm()).unwrap();
    let heard = server.heard();
    assert_eq!(heard.len(), 1);
    let (first, body) = heard[0].split_once('\n').unwrap();
    assert_eq!(first, format!("POST /{SECRET}?key={SECRET} HTTP/1.1"));
    assert_eq!(serde_json::from_str::<Notice>(body).unwrap(), alarm());
}

#[test]
fn a_healthcheck_is_pinged_at_the_beginning_and_the_end_of_each_run() {
    let server = Server::http(Manner::Status(200));
    let healthcheck = Healthcheck::new(&server.address(), LIMIT).unwrap();
    let kinds = [
        NoticeKind::RunStarted,
        NoticeKind::RunSucceeded,
        NoticeKind::RunFailed,
    ];
    for kind in kinds {
        healthcheck.tell(&notice(kind)).unwrap();
    }
    healthcheck.tell(&alarm()).unwrap();
    let heard = server.heard();
    let paths: Vec<&str> = heard
        .iter()
        .map(|text| text.split(' ').nth(1).unwrap())
        .collect();
    let at = |part: &str| format!("/{SECRET}{part}?key={SECRET}");
    assert_eq!(paths, [at("/start"), at(""), at("/fail")]);
}

#[test]
fn mail_goes_to_every_reader_after_a_login() {
    let server = Server::smtp();
    let smtp = Smtp::new(&server.smtp_config(), LIMIT).unwrap();
    smtp.tell(&notice(NoticeKind::RunFailed)).unwrap();
    smtp.tell(&alarm()).unwrap();
    let heard = server.heard();
    assert!(heard.iter().any(|line| line.starts_with("AUTH PLAIN ")));
    for line in [
        "RCPT TO:<ana@example.com>",
        "RCPT TO:<leo@example.com>",
        "Subject: backups of app fail: no space",
    ] {
        assert!(
            heard.iter().any(|heard| heard == line),
            "{line}: {heard:#?}"
        );
    }
    assert_eq!(heard.iter().filter(|line| *line == "DATA").count(), 1);
}

#[test]
fn mail_is_sent_in_the_open_to_this_machine_only_and_never_where_tls_was_asked_for() {
    let server = Server::smtp();
    let mut config = server.smtp_config();
    config.host = "mail.example.com".to_owned();
    assert!(Smtp::new(&config, LIMIT).is_err());
    let config = SmtpConfig {
        tls: SmtpTls::StartTls,
        ..server.smtp_config()
    };
    assert!(Smtp::new(&config, LIMIT).unwrap().tell(&alarm()).is_err());
    assert!(!server.heard().iter().any(|line| line.starts_with("AUTH")));
}

#[test]
fn whatever_goes_wrong_is_over_in_time_of_the_right_kind_and_keeps_the_secret() {
    let cases = [
        (Manner::Status(500), FaultKind::Unavailable),
        (Manner::Status(429), FaultKind::Unavailable),
        (Manner::Status(302), FaultKind::Invalid),
        (Manner::Status(307), FaultKind::Invalid),
        (Manner::Status(403), FaultKind::Denied),
        (Manner::Status(404), FaultKind::NotFound),
        (Manner::Hangs, FaultKind::Unavailable),
        (Manner::HangsUp, FaultKind::Unavailable),
    ];
    for (manner, kind) in cases {
        let server = Server::http(manner);
        let begin = Instant::now();
        let webhook = Webhook::new(&server.address(), LIMIT).unwrap();
        let fault = webhook.tell(&alarm()).unwrap_err();
        assert_eq!(fault.kind, kind, "{}", words(&fault));
        assert!(!words(&fault).contains(SECRET), "{}", words(&fault));
        let healthcheck = Healthcheck::new(&server.address(), LIMIT).unwrap();
        let fault = healthcheck
            .tell(&notice(NoticeKind::RunFailed))
            .unwrap_err();
        assert!(!words(&fault).contains(SECRET), "{}", words(&fault));
        assert!(begin.elapsed() < LIMIT * 3);
    }
    let refused = format!("http://127.0.0.1:{}/{SECRET}", nobody()).into();
    let fault = Webhook::new(&refused, LIMIT)
        .unwrap()
        .tell(&alarm())
        .unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unavailable);
    assert!(!words(&fault).contains(SECRET));
}

#[test]
fn mail_to_a_server_that_hangs_or_is_not_there_is_over_in_time() {
    let silent = Server::start(|stream, _| {
        thread::sleep(Duration::from_mins(1));
        drop(stream);
    });
    for port in [silent.port, nobody()] {
        let config = SmtpConfig {
            port: Some(port),
            ..silent.smtp_config()
        };
        let begin = Instant::now();
        let fault = Smtp::new(&config, LIMIT)
            .unwrap()
            .tell(&alarm())
            .unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unavailable);
        assert!(begin.elapsed() < LIMIT * 2);
        assert!(!words(&fault).contains(SECRET));
    }
}

#[test]
fn an_address_that_is_none_is_refused_without_being_shown() {
    for address in [SECRET, "ftp://geheim7261/", "http://"] {
        for refused in [
            Webhook::new(&address.into(), LIMIT).err(),
            Healthcheck::new(&address.into(), LIMIT).err(),
        ] {
            let fault = refused.unwrap();
            assert_eq!(fault.kind, FaultKind::Invalid);
            assert!(!words(&fault).contains(SECRET));
        }
    }
}

/// What is logged while tests run.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

const RETRIES: Retries = Retries {
    attempts: 3,
    first_pause: Duration::from_millis(50),
    longest_pause: Duration::from_millis(100),
};
/// Longer than anything here takes.
const LONG: Duration = Duration::from_mins(1);

fn nobody_hears() -> Settled {
    Arc::new(|_, _| {})
}

fn wait_until(done: impl Fn() -> bool) -> bool {
    let end = Instant::now() + LONG;
    while !done() && Instant::now() < end {
        thread::sleep(Duration::from_millis(20));
    }
    done()
}

/// A way that does not take what is on its list, as long as it is there, and remembers what it took.
#[derive(Clone)]
struct Choosy {
    refuses: Arc<Mutex<Vec<NoticeKind>>>,
    fault: FaultKind,
    took: Arc<Mutex<Vec<NoticeKind>>>,
}

impl Choosy {
    fn refusing(kinds: &[NoticeKind], fault: FaultKind) -> Self {
        Self {
            refuses: Arc::new(Mutex::new(kinds.to_vec())),
            fault,
            took: Arc::default(),
        }
    }

    fn took(&self) -> Vec<NoticeKind> {
        self.took.lock().unwrap().clone()
    }

    fn comes_round(&self) {
        self.refuses.lock().unwrap().clear();
    }
}

impl Notifier for Choosy {
    fn name(&self) -> &'static str {
        "choosy"
    }

    fn tell(&self, notice: &Notice) -> Result<(), Fault> {
        if self.refuses.lock().unwrap().contains(&notice.kind) {
            return Err(Fault::bare(self.fault, "telling"));
        }
        self.took.lock().unwrap().push(notice.kind);
        Ok(())
    }
}

/// A herald of one way, and what is settled there.
fn herald_of(way: &Choosy) -> (Herald, Arc<Mutex<Vec<NoticeKind>>>) {
    let settled = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&settled);
    let hear: Settled = Arc::new(move |_, notice| heard.lock().unwrap().push(notice.kind));
    let herald = Herald::new(vec![Arc::new(way.clone())], RETRIES, &hear).unwrap();
    (herald, settled)
}

#[test]
fn a_notice_that_is_not_taken_holds_up_only_its_own_end() {
    let stuck = NoticeKind::Began(Alarm::EngineStopped);
    let ends = NoticeKind::Ended(Alarm::EngineStopped);
    let other = NoticeKind::Began(Alarm::BackupFailing);
    let way = Choosy::refusing(&[stuck], FaultKind::Unavailable);
    let (herald, settled) = herald_of(&way);
    for kind in [stuck, ends, other, NoticeKind::RunStarted] {
        herald.tell(&notice(kind));
    }
    assert!(wait_until(|| way.took().len() == 2), "{:?}", way.took());
    assert_eq!(way.took(), [other, NoticeKind::RunStarted]);
    // For more tries than a ping gets.
    thread::sleep(RETRIES.longest_pause * 6);
    way.comes_round();
    assert!(wait_until(|| way.took().len() == 4), "{:?}", way.took());
    assert_eq!(way.took()[2..], [stuck, ends]);
    assert!(wait_until(|| settled.lock().unwrap().len() == 4));
    herald.close(LONG);
}

#[test]
fn a_ping_that_is_not_taken_gives_way_to_a_newer_one() {
    let way = Choosy::refusing(&[NoticeKind::RunFailed], FaultKind::Unavailable);
    let (herald, settled) = herald_of(&way);
    herald.tell(&notice(NoticeKind::RunFailed));
    herald.tell(&notice(NoticeKind::RunSucceeded));
    assert!(wait_until(|| way.took() == [NoticeKind::RunSucceeded]));
    let all = [NoticeKind::RunFailed, NoticeKind::RunSucceeded];
    assert!(wait_until(|| *settled.lock().unwrap() == all));
    herald.close(LONG);
}

#[test]
fn what_is_refused_for_good_stays_owed_until_something_newer_is_told_of_it() {
    let (begins, ends) = (
        NoticeKind::Began(Alarm::BackupDamaged),
        NoticeKind::Ended(Alarm::BackupDamaged),
    );
    let way = Choosy::refusing(&[begins], FaultKind::Denied);
    let (herald, settled) = herald_of(&way);
    herald.tell(&notice(begins));
    herald.tell(&notice(NoticeKind::RunStarted));
    assert!(wait_until(
        || *settled.lock().unwrap() == [NoticeKind::RunStarted]
    ));
    herald.tell(&notice(ends));
    assert!(wait_until(|| settled.lock().unwrap().len() == 3));
    assert_eq!(way.took(), [NoticeKind::RunStarted, ends]);
    herald.close(LONG);
}

#[test]
fn what_is_left_to_somebody_else_is_not_told() {
    let kind = NoticeKind::Began(Alarm::BackupMissed);
    let way = Choosy::refusing(&[kind], FaultKind::Unavailable);
    let (herald, _) = herald_of(&way);
    herald.tell(&notice(kind));
    herald.forget();
    herald.tell(&notice(NoticeKind::RunStarted));
    assert!(wait_until(|| way.took().contains(&NoticeKind::RunStarted)));
    way.comes_round();
    thread::sleep(RETRIES.longest_pause * 3);
    let told = way.took().iter().filter(|took| **took == kind).count();
    assert_eq!(told, 0);
    herald.close(LONG);
}

#[test]
fn a_herald_makes_nobody_wait_tries_again_and_logs_no_secret() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .init();
    let (hangs, recovers, refuses) = (
        Server::http(Manner::Hangs),
        Server::http(Manner::RecoversAfter(2)),
        Server::http(Manner::Status(403)),
    );
    let webhook = |server: &Server| -> Arc<dyn Notifier> {
        Arc::new(Webhook::new(&server.address(), LIMIT).unwrap())
    };
    let ways = vec![webhook(&hangs), webhook(&recovers), webhook(&refuses)];
    let herald = Herald::new(ways, RETRIES, &nobody_hears()).unwrap();
    let begin = Instant::now();
    herald.tell(&alarm());
    assert!(begin.elapsed() < Duration::from_secs(1));
    let end = Instant::now() + Duration::from_secs(20);
    while recovers.heard().len() < 3 && Instant::now() < end {
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(recovers.heard().len(), 3, "told when it was there again");
    assert_eq!(refuses.heard().len(), 1, "no use to try again");
    herald.close(LIMIT * 2);
    assert_eq!(recovers.heard().len(), 3, "and not once more");
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("a notice was not taken"));
    assert!(!log.contains(SECRET), "{log}");
}
