"""A private redis-server and the desk's script, for the tests beside this file.

The client is a few lines of our own: redis-py takes longer than the scripts do.
"""
import os
import shutil
import socket
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PREFIX = "{desk}:"


def script():
    folder = os.path.join(ROOT, "queue/lua")
    text = ""
    for name in sorted(os.listdir(folder)):
        if name.endswith(".lua"):
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                text += f.read()
    return text


class Refused(Exception):
    """An error answer of Redis."""


class Redis:
    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        try:
            self.sock.connect(path)
        except OSError:
            self.sock.close()
            raise
        self.file = self.sock.makefile("rb", 1 << 16)

    def send(self, *args):
        out = [b"*%d\r\n" % len(args)]
        for a in args:
            a = a if isinstance(a, bytes) else str(a).encode()
            out.append(b"$%d\r\n%s\r\n" % (len(a), a))
        self.sock.sendall(b"".join(out))

    def read(self):
        line = self.file.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"$":
            n = int(rest)
            return None if n < 0 else self.file.read(n + 2)[:-2].decode("utf-8", "surrogateescape")
        if kind == b"*":
            n = int(rest)
            return None if n < 0 else [self.read() for _ in range(n)]
        if kind == b":":
            return int(rest)
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return Refused(rest.decode())
        raise EOFError("redis-server is gone")

    def __call__(self, *args):
        self.send(*args)
        answer = self.read()
        if isinstance(answer, Refused):
            raise answer
        return answer

    def pipe(self, commands):
        """All at once; errors come as values."""
        answers = []
        for i in range(0, len(commands), 200):
            part = commands[i:i + 200]
            for c in part:
                self.send(*c)
            answers += [self.read() for _ in part]
        return answers


class Server:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="hl-model-")
        path = os.path.join(self.dir, "r.sock")
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--dir", self.dir, "--unixsocket", "r.sock", "--save", "",
             "--appendonly", "no", "--loglevel", "warning"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for i in range(1200):
            try:
                self.redis = Redis(path)
                break
            except OSError:  # it is not there, or there and not yet listening
                if i == 1199 or self.process.poll() is not None:
                    raise
                time.sleep(0.05)

    def load(self, text):
        return self.redis("SCRIPT", "LOAD", text.encode())

    def stop(self):
        self.redis.file.close()
        self.redis.sock.close()
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


def pairs(flat):
    return dict(zip(flat[::2], flat[1::2]))
