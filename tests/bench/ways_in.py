"""The other ways in, for bench.py: forms over HTTP, calls, and files that come in by forms."""
import asyncio
import json
import os
import re
import socket
import threading
import time

from desk import Client, Desk, wait_for

CONF = """
form bench {
    sites https://bench.example
    rate 100000
    field name    { required }
    field email   { type email; required }
    field message { type text; required }
    field files   { type files; limit 25MB }
}
phone office { push; short 0s }
"""
SERIAL = [0]


# ---- forms ----

class Poster(asyncio.Protocol):
    """One HTTP connection that posts form after form."""

    def __init__(self, source, done):
        self.source, self.done, self.buf, self.closed = source, done, b"", False

    def connection_made(self, transport):
        self.transport = transport
        self.next()

    def next(self):
        request = self.source()
        if request is None:
            self.closed = True
            self.transport.close()
        else:
            self.transport.write(request)

    def data_received(self, data):
        self.buf += data
        head = self.buf.find(b"\r\n\r\n")
        if head < 0:
            return
        m = re.search(rb"(?i)content-length: *(\d+)", self.buf[:head])
        size = head + 4 + (int(m[1]) if m else 0)
        if len(self.buf) >= size:
            self.done(self.buf.startswith(b"HTTP/1.1 201"), self.buf[:200])
            self.buf = self.buf[size:]
            self.next()

    def connection_lost(self, exc):
        self.closed = True


def bench_form(body):
    """The form of another customer from another address, as the proxy tells it."""
    SERIAL[0] += 1
    n = SERIAL[0]
    text = json.dumps({"name": "Customer %d" % n, "email": "c%d@customer.example" % (n % 5000),
                       "message": "bench %d\n%s" % (n, body)}).encode()
    return (b"POST /f/bench HTTP/1.1\r\nHost: desk.example\r\nContent-Type: application/json\r\nIdempotency-Key: k%d-%d\r\n"
            b"X-Forwarded-For: 10.%d.%d.%d\r\nContent-Length: %d\r\n\r\n" % (
                os.getpid(), n, n >> 16 & 255, n >> 8 & 255, n & 255, len(text))) + text


async def post_forms(d, n_connections, seconds, body):
    """(taken, seconds, [answers of those that were not])"""
    loop = asyncio.get_running_loop()
    taken, refused, posters = [0], [], []
    began = time.monotonic()

    def source():
        return bench_form(body) if time.monotonic() - began < seconds else None

    def done(ok, answer):
        taken[0] += ok
        if not ok:
            refused.append(answer)
    for _ in range(n_connections):
        _, p = await loop.create_connection(lambda: Poster(source, done), "127.0.0.1", d.web_port)
        posters.append(p)
    while not all(p.closed for p in posters):
        await asyncio.sleep(0.005)
        if time.monotonic() - began > 60 + 3 * seconds:
            raise AssertionError("HTTP stands still")
    return taken[0], time.monotonic() - began, refused


def bench_forms(d, mails, say, seconds, body):
    for n in (1, 8, 64):
        taken, took, refused = asyncio.run(post_forms(d, n, seconds, body))
        if refused:
            say("  %d forms were not taken: %r" % (len(refused), refused[0]))
        say("forms    %2d connections: %6.0f forms/s = %.2f of the mails" % (n, taken / took, taken / took / mails[n]))


# ---- calls ----

def log_calls(d, n_connections, seconds):
    """LOGCALL by so many connections: calls a second."""
    until = time.monotonic() + seconds
    done = []

    def work(k):
        n = 0
        with Client(d.unix, 60) as c:
            while time.monotonic() < until:
                n += 1
                number = "+790%d%02d%06d" % (n_connections % 10, k, n)
                c("LOGCALL", json.dumps({"number": number, "name": "Caller", "result": "missed", "text": "bench %d" % n}))
        done.append(n)
    threads = [threading.Thread(target=work, args=(k,)) for k in range(n_connections)]
    began = time.monotonic()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return sum(done) / (time.monotonic() - began)


def feed_calls(d, n):
    """A whole log, gathered for 10 s: calls a second from the first stored to the last."""
    records = "\n".join(json.dumps({"id": "bench-%d" % i, "from": "+7911%07d" % i, "to": "200", "direction": "in",
                                    "result": "missed", "duration_s": 20}) for i in range(n))
    with Client(d.unix, 120) as c, Client(d.unix, 60) as watch:
        def stored():
            return json.loads(watch("STATS"))["in"]["messages"]
        before = stored()
        c.send("FEED", "office", records)
        first = wait_for(lambda: max(0, stored() - before), 60, "the first call is stored", 0.005)
        began = time.monotonic()
        answer = json.loads(c.read(120))
        took = time.monotonic() - began
    if answer["calls"] != n:
        raise AssertionError("FEED: %s" % answer)
    return (n - first) / took


def bench_calls(d, mails, say, seconds):
    for n in (1, 8, 64):
        rate = log_calls(d, n, seconds)
        say("calls    %2d connections: %6.0f LOGCALL/s = %.2f of the mails" % (n, rate, rate / mails[n]))
    n = int(min(6000, 400 * seconds))
    rate = feed_calls(d, n)
    say("calls    a log of %d: %6.0f calls/s = %.2f of the mails at 8 connections" % (n, rate, rate / mails[8]))


# ---- memory while files come in ----

def peak(d, reset=False):
    """Most resident bytes since the last reset."""
    if reset:
        with open("/proc/%d/clear_refs" % d.proc.pid, "w") as f:
            f.write("5")
    with open("/proc/%d/status" % d.proc.pid) as f:
        return int(re.search(r"VmHWM:\s+(\d+)", f.read())[1]) * 1024


def upload(d, size, results):
    """One form with a file of so many bytes."""
    field = b'--AA\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    block = os.urandom(1 << 16)
    start = b"".join(field % kv for kv in ((b"name", b"Ivan"), (b"email", b"i@customer.example"), (b"message", block[:8].hex().encode())))
    start += b'--AA\r\nContent-Disposition: form-data; name="files"; filename="a.bin"\r\nContent-Type: application/octet-stream\r\n\r\n'
    end = b"\r\n--AA--\r\n"
    with socket.create_connection(("127.0.0.1", d.web_port), 120) as s:
        s.sendall(b"POST /f/bench HTTP/1.1\r\nHost: desk.example\r\nOrigin: https://bench.example\r\n"
                  b"Content-Type: multipart/form-data; boundary=AA\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
                  % (len(start) + size + len(end)))
        s.sendall(start)
        for _ in range(size // len(block)):
            s.sendall(block)
        s.sendall(end)
        results.append(s.recv(200).split(b"\r\n")[0].decode())


def bench_uploads(agents, say):
    with Desk(agents=agents, rules="") as d:
        rest, results = peak(d, reset=True), []
        threads = [threading.Thread(target=upload, args=(d, 20 << 20, results)) for _ in range(50)]
        began = time.monotonic()
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        took, most = time.monotonic() - began, peak(d)
        taken = sum(r.split()[1:2] in (["201"], ["303"]) for r in results)
        say("memory   at rest %.1f MB, while a file of 20 MB comes in at each of 50 connections %.1f MB (%.1f times); %d taken, %.0f MB/s" % (
            rest / 2**20, most / 2**20, most / rest, taken, 50 * 20 / took))
        if taken != 50:
            say("  others were told: %s" % sorted(set(results)))
