"""Work under way while things are killed, and what must be true when it is over.

Senders give mails to LMTP as a mail server does: what was not answered 250 is sent
again. Agents reserve, answer and resolve as a client library does: what was not
answered is repeated with the same ID. check() then proves that every 250 is there
once, that every answer given left under one Message-ID, and that the store is sound.
"""
import json
import os
import random
import threading
import time

from desk import SLOW, Desk, RespError, mail, wait_for
from resp import Closed

AGENTS = """
lines first
line first { holds 50 }
agent anna "Anna"
agent boris "Boris"
acknowledge none
"""
STATES = ("queued", "held", "waiting", "resolved", "closed")


def load_desk(**kw):
    return Desk(agents=AGENTS, rules="", **kw)


class Load:
    def __init__(self, desk, n_mails, n_senders=2, seed=0, pause_s=0.0):
        self.d = desk
        self.pause_s = pause_s  # of each sender between two mails
        self.todo = list(range(n_mails))
        self.n_mails = n_mails
        self.taken = set()     # numbers of mails answered 250
        self.answered = {}     # ticket -> id of the answer
        self.replied = {}      # ticket -> number of the mail
        self.lock = threading.Lock()
        self.errors = []
        self.over = False
        self.serial = random.Random(seed).randrange(1 << 30)
        for name in ("anna", "boris"):
            desk.token(name)
        self.threads = [threading.Thread(target=self.guard, args=(self.send,)) for _ in range(n_senders)]
        self.threads += [threading.Thread(target=self.guard, args=(self.work, name)) for name in ("anna", "boris")]

    def start(self):
        for t in self.threads:
            t.start()
        return self

    def guard(self, fn, *args):
        try:
            fn(*args)
        except Exception as e:  # told by finish()
            self.errors.append(e)

    # ---- mail servers ----

    def send(self):
        while True:
            with self.lock:
                if not self.todo or self.over:
                    return
                n = self.todo.pop()
            raw = mail(subject="mail %d" % n, sender="c%d@customer.example" % (n % 17),
                       message_id="<m%d.%d@customer.example>" % (n, self.serial))
            while not self.over:
                try:
                    got = self.d.lmtp(raw, sender="c%d@customer.example" % (n % 17))
                except (OSError, Closed, ValueError):
                    time.sleep(0.03)
                    continue
                if got[0][0] == 250:
                    self.taken.add(n)
                    time.sleep(self.pause_s)
                    break
                if got[0][0] // 100 == 5:
                    raise AssertionError("a mail was refused for good: %r" % (got,))
                time.sleep(0.03)

    # ---- agents ----

    def work(self, name):
        while not self.over:
            try:
                with self.d.client(timeout=5) as c:
                    c("AUTH", self.d.tokens[name])
                    c("READY")
                    while not self.over:
                        for doc in map(json.loads, c("MINE")):
                            self.answer(c, doc)
                        c("RESERVE", "BLOCK", 100, "COUNT", 3)
            except (OSError, Closed, TimeoutError):
                time.sleep(0.03)
            except RespError as e:
                if e.code not in ("TRYAGAIN", "UNSURE", "DRAINING"):
                    raise
                time.sleep(0.03)

    def answer(self, c, doc):
        ticket = doc["id"]
        text = "Answer to %s of %s." % (doc["subject"], ticket)
        message = c("REPLY", ticket, text, "STATUS", "held", "ID", "reply-" + ticket)
        with self.lock:
            if self.answered.setdefault(ticket, message) != message:
                raise AssertionError("the same ID, two answers: %s %s" % (self.answered[ticket], message))
        c("RESOLVE", ticket, "ID", "resolve-" + ticket)

    # ---- the end ----

    def is_done(self):
        return len(self.taken) == self.n_mails and len(self.answered) >= self.n_mails or self.errors

    def finish(self, keeper, timeout=60):
        """Waits until all mail is taken and answered, and ends the threads."""
        def done():
            keeper.turn()
            return self.is_done()
        try:
            wait_for(done, timeout, "all mail is taken and answered", 0.02)
        except AssertionError as e:
            self.errors.insert(0, AssertionError("%s: %d of %d taken, %d answered" % (
                e, len(self.taken), self.n_mails, len(self.answered))))
        self.over = True
        for t in self.threads:
            t.join(30 * SLOW)
        for c in self.d.clients:
            c.close()
        self.d.clients = []
        keeper.wait_ready()
        if self.errors:
            raise self.errors[0]

    def all_tickets(self):
        return [t for s in STATES for t in self.d.list("STATE", s)]

    def outbox_empty(self, keeper):
        """What waits for its next try is tried now."""
        keeper.turn()
        try:
            with self.d.admin() as a:
                _, page = a("OUTBOX", "LIST", "COUNT", "100")
                for e in map(json.loads, page):
                    if e["state"] == "deferred":
                        a("OUTBOX", "RETRY", e["id"])
            return not page
        except (OSError, Closed, TimeoutError, RespError):
            return False

    def check(self, keeper):
        """What load.py promises; answers how many answers left more than once."""
        d = self.d
        try:
            wait_for(lambda: self.outbox_empty(keeper), 60, "the outbox is empty", 0.1)
        except AssertionError as e:
            raise AssertionError("%s: %s" % (e, d.cmd("OUTBOX", "LIST")[1])) from None
        keeper.wait_ready()
        tickets = self.all_tickets()
        subjects = sorted(t["subject"] for t in tickets)
        wanted = sorted("mail %d" % n for n in range(self.n_mails))
        if subjects != wanted:
            twice = sorted({s for s in subjects if subjects.count(s) > 1})
            raise AssertionError("twice: %s; lost: %s" % (twice, sorted(set(wanted) - set(subjects))))
        by_text = {}
        for m in d.sink.mails:
            by_text.setdefault(m.get_content().strip().split("\n")[0].strip(), []).append(m["Message-ID"])
        for t in tickets:
            text = "Answer to %s of %s." % (t["subject"], t["id"])
            ids = by_text.get(text, [])
            if len(set(ids)) != 1:
                raise AssertionError("ticket %s: its answer left under %d Message-IDs: %r" % (t["id"], len(set(ids)), ids))
        with d.admin() as a:
            for t in tickets:
                shown = d.show(a, t["id"])
                out = [m for m in shown["messages"] if m["direction"] == "out"]
                if len(out) != 1 or [r["state"] for r in out[0]["delivery"]] != ["sent"]:
                    raise AssertionError("ticket %s: not one answer, sent: %r" % (t["id"], [m["delivery"] for m in out]))
        d.fsck()
        return sum(len(v) for v in by_text.values()) - len(by_text)


class Keeper:
    """Starts the daemon again when it has died, as systemd would. Only from the main
    thread: the daemon dies with the thread that started it."""

    def __init__(self, desk, env=None):
        self.d = desk
        self.env = env
        self.n_deaths = 0

    def turn(self):
        if self.d.proc.poll() is not None:
            self.n_deaths += 1
            self.d.spawn(self.env)

    def wait_ready(self):
        """It may die once more while we look."""
        def ready():
            self.turn()
            try:
                return self.d.is_ready()
            except AssertionError:
                return False
        wait_for(ready, 30, "the daemon is ready")


def kill(pid):
    try:
        os.kill(pid, 9)
    except ProcessLookupError:
        pass
