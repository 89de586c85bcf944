"""What an agent forwards to the desk is the mail of its first sender."""
# takes: 15
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from desk import AGENTS, RULES, Desk, mail, wait_for  # noqa: E402

ANNA = "Anna Kotova <anna@staff.example>"

INLINE = """FYI

---------- Forwarded message ---------
From: Petr Sidorov <petr@far.example>
Date: Mon, 23 Nov 2026 at 09:15
Subject: Printer on fire
To: Anna Kotova <anna@staff.example>


The printer on the second floor burns.
Please help.
"""

ATTACHED = (
    "From: " + ANNA + "\r\nTo: support@desk.example\r\nSubject: Fwd: Printer on fire\r\nMessage-ID: <fw%d@staff.example>\r\n"
    "Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n"
    "--B\r\nContent-Type: text/plain\r\n\r\nFor you.\r\n--B\r\nContent-Type: message/rfc822\r\n"
    "Content-Disposition: attachment; filename=\"Printer.eml\"\r\n\r\n"
    "From: Petr Sidorov <petr@far.example>\r\nTo: anna@staff.example\r\nSubject: Printer on fire\r\n"
    "Message-ID: <first@far.example>\r\nDate: Mon, 23 Nov 2026 09:15:00 +0000\r\nMIME-Version: 1.0\r\n"
    "Content-Type: text/plain\r\n\r\nThe printer burns.\r\n--B--\r\n")


class Forwarded(unittest.TestCase):
    def desk(self, options="", agents=True):
        text = AGENTS.replace('agent anna ', 'agent zoe { mail anna@staff.example }\nagent anna ', 1) if agents else AGENTS
        d = Desk(agents=text, rules=RULES, start=False)
        self.addCleanup(d.close)
        if options:
            d.write(d.text.replace("    smtp smtp", "    %s\n    smtp smtp" % options))
        d.start()
        return d

    def ticket(self, d, raw):
        d.deliver(raw)
        return d.wait_reserve(d.agent("anna"))

    def is_petrs(self, doc):
        self.assertEqual(doc["customer"]["emails"], ["petr@far.example"])
        self.assertEqual(doc["subject"], "Printer on fire")
        m = doc["messages"][0]
        self.assertEqual((m["from"]["name"], m["from"]["address"]), ("Petr Sidorov", "petr@far.example"))
        self.assertIn("anna@staff.example", next(n["text"] for n in m["notices"] if n["kind"] == "forwarded"))
        self.assertRegex(m["notices"][-1]["text"], "and wrote: (FYI|For you.)$")
        self.assertTrue(any(x["event"] == "forwarded" and x["who"] == "anna@staff.example" for x in doc["log"]))

    def test_in_the_text(self):
        d = self.desk()
        doc = self.ticket(d, mail(subject="Fwd: Printer on fire", text=INLINE, sender=ANNA))
        self.is_petrs(doc)
        self.assertIn("second floor", doc["messages"][0]["text"])
        anna = d.agent("anna")
        anna("REPLY", doc["id"], "Water it.")
        self.assertEqual([m.envelope_to for m in d.sink.wait(1)], [["petr@far.example"]])  # and no acknowledgement
        d.fsck()

    def test_attached_and_its_thread(self):
        d = self.desk()
        doc = self.ticket(d, (ATTACHED % 1).encode())
        self.is_petrs(doc)
        self.assertEqual(doc["messages"][0]["sent_at"], "2026-11-23T09:15:00.000Z")
        # he answers his own mail, to the desk now
        d.deliver(mail(subject="Re: Printer on fire", sender="petr@far.example", reply_to="<first@far.example>"))
        wait_for(lambda: d.show(d.agent("anna"), doc["id"])["n_messages"] == 2, 20, "it is on the same ticket")
        d.fsck()

    def test_acknowledged_when_told_so(self):
        d = self.desk("acknowledge-forwards")
        self.ticket(d, (ATTACHED % 2).encode())
        self.assertEqual(d.sink.wait(1)[0].envelope_to, ["petr@far.example"])
        d.fsck()

    def test_off_and_not_an_agent(self):
        d = self.desk("forwards no")
        doc = self.ticket(d, (ATTACHED % 3).encode())
        self.assertEqual(doc["customer"]["emails"], ["anna@staff.example"])
        d = self.desk(agents=False)
        doc = self.ticket(d, (ATTACHED % 4).encode())
        self.assertEqual(doc["customer"]["emails"], ["anna@staff.example"])
        self.assertEqual(doc["messages"][0]["forwarded"]["address"], "petr@far.example")
        d.fsck()

    def test_a_forwarder(self):
        d = self.desk("forwarders anna@staff.example", agents=False)
        self.is_petrs(self.ticket(d, (ATTACHED % 5).encode()))
        d.fsck()


if __name__ == "__main__":
    unittest.main()
