"""kill -9 at every named point: of the daemon, of the store and of the helpers.

The points are found in the sources: crash_point("module.moment"). Work runs; at the
n-th passing of the point the daemon (or the helper whose point it is) kills itself,
or stops there while its store or its helpers are killed. Then everything must be as
if nothing had been: load.py says what that means.
"""
# run: release asan
# takes: 60
# seconds: 400
import os
import random
import re
import signal
import time
import unittest

from desk import FULL, ROOT, SANITIZED, SEED, servers_of
from load import Keeper, Load, kill, load_desk

N_MAILS = 12
THIRD = SANITIZED and not FULL  # at each point one of the three, by chance: the release build has them all
OF_WAYS_IN = ("web.", "phone.", "submit.")  # no mail passes them: ways_in.py
OF_MOVES = ("escalate.", "assign.", "reroute.", "absence.")  # moves.py
OF_CLOCKS = ("clock.",)  # clocks.py
OF_ASKED = ("merge.", "split.", "consult.")  # asked.py


def points():
    found = {}
    for top in ("daemon", "channels", "queue", "config"):
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            for name in names:
                if name.endswith(".c") and name != "crash.c":
                    with open(os.path.join(folder, name), encoding="utf-8") as f:
                        for point in re.findall(r'crash_point\("([^"]+)"\)', f.read()):
                            found[point] = os.path.join(os.path.relpath(folder, ROOT), name)
    return found


def is_stopped(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "T"
    except OSError:
        return False


class Points(unittest.TestCase):
    def play(self, point, n, neighbour=None):
        """neighbour: function(desk) that kills it while the daemon stands at the point."""
        d = load_desk(start=False)
        once = os.path.join(d.top, "once")
        env = {"HELPLINE_CRASH": "%s:%d%s@%s" % (point, n, ":stop" if neighbour else "", once)}
        with d:
            d.start(env)
            keeper = Keeper(d, env)
            load = Load(d, N_MAILS).start()
            if neighbour:
                self.at_the_point(d, load, once, neighbour)
            load.finish(keeper)
            more = load.check(keeper)
            self.assertTrue(os.path.exists(once), "the point %s was not passed %d times" % (point, n))
            if more:
                print("%s:%d: %d answers left twice, under the same Message-ID" % (point, n, more))

    def at_the_point(self, d, load, once, neighbour):
        """Waits until the daemon stands there; some points come after the last answer."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not load.errors:
            if os.path.exists(once) and is_stopped(d.proc.pid):
                neighbour(d)
                time.sleep(0.05)
                d.proc.send_signal(signal.SIGCONT)
                return
            if load.is_done():
                deadline = min(deadline, time.monotonic() + 20)
            time.sleep(0.002)

    @staticmethod
    def kill_store(d):
        for pid in servers_of(d.state):
            kill(pid)

    @staticmethod
    def kill_helpers(d):
        for pid in d.children("helpline-"):
            kill(pid)


def add_tests():
    rnd = random.Random(SEED)
    if THIRD:
        print("HELPLINE_SEED=%d chooses; FULL=1 takes all" % SEED, flush=True)
    for point, path in sorted(points().items()):
        if point.startswith(OF_WAYS_IN + OF_MOVES + OF_CLOCKS + OF_ASKED):
            continue
        word = point.replace(".", "_")
        helper = "helper_" in path
        times = (1,) if helper else (1, 4) if FULL else (rnd.choice((1, 4)),)
        only = rnd.choice(("dies", "store_dies", "helpers_die")) if THIRD and not helper else None

        def daemon(self, point=point, times=times):
            for n in times:
                with self.subTest(n=n):
                    self.play(point, n)
        if only in (None, "dies"):
            setattr(Points, "test_%s_dies" % word, daemon)
        if helper:
            continue

        def store(self, point=point):
            self.play(point, 2, self.kill_store)

        def helpers(self, point=point):
            self.play(point, 2, self.kill_helpers)
        if only in (None, "store_dies"):
            setattr(Points, "test_%s_store_dies" % word, store)
        if only in (None, "helpers_die"):
            setattr(Points, "test_%s_helpers_die" % word, helpers)


add_tests()

if __name__ == "__main__":
    unittest.main()
