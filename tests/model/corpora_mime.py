"""The real helpline-mime over its frames: all mail that others collected, bombs of
our own, and what it must refuse.

None may crash it, take longer than 1 s or need more than 64 MB; each gives a
message (M) or a header-only one (H) that is valid JSON. The collected mail lies in
$HELPLINE_CORPORA or ../shared/corpora beside the checkout; without it that part is
skipped, aloud. Which build: $HELPLINE_BUILD, else build/release (limits of time and
memory hold for builds without sanitizers).
"""
# run: release asan
# takes: 10
import base64
import hashlib
import json
import os
import random
import struct
import sys
import tempfile
import time
import unittest

from mime_helper import BEGUN, CORPORA, NOT_MAIL, SANITIZED, Helper

MAX_S, MAX_KB = 20.0, 64 * 1024
SHARE = 4 if SANITIZED and "FULL" not in os.environ else 1
PHASE = int(os.environ.get("HELPLINE_SEED", time.time_ns() % 1000)) % SHARE


def collected():
    """All of them; under sanitizers every fourth, another one each time (FULL=1: all)."""
    n = PHASE
    for folder, _, names in sorted(os.walk(CORPORA)):
        for name in sorted(names):
            if not name.endswith(NOT_MAIL) and not name.startswith("UPSTREAM"):
                n += 1
                if n % SHARE == 0:
                    yield os.path.join(folder, name)


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)
        self.helper = Helper()
        self.addCleanup(self.helper.close)

    def file(self, data, name="mail"):
        path = os.path.join(self.dir.name, name)
        with open(path, "wb") as f:
            f.write(data)
        return path

    def check(self, what, kind, body, seconds, allowed="MH"):
        self.assertIn(kind, allowed, "%s: %s %r" % (what, kind, body[:200]))
        message = json.loads(body)
        self.assertEqual(message["header_only"], kind == "H", what)
        self.assertRegex(message["digest"], "^[0-9a-f]{64}$", what)
        self.assertLessEqual(len(message["text"].encode()), 1 << 20, what)
        self.assertLess(len(body), 8 << 20, what)
        if not SANITIZED:
            self.assertLess(seconds, MAX_S, what)
            self.assertLess(self.helper.peak_kb(), MAX_KB, what)
        return message


@unittest.skipUnless(os.path.isdir(CORPORA), "SKIPPED: no collected mail at %s (set HELPLINE_CORPORA)" % CORPORA)
class Corpora(Case):
    def test_every_mail(self):
        n, slowest, header_only = 0, (0, ""), 0
        for path in collected():
            kind, body, seconds = self.helper.job("P", path, account="support@b.example")
            self.check(path, kind, body, seconds)
            slowest = max(slowest, (seconds, path))
            header_only += kind == "H"
            n += 1
        self.assertGreater(n, 1000 // SHARE)
        print("\n%d mails, %d header-only, slowest %.0f ms, helper's peak %.1f MB" %
              (n, header_only, slowest[0] * 1000, self.helper.peak_kb() / 1024), file=sys.stderr)

    def test_every_header_alone(self):
        for path in collected():
            kind, body, seconds = self.helper.job("R", path, account="a")
            self.check(path, kind, body, seconds, "H")

    def test_every_attachment_can_be_cut_out(self):
        n = 0
        for path in collected():
            _, body, _ = self.helper.job("P", path)
            for a in json.loads(body)["attachments"][:20]:
                kind, data, _ = self.helper.job("C", path, part=a["part"])
                self.assertEqual(kind, "B", path)
                self.assertEqual(len(data), min(a["size"], 4 << 20), path)
                if a["size"] <= 4 << 20:
                    self.assertEqual(hashlib.sha256(data).hexdigest(), a["sha256"], path)
                n += 1
        self.assertGreater(n, 200 // SHARE)


TOP = b"From: a@a.example\r\nTo: b@b.example\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
MIXED = TOP + b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"
HTML = TOP + b"Content-Type: text/html; charset=utf-8\r\n\r\n"


def nested(n):
    yield TOP + b"Content-Type: multipart/mixed; boundary=b0\r\n\r\n"
    for i in range(n):
        yield b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (i, i + 1)
    yield b"--b%d\r\n\r\nhello\r\n" % n


def alternatives(n, text):
    yield TOP + b"Content-Type: multipart/alternative; boundary=b0\r\n\r\n"
    for i in range(n):
        yield b"--b%d\r\nContent-Type: text/html; charset=utf-8\r\n\r\n%s\r\n" % (i, text)
        yield b"--b%d\r\nContent-Type: multipart/alternative; boundary=b%d\r\n\r\n" % (i, i + 1)


def tnef_attribute(level, number, data):
    return bytes([level]) + struct.pack("<HHI", number, 6, len(data)) + data + struct.pack("<H", sum(data) & 0xffff)


def tnef_properties(*values):
    """MAPI properties of (type, number, bytes)."""
    one = (struct.pack("<HHII", t, n, 1, len(v)) + v + bytes(-len(v) % 4) for t, n, v in values)
    return struct.pack("<I", len(values)) + b"".join(one)


def tnef(*attributes):
    return b"\x78\x9f\x3e\x22\x01\x00" + b"".join(attributes)


def tnef_nested(levels):
    inner = tnef(tnef_attribute(1, 0x800c, b"deep\0"))
    for _ in range(levels):
        iid = bytes.fromhex("0703020000000000c000000000000046")
        inner = tnef(tnef_attribute(2, 0x9002, b""), tnef_attribute(2, 0x9005, tnef_properties((13, 0x3701, iid + inner))))
    return inner


def rtf_packed():
    """LZFu of 3 MB that says 17 times as much: every reference is as long as it can be."""
    return tnef(tnef_attribute(1, 0x9003, tnef_properties(
        (258, 0x1009, struct.pack("<II4sI", 3 << 20, 1 << 31, b"LZFu", 0) + b"\xff" + b"\x00\x0f" * 8 +
         (b"\xff" + b"\x01\x0f" * 8) * 180000))))


def winmail(data):
    return (TOP + b"Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
            base64.encodebytes(data).replace(b"\n", b"\r\n"))


UU_LINE = b"M" + b"0V%T" * 15 + b"\r\n"

BOMBS = {  # name: (expected answer, mail)
    "a million headers": ("H", lambda: TOP + b"X: y\r\n" * 1000000 + b"\r\nbody"),
    "20 MB of subject": ("H", lambda: b"Subject: " + b"a" * 20000000 + b"\r\n\r\nbody"),
    "a subject of folds": ("H", lambda: TOP + b"Subject:" + b" \r\n" * 60000 + b"\r\nbody"),
    "200,000 parts": ("H", lambda: MIXED + b"--x\r\n\r\n" * 200000),
    "200,000 parts, disguised": ("H", lambda: MIXED.replace(b"boundary=x", b"boundary*=x") + b"--x\r\n\r\n" * 200000),
    "999 parts": ("M", lambda: MIXED + b"--x\r\nContent-Type: image/png; name=a\r\n\r\nabc\r\n" * 999),
    "100,000 levels": ("H", lambda: b"".join(nested(100000))),
    "190 levels": ("M", lambda: b"".join(nested(190))),
    "100,000 messages in messages": ("H", lambda: TOP + b"Content-Type: message/rfc822\r\n\r\n" * 100000),
    "190 messages in messages": ("M", lambda: TOP + b"Content-Type: message/rfc822\r\n\r\n" * 190),
    "a million headers in a part": ("H", lambda: MIXED + b"--x\r\n" + b"X: y\r\n" * 1000000),
    "junk between them": ("H", lambda: MIXED + b"--x\r\n" + b"junk\r\nX: y\r\n" * 1000000),
    "only junk": ("M", lambda: MIXED + b"--x\r\n" + b"junk junk junk\r\n" * 1500000),
    "a million headers in a digest": ("H", lambda: MIXED.replace(b"mixed", b"digest") + b"--x\r\n\r\n" + b"X: y\r\n" * 1000000),
    "1 MB of spaces": ("M", lambda: TOP + b"\r\n" + b" " * 1000000),
    "25 MB of text": ("M", lambda: (TOP + b"\r\n" + b"hello world\r\n" * 2100000)[:25 << 20]),
    "more than 25 MB": ("H", lambda: TOP + b"\r\n" + b"x" * ((25 << 20) + 1)),
    "24 MB of koi8-r": ("M", lambda: TOP + b"Content-Type: text/plain; charset=koi8-r\r\n\r\n" + "привет мир\r\n".encode("koi8-r") * 2000000),
    "24 MB of html": ("M", lambda: HTML + b"<p>hello <b>x</b> &amp; <a href=\"http://x.example/\">x</a></p>\r\n" * 370000),
    "a million divs": ("M", lambda: HTML + b"<div>" * 1000000),
    "quotes never closed": ("M", lambda: HTML + b"<a b=\"" * 1000000),
    "600,000 attributes": ("M", lambda: HTML + b"<a " + b"x=\"y\" " * 600000 + b">foo"),
    "comments never closed": ("M", lambda: HTML + b"<!--" * 1000000),
    "scripts never closed": ("M", lambda: HTML + b"<script>" * 500000),
    "alternatives in alternatives": ("M", lambda: b"".join(alternatives(18, "привет мир\r\n".encode() * 60000))),
    "an attachment of 17 MB": ("M", lambda: MIXED + b"--x\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(random.Random(1).randbytes(17500000)).replace(b"\n", b"\r\n")),
    "a message of 24 MB within": ("M", lambda: TOP + b"Content-Type: message/rfc822\r\n\r\n" + TOP + b"\r\n" + b"hello world\r\n" * 1800000),
    "100,000 names without an address": ("M", lambda: b"From: " + b"a," * 100000 + b"\r\n\r\nx"),
    "4,900 names in a message within": ("M", lambda: TOP + b"Content-Type: message/rfc822\r\n\r\nTo: " + b"a," * 4900 + b"\r\n\r\nx"),
    "brackets never closed": ("M", lambda: b"From: " + b"<" * 60000 + b"\r\nTo: " + b"(" * 60000 + b"\r\nCc: " + b"<a@," * 30000 + b"\r\n\r\nx"),
    "18,000 encoded words": ("M", lambda: b"Subject: " + b"=?a?b?=?a?q?" * 18000 + b"\r\n\r\nx"),
    "50,000 parameters": ("M", lambda: TOP + b"Content-Type: text/plain; " + b"a=b; " * 50000 + b"\r\n\r\nx"),
    "17,000 pieces of a name": ("M", lambda: TOP + b"Content-Type: text/plain; " + b"".join(b"name*%d=b; " % i for i in range(17000)) + b"\r\n\r\nx"),
    "tnef of 17 MB": ("M", lambda: winmail(tnef(tnef_attribute(2, 0x9002, b""), tnef_attribute(2, 0x800f, bytes(17000000))))),
    "100,000 files in a tnef": ("M", lambda: winmail(tnef(*[tnef_attribute(2, 0x9002, b"")] * 100000))),
    "40 messages in a tnef": ("M", lambda: winmail(tnef_nested(40))),
    "a packed rtf that unpacks": ("M", lambda: winmail(rtf_packed())),
    "groups of an rtf": ("M", lambda: winmail(tnef(tnef_attribute(1, 0x9003, tnef_properties(
        (258, 0x1009, struct.pack("<II4sI", 4000012, 4000000, b"MELA", 0) + b"{\\a{" * 1000000)))))),
    "a uuencoded file of 17 MB": ("M", lambda: TOP + b"\r\nbegin 644 a\r\n" + UU_LINE * 380000 + b"end\r\n"),
    "100,000 uuencoded files": ("M", lambda: TOP + b"\r\n" + (b"begin 644 a\r\n" + UU_LINE) * 100000),
    "uuencode that never is": ("M", lambda: TOP + b"\r\n" + b"begin 644 a\r\n\r\n" * 1000000),
    "20 MB of base64 junk": ("M", lambda: TOP + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"AA=\r\n=A! " * 2000000),
    "boundaries never declared": ("M", lambda: b"".join(
        [TOP, b"Content-Type: multipart/mixed\r\n\r\n"] +
        [b"--b%d\r\nContent-Type: multipart/mixed\r\n\r\n" % i for i in range(40)] + [b"--\r\nhello\r\n" * 2000000])),
    "a mail full of pgp": ("M", lambda: TOP + b"\r\n" + b"-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: a\r\n\r\n- a\r\n" * 60000),
    "empty": ("M", lambda: b""),
    "zeros": ("M", lambda: bytes(1000000)),
    "every byte": ("M", lambda: bytes(range(256)) * 1000),
    "a log with dashes": ("M", lambda: MIXED + b"--x\r\nContent-Type: text/plain\r\n\r\n" + b"-- select 1\r\n--foo\r\n10:00 foo\r\n" * 50000 + b"--x--\r\n"),
}


class Bombs(Case):
    def test_bombs(self):
        for name, (want, make) in BOMBS.items():
            with self.subTest(name):
                path = self.file(make())
                kind, body, seconds = self.helper.job("P", path, account="a")
                message = self.check(name, kind, body, seconds, want)
                if kind == "H":
                    self.assertIn("allowed are", message["why"])

    def test_header_of_a_bomb(self):
        path = self.file(TOP + b"X: y\r\n" * 3000 + b"\r\nbody")
        kind, body, _ = self.helper.job("R", path)
        message = self.check("R", kind, body, 0, "H")
        self.assertEqual(message["subject"], "x")
        self.assertEqual(message["from"]["address"], "a@a.example")


class Frames(Case):
    def test_place_in_a_file(self):
        mails = [TOP + b"\r\nmail number %d" % i for i in range(300)]
        path = self.file(b"".join(mails))
        for i in (0, 1, 150, 299):
            offset = sum(map(len, mails[:i]))
            kind, body, _ = self.helper.job("P", path, offset=offset, length=len(mails[i]), account="a")
            self.assertEqual(kind, "M")
            self.assertEqual(json.loads(body)["text"], "mail number %d" % i)
            self.assertEqual(json.loads(body)["account"], "a")

    def test_the_file_keeps_its_offset_and_bytes(self):
        data = b"From: a@a.example\rSubject: cr only\r\rtext\r"
        path = self.file(data)
        _, body, _ = self.helper.job("P", path)
        self.assertEqual(json.loads(body)["text"], "text")
        with open(path, "rb") as f:
            self.assertEqual(f.read(), data)

    def test_refusals(self):
        path = self.file(b"From: a@a.example\r\n\r\ntext")
        for kind, where, members, words in (
                ("P", None, {}, "without a file"),
                ("P", path, {"offset": 1000}, "behind the end"),
                ("P", path, {"offset": 1, "length": 1000}, "behind the end"),
                ("Z", path, {}, "no job of type"),
                ("C", path, {"part": "7"}, "no part 7"),
                ("C", path, {}, "no part")):
            answer, body, _ = self.helper.job(kind, where, **members)
            self.assertEqual(answer, "E")
            self.assertIn(words, body.decode())
        self.helper.socket.sendall(struct.pack(">IB", 3, ord("P")) + b"{]}")
        self.helper._next(BEGUN)
        self.assertEqual(self.helper._next()[0], ord("E"))

    def test_windows_of_a_part(self):
        data = random.Random(2).randbytes(100000)
        path = self.file(MIXED + b"--x\r\n\r\nhi\r\n--x\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                         + base64.encodebytes(data) + b"\r\n--x--\r\n")
        got = b""
        while True:
            kind, piece, _ = self.helper.job("C", path, part="2", **{"from": len(got)}, count=30000)
            self.assertEqual(kind, "B")
            if not piece:
                break
            got += piece
        self.assertEqual(got, data)

    def test_ends_with_the_daemon(self):
        self.assertEqual(self.helper.close(), 0)

    @unittest.skipIf(SANITIZED, "a sanitizer needs its own system calls")
    def test_is_locked_in(self):
        with open("/proc/%d/status" % self.helper.process.pid) as f:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
        self.assertEqual(status["Seccomp"], "2")
        self.assertEqual(status["NoNewPrivs"], "1")


if __name__ == "__main__":
    unittest.main(verbosity=1)
