"""Promises that no other play looks at: who is idle longest, what is kept, who is told."""
# run: release asan
# seconds: 240
import json
import time
import unittest

from desk import SLOW, Desk, mail, wait_for

QUIET = 'lines first\nagent boris "Boris"\nagent anna "Anna"\nacknowledge none\n'


class Idle(unittest.TestCase):
    def take(self, d, c):
        d.deliver(mail())
        ticket = d.wait_reserve(c)["id"]
        c("NOTE", ticket, "taken up")
        return ticket

    def play(self, restart):
        with Desk(agents=QUIET, rules="") as d:
            boris = d.agent("boris")
            one = self.take(d, boris)
            anna = d.agent("anna")
            self.take(d, anna)
            time.sleep(0.05)
            boris("RESOLVE", one)
            if restart:
                d.kill9()
                d.start()
                boris, anna = d.agent("boris"), d.agent("anna")
            for c in (boris, anna):
                c.send("RESERVE", "BLOCK", "0")
            wait_for(lambda: d.stats()["agents"]["parked"] == 2, 5, "both wait")
            d.deliver(mail())
            self.assertEqual(1, len(anna.read(5 * SLOW)), "boris has finished after anna took hers")
            self.assertTrue(boris.silent(0.2))

    def test_the_later_of_taking_and_finishing_counts(self):
        self.play(False)

    def test_also_after_a_restart(self):
        self.play(True)


class Gone(unittest.TestCase):
    def test_nothing_is_kept_for_an_agent_who_is_gone(self):
        """The owner is no longer in the configuration: the customer's answer goes to the line."""
        with Desk(agents=QUIET, rules="") as d:
            anna = d.agent("anna")
            d.deliver(mail(message_id="<g1@customer.example>"))
            t = d.wait_reserve(anna)["id"]
            anna("REPLY", t, "Is it on?")
            d.write(d.text.replace('agent anna "Anna"\n', ""))
            self.assertEqual("OK", d.cmd("RELOAD"))
            d.deliver(mail(text="Yes.\n", reply_to="<g1@customer.example>"))
            self.assertEqual(t, d.wait_reserve(d.agent("boris"))["id"])
            d.fsck()


class Kept(unittest.TestCase):
    def test_machine_mail_that_cannot_be_understood(self):
        """On a ticket that exists too: its bytes are in the quarantine."""
        with Desk(agents=QUIET, rules="") as d:
            d.deliver(mail(message_id="<k1@customer.example>"))
            bomb = mail(reply_to="<k1@customer.example>", headers=[("Auto-Submitted", "auto-replied")])
            bomb = bomb.replace(b"Content-Type: text/plain; charset=utf-8", b"Content-Type: multipart/mixed; boundary=b")
            d.deliver(bomb + b"--b\r\n\r\nx\r\n" * 50000 + b"--b--\r\n")
            entries = [json.loads(e) for e in d.cmd("QUARANTINE", "LIST")[1]]
            self.assertEqual([("1", "1.2")], [(e["ticket"], e["message"]) for e in entries])
            self.assertEqual(1, len(d.list()), "it is on its ticket")
            d.fsck()


if __name__ == "__main__":
    unittest.main()
