//! A connection for `COPY ... TO STDOUT` that never holds a whole row.
//!
//! The server sends a row as one message, which may be as large as PostgreSQL allows, and a general driver
//! hands out whole messages: one row of 200 MB took twice that. Here what has arrived of a message is passed on
//! at once. The connection speaks the protocol by `postgres-protocol`, opens its socket and its TLS by the code of the driver that all other
//! sessions use, and takes its settings from the same [`ConnInfo`], so there is no second meaning of any of them.

mod link;
mod startup;

use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

use self::link::{Link, LinkError, Message};
use crate::conninfo::ConnInfo;
use crate::parting::farewell;
use crate::session::{PgError, SessionOptions, doing, parse_server_options, startup_settings};
use crate::sockets;

/// COPY output handed on at once, in bytes.
const BATCH_BYTES: usize = 256 * 1024;

/// What can copy out.
pub trait CopyOut {
    /// Runs `COPY ... TO STDOUT` and gives each piece of its output to `each`, which may stop it. After `each`
    /// stopped it the connection is unusable and must be dropped.
    fn copy_out<E: From<PgError>>(
        &mut self,
        statement: &str,
        each: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E>;

    /// The only value of a query without parameters, as text; NULL is empty.
    fn text(&mut self, query: &str) -> Result<String, PgError>;
}

/// A connection for COPY, used from one thread at a time. Dropping it closes it; the server ends the
/// transaction.
pub struct CopySession {
    // Dropped before the runtime whose socket it has.
    link: Link,
    runtime: Runtime,
    answer_timeout: Duration,
    batch: Vec<u8>,
}

impl CopySession {
    /// Connects as [`crate::Session::connect`] does, with the same settings.
    pub fn connect(info: &ConnInfo, options: &SessionOptions) -> Result<Self, PgError> {
        let settings = startup_settings(options);
        let mut last = None;
        for (at, driver) in info.driver_options().into_iter().enumerate() {
            let driver = driver.options(settings.iter().cloned());
            match Self::connect_one(info, at, &driver, options) {
                Ok(session) => return Ok(session),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| {
            PgError::timed_out("connecting to no host at all".to_owned(), Duration::ZERO)
        }))
    }

    fn connect_one(
        info: &ConnInfo,
        host: usize,
        driver: &sqlx::postgres::PgConnectOptions,
        options: &SessionOptions,
    ) -> Result<Self, PgError> {
        let doing = || format!("connecting to {}", info.display_url());
        let limit = options.connect_timeout;
        // Of its own, for a shared one would wake another thread for every few kilobytes that arrive.
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| PgError::new(doing(), error.into()))?;
        let work = startup::start(info, host, driver);
        let link = match runtime.block_on(async { tokio::time::timeout(limit, work).await }) {
            Ok(Ok(link)) => link,
            Ok(Err(error)) => return Err(error.into_pg(doing())),
            Err(_) => return Err(PgError::timed_out(doing(), limit)),
        };
        sockets::tend(driver.get_port());
        let mut session = Self {
            link,
            runtime,
            answer_timeout: limit,
            batch: Vec::new(),
        };
        for (name, value) in info
            .server_options()
            .into_iter()
            .flat_map(parse_server_options)
        {
            session.batch(&format!(
                "SELECT pg_catalog.set_config({name}, {value}, false)"
            ))?;
        }
        session.answer_timeout = options.answer_timeout;
        Ok(session)
    }

    /// Runs statements without parameters, several at once allowed; results are dropped.
    pub fn batch(&mut self, text: &str) -> Result<(), PgError> {
        self.run(text)
            .map(drop)
            .map_err(|error| error.into_pg(doing(text)))
    }

    /// Runs statements to their end; returns the first value of the last row.
    fn run(&mut self, text: &str) -> Result<Option<Vec<u8>>, LinkError> {
        let mut last = Answer::default();
        self.runtime.block_on(self.link.query(text))?;
        let began = Instant::now();
        loop {
            let message = self.runtime.block_on(self.link.message())?;
            let is_over = message.map_or(Ok(false), |message| last.take(message))?;
            if is_over {
                return last.refused.map_or(Ok(last.value), Err);
            }
            if self.is_late(began) {
                return Err(LinkError::late(self.answer_timeout));
            }
        }
    }

    fn is_late(&self, began: Instant) -> bool {
        !self.answer_timeout.is_zero() && began.elapsed() >= self.answer_timeout
    }

    /// As [`CopyOut::copy_out`]; `each` may keep a piece, and leave an empty one. While nothing arrives it is given
    /// empty ones, a few a second, so that it may stop a copy that waits.
    pub fn copy_out_pieces<E: From<PgError>>(
        &mut self,
        statement: &str,
        mut each: impl FnMut(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |error: LinkError| E::from(error.into_pg(doing(statement)));
        let mut batch = std::mem::take(&mut self.batch);
        let (link, runtime) = (&mut self.link, &self.runtime);
        runtime.block_on(link.query(statement)).map_err(failed)?;
        let mut end = Answer::default();
        let mut is_over = false;
        while !is_over {
            batch.clear();
            batch.reserve(BATCH_BYTES);
            is_over = runtime
                .block_on(gather(link, &mut batch, &mut end))
                .map_err(failed)?;
            each(&mut batch)?;
        }
        self.batch = batch;
        end.refused.map_or(Ok(()), |error| Err(failed(error)))
    }
}

impl Drop for CopySession {
    fn drop(&mut self) {
        farewell(&self.runtime, self.link.terminate());
    }
}

impl CopyOut for CopySession {
    fn copy_out<E: From<PgError>>(
        &mut self,
        statement: &str,
        mut each: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.copy_out_pieces(statement, |piece| each(piece))
    }

    fn text(&mut self, query: &str) -> Result<String, PgError> {
        let value = self
            .run(query)
            .map_err(|error| error.into_pg(doing(query)))?;
        Ok(String::from_utf8_lossy(&value.unwrap_or_default()).into_owned())
    }
}

/// Fills the batch with COPY output; less of it when nothing came for a while. `true` once the statement has ended.
async fn gather(link: &mut Link, batch: &mut Vec<u8>, end: &mut Answer) -> Result<bool, LinkError> {
    loop {
        link.take_data_at_hand(batch, BATCH_BYTES - batch.len());
        if batch.len() == BATCH_BYTES {
            return Ok(false);
        }
        if link.is_in_data() {
            if !link.has(1).await? {
                return Ok(false);
            }
            continue;
        }
        match link.message().await? {
            None => return Ok(false),
            Some(message) => {
                if end.take(message)? {
                    return Ok(true);
                }
            }
        }
    }
}

/// What the server said to a statement, until it is ready for the next.
#[derive(Default)]
struct Answer {
    refused: Option<LinkError>,
    value: Option<Vec<u8>>,
}

impl Answer {
    /// Takes the next message; `true` when it was the last.
    fn take(&mut self, message: Message) -> Result<bool, LinkError> {
        match message {
            Message::Ready => return Ok(true),
            // What follows a refusal is skipped by the server; the first says why.
            Message::Refused(error) if self.refused.is_none() => {
                self.refused = Some(LinkError::Server(error));
            }
            Message::Row(value) => self.value = value,
            Message::CopyIn => return Err(LinkError::protocol("the server wants data")),
            Message::Refused(_) | Message::Data | Message::Other => {}
            Message::Authentication(_) => {
                return Err(LinkError::protocol("the server asks for a password again"));
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::task::{Context, Poll};

    use sqlx_core::io::ReadBuf;
    use sqlx_core::net::Socket;

    use super::*;

    /// Gives what the server said, a few bytes at a time, and nothing at first each time.
    struct Piecemeal {
        said: Vec<u8>,
        given: usize,
        at_once: usize,
        has_more: bool,
    }

    impl Socket for Piecemeal {
        fn try_read(&mut self, buf: &mut dyn ReadBuf) -> io::Result<usize> {
            if !std::mem::take(&mut self.has_more) {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let left = &self.said[self.given..];
            let count = left.len().min(self.at_once).min(buf.remaining_mut());
            buf.put_slice(&left[..count]);
            self.given += count;
            Ok(count)
        }

        fn try_write(&mut self, buf: &[u8]) -> io::Result<usize> {
            Ok(buf.len())
        }

        fn poll_read_ready(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
            if std::mem::replace(&mut self.has_more, true) {
                return Poll::Ready(Ok(()));
            }
            context.waker().wake_by_ref();
            Poll::Pending
        }

        fn poll_write_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn message(tag: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap();
        [&[tag], &length.to_be_bytes()[..], body].concat()
    }

    /// All data of one answer, that arrives `at_once` bytes at a time.
    fn gathered(said: &[Vec<u8>], at_once: usize) -> Result<Vec<Vec<u8>>, LinkError> {
        let socket = Piecemeal {
            said: said.concat(),
            given: 0,
            at_once,
            has_more: false,
        };
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let mut link = Link::new(Box::new(socket));
        let (mut batches, mut end) = (Vec::new(), Answer::default());
        let mut is_over = false;
        while !is_over {
            let mut batch = Vec::new();
            is_over = runtime.block_on(gather(&mut link, &mut batch, &mut end))?;
            batches.push(batch);
        }
        end.refused.map_or(Ok(batches), Err)
    }

    #[test]
    fn data_are_the_same_in_whatever_parts_they_arrive() {
        let said = [
            message(b'H', &[0, 0, 1, 0, 0]),
            message(b'd', b"one\n"),
            message(b'd', b""),
            message(b'N', b"SNOTICE\0\0"),
            message(b'd', b"two\n"),
            message(b'd', b"three\n"),
            message(b'c', b""),
            message(b'C', b"COPY 3\0"),
            message(b'Z', b"I"),
        ];
        for at_once in 1..=said.concat().len() {
            let batches = gathered(&said, at_once).ok().unwrap();
            assert_eq!(batches.concat(), b"one\ntwo\nthree\n", "{at_once}");
        }
    }

    #[test]
    fn no_batch_is_larger_than_it_may_be() {
        let row = [b'x'; 1000];
        let mut said = vec![message(b'd', &row); 2 * BATCH_BYTES / row.len()];
        said.insert(3, message(b'd', &vec![b'y'; 3 * BATCH_BYTES]));
        said.push(message(b'Z', b"I"));
        let batches = gathered(&said, 100_000).ok().unwrap();
        let sizes: Vec<usize> = batches.iter().map(Vec::len).collect();
        let (last, full) = sizes.split_last().unwrap();
        assert!(full.iter().all(|size| *size == BATCH_BYTES), "{sizes:?}");
        assert!(*last < BATCH_BYTES);
        assert_eq!(
            sizes.iter().sum::<usize>(),
            (said.len() - 2) * row.len() + 3 * BATCH_BYTES
        );
    }

    #[test]
    fn a_message_without_a_length_is_an_error_and_so_is_one_cut_short() {
        let broken = [message(b'd', b"one\n"), b"d\0\0\0\x03".to_vec()];
        let cut = [message(b'd', b"one\n"), b"d\0\0\0\x09on".to_vec()];
        for said in [broken, cut] {
            for at_once in [1, 5, 100] {
                assert!(gathered(&said, at_once).is_err());
            }
        }
    }
}
