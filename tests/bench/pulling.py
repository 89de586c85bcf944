"""The matching under make bench: see bench.py.

    pull, arrival   the script alone, through one connection of a server of its own, with 1, 200
                    and 2,000 classes and 1,000 to 1,000,000 tickets that wait, beside LPOP and
                    RPUSH of one plain list through the same connection in the same run
    parked          10,000 agents who wait, the memory they take, and what one of them waits
                    for a ticket that only he may have
"""
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "model"))
from desk import Client, Desk, wait_for  # noqa: E402
from desk_server import PREFIX, Server, script  # noqa: E402

FOREVER = 2 ** 63 - 1
DAY = 86400000
FILL = """
local now, from, to, n = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
for i = from, to do
    local c, v = ARGV[5 + i % n], string.format('%d', now + i)
    redis.call('HSET', '{desk}:t:' .. i, 'state', 'queued', 'class', c, 'line', 'first', 'v', v, 'ver', '1')
    redis.call('ZADD', '{desk}:q:' .. c, v, string.format('%012d', i))
    if i <= n then
        redis.call('HSET', '{desk}:head', c, v)
    end
end
"""


class Store:
    """A server of its own with so many tickets in so many classes."""

    def __init__(self, n_classes, n_waiting):
        self.server = Server()
        self.r = self.server.redis
        self.sha = self.server.load(script())
        self.now = int(time.time() * 1000)
        self.classes = ["%016x" % (i * 2654435761 + 1) for i in range(n_classes)]
        self.n = n_waiting
        self.r("HSET", PREFIX + "meta", "schema", 1, "sim", 1, "next_ticket", n_waiting)
        # As the store client does: see HEAD_WIDE in queue/keys.h.
        self.r("HSET", PREFIX + "head", "-", "-" * 80)
        for at in range(1, n_waiting + 1, 10000):
            self.r("EVAL", FILL, 1, PREFIX, (self.now - DAY) * 1000, at, min(at + 9999, n_waiting), n_classes, *self.classes)

    def timed(self, calls):
        """(microseconds a call from here, of them inside the server), one at a time."""
        self.r("CONFIG", "RESETSTAT")
        began = time.perf_counter()
        for c in calls:
            self.r(*c)
        wall = (time.perf_counter() - began) / len(calls) * 1e6
        name = "cmdstat_%s:" % calls[0][0].lower()
        line = [x for x in self.r("INFO", "commandstats").splitlines() if x.startswith(name)][0]
        return wall, float(line.split("usec_per_call=")[1].split(",")[0])

    def pull(self, i):
        """Half of the classes by steps, as a senior has them."""
        half = len(self.classes) // 2
        groups = [2, FOREVER, 0, len(self.classes) - half] + self.classes[half:] + \
            [(self.now - 60000) * 1000, 0, half] + self.classes[:half]
        return ["EVALSHA", self.sha, 1, PREFIX, "pull", self.now * 1000, "daemon", "a%d" % (i % 50), 10 ** 9, 1, 1, "", 0, "c",
                60000, "p%d" % i, "h", 60000, "", 1, 2, "first", 3600000, "second", 3600000] + groups

    def put(self, i):
        c = self.classes[i % len(self.classes)]
        v = (self.now - c.count("0")) * 1000
        steps = []
        for f, x in (("state", "queued"), ("line", "first"), ("v", v), ("holder", ""), ("subject", "A subject of forty letters or so"),
                     ("entered", self.now), ("created", self.now), ("route", "general"), ("account", "support@desk.example")):
            steps += ["S", f, x]
        steps += ["M", '"direction":"in","text":"%s"}' % ("Good morning. " * 40), "N", "last_in", "C", c, "{}", v, "P", 1, c, "L", "{}",
                  "J", "queued", "", "first", "customer", "new", "I", "mid%d" % i]
        return ["EVALSHA", self.sha, 1, PREFIX, "put", self.now * 1000, "daemon", "d%d" % i, DAY, "n%d" % i, "u%d@x" % i, "", "N",
                "[]", "", 0, "", "", "[]", "en", "s", self.now, "", "", ""] + steps


def bench_scripts(say, big=1000000):
    n = 400
    for n_classes in (1, 200, 2000):
        for n_waiting in (1000, 100000, big):
            s = Store(n_classes, n_waiting)
            try:
                s.timed([s.pull(i) for i in range(100000, 100050)])  # warm
                memory = s.r("INFO", "memory").split("used_memory:")[1].split()[0]
                pull, pull_in = s.timed([s.pull(i) for i in range(n)])
                put, put_in = s.timed([s.put(i) for i in range(n)])
                rpush, _ = s.timed([["RPUSH", "list", "x" * 600] for _ in range(n)])
                lpop, _ = s.timed([["LPOP", "list"] for _ in range(n)])
                say("match    %4d classes, %7d waiting: pull %4.0f us (%4.0f in the server, %4.1f LPOP), arrival %4.0f us "
                    "(%4.0f, %4.1f RPUSH); store %d MB" % (n_classes, n_waiting, pull, pull_in, pull / lpop, put, put_in,
                                                           put / rpush, int(memory) / 2 ** 20))
            finally:
                s.server.stop()


def bench_parked(say, n=10000):
    """Fifty sorts of agents; one alone has the skill that is wanted."""
    skills = ["s%d" % i for i in range(50)]
    agents = "lines first\nskills probe %s\nacknowledge none\n" % " ".join(skills)
    agents += 'agent lead "Lead" { role lead }\nneed probe:1 when subject contains probe\nneed s1:9 when subject contains load\n'
    agents += 'agent probe "Probe" { skills probe:1; holds 1000 }\n'
    agents += "".join('agent a%d "Agent %d" { skills %s:1 }\n' % (i, i, skills[i % 50]) for i in range(n))
    limits = {"HELPLINE_LIMITS": "connections=%d per_address=%d" % (n + 200, n + 200)}
    with Desk(agents=agents, rules="", env=limits) as d:
        rest, clients, began = d.rss(), [], time.monotonic()
        with d.admin() as a:
            for i in range(0, n, 500):
                for k in range(i, i + 500):
                    a.send("TOKEN", "NEW", "a%d" % k)
                for k in range(i, i + 500):
                    c = Client(("127.0.0.1", d.port), 120)
                    c("AUTH", a.read(120))
                    c.send("RESERVE", "BLOCK", "0")
                    clients.append(c)
        wait_for(lambda: d.stats()["agents"]["parked"] == n, 300, "all agents wait")
        full, took = d.rss(), time.monotonic() - began
        probe, times = d.agent("probe", timeout=120), []
        with d.admin() as a:
            for i in range(50):
                probe.send("RESERVE", "BLOCK", "0")
                time.sleep(0.01)
                at = time.monotonic()
                a("SUBMIT", json.dumps({"subject": "probe", "text": "x", "from": {"address": "x@customer.example"}}))
                doc = json.loads(probe.read(60)[0])
                times.append(time.monotonic() - at)
                probe("RESOLVE", doc["id"])
            began = time.monotonic()
            a("RELOAD", timeout=120)
            wait_for(lambda: d.stats()["agents"]["parked"] == n, 300, "all agents wait again")
        times.sort()
        say("parked   %d agents: %.1f KB each in the daemon (%.0f MB in all), parked in %.1f s; a ticket for one of them: p50 %.1f ms, "
            "p99 %.1f ms; a reload asks all again in %.1f s" % (n, (full - rest) / 1024 / n, full / 2 ** 20, took,
                                                                  times[25] * 1e3, times[49] * 1e3, time.monotonic() - began))
        for c in clients:
            c.close()


if __name__ == "__main__":
    import resource
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if "parked" not in sys.argv:
        bench_scripts(print, int(os.environ.get("WAITING") or 1000000))
    if "scripts" not in sys.argv:
        bench_parked(print, min(int(os.environ.get("PARKED") or 10000), hard - 300))
