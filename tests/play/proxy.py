"""A proxy for RESP (or HTTP, with http_end), Unix or TCP on both sides, that loses answers on command.

    with Proxy("/tmp/p.sock", upstream="/tmp/r.sock") as p:
        p.arm(7, "cut")          # the 7th answer from now on does not arrive
        ...; p.lost              # its bytes, once it has happened

What may happen to the n-th answer (counted over all connections, pushes left out):

    cut      it does not arrive, the connection ends
    half     half of it arrives, the connection ends
    swallow  it and all that follows on this connection does not arrive: a dead peer.
             (One answer missing between two others does not happen on a TCP connection.)
    delay    it arrives `seconds` late, and what follows behind it

Requests always arrive, also behind a fault: what is lost is the answer, not the deed.
"""
import os
import re
import socket
import threading
import time

from resp import PATIENCE, unix_connect


def frame_end(data, at):
    """Where the value that begins at `at` ends; None: more is needed."""
    left = 1
    while left:
        eol = data.find(b"\r\n", at)
        if eol == -1:
            return None
        kind, text = data[at:at + 1], data[at + 1:eol]
        at = eol + 2
        left -= 1
        if kind in b"$=!" and int(text) >= 0:
            at += int(text) + 2
            if at > len(data):
                return None
        elif kind in b"*~>" and int(text) > 0:
            left += int(text)
        elif kind == b"%":
            left += 2 * int(text)
    return at


def http_end(data, at):
    """As frame_end, for an answer of HTTP/1.1 with its length."""
    head = data.find(b"\r\n\r\n", at)
    if head == -1:
        return None
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", data[at:head + 2])
    end = head + 4 + (int(length.group(1)) if length else 0)
    return end if end <= len(data) else None


def connect(address, timeout=PATIENCE):
    if isinstance(address, str):
        return unix_connect(address, timeout)
    s = socket.create_connection(address, timeout)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


class Proxy:
    def __init__(self, address, upstream, answer_end=None):
        """Addresses: a path, or (host, port); port 0 takes a free one (self.address has it)."""
        self.answer_end = answer_end or frame_end
        self.upstream = upstream
        self.lock = threading.Lock()
        self.over = False
        self.n = 0           # answers seen
        self.at = None       # the number of the one to be hit
        self.mode = None
        self.seconds = 0.0
        self.lost = None     # its bytes
        self.pairs = []      # open (client, server) sockets
        if isinstance(address, str):
            self.listener = socket.socket(socket.AF_UNIX)
            if os.path.exists(address):
                os.unlink(address)
        else:
            self.listener = socket.socket()
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(address)
        self.listener.listen(64)
        self.address = address if isinstance(address, str) else self.listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.over = True
        self.listener.close()
        self.cut_all()

    def cut_all(self):
        """Ends all connections there are."""
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for pair in pairs:
            self._end(pair)

    def arm(self, n, mode, seconds=0.2):
        """The n-th answer from now on; forgets an older order."""
        with self.lock:
            self.at, self.mode, self.seconds, self.lost = self.n + n, mode, seconds, None

    def disarm(self):
        with self.lock:
            self.at = None

    # ---- inside ----

    @staticmethod
    def _end(pair):
        for s in pair:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()

    def _accept(self):
        while not self.over:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                pair = (client, connect(self.upstream))
            except OSError:
                client.close()
                continue
            for s in pair:
                s.settimeout(None)
            with self.lock:
                self.pairs.append(pair)
            threading.Thread(target=self._requests, args=(pair,), daemon=True).start()
            threading.Thread(target=self._answers, args=(pair,), daemon=True).start()

    def _requests(self, pair):
        """Everything passes. When the client ends, so does the server's side."""
        client, server = pair
        try:
            while data := client.recv(65536):
                server.sendall(data)
        except OSError:
            pass
        self._end(pair)

    def _answers(self, pair):
        client, server = pair
        data, silent = b"", False
        try:
            while got := server.recv(262144):
                data += got
                at = 0
                while not silent and (end := self.answer_end(data, at)) is not None:
                    silent = self._answer(client, data[at:end], pair)
                    at = end
                data = b"" if silent else data[at:]
        except OSError:
            pass
        if not silent:
            self._end(pair)

    def _answer(self, client, answer, pair):
        """Passes one answer on, or what is to be done with it. True: nothing any more."""
        mode = None
        with self.lock:
            if answer[:1] != b">":
                self.n += 1
                if self.at is not None and self.n == self.at:
                    mode, self.lost, self.at = self.mode, answer, None
        if mode == "swallow":
            return True
        if mode == "delay":
            time.sleep(self.seconds)
        elif mode == "half":
            client.sendall(answer[:len(answer) // 2])
        if mode in ("cut", "half"):
            self._end(pair)
            raise OSError("cut")
        client.sendall(answer)
        return False
