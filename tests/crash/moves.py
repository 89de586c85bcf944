"""kill -9 while tickets move: at every point of every command that moves one.

Each command is sent with a key; the daemon dies at the point; started again, the same
command is sent again. Then the ticket is where it belongs, moved exactly once, and fsck
finds nothing.
"""
# seconds: 300
import os
import unittest

from desk import Desk, mail, wait_for
from resp import Closed

AGENTS = """
lines first second
skills network
agent anna "Anna" { deputy petr; holds 100 }
agent petr "Petr" { skills network:5; holds 100 }
agent vera "Vera" { role lead; line second; holds 100 }
"""
RULES = """
acknowledge none
tag new when subject contains reroute
"""
COMMANDS = {  # words behind the ticket, and what is so afterwards
    "ESCALATE": (["up"], lambda t: t["line"] == "second" and t["state"] == "queued"),
    "RETURN": (["down"], lambda t: t["line"] == "first" and t["state"] == "queued"),
    "TRANSFER": (["AGENT", "petr"], lambda t: t["owner"] == "petr" and t["state"] == "queued"),
    "PEND": (["UNTIL", "1h", "NOTE", "n"], lambda t: t["state"] == "waiting" and t["until"]),
    "SNOOZE": (["1h"], lambda t: t["state"] == "waiting" and t["until"]),
    "RAISE": (["high"], lambda t: t["priority"] == "high"),
    "NEED": (["network:3"], lambda t: t["needs"] == {"network": 3}),
    "TAG": (["+a", "-b"], lambda t: t["tags"] == ["a"]),
    "CHANGE": (["subject", "Other"], lambda t: t["subject"] == "Other"),
    "SPAM": ([], lambda t: t["code"] == "spam" and t["state"] == "resolved"),
    "RESOLVE": (["CODE", "done"], lambda t: t["code"] == "done"),
}


class Moves(unittest.TestCase):
    def setUp(self):
        self.d = Desk(agents=AGENTS, rules=RULES)
        self.d.agent("petr").close()  # ready, for an hour
        self.n = 0

    def tearDown(self):
        self.d.close()

    def mail(self, subject="Help"):
        self.n += 1
        sender = "c%d@customer.example" % self.n
        self.d.deliver(mail(subject, sender=sender), sender=sender)
        return str(max(int(t["id"]) for t in self.d.list()))

    def dies_at(self, point, who, *words):
        """The daemon is killed at that point of this command; it is started again."""
        once = os.path.join(self.d.top, "once-%s-%d" % (point, self.n))
        self.n += 1
        self.d.stop()
        self.d.start({"HELPLINE_CRASH": "%s:1@%s" % (point, once)})
        try:
            self.d.agent(who, ready=False)(*words)
        except (Closed, OSError):
            pass
        wait_for(lambda: os.path.exists(once), what=point)
        self.d.proc.wait(60)
        self.d.start()

    def test_commands(self):
        for point in ("change.decided", "change.committed"):
            for name, (words, so) in COMMANDS.items():
                with self.subTest(point=point, command=name):
                    t = self.mail()
                    if name == "RETURN":
                        self.d.cmd("ESCALATE", t, "before")
                    self.d.cmd("ASSIGN", t, "vera")
                    command = (name, t, *words, "ID", "%s-%s" % (point, name))
                    self.dies_at(point, "vera", *command)
                    with self.d.agent("vera", ready=False) as c:
                        self.assertEqual("OK", c(*command))
                        doc = self.d.show(c, t)
                        self.assertTrue(so(doc), doc)
                        moved = [e for e in doc["log"] if e["who"] == "vera" and e["event"] != "assigned"]
                        self.assertEqual(1, len(moved), doc["log"])
        self.d.fsck()

    def test_escalate_begins_and_assign(self):
        t = self.mail()
        self.d.cmd("ASSIGN", t, "vera")
        self.dies_at("escalate.begin", "vera", "ESCALATE", t, "up")
        self.assertEqual("first", self.d.list()[0]["line"])
        self.dies_at("assign.pulled", "vera", "ASSIGN", t, "anna", "ID", "k")
        with self.d.agent("vera", ready=False) as c:
            self.assertEqual("OK", c("ASSIGN", t, "anna", "ID", "k"))
            self.assertEqual(("anna", 2), (self.d.show(c, t)["holder"], self.d.show(c, t)["given"]))
        self.d.fsck()

    def test_reroute(self):
        tickets = [self.mail("reroute") for _ in range(5)]
        self.d.write(self.d.text + "route up when tagged new { lines second }\n")
        self.dies_at("reroute.committed", "vera", "REROUTE")
        with self.d.agent("vera", ready=False) as c:
            self.assertLessEqual(c("REROUTE"), 4)
            for t in tickets:
                doc = self.d.show(c, t)
                self.assertEqual("second", doc["line"])
                self.assertEqual(1, len([e for e in doc["log"] if e["event"] == "rerouted"]))
        self.d.fsck()

    def test_absence(self):
        for point in ("absence.begin", "absence.moved", "absence.walked"):
            with self.subTest(point=point):
                held = [self.mail() for _ in range(4)]
                for t in held:
                    self.d.cmd("ASSIGN", t, "anna")
                with self.d.agent("anna", ready=False) as c:
                    for t in held[:2]:
                        c("PEND", t)
                self.dies_at(point, "anna", "ABSENT", "FROM", "now", "UNTIL", "1h")
                with self.d.agent("vera", ready=False) as c:
                    for t in held[:2]:
                        wait_for(lambda t=t: self.d.show(c, t)["owner"] == "petr", what="petr's")
                    for t in held[2:]:
                        wait_for(lambda t=t: self.d.show(c, t)["state"] == "queued", what="queued")
                    self.d.fsck()
                    c("ABSENT", "FROM", "now", "UNTIL", "now", "AGENT", "anna")
        self.d.fsck()


if __name__ == "__main__":
    unittest.main()
