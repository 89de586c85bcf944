"""What leaves: answers and acknowledgements through the real daemon, helper and SMTP server."""
# takes: 18
import json
import os
import signal
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from desk import AGENTS, RULES, Desk, free_port, mail, wait_for  # noqa: E402

QUIET = RULES + "acknowledge none\n"


def entries(d):
    cursor, found = "0", []
    while True:
        cursor, page = d.cmd("OUTBOX", "LIST", *([] if cursor == "0" else ["AFTER", cursor]))
        found += [json.loads(e) for e in page]
        if cursor == "0":
            return found


def content(m):
    return m.get_content().replace("\r\n", "\n")


def one_entry(d, state):
    return wait_for(lambda: next((e for e in entries(d) if e["state"] == state), None), 10,
                    "an entry that is " + state)


def empty(d):
    wait_for(lambda: entries(d) == [], 15, "the outbox is empty")


def delivery(d, agent, ticket, message):
    return next(m for m in d.show(agent, ticket)["messages"] if m["id"] == message)["delivery"]


class Outbox(unittest.TestCase):
    def desk(self, **more):
        d = Desk(agents=AGENTS, rules=more.pop("rules", QUIET), **more)
        self.addCleanup(d.close)
        return d

    def replied(self, d, text="Restart it.", options=("STATUS", "held"), **letter):
        """A ticket that anna holds, and her answer's id."""
        anna = d.agent("anna")
        d.deliver(mail(**{"subject": "VPN", **letter}))
        doc = d.wait_reserve(anna)
        return anna, doc["id"], anna("REPLY", doc["id"], text, *options)

    def test_delivered_and_told(self):
        d = self.desk()
        anna, ticket, message = self.replied(d)
        m = d.sink.wait(1)[0]
        self.assertEqual(m.envelope_from, "support@desk.example")
        self.assertEqual(m.envelope_to, ["ivan@customer.example"])
        self.assertEqual(m.get_content().strip(), "Restart it.")
        empty(d)
        self.assertEqual([(x["address"], x["state"]) for x in delivery(d, anna, ticket, message)],
                         [("ivan@customer.example", "sent")])
        d.wait_log(r"SENT ticket=%s message=%s" % (ticket, message))
        d.fsck()

    def test_refused_for_good_is_kept_for_a_person(self):
        d = self.desk()
        d.sink.refuse["ivan@customer.example"] = "550 5.1.1 no such user"
        anna, ticket, message = self.replied(d)
        e = one_entry(d, "dead")
        self.assertIn("no such user", e["last"])
        told = delivery(d, anna, ticket, message)[0]
        self.assertEqual((told["state"], "550 5.1.1" in told["reply"]), ("refused", True))
        self.assertTrue(any(x["event"] == "refused" for x in d.show(anna, ticket)["log"]))
        self.assertEqual(d.stats()["outbox"]["dead"], 1)
        d.fsck()
        d.sink.refuse.clear()
        d.cmd("OUTBOX", "RETRY", e["id"])
        d.sink.wait(1)
        empty(d)
        self.assertEqual(delivery(d, anna, ticket, message)[0]["state"], "sent")
        d.fsck()

    def test_deferred_is_tried_again_as_the_same_mail(self):
        d = self.desk()
        ids = []

        def later(m):
            ids.append((m["Message-ID"], m.raw))
            return "451 4.3.0 later" if len(ids) == 1 else "250 2.0.0 taken"
        d.sink.answer = later
        anna, ticket, message = self.replied(d)
        e = one_entry(d, "deferred")
        self.assertEqual(e["tries"], 1)
        self.assertIn("451 4.3.0 later", e["last"])
        self.assertEqual(delivery(d, anna, ticket, message)[0]["state"], "deferred")
        d.cmd("OUTBOX", "RETRY", e["id"])
        empty(d)
        self.assertEqual(len(ids), 2)
        self.assertEqual(ids[0], ids[1])
        d.fsck()

    def test_each_recipient_by_himself(self):
        d = self.desk()
        d.sink.refuse["maria@customer.example"] = "550 5.1.1 gone"
        anna, ticket, message = self.replied(
            d, headers=[("Cc", "Maria <maria@customer.example>, oleg@customer.example")])
        e = one_entry(d, "dead")
        self.assertEqual({x["address"]: x["state"] for x in delivery(d, anna, ticket, message)},
                         {"ivan@customer.example": "sent", "maria@customer.example": "refused",
                          "oleg@customer.example": "sent"})
        d.sink.refuse.clear()
        d.cmd("OUTBOX", "RETRY", e["id"])
        empty(d)
        self.assertEqual([sorted(m.envelope_to) for m in d.sink.mails],
                         [["ivan@customer.example", "oleg@customer.example"], ["maria@customer.example"]])
        self.assertEqual(len(set(d.sink.ids())), 1)
        d.fsck()

    def test_the_next_relay(self):
        d = self.desk(start=False)
        d.write(d.text.replace("    smtp smtp", "    smtp smtp://127.0.0.1:%d\n    smtp smtp" % free_port()))
        d.start()
        self.replied(d)
        d.sink.wait(1)
        empty(d)
        d.wait_log("RELAY entry=.* the next relay is tried")

    def test_no_relay_at_all(self):
        d = self.desk()
        d.sink.stop()
        self.replied(d)
        e = one_entry(d, "deferred")
        self.assertIn("127.0.0.1:%d" % d.sink.port, e["last"])
        d.sink.start()
        d.cmd("OUTBOX", "RETRY", e["id"])
        d.sink.wait(1)
        empty(d)

    def test_answer_of_the_server_lost(self):
        d = self.desk()
        d.sink.drop = 1
        self.replied(d)
        e = one_entry(d, "deferred")
        d.cmd("OUTBOX", "RETRY", e["id"])
        empty(d)
        self.assertEqual(len(d.sink.mails), 2)
        self.assertEqual(len(set(d.sink.ids())), 1)  # the receiver can tell that it is one

    def test_helper_killed_while_it_sends(self):
        d = self.desk()
        d.sink.delay = 3.0
        self.replied(d)
        d.sink.wait(1)
        for pid in d.children("helpline-mailer"):
            os.kill(pid, signal.SIGKILL)
        e = one_entry(d, "deferred")
        self.assertIn("may have left", e["last"])
        d.sink.delay = 0.0
        d.cmd("OUTBOX", "RETRY", e["id"])
        empty(d)
        self.assertEqual(len(set(d.sink.ids())), 1)
        d.fsck()

    def test_several_at_once(self):
        d = self.desk()
        anna = d.agent("anna")
        for i in range(4):
            d.deliver(mail(subject="VPN %d" % i))
        docs = [d.wait_reserve(anna) for _ in range(4)]
        d.sink.delay = 1.0
        for doc in docs:
            for _ in range(2):
                anna("REPLY", doc["id"], "answer to " + doc["id"] + str(time.monotonic_ns()),
                     "STATUS", "held")
        d.sink.wait(8)
        empty(d)
        self.assertGreater(d.sink.most_at_once, 1)

    def test_ends_quickly_while_sending(self):
        d = self.desk()
        d.sink.delay = 40.0
        self.replied(d)
        d.sink.wait(1)
        self.assertLess(d.stop(), 20)
        d.sink.delay = 0.0
        d.start()
        wait_for(lambda: entries(d) == [], 40, "it is sent after the restart")
        self.assertEqual(len(set(d.sink.ids())), 1)
        d.fsck()

    def test_account_gone_from_the_configuration(self):
        d = self.desk(send_delay="3s")
        self.replied(d)
        kept = d.text
        d.write(kept.replace("support@desk.example", "other@desk.example").replace("help@", "help2@"))
        d.cmd("RELOAD")
        e = one_entry(d, "deferred")
        self.assertIn("no mail account support@desk.example", e["last"])
        d.write(kept)
        d.cmd("RELOAD")
        d.cmd("OUTBOX", "RETRY", e["id"])
        d.sink.wait(1)
        empty(d)


class Headers(unittest.TestCase):
    """Read back with Python's email."""

    @classmethod
    def setUpClass(cls):
        cls.d = Desk(agents=AGENTS, rules=QUIET)
        cls.anna = cls.d.agent("anna")

    @classmethod
    def tearDownClass(cls):
        cls.d.close()

    def answer(self, text="Restart it.\n", **letter):
        d, n = self.d, len(self.d.sink.mails)
        d.deliver(mail(**letter))
        doc = d.wait_reserve(self.anna)
        self.anna("REPLY", doc["id"], text, "STATUS", "resolved")
        return doc["id"], d.sink.wait(n + 1)[n]

    def test_subjects(self):
        long = "Очень длинная тема про маршрутизатор, который не работает, и про многое другое. " * 6
        for subject, back in ((long.strip(), long.strip()), ("Re: AW: x", "x"), ("[#77777] Re: y", "y"),
                              ("[JIRA-1] z", "[JIRA-1] z"), ("a =?utf-8?q?b?= c", None), ("", "")):
            ticket, m = self.answer(subject=subject)
            if back is not None:
                self.assertEqual(m["Subject"], ("[#%s] Re: %s" % (ticket, back) if back else "[#%s]" % ticket))
            self.assertTrue(all(len(line) <= 78 for line in m.raw.split(b"\r\n\r\n")[0].split(b"\r\n")))

    def test_thread(self):
        refs = " ".join("<%04d.a.message.of.a.long.thread@customer.example>" % i for i in range(200))
        self.assertGreater(len(refs), 9900)
        _, m = self.answer(subject="VPN", message_id="<last@customer.example>",
                           headers=[("References", refs.replace(" ", "\r\n "))])
        got = m["References"].split()
        self.assertEqual(got[0], refs.split()[0])
        self.assertEqual(got[-1], "<last@customer.example>")
        self.assertEqual(m["In-Reply-To"], "<last@customer.example>")
        self.assertLess(len(m["References"]), 998)

    def test_injection(self):
        ticket, m = self.answer(subject="x\ny", sender='"Evil\\" Bcc: a@b" <ivan@customer.example>',
                                text="Bcc: nobody@x.example\n.\nFrom here\n..\n")
        self.assertIsNone(m["Bcc"])
        self.assertEqual(content(m), "Bcc: nobody@x.example\n.\nFrom here\n..\n")
        self.assertEqual(m.envelope_to, ["ivan@customer.example"])

    def test_bodies(self):
        for text in ("Привет!\nКак дела?\n", "x" * 3000 + "\n", "ё" * 2000 + "\n", "tab\there  \nend\n",
                     "mixed café " * 40 + "\n", "🙂\n"):
            _, m = self.answer(subject="VPN", text=text)
            self.assertEqual(content(m), text)
            self.assertTrue(m.raw.isascii())


class Acknowledgements(unittest.TestCase):
    def test_acknowledged_once_as_machine_mail(self):
        with Desk(agents=AGENTS, rules=RULES) as d:
            d.deliver(mail(subject="VPN не работает", text="Здравствуйте, помогите.\n"))
            m = d.sink.wait(1)[0]
            self.assertIn(m.envelope_from, ("", "<>"))
            self.assertEqual(m["Auto-Submitted"], "auto-replied")
            self.assertEqual(m["X-Auto-Response-Suppress"], "All")
            self.assertRegex(m["Subject"], r"^\[#\d+\] VPN не работает$")
            self.assertIn("обращение", m.get_content())
            d.deliver(mail(subject="Re: " + m["Subject"], reply_to=m["Message-ID"], text="Ещё вот что.\n"))
            empty(d)
            time.sleep(1)
            self.assertEqual(len(d.sink.mails), 1)
            d.fsck()

    def test_refused_acknowledgement_is_no_dead_letter(self):
        with Desk(agents=AGENTS, rules=RULES) as d:
            d.sink.refuse["ivan@customer.example"] = "550 5.1.1 no such user"
            d.deliver(mail(subject="VPN"))
            d.wait_log("UNACKNOWLEDGED ticket=")
            empty(d)


if __name__ == "__main__":
    unittest.main()
