"""What client libraries send by themselves, and the shapes of the answers."""
# run: release asan
import json
import os
import re
import shutil
import subprocess
import time
import unittest

from desk import ROOT, Desk, mail
from resp import Push


class Handshakes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.d = Desk()

    @classmethod
    def tearDownClass(cls):
        cls.d.close()

    def test_what_is_in_the_manual_is_there(self):
        """Every command of docs/protocol.md answers to its name, in both protocols."""
        with open(os.path.join(ROOT, "docs/protocol.md"), encoding="utf-8") as f:
            usages = re.findall(r"^### `([^`]+)`$", f.read(), re.M)
        self.assertGreater(len(usages), 60)
        for proto in (2, 3):
            c = self.d.agent("vera", proto=proto, ready=False)
            listed = c("COMMAND", "LIST")
            self.assertEqual(len(listed), c("COMMAND", "COUNT"))
            self.assertEqual(sorted({u.split()[0].lower() for u in usages}), sorted(listed))
            for u in usages:
                words = [w for w in u.split() if w.isupper() and w.isalpha()]
                name = "|".join(words[:2]).lower() if words[0] in ("CLIENT", "COMMAND", "CONFIG", "TOKEN", "OUTBOX", "QUARANTINE") else words[0].lower()
                info = c("COMMAND", "INFO", name)
                self.assertIsNotNone(info[0], name)
                self.assertEqual((name, 10), (info[0][0], len(info[0])))

    def test_docs(self):
        for proto in (2, 3):
            c = self.d.agent("anna", proto=proto, ready=False)
            docs = c("COMMAND", "DOCS", "RESERVE", "client|id", "nothing")
            if proto == 2:
                docs = dict(zip(docs[::2], docs[1::2]))
                docs = {k: dict(zip(v[::2], v[1::2])) for k, v in docs.items()}
            self.assertEqual({"reserve", "client|id"}, set(docs))
            self.assertIn("next ticket", docs["reserve"]["summary"])
            self.assertEqual(5, len(docs["reserve"]["arguments"]))
            everything = c("COMMAND", "DOCS")
            self.assertEqual(c("COMMAND", "COUNT") * (2 if proto == 2 else 1), len(everything))

    def test_hello(self):
        c = self.d.client()
        self.assertEqual("NOAUTH", c.raw("HELLO").code)
        self.assertEqual("NOAUTH", c.raw("HELLO", "3").code)
        self.assertEqual("NOPROTO", c.raw("HELLO", "4").code)
        self.assertEqual("NOPROTO", c.raw("HELLO", "x").code)
        self.assertEqual("WRONGPASS", c.raw("HELLO", "3", "AUTH", "anna", "wrong").code)
        token = self.d.token("anna")
        self.assertEqual("WRONGPASS", c.raw("HELLO", "3", "AUTH", "dina", token).code)
        hello = c("HELLO", "3", "AUTH", "default", token, "SETNAME", "me")
        self.assertEqual(("helpline", 3, "standalone", "master", "anna", "agent", []),
                         tuple(hello[k] for k in ("server", "proto", "mode", "role", "agent", "agent_role", "modules")))
        self.assertRegex(hello["version"], r"^7\.")
        self.assertIsInstance(c("HELLO", "2"), list)
        self.assertIsInstance(c("HELLO"), list, "without a version: as it is")
        self.assertEqual("ERR", c.raw("HELLO", "3", "NOW").code)
        self.assertEqual("OK", c("AUTH", "anna", token))
        self.assertEqual("OK", c("AUTH", token))
        self.assertEqual("WRONGPASS", c.raw("AUTH", "hl_aaaaaaaa_" + "a" * 43).code)
        self.assertEqual("anna", c("HELLO")[c("HELLO").index("agent") + 1], "a failed AUTH changes nothing")

    def test_unix_login(self):
        c = self.d.admin()
        hello = c("HELLO", "3")
        self.assertTrue(hello["agent"].startswith("unix:"))
        self.assertEqual("admin", hello["agent_role"])
        self.assertEqual("NOPERM", c.raw("RESERVE").code)
        self.assertEqual("RESET", c("RESET"))
        self.assertEqual("PONG", c("PING"))
        self.assertIsInstance(c("TOKEN", "LIST"), list)
        self.assertEqual("OK", c("AUTH", self.d.token("anna")))
        self.assertEqual("NOPERM", c.raw("TOKEN", "LIST").code)

    def test_reset(self):
        c = self.d.agent("anna", proto=3, ready=False)
        c.send("SUBSCRIBE", "desk")
        c.read_push()
        c("CLIENT", "SETNAME", "x")
        self.assertEqual("RESET", c("RESET"))
        self.assertEqual("NOAUTH", c.raw("MINE").code)
        c("AUTH", self.d.token("anna"))
        self.assertIsNone(c("CLIENT", "GETNAME"))
        self.assertIsInstance(c("CONFIG", "GET", "*"), list)
        self.d.deliver(mail())
        self.assertTrue(c.silent(0.3), "no subscription is left")

    def test_small_ones(self):
        c = self.d.agent("anna", ready=False)
        self.assertEqual("hi", c("PING", "hi"))
        self.assertEqual("hi", c("ECHO", "hi"))
        seconds, us = c("TIME")
        self.assertLess(abs(int(seconds) - time.time()), 5)
        self.assertLess(int(us), 1000000)
        self.assertEqual(["master", 0, []], c("ROLE"))
        info = c("INFO")
        for line in ("redis_version:7.2.0", "loading:0", "role:master", "redis_mode:standalone", "helpline_version:"):
            self.assertIn(line, info)
        self.assertEqual("OK", c("SELECT", "0"))
        self.assertEqual("DB index is out of range", c.raw("SELECT", "1").text.split(" ", 1)[1])
        self.assertEqual([], c("CONFIG", "GET", "maxmemory", "save"))
        self.assertIn("cluster support disabled", c.raw("CLUSTER", "SLOTS").text)
        for words in (("MULTI",), ("EXEC",), ("WATCH", "a"), ("DISCARD",), ("UNWATCH",)):
            self.assertIn("transaction", c.raw(*words).text)
        for sub in ("TRACKING", "MAINT_NOTIFICATIONS", "KILL"):
            self.assertEqual("ERR unknown subcommand '%s'. Try CLIENT HELP." % sub, c.raw("CLIENT", sub, "ON").text)
        for words in (("CLIENT",), ("CONFIG",)):
            self.assertIn("wrong number of arguments", c.raw(*words).text)
        self.assertIsInstance(c("CLIENT", "ID"), int)
        self.assertEqual("OK", c("CLIENT", "SETNAME", "worker-1"))
        self.assertEqual("worker-1", c("CLIENT", "GETNAME"))
        self.assertEqual("ERR", c.raw("CLIENT", "SETNAME", "a b").code)
        self.assertEqual("OK", c("CLIENT", "SETINFO", "lib-name", "redis-py(helpline)"))
        self.assertEqual("OK", c("client", "setinfo", "LIB-VER", "5.0"))
        self.assertEqual("ERR", c.raw("CLIENT", "SETINFO", "COLOUR", "red").code)
        self.assertIn("name=worker-1", c("CLIENT", "INFO"))
        self.assertIn("lib-name=redis-py(helpline) lib-ver=5.0 resp=2", c("CLIENT", "LIST"))
        self.assertNotIn("user=unix", c("CLIENT", "LIST"))
        self.assertIn("SETNAME name", c("CLIENT", "HELP"))
        self.assertEqual("ERR", c.raw("TOKEN~NEW").code)
        self.assertEqual("OK", c("QUIT"))
        self.assertTrue(c.closed())

    def test_help(self):
        c = self.d.agent("anna", ready=False)
        for name in ("COMMAND", "CLIENT", "CONFIG", "TOKEN", "OUTBOX", "QUARANTINE"):
            lines = c(name, "HELP")
            self.assertTrue(lines[0].startswith(name))
            self.assertGreaterEqual(len(lines), 5)

    def test_inline(self):
        c = self.d.client()
        c.send_raw(b"PING\r\n\r\nauth " + self.d.token("anna").encode() + b"\nECHO \"a \\x41\\n\" \r\nECHO 'b c'\r\n")
        self.assertEqual(["PONG", "OK", "a A\n", "b c"], [c.read() for _ in range(4)])


class Subscriptions(unittest.TestCase):
    def test_resp2(self):
        with Desk() as d:
            c = d.agent("anna", ready=False)
            c.send("SUBSCRIBE", "desk", "me", "line:first")
            self.assertEqual([["subscribe", "desk", 1], ["subscribe", "me", 2], ["subscribe", "line:first", 3]],
                             [c.read() for _ in range(3)])
            self.assertEqual(["pong", ""], c("PING"))
            self.assertEqual(["pong", "x"], c("PING", "x"))
            self.assertIn("in this context", c.raw("MINE").text)
            d.deliver(mail(subject="VPN"))
            frames = [c.read() for _ in range(4)]
            self.assertEqual({("message", "desk"), ("message", "line:first")}, {(f[0], f[1]) for f in frames})
            events = [json.loads(f[2]) for f in frames]
            self.assertEqual({"message", "queued"}, {e["event"] for e in events})
            self.assertEqual({"seq", "at", "event", "ticket", "line", "agent", "who", "why"}, set(events[0]))
            other = d.agent("anna", ready=False)
            d.wait_reserve(other)
            heard = []
            while ("me", "taken") not in heard:
                f = c.read()
                heard.append((f[1], json.loads(f[2])["event"]))
            c.send("UNSUBSCRIBE", "desk")
            while c.read()[:2] != ["unsubscribe", "desk"]:
                pass
            c.send("UNSUBSCRIBE")
            frames = [c.read()]
            while frames[-1][0] != "unsubscribe" or frames[-1][2] > 0:
                frames.append(c.read())
            self.assertEqual(1, len(c("MINE")), "an ordinary connection again")
            c.send("UNSUBSCRIBE")
            self.assertEqual(["unsubscribe", None, 0], c.read())

    def test_resp3_and_patterns(self):
        with Desk() as d:
            c = d.agent("anna", proto=3, ready=False)
            c.send("PSUBSCRIBE", "line:*", "ticket:1")
            self.assertEqual([Push(["psubscribe", "line:*", 1]), Push(["psubscribe", "ticket:1", 2])],
                             [c.read_push() for _ in range(2)])
            self.assertEqual("PONG", c("PING"))
            d.deliver(mail(subject="VPN"))
            got = [c.read_push() for _ in range(4)]
            self.assertEqual({("line:*", "line:first"), ("ticket:1", "ticket:1")}, {(f[1], f[2]) for f in got})
            self.assertTrue(all(isinstance(f, Push) and f[0] == "pmessage" for f in got))

    def test_only_what_was_asked_for(self):
        with Desk() as d:
            second = d.agent("lena", proto=3, ready=False)
            mine = d.agent("dina", proto=3, ready=False)
            silent = d.agent("anna", proto=3, ready=False)
            second.send("SUBSCRIBE", "line:second")
            mine.send("SUBSCRIBE", "me")
            second.read_push()
            mine.read_push()
            d.deliver(mail(subject="VPN"))
            d.wait_reserve(silent)
            for c in (second, mine, silent):
                self.assertTrue(c.silent(0.3))
            self.assertEqual("BADARG", silent.raw("SUBSCRIBE", "everything").code)
            self.assertEqual("NOSUCH", silent.raw("SUBSCRIBE", "line:nowhere").code)
            self.assertEqual("BADARG", silent.raw("SUBSCRIBE", *["ticket:%d" % i for i in range(1, 60)], "x").code)

    def test_events_read_the_journal(self):
        with Desk() as d:
            c = d.agent("anna", ready=False)
            for _ in range(3):
                d.deliver(mail())
            events = [json.loads(e) for e in c("EVENTS", "AFTER", "0")]
            self.assertEqual(3, sum(e["event"] == "queued" for e in events))
            page = [json.loads(e) for e in c("EVENTS", "AFTER", events[0]["seq"], "COUNT", 2)]
            self.assertEqual(events[1:3], page)
            self.assertEqual([], c("EVENTS", "AFTER", events[-1]["seq"]))


@unittest.skipUnless(shutil.which("redis-cli"), "redis-cli is not installed")
class RedisCli(unittest.TestCase):
    def cli(self, d, *args, stdin=None):
        p = subprocess.run(["redis-cli", "-p", str(d.port), *args], input=stdin, capture_output=True, text=True,
                           timeout=60)
        return p.stdout

    def test_both_versions(self):
        with Desk() as d:
            auth = "AUTH %s\n" % d.token("anna")
            for version in ("-2", "-3"):
                out = self.cli(d, version, stdin=auth + "PING\nCOMMAND COUNT\nCONFIG GET *\nMINE\nRESERVE\nHELLO\n")
                self.assertIn("PONG", out)
                self.assertIn("helpline", out)
                self.assertNotIn("ERR", out)

    def test_it_works_on_the_unix_socket(self):
        with Desk() as d:
            p = subprocess.run(["redis-cli", "-s", d.unix, "STATS"], capture_output=True, text=True, timeout=60)
            self.assertIn("tickets", p.stdout)


if __name__ == "__main__":
    unittest.main()
