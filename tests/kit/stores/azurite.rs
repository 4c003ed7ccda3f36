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
def ask(method, path, query, body=b'', more={}):
    now = datetime.datetime.now(datetime.timezone.utc).strftime('%a, %d %b %Y %H:%M:%S GMT')
    headers = {'x-ms-date': now, 'x-ms-version': '2023-11-03', **more}
    canonical = ''.join(f'{k}:{v}\\n' for k, v in sorted(headers.items()))
    if body:
        headers |= {'Content-Type': 'text/plain', 'Content-Length': str(len(body))}
    lines = [method, '', '', headers.get('Content-Length', ''), '', headers.get('Content-Type', '')]
    resource = f'/{account}/{account}/{path}' + ''.join(f'\\n{k}:{v}' for k, v in sorted(query.items()))
    text = '\\n'.join(lines + [''] * 6) + '\\n' + canonical + resource
    mac = hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()
    headers['Authorization'] = f'SharedKey {account}:' + base64.b64encode(mac).decode()
    url = f'http://127.0.0.1:{port}/{account}/{path}?' + urllib.parse.urlencode(query)
    request = urllib.request.Request(url, method=method, headers=headers, data=body or None)
    return urllib.request.urlopen(request).read()
port, account, key = sys.argv[1:4]
";
/// The name of a block, as long as ours: the store wants that of all blocks of an object.
const BLOCK: &str = "ZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmYtMDAwMDAx";
const LEFT: &str = "
import xml.etree.ElementTree as tree
def listed(include):
    query = {'restype': 'container', 'comp': 'list', 'include': include}
    return tree.fromstring(ask('GET', 'backups', query).decode('utf-8-sig')).iter('Blob')
ended = lambda blob: any(tag.tag.lower() == 'respaldo_ended' for tag in blob.iter())
objects = {b.findtext('Name') for b in listed('metadata') if not ended(b)}
print(' '.join(sorted({b.findtext('Name') for b in listed('uncommittedblobs')} - objects)))
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
        let script = format!("{SIGNED}ask('PUT', 'backups', {{'restype': 'container'}})");
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

    /// Names with blocks of no list, and of objects that are none because they only ended an upload.
    pub fn left(&self) -> Vec<String> {
        let left = self.run(LEFT);
        left.split_whitespace().map(str::to_owned).collect()
    }

    /// Sends a block that is in no list.
    pub fn put_block(&self, name: &str) {
        self.run(&format!(
            "ask('PUT', 'backups/{name}', {{'comp': 'block', 'blockid': '{BLOCK}'}}, b'block')"
        ));
    }

    /// Ends an upload as a process does that is killed before the second of its two requests.
    pub fn end_halfway(&self, name: &str) {
        self.run(&format!(
            "ask('PUT', 'backups/{name}', {{'comp': 'blocklist'}}, b'<BlockList></BlockList>',
                {{'x-ms-meta-respaldo_ended': 'mark'}})"
        ));
    }

    /// A shared access signature for the account with these rights, such as `rwlc`.
    pub fn sas(&self, rights: &str) -> String {
        self.run(&format!(
            "fields = {{'sp': '{rights}', 'ss': 'b', 'srt': 'sco', 'st': '', 'se': '2100-01-01T00:00:00Z',
    'sip': '', 'spr': '', 'sv': '2019-12-12'}}
text = '\\n'.join([account] + list(fields.values())) + '\\n'
mac = hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()
fields['sig'] = base64.b64encode(mac).decode()
print(urllib.parse.urlencode({{name: value for name, value in fields.items() if value}}))"
        ))
    }

    fn run(&self, script: &str) -> String {
        let script = format!("{SIGNED}{script}");
        python(&script, &[&self.port.to_string(), ACCOUNT, KEY])
    }
}
