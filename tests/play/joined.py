"""Tickets made of tickets: MERGE, UNMERGE, LINK, SPLIT, in one desk."""
# run: release asan
import json
import re
import threading
import unittest

from desk import AGENTS, RULES, Desk, RespError, mail, wait_for
from documents import schema, wrong


class Joined(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.d = Desk(agents=AGENTS, rules=RULES, extra="url http://127.0.0.1\n")
        cls.anna, cls.dina, cls.vera = cls.d.agent("anna"), cls.d.agent("dina"), cls.d.agent("vera", ready=False)

    @classmethod
    def tearDownClass(cls):
        try:
            cls.d.fsck()
        finally:
            cls.d.close()

    def ticket(self, subject="VPN", sender=None, **kw):
        """One new ticket; the senders of a test are one customer, unless they are named."""
        sender = sender or "Ivan <%s>" % self.ivan()
        before = {t["id"] for t in self.d.list()}
        self.d.deliver(mail(subject=subject, sender=sender, **kw), sender=sender.split("<")[1].rstrip(">"))
        new, = {t["id"] for t in self.d.list()} - before
        return new

    def ivan(self):
        return self._testMethodName.replace("_", ".") + "@customer.example"

    def refused(self, c, code, *command):
        with self.assertRaises(RespError) as caught:
            c(*command)
        self.assertEqual(code, caught.exception.code, caught.exception)

    def shown(self, ticket, *options):
        doc = Desk.show(self.vera, ticket) if not options else json.loads(self.vera("SHOW", ticket, *options))
        self.assertEqual([], wrong(doc, schema("ticket")))
        return doc

    def test_unmerge_while_others_merge(self):
        """What became merged between two looks of UNMERGE is no reason to end."""
        a, b = self.ticket("One"), self.ticket("Two")

        def repeat(agent, i, *words):
            c = self.d.agent(agent, ready=False)
            for n in range(150):
                try:
                    c(*words, "ID", "race-%d-%d" % (i, n))
                except RespError:
                    pass  # merged already, or not yet
        threads = [threading.Thread(target=repeat, args=("vera", i, "UNMERGE", b) if i % 2 else ("vera", i, "MERGE", b, "INTO", a))
                   for i in range(6)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertTrue(self.d.is_running())
        self.assertIn(self.shown(b)["state"], ("queued", "merged"))

    def test_merge_and_unmerge(self):
        d = self.d
        a, b = self.ticket("First mail", text="one"), self.ticket("Second mail", text="two", message_id="<b1@customer.example>")
        ack = d.sink.wait(1, what=lambda m: "[#%s]" % b in m["Subject"])[0]
        self.anna("TAKE", a)
        self.assertEqual(a, self.anna("MERGE", b, "INTO", a))
        self.assertEqual(a, self.anna("MERGE", b, "INTO", a), "the same again is the same")
        doc = self.shown(a)
        self.assertEqual([a + ".1", b + ".1"], [m["id"] for m in doc["messages"]])
        self.assertEqual((2, [b], "held"), (doc["n_messages"], doc["merged"], doc["state"]))
        gone = self.shown(b)
        self.assertEqual(("merged", a), (gone["state"], gone["merged_into"]))
        self.assertNotIn(b, [t["id"] for t in d.list()])
        # his mail to the merged one, by our Message-ID and by the number, lands on the other
        d.deliver(mail(subject="Re: second", text="three", reply_to=ack["Message-ID"], sender=self.ivan()))
        d.deliver(mail(subject="Re: [#%s] Second mail" % b, text="four", sender=self.ivan()))
        doc = self.shown(a)
        self.assertEqual([a + ".1", b + ".1", a + ".2", a + ".3"], [m["id"] for m in doc["messages"]], "by time")
        page = self.shown(a, "BEFORE", a + ".2", "COUNT", "1")
        self.assertEqual([b + ".1"], [m["id"] for m in page["messages"]])
        self.refused(self.anna, "STALE", "REPLY", a, "unseen")
        message = self.anna("REPLY", a, "an answer to both", "SEEN", a + ".3")
        answer = d.sink.wait(1, what=lambda m: "answer to both" in m.get_content())[0]
        self.assertIn("[#%s]" % a, answer["Subject"])
        self.assertEqual(a + ".4", message)
        self.assertEqual(b, self.dina("UNMERGE", b))
        self.assertEqual([b + ".1"], [m["id"] for m in self.shown(b)["messages"]])
        self.assertEqual("queued", self.shown(b)["state"])
        self.assertEqual([a + ".%d" % i for i in (1, 2, 3, 4)], [m["id"] for m in self.shown(a)["messages"]])
        self.assertEqual([], self.shown(a)["merged"])
        self.dina("TAKE", b)
        self.dina("RESOLVE", b)

    def test_waiting_target_wakes(self):
        a, b = self.ticket("Camera A"), self.ticket("Camera B")
        self.dina("TAKE", a)
        self.dina("REPLY", a, "what is it?")
        self.assertEqual("waiting", self.shown(a)["state"])
        self.dina("MERGE", b, "INTO", a)
        self.assertEqual("queued", self.shown(a)["state"], "a question came with it")
        self.vera("RESOLVE", a)
        self.assertEqual("resolved", self.shown(a)["state"])
        self.assertEqual(b, self.vera("UNMERGE", b))
        self.assertEqual("queued", self.shown(b)["state"])
        self.vera("RESOLVE", b)

    def test_circles_and_rights(self):
        a, b, c = (self.ticket("Circle %s" % x) for x in "abc")
        self.refused(self.anna, "BADARG", "MERGE", a, "INTO", a)
        self.refused(self.anna, "NOSUCH", "MERGE", a, "INTO", "9999")
        self.anna("TAKE", a)
        self.refused(self.dina, "NOTHELD", "MERGE", a, "INTO", b)
        self.dina("MERGE", b, "INTO", a)
        self.refused(self.dina, "STATE", "MERGE", c, "INTO", b)
        self.refused(self.dina, "STATE", "MERGE", b, "INTO", c)
        self.refused(self.anna, "STATE", "MERGE", a, "INTO", b)
        self.anna("MERGE", a, "INTO", c)
        self.assertEqual([a + ".1", b + ".1", c + ".1"], [m["id"] for m in self.shown(c)["messages"]])
        self.anna("UNMERGE", a)
        self.assertEqual([a + ".1", b + ".1"], [m["id"] for m in self.shown(a)["messages"]])
        self.refused(self.anna, "STATE", "UNMERGE", c)
        self.anna("UNMERGE", b)
        for t in (a, b, c):
            self.vera("RESOLVE", t)
        self.refused(self.vera, "STATE", "MERGE", b, "INTO", a)

    def test_link(self):
        a, b = self.ticket("Link a"), self.ticket("Link b")
        self.assertEqual(a, self.dina("LINK", a, b, "ID", "l1"))
        self.assertEqual(a, self.dina("LINK", a, b, "ID", "l1"))
        self.assertEqual(([b], [a]), (self.shown(a)["links"], self.shown(b)["links"]))
        self.refused(self.dina, "BADARG", "LINK", a, a)

    def test_split(self):
        d = self.d
        a = self.ticket("Router", text="does not start")
        ack = d.sink.wait(1, what=lambda m: "[#%s]" % a in m["Subject"])[0]
        d.deliver(mail(subject="Re: Router", text="and my invoice is wrong", reply_to=ack["Message-ID"], sender=self.ivan()))
        self.refused(self.dina, "BADARG", "SPLIT", a, "9999.1")
        self.refused(self.dina, "NOSUCH", "SPLIT", a, a + ".7")
        new = self.dina("SPLIT", a, a + ".2", "ID", "s1")
        self.assertEqual(new, self.dina("SPLIT", a, a + ".2", "ID", "s1"))
        doc, old = self.shown(new), self.shown(a)
        self.assertEqual([a + ".2"], [m["id"] for m in doc["messages"]], "its id stays")
        self.assertEqual([a + ".1"], [m["id"] for m in old["messages"]])
        self.assertEqual((["%s" % a], [new]), (doc["links"], old["links"]))
        self.assertEqual((1, 1, "queued"), (doc["n_messages"], old["n_messages"], doc["state"]))
        self.refused(self.dina, "STATE", "SPLIT", a, a + ".1")
        self.refused(self.dina, "STATE", "SPLIT", a, a + ".2")
        self.assertEqual(old["customer"]["id"], doc["customer"]["id"])
        taken = json.loads(self.dina("TAKE", new))
        self.assertEqual(a + ".2", taken["messages"][0]["id"])
        self.assertEqual(new + ".1", self.dina("REPLY", new, "the sum is mended"))
        answer = d.sink.wait(1, what=lambda m: "sum is mended" in m.get_content())[0]
        self.assertEqual([self.ivan()], answer.envelope_to)
        d.deliver(mail(subject="Re: x", text="thanks a lot, and now?", reply_to=answer["Message-ID"], sender=self.ivan()))
        self.assertEqual([a + ".2", new + ".1", new + ".2"], [m["id"] for m in self.shown(new)["messages"]])
        wait_for(lambda: self.vera("SEARCH", "invoice", "wrong")[1], 30)

    def test_the_customers_page(self):
        """His link of the merged ticket shows the other one, when it is his too."""
        import urllib.request
        a, b = self.ticket("Page a", text="text of a"), self.ticket("Page b", text="text of b")
        other = self.ticket("Page c", text="secret of c", sender="Eve <eve@elsewhere.example>")
        page = {}
        for t in (a, b, other):
            m = self.d.sink.wait(1, what=lambda m: "[#%s]" % t in m["Subject"])[0]
            page[t] = re.search(r"/s/\S+", m.get_content()).group(0)

        def get(t):
            with urllib.request.urlopen("http://127.0.0.1:%d%s" % (self.d.web_port, page[t]), timeout=30) as r:
                return r.read().decode()
        self.vera("MERGE", b, "INTO", a)
        self.assertIn("text of b", get(b))
        self.assertIn("text of a", get(b))
        self.vera("MERGE", other, "INTO", a)
        self.assertNotIn("secret of c", get(a))
        self.assertNotIn("text of a", get(other))
        self.assertIn("secret of c", get(other))


if __name__ == "__main__":
    unittest.main()
