"""What happens because time passes: promises at risk, broken, kept and paused, one line up,
reminders and giving up; in real seconds, and in office hours by a clock that is set."""
# run: release asan
import calendar
import json
import os
import time
import unittest

from desk import Desk, RespError, mail, wait_for
from resp import Client

DESK = """
lines first second third
line first  { lease 30d }
line second { lease 30d; escalate 1s }
line third  { lease 30d }
agent anna "Anna" { }
agent lena "Lena" { line second; holds 100 }
agent oleg "Oleg" { line third; holds 100 }
agent vera "Vera" { role lead; line third; notify mail; mail vera@desk.example }
agent bot  "Bot"  { role bot }
acknowledge none
promise fast { first-response 1s; warn 50%; priority high }
promise slow { first-response 1h; next-response 2h; resolution 10h }
route fast   when subject contains fast   { promise fast }
route second when subject contains second { lines second }
route slow   when subject contains slow   { promise slow }
route rest
"""


def at(text):
    """Seconds of an RFC 3339 time."""
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) + float("0" + text[19:-1])


class Scenes(unittest.TestCase):
    n = 0

    def ticket(self, subject):
        Scenes.n += 1
        sender = "c%d@customer.example" % Scenes.n
        before = {t["id"] for t in self.d.list()}
        self.d.deliver(mail(subject, sender=sender, message_id="<clock%d@customer.example>" % Scenes.n), sender=sender)
        self.sender = sender
        return next(t["id"] for t in self.d.list() if t["id"] not in before)

    def held(self, subject, agent=None):
        t = self.ticket(subject)
        (agent or self.anna)("TAKE", t)
        return t

    def doc(self, t):
        return self.d.show(self.vera, t)

    def promise(self, t, name):
        return self.doc(t)["promises"].get(name)

    def events(self, t):
        """All that the journal says of it, (event, why)."""
        out, after = [], "0"
        while True:
            page = [json.loads(e) for e in self.vera("EVENTS", "AFTER", after, "COUNT", 100)]
            out += page
            if len(page) < 100:
                return [(e["event"], e["why"]) for e in out if e["ticket"] == t]
            after = page[-1]["seq"]

    def wait_event(self, t, event):
        wait_for(lambda: event in [e for e, _ in self.events(t)], what="%s of %s in %r" % (event, t, self.events(t)))

    def refused(self, code, client, *words):
        with self.assertRaises(RespError) as e:
            client(*words)
        self.assertEqual(code, str(e.exception).split()[0], str(e.exception))


class Clocks(Scenes):
    @classmethod
    def setUpClass(cls):
        cls.d = Desk(agents=DESK, rules="", send_delay="0s")
        cls.anna = cls.d.agent("anna", ready=False)
        cls.lena = cls.d.agent("lena", ready=False)
        cls.vera = cls.d.agent("vera", ready=False)
        cls.bot = cls.d.agent("bot", ready=False)

    @classmethod
    def tearDownClass(cls):
        try:
            cls.d.fsck()
        finally:
            cls.d.close()

    def test_at_risk_then_broken_once(self):
        lead = self.d.agent("vera", ready=False)
        lead("SUBSCRIBE", "me")
        t = self.ticket("fast")
        doc = self.doc(t)
        due = at(doc["promises"]["first_response"]["due"])
        self.assertAlmostEqual(1.0, due - at(doc["created_at"]), places=2)
        heard = []
        while len(heard) < 2:
            e = json.loads(lead.read()[2])
            if e["event"] in ("at-risk", "broken") and e["ticket"] == t:
                heard.append(e)
        self.assertEqual(["at-risk", "broken"], [e["event"] for e in heard])
        self.assertEqual({"first response"}, {e["why"] for e in heard})
        self.assertGreaterEqual(at(heard[0]["at"]), due - 0.51)
        self.assertGreaterEqual(at(heard[1]["at"]), due)
        self.assertEqual("broken", self.promise(t, "first_response")["state"])
        self.assertEqual("high", self.doc(t)["priority"])
        mails = self.d.sink.wait(2, what=lambda m: "#%s]" % t in m["Subject"])
        self.assertEqual({"vera@desk.example"}, {m.envelope_to[0] for m in mails})
        self.assertEqual(["A promise is at risk: first response", "A promise is broken: first response"],
                         sorted(line for m in mails for line in m.get_content().splitlines() if line.startswith("A promise")))
        events = [e for e, _ in self.events(t)]
        self.assertEqual((1, 1), (events.count("at-risk"), events.count("broken")))
        self.anna("TAKE", t)
        self.anna("REPLY", t, "late")
        p = self.promise(t, "first_response")
        self.assertEqual("broken", p["state"])
        self.assertIsNotNone(p["met"])

    def test_kept_by_a_person_not_by_a_bot(self):
        t = self.ticket("slow")
        self.bot("TAKE", t)
        self.bot("REPLY", t, "done by a program", "STATUS", "held")
        self.assertIsNone(self.promise(t, "first_response")["met"])
        self.bot("RELEASE", t)
        self.anna("TAKE", t)
        self.anna("NOTE", t, "a note is no answer")
        self.assertIsNone(self.promise(t, "first_response")["met"])
        m = self.anna("REPLY", t, "by a person")
        self.assertEqual("met", self.promise(t, "first_response")["state"])
        self.assertNotIn("next_response", self.doc(t)["promises"])
        self.d.deliver(mail("Re", sender=self.sender, reply_to="<clock%d@customer.example>" % Scenes.n), sender=self.sender)
        p = self.promise(t, "next_response")
        self.assertEqual(("running", False), (p["state"], p["paused"]))
        self.assertAlmostEqual(7200, at(p["due"]) - at(self.doc(t)["queued_at"]), delta=1)
        self.anna("TAKE", t)
        self.anna("REPLY", t, "again", "STATUS", "resolved")
        doc = self.doc(t)
        self.assertEqual({"met"}, {p["state"] for p in doc["promises"].values()})
        self.assertNotEqual(m, "")
        self.vera("REOPEN", t, "not yet")
        self.assertIsNone(self.promise(t, "resolution")["met"])
        self.assertIsNotNone(self.promise(t, "next_response")["met"])

    def test_paused_with_the_customer_only(self):
        t = self.held("slow")
        due = at(self.promise(t, "resolution")["due"])
        self.anna("SNOOZE", t, "1h")
        self.assertFalse(self.promise(t, "resolution")["paused"])
        self.assertEqual(due, at(self.promise(t, "resolution")["due"]))
        self.anna("PEND", t, "UNTIL", "1s")
        self.assertTrue(self.promise(t, "first_response")["paused"])
        wait_for(lambda: self.doc(t)["state"] == "queued", what="its date")
        wait_for(lambda: at(self.promise(t, "resolution")["due"]) > due, what="it runs on, later")
        p = self.promise(t, "resolution")
        self.assertFalse(p["paused"])
        self.assertGreaterEqual(at(p["due"]) - due, 1.0)
        due = at(p["due"])
        self.anna("TAKE", t)
        self.anna("PEND", t)
        time.sleep(0.05)
        self.d.deliver(mail("Re", sender=self.sender, reply_to="<clock%d@customer.example>" % Scenes.n), sender=self.sender)
        p = self.promise(t, "resolution")
        self.assertFalse(p["paused"])
        self.assertGreater(at(p["due"]), due)

    def test_paused_are_not_told(self):
        t = self.held("fast")
        self.anna("PEND", t)
        time.sleep(1.2)
        self.assertNotIn("broken", [e for e, _ in self.events(t)])
        self.d.deliver(mail("Re", sender=self.sender, reply_to="<clock%d@customer.example>" % Scenes.n), sender=self.sender)
        self.wait_event(t, "broken")

    def test_made_by_hand(self):
        t = self.held("rest")
        self.refused("BADARG", self.anna, "DUE", t, "2001-01-01", "too late")
        self.refused("NOTHELD", self.lena, "DUE", t, "1h", "not mine")
        self.anna("DUE", t, "1h", "we call")
        p = self.promise(t, "by_hand")
        self.assertEqual(("we call", "running", False), (p["text"], p["state"], p["paused"]))
        self.anna("DUE", t, "1s", "we call at once")
        self.anna("PEND", t)
        self.wait_event(t, "broken")
        self.assertIn(("broken", "we call at once"), self.events(t))
        self.vera("DUE", t, "1h", "a lead's word")
        self.assertEqual("running", self.promise(t, "by_hand")["state"])
        self.vera("RESOLVE", t)
        self.assertEqual("met", self.promise(t, "by_hand")["state"])

    def test_one_line_up_by_the_clock(self):
        """Queued or in hand for so long; not while it waits for its customer."""
        queued = self.ticket("second: queued")
        held = self.held("second: held", self.lena)
        asked = self.held("second: asked", self.lena)
        self.lena("REPLY", asked, "what do you see?")
        for t in (queued, held):
            wait_for(lambda: self.doc(t)["line"] == "third", what="%s is in line third" % t)
        doc = self.doc(held)
        self.assertEqual(("queued", None), (doc["state"], doc["holder"]))
        log = [e for e in doc["log"] if e["event"] == "escalated"]
        self.assertEqual([("helpline", "second", "third")], [(e["who"], e["from"], e["to"]) for e in log])
        time.sleep(0.3)
        self.assertEqual("second", self.doc(asked)["line"])
        self.assertEqual("waiting", self.doc(asked)["state"])
        self.vera("RETURN", queued, "look again")
        wait_for(lambda: len([e for e in self.doc(queued)["log"] if e["event"] == "escalated"]) == 2, what="again")

    def test_killed_in_between(self):
        """Told once, whatever dies when."""
        for point in ("clock.decided", "clock.committed"):
            once = os.path.join(self.d.top, point)
            self.d.restart({"HELPLINE_CRASH": "%s:1@%s" % (point, once)})
            self.reconnect()
            t = self.ticket("fast")
            wait_for(lambda: not self.d.is_running(), what="it kills itself at " + point)
            self.d.start()
            self.reconnect()
            self.wait_event(t, "broken")
            time.sleep(0.5)
            events = [e for e, _ in self.events(t)]
            self.assertLessEqual(events.count("at-risk"), 1)
            self.assertEqual(1, events.count("broken"))

    def reconnect(self):
        for name in ("anna", "lena", "vera", "bot"):
            setattr(Clocks, name, self.d.agent(name, ready=False))


class NoAnswer(Scenes):
    def test_reminded_once_then_given_up(self):
        conf = DESK + "no-answer { remind 1s; close 3s }\n"
        with Desk(agents=conf, rules="", send_delay="0s") as self.d:
            self.anna, self.vera = self.d.agent("anna", ready=False), self.d.agent("vera", ready=False)
            t = self.held("rest: silent")
            silent = self.sender
            self.anna("REPLY", t, "what do you see?")
            other = self.held("rest: answers")
            self.anna("REPLY", other, "and you?")
            self.d.deliver(mail("Re", sender=self.sender, reply_to="<clock%d@customer.example>" % Scenes.n),
                           sender=self.sender)
            answers = self.sender
            snoozed = self.held("rest: snoozed")
            self.anna("SNOOZE", snoozed, "1h")
            machine = self.ticket_of_a_machine()
            self.anna("TAKE", machine)
            self.anna("PEND", machine)
            wait_for(lambda: self.doc(t)["state"] == "resolved", what="given up")
            wait_for(lambda: self.doc(machine)["state"] == "resolved", what="the machine's, too")
            mails = self.d.sink.wait(3, what=lambda m: m.envelope_to == [silent])
            self.assertEqual(3, len(mails))
            words = [m.get_content() for m in mails]
            self.assertIn("waiting for your answer on request no. %s" % t, words[1])
            self.assertIn("closed it for", words[2])
            self.assertEqual(["auto-replied"] * 2, [m["Auto-Submitted"] for m in mails[1:]])
            self.assertEqual(mails[0]["References"] is not None, mails[1]["References"] is not None)
            with self.d.sink.lock:
                self.assertEqual([], [m for m in self.d.sink.mails if "robot@" in m.envelope_to[0]])
                self.assertEqual(1, len([m for m in self.d.sink.mails if m.envelope_to == [answers]]))
            self.assertEqual(("queued", "waiting"), (self.doc(other)["state"], self.doc(snoozed)["state"]))
            self.assertEqual(1, len([e for e in self.doc(t)["log"] if e["event"] == "reminded"]))
            self.d.deliver(mail("Re", sender=silent, reply_to=mails[2]["Message-ID"]), sender=silent)
            self.assertEqual("queued", self.doc(t)["state"])
            self.d.fsck()

    def ticket_of_a_machine(self):
        before = {t["id"] for t in self.d.list()}
        self.d.deliver(mail("backup failed", sender="robot@machine.example", headers=[("Auto-Submitted", "auto-generated")]),
                       sender="robot@machine.example")
        return next(t["id"] for t in self.d.list() if t["id"] not in before)


OFFICE = """
lines first second
line  first { lease 90d; escalate 1d }
line  second { lease 90d }
agent anna "Anna" { }
agent kira "Kira" { hours office }
agent vera "Vera" { role lead; line second }
acknowledge none
hours office { mon-fri 09:00-13:00 14:00-18:00; holidays file "holidays.ics"; timezone UTC }
promise standard { hours office; first-response 1h; resolution 2d }
route general { promise standard }
"""


class OfficeHours(Scenes):
    """A Friday evening, a weekend, a Monday that is a holiday: the clock is set at each start."""

    def now_is(self, day, hour, minute, second=0):
        """The daemon is started anew at that time, days after the Friday."""
        moment = self.friday + day * 86400 + hour * 3600 + minute * 60 + second
        env = {"HELPLINE_CLOCK_SHIFT": str(int(moment - time.time()))}
        if self.d.is_running():
            self.d.restart(env)
        else:
            self.d.start(env)
        self.anna, self.vera = self.d.agent("anna", ready=False), self.d.agent("vera", ready=False)

    def moment(self, day, hour, minute):
        return self.friday + day * 86400 + hour * 3600 + minute * 60

    def office(self):
        today = int(time.time()) // 86400
        friday = today + 14 - (today + 3 - 4) % 7
        self.friday = friday * 86400
        d = self.d = Desk(agents=OFFICE, rules="", start=False)
        with open(os.path.join(d.dir, "holidays.ics"), "w") as f:
            f.write("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:%s\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
                    % time.strftime("%Y%m%d", time.gmtime((friday + 3) * 86400)))
        d.start()
        with Client(os.path.join(d.state, "r.sock")) as redis:
            redis("HSET", "{desk}:meta", "sim", "1")
        return d

    def test_hours_of_an_agent(self):
        """Nothing new outside them; when they begin he is asked by himself."""
        with self.office():
            self.now_is(4, 8, 30)
            kira = self.d.agent("kira")
            t = self.ticket("early")
            self.assertEqual([], self.d.reserve(kira))
            agents = {a["agent"]: a for a in map(json.loads, self.vera("AGENTS"))}
            self.assertEqual(("away", "outside his hours"), (agents["kira"]["presence"], agents["kira"]["reason"]))
            self.assertIn("is outside his hours", self.vera("WHY", t, "kira"))
            self.now_is(4, 8, 59, 58)
            self.assertEqual(t, self.d.wait_reserve(self.d.agent("kira"))["id"])
            events = [json.loads(e) for e in self.vera("EVENTS", "AFTER", "0", "COUNT", 100)]
            self.assertGreaterEqual(at(next(e["at"] for e in events if e["event"] == "taken")), self.moment(4, 9, 0))
            self.now_is(4, 12, 59, 58)
            kira = self.d.agent("kira")
            wait_for(lambda: any(e["event"] == "went" and e["agent"] == "kira" and e["why"] == "his hours are over"
                                 for e in map(json.loads, self.vera("EVENTS", "AFTER", "0", "COUNT", 100))), what="went")
            self.ticket("lunch")
            self.assertEqual([t], [doc["id"] for doc in self.d.reserve(kira)])  # what he has is his
            self.assertEqual([], self.d.reserve(kira))
            self.d.fsck()

    def test_over_a_weekend(self):
        with self.office():
            self.now_is(0, 17, 30)
            t = self.ticket("printer")
            p = self.doc(t)["promises"]
            self.assertAlmostEqual(self.moment(4, 9, 30), at(p["first_response"]["due"]), delta=60)
            self.assertAlmostEqual(self.moment(5, 17, 30), at(p["resolution"]["due"]), delta=60)
            self.now_is(3, 12, 0)  # the holiday
            self.assertEqual([], self.told(t))
            self.d.kill9()
            self.now_is(4, 9, 20)  # 80 % of the hour were over at 9:18
            self.wait_event(t, "at-risk")
            self.assertEqual(["at-risk"], self.told(t))
            self.now_is(4, 9, 31)
            self.wait_event(t, "broken")
            self.now_is(4, 9, 35)
            self.assertEqual(["at-risk", "broken"], self.told(t))
            self.assertEqual("first", self.doc(t)["line"])
            # with its customer from 17:00 on; he answers two working hours later
            self.now_is(4, 17, 0)
            self.anna("TAKE", t)
            self.anna("REPLY", t, "which printer?")
            self.now_is(5, 10, 0)
            self.assertEqual("waiting", self.doc(t)["state"])
            self.d.deliver(mail("Re", sender=self.sender, reply_to="<clock%d@customer.example>" % Scenes.n),
                           sender=self.sender)
            p = self.doc(t)["promises"]
            self.assertAlmostEqual(self.moment(6, 10, 30), at(p["resolution"]["due"]), delta=120)
            # a working day after it came back to the line it goes up
            self.now_is(6, 9, 55)
            self.assertEqual("first", self.doc(t)["line"])
            self.now_is(6, 10, 5)
            wait_for(lambda: self.doc(t)["line"] == "second", what="one line up")
            self.d.fsck()

    def told(self, t):
        return [e for e, _ in self.events(t) if e in ("at-risk", "broken")]


if __name__ == "__main__":
    unittest.main()
