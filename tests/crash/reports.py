"""kill -9 while a report about an answer is taken in: at every point of its way.

The mail system that sent it sends it again after a restart. Then the answer is refused,
its entry a dead letter, the customer's address marked and the log says so: all of it, once.
"""
# takes: 30
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "play"))
from bounced import FAILED, IVAN, dsn, header_of  # noqa: E402
from desk import Desk, mail, wait_for  # noqa: E402
from outbox import empty, entries  # noqa: E402
from resp import Closed  # noqa: E402

POINTS = ("intake.stored", "intake.parsed", "intake.decided", "intake.put", "intake.settle")


class Reports(unittest.TestCase):
    def setUp(self):
        self.d = Desk(agents='agent anna "Anna" { holds 100 }\n', rules="acknowledge none\n")
        self.addCleanup(self.d.close)

    def answered(self, n):
        d = self.d
        d.deliver(mail(subject="Help"))
        with d.agent("anna") as anna:
            ticket = str(n)
            anna("TAKE", ticket)
            anna("SHOW", ticket)
            message = anna("REPLY", ticket, "Restart it.")
        m = d.sink.wait(n)[-1]
        empty(d)
        return ticket, message, m

    def dies_at(self, point, raw):
        d = self.d
        once = os.path.join(d.top, "once-" + point)
        d.stop()
        d.start({"HELPLINE_CRASH": "%s:1@%s" % (point, once)})
        try:
            d.deliver(raw, sender="")
        except (Closed, OSError):
            pass
        wait_for(lambda: os.path.exists(once), what=point)
        d.proc.wait(60)
        d.start()
        d.deliver(raw, sender="")

    def test_all_or_nothing_and_once(self):
        for n, point in enumerate(POINTS, 1):
            with self.subTest(point=point):
                ticket, message, m = self.answered(n)
                self.dies_at(point, dsn(header_of(m), FAILED))
                doc = json.loads(self.d.cmd("SHOW", ticket))
                self.assertEqual(3, doc["n_messages"])
                told = next(x for x in doc["messages"] if x["id"] == message)["delivery"]
                self.assertEqual([(IVAN, "refused", ticket + ".3")],
                                 [(x["address"], x["state"], x["report"]) for x in told])
                self.assertEqual(1, sum(x["event"] == "refused" for x in doc["log"]))
                self.assertEqual([IVAN], [x["address"] for x in doc["customer"]["refused"]])
                e = entries(self.d)
                self.assertEqual([(ticket, "dead")], [(x["ticket"], x["state"]) for x in e])
                self.d.fsck()
                self.d.cmd("OUTBOX", "DROP", e[0]["id"])
        self.d.fsck()


if __name__ == "__main__":
    unittest.main()
