"""Sessions, grace, lease, presence; what is done once however often it is asked."""
# takes: 30
# run: release asan
# seconds: 240
import json
import socket
import struct
import time
import unittest

from desk import Desk, RespError, mail, wait_for

AGENTS = """
lines first
line first { holds 20; lease 1h }
agent anna  "Anna"
agent boris "Boris"
agent carl  "Carl"
agent dora  "Dora"
agent robo  "Robo" { role bot }
agent vera  "Vera" { role lead }
acknowledge none
"""
GRACE = 2.0


def desk(**limits):
    words = " ".join("%s=%d" % (k, int(v)) for k, v in limits.items())
    return Desk(agents=AGENTS, rules="", env={"HELPLINE_LIMITS": words})


def parked(d, n):
    wait_for(lambda: d.stats()["agents"]["parked"] == n, what="%d wait for work" % n)


def reset(c):
    c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.sock.close()


class Grace(unittest.TestCase):
    def setUp(self):
        self.d = desk(grace_ms=GRACE * 1000)
        self.addCleanup(self.d.close)

    def state(self, ticket):
        t = Desk.show(self.d.admin(), ticket)
        return t["state"], t["holder"], t["given_back"], t["expired"]

    def given(self, name):
        c = self.d.agent(name)
        self.d.deliver(mail())
        return c, self.d.wait_reserve(c)["id"]

    def test_what_was_never_taken_up_goes_back_after_the_grace(self):
        c, ticket = self.given("anna")
        bot, lost = self.given("robo")
        bot("NOTE", lost, "mine")
        closed = time.monotonic()
        c.close()
        bot.close()
        time.sleep(GRACE / 4)
        states = [self.state(t) for t in (ticket, lost)]
        if time.monotonic() - closed < GRACE:
            self.assertEqual([("held", "anna", 0, 0), ("held", "robo", 0, 0)], states)
        wait_for(lambda: self.state(ticket)[0] == "queued", what="back in its queue")
        self.assertEqual(("queued", None, 0, 0), self.state(ticket))
        wait_for(lambda: self.state(lost)[0] == "queued", what="a bot loses all")

    def test_what_stays(self):
        """Taken up by a person; another connection; he came back; a reset after it was taken up."""
        noted, first = self.given("anna")
        noted("NOTE", first, "mine")
        noted.close()
        gone, second = self.given("boris")
        other = self.d.agent("boris")
        gone.close()
        away, third = self.given("carl")
        away.close()
        again = self.d.agent("carl")
        touched, fourth = self.given("dora")
        touched("TOUCH", fourth)
        reset(touched)
        time.sleep(GRACE * 1.5)
        for name, ticket in (("anna", first), ("boris", second), ("carl", third), ("dora", fourth)):
            self.assertEqual(("held", name, 0, 0), self.state(ticket))
        self.assertEqual([second], [t["id"] for t in self.d.reserve(other)])
        docs = self.d.reserve(again)
        self.assertEqual([third], [t["id"] for t in docs], "first again what was never taken up")
        self.assertEqual(1, docs[0]["lease"], "it is the same hand-over")

    def test_who_is_parked_gets_what_a_mate_left_over(self):
        c, ticket = self.given("anna")
        other = self.d.agent("anna")
        other.send("RESERVE", "BLOCK", "0")
        parked(self.d, 1)
        c.close()
        self.assertEqual(ticket, json.loads(other.read()[0])["id"])

    def test_a_reset_gives_back_at_once(self):
        self.d.stop()
        self.d.start({"HELPLINE_LIMITS": "grace_ms=600000"})
        c, ticket = self.given("anna")
        reset(c)
        wait_for(lambda: self.state(ticket)[0] == "queued", what="back before the grace is over")
        self.assertEqual(("queued", None, 0, 0), self.state(ticket))

    def test_killed_meanwhile(self):
        """The daemon dies: after the restart everybody has the grace to come back."""
        c, ticket = self.given("anna")
        other, second = self.given("boris")
        self.d.kill9()
        ready = time.monotonic()
        self.d.start()
        state = self.state(ticket)
        again = self.d.agent("boris")
        if time.monotonic() - ready < GRACE:
            self.assertEqual(("held", "anna", 0, 0), state)
        self.assertEqual([second], [t["id"] for t in self.d.reserve(again)])
        wait_for(lambda: self.state(ticket)[0] == "queued", what="back in its queue")


class Presence(unittest.TestCase):
    def test_away_and_ready(self):
        with desk() as d:
            a, b = d.agent("anna"), d.agent("anna")
            b.send("RESERVE", "BLOCK", "0")
            parked(d, 1)
            self.assertEqual("OK", a("AWAY", "lunch"))
            self.assertIsNone(b.read(), "who is parked answers null")
            d.deliver(mail())
            self.assertIsNone(a("RESERVE"), "away: no new ticket")
            self.assertEqual({"ready": 0, "away": 1, "parked": 0}, d.stats()["agents"])
            why = json.loads(a("WHY", "1", "anna"))["agents"]
            self.assertEqual([("anna", False, "is away: lunch")], [(w["agent"], w["fits"], w["against"]) for w in why])
            b.send("RESERVE", "BLOCK", "30000")
            time.sleep(0.2)
            self.assertEqual("OK", a("READY"))
            self.assertEqual("1", json.loads(b.read()[0])["id"], "READY wakes who is parked")

    def test_reserve_implies_ready(self):
        with desk() as d:
            d.deliver(mail())
            a = d.agent("anna", ready=False)
            self.assertEqual(1, len(d.reserve(a)))
            self.assertEqual(1, d.stats()["agents"]["ready"])

    def test_empty_answers_slow_down(self):
        with desk(empty_ms=200) as d:
            a = d.agent("anna")
            began, n = time.monotonic(), 0
            while time.monotonic() - began < 2:
                self.assertIsNone(a("RESERVE"))
                n += 1
            self.assertLess(n, 25, "a loop does not spin")

    def test_full(self):
        with desk() as d:
            a = d.agent("anna")
            for _ in range(21):
                d.deliver(mail())
            self.assertEqual(20, len(d.reserve(a, "COUNT", 100)))
            self.assertIsNone(a("RESERVE"))
            with self.assertRaises(RespError) as caught:
                a("TAKE", "21")
            self.assertEqual("CAPACITY", caught.exception.code)
            b = d.agent("anna")
            b.send("RESERVE", "BLOCK", "0")
            parked(d, 1)
            self.assertTrue(b.silent(0.2))
            a("RESOLVE", "1")
            self.assertEqual("21", json.loads(b.read()[0])["id"], "freed capacity wakes")

    def test_longest_waiting_connection_first(self):
        with desk() as d:
            workers = []
            for _ in range(3):
                c = d.agent("robo")
                c.send("RESERVE", "BLOCK", "0")
                workers.append(c)
                parked(d, len(workers))
            for i in range(3):
                d.deliver(mail())
                self.assertEqual(1, len(workers[i].read()))

    def test_quit_and_block_time(self):
        with desk() as d:
            a = d.agent("anna")
            began = time.monotonic()
            self.assertIsNone(a("RESERVE", "BLOCK", "300"))
            self.assertGreater(time.monotonic() - began, 0.28)
            a.send("RESERVE", "BLOCK", "0")
            time.sleep(0.1)
            a.send("QUIT")
            self.assertIsNone(a.read())
            self.assertEqual("OK", a.read())
            self.assertTrue(a.closed())
            self.assertEqual(0, d.stats()["agents"]["parked"])

    def test_drain(self):
        with desk() as d:
            a, b = d.agent("anna"), d.agent("boris")
            a.send("RESERVE", "BLOCK", "0")
            parked(d, 1)
            d.cmd("DRAIN")
            answer = a.read(raising=False)
            self.assertEqual("DRAINING", answer.code)
            self.assertEqual("DRAINING", b.raw("RESERVE").code)
            self.assertEqual("PONG", a("PING"))


class Once(unittest.TestCase):
    """The same command twice: one effect, the same answer."""

    @classmethod
    def setUpClass(cls):
        cls.d = desk()
        cls.anna = cls.d.agent("anna")
        cls.vera = cls.d.agent("vera")

    @classmethod
    def tearDownClass(cls):
        cls.d.close()

    def ticket(self):
        self.d.deliver(mail())
        return self.d.wait_reserve(self.anna)["id"]

    def messages(self, ticket):
        return [m["direction"] for m in Desk.show(self.vera, ticket)["messages"]]

    def test_with_a_key(self):
        t = self.ticket()
        words = ("REPLY", t, "Hello", "STATUS", "held", "ID", "k" + t)
        first = self.anna(*words)
        self.anna("NOTE", t, "something in between")
        self.assertEqual(first, self.anna(*words))
        self.assertEqual(["in", "out", "note"], self.messages(t))
        answer = self.anna.raw("REPLY", t, "Other", "STATUS", "held", "ID", "k" + t)
        self.assertEqual("BADARG", answer.code)
        self.assertEqual("BADARG", self.anna.raw("RESOLVE", t, "ID", "k" + t).code)
        self.anna("RESOLVE", t)
        self.assertEqual(first, self.anna(*words), "the key counts before the state does")
        self.assertEqual("STATE", self.vera.raw(*words).code, "another agent's key is another key")

    def test_without_a_key(self):
        t = self.ticket()
        first = self.anna("REPLY", t, "Hello")
        self.assertEqual(first, self.anna("REPLY", t, "Hello"))
        self.assertEqual(["in", "out"], self.messages(t))
        self.assertEqual("STATE", self.anna.raw("REPLY", t, "Hello again").code)
        self.assertEqual("OK", self.anna("RESOLVE", t))
        self.assertEqual("OK", self.anna("RESOLVE", t))
        self.assertEqual("OK", self.anna("REOPEN", t, "no"))
        self.assertEqual("OK", self.anna("REOPEN", t, "no"))

    def test_release_again_is_another_release(self):
        t = self.ticket()
        self.anna("RELEASE", t)
        self.assertEqual("OK", self.anna("RELEASE", t))
        boris = self.d.agent("boris")
        self.assertEqual(t, self.d.wait_reserve(boris)["id"])
        self.assertEqual("OK", boris("RELEASE", t))
        self.assertEqual(t, json.loads(self.anna("TAKE", t))["id"])
        self.assertEqual("OK", self.anna("RELEASE", t))
        self.assertEqual("queued", Desk.show(self.vera, t)["state"])
        self.vera("RESOLVE", t)

    def test_reserve_and_take_with_a_key(self):
        self.d.deliver(mail())
        self.d.deliver(mail())
        first = self.anna("RESERVE", "ID", "r1")
        again = self.d.agent("anna")
        second = again("RESERVE", "ID", "r1")
        self.assertEqual(json.loads(first[0])["id"], json.loads(second[0])["id"])
        self.assertEqual(1, len(again("MINE")))
        third = again("RESERVE", "ID", "r2")
        self.assertNotEqual(json.loads(first[0])["id"], json.loads(third[0])["id"])
        for doc in (first, third):
            self.anna("RESOLVE", json.loads(doc[0])["id"])
        self.d.deliver(mail())
        t = json.loads(self.anna("LIST", "STATE", "queued")[1][0])["id"]
        a, b = self.anna("TAKE", t, "ID", "t1"), self.anna("TAKE", t, "ID", "t1")
        self.assertEqual(json.loads(a)["lease"], json.loads(b)["lease"])
        self.anna("RESOLVE", t)

    def test_a_repeated_reserve_whose_answer_was_lost(self):
        """The connection broke, the ticket went back: the same ID brings the same ticket."""
        self.d.deliver(mail())
        c = self.d.agent("anna")
        t = json.loads(c("RESERVE", "ID", "lost1")[0])["id"]
        reset(c)
        wait_for(lambda: Desk.show(self.vera, t)["state"] == "queued", 3, "given back")
        again = self.d.agent("anna")
        self.assertEqual(t, json.loads(again("RESERVE", "ID", "lost1")[0])["id"])
        again("RESOLVE", t)

    def test_touch_runs_always(self):
        t = self.ticket()
        self.assertEqual(3600000, self.anna("TOUCH", t))
        before = Desk.show(self.vera, t)["lease_until"]
        time.sleep(0.02)
        self.assertEqual(3600000, self.anna("TOUCH", t))
        after = Desk.show(self.vera, t)
        self.assertGreater(after["lease_until"], before)
        self.assertEqual("NOTHELD", self.vera.raw("TOUCH", t).code)
        self.anna("RESOLVE", t)

    def test_a_repetition_renews_the_lease(self):
        t = self.ticket()
        self.anna("NOTE", t, "x", "ID", "n" + t)
        before = Desk.show(self.vera, t)["lease_until"]
        time.sleep(0.02)
        self.anna("NOTE", t, "x", "ID", "n" + t)
        wait_for(lambda: Desk.show(self.vera, t)["lease_until"] > before, 3, "renewed")
        self.anna("RESOLVE", t)

    def test_a_past_lease(self):
        t = self.ticket()
        lease = Desk.show(self.anna, t)["lease"]
        self.anna("NOTE", t, "in time", "LEASE", lease)
        self.anna("RELEASE", t)
        self.anna("TAKE", t)
        for words in (("REPLY", t, "late"), ("NOTE", t, "late"), ("RELEASE", t), ("RESOLVE", t), ("TOUCH", t)):
            self.assertEqual("NOTHELD", self.anna.raw(*words, "LEASE", lease).code, words)
        self.anna("RESOLVE", t)

    def test_a_lease_that_ends(self):
        with Desk(agents=AGENTS.replace("lease 1h", "lease 6s"), rules="") as d:
            a = d.agent("anna")
            s = d.agent("anna", ready=False, proto=3)
            s.send("SUBSCRIBE", "me")
            s.read_push()
            lead = d.agent("vera", ready=False, proto=3)
            lead.send("SUBSCRIBE", "desk")
            lead.read_push()
            d.deliver(mail())
            t = d.wait_reserve(a)["id"]
            a("NOTE", t, "mine")
            whys = []
            while "half of its lease is over" not in whys:
                whys.append(json.loads(lead.read_push()[2])["why"])
            self.assertEqual("held", Desk.show(d.admin(), t)["state"])
            wait_for(lambda: Desk.show(d.admin(), t)["state"] == "queued", 75, "the lease is over")
            self.assertEqual("NOTHELD", a.raw("REPLY", t, "late").code)
            events = []
            while "expired" not in events:
                events.append(json.loads(s.read_push()[2])["event"])


class Stale(unittest.TestCase):
    def test_nothing_unseen_is_answered(self):
        with desk() as d:
            first = mail(message_id="<s1@customer.example>")
            d.deliver(first)
            a = d.agent("anna")
            t = d.wait_reserve(a)["id"]
            d.deliver(mail(text="One more thing.\n", reply_to="<s1@customer.example>"))
            for words in (("REPLY", t, "x"), ("RESOLVE", t), ("REPLY", t, "x", "SEEN", t + ".1")):
                answer = a.raw(*words)
                self.assertEqual("STALE", answer.code, answer.text)
                self.assertIn("%s.2" % t, answer.text)
            self.assertEqual("BADARG", a.raw("REPLY", t, "x", "SEEN", "99.1").code)
            self.assertEqual(2, Desk.show(a, t)["n_messages"])
            self.assertEqual(t + ".3", a("REPLY", t, "both"))

    def test_whom_it_answers(self):
        with desk() as d:
            d.deliver(mail(headers=[("Cc", "Colleague <col@customer.example>, support@desk.example")]))
            a, v = d.agent("anna"), d.agent("vera")
            t = d.wait_reserve(a)["id"]
            self.assertEqual("NOPERM", a.raw("REPLY", t, "x", "TO", "stranger@other.example").code)
            a("REPLY", t, "x", "STATUS", "held")
            m = Desk.show(a, t)["messages"][-1]
            self.assertEqual(["ivan@customer.example"], [x["address"] for x in m["to"]])
            self.assertEqual(["col@customer.example"], [x["address"] for x in m["cc"]])
            a("REPLY", t, "y", "TO", "col@customer.example", "STATUS", "held")
            m = Desk.show(a, t)["messages"][-1]
            self.assertEqual((["col@customer.example"], []), ([x["address"] for x in m["to"]], m["cc"]))
            a("RELEASE", t)
            v("TAKE", t)
            v("REPLY", t, "z", "TO", "stranger@other.example", "CC", "b@other.example", "CC", "c@other.example")
            m = Desk.show(v, t)["messages"][-1]
            self.assertEqual(["stranger@other.example"], [x["address"] for x in m["to"]])
            self.assertEqual(["b@other.example", "c@other.example"], [x["address"] for x in m["cc"]])


class Reload(unittest.TestCase):
    def test_an_agent_who_is_gone(self):
        with desk() as d:
            d.deliver(mail())
            a = d.agent("anna")
            t = d.wait_reserve(a)["id"]
            a("NOTE", t, "mine")
            token = d.token("anna")
            d.write(d.text.replace('agent anna  "Anna"\n', ""))
            d.cmd("RELOAD")
            self.assertTrue(a.closed())
            self.assertEqual("WRONGPASS", d.client().raw("AUTH", token).code)
            wait_for(lambda: Desk.show(d.admin(), t)["state"] == "queued", 5, "back in its place")
            b = d.agent("boris")
            self.assertEqual(t, d.wait_reserve(b)["id"])

    def test_a_token_that_was_dropped(self):
        with desk() as d:
            a = d.agent("anna")
            token = d.token("anna")
            self.assertEqual("OK", d.cmd("TOKEN", "DROP", token.split("_")[1]))
            self.assertTrue(a.closed())
            self.assertEqual("WRONGPASS", d.client().raw("AUTH", token).code)


if __name__ == "__main__":
    unittest.main()
