"""Every document of the protocol has its JSON Schema in docs/schema, and keeps to it: all
members that are promised are there, and none is there that the schema does not name."""
# run: release
import json
import os
import re
import unittest

from desk import ROOT, Desk, mail, wait_for

TYPES = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict, "null": type(None),
         "number": (int, float)}


def schema(name):
    with open(os.path.join(ROOT, "docs/schema", name + ".json"), encoding="utf-8") as f:
        return json.load(f)


def wrong(value, s, at=""):
    """What is wrong with the value, one line each."""
    kinds = s.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if not any(isinstance(value, TYPES[k]) and not (isinstance(value, bool) and k in ("integer", "number")) for k in kinds):
        return ["%s: %r is no %s" % (at, value, "/".join(kinds))]
    out = []
    if "enum" in s and value is not None and value not in s["enum"]:
        out.append("%s: %r is none of %s" % (at, value, s["enum"]))
    if isinstance(value, str) and "pattern" in s and not re.search(s["pattern"], value):
        out.append("%s: %r is not of the form %s" % (at, value, s["pattern"]))
    if isinstance(value, (int, float)) and not s.get("minimum", value) <= value <= s.get("maximum", value):
        out.append("%s: %r is out of range" % (at, value))
    if isinstance(value, list):
        for i, v in enumerate(value):
            out += wrong(v, s["items"], "%s[%d]" % (at, i))
    if isinstance(value, dict):
        out += ["%s.%s: is missing" % (at, k) for k in s.get("required", []) if k not in value]
        for k, v in value.items():
            if k in s.get("properties", {}):
                out += wrong(v, s["properties"][k], at + "." + k)
            elif "additionalProperties" in s:
                out += wrong(v, s["additionalProperties"], at + "." + k)
            elif s.get("properties") is not None:
                out.append("%s.%s: is in no schema" % (at, k))
    return out


ATTACHED = (b"From: Ivan <ivan@customer.example>\r\nTo: support@desk.example\r\nSubject: VPN\r\n"
            b"Reply-To: other@customer.example\r\nCc: col@customer.example\r\n"
            b"Message-ID: <documents@customer.example>\r\nDate: Mon, 23 Nov 2026 10:00:00 +0300\r\n"
            b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
            b"--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n\r\n> quoted\r\n"
            b"--b\r\nContent-Type: text/plain; name=a.txt\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\n"
            b"attached\r\n--b--\r\n")


HTML = ("From: Ivan <ivan@customer.example>\r\nTo: support@desk.example\r\nSubject: VPN\r\n"
        "Message-ID: <html@customer.example>\r\nDate: Mon, 23 Nov 2026 10:00:00 +0300\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: multipart/related; boundary=c\r\n\r\n"
        "--c\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
        "<html><head><style>p{}</style></head><body onload=x()><script>alert(1)</script>"
        "<p style='position:fixed;color:red'>Здравствуйте <a href='javascript:x()'>x</a> "
        "<img src='cid:a%25b@x' alt='Схема'></p><img src=http://tracker.example/></body></html>\r\n"
        "--c\r\nContent-Type: image/png\r\nContent-ID: <a%b@x>\r\nContent-Disposition: inline; filename=a.png\r\n\r\n"
        "png\r\n--c--\r\n--b--\r\n").encode()


class Documents(unittest.TestCase):
    def keeps(self, name, document):
        self.assertEqual([], wrong(json.loads(document), schema(name)), name)

    def test_all(self):
        with Desk(live=False) as d:
            a, v = d.agent("anna"), d.admin()
            d.deliver(ATTACHED)
            self.keeps("summary", v("LIST")[1][0])
            for doc in a("RESERVE"):
                self.keeps("ticket", doc)
            self.keeps("summary", a("MINE")[0])
            self.keeps("stats", v("STATS"))
            a("NOTE", "1", "internal")
            a("REPLY", "1", "answer", "STATUS", "held")
            self.keeps("ticket", a("SHOW", "1"))
            self.keeps("why", v("WHY", "1"))
            a("RELEASE", "1", "DELAY", "1h", "NOTE", "later")
            self.keeps("ticket", v("SHOW", "1"))
            a("RESOLVE", "1")
            a("AWAY", "lunch")
            self.keeps("ticket", v("SHOW", "1"))
            self.keeps("why", v("WHY", "1", "anna"))
            for event in v("EVENTS", "AFTER", "0"):
                self.keeps("event", event)
            for token in v("TOKEN", "LIST"):
                self.keeps("token", token)
            cursor, entries = "0", []
            while cursor != "0" or not entries:
                cursor, page = v("OUTBOX", "LIST", "AFTER", cursor)
                entries += page
            for entry in entries:
                self.keeps("outbox", entry)
                self.keeps("outbox", v("OUTBOX", "SHOW", json.loads(entry)["id"]))
            self.assertEqual(2, len(entries), "an acknowledgement and an answer")
            self.assertEqual(b"attached", a("BLOB", "1", "2").encode())
            self.assertEqual("tac", a("BLOB", "1.1", "2", "OFFSET", 2, "COUNT", 3))
            self.assertEqual("NOSUCH", a.raw("BLOB", "1", "9").code)

    def test_html(self):
        with Desk(live=False) as d:
            d.deliver(HTML)
            a = d.agent("anna")
            t = d.wait_reserve(a)["id"]
            html = a("BLOB", t, "html")
            self.assertEqual('<p style="color:red">Здравствуйте <a>x</a> <img src="cid:1.2" alt="Схема"></p>', html)
            self.assertEqual(html.encode()[3:9].decode(), a("BLOB", t + ".1", "html", "OFFSET", 3, "COUNT", 6))
            self.assertEqual("", a("BLOB", t, "html", "OFFSET", 5000))
            self.assertEqual(b"png", a("BLOB", t, "1.2").encode())
            d.deliver(ATTACHED)
            self.assertEqual("NOSUCH", a.raw("BLOB", d.wait_reserve(a)["id"], "html").code)
            self.assertEqual("BADARG", a.raw("BLOB", t, "htm").code)

    def test_outbox_drop(self):
        with Desk(live=False) as d:
            v = d.admin()
            d.deliver(mail())
            a = d.agent("anna")
            t = d.wait_reserve(a)["id"]
            m = a("REPLY", t, "never")
            entry = next(e for e in (json.loads(x) for x in self.entries(v)) if e["message"] == m)
            self.assertEqual("held", entry["state"])
            self.assertEqual("OK", v("OUTBOX", "DROP", entry["id"]))
            self.assertEqual("NOSUCH", v.raw("OUTBOX", "SHOW", entry["id"]).code)
            self.assertEqual("NOSUCH", v.raw("OUTBOX", "DROP", entry["id"]).code)
            told = Desk.show(v, t)["messages"][-1]["delivery"]
            self.assertEqual("refused", told[0]["state"])
            self.assertIn("dropped by unix:", told[0]["reply"])
            v("LIVE")
            wait_for(lambda: not self.entries(v) or all(json.loads(x)["kind"] == "ack" for x in self.entries(v)), 5)
            self.assertEqual([], [x for x in d.sink.mails if "never" in x.get_content()])

    @staticmethod
    def entries(v):
        out, cursor = [], None
        while cursor != "0":
            cursor, page = v("OUTBOX", "LIST", "AFTER", cursor or "0")
            out += page
        return out

    def test_quarantine(self):
        raw = mail(headers=[("X-%d" % i, "y" * 900) for i in range(400)])
        with Desk(live=False) as d:
            d.deliver(raw)
            v = d.admin()
            cursor, page = v("QUARANTINE", "LIST")
            if not page:
                self.skipTest("this mail is understood by now")
            self.keeps("quarantine", page[0])
            self.keeps("quarantine", v("QUARANTINE", "SHOW", json.loads(page[0])["id"]))
            self.keeps("ticket", v("SHOW", json.loads(page[0])["ticket"]))


if __name__ == "__main__":
    unittest.main()
