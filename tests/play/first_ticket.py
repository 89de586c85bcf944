"""The play: one mail, one agent, one answer, from the first byte to the last."""
# run: release asan
import json
import re
import unittest

from desk import Desk, RespError, mail, wait_for

AGENTS = """
lines first
skills network billing
agent anna  "Анна Котова"  { skills network:4 }
agent dina  "Дина Рау"     { skills billing:3 }
agent boris "Борис Седов"  { skills network:9 }
"""
RULES = """
tag  vpn        when subject contains VPN "ВПН"
need network:3  when tagged vpn
"""


def is_ack(m):
    return (m["Auto-Submitted"] or "no") != "no"


class FirstTicket(unittest.TestCase):
    def test_the_play(self):
        with Desk(agents=AGENTS, rules=RULES) as d:
            self.anna, self.dina = d.agent("anna"), d.agent("dina")
            doc = self.first_mail(d)
            answer = self.first_answer(d, doc)
            second = self.customer_replies(d, doc, answer)
            self.resolve(d, doc, second)
            self.machine_mail_changes_nothing(d, doc, second)
            self.restart_keeps_all(d, doc)
            d.fsck()

    def first_mail(self, d):
        self.anna.send("RESERVE", "BLOCK", 0)
        self.dina.send("RESERVE", "BLOCK", 0)
        self.first_raw = mail(subject="Не подключается ВПН", text="Добрый день!\n\nОшибка 809, ВПН не подключается.\n",
                              sender="Иван Петров <ivan@customer.example>", message_id="<first@customer.example>")
        d.deliver(self.first_raw)
        doc = json.loads(self.anna.read(timeout=60)[0])
        self.assertTrue(self.dina.silent(0.5), "Dina has not the skill")
        self.assertEqual("held", doc["state"])
        self.assertEqual("anna", doc["holder"])
        self.assertEqual("first", doc["line"])
        self.assertEqual({"network": 3}, doc["needs"])
        self.assertEqual(["vpn"], doc["tags"])
        self.assertEqual("Не подключается ВПН", doc["subject"])
        self.assertEqual("ru", doc["language"])
        self.assertEqual("support@desk.example", doc["account"])
        self.assertEqual(["ivan@customer.example"], doc["customer"]["emails"])
        m = doc["messages"][0]
        self.assertEqual("in", m["direction"])
        self.assertEqual("message", m["kind"])
        self.assertIn("Ошибка 809", m["text"])
        self.assertEqual("Иван Петров", m["from"]["name"])
        ack = d.sink.wait(1, what=is_ack)[0]
        self.assertEqual(["ivan@customer.example"], ack.envelope_to)
        self.assertEqual("", ack.envelope_from, "an acknowledgement has the null envelope sender")
        self.assertIn("[#%s]" % doc["id"], ack["Subject"])
        self.assertEqual("<first@customer.example>", ack["In-Reply-To"])
        self.assertRegex(ack.get_content(), "[а-я]{4}", "the acknowledgement is in Russian")
        return doc

    def first_answer(self, d, doc):
        message = self.anna("REPLY", doc["id"], "Добрый день, Иван!\nПерезапустите роутер.", "SEEN", doc["last_in"])
        self.assertTrue(message.startswith(doc["id"] + "."), message)
        answer = d.sink.wait(1, what=lambda m: not is_ack(m))[0]
        self.assertEqual(["ivan@customer.example"], answer.envelope_to)
        self.assertEqual("support@desk.example", answer.envelope_from)
        self.assertIn("support@desk.example", answer["From"])
        self.assertIn("ivan@customer.example", answer["To"])
        self.assertIn("[#%s]" % doc["id"], answer["Subject"])
        self.assertEqual(1, answer["Subject"].count("[#"))
        self.assertEqual("<first@customer.example>", answer["In-Reply-To"])
        self.assertIn("<first@customer.example>", answer["References"])
        self.assertRegex(answer["Message-ID"], r"^<t%s\.e\d+\.[0-9a-z]{17}@desk\.example>$" % doc["id"])
        self.assertIsNone(answer["Auto-Submitted"])
        self.assertIn("Перезапустите роутер.", answer.get_content())
        self.assertFalse(any(len(line) > 998 for line in answer.raw.split(b"\r\n")))
        shown = wait_for(lambda: self.sent(d, doc["id"], message), 10, "the ticket says that it was sent")
        self.assertEqual("waiting", shown["state"])
        self.assertIsNone(shown["holder"] or None)
        self.assertEqual("anna", shown["owner"])
        return answer

    def sent(self, d, ticket, message):
        shown = d.show(self.anna, ticket)
        for m in shown["messages"]:
            if m["id"] == message and [r["state"] for r in m["delivery"]] == ["sent"]:
                self.assertEqual("ivan@customer.example", m["delivery"][0]["address"])
                return shown
        return None

    def customer_replies(self, d, doc, answer):
        """Boris fits as well and waits longer; the ticket comes back to Anna."""
        boris = d.agent("boris")
        boris.send("RESERVE", "BLOCK", 0)
        self.anna.send("RESERVE", "BLOCK", 0)
        d.deliver(mail(subject="Re: " + answer["Subject"], text="Не помогло.\n\n> Перезапустите роутер.\n",
                       sender="Иван Петров <ivan@customer.example>", reply_to=answer["Message-ID"],
                       message_id="<second@customer.example>"))
        again = json.loads(self.anna.read(timeout=60)[0])
        self.assertTrue(boris.silent(0.3), "it is Anna's")
        self.assertTrue(self.dina.silent(0.1))
        self.assertEqual(doc["id"], again["id"])
        self.assertEqual("anna", again["holder"])
        self.assertEqual(["in", "out", "in"], [m["direction"] for m in again["messages"] if m["direction"] != "note"
                                               and not self.is_automatic(m)])
        self.assertEqual(1, len(d.sink.wait(1, what=is_ack)), "one acknowledgement a ticket")
        return again

    @staticmethod
    def is_automatic(m):
        return m["direction"] == "out" and m["kind"] not in ("message", None)

    def resolve(self, d, doc, second):
        self.assertEqual("OK", self.anna("RESOLVE", doc["id"], "TEXT", "Рад был помочь.", "SEEN", second["last_in"]))
        closing = d.sink.wait(1, what=lambda m: "Рад был помочь." in m.get_content())[0]
        self.assertEqual("<second@customer.example>", closing["In-Reply-To"])
        self.assertEqual("resolved", d.show(self.anna, doc["id"])["state"])
        with self.assertRaises(RespError) as caught:
            self.anna("REPLY", doc["id"], "noch einmal")
        self.assertIn(caught.exception.code, ("STATE", "NOTHELD"))

    def machine_mail_changes_nothing(self, d, doc, second):
        before = d.show(self.anna, doc["id"])
        mails = len(d.sink.mails)
        ours = d.sink.wait(1, what=lambda m: not is_ack(m))[0]["Message-ID"]
        self.anna.send("RESERVE", "BLOCK", 0)
        for headers, sender in (([("Auto-Submitted", "auto-replied")], "ivan@customer.example"),
                                ([("X-Auto-Response-Suppress", "All"), ("Precedence", "bulk")], "ivan@customer.example"),
                                ([], "")):
            d.deliver(mail(subject="Автоответ: в отпуске", text="Меня нет.", headers=headers, reply_to=ours), sender=sender)
        self.assertTrue(self.anna.silent(0.7), "nobody is woken")
        with d.agent("dina", ready=False) as other:
            after = d.show(other, doc["id"])
        self.assertEqual("resolved", after["state"])
        self.assertEqual(before["owner"], after["owner"])
        self.assertEqual(before["n_messages"] + 3, after["n_messages"], "filed on its ticket")
        self.assertTrue(all(m["kind"] != "message" for m in after["messages"][-3:]))
        self.assertEqual(mails, len(d.sink.mails), "and never answered")

    def restart_keeps_all(self, d, doc):
        d.sink.wait(3)
        took = d.restart() and 0
        self.assertEqual(0, took)
        with d.agent("dina", ready=False) as other:
            shown = d.show(other, doc["id"])
        self.assertEqual("resolved", shown["state"])
        got = d.lmtp(self.first_raw)
        self.assertEqual(250, got[0][0])
        with d.agent("dina", ready=False) as other:
            self.assertEqual(shown["n_messages"], d.show(other, doc["id"])["n_messages"], "seen before")


class Rehearsal(unittest.TestCase):
    def test_nothing_leaves_before_live(self):
        with Desk(live=False, agents=AGENTS, rules=RULES) as d:
            anna = d.agent("anna")
            d.deliver(mail(subject="VPN", text="does not work"))
            doc = d.wait_reserve(anna)
            anna("REPLY", doc["id"], "Restart it.")
            wait_for(lambda: len(d.cmd("OUTBOX", "LIST")[1]) == 2, 10, "two entries in the outbox")
            held = [json.loads(e) for e in d.cmd("OUTBOX", "LIST")[1]]
            self.assertEqual({"held"}, {e["state"] for e in held})
            self.assertEqual([], d.sink.mails)
            self.assertEqual("OK", d.cmd("LIVE"))
            d.sink.wait(2)
            wait_for(lambda: d.cmd("OUTBOX", "LIST")[1] == [], 10, "the outbox is empty")
            self.assertEqual("OK", d.cmd("REHEARSE"))
            d.fsck()

    def test_an_answer_is_taken_back(self):
        with Desk(agents=AGENTS, rules=RULES + "acknowledge none\n", send_delay="30s") as d:
            anna = d.agent("anna")
            d.deliver(mail(subject="VPN"))
            doc = d.wait_reserve(anna)
            message = anna("REPLY", doc["id"], "Something rash.", "STATUS", "held")
            self.assertEqual("OK", anna("UNSEND", message))
            self.assertEqual([], d.cmd("OUTBOX", "LIST")[1])
            d.fsck()


class Threading(unittest.TestCase):
    def test_a_stranger_with_a_subject_tag_gets_his_own_ticket(self):
        with Desk(agents=AGENTS, rules=RULES) as d:
            d.deliver(mail(subject="One", message_id="<one@customer.example>"))
            one = d.list()[0]["id"]
            d.deliver(mail(subject="Re: [#%s] One" % one, sender="Eve <eve@elsewhere.example>"))
            d.deliver(mail(subject="Re: [#%s] One" % one, sender="Eve <eve@elsewhere.example>", reply_to="<one@customer.example>"))
            docs = {t["id"]: t for t in d.list()}
            self.assertEqual(1, docs[one]["n_messages"])
            d.deliver(mail(subject="Re: [#%s] One" % one))
            d.deliver(mail(subject="Another subject", reply_to="<one@customer.example>"))
            docs = {t["id"]: t for t in d.list()}
            self.assertEqual(3, docs[one]["n_messages"])
            d.fsck()

    def test_our_signed_message_id_counts_from_any_sender(self):
        with Desk(agents=AGENTS, rules=RULES) as d:
            d.deliver(mail(subject="One"))
            ack = d.sink.wait(1)[0]
            d.deliver(mail(subject="From my other address", sender="ivan.petrov@home.example", reply_to=ack["Message-ID"]))
            self.assertEqual([2], [t["n_messages"] for t in d.list()])
            forged = re.sub(r"\.([0-9a-z])([0-9a-z]{16})@", lambda m: ".%saaaaaaaaaaaaaaaa@" % m.group(1), ack["Message-ID"])
            d.deliver(mail(subject="Forged", sender="eve@elsewhere.example", reply_to=forged))
            self.assertEqual([1, 2], sorted(t["n_messages"] for t in d.list()))
            d.fsck()


if __name__ == "__main__":
    unittest.main()
