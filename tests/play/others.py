"""What others got wrong, each as a short play: complaints that users of other ticket brokers
and telephone queues have written about theirs."""
import datetime
import json
import unittest

from desk import Desk, mail, wait_for

AGENTS = """
lines first second third
help-delay 0s
skills network billing rare
agent anna "Anna" { skills network:2; holds 2 }
agent petr "Petr" { holds 2; deputy lena }
agent lena "Lena" { line second; skills network:5; helps first }
agent oleg "Oleg" { line third; skills network:8 }
agent vera "Vera" { role lead; line third }
"""


def rules():
    closed = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=3)).strftime("%a").lower()
    return """
acknowledge none
need rare:5      when subject contains rare
need network:4   when subject contains steps
hours monday { %s 09:00-18:00; timezone UTC }
promise working { hours monday; first-response 1h }
route weekend when subject contains weekend { lines first; promise working; after 1s also third }
route steps when subject contains steps {
    lines first
    after 1s lower needs 2
    after 1s also third
    after 3s drop needs
}
""" % closed


class Others(unittest.TestCase):
    names = ("anna", "petr", "lena", "oleg", "vera")

    @classmethod
    def setUpClass(cls):
        text = rules()
        cls.d = Desk(agents=AGENTS, rules=text.replace("; timezone UTC", ""), extra="timezone UTC\n")
        cls.n = 0

    @classmethod
    def tearDownClass(cls):
        try:
            cls.d.fsck()
        finally:
            cls.d.close()

    def setUp(self):
        self.who = {n: self.d.agent(n) for n in self.names}
        for n in self.names:
            setattr(self, n, self.who[n])
        for n in self.names:
            self.vera("ABSENT", "FROM", "now", "UNTIL", "now", "AGENT", n)
            self.who[n]("READY")

    def tearDown(self):
        for c in self.who.values():
            c.close()
        with self.d.admin() as a:
            for t in self.d.list():
                if t["state"] != "resolved":
                    a("RESOLVE", t["id"])
        wait_for(lambda: self.d.stats()["agents"]["parked"] == 0, what="nobody is parked")

    def mail(self, subject="Help", sender=None):
        Others.n += 1
        sender = sender or "c%d@customer.example" % Others.n
        self.d.deliver(mail(subject, sender=sender), sender=sender)
        return str(max(int(t["id"]) for t in self.d.list()))

    def park(self, *agents):
        """Blocked in RESERVE, in this order; their answers are read by got()."""
        before = self.d.stats()["agents"]["parked"]
        for i, c in enumerate(agents):
            c.send("RESERVE", "BLOCK", "0")
            wait_for(lambda i=i: self.d.stats()["agents"]["parked"] == before + i + 1, what="parked")

    def got(self, c):
        return [json.loads(x)["id"] for x in c.read()]

    def why(self, ticket):
        return json.loads(self.vera("WHY", ticket))

    def ids(self, c, *options):
        return [t["id"] for t in self.d.reserve(c, *options)]

    def test_capacity_that_becomes_free_gets_the_oldest(self):
        tickets = [self.mail() for _ in range(5)]
        self.assertEqual(tickets[:2], self.ids(self.anna, "COUNT", "5"))
        other = self.d.agent("anna")
        other.send("RESERVE", "BLOCK", "0")  # full: waits
        wait_for(lambda: self.d.stats()["agents"]["parked"] == 1, what="parked")
        self.anna("RESOLVE", tickets[1])
        self.assertEqual([tickets[2]], self.got(other))
        other.close()

    def test_what_an_absent_owner_had_does_not_stay_with_him(self):
        sender = "owned@customer.example"
        t = self.mail(sender=sender)
        self.assertEqual([t], self.ids(self.anna))
        self.anna("PEND", t)
        self.anna("ABSENT", "FROM", "now", "UNTIL", "1h")  # she has no deputy
        self.d.deliver(mail("Re: [#%s] Help" % t, sender=sender), sender=sender)
        wait_for(lambda: self.ids(self.petr) == [t], what="the line has it")

    def test_a_ticket_nobody_wants_is_no_loop(self):
        t = self.mail()
        for c in (self.anna, self.petr, self.lena):
            self.assertEqual([t], self.ids(c))
            c("RELEASE", t)
            self.assertEqual([], self.ids(c))
        doc = self.d.show(self.vera, t)
        self.assertEqual(("queued", 3), (doc["state"], doc["given_back"]))
        self.assertIn("given-back", doc["tags"])
        self.park(self.anna)
        late = self.mail()  # what he skips does not hide what comes behind it
        self.assertEqual([late], self.got(self.anna))

    def test_no_queue_blocks_another(self):
        """The first in line is one nobody there can take; those behind it, and those of the
        other line, are taken all the same."""
        self.mail("rare")
        second = self.mail()
        self.vera("ESCALATE", second, "for lena")
        first = self.mail()
        self.assertEqual([second], self.ids(self.lena))
        self.assertEqual([first], self.ids(self.lena))  # helps, when nothing waits at home
        self.assertEqual([], self.ids(self.anna))

    def test_nobody_waits_for_who_was_first(self):
        """The longest idle does not fit: the next does, and both go on."""
        self.park(self.oleg, self.petr, self.anna)
        t = self.mail()
        self.assertEqual([t], self.got(self.petr))
        t = self.mail()
        self.assertEqual([t], self.got(self.anna))
        t = self.mail()
        self.vera("TRANSFER", t, "LINE", "third")
        self.assertEqual([t], self.got(self.oleg))

    def test_steps_of_one_moment_and_steps_that_follow(self):
        """Two steps at once both count; a later one counts from the arrival, not from the
        step before it."""
        t = self.mail("steps")
        doc = self.d.show(self.vera, t)
        self.park(self.anna)
        self.assertEqual([t], self.got(self.anna))  # network:4 less 2
        self.anna("RESOLVE", t)
        self.assertEqual(doc["needs"], {"network": 4})
        t = self.mail("steps")
        created = moment(self.d.show(self.vera, t)["created_at"])
        who = {a["agent"]: a for a in self.why(t)["agents"]}
        for name, after in (("anna", 1), ("oleg", 1), ("petr", 3)):
            self.assertAlmostEqual(after, (moment(who[name]["from"]) - created).total_seconds(), delta=0.01,
                                   msg=name)

    def test_what_a_lead_assigned_stays(self):
        self.park(self.petr, self.anna)
        t = self.mail("rare")
        self.vera("ASSIGN", t, "oleg")
        again = self.mail()
        self.assertEqual([again], self.got(self.petr))
        self.d.cmd("RELOAD")
        self.vera("REROUTE")
        self.assertEqual("oleg", self.d.show(self.vera, t)["holder"])

    def test_what_came_while_all_were_away(self):
        for c in (self.anna, self.petr, self.lena, self.oleg):
            c("AWAY", "night")
        t = self.mail()
        for c in (self.anna, self.petr):
            self.assertEqual([], self.ids(c))
        self.anna("READY")
        self.assertEqual([t], self.ids(self.anna))
        self.anna.close()
        self.petr.close()
        t = self.mail()  # nobody of the line is even connected
        c = self.d.agent("petr")
        self.assertEqual([t], self.ids(c))
        c.close()

    def test_after_a_weekend_seniors_get_no_first_line_work(self):
        """Its step counts open hours, and the office has been closed since it came."""
        t = self.mail("weekend")
        sure = self.mail("steps")  # by this one it is known that the time has passed
        self.assertEqual([sure], [d["id"] for d in [self.d.wait_reserve(self.oleg)]])
        self.assertEqual([], self.ids(self.oleg))
        who = {a["agent"]: a for a in self.why(t)["agents"]}
        self.assertGreater(moment(who["oleg"]["from"]), moment(self.d.show(self.vera, t)["created_at"]) +
                           datetime.timedelta(hours=12))
        self.assertEqual([t], self.ids(self.anna))


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


if __name__ == "__main__":
    unittest.main()
