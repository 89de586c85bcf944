"""A small client of POST /v1 and GET /v1/events, over raw sockets and http.client.

    api = Api(desk, "anna")                 one kept-alive connection
    api("REPLY", "1042", "text", key="k")   the JSON answer; ApiError for an error
    with Live(desk, "anna", "desk") as l: l.event(timeout)
"""
import http.client
import json
import socket
import struct
import time

from desk import SLOW


class ApiError(Exception):
    def __init__(self, status, body, headers):
        super().__init__("%d %r" % (status, body))
        self.status = status
        self.headers = headers
        self.code = body["error"]["code"]
        self.message = body["error"]["message"]


class Api:
    def __init__(self, desk, agent=None, token=None, timeout=30.0):
        self.token = desk.token(agent) if token is None else token
        self.conn = http.client.HTTPConnection("127.0.0.1", desk.web_port, timeout=timeout * SLOW)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.conn.close()

    def headers(self, key=None, more=None):
        h = {"Authorization": "Bearer " + self.token, "Content-Type": "application/json"}
        if key:
            h["Idempotency-Key"] = key
        h.update(more or {})
        return h

    def send(self, *words, key=None, more=None):
        self.conn.request("POST", "/v1", json.dumps(list(words)), self.headers(key, more))

    def read(self):
        r = self.conn.getresponse()
        body = r.read()
        self.last = r
        if r.getheader("Content-Type") != "application/json":
            return body
        value = json.loads(body)
        if r.status != 200:
            raise ApiError(r.status, value, r.headers)
        return value

    def __call__(self, *words, key=None, more=None):
        self.send(*words, key=key, more=more)
        return self.read()

    def abort(self):
        """Ends the connection with a reset."""
        self.conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.conn.close()


class Live:
    """GET /v1/events, block by block."""

    def __init__(self, desk, agent, *channels, last=None, query="", timeout=30.0, token=None):
        self.timeout = timeout * SLOW
        self.sock = socket.create_connection(("127.0.0.1", desk.web_port), self.timeout)
        self.buf = b""
        head = "GET /v1/events?%s%s HTTP/1.1\r\nHost: desk\r\nAuthorization: Bearer %s\r\nAccept: text/event-stream\r\n" % (
            "&".join("channel=" + c for c in channels), query, desk.token(agent) if token is None else token)
        if last is not None:
            head += "Last-Event-ID: %s\r\n" % last
        self.sock.sendall(head.encode() + b"\r\n")
        self.head = self.until(b"\r\n\r\n", self.timeout).decode()
        self.status = int(self.head.split()[1])
        self.id = None

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.sock.close()

    def until(self, end, timeout):
        deadline = time.monotonic() + timeout
        while end not in self.buf:
            left = deadline - time.monotonic()
            if left <= 0:
                raise socket.timeout("no event in time")
            self.sock.settimeout(left)
            got = self.sock.recv(65536)
            if not got:
                raise EOFError(self.buf)
            self.buf += got
        part, self.buf = self.buf.split(end, 1)
        return part

    def block(self, timeout=None):
        """(comment lines, id or None, data or None) of the next block."""
        comments, ident, data = 0, None, None
        for line in self.until(b"\n\n", self.timeout if timeout is None else timeout).decode().split("\n"):
            if line.startswith(":"):
                comments += 1
            elif line.startswith("id: "):
                self.id = ident = line[4:]
            elif line.startswith("data: "):
                data = json.loads(line[6:])
        return comments, ident, data

    def event(self, timeout=None):
        while True:
            data = self.block(timeout)[2]
            if data is not None:
                return data
