"""A helpline-mime of one's own: the daemon's end of its frames, for tests that ask it
directly. Which build: $HELPLINE_BUILD, else build/release."""
import json
import os
import resource
import socket
import struct
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("HELPLINE_BUILD", "build/release"))
SANITIZED = os.path.basename(BUILD) in ("asan", "tsan", "fuzz")
PROGRAM = os.path.join(BUILD, "helpline-mime")
CORPORA = os.environ.get("HELPLINE_CORPORA", os.path.join(ROOT, "..", "shared", "corpora"))
NOT_MAIL = (".json", ".tsv", ".list", ".yaml", ".yml", ".py")
READY, BEGUN = 0xFE, 0xFF


class Helper:
    """One helper process."""

    def __init__(self, limit_as=0):
        ours, theirs = socket.socketpair()
        ours.settimeout(30)

        def enter():
            os.dup2(theirs.fileno(), 3)
            if limit_as:
                resource.setrlimit(resource.RLIMIT_AS, (limit_as, limit_as))

        self.process = subprocess.Popen([PROGRAM], preexec_fn=enter, pass_fds=(3,))
        theirs.close()
        self.socket = ours
        self._next(READY)

    def _read(self, n):
        data = bytearray()
        while len(data) < n:
            more = self.socket.recv(min(n - len(data), 1 << 20))
            if not more:
                raise EOFError("the helper is gone, status %s" % self.process.wait(10))
            data += more
        return bytes(data)

    def _next(self, want=None):
        length, kind = struct.unpack(">IB", self._read(5))
        body = self._read(length)
        if want is not None and kind != want:
            raise AssertionError("frame %#x, not %#x" % (kind, want))
        return kind, body

    def job(self, kind, path, **members):
        """Runs one job on a file; gives (answer's type, body, seconds)."""
        fd = os.open(path, os.O_RDONLY) if path else -1
        try:
            return self.job_fd(kind, fd, **members)
        finally:
            if fd >= 0:
                os.close(fd)

    def job_bytes(self, kind, data, **members):
        """The same on bytes."""
        fd = os.memfd_create("mail", os.MFD_CLOEXEC)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view):]
            return self.job_fd(kind, fd, **members)
        finally:
            os.close(fd)

    def job_fd(self, kind, fd, **members):
        body = json.dumps(members).encode()
        frame = struct.pack(">IB", len(body), ord(kind)) + body
        began = time.monotonic()
        socket.send_fds(self.socket, [frame], [fd] if fd >= 0 else [])
        self._next(BEGUN)
        answer, text = self._next()
        return chr(answer), text, time.monotonic() - began

    def peak_kb(self):
        with open("/proc/%d/status" % self.process.pid) as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmHWM"))

    def close(self):
        self.socket.close()
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
