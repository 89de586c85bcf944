"""A small client of the agents' socket: RESP2 and RESP3, every wait bounded.

    c = Client(("127.0.0.1", 7711))       or Client("/path/agents.sock")
    c("PING")                             an error answer raises RespError
    c.send("RESERVE", "BLOCK", 0); ...; c.read(timeout=5)
"""
import os
import socket
import time

PATIENCE = 30.0  # seconds that every wait has at least: machines may be slow and busy


class RespError(Exception):
    """An error answer; code is its first word, which is the contract."""

    def __init__(self, text):
        super().__init__(text)
        self.text = text
        self.code = text.split(" ", 1)[0]


class Closed(Exception):
    """The other side has closed the connection."""


class Simple(str):
    """A simple string, +OK: a str that redis-cli prints without quotes."""


class Push(list):
    """A RESP3 push frame."""


def encode(args):
    out = [b"*%d\r\n" % len(args)]
    for a in args:
        if not isinstance(a, bytes):
            a = str(a).encode()
        out.append(b"$%d\r\n%s\r\n" % (len(a), a))
    return b"".join(out)


def unix_connect(path, timeout):
    """Connects to a Unix socket whose path may be longer than 107 bytes."""
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(timeout)
    fd = os.open(os.path.dirname(path), os.O_PATH)
    try:
        s.connect("/proc/self/fd/%d/%s" % (fd, os.path.basename(path)))
    except BaseException:
        s.close()
        raise
    finally:
        os.close(fd)
    return s


class Client:
    def __init__(self, address, timeout=PATIENCE):
        self.timeout = timeout
        self.buf = b""
        self.at = 0  # what of buf has been read
        self.pushes = []
        if isinstance(address, str):
            self.sock = unix_connect(address, timeout)
        else:
            self.sock = socket.create_connection(address, timeout)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.sock.close()

    def send(self, *args):
        self.sock.sendall(encode(args))

    def send_raw(self, data):
        self.sock.sendall(data)

    def __call__(self, *args, timeout=None):
        self.send(*args)
        return self.read(timeout)

    def raw(self, *args, timeout=None):
        """The answer; an error comes back as a RespError value."""
        self.send(*args)
        return self.read(timeout, raising=False)

    def read(self, timeout=None, raising=True):
        """The next answer; RESP3 pushes are put into self.pushes."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while True:
            v = self._value(deadline)
            if isinstance(v, Push):
                self.pushes.append(v)
                continue
            if raising and isinstance(v, RespError):
                raise v
            return v

    def read_push(self, timeout=None):
        """The next push, or in RESP2 the next frame."""
        if self.pushes:
            return self.pushes.pop(0)
        return self._value(time.monotonic() + (self.timeout if timeout is None else timeout))

    def silent(self, seconds):
        """True when nothing more arrives for so long (a close counts as something)."""
        if self.at < len(self.buf):
            return False
        self.sock.settimeout(seconds)
        try:
            got = self.sock.recv(65536)
        except (socket.timeout, BlockingIOError):
            return True
        if got == b"":
            raise Closed()
        self.buf += got
        return False

    def closed(self, timeout=PATIENCE):
        """True when the other side closes within the time (what it says before is dropped)."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            self.sock.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                if self.sock.recv(65536) == b"":
                    return True
            except socket.timeout:
                return False
            except OSError:
                return True
        return False

    def _fill(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("no answer in time")
        self.sock.settimeout(left)
        try:
            got = self.sock.recv(1 << 20)
        except socket.timeout:
            raise TimeoutError("no answer in time") from None
        except OSError as e:
            raise Closed(str(e)) from None
        if got == b"":
            raise Closed("closed by the daemon")
        self.buf = self.buf[self.at:] + got
        self.at = 0

    def _line(self, deadline):
        while True:
            i = self.buf.find(b"\r\n", self.at)
            if i >= 0:
                line = self.buf[self.at:i]
                self.at = i + 2
                return line
            self._fill(deadline)

    def _bulk(self, n, deadline):
        if n < 0:
            return None
        while len(self.buf) - self.at < n + 2:
            self._fill(deadline)
        data = self.buf[self.at:self.at + n]
        if self.buf[self.at + n:self.at + n + 2] != b"\r\n":
            raise AssertionError("bulk string without its CRLF")
        self.at += n + 2
        return data

    def _value(self, deadline):
        line = self._line(deadline)
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return Simple(rest.decode())
        if kind == b"-":
            return RespError(rest.decode("utf-8", "replace"))
        if kind in (b":", b"("):
            return int(rest)
        if kind == b"$":
            v = self._bulk(int(rest), deadline)
            return v if v is None else v.decode("utf-8", "surrogateescape")
        if kind == b"=":
            return self._bulk(int(rest), deadline)[4:].decode("utf-8", "surrogateescape")
        if kind == b"!":
            return RespError(self._bulk(int(rest), deadline).decode("utf-8", "replace"))
        if kind == b"_":
            return None
        if kind == b"#":
            return rest == b"t"
        if kind == b",":
            return float(rest)
        if kind in (b"*", b"~", b">"):
            n = int(rest)
            if n < 0:
                return None
            items = [self._value(deadline) for _ in range(n)]
            return Push(items) if kind == b">" else items
        if kind == b"%":
            return {self._key(deadline): self._value(deadline) for _ in range(int(rest))}
        raise AssertionError("not RESP: %r" % line[:80])

    def _key(self, deadline):
        k = self._value(deadline)
        return k if isinstance(k, (str, int)) else str(k)
