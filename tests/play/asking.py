"""Questions to colleagues and suppliers, trainees and their tutor, drafts: one desk."""
# run: release asan
import json
import unittest

from desk import Desk, RespError, mail, wait_for
from documents import schema, wrong

AGENTS = """
lines first second secret
line secret { private }
skills network
agent anna "Анна Котова"  { skills network:4; deputy lena }
agent lena "Елена Шубина" { line second }
agent oleg "Олег Дымов"   { line second; deputy nina }
agent nina "Нина Белова"  { trainee of oleg }
agent sara "Сара Левина"  { line secret }
agent petr "Пётр Зимин"   { trainee of anna; holds 2 }
agent vera "Вера Ланская" { role lead }
"""
RULES = "acknowledge none\n"
SUPPLIER = "Help <help@supplier.example>"


def code(c, *command):
    try:
        c(*command)
    except RespError as e:
        return e.code
    return None


class Asking(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.d = Desk(agents=AGENTS, rules=RULES)
        for name in ("anna", "lena", "oleg", "petr", "vera", "nina", "sara"):
            setattr(cls, name, cls.d.agent(name, ready=name in ("anna", "petr")))

    @classmethod
    def tearDownClass(cls):
        try:
            cls.d.fsck()
        finally:
            cls.d.close()

    def ticket(self, holder, subject="A question", text="does not work"):
        before = {t["id"] for t in self.d.list()}
        self.d.deliver(mail(subject=subject, text=text))
        new, = {t["id"] for t in self.d.list()} - before
        holder("TAKE", new)
        holder("SHOW", new)
        return new

    def shown(self, ticket):
        doc = Desk.show(self.vera, ticket)
        self.assertEqual([], wrong(doc, schema("ticket")))
        return doc

    def asked(self, c):
        docs = [json.loads(x) for x in c("MINE", "ASKED")]
        for doc in docs:
            self.assertEqual([], wrong(doc, schema("summary")))
        return [doc["id"] for doc in docs]

    def last(self, ticket):
        return self.shown(ticket)["messages"][-1]

    # ---- consultations ----

    def test_a_colleague(self):
        me = self.d.agent("oleg", ready=False)
        me("SUBSCRIBE", "me")
        t = self.ticket(self.anna)
        k = self.anna("CONSULT", t, "AGENT", "oleg", "Which firmware?", "ID", "k1")
        self.assertEqual(k, self.anna("CONSULT", t, "AGENT", "oleg", "Which firmware?", "ID", "k1"))
        self.assertEqual(t + ".2", k)
        told = json.loads(me.read(timeout=30)[2])
        self.assertEqual((t, "anna", "consultation " + k), (told["ticket"], told["who"], told["why"]))
        doc = self.shown(t)
        self.assertEqual(("held", "anna", "note"), (doc["state"], doc["holder"], doc["messages"][-1]["direction"]))
        self.assertIn(t, self.asked(self.oleg))
        self.assertNotIn(t, self.asked(self.lena))
        self.assertEqual("NOPERM", code(self.petr, "ANSWER", k, "no idea"))
        self.assertEqual("NOSUCH", code(self.oleg, "ANSWER", t + ".1", "hm"))
        hears = self.d.agent("anna", ready=False)
        hears("SUBSCRIBE", "me")
        self.assertEqual("OK", self.oleg("ANSWER", k, "TEXT", "7.2, and not older"))
        told = json.loads(hears.read(timeout=30)[2])
        self.assertEqual("answer to consultation " + k, told["why"])
        self.assertEqual("STATE", code(self.oleg, "ANSWER", k, "once more"))
        self.assertNotIn(t, self.asked(self.oleg))
        c, = self.shown(t)["consultations"]
        self.assertEqual(("anna", "oleg", "oleg", t + ".3"), (c["by"], c["agent"], c["answered_by"], c["answer"]))
        self.assertEqual("held", self.shown(t)["state"])
        self.assertEqual("NOSUCH", code(self.anna, "CONSULT", t, "AGENT", "nobody", "?"))
        self.assertEqual("BADARG", code(self.anna, "CONSULT", t, "TELL", "oleg", "?"))
        self.assertEqual("NOTHELD", code(self.oleg, "CONSULT", t, "AGENT", "lena", "?"))
        self.anna("RESOLVE", t)

    def test_a_line(self):
        t = self.ticket(self.anna)
        k = self.anna("CONSULT", t, "LINE", "second", "Who knows?")
        self.assertIn(t, self.asked(self.oleg))
        self.assertIn(t, self.asked(self.lena))
        self.assertEqual("OK", self.lena("ANSWER", k, "I do"))
        self.assertNotIn(t, self.asked(self.oleg))
        k = self.anna("CONSULT", t, "LINE", "second", "And now?")
        self.anna("RESOLVE", t)
        self.assertNotIn(t, self.asked(self.oleg), "nobody need answer any more")

    def test_deputies(self):
        t = self.ticket(self.vera)
        before = self.vera("CONSULT", t, "AGENT", "anna", "Before her holiday?")
        self.assertEqual("OK", self.vera("ABSENT", "FROM", "2026-01-01T00:00:00Z", "UNTIL", "2028-01-01T00:00:00Z", "AGENT", "anna"))
        try:
            k = self.vera("CONSULT", t, "AGENT", "anna", "In her holiday?")
            c = self.shown(t)["consultations"]
            self.assertEqual(["anna", "lena"], [x["agent"] for x in c])
            self.assertIn(t, self.asked(self.lena))
            self.assertEqual("OK", self.lena("ANSWER", before, "I stand in for her"))
            self.assertEqual("OK", self.lena("ANSWER", k, "again"))
        finally:
            self.vera("ABSENT", "FROM", "2026-01-01T00:00:00Z", "UNTIL", "2026-01-02T00:00:00Z", "AGENT", "anna")
        self.vera("RESOLVE", t)
        self.anna("READY")

    def test_a_supplier(self):
        d = self.d
        t = self.ticket(self.anna, subject="Router broken", text="the customer's own words")
        k = self.anna("CONSULT", t, "TO", "help@supplier.example", "Is P-5 known to fail?")
        sent = d.sink.wait(1, what=lambda m: m.envelope_to == ["help@supplier.example"] and "[#%s]" % t in m["Subject"])[0]
        self.assertIn("Is P-5 known", sent.get_content())
        self.assertNotIn("own words", sent.get_content())
        self.assertIsNone(sent["In-Reply-To"])
        self.assertIsNone(sent["References"])
        ack = mail(subject="Re: " + sent["Subject"], text="We have got it", sender=SUPPLIER, reply_to=sent["Message-ID"],
                   headers=[("Auto-Submitted", "auto-replied")])
        d.deliver(ack, sender="help@supplier.example")
        self.assertIsNone(self.shown(t)["consultations"][0]["answered_by"])
        self.anna("REPLY", t, "We look into it")
        self.assertEqual("waiting", self.shown(t)["state"])
        d.deliver(mail(subject="Re: " + sent["Subject"], text="Yes, a bad capacitor", sender="Else <tech@supplier.example>",
                       reply_to=sent["Message-ID"]), sender="tech@supplier.example")
        doc = self.shown(t)
        self.assertEqual(("waiting", t + ".1"), (doc["state"], doc["last_in"]), "it moves nothing")
        self.assertEqual(("note", "tech@supplier.example"), (doc["messages"][-1]["direction"], doc["messages"][-1]["from"]["address"]))
        c, = doc["consultations"]
        self.assertEqual((k, "tech@supplier.example", doc["messages"][-1]["id"]), (c["id"], c["answered_by"], c["answer"]))
        # without In-Reply-To, by tag and address
        d.deliver(mail(subject="RE: [#%s] more" % t, text="and a bad fuse", sender=SUPPLIER), sender="help@supplier.example")
        self.assertEqual("note", self.last(t)["direction"])
        self.assertEqual("waiting", self.shown(t)["state"])
        d.deliver(mail(subject="Re: [#%s] Router broken" % t, text="and now?"))
        self.assertEqual("queued", self.shown(t)["state"], "its customer moves it")
        self.anna("TAKE", t)
        self.anna("REPLY", t, "A capacitor", "STATUS", "resolved")
        answer = d.sink.wait(1, what=lambda m: "A capacitor" in m.get_content())[0]
        self.assertEqual(["ivan@customer.example"], answer.envelope_to)
        self.assertNotIn("fuse", answer.get_content())

    def test_merged_with_its_questions(self):
        a, b = self.ticket(self.anna), self.ticket(self.anna)
        k = self.anna("CONSULT", b, "AGENT", "oleg", "?")
        self.anna("MERGE", b, "INTO", a)
        self.assertEqual([k], [c["id"] for c in self.shown(a)["consultations"]])
        self.assertIn(a, self.asked(self.oleg))
        self.assertEqual("OK", self.oleg("ANSWER", k, "!"))
        self.assertEqual("oleg", self.shown(a)["consultations"][0]["answered_by"])
        self.anna("UNMERGE", b)
        self.assertEqual(([], [k]), tuple([c["id"] for c in self.shown(t)["consultations"]] for t in (a, b)))
        for t in (a, b):
            self.vera("RESOLVE", t)

    # ---- trainees ----

    def test_a_trainee(self):
        d = self.d
        t = self.ticket(self.petr)
        m = self.petr("REPLY", t, "Try this, please", "ID", "r1")
        self.assertEqual(m, self.petr("REPLY", t, "Try this, please", "ID", "r1"))
        doc = self.shown(t)
        self.assertEqual(("held", "petr", None), (doc["state"], doc["holder"], doc["lease_until"]))
        self.assertEqual({"message": m, "by": "petr", "tutor": "anna"}, doc["approval"])
        self.assertEqual(["held"], [x["state"] for x in doc["messages"][-1]["delivery"]])
        self.assertIn(t, self.asked(self.anna))
        self.assertEqual("STATE", code(self.petr, "REPLY", t, "Or that"))
        self.assertEqual("NOPERM", code(self.petr, "APPROVE", m))
        self.assertEqual("NOPERM", code(self.oleg, "APPROVE", m))
        self.assertEqual("OK", self.anna("UNSEND", m, "NOTE", "be more polite"))
        doc = self.shown(t)
        self.assertEqual(("held", "petr", None), (doc["state"], doc["holder"], doc["approval"]))
        self.assertIsNotNone(doc["lease_until"])
        self.assertEqual(("note", "be more polite"), (doc["messages"][-1]["direction"], doc["messages"][-1]["text"]))
        self.assertEqual("STATE", code(self.anna, "APPROVE", m))
        m = self.petr("REPLY", t, "Dear Ivan, try this")
        d.deliver(mail(subject="Re: [#%s] x" % t, text="hurry up"))
        self.assertEqual("STALE", code(self.anna, "APPROVE", m))
        newest = self.shown(t)["last_in"]
        self.assertEqual("OK", self.lena("APPROVE", m, "SEEN", newest), "her deputy")
        answer = d.sink.wait(1, what=lambda x: "Dear Ivan" in x.get_content())[0]
        self.assertEqual(["ivan@customer.example"], answer.envelope_to)
        doc = self.shown(t)
        self.assertEqual(("waiting", "petr", None), (doc["state"], doc["owner"], doc["approval"]))
        self.assertFalse([x for x in d.sink.mails if "Try this, please" in x.get_content()])
        self.assertNotIn(t, self.asked(self.anna))

    def test_a_trainee_resolves_and_releases(self):
        t = self.ticket(self.petr)
        self.petr("RESOLVE", t, "TEXT", "All is well now")
        doc = self.shown(t)
        self.assertEqual("held", doc["state"])
        self.vera("APPROVE", doc["approval"]["message"])
        self.assertEqual("resolved", self.shown(t)["state"])
        self.d.sink.wait(1, what=lambda x: "All is well now" in x.get_content())
        t = self.ticket(self.petr)
        m = self.petr("REPLY", t, "never mind this")
        self.petr("RELEASE", t)
        doc = self.shown(t)
        self.assertEqual((None, "refused"), (doc["approval"], doc["messages"][-1]["delivery"][0]["state"]))
        self.assertEqual("NOTHELD", code(self.anna, "APPROVE", m))
        self.assertNotIn(t, self.asked(self.anna))
        self.assertEqual("NOPERM", code(self.petr, "CONSULT", self.ticket(self.petr), "TO", "x@supplier.example", "?"))

    def test_a_trainee_changes_no_subject(self):
        t = self.ticket(self.petr, subject="As it was")
        self.assertEqual("NOPERM", code(self.petr, "CHANGE", t, "subject", "words nobody approved"))
        self.assertEqual("As it was", self.shown(t)["subject"])
        self.assertEqual("OK", self.petr("CHANGE", t, "language", "en"))
        self.assertEqual("OK", self.vera("CHANGE", t, "subject", "As it is now"))
        self.assertEqual("As it is now", self.shown(t)["subject"])
        self.vera("RESOLVE", t)

    def test_no_trainee_approves(self):
        t = self.ticket(self.nina)
        m = self.nina("REPLY", t, "by nina herself")
        self.assertEqual("NOPERM", code(self.nina, "APPROVE", m), "her tutor's deputy though she is")
        self.assertEqual("held", self.shown(t)["state"])
        self.oleg("APPROVE", m)
        self.assertEqual("waiting", self.shown(t)["state"])

    def test_assigned_away_from_a_trainee(self):
        t = self.ticket(self.petr)
        m = self.petr("REPLY", t, "never to be sent")
        self.assertEqual("OK", self.vera("ASSIGN", t, "oleg"))
        doc = self.shown(t)
        self.assertEqual((None, "oleg", "refused"), (doc["approval"], doc["holder"], doc["messages"][-1]["delivery"][0]["state"]))
        self.assertNotIn(t, self.asked(self.anna))
        self.assertEqual("STATE", code(self.anna, "APPROVE", m))
        self.vera("RESOLVE", t)

    # ---- private lines ----

    def test_asked_about_a_private_ticket(self):
        t = self.ticket(self.anna)
        self.anna("TRANSFER", t, "LINE", "secret")
        self.sara("TAKE", t)
        self.assertEqual("NOSUCH", code(self.oleg, "SHOW", t))
        k = self.sara("CONSULT", t, "AGENT", "oleg", "?")
        self.assertEqual(t, Desk.show(self.oleg, t)["id"])
        self.assertEqual("NOSUCH", code(self.lena, "SHOW", t))
        for _ in range(2):
            self.assertEqual("OK", self.oleg("ANSWER", k, "!", "ID", "p1"))
        k = self.sara("CONSULT", t, "LINE", "second", "?")
        self.assertEqual("OK", self.lena("ANSWER", k, "!"))
        self.assertEqual("NOSUCH", code(self.petr, "SHOW", t))
        self.sara("RELEASE", t)
        self.vera("ASSIGN", t, "petr")
        m = self.petr("REPLY", t, "by petr")
        self.assertIn(t, self.asked(self.anna))
        for _ in range(2):
            self.assertEqual("OK", self.anna("APPROVE", m))
        self.assertEqual("waiting", self.shown(t)["state"])
        self.assertEqual(t, Desk.show(self.petr, t)["id"], "he waits for its customer")
        self.assertEqual("OK", self.petr("RESOLVE", t))
        self.assertEqual("OK", self.petr("RESOLVE", t), "the same, though it is out of his sight now")
        self.assertEqual("NOSUCH", code(self.petr, "NOTE", t, "one more thing"))

    def test_private_is_not_shown_by_a_merge(self):
        t, other = self.ticket(self.anna), self.ticket(self.anna)
        self.anna("TRANSFER", t, "LINE", "secret")
        for c in (self.sara, self.vera):
            self.assertEqual("STATE", code(c, "MERGE", t, "INTO", other))
        self.assertEqual("NOSUCH", code(self.oleg, "SHOW", t))
        self.assertEqual("NOSUCH", code(self.oleg, "MERGE", other, "INTO", t))
        self.vera("TRANSFER", other, "LINE", "secret")
        self.assertEqual(other, self.vera("MERGE", t, "INTO", other))
        self.vera("RESOLVE", other)

    def test_no_words_of_ours_in_a_question(self):
        t = self.ticket(self.anna)
        self.anna("CONSULT", t, "TO", "help@supplier.example", "What is $entry$?")
        self.assertEqual("What is $entry$?", self.shown(t)["consultations"][0]["question"])
        self.anna("RESOLVE", t)

    # ---- drafts ----

    def test_draft(self):
        t = self.ticket(self.anna)
        self.assertEqual(t + ".draft", self.anna("DRAFT", t, "Dear Iv"))
        self.anna("DRAFT", t, "TEXT", "Dear Ivan,\n")
        doc = self.shown(t)
        self.assertEqual(("anna", "Dear Ivan,\n"), (doc["draft"]["by"], doc["draft"]["text"]))
        self.assertEqual("NOTHELD", code(self.lena, "DRAFT", t, "x"))
        self.anna("REPLY", t, "Dear Ivan, done", "STATUS", "held")
        self.assertIsNone(self.shown(t)["draft"])
        self.anna("RESOLVE", t)


if __name__ == "__main__":
    unittest.main()
