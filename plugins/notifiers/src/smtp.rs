//! Alarms as mail.

use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{Message, SmtpTransport, Transport};
use respaldo_domain::alert::Notice;
use respaldo_engine::ports::{Fault, FaultKind, Notifier};
use secrecy::{ExposeSecret, SecretString};

/// How the way to the server is kept from others' eyes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// From the first byte (port 465).
    Tls,
    /// After a greeting, and not without (port 587).
    StartTls,
    /// Not at all: to a server on this machine only (port 25).
    Plain,
}

/// A mail server and who writes to whom.
#[derive(Debug, Clone)]
pub struct SmtpConfig {
    /// The server.
    pub host: String,
    /// Its port; the usual one of the kind of connection where missing.
    pub port: Option<u16>,
    /// How the connection is protected.
    pub tls: SmtpTls,
    /// Who logs in, where the server wants that.
    pub user: Option<String>,
    /// The password.
    pub password: Option<SecretString>,
    /// Who writes.
    pub from: String,
    /// Who reads.
    pub to: Vec<String>,
}

/// Mail.
pub struct Smtp {
    transport: SmtpTransport,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl Smtp {
    /// Mail by a server, to which each answer may take as long as `limit`.
    pub fn new(config: &SmtpConfig, limit: Duration) -> Result<Self, Fault> {
        let from = mailbox(&config.from)?;
        let to: Vec<Mailbox> = config
            .to
            .iter()
            .map(|text| mailbox(text))
            .collect::<Result<_, _>>()?;
        if to.is_empty() {
            return Err(invalid("mail goes to nobody: give at least one address"));
        }
        Ok(Self {
            transport: transport(config, limit)?,
            from,
            to,
        })
    }
}

fn transport(config: &SmtpConfig, limit: Duration) -> Result<SmtpTransport, Fault> {
    let host = config.host.as_str();
    let parameters = || {
        TlsParameters::new(host.to_owned())
            .map_err(|error| Fault::new(FaultKind::Invalid, "preparing TLS for mail", error))
    };
    let (tls, port) = match config.tls {
        SmtpTls::Tls => (Tls::Wrapper(parameters()?), 465),
        SmtpTls::StartTls => (Tls::Required(parameters()?), 587),
        SmtpTls::Plain if is_this_machine(host) => (Tls::None, 25),
        SmtpTls::Plain => {
            return Err(invalid(
                "mail without TLS goes to a server on this machine only",
            ));
        }
    };
    let mut builder = SmtpTransport::builder_dangerous(host)
        .port(config.port.unwrap_or(port))
        .tls(tls)
        .timeout(Some(limit));
    if let (Some(user), Some(password)) = (&config.user, &config.password) {
        let password = password.expose_secret().to_owned();
        builder = builder.credentials(Credentials::new(user.clone(), password));
    }
    Ok(builder.build())
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

fn mailbox(text: &str) -> Result<Mailbox, Fault> {
    text.parse().map_err(|error| {
        Fault::new(
            FaultKind::Invalid,
            format!("reading the address {text:?}"),
            error,
        )
    })
}

fn invalid(why: &str) -> Fault {
    Fault::bare(FaultKind::Invalid, why)
}

impl Notifier for Smtp {
    fn name(&self) -> &'static str {
        "smtp"
    }

    fn tell(&self, notice: &Notice) -> Result<(), Fault> {
        if !notice.kind.is_for_people() {
            return Ok(());
        }
        let mail = mail(self, notice)?;
        let sent = self.transport.send(&mail);
        sent.map(drop).map_err(|error| {
            let kind = match error.is_permanent() {
                true => FaultKind::Denied,
                false => FaultKind::Unavailable,
            };
            Fault::new(kind, "sending mail", error)
        })
    }
}

fn mail(smtp: &Smtp, notice: &Notice) -> Result<Message, Fault> {
    let mut mail = Message::builder()
        .from(smtp.from.clone())
        .subject(one_line(&notice.subject));
    for reader in &smtp.to {
        mail = mail.to(reader.clone());
    }
    let at = notice.at.to_rfc3339();
    let detail = serde_json::to_string_pretty(&notice.detail).unwrap_or_default();
    let text = format!(
        "{}\n\n{}\n{at}\n\n{detail}\n",
        notice.subject, notice.database
    );
    mail.body(text)
        .map_err(|error| Fault::new(FaultKind::Invalid, "writing mail", error))
}

/// A subject is one line, whatever an error said.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(200).collect()
}
