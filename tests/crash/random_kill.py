"""kill -9 of anything at any time under load, with a printed seed."""
# run: release asan
# takes: 30
# seconds: 400
import os
import random
import time
import unittest

from desk import FULL, SANITIZED, SEED, servers_of
from load import Keeper, Load, kill, load_desk

ROUNDS = int(os.environ.get("HELPLINE_KILLS", "200" if FULL else "12" if SANITIZED else "25"))


class RandomKill(unittest.TestCase):
    def test_under_load(self):
        rnd = random.Random(SEED)
        print("HELPLINE_SEED=%d" % SEED, flush=True)
        with load_desk() as d:
            keeper = Keeper(d)
            load = Load(d, 15 * ROUNDS, n_senders=3, seed=SEED, pause_s=0.04 + 0.4 * ROUNDS / 200).start()
            killed = {"daemon": 0, "store": 0, "mime": 0, "mailer": 0}
            store_kills = 0
            for _ in range(ROUNDS):
                until = time.monotonic() + rnd.random() * 0.8
                while time.monotonic() < until:
                    keeper.turn()
                    time.sleep(0.005)
                victim = rnd.choice(("daemon", "daemon", "store", "mime", "mailer"))
                if victim == "store" and store_kills == 2:
                    victim = "daemon"  # the third exit in a minute would be the last
                killed[victim] += self.strike(d, victim)
                store_kills = 0 if victim == "daemon" else store_kills + (victim == "store")
            load.finish(keeper, 150)
            more = load.check(keeper)
            print("killed %s; the daemon was started %d times; %d answers left twice" % (killed, keeper.n_deaths + 1, more))

    @staticmethod
    def strike(d, victim):
        if victim == "daemon":
            pids = [d.proc.pid] if d.is_running() else []
        elif victim == "store":
            pids = servers_of(d.state)
        else:
            pids = list(d.children("helpline-" + victim))
        for pid in pids:
            kill(pid)
        return bool(pids)


if __name__ == "__main__":
    unittest.main()
