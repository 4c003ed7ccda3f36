//! Messages from and to the server, the large ones in parts.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use std::{io, thread};

use bytes::BytesMut;
use postgres_protocol::message::frontend;
use sqlx_core::net::Socket;
use tokio::time::timeout;

use crate::session::PgError;

/// How long nothing may come before whoever waits is asked whether to go on.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long the server may take nothing of what is sent, in small messages.
const SEND_LIMIT: Duration = Duration::from_secs(30);
/// Bytes read at once.
const BUFFER_BYTES: usize = 128 * 1024;
/// From so many bytes of an answer on it is a stream, of which more is to come.
const STREAM_BYTES: usize = 256 * 1024;
/// How long a stream of which nothing is there is let be.
const GATHERING: Duration = Duration::from_micros(500);
/// Elsewhere a sleep may last sixteen milliseconds.
const SLEEPS_SHORTLY: bool = cfg!(unix);
/// No message but COPY data and answers to questions of ours is large.
const LIMIT_BYTES: usize = 1024 * 1024;
/// Tag and length of a message.
const HEAD_BYTES: usize = 5;

/// What the server says.
pub(super) enum Message {
    /// COPY data follow, to be taken in parts.
    Data,
    /// The first value of a row.
    Row(Option<Vec<u8>>),
    /// It waits for COPY data.
    CopyIn,
    /// What it wants to know of who we are.
    Authentication(Vec<u8>),
    /// A statement failed.
    Refused(ServerError),
    /// It is ready for the next statement.
    Ready,
    /// What does not matter here.
    Other,
}

/// An error the server told.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct ServerError {
    sqlstate: String,
    message: String,
}

/// Why a link failed.
pub(super) enum LinkError {
    /// The server refused.
    Server(ServerError),
    /// The connection, or what came over it.
    Driver(sqlx::Error),
}

impl LinkError {
    pub(super) fn protocol(what: &str) -> Self {
        Self::Driver(sqlx::Error::Protocol(what.to_owned()))
    }

    pub(super) fn late(limit: Duration) -> Self {
        let why = format!("no answer within {} ms", limit.as_millis());
        std::io::Error::new(std::io::ErrorKind::TimedOut, why).into()
    }

    pub(super) fn into_pg(self, doing: String) -> PgError {
        match self {
            Self::Driver(error) => PgError::new(doing, error),
            Self::Server(error) => PgError::refused(doing, error.sqlstate.clone(), error),
        }
    }
}

impl From<std::io::Error> for LinkError {
    fn from(error: std::io::Error) -> Self {
        Self::Driver(error.into())
    }
}

impl From<sqlx::Error> for LinkError {
    fn from(error: sqlx::Error) -> Self {
        Self::Driver(error)
    }
}

/// A connection, and what has been read of it.
pub(super) struct Link {
    socket: Box<dyn Socket>,
    input: Vec<u8>,
    /// What of `input` was not taken yet.
    from: usize,
    until: usize,
    /// Bytes of the COPY data at hand that were not taken yet.
    data_left: usize,
    /// Bytes read since the last statement.
    answered: usize,
}

impl Link {
    pub(super) fn new(socket: Box<dyn Socket>) -> Self {
        Self {
            socket,
            input: vec![0; BUFFER_BYTES],
            from: 0,
            until: 0,
            data_left: 0,
            answered: 0,
        }
    }

    /// Sends whole messages.
    pub(super) async fn send(&mut self, messages: &[u8]) -> Result<(), LinkError> {
        let work = async {
            let mut rest = messages;
            while !rest.is_empty() {
                match self.socket.write(rest).await? {
                    0 => return Err(std::io::ErrorKind::WriteZero.into()),
                    sent => rest = &rest[sent..],
                }
            }
            self.socket.flush().await
        };
        match timeout(SEND_LIMIT, work).await {
            Ok(sent) => Ok(sent?),
            Err(_) => Err(LinkError::late(SEND_LIMIT)),
        }
    }

    /// Sends statements.
    pub(super) async fn query(&mut self, text: &str) -> Result<(), LinkError> {
        let mut message = BytesMut::new();
        frontend::query(text, &mut message)?;
        self.answered = 0;
        self.send(&message).await
    }

    /// Says good-bye.
    pub(super) async fn terminate(&mut self) -> Result<(), LinkError> {
        let mut message = BytesMut::new();
        frontend::terminate(&mut message);
        self.send(&message).await?;
        // Whether it is answered does not matter.
        drop(timeout(LOOK_EVERY, self.socket.shutdown()).await);
        Ok(())
    }

    /// Whether COPY data are at hand.
    pub(super) fn is_in_data(&self) -> bool {
        self.data_left > 0
    }

    /// Takes the COPY data that were read already, message after message, at most `limit`. A row is a message, and
    /// waiting for each would cost more than taking it.
    pub(super) fn take_data_at_hand(&mut self, into: &mut Vec<u8>, limit: usize) {
        let mut room = limit;
        while room > 0 && (self.is_in_data() || self.enter_data_at_hand()) {
            let taken = room.min(self.data_left).min(self.until - self.from);
            if taken == 0 {
                return;
            }
            into.extend_from_slice(&self.input[self.from..self.from + taken]);
            self.from += taken;
            self.data_left -= taken;
            room -= taken;
        }
    }

    /// Whether the next message is here and begins data. Anything else about it is left to [`Link::message`].
    fn enter_data_at_hand(&mut self) -> bool {
        let here = &self.input[self.from..self.until];
        let Some(([b'd', length @ ..], _)) = here.split_first_chunk::<HEAD_BYTES>() else {
            return false;
        };
        let Some(length) = (u32::from_be_bytes(*length) as usize).checked_sub(4) else {
            return false;
        };
        self.from += HEAD_BYTES;
        self.data_left = length;
        true
    }

    /// The next message; none when nothing came for a while. What was read by then is kept.
    pub(super) async fn message(&mut self) -> Result<Option<Message>, LinkError> {
        if !self.has(HEAD_BYTES).await? {
            return Ok(None);
        }
        let head = &self.input[self.from..self.from + HEAD_BYTES];
        let tag = head[0];
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        let length = length
            .checked_sub(4)
            .ok_or_else(|| LinkError::protocol("a message has no length"))?;
        if tag == b'd' {
            self.from += HEAD_BYTES;
            self.data_left = length;
            return Ok(Some(Message::Data));
        }
        if length > LIMIT_BYTES {
            return Err(LinkError::protocol(
                "a message is larger than any should be",
            ));
        }
        if !self.has(HEAD_BYTES + length).await? {
            return Ok(None);
        }
        let begin = self.from + HEAD_BYTES;
        self.from = begin + length;
        Message::read(tag, &self.input[begin..begin + length]).map(Some)
    }

    /// Reads until so many bytes are there; `false` when nothing came for a while.
    pub(super) async fn has(&mut self, count: usize) -> Result<bool, LinkError> {
        while self.until - self.from < count {
            self.make_room(count);
            match timeout(LOOK_EVERY, self.read()).await {
                Err(_) => return Ok(false),
                Ok(Err(error)) => return Err(error.into()),
                Ok(Ok(0)) => {
                    let why = "the server closed the connection";
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why).into());
                }
                Ok(Ok(got)) => {
                    self.until += got;
                    self.answered = self.answered.saturating_add(got);
                }
            }
        }
        Ok(true)
    }

    /// Reads what is there, or what comes next. Of a stream some is let gather first: the server sends eight
    /// kilobytes at a time, and to be woken for each costs both sides more than reading it.
    async fn read(&mut self) -> io::Result<usize> {
        let mut room = &mut self.input[self.until..];
        let mut reading = pin!(self.socket.read(&mut room));
        if self.answered >= STREAM_BYTES && SLEEPS_SHORTLY {
            match poll_fn(|context| Poll::Ready(reading.as_mut().poll(context))).await {
                Poll::Ready(got) => return got,
                // The thread runs nothing else, and its runtime's clock has no smaller step than a millisecond.
                Poll::Pending => thread::sleep(GATHERING),
            }
        }
        reading.await
    }

    /// Makes room for a message of so many bytes, and for reading more.
    fn make_room(&mut self, count: usize) {
        if self.from == self.until {
            (self.from, self.until) = (0, 0);
        } else if self.input.len() - self.from < count.max(HEAD_BYTES) {
            self.input.copy_within(self.from..self.until, 0);
            (self.from, self.until) = (0, self.until - self.from);
        }
        if self.input.len() < count {
            self.input.resize(count, 0);
        }
    }
}

impl Message {
    fn read(tag: u8, body: &[u8]) -> Result<Self, LinkError> {
        Ok(match tag {
            b'Z' => Self::Ready,
            b'E' => Self::Refused(ServerError::read(body)),
            b'D' => Self::Row(first_value(body)?),
            b'G' | b'W' => Self::CopyIn,
            b'R' => Self::Authentication(body.to_vec()),
            // Its own key for cancelling, settings, notices, descriptions of rows and what a statement did.
            b'K' | b'S' | b'N' | b'A' | b'T' | b'C' | b'H' | b'c' | b'I' | b'v' => Self::Other,
            _ => return Err(LinkError::protocol("a message of an unknown kind came")),
        })
    }
}

impl ServerError {
    fn read(body: &[u8]) -> Self {
        let field = |wanted: u8| {
            let mut fields = body.split(|byte| *byte == 0);
            let found = fields.find(|field| field.first() == Some(&wanted));
            found.map_or(String::new(), |field| {
                String::from_utf8_lossy(&field[1..]).into_owned()
            })
        };
        Self {
            sqlstate: field(b'C'),
            message: field(b'M'),
        }
    }
}

/// Count of values, then length and bytes of each; -1 is NULL.
fn first_value(body: &[u8]) -> Result<Option<Vec<u8>>, LinkError> {
    let short = || LinkError::protocol("a row is cut short");
    let (count, rest) = body.split_first_chunk::<2>().ok_or_else(short)?;
    if i16::from_be_bytes(*count) < 1 {
        return Ok(None);
    }
    let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
    match usize::try_from(i32::from_be_bytes(*length)) {
        Ok(length) => Ok(Some(rest.get(..length).ok_or_else(short)?.to_vec())),
        Err(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_server_keeps_its_state_and_its_words() {
        let error = ServerError::read(b"SERROR\0VERROR\0C57014\0Mcanceling statement\0\0");
        let error = LinkError::Server(error).into_pg("copying".to_owned());
        assert_eq!(error.kind, crate::PgErrorKind::Cancelled);
        assert_eq!(error.sqlstate.as_deref(), Some("57014"));
        assert_eq!(error.source.to_string(), "canceling statement");
    }

    #[test]
    fn a_row_that_is_cut_short_is_an_error() {
        let row = b"\0\x01\0\0\0\x02ab";
        assert!(matches!(first_value(row), Ok(Some(value)) if value == b"ab"));
        assert!(matches!(first_value(b"\0\x01\xff\xff\xff\xff"), Ok(None)));
        for end in 0..row.len() {
            assert!(first_value(&row[..end]).is_err(), "{end}");
        }
    }
}
