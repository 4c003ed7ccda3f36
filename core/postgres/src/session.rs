//! One connection, used from one thread at a time.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::time::Duration;

use respaldo_domain::table::quote_literal;
use sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sqlx::query::Query;
use sqlx::{Arguments, AssertSqlSafe, Connection, Executor, Postgres, Row};
use tokio::time::timeout;

use crate::conninfo::ConnInfo;
use crate::copying::CopyOut;
use crate::parting::Parting;
use crate::runtime::block_on;
use crate::sockets;

/// A statement whose text was put together at run time. Every identifier in it must have passed
/// `quote_identifier` and every literal `quote_literal`; values are better bound.
pub fn sql(text: impl Into<String>) -> Statement {
    Statement {
        text: text.into(),
        arguments: Ok(PgArguments::default()),
    }
}

/// A statement with its bound values.
pub struct Statement {
    text: String,
    arguments: Result<PgArguments, sqlx::Error>,
}

impl Statement {
    /// Binds the next `$n`.
    #[must_use]
    pub fn bind<'v, T>(mut self, value: T) -> Self
    where
        T: sqlx::Encode<'v, Postgres> + sqlx::Type<Postgres>,
    {
        self.arguments = self.arguments.and_then(|mut arguments| {
            arguments.add(value).map_err(sqlx::Error::Encode)?;
            Ok(arguments)
        });
        self
    }

    fn query(self) -> Result<Query<'static, Postgres, PgArguments>, sqlx::Error> {
        Ok(sqlx::query_with(AssertSqlSafe(self.text), self.arguments?))
    }
}

/// Limits of a connection.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// Longest wait for the connection.
    pub connect_timeout: Duration,
    /// `statement_timeout`; zero: none.
    pub statement_timeout: Duration,
    /// `lock_timeout`; zero: none.
    pub lock_timeout: Duration,
    /// Longest wait for an answer, for sessions whose other end may be cut off without a word; zero: none.
    /// Does not hold for COPY and for rows that come one by one. A session on which it has passed
    /// is unusable and must be dropped.
    pub answer_timeout: Duration,
    /// Further settings, `name` and value.
    pub settings: Vec<(String, String)>,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(15),
            statement_timeout: Duration::ZERO,
            lock_timeout: Duration::from_secs(30),
            answer_timeout: Duration::ZERO,
            settings: Vec::new(),
        }
    }
}

/// What went wrong at the server or on the way.
#[derive(Debug, thiserror::Error)]
#[error("{doing}")]
pub struct PgError {
    /// What was being done.
    pub doing: String,
    /// What code branches on.
    pub kind: PgErrorKind,
    /// SQLSTATE, where the server gave one.
    pub sqlstate: Option<String>,
    /// The driver's error.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Kinds of error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PgErrorKind {
    /// No connection, or it broke.
    Connection,
    /// Wrong role or password, or the role may not.
    Denied,
    /// The database, table or role is not there.
    NotFound,
    /// A lock was not to be had in time.
    LockTimeout,
    /// Cancelled, or took longer than its limit.
    Cancelled,
    /// No disk space, memory or locks left at the server.
    ServerFull,
    /// Everything else the server refuses.
    Statement,
}

impl PgError {
    /// Wraps an error of the driver.
    pub fn new(doing: impl Into<String>, error: sqlx::Error) -> Self {
        let sqlstate = error
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code)
            .map(std::borrow::Cow::into_owned);
        let kind = match (&error, sqlstate.as_deref()) {
            (_, Some(state)) => kind_of_state(state),
            (sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_), _) => {
                PgErrorKind::Connection
            }
            _ => PgErrorKind::Statement,
        };
        Self {
            doing: doing.into(),
            kind,
            sqlstate,
            source: Box::new(error),
        }
    }

    /// What the server refused, by its state.
    pub(crate) fn refused(
        doing: String,
        sqlstate: String,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        Self {
            doing,
            kind: kind_of_state(&sqlstate),
            sqlstate: Some(sqlstate),
            source: Box::new(source),
        }
    }

    pub(crate) fn timed_out(doing: String, limit: Duration) -> Self {
        let source = format!("no answer within {} s", limit.as_secs()).into();
        Self {
            doing,
            kind: PgErrorKind::Connection,
            sqlstate: None,
            source,
        }
    }
}

/// Classes of SQLSTATE (PostgreSQL documentation, appendix A).
fn kind_of_state(state: &str) -> PgErrorKind {
    match state {
        "55P03" => PgErrorKind::LockTimeout,
        "57014" => PgErrorKind::Cancelled,
        "42501" | "0LP01" => PgErrorKind::Denied,
        "3D000" | "42P01" | "42704" | "3F000" => PgErrorKind::NotFound,
        _ if state.starts_with("08") || state.starts_with("57P") => PgErrorKind::Connection,
        _ if state.starts_with("28") => PgErrorKind::Denied,
        _ if state.starts_with("53") || state == "58030" => PgErrorKind::ServerFull,
        _ => PgErrorKind::Statement,
    }
}

/// A connection. Dropping it closes it; the server ends the transaction.
pub struct Session {
    connection: Parting,
    pid: i32,
    port: u16,
    answer_timeout: Duration,
    /// Room for COPY output, kept from one table to the next.
    batch: Vec<u8>,
}

impl Session {
    /// Connects and sets what every session of ours has: no search path, row security off (a
    /// policy raises an error instead of hiding rows), text formats as pg_dump uses them, UTC.
    pub fn connect(info: &ConnInfo, options: &SessionOptions) -> Result<Self, PgError> {
        Self::connect_with(info, options, &startup_settings(options))
    }

    /// Connects with no setting of ours, to see those that server, database and role give to a
    /// tool's session.
    pub fn connect_as_tools_do(info: &ConnInfo, options: &SessionOptions) -> Result<Self, PgError> {
        Self::connect_with(info, options, &[])
    }

    /// Gives a session of [`Session::connect_as_tools_do`] what every session of ours has.
    pub(crate) fn become_ours(
        &mut self,
        info: &ConnInfo,
        options: &SessionOptions,
    ) -> Result<(), PgError> {
        let ours = startup_settings(options).into_iter();
        let ours = ours.map(|(name, value)| (quote_literal(&name), quote_literal(&value)));
        let asked_for = info.server_options().map(parse_server_options);
        let all = ours.chain(asked_for.into_iter().flatten());
        let set = all.map(|(name, value)| set_config(&name, &value));
        self.answer_timeout = options.answer_timeout;
        self.batch(&set.collect::<Vec<_>>().join("; "))
    }

    fn connect_with(
        info: &ConnInfo,
        options: &SessionOptions,
        settings: &[(String, String)],
    ) -> Result<Self, PgError> {
        let mut last = None;
        for driver in info.driver_options() {
            let driver = driver.options(settings.iter().cloned());
            match Self::connect_one(info, &driver, options) {
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
        driver: &sqlx::postgres::PgConnectOptions,
        options: &SessionOptions,
    ) -> Result<Self, PgError> {
        let doing = || format!("connecting to {}", info.display_url());
        let limit = options.connect_timeout;
        let work = async {
            let mut connection = PgConnection::connect_with(driver).await?;
            sockets::tend(driver.get_port());
            if let Some(own) = info.server_options() {
                for (name, value) in parse_server_options(own) {
                    let text = set_config(&name, &value);
                    connection.execute(AssertSqlSafe(text)).await?;
                }
            }
            // Not prepared, which would be another way there and back.
            let answer = connection
                .fetch_one("SELECT pg_catalog.pg_backend_pid()")
                .await?;
            let pid: i32 = answer.try_get(0)?;
            Ok::<_, sqlx::Error>(Self {
                connection: Parting::new(connection),
                pid,
                port: driver.get_port(),
                answer_timeout: options.answer_timeout,
                batch: Vec::new(),
            })
        };
        match block_on(async { timeout(limit, work).await }) {
            Ok(Ok(session)) => Ok(session),
            Ok(Err(error)) => Err(PgError::new(doing(), error)),
            Err(_) => Err(PgError::timed_out(doing(), limit)),
        }
    }

    /// Whether the session is of no more use: all it is asked ends in an error.
    pub fn is_lost(&self) -> bool {
        self.connection.is_lost()
    }

    /// Process id of the server's backend.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Another limit for answers from now on, as [`SessionOptions::answer_timeout`].
    pub fn set_answer_timeout(&mut self, limit: Duration) {
        self.answer_timeout = limit;
    }

    /// Runs statements without parameters, several at once allowed; results are dropped.
    pub fn batch(&mut self, text: &str) -> Result<(), PgError> {
        let limit = self.answer_timeout;
        let statements = AssertSqlSafe(text.to_owned());
        let work = async { self.connection.live()?.execute(statements).await };
        answer(limit, work)
            .map(drop)
            .map_err(|error| PgError::new(doing(text), error))
    }

    /// Runs one statement and returns the number of rows it touched.
    pub fn execute(&mut self, statement: Statement) -> Result<u64, PgError> {
        let text = doing(&statement.text);
        let limit = self.answer_timeout;
        let work = async { statement.query()?.execute(self.connection.live()?).await };
        answer(limit, work)
            .map(|done| done.rows_affected())
            .map_err(|error| PgError::new(text, error))
    }

    /// All rows of a query.
    pub fn rows(&mut self, statement: Statement) -> Result<Vec<PgRow>, PgError> {
        let text = doing(&statement.text);
        let limit = self.answer_timeout;
        let work = async { statement.query()?.fetch_all(self.connection.live()?).await };
        answer(limit, work).map_err(|error| PgError::new(text, error))
    }

    /// What `read` makes of each row of a query. For many rows: only one is held at a time.
    pub fn each_row<T>(
        &mut self,
        statement: Statement,
        mut read: impl FnMut(&PgRow) -> Result<T, PgError>,
    ) -> Result<Vec<T>, PgError> {
        let failed = |text: &str, error| PgError::new(doing(text), error);
        let text = statement.text.clone();
        let query = statement.query().map_err(|error| failed(&text, error))?;
        let connection = self.connection.live();
        let connection = connection.map_err(|error| failed(&text, error))?;
        let mut stream = query.fetch(connection);
        let mut all = Vec::new();
        block_on(async {
            while let Some(row) = poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
                all.push(read(&row.map_err(|error| failed(&text, error))?)?);
            }
            Ok(all)
        })
    }

    /// The only row of a query.
    pub fn row(&mut self, statement: Statement) -> Result<PgRow, PgError> {
        let text = doing(&statement.text);
        let limit = self.answer_timeout;
        let work = async { statement.query()?.fetch_one(self.connection.live()?).await };
        answer(limit, work).map_err(|error| PgError::new(text, error))
    }

    /// The first row of a query, if any.
    pub fn optional_row(&mut self, statement: Statement) -> Result<Option<PgRow>, PgError> {
        let limit = self.answer_timeout;
        let text = doing(&statement.text);
        let work = async {
            statement
                .query()?
                .fetch_optional(self.connection.live()?)
                .await
        };
        answer(limit, work).map_err(|error| PgError::new(text, error))
    }

    /// The only value of a query.
    pub fn value<T>(&mut self, statement: Statement) -> Result<T, PgError>
    where
        T: for<'r> sqlx::Decode<'r, Postgres> + sqlx::Type<Postgres>,
    {
        let text = doing(&statement.text);
        let row = self.row(statement)?;
        row.try_get(0).map_err(|error| PgError::new(text, error))
    }

    /// Runs `COPY ... TO STDOUT` and gives each piece of its output to `each`, which may stop it.
    /// After `each` stopped it the connection is unusable and must be dropped. A piece is at least a row: for
    /// rows that may be huge there is [`crate::CopySession`].
    pub fn copy_out<E: From<PgError>>(
        &mut self,
        statement: &str,
        mut each: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |error| E::from(PgError::new(doing(statement), error));
        let connection = self.connection.live().map_err(failed)?;
        let stream = block_on(connection.copy_out_raw(statement)).map_err(failed)?;
        let mut stream = pin!(stream);
        // Rows arrive one message each; entering the runtime once per megabyte, not once per row,
        // is what keeps this cheap.
        let mut batch = std::mem::take(&mut self.batch);
        batch.reserve(COPY_BATCH_BYTES + COPY_ROW_BYTES);
        loop {
            batch.clear();
            let next = block_on(fill(stream.as_mut(), &mut batch)).map_err(failed)?;
            if !batch.is_empty() {
                each(&batch)?;
            }
            match next {
                Next::Full => {}
                Next::Large(row) => each(row.as_ref())?,
                Next::Ended => break,
            }
        }
        // A row just below the bound may have made it larger.
        batch.clear();
        batch.shrink_to(COPY_BATCH_BYTES + COPY_ROW_BYTES);
        self.batch = batch;
        Ok(())
    }

    /// Begins `COPY ... FROM STDIN`.
    pub fn copy_in(&mut self, statement: &str) -> Result<CopyIn<'_>, PgError> {
        sockets::be_patient(self.port);
        let failed = |error| PgError::new(doing(statement), error);
        let (connection, is_lost) = self.connection.live_or_lost().map_err(failed)?;
        let inner = block_on(connection.copy_in_raw(statement)).map_err(failed)?;
        Ok(CopyIn {
            inner,
            statement: doing(statement),
            is_lost,
        })
    }

    /// Closes the connection, and tells whether the server could be told.
    pub fn close(self) -> Result<(), PgError> {
        answer(self.answer_timeout, self.connection.close())
            .map_err(|e| PgError::new("closing a connection", e))
    }
}

impl CopyOut for Session {
    fn copy_out<E: From<PgError>>(
        &mut self,
        statement: &str,
        each: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        Self::copy_out(self, statement, each)
    }

    fn text(&mut self, query: &str) -> Result<String, PgError> {
        let failed = |error| PgError::new(doing(query), error);
        let row = self.row(sql(format!("SELECT ({query})::text")))?;
        let value: Option<String> = row.try_get(0).map_err(failed)?;
        Ok(value.unwrap_or_default())
    }
}

/// Waits for an answer no longer than `limit`; zero: as long as it takes.
fn answer<T>(limit: Duration, work: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    if limit.is_zero() {
        return block_on(work);
    }
    let late = |_| {
        let why = format!("no answer within {} ms", limit.as_millis());
        Err(std::io::Error::new(std::io::ErrorKind::TimedOut, why).into())
    };
    block_on(async { timeout(limit, work).await }).unwrap_or_else(late)
}

/// Bytes of COPY output handed on at once.
const COPY_BATCH_BYTES: usize = 256 * 1024;
/// Room for the row with which a batch becomes full.
const COPY_ROW_BYTES: usize = 8 * 1024;

/// Why a batch was not filled further.
enum Next<B> {
    /// It is full.
    Full,
    /// A row comes that would fill one alone: it is handed on as it is, for it may be huge.
    Large(B),
    /// Nothing more comes.
    Ended,
}

async fn fill<S, B>(mut stream: Pin<&mut S>, batch: &mut Vec<u8>) -> sqlx::Result<Next<B>>
where
    S: futures_core::Stream<Item = sqlx::Result<B>>,
    B: AsRef<[u8]>,
{
    while batch.len() < COPY_BATCH_BYTES {
        match poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
            Some(Ok(bytes)) if bytes.as_ref().len() >= COPY_BATCH_BYTES => {
                return Ok(Next::Large(bytes));
            }
            Some(Ok(bytes)) => batch.extend_from_slice(bytes.as_ref()),
            Some(Err(error)) => return Err(error),
            None => return Ok(Next::Ended),
        }
    }
    Ok(Next::Full)
}

/// A running `COPY ... FROM STDIN`. Must be finished or aborted.
pub struct CopyIn<'s> {
    inner: sqlx::postgres::PgCopyIn<&'s mut PgConnection>,
    statement: String,
    is_lost: &'s mut bool,
}

impl CopyIn<'_> {
    /// Sends bytes of what the statement is to copy.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), PgError> {
        block_on(self.inner.send(bytes))
            .map(drop)
            .map_err(|error| PgError::new(&self.statement, error))
    }

    /// Ends the data; returns the number of rows loaded.
    pub fn finish(self) -> Result<u64, PgError> {
        block_on(self.inner.finish()).map_err(|error| PgError::new(self.statement, error))
    }

    /// Gives up; the server undoes the statement. Where it had refused the statement before, that is the error, and the
    /// session is lost: the driver leaves the end of such an answer unread, to be taken for that of the next.
    pub fn abort(self, why: &str) -> Result<(), PgError> {
        block_on(self.inner.abort(why)).map_err(|error| {
            *self.is_lost = true;
            PgError::new(self.statement, error)
        })
    }
}

/// Settings that make text the same everywhere (as pg_dump sets them), and limits.
pub(crate) fn startup_settings(options: &SessionOptions) -> Vec<(String, String)> {
    let fixed = [
        ("search_path", ""),
        ("row_security", "off"),
        ("DateStyle", "ISO"),
        ("IntervalStyle", "postgres"),
        ("extra_float_digits", "3"),
        ("bytea_output", "hex"),
        ("xmloption", "content"),
        ("TimeZone", "UTC"),
        ("client_min_messages", "warning"),
        ("standard_conforming_strings", "on"),
        ("synchronize_seqscans", "off"),
        // Compiling a catalog query takes a hundred times as long as running it.
        ("jit", "off"),
        ("default_transaction_read_only", "off"),
        ("idle_in_transaction_session_timeout", "0"),
        // Nor does the server keep what a session that was cut off holds.
        ("tcp_keepalives_idle", "10"),
        ("tcp_keepalives_interval", "5"),
        ("tcp_keepalives_count", "4"),
    ];
    let limits = [
        (
            "statement_timeout",
            options.statement_timeout.as_millis().to_string(),
        ),
        ("lock_timeout", options.lock_timeout.as_millis().to_string()),
    ];
    let fixed = fixed
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let limits = limits
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    fixed
        .chain(limits)
        .chain(options.settings.iter().cloned())
        .collect()
}

/// `-c name=value` settings of libpq's `options` parameter, quoted as SQL literals.
pub(crate) fn parse_server_options(text: &str) -> Vec<(String, String)> {
    let words = text.replace("-c ", "-c");
    words
        .split_whitespace()
        .filter_map(|word| word.strip_prefix("-c").or_else(|| word.strip_prefix("--")))
        .filter_map(|word| word.split_once('='))
        .map(|(name, value)| (quote_literal(name), quote_literal(value)))
        .collect()
}

/// The statement that gives a session a setting; both are literals.
fn set_config(name: &str, value: &str) -> String {
    format!("SELECT pg_catalog.set_config({name}, {value}, false)")
}

/// The start of a statement, for error messages.
pub(crate) fn doing(statement: &str) -> String {
    let one_line = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = one_line.chars().take(120).collect();
    format!("running {short:?}")
}
