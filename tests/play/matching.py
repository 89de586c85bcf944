"""Who gets what: steps that widen, helping, bots, weights, pauses, and too many classes."""
# seconds: 400
# takes: 40
import datetime
import json
import threading
import unittest

from desk import Desk, RespError, wait_for

AGENTS = """
lines first second
line first  { wrap-up 10m }
line second { wrap-up 2s }
skills network billing reset
help-delay 30m
weight phone 4
agent anna  "Anna"  { skills network:4 }
agent petr  "Petr"  { skills billing:4; holds 4 }
agent lena  "Lena"  { line second; skills network:9 }
agent oleg  "Oleg"  { line second; helps first; skills network:9 billing:9 }
agent bot   "Bot"   { role bot; skills reset:10; only reset; holds 20 }
agent vera  "Vera"  { role lead; line second; skills billing:1 }
"""
RULES = """
acknowledge none
need network:3  when subject contains "net"
need billing:3  when subject contains "bill"
need reset:5    when subject contains "reset"
route slow when subject contains "slow" {
    lines first
    after 3s  also second
}
route later when subject contains "later" { lines first; after 1h also second }
route other when subject contains "other" { lines second }
route general { lines first; after 4s lower needs 2; after 6s drop needs }
"""


def seconds(at):
    """Of a time as documents have it."""
    return datetime.datetime.fromisoformat(at.replace("Z", "+00:00")).timestamp()


class Matching(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.d = Desk(agents=AGENTS, rules=RULES)
        cls.n = 0

    @classmethod
    def tearDownClass(cls):
        try:
            cls.d.fsck()
        finally:
            cls.d.close()

    def setUp(self):
        self.vera = self.d.agent("vera", ready=False)
        self.clients = {}

    def tearDown(self):
        for name, c in self.clients.items():  # a parked one is answered null by it
            with self.d.agent(name, ready=False) as other:
                other("AWAY")
            c.close()
        for t in self.d.list():
            if t["state"] != "resolved":
                self.vera("RESOLVE", t["id"])
        self.vera.close()

    def agent(self, name):
        self.clients[name] = self.d.agent(name)
        return self.clients[name]

    def ticket(self, subject):
        Matching.n += 1
        return str(self.d.cmd("SUBMIT", json.dumps({"from": {"address": "c%d@customer.example" % Matching.n},
                                                    "subject": subject, "text": "Please."})))

    def park(self, name, *options):
        """RESERVE BLOCK in the background: a list that gets the ids when it is answered."""
        c, got = self.agent(name), []
        before = self.d.stats()["agents"]["parked"]

        def wait():
            answer = c("RESERVE", "BLOCK", 60000, *options)
            got.append([t["id"] for t in map(json.loads, answer)] if answer else None)
        t = threading.Thread(target=wait, daemon=True)
        t.start()
        wait_for(lambda: got or self.d.stats()["agents"]["parked"] > before, what=name + " parked")
        return got

    def ids(self, name, *options):
        return [t["id"] for t in Desk.reserve(self.clients.get(name) or self.agent(name), *options)]

    def why(self, ticket, agent):
        return json.loads(self.vera("WHY", ticket, agent))["agents"][0]

    def test_a_step_wakes_who_waits(self):
        """Lena of the second line waits; a fresh ticket of the first is not hers; 3 s later it is."""
        got = self.park("lena")
        t = self.ticket("slow net")
        wait_for(lambda: got == [[t]], what="the step")
        doc = Desk.show(self.vera, t)
        self.assertGreaterEqual(seconds(doc["lease_until"]) - 4 * 3600, seconds(doc["created_at"]) + 3)

    def test_steps_lower_and_drop(self):
        """Billing is wanted: Anna, who has none, gets it when the needs are dropped; Vera's level
        1 would do after the second step but she is of the second line."""
        t = self.ticket("bill")
        got = self.park("anna")
        self.assertIsNone(self.why(t, "vera")["from"])
        since = seconds(Desk.show(self.vera, t)["created_at"])
        self.assertGreaterEqual(round(seconds(self.why(t, "anna")["from"]) - since, 3), 6)
        wait_for(lambda: got == [[t]], what="the needs dropped")

    def test_take_before_its_step(self):
        t, slow = self.ticket("later"), self.ticket("slow net")
        lena = self.agent("lena")
        w = self.why(t, "lena")
        self.assertEqual((False, "is at home in line second, this waits in first"), (w["fits"], w["against"]))
        with self.assertRaisesRegex(RespError, "^NOPERM"):
            lena("TAKE", t)
        wait_for(lambda: self.taken(lena, slow), what="the step")

    @staticmethod
    def taken(client, ticket):
        try:
            return client("TAKE", ticket)
        except RespError:
            return None

    def test_home_is_asked_before_helping(self):
        """Oleg has been idle longest, but the first line is Anna's home."""
        oleg, anna = self.park("oleg"), self.park("anna")
        t1 = self.ticket("net")
        wait_for(lambda: anna == [[t1]], what="anna asked first")
        t2 = self.ticket("net")
        wait_for(lambda: oleg == [[t2]], what="then who helps")

    def test_help_delay_is_an_order(self):
        """Of what waits he gets his own line's first, though the other came earlier; then the other."""
        first = self.ticket("net")
        own = self.ticket("other")
        self.assertEqual([own, first], self.ids("oleg", "COUNT", 4))

    def test_only(self):
        """The bot is offered what needed its skill when it came, and nothing else, ever."""
        plain, reset = self.ticket("hello"), self.ticket("reset")
        self.assertEqual([reset], self.ids("bot", "COUNT", 10))
        self.assertEqual("takes only what needs reset, this does not", self.why(plain, "bot")["against"])

    def test_weight(self):
        """A telephone call counts as four: with one in hand Petr, who holds 4, is full; but the last
        may go beyond what he may hold."""
        petr = self.agent("petr")
        call = json.dumps({"number": "+74951234567", "direction": "in", "result": "missed", "text": "He called."})
        mailed = self.ticket("hello")
        called = str(self.d.cmd("LOGCALL", call))
        self.assertEqual([mailed, called], self.ids("petr", "COUNT", 10))
        third = self.ticket("hello")
        self.assertEqual([], self.ids("petr"))
        self.assertEqual("holds 5 of 4 tickets", self.why(third, "petr")["against"])
        self.vera("RESOLVE", called)
        self.assertEqual([third], self.ids("petr"))

    def test_wrap_up(self):
        """After what he has finished there is a pause, as long as its line says; READY ends it, RESERVE
        BLOCK waits it out."""
        one, two = self.ticket("hello"), self.ticket("hello")
        anna, lena = self.agent("anna"), self.agent("lena")
        self.assertEqual([one], self.ids("anna"))
        anna("RESOLVE", one, "TEXT", "Done.")
        self.assertEqual([], self.ids("anna"))
        anna("READY")
        self.assertEqual([two], self.ids("anna"))
        one, two = self.ticket("other"), self.ticket("other")
        self.assertEqual([one], self.ids("lena"))
        lena("RESOLVE", one, "TEXT", "Done.")
        answer = lena("RESERVE", "BLOCK", 60000)
        self.assertEqual(two, json.loads(answer[0])["id"])

    def test_a_reload_moves_who_fits(self):
        """What has waited for nobody goes to whom the new file lets in, parked as he is; and back."""
        got = self.park("petr")
        t = self.ticket("net")
        with open(self.d.conf, encoding="utf-8") as f:
            old = f.read()
        try:
            self.d.write(old.replace("skills billing:4; holds 4", "skills billing:4 network:3; holds 4"))
            self.d.cmd("RELOAD")
            wait_for(lambda: got == [[t]], what="the ticket after the reload")
        finally:
            self.d.write(old)
            self.d.cmd("RELOAD")


NEEDS = 14
OVERFLOW = "acknowledge none\n" + "".join(
    'need s%d:2 when text contains "w%02d"\n' % (i, i) for i in range(NEEDS)) + """
must en:1 when text contains "english"
route all { lines first; after 1h drop needs }
"""


class Overflow(unittest.TestCase):
    def test_too_many_classes(self):
        """4,096 different demands are kept apart; a stranger's 4,097th is taken without its needs,
        never without its musts; and old ones are still told apart."""
        agents = "lines first\nalert root@desk.example\nskills en %s\n" % " ".join("s%d" % i for i in range(NEEDS))
        agents += 'agent anna "Anna" { skills en:9; holds 1000 }\nagent lead "Lead" { role lead }\n'
        with Desk(agents=agents, rules=OVERFLOW) as d:
            words = [" ".join("w%02d" % i for i in range(NEEDS) if n >> i & 1) for n in range(1 << NEEDS)
                     if bin(n).count("1") <= 6]
            c, sent = d.admin(), 0

            def submit(text):
                return json.dumps({"from": {"address": "x@customer.example"}, "subject": "many", "text": text})
            for n in range(0, 4096, 256):
                for text in words[n:n + 256]:
                    c.send("SUBMIT", submit(text))
                for _ in range(256):
                    c.read()
                    sent += 1
            self.assertEqual(4096, sent)
            self.assertNotIn("OVERFLOW", d.log())
            anna = d.agent("anna")
            self.assertEqual(1, len(Desk.reserve(anna, "COUNT", "100")))  # the one that needs nothing
            over = str(c("SUBMIT", submit(words[4096] + " english")))
            d.wait_log("OVERFLOW")
            d.wait_log("ALERT.*classes")
            t = Desk.show(anna, over)
            self.assertEqual(({}, {"en": 1}), (t["needs"], t["musts"]))
            self.assertIn("overflow", [e["event"] for e in t["log"]])
            again = str(c("SUBMIT", submit(words[77])))
            self.assertNotEqual({}, Desk.show(anna, again)["needs"])
            self.assertEqual([over], [t["id"] for t in Desk.reserve(anna, "COUNT", "100")])
            d.fsck()


if __name__ == "__main__":
    unittest.main()
