"""Tickets that move between lines, states and people."""
# run: release asan
import json
import os
import time
import unittest

from desk import Desk, RespError, mail, wait_for
from resp import Client

AGENTS = """
lines first second third
line  third { handed 1h }
skills network billing en
agent anna  "Anna"  { skills network:4 }
agent petr  "Petr"  { skills network:4 }
agent lena  "Lena"  { line second; skills network:2 billing:4 }
agent oleg  "Oleg"  { line third; skills network:8 }
agent vera  "Vera"  { role lead; line third }
"""
QUIET = "acknowledge none\n"


class Moves(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.d = Desk(agents=AGENTS, rules=QUIET)
        cls.anna = cls.d.agent("anna")
        cls.petr = cls.d.agent("petr")
        cls.lena = cls.d.agent("lena")
        cls.oleg = cls.d.agent("oleg")
        cls.vera = cls.d.agent("vera", ready=False)
        cls.n = 0

    @classmethod
    def tearDownClass(cls):
        try:
            cls.d.fsck()
        finally:
            cls.d.close()

    def tearDown(self):
        """Every scene leaves an empty desk."""
        for t in self.d.list():
            if t["state"] != "resolved":
                self.vera("RESOLVE", t["id"])
        for c in (self.anna, self.petr, self.lena, self.oleg):
            c("READY")
        self.d.cmd("ABSENT", "FROM", "now", "UNTIL", "now", "AGENT", "anna")

    def ticket(self, subject="Help"):
        """A new ticket's number, of a customer of its own."""
        Moves.n += 1
        sender = "c%d@customer.example" % Moves.n
        self.d.deliver(mail(subject, sender=sender), sender=sender)
        return str(max(int(t["id"]) for t in self.d.list("STATE", "queued")))

    def held(self, agent):
        """A new ticket in this agent's hands."""
        t = self.ticket()
        agent("TAKE", t)
        return t

    def doc(self, ticket):
        return self.d.show(self.vera, ticket)

    def refused(self, code, client, *words):
        with self.assertRaises(RespError) as e:
            client(*words)
        self.assertEqual(code, str(e.exception).split()[0], str(e.exception))
        return str(e.exception)

    def nothing(self, agent):
        self.assertEqual([], self.d.reserve(agent))

    # ---- lines ----

    def test_up_and_down(self):
        """Escalated with its reason, returned to who handed it up; never to who gave it away."""
        t = self.held(self.anna)
        before = self.doc(t)
        self.anna("ESCALATE", t, "needs the billing system")
        doc = self.doc(t)
        self.assertEqual(("queued", "second", None), (doc["state"], doc["line"], doc["holder"]))
        self.assertEqual(before["created_at"], doc["created_at"])
        self.assertEqual("needs the billing system", doc["messages"][-1]["text"])
        log = [e for e in doc["log"] if e["event"] == "escalated"][-1]
        self.assertEqual(("anna", "first", "second"), (log["who"], log["from"], log["to"]))
        self.nothing(self.anna)
        self.nothing(self.petr)
        self.assertEqual(t, self.d.reserve(self.lena)[0]["id"])
        self.lena("RETURN", t, "it is the cable after all")
        self.nothing(self.lena)
        self.nothing(self.petr)  # kept for anna
        self.refused("STATE", self.petr, "TAKE", t)
        self.assertEqual(t, self.d.reserve(self.anna)[0]["id"])
        self.refused("STATE", self.anna, "RETURN", t, "there is nothing below")
        self.vera("ESCALATE", t, "a lead may")
        self.vera("ESCALATE", t, "also what waits")
        self.assertEqual("third", self.doc(t)["line"])
        self.refused("STATE", self.vera, "ESCALATE", t, "there is nothing above")
        self.assertEqual(t, self.d.reserve(self.oleg)[0]["id"])

    def test_only_the_holder_moves(self):
        t = self.held(self.anna)
        for words in (("ESCALATE", t, "x"), ("RETURN", t, "x"), ("PEND", t), ("SNOOZE", t, "1h"),
                      ("TRANSFER", t, "LINE", "second"), ("NEED", t, "network:1"), ("SPAM", t)):
            self.refused("NOTHELD", self.petr, *words)
        for words in (("RAISE", t, "high"), ("ASSIGN", t, "petr"), ("REROUTE",)):
            self.refused("NOPERM", self.anna, *words)
        self.refused("NOPERM", self.anna, "CHANGE", t, "priority", "high")
        self.refused("NOPERM", self.anna, "AWAY", "x", "AGENT", "petr")
        self.refused("NOTHELD", self.anna, "ESCALATE", t, "x", "LEASE", "77")
        self.assertEqual("anna", self.doc(t)["holder"])

    def test_the_same_command_twice_moves_once(self):
        t = self.held(self.anna)
        for _ in range(2):
            self.assertEqual("OK", self.anna("ESCALATE", t, "up", "ID", "k1"))
        self.assertEqual("second", self.doc(t)["line"])
        self.vera("TRANSFER", t, "LINE", "first")
        self.assertEqual("OK", self.anna("ESCALATE", t, "up", "ID", "k1"))
        self.assertEqual("first", self.doc(t)["line"])

    def test_transfer(self):
        t = self.held(self.anna)
        self.refused("BADARG", self.anna, "TRANSFER", t)
        self.refused("BADARG", self.anna, "TRANSFER", t, "LINE", "second", "AGENT", "oleg")
        self.refused("BADARG", self.anna, "TRANSFER", t, "AGENT", "anna")
        self.refused("NOSUCH", self.anna, "TRANSFER", t, "AGENT", "nobody")
        self.refused("NOSUCH", self.anna, "TRANSFER", t, "LINE", "tenth")
        self.refused("NOSUCH", self.anna, "TRANSFER", t, "NEED", "magic:3")
        self.refused("BADARG", self.anna, "TRANSFER", t, "NEED", "network")
        self.anna("TRANSFER", t, "AGENT", "oleg", "NOTE", "you know him")
        self.assertEqual("you know him", self.doc(t)["messages"][-1]["text"])
        self.nothing(self.petr)
        self.assertEqual(t, self.d.reserve(self.oleg)[0]["id"])
        self.oleg("TRANSFER", t, "LINE", "second")
        self.assertEqual(t, self.d.reserve(self.lena)[0]["id"])
        self.lena("PEND", t)
        self.refused("STATE", self.lena, "TRANSFER", t, "LINE", "first")
        self.lena("TRANSFER", t, "AGENT", "anna")  # goes on waiting, for anna
        self.assertEqual(("waiting", "anna"), (self.doc(t)["state"], self.doc(t)["owner"]))

    def test_transfer_to_a_skill(self):
        t = self.held(self.anna)
        self.anna("TRANSFER", t, "NEED", "billing:3")
        self.assertEqual({"billing": 3}, self.doc(t)["needs"])
        self.nothing(self.petr)
        self.vera("TRANSFER", t, "LINE", "second")
        self.assertEqual({"billing": 3}, self.doc(t)["needs"])
        self.assertEqual(t, self.d.reserve(self.lena)[0]["id"])

    # ---- later ----

    def test_pend_until_and_snooze(self):
        for command in (("PEND", "UNTIL", "1s"), ("SNOOZE", "1s")):
            t = self.held(self.anna)
            self.anna(command[0], t, *command[1:], "NOTE", "he sends a picture")
            doc = self.doc(t)
            self.assertEqual(("waiting", "anna"), (doc["state"], doc["owner"]))
            self.assertIsNone(doc["holder"])
            self.nothing(self.petr)
            wait_for(lambda t=t: self.doc(t)["state"] == "queued", what="its date comes")
            self.nothing(self.petr)  # kept for anna
            self.assertEqual(t, self.d.reserve(self.anna)[0]["id"])
        self.refused("BADARG", self.anna, "SNOOZE", t, "soon")
        self.refused("BADARG", self.anna, "SNOOZE", t, "2001-01-01")
        self.refused("BADARG", self.anna, "PEND", t, "UNTIL", "2027-02-30")

    def test_the_customer_ends_the_waiting(self):
        sender = "waits@customer.example"
        self.d.deliver(mail("Wait", sender=sender), sender=sender)
        t = self.d.list("STATE", "queued")[0]["id"]
        self.anna("TAKE", t)
        self.anna("SNOOZE", t, "5h")
        self.d.deliver(mail("Re: [#%s] Wait" % t, sender=sender), sender=sender)
        wait_for(lambda: self.doc(t)["state"] == "queued", what="queued again")
        self.assertEqual(t, self.d.reserve(self.anna)[0]["id"])

    # ---- corrections ----

    def test_tags(self):
        t = self.ticket()
        self.anna("TAG", t, "+vpn", "+old", "+vpn")
        self.anna("TAG", t, "-old", "+new", "ID", "k2")
        self.assertEqual(["vpn", "new"], self.doc(t)["tags"])
        for wrong in ("vpn", "+", "+a b", '+"'):
            self.refused("BADARG", self.anna, "TAG", t, wrong)

    def test_need(self):
        t = self.ticket()
        self.anna("NEED", t, "billing:2")
        self.nothing(self.anna)
        self.anna("NEED", t, "billing:0")
        self.assertEqual({}, self.doc(t)["needs"])
        self.assertEqual(t, self.d.reserve(self.anna)[0]["id"])
        self.anna("NEED", t, "network:5")
        self.assertEqual("anna", self.doc(t)["holder"])
        self.anna("RELEASE", t)
        self.nothing(self.petr)  # network:4

    def test_raise_goes_ahead(self):
        first, second = self.ticket(), self.ticket()
        self.vera("RAISE", second, "urgent")
        self.assertEqual("urgent", self.doc(second)["priority"])
        self.assertEqual(second, self.d.reserve(self.petr)[0]["id"])
        self.vera("CHANGE", first, "priority", "low")
        self.assertEqual("low", self.doc(first)["priority"])
        self.refused("BADARG", self.vera, "RAISE", first, "most")

    def test_change(self):
        t, other = self.ticket(), self.ticket()
        self.anna("CHANGE", t, "subject", "The cable")
        self.anna("CHANGE", t, "language", "ru")
        c = self.doc(other)["customer"]
        self.anna("CHANGE", t, "customer", c["emails"][0])
        doc = self.doc(t)
        self.assertEqual(("The cable", "ru", c["id"]), (doc["subject"], doc["language"], doc["customer"]["id"]))
        self.refused("NOSUCH", self.anna, "CHANGE", t, "customer", "c999999")
        self.refused("NOSUCH", self.anna, "CHANGE", t, "customer", "nobody@nowhere.example")
        self.refused("BADARG", self.anna, "CHANGE", t, "line", "second")
        self.refused("BADARG", self.anna, "CHANGE", t, "subject", "")

    def test_spam_and_codes(self):
        t = self.ticket()
        self.anna("SPAM", t)
        self.assertEqual("resolved", self.doc(t)["state"])
        self.assertEqual("spam", self.doc(t)["code"])
        t = self.held(self.anna)
        self.anna("RESOLVE", t, "CODE", "workaround")
        self.assertEqual("workaround", self.doc(t)["code"])
        self.anna("REOPEN", t, "not yet")
        self.assertIsNone(self.doc(t)["code"])

    def test_spam_is_not_acknowledged(self):
        with Desk(agents=AGENTS, rules="", live=False) as d:
            d.deliver(mail("Win a prize"))
            self.assertEqual(1, d.stats()["outbox"]["held"])
            with d.agent("anna") as c:
                c("SPAM", d.list()[0]["id"])
            self.assertEqual(0, d.stats()["outbox"]["held"])
            d.fsck()

    # ---- people ----

    def test_leads_hear_of_what_nobody_wants(self):
        lead = self.d.agent("vera", ready=False)
        lead("SUBSCRIBE", "me")
        t = self.ticket()
        for c in (self.anna, self.petr):
            c("TAKE", t)
            c("RELEASE", t)
        self.vera("ASSIGN", t, "anna")
        self.anna("RELEASE", t)
        while True:
            event = json.loads(lead.read()[2])
            if (event["ticket"], event["why"]) == (t, "given back three times"):
                break

    def test_assign(self):
        """Whatever it needs and whoever has it; and nothing automatic undoes it."""
        t = self.ticket()
        self.anna("NEED", t, "billing:4")
        self.vera("ASSIGN", t, "petr")
        self.assertEqual("petr", self.doc(t)["holder"])
        self.nothing(self.lena)
        self.vera("ASSIGN", t, "anna")  # out of petr's hands
        self.assertEqual("anna", self.doc(t)["holder"])
        self.assertEqual([], self.petr("MINE"))
        log = [e for e in self.doc(t)["log"] if e["event"] == "assigned"][-1]
        self.assertEqual(("vera", "petr", "anna"), (log["who"], log["from"], log["to"]))
        self.refused("NOTHELD", self.petr, "TOUCH", t)
        self.anna("PEND", t)
        self.vera("ASSIGN", t, "petr")
        self.assertEqual(("waiting", "petr"), (self.doc(t)["state"], self.doc(t)["owner"]))
        self.refused("NOSUCH", self.vera, "ASSIGN", t, "nobody")
        self.refused("NOSUCH", self.vera, "ASSIGN", "999999", "anna")
        more = [self.held(self.petr) for _ in range(4)]
        one = self.ticket()
        self.refused("CAPACITY", self.vera, "ASSIGN", one, "petr")
        self.assertEqual(4, len(more))

    def test_assign_repeated_later(self):
        """Its ID is known whatever has become of the ticket meanwhile."""
        t = self.ticket()
        self.assertEqual("OK", self.vera("ASSIGN", t, "anna", "ID", "assign-1"))
        self.anna("PEND", t)
        self.assertEqual("OK", self.vera("ASSIGN", t, "anna", "ID", "assign-1"))
        self.refused("BADARG", self.vera, "ASSIGN", t, "petr", "ID", "assign-1")
        self.assertEqual("OK", self.vera("ASSIGN", t, "petr", "ID", "assign-2"))
        self.assertEqual("OK", self.vera("ASSIGN", t, "petr", "ID", "assign-2"))
        self.vera("RESOLVE", t)

    def test_a_promise_by_hand_is_short(self):
        """What stands in every document of a ticket must not make it unreadable."""
        t = self.held(self.anna)
        with self.assertRaisesRegex(RespError, "BADARG text"):
            self.anna("DUE", t, "2h", "x" * 1025)
        self.assertEqual("OK", self.anna("DUE", t, "2h", "\x01" * 1024))
        self.assertEqual(t, json.loads(self.anna("SHOW", t))["id"])
        self.assertIn(t, [x["id"] for x in self.d.list()])

    def test_a_class_the_store_has_forgotten(self):
        """A ticket without its class's document is shown and moved, and nothing breaks."""
        t = self.held(self.anna)
        with Client(os.path.join(self.d.state, "r.sock")) as store:
            class_id = store("HGET", "{desk}:t:" + t, "class")
            self.assertEqual(1, store("HDEL", "{desk}:class", class_id))
        json.loads(self.anna("WHY", t))
        for c in (("RAISE", t, "high"), ("NEED", t, "network:2"), ("CHANGE", t, "language", "en")):
            try:
                self.vera(*c)
            except RespError as e:
                self.assertNotIn("UNSURE", str(e))
        self.assertEqual("OK", self.anna("ESCALATE", t, "up"))
        self.assertEqual("second", json.loads(self.anna("SHOW", t))["line"])

    def test_away_by_a_lead(self):
        t = self.ticket()
        self.vera("AWAY", "went home", "AGENT", "anna")
        self.nothing(self.anna)
        self.assertEqual(t, self.d.reserve(self.petr)[0]["id"])


if __name__ == "__main__":
    unittest.main()
