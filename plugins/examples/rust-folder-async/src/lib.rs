//! The folder of `rust-folder` as futures: what a sink for a network service looks like. Linux.
#![forbid(unsafe_code)]

use std::io::{self, ErrorKind, SeekFrom};
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use respaldo_sdk::asynchronous::{Async, AsyncStorageSink, Cx, Found, Into, Source};
use respaldo_sdk::records::{ObjectInfo, SinkLimits};
use respaldo_sdk::{Error, Plugin, Result, Status};
use rustix::fs::{AtFlags, CWD, linkat};
use tokio::fs::{self, File};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

/// The options are all there is.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Folder {
    /// Absolute path of the folder, which must exist.
    dir: PathBuf,
}

impl Plugin for Folder {
    const ID: &'static str = "example.folder-async";
    const NAME: &'static str = "Folder, asynchronous";
    const VERSION: &'static str = "1.0.0";
    type Options = Self;

    fn create(options: Self) -> Result<Self> {
        Ok(options)
    }
}

impl AsyncStorageSink for Folder {
    fn location(&self) -> String {
        format!("{}/", self.dir.display())
    }

    async fn probe(&self, _: &Cx) -> Result<SinkLimits> {
        fs::metadata(&self.dir).await?;
        Ok(SinkLimits::default())
    }

    async fn put(&self, key: &str, size: u64, source: &mut Source, cx: &Cx) -> Result<()> {
        let (to, folder) = (self.dir.join(key), self.dir.join(key).with_file_name(""));
        fs::metadata(&self.dir).await?;
        fs::create_dir_all(&folder).await?;
        // Without a name: a future that is dropped leaves nothing.
        let mut file = File::from_std(tempfile::tempfile_in(&folder)?);
        let mut done = 0;
        while let Some(piece) = source.next().await? {
            file.write_all(&piece).await?;
            done += piece.len() as u64;
            cx.progress(done, size);
        }
        if done != size {
            return Err(Error::new(Status::Corrupt, format!("{key}: not {size} bytes")));
        }
        file.flush().await?;
        file.sync_all().await?;
        let unnamed = format!("/proc/self/fd/{}", file.as_raw_fd());
        linkat(CWD, unnamed, CWD, &to, AtFlags::SYMLINK_FOLLOW).map_err(io::Error::from)?;
        // From here to the end there is no await: the put is not cancelled between its name and its promise.
        let mut folders = to.ancestors().skip(1).take_while(|folder| folder.starts_with(&self.dir));
        let durable = folders.try_for_each(|folder| std::fs::File::open(folder)?.sync_all());
        Ok(durable.inspect_err(|_| drop(std::fs::remove_file(&to)))?)
    }

    async fn get(&self, key: &str, range: Option<Range<u64>>, into: &mut Into, cx: &Cx) -> Result<()> {
        let size = self.head(key, cx).await?.size_bytes;
        let Range { start, end } = range.unwrap_or(0..size);
        let mut file = File::open(self.dir.join(key)).await?;
        file.seek(SeekFrom::Start(start)).await?;
        let copied = tokio::io::copy(&mut file.take(end.saturating_sub(start)), into).await?;
        if start + copied == end {
            return Ok(());
        }
        Err(Error::new(Status::Corrupt, format!("{key} ends before {end}")))
    }

    async fn head(&self, key: &str, _: &Cx) -> Result<ObjectInfo> {
        let data = fs::metadata(self.dir.join(key)).await?;
        if !data.is_file() {
            return Err(Error::new(Status::NotFound, format!("{key} is not there")));
        }
        Ok(ObjectInfo {
            key: key.to_owned(),
            size_bytes: data.len(),
        })
    }

    async fn list(&self, prefix: &str, found: &Found, _: &Cx) -> Result<()> {
        for entry in walkdir::WalkDir::new(&self.dir) {
            let entry = entry.map_err(io::Error::from)?;
            let path = entry.path();
            let key = path.strip_prefix(&self.dir).unwrap_or(path).to_string_lossy();
            if !entry.file_type().is_file() || !key.starts_with(prefix) {
                continue;
            }
            // What was removed meanwhile is not listed.
            if let Ok(data) = entry.metadata() {
                let (key, size_bytes) = (key.into_owned(), data.len());
                found.give(ObjectInfo { key, size_bytes }).await?;
            }
        }
        Ok(())
    }

    async fn remove(&self, key: &str, _: &Cx) -> Result<()> {
        match fs::remove_file(self.dir.join(key)).await {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    async fn sweep(&self, _: &Cx) -> Result<u64> {
        Ok(0)
    }
}

respaldo_sdk::export_plugins!(storage: Async<Folder>);
