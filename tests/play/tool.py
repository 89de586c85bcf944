"""The program `helpline` against the real daemon: each verb, what it prints, its exit code."""
# run: release asan
import json
import os
import re
import subprocess
import unittest

import redis

from desk import BUILD, Desk, mail, wait_for

TOKEN = re.compile(r"\Ahl_[a-z0-9]+_[A-Za-z0-9_-]{43}\n\Z")


class Verbs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.desk = Desk(live=False)

    @classmethod
    def tearDownClass(cls):
        cls.desk.close()

    def run_tool(self, code, *args, stdin=b"", env=None):
        p = self.desk.tool(*args, stdin=stdin, check=False, env=env)
        self.assertEqual(code, p.returncode, "helpline %s\n%s%s" % (" ".join(args), p.stdout, p.stderr))
        if code:
            self.assertNotEqual("", p.stderr, "an error says something")
        return p

    def bare(self, *args, env=None, stdin=b""):
        """Without -c."""
        e = {k: v for k, v in os.environ.items() if not k.startswith("HELPLINE_")}
        e.update(env or {})
        return subprocess.run([os.path.join(BUILD, "helpline"), *args], input=stdin, capture_output=True, timeout=60,
                              env=e)

    def test_usage(self):
        for args in ([], ["frob"], ["status", "x"], ["cmd"], ["agent"], ["agent", "token"], ["agent", "frob", "x"],
                     ["explain"], ["reload", "x"], ["check", "x"], ["outbox", "frob"], ["outbox", "show"],
                     ["quarantine", "drop"], ["--frob", "status"], ["status", "--frob"]):
            with self.subTest(args=args):
                self.run_tool(2, *args)
        self.assertEqual(0, self.bare("--help").returncode)
        self.assertRegex(self.bare("--version").stdout.decode(), r"^helpline \d")

    def test_configuration_missing(self):
        p = self.bare("-c", "/nonexistent/helpline.conf", "status")
        self.assertEqual(2, p.returncode)
        self.assertIn(b"/nonexistent/helpline.conf", p.stderr)
        p = self.bare("status", env={"HELPLINE_CONF": self.desk.conf})
        self.assertEqual(0, p.returncode, p.stderr)

    def test_status(self):
        p = self.run_tool(0, "status")
        self.assertIn("Test desk", p.stdout)
        self.assertIn("rehearsal", p.stdout)
        self.assertRegex(p.stdout, r"(?m)^first +\d+ +\d+ +\d+ ")
        doc = json.loads(self.run_tool(0, "status", "--json").stdout)
        self.assertEqual({"queued", "held", "oldest_s", "ready"}, set(doc["lines"]["first"]))
        self.assertEqual("always", doc["store"]["durability"])
        self.assertEqual(doc["desk"], json.loads(self.run_tool(0, "--json", "status").stdout)["desk"])

    def test_oldest_is_an_age(self):
        self.desk.deliver(mail(subject="how long"))
        doc = json.loads(self.run_tool(0, "status", "--json").stdout)
        self.assertLess(doc["lines"]["first"]["oldest_s"], 600)

    def test_check(self):
        p = self.run_tool(0, "check")
        self.assertIn("agents 4, lines 2, mail accounts 1", p.stdout)
        bad = os.path.join(self.desk.dir, "bad.conf")
        with open(bad, "w") as f:
            f.write('mail a@b.example {\n    passwrod file "x"\n}\n')
        p = self.bare("-c", bad, "check")
        self.assertEqual(2, p.returncode)
        self.assertIn(b"bad.conf:2:5: error: unknown option 'passwrod'", p.stderr)
        t = subprocess.run([os.path.join(BUILD, "helplined"), "-t", "-c", bad], capture_output=True, timeout=60)
        self.assertEqual(2, t.returncode)
        self.assertEqual(p.stderr, t.stderr, "check and -t say the same")

    def test_explain(self):
        raw = mail(subject="ВПН не работает", text="Помогите\n")
        p = self.run_tool(0, "explain", "-", stdin=raw)
        self.assertIn("network:3", p.stdout)
        self.assertRegex(p.stdout, r"anna +yes")
        self.assertRegex(p.stdout, r"dina +no: .*network")
        path = os.path.join(self.desk.dir, "mail.eml")
        with open(path, "wb") as f:
            f.write(raw)
        doc = json.loads(self.run_tool(0, "explain", path, "--json").stdout)
        self.assertEqual({"network": 3}, doc["needs"])
        self.assertEqual(["vpn"], doc["tags"])
        self.assertTrue([s for s in doc["sentences"] if s["holds"] and s["on"]])
        self.assertTrue([a for a in doc["agents"] if a["agent"] == "anna" and a["fits"]])
        self.run_tool(2, "explain", "/nonexistent")

    def test_explain_needs_no_daemon(self):
        with Desk(start=False) as d:
            p = d.tool("explain", "-", stdin=mail(subject="VPN"))
            self.assertIn("vpn", p.stdout)

    def test_agent_token(self):
        p = self.run_tool(0, "agent", "token", "dina")
        self.assertRegex(p.stdout, TOKEN)
        self.assertIn("dina", p.stderr)
        with self.desk.client() as c:
            self.assertEqual("OK", c("AUTH", p.stdout.strip()))
        p = self.run_tool(1, "agent", "token", "nobody")
        self.assertEqual("", p.stdout)
        self.assertIn("NOSUCH", p.stderr)

    def test_server(self):
        token = self.run_tool(0, "agent", "token", "vera").stdout.strip()
        at = "127.0.0.1:%d" % self.desk.port
        self.assertEqual(4, self.bare("--server", at, "status").returncode)
        p = self.bare("--server", at, "status", env={"HELPLINE_TOKEN": token[:-1] + ("A" if token[-1] != "A" else "B")})
        self.assertEqual(4, p.returncode)
        self.assertIn(b"WRONGPASS", p.stderr)
        p = self.bare("--server", at, "status", "--json", env={"HELPLINE_TOKEN": token})
        self.assertEqual(0, p.returncode, p.stderr)
        self.assertEqual("Test desk", json.loads(p.stdout)["desk"])
        p = self.bare("--server", at, "live", env={"HELPLINE_TOKEN": token})
        self.assertEqual(1, p.returncode, "a lead is no administrator")
        self.assertIn(b"NOPERM", p.stderr)
        p = self.bare("--server", "127.0.0.1:1", "status", env={"HELPLINE_TOKEN": token})
        self.assertEqual(5, p.returncode)

    def test_cmd(self):
        self.assertEqual("PONG\n", self.run_tool(0, "cmd", "PING").stdout)
        self.assertEqual("--json\n", self.run_tool(0, "cmd", "ECHO", "--json").stdout)
        self.assertIn("NOSUCH", self.run_tool(1, "cmd", "SHOW", "999999").stderr)
        self.assertIn("ERR unknown command", self.run_tool(1, "cmd", "FROB").stderr)

    def test_reload(self):
        good = self.desk.text
        try:
            self.run_tool(0, "reload")
            self.desk.write(good + "\nfrobnicate 7\n")
            p = self.run_tool(1, "reload")
            self.assertIn("frobnicate", p.stderr)
            self.run_tool(0, "status")
        finally:
            self.desk.write(good)
        self.run_tool(0, "reload")

    def test_outbox_and_live(self):
        d = self.desk
        d.deliver(mail(subject="held", sender="Zoe <zoe@customer.example>"), sender="zoe@customer.example")

        def held():
            docs = [json.loads(s) for s in self.run_tool(0, "outbox", "--json").stdout.splitlines()]
            return [e for e in docs if e["to"] == ["zoe@customer.example"]]
        entry = wait_for(held, what="the acknowledgement is held")[0]
        self.assertEqual("held", entry["state"])
        self.assertRegex(self.run_tool(0, "outbox").stdout, r"(?m)^ *%s +\d+ +ack +held .*zoe@" % entry["id"])
        doc = json.loads(self.run_tool(0, "outbox", "show", entry["id"], "--json").stdout)
        self.assertEqual(entry["id"], doc["id"])
        self.assertIn("[#%s]" % entry["ticket"], doc["subject"])
        self.assertIn("request no. %s" % entry["ticket"], doc["text"], "what will be sent can be read")
        p = self.run_tool(0, "outbox", "show", entry["id"])
        self.assertIn("zoe@customer.example", p.stdout)
        self.assertIn(doc["text"], p.stdout)
        self.run_tool(1, "outbox", "show", "999999")
        self.assertIn("NOSUCH", self.run_tool(1, "outbox", "drop", "999999").stderr)
        self.run_tool(0, "live")
        try:
            got = d.sink.wait(1, what=lambda m: m.envelope_to == ["zoe@customer.example"])
            self.assertEqual("", got[0].envelope_from.strip("<>"), "an acknowledgement has no envelope sender")
            wait_for(lambda: not held(), what="the outbox is empty of it")
        finally:
            self.run_tool(0, "rehearse")

    def test_outbox_shows_an_answer(self):
        d = self.desk
        d.deliver(mail(subject="held answer", sender="Yan <yan@customer.example>"), sender="yan@customer.example")
        ticket = [t for t in d.list() if t["subject"] == "held answer"][0]["id"]
        vera = d.agent("vera")
        vera("TAKE", ticket)
        vera("REPLY", ticket, "Первая строка\nвторая")
        docs = [json.loads(s) for s in self.run_tool(0, "outbox", "--json").stdout.splitlines()]
        entry = [e for e in docs if e["ticket"] == ticket and e["kind"] == "reply"][0]
        p = self.run_tool(0, "outbox", "show", entry["id"])
        self.assertIn("[#%s] Re: held answer" % ticket, p.stdout)
        self.assertIn("Первая строка\nвторая\n", p.stdout)

    def test_quarantine_is_empty(self):
        self.assertIn("empty", self.run_tool(0, "quarantine").stdout)
        self.assertEqual("", self.run_tool(0, "quarantine", "--json").stdout)
        self.run_tool(1, "quarantine", "show", "999999")

    def test_deliver(self):
        raw = b"From person@customer.example Mon Nov 23 10:00:00 2026\nFrom: Person <person@customer.example>\n" \
              b"Subject: by pipe\nMessage-ID: <pipe.1@customer.example>\n\nFirst\n.\n..two dots\nFrom here\n"
        self.run_tool(0, "deliver", "help@desk.example", stdin=raw)
        self.run_tool(0, "deliver", "support@desk.example", stdin=raw.replace(b"\n", b"\r\n"))
        found = [t for t in self.desk.list() if t["subject"] == "by pipe"]
        self.assertEqual(1, len(found), "the same mail, by two addresses of one mailbox, once")
        with self.desk.admin() as a:
            doc = self.desk.show(a, found[0]["id"])
        self.assertEqual("First\n.\n..two dots\nFrom here", doc["messages"][0]["text"].strip())
        self.assertEqual("message", doc["messages"][0]["kind"])

    @unittest.skipUnless(os.geteuid() == 0, "only root can be nobody")
    def test_deliver_by_nobody(self):
        """As Postfix runs its pipes: he may read the configuration, but not enter the state directory."""
        nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]
        tool = os.path.join(BUILD, "helpline")
        if subprocess.run([*nobody, "test", "-x", tool]).returncode != 0:
            self.skipTest("nobody may not enter the build folder")
        os.chmod(self.desk.top, 0o711)
        os.chmod(self.desk.conf, 0o644)
        p = subprocess.run([*nobody, tool, "-c", self.desk.conf, "deliver", "help@desk.example"],
                           input=mail(subject="by nobody"), capture_output=True, timeout=60)
        self.assertEqual(0, p.returncode, p.stderr)
        self.assertEqual(1, len([t for t in self.desk.list() if t["subject"] == "by nobody"]))

    def test_deliver_sysexits(self):
        raw = mail()
        self.run_tool(67, "deliver", "nobody@desk.example", stdin=raw)
        self.run_tool(64, "deliver", stdin=raw)
        self.run_tool(64, "deliver", "two words", stdin=raw)
        self.run_tool(64, "deliver", "a@b.example>\r\nRCPT TO:<c@d", stdin=raw)
        self.run_tool(65, "deliver", "support@desk.example", stdin=raw + b"x" * (26 << 20))
        p = self.run_tool(65, "deliver", "support@desk.example", stdin=b"")
        self.assertIn("no mail on standard input", p.stderr)
        p = self.bare("-c", "/nonexistent", "deliver", "support@desk.example", stdin=raw)
        self.assertEqual(75, p.returncode, "the mail server keeps it: %r" % p.stderr)

    def test_deliver_sender(self):
        """From nobody, as mail servers say it: marked, but a person's text stays a message."""
        raw = mail(subject="from nobody", sender="Ann <ann@customer.example>")
        self.run_tool(0, "deliver", "-f", "", "support@desk.example", stdin=raw)
        t = [t for t in self.desk.list() if t["subject"] == "from nobody"][0]
        with self.desk.admin() as a:
            m = self.desk.show(a, t["id"])["messages"][0]
            self.assertEqual(("message", "null sender"), (m["kind"], m["machine"]))


class Away(unittest.TestCase):
    def test_daemon_away(self):
        """5 for verbs, 75 for deliver, and all well again when it is back."""
        with Desk() as d:
            d.stop()
            for args in (["status"], ["reload"], ["outbox"], ["agent", "token", "anna"], ["cmd", "PING"]):
                p = d.tool(*args, check=False)
                self.assertEqual(5, p.returncode, p.stderr)
                self.assertIn("is it running?", p.stderr)
            p = d.tool("deliver", "support@desk.example", stdin=mail(), check=False)
            self.assertEqual(75, p.returncode, p.stderr)
            d.start()
            d.tool("deliver", "support@desk.example", stdin=mail())

    def test_fsck(self):
        """Clean beside the daemon and without it; differences are found and mended."""
        with Desk() as d:
            d.deliver(mail(subject="VPN"))
            self.assertRegex(d.tool("fsck").stdout, r"^# 1 tickets, .* 0 differences\n$")
            d.stop()
            self.assertRegex(d.tool("fsck").stdout, r"^# 1 tickets, .* 0 differences\n$")
            d.start()
            with redis.Redis(unix_socket_path=os.path.join(d.state, "r.sock")) as r:
                for key in r.scan_iter("*:q:*"):
                    r.delete(key)
            p = d.tool("fsck", check=False)
            self.assertEqual(1, p.returncode, p.stdout + p.stderr)
            self.assertRegex(p.stdout, r"(?m)^[^#].* missing")
            d.tool("fsck", "--fix", check=False)
            d.tool("fsck")
            self.assertEqual(1, len(d.reserve(d.agent("anna"))), "and the ticket can be had")
            self.assertEqual(2, d.tool("fsck", "x", check=False).returncode)

    def test_drain(self):
        with Desk() as d:
            d.tool("drain")
            p = d.tool("deliver", "support@desk.example", stdin=mail(), check=False)
            self.assertEqual(75, p.returncode, p.stderr)
            anna = d.agent("anna")
            with self.assertRaisesRegex(Exception, "DRAINING"):
                anna("RESERVE")


if __name__ == "__main__":
    unittest.main()
