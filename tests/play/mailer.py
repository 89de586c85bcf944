"""helpline-mailer by itself: its frames, spoken to against real and hostile relays.

Each relay does one thing to the mail; what counts is the fate the helper tells, how
long it takes, and what was really on the wire.
"""
# takes: 15
import logging
import os
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from desk import BUILD, SLOW, free_port  # noqa: E402

SENT, DEFERRED, REFUSED = 0, 1, 2
READY, BEGUN = 0xFE, 0xFF
MAIL = (b"From: Desk <support@desk.example>\r\nTo: a@customer.example\r\n"
        b"Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nSubject: x\r\n"
        b"Message-ID: <t1.e1.kaaaaaaaaaaaaaaaa@desk.example>\r\n\r\nHello\r\n.dot\r\n")


def text(s):
    b = s.encode() if isinstance(s, str) else s
    return struct.pack(">I", len(b)) + b


def own_address():
    """An address of this machine that is not loopback, or None (nothing is sent)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.connect(("192.0.2.1", 9))
            address = s.getsockname()[0]
        except OSError:
            return None
    return None if address.startswith("127.") else address


class Answer:
    def __init__(self, body):
        self.body = body
        assert self.number() == 1, "version"
        self.connected = bool(self.number())
        self.why = self.string()
        self.fates = []
        for _ in range(self.number()):
            fate, code = self.number(), self.number()
            self.fates.append((fate, code, self.string()))
        assert not self.body

    def number(self):
        v = struct.unpack(">I", self.body[:4])[0]
        self.body = self.body[4:]
        return v

    def string(self):
        n = self.number()
        s, self.body = self.body[:n], self.body[n:]
        return s.decode()


class Mailer:
    """The helper as the daemon starts it: frames on descriptor 3."""

    def __init__(self, env=None):
        ours, theirs = socket.socketpair()
        self.sock = ours
        self.sock.settimeout(60)
        self.proc = subprocess.Popen(
            ["/bin/bash", "-c", "exec %s/helpline-mailer 3<&%d" % (BUILD, theirs.fileno())],
            pass_fds=(theirs.fileno(),), env={**os.environ, **(env or {})})
        theirs.close()

    def read(self, n):
        data = b""
        while len(data) < n:
            more = self.sock.recv(n - len(data))
            if not more:
                raise EOFError("the helper has gone")
            data += more
        return data

    def frame(self):
        while True:
            n, kind = struct.unpack(">IB", self.read(5))
            body = self.read(n)
            if kind not in (READY, BEGUN):
                assert kind == ord("R"), kind
                return body

    def send(self, port, to=("a@customer.example",), host="localhost", user="", password="",
             starttls=False, sender="support@desk.example", data=MAIL, timeout=2000):
        job = struct.pack(">I", 1) + text(host) + struct.pack(">I", port) + text(user)
        job += text(password) + struct.pack(">I", starttls) + text(sender)
        job += struct.pack(">II", int(timeout * SLOW), len(to)) + b"".join(map(text, to))
        job += text(data)
        self.sock.sendall(struct.pack(">IB", len(job), ord("S")) + job)
        began = time.monotonic()
        a = Answer(self.frame())
        a.took = time.monotonic() - began
        return a

    def close(self):
        self.sock.close()
        self.proc.wait(60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Sink:
    """An aiosmtpd handler that keeps what it was given and refuses as it is told."""

    def __init__(self, rcpt=None, data=None):
        self.mails, self.rcpt, self.data, self.logins = [], rcpt or {}, data, []

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.rcpt:
            return self.rcpt[address]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        self.mails.append(envelope)
        return self.data or "250 2.0.0 taken"


class Relay:
    """aiosmtpd in a thread of its own."""

    def __init__(self, sink, address="127.0.0.1", **more):
        self.port = free_port()
        self.controller = Controller(sink, hostname=address, port=self.port,
                                     server_hostname="relay.example", **more)

    def __enter__(self):
        self.controller.start()
        return self.port

    def __exit__(self, *_):
        self.controller.stop()


class Script:
    """A relay that follows a script: a function of one connection, in a thread."""

    def __init__(self, play):
        self.play, self.seen, self.error = play, [], None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            while True:
                s, _ = self.listener.accept()
                with s:
                    s.settimeout(60)
                    self.file = s.makefile("rb")
                    try:
                        self.play(self, s)
                    except (OSError, EOFError):
                        pass
                    self.file.close()  # or the connection would stay open
        except OSError:
            pass

    def line(self):
        line = self.file.readline()
        if not line:
            raise EOFError
        self.seen.append(line)
        return line

    def until_data(self, s, extensions=()):
        """Greeting and dialogue up to the 354."""
        s.sendall(b"220 relay.example ESMTP\r\n")
        while True:
            verb = self.line().split(b":")[0].strip().upper()
            if verb.startswith((b"EHLO", b"HELO")):
                words = ("relay.example",) + tuple(extensions)
                s.sendall(b"".join(b"250%c%s\r\n" % (32 if i == len(words) - 1 else 45, w.encode())
                                   for i, w in enumerate(words)))
            elif verb == b"DATA":
                s.sendall(b"354 go\r\n")
                return
            else:
                s.sendall(b"250 ok\r\n")

    def until_dot(self, s, extensions=()):
        self.until_data(s, extensions)
        while self.line() != b".\r\n":
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # refused handshakes are meant


class Plain(unittest.TestCase):
    def setUp(self):
        self.mailer = Mailer()
        self.addCleanup(self.mailer.close)

    def test_delivered_byte_for_byte(self):
        sink = Sink()
        with Relay(sink) as port:
            a = self.mailer.send(port)
            self.assertEqual((a.connected, a.why), (True, ""))
            self.assertEqual(a.fates[0][:2], (SENT, 250))
            self.assertEqual(sink.mails[0].content.replace(b"\r\n..", b"\r\n."), MAIL)
            self.assertEqual(sink.mails[0].mail_from, "support@desk.example")
            self.mailer.send(port, sender="")
            self.assertIn(sink.mails[1].mail_from, ("", "<>"))

    def test_each_recipient_has_his_own_fate(self):
        sink = Sink(rcpt={"b@x.example": "550 5.1.1 no such user",
                          "c@x.example": "451 4.7.1 greylisted"})
        with Relay(sink) as port:
            a = self.mailer.send(port, ["a@x.example", "b@x.example", "c@x.example"])
        self.assertEqual([f[:2] for f in a.fates], [(SENT, 250), (REFUSED, 550), (DEFERRED, 451)])
        self.assertIn("no such user", a.fates[1][2])
        self.assertEqual(sink.mails[0].rcpt_tos, ["a@x.example"])

    def test_refused_and_deferred_as_a_whole(self):
        for words, fate in (("554 5.6.0 spam", REFUSED), ("452 4.2.2 full", DEFERRED)):
            with Relay(Sink(data=words)) as port:
                a = self.mailer.send(port, ["a@x.example", "b@x.example"])
            self.assertTrue(a.connected)
            self.assertEqual([f[:2] for f in a.fates], [(fate, int(words[:3]))] * 2)

    def test_only_recipient_refused_but_data_taken(self):
        """A relay that answers 250 to a mail for nobody (PIPELINING)."""
        def play(r, s):
            s.sendall(b"220 x\r\n")
            r.line()
            s.sendall(b"250-x\r\n250 PIPELINING\r\n")
            for words in (b"250 ok\r\n", b"550 5.1.1 unknown\r\n", b"354 go\r\n"):
                r.line()
                s.sendall(words)
            while r.line() != b".\r\n":
                pass
            s.sendall(b"250 taken\r\n")
            r.line()
            s.sendall(b"221 bye\r\n")
        with Script(play) as r:
            a = self.mailer.send(r.port)
        self.assertEqual(a.fates[0][:2], (REFUSED, 550))

    def test_dropped_before_and_after_the_dot(self):
        for play in (lambda r, s: r.until_data(s), lambda r, s: r.until_dot(s)):
            with Script(play) as r:
                a = self.mailer.send(r.port)
            self.assertTrue(a.connected)  # it may have it: not to the next relay
            self.assertEqual(a.fates[0][0], DEFERRED)
            self.assertLess(a.took, 30)

    def test_silent_after_the_dot(self):
        with Script(lambda r, s: (r.until_dot(s), time.sleep(60))) as r:
            a = self.mailer.send(r.port, timeout=1000)
        self.assertTrue(a.connected)
        self.assertEqual(a.fates[0][:2], (DEFERRED, 0))
        self.assertLess(a.took, 30)

    def test_silent_greeting(self):
        with Script(lambda r, s: time.sleep(60)) as r:
            a = self.mailer.send(r.port, timeout=1000)
        self.assertFalse(a.connected)
        self.assertEqual(a.fates[0][0], DEFERRED)
        self.assertLess(a.took, 30)

    def test_quit_unanswered_is_still_delivered(self):
        def play(r, s):
            r.until_dot(s)
            s.sendall(b"250 2.0.0 taken\r\n")
            time.sleep(60)
        with Script(play) as r:
            a = self.mailer.send(r.port, timeout=1000)
        self.assertEqual(a.fates[0][:2], (SENT, 250))
        self.assertLess(a.took, 30)

    def test_watchdog_ends_what_time_outs_do_not(self):
        """One byte now and then: no step is ever late, the whole is."""
        def play(r, s):
            while True:
                s.sendall(b"2")
                time.sleep(0.2)
        with Script(play) as r:
            a = self.mailer.send(r.port, timeout=500)
        self.assertFalse(a.connected)
        self.assertEqual(a.fates[0][0], DEFERRED)
        self.assertLess(a.took, 30)

    def test_watchdog_after_the_mail_was_taken(self):
        def play(r, s):
            r.until_dot(s)
            s.sendall(b"250 2.0.0 taken\r\n")
            r.line()
            while True:
                s.sendall(b"2")
                time.sleep(0.2)
        with Script(play) as r:
            a = self.mailer.send(r.port, timeout=500)
        self.assertEqual(a.fates[0][:2], (SENT, 250))
        self.assertLess(a.took, 30)

    def test_greeting_refuses(self):
        with Script(lambda r, s: (s.sendall(b"554 5.3.2 go away\r\n"), r.line())) as r:
            a = self.mailer.send(r.port)
        self.assertFalse(a.connected)
        self.assertEqual(a.fates[0][0], DEFERRED)
        self.assertIn("go away", a.why)

    def test_nobody_listens(self):
        port = free_port()
        a = self.mailer.send(port)
        self.assertFalse(a.connected)
        self.assertIn("localhost:%d" % port, a.why)
        self.assertLess(a.took, 30)

    def test_black_hole(self):
        with socket.socket() as hole:
            hole.bind(("127.0.0.1", 0))
            hole.listen(0)
            full = []
            for _ in range(8):  # the backlog is full: no more connection is ever made
                s = socket.socket()
                s.setblocking(False)
                s.connect_ex(hole.getsockname())
                full.append(s)
            time.sleep(0.1)
            a = self.mailer.send(hole.getsockname()[1], host="127.0.0.1", timeout=1000)
            for s in full:
                s.close()
        self.assertFalse(a.connected)
        self.assertIn("no answer from", a.why)
        self.assertLess(a.took, 30)

    def test_unknown_host(self):
        a = self.mailer.send(25, host="no-such-host.invalid", timeout=1000)
        self.assertFalse(a.connected)
        self.assertEqual(a.fates[0][0], DEFERRED)

    def test_addresses_cannot_carry_commands(self):
        sink = Sink()
        bad = ["x@a>\r\nRCPT TO:<evil@b", "x@a\nDATA", "x @a", "почта@пример.рф", "nobody", "<x@a>"]
        with Relay(sink) as port:
            a = self.mailer.send(port, ["a@x.example"] + bad)
            self.assertEqual([f[:2] for f in a.fates], [(SENT, 250)] + [(REFUSED, 553)] * len(bad))
            self.assertEqual(sink.mails[0].rcpt_tos, ["a@x.example"])
            a = self.mailer.send(port, bad[:1])
            self.assertEqual(a.fates[0][:2], (REFUSED, 553))
            a = self.mailer.send(port, sender="x@a>\r\nRSET")
            self.assertEqual((a.connected, a.fates[0][0]), (False, DEFERRED))
        self.assertEqual(len(sink.mails), 1)

    def test_what_must_not_be_given_over(self):
        for data in (b"Subject: x\n\nlone LF\n", MAIL + b"\xd0\xb0\r\n", MAIL + b"\0\r\n", b"",
                     MAIL + b"x\ry\r\n", MAIL + b"y" * 1200 + b"\r\n"):
            a = self.mailer.send(1, data=data)
            self.assertEqual((a.connected, a.fates[0][0]), (False, DEFERRED))
            self.assertIn("7-bit", a.why)
        for host in ("a b", "a\r\nb", "::1", "", "a:25"):
            a = self.mailer.send(1, host=host)
            self.assertFalse(a.connected)
        self.assertIn("plain text is refused", self.mailer.send(
            1, host="relay.invalid", user="u", password="p").why)

    def test_no_stall_for_each_mail(self):
        """Without TCP_NODELAY every one of these takes 40 ms longer."""
        data = MAIL + (b"x" * 70 + b"\r\n") * 70
        sink = Sink()
        with Relay(sink) as port:
            sent = [self.mailer.send(port, data=data) for _ in range(30)]
            self.assertEqual({SENT}, {a.fates[0][0] for a in sent})
            self.assertLess(min(a.took for a in sent), 0.04)

    def test_long_and_many_lines(self):
        data = MAIL + b"".join(b"%d %s\r\n" % (i, b"z" * (i % 900)) for i in range(3000))
        sink = Sink()
        with Relay(sink) as port:
            self.assertEqual(self.mailer.send(port, data=data, timeout=5000).fates[0][0], SENT)
        self.assertEqual(sink.mails[0].content.replace(b"\r\n..", b"\r\n."), data)

    def test_a_broken_job_ends_nothing(self):
        self.mailer.sock.sendall(struct.pack(">IB", 3, ord("S")) + b"abc")
        a = Answer(self.mailer.frame())
        self.assertEqual((a.connected, a.fates), (False, []))
        self.assertNotEqual(a.why, "")


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.TemporaryDirectory()
        d = cls.dir.name

        def openssl(*args):
            subprocess.run(["openssl", *args], check=True, cwd=d, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out",
                "ca.pem", "-days", "2", "-subj", "/CN=test CA")
        for name, san in (("good", "DNS:localhost"), ("wrong", "DNS:other.example")):
            with open(os.path.join(d, "ext"), "w") as f:
                f.write("subjectAltName=%s\n" % san)
            openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", name + ".key", "-out",
                    name + ".csr", "-subj", "/CN=" + name)
            openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                    "-CAcreateserial", "-days", "2", "-extfile", "ext", "-out", name + ".pem")

    @classmethod
    def tearDownClass(cls):
        cls.dir.cleanup()

    def setUp(self):
        self.mailer = Mailer({"SSL_CERT_FILE": os.path.join(self.dir.name, "ca.pem")})
        self.addCleanup(self.mailer.close)
        self.names = []

    def context(self, name):
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ctx.load_cert_chain(os.path.join(self.dir.name, name + ".pem"),
                            os.path.join(self.dir.name, name + ".key"))
        ctx.sni_callback = lambda s, sni, c: self.names.append(sni)
        return ctx

    def relay(self, sink, name="good", **more):
        return Relay(sink, tls_context=self.context(name), require_starttls=True, **more)

    def test_delivered_and_the_name_is_told(self):
        sink = Sink()
        with self.relay(sink) as port:
            for _ in range(3):  # the second session in a process is where the library crashed
                a = self.mailer.send(port, starttls=True)
                self.assertEqual((a.fates[0][:2], a.why), ((SENT, 250), ""))
        self.assertEqual(self.names, ["localhost"] * 3)
        self.assertEqual(len(sink.mails), 3)

    def test_certificates_that_are_not_good(self):
        sink = Sink()
        with self.relay(sink, "wrong") as port:
            a = self.mailer.send(port, starttls=True)
        self.assertEqual((a.connected, a.fates[0][0]), (False, DEFERRED))
        self.assertNotEqual(a.why, "")
        with Mailer({"SSL_CERT_FILE": "/dev/null"}) as stranger, self.relay(sink) as port:
            a = stranger.send(port, starttls=True)
        self.assertEqual((a.connected, a.fates[0][0]), (False, DEFERRED))
        self.assertEqual(sink.mails, [])

    def test_offered_elsewhere_is_used_whatever_the_certificate(self):
        """Not on this machine and not required: TLS when offered, better than plain text."""
        address = own_address()
        if address is None:
            self.skipTest("this machine has no address but loopback")
        sink = Sink()
        with self.relay(sink, "wrong", address=address) as port:
            a = self.mailer.send(port, host=address)
        self.assertEqual((a.fates[0][:2], a.why), ((SENT, 250), ""))
        with Relay(sink, address=address) as port:
            self.assertEqual(self.mailer.send(port, host=address).fates[0][0], SENT)
            a = self.mailer.send(port, host=address, user="u", password="secret")
        self.assertEqual((a.connected, a.fates[0][0]), (False, DEFERRED))
        self.assertEqual(len(sink.mails), 2)

    def test_required_but_not_offered(self):
        sink = Sink()
        with Relay(sink) as port:
            a = self.mailer.send(port, starttls=True, user="u", password="secret")
        self.assertEqual((a.connected, a.fates[0][0]), (False, DEFERRED))
        self.assertEqual(sink.mails, [])

    def test_login(self):
        sink = Sink()

        def check(server, session, envelope, mechanism, data):
            ok = isinstance(data, LoginPassword) and (data.login, data.password) == (b"u", b"pass word")
            sink.logins.append(ok)
            return AuthResult(success=ok, handled=False)
        with self.relay(sink, authenticator=check, auth_required=True) as port:
            a = self.mailer.send(port, starttls=True, user="u", password="pass word")
            self.assertEqual((a.fates[0][:2], a.why), ((SENT, 250), ""))
            a = self.mailer.send(port, starttls=True, user="u", password="wrong")
            self.assertEqual((a.connected, a.fates[0][0]), (False, DEFERRED))
            self.assertIn("535", a.why)
            a = self.mailer.send(port, starttls=True)  # forgotten: the administrator's matter
            self.assertEqual((a.connected, a.fates[0][:2]), (False, (DEFERRED, 530)))
        self.assertEqual(sink.logins[0], True)  # each mechanism is tried once
        self.assertEqual(set(sink.logins[1:]), {False})
        self.assertEqual(len(sink.mails), 1)

    def injecting(self, reply):
        """Offers STARTTLS, puts answers behind the reply, then speaks TLS and takes nothing."""
        ctx = self.context("good")

        def play(r, s):
            s.sendall(b"220 x\r\n")
            r.line()
            s.sendall(b"250-x\r\n250-AUTH PLAIN LOGIN\r\n250 STARTTLS\r\n" if reply[0:1] != b"!"
                      else b"250-x\r\n250 STARTTLS\r\n220 go\r\n250-x\r\n250 AUTH PLAIN\r\n")
            r.line()
            if reply[0:1] != b"!":
                s.sendall(reply)
            with ctx.wrap_socket(s, server_side=True) as t:
                while True:
                    data = t.recv(4096)
                    if not data:
                        return
                    r.seen.append(data)
        return Script(play)

    def test_injection_at_starttls(self):
        lies = (b"250-x\r\n250 AUTH PLAIN\r\n235 fine\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n")
        for reply in (b"220 go\r\n" + lies, b"220-go\r\n220 on\r\n" + lies, b"!"):
            with self.injecting(reply) as r:
                a = self.mailer.send(r.port, starttls=True, user="u", password="geheim", timeout=500)
                self.assertEqual((a.connected, a.fates[0][0]), (False, DEFERRED))
                self.assertFalse(any(b"geheim" in x or b"AUTH" in x or b"MAIL" in x for x in r.seen))

    def test_a_reply_in_pieces_is_no_injection(self):
        ctx = self.context("good")

        def play(r, s):
            s.sendall(b"220 x\r\n")
            r.line()
            s.sendall(b"250-x\r\n250 STARTTLS\r\n")
            r.line()
            for piece in (b"220-g", b"o\r", b"\n22", b"0 on\r\n"):
                s.sendall(piece)
                time.sleep(0.05)
            with ctx.wrap_socket(s, server_side=True) as t:
                r.file = t.makefile("rb")
                for words in (b"250 x\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"):
                    r.line()
                    t.sendall(words)
                while r.line() != b".\r\n":
                    pass
                t.sendall(b"250 taken\r\n")
                r.line()
                t.sendall(b"221 bye\r\n")
        with Script(play) as r:
            a = self.mailer.send(r.port, starttls=True)
        self.assertEqual((a.fates[0][:2], a.why), ((SENT, 250), ""))


if __name__ == "__main__":
    unittest.main()
