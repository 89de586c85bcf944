# run: release asan
"""Attacks on what the web and the exchanges may send: nothing breaks, nothing leaks, nothing taken is lost."""
# takes: 30
import json
import os
import re
import socket
import time
import unittest
import urllib.parse

from desk import SLOW, Desk, wait_for
from forms import GOOD, Web
from phone import row
from resp import RespError

CONF = """
country 7
timezone Europe/Moscow
url https://help.desk.example
customers file customers.csv
form contact {
    sites https://www.romashka.example
    rate 100000
    field name { required }
    field email { type email; required }
    field phone { type phone }
    field product { label en "<b>\\"Product'" ; choices "Router \\"R-5\\" <i>" "Camera" }
    field message { type text; required; limit 8KB }
    field files { type files; at-most 3; limit 2MB }
    field consent { type consent; text "I agree <script>alert(1)</script>"; required }
}
form other { rate 100000; field message { type text; required } }
form slow { rate 2; field message { required } }
form big { rate 100000; field message { required }; field files { type files; at-most 50; limit 24MB } }
phone office { push; password file "push.secret" }
phone log { asterisk file "Master.csv"; ours 200 }
"""
XSS = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&lt;\u202e\U0001f4a3"
BEARER = {"Authorization": "Bearer letmein"}


class WebDesk(Desk):
    def __init__(self, start=True, **kw):
        super().__init__(start=False, extra=CONF, **kw)
        self.file("push.secret", b"letmein\n", 0o600)
        self.file("customers.csv", b"email;name;level\nivan@customer.example;Ivan;gold\n")
        self.file("Master.csv", b"")
        self.web = Web(self)
        if start:
            self.start()

    def file(self, name, data, mode=0o644):
        path = os.path.join(self.dir, name)
        with open(path, "wb") as f:
            os.fchmod(f.fileno(), mode)
            f.write(data)
        return path

    def full(self, ticket):
        with self.admin() as a:
            return json.loads(a("SHOW", ticket))

    def raw(self, data, shut=False, timeout=60.0, host=b"x"):
        """All the daemon answers to these bytes."""
        with socket.create_connection(("127.0.0.1", self.web_port), timeout) as s:
            got = b""
            try:
                s.sendall(data)
                if shut:
                    s.shutdown(socket.SHUT_WR)
                while len(got) < 1 << 20:
                    piece = s.recv(65536)
                    if not piece:
                        break
                    got += piece
            except (ConnectionError, TimeoutError):
                pass
            return got

    def connections(self):
        """Of the web port, the daemon's ends: all but those that only wait for their time."""
        with open("/proc/net/tcp") as f:
            lines = [x.split() for x in f.readlines()[1:]]
        return sum(x[1].endswith(":%04X" % self.web_port) and x[3] not in ("06", "0A") for x in lines)

    def spooled(self):
        """Descriptors on files of the spool folder."""
        n = 0
        for fd in os.listdir("/proc/%d/fd" % self.proc.pid):
            try:
                n += "/spool/" in os.readlink("/proc/%d/fd/%s" % (self.proc.pid, fd))
            except OSError:
                pass
        return n


def number(answer):
    return re.search(r"/thanks/(\d+)-", answer.location).group(1)


def post(body, kind="application/x-www-form-urlencoded", path="/f/contact", more=""):
    return ("POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n"
            % (path, kind, len(body), more)).encode() + body


class Attack(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.desk = WebDesk()
        cls.web = cls.desk.web

    @classmethod
    def tearDownClass(cls):
        cls.desk.fsck()
        cls.desk.close()

    def tearDown(self):
        self.assertTrue(self.desk.is_running())
        self.assertIn(self.web.get("/health").status, (200, 503))

    def count(self):
        return len(self.desk.list())

    # ---- pages ----

    def no_script(self, text):
        for bad in ("<script", "<img", "<i>", "<b>", "onerror=alert(2)>"):
            self.assertNotIn(bad, text)

    def test_nothing_of_theirs_is_markup(self):
        fields = {"name": XSS, "email": XSS, "phone": XSS, "product": XSS, "message": XSS, "consent": XSS}
        a = self.web.post("/f/contact?lang=en%22%3E%3Cscript%3E", fields, XSS)
        self.assertEqual(a.status, 422)
        self.no_script(a.text)
        token = self.web.token("/f/contact")
        a = self.web.upload("/f/contact", dict(GOOD, name=XSS, message=XSS), [("files", "<script>.html", "text/html", b"<script>")], token)
        self.assertEqual(a.status, 303, a.text)
        thanks = self.web.get(a.location)
        self.no_script(thanks.text)
        link = re.search(r'href="(/s/[^"?]+)', thanks.text).group(1)
        ticket = number(a)
        with self.desk.agent("vera") as v:
            v("TAKE", ticket)
            v("REPLY", ticket, XSS)
        page = self.web.get(link)
        self.no_script(page.text)
        self.assertIn("&lt;script&gt;", page.text)
        reply = re.search(r'name="_token" value="([^"]+)"', page.text).group(1)
        self.no_script(self.web.post(link, {"text": XSS}, "bad").text)
        self.assertEqual(self.web.post(link, {"text": XSS}, reply).status, 303)
        self.no_script(self.web.get(link).text)
        for path in ("/f/%3Cscript%3E", "/s/%3Cscript%3E", "/f/contact/thanks/%3Cscript%3E", "/%22onload=", "/f/contact?lang=<"):
            self.no_script(self.desk.raw(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path.encode()).decode())

    def test_header_injection(self):
        for where in ("/f/contact?lang=ru%0d%0aX-Evil:1", "/f/contact/thanks/ok%0d%0aX-Evil:1", "/f/contact/thanks/ok?lang=en%0d%0aX-Evil:%201"):
            a = self.desk.raw(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % where.encode())
            self.assertNotIn(b"\r\nX-Evil", a)
        a = self.web.post("/f/contact", dict(GOOD, name="Eve\r\nBcc: all@victims.example\r\n\r\nspam"), self.web.token("/f/contact"))
        self.assertEqual(a.status, 303)
        for address in ("a@b.example\r\nBcc: c@d.example", "a@b.example, c@d.example", "a@b.example>\n<x@y.example", "\"a\r\nb\"@c.example"):
            b = self.web.post("/f/contact", dict(GOOD, email=address), self.web.token("/f/contact"))
            self.assertEqual(b.status, 422, address)
        mail = wait_for(lambda: [m for m in self.desk.sink.mails if "[#%s]" % number(a) in m["Subject"]], 15)[0]
        self.assertIsNone(mail["Bcc"])
        self.assertEqual(mail.envelope_to, ["ivan@customer.example"])

    def test_paths(self):
        for path, want in (("/f/../health", 400), ("//f/contact", 404), ("/f//contact", 404), ("/%2e%2e/f/contact", 400),
                           ("/f/contact%00", 400), ("/f%2fcontact", 400), ("/f/contact%", 400), ("/f/contact/..", 400),
                           ("/f/.%2e/health", 400), ("/F/contact", 404), ("/f/", 404), ("/f", 404), ("/s/", 404),
                           ("/f/contact/thanks/", 404), ("/health/", 404), ("/calls/../f/contact", 400), ("/f/%ff", 400)):
            a = self.desk.raw(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path.encode())
            self.assertTrue(a.startswith(b"HTTP/1.1 %d " % want), (path, a[:60]))

    # ---- who may ----

    def test_links_and_tokens(self):
        a = self.web.send()
        b = self.web.send(fields=dict(GOOD, message="another"))
        sa, sb = (x.location.split("/thanks/")[1].split("?")[0] for x in (a, b))
        na, ma = sa.split("-")
        nb, mb = sb.split("-")
        for bad in (na + "-" + mb, nb + "-" + ma, "0" + sa, sa + "a", sa[:-1], na + "-", "-" + ma, na + "-" + ma.upper() + "%00",
                    na + "-" + "a" * 16, "9" * 18 + "-" + ma, "9" * 40 + "-" + ma, " " + sa):
            self.assertEqual(self.web.get("/s/" + urllib.parse.quote(bad, safe="%")).status, 400 if "%00" in bad else 404, bad)
            self.assertIn(self.web.post("/s/" + urllib.parse.quote(bad, safe="%"), {"text": "x"}).status, (400, 404))
        token, before = self.web.token("/f/contact"), self.count()
        key, rest = token[0], token[1:]
        at, rid, mac = rest.split(".")
        bad = [key + str(int(at) + 1) + "." + rid + "." + mac, key + at + "." + rid + "." + "a" * 16,
               "z" + rest, key + at + "." + rid[::-1] + "." + mac, token + " ", key + "-" + at + "." + rid + "." + mac,
               self.web.token("/f/other"), re.search(r'name="_token" value="([^"]+)"', self.web.get("/s/" + sa).text).group(1), "x" * 5000]
        for t in bad:
            self.assertEqual(self.web.post("/f/contact", GOOD, t).status, 422, t[:60])
        self.assertEqual(self.web.post("/s/" + sa, {"text": "from the wrong page"}, token).status, 422)
        other = re.search(r'name="_token" value="([^"]+)"', self.web.get("/s/" + sb).text).group(1)
        self.assertEqual(self.web.post("/s/" + sa, {"text": "of another ticket"}, other).status, 422)
        self.assertEqual(self.count(), before)

    def test_origin_tricks(self):
        token = self.web.token("/f/contact")
        own = "127.0.0.1:%d" % self.desk.web_port
        for origin in ("https://evil.example", "https://www.romashka.example.evil.example", "https://a.www.romashka.example",
                       "http://www.romashka.example", "https://www.romashka.example:444", "https://www.romashka.example/",
                       "https://www.romashka.example@evil.example", "https://romashka.example", "http://" + own + ".evil.example",
                       "http://evil.example/" + own, "https://help.desk.example.evil.example", "file://", "https://help.desk.exampl"):
            self.assertEqual(self.web.post("/f/contact", GOOD, token, {"Origin": origin}).status, 403, origin)
            self.assertEqual(self.web.json("/f/contact", dict(GOOD, consent=True), {"Origin": origin}).status, 403, origin)
        # a page without an origin has no token, and may not ask beforehand
        self.assertEqual(self.web.post("/f/contact", GOOD, None, {"Origin": "null"}).status, 422)
        a = self.web.ask("OPTIONS", "/f/contact", headers={"Origin": "null", "Access-Control-Request-Method": "POST"})
        self.assertEqual((a.status, a.headers["Access-Control-Allow-Origin"]), (403, None))
        b = self.desk.raw(post(b"a=b", more="Origin: https://www.romashka.example\r\nOrigin: https://evil.example\r\n"))
        self.assertIn(b" 400 ", b[:20])

    def test_keys_of_programs(self):
        """The same key with another body or another form is no repetition: nothing is told as taken and lost."""
        key = {"Idempotency-Key": "1"}
        a = self.web.json("/f/contact", dict(GOOD, consent=True, message="first"), key)
        b = self.web.json("/f/contact", dict(GOOD, consent=True, message="second"), key)
        c = self.web.json("/f/other", {"message": "first"}, key)
        d = self.web.json("/f/other", {"message": "first"}, key)
        self.assertEqual((a.status, c.status, d.status), (201, 201, 201))
        self.assertIn(b.status, (201, 422))
        ids = [json.loads(x.text)["ticket"] for x in (a, c, d) + ((b,) if b.status == 201 else ())]
        self.assertEqual(len(set(ids)), 3 if b.status == 201 else 2)
        self.assertEqual(ids[1], ids[2])
        if b.status == 201:
            self.assertIn("second", self.desk.full(ids[3])["messages"][-1]["text"])

    def test_rate_cannot_be_lied_about(self):
        """Only what the trusted proxy says counts, not what the client put before it."""
        got = []
        for i in range(5):
            body = urllib.parse.urlencode({"message": "m%d" % i, "_token": self.web.token("/f/slow")})
            got.append(self.web.ask("POST", "/f/slow", body, {"Content-Type": "application/x-www-form-urlencoded",
                                                             "X-Forwarded-For": "10.0.0.%d, 203.0.113.7" % i}).status)
        self.assertEqual(got, [303, 303, 429, 429, 429])
        for i, junk in enumerate(("203.0.113.8, ", "203.0.113.8,,", "<script>", "x" * 3000, "::ffff:203.0.113.7", "[2001:db8::1]:99", "")):
            self.assertIn(self.web.ask("POST", "/f/slow", "message=x%d" % i, {"X-Forwarded-For": junk,
                          "Content-Type": "application/x-www-form-urlencoded"}).status, (422, 429))

    def test_no_is_no_consent(self):
        for no in ("no", "False", "0", "off", False, None, ""):
            a = self.web.json("/f/contact", dict(GOOD, consent=no))
            self.assertEqual((a.status, list(json.loads(a.text)["fields"])), (422, ["consent"]), no)

    # ---- bodies ----

    def test_bodies(self):
        raw, B = self.desk.raw, "multipart/form-data; boundary=X"
        part = b'--X\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
        many_files = b"".join(part % (b"files", b'; filename="%d"' % i, b"x") for i in range(190))
        cases = [
            post(b"".join(part % (b"a%d" % i, b"", b"b") for i in range(1000)) + b"--X--\r\n", B),
            post(b"&".join(b"f%d=1" % i for i in range(10000))),
            post(many_files + b"--X--\r\n", B),
            post(b"&" * 100000), post(b"=" * 100000), post(b"%" * 1000), post(b"message=%zz%0"), post(b"\0" * 5000), post(b""),
            post(b"", "application/json"), post(b"", B), post(b"--X--", B), post(b"--X", B), post(b"X" * 100000, B),
            post(b"--X\r\n" + b"A: b\r\n" * 5000 + b"\r\n", B), post(b"--X\r\n" + b"A" * 100000, B),
            post(b"--\r\n", "multipart/form-data; boundary="), post(b"--\r\n", "multipart/form-data"),
            post(b"x", "multipart/form-data; boundary=" + "b" * 300), post(b"x", 'multipart/form-data; boundary="\\'),
            post(b'--X\r\nContent-Disposition: form-data; name="files"; filename="../../etc/passwd"\r\nContent-Type: %s\r\n\r\nx\r\n--X--\r\n' % (b"a" * 4000), B),
            post(b'--X\r\nContent-Disposition: form-data; name="files"; filename*=utf-8\'\'%ff%00%0d%0a\r\n\r\nx\r\n--X--\r\n', B),
            post(b'--X\r\nContent-Disposition: form-data; name="message\x00x"\r\n\r\n\xff\xfe\x00\r\n--X--\r\n', B),
        ]
        for c in cases:
            a = raw(c)
            self.assertRegex(a[:16].decode(), r"^HTTP/1.1 4\d\d ", c[:200])
        for body in (b"[]", b"{", b'{"message":{}}', b'{"a":1,"a":2}', b"[" * 65536, b'{"a":' * 13000 + b"1" + b"}" * 13000, b'"x"', b"null",
                     b'{"message":"\\u0000"}', b'{"message":"\\ud800"}', b'{"message":"\xff"}', b'{"message":[[["x"]]]}', b"{\"message\":1e999}",
                     b'{"message":' + b"9" * 400 + b"}", b'{"message":[' + b'"x",' * 300000 + b'"x"]}', b'{"\\u0000":1}', b"\xef\xbb\xbf{}"):
            a = raw(post(body, "application/json"))
            self.assertRegex(a[:16].decode(), r"^HTTP/1.1 4\d\d ", body[:60])

    def test_framing(self):
        raw = self.desk.raw
        head = b"POST /f/contact HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        for more in (b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", b"Content-Length: +5\r\n\r\nhello", b"Content-Length: 5, 5\r\n\r\nhello",
                     b"Content-Length: 0x5\r\n\r\nhello", b"Content-Length: -1\r\n\r\n", b"Content-Length : 5\r\n\r\nhello",
                     b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
                     b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n",
                     b"Transfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
                     b"Transfer-Encoding: chunked\r\n\r\n1;" + b"e" * 9000 + b"\r\nx\r\n0\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n1\nx\n0\n\n",
                     b"Transfer-Encoding: chunked\r\n\r\n7fffffff\r\n", b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"T: x\r\n" * 5000 + b"\r\n",
                     b"Content-Length: 99999999999999999999\r\n\r\n", b"Content-Length: 999999999999\r\n\r\n", b"X: a\0b\r\n\r\n", b" X: folded\r\n\r\n"):
            a = raw(head + more)
            self.assertRegex(a[:16].decode("latin-1"), r"^HTTP/1.1 (4\d\d|501) ", more[:70])
            self.assertEqual(a.count(b"HTTP/1.1 "), 1, more[:70])
        for first in (b"GET /health\r\n\r\n", b"GET /health HTTP/2.0\r\n\r\n", b"\x16\x03\x01\x02\0\x01", b"GET http://evil/ HTTP/1.1\r\nHost: x\r\n\r\n",
                      b"GET /health HTTP/1.1\r\n\r\n", b"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
                      b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /health HTTP/1.1\r\n" + b"A: b\r\n" * 3000 + b"\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
            self.assertRegex(raw(first)[:16].decode("latin-1"), r"^HTTP/1.1 (4\d\d|50\d) ", first[:60])

    def test_gone_in_the_middle(self):
        """Clients that leave in the middle of a file leave neither descriptors nor spool files."""
        head = (b'--X\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n')
        for how in range(24):
            s = socket.create_connection(("127.0.0.1", self.desk.web_port), 10)
            s.sendall(b"POST /f/big HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=X\r\nContent-Length: 9000000\r\n\r\n" + head
                      + os.urandom(200000))
            if how % 3 == 0:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            elif how % 3 == 1:
                s.shutdown(socket.SHUT_WR)
            s.close()
        wait_for(lambda: self.desk.spooled() == 0, 10, "spool files are given back")
        wait_for(lambda: self.desk.connections() == 0, 10, "connections are given back")
        self.assertEqual(os.listdir(os.path.join(self.desk.state, "spool")), [])

    def test_gone_before_the_answer(self):
        """Whoever leaves before the answer is stored once all the same, and the same page tells its ticket."""
        token, before = self.web.token("/f/contact"), self.count()
        body = urllib.parse.urlencode(dict(GOOD, message="gone before the answer", _token=token)).encode()
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", self.desk.web_port), 10) as s:
                s.sendall(post(body))
        wait_for(lambda: self.count() == before + 1, 10)
        self.assertEqual(self.web.ask("POST", "/f/contact", body, {"Content-Type": "application/x-www-form-urlencoded"}).status, 303)
        self.assertEqual(self.count(), before + 1)

    def test_odd_text(self):
        """Bytes that are no text, NULs, RTL and emoji: the ticket is valid UTF-8 without controls."""
        token = self.web.token("/f/contact")
        body = (b"name=%FF%FE%00Eve%1B%5B31m&email=ivan%40customer.example&consent=yes&message=%F0%9F%92%A3%E2%80%AE%00%07%ED%A0%80x&_token=" + token.encode())
        a = self.web.ask("POST", "/f/contact", body, {"Content-Type": "application/x-www-form-urlencoded"})
        if a.status == 303:
            doc = json.dumps(self.desk.full(number(a)), ensure_ascii=False)
            self.assertNotRegex(doc, r"[\x00-\x08\x0b-\x1f\x7f]|\\u00[01]")
        else:
            self.assertIn(a.status, (400, 422))

    # ---- telephone ----

    def push(self, body, headers=None, kind="text/plain", **kw):
        return self.web.ask("POST", "/calls/office", body, dict({"Content-Type": kind}, **(BEARER if headers is None else headers)), **kw)

    def test_push_password(self):
        for auth in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer letmei"}, {"Authorization": "Bearer letmein2"},
                     {"Authorization": "letmein"}, {"Authorization": "Basic bGV0bWVpbg=="}, {"Authorization": "Bearer LETMEIN"}):
            self.assertEqual(self.push("x", auth).status, 401, auth)
        self.assertEqual(self.web.ask("POST", "/calls/log", "x", {"Authorization": "Bearer "}).status, 401)
        self.assertEqual(self.web.ask("POST", "/calls/office/..", "x", BEARER).status, 400)
        self.assertNotIn("letmein", self.desk.log())

    def test_push_hostile(self):
        bomb = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><cdr>&b;</cdr>'
        for body, kind in ((bomb, "text/xml"), ("<cdr>" * 100000, "text/xml"), ("<cdr><variables>" + "<a>" * 40, "text/xml"),
                           ("<cdr" + " a" * 100000, "text/xml"), ("<", "text/xml"), ("</", "text/xml"), ("<!", "text/xml"), ("<![CDATA[", "text/xml"),
                           ("<a>&#" + "9" * 100000, "text/xml"), ("<a></ab>", "text/xml"), ("<?" * 1000, "text/xml"),
                           ("[" * 65536, "application/json"), ('{"a":' * 20000, "application/json"), ("{}" * 100000, "application/json"),
                           ("[]", "application/json"), ("", "text/plain"), ("cdr=", "application/x-www-form-urlencoded"),
                           ("cdr=%00%ff%", "application/x-www-form-urlencoded"), ("cdr=" + "A" * 99999, "application/x-www-form-urlencoded"),
                           ("cdr=PGE+", "application/x-www-form-urlencoded; base64"), ("!!!!", "text/plain; base64"), ('"' * 99999, "text/csv"),
                           (b"\xff\x00,\x80\n" * 20000, "text/csv"), ("," * 999999, "text/csv"), ("\n" * 999999, "text/csv"), ("\0" * 999999, "text/csv")):
            began = time.monotonic()
            a = self.push(body, kind=kind)
            self.assertIn(a.status, (400, 413, 422), (body[:40], a.text[:200]))
            self.assertLess(time.monotonic() - began, 20 * SLOW, body[:40])
        self.assertEqual(self.push("x" * (10 << 20)).status, 413)

    def test_commands(self):
        """SUBMIT, LOGCALL and FEED with what nobody would write."""
        d = self.desk
        with d.agent("anna", ready=False) as c:
            for verb in ("SUBMIT", "LOGCALL"):
                for bad in ("", "x", "[]", "null", "{}", '{"text":1}', '{"text":"x","text":"y"}', '{"text":"x","other":1}', '{"ticket":"-1","text":"x"}',
                            '{"ticket":1,"text":"x"}', '{"ticket":"0","text":"x"}', '{"text":"\\u0000"}', '{"from":[],"text":"x"}', "[" * 70000,
                            '{"from":{"address":"a@b\\r\\nBcc: x"},"text":"x"}', '{"from":{"name":"a\\nb"},"text":"x"}', '{"subject":"a\\nb"}',
                            '{"fields":{"":1},"text":"x"}', '{"fields":{"a":{}},"text":"x"}', '{"number":[]}', '{"number":"1","duration_s":-1}',
                            '{"number":"1","duration_s":1e99}', '{"number":"1","started_at":"9999"}', '{"number":"1","direction":"up"}',
                            '{"attachments":["/etc/passwd"],"text":"x"}', '{"text":"%s"}' % ("x" * 300000)):
                    with self.assertRaises(RespError, msg=(verb, bad[:60])):
                        c(verb, bad)
            with self.assertRaises(RespError):
                c("SUBMIT", '{"ticket":"999999","text":"to a ticket that is not there"}')
            with self.assertRaises(RespError):
                c("FEED", "office", "x")
            far = c("LOGCALL", '{"number":"+74951234567","started_at":"2999-01-01T00:00:00Z","result":"missed"}')
            self.assertTrue(far)
        with d.admin() as a:
            for bad in ("", "x", "<cdr>", "{}", "\0" * 1000, "[" * 65536):
                with self.assertRaises(RespError, msg=bad[:20]):
                    a("FEED", "office", bad)
            with self.assertRaises(RespError):
                a("FEED", "../office", "x")


class Logs(unittest.TestCase):
    """A log file in which anything may stand, and which may be anything."""

    def test_the_file_is_anything(self):
        with WebDesk(start=False) as d:
            path = os.path.join(d.dir, "Master.csv")
            d.start()
            d.wait_log(r"PHONE-LOG .*phone:log.*state=reading")
            time.sleep(1)
            before = d.rss()

            def awake(what):
                began = time.monotonic()
                self.assertEqual(d.web.get("/health").status, 200)
                self.assertLess(time.monotonic() - began, 10 * SLOW, what)

            def replace(make, what):
                make()
                for _ in range(6):
                    awake(what)
                    time.sleep(0.3)
                (os.rmdir if os.path.isdir(path) and not os.path.islink(path) else os.remove)(path)

            os.remove(path)
            replace(lambda: os.mkdir(path), "a directory")
            replace(lambda: os.mkfifo(path), "a fifo")
            replace(lambda: os.symlink("/dev/zero", path), "/dev/zero")
            replace(lambda: os.symlink(path, path), "a loop of links")
            d.file("Master.csv", b"")
            time.sleep(1.5)
            # 100 MB of one line at once, then 1 GB of nothing
            with open(path, "ab") as f:
                for _ in range(100):
                    f.write(b"x" * (1 << 20))
            for _ in range(10):
                awake("100 MB without a line end")
                time.sleep(0.1)
            os.truncate(path, 1 << 30)
            for _ in range(20):
                awake("1 GB of zeros")
                time.sleep(0.1)
            if SLOW == 1:
                self.assertLess(d.rss() - before, 60 << 20)
            os.remove(path)
            # one call of very many rows, among them lines that are none
            now = int(time.time()) - 900
            one = "".join(row("%d.7" % now, sequence=i) for i in range(1000)) + "rubbish\n" * 1000
            with open(path, "w") as f:
                f.write(one * 30)
                f.write(row("%d.8" % (now + 5), src="84950000001", start=4000000000))
            for _ in range(10):
                awake("one call of 30,000 rows")
                time.sleep(0.2)
            wait_for(lambda: len(d.list()) == 2, 40, "both calls are tickets")
            if SLOW == 1:
                self.assertLess(d.rss() - before, 60 << 20)
            d.fsck()


if __name__ == "__main__":
    unittest.main()
