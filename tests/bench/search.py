"""SEARCH over many open tickets: how long the index is built, the memory it takes, how long
a search takes. By hand: PYTHONPATH=tests/play:tests/model tests/bench/search.py [tickets]

The tickets are written straight into a redis-server of its own, two messages each of about
sixty words out of a vocabulary in which a few words are frequent and most are rare.
"""
import json
import os
import random
import re
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../play"), os.path.join(HERE, "../model")]
from desk import Desk, RespError, wait_for  # noqa: E402
from desk_server import PREFIX, Server  # noqa: E402

VOCABULARY = 200000


def fill(r, n):
    rnd = random.Random(7)
    now = int(time.time() * 1000)
    commands = []
    for i in range(1, n + 1):
        k = PREFIX + "t:%d" % i
        docs = []
        for m in (1, 2):
            words = " ".join("w%d" % int(VOCABULARY ** rnd.random()) for _ in range(60))
            docs.append(json.dumps({"v": 1, "id": "%d.%d" % (i, m), "direction": "in", "kind": "message", "channel": "email",
                                    "account": "support@desk.example", "from": {"name": "", "address": "u%d@x.example" % i},
                                    "received_at": "2026-11-24T10:00:00.000Z", "subject": "s", "text": words}))
        commands += [
            ("HSET", k, "state", "waiting", "ver", 1, "line", "first", "nm", 2, "class", "k", "v", now * 1000, "tags", "[]",
             "subject", "Ticket about w%d" % (i % 1000), "created", now, "entered", now, "queued", now, "channel", "email"),
            ("RPUSH", k + ":m", *docs), ("ZADD", PREFIX + "open", i, i)]
    r.pipe(commands)
    r("HSET", PREFIX + "cref", "k", n)
    r("HSET", PREFIX + "meta", "next_ticket", n)


def rss(d):
    with open("/proc/%d/statm" % d.proc.pid) as f:
        return int(f.read().split()[1]) * 4096 / 1e6


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 100000
    server = Server()
    empty = Desk(store="unix://" + os.path.join(server.dir, "r.sock"))
    base = rss(empty)
    empty.stop()
    fill(server.redis, n)
    empty.start()
    seen = wait_for(lambda: [m for m in re.findall(r"SEARCH tickets=(\d+) words=(\d+) ms=(\d+)", empty.log()) if int(m[0]) >= n],
                    600, "the index is built")[-1]
    print("built: %s tickets, %s words in %s ms; memory %.0f MB, without tickets %.0f MB" % (*seen, rss(empty), base))
    with empty.admin() as a:
        for words in (("w1",), ("w",), ("w77777",), ("w3", "w17"), ("w1", "w2", "w3"), ("zzz",)):
            times = []
            for _ in range(20):
                began = time.monotonic()
                try:
                    page = a("SEARCH", *words, "COUNT", 20)
                except RespError as e:
                    raise SystemExit(str(e)) from e
                times.append((time.monotonic() - began) * 1000)
            times.sort()
            print("SEARCH %-12s %3d on the page, median %.1f ms, worst %.1f ms" % (" ".join(words), len(page[1]), times[10], times[-1]))
    empty.close()
    server.stop()


if __name__ == "__main__":
    main()
