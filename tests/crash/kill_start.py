"""kill -9 and start at once, many times: never two servers on one file, nothing lost."""
# takes: 20
# seconds: 240
import threading
import time
import unittest

from desk import FULL, mail, servers_of
from load import load_desk

ROUNDS = 50 if FULL else 15


class KillStart(unittest.TestCase):
    def test_many_times(self):
        with load_desk() as d:
            most, over = [0], threading.Event()

            def watch():
                while not over.is_set():
                    most[0] = max(most[0], len(servers_of(d.state)))
                    time.sleep(0.002)
            t = threading.Thread(target=watch)
            t.start()
            try:
                for i in range(ROUNDS):
                    d.deliver(mail(subject="round %d" % i, sender="r%d@customer.example" % i))
                    d.kill9()
                    d.start()
            finally:
                over.set()
                t.join()
            self.assertEqual(1, most[0], "two servers at once")
            self.assertEqual(sorted("round %d" % i for i in range(ROUNDS)), sorted(t["subject"] for t in d.list()))
            d.fsck()

    def test_a_second_daemon_is_refused_and_names_the_first(self):
        with load_desk() as d:
            first = d.proc
            second = d.spawn()
            try:
                code = second.wait(60)
            finally:
                d.proc = first
            self.assertNotEqual(0, code)
            self.assertIn(str(first.pid), d.log())
            self.assertEqual("PONG", d.cmd("PING"))
            self.assertEqual(1, len(servers_of(d.state)))

    def test_sigterm_ends_soon(self):
        with load_desk() as d:
            c = d.agent("anna")
            c.send("RESERVE", "BLOCK", 0)
            for i in range(20):
                d.deliver(mail(subject="t%d" % i, sender="t%d@customer.example" % i))
            self.assertLess(d.stop(), 10.0)
            self.assertEqual([], servers_of(d.state))
            d.fsck()
            d.start()
            self.assertEqual(20, len(d.list()))


if __name__ == "__main__":
    unittest.main()
