"""Client libraries as agents, each in its default settings: redis-py, node-redis and ioredis in their two
newest majors, curl. Each works a ticket off, and again through a proxy that loses each answer once: one
reply, whatever was lost.

The libraries of node are installed into build/node by `npm ci` (tests/play/node/package-lock.json); without
npm, its registry, or a node new enough for one of them, what needs it is skipped and says why.
"""
# seconds: 420
import fcntl
import json
import os
import queue
import re
import shutil
import subprocess
import threading
import time
import unittest

import redis

from desk import PATIENCE, ROOT, Desk, wait_for
from proxy import Proxy, http_end

NODE = os.path.join(ROOT, "build", "node")
OURS = os.path.join(ROOT, "tests", "play", "node")
AGENTS = 'lines first\nline first { holds 100 }\nagent anna "Anna"\nacknowledge none\n'
TRIES = 30


def content(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def node_modules():
    """Installs them where they are not; why it cannot be done, or None."""
    if not shutil.which("node") or not shutil.which("npm"):
        return "node or npm is not installed (packages nodejs and npm)"
    os.makedirs(NODE, exist_ok=True)
    with open(os.path.join(NODE, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        want, stamp = content(os.path.join(OURS, "package-lock.json")), os.path.join(NODE, "installed")
        if os.path.exists(stamp) and content(stamp) == want:
            return None
        for name in ("package.json", "package-lock.json"):
            shutil.copy(os.path.join(OURS, name), NODE)
        try:
            p = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1"], cwd=NODE,
                               capture_output=True, text=True, timeout=180, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return "npm ci: not done in 180 s"
        if p.returncode != 0:
            return "npm ci: " + " ".join(p.stderr.split()[:40])
        with open(stamp, "w") as f:
            f.write(want)
        return None


def node_fits(library):
    """None, or why this node cannot run it."""
    package = json.loads(content(os.path.join(NODE, "node_modules", library, "package.json")))
    engines = package.get("engines", {}).get("node", ">=0")
    have = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip().lstrip("v")
    want = re.search(r"(\d+)(?:\.(\d+))?", engines)
    if tuple(int(x) for x in have.split(".")[:2]) >= (int(want.group(1)), int(want.group(2) or 0)):
        return None
    return "%s needs node %s, this is %s" % (library, engines, have)


class ClientError(Exception):
    pass


class Node:
    """agent.js with one library."""

    def __init__(self, library, port, token):
        self.messages = queue.Queue()
        self.answers = queue.Queue()
        env = dict(os.environ, NODE_PATH=os.path.join(NODE, "node_modules"))
        self.p = subprocess.Popen(["node", os.path.join(OURS, "agent.js"), library, str(port), "anna", token],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
        threading.Thread(target=self.read, daemon=True).start()
        self.answer()

    def read(self):
        for line in self.p.stdout:
            o = json.loads(line)
            (self.messages if "message" in o else self.answers).put(o)
        self.answers.put({"error": "node has ended"})

    def answer(self):
        o = self.answers.get(timeout=2 * PATIENCE)
        if "error" in o:
            raise ClientError(o["error"])
        return o["ok"]

    def __call__(self, *words):
        self.p.stdin.write(json.dumps(list(words)) + "\n")
        self.p.stdin.flush()
        return self.answer()

    def subscribe(self, channel):
        self("@subscribe", channel)

    def message(self):
        return json.loads(self.messages.get(timeout=PATIENCE)["message"])

    def close(self):
        self.p.stdin.close()
        try:
            self.p.wait(10)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()
        self.p.stdout.close()


class Python:
    def __init__(self, port, token):
        self.r = redis.Redis(port=port, username="anna", password=token, decode_responses=True)
        self.pubsub = None

    def __call__(self, *words):
        try:
            return self.r.execute_command(*words)
        except redis.RedisError as e:
            raise ClientError(str(e))

    def subscribe(self, channel):
        self.pubsub = self.r.pubsub(ignore_subscribe_messages=True)
        self.pubsub.subscribe(channel)
        self.pubsub.get_message(timeout=5)

    def message(self):
        return json.loads(wait_for(lambda: self.pubsub.get_message(timeout=1))["data"])

    def close(self):
        if self.pubsub:
            self.pubsub.close()
        self.r.close()


class Curl:
    """Each command one curl; the key as header."""

    def __init__(self, port, token):
        self.url, self.token, self.live = "http://127.0.0.1:%d/v1" % port, token, None

    def __call__(self, *words):
        words = list(words)
        key = []
        if "ID" in words:
            at = words.index("ID")
            key = ["-H", "Idempotency-Key: " + words[at + 1]]
            del words[at:at + 2]
        p = subprocess.run(["curl", "-sS", "-H", "Authorization: Bearer " + self.token, *key, "-d", json.dumps(words), self.url],
                           capture_output=True, text=True, timeout=2 * PATIENCE)
        if p.returncode != 0:
            raise ClientError(p.stderr)
        got = json.loads(p.stdout)
        if isinstance(got, dict) and "error" in got:
            raise ClientError(got["error"]["code"] + " " + got["error"]["message"])
        return got

    def subscribe(self, channel):
        self.live = subprocess.Popen(["curl", "-sSN", "-H", "Authorization: Bearer " + self.token, self.url + "/events?channel=" + channel],
                                     stdout=subprocess.PIPE, text=True)
        while self.live.stdout.readline().strip():
            pass  # the first block: where it begins

    def message(self):
        for line in self.live.stdout:
            if line.startswith("data: "):
                return json.loads(line[6:])
        raise AssertionError("the events have ended")

    def close(self):
        if self.live:
            self.live.kill()
            self.live.wait()
            self.live.stdout.close()


def document(x):
    return x if isinstance(x, dict) else json.loads(x)


class Library:
    """What each must do; the classes below say which it is."""

    http = False
    resp = 2  # the version it chooses by itself

    @classmethod
    def setUpClass(cls):
        cls.d = Desk(agents=AGENTS, rules="")
        cls.token = cls.d.token("anna")

    @classmethod
    def tearDownClass(cls):
        cls.d.fsck()
        cls.d.close()

    def client(self, port=None):
        c = self.make(port or (self.d.web_port if self.http else self.d.port))
        self.addCleanup(c.close)
        return c

    def submit(self):
        """A ticket of its own that is in the queue."""
        return self.d.cmd("SUBMIT", json.dumps({"from": {"address": "ivan@customer.example"}, "subject": "s", "text": "t"}))

    def check(self, ticket, text):
        with self.d.admin() as a:
            doc = self.d.show(a, ticket)
        out = [m["text"].strip() for m in doc["messages"] if m["direction"] == "out"]
        self.assertEqual((doc["state"], out), ("resolved", [text]), ticket)

    def test_1_works_a_ticket_off(self):
        c = self.client()
        c.subscribe("desk")
        self.assertIn(c("READY"), ("OK", True))
        self.assertIn("resp=%d" % self.resp, c("CLIENT", "INFO"))
        self.assertIsNone(c("RESERVE"))
        ticket = self.submit()
        while True:
            e = c.message()
            if e["event"] == "queued":
                break
        self.assertEqual(e["ticket"], ticket)
        got = c("RESERVE", "BLOCK", "20000")
        self.assertEqual([document(x)["id"] for x in got], [ticket])
        self.assertEqual(document(c("SHOW", ticket))["holder"], "anna")
        text = "Перезагрузите\nего."
        m = c("REPLY", ticket, text, "ID", "k" + ticket)
        self.assertEqual(c("REPLY", ticket, text, "ID", "k" + ticket), m)
        with self.assertRaises(ClientError) as e:
            c("REPLY", ticket, "other", "ID", "k" + ticket)
        self.assertIn("BADARG", str(e.exception))
        self.assertIn(c("RESOLVE", ticket), ("OK", True))
        self.check(ticket, text)

    def again(self, port, state, *words):
        """As a program does it: until there is an answer; a new client where the old one cannot go on."""
        for _ in range(TRIES):
            try:
                if state.get("c") is None:
                    state["c"] = self.make(port)
                return state["c"](*words)
            except ClientError as e:
                state["errors"] += 1
                if "node has ended" in str(e) or "closed" in str(e).lower() and state["errors"] > 3:
                    state["c"].close() if state["c"] else None
                    state["c"] = None
                time.sleep(0.02)
        raise AssertionError("%r: no answer in %d tries" % (words, TRIES))

    def play_lossy(self, proxy, port, n):
        """One ticket, the n-th answer lost. Was one lost? And did the program see an error?"""
        ticket = self.submit()
        proxy.arm(n, "cut")
        state = {"errors": 0}
        try:
            key = "-%d" % n
            got = self.again(port, state, "RESERVE", "BLOCK", "20000", "ID", "r" + key)
            self.assertEqual([document(x)["id"] for x in got], [ticket])
            self.assertEqual(document(self.again(port, state, "SHOW", ticket))["id"], ticket)
            self.again(port, state, "REPLY", ticket, "Answer %d" % n, "ID", "a" + key)
            self.again(port, state, "NOTE", ticket, "without a key")
            self.again(port, state, "RESOLVE", ticket, "ID", "f" + key)
        finally:
            if state.get("c"):
                state["c"].close()
        lost = proxy.lost is not None
        proxy.disarm()
        self.check(ticket, "Answer %d" % n)
        with self.d.admin() as a:
            notes = [m for m in self.d.show(a, ticket)["messages"] if m["direction"] == "note"]
        self.assertEqual(len(notes), 1)
        return lost, state["errors"]

    def test_2_each_answer_lost_once(self):
        errors = []
        upstream = ("127.0.0.1", self.d.web_port if self.http else self.d.port)
        with Proxy(("127.0.0.1", 0), upstream, http_end if self.http else None) as proxy:
            n, lost = 1, True
            while lost:
                lost, n_errors = self.play_lossy(proxy, proxy.address[1], n)
                errors.append(n_errors)
                n += 1
                self.assertLess(n, 60)
        print("%s: %d answers, each lost once; the program saw an error %d times" % (type(self).__name__, n - 2, sum(x > 0 for x in errors)))


class RedisPy(Library, unittest.TestCase):
    def make(self, port):
        return Python(port, self.token)


@unittest.skipUnless(shutil.which("curl"), "curl is not installed")
class ByCurl(Library, unittest.TestCase):
    http, resp = True, 3

    def make(self, port):
        return Curl(port, self.token)


class OfNode(Library):
    library = None

    @classmethod
    def setUpClass(cls):
        why = node_modules() or node_fits(cls.library)
        if why:
            raise unittest.SkipTest(why)
        super().setUpClass()

    def make(self, port):
        return Node(self.library, port, self.token)


class NodeRedis5(OfNode, unittest.TestCase):
    library = "redis5"


class NodeRedis6(OfNode, unittest.TestCase):
    library, resp = "redis6", 3


class IoRedis5(OfNode, unittest.TestCase):
    library = "ioredis5"


class IoRedis6(OfNode, unittest.TestCase):
    library, resp = "ioredis6", 3


if __name__ == "__main__":
    unittest.main()
