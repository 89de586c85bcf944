"""People who are away: deputies, absence, who is preferred; and what a reload does to them."""
# run: release asan
import os
import unittest

from desk import Desk, RespError, mail, wait_for

AGENTS = """
lines first second
agent anna  "Anna"  { deputy petr; holds 3 }
agent petr  "Petr"  { deputy lena; holds 2 }
agent lena  "Lena"  { deputy anna; line second }
agent dina  "Dina"  { holds 50 }
agent vera  "Vera"  { role lead; line second }
customers file "customers.csv"
"""
RULES = """
acknowledge none
route vip   when customer is vip            { lines first; prefer manager 30m }
route quick when subject contains quick     { lines first; prefer last-agent 1s }
route rest                                  { lines first; prefer last-agent 30m }
"""
CUSTOMERS = "address,name,vip,manager\n" + "".join(
    "v%d@vip.example,Very,yes,anna\n" % i for i in range(20)) + "x@vip.example,Nobody,yes,nobody\n"


class People(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.d = Desk(start=False)
        with open(os.path.join(cls.d.dir, "customers.csv"), "w") as f:
            f.write(CUSTOMERS)
        cls.text = cls.d.default("embedded", "0s", None)
        cls.d.write(cls.text + AGENTS + RULES)
        cls.d.start()
        cls.who = {n: cls.d.agent(n) for n in ("anna", "petr", "lena", "dina", "vera")}
        cls.n = 0

    @classmethod
    def tearDownClass(cls):
        try:
            cls.d.fsck()
        finally:
            cls.d.close()

    def setUp(self):
        for name, c in self.who.items():
            self.vera("ABSENT", "FROM", "now", "UNTIL", "now", "AGENT", name)
            c("READY")

    def tearDown(self):
        for t in self.d.list():
            if t["state"] != "resolved":
                self.vera("RESOLVE", t["id"])

    def __getattr__(self, name):
        if name in ("anna", "petr", "lena", "dina", "vera"):
            return type(self).who[name]
        raise AttributeError(name)

    def mail(self, sender=None, subject="Help"):
        """A mail's ticket, open and newest."""
        People.n += 1
        sender = sender or "c%d@customer.example" % People.n
        self.d.deliver(mail(subject, sender=sender), sender=sender)
        return str(max(int(t["id"]) for t in self.d.list("STATE", "queued")))

    def vip(self):
        People.n += 1
        return self.mail("v%d@vip.example" % (People.n % 20))

    def doc(self, ticket):
        return self.d.show(self.vera, ticket)

    def nothing(self, *agents):
        for a in agents:
            self.assertEqual([], self.d.reserve(a))

    def gets(self, agent, ticket):
        self.assertEqual([ticket], [t["id"] for t in self.d.reserve(agent)])

    def refused(self, code, client, *words):
        with self.assertRaises(RespError) as e:
            client(*words)
        self.assertEqual(code, str(e.exception).split()[0], str(e.exception))

    # ---- who is preferred ----

    def test_manager_then_his_deputies_then_the_line(self):
        t = self.vip()
        self.nothing(self.dina, self.petr)
        self.gets(self.anna, t)
        full = [self.mail() for _ in range(2)]
        for f in full:
            self.gets(self.anna, f)
        t = self.vip()  # anna is full
        self.nothing(self.dina)
        self.gets(self.petr, t)
        self.gets(self.petr, self.mail())
        t = self.vip()  # petr too; lena is next, whatever her line
        self.nothing(self.dina)
        self.gets(self.lena, t)
        self.lena("RESOLVE", t)
        self.vera("ABSENT", "FROM", "now", "UNTIL", "1h", "AGENT", "lena")
        t = self.vip()  # the circle ends at anna
        self.gets(self.dina, t)
        self.gets(self.dina, self.mail("x@vip.example"))  # a manager who is no agent

    def test_last_agent(self):
        sender = "again@customer.example"
        t = self.mail(sender)
        self.gets(self.petr, t)
        self.petr("RESOLVE", t)
        t = self.mail(sender, "Another matter")
        self.assertEqual("petr", self.doc(t)["owner"])
        self.nothing(self.anna, self.dina)
        self.gets(self.petr, t)
        self.petr("RESOLVE", t)
        t = self.mail(sender, "quick")
        wait_for(lambda: self.d.reserve(self.dina), what="his second is over: the line's")

    def test_the_answer_goes_to_the_last_holder(self):
        sender = "talks@customer.example"
        t = self.mail(sender)
        self.gets(self.anna, t)
        self.anna("REPLY", t, "Which router?")
        self.d.deliver(mail("Re: [#%s] Help" % t, sender=sender), sender=sender)
        wait_for(lambda: self.doc(t)["state"] == "queued", what="the answer is there")
        self.nothing(self.petr, self.dina)
        self.gets(self.anna, t)

    # ---- absence ----

    def test_what_he_has_goes_to_his_deputy(self):
        sender = "waits@customer.example"
        held, waiting = self.mail(), self.mail(sender)
        self.gets(self.anna, held)
        self.gets(self.anna, waiting)
        self.anna("PEND", waiting)
        kept = self.vip()
        self.refused("NOPERM", self.petr, "ABSENT", "FROM", "now", "UNTIL", "1h", "AGENT", "anna")
        self.refused("BADARG", self.anna, "ABSENT", "FROM", "2h", "UNTIL", "1h")
        self.refused("BADARG", self.anna, "ABSENT", "FROM", "now", "UNTIL", "1h", "DEPUTY", "anna")
        self.refused("NOSUCH", self.anna, "ABSENT", "FROM", "now", "UNTIL", "1h", "DEPUTY", "nobody")
        before = self.doc(held)
        self.anna("ABSENT", "FROM", "now", "UNTIL", "1h")
        wait_for(lambda: self.doc(held)["state"] == "queued", what="what she held waits")
        wait_for(lambda: self.doc(waiting)["owner"] == "petr", what="who waits has another owner")
        wait_for(lambda: self.doc(kept)["owner"] == "petr", what="what was kept for her is kept for petr")
        self.assertEqual(before["given_back"], self.doc(held)["given_back"])
        self.nothing(self.anna, self.dina, self.lena)
        self.gets(self.petr, held)
        self.gets(self.petr, kept)
        self.petr("RESOLVE", held)
        self.d.deliver(mail("Re: [#%s] Help" % waiting, sender=sender), sender=sender)
        wait_for(lambda: self.doc(waiting)["state"] == "queued", what="the answer is there")
        self.nothing(self.dina, self.anna)
        self.gets(self.petr, waiting)

    def test_a_deputy_for_this_time_and_none_at_all(self):
        t = self.mail()
        self.gets(self.anna, t)
        self.vera("ABSENT", "FROM", "now", "UNTIL", "1h", "DEPUTY", "dina", "AGENT", "anna")
        wait_for(lambda: self.doc(t)["owner"] == "dina", what="dina stands for her")
        self.nothing(self.petr)
        self.gets(self.dina, t)
        for name in ("petr", "lena"):
            self.vera("ABSENT", "FROM", "now", "UNTIL", "1h", "AGENT", name)
        self.vera("TRANSFER", t, "AGENT", "petr")  # petr, lena, anna: dina
        self.gets(self.dina, t)

    def test_it_begins_and_ends_by_itself(self):
        t = self.mail()
        self.gets(self.anna, t)
        self.anna("ABSENT", "FROM", "1s", "UNTIL", "1h")
        wait_for(lambda: self.doc(t)["owner"] == "petr", what="it has begun")
        self.gets(self.petr, t)
        self.anna("ABSENT", "FROM", "now", "UNTIL", "1s")
        t = self.mail()
        wait_for(lambda: [x["id"] for x in self.d.reserve(self.anna)] == [t], what="it is over")

    def test_ready_ends_it(self):
        self.anna("ABSENT", "FROM", "now", "UNTIL", "1h")
        t = self.mail()
        self.nothing(self.anna)
        self.anna("READY")
        self.gets(self.anna, t)

    def test_a_blocked_reserve_is_answered(self):
        c = self.d.agent("anna")
        c.send("RESERVE", "BLOCK", "0")
        wait_for(lambda: self.d.stats()["agents"]["parked"] == 1, what="she is parked")
        self.vera("ABSENT", "FROM", "now", "UNTIL", "1h", "AGENT", "anna")
        self.assertIsNone(c.read())

    def test_many_kept_for_him_fall_back(self):
        for i in range(110):
            self.d.deliver(mail("Help", sender="m%d@customer.example" % i), sender="m%d@customer.example" % i)
        tickets = [t["id"] for t in self.d.list("STATE", "queued")]
        for t in tickets:
            self.vera.send("TRANSFER", t, "AGENT", "anna")
        self.assertEqual({"OK"}, {self.vera.read() for _ in tickets})
        self.nothing(self.dina)
        for name in ("anna", "petr", "lena"):
            self.vera("ABSENT", "FROM", "now", "UNTIL", "1h", "AGENT", name)
        wait_for(lambda: not any(t["owner"] == "anna" and t["until"] for t in self.d.list("STATE", "queued")),
                 what="all of it is in the line")
        self.assertEqual(50, len(self.d.reserve(self.dina, "COUNT", "50")))

    # ---- reload ----

    def test_who_is_gone_from_the_files(self):
        with Desk(agents="lines first\nagent anna \"A\" { holds 9 }\nagent petr \"P\"\n",
                  rules="acknowledge none\n") as d:
            anna, petr = d.agent("anna"), d.agent("petr")
            for i in range(3):
                d.deliver(mail("Help", sender="g%d@customer.example" % i), sender="g%d@customer.example" % i)
            held, waiting, kept = [t["id"] for t in d.reserve(anna, "COUNT", 3)]
            anna("PEND", waiting)
            anna("TRANSFER", kept, "AGENT", "petr")
            d.cmd("TRANSFER", d.reserve(petr)[0]["id"], "AGENT", "anna")
            self.assertEqual("anna", d.show(petr, kept)["owner"])
            d.write(d.text.replace('agent anna "A" { holds 9 }', ""))
            d.cmd("RELOAD")
            wait_for(lambda: sorted(t["id"] for t in d.list("STATE", "queued")) == sorted([held, kept]),
                     what="what she held is back")
            petr("READY")
            got = wait_for(lambda: d.reserve(petr), what="petr gets the first")[0]["id"]
            self.assertIn(got, (held, kept))
            d.deliver(mail("Re: [#%s] Help" % waiting, sender="g1@customer.example"),
                      sender="g1@customer.example")
            self.assertEqual(2, len(wait_for(lambda: d.reserve(petr, "COUNT", 2), what="the rest")))
            d.fsck()

    def test_who_is_gone_after_a_restart(self):
        """What was kept for him is nobody's but his line's."""
        with Desk(agents="lines first\nagent anna \"A\"\nagent petr \"P\"\n", rules="acknowledge none\n") as d:
            d.agent("anna").close()
            petr = d.agent("petr")
            d.deliver(mail("Help"))
            t = d.list()[0]["id"]
            d.cmd("TRANSFER", t, "AGENT", "anna")
            self.assertEqual([], d.reserve(petr))
            d.stop()
            d.write(d.text.replace('agent anna "A"', ""))
            d.start()
            petr = d.agent("petr")
            self.assertEqual(t, d.wait_reserve(petr)["id"])
            d.fsck()

    def test_a_line_with_tickets_stays(self):
        """Also with such as only wait for their customer."""
        text = "lines first second\nagent anna \"A\"\nagent lena \"L\" { line second }\n"
        with Desk(agents=text, rules="acknowledge none\n") as d:
            lena = d.agent("lena")
            d.deliver(mail("Help"))
            t = d.list()[0]["id"]
            d.cmd("TRANSFER", t, "LINE", "second")
            d.reserve(lena)
            lena("PEND", t)
            d.write(d.text.replace(text, "lines first\nagent anna \"A\"\nagent lena \"L\"\n"))
            with self.assertRaises(RespError) as e:
                d.cmd("RELOAD")
            self.assertRegex(str(e.exception), r"^STATE .*second.* 1 ")
            d.cmd("RESOLVE", t)
            self.assertEqual("OK", d.cmd("RELOAD"))

    def test_who_fits_now_wakes(self):
        text = "lines first\nskills dsl\nagent anna \"A\" { skills dsl:1 }\n"
        with Desk(agents=text, rules="acknowledge none\nneed dsl:5 when subject contains dsl\n") as d:
            anna = d.agent("anna")
            d.deliver(mail("dsl"))
            anna.send("RESERVE", "BLOCK", "0")
            wait_for(lambda: d.stats()["agents"]["parked"] == 1, what="she is parked")
            d.write(d.text.replace("dsl:1", "dsl:5"))
            d.cmd("RELOAD")
            self.assertEqual(1, len(anna.read()))

    def test_reroute(self):
        with Desk(agents="lines first second\nskills dsl\nagent anna \"A\"\n"
                         "agent lena \"L\" { line second }\nagent vera \"V\" { role lead }\n",
                  rules="acknowledge none\n") as d:
            anna, lena, vera = d.agent("anna"), d.agent("lena"), d.agent("vera", ready=False)
            for s in ("old", "other", "moved"):
                d.deliver(mail(s, sender=s + "@customer.example"), sender=s + "@customer.example")
            ids = {t["subject"]: t["id"] for t in d.list()}
            vera("ESCALATE", ids["moved"], "by hand")
            vera("TAG", ids["old"], "+mine")
            before = d.show(vera, ids["old"])
            d.write(d.text + "tag x when subject contains old or subject contains moved\n"
                             "priority high when tagged x\nroute up when tagged x { lines second }\n")
            d.cmd("RELOAD")
            self.assertEqual("first", d.show(vera, ids["old"])["line"])
            self.assertEqual(1, vera("REROUTE"))
            doc = d.show(vera, ids["old"])
            self.assertEqual(("second", "up", "high", ["mine", "x"], before["created_at"]),
                             (doc["line"], doc["route"], doc["priority"], doc["tags"], doc["created_at"]))
            self.assertEqual(0, vera("REROUTE"))
            self.assertEqual(0, vera("REROUTE", "LINE", "first"))
            self.assertEqual([], doc["needs"] and [1] or [])
            self.assertEqual(1, vera("REROUTE", ids["moved"]))
            self.assertEqual([ids["old"], ids["moved"]], [d.reserve(lena)[0]["id"], d.reserve(lena)[0]["id"]])
            self.assertEqual([ids["other"]], [t["id"] for t in d.reserve(anna)])
            for words in (("REROUTE", "999"), ("REROUTE", "LINE", "x"), ("REROUTE", ids["old"])):
                with self.assertRaises(RespError):
                    vera(*words)
            d.fsck()


if __name__ == "__main__":
    unittest.main()
