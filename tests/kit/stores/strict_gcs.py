"""The JSON interface of Google Cloud Storage as its documents describe it, in memory: the condition of
a session is checked when its last chunk makes the object, and `bytes */N` only asks.

Usage: strict_gcs.py PORT. Knows one bucket, `backups`, and one bearer token, `good`, if any is sent.
"""

import base64
import json
import sys
import threading
import urllib.parse
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LOCK = threading.Lock()
OBJECTS = {}
SESSIONS = {}
TABLE = [0] * 256
for n in range(256):
    crc = n
    for _ in range(8):
        crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    TABLE[n] = crc


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return base64.b64encode((crc ^ 0xFFFFFFFF).to_bytes(4, "big")).decode()


class Refused(Exception):
    def __init__(self, status, reason, message):
        self.status, self.reason, self.message = status, reason, message


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, body=b"", headers=()):
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_all(self):
        url = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(url.query))
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            if self.headers.get("Authorization") not in (None, "Bearer good"):
                raise Refused(401, "authError", "Invalid Credentials")
            steps = url.path.strip("/").split("/")
            if steps[0] == "sessions":
                return self.reply(200, {"open": sum(s["made"] is None for s in SESSIONS.values())})
            if steps[0] == "session":
                return self.session(steps[1])
            if steps[0] == "upload":
                steps = steps[1:]
            if steps[3] != "backups":
                raise Refused(404, "notFound", "The specified bucket does not exist.")
            name = urllib.parse.unquote(steps[5]) if len(steps) > 5 else None
            if url.path.startswith("/upload/"):
                return self.upload()
            if name is None:
                return self.listing()
            return self.object(name)
        except Refused as refused:
            error = {"code": refused.status, "message": refused.message, "errors": [{"reason": refused.reason}]}
            self.reply(refused.status, {"error": error})

    do_GET = do_PUT = do_POST = do_DELETE = handle_all

    def resource(self, name):
        found = OBJECTS[name]
        return {
            "name": name,
            "size": str(len(found["data"])),
            "generation": found["generation"],
            "crc32c": found["crc32c"],
            "metadata": found["metadata"],
        }

    def check(self, name, query):
        if query.get("ifGenerationMatch") == "0" and name in OBJECTS:
            raise Refused(412, "conditionNotMet", "At least one of the pre-conditions did not hold.")

    def make(self, name, data, description, query):
        # Slow in Python: larger objects have no sum here.
        told = description.get("crc32c")
        crc = crc32c(data) if len(data) <= 21_000_000 else None
        if told and crc and told != crc:
            raise Refused(400, "invalid", "Provided CRC32C does not match.")
        with LOCK:
            self.check(name, query)
            OBJECTS[name] = {
                "data": data,
                "generation": str(uuid.uuid4().int % 10**15),
                "crc32c": crc,
                "metadata": description.get("metadata", {}),
            }
            return self.resource(name)

    def upload(self):
        if self.query["uploadType"] == "multipart":
            boundary = b"--" + self.headers["Content-Type"].split("boundary=")[1].encode()
            _, head, rest = self.body.split(boundary, 2)
            description = json.loads(head.split(b"\r\n\r\n", 1)[1])
            data = rest.split(b"\r\n\r\n", 1)[1].rsplit(b"\r\n" + boundary + b"--", 1)[0]
            return self.reply(200, self.make(description["name"], data, description, self.query))
        with LOCK:
            session = uuid.uuid4().hex
            SESSIONS[session] = {
                "data": bytearray(),
                "name": self.query["name"],
                "query": self.query,
                "description": json.loads(self.body),
                "made": None,
            }
        self.reply(200, b"", [("Location", f"http://{self.headers['Host']}/session/{session}")])

    def session(self, name):
        session = SESSIONS.get(name)
        if session is None:
            raise Refused(404, "notFound", "no such session")
        if self.command == "DELETE":
            SESSIONS.pop(name, None)
            return self.reply(499)
        if session["made"]:
            return self.reply(200, session["made"])
        where, total = self.headers["Content-Range"].removeprefix("bytes ").split("/")
        if where != "*":
            start = int(where.split("-")[0])
            if start > len(session["data"]) or (total == "*" and len(self.body) % 262144):
                raise Refused(400, "invalid", "bytes are missing, or are no multiple of 256 KiB")
            del session["data"][start:]
            session["data"] += self.body
        if total == str(len(session["data"])):
            data = bytes(session["data"])
            session["made"] = self.make(session["name"], data, session["description"], session["query"])
            return self.reply(200, session["made"])
        persisted = len(session["data"])
        self.reply(308, b"", [("Range", f"bytes=0-{persisted - 1}")] if persisted else [])

    def listing(self):
        names = sorted(n for n in OBJECTS if n.startswith(self.query.get("prefix", "")))
        names = [n for n in names if n > self.query.get("pageToken", "")]
        page = {"items": [self.resource(n) for n in names[:5]]}
        if len(names) > 5:
            page["nextPageToken"] = names[4]
        self.reply(200, page)

    def object(self, name):
        with LOCK:
            found = OBJECTS.get(name)
            if found is None:
                raise Refused(404, "notFound", f"No such object: backups/{name}")
            if self.command == "DELETE":
                if self.query.get("ifGenerationMatch", found["generation"]) != found["generation"]:
                    raise Refused(412, "conditionNotMet", "another generation")
                del OBJECTS[name]
                return self.reply(204)
        if self.query.get("alt") != "media":
            return self.reply(200, self.resource(name))
        data, wanted = found["data"], self.headers.get("Range")
        if wanted is None:
            return self.reply(200, data)
        start, end = wanted.removeprefix("bytes=").split("-")
        start, end = int(start), min(int(end or len(data) - 1), len(data) - 1)
        if start >= len(data):
            raise Refused(416, "requestedRangeNotSatisfiable", "no such range")
        self.reply(206, data[start : end + 1], [("Content-Range", f"bytes {start}-{end}/{len(data)}")])


ThreadingHTTPServer.daemon_threads = True
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
