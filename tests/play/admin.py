"""What administrators do: tokens, reload, live and rehearsal, outbox, quarantine, the end."""
# run: release asan
import json
import os
import subprocess
import time
import unittest

from desk import ROOT, Desk, free_port, mail, wait_for

POISON = dict(headers=[("X-%d" % i, "y" * 900) for i in range(400)])  # over a limit of the parser


class Admin(unittest.TestCase):
    def test_only_administrators(self):
        with Desk() as d:
            a = d.agent("vera")
            for words in (("TOKEN", "LIST"), ("TOKEN", "NEW", "anna"), ("TOKEN", "DROP", "x"), ("RELOAD",), ("DRAIN",),
                          ("LIVE",), ("REHEARSE",), ("OUTBOX", "LIST"), ("OUTBOX", "SHOW", "1"), ("OUTBOX", "RETRY", "1"),
                          ("OUTBOX", "DROP", "1"), ("QUARANTINE", "LIST"), ("QUARANTINE", "SHOW", "1"),
                          ("QUARANTINE", "RETRY", "1"), ("QUARANTINE", "DROP", "1"), ("SHUTDOWN",)):
                answer = a.raw(*words)
                self.assertEqual("NOPERM", answer.code, words)
                self.assertIn("vera", answer.text)

    def test_tokens(self):
        with Desk() as d:
            v = d.admin()
            token = v("TOKEN", "NEW", "anna", "NAME", "her laptop")
            self.assertRegex(token, r"^hl_[a-z2-7]{8}_[A-Za-z0-9_-]{43}$")
            listed = [json.loads(t) for t in v("TOKEN", "LIST", "anna")]
            self.assertEqual([("anna", "her laptop", None)], [(t["agent"], t["name"], t["used_at"]) for t in listed])
            c = d.client()
            c("AUTH", token)
            wait_for(lambda: json.loads(v("TOKEN", "LIST", "anna")[0])["used_at"], 5)
            self.assertEqual([], v("TOKEN", "LIST", "dina"))
            self.assertEqual("NOSUCH", v.raw("TOKEN", "NEW", "nobody").code)
            self.assertEqual("NOSUCH", v.raw("TOKEN", "DROP", "aaaaaaaa").code)
            for wrong in (token[:-1] + "_", token + "x", token.replace("hl_", "hx_"), "hl__" + "a" * 43, "", "a" * 500):
                self.assertIn(d.client().raw("AUTH", wrong).code, ("WRONGPASS",))
            self.assertNotIn(token.split("_", 2)[2], d.log())

    def test_reload(self):
        with Desk() as d:
            v = d.admin()
            d.write(d.text.replace("send-delay", "send-dleay"))
            answer = v.raw("RELOAD")
            self.assertIn("send-dleay", answer.text)
            self.assertEqual("Test desk", d.stats()["desk"])
            d.write(d.text.replace("send-dleay", "send-delay").replace("Test desk", "New desk"))
            self.assertEqual("OK", v("RELOAD"))
            self.assertEqual("New desk", d.stats()["desk"])

    def test_live_and_rehearsal(self):
        with Desk(live=False) as d:
            v, a = d.admin(), d.agent("anna")
            d.deliver(mail(subject="one"))
            t = d.wait_reserve(a)["id"]
            m = a("REPLY", t, "Hello")
            self.assertFalse(d.stats()["live"])
            self.assertEqual("held", Desk.show(v, t)["messages"][-1]["delivery"][0]["state"])
            time.sleep(1)
            self.assertEqual([], d.sink.mails)
            self.assertEqual("OK", v("LIVE"))
            d.sink.wait(2)
            wait_for(lambda: Desk.show(v, t)["messages"][-1]["delivery"][0]["state"] == "sent", 10)
            self.assertEqual("STATE", a.raw("UNSEND", m).code)
            self.assertEqual("OK", v("REHEARSE"))
            self.assertFalse(d.stats()["live"])

    def test_retry(self):
        with Desk() as d:
            d.sink.answer = "450 4.2.0 later"
            v, a = d.admin(), d.agent("anna")
            d.deliver(mail())
            t = d.wait_reserve(a)["id"]
            m = a("REPLY", t, "Hello")

            def entry():
                for e in (json.loads(x) for x in v("OUTBOX", "LIST")[1]):
                    if e["message"] == m and e["state"] == "deferred":
                        return e
                return None
            e = wait_for(entry, 15)
            self.assertIn("later", e["last"])
            d.sink.answer = "250 ok"
            self.assertEqual("OK", v("OUTBOX", "RETRY", e["id"]))
            d.sink.wait(1, what=lambda x: "Hello" in x.get_content())
            self.assertEqual("NOSUCH", v.raw("OUTBOX", "RETRY", "999").code)

    def test_quarantine(self):
        with Desk() as d:
            v = d.admin()
            d.deliver(mail(**POISON))
            entry = wait_for(lambda: v("QUARANTINE", "LIST")[1], 5)[0]
            e = json.loads(entry)
            self.assertEqual("support@desk.example", e["account"])
            again = v.raw("QUARANTINE", "RETRY", e["id"])
            self.assertNotEqual("OK", again, "it is as bad as it was: " + str(again))
            self.assertEqual(1, len(v("QUARANTINE", "LIST")[1]))
            self.assertEqual("NOSUCH", v.raw("QUARANTINE", "RETRY", "999").code)
            self.assertEqual("NOSUCH", v.raw("QUARANTINE", "SHOW", "999").code)
            self.assertEqual("OK", v("QUARANTINE", "DROP", e["id"]))
            self.assertEqual([], v("QUARANTINE", "LIST")[1])
            self.assertEqual("NOSUCH", v.raw("QUARANTINE", "DROP", e["id"]).code)

    def test_drain_and_shutdown(self):
        with Desk() as d:
            a = d.agent("anna")
            a.send("RESERVE", "BLOCK", "0")
            time.sleep(0.1)
            v = d.admin()
            self.assertEqual("OK", v("SHUTDOWN"))
            self.assertEqual("DRAINING", a.read(raising=False).code)
            self.assertEqual(0, d.proc.wait(60))

    def test_what_takes_a_restart_is_said(self):
        with Desk(start=False) as d:
            os.chmod(d.state, 0o777)
            d.start()
            d.wait_log("STATE dir=.* mode=777 .*chmod 700")
            was = d.text
            self.assertEqual("OK", d.cmd("RELOAD"))
            d.write(was.replace("lmtp   { listen", "lmtp   { listen 127.0.0.1:%d" % free_port()))
            for _ in range(2):
                self.assertEqual("OK, but restart for lmtp", d.cmd("RELOAD"))
            d.wait_log("RELOAD restart=lmtp why=")
            d.write(was)
            self.assertEqual("OK", d.cmd("RELOAD"))
            d.restart()

    def test_a_demo_is_never_live(self):
        d = Desk(start=False)
        self.addCleanup(d.close)
        with open(d.log_file, "ab") as log:
            d.proc = subprocess.Popen([d.program("helplined"), "--demo", os.path.join(d.top, "demo")], cwd=ROOT, env=d.env,
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
        d.state = os.path.join(d.top, "demo", "state")
        wait_for(lambda: os.path.exists(d.unix) and d.is_ready(), 20)
        self.assertEqual("STATE", d.admin().raw("LIVE").code)
        self.assertFalse(d.stats()["live"])
        self.assertEqual("OK", d.cmd("SHUTDOWN"))
        self.assertEqual(0, d.proc.wait(60))


if __name__ == "__main__":
    unittest.main()
