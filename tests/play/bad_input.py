"""Bad input from every side: agents, mail servers, mails, helpers. The daemon goes on."""
# run: release asan
# takes: 55
# seconds: 240
import concurrent.futures
import json
import os
import socket
import subprocess
import sys
import time
import unittest

from desk import SLOW, Desk, RespError, mail, wait_for
from resp import Closed

QUIET = 'lines first\nagent anna "Anna"\nacknowledge none\n'


class WithDesk(unittest.TestCase):
    env = None

    @classmethod
    def setUpClass(cls):
        cls.d = Desk(agents=QUIET, rules="", env=cls.env)

    @classmethod
    def tearDownClass(cls):
        cls.d.fsck()
        cls.d.close()

    def setUp(self):
        self.pid = self.d.proc.pid

    def tearDown(self):
        self.assertTrue(self.d.is_running(), "the daemon lives\n" + self.d.log()[-3000:])
        self.assertEqual("PONG", self.d.cmd("PING"))


class Protocol(WithDesk):
    def refused(self, c, code):
        answer = c.read(raising=False)
        self.assertIsInstance(answer, RespError)
        self.assertEqual(code, answer.code, answer.text)

    def test_limits_that_close(self):
        for what, data in (
                ("argument over 1 MB", b"*2\r\n$4\r\nECHO\r\n$1048577\r\n"),
                ("request over 4 MB", b"*6\r\n$4\r\nECHO\r\n" + (b"$1000000\r\n" + b"x" * 1000000 + b"\r\n") * 5),
                ("65 arguments", b"*65\r\n")):
            with self.subTest(what), self.d.agent("anna") as c:
                try:
                    c.send_raw(data)
                except OSError:
                    pass  # it closes before it has read all
                try:
                    self.refused(c, "TOOBIG")
                except Closed:
                    self.assertIn("4 MB", what, "an answer is expected")
                self.assertTrue(c.closed())

    def test_before_auth(self):
        with self.d.client() as c:
            self.assertEqual("PONG", c("PING"))
            for words in (("RESERVE",), ("SHOW", "1"), ("SUBSCRIBE", "me"), ("TOKEN", "LIST")):
                with self.assertRaises(RespError) as caught:
                    c(*words)
                self.assertEqual("NOAUTH", caught.exception.code)
            with self.assertRaises(RespError) as caught:
                c("AUTH", "hl_aaaaaaaa_" + "A" * 43)
            self.assertEqual("WRONGPASS", caught.exception.code)
            c.send_raw(b"*2\r\n$4\r\nAUTH\r\n$1048576\r\n")
            self.refused(c, "TOOBIG")
            self.assertTrue(c.closed())

    def test_garbage(self):
        for data in (b"*1\r\n$-5\r\n", b"*x\r\n", b"*1\r\n+PING\r\n", b"*1\r\n$4\r\nPINGxx", b"*99999999999999999999\r\n",
                     b"*2\r\n$4\r\nECHO\r\n$99999999999999999999\r\n", b'"unbalanced\r\n', b"*1\r\n$4PING\r\n\r\n",
                     b"*-5\r\n$1\r\n", b"*1\r\n:4\r\n", b"\x00\xff\xfe\r\n*1\r\n$1\r\n", b"$5\r\nworld\r\n"):
            with self.subTest(repr(data)), self.d.agent("anna") as c:
                c.send_raw(data + b"\r\n" * 3)
                try:
                    while True:
                        answer = c.read(0.3, raising=False)
                        self.assertIsInstance(answer, RespError)
                except (Closed, TimeoutError):
                    pass

    def test_a_browser_is_cut_off(self):
        for data in (b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"Host: localhost:7711\r\n"):
            with self.subTest(data), self.d.agent("anna") as c:
                c.send_raw(data)
                self.assertTrue(c.closed())

    def test_words(self):
        with self.d.agent("anna") as c:
            for words, code in ((("NOSUCHTHING",), "ERR"), (("SHOW",), "ERR"), (("SHOW", "999999"), "NOSUCH"), (("SHOW", "x"), None),
                                (("RESERVE", "BLOCK", "soon"), "BADARG"), (("RESERVE", "COUNT", "0"), "BADARG"),
                                (("RESERVE", "LINE", "nowhere"), None), (("LIST", "STATE", "lost"), "BADARG"),
                                (("REPLY", "999999", "x"), None), (("TOKEN", "NEW", "anna"), "NOPERM"),
                                (("SHUTDOWN",), "NOPERM"), (("MULTI",), "ERR"), (("CLUSTER", "INFO"), "ERR"),
                                (("SELECT", "1"), "ERR"), (("CLIENT", "TRACKING", "ON"), "ERR"),
                                (("EVENTS", "AFTER", "x y"), "BADARG"), (("HELLO", "9"), "NOPROTO"),
                                (("RELEASE", "1", "ID", "with blank"), "BADARG"), (("BLOB", "999999", "1"), "NOSUCH")):
                with self.subTest(" ".join(words)):
                    answer = c.raw(*words)
                    self.assertIsInstance(answer, RespError, words)
                    if code is not None:
                        self.assertEqual(code, answer.code, answer.text)
            self.assertIn("unknown command 'NOSUCHTHING'", c.raw("NOSUCHTHING").text)
            self.assertIn("wrong number of arguments for 'show' command", c.raw("SHOW").text.lower())

    def test_text_over_64_kb(self):
        with self.d.agent("anna") as c:
            self.d.deliver(mail())
            doc = self.d.wait_reserve(c)
            for words in (("REPLY", doc["id"], "x" * 65537), ("NOTE", doc["id"], "x" * 65537)):
                with self.assertRaises(RespError) as caught:
                    c(*words)
                self.assertEqual("TOOBIG", caught.exception.code)
            c("NOTE", doc["id"], "я" * 32000)
            c("RESOLVE", doc["id"])

    def test_a_client_that_never_reads(self):
        before = self.d.rss()
        with self.d.agent("anna", ready=False) as c:
            whole = c("COMMAND", "DOCS")
            c.sock.settimeout(1.5)
            many = b"*2\r\n$7\r\nCOMMAND\r\n$4\r\nDOCS\r\n" * 10000
            with self.assertRaises(socket.timeout, msg="it stops reading from him"):
                for _ in range(200):
                    c.send_raw(many)
            self.assertLess(self.d.rss() - before, (40 << 20) * SLOW)
            with self.d.agent("anna", ready=False) as other:
                began = time.monotonic()
                self.assertEqual("PONG", other("PING"))
                self.assertLess(time.monotonic() - began, 10.0 * SLOW)
            for _ in range(1000):
                self.assertEqual(whole, c.read())

    def test_behind_a_blocked_reserve(self):
        with self.d.agent("anna") as c:
            c.send("RESERVE", "BLOCK", "300")
            for i in range(20):
                c.send("ECHO", str(i))
            self.assertIsNone(c.read())
            self.assertEqual([str(i) for i in range(20)], [c.read() for _ in range(20)])
            c.send("RESERVE", "BLOCK", "0")
            time.sleep(0.2)
            try:
                for _ in range(30):
                    c.send("ECHO", "x" * 10000)
            except OSError:
                pass
            self.assertTrue(c.closed())

    def test_deep_pipeline(self):
        with self.d.agent("anna", ready=False) as c:
            n = 5000
            c.send_raw(b"".join(b"*2\r\n$4\r\nECHO\r\n$%d\r\n%d\r\n" % (len(str(i)), i) for i in range(n)))
            self.assertEqual([str(i) for i in range(n)], [c.read() for _ in range(n)])


class LmtpWords(WithDesk):
    def test_words_out_of_order_and_unknown(self):
        with self.d.lmtp_client() as c:
            self.assertEqual(220, c.greeting[0])
            self.assertEqual(503, c.line("MAIL FROM:<a@b.example>")[0])
            self.assertEqual(500, c.line("HELO x")[0] // 100 * 100)
            code, text = c.line("LHLO x.example")
            self.assertEqual(250, code)
            for word in ("PIPELINING", "8BITMIME", "SIZE", "ENHANCEDSTATUSCODES"):
                self.assertIn(word, text)
            self.assertEqual(503, c.line("RCPT TO:<support@desk.example>")[0])
            self.assertEqual(5, c.line("MAIL FROM:a b c")[0] // 100)
            self.assertEqual(250, c.line("MAIL FROM:<>")[0])
            self.assertEqual(5, c.line("DATA")[0] // 100)
            self.assertEqual(550, c.line("RCPT TO:<nobody@desk.example>")[0])
            self.assertEqual(250, c.line("RSET")[0])
            self.assertEqual(250, c.line("NOOP")[0])
            self.assertEqual(5, c.line("MAIL FROM:<a@b.example> SIZE=99999999999")[0] // 100)
            self.assertEqual(221, c.line("QUIT")[0])

    def test_words_for_ever(self):
        """Who only says NOOP does not hold a connection; each mail lets him begin anew."""
        with self.d.lmtp_client() as c:
            for _ in range(2):
                c.line("LHLO x.example")
                for word in ("NOOP", "RSET", "VRFY a") * 30:
                    self.assertEqual(2, c.line(word)[0] // 100)
                self.assertEqual(250, c.send(mail(), ["support@desk.example"], "a@b.example")[0][0])
            codes = [c.line("NOOP")[0] for _ in range(101)]
            self.assertEqual([250] * 100 + [421], codes)
            self.assertEqual(b"", c.sock.recv(1))

    def test_bare_line_ends_in_commands(self):
        for data in (b"LHLO x.example\n", b"LHLO x\rNOOP\r\n", b"LHLO x\r\r\n", b"NOOP " + b"x" * 5000 + b"\r\n"):
            with self.subTest(repr(data[:30])), self.d.lmtp_client() as c:
                c.sock.sendall(data)
                c.sock.settimeout(30)
                try:
                    self.assertEqual(5, c.answer()[0] // 100)
                except (Closed, OSError):
                    pass

    def test_only_crlf_dot_crlf_ends_data(self):
        n = sum(t["n_messages"] for t in self.d.list())
        inner = b"MAIL FROM:<eve@evil.example>\r\nRCPT TO:<support@desk.example>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n"
        for end in (b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n", b"\r\n.\r", b"\r.\r\n"):
            with self.subTest(repr(end)), self.d.lmtp_client() as c:
                c.line("LHLO x.example")
                c.line("MAIL FROM:<eve@evil.example>")
                c.line("RCPT TO:<support@desk.example>")
                c.line("DATA")
                c.sock.sendall(mail(subject="outer %s" % end.hex()) + b"text" + end + inner)
                c.sock.settimeout(0.3)
                with self.assertRaises((TimeoutError, socket.timeout)):
                    c.sock.recv(100)
                c.sock.settimeout(60)
                c.sock.sendall(b"\r\n.\r\n")
                code = int(c.sock.recv(3))
                self.assertIn(code // 100, (2, 5))
                n += code // 100 == 2
        subjects = [t["subject"] for t in self.d.list()]
        self.assertNotIn("smuggled", subjects)
        self.assertEqual(n, sum(t["n_messages"] for t in self.d.list()))

    def test_gone_in_the_middle(self):
        n = len(self.d.list())
        for cut in (b"", b"Subject: half", mail(subject="half")):
            with self.d.lmtp_client() as c:
                c.line("LHLO x.example")
                c.line("MAIL FROM:<a@b.example>")
                c.line("RCPT TO:<support@desk.example>")
                c.line("DATA")
                c.sock.sendall(cut)
        time.sleep(0.3)
        self.assertEqual(n, len(self.d.list()))

    def test_slow_clients_hold_nobody_up(self):
        slow = [self.d.lmtp_client() for _ in range(50)]
        try:
            for i in range(10):
                for c in slow:
                    c.sock.sendall(b"LHLO slow.example\r\n"[i:i + 1])
            began = time.monotonic()
            self.d.deliver(mail())
            self.assertLess(time.monotonic() - began, 15.0 * SLOW)
        finally:
            for c in slow:
                c.close()

    def test_many_in_one_connection_pipelined(self):
        with self.d.lmtp_client() as c:
            c.line("LHLO x.example")
            n = 20
            for i in range(n):
                c.sock.sendall(b"MAIL FROM:<p%d@x.example>\r\nRCPT TO:<support@desk.example>\r\nRCPT TO:<nobody@desk.example>\r\nDATA\r\n" % i)
                self.assertEqual([250, 250, 550, 354], [c.answer()[0] for _ in range(4)])
                c.sock.sendall(mail(subject="pipelined %d" % i) + b"\r\n.\r\n")
                self.assertEqual(250, c.answer()[0])

    def test_large_mail(self):
        """Larger than what is kept in memory: it spools to a file and arrives whole."""
        before = self.d.rss()
        text = "".join("%07d xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n" % i for i in range(120000))
        self.d.deliver(mail(subject="large", text=text))
        self.assertLess(self.d.rss() - before, (40 << 20) * SLOW)
        self.assertEqual([], os.listdir(os.path.join(self.d.state, "spool")))
        doc = [t for t in self.d.list() if t["subject"] == "large"][0]
        with self.d.admin() as a:
            shown = self.d.show(a, doc["id"])
        self.assertTrue(shown["messages"][0]["text"].startswith("0000000 xxx"))


class Bombs(WithDesk):
    """Mails made to kill their parser: each is stored or quarantined, at once, once."""

    def test_bombs(self):
        head = b"From: Eve <eve@evil.example>\r\nTo: support@desk.example\r\nMIME-Version: 1.0\r\n"
        levels = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(20000))
        bombs = {
            "headers": head + b"".join(b"X-%d: y\r\n" % i for i in range(300000)) + b"Subject: headers\r\n\r\nx\r\n",
            "parts": head + b"Subject: parts\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 200000,
            "levels": head + b"Subject: levels\r\n" + levels,
            "rfc822": head + b"Subject: rfc822\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * 50000,
            "spaces": head + b"Subject: spaces" + b" " * 1000000 + b"\r\n\r\nx\r\n",
            "one line": head + b"Subject: one line\r\n\r\n" + b"x" * 3000000 + b"\r\n",
            "html": head + b"Subject: html\r\nContent-Type: text/html\r\n\r\n" + b"<div>" * 200000 + b"text\r\n",
            "html table": head + b"Subject: html table\r\nContent-Type: text/html\r\n\r\n" + b"<table><tr><td>" * 60000 + b"\r\n",
            "words": head + b"Subject: " + b"=?utf-8?q?=D0=B6?= " * 50000 + b"\r\n\r\nx\r\n",
            "addresses": head + b"Subject: addresses\r\nCc: " + b"a@b.example, " * 100000 + b"c@d.example\r\n\r\nx\r\n",
            "nul": head + b"Subject: nul\r\n\r\n" + b"\0" * 100000 + b"\r\n",
            "nothing": b"",
            "no header": b"\r\n\r\nonly text\r\n",
            "binary": bytes(range(256)) * 4000,
            "references": head + b"Subject: references\r\nReferences: " + b"<a@b> " * 100000 + b"\r\n\r\nx\r\n",
        }
        for i, (name, raw) in enumerate(bombs.items()):
            with self.subTest(name):
                began = time.monotonic()
                got = self.d.lmtp(raw.replace(b"eve@", b"eve%d@" % i), sender="eve%d@evil.example" % i)
                took = time.monotonic() - began
                self.assertIn(got[0][0], (250, 552, 554, 500), got)
                self.assertLess(took, 20.0 * SLOW, name)
                self.assertEqual("PONG", self.d.cmd("PING"))
        self.d.deliver(mail(subject="an ordinary one"))
        self.assertIn("an ordinary one", [t["subject"] for t in self.d.list()])
        self.assertLess(self.d.rss(), (150 << 20) * SLOW)


def put(path, text):
    with open(path, "w") as f:
        f.write(text)


HELPER = '''#!%s
"""A stand-in for helpline-mime that does not do what it should."""
import os, socket, struct, sys, time
s = socket.socket(fileno=3)
s.sendall(b"\\0\\0\\0\\0\\xfe")
how = open(os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), "how")).read()
while True:
    head = b""
    while len(head) < 5:
        got, fds, _, _ = socket.recv_fds(s, 5 - len(head), 1)
        if not got:
            sys.exit(0)
        head += got
        for fd in fds:
            os.close(fd)
    s.sendall(b"\\0\\0\\0\\0\\xff")
    n, kind = struct.unpack(">IB", head)
    while n > 0:
        n -= len(s.recv(n))
    if how == "garbage":
        s.sendall(b"M garbage that is no frame at all, and long enough to be one" * 100)
    elif how == "json":
        s.sendall(struct.pack(">IB", 9, ord("M")) + b'{"v":true')
    elif how == "type":
        s.sendall(struct.pack(">IB", 2, 7) + b"{}")
    elif how == "much":
        s.sendall(struct.pack(">IB", 0x7fffffff, ord("M")) + b"x" * 1000000)
    elif how == "exit":
        sys.exit(0)
    elif how == "segv":
        os.kill(os.getpid(), 11)
    elif how == "late":
        time.sleep(60)
    elif how == "half":
        s.sendall(struct.pack(">IB", 100, ord("M")) + b"{")
        time.sleep(60)
    elif how == "twice":
        for _ in range(2):
            s.sendall(struct.pack(">IB", 2, ord("E")) + b"no")
'''


class Helpers(unittest.TestCase):
    def test_what_the_helper_may_do(self):
        """Whatever the helper does with a mail: 250 once, the bytes in the quarantine, a
        ticket of what is known; and RETRY with the right helper makes it whole."""
        # a helper that fails is started later and later: so several desks at once
        hows = (("garbage", "late"), ("json", "segv"), ("type", "half"), ("much", "exit", "twice"))
        with concurrent.futures.ThreadPoolExecutor(len(hows)) as pool:
            for done in [pool.submit(self.what_the_helper_does, words) for words in hows]:
                done.result()

    def what_the_helper_does(self, hows):
        with Desk(agents=QUIET, rules="", start=False) as d:
            folder = os.path.join(d.top, "libexec")
            os.mkdir(folder)
            os.symlink(d.program("helpline-mailer"), os.path.join(folder, "helpline-mailer"))
            helper = os.path.join(folder, "helpline-mime")
            put(helper, HELPER % sys.executable)
            os.chmod(helper, 0o755)
            d.env["HELPLINE_LIBEXEC"] = folder
            d.env["HELPLINE_NO_RLIMIT"] = "1"
            how = os.path.join(folder, "how")
            put(how, "exit")
            d.start()
            for i, word in enumerate(hows):
                put(how, word)
                for pid in d.children("helpline-mime"):
                    os.kill(pid, 9)
                raw = mail(subject=word, sender="h%d@x.example" % i)
                for _ in range(2):
                    self.assertEqual(250, d.lmtp(raw, sender="h%d@x.example" % i)[0][0], word)
            entries = [json.loads(e) for e in d.cmd("QUARANTINE", "LIST")[1]]
            self.assertEqual(len(hows), len(entries))
            self.assertEqual(len(hows), len(d.list()), "each once")
            d.fsck()
            d.stop()
            del d.env["HELPLINE_LIBEXEC"]
            d.start()
            for e in entries:
                self.assertEqual("OK", d.cmd("QUARANTINE", "RETRY", e["id"]))
            self.assertEqual([], d.cmd("QUARANTINE", "LIST")[1])
            with d.admin() as a:
                texts = ["".join(m["text"] for m in d.show(a, t["id"])["messages"]) for t in d.list()]
            self.assertTrue(all("Nothing works." in t for t in texts), texts)
            d.fsck()

    def test_a_helper_is_killed_in_the_middle_of_work(self):
        with Desk(agents=QUIET, rules="") as d:
            for i in range(20):
                for pid in d.children("helpline-mime"):
                    os.kill(pid, 9)
                d.deliver(mail(subject="k%d" % i))
            self.assertEqual(20, len(d.list()))
            d.fsck()


class Reload(unittest.TestCase):
    def test_a_broken_configuration_changes_nothing(self):
        with Desk(agents=QUIET, rules="") as d:
            good = d.text
            d.write(good + "passwrod x\n")
            with self.assertRaises(RespError) as caught:
                d.cmd("RELOAD")
            self.assertEqual("STATE", caught.exception.code)
            self.assertIn("passwrod", caught.exception.text)
            p = d.tool("reload", check=False)
            self.assertEqual(1, p.returncode, p.stderr)
            p = subprocess.run([d.program("helplined"), "-t", "-c", d.conf], capture_output=True, timeout=60, env=d.env)
            self.assertEqual(2, p.returncode)
            self.assertIn(b"error: unknown option 'passwrod'", p.stderr)
            d.proc.send_signal(1)
            time.sleep(0.3)
            d.deliver(mail(subject="goes on"))
            d.write(good + 'agent late "Late"\n')
            self.assertEqual("OK", d.cmd("RELOAD"))
            late = d.agent("late")
            self.assertEqual("goes on", d.wait_reserve(late)["subject"])
            d.write(good)
            d.proc.send_signal(1)
            self.assertTrue(late.closed(), "an agent who is gone from the files is logged out")
            wait_for(lambda: d.list()[0]["state"] == "queued", 10, "what he held goes back")
            with self.assertRaises(RespError) as caught:
                d.client()("AUTH", d.tokens["late"])
            self.assertEqual("WRONGPASS", caught.exception.code)
            d.fsck()


if __name__ == "__main__":
    unittest.main()
