//! From nothing to a session: socket, TLS, who we are, the password.

use std::env;

use bytes::BytesMut;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::frontend;
use secrecy::ExposeSecret;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx_core::net::tls::{CertificateInput, TlsConfig, handshake};
use sqlx_core::net::{Socket, SocketIntoBox, WithSocket, connect_tcp, connect_uds};

use super::link::{Link, LinkError, Message};
use crate::conninfo::ConnInfo;

/// Connects to the host at that place of the list, with the settings that `driver` has been given.
pub(super) async fn start(
    info: &ConnInfo,
    host: usize,
    driver: &PgConnectOptions,
) -> Result<Link, LinkError> {
    let tls = Tls::of(info, driver);
    let socket = match driver.get_socket() {
        Some(folder) => {
            let path = folder.join(format!(".s.PGSQL.{}", driver.get_port()));
            connect_uds(path, tls).await?
        }
        None => connect_tcp(driver.get_host(), driver.get_port(), tls).await?,
    };
    let mut link = Link::new(socket?);
    link.send(&startup(driver)?).await?;
    let password = info.password_for(host);
    let password = password.as_ref().map_or("", ExposeSecret::expose_secret);
    greet(&mut link, driver.get_username(), password).await?;
    Ok(link)
}

/// The first message. What the driver's sessions say is said here, too.
fn startup(driver: &PgConnectOptions) -> Result<BytesMut, LinkError> {
    let fixed = [("client_encoding", "UTF8"), ("user", driver.get_username())];
    let optional = [
        ("database", driver.get_database()),
        ("application_name", driver.get_application_name()),
        ("options", driver.get_options()),
    ];
    let optional = optional
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    let mut message = BytesMut::new();
    frontend::startup_message(fixed.into_iter().chain(optional), &mut message)?;
    Ok(message)
}

/// Shows who we are, until the server is ready.
async fn greet(link: &mut Link, user: &str, password: &str) -> Result<(), LinkError> {
    let mut scram = None;
    loop {
        // Whoever connects limits the whole of it.
        let Some(message) = link.message().await? else {
            continue;
        };
        match message {
            Message::Ready => return Ok(()),
            Message::Refused(error) => return Err(LinkError::Server(error)),
            Message::Authentication(body) => {
                if let Some(answer) = answer(&body, user, password, &mut scram)? {
                    link.send(&answer).await?;
                }
            }
            _ => {}
        }
    }
}

/// What is to be said to a question of the server's; nothing where it is content.
fn answer(
    body: &[u8],
    user: &str,
    password: &str,
    scram: &mut Option<ScramSha256>,
) -> Result<Option<BytesMut>, LinkError> {
    let (kind, rest) = body
        .split_first_chunk::<4>()
        .ok_or_else(|| LinkError::protocol("a question for a password is cut short"))?;
    let mut said = BytesMut::new();
    match (u32::from_be_bytes(*kind), scram) {
        // The server has shown that it knows the password, or asked for none.
        (0, None) => return Ok(None),
        (0, Some(_)) => {
            return Err(LinkError::protocol(
                "the server did not prove that it knows the password",
            ));
        }
        (3, None) => frontend::password_message(password.as_bytes(), &mut said)?,
        (5, None) => {
            let salt = <[u8; 4]>::try_from(rest)
                .map_err(|_| LinkError::protocol("the salt of a password is cut short"))?;
            let hash = md5_hash(user.as_bytes(), password.as_bytes(), salt);
            frontend::password_message(hash.as_bytes(), &mut said)?;
        }
        (10, scram @ None) => {
            let mut offered = rest.split(|byte| *byte == 0);
            if !offered.any(|name| name == SCRAM_SHA_256.as_bytes()) {
                return Err(LinkError::protocol("the server offers no SCRAM-SHA-256"));
            }
            // As the driver's sessions do.
            let begun = ScramSha256::new(password.as_bytes(), ChannelBinding::unsupported());
            frontend::sasl_initial_response(SCRAM_SHA_256, begun.message(), &mut said)?;
            *scram = Some(begun);
        }
        (11, Some(scram)) => {
            scram.update(rest)?;
            frontend::sasl_response(scram.message(), &mut said)?;
        }
        (12, scram @ Some(_)) => {
            if let Some(mut done) = scram.take() {
                done.finish(rest)?;
            }
            return Ok(None);
        }
        _ => return Err(LinkError::protocol("the server asks for an unknown proof")),
    }
    Ok(Some(said))
}

/// Whether and how a connection is encrypted.
struct Tls {
    mode: PgSslMode,
    host: String,
    root: Option<CertificateInput>,
    certificate: Option<CertificateInput>,
    key: Option<CertificateInput>,
}

impl Tls {
    /// Options of the URL, else the environment's, as the driver reads them.
    fn of(info: &ConnInfo, driver: &PgConnectOptions) -> Self {
        let file = |option: &str, variable: &str| {
            let given = info.option(option).map(str::to_owned);
            given
                .or_else(|| env::var(variable).ok())
                .map(CertificateInput::from)
        };
        Self {
            mode: driver.get_ssl_mode(),
            host: driver.get_host().to_owned(),
            root: file("sslrootcert", "PGSSLROOTCERT"),
            certificate: file("sslcert", "PGSSLCERT"),
            key: file("sslkey", "PGSSLKEY"),
        }
    }

    async fn upgrade<S: Socket>(self, mut socket: S) -> sqlx::Result<Box<dyn Socket>> {
        let must = match self.mode {
            // The driver takes `allow` for `disable`, too.
            PgSslMode::Disable | PgSslMode::Allow => return Ok(Box::new(socket)),
            PgSslMode::Prefer => false,
            PgSslMode::Require | PgSslMode::VerifyCa | PgSslMode::VerifyFull => true,
        };
        match (asked(&mut socket).await?, must) {
            (b'S', _) => {}
            (b'N', false) => return Ok(Box::new(socket)),
            (b'N', true) => return Err(sqlx::Error::Tls("the server has no TLS".into())),
            _ => return Err(sqlx::Error::Protocol("the server knows no TLS".to_owned())),
        }
        let verifies = matches!(self.mode, PgSslMode::VerifyCa | PgSslMode::VerifyFull);
        let config = TlsConfig {
            accept_invalid_certs: !verifies,
            accept_invalid_hostnames: !matches!(self.mode, PgSslMode::VerifyFull),
            hostname: &self.host,
            root_cert_path: self.root.as_ref(),
            client_cert_path: self.certificate.as_ref(),
            client_key_path: self.key.as_ref(),
        };
        handshake(socket, config, SocketIntoBox).await
    }
}

/// The server's answer to the question for TLS. One byte is read: what follows it unencrypted is not for us.
async fn asked(socket: &mut impl Socket) -> sqlx::Result<u8> {
    let mut message = BytesMut::new();
    frontend::ssl_request(&mut message);
    let mut rest = &message[..];
    while !rest.is_empty() {
        let sent = socket.write(rest).await?;
        rest = &rest[sent..];
    }
    let mut answer = [0];
    match socket.read(&mut &mut answer[..]).await? {
        0 => Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into()),
        _ => Ok(answer[0]),
    }
}

impl WithSocket for Tls {
    type Output = sqlx::Result<Box<dyn Socket>>;

    async fn with_socket<S: Socket>(self, socket: S) -> Self::Output {
        self.upgrade(socket).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(kind: u32, rest: &[u8]) -> Vec<u8> {
        [&kind.to_be_bytes()[..], rest].concat()
    }

    #[test]
    fn a_server_that_leaves_out_its_own_proof_is_not_believed() {
        let mut scram = None;
        let ask = |body: &[u8], scram: &mut _| answer(body, "u", "geheim", scram);
        let first = ask(
            &question(10, b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"),
            &mut scram,
        );
        let first = first.ok().flatten().unwrap();
        assert!(!String::from_utf8_lossy(&first).contains("geheim"));
        assert!(
            ask(&question(0, b""), &mut scram).is_err(),
            "it was not shown"
        );
        assert!(
            ask(&question(3, b""), &mut scram).is_err(),
            "in clear, after all"
        );
    }

    #[test]
    fn questions_that_are_cut_short_or_unknown_are_errors() {
        for body in [
            &b""[..],
            b"\0\0",
            &question(5, b"abc"),
            &question(7, b""),
            &question(11, b""),
        ] {
            assert!(answer(body, "u", "p", &mut None).is_err(), "{body:?}");
        }
    }
}
