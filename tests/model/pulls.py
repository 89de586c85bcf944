"""Random pulls on the real script, each compared with a full scan of all that waits.

Tickets are put where they wait without ceremony, so a second is enough for thousands of
pulls: by many profiles, at many moments, with own queues, skips and head starts, under
one route that widens and hundreds of classes. PULLS and PULL_SECONDS choose how many
(make test: what fits into some seconds), MODEL_SEED which.
"""
# seconds: 200
# takes: 25
import os
import random
import time
import unittest

import routing
from desk_server import PREFIX, Server, script

DAY = 86400000


class Waiting:
    def __init__(self, id_, cls, v):
        self.id, self.cls, self.v, self.own = id_, cls, v, ""


class Desk:
    def __init__(self, server, rng, n_classes):
        self.r, self.rng = server.redis, rng
        self.sha = server.load(script())
        self.r("HSET", PREFIX + "meta", "schema", 1, "sim", 1)
        self.now = int(time.time() * 1000)
        self.classes = [routing.random_class(rng) for _ in range(n_classes)]
        self.profiles = [routing.random_profile(rng) for _ in range(12)]
        self.skips = {"a%d" % i: {} for i in range(12)}
        self.waiting, self.next, self.pulls = {}, 0, 0

    def arrive(self, n):
        """So many tickets, some of them older than the steps, some in somebody's own queue."""
        commands, lowest = [], {}
        for _ in range(n):
            self.next += 1
            c = self.rng.choice(self.classes)
            age = self.rng.choice([0, self.rng.randrange(5 * routing.HOUR), self.rng.randrange(400) * routing.MINUTE])
            t = Waiting(self.next, c, (self.now - age - c.head) * 1000)
            if self.rng.random() < 0.03:
                t.own = self.rng.choice(list(self.skips))
            self.waiting[t.id] = t
            commands.append(["HSET", PREFIX + "t:%d" % t.id, "state", "queued", "class", c.id, "line", c.lines[0], "v", t.v,
                             "ver", 1, "own", int(t.own != ""), "owner", t.own])
            commands.append(["ZADD", PREFIX + ("own:" + t.own if t.own else "q:" + c.id), t.v, "%012d" % t.id])
            if not t.own:
                lowest[c.id] = None
        for t in self.waiting.values():
            if not t.own and t.cls.id in lowest:
                lowest[t.cls.id] = t.v if lowest[t.cls.id] is None else min(lowest[t.cls.id], t.v)
        self.r.pipe(commands + [["HSET", PREFIX + "head", c, v] for c, v in lowest.items()])

    def best(self, agent, profile):
        """The scan: the rule's own words for every ticket that waits."""
        best = None
        skips = self.skips[agent]
        for t in self.waiting.values():
            if t.own:
                if t.own != agent:
                    continue
                key = t.v - DAY * 1000
            else:
                if skips.get(t.id, 0) > self.now:
                    continue
                key = t.v  # what cannot be the best need not be asked
                if best is not None and (key, t.id) >= best:
                    continue
                if not routing.fits(t.cls, profile, t.v // 1000 + t.cls.head, self.now):
                    continue
                if routing.helped(t.cls, profile):
                    key += routing.HELP_DELAY * 1000
            if best is None or (key, t.id) < best:
                best = key, t.id
        return best[1] if best else None

    def skip(self, agent):
        """At most seven, as the script keeps them."""
        at = {t: till for t, till in self.skips[agent].items() if till > self.now}
        if len(at) < 7 and self.waiting:
            id_ = self.rng.choice(list(self.waiting))
            at[id_] = self.now + 10 * routing.MINUTE
            self.r("ZADD", PREFIX + "skip:" + agent, at[id_], id_)
        self.skips[agent] = at

    def pull(self):
        i = self.rng.randrange(len(self.profiles))
        agent, profile = "a%d" % i, self.profiles[i]
        if self.rng.random() < 0.02:
            self.skip(agent)
        should = self.best(agent, profile)
        self.pulls += 1
        answer = self.r("EVALSHA", self.sha, 1, PREFIX, "pull", self.now * 1000, "daemon", agent, 10 ** 9, 1, 1, "", 0, "c",
                        routing.MINUTE, "p%d" % self.pulls, "h", 1000, "", 1, 0, *routing.groups(self.classes, profile, self.now))
        is_ = int(answer[3][0]) if answer[3] else None
        if is_ != should:
            raise AssertionError("pull %d of %s: the script gives %r, the scan %r" % (self.pulls, agent, is_, should))
        if is_ is not None:
            del self.waiting[is_]
        return is_

    def run(self, n, until):
        while self.pulls < n and time.monotonic() < until:
            if len(self.waiting) < 150:
                self.arrive(100)
            self.now += self.rng.choice([0, 0, 1, 1000, 20000])
            if self.rng.random() < 0.01:
                self.profiles[self.rng.randrange(12)] = routing.random_profile(self.rng)
            if self.pull() is None:
                self.now += 10 * routing.MINUTE
                self.arrive(20)


class PullTest(unittest.TestCase):
    def test_pulls_agree_with_a_scan(self):
        seed = int(os.environ.get("MODEL_SEED", time.time_ns() % 10 ** 9))
        n, seconds = int(os.environ.get("PULLS", 100000)), float(os.environ.get("PULL_SECONDS", 20))
        print("MODEL_SEED=%d PULLS=%d PULL_SECONDS=%g" % (seed, n, seconds), flush=True)
        start, done, rng = time.monotonic(), 0, random.Random(seed)
        for i, n_classes in enumerate((1, 8, 60, 400)):
            server = Server()
            self.addCleanup(server.stop)
            desk = Desk(server, rng, n_classes)
            desk.run(n // 4, start + seconds * (i + 1) / 4)
            done += desk.pulls
        print("%d pulls, %.0f s" % (done, time.monotonic() - start), flush=True)
        self.assertGreater(done, 100)


if __name__ == "__main__":
    unittest.main()
