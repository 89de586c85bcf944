"""Promises that no other play looks at: who is idle longest, what is kept, who is told."""
# takes: 20
# run: release asan
# seconds: 240
import email.utils
import json
import os
import signal
import subprocess
import time
import unittest

import redis

from desk import Desk, free_port, mail, wait_for

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
            self.assertEqual(1, len(anna.read()), "boris has finished after anna took hers")
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


class Told(unittest.TestCase):
    def test_alerts_are_logged_once_within_silent(self):
        with Desk(agents=QUIET, rules="alert admin@desk.example { silent 1h }\n") as d:
            anna = d.agent("anna")
            for n in (1, 2):
                sender = "c%d@customer.example" % n
                d.sink.refuse[sender] = "550 5.1.1 no such user"
                d.deliver(mail(sender=sender), sender=sender)
                anna("REPLY", d.wait_reserve(anna)["id"], "Restart it.")
                wait_for(lambda: d.stats()["outbox"]["dead"] == n, 10, "a dead letter")
            told = [x for x in d.log().splitlines() if " ALERT " in x]
            self.assertEqual(1, len(told), told)
            self.assertIn("to=admin@desk.example what=mail", told[0])
            self.assertIn("no such user", told[0])


class Acknowledged(unittest.TestCase):
    def test_nothing_older_than_a_day(self):
        """A mail server was down for two days: its mail is taken and nobody is told so late."""
        with Desk(agents=QUIET.replace("acknowledge none\n", ""), rules="") as d:
            then = time.time() - 2 * 86400
            d.deliver(mail(sender="late@customer.example", date=email.utils.formatdate(then)),
                      sender="late@customer.example")
            d.deliver(mail(sender="now@customer.example"), sender="now@customer.example")
            self.assertEqual([["now@customer.example"]], [m.envelope_to for m in d.sink.wait(1)])
            time.sleep(0.5)
            self.assertEqual(1, len(d.sink.wait(1)))


class Yours(unittest.TestCase):
    def test_a_redis_with_a_password(self):
        """`store redis://`: its durability is found out, logged and told; mail goes through it."""
        port = free_port()
        with Desk(agents=QUIET, rules="", start=False) as d:
            secret = os.path.join(d.dir, "redis.secret")
            with open(os.open(secret, os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
                f.write("open sesame\n")
            server = subprocess.Popen(
                ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--requirepass", "open sesame", "--dir", d.dir,
                 "--save", "", "--appendonly", "yes", "--appendfsync", "everysec"], stdout=subprocess.DEVNULL)
            self.addCleanup(server.wait)
            self.addCleanup(server.kill)
            d.write(d.text.replace("store      embedded", 'store redis://127.0.0.1:%d/0 { password file "redis.secret" }' % port))
            d.start()
            d.deliver(mail())
            self.assertEqual("1", d.wait_reserve(d.agent("anna"))["id"])
            self.assertEqual(("redis", "everysec"), (d.stats()["store"]["kind"], d.stats()["store"]["durability"]))
            d.wait_log("STORE kind=redis durability=everysec")
            self.assertNotIn("sesame", d.log())
            d.fsck()
            d.stop()


class Served(unittest.TestCase):
    def test_priorities_are_head_starts(self):
        for urgent, first in (("1h", "fire"), ("0s", "tea")):
            rules = "priorities { urgent %s }\npriority urgent when subject contains fire\n" % urgent
            with self.subTest(urgent), Desk(agents=QUIET, rules=rules) as d:
                d.deliver(mail(subject="tea"))
                d.deliver(mail(subject="fire"))
                self.assertEqual(first, d.wait_reserve(d.agent("anna"))["subject"])

    def test_three_give_backs_leave_a_mark(self):
        with Desk(agents=QUIET, rules="") as d:
            anna = d.agent("anna")
            lead = d.agent("boris", ready=False, proto=3)
            lead.send("SUBSCRIBE", "desk")
            lead.read_push()
            d.deliver(mail())
            for n in range(3):
                t = json.loads(anna("TAKE", "1"))
                self.assertEqual((n, []), (t["given_back"], t["tags"]))
                self.assertEqual("OK", anna("RELEASE", "1"))
                self.assertIsNone(anna("RESERVE"), "not again to him for ten minutes")
            self.assertEqual(["given-back"], Desk.show(d.admin(), "1")["tags"])
            whys = []
            while "given back three times" not in whys:
                whys.append(json.loads(lead.read_push()[2])["why"])

    def test_a_bot_holds_for_five_minutes(self):
        with Desk(agents=QUIET + 'agent robo "Robo" { role bot }\n', rules="") as d:
            robo = d.agent("robo")
            d.deliver(mail())
            self.assertEqual(300000, robo("TOUCH", d.wait_reserve(robo)["id"]))


class Room(unittest.TestCase):
    def test_memory_of_the_store(self):
        """452 at 85 % of maxmemory while agents go on; nothing new for them at 98 %."""
        with Desk(agents=QUIET, rules="") as d:
            anna = d.agent("anna")
            for _ in range(3):
                d.deliver(mail())
            r = redis.Redis(unix_socket_path=os.path.join(d.state, "r.sock"))
            was = r.config_get("maxmemory")["maxmemory"]

            def share(part):
                r.config_set("maxmemory", int(r.info("memory")["used_memory"] / part))

            share(0.9)
            code, text = wait_for(lambda: [x for x in d.lmtp(mail()) if x[0] != 250], 10, "no room")[0]
            self.assertEqual(452, code, text)
            self.assertIn("maxmemory", text)
            t = d.wait_reserve(anna)["id"]
            self.assertEqual("OK", anna("RESOLVE", t))

            def nothing_is_given():
                share(0.99)  # of what it has now
                return getattr(anna.raw("RESERVE"), "code", "") == "TRYAGAIN"
            wait_for(nothing_is_given)
            r.config_set("maxmemory", was)
            wait_for(lambda: d.lmtp(mail())[0][0] == 250, 10, "mail flows again")
            d.fsck()

    def test_redis_refuses_between_two_looks_at_its_memory(self):
        with Desk(agents=QUIET, rules="") as d:
            d.deliver(mail())
            r = redis.Redis(unix_socket_path=os.path.join(d.state, "r.sock"))
            was = r.config_get("maxmemory")["maxmemory"]
            r.config_set("maxmemory", 1)
            self.assertEqual(452, d.lmtp(mail())[0][0])
            r.config_set("maxmemory", was)
            wait_for(lambda: d.lmtp(mail())[0][0] == 250, 10, "mail flows again")
            d.fsck()


class Reload(unittest.TestCase):
    LINES = 'lines first second\nagent anna "Anna"\nagent boris "Boris" { line second }\nacknowledge none\n'

    def test_sighup(self):
        with Desk(agents=self.LINES, rules="") as d:
            d.write(d.text + 'agent lena "Lena"\n')
            d.proc.send_signal(signal.SIGHUP)
            d.wait_log("RELOADED agents=3")
            self.assertTrue(d.token("lena").startswith("hl_"))
            d.write(d.text + "passwrod\n")
            d.proc.send_signal(signal.SIGHUP)
            d.wait_log("RELOAD kept=old")
            self.assertIn("passwrod", d.log())
            self.assertTrue(d.is_running())

    def test_a_line_in_which_something_waits_stays(self):
        with Desk(agents=self.LINES, rules="route back { lines second }\n") as d:
            d.deliver(mail())
            boris = d.agent("boris", ready=False)
            wait_for(lambda: d.stats()["lines"]["second"]["queued"] == 1, 5)
            d.write(d.text.replace("lines first second", "lines first").replace(" { line second }", "")
                    .replace("lines second", "lines first"))
            with self.assertRaises(Exception) as caught:
                d.cmd("RELOAD")
            self.assertIn("second", str(caught.exception))
            t = d.reserve(boris)[0]["id"]
            self.assertNotEqual(0, d.tool("reload", check=False).returncode, "what is in hand may come back")
            boris("RESOLVE", t)
            wait_for(lambda: d.tool("reload", check=False).returncode == 0, 8, "it may go now")


class Own(unittest.TestCase):
    def waiting(self, d):
        d.deliver(mail(message_id="<o1@customer.example>"))
        anna = d.agent("anna")
        t = d.wait_reserve(anna)["id"]
        anna("REPLY", t, "Is it on?")
        return anna, t

    def answer(self, d):
        d.deliver(mail(text="Yes.\n", reply_to="<o1@customer.example>"))

    def test_kept_for_its_owner_for_a_while(self):
        with Desk(agents=QUIET, rules="", env={"HELPLINE_LIMITS": "own_ms=4000"}) as d:
            anna, t = self.waiting(d)
            boris = d.agent("boris")
            self.answer(d)
            self.assertIsNone(boris("RESERVE"), "it is anna's for a while")
            self.assertEqual(t, d.wait_reserve(boris)["id"], "then anybody's")
            d.fsck()

    def test_not_for_who_is_offline(self):
        with Desk(agents=QUIET, rules="", env={"HELPLINE_LIMITS": "grace_ms=300 gone_ms=600"}) as d:
            anna, t = self.waiting(d)
            anna.close()
            d.agent("boris", ready=False)
            time.sleep(1.5)
            self.answer(d)
            self.assertEqual([t], [x["id"] for x in d.reserve(d.agent("boris"))])
            d.fsck()

    def test_falls_back_when_its_owner_goes(self):
        with Desk(agents=QUIET, rules="", env={"HELPLINE_LIMITS": "grace_ms=300 gone_ms=600"}) as d:
            anna, t = self.waiting(d)
            self.answer(d)
            boris = d.agent("boris")
            self.assertIsNone(boris("RESERVE"))
            anna.close()
            self.assertEqual(t, d.wait_reserve(boris)["id"])
            d.fsck()


if __name__ == "__main__":
    unittest.main()
