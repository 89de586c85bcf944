"""Each verb reads and checks everything, then writes everything.

Every changing verb is run over a desk in which it has much to do, with redis.call
replaced by a spy that keeps what was called. Proved for each verb:

- no read after the first write, and each key written was touched before it;
- nothing that can fail stands among the writes: with a wrong type planted under any
  key it uses, in turn, it refuses and nothing in the store has changed (DUMP of all
  keys); with maxmemory passed, put changes nothing and all others go through.
"""
import os
import re
import time
import unittest

from desk_server import PREFIX, ROOT, Refused, Server, pairs, script

WRITES = {"HSET", "HDEL", "ZADD", "ZREM", "SADD", "SREM", "RPUSH", "LTRIM", "XADD", "SET", "INCR", "DEL", "ZREMRANGEBYSCORE", "ZREMRANGEBYRANK", "PEXPIRE"}
DAY = 86400000

DELIVERY = '[{"address":"u0@x","state":"queued","at":null,"reply":""}]'

SPY = """
local spied = {}
local function spy(...)
        spied[#spied + 1] = table.concat({...}, ' ', 1, math.min(2, select('#', ...)))
        return redis.call(...)
end
"""


def spying(text):
    """The script with its redis.call replaced; it answers what was called."""
    assert text.count("redis.call") == 1
    text = SPY + text.replace("redis.call", "spy")
    head, tail = text.rsplit("return answer", 1)
    assert tail.strip() == ""
    return head + "return {answer, spied}"


class Desk:
    """A desk with something in every corner."""

    def __init__(self, server):
        self.r = server.redis
        self.r("SCRIPT", "FLUSH")
        self.sha, self.spy = server.load(script()), server.load(spying(script()))
        self.now = int(time.time() * 1000) - 3600000
        self.n = 0

    def call(self, verb, *args, sha=None, later=0):
        self.n += 1
        return self.r("EVALSHA", sha or self.sha, 1, PREFIX, verb, (self.now + later) * 1000, "daemon", *args)

    def birth(self, cls):
        v = self.now * 1000
        s = []
        for f, x in [("state", "queued"), ("line", "first"), ("holder", ""), ("owner", ""), ("v", v), ("tags", "[]")]:
            s += ["S", f, x]
        return s + ["M", '"x":1}', "N", "last_in", "C", cls, "{}", v, "P", 1, cls, "L", "{}",
                    "J", "queued", "", "first", "customer", "new", "I", "mid%d" % self.n]

    def put_args(self, digest, sender, customer, ticket, ver, steps, ack="standard", ask=""):
        return [digest, DAY, "n%d" % self.n, sender, customer, "N", "[]", ticket, ver, ack, sender, "[]", "ru", "s@d",
                self.now, "", ask, "[]" if ask else ""] + steps

    def pull_args(self, agent, count=1, ticket="", idem="", by=0):
        return [agent, 10, count, 1, ticket, by, "c", 60000, idem, "h", DAY, "k1", 1, 1, "first", 60000, 1,
                2 ** 63 - 1, 0, 2, "k1", "k2"]

    def ver(self, ticket):
        return self.r("HGET", PREFIX + "t:%d" % ticket, "ver")

    def commit_args(self, ticket, steps, idem="anna:c", bump=1):
        return [ticket, self.ver(ticket), bump, idem, "h", DAY, "+OK", "nn%d" % self.n] + steps

    def build(self):
        self.r("FLUSHALL")
        self.n = 0  # the same keys each time
        for i in range(8):
            sender = "u%d@x" % (i % 2)
            c = self.r("GET", PREFIX + "addr:" + sender) or ""
            self.call("put", *self.put_args("d%d" % i, sender, c, "", 0, self.birth("k%d" % (1 + i % 2))))
        self.call("live", 1, "root")
        self.call("pull", *self.pull_args("anna", 4, idem="anna:p"))
        self.call("presence", "robot", "ready", "", "robot")
        self.call("pull", *self.pull_args("robot", 1))
        # 1: waiting with an answer on its way; 2: waits till a date; 3: resolved; 4: in anna's hands
        self.call("commit", *self.commit_args(1, [
            "M", '"account":"s@d","r":1}', "V", "$new", DELIVERY, "X", "reply", "$new", "s@d", "", "ru", "[]", self.now, "U", "anna",
            "S", "holder", "", "S", "state", "waiting"], "anna:r"))
        self.call("commit", *self.commit_args(2, ["U", "anna", "S", "holder", "", "S", "state", "waiting",
                                                  "D", "wait", self.now + 1], "anna:w"))
        self.call("commit", *self.commit_args(3, ["U", "anna", "S", "holder", "", "S", "state", "resolved",
                                                  "D", "close", self.now + 1], "anna:x"))
        # 6 is kept for anna; 7 and 8 wait
        self.call("pull", *self.pull_args("anna", 1, ticket="6"))
        self.call("commit", *self.commit_args(6, ["U", "anna", "S", "holder", "", "S", "state", "queued",
                                                  "O", "anna", self.now * 1000, self.now + 1], "anna:o"))
        self.call("commit", *self.commit_args(4, ["R", "s@d", "why", "1:2:3:x", self.now, "K", "anna", self.now + 50],
                                              "anna:q"))
        self.call("token", "tk", "anna", "00", "name", 1)
        self.call("grace", "robot", 1, self.now + 1)
        # vera is absent: anna stands for her
        self.call("agents", "vera", 5, "anna", 0)
        self.call("absent", "vera", self.now - 1, self.now + 9000, "", "vera")
        self.call("tick", 0, 1000, 900000)
        self.r("HSET", PREFIX + "cref", "gone", 0)
        self.r("HSET", PREFIX + "class", "gone", "{}")
        self.r("ZADD", PREFIX + "skip:anna", self.now - 5, 99)

    def verbs(self):
        """What each verb is asked; long changes use every step there is."""
        reply = ["M", '"r":2}', "N", "seen", "V", "$new", "[]", "X", "reply", "$new", "s@d", "", "ru", "[]", self.now,
                 "L", "{}", "U", "anna", "S", "holder", "", "S", "state", "queued", "C", "k2", "{}", self.now * 1000,
                 "K", "anna", self.now + 99, "D", "lease", 0, "J", "changed", "anna", "first", "anna", "", "I", "m9",
                 "R", "s@d", "why", "1:2:3:x", self.now]
        outbox = ["E", "1.2", "Y", "4", self.now, 2, "state", "deferred", "W", "5", self.now, "Z", "6"]
        return {
            "put, a new ticket": ("put", self.put_args("new", "new@x", "", "", 0, self.birth("k3")), 0),
            "put, told and asked": ("put", self.put_args("asked", "new@x", "", "", 0, self.birth("k3") + [
                "G", "vpn", 900000, 11, "T", "key", 900000, "changed", "anna", "first", "rules", "why",
                '["anna@x"]', "s@d", "ru"], ask='"text":"ticket {ticket}"}'), 0),
            "put, a known one": ("put", self.put_args("known", "u0@x", "c1", 1, self.ver(1), [
                "M", '"m":1}', "N", "last_in", "S", "state", "queued", "D", "wait", 0,
                "O", "anna", self.now * 1000, self.now + 900], ""), 0),
            "put, a report": ("put", self.put_args("report", "mailer-daemon@x", "", 1, self.ver(1), [
                "M", '"m":1}', "~", "u0@x"] + self.report(1, "refused"), ""), 0),
            "put, a duplicate": ("put", self.put_args("d1", "u1@x", "c2", "", 0, self.birth("k3")), 0),
            "pull": ("pull", self.pull_args("anna", 3, idem="anna:new"), 1),
            "pull, TAKE": ("pull", self.pull_args("vera", 1, ticket="7"), 1),
            "commit": ("commit", self.commit_args(4, reply), 0),
            "commit, queued": ("commit", self.commit_args(7, ["Q", "S", "state", "resolved", "P", 0, "k1",
                                                              "D", "close", self.now + 9], ""), 0),
            "commit, outbox": ("commit", self.commit_args(1, outbox, "", 0), 0),
            "commit, people": ("commit", self.commit_args(7, [
                "A", "anna", "G", "vpn", 60000, 10, "F", "anna", self.now + 5, "H", "cal", "{}",
                "T", "", 60000, "changed", "anna", "first", "helpline", "why", "anna@x", "s@d", "en"]), 0),
            "commit, several tickets": ("commit", self.commit_args(4, [
                "U", "anna", "S", "holder", "", "S", "state", "merged", "P", 0, "k2", "?", "a:vera", "4.9", 0,
                "+", "7", self.ver(7), 1, "S", "merged", '["4"]', "L", "{}", "J", "changed", "", "first", "anna", "",
                "+", "8", self.ver(8), 1, "M", '"q":1}', "?", "l:first", "$new", self.now]), 0),
            "commit, a new ticket": ("commit", self.commit_args(4, [
                "S", "moved", '["1:$ticket$"]', "L", '{"to":"$ticket$"}',
                "+", "", 0, 1] + [x for x in self.birth("k3") if x not in ("M", '"x":1}', "N", "last_in")][:-2] +
                ["B", "c1"]), 0),
            "tick": ("tick", [5, 1000, 900000], 3000000),
            "sweep": ("sweep", [], 1),
            "presence": ("presence", ["anna", "offline", "gone", "anna"], 1),
            "presence, back from an absence": ("presence", ["vera", "ready", "", "vera"], 1),
            "commit, kept for a deputy": ("commit", self.commit_args(7, [
                "Q", "K", "anna", 0, "B", "u1@x", "A", "vera", "O", "vera", self.now * 1000, self.now + 900], ""), 0),
            "pull, ASSIGN out of another's hands": ("pull", self.pull_args("vera", 1, ticket="4", by="lead"), 1),
            "absent": ("absent", ["anna", self.now + 5, self.now + 99, "robot", "anna"], 1),
            "absent, no longer": ("absent", ["vera", 0, 0, "", "anna"], 1),
            "moved": ("moved", ["vera", self.now + 9000], 1),
            "agents": ("agents", ["anna", 3, "vera", 1, "newone", 2, "", 0], 1),
            "grace": ("grace", ["anna", 0, self.now + 9], 1),
            "token": ("token", ["tk2", "anna", "11", "n", 1], 1),
            "untoken": ("untoken", ["tk"], 1),
            "tokused": ("tokused", ["tk"], 1),
            "live": ("live", [0, "root"], 1),
            "retry": ("retry", ["4", "root"], 1),
            "unquar": ("unquar", [self.quarantined(), "root"], 1),
        }

    def entry(self, message):
        return self.r("HGET", PREFIX + "t:%s:d" % message.split(".")[0], message + ":ob")

    def report(self, ticket, state, address="u0@x"):
        return ["!", ticket, self.entry("1.2"), state, address, '"550 \\"no\\""', '550 "no"', '"status":"5.1.1"}']

    def quarantined(self):
        return self.r("ZRANGE", PREFIX + "quarantine", 0, 0)[0]

    def dump(self):
        keys = sorted(self.r("KEYS", "*"))
        return {k: self.r("DUMP", k) for k in keys}


class AtomicTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.desk = Desk(cls.server)
        cls.desk.build()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def spied(self, name):
        self.desk.build()
        verb, args, later = self.desk.verbs()[name]
        answer, calls = self.desk.call(verb, *args, sha=self.desk.spy, later=later)
        self.assertIsInstance(answer, list, name)
        return answer, [c.split(" ", 1) for c in calls]

    def names(self):
        self.desk.build()
        return list(self.desk.verbs())

    def test_reads_then_writes(self):
        for name in self.names():
            answer, calls = self.spied(name)
            first = next((i for i, c in enumerate(calls) if c[0] in WRITES), len(calls))
            self.assertLess(first, len(calls), "%s wrote nothing: %r" % (name, answer))
            read = {c[1] for c in calls[:first] if len(c) > 1}
            for c in calls[first:]:
                self.assertIn(c[0], WRITES, "%s: %s after the first write" % (name, c[0]))
                self.assertIn(c[1], read, "%s: %s was not touched before" % (name, c[1]))
            opening = calls[first][0]
            self.assertEqual(opening, "HSET" if name.startswith("put") else "ZREM", name)

    def test_every_step_is_covered(self):
        used = set()
        for verb, args, _ in self.desk.verbs().values():
            if verb in ("put", "commit"):
                used |= {a for a in args if isinstance(a, str) and len(a) == 1 and (a.isupper() or a in "+?!~")}
        self.assertEqual(used, set("ABCDEFGHIJKLMNOPQRSTUVWXYZ+?!~"))

    def test_a_wrong_type_changes_nothing(self):
        n = 0
        for name in self.names():
            _, calls = self.spied(name)
            for key in sorted({c[1] for c in calls if len(c) > 1}):
                self.desk.build()
                verb, args, later = self.desk.verbs()[name]
                is_ = self.desk.r("TYPE", key)
                self.desk.r("DEL", key)
                self.desk.r("SET" if is_ != "string" and not key.startswith(
                    tuple(PREFIX + p for p in ("seen:", "addr:", "mid:", "idem:", "rate:", "told:"))) else "SADD", key, "planted")
                before = self.desk.dump()
                with self.assertRaises(Refused, msg="%s with a wrong %s" % (name, key)):
                    self.desk.call(verb, *args, later=later)
                self.assertEqual(self.desk.dump(), before, "%s with a wrong %s changed something" % (name, key))
                n += 1
        print("%d keys planted" % n, flush=True)
        self.assertGreater(n, 150)

    def test_out_of_memory(self):
        r = self.desk.r
        for name in self.names():
            self.desk.build()
            verb, args, later = self.desk.verbs()[name]
            before = self.desk.dump()
            r("CONFIG", "SET", "maxmemory", 1)
            try:
                if verb == "put":
                    with self.assertRaises(Refused, msg=name) as refused:
                        self.desk.call(verb, *args, later=later)
                    self.assertIn("OOM", str(refused.exception))
                else:
                    self.desk.call(verb, *args, later=later)
            finally:
                r("CONFIG", "SET", "maxmemory", 0)
            (self.assertEqual if verb == "put" else self.assertNotEqual)(self.desk.dump(), before, name)

    def test_a_message_id_belongs_to_one_ticket(self):
        desk = self.desk
        desk.build()
        taken = desk.r("KEYS", PREFIX + "mid:*")[0]
        owner = desk.r("GET", taken)
        before = desk.dump()
        steps = desk.birth("k1")
        steps[-1] = taken[len(PREFIX + "mid:"):]
        self.assertEqual(desk.call("put", *desk.put_args("x", "new@x", "", "", 0, steps))[0], "STALE")
        self.assertEqual(desk.dump(), before)
        other = 8 if owner == "7" else 7
        self.assertEqual(desk.call("commit", *desk.commit_args(other, ["I", steps[-1]]))[0], "OK")
        self.assertEqual(desk.r("GET", taken), owner)

    def test_several_tickets_or_none(self):
        """One guard that does not hold, and nothing has changed; with all, all have."""
        desk, r = self.desk, self.desk.r
        desk.build()
        steps = ["S", "x", "1", "+", "7", "77", 1, "S", "x", "1"]
        before = desk.dump()
        self.assertEqual(desk.call("commit", *desk.commit_args(4, steps))[0], "STALE")
        self.assertEqual(desk.call("commit", *desk.commit_args(4, steps[:3] + ["+", "999", "1", 1, "S", "x", "1"]))[0], "STALE")
        self.assertEqual(desk.dump(), before)
        steps[5] = desk.ver(7)
        versions = [int(desk.ver(4)), int(desk.ver(7))]
        self.assertEqual(desk.call("commit", *desk.commit_args(4, steps))[0], "OK")
        self.assertEqual([r("HGET", PREFIX + "t:%d" % t, "x") for t in (4, 7)], ["1", "1"])
        self.assertEqual([int(desk.ver(4)), int(desk.ver(7))], [v + 1 for v in versions])

    def test_journal_words(self):
        """queue/events.def is the table of what the journal tells."""
        table = set(re.findall(r"^EVENT\((\w+),", self.text("queue/events.def"), re.M))
        used = set(re.findall(r"journal\('(\w+)'", script()))
        used |= set(re.findall(r"event == '(\w+)' and '(\w+)' or '(\w+)'", script())[0])
        for folder in ("queue", "daemon", "daemon/agent"):
            for name in os.listdir(os.path.join(ROOT, folder)):
                if name.endswith(".c"):
                    used |= set(re.findall(r'_journal\(\s*[\w&>-]+,\s*"(\w+)"', self.text(folder, name)))
        self.assertEqual(used - table, set())
        self.assertGreater(len(used), 6)
        protocol = self.text("docs/protocol.md")
        self.assertEqual([w for w in table if w not in protocol], [])

    def text(self, *path):
        with open(os.path.join(ROOT, *path), encoding="utf-8") as f:
            return f.read()

    def test_clock(self):
        self.desk.build()
        ahead = int(time.time() * 1000) - self.desk.now + 70000
        with self.assertRaises(Refused) as refused:
            self.desk.call("tick", 0, 0, 0, later=ahead)
        self.assertTrue(str(refused.exception).startswith("CLOCK"))
        self.desk.call("live", 0, "root", later=5000)
        self.desk.call("live", 1, "root", later=-5000)  # never goes back
        at = [pairs(e[1])["at"] for e in self.desk.r("XRANGE", PREFIX + "journal", "-", "+")][-2:]
        self.assertEqual(at[0], at[1])

    def test_pause_after_an_outage(self):
        """Nobody could renew a lease while the daemon was away."""
        self.desk.build()
        r = self.desk.r
        self.desk.call("tick", 0, 0, 0)
        self.desk.call("tick", 0, 0, 0, later=600000)  # leases ended in between
        self.assertEqual(r("HGET", PREFIX + "t:4", "state"), "held")
        self.assertEqual(r("HGET", PREFIX + "t:4", "lease_until"), str(self.desk.now + 720000))
        self.desk.call("tick", 0, 0, 0, later=660000)
        self.assertEqual(r("HGET", PREFIX + "t:4", "state"), "held")
        self.desk.call("tick", 0, 0, 0, later=721000)
        self.assertEqual(r("HGET", PREFIX + "t:4", "state"), "queued")


if __name__ == "__main__":
    unittest.main()
