"""Each limit of docs/protocol.md, at it and beyond it."""
# takes: 10
# run: release asan
import json
import socket
import time
import unittest

from desk import SLOW, Desk, RespError, mail, wait_for
from resp import Closed, Push

AGENTS = """
lines first
line first { holds 200 }
agent anna "Anna"
acknowledge none
"""


def desk(**limits):
    words = " ".join("%s=%d" % (k, int(v)) for k, v in limits.items())
    return Desk(agents=AGENTS, rules="", env={"HELPLINE_LIMITS": words})


class Requests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.d = desk()

    @classmethod
    def tearDownClass(cls):
        cls.d.close()

    def refused(self, c, words):
        answer = c.read(raising=False)
        self.assertIsInstance(answer, RespError)
        self.assertIn(words, answer.text)
        self.assertTrue(c.closed())

    def test_an_argument_of_1_mb(self):
        c = self.d.agent("anna")
        self.assertEqual(1 << 20, len(c("ECHO", "x" * (1 << 20))))
        c.send_raw(b"*2\r\n$4\r\nECHO\r\n$1048577\r\n")
        self.refused(c, "TOOBIG")

    def test_a_request_of_4_mb(self):
        part = "x" * 1000000
        c = self.d.agent("anna")
        self.assertEqual("ERR", c.raw("ECHO", part, part, part, part).code, "read whole, wrong number of arguments")
        try:
            c.send("ECHO", part, part, part, part, part)
        except OSError:
            pass
        try:
            self.refused(c, "TOOBIG")
        except Closed:
            pass  # the reset was faster than the words

    def test_64_arguments(self):
        c = self.d.agent("anna")
        self.assertEqual(63, len(c("COMMAND", "INFO", *["ping"] * 62)) + 1)
        c.send("COMMAND", "INFO", *["ping"] * 63)
        self.refused(c, "TOOBIG")

    def test_an_inline_line_of_64_kb(self):
        c = self.d.agent("anna")
        c.send_raw(b"ECHO " + b"x" * 65000 + b"\r\n")
        self.assertEqual(65000, len(c.read()))
        c.send_raw(b"ECHO " + b"x" * 66000)
        self.refused(c, "TOOBIG")

    def test_1_kb_before_auth(self):
        c = self.d.client()
        self.assertEqual(900, len(c("PING", "x" * 900)))
        c.send("PING", "x" * 1024)
        self.refused(c, "TOOBIG")
        c = self.d.client()
        c.send_raw(b"PING " + b"x" * 1100)
        self.refused(c, "TOOBIG")

    def test_a_pipeline_of_any_length(self):
        c = self.d.agent("anna")
        n = 3500
        c.send_raw(b"*1\r\n$4\r\nPING\r\n" * n)
        self.assertEqual(["PONG"] * n, [c.read() for _ in range(n)])

    def test_words_and_texts(self):
        c = self.d.agent("anna")
        self.d.deliver(mail())
        t = self.d.wait_reserve(c)["id"]
        self.assertEqual(t + ".2", c("NOTE", t, "x" * 65536))
        self.assertEqual("TOOBIG", c.raw("NOTE", t, "x" * 65537).code)
        self.assertEqual("TOOBIG", c.raw("REPLY", t, "x" * 65537).code)
        self.assertEqual("TOOBIG", c.raw("RESOLVE", t, "TEXT", "x" * 65537).code)
        self.assertEqual("BADARG", c.raw("NOTE", t, b"\xff\xfe").code)
        self.assertEqual("BADARG", c.raw("NOTE", t, "").code)
        self.assertEqual("BADARG", c.raw("NOTE", t, "a\0b").code)
        self.assertEqual("BADARG", c.raw("AWAY", "x" * 1025).code)
        self.assertEqual("BADARG", c.raw("NOTE", t, "x", "ID", "k" * 65).code)
        self.assertEqual(t + ".3", c("NOTE", t, "x", "ID", "k" * 64))
        c("RESOLVE", t)

    def test_a_document_of_256_kb(self):
        c = self.d.agent("anna")
        self.d.deliver(mail())
        t = self.d.wait_reserve(c)["id"]
        for i in range(20):
            c("NOTE", t, "%d %s" % (i, "x" * 60000))
        text = c("SHOW", t)
        doc = json.loads(text)
        self.assertLessEqual(len(text.encode()), 256 * 1024)
        self.assertTrue(doc["truncated"])
        self.assertEqual(21, doc["n_messages"])
        self.assertEqual(t + ".21", doc["messages"][-1]["id"], "the newest are kept")
        self.assertLessEqual(max(len(m["text"]) for m in doc["messages"]), 32768)
        older = json.loads(c("SHOW", t, "BEFORE", doc["messages"][0]["id"], "COUNT", 2))
        self.assertEqual(2, len(older["messages"]))
        c("RESOLVE", t)

    def test_reserve_count_1_mb(self):
        c = self.d.agent("anna")
        text = "Long mail.\n" * 3000
        for _ in range(60):
            self.d.deliver(mail(text=text))
        time.sleep(0.1)
        c.send("RESERVE", "COUNT", 100)
        docs = c.read()
        self.assertEqual(60, len(docs))
        self.assertLessEqual(sum(len(x.encode()) for x in docs), 1 << 20)
        for x in docs:
            c("RESOLVE", json.loads(x)["id"])

    def test_subscriptions(self):
        c = self.d.agent("anna", proto=3)
        for k in range(4):
            c.send("SUBSCRIBE", *["ticket:%d" % (k * 60 + i + 1) for i in range(60)])
            for _ in range(60):
                c.read_push()
        c.send("SUBSCRIBE", *["ticket:%d" % (i + 1000) for i in range(16)])
        for _ in range(16):
            last = c.read_push()
        self.assertEqual(256, last[2])
        self.assertEqual("BADARG", c.raw("SUBSCRIBE", "desk").code)


class Connections(unittest.TestCase):
    def test_in_all_and_of_one_address(self):
        for limits in ({"connections": 6}, {"per_address": 6}):
            with desk(**limits) as d:
                opened = [d.client() for _ in range(5)]
                for c in opened:
                    self.assertEqual("PONG", c("PING"))
                late = None
                for _ in range(4):  # the harness's own are still closing
                    late = d.client()
                    late.send("PING")
                    answer = late.read(raising=False)
                    if isinstance(answer, RespError):
                        break
                self.assertEqual("ERR max number of clients reached", answer.text)
                self.assertTrue(late.closed())
                for c in opened:
                    c.close()
                wait_for(lambda: d.client().raw("PING") == "PONG", 5)

    def test_without_auth(self):
        with desk(anonymous_near_ms=3000) as d:
            a = d.agent("anna")
            c = d.client()
            self.assertEqual("PONG", c("PING"))
            self.assertFalse(c.closed(0.3))
            self.assertTrue(c.closed())
            self.assertEqual("PONG", a("PING"), "who has logged in stays")

    def test_an_unknown_limit(self):
        d = Desk(agents=AGENTS, rules="", start=False, env={"HELPLINE_LIMITS": "colour=7"})
        self.addCleanup(d.close)
        self.assertNotEqual(0, d.spawn().wait(60))
        self.assertIn("there is no limit 'colour'", d.log())


class Readers(unittest.TestCase):
    def test_answers_that_are_not_read(self):
        with desk(unread=1 << 18) as d:
            c = d.agent("anna")
            c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            before = d.rss()
            c.sock.settimeout(2)
            n = 0
            try:
                for n in range(2000):
                    c.send("ECHO", "x" * 100000)
            except socket.timeout:
                pass
            self.assertLess(n, 1999)
            self.assertLess(d.rss() - before, (30 << 20) * SLOW)
            c.timeout = 60
            for _ in range(n):
                self.assertEqual(100000, len(c.read()))

    def slow_subscriber(self, d, events):
        """On the Unix socket: its buffers have a fixed size."""
        s = d.admin()
        s("HELLO", "3")
        s.send("SUBSCRIBE", "ticket:1", "desk")
        s.read_push()
        s.read_push()
        d.deliver(mail())
        a = d.agent("anna", ready=False)
        t = d.wait_reserve(a)["id"]
        for i in range(events // 100):
            for k in range(100):
                a.send("NOTE", t, "%d %d" % (i, k))
            for _ in range(100):
                a.read()
        return s, a

    def test_a_subscriber_is_dropped(self):
        with desk(unread=20000, unread_events=60000) as d:
            s, a = self.slow_subscriber(d, 800)
            d.wait_log("SLOW", 10)
            self.assertTrue(s.closed())
            self.assertEqual("PONG", a("PING"))

    def test_a_gap_is_told(self):
        with desk(unread=20000, unread_events=1 << 30) as d:
            s, a = self.slow_subscriber(d, 800)
            gap = None
            seen = 0
            while gap is None:
                f = s.read_push()
                self.assertIsInstance(f, Push)
                event = json.loads(f[2])
                if event["event"] == "gap":
                    gap = event["missed"]
                else:
                    seen += 1
            self.assertGreater(gap, 0)
            a("NOTE", "1", "after the gap")
            self.assertEqual("changed", json.loads(s.read_push()[2])["event"])


if __name__ == "__main__":
    unittest.main()
