"""make bench: what it reaches, as ratios to a baseline of the same run and machine.

    mails   LMTP to stored at 1, 8 and 64 connections, beside the disk's fsync/s and the
            very same `put` scripts run alone on a server of their own
    forms   from a posted form to 201 at 1, 8 and 64 connections, beside the mails
    calls   LOGCALL at 1, 8 and 64 connections, and a whole log fed, from the first call stored
            to the last; beside the mails
    pairs   RESERVE + RESOLVE, beside the very same scripts alone
    wake    from the last byte of a mail to the waiting agent who gets it: p50, p99, at
            rest and with 500 mails a second for others
    match   pull and arrival with 1, 200 and 2,000 classes and up to 1,000,000 tickets that wait,
            beside LPOP and RPUSH of a plain list; 10,000 parked agents (pulling.py)
    memory  of the daemon at rest, with 1,000 agents connected and waiting, and while a file of
            20 MB comes in at each of 50 connections

The load is made by this program on the same processors, so absolute numbers are low;
the ratios are what counts. SECONDS=n (default 5) makes each part longer.
"""
import asyncio
import json
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "play"))
from desk import Client, Desk, mail, unix_connect, wait_for  # noqa: E402,F401
from resp import encode  # noqa: E402
import pulling  # noqa: E402
import ways_in  # noqa: E402

PART_S = float(os.environ.get("SECONDS") or 5)
N_AGENTS = 1000
AGENTS = """
lines first
line first { holds 1000 }
skills probe load
agent anna "Anna" { skills probe:5 }
need load:5  when subject contains bench
need probe:1 when subject contains probe
acknowledge none
""" + ways_in.CONF + "".join('agent a%d "Agent %d"\n' % (i, i) for i in range(N_AGENTS))
BODY = ("Good morning, the router R-5 shows error 809 again and nobody can work.\n" * 70)[:5000 - 400]
REPORT = []


def say(text):
    REPORT.append(text)
    print(text, flush=True)


def percentile(values, p):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * p))] if values else 0.0


# ---- baselines ----

def fsyncs_per_second(folder):
    """Appends of 5 KB, each made durable."""
    path = os.path.join(folder, "fsync")
    fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    block, n = b"x" * 5000, 0
    began = time.monotonic()
    while time.monotonic() - began < min(2.0, PART_S):
        os.write(fd, block)
        os.fdatasync(fd)
        n += 1
    took = time.monotonic() - began
    os.close(fd)
    os.unlink(path)
    return n / took


MONITOR = re.compile(rb'^\+?\d+\.\d+ \[0 [^\]]*\] (.*)$')
WORD = re.compile(rb'"((?:[^"\\]|\\.)*)"')
ESCAPE = re.compile(rb'\\(x[0-9a-f]{2}|.)')
PLAIN = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b", b'"': b'"', b"\\": b"\\"}


def unescape(word):
    return ESCAPE.sub(lambda m: bytes([int(m[1][1:], 16)]) if m[1][:1] == b"x" else PLAIN.get(m[1], m[1]), word)


def cpu_seconds(d):
    """{who: processor seconds so far} of the daemon, its children and this program."""
    out = {"daemon": cpu_of(d.proc.pid), "this program": sum(os.times()[:2])}
    out["mail parsers"] = cpu_of(d.proc.pid, 13)  # of those that have ended
    for pid, cmd in d.children().items():
        who = "store" if "redis" in cmd else "mail parsers" if "mime" in cmd else "mailers"
        out[who] = out.get(who, 0.0) + cpu_of(pid)
    return out


def cpu_of(pid, field=11):
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[field]) + int(fields[field + 1])) / os.sysconf("SC_CLK_TCK")


class Tap:
    """Listens to the embedded store and keeps the scripts it was given."""

    def __init__(self, state):
        self.sock = unix_connect(os.path.join(state, "r.sock"), 30)
        self.sock.sendall(encode(["MONITOR"]))
        self.data = []
        self.thread = threading.Thread(target=self.listen)
        self.thread.start()

    def listen(self):
        try:
            while True:
                got = self.sock.recv(1 << 20)
                if not got:
                    return
                self.data.append(got)
        except OSError:
            return

    def stop(self, verbs):
        """[[argument ...]] of EVALSHA with one of these verbs, in order."""
        time.sleep(0.5)
        self.sock.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.sock.close()
        out = []
        for line in b"".join(self.data).split(b"\n"):
            m = MONITOR.match(line.rstrip(b"\r"))
            if m is None or b" lua] " in line[:40]:
                continue
            words = [unescape(w) for w in WORD.findall(m[1])]
            if words and words[0].upper() == b"EVALSHA" and verbs & set(words[2:6]):
                out.append(words)
        return out


class Alone:
    """A redis-server with the options of the embedded one on a copy of its files."""

    def __init__(self, state, script):
        self.dir = tempfile.mkdtemp(prefix="bench", dir=os.path.dirname(os.path.dirname(state)))
        if os.path.isdir(os.path.join(state, "appendonlydir")):
            shutil.copytree(os.path.join(state, "appendonlydir"), os.path.join(self.dir, "appendonlydir"))
        self.path = os.path.join(self.dir, "r.sock")
        self.proc = subprocess.Popen(
            ["redis-server", "--port", "0", "--dir", self.dir, "--unixsocket", "r.sock", "--appendonly", "yes", "--appendfsync",
             "always", "--save", "", "--logfile", os.path.join(self.dir, "log")], stdout=subprocess.DEVNULL)
        self.sock = wait_for(self.connect, 20, "redis-server")
        self.words = {}
        self.ask(encode(["SCRIPT", "LOAD", script]), 1)

    def connect(self):
        try:
            s = unix_connect(self.path, 60)
            s.sendall(encode(["PING"]))
            if s.recv(100).startswith(b"+PONG"):
                return s
            s.close()
        except OSError:
            pass
        return None

    def ask(self, data, n):
        self.sock.sendall(data)
        self.answers(n)

    def answers(self, n):
        """Waits for n whole answers."""
        c = Client.__new__(Client)
        c.sock, c.buf, c.at, c.pushes, c.timeout = self.sock, b"", 0, [], 60
        for _ in range(n):
            got = c.read(60, raising=False)
            if isinstance(got, Exception):
                raise AssertionError("the script alone: %s" % got)
            if isinstance(got, list):
                self.words[got[0]] = self.words.get(got[0], 0) + 1

    def rate(self, commands, window):
        """Commands a second with so many in flight."""
        packed = [encode(c) for c in commands]
        self.words = {}
        began = time.monotonic()
        for i in range(0, len(packed), window):
            part = packed[i:i + window]
            self.ask(b"".join(part), len(part))
        took = time.monotonic() - began
        done = self.words.get("OK", 0) + self.words.get("TAKEN", 0)
        if done < 0.9 * len(packed):
            raise AssertionError("alone the scripts do something else: %r" % self.words)
        return len(packed) / took

    def stop(self):
        self.sock.close()
        self.proc.terminate()
        self.proc.wait(20)
        shutil.rmtree(self.dir, ignore_errors=True)


# ---- mail ----

class Sender(asyncio.Protocol):
    """One LMTP connection that sends mail after mail, with PIPELINING."""

    def __init__(self, source, done):
        self.source, self.done, self.buf, self.step = source, done, b"", "greeting"
        self.began = 0.0

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.buf += data
        while b"\n" in self.buf:
            line, self.buf = self.buf.split(b"\n", 1)
            if line[3:4] != b"-":
                self.answer(line)

    def answer(self, line):
        if self.step == "greeting":
            self.transport.write(b"LHLO bench.example\r\n")
            self.step = "ready"
        elif line.startswith(b"354"):
            self.transport.write(self.mail)
            self.began = time.monotonic()
            self.step = "sent"
        elif self.step == "ready" or self.step == "sent":
            if self.step == "sent":
                self.done(line.startswith(b"250"), self.began)
            self.next()
        elif not line.startswith(b"250"):
            raise AssertionError("LMTP: %r" % line)

    def next(self):
        got = self.source()
        if got is None:
            self.transport.close()
            self.step = "closed"
        elif isinstance(got, float):
            asyncio.get_running_loop().call_later(got, self.next)
            self.step = "pause"
        else:
            sender, self.mail = got
            self.step = "envelope"
            self.transport.write(b"MAIL FROM:<%s>\r\nRCPT TO:<support@desk.example>\r\nDATA\r\n" % sender)


SERIAL = [0]


def bench_mail(subject="bench"):
    SERIAL[0] += 1
    sender = "c%d@customer.example" % (SERIAL[0] % 5000)
    raw = mail(subject="%s %d" % (subject, SERIAL[0]), text=BODY, sender=sender)
    return sender.encode(), raw + b"\r\n.\r\n"


async def send_mails(d, n_connections, source):
    """All connections until source() gives None: (taken, refused, seconds)."""
    loop = asyncio.get_running_loop()
    count, over = [0, 0], []

    def done(ok, began):
        count[0 if ok else 1] += 1
    senders = []
    began = time.monotonic()
    for _ in range(n_connections):
        _, p = await loop.create_connection(lambda: Sender(source, done), "127.0.0.1", d.lmtp_port)
        senders.append(p)
    while any(p.step != "closed" for p in senders):
        await asyncio.sleep(0.005)
        if time.monotonic() - began > 60 + 3 * PART_S:
            raise AssertionError("LMTP stands still")
    del over
    return count[0], count[1], time.monotonic() - began


def timed_source(seconds):
    until = time.monotonic() + seconds
    return lambda: bench_mail() if time.monotonic() < until else None


def counted_source(n):
    left = [n]

    def source():
        left[0] -= 1
        return bench_mail() if left[0] >= 0 else None
    return source


def bench_mails(d, fsyncs):
    rates = {}
    asyncio.run(send_mails(d, 8, counted_source(200)))
    for n in (1, 8, 64):
        before = cpu_seconds(d)
        taken, refused, took = asyncio.run(send_mails(d, n, timed_source(PART_S)))
        rates[n] = taken / took
        used = {who: s - before.get(who, 0.0) for who, s in cpu_seconds(d).items()}
        if refused:
            say("  %d mails were not taken (the disk is nearly full?)" % refused)
    copy = copy_of(d)
    tap = Tap(d.state)
    asyncio.run(send_mails(d, 8, counted_source(800)))
    puts = tap.stop({b"put"})
    alone = Alone(copy, script_of())
    try:
        half = len(puts) // 2
        one, many = alone.rate(puts[:half], 1), alone.rate(puts[half:], 64)
    finally:
        alone.stop()
        shutil.rmtree(copy)
    say("mails    disk: %.0f fsync/s of 5 KB; the same puts alone: %.0f/s one at a time, %.0f/s with 64 in flight" % (fsyncs, one, many))
    for n, rate in rates.items():
        base = one if n == 1 else many
        say("mails    %2d connections: %6.0f mails/s = %.2f of the puts alone, %.2f of the disk's fsync/s" % (n, rate, rate / base, rate / fsyncs))
    say("mails    processor time a mail at 64: " + ", ".join("%s %.2f ms" % (who, s / taken * 1e3) for who, s in used.items() if s > 0)
        + "; all together %.0f %% of %d processors" % (sum(used.values()) / took / os.cpu_count() * 100, os.cpu_count()))
    return rates


def copy_of(d):
    """The store as it is now, for the same scripts to run on; the daemon starts again."""
    d.stop()
    copy = d.state + "-copy"
    shutil.copytree(os.path.join(d.state, "appendonlydir"), os.path.join(copy, "appendonlydir"))
    d.start()
    return copy


def script_of():
    with open(os.path.join(os.environ.get("HELPLINE_BUILD", "build/release"), "gen", "desk.lua"), "rb") as f:
        return f.read()


# ---- agents ----

def work_pairs(d, n_agents, n_each):
    """RESERVE and RESOLVE by so many connections at once: pairs a second."""
    names = ["a%d" % i for i in range(n_agents)]
    for name in names:
        d.token(name)
    done = []

    def work(name):
        with Client(("127.0.0.1", d.port), 60) as c:
            c("AUTH", d.tokens[name])
            c("READY")
            n = 0
            while n < n_each:
                docs = c("RESERVE", "BLOCK", "2000")
                if docs is None:
                    break
                c("RESOLVE", re.search(r'"id": ?"(\d+)"', docs[0])[1])
                n += 1
            done.append(n)
    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    began = time.monotonic()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return sum(done) / (time.monotonic() - began)


def plain_source(n):
    left = [n]

    def source():
        left[0] -= 1
        return bench_mail("plain") if left[0] >= 0 else None
    return source


def bench_pairs(d):
    n = int(80 * PART_S)
    asyncio.run(send_mails(d, 8, plain_source(n * 9 + 500)))
    one, eight = work_pairs(d, 1, n), work_pairs(d, 8, n)
    copy = copy_of(d)
    tap = Tap(d.state)
    work_pairs(d, 1, 400)
    scripts = tap.stop({b"pull", b"commit"})
    alone = Alone(copy, script_of())
    try:
        half = len(scripts) // 4 * 2
        base_one, base_eight = alone.rate(scripts[:half], 1) / 2, alone.rate(scripts[half:], 16) / 2
    finally:
        alone.stop()
        shutil.rmtree(copy)
    say("pairs    the same scripts alone: %.0f pairs/s one at a time, %.0f/s with 16 in flight" % (base_one, base_eight))
    say("pairs    1 agent: %.0f RESERVE+RESOLVE/s = %.2f of the scripts alone; 8 agents: %.0f/s = %.2f" % (
        one, one / base_one, eight, eight / base_eight))


def wake_up(d, load):
    """[seconds] from the last byte of a mail to the waiting agent who has it."""
    c = d.agent("anna", timeout=60)
    times = []
    over = threading.Event()
    sent = [0]

    def background():
        began = time.monotonic()

        def source():
            if over.is_set():
                return None
            ahead = sent[0] / load - (time.monotonic() - began)
            if ahead > 0:
                return max(0.001, ahead)
            sent[0] += 1
            return bench_mail()
        asyncio.run(send_mails(d, 16, source))
    thread = threading.Thread(target=background)
    began = time.monotonic()
    if load:
        thread.start()
        time.sleep(0.5)
    with d.lmtp_client() as probe:
        probe.line("LHLO probe.example")
        while time.monotonic() - began < PART_S + 1:
            c.send("RESERVE", "BLOCK", "0")
            sender, raw = bench_mail("probe")
            probe.sock.sendall(b"MAIL FROM:<%s>\r\nRCPT TO:<support@desk.example>\r\nDATA\r\n" % sender)
            for _ in range(3):
                probe.answer()
            at = time.monotonic()
            probe.sock.sendall(raw)
            doc = json.loads(c.read(60)[0])
            times.append(time.monotonic() - at)
            probe.answer()
            c("RESOLVE", doc["id"])
            time.sleep(0.01)
    over.set()
    if load:
        thread.join()
    c.close()
    return times, sent[0] / (time.monotonic() - began)


def bench_wake(d, rates):
    times, _ = wake_up(d, 0)
    say("wake     at rest: p50 %.1f ms, p99 %.1f ms (%d mails)" % (percentile(times, 0.5) * 1e3, percentile(times, 0.99) * 1e3, len(times)))
    rest = percentile(times, 0.5)
    load = 500 if max(rates.values()) > 600 else int(max(rates.values()) * 0.7)
    times, reached = wake_up(d, load)
    say("wake     at %.0f mails/s for others: p50 %.1f ms (%.1f times), p99 %.1f ms (%d mails)" % (
        reached, percentile(times, 0.5) * 1e3, percentile(times, 0.5) / rest, percentile(times, 0.99) * 1e3, len(times)))


def bench_memory():
    """A desk of its own: nothing waits, so all agents do."""
    with Desk(agents=AGENTS, rules="") as d:
        rest = d.rss()
        with d.admin() as a:
            tokens = [a("TOKEN", "NEW", "a%d" % i) for i in range(N_AGENTS)]
        clients = []
        for token in tokens:
            c = Client(("127.0.0.1", d.port), 60)
            c("AUTH", token)
            c.send("RESERVE", "BLOCK", "0")
            clients.append(c)
        wait_for(lambda: d.stats()["agents"]["parked"] == N_AGENTS, 30, "all agents wait")
        full = d.rss()
        say("memory   at rest %.1f MB, with %d agents waiting %.1f MB (%.1f times, %.1f KB an agent); its store %.0f MB" % (
            rest / 2**20, N_AGENTS, full / 2**20, full / rest, (full - rest) / 1024 / N_AGENTS,
            sum(d.rss(pid) for pid in d.children("redis-server")) / 2**20))
        for c in clients:
            c.close()


def main():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384), hard))
    with Desk(agents=AGENTS, rules="") as d:
        say("bench    %d processors, %s; the load is made on the same ones" % (os.cpu_count(), time.strftime("%Y-%m-%d")))
        fsyncs = fsyncs_per_second(d.state)
        rates = bench_mails(d, fsyncs)
        ways_in.bench_forms(d, rates, say, PART_S, BODY)
        ways_in.bench_calls(d, rates, say, PART_S)
        bench_wake(d, rates)
        bench_pairs(d)
        d.fsck()
    pulling.bench_scripts(say)
    pulling.bench_parked(say, min(10000, hard - 300))
    bench_memory()
    ways_in.bench_uploads(AGENTS, say)
    with open("build/bench.txt", "w") as f:
        f.write("\n".join(REPORT) + "\n")


if __name__ == "__main__":
    main()
