"""helpline explain: forms, calls and words, without a daemon, as their channels read them."""
# run: release asan
import json
import os
import shutil
import subprocess
import tempfile
import unittest

from desk import BUILD, ROOT

CONF = """
name "Test desk"
country 7
state "state"
skills network cameras
list machines noreply@machine.example
mail support@desk.example
form contact {
    field name    { required }
    field email   { type email; required }
    field product { choices Router Camera }
    field message { type text; required }
    field files   { type files }
    field consent { type consent; required; text "I agree." }
}
form other { field text { type text } }
phone office { push; ours 200 +78005553535 }
phone log { asterisk file "Master.csv"; answered ticket; missed ignore }
agent anna "Anna" { skills network:4 }
tag vpn when text contains VPN
need network:3 when tagged vpn
need cameras:1 when field product is Camera
priority high when call is missed
shelve when from in machines
"""
BODY = ('--AA\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n')


class Explain(unittest.TestCase):
    def setUp(self):
        os.makedirs(os.path.join(ROOT, "build", "tmp"), exist_ok=True)
        self.dir = tempfile.mkdtemp(prefix="x", dir=os.path.join(ROOT, "build", "tmp"))
        self.addCleanup(shutil.rmtree, self.dir)
        self.put("helpline.conf", CONF)

    def put(self, name, data):
        with open(os.path.join(self.dir, name), "wb") as f:
            f.write(data if isinstance(data, bytes) else data.encode())
        return name

    def explain(self, *words, code=0, stdin=None):
        p = subprocess.run([os.path.join(BUILD, "helpline"), "-c", "helpline.conf", "explain", *words], cwd=self.dir,
                           input=stdin, capture_output=True, timeout=60)
        out, err = p.stdout.decode(), p.stderr.decode()
        self.assertEqual(code, p.returncode, out + err)
        return out if code == 0 or out else err

    def json(self, *words, code=0):
        return json.loads(self.explain(*words, "--json", code=code))

    def test_words(self):
        d = self.json("channel=web", "form=contact", "field.email=a@b.example", "field.message=VPN dead", "field.product=Camera")
        self.assertEqual(({"network": 3, "cameras": 1}, "form"), (d["needs"], d["kind"]))
        self.assertTrue(d["makes_ticket"])
        self.assertEqual("call", self.json("call=missed", "phone=office", "number=8 495 123-45-67")["kind"])
        self.assertIn("+74951234567", self.explain("call=missed", "phone=office", "number=8 495 123-45-67"))
        self.assertEqual("high", self.json("call=missed", "phone=office", "number=+74951234567")["priority"])
        self.assertEqual(["vpn"], self.json("from=Ivan <ivan@a.example>", "subject=VPN")["tags"])
        self.assertIn("kept, and no agent", self.explain("from=noreply@machine.example", "text=x"))

    def test_calls_without_ticket(self):
        for words, said in ((("call=missed", "phone=office", "number=+74951234567", "duration=2"), "no ticket"),
                            (("call=answered", "phone=office", "number=+74951234567"), "note"),
                            (("call=missed", "phone=log", "number=+74951234567"), "missed ignore"),
                            (("call=answered", "direction=out", "phone=office", "number=+74951234567", "duration=60"), "callback")):
            with self.subTest(words=words):
                self.assertIn(said, self.explain(*words))
                self.assertFalse(self.json(*words)["makes_ticket"])
        self.assertTrue(self.json("call=answered", "phone=log", "number=+74951234567")["makes_ticket"])

    def test_wrong_words(self):
        for words, said in ((("frm=x",), "unknown word 'frm='"), (("call=lost", "phone=log"), "missed or answered"),
                            (("form=contact", "field.nope=1"), "it has name email"), (("form=nope",), "no form 'nope'"),
                            (("field.name=1",), "--form contact"), (("call=missed",), "--phone office"),
                            (("call=missed", "form=contact"), "different channels"), (("subject=a", "subject=b"), "twice"),
                            (("channel=fax",), "email, web or phone"), (("nofile",), "cannot read nofile")):
            with self.subTest(words=words):
                self.assertIn(said, self.explain(*words, code=2))

    def test_bodies(self):
        url = "name=Ivan&email=i%40a.example&message=VPN+is+dead&consent=on"
        multi = "".join(BODY % kv for kv in (("name", "Ivan"), ("email", "i@a.example"), ("message", "VPN"), ("consent", "on")))
        multi += ('--AA\r\nContent-Disposition: form-data; name="files"; filename="C:\\dir\\a.txt"\r\n'
                  "Content-Type: text/plain\r\n\r\nhello\r\n--AA--\r\n")
        as_json = '{"name": "Ivan", "email": "i@a.example", "message": "VPN", "consent": true}'
        for data in (url, url + "\n", multi, as_json):
            self.assertEqual({"network": 3}, self.json(self.put("f", data), "--form", "contact")["needs"], data)
        head = "Content-Type: multipart/form-data; boundary=AA\r\n"
        for data in ("POST /f/contact HTTP/1.1\r\nHost: x\r\n" + head + "\r\n" + multi, head + "\r\n" + multi):
            said = self.explain(self.put("f", data), *(() if "POST" in data else ("--form", "contact")))
            self.assertIn("attached     a.txt (text/plain, 5 bytes)", said)
        self.assertIn("422", self.explain(self.put("f", "name=Ivan"), "--form", "contact", code=1))
        self.assertIn("which one", self.explain(self.put("f", head + "\r\n" + multi), code=2))
        self.explain(self.put("f", head + "\r\n" + multi[:60]), "--form", "contact", code=1)
        self.explain(self.put("f", ""), "--form", "contact", code=1)

    def test_records(self):
        record = {"id": "c1", "from": "+74951112233", "to": "+78005553535", "direction": "in", "result": "missed",
                  "duration_s": 12, "started_at": "2026-11-24T10:00:00Z"}
        self.assertEqual("high", self.json(self.put("p", json.dumps(record)), "--phone", "office")["priority"])
        row = ('"","+74951112233","200","in","""Ivan"" <+74951112233>","SIP/x-%d","SIP/200-1","Dial","SIP/200","2026-11-24 10:00:00",'
               '"","2026-11-24 10:00:20",20,0,"NO ANSWER","DOCUMENTATION","1732442400.%d",""\n')
        said = self.explain(self.put("p", row % (1, 1)), "--phone", "office")
        self.assertIn("from         Ivan, +74951112233", said)
        self.assertIn("in, missed, 20 s", said)
        self.assertIn("1 further rows are of other calls", self.explain(self.put("p", row % (1, 1) + row % (2, 2)), "--phone", "office"))
        self.explain(self.put("p", row % (1, 1)), "--phone", "nope", code=2)
        self.explain(self.put("p", "garbage"), "--phone", "log", code=1)

    def test_a_mail_with_its_evidence(self):
        self.put("m.eml", (
            "From: =?koi8-r?B?6dfBzg==?= <ivan@customer.example>\r\nTo: support@desk.example\r\nSubject: VPN\r\n"
            "Date: Mon, 23 Nov 2026 10:00:00 +0300\r\nMessage-ID: <a@b>\r\nMIME-Version: 1.0\r\n"
            "In-Reply-To: <t1042.e57.aabcdefghijklmnop@desk.example>\r\n"
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nIt is dead\x1b[2J.\r\n\r\n"
            "On Mon, Anna <support@desk.example> wrote:\r\n> one\r\n> two\r\n"
            "--b\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment\r\n\r\nabc\r\n--b--\r\n"))
        out = self.explain("m.eml")
        head = out[:out.index("\nroute ")]
        for words in ("from         Иван <ivan@customer.example>", "date         2026-11-23T07:00:00.000Z",
                      "acknowledged yes", "thread       ticket 1042 by In-Reply-To", "new          It is dead",
                      "lines of quotes and signatures left out", "  structure  text/plain: part 1",
                      "  kind       message", "attached     2: a.pdf"):
            self.assertIn(words, head)
        self.assertEqual([], [x for x in head.split("\n") if len(x) > 80])
        self.assertNotIn("\x1b", out)
        d = self.json("m.eml")
        self.assertEqual((d["acknowledged"], d["from"], d["new_text"].startswith("It is dead")),
                         (True, "ivan@customer.example", True))
        self.assertIn("trim", [f[0] for f in d["findings"]])
        self.assertEqual(3, len(d["findings"][0]))

    def test_a_report(self):
        self.put("m.eml", (
            "From: MAILER-DAEMON@mx.example\r\nTo: support@desk.example\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
            "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
            "Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; ivan@customer.example\r\nAction: failed\r\n"
            "Status: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 no such user\r\n\r\n"
            "--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <t7.e9.aabcdefghijklmnop@desk.example>\r\n"
            "Subject: [#7] Re: VPN\r\n\r\n--b--\r\n"))
        out = self.explain("m.eml")
        for words in ("report       failure", "  recipient  ivan@customer.example: failed 5.1.1 for good",
                      "thread       ticket 7 by the returned mail", "(entry 9)", "acknowledged no: "):
            self.assertIn(words, " ".join(out.split("\n             ")) if "entry" in words else out)
        d = self.json("m.eml")
        self.assertEqual(("bounce", False), (d["kind"], d["acknowledged"]))
        self.assertEqual([("ivan@customer.example", "5.1.1", True)],
                         [(x["address"], x["status"], x["permanent"]) for x in d["failed_recipients"]])

    def test_a_forward(self):
        self.put("helpline.conf", CONF.replace('{ skills network:4 }', '{ skills network:4; mail anna@staff.example }'))
        self.put("m.eml", (
            "From: Anna <anna@staff.example>\r\nTo: support@desk.example\r\nSubject: Fwd: Fire\r\nMIME-Version: 1.0\r\n"
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
            "From: petr@far.example\r\nSubject: Fire\r\n\r\nIt burns.\r\n--b--\r\n"))
        d = self.json("m.eml")
        self.assertEqual(("petr@far.example", "anna@staff.example", "Fire", False),
                         (d["from"], d["forwarded_by"], d["subject"], d["acknowledged"]))

if __name__ == "__main__":
    unittest.main()
