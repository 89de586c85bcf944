"""A day of a small department: three agents of two lines with different skills, a lead, a bot.

One ticket is escalated and returned, one widens after its step, one waits for its customer
and comes back to its owner, one goes to a deputy; one is answered by the tool, one over
HTTP, one by the bot. Every customer hears of it by mail, and nothing else is sent.
"""
import datetime
import json
import subprocess
import unittest

from desk import Desk, mail, wait_for
from http_api import Api

AGENTS = """
lines  first second
skills network billing reset
agent marina   "Marina"   { role lead; line second }
agent anna     "Anna"     { skills network:4; deputy dina }
agent dina     "Dina"     { skills network:1 }
agent lena     "Lena"     { line second; skills billing:4 }
agent resetbot "Reset"    { role bot; skills reset:10; only reset }
"""
RULES = """
tag  vpn       when subject contains vpn
need network:3 when tagged vpn
need reset:10  when subject contains password
route all {
    lines  first
    prefer last-agent 15m
    after  1s lower needs 2
}
"""


class Day(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.d = Desk(agents=AGENTS, rules=RULES)

    @classmethod
    def tearDownClass(cls):
        try:
            cls.d.fsck()
        finally:
            cls.d.close()

    def mail(self, name, subject, text="Please help.\n"):
        """A customer writes; the number of his ticket."""
        address = name + "@customer.example"
        before = {t["id"] for t in self.d.list()}
        self.d.deliver(mail(subject, text=text, sender=address), sender=address)
        return next(iter({t["id"] for t in self.d.list()} - before), None)

    def answered(self, name, text):
        """The mail with these words at the customer's."""
        return self.d.sink.wait(1, what=lambda m: name + "@customer.example" in m.envelope_to and
                                text in m.get_content())[0]

    def doc(self, ticket):
        return json.loads(self.d.cmd("SHOW", ticket))

    def tool(self, agent, *args, stdin=None):
        p = subprocess.run([self.d.program("helpline"), "-c", self.d.conf, *args], input=stdin, capture_output=True,
                           timeout=120, env=dict(self.d.env, HELPLINE_TOKEN=self.d.token(agent), LC_ALL="C.UTF-8"))
        self.assertEqual(0, p.returncode, p.stdout + p.stderr)
        return p.stdout.decode()

    def bot(self):
        """What a bot does: takes what is his, answers, goes on; one connection blocks."""
        c = self.d.agent("resetbot", ready=False)
        c.send("RESERVE", "BLOCK", "0")
        return c

    def test_day(self):
        d = self.d
        bot = self.bot()
        anna, dina, lena, marina = (d.agent(n) for n in ("anna", "dina", "lena", "marina"))

        # The bot's: nobody else needs to look.
        password = self.mail("ben", "I forgot my password")
        got = [json.loads(x) for x in bot.read()]
        self.assertEqual([password], [t["id"] for t in got])
        bot("REPLY", password, "Your new password is on its way.", "STATUS", "resolved", "ID", "bot-1")
        self.answered("ben", "new password")

        # Escalated, and returned to who had it.
        billing = self.mail("olga", "Invoice")
        self.assertEqual([billing], [t["id"] for t in d.reserve(anna)])
        anna("ESCALATE", billing, "I cannot see invoices")
        self.assertEqual([], d.reserve(dina))
        self.assertEqual([billing], [t["id"] for t in d.reserve(lena)])
        lena("RETURN", billing, "Paid on Friday, tell her")
        self.assertEqual([], d.reserve(dina))
        self.assertEqual([billing], [t["id"] for t in d.reserve(anna)])
        self.assertIn("Paid on Friday, tell her", [m["text"] for m in d.show(anna, billing)["messages"]])

        # Answered by the tool; then it waits for its customer, and comes back to its owner.
        self.tool("anna", "reply", billing, "-m", "It was paid on Friday.")
        self.answered("olga", "paid on Friday")
        self.assertEqual(("waiting", "anna"), (self.doc(billing)["state"], self.doc(billing)["owner"]))
        self.mail("olga", "Re: [#%s] Invoice" % billing, "And the one before?\n")
        wait_for(lambda: self.doc(billing)["state"] == "queued", what="her answer")
        self.assertEqual([], d.reserve(dina))
        self.assertEqual([billing], [t["id"] for t in d.reserve(anna)])

        # Widens after its step: dina may have it then, and not before.
        anna("AWAY", "lunch")
        vpn = self.mail("ivan", "vpn does not connect")
        self.assertEqual({"network": 3}, self.doc(vpn)["needs"])
        self.assertEqual(vpn, d.wait_reserve(dina)["id"])
        events = [json.loads(e) for e in d.cmd("EVENTS", "AFTER", "0", "COUNT", "1000")]
        taken = [e["at"] for e in events if e["event"] == "taken" and e["ticket"] == vpn][0]
        self.assertGreaterEqual(moment(taken) - moment(self.doc(vpn)["created_at"]), datetime.timedelta(seconds=1))

        # Answered over HTTP.
        with Api(d, "dina") as web:
            self.assertEqual(vpn + ".2", web("REPLY", vpn, "Restart the router.", "STATUS", "held", "ID", "web-1"))
        self.answered("ivan", "Restart the router")

        # Goes to a deputy: anna falls ill.
        marina("ABSENT", "FROM", "now", "UNTIL", "2d", "AGENT", "anna")
        wait_for(lambda: self.doc(billing)["owner"] == "dina", what="dina stands for anna")
        self.assertEqual([billing], [t["id"] for t in d.reserve(dina)])
        dina("REPLY", billing, "That one, too.", "STATUS", "resolved")
        self.answered("olga", "That one, too")
        dina("RESOLVE", vpn)

        log = [e["event"] for e in self.doc(billing)["log"]]
        for event in ("escalated", "returned", "replied", "absent", "resolved"):
            self.assertIn(event, log)
        states = d.stats()["tickets"]
        self.assertEqual((0, 0, 0, 3), tuple(states[s] for s in ("queued", "held", "waiting", "resolved")))
        acks = [m for m in d.sink.wait(7) if m["Auto-Submitted"] == "auto-replied"]
        self.assertEqual((3, 4), (len(acks), len(d.sink.mails) - len(acks)))
        bot.close()


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


if __name__ == "__main__":
    unittest.main()
