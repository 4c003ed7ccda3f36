//! Azurite, which speaks Azure Blob Storage.

use std::process::Command;

use super::server::{Server, program, python, python_until};
use crate::ports::free_port;

/// The account that every Azurite has.
pub const ACCOUNT: &str = "devstoreaccount1";
/// Its key, which is public.
pub const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

const SIGNED: &str = "
import base64, datetime, hashlib, hmac, sys, urllib.parse, urllib.request
def ask(method, path, query):
    now = datetime.datetime.now(datetime.timezone.utc).strftime('%a, %d %b %Y %H:%M:%S GMT')
    headers = {'x-ms-date': now, 'x-ms-version': '2023-11-03'}
    canonical = ''.join(f'{k}:{v}\\n' for k, v in sorted(headers.items()))
    resource = f'/{account}/{account}/{path}' + ''.join(f'\\n{k}:{v}' for k, v in sorted(query.items()))
    text = '\\n'.join([method] + [''] * 11) + '\\n' + canonical + resource
    mac = hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()
    headers['Authorization'] = f'SharedKey {account}:' + base64.b64encode(mac).decode()
    url = f'http://127.0.0.1:{port}/{account}/{path}?' + urllib.parse.urlencode(query)
    return urllib.request.urlopen(urllib.request.Request(url, method=method, headers=headers)).read()
port, account, key = sys.argv[1:4]
";

/// A running server with a container `backups`.
#[derive(Debug)]
pub struct Azurite {
    server: Server,
    port: u16,
}

impl Azurite {
    /// Starts one and makes its container.
    pub fn start() -> Self {
        let port = free_port();
        let mut command = Command::new(program("node/node_modules/.bin/azurite-blob"));
        command.args(["--blobHost", "127.0.0.1", "--blobPort", &port.to_string()]);
        command.args(["--location", "data", "--silent", "--disableTelemetry"]);
        command.arg("--skipApiVersionCheck");
        let mut server = Server::start(tempfile::tempdir().unwrap(), &mut command);
        server.wait_for_port(port);
        let script = format!("{SIGNED}\nask('PUT', 'backups', {{'restype': 'container'}})");
        python_until(&script, &[&port.to_string(), ACCOUNT, KEY]);
        Self { server, port }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// The XML listing of the container, uncommitted blobs included.
    pub fn everything(&self) -> String {
        let query = "{'restype': 'container', 'comp': 'list', 'include': 'uncommittedblobs'}";
        let script = format!("{SIGNED}\nprint(ask('GET', 'backups', {query}).decode('utf-8-sig'))");
        python(&script, &[&self.port.to_string(), ACCOUNT, KEY])
    }
}
