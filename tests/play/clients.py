"""redis-py and redis-cli in their default settings are agent clients."""
# run: release asan
import json
import shutil
import subprocess
import threading
import time
import unittest

import redis

from desk import Desk, mail


class RedisPy(unittest.TestCase):
    def setUp(self):
        self.desk = Desk()
        self.addCleanup(self.desk.close)

    def connect(self, name="anna", **kw):
        r = redis.Redis(port=self.desk.port, username=name, password=self.desk.token(name), decode_responses=True, **kw)
        self.addCleanup(r.close)
        return r

    def test_connect_and_work(self):
        r = self.connect()
        self.assertTrue(r.ping())
        self.assertEqual(True, r.execute_command("READY") in (True, "OK"))
        self.desk.deliver(mail(subject="VPN"))
        doc = json.loads(r.execute_command("RESERVE", "BLOCK", 5000)[0])
        self.assertEqual("1", doc["id"].lstrip("0"))
        self.assertTrue(r.execute_command("REPLY", doc["id"], "Restart it."))
        with self.assertRaises(redis.ResponseError) as caught:
            r.execute_command("REPLAY", doc["id"])
        self.assertIn("unknown command", str(caught.exception))
        self.assertEqual("master", r.info()["role"])
        self.assertEqual([], list(r.config_get("*")))

    def test_reserve_blocks_on_a_second_connection(self):
        r = self.connect()
        got = []
        t = threading.Thread(target=lambda: got.append(self.connect().execute_command("RESERVE", "BLOCK", 0)))
        t.start()
        time.sleep(0.3)
        self.assertTrue(r.ping())
        self.desk.deliver(mail(subject="VPN"))
        t.join(60)
        self.assertEqual("VPN", json.loads(got[0][0])["subject"])
        self.assertEqual(1, len(r.execute_command("MINE")))

    def test_pipelines(self):
        r = self.connect()
        p = r.pipeline(transaction=False)
        for i in range(300):
            p.execute_command("ECHO", "text %d" % i)
        self.assertEqual(["text %d" % i for i in range(300)], p.execute())
        with self.assertRaises(redis.RedisError) as caught:
            r.pipeline().execute_command("PING").execute()
        self.assertIn("transaction", str(caught.exception))

    def test_subscribe_hears(self):
        r = self.connect()
        p = r.pubsub()
        self.addCleanup(p.close)
        p.subscribe("desk", "me")
        self.assertEqual("subscribe", p.get_message(timeout=60)["type"])
        self.assertEqual("subscribe", p.get_message(timeout=60)["type"])
        self.desk.deliver(mail(subject="VPN"))
        deadline = time.monotonic() + 60
        seen = []
        while time.monotonic() < deadline and "queued" not in seen:
            m = p.get_message(timeout=1)
            if m is not None and m["type"] == "message":
                seen.append(json.loads(m["data"])["event"])
        self.assertIn("queued", seen)


class Resp3(unittest.TestCase):
    def test_hello_3(self):
        with Desk() as d:
            c = d.client()
            hello = c("HELLO", "3", "AUTH", "anna", d.token("anna"), "SETNAME", "play")
            self.assertEqual(("helpline", 3, "standalone", "master", []),
                             tuple(hello[k] for k in ("server", "proto", "mode", "role", "modules")))
            self.assertIsNone(c("RESERVE"), "null is _ in RESP3")
            self.assertEqual("play", c("CLIENT", "GETNAME"))
            c.send("SUBSCRIBE", "desk")
            self.assertEqual(["subscribe", "desk", 1], list(c.read_push()))
            self.assertEqual("PONG", c("PING"), "a RESP3 connection goes on working")
            d.deliver(mail(subject="VPN"))
            docs = d.wait_reserve(c)
            self.assertEqual("VPN", docs["subject"])
            self.assertEqual("message", c.read_push()[0])
            with self.assertRaises(Exception) as caught:
                c("HELLO", "4")
            self.assertEqual("NOPROTO", caught.exception.code)


@unittest.skipUnless(shutil.which("redis-cli"), "redis-cli is not installed")
class RedisCli(unittest.TestCase):
    def cli(self, d, *args, stdin=None):
        p = subprocess.run(["redis-cli", "-p", str(d.port), "--no-auth-warning", "-a", d.token("anna"), *args],
                           input=stdin, capture_output=True, text=True, timeout=60)
        self.assertEqual("", p.stderr)
        return p.stdout

    def test_default_settings(self):
        with Desk() as d:
            self.assertEqual("PONG\n", self.cli(d, "PING"))
            d.deliver(mail(subject="ВПН"))
            out = self.cli(d, "--raw", "RESERVE", "BLOCK", "5000")
            doc = json.loads(out)
            self.assertEqual("ВПН", doc["subject"])
            out = self.cli(d, "-x", "REPLY", doc["id"], "TEXT", stdin="Several\nlines\n")
            self.assertIn(doc["id"] + ".", out)
            self.assertEqual("waiting", json.loads(self.cli(d, "--raw", "SHOW", doc["id"]))["state"])

    def test_two_versions(self):
        with Desk() as d:
            self.assertEqual("PONG\n", self.cli(d, "-3", "PING"))
            self.assertIn("summary", self.cli(d, "COMMAND", "DOCS", "RESERVE"))


if __name__ == "__main__":
    unittest.main()
