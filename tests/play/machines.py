"""Who wrote it: machines move nothing and are never answered; a person whose mail some system has
marked moves his ticket all the same; thanks reopen nothing; which of it the rules can name."""
# run: release asan
import unittest

from desk import Desk, mail, wait_for

RULES = """
shelve when kind is list report
tag german when language is de
"""
IVAN = "ivan@customer.example"
DELAYED = b"""From: MAILER-DAEMON@mx.example\r
To: support@desk.example\r
Subject: Warning: could not send message for past 4 hours\r
Message-ID: <delay-7@mx.example>\r
Auto-Submitted: auto-generated (warning-timeout)\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=delivery-status; boundary=b\r
\r
--b\r
\r
It is tried again until tomorrow.\r
--b\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; mx.example\r
\r
Final-Recipient: rfc822; %s\r
Action: delayed\r
Status: 4.4.7\r
\r
--b\r
Content-Type: text/rfc822-headers\r
\r
From: support@desk.example\r
To: %s\r
Message-ID: %s\r
Subject: Printer\r
\r
--b--\r
"""


class Machines(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.d = Desk(rules=RULES)
        cls.a = cls.d.admin()

    @classmethod
    def tearDownClass(cls):
        cls.d.fsck()
        cls.a.close()
        cls.d.__exit__(None, None, None)

    def come(self, sender=IVAN, envelope=None, raw=None, **more):
        """What became of a mail: its ticket's document and its message."""
        before = {t["id"]: t["n_messages"] for t in self.all()}
        self.d.deliver(raw or mail(sender=sender, **more), sender=sender if envelope is None else envelope)
        def there():
            return [t["id"] for t in self.all() if t["n_messages"] != before.get(t["id"], 0)]
        doc = self.d.show(self.a, wait_for(there, what="filed")[0])
        return doc, doc["messages"][-1]

    def all(self):
        return self.d.list() + self.d.list("STATE", "resolved")

    def answered(self, name):
        """A ticket of Ivan's that was answered and waits for him: its id, the answer's Message-ID."""
        sender = "%s@customer.example" % name
        doc, m = self.come(sender=sender, subject="Printer of " + name)
        self.assertEqual(("message", ""), (m["kind"], m["machine"]))
        self.d.sink.wait(1, what=lambda x: x["To"] and sender in x["To"])
        with self.d.agent("anna", ready=False) as anna:
            anna("TAKE", doc["id"])
            anna("REPLY", doc["id"], "Switch it on, %s." % name)
        answer = self.d.sink.wait(1, what=lambda x: "Switch it on, %s." % name in x.get_content())[0]
        self.assertEqual("waiting", self.state(doc["id"]))
        return doc["id"], answer["Message-ID"], sender

    def state(self, t):
        return self.d.show(self.a, t)["state"]

    def test_automatic_replies(self):
        t, ours, sender = self.answered("away")
        n = len(self.d.sink.mails)
        kinds = (
            ("", "Automatic reply: [#%s] Printer" % t, "I am out of the office until Monday.",
             [("X-Auto-Response-Suppress", "All"), ("Auto-Submitted", "auto-generated")]),
            (sender, "Re: Printer", "I'm only sleeping.", [("X-Apple-Action", "VACATION")]),
            (sender, "Away Re: Printer", "Back on Monday.", [("Precedence", "bulk"), ("X-Autoreply", "yes")]),
            (sender, "Автоответ: Принтер", "Нахожусь в отпуске до пятницы.", []),
            (sender, "Abwesenheitsnotiz: Drucker", "Ich bin im Urlaub.", []),
        )
        for envelope, subject, text, headers in kinds:
            with self.subTest(subject):
                doc, m = self.come(sender=sender, envelope=envelope, subject=subject, text=text, headers=headers, reply_to=ours)
                self.assertEqual((t, "waiting", "auto-reply"), (doc["id"], doc["state"], m["kind"]))
                self.assertTrue(m["machine"])
        self.assertEqual(n, len(self.d.sink.mails), "and is never answered")

    def test_marked_people(self):
        t, ours, sender = self.answered("marked")
        for headers, envelope in (
                ([("Auto-Submitted", "auto-generated"), ("Precedence", "bulk"), ("X-JIRA-FingerPrint", "1")], sender),
                ([("X-Auto-Response-Suppress", "DR, RN, NRN, OOF, AutoReply")], sender),
                ([("List-Id", "<team.customer.example>"), ("Precedence", "list")], "team+bnc7@customer.example"),
                ([], "")):
            with self.subTest(headers):
                doc, m = self.come(sender=sender, envelope=envelope, subject="Re: [#%s] Printer" % t, headers=headers,
                                   text="It is on and still does not print.", reply_to=ours)
                self.assertEqual((t, "queued", "message"), (doc["id"], doc["state"], m["kind"]), "it moves its ticket")
                self.assertTrue(m["machine"], "and keeps the mark")
                with self.d.agent("anna", ready=False) as anna:
                    anna("TAKE", t)
                    anna("RESOLVE", t, "SEEN", doc["last_in"])

    def test_marked_new_ones_are_not_acknowledged(self):
        n = len(self.d.sink.mails)
        for i, (sender, headers) in enumerate((
                ("noreply@shop.example", []),
                ("anna@firma.example", [("Auto-Submitted", "auto-generated")]),
                ("boris@firma.example", [("Feedback-ID", "1:2:3:crm")]),
                ("clara@firma.example", [("X-Spam-Flag", "YES")]),
                ("daria@firma.example", [("Resent-From", "boss@firma.example")]))):
            doc, m = self.come(sender=sender, subject="Marked %d" % i, headers=headers)
            self.assertEqual("queued", doc["state"])
            self.assertTrue(m["machine"])
        self.come(sender="last@firma.example", subject="The last")
        self.d.sink.wait(n + 1)
        self.assertEqual(["last@firma.example"], [m["To"] for m in self.d.sink.mails[n:]
                                                  if "firma" in m["To"] or "shop" in m["To"]])

    def test_thanks(self):
        t, ours, sender = self.answered("thankful")
        doc, m = self.come(sender=sender, subject="Re: Printer", text="Большое спасибо, всё заработало!\n", reply_to=ours)
        self.assertEqual((t, "waiting", "thanks"), (doc["id"], doc["state"], m["kind"]))
        self.assertEqual("OK", self.a("RESOLVE", t, "SEEN", doc["last_in"]))
        doc, m = self.come(sender=sender, subject="Re: Printer", text="👍", reply_to=ours)
        self.assertEqual(("resolved", "thanks"), (doc["state"], m["kind"]))
        doc, m = self.come(sender=sender, subject="Re: Printer", text="Thanks, but it stopped again", reply_to=ours)
        self.assertEqual(("queued", "message"), (doc["state"], m["kind"]))
        doc, m = self.come(sender="new@thankful.example", subject="Re: yesterday", text="Спасибо!",
                           reply_to="<nobody@knows.example>")
        self.assertEqual(("queued", "thanks", 1), (doc["state"], m["kind"], doc["n_messages"]), "of no ticket: a new one")

    def test_lists_and_reports(self):
        doc, m = self.come(sender="poster@list.example", envelope="users-bounces@list.example", subject="[users] Printer",
                           to="users@list.example",
                           headers=[("List-Id", "<users.list.example>"), ("List-Post", "<mailto:users@list.example>")])
        self.assertEqual(("resolved", "list"), (doc["state"], m["kind"]), "shelved by its kind")
        doc, m = self.come(sender="poster@list.example", envelope="users-bounces@list.example", subject="To the desk",
                           headers=[("List-Id", "<users.list.example>"), ("List-Post", "<mailto:users@list.example>")])
        self.assertEqual(("queued", "message"), (doc["state"], m["kind"]), "a person who writes to us through a list")

    def test_reports(self):
        t, ours, sender = self.answered("slow")
        doc, m = self.come(envelope="", raw=DELAYED % (sender.encode(), sender.encode(), ours.encode()))
        self.assertEqual((t, "waiting", "report"), (doc["id"], doc["state"], m["kind"]))
        doc, m = self.come(sender=sender, subject="Fwd: Warning: could not send message", reply_to=ours,
                           text="I have got this, what does it mean?\n\n> The mail could not be delivered to ann@host.example\n")
        self.assertEqual((t, "queued", "message"), (doc["id"], doc["state"], m["kind"]), "who asks about one is a person")

    def test_our_own_mail(self):
        t, ours, sender = self.answered("own")
        own = next(m for m in self.d.sink.mails if m["Message-ID"] == ours)
        doc, m = self.come(sender="support@desk.example", subject=own["Subject"], text="Switch it on, own.",
                           message_id=ours, headers=[("X-Helpline-Kind", "message"), ("X-Helpline-Ticket", t)])
        self.assertEqual((t, "waiting", "auto-reply", "our own mail"), (doc["id"], doc["state"], m["kind"], m["machine"]))

    def test_headers_of_ours_from_outside(self):
        t, ours, sender = self.answered("control")
        doc, m = self.come(sender="stranger@other.example", subject="Mine",
                           headers=[("X-Helpline-Ticket", t), ("X-Helpline-Kind", "thanks")])
        self.assertNotEqual(t, doc["id"])
        self.assertEqual("message", m["kind"])

    def test_languages(self):
        doc, m = self.come(sender="hans@firma.example", subject="Drucker",
                           text="Guten Tag, unser Drucker druckt seit gestern nicht mehr. Können Sie bitte helfen?\n")
        self.assertEqual(("de", ["german"]), (m["language"], doc["tags"]))
        ack = self.d.sink.wait(1, what=lambda x: "hans@firma.example" in x["To"])[0]
        self.assertEqual("en", ack["Content-Language"], "the desk's first language")


if __name__ == "__main__":
    unittest.main()
