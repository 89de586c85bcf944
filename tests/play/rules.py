"""What the rules do beside routing: agents are told, customers are asked back, and a file whose
test fails is refused."""
# takes: 4
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from desk import Desk, RespError, mail, wait_for  # noqa: E402

PEOPLE = """
agent anna   "Anna"   { skills network:1 }
agent marina "Marina" { role lead; notify mail; mail marina@desk.example }
agent oleg   "Oleg"   { notify mail }
agent root   "Root"   { role admin }
"""
RULES = """
skills network
tag  vpn          when text contains "vpn"
tell marina oleg  when more than 2 tagged vpn in 1h
tell anna         when subject contains "anna"
ask  vpn-details  when tagged vpn and not text matches /windows|linux/i
acknowledge none
need network:9    when subject contains "hard"
route general     { after 1h lower needs 9 }
test "the third"  { text vpn; tagged vpn 2; expect tell marina oleg; expect ask vpn-details }
"""
QUESTION = "Subject: {subject}\n\nDear {name|customer}, which system is it? Request {ticket}, {desk}.\n"


class Rules(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.d = Desk(agents=PEOPLE, rules=RULES, start=False)
        folder = os.path.join(cls.d.dir, "templates")
        os.makedirs(folder)
        for language in "en", "ru":
            with open(os.path.join(folder, "vpn-details.%s.txt" % language), "w") as f:
                f.write(QUESTION)
        cls.d.start()

    @classmethod
    def tearDownClass(cls):
        cls.d.close()

    def came(self, subject, sender, **more):
        """The document of the ticket that this mail makes."""
        self.d.deliver(mail(subject=subject, sender=sender, **more), sender=sender.split("<")[-1].rstrip(">"))
        return wait_for(lambda: next((t for t in self.d.list() if t["subject"] == subject), None),
                        what="the ticket of " + subject)

    def told(self):
        """Who was told what by the rules, out of the journal."""
        after, found = "0", []
        while True:
            page = [json.loads(e) for e in self.d.cmd("EVENTS", "AFTER", after, "COUNT", 100)]
            found += [(e["agent"], e["ticket"], e["why"]) for e in page if e["who"] == "rules" and e["agent"]]
            if not page:
                return found
            after = page[-1]["seq"]

    def to(self, address):
        return [m for m in self.d.sink.mails if address in m.envelope_to]

    def test_1_told_once_in_the_time(self):
        d = self.d
        oleg = d.agent("oleg", ready=False)
        oleg("SUBSCRIBE", "me")
        for i in range(5):
            self.came("vpn windows %d" % i, "u%d@tell.example" % i)
        event = json.loads(oleg.read()[2])
        third = next(t["id"] for t in d.list() if t["subject"] == "vpn windows 2")
        self.assertEqual((event["ticket"], event["agent"], event["who"]), (third, "oleg", "rules"))
        self.assertIn("tell marina oleg when more than 2 tagged vpn in 1h", event["why"])
        self.assertIn("tagged vpn: 3 in 1h", event["why"])
        self.assertEqual([(a, t) for a, t, _ in self.told()], [("marina", third), ("oleg", third)])
        notice = wait_for(lambda: self.to("marina@desk.example"), what="the notice")[0]
        self.assertIn("[#%s]" % third, notice["Subject"])
        self.assertIn("tagged vpn: 3 in 1h", notice.get_content())
        self.assertNotEqual(notice["Auto-Submitted"] or "no", "no")
        for i in range(2):  # without a count each ticket tells
            self.came("anna %d" % i, "v%d@tell.example" % i)
        self.assertEqual([a for a, _, _ in self.told()], ["marina", "oleg", "anna", "anna"])
        self.assertEqual(len(self.to("marina@desk.example")), 1)
        d.fsck()

    def test_2_asked_back(self):
        d = self.d
        t = self.came("vpn is dead", "Ivan Petrov <ivan@ask.example>")
        question = wait_for(lambda: self.to("ivan@ask.example"), what="the question")[0]
        self.assertIn("[#%s]" % t["id"], question["Subject"])
        self.assertIn("Dear Ivan Petrov, which system is it? Request %s, Test desk." % t["id"], question.get_content())
        self.assertNotEqual(question["Auto-Submitted"] or "no", "no")
        self.assertEqual(question.envelope_from, "")
        anna = d.agent("anna", ready=False)

        def shown():
            doc = d.show(anna, t["id"])
            return doc if doc["messages"][-1]["delivery"][0]["state"] == "sent" else None
        doc = wait_for(shown, what="told as sent")
        out = doc["messages"][1]
        self.assertEqual((doc["state"], doc["n_messages"], out["direction"], out["author"]),
                         ("queued", 2, "out", "helpline"))
        self.assertIn("Request %s" % t["id"], out["text"])
        d.deliver(mail(subject="Re: vpn is dead", text="vpn, still", sender="ivan@ask.example",
                       reply_to=question["Message-ID"]), sender="ivan@ask.example")
        wait_for(lambda: d.show(anna, t["id"])["n_messages"] == 3, what="his answer")
        self.came("vpn on linux", "said@ask.example")
        self.came("vpn robot", "robot@ask.example", headers=[("Auto-Submitted", "auto-generated")])
        self.came("vpn last", "last@ask.example")  # what came before would have been asked by now
        wait_for(lambda: self.to("last@ask.example"), what="the last question")
        self.assertEqual([len(self.to(a + "@ask.example")) for a in ("ivan", "said", "robot", "last")], [1, 0, 0, 1])
        d.fsck()

    def test_3_the_breaker_is_behind_questions(self):
        d = self.d
        for i in range(5):
            self.came("vpn again %d" % i, "loop@ask.example")
        self.came("vpn end", "end@ask.example")
        wait_for(lambda: self.to("end@ask.example"), what="the last question")
        wait_for(lambda: len(self.to("loop@ask.example")) >= 3, what="three questions")
        self.assertEqual(len(self.to("loop@ask.example")), 3)
        d.fsck()

    def test_4_why_tells_steps_and_from_when(self):
        t = self.came("hard one", "w@why.example")
        why = json.loads(self.d.cmd("WHY", t["id"]))
        self.assertEqual([(s["after"], s["does"]) for s in why["steps"]], [("1h", "lower needs 9")])
        anna = next(a for a in why["agents"] if a["agent"] == "anna")
        self.assertEqual((anna["fits"], anna["from"], anna["against"]),
                         (False, why["steps"][0]["at"], "has network:1, needs network:9"))
        self.assertGreater(why["steps"][0]["at"], t["created_at"])

    def test_5_a_failing_test_keeps_the_old_rules(self):
        d = self.d
        text = d.text
        d.write(text.replace("more than 2 tagged", "more than 3 tagged").replace('"hard"', '"soft"'))
        with self.assertRaises(RespError) as refused:
            d.cmd("RELOAD")
        self.assertIn("test 'the third': marina is not told", str(refused.exception))
        self.assertEqual(self.came("hard again", "x@why.example")["needs"], {"network": 9})
        d.write(text.replace("network:9", "network:8"))
        d.cmd("RELOAD")
        self.assertEqual(self.came("hard now", "y@why.example")["needs"], {"network": 8})
        self.assertTrue(d.is_running())


if __name__ == "__main__":
    unittest.main()
