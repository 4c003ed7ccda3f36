//! The connection to the server: one that is kept, made again when it broke, with a few sessions
//! for callers in several threads.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use respaldo_engine::ports::{Fault, FaultKind};
use russh::client::{self, AuthResult, Handle, KeyboardInteractiveAuthResponse as Prompted};
use russh::keys::{PrivateKeyWithHashAlg, PublicKeyOrCertificate};
use russh::{MethodKind, Preferred};
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::account::{Account, Login};
use super::session::Session;
use super::trust::Trust;
use crate::remote::CONNECT_LIMIT;

/// OpenSSH allows ten in one connection; each is a process there that does one thing at a time.
const SESSIONS: usize = 4;
/// A server that is silent for three of these is gone.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// After so many questions a server is not asking for a password.
const MOST_PROMPTS: usize = 5;

/// An authenticated connection.
pub(super) type Connection = Handle<Doorman>;

/// The way to the server.
pub(super) struct Link {
    account: Account,
    open: Mutex<Open>,
    turn: AtomicUsize,
    /// Held from looking whether a name is free until a rename took it, where links do not tell.
    pub(super) naming: Mutex<()>,
}

/// What is open now.
#[derive(Default)]
struct Open {
    connection: Option<Arc<Connection>>,
    sessions: Vec<Arc<Session>>,
}

impl Link {
    pub(super) fn new(account: Account) -> Self {
        Self {
            account,
            open: Mutex::default(),
            turn: AtomicUsize::new(0),
            naming: Mutex::default(),
        }
    }

    /// A session that works, as far as can be told: callers take turns on a few.
    pub(super) async fn session(&self) -> Result<Arc<Session>, Fault> {
        let mut open = self.open.lock().await;
        open.sessions.retain(|session| !session.is_broken());
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % SESSIONS;
        if let Some(session) = open.sessions.get(turn)
            && session.still_answers().await
        {
            return Ok(Arc::clone(session));
        }
        let connection = self.connection(&mut open).await?;
        let session = match Session::open(&connection, &self.account.address()).await {
            Ok(session) => Arc::new(session),
            Err(fault) => {
                open.connection = None;
                return Err(fault);
            }
        };
        open.sessions.retain(|session| !session.is_broken());
        open.sessions.push(Arc::clone(&session));
        Ok(session)
    }

    async fn connection(&self, open: &mut Open) -> Result<Arc<Connection>, Fault> {
        let broken = open.sessions.iter().any(|session| session.is_broken());
        let kept = open.connection.take();
        let usable = kept.filter(|kept| !kept.is_closed() && !broken && !open.sessions.is_empty());
        let connection = match usable {
            Some(connection) => connection,
            None => {
                open.sessions.clear();
                Arc::new(self.connect().await?)
            }
        };
        open.connection = Some(Arc::clone(&connection));
        Ok(connection)
    }

    async fn connect(&self) -> Result<Connection, Fault> {
        let address = self.account.address();
        let late = |_| {
            let why = format!("no answer within {} seconds", CONNECT_LIMIT.as_secs());
            Fault::new(FaultKind::Unavailable, format!("connect to {address}"), why)
        };
        let connected = timeout(CONNECT_LIMIT, self.shake_hands()).await;
        let mut connection = connected.map_err(late)??;
        timeout(CONNECT_LIMIT, self.authenticate(&mut connection))
            .await
            .map_err(late)??;
        Ok(connection)
    }

    async fn shake_hands(&self) -> Result<Connection, Fault> {
        let account = &self.account;
        let subject = format!("connect to {}", account.address());
        let stream = TcpStream::connect((account.host.as_str(), account.port))
            .await
            .map_err(|error| Fault::new(FaultKind::Unavailable, &subject, error))?;
        // Requests are small and waited for.
        let _ = stream.set_nodelay(true);
        let doorman = Doorman {
            trust: Arc::clone(&account.trust),
            host: account.host.clone(),
            port: account.port,
        };
        let connected = client::connect_stream(Arc::new(self.config()), stream, doorman).await;
        connected.map_err(|refused| match refused {
            Refused::Host(fault) => fault,
            Refused::Ssh(error) => of_ssh(subject, error),
        })
    }

    fn config(&self) -> client::Config {
        let account = &self.account;
        let algorithms = account.trust.algorithms(&account.host, account.port);
        client::Config {
            keepalive_interval: Some(KEEPALIVE),
            preferred: Preferred {
                key: Cow::Owned(algorithms),
                ..Preferred::default()
            },
            ..client::Config::default()
        }
    }

    async fn authenticate(&self, connection: &mut Connection) -> Result<(), Fault> {
        let user = &self.account.user;
        let subject = format!("log in to {}", self.account.address());
        let answered = match &self.account.login {
            Login::Key(key) => {
                let key = PrivateKeyWithHashAlg::new(Arc::clone(key), None);
                connection.authenticate_publickey(user, key).await
            }
            Login::Password(password) => {
                let text = password.expose_secret();
                connection.authenticate_password(user, text).await
            }
        };
        let AuthResult::Failure {
            remaining_methods, ..
        } = answered.map_err(|error| of_ssh(&subject, error))?
        else {
            return Ok(());
        };
        if let Login::Password(password) = &self.account.login
            && remaining_methods.contains(&MethodKind::KeyboardInteractive)
            && answer_prompts(connection, user, password)
                .await
                .map_err(|error| of_ssh(&subject, error))?
        {
            return Ok(());
        }
        let names: Vec<&str> = remaining_methods.iter().map(<&str>::from).collect();
        let why = format!(
            "the server does not accept this {} for the user {user}; it accepts: {}",
            self.account.login.word(),
            names.join(", ")
        );
        Err(Fault::new(FaultKind::Denied, subject, why))
    }
}

impl Login {
    fn word(&self) -> &'static str {
        match self {
            Self::Password(_) => "password",
            Self::Key(_) => "key",
        }
    }
}

/// Gives the password where the server asks for it by a prompt, as those with PAM do.
async fn answer_prompts(
    connection: &mut Connection,
    user: &str,
    password: &SecretString,
) -> Result<bool, russh::Error> {
    let mut answer = connection
        .authenticate_keyboard_interactive_start(user, None)
        .await?;
    for _ in 0..MOST_PROMPTS {
        let prompts = match answer {
            Prompted::Success => return Ok(true),
            Prompted::Failure { .. } => return Ok(false),
            Prompted::InfoRequest { prompts, .. } => prompts,
        };
        // What is shown while it is typed is no password.
        let words = prompts.iter().map(|prompt| match prompt.echo {
            true => String::new(),
            false => password.expose_secret().to_owned(),
        });
        let words = words.collect();
        answer = connection
            .authenticate_keyboard_interactive_respond(words)
            .await?;
    }
    Ok(false)
}

/// Looks at the server's key before anything is told to it.
pub(super) struct Doorman {
    trust: Arc<Trust>,
    host: String,
    port: u16,
}

/// Why a connection was not made.
#[derive(Debug)]
pub(super) enum Refused {
    Ssh(russh::Error),
    Host(Fault),
}

impl From<russh::Error> for Refused {
    fn from(error: russh::Error) -> Self {
        Self::Ssh(error)
    }
}

impl client::Handler for Doorman {
    type Error = Refused;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Refused> {
        let checked = self.trust.check(&shown.public_key(), &self.host, self.port);
        checked.map_err(Refused::Host)?;
        Ok(true)
    }
}

/// The fault of a connection; its words tell no secret.
pub(super) fn of_ssh(subject: impl Into<String>, error: russh::Error) -> Fault {
    let kind = match error {
        russh::Error::NoCommonAlgo { .. } => FaultKind::Invalid,
        russh::Error::UnknownKey | russh::Error::WrongServerSig => FaultKind::Denied,
        _ => FaultKind::Unavailable,
    };
    Fault::new(kind, subject, error)
}
