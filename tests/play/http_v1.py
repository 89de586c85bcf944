"""POST /v1 and GET /v1/events: agents who speak HTTP, by curl and by Python's http.client."""
# run: release asan
# seconds: 240
import base64
import json
import os
import signal
import socket
import subprocess
import threading
import time
import unittest

from desk import SLOW, Desk, mail, wait_for
from http_api import Api, ApiError, Live

ADMIN = 'agent root "Root" { role admin }\n'
LIMITS = {"HELPLINE_LIMITS": "heartbeat_ms=200"}


def with_file():
    return (b"From: ivan@customer.example\r\nTo: support@desk.example\r\nSubject: a file\r\nMIME-Version: 1.0\r\n"
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nsee\r\n"
            b"--b\r\nContent-Type: application/octet-stream; name=x.bin\r\nContent-Transfer-Encoding: base64\r\n"
            b"Content-Disposition: attachment; filename=x.bin\r\n\r\n" + base64.b64encode(bytes(range(256))) + b"\r\n--b--\r\n")


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.d = Desk(rules="", extra=ADMIN)

    @classmethod
    def tearDownClass(cls):
        cls.d.fsck()
        cls.d.close()

    def curl(self, agent, body, *options):
        p = subprocess.run(["curl", "-sS", "-w", "\n%{http_code}", "-H", "Authorization: Bearer " + self.d.token(agent), *options,
                            "--data-binary", body, "http://127.0.0.1:%d/v1" % self.d.web_port],
                           capture_output=True, text=True, timeout=60 * SLOW)
        self.assertEqual(p.stderr, "")
        text, status = p.stdout.rsplit("\n", 1)
        return int(status), json.loads(text)

    def want(self, status, code, fn, *words, **kw):
        with self.assertRaises(ApiError) as e:
            fn(*words, **kw)
        self.assertEqual((e.exception.status, e.exception.code), (status, code), e.exception.message)
        return e.exception

    def test_a_ticket_by_curl(self):
        d = self.d
        d.deliver(mail(subject="by curl"))
        self.assertEqual(self.curl("anna", '["READY"]'), (200, "OK"))
        status, docs = self.curl("anna", '["RESERVE","BLOCK",20000]')
        self.assertEqual((status, docs[0]["subject"]), (200, "by curl"))
        t = docs[0]["id"]
        status, doc = self.curl("anna", '["SHOW","%s"]' % t)
        self.assertEqual(doc["holder"], "anna")
        self.assertEqual(doc["messages"][0]["text"].strip(), "Nothing works.")
        status, m = self.curl("anna", json.dumps(["REPLY", t, "Перезагрузите\nего."]), "-H", 'Idempotency-Key: "r-1"')
        self.assertEqual((status, m), (200, t + ".2"))
        self.assertEqual(self.curl("anna", json.dumps(["REPLY", t, "Перезагрузите\nего."]), "-H", "Idempotency-Key: r-1"), (200, m))
        self.assertEqual(self.curl("anna", json.dumps(["REPLY", int(t), "other"]), "-H", "Idempotency-Key: r-1")[0], 400)
        self.assertEqual(self.curl("anna", '["MINE"]'), (200, []), "with the customer")
        d.sink.wait(1, what=lambda x: "Перезагрузите" in x.get_content())
        self.assertEqual(self.curl("anna", '["RESOLVE","%s"]' % t), (200, "OK"))

    def test_values_and_errors(self):
        d = self.d
        with Api(d, "anna") as a, Api(d, "root") as root:
            self.assertEqual(a("PING"), "PONG")
            self.assertEqual(a("ECHO", '{"a":"Ж"}'), {"a": "Ж"})
            self.assertEqual(a("ECHO", "{no json}"), "{no json}")
            self.assertEqual(a("ECHO", {"base64": "aGk="}), "hi")
            self.assertEqual(a("CONFIG", "GET", "*"), {})
            self.assertEqual(a("COMMAND", "DOCS", "SHOW")["show"]["group"], "work")
            self.assertIn("redis_version", a("INFO"))
            self.assertIsNone(a("RESERVE", "LINE", "first", "CHANNEL", "phone"))
            self.assertIsInstance(a("CLIENT", "ID"), int)
            self.assertIn("lib-name=http", a("CLIENT", "INFO"))
            self.assertEqual(a("STATS")["desk"], "Test desk")
            t = root("SUBMIT", {"from": {"name": "Ivan", "address": "ivan@customer.example"}, "subject": "s", "text": "t"}, key="s1")
            self.assertEqual(t, root("SUBMIT", {"from": {"name": "Ivan", "address": "ivan@customer.example"}, "subject": "s", "text": "t"}, key="s1"))
            self.assertEqual(a("SHOW", t)["subject"], "s")
            self.assertEqual(a("NOTE", t, "TEXT", "the text is last", key="n1"), a("NOTE", t, "TEXT", "the text is last", key="n1"))
            self.want(400, "ERR", a, "NOSUCHCOMMAND")
            self.want(400, "ERR", a, "SHOW")
            self.want(400, "BADARG", a, "SHOW", "x")
            self.want(404, "NOSUCH", a, "SHOW", "999999")
            self.want(403, "NOPERM", a, "TOKEN", "LIST")
            self.want(409, "NOTHELD", a, "TOUCH", t)
            self.want(409, "STATE", a, "REOPEN", t, "why")
            self.want(413, "TOOBIG", a, "NOTE", t, "x" * 70000)
            self.want(413, "TOOBIG", a, *["PING"] * 65)
            self.want(413, "TOOBIG", a, "ECHO", "x" * ((1 << 20) + 1))
            for words in (("AUTH", d.token("anna")), ("HELLO", "3"), ("SUBSCRIBE", "me"), ("QUIT",), ("RESET",)):
                self.assertIn("RESP", self.want(400, "ERR", a, *words).message)
            for bad in (1.5, None, True, ["x"], {"base64": "a"}, {"base64": "aGk"}):
                self.want(400, "BADARG", a, "ECHO", bad)
            for body in (b"", b"[]", b"{}", b"nonsense", b'["ECHO","\xff"]', b'["ECHO"', b'["ECHO","a\\u0000b"]', b"[[[["):
                a.conn.request("POST", "/v1", body, a.headers())
                self.want(400, "BADARG", a.read)
            a.conn.request("GET", "/v1", headers=a.headers())
            self.want(405, "ERR", a.read)

    def test_bytes(self):
        d = self.d
        d.deliver(with_file())
        with Api(d, "vera") as a:
            t = wait_for(lambda: [x for x in a("LIST")[1] if x["subject"] == "a file"], 20)[0]["id"]
            part = a("SHOW", t)["messages"][0]["attachments"][0]["part"]
            self.assertEqual(base64.b64decode(a("BLOB", t, part)), bytes(range(256)))
            self.assertEqual(a("BLOB", t, part, "OFFSET", 250, more={"Accept": "application/octet-stream"}), bytes(range(250, 256)))
            self.assertEqual(a.last.getheader("Content-Type"), "application/octet-stream")

    def test_who_may(self):
        d = self.d
        for token, code in (("", "NOAUTH"), ("hl_abcdefgh_" + "x" * 43, "WRONGPASS"), ("nonsense", "WRONGPASS")):
            with Api(d, token=token) as a:
                e = self.want(401, code, a, "PING")
                self.assertEqual(e.headers["WWW-Authenticate"], "Bearer")
        token = self.d.cmd("TOKEN", "NEW", "dina")
        with Api(d, token=token) as a, Live(d, "dina", "me", token=token) as live:
            self.assertEqual(live.status, 200)
            self.assertEqual(a("PING"), "PONG")
            d.cmd("TOKEN", "DROP", token.split("_")[1])
            self.want(401, "WRONGPASS", a, "PING")
            with self.assertRaises(EOFError):
                while True:
                    live.block()
        with Api(d, "anna") as a:  # a connection changes hands, as behind a proxy
            self.assertEqual(a("MINE"), a("MINE"))
            a.token = d.token("vera")
            self.assertIn("user=vera", a("CLIENT", "INFO"))

    def test_a_stranger_fills_no_memory(self):
        with socket.create_connection(("127.0.0.1", self.d.web_port), 20 * SLOW) as s:
            s.sendall(b"POST /v1 HTTP/1.1\r\nHost: d\r\nAuthorization: Bearer hl_aaaaaaaa_%s\r\nContent-Length: 4000000\r\n\r\n" % (b"x" * 43))
            s.sendall(b"[" * 10000)
            self.assertIn(b" 401 ", s.recv(4096).split(b"\r\n")[0], "before its body was read")
        with socket.create_connection(("127.0.0.1", self.d.web_port), 20 * SLOW) as s:
            s.sendall(b"POST /v1 HTTP/1.1\r\nHost: d\r\nAuthorization: Bearer %s\r\nContent-Length: 5000000\r\n\r\n" % self.d.token("anna").encode())
            head = s.recv(4096)
            self.assertIn(b" 413 ", head.split(b"\r\n")[0])
            self.assertIn(b"TOOBIG", head)

    def test_pipelined(self):
        """Many requests in one packet: answers in order, also behind a RESERVE that waits."""
        token = self.d.token("lena").encode()

        def request(words):
            body = json.dumps(words).encode()
            return (b"POST /v1 HTTP/1.1\r\nHost: d\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n" % (token, len(body))) + body

        with socket.create_connection(("127.0.0.1", self.d.web_port), 30 * SLOW) as s:
            s.sendall(b"".join(request(["ECHO", str(i)]) for i in range(30)) + request(["RESERVE", "BLOCK", 300]) +
                      b"".join(request(["ECHO", str(i)]) for i in range(30, 60)))
            f = s.makefile("rb")
            got = []
            for _ in range(61):
                n = 0
                self.assertIn(b" 200 ", f.readline())
                while True:
                    line = f.readline().strip().lower()
                    if line.startswith(b"content-length:"):
                        n = int(line.split(b":")[1])
                    if not line:
                        break
                got.append(json.loads(f.read(n)))
            self.assertEqual(got, [str(i) for i in range(30)] + [None] + [str(i) for i in range(30, 60)])

    def test_other_sites(self):
        d = self.d
        with Api(d, "anna") as a:
            self.want(403, "NOPERM", a, "PING", more={"Origin": "https://evil.example"})
            self.assertEqual(a("PING", more={"Origin": "http://127.0.0.1:%d" % d.web_port}), "PONG")
            self.assertIsNone(a.last.getheader("Access-Control-Allow-Origin"))
            a.conn.request("OPTIONS", "/v1", headers={"Origin": "https://desk.example", "Access-Control-Request-Method": "POST"})
            self.want(403, "NOPERM", a.read)
            text = d.text
            d.write(text.replace("web    { listen", "web    { sites https://desk.example; listen"))
            d.cmd("RELOAD")
            for path in ("/v1", "/v1/events"):
                a.conn.request("OPTIONS", path, headers={"Origin": "https://desk.example", "Access-Control-Request-Method": "POST"})
                r = a.conn.getresponse()
                r.read()
                self.assertEqual((r.status, r.getheader("Access-Control-Allow-Origin")), (204, "https://desk.example"))
                self.assertIn("Authorization", r.getheader("Access-Control-Allow-Headers"))
            self.assertEqual(a("PING", more={"Origin": "https://desk.example"}), "PONG")
            self.assertEqual(a.last.getheader("Access-Control-Allow-Origin"), "https://desk.example")
            self.want(403, "NOPERM", a, "PING", more={"Origin": "https://evil.example"})
            d.write(text)
            d.cmd("RELOAD")


class Waiting(unittest.TestCase):
    """RESERVE BLOCK as a long poll; what becomes of a ticket whose connection ends."""

    @classmethod
    def setUpClass(cls):
        cls.d = Desk(rules="", agents='lines first\nagent anna "Anna" { holds 20 }\nagent dina "Dina"\nagent lena "Lena" { holds 20 }\n', extra=ADMIN)

    @classmethod
    def tearDownClass(cls):
        cls.d.fsck()
        cls.d.close()

    def parked(self):
        return self.d.stats()["agents"]["parked"]

    def test_the_client_goes_away(self):
        d = self.d
        for how in ("close", "abort"):
            a = Api(d, "anna")
            a.send("RESERVE", "BLOCK", 0)
            wait_for(lambda: self.parked() == 1, 20)
            getattr(a, how)()
            wait_for(lambda: self.parked() == 0, 20, "unparked at once")
        with Api(d, "anna") as a, Api(d, "anna") as b:
            a.send("RESERVE", "BLOCK", 0)
            wait_for(lambda: self.parked() == 1, 20)
            self.assertEqual(b("AWAY", "lunch"), "OK")
            self.assertIsNone(a.read())
            self.assertEqual(b("READY"), "OK")

    def test_a_ticket_for_a_connection_that_broke(self):
        d = self.d
        with Api(d, "lena") as lena:
            a = Api(d, "anna")
            a("READY")
            d.deliver(mail(subject="broken"))
            a.send("RESERVE", "BLOCK", 20000)
            t = wait_for(lambda: [x for x in lena("LIST", "STATE", "held")[1] if x["holder"] == "anna"], 20)[0]["id"]
            a.abort()  # its answer was never read
            got = lena("RESERVE", "BLOCK", 20000)
            self.assertEqual([x["id"] for x in got], [t])
            self.assertEqual(lena("SHOW", t)["given_back"], 0, "nobody is blamed")
            lena("RESOLVE", t)

    def test_a_person_connects_takes_and_leaves(self):
        """The ticket stays, and the next RESERVE gives it again until a command has named it; on
        one kept connection each RESERVE gives another."""
        d = self.d
        d.deliver(mail(subject="one"))
        with Api(d, "dina") as a:
            t = a("RESERVE", "BLOCK", 20000)[0]["id"]
        again = []

        def ask():
            with Api(d, "dina") as a:
                again[:] = a("RESERVE") or []
            return again
        wait_for(ask, 20)
        self.assertEqual([x["id"] for x in again], [t])
        with Api(d, "dina") as a:
            a("NOTE", t, "taken up")
        with Api(d, "dina") as a:
            self.assertIsNone(a("RESERVE"))
            a("RESOLVE", t)
        for i in range(3):
            d.deliver(mail(subject="more %d" % i))
        with Api(d, "lena") as a, Api(d, "lena") as b:
            ids = [(a, b)[i % 2]("RESERVE", "BLOCK", 20000)[0]["id"] for i in range(3)]
            self.assertEqual(len(set(ids)), 3)
            for t in ids:
                a("RESOLVE", t)


class Events(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.d = Desk(rules="", extra=ADMIN, env=LIMITS)

    @classmethod
    def tearDownClass(cls):
        cls.d.close()

    def submit(self, n=1):
        with Api(self.d, "root") as a:
            return [a("SUBMIT", {"from": {"address": "ivan@customer.example"}, "subject": "s", "text": "t"}) for _ in range(n)]

    def journal(self, after="0"):
        out = []
        with self.d.admin() as a:
            while True:
                page = [json.loads(x) for x in a("EVENTS", "AFTER", after, "COUNT", 1000)]
                out += page
                if len(page) < 1000:
                    return out
                after = page[-1]["seq"]

    def test_live(self):
        d = self.d
        with Live(d, "anna", "desk") as l, Live(d, "anna", "me", "desk") as both:
            self.assertEqual(l.status, 200)
            self.assertIn("text/event-stream", l.head)
            l.block()
            t = self.submit()[0]
            for x in (l, both):
                e = x.event()
                self.assertEqual((e["ticket"], e["seq"]), (t, x.id))
                self.assertNotEqual(x.event()["seq"], e["seq"], "each once")
            with Live(d, "dina", "ticket:" + t) as one, Live(d, "dina", "line%3Afirst") as line, Live(d, "anna", "me") as me:
                with Api(d, "anna") as a:
                    self.assertEqual(a("TAKE", t)["id"], t)
                for x in (one, line, me, both):
                    wait_for(lambda: x.event()["event"] == "taken", 20)
            beats = 0
            while beats < 2:
                beats += l.block()[0]

    def test_what_is_wrong(self):
        for channels, last, status in (((), None, 400), (("nonsense",), None, 400), (("line:nowhere",), None, 404), (("desk", "x"), None, 400),
                                       (("desk",), "nonsense", 400), (("desk",), "99999999999999-0", 400), (("ticket:%zz",), None, 400)):
            with Live(self.d, "anna", *channels, last=last) as l:
                self.assertEqual(l.status, status, channels)
        with Live(self.d, "anna", "desk", token="hl_aaaaaaaa_" + "x" * 43) as l:
            self.assertEqual(l.status, 401)

    def test_neither_gap_nor_double(self):
        """A reader that is cut off again and again, while events come, has each once."""
        d = self.d
        begin = self.journal()[-1]["seq"] if self.journal() else "0"
        stop = threading.Event()

        def busy():
            while not stop.is_set():
                self.submit(5)
        t = threading.Thread(target=busy)
        t.start()
        got, last = [], begin
        try:
            for i in range(15):
                with Live(d, "vera", "desk", last=last) as l:
                    for _ in range(1 + i * 2):
                        got.append(l.event()["seq"])
                    last = l.id
        finally:
            stop.set()
            t.join()
        want = [e["seq"] for e in self.journal(begin)]
        with Live(d, "vera", "desk", last=last) as l:
            while len(got) < len(want):
                got.append(l.event()["seq"])
        self.assertEqual(got, want)
        with Live(d, "vera", "desk", query="&after=0") as l:
            want = [e["seq"] for e in self.journal()]
            self.assertEqual([l.event()["seq"] for _ in want], want)

    def test_a_slow_reader_misses_nothing(self):
        d = self.d
        begin = (self.journal() or [{"seq": "0"}])[-1]["seq"]
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.settimeout(60 * SLOW)
        slow.connect(("127.0.0.1", d.web_port))
        slow.sendall(("GET /v1/events?channel=desk HTTP/1.1\r\nHost: d\r\nAuthorization: Bearer %s\r\nLast-Event-ID: %s\r\n\r\n"
                      % (d.token("vera"), begin)).encode())
        self.assertIn(b" 200 ", slow.recv(100))
        threads = [threading.Thread(target=self.submit, args=(150,)) for _ in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        want = [e["seq"] for e in self.journal(begin)]
        text = b""
        while text.count(b"data: ") < len(want) or not text.endswith(b"\n"):  # the last one whole
            got = slow.recv(65536)
            self.assertTrue(got)
            text += got
        slow.close()
        seqs = [json.loads(line[6:])["seq"] for line in text.decode().split("\n") if line.startswith("data: ")]
        self.assertEqual(seqs, want)

    def test_what_the_journal_has_forgotten(self):
        with Live(self.d, "vera", "desk", last="1000-0") as l:
            self.submit()
            e = l.event()
            self.assertEqual((e["event"], e["missed"]), ("gap", None))
            self.assertEqual(l.event()["seq"], self.journal()[0]["seq"])


class Killed(unittest.TestCase):
    def test_between_commit_and_answer(self):
        """The same request with the same key again is one thing only."""
        with Desk(rules="") as d:
            d.deliver(mail())
            with Api(d, "anna") as a:
                t = a("RESERVE", "BLOCK", 20000)[0]["id"]
                a("NOTE", t, "taken up")
            d.stop()
            d.env["HELPLINE_CRASH"] = "change.committed@" + os.path.join(d.dir, "once")
            d.start()
            a = Api(d, "anna")
            with self.assertRaises(Exception):
                a("REPLY", t, "Once.", key="only-1")
            wait_for(lambda: not d.is_running(), 20, "it was killed")
            d.start()
            with Api(d, "anna") as a:
                m = a("REPLY", t, "Once.", key="only-1")
                doc = a("SHOW", t)
                self.assertEqual([x["id"] for x in doc["messages"] if x["direction"] == "out"], [m])
                with self.assertRaises(ApiError) as e:
                    a("REPLY", t, "Twice.", key="only-1")
                self.assertEqual(e.exception.code, "BADARG")
            self.assertEqual(len(d.sink.wait(1, what=lambda x: "Once." in x.get_content())), 1)
            d.fsck()

    def test_drain_and_stop(self):
        with Desk(rules="") as d:
            with Api(d, "anna") as a, Api(d, "dina") as b, Live(d, "vera", "desk") as live:
                a.send("RESERVE", "BLOCK", 0)
                wait_for(lambda: d.stats()["agents"]["parked"] == 1, 20)
                d.cmd("DRAIN")
                with self.assertRaises(ApiError) as e:
                    a.read()
                self.assertEqual((e.exception.status, e.exception.code), (503, "DRAINING"))
                self.assertEqual(e.exception.headers["Retry-After"], "10")
                self.assertEqual(b("MINE"), [])
                d.proc.send_signal(signal.SIGTERM)
                with self.assertRaises(EOFError):
                    while True:
                        live.block()
                wait_for(lambda: not d.is_running(), 20)
                self.assertEqual(d.proc.returncode, 0)


if __name__ == "__main__":
    unittest.main()
