"""An answer that had left comes back: the real mail systems' reports on the tickets of their mails."""
# takes: 25
import email.utils
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from desk import AGENTS, RULES, Desk, mail, wait_for  # noqa: E402
from outbox import delivery, empty, entries, one_entry  # noqa: E402

IVAN = "ivan@customer.example"
QUIET = RULES + "acknowledge none\n"


def dsn(returned, recipients, subject="Undelivered Mail Returned to Sender", text=None):
    """RFC 3464: recipients: (address, action, status, diagnostic). returned: header lines."""
    blocks = "".join("\r\nFinal-Recipient: rfc822; %s\r\nAction: %s\r\nStatus: %s\r\n%s" % (
        a, action, status, "Diagnostic-Code: smtp; %s\r\n" % said if said else "")
        for a, action, status, said in recipients)
    text = text or "I'm sorry to have to inform you that your message could not be delivered."
    return (
        "From: MAILER-DAEMON@mx.customer.example (Mail Delivery System)\r\nTo: support@desk.example\r\n"
        "Subject: %s\r\nDate: %s\r\nMessage-ID: %s\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=\"B1\"\r\n\r\n"
        "--B1\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n%s\r\n\r\n"
        "--B1\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.customer.example\r\nArrival-Date: %s\r\n%s\r\n"
        "--B1\r\nContent-Type: text/rfc822-headers\r\n\r\n%s\r\n--B1--\r\n"
        % (subject, email.utils.formatdate(), email.utils.make_msgid(), text, email.utils.formatdate(), blocks,
           returned)).encode()


def header_of(m):
    """The header of a mail of ours as a mail system returns it."""
    return "".join("%s: %s\r\n" % (k, " ".join(v.split())) for k, v in m.items()
                   if k in ("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To"))


FAILED = [(IVAN, "failed", "5.1.1", "550 5.1.1 no such user here")]


class Bounced(unittest.TestCase):
    def desk(self, **more):
        d = Desk(agents=AGENTS, rules=more.pop("rules", QUIET), **more)
        self.addCleanup(d.close)
        return d

    def answered(self, d, options=(), **letter):
        """anna, her ticket, her answer's id, and the mail that left."""
        anna = d.agent("anna")
        d.deliver(mail(**{"subject": "VPN", **letter}))
        doc = d.wait_reserve(anna)
        message = anna("REPLY", doc["id"], "Restart it.", *options)
        m = d.sink.wait(1)[0]
        empty(d)
        return anna, doc["id"], message, m

    def report(self, d, raw):
        d.deliver(raw, sender="")

    def refused(self, d, agent, ticket, message):
        return wait_for(lambda: next((x for x in delivery(d, agent, ticket, message) if x["state"] == "refused"), None),
                        20, "the answer is refused")

    def test_address_with_a_quote(self):
        d = self.desk()
        odd = 'a"b\\c@customer.example'
        anna, ticket, message, m = self.answered(d, sender="<%s>" % odd)
        self.report(d, dsn(header_of(m), [(odd, "failed", "5.1.1", "550 5.1.1 no such user here")]))
        self.assertEqual(self.refused(d, anna, ticket, message)["address"], odd)
        self.assertEqual(one_entry(d, "dead")["to"], [odd])
        d.cmd("OUTBOX", "RETRY", one_entry(d, "dead")["id"])
        wait_for(lambda: len(d.sink.mails) == 2, 20, "it leaves once more")
        empty(d)
        self.assertEqual([x["state"] for x in delivery(d, anna, ticket, message)], ["sent"])
        d.fsck()

    def test_refused_after_it_had_left(self):
        d = self.desk()
        anna, ticket, message, m = self.answered(d)
        n = len(d.sink.mails)
        self.report(d, dsn(header_of(m), FAILED))
        told = self.refused(d, anna, ticket, message)
        self.assertEqual((told["address"], told["report"]), (IVAN, ticket + ".3"))
        self.assertIn("no such user here", told["reply"])
        e = one_entry(d, "dead")
        self.assertEqual((e["ticket"], e["message"], e["kind"], e["to"]), (ticket, message, "reply", [IVAN]))
        self.assertIn("no such user here", e["last"])
        doc = d.show(anna, ticket)
        self.assertEqual(doc["state"], "waiting")  # a machine's mail moves nothing
        mark = doc["customer"]["refused"][0]
        self.assertEqual((mark["address"], mark["status"], mark["permanent"]), (IVAN, "5.1.1", True))
        self.assertTrue(any(x["event"] == "refused" for x in doc["log"]))
        bounce = doc["messages"][-1]
        self.assertEqual(bounce["kind"], "bounce")
        self.assertEqual([(x["address"], x["status"], x["permanent"]) for x in bounce["failed_recipients"]],
                         [(IVAN, "5.1.1", True)])
        d.wait_log("UNDELIVERED ticket=%s entry=%s " % (ticket, e["id"]))
        # the agent reads it before he answers, the administrator in his list
        shown = d.tool("--agent", "anna", "show", ticket, check=False)
        if shown.returncode == 0:
            self.assertIn(IVAN, shown.stdout)
        self.assertIn("no such user", d.tool("outbox").stdout)
        self.assertEqual(len(d.sink.mails), n)
        d.fsck()
        # RETRY sends the same mail once more
        d.cmd("OUTBOX", "RETRY", e["id"])
        d.sink.wait(n + 1)
        empty(d)
        self.assertEqual(len(set(d.sink.ids())), 1)
        self.assertEqual([x["state"] for x in delivery(d, anna, ticket, message)], ["sent"])
        d.fsck()

    def test_twice_and_after_drop(self):
        d = self.desk()
        anna, ticket, message, m = self.answered(d)
        raw = dsn(header_of(m), FAILED)
        self.report(d, raw)
        self.report(d, raw)  # the same mail: a duplicate
        e = one_entry(d, "dead")
        d.cmd("OUTBOX", "DROP", e["id"])
        self.report(d, dsn(header_of(m), FAILED))  # another one that says the same
        wait_for(lambda: d.show(anna, ticket)["n_messages"] == 4, 20, "both are filed")
        self.assertEqual(entries(d), [])
        self.assertEqual(sum(x["event"] == "refused" for x in d.show(anna, ticket)["log"]), 1)
        d.fsck()

    def test_a_person_writes_again(self):
        d = self.desk()
        anna, ticket, message, m = self.answered(d)
        self.report(d, dsn(header_of(m), FAILED))
        self.refused(d, anna, ticket, message)
        d.deliver(mail(subject="Another thing", sender="Ivan <%s>" % IVAN))
        wait_for(lambda: d.show(anna, ticket)["customer"]["refused"] == [], 20, "the mark is gone")
        d.fsck()

    def test_delayed_then_delivered(self):
        d = self.desk()
        anna, ticket, message, m = self.answered(d)
        self.report(d, dsn(header_of(m), [(IVAN, "delayed", "4.4.1", "connection timed out")], "Delayed mail",
                           "This is a warning only. You do not need to resend your message."))
        wait_for(lambda: delivery(d, anna, ticket, message)[0]["state"] == "deferred", 20, "it is late")
        self.assertEqual((entries(d), d.show(anna, ticket)["customer"]["refused"]), ([], []))
        self.report(d, dsn(header_of(m), [(IVAN, "delivered", "2.0.0", "")], "Successful Mail Delivery Report",
                           "Your message was successfully delivered."))
        wait_for(lambda: delivery(d, anna, ticket, message)[0]["state"] == "sent", 20, "it arrived")
        self.assertEqual([x["kind"] for x in d.show(anna, ticket)["messages"][-2:]], ["report", "report"])
        d.fsck()

    def test_a_forged_signature_marks_nothing(self):
        d = self.desk()
        anna, ticket, message, m = self.answered(d)
        forged = header_of(m)
        at = forged.index("Message-ID:") + 20
        forged = forged[:at + 6] + ("a" if forged[at + 6] != "a" else "b") + forged[at + 7:]
        self.report(d, dsn(forged.replace("[#%s]" % ticket, ""), FAILED))
        d.wait_log("STORED ticket=.* kind=bounce")
        self.assertEqual([x["state"] for x in delivery(d, anna, ticket, message)], ["sent"])
        self.assertEqual((entries(d), d.show(anna, ticket)["customer"]["refused"]), ([], []))
        d.fsck()

    def test_by_the_tag_it_is_only_filed(self):
        d = self.desk()
        anna, ticket, message, m = self.answered(d)
        returned = "".join(line + "\r\n" for line in header_of(m).split("\r\n") if line and not line.startswith(("Message-ID", "In-Reply-To")))
        self.report(d, dsn(returned, FAILED))
        wait_for(lambda: d.show(anna, ticket)["n_messages"] == 3, 20, "it is on its ticket")
        self.assertEqual([x["state"] for x in delivery(d, anna, ticket, message)], ["sent"])
        self.report(d, dsn(returned, [("else@where.example", "failed", "5.1.1", "550 no")]))
        d.wait_log("STORED ticket=(?!%s )" % ticket)
        d.fsck()

    def test_one_of_several(self):
        d = self.desk()
        anna, ticket, message, m = self.answered(d, headers=[("Cc", "maria@customer.example, oleg@customer.example")])
        self.report(d, dsn(header_of(m), [("oleg@customer.example", "failed", "5.2.2", "552 5.2.2 mailbox full"),
                                          ("maria@customer.example", "delayed", "4.4.1", "")]))
        self.refused(d, anna, ticket, message)
        self.assertEqual({x["address"]: x["state"] for x in delivery(d, anna, ticket, message)},
                         {IVAN: "sent", "maria@customer.example": "deferred", "oleg@customer.example": "refused"})
        self.assertEqual(d.show(anna, ticket)["customer"]["refused"], [])
        d.fsck()
        n = len(d.sink.mails)
        d.cmd("OUTBOX", "RETRY", one_entry(d, "dead")["id"])
        d.sink.wait(n + 1)
        self.assertEqual(d.sink.mails[-1].envelope_to, ["oleg@customer.example"])
        d.fsck()

    def test_on_a_resolved_and_a_merged_ticket(self):
        d = self.desk()
        anna, ticket, message, m = self.answered(d, options=("STATUS", "resolved"))
        self.report(d, dsn(header_of(m), FAILED))
        self.refused(d, anna, ticket, message)
        self.assertEqual(d.show(anna, ticket)["state"], "resolved")
        d.fsck()

    def test_merged(self):
        d = self.desk()
        anna, ticket, message, m = self.answered(d, options=("STATUS", "held"))
        d.deliver(mail(subject="Second", sender="Ivan <%s>" % IVAN))
        other = d.wait_reserve(anna)["id"]
        anna("MERGE", ticket, "INTO", other)
        self.report(d, dsn(header_of(m), FAILED))
        told = self.refused(d, anna, other, message)
        self.assertTrue(told["report"].startswith(other + "."))
        self.assertEqual(one_entry(d, "dead")["ticket"], ticket)
        d.fsck()

    def test_nothing_is_sent_because_of_it(self):
        d = self.desk(rules=RULES)
        d.deliver(mail(subject="VPN"))
        ack = d.sink.wait(1)[0]
        empty(d)
        self.report(d, dsn(header_of(ack), FAILED))
        anna = d.agent("anna")
        doc = wait_for(lambda: (lambda x: x if x["customer"]["refused"] else None)(
            json.loads(d.cmd("SHOW", "1"))), 20, "the address is marked")
        self.assertEqual(doc["messages"][-1]["kind"], "bounce")
        self.report(d, dsn("Message-ID: <x@y>\r\nSubject: spam of somebody\r\n", FAILED))
        d.wait_log("STORED ticket=2 ")
        self.assertEqual((entries(d), len(d.sink.mails)), ([], 1))
        self.assertIsNotNone(anna)
        d.fsck()


if __name__ == "__main__":
    unittest.main()
