# run: release asan
# takes: 60
# seconds: 400
"""Web forms against the real daemon: browsers, programs, robots, stores that are away."""
import hashlib
import http.client
import json
import os
import re
import signal
import socket
import threading
import time
import unittest
import urllib.parse

import phone
from desk import SLOW, Desk, servers_of, wait_for

FORMS = """
country 7
url https://help.desk.example
form contact {
    sites https://www.romashka.example
    rate 1000
    field name { required }
    field email { type email; required }
    field phone { type phone }
    field age { type number }
    field day { type date }
    field product { label ru "Изделие" ; label en "Product"; choices "Router R-5" "Камера" }
    field message { type text; required; limit 2KB }
    field files { type files; at-most 3; limit 2MB }
    field consent { type consent; text "Моё согласие"; required }
}
form short { rate 3; field message { type text; required } }
form gone { thanks "https://www.romashka.example/thanks?a=1#x"; rate 1000; field email { type email }; field message { required } }
form big { rate 1000; field message { required }; field files { type files; at-most 50; limit 24MB } }
phone office { push; password file "push.secret" }
"""
GOOD = {"name": "Иван", "email": "ivan@customer.example", "message": "Не работает роутер", "consent": "yes"}


class Answer:
    def __init__(self, r):
        self.status, self.headers = r.status, r.headers
        self.body = r.read()
        self.text = self.body.decode("utf-8", "replace")
        self.location = r.headers.get("Location", "")


class Web:
    """A browser of the simplest kind."""

    def __init__(self, desk):
        self.port = desk.web_port

    def ask(self, method, path, body=None, headers=None, timeout=40):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout * SLOW)
        try:
            c.request(method, path, body=body, headers=headers or {})
            return Answer(c.getresponse())
        finally:
            c.close()

    def get(self, path, **headers):
        return self.ask("GET", path, headers=headers)

    def token(self, path):
        return re.search(r'name="_token" value="([^"]+)"', self.get(path).text).group(1)

    def post(self, path, fields, token=None, headers=None, **kw):
        pairs = list(fields.items()) if isinstance(fields, dict) else list(fields)
        if token is not None:
            pairs.append(("_token", token))
        return self.ask("POST", path, urllib.parse.urlencode(pairs),
                        dict({"Content-Type": "application/x-www-form-urlencoded"}, **(headers or {})), **kw)

    def upload(self, path, fields, files, token=None, boundary="xYzZyBoundary"):
        body = b""
        for k, v in list(fields.items()) + ([("_token", token)] if token else []):
            body += ('--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (boundary, k, v)).encode()
        for field, name, ctype, data in files:
            body += ('--%s\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\nContent-Type: %s\r\n\r\n'
                     % (boundary, field, name, ctype)).encode() + data + b"\r\n"
        body += ("--%s--\r\n" % boundary).encode()
        return self.ask("POST", path, body, {"Content-Type": "multipart/form-data; boundary=" + boundary})

    def json(self, path, doc, headers=None, **kw):
        return self.ask("POST", path, json.dumps(doc), dict({"Content-Type": "application/json"}, **(headers or {})), **kw)

    def send(self, path="/f/contact", fields=GOOD, token=None):
        return self.post(path, fields, token or self.token(path))


class FormDesk(Desk):
    def __init__(self, **kw):
        super().__init__(start=False, extra=FORMS, env={"HELPLINE_GATHER_MS": "500"}, **kw)
        with open(os.path.join(self.dir, "push.secret"), "w") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write("letmein\n")
        self.start()
        self.web = Web(self)

    def full(self, ticket):
        with self.admin() as a:
            return json.loads(a("SHOW", ticket))


def number(answer):
    return re.search(r"/thanks/(\d+)-", answer.location).group(1)


class Forms(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.desk = FormDesk()
        cls.web = cls.desk.web

    @classmethod
    def tearDownClass(cls):
        cls.desk.fsck()
        cls.desk.close()

    def count(self):
        return len(self.desk.list())

    def test_a_form_becomes_a_ticket(self):
        a = self.web.send(fields=dict(GOOD, phone="8 495 123-45-67", day="31.12.2026", age="3,5", product="Камера"))
        self.assertEqual((a.status, a.body), (303, b""))
        doc = self.desk.full(number(a))
        m = doc["messages"][0]
        self.assertEqual((m["kind"], m["channel"], m["account"]), ("form", "web", "web:contact"))
        self.assertEqual(m["from"], {"name": "Иван", "address": "ivan@customer.example"})
        self.assertEqual(m["phone"], "+74951234567")
        self.assertEqual(m["form"]["fields"]["day"], "2026-12-31")
        self.assertEqual(m["form"]["consent"]["text"], "Моё согласие")
        self.assertEqual(m["form"]["consent"]["address"], "127.0.0.1")
        self.assertEqual(doc["subject"], "Не работает роутер")
        self.assertEqual(doc["language"], "ru")
        thanks = self.web.get(a.location)
        self.assertEqual(thanks.status, 200)
        self.assertIn(">%s</strong>" % doc["id"], thanks.text)
        mail = wait_for(lambda: [x for x in self.desk.sink.mails if "[#%s]" % doc["id"] in x["Subject"]], 10)[0]
        self.assertEqual(mail["To"], "ivan@customer.example")
        self.assertIn("https://help.desk.example/s/%s-" % doc["id"], mail.get_content())

    def test_security_headers(self):
        a = self.web.get("/f/contact")
        self.assertEqual(a.headers["X-Content-Type-Options"], "nosniff")
        self.assertIn("default-src 'none'", a.headers["Content-Security-Policy"])
        self.assertEqual(a.headers["Cache-Control"], "no-store")
        self.assertIn("https://www.romashka.example", self.web.get("/f/gone").headers["Content-Security-Policy"])

    def test_double_sending_is_one_ticket(self):
        before, token, got = self.count(), self.web.token("/f/contact"), []
        threads = [threading.Thread(target=lambda: got.append(number(self.web.post("/f/contact", GOOD, token)))) for _ in range(5)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        got.append(number(self.web.post("/f/contact", GOOD, token)))  # reload
        self.assertEqual(len(set(got)), 1)
        # the back button, and something changed: the same ticket, nothing lost
        self.assertEqual(number(self.web.post("/f/contact", dict(GOOD, message="Ещё одно"), token)), got[0])
        self.assertEqual(self.count(), before + 1)
        self.assertEqual(self.desk.full(got[0])["n_messages"], 2)

    def test_faults_and_kept_text(self):
        token = self.web.token("/f/contact")
        a = self.web.post("/f/contact?lang=ru", dict(GOOD, email="bad", phone="12", day="30.02.2026", age="x", product="Нет",
                                                     message="<script>&\"'", consent=""), token)
        self.assertEqual(a.status, 422)
        for field in (2, 3, 4, 5, 6, 9):
            self.assertIn('id="e%d"' % field, a.text)
        self.assertIn("&lt;script&gt;&amp;&quot;&#39;</textarea>", a.text)
        self.assertNotIn("<script>", a.text)
        self.assertEqual(a.text.count("autofocus"), 1)
        self.assertIn('<html lang="ru">', a.text)
        self.assertIn('value="%s"' % token, a.text)  # the same token: sent again it is the same
        self.assertEqual(self.web.post("/f/contact", dict(GOOD, message="x" * 3000), token).status, 422)
        self.assertEqual(self.web.post("/f/contact", GOOD, token).status, 303)

    def test_languages(self):
        self.assertIn('<html lang="ru">', self.web.get("/f/contact", **{"Accept-Language": "de, ru;q=0.8, en;q=0.5"}).text)
        self.assertIn('<html lang="en">', self.web.get("/f/contact", **{"Accept-Language": "ru;q=0.3,en-GB;q=0.9"}).text)
        self.assertIn('<html lang="en">', self.web.get("/f/contact?lang=en", **{"Accept-Language": "ru"}).text)

    def test_tokens(self):
        before = self.count()
        for token in (None, "x", "a1.b.c", self.web.token("/f/gone")):
            a = self.web.post("/f/contact", GOOD, token)
            self.assertEqual(a.status, 422)
            self.assertIn("Не работает роутер", a.text)
        fresh = re.search(r'name="_token" value="([^"]+)"', a.text).group(1)
        self.assertEqual(self.count(), before)
        self.assertEqual(self.web.post("/f/contact", GOOD, fresh).status, 303)

    def test_robots(self):
        before = self.count()
        a = self.web.send(fields=dict(GOOD, _website="http://spam.example"))
        self.assertEqual(a.status, 303)
        self.assertIn("/thanks/ok", a.location)
        self.assertEqual(self.web.get(a.location).status, 200)
        self.assertEqual(self.count(), before)
        self.assertRegex(self.desk.log(), r"ROBOT form=contact")

    def test_rate(self):
        got = [self.web.send("/f/short", {"message": "n %d" % i}).status for i in range(5)]
        self.assertEqual(got, [303, 303, 303, 429, 429])
        a = self.web.send("/f/short", {"message": "kept text"})
        self.assertIn("kept text", a.text)
        # the next proxy's word for the client's address
        body = urllib.parse.urlencode({"message": "other", "_token": self.web.token("/f/short")})
        a = self.web.ask("POST", "/f/short", body, {"Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-For": "203.0.113.9"})
        self.assertEqual(a.status, 303)

    def test_origins(self):
        token = self.web.token("/f/contact")
        self.assertEqual(self.web.post("/f/contact", GOOD, token, {"Origin": "https://evil.example"}).status, 403)
        self.assertEqual(self.web.post("/f/contact", GOOD, token, {"Origin": "http://127.0.0.1:%d" % self.desk.web_port}).status, 303)
        a = self.web.post("/f/contact", dict(GOOD, message="from the site"), None, {"Origin": "https://www.romashka.example"})
        b = self.web.post("/f/contact", dict(GOOD, message="from the site"), None, {"Origin": "https://www.romashka.example"})
        self.assertEqual((a.status, number(a)), (303, number(b)))
        self.assertEqual(a.headers["Access-Control-Allow-Origin"], "https://www.romashka.example")
        p = self.web.ask("OPTIONS", "/f/contact", headers={"Origin": "https://www.romashka.example", "Access-Control-Request-Method": "POST"})
        self.assertEqual(p.status, 204)
        self.assertIn("Idempotency-Key", p.headers["Access-Control-Allow-Headers"])
        p = self.web.ask("OPTIONS", "/f/contact", headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"})
        self.assertEqual(p.status, 403)
        self.assertIsNone(p.headers["Access-Control-Allow-Origin"])

    def test_thanks_url(self):
        a = self.web.send("/f/gone", {"message": "x"})
        self.assertEqual(a.status, 303)
        self.assertRegex(a.location, r"^https://www\.romashka\.example/thanks\?a=1&ticket=\d+#x$")

    def test_snippet(self):
        p = self.desk.tool("form", "snippet", "contact", "ru")
        self.assertIn('action="https://help.desk.example/f/contact?lang=ru"', p.stdout)
        for name in GOOD:
            self.assertIn('name="%s"' % name, p.stdout)
        self.assertNotIn("_token", p.stdout)
        p = self.desk.tool("form", "snippet", "nothing", check=False)
        self.assertEqual((p.returncode, p.stdout), (2, ""))

    def test_programs(self):
        key = {"Idempotency-Key": "k-1"}
        a = self.web.json("/f/contact", dict(GOOD, consent=True, age=7), key)
        self.assertEqual(a.status, 201)
        doc = json.loads(a.text)
        self.assertEqual(list(doc), ["ticket"])
        b = self.web.json("/f/contact", dict(GOOD, consent=True, age=7), key)
        self.assertEqual((b.status, json.loads(b.text)), (201, doc))
        self.assertEqual(self.web.get(a.location).status, 200)
        c = self.web.json("/f/contact", dict(GOOD, consent=True))
        d = self.web.json("/f/contact", dict(GOOD, consent=True))
        self.assertNotEqual(c.text, d.text)  # without a key each is a new one
        e = self.web.json("/f/contact", {"name": "x", "email": ["a@b.example", "c@d.example"], "message": "m", "consent": False})
        self.assertEqual(e.status, 422)
        self.assertEqual(sorted(json.loads(e.text)["fields"]), ["consent", "email"])
        for bad in ("[]", "{", '{"name":{}}', '{"a":1,"a":2}'):
            self.assertEqual(self.web.ask("POST", "/f/contact", bad, {"Content-Type": "application/json"}).status, 400)
        self.assertEqual(self.web.ask("POST", "/f/contact", "x", {"Content-Type": "text/plain"}).status, 415)

    def test_files_are_cut_out_as_they_were(self):
        files = [("files", "C:\\Users\\a\\photo.png", "image/png", bytes(range(256)) * 300),
                 ("files", "tricky.txt", "text/plain", b"\r\n--xYzZyBoundar\r\n--xYzZyBoundary-\r\n\n.\r\n\r"),
                 ("files", "ends.bin", "application/octet-stream", b"ab\n--xYzZyBoundar\n\r\n\n")]
        a = self.web.upload("/f/contact", GOOD, files, self.web.token("/f/contact"))
        self.assertEqual(a.status, 303, a.text)
        m = self.desk.full(number(a))["messages"][0]
        self.assertEqual([x["name"] for x in m["attachments"]], ["photo.png", "tricky.txt", "ends.bin"])
        with self.desk.admin() as c:
            for (_, _, ctype, data), x in zip(files, m["attachments"]):
                self.assertEqual((x["size"], x["type"], x["sha256"]), (len(data), ctype, hashlib.sha256(data).hexdigest()))
                got = c("BLOB", number(a), x["part"])
                self.assertEqual(got.encode("utf-8", "surrogateescape") if isinstance(got, str) else got, data, x["name"])

    def test_file_limits(self):
        token = self.web.token("/f/contact")
        many = [("files", "%d.txt" % i, "text/plain", b"x") for i in range(4)]
        a = self.web.upload("/f/contact", GOOD, many, token)
        self.assertEqual(a.status, 422)
        self.assertIn("Не работает роутер", a.text)
        a = self.web.upload("/f/contact", GOOD, [("files", "big", "text/plain", b"x" * (3 << 20))], token)
        self.assertEqual(a.status, 422)
        a = self.web.upload("/f/contact", GOOD, [("files", "big", "text/plain", b"x" * (9 << 20))], token)
        self.assertEqual(a.status, 413)
        self.assertEqual(self.web.upload("/f/contact", GOOD, [("files", "", "application/octet-stream", b"")], token).status, 303)

    def test_status_page(self):
        a = self.web.send()
        ticket = number(a)
        link = re.search(r'href="(/s/[^"?]+)', self.web.get(a.location).text).group(1)
        page = self.web.get(link + "?lang=en")
        self.assertIn("waiting for a specialist", page.text)
        for bad in (link[:-1] + ("a" if link[-1] != "a" else "b"), "/s/" + ticket, "/s/1-aaaaaaaaaaaaaaaa", "/s/", "/s/x-y"):
            self.assertEqual(self.web.get(bad).status, 404, bad)
        with self.desk.agent("vera") as v:
            v("TAKE", ticket)
            v("NOTE", ticket, "secret note")
            v("REPLY", ticket, "Перезагрузите роутер.")
        page = self.web.get(link + "?lang=ru")
        self.assertIn("Перезагрузите роутер.", page.text)
        self.assertNotIn("secret note", page.text)
        self.assertIn("мы ответили и ждём вас", page.text)
        token = re.search(r'name="_token" value="([^"]+)"', page.text).group(1)
        self.assertEqual(self.web.post(link, {"text": " "}, token).status, 422)
        self.assertEqual(self.web.post(link, {"text": "no token"}, None).status, 422)
        for _ in range(2):
            b = self.web.post(link + "?lang=ru", {"text": "Не помогло <b>"}, token)
            self.assertEqual(b.status, 303)
        self.assertIn("Не помогло &lt;b&gt;", self.web.get(b.location).text)
        doc = self.desk.full(ticket)
        self.assertEqual(doc["n_messages"], 4)
        self.assertEqual(doc["messages"][-1]["from"]["address"], "ivan@customer.example")
        sent = wait_for(lambda: [m for m in self.desk.sink.mails if "Перезагрузите" in m.get_content()], 10)
        self.assertEqual(sent[0]["From"].split("<")[-1].rstrip(">"), "support@desk.example")

    def test_no_address_is_answered_on_the_page(self):
        a = self.web.send("/f/gone", {"message": "anonymous"})
        ticket = re.search(r"ticket=(\d+)", a.location).group(1)
        with self.desk.agent("vera") as v:
            v("TAKE", ticket)
            v("REPLY", ticket, "An answer to nobody's address")
        self.assertEqual(self.desk.full(ticket)["state"], "waiting")

    def test_hostile(self):
        web = self.web
        self.assertEqual(web.get("/f/nothing").status, 404)
        self.assertEqual(web.get("/f/contact/x").status, 404)
        self.assertEqual(web.get("/f/contact/thanks/1-aaaaaaaaaaaaaaaa").status, 404)
        self.assertEqual(web.ask("PUT", "/f/contact", "x").status, 405)
        kind = {"Content-Type": "multipart/form-data; boundary=X"}
        parts = b"".join(b'--X\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n' for _ in range(1000))
        self.assertEqual(web.ask("POST", "/f/contact", parts + b"--X--", kind).status, 413)
        self.assertEqual(web.ask("POST", "/f/contact", b"--X\r\nnonsense", kind).status, 400)
        self.assertEqual(web.ask("POST", "/f/contact", b"--X\r\nContent-Disposition: form-data; name=a\r\n\r\nb", kind).status, 400)
        self.assertEqual(web.ask("POST", "/f/contact", b"a" * 400000, {"Content-Type": "application/x-www-form-urlencoded"}).status, 422)
        self.assertEqual(web.ask("POST", "/f/contact", b"a=" + b"b" * 400000, {"Content-Type": "application/x-www-form-urlencoded"}).status, 413)
        for raw in (b"POST /f/contact HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
                    b"POST /f/contact HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", self.desk.web_port), 10) as s:
                s.sendall(raw)
                self.assertIn(b" 400 ", s.recv(4096))
        # half closed, in the middle of a body
        with socket.create_connection(("127.0.0.1", self.desk.web_port), 10) as s:
            s.sendall(b"POST /f/contact HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
            s.shutdown(socket.SHUT_WR)
            s.settimeout(60)
            self.assertNotIn(b" 201 ", s.recv(4096))
        self.assertEqual(web.get("/health").status, 200)

    def test_calls_are_pushed(self):
        row = phone.row("1700000000.17", start=int(time.time()) - 60)
        kind = {"Authorization": "Bearer letmein", "Content-Type": "text/csv"}
        got = [json.loads(self.web.ask("POST", "/calls/office", row, kind, timeout=60).text) for _ in range(2)]
        self.assertEqual((got[0]["calls"], got[0]["bad"]), (1, 0))
        self.assertEqual(got[0]["ticket"], got[1]["ticket"])
        doc = self.desk.full(got[0]["ticket"])
        self.assertEqual((doc["channel"], doc["n_messages"]), ("phone", 1))

    def test_calls_need_the_password(self):
        for auth in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic letmein"}):
            self.assertEqual(self.web.ask("POST", "/calls/office", "{}", auth).status, 401)
        self.assertEqual(self.web.ask("POST", "/calls/none", "{}", {"Authorization": "Bearer letmein"}).status, 404)
        a = self.web.ask("POST", "/calls/office", "nonsense", {"Authorization": "Bearer letmein", "Content-Type": "text/plain"})
        self.assertEqual(a.status, 400, a.text)


class NoMail(unittest.TestCase):
    def test_a_desk_without_mail_answers_on_the_page(self):
        with FormDesk() as d:
            d.write(re.sub(r"mail support@desk\.example \{.*?\n\}\n", "", d.text, flags=re.S))
            d.cmd("RELOAD")
            a = d.web.send()
            ticket, page = number(a), d.web.get(a.location).text
            with d.agent("vera") as v:
                v("TAKE", ticket)
                v("REPLY", ticket, "Only here")
            link = re.search(r'href="(/s/[^"?]+)', page).group(1)
            self.assertIn("Only here", d.web.get(link).text)
            d.fsck()


class Away(unittest.TestCase):
    @unittest.skipIf(SLOW > 1, "it waits long and says nothing of memory")
    def test_store_away_for_a_while_and_for_long(self):
        with FormDesk() as d:
            token = d.web.token("/f/contact")
            pid = servers_of(d.state)[0]
            os.kill(pid, signal.SIGSTOP)
            timer = threading.Timer(5, os.kill, (pid, signal.SIGCONT))
            timer.start()
            begun = time.monotonic()
            try:
                a = d.web.post("/f/contact", GOOD, token)
            finally:
                timer.join()
            self.assertEqual(a.status, 303, a.text)
            self.assertGreater(time.monotonic() - begun, 4)
            token = d.web.token("/f/contact")
            other = dict(GOOD, message="Второе обращение")
            wait_for(lambda: d.web.get("/health").status == 200, 20)
            os.kill(pid, signal.SIGSTOP)
            begun = time.monotonic()
            try:
                b = d.web.post("/f/contact", other, token)
                took = time.monotonic() - begun
                self.assertEqual(b.status, 503)
                self.assertIn("Второе обращение", b.text)
                self.assertIn('value="%s"' % token, b.text)
                self.assertTrue(b.headers["Retry-After"])
                self.assertTrue(14 < took < 60, took)
                self.assertEqual(d.web.json("/f/contact", dict(GOOD, consent=True), {"Idempotency-Key": "q"}).status, 503)
                self.assertEqual(d.web.get("/health").status, 503)
            finally:
                os.kill(pid, signal.SIGCONT)
            wait_for(lambda: d.web.get("/health").status == 200, 20)
            c = d.web.post("/f/contact", other, token)
            self.assertEqual(c.status, 303)
            self.assertEqual(len([t for t in d.list() if t["subject"] == "Второе обращение"]), 1)
            d.fsck()

    def test_killed_redis_comes_back(self):
        with FormDesk() as d:
            token = d.web.token("/f/contact")
            os.kill(servers_of(d.state)[0], signal.SIGKILL)
            self.assertEqual(d.web.post("/f/contact", GOOD, token).status, 303)
            d.fsck()


class Memory(unittest.TestCase):
    def rss(self, pid):
        with open("/proc/%d/status" % pid) as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))

    @unittest.skipIf(SLOW > 1, "memory is measured in the release build")
    def test_flat_while_files_come_in(self):
        with FormDesk() as d:
            before = self.rss(d.proc.pid)
            size, n, peak = 20 << 20, 10, [0]
            head = (b'--X\r\nContent-Disposition: form-data; name="message"\r\n\r\nhi\r\n--X\r\nContent-Disposition: form-data; '
                    b'name="_token"\r\n\r\n%s\r\n--X\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n')
            tail = b"\r\n--X--\r\n"
            got = []

            def one():
                h = head % d.web.token("/f/big").encode()
                with socket.create_connection(("127.0.0.1", d.web_port), 60) as s:
                    s.sendall(b"POST /f/big HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=X\r\nContent-Length: %d\r\n\r\n"
                              % (len(h) + size + len(tail)) + h)
                    chunk = os.urandom(1 << 18)
                    for _ in range(size >> 18):
                        s.sendall(chunk)
                    s.sendall(tail)
                    got.append(s.recv(100).split(b" ")[1])

            threads = [threading.Thread(target=one) for _ in range(n)]
            for t in threads:
                t.start()
            while any(t.is_alive() for t in threads):
                peak[0] = max(peak[0], self.rss(d.proc.pid))
                time.sleep(0.05)
            self.assertEqual(got, [b"303"] * n)
            print("memory: %d KB before, %d KB at most" % (before, peak[0]))
            self.assertLess(peak[0] - before, 40000)


if __name__ == "__main__":
    unittest.main()
