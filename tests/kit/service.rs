//! `respaldo serve` as a process of a test: started, listened to, killed.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::Respaldo;
use crate::respaldo::wait_until;

/// Longer than a start takes on a machine with others at work.
const LONG: Duration = Duration::from_mins(2);

/// A service, killed when it is dropped.
#[derive(Debug)]
pub struct Service {
    child: Child,
    log: PathBuf,
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Service {
    /// Starts `serve`, with variables besides, and waits until `answers`.
    pub fn start(
        respaldo: &Respaldo,
        variables: &[(&str, &str)],
        answers: impl FnMut() -> bool,
    ) -> Self {
        let path = respaldo.folder().join("serve.log");
        let log = File::create(&path).unwrap();
        let mut command = respaldo.command(&["serve"]);
        command.envs(variables.iter().copied()).stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log);
        let service = Self {
            child: command.spawn().unwrap(),
            log: path,
        };
        assert!(
            wait_until(LONG, answers),
            "the panel does not answer: {}",
            service.said()
        );
        service
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it said since it was started.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The token of the first start, which it said: 256 bits in URL-safe base64.
    pub fn setup_token(&self) -> String {
        let token = || {
            let said = self.said();
            let is_part = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
            let mut words = said.split(|c| !is_part(c));
            words.find(|word| word.len() == 43).map(str::to_owned)
        };
        assert!(wait_until(LONG, || token().is_some()), "{}", self.said());
        token().unwrap()
    }
}
