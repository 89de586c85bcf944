"""The n-th answer is lost, delayed or cut, n = 1..200, between daemon and Redis and between client and
daemon: one effect, the same answer."""
# takes: 30
# seconds: 600
import json
import os
import subprocess
import tempfile
import time
import unittest

from desk import SLOW, Desk, RespError, mail, some, wait_for
from proxy import Proxy, connect
from resp import Client, Closed

NTH = some(range(1, 201), 30)
AGENTS = """
lines first
line first { holds 50 }
agent anna "Anna"
acknowledge none
"""


def mode_of(n):
    return "swallow" if n % 10 == 0 else ("cut", "half", "delay")[n % 3]


class Worker:
    """An agent with a client library that repeats what was not answered, with the same ID."""

    def __init__(self, desk, address, timeout):
        self.d, self.address, self.timeout = desk, address, timeout
        self.token = desk.token("anna")
        self.c = None
        self.n_repeats = 0

    def __call__(self, *args):
        """The answer, and how many times it was asked for."""
        deadline = time.monotonic() + 90 * SLOW
        for times in range(1, 100):
            try:
                if self.c is None:
                    self.c = Client(self.address, self.timeout)
                    self.c("AUTH", "anna", self.token)
                    self.c("READY")
                return self.c(*args), times
            except (OSError, Closed, TimeoutError):
                self.hang_up()
            except RespError as e:
                if e.code not in ("TRYAGAIN", "UNSURE"):
                    raise
                time.sleep(0.02)
            self.n_repeats += 1
            if time.monotonic() > deadline:
                raise AssertionError("no answer to %r" % (args,))

    def hang_up(self):
        if self.c is not None:
            self.c.close()
        self.c = None


class AnswersLost(unittest.TestCase):
    def deliver(self, d, i):
        raw = mail(subject="mail %d" % i, sender="c%d@customer.example" % i, message_id="<m%d@customer.example>" % i)

        def taken():
            try:
                code = d.lmtp(raw, sender="c%d@customer.example" % i)[0][0]
            except (OSError, Closed, ValueError):
                return False
            self.assertNotEqual(5, code // 100)
            return code == 250
        wait_for(taken, 40, "mail %d is taken" % i, 0.05)

    def unit(self, d, worker, i):
        """A mail comes, is reserved, answered and resolved."""
        self.deliver(d, i)
        for attempt in range(200):  # a ticket that was on its way to a dead connection comes back first
            worker("RESERVE", "BLOCK", 100, "ID", "reserve-%d-%d" % (i, attempt))
            mine = [json.loads(x) for x in worker("MINE")[0]]
            if mine:
                break
        self.assertEqual(["mail %d" % i], [m["subject"] for m in mine])
        ticket = mine[0]["id"]
        message, _ = worker("REPLY", ticket, "Answer to mail %d." % i, "STATUS", "held", "ID", "reply-%d" % i)
        self.assertEqual(message, worker("REPLY", ticket, "Answer to mail %d." % i, "STATUS", "held", "ID",
                                         "reply-%d" % i)[0])
        worker("RESOLVE", ticket, "ID", "resolve-%d" % i)

    def check(self, d, n):
        tickets = d.list("STATE", "resolved")
        self.assertEqual(sorted("mail %d" % i for i in range(n)), sorted(t["subject"] for t in tickets))
        self.assertEqual([], d.list())
        with d.admin() as a:
            for t in tickets:
                out = [m for m in d.show(a, t["id"])["messages"] if m["direction"] == "out"]
                self.assertEqual(1, len(out), "ticket %s" % t["id"])
        wait_for(lambda: len(set(d.sink.ids())) >= n, 60, "all answers have left", 0.2)
        self.assertEqual(n, len(set(d.sink.ids())))
        d.fsck()

    def test_between_daemon_and_redis(self):
        with tempfile.TemporaryDirectory() as top:
            path = os.path.join(top, "r.sock")
            server = subprocess.Popen(["redis-server", "--port", "0", "--dir", top, "--unixsocket", path, "--save", "",
                                       "--appendonly", "yes", "--appendfsync", "always", "--logfile", "/dev/null"])
            try:
                wait_for(lambda: self.answers(path), 10, "redis-server is there")
                with Proxy(os.path.join(top, "p.sock"), path) as p, \
                        Desk(agents=AGENTS, rules="", store="unix://%s/p.sock" % top) as d:
                    worker = Worker(d, ("127.0.0.1", d.port), 20 * SLOW)
                    i = 0
                    for n in NTH:
                        p.arm(n, mode_of(n), 0.05)
                        while p.lost is None:
                            self.unit(d, worker, i)
                            i += 1
                    p.disarm()
                    worker.hang_up()
                    self.check(d, i)
            finally:
                server.kill()
                server.wait()

    @staticmethod
    def answers(path):
        try:
            connect(path, 1).close()
            return True
        except OSError:
            return False

    def test_between_client_and_daemon(self):
        with Desk(agents=AGENTS, rules="") as d, Proxy(("127.0.0.1", 0), ("127.0.0.1", d.port)) as p:
            worker = Worker(d, p.address, 1.0 * SLOW)
            hits = 0
            worker("PING")
            for i, n in enumerate(NTH):
                self.deliver(d, i)
                k = min(n, 1 + n % 3)  # which of the three commands is hit
                worker.c.send_raw(b"PING\r\n" * (n - k))
                for _ in range(n - k):
                    worker.c.read()
                p.arm(k, mode_of(n), 1.5 * SLOW)
                docs, _ = worker("RESERVE", "BLOCK", 5000, "ID", "reserve-%d" % i)
                self.assertEqual(["mail %d" % i], [json.loads(x)["subject"] for x in docs or []])
                ticket = json.loads(docs[0])["id"]
                reply = ("REPLY", ticket, "Answer to mail %d." % i, "STATUS", "held", "ID", "reply-%d" % i)
                message, times = worker(*reply)
                hits += times > 1 and message.encode() in (p.lost or b"")
                self.assertEqual(message, worker(*reply)[0])
                worker("RESOLVE", ticket, "ID", "resolve-%d" % i)
                worker("RESOLVE", ticket, "ID", "resolve-%d" % i)
                p.disarm()
            worker.hang_up()
            self.assertGreater(worker.n_repeats, len(NTH) // 3)
            self.assertGreater(hits, 0, "answers of REPLY were lost")
            self.check(d, len(NTH))


if __name__ == "__main__":
    unittest.main()
