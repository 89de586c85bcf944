"""kill -9 while two tickets change, or a question is asked: at every point of the command.

Each command is sent with a key; the daemon dies at the point; started again, the same
command is sent again and gives one answer. Both tickets have changed, once, and fsck
finds nothing.
"""
# seconds: 300
import json
import os
import unittest

from desk import Desk, mail, wait_for
from resp import Closed

AGENTS = """
lines first second
agent anna "Anna" { holds 100 }
agent oleg "Oleg" { line second }
agent petr "Petr" { trainee of anna; holds 100 }
agent vera "Vera" { role lead; holds 100 }
"""


class Asked(unittest.TestCase):
    def setUp(self):
        self.d = Desk(agents=AGENTS, rules="acknowledge none\n")
        self.n = 0

    def tearDown(self):
        self.d.close()

    def ticket(self, holder=None):
        self.d.deliver(mail("Help"))
        t = str(max(int(t["id"]) for t in self.d.list()))
        if holder:
            with self.d.agent(holder) as c:
                c("TAKE", t)
                c("SHOW", t)
        return t

    def dies_at(self, point, who, *words):
        """The command, killed at that point and sent again after a restart: its answer."""
        self.n += 1
        once = os.path.join(self.d.top, "once-%d" % self.n)
        words += ("ID", "key-%d" % self.n)
        self.d.stop()
        self.d.start({"HELPLINE_CRASH": "%s:1@%s" % (point, once)})
        try:
            self.d.agent(who, ready=False)(*words)
        except (Closed, OSError):
            pass
        wait_for(lambda: os.path.exists(once), what=point)
        self.d.proc.wait(60)
        self.d.start()
        with self.d.agent(who, ready=False) as c:
            first = c(*words)
            self.assertEqual(first, c(*words))
            return first

    def shown(self, t):
        with self.d.admin() as a:
            return Desk.show(a, t)

    def test_joined(self):
        for i, point in enumerate(("merge.begin", "change.decided", "change.committed")):
            with self.subTest(point=point):
                a, b = self.ticket("anna"), self.ticket()
                self.assertEqual(a, self.dies_at(point, "anna", "MERGE", b, "INTO", a))
                self.assertEqual([a + ".1", b + ".1"], [m["id"] for m in self.shown(a)["messages"]])
                self.assertEqual(1, len([e for e in self.shown(a)["log"] if e["event"] == "merged"]))
                if i > 0:
                    self.assertEqual(b, self.dies_at(point, "anna", "UNMERGE", b))
                    self.assertEqual(["queued", "held"], [self.shown(t)["state"] for t in (b, a)])
        self.d.fsck()

    def test_split(self):
        for point in ("split.begin", "change.decided", "change.committed"):
            with self.subTest(point=point):
                t = self.ticket("anna")
                self.d.deliver(mail("Re: [#%s] Help" % t, text="another thing"))
                new = self.dies_at(point, "anna", "SPLIT", t, t + ".2")
                self.assertEqual([t + ".2"], [m["id"] for m in self.shown(new)["messages"]])
                self.assertEqual([t + ".1"], [m["id"] for m in self.shown(t)["messages"]])
                self.assertEqual([new], self.shown(t)["links"])
        self.d.fsck()

    def test_asked_and_approved(self):
        for point in ("consult.begin", "change.decided", "change.committed"):
            with self.subTest(point=point):
                t = self.ticket("anna")
                k = self.dies_at(point, "anna", "CONSULT", t, "AGENT", "oleg", "why?")
                self.assertEqual([k], [c["id"] for c in self.shown(t)["consultations"]])
                with self.d.agent("oleg", ready=False) as c:
                    self.assertIn(t, [json.loads(x)["id"] for x in c("MINE", "ASKED")])
                if point == "consult.begin":
                    continue
                self.assertEqual("OK", self.dies_at(point, "oleg", "ANSWER", k, "so"))
                t = self.ticket("petr")
                m = self.dies_at(point, "petr", "REPLY", t, "answer %s" % point)
                self.assertEqual(m, self.shown(t)["approval"]["message"])
                self.assertEqual("OK", self.dies_at(point, "anna", "APPROVE", m))
                self.d.sink.wait(1, what=lambda x, p=point: "answer %s" % p in x.get_content())
                self.assertEqual("waiting", self.shown(t)["state"])
        self.d.fsck()


if __name__ == "__main__":
    unittest.main()
