"""kill -9 at every point of a form's way: sent again with the same token it is one ticket.

The points are those named web.* in daemon/web, and those of intake a form passes.
"""
# takes: 12
# seconds: 300
import http.client
import os
import re
import signal
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "play"))
from desk import ROOT, SLOW, servers_of, some, wait_for  # noqa: E402
from forms import GOOD, FormDesk, number  # noqa: E402

POINTS = ["intake.stored", "intake.decided", "intake.put", "intake.settle"]


def points():
    """All but web.spooled: so small a form is not (ways_in.py)."""
    found = set(POINTS)
    folder = os.path.join(ROOT, "daemon", "web")
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            found |= set(re.findall(r'crash_point\("([^"]+)"\)', f.read()))
    return sorted(found - {"web.spooled"})


class FormPoints(unittest.TestCase):
    def again(self, d, token, fields):
        """As a person does: sends until it is taken."""
        deadline = time.monotonic() + 60 * SLOW
        while time.monotonic() < deadline:
            try:
                a = d.web.post("/f/contact", fields, token)
                if a.status == 303:
                    return a
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.1)
        raise AssertionError("the form was never taken")

    def killed(self, point):
        with FormDesk() as d:
            token = d.web.token("/f/contact")  # the key is the store's: good after a restart, too
            d.kill9()
            once = os.path.join(d.top, "once")
            d.start({"HELPLINE_CRASH": "%s:1@%s" % (point, once)})
            got = []
            t = threading.Thread(target=lambda: got.append(self.again(d, token, GOOD)))
            t.start()
            wait_for(lambda: os.path.exists(once), 20, "the point is passed")
            d.proc.wait(60)
            d.start()
            t.join(90 * SLOW)
            self.assertEqual(len(got), 1)
            self.assertEqual(number(self.again(d, token, GOOD)), number(got[0]))
            self.assertEqual([x["id"] for x in d.list()], [number(got[0])])
            self.assertEqual(d.full(number(got[0]))["n_messages"], 1)
            acks = lambda: [m for m in d.sink.mails if m["To"] == "ivan@customer.example"]
            wait_for(acks, 20)
            self.assertEqual(len({m["Message-ID"] for m in acks()}), 1)
            d.fsck()

    def test_the_daemon(self):
        self.assertGreater(len(points()), 5)
        for point in some(points(), 4):
            with self.subTest(point):
                self.killed(point)

    def test_the_store(self):
        for point in some(points(), 3):
            with self.subTest(point), FormDesk() as d:
                token = d.web.token("/f/contact")
                d.kill9()
                once = os.path.join(d.top, "once")
                d.start({"HELPLINE_CRASH": "%s:1:stop@%s" % (point, once)})
                got = []
                t = threading.Thread(target=lambda: got.append(self.again(d, token, GOOD)))
                t.start()
                wait_for(lambda: os.path.exists(once), 20, "the point is passed")
                time.sleep(0.1)
                for pid in servers_of(d.state):
                    os.kill(pid, signal.SIGKILL)
                time.sleep(0.05)
                d.proc.send_signal(signal.SIGCONT)
                t.join(90 * SLOW)
                self.assertEqual(len(got), 1)
                self.assertEqual([x["id"] for x in d.list()], [number(got[0])])
                d.fsck()


if __name__ == "__main__":
    unittest.main()
