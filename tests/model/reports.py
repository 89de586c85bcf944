"""What a report says of an entry of the outbox, in whatever order the two tell of it.

The script alone, without a daemon: a report comes while its entry is still on its way to
others, after it is over, twice, and after RETRY; the delivery document, the entry and the
customer's mark say the same each time.
"""
import json
import unittest

from atomic import DELIVERY, Desk
from desk_server import PREFIX, Server, pairs

BOTH = DELIVERY[:-1] + ',{"address":"u9@x","state":"queued","at":null,"reply":"a {\\"address\\":\\"z"}]'


class Reports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.desk = Desk(cls.server)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def setUp(self):
        self.desk.build()
        self.r = self.desk.r
        self.entry = self.desk.entry("1.2")
        self.n = 0

    def commit(self, *steps):
        self.n += 1
        self.desk.call("commit", *self.desk.commit_args(1, list(steps), "", 0))

    def sent(self, json_=DELIVERY):
        doc = json_.replace("queued", "sent")
        self.commit("V", "1.2", doc, "Z", self.entry)

    def report(self, state="refused", address="u0@x", more=()):
        self.n += 1
        self.desk.call("put", *self.desk.put_args("r%d" % self.n, "mailer-daemon@x", self.r("GET", PREFIX + "addr:mailer-daemon@x") or "",
                                                  1, self.desk.ver(1), ["M", '"m":1}'] + list(more) +
                                                  self.desk.report(1, state, address), ""))

    def told(self):
        return json.loads(self.r("HGET", PREFIX + "t:1:d", "1.2"))

    def states(self):
        return {x["address"]: x["state"] for x in self.told()}

    def hash(self):
        return pairs(self.r("HGETALL", PREFIX + "ob:" + self.entry))

    def marks(self, customer="c1"):
        return {k: json.loads(v) for k, v in pairs(self.r("HGETALL", PREFIX + "cust:" + customer)).items()
                if k.startswith("refused:")}

    def dead(self):
        return self.r("ZRANGE", PREFIX + "dead", 0, -1)

    def count(self, state):
        return int(self.r("HGET", PREFIX + "n", "o:" + state) or 0)

    def counted(self):
        """The counters are what a scan finds."""
        entries = [pairs(self.r("HGETALL", k)) for k in self.r("KEYS", PREFIX + "ob:*")]
        for state in ("queued", "deferred", "claimed", "dead"):
            self.assertEqual(self.count(state), sum(e["state"] == state for e in entries), state)

    def test_after_the_end(self):
        self.sent()
        self.assertEqual(self.hash(), {})
        self.report()
        e = self.hash()
        self.assertEqual((e["state"], e["kind"], e["account"], e["ticket"], e["message"], json.loads(e["to"]), e["last"]),
                         ("dead", "reply", "s@d", "1", "1.2", ["u0@x"], '550 "no"'))
        self.assertEqual(json.loads(e["delivery"]), self.told())
        self.assertEqual(self.dead(), [self.entry])
        self.assertEqual(self.told()[0]["reply"], '550 "no"')
        self.assertEqual(list(self.marks()), ["refused:u0@x"])
        self.assertEqual(self.marks()["refused:u0@x"]["address"], "u0@x")
        self.counted()

    def test_twice_changes_nothing_twice(self):
        self.sent()
        self.report()
        was, log = self.told(), self.r("LLEN", PREFIX + "t:1:log")
        self.commit("Z", self.entry)  # dropped
        self.report()
        self.assertEqual(self.told(), was)
        self.assertEqual(self.hash(), {})
        self.assertEqual(self.r("LLEN", PREFIX + "t:1:log"), log)
        self.counted()

    def test_before_the_others_have_it(self):
        self.commit("V", "1.2", BOTH, "Y", self.entry, self.desk.now, 4, "state", "deferred", "delivery", BOTH)
        self.report()
        self.assertEqual(self.states(), {"u0@x": "refused", "u9@x": "queued"})
        self.assertEqual(self.hash()["state"], "deferred")
        # the outbox, which knows nothing of it, tells what it knows
        self.sent(BOTH)
        self.assertEqual(self.states(), {"u0@x": "refused", "u9@x": "sent"})
        self.assertEqual(self.hash()["state"], "dead")
        self.assertEqual({x["address"]: x["state"] for x in json.loads(self.hash()["delivery"])},
                         {"u0@x": "refused", "u9@x": "sent"})
        self.assertEqual(self.told()[1]["reply"], 'a {"address":"z')
        self.counted()

    def test_given_up_for_another(self):
        self.commit("V", "1.2", BOTH)
        self.report()
        self.commit("V", "1.2", BOTH.replace("queued", "refused"), "W", self.entry, self.desk.now)
        self.report("refused", "u9@x")
        self.assertEqual(self.states(), {"u0@x": "refused", "u9@x": "refused"})
        self.assertEqual(self.dead(), [self.entry])
        self.counted()

    def test_retry_sends_to_who_was_refused(self):
        self.sent(BOTH)
        self.report()
        self.desk.call("retry", self.entry, "root")
        e = self.hash()
        self.assertEqual((e["state"], "bounced" in e), ("queued", False))
        self.assertEqual(self.states(), {"u0@x": "queued", "u9@x": "sent"})
        self.sent(BOTH)
        self.assertEqual(self.states(), {"u0@x": "sent", "u9@x": "sent"})
        self.assertEqual(self.hash(), {})
        self.report()  # and once more
        self.assertEqual(self.hash()["state"], "dead")
        self.counted()

    def test_a_delay_changes_nothing_else(self):
        self.sent()
        self.report("deferred")
        self.assertEqual(self.states(), {"u0@x": "deferred"})
        self.assertEqual((self.hash(), self.marks(), self.dead()), ({}, {}, []))
        self.report()
        self.report("deferred")  # the end stays the end
        self.assertEqual(self.states(), {"u0@x": "refused"})

    def test_delivered_after_all(self):
        self.sent()
        self.report()
        self.report("sent")
        self.assertEqual(self.states(), {"u0@x": "sent"})
        self.assertEqual(self.marks(), {})

    def test_a_person_writes_from_there(self):
        self.sent()
        self.report()
        self.report("deferred", more=("~", "u0@x"))
        self.assertEqual(self.marks(), {})

    def test_whose_mail_was_sent_on(self):
        self.sent()
        self.report(address="elsewhere@y")  # his own mail system says so of where it sent it on to
        self.assertEqual(self.states(), {"u0@x": "refused"})
        self.assertEqual(list(self.marks()), ["refused:u0@x"])

    def test_a_stranger_among_several(self):
        self.sent(BOTH)
        self.report(address="u1@x")  # a customer of another ticket: he is not marked
        self.assertEqual(self.states(), {"u0@x": "sent", "u9@x": "sent"})
        self.assertEqual((self.marks("c2"), self.hash()), ({}, {}))
        self.assertIn("u1@x: 550", self.r("LINDEX", PREFIX + "t:1:log", -1))
        self.report(address="")
        self.assertEqual(self.states(), {"u0@x": "sent", "u9@x": "sent"})

    def test_an_acknowledgement(self):
        self.r("HSET", PREFIX + "t:1", "people", '["u0@x"]')
        ack = self.r("HGET", PREFIX + "t:1", "ackob")
        self.commit("Z", ack)
        self.entry_was, self.desk.entry = self.desk.entry, lambda _: ack
        try:
            self.report(address="u1@x")
            self.assertEqual((self.marks(), self.marks("c2")), ({}, {}))
            self.report()
        finally:
            self.desk.entry = self.entry_was
        self.assertEqual(list(self.marks()), ["refused:u0@x"])
        self.assertEqual(self.dead(), [])
        self.counted()

    def test_no_entry_of_ours(self):
        entry, self.desk.entry = self.desk.entry, lambda _: "4711"
        try:
            self.report()
        finally:
            self.desk.entry = entry
        self.assertEqual((self.states(), self.marks(), self.dead()), ({"u0@x": "queued"}, {}, []))


if __name__ == "__main__":
    unittest.main()
