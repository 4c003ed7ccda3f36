//! One blocking session on a server; open several for writers that stay idle in a transaction.

use std::future::poll_fn;
use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};
use tokio::runtime::{Builder, Runtime};

use crate::respaldo::wait_until;

/// Longest wait for the server to notice that a session has ended.
const PATIENCE: std::time::Duration = std::time::Duration::from_mins(1);

/// A blocking client with one session. Text in, text out.
#[derive(Debug)]
pub struct Client {
    url: String,
    runtime: Runtime,
    session: Option<PgConnection>,
}

impl Client {
    /// Opens a session; panics when the server refuses.
    pub fn connect(url: &str) -> Self {
        Self::try_connect(url).unwrap_or_else(|e| panic!("cannot connect to {url}: {e}"))
    }

    /// Opens a session, or says why not.
    pub fn try_connect(url: &str) -> Result<Self, String> {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let options = PgConnectOptions::from_str(url)
            .map_err(|e| e.to_string())?
            .ssl_mode(PgSslMode::Disable)
            .disable_statement_logging();
        let session = runtime
            .block_on(options.connect())
            .map_err(|e| describe(&e))?;
        Ok(Self {
            url: url.to_owned(),
            runtime,
            session: Some(session),
        })
    }

    /// Runs one or more statements; panics when one fails.
    pub fn exec(&mut self, sql: &str) {
        self.try_exec(sql)
            .unwrap_or_else(|e| panic!("{e}\nin: {sql}"));
    }

    /// Runs one or more statements; the error starts with the SQLSTATE.
    pub fn try_exec(&mut self, sql: &str) -> Result<(), String> {
        self.try_rows(sql).map(drop)
    }

    /// All rows of a query, as text; panics when it fails.
    pub fn rows(&mut self, sql: &str) -> Vec<Vec<Option<String>>> {
        self.try_rows(sql)
            .unwrap_or_else(|e| panic!("{e}\nin: {sql}"))
    }

    /// All rows of a query, as text; the error starts with the SQLSTATE.
    pub fn try_rows(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, String> {
        let session = self.session.as_mut().unwrap();
        let query = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        let rows = self.runtime.block_on(query.fetch_all(session));
        Ok(rows.map_err(|e| describe(&e))?.iter().map(texts).collect())
    }

    /// Sends `data` in COPY's text format to a `COPY ... FROM STDIN`; the error starts with the SQLSTATE.
    pub fn try_copy_in(&mut self, copy: &str, data: &str) -> Result<(), String> {
        let session = self.session.as_mut().unwrap();
        let copied = self.runtime.block_on(async {
            let mut copying = session.copy_in_raw(copy).await?;
            copying.send(data.as_bytes()).await?;
            copying.finish().await
        });
        copied.map(drop).map_err(|e| describe(&e))
    }

    /// What a `COPY ... TO STDOUT` gives; the error starts with the SQLSTATE.
    pub fn try_copy_out(&mut self, copy: &str) -> Result<Vec<u8>, String> {
        let session = self.session.as_mut().unwrap();
        let copied = self.runtime.block_on(async {
            let mut bytes = Vec::new();
            let mut chunks = session.copy_out_raw(copy).await?;
            while let Some(chunk) = poll_fn(|cx| chunks.as_mut().poll_next(cx)).await {
                bytes.extend_from_slice(&chunk?);
            }
            Ok(bytes)
        });
        copied.map_err(|e: sqlx::Error| describe(&e))
    }

    /// The single value of a query; panics when there is none.
    pub fn one(&mut self, sql: &str) -> String {
        let rows = self.rows(sql);
        let value = rows
            .into_iter()
            .next()
            .and_then(|row| row.into_iter().next().flatten());
        value.unwrap_or_else(|| panic!("no value from: {sql}"))
    }

    /// The first column of a query's rows, without NULLs.
    pub fn column(&mut self, sql: &str) -> Vec<String> {
        self.rows(sql)
            .into_iter()
            .filter_map(|row| row.into_iter().next().flatten())
            .collect()
    }

    /// Ends the session and waits until the server's side of it is gone, too: by then it has
    /// reported what it counted.
    pub fn leave(mut self) {
        let (pid, url) = (self.pid(), self.url.clone());
        drop(self);
        let mut watch = Self::connect(&url);
        let there = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}");
        let gone = || watch.one(&there) == "0";
        assert!(wait_until(PATIENCE, gone), "session {pid} does not end");
    }

    /// Process id of the server's side of this session.
    pub fn pid(&mut self) -> i32 {
        self.one("SELECT pg_backend_pid()").parse().unwrap()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            // The server may be gone; that is its business.
            let _ = self.runtime.block_on(session.close());
        }
    }
}

fn texts(row: &PgRow) -> Vec<Option<String>> {
    (0..row.len())
        .map(|column| {
            let value = row.try_get_raw(column).unwrap();
            value.as_str().ok().map(str::to_owned)
        })
        .collect()
}

fn describe(error: &sqlx::Error) -> String {
    match error.as_database_error() {
        Some(e) => format!("{}: {}", e.code().unwrap_or_default(), e.message()),
        None => format!("08000: {error}"),
    }
}
