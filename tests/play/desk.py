"""The harness of all end-to-end tests: a real helplined in a folder of its own.

    with Desk() as d:                            # two agents, one mailbox, live
        d.lmtp(mail(subject="VPN", text="..."))  # [(250, '...')]
        anna = d.agent("anna")
        docs = d.reserve(anna)                   # list of ticket documents (dicts)
        anna("REPLY", docs[0]["id"], "Restart it.")
        m = d.sink.wait(1)[0]                    # what arrived at the SMTP server
        d.kill9(); d.start(); d.fsck()

Which build: $HELPLINE_BUILD, else build/release. Every wait is bounded, every
process is ended by its number when the test is over. What a failing test left
behind is kept when HELPLINE_KEEP is set.
"""
import asyncio
import ctypes
import email
import email.header
import email.policy
import email.utils
import json
import os
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from resp import PATIENCE, Client, Closed, RespError, unix_connect  # noqa: E402,F401

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("HELPLINE_BUILD", "build/release"))
SANITIZED = os.path.basename(BUILD) in ("asan", "tsan", "fuzz")
MAX_FILE = 4 << 30
SLOW = 4.0 if SANITIZED else 1.0  # how much more time everything may take
FULL = "FULL" in os.environ  # all of what is else chosen by chance; takes long
SEED = int(os.environ.get("HELPLINE_SEED", time.time_ns() % 1000000))

AGENTS = """
lines first second
skills network cameras billing
agent anna "Анна Котова" { skills network:4 cameras:2 }
agent dina "Дина Рау"    { skills billing:3 }
agent lena "Елена Шубина" { line second; skills billing:4 }
agent vera "Вера Ланская" { role lead }
"""
RULES = """
tag  vpn        when subject contains VPN or subject contains ВПН
need network:3  when tagged vpn
need billing:2  when subject contains invoice
"""


_ports = []


def free_port():
    """A port nobody listens on, outside the range of outgoing connections, so that it
    stays free while a daemon is down; no other test on this machine gets it while we live."""
    while True:
        port = random.SystemRandom().randrange(20000, 32000)
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind("\0helpline-test-port-%d" % port)
        except OSError:
            claim.close()
            continue
        _ports.append(claim)
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def wait_for(fn, timeout=PATIENCE, what="", step=0.02):
    """The first true value of fn(), asked again and again; AssertionError when late.
    Never less than PATIENCE: how fast it is, is no test's business but a benchmark's."""
    timeout = max(timeout, PATIENCE) * SLOW
    deadline = time.monotonic() + timeout
    while True:
        v = fn()
        if v:
            return v
        if time.monotonic() > deadline:
            raise AssertionError("not in %.0f s: %s" % (timeout, what or fn))
        time.sleep(step)


def some(items, n):
    """n of them by chance, in their order; all when FULL is set. Says how to have the same again."""
    items = list(items)
    if FULL or n >= len(items):
        return items
    sys.stderr.write("HELPLINE_SEED=%d chooses %d of %d; FULL=1 takes all\n" % (SEED, n, len(items)))
    return [items[i] for i in sorted(random.Random(SEED).sample(range(len(items)), n))]


_serial = [0]


def mail(subject="Hello", text="Nothing works.\n", sender="Ivan Petrov <ivan@customer.example>",
         to="support@desk.example", message_id=None, reply_to=None, headers=(), date=None):
    """One plain mail, CRLF. reply_to: the Message-ID it answers. headers: further (name, value)."""
    _serial[0] += 1
    if message_id is None:
        message_id = "<%d.%d.%d@customer.example>" % (os.getpid(), _serial[0], time.time_ns())
    lines = [("From", sender), ("To", to), ("Subject", subject),
             ("Date", date or email.utils.formatdate(localtime=False)),
             ("MIME-Version", "1.0"), ("Content-Type", "text/plain; charset=utf-8"),
             ("Content-Transfer-Encoding", "8bit")]
    if message_id:
        lines.append(("Message-ID", message_id))
    if reply_to:
        lines += [("In-Reply-To", reply_to), ("References", reply_to)]
    lines += list(headers)
    raw = "".join("%s: %s\r\n" % (n, encoded(n, v)) for n, v in lines)
    body = text.replace("\r\n", "\n").replace("\n", "\r\n")
    return raw.encode() + b"\r\n" + body.encode()


def encoded(name, value):
    if value.isascii():
        return value
    if name in ("From", "To", "Cc", "Reply-To"):
        return email.utils.formataddr(email.utils.parseaddr(value))
    return email.header.Header(value, "utf-8", header_name=name).encode(linesep="\r\n")


def _die_with_parent():
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE, MAX_FILE))  # a log that runs wild


class Lmtp:
    """A small LMTP client: one answer for each recipient, and raw lines where needed."""

    def __init__(self, address, timeout=PATIENCE):
        if isinstance(address, str):
            self.sock = unix_connect(address, timeout * SLOW)
        else:
            self.sock = socket.create_connection(address, timeout * SLOW)
        self.file = self.sock.makefile("rb")
        self.greeting = self.answer()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.file.close()
        self.sock.close()

    def answer(self):
        """(code, text) of one whole answer."""
        texts = []
        while True:
            line = self.file.readline(4096)
            if not line:
                raise Closed("LMTP connection closed")
            texts.append(line[4:].rstrip(b"\r\n").decode("utf-8", "replace"))
            if line[3:4] != b"-":
                return int(line[:3]), "\n".join(texts)

    def line(self, text):
        self.sock.sendall(text.encode() + b"\r\n")
        return self.answer()

    def send(self, raw, rcpts, sender="ivan@customer.example"):
        """[(code, text)] for each recipient (refused at RCPT, or after DATA)."""
        answers = {}
        code, text = self.line("MAIL FROM:<%s>" % sender)
        if code != 250:
            return [(code, text)] * len(rcpts)
        taken = []
        for r in rcpts:
            code, text = self.line("RCPT TO:<%s>" % r)
            if code == 250:
                taken.append(r)
            else:
                answers[r] = (code, text)
        if not taken:
            self.line("RSET")
            return [answers[r] for r in rcpts]
        code, text = self.line("DATA")
        if code != 354:
            return [answers.get(r, (code, text)) for r in rcpts]
        self.sock.sendall(dotted(raw))
        after = {}
        for r in taken:
            after.setdefault(r, []).append(self.answer())
        return [answers[r] if r in answers else after[r].pop(0) for r in rcpts]


def dotted(raw):
    """As DATA wants it: CRLF line ends, dots doubled, the end."""
    raw = re.sub(rb"\r\n|\r|\n", b"\r\n", raw)
    raw = re.sub(rb"(?m)^\.", b"..", raw)
    if not raw.endswith(b"\r\n"):
        raw += b"\r\n"
    return raw + b".\r\n"


class Sink:
    """A real SMTP server (aiosmtpd) that keeps what it takes.

    refuse: {address: "550 5.1.1 no such user"}     answer to RCPT
    answer: text or function(mail) -> text          answer after DATA
    delay:  seconds before the answer after DATA
    drop:   number of next mails that are kept and whose answer is never given
    """

    def __init__(self, port=None):
        self.mails = []
        self.refuse = {}
        self.answer = "250 2.0.0 taken"
        self.delay = 0.0
        self.drop = 0
        self.n_now = self.most_at_once = 0  # mails waiting for the answer after DATA
        self.port = port or free_port()
        self.lock = threading.Lock()
        self.controller = None
        self.start()

    def start(self):
        from aiosmtpd.controller import Controller
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port, ready_timeout=PATIENCE)
        self.controller.start()

    def stop(self):
        if self.controller:
            self.controller.stop()
            self.controller = None

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        m = email.message_from_bytes(envelope.content, policy=email.policy.default)
        m.raw = envelope.content
        m.envelope_from = "" if envelope.mail_from in (None, "<>") else envelope.mail_from
        m.envelope_to = list(envelope.rcpt_tos)
        answer = self.answer(m) if callable(self.answer) else self.answer
        with self.lock:
            dropped = self.drop > 0
            if dropped:
                self.drop -= 1
            if answer.startswith("2"):
                self.mails.append(m)
        self.n_now += 1
        self.most_at_once = max(self.most_at_once, self.n_now)
        try:
            await asyncio.sleep(self.delay)
        finally:
            self.n_now -= 1
        if dropped:
            server.transport.abort()
        return answer

    def wait(self, n, timeout=PATIENCE, what=None):
        """The mails, when there are at least n (that what(mail) likes)."""
        def enough():
            with self.lock:
                got = [m for m in self.mails if what is None or what(m)]
            return got if len(got) >= n else None
        return wait_for(enough, timeout, "%d mails at the SMTP server" % n)

    def ids(self):
        with self.lock:
            return [m["Message-ID"] for m in self.mails]


class Desk:
    """One daemon, its folder, its SMTP server."""

    def __init__(self, conf=None, agents=AGENTS, rules=RULES, extra="", store="embedded", live=True,
                 start=True, env=None, folder=None, send_delay="0s", lmtp=None):
        tmp = os.path.join(ROOT, "build", "tmp")
        os.makedirs(tmp, exist_ok=True)
        self.top = tempfile.mkdtemp(prefix="d", dir=tmp)
        self.dir = os.path.join(self.top, folder) if folder else self.top
        os.makedirs(self.dir, exist_ok=True)
        self.state = os.path.join(self.dir, "state")
        os.makedirs(self.state, 0o700, exist_ok=True)
        self.log_file = os.path.join(self.top, "log")
        self.port = free_port()
        self.lmtp_port = free_port()
        self.web_port = free_port()
        self.sink = Sink()
        self.env = dict(os.environ, **{"HELPLINE_DISK_FLOOR": "1048576", **(env or {})})
        if SANITIZED:
            self.env["HELPLINE_NO_RLIMIT"] = "1"  # the sanitizers' shadow needs the whole address space
        self.proc = None
        self.clients = []
        self.tokens = {}
        self.want_live = live
        self.checked = False
        self.conf = os.path.join(self.dir, "helpline.conf")
        self.write(conf if conf is not None else self.default(store, send_delay, lmtp) + agents + rules + extra)
        if start:
            try:
                self.start()
            except BaseException:
                self.close()
                raise

    def default(self, store, send_delay, lmtp):
        return """
name       "Test desk"
language   en ru
state      "%s"
store      %s
send-delay %s
mail support@desk.example {
    also help@desk.example
    smtp smtp://127.0.0.1:%d
}
lmtp   { listen unix:lmtp.sock 127.0.0.1:%d %s }
socket { listen unix:agents.sock 127.0.0.1:%d }
web    { listen 127.0.0.1:%d }
""" % (self.state, store, send_delay, self.sink.port, self.lmtp_port, lmtp or "", self.port, self.web_port)

    def write(self, text):
        """Replaces the configuration (the running daemon hears of it by reload)."""
        text = text.replace("@STATE@", self.state).replace("@PORT@", str(self.port))
        text = text.replace("@LMTP@", str(self.lmtp_port)).replace("@SMTP@", str(self.sink.port))
        with open(self.conf, "w") as f:
            f.write(text)
        self.text = text

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            if self.proc is not None and self.proc.poll() is not None:
                sys.stderr.write("helplined has ended with %d\n" % self.proc.returncode)
            sys.stderr.write("--- the daemon's log, its end ---\n" + self.log()[-6000:] + "---\n")
        self.close(keep=kind is not None and "HELPLINE_KEEP" in os.environ)

    # ---- the daemon ----

    def program(self, name):
        return os.path.join(BUILD, name)

    def spawn(self, env=None):
        """Starts the daemon and does not wait."""
        log = open(self.log_file, "ab")
        self.proc = subprocess.Popen([self.program("helplined"), "-c", self.conf], stdin=subprocess.DEVNULL,
                                     stdout=log, stderr=log, cwd=self.dir, env=dict(self.env, **(env or {})),
                                     preexec_fn=_die_with_parent)
        log.close()
        return self.proc

    def start(self, env=None, timeout=PATIENCE):
        """Starts it and waits until it answers and its store is there."""
        self.spawn(env)
        self.wait_ready(timeout)
        if self.want_live:
            with self.admin() as a:
                a("LIVE")
            self.want_live = False
        return self

    def wait_ready(self, timeout=PATIENCE):
        wait_for(self.is_ready, timeout, "the daemon is ready")

    def is_ready(self):
        if self.proc.poll() is not None:
            raise AssertionError("helplined ended with %d:\n%s" % (self.proc.returncode, self.log()[-4000:]))
        try:
            with Client(self.unix, 5 * SLOW) as c:
                return c("PING") == "PONG" and c("TOKEN", "LIST") is not None
        except (OSError, Closed, TimeoutError, RespError):
            return False

    def is_running(self):
        return self.proc is not None and self.proc.poll() is None

    def kill9(self):
        self.proc.kill()
        self.proc.wait(PATIENCE)

    def stop(self, timeout=PATIENCE):
        """SIGTERM; returns how long it took and asserts that it ended well."""
        began = time.monotonic()
        self.proc.terminate()
        try:
            code = self.proc.wait(timeout * SLOW)
        except subprocess.TimeoutExpired:
            raise AssertionError("helplined does not end on SIGTERM:\n" + self.log()[-3000:]) from None
        if code != 0:
            raise AssertionError("helplined ended with %d:\n%s" % (code, self.log()[-4000:]))
        return time.monotonic() - began

    def restart(self, env=None):
        self.stop()
        return self.start(env)

    def log(self):
        try:
            with open(self.log_file, encoding="utf-8", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def wait_log(self, pattern, timeout=PATIENCE, after=0):
        """The match of a regular expression in the log from that offset."""
        return wait_for(lambda: re.compile(pattern, re.M).search(self.log(), after), timeout, "log: " + pattern)

    def children(self, name=None):
        """{pid: program} of the daemon's children."""
        return {p: n for p, n in children_of(self.proc.pid).items() if name is None or name in n}

    def rss(self, pid=None):
        """Resident bytes of the daemon."""
        with open("/proc/%d/statm" % (pid or self.proc.pid)) as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def close(self, keep=False):
        for c in self.clients:
            c.close()
        self.clients = []
        if self.is_running():
            self.proc.send_signal(signal.SIGCONT)
            self.proc.terminate()
            try:
                self.proc.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill9()
        for pid in servers_of(self.state):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.sink.stop()
        report = sanitizer_report(self.log())
        if not keep:
            shutil.rmtree(self.top, ignore_errors=True)
        if report:
            raise AssertionError(report)

    # ---- talking to it ----

    @property
    def unix(self):
        return os.path.join(self.state, "agents.sock")

    def client(self, unix=False, timeout=PATIENCE):
        """A connection that is not logged in (on the Unix socket: admin)."""
        c = Client(self.unix if unix else ("127.0.0.1", self.port), timeout * SLOW)
        self.clients.append(c)
        return c

    def admin(self):
        return self.client(unix=True)

    def cmd(self, *args):
        """One command as admin."""
        with self.admin() as a:
            return a(*args)

    def token(self, name):
        if name not in self.tokens:
            self.tokens[name] = self.cmd("TOKEN", "NEW", name)
        return self.tokens[name]

    def agent(self, name, ready=True, proto=2, timeout=PATIENCE):
        """A connection logged in as that agent."""
        token = self.token(name)
        c = self.client(timeout=timeout)
        if proto == 3:
            c("HELLO", "3", "AUTH", name, token)
        else:
            c("AUTH", name, token)
        if ready:
            c("READY")
        return c

    @staticmethod
    def reserve(c, *options, timeout=None):
        """RESERVE: a list of documents, empty when there is nothing."""
        got = c("RESERVE", *options, timeout=timeout)
        return [] if got is None else [json.loads(d) for d in got]

    @staticmethod
    def show(c, ticket):
        return json.loads(c("SHOW", ticket))

    def wait_reserve(self, c, timeout=PATIENCE):
        """The one ticket that comes to this agent within the time."""
        docs = self.reserve(c, "BLOCK", int(timeout * SLOW * 1000), timeout=timeout * SLOW + 5)
        if len(docs) != 1:
            raise AssertionError("no ticket for the agent in %.0f s" % timeout)
        return docs[0]

    def list(self, *options):
        """All tickets (summaries) of LIST with these options, as admin."""
        out, cursor = [], "0"
        with self.admin() as a:
            while True:
                cursor, page = a("LIST", *options, "AFTER", cursor, "COUNT", 100)
                out += [json.loads(p) for p in page]
                if str(cursor) == "0":
                    return out

    def stats(self):
        return json.loads(self.cmd("STATS"))

    def lmtp_client(self, unix=False, timeout=PATIENCE):
        return Lmtp(os.path.join(self.state, "lmtp.sock") if unix else ("127.0.0.1", self.lmtp_port), timeout)

    def lmtp(self, raw, rcpts=("support@desk.example",), sender="ivan@customer.example", unix=False):
        """Sends one mail; [(code, text)] for each recipient."""
        if isinstance(rcpts, str):
            rcpts = (rcpts,)
        with self.lmtp_client(unix) as c:
            c.line("LHLO test.example")
            return c.send(raw, list(rcpts), sender)

    def deliver(self, raw, **kw):
        """Sends one mail that must be taken."""
        got = self.lmtp(raw, **kw)
        if any(code != 250 for code, _ in got):
            raise AssertionError("LMTP did not take it: %r" % (got,))
        return got

    def tool(self, *args, stdin=None, check=True, timeout=60.0, env=None):
        """helpline -c FILE args; the finished process (text)."""
        p = subprocess.run([self.program("helpline"), "-c", self.conf, *args], input=stdin, capture_output=True,
                           timeout=timeout * SLOW, cwd=self.dir, env=dict(self.env, **{"LC_ALL": "C.UTF-8", **(env or {})}))
        p.stdout = p.stdout.decode("utf-8", "replace")
        p.stderr = p.stderr.decode("utf-8", "replace")
        if check and p.returncode != 0:
            raise AssertionError("helpline %s ended with %d\n%s%s" % (" ".join(args), p.returncode, p.stdout, p.stderr))
        return p

    def fsck(self):
        """Asserts that the store holds together (beside the daemon, or without it)."""
        p = self.tool("fsck", check=False)
        if p.returncode != 0:
            raise AssertionError("fsck ended with %d\n%s%s\n--- log\n%s"
                                 % (p.returncode, p.stdout, p.stderr, self.log()[-3000:]))


def sanitizer_report(text):
    at = re.search(r"(ERROR: AddressSanitizer|WARNING: ThreadSanitizer|runtime error:|ERROR: LeakSanitizer)", text)
    return text[max(0, at.start() - 300):at.start() + 4000] if at else ""


def processes():
    """(pid, ppid, command line) of all processes."""
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open("/proc/%s/stat" % name) as f:
                stat = f.read()
            with open("/proc/%s/cmdline" % name, "rb") as f:
                cmd = f.read().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        fields = stat.rsplit(")", 1)[1].split()
        if fields[0] != "Z":
            yield int(name), int(fields[1]), cmd


def children_of(pid):
    """{pid: command line} of the direct children."""
    return {p: cmd for p, parent, cmd in processes() if parent == pid}


def servers_of(state):
    """Pids of redis servers that work in that state directory."""
    out = []
    for pid, _, cmd in processes():
        if "redis-server" not in cmd and "valkey-server" not in cmd:
            continue
        try:
            cwd = os.readlink("/proc/%d/cwd" % pid)
        except OSError:
            continue
        if cwd == state or cwd.startswith(state + "/"):
            out.append(pid)
    return out
