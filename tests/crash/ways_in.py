"""kill -9 at every named point on the ways in beside mail: forms, phone logs, commands.

One thing comes in by one way. At the point the daemon kills itself, or stops there while
its store is killed. Whoever was not answered does what he would do: the browser sends
the same page again, the program its Idempotency-Key, whoever gives a command its ID; the
log of the exchange is read again by the daemon itself. When the answer is there it is
all sent once more. Then it is there exactly once, on the ticket that was answered, and
the store is sound.
"""
# takes: 20
# seconds: 240
import concurrent.futures
import http.client
import json
import os
import random
import re
import time
import unittest

from desk import FULL, SEED, SLOW, Desk, RespError, servers_of, wait_for
from forms import Web
from phone import row
from points import OF_WAYS_IN, is_stopped, points
from load import STATES, Keeper, kill
from resp import Closed

CONF = """
lines first
agent anna "Anna"
acknowledge none
country 7
timezone Europe/Moscow
form contact {
    rate 1000
    field name { required }
    field email { type email; required }
    field message { type text; required }
    field files { type files; at-most 3; limit 2MB }
}
phone office { asterisk file "%s"; ours 200 201 }
phone pushed { push; ours 200 201; password file "push.secret" }
"""
INTAKE = ["intake.decided", "intake.put", "intake.settle"]
WEB = ["web.deliver", "web.settled", "web.answer"]
PHONE = ["phone.gathered", "phone.deliver", "phone.settled"]
PUSH = ["phone.pushed", "phone.told"]
AWAY = (OSError, Closed, TimeoutError, http.client.HTTPException)


class WaysDesk(Desk):
    def __init__(self):
        super().__init__(start=False, agents="", rules="", env={"HELPLINE_GATHER_MS": "300"})
        self.cdr = os.path.join(self.dir, "Master.csv")
        self.write(self.text + CONF % self.cdr)
        with open(os.path.join(self.dir, "push.secret"), "w") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write("letmein\n")
        open(self.cdr, "w").close()
        self.start()
        self.wait_log(r"PHONE-LOG .*state=reading")
        self.web = Web(self)

    def tickets(self, word):
        return [t["id"] for s in STATES for t in self.list("STATE", s) if word in t["subject"]]

    def messages(self, ticket, word):
        """How many of its messages have this word."""
        shown = json.loads(self.cmd("SHOW", ticket))
        return sum(word in json.dumps(m, ensure_ascii=False) for m in shown["messages"])


class Way:
    """One way in. key: a number, another for each play."""
    opens = True  # a ticket of its own

    def __init__(self, desk):
        self.d = desk
        self.keys = int(time.time()) % 1000000

    def next(self):
        self.keys += 1
        self.word = "key%d" % self.keys

    def prepare(self):
        """Before the daemon is armed."""

    def send(self):
        """Once; the ticket of the answer, None: it must be sent again."""
        raise NotImplementedError

    def send_until_taken(self):
        deadline = time.monotonic() + 90 * SLOW
        while time.monotonic() < deadline:
            try:
                ticket = self.send()
                if ticket is not None:
                    return ticket
            except AWAY:
                pass
            except RespError as e:
                if e.code not in ("TRYAGAIN", "UNSURE"):
                    raise
            time.sleep(0.05)
        raise AssertionError("%s was never answered" % self.word)

    def taken(self, answer, wanted):
        if answer.status in (503, 507):
            return None
        if answer.status != wanted:
            raise AssertionError("%d %s" % (answer.status, answer.text))
        return answer


class Browser(Way):
    points = ["web.whole", "web.spooled", "intake.stored"] + WEB + INTAKE

    def prepare(self):
        self.token = self.d.web.token("/f/contact")

    def send(self):
        a = self.taken(self.d.web.upload(
            "/f/contact", {"name": "Ivan", "email": "ivan@customer.example", "message": self.word},
            [("files", "log.txt", "text/plain", self.word.encode() * 20000)], self.token), 303)
        return a and re.search(r"/thanks/(\d+)-", a.location).group(1)


class Program(Way):
    points = ["web.whole"] + WEB + INTAKE

    def send(self):
        a = self.taken(self.d.web.json(
            "/f/contact", {"name": "Ivan", "email": "ivan@customer.example", "message": self.word},
            {"Idempotency-Key": self.word}), 201)
        return a and json.loads(a.text)["ticket"]


class StatusPage(Way):
    """The customer's answer on the page of his ticket."""
    points = WEB + INTAKE
    opens = False

    def __init__(self, desk):
        super().__init__(desk)
        a = desk.web.send("/f/contact", {"name": "Ivan", "email": "ivan@customer.example", "message": "page"})
        self.ticket = re.search(r"/thanks/(\d+)-", a.location).group(1)
        self.link = re.search(r'href="(/s/[^"?]+)', desk.web.get(a.location).text).group(1)

    def prepare(self):
        self.token = self.d.web.token(self.link)

    def send(self):
        return self.taken(self.d.web.post(self.link, {"text": self.word}, self.token), 303) and self.ticket


class Caller(Way):
    def next(self):
        self.keys += 1
        self.number = "8495%07d" % self.keys
        self.word = "+7" + self.number[1:]

    def rows(self):
        """A ring group where nobody answers."""
        unique = "%d.%d" % (int(time.time()) - 60, self.keys)
        return row(unique, src=self.number), row(unique, src=self.number, dst="201", sequence=2)


class Log(Caller):
    points = ["phone.row", "phone.save", "phone.saved"] + PHONE + INTAKE

    def prepare(self):
        self.written = self.rows()

    def send_until_taken(self):
        if self.written:  # the exchange writes it once
            with open(self.d.cdr, "a") as f:
                f.write("".join(self.written))
            self.written = ()
        return super().send_until_taken()

    def send(self):
        found = self.d.tickets(self.word)
        return found[0] if found else None


class Push(Caller):
    points = PUSH + PHONE + INTAKE

    def prepare(self):
        self.body = "".join(self.rows())

    def send(self):
        a = self.taken(self.d.web.ask("POST", "/calls/pushed", self.body, {
            "Authorization": "Bearer letmein", "Content-Type": "text/plain"}), 200)
        return a and json.loads(a.text)["ticket"]


class Feed(Caller):
    points = PUSH + PHONE + INTAKE

    def prepare(self):
        self.body = "".join(self.rows())

    def send(self):
        return json.loads(self.d.cmd("FEED", "pushed", self.body, "ID", "feed-" + self.word))["ticket"]


class Submit(Way):
    points = ["submit.begin", "submit.answer"] + INTAKE

    def send(self):
        return self.d.cmd("SUBMIT", json.dumps({"subject": self.word, "text": "By hand."}), "ID", self.word)


class LogCall(Caller):
    points = ["submit.begin", "submit.answer"] + INTAKE

    def send(self):
        return self.d.cmd("LOGCALL", json.dumps({"number": self.number, "text": "He called."}), "ID", self.word)


WAYS = [Log, Push, Feed, Browser, Program, StatusPage, Submit, LogCall]
AT_ONCE = 3  # desks
if not FULL:
    print("HELPLINE_SEED=%d chooses whether the daemon or its store dies; FULL=1 takes both" % SEED, flush=True)


def play(way, point, store):
    """store: it is killed while the daemon stands at the point; else the daemon."""
    d = way.d
    once = os.path.join(d.top, "once-%s-%s-%d" % (type(way).__name__, point, store))
    env = {"HELPLINE_CRASH": "%s%s@%s" % (point, ":stop" if store else "", once)}
    way.next()
    way.prepare()
    d.kill9()
    d.start(env)
    keeper = Keeper(d, env)
    with concurrent.futures.ThreadPoolExecutor(1) as source:
        answer = source.submit(way.send_until_taken)
        killed = False

        def over():
            nonlocal killed
            if store and not killed and os.path.exists(once) and is_stopped(d.proc.pid):
                for pid in servers_of(d.state):
                    kill(pid)
                time.sleep(0.05)
                os.kill(d.proc.pid, 18)
                killed = True
            keeper.turn()
            return answer.done() and (os.path.exists(once) and (killed if store else keeper.n_deaths) or answer.exception())
        try:
            wait_for(over, 60, "%s is passed and the answer there" % point, 0.01)
        finally:
            d.proc.send_signal(18)
        ticket = answer.result()
    d.wait_ready()
    check(way, ticket)
    d.fsck()


def check(way, ticket):
    again = way.send_until_taken()
    if again != ticket:
        raise AssertionError("answered with ticket %s, then with %s" % (ticket, again))
    if way.opens and way.d.tickets(way.word) != [ticket]:
        raise AssertionError("%s: ticket %s was answered, there are %s" % (way.word, ticket, way.d.tickets(way.word)))
    n = way.d.messages(ticket, way.word)
    if n != 1:
        raise AssertionError("%s is %d times on ticket %s" % (way.word, n, ticket))


def play_way(make):
    """All points of a way, on one desk: (seconds, what went wrong)."""
    begun = time.monotonic()
    wrong = []
    rnd = random.Random("%d %s" % (SEED, make.__name__))
    with WaysDesk() as d:
        way = make(d)
        for point in way.points:
            for store in (False, True) if FULL else (rnd.random() < 0.5,):
                try:
                    play(way, point, store)
                except (AssertionError, *AWAY, RespError) as e:
                    wrong.append("%s, %s%s: %s" % (make.__name__, point, " (store)" if store else "", e))
                    if not d.is_running():
                        d.spawn()
                    d.wait_ready()
        n_tickets = [len(d.list("STATE", s)) for s in STATES]
        d.kill9()
        d.start()
        time.sleep(1.5)  # what of the log is read again is told by now
        if [len(d.list("STATE", s)) for s in STATES] != n_tickets:
            wrong.append("%s: other tickets after the end" % make.__name__)
        d.fsck()
    return time.monotonic() - begun, wrong


class WaysIn(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # each desk lives and dies with its thread
        cls.pool = concurrent.futures.ThreadPoolExecutor(AT_ONCE)
        cls.played = {make: cls.pool.submit(play_way, make) for make in WAYS}

    @classmethod
    def tearDownClass(cls):
        cls.pool.shutdown()

    def test_every_point_is_played(self):
        played = {p for w in WAYS for p in w.points}
        wanted = {p for p in points() if p.startswith(OF_WAYS_IN)}
        self.assertEqual(wanted - played, set())
        self.assertEqual(played - set(points()), set())


def add_tests():
    for make in WAYS:
        def one(self, make=make):
            took_s, wrong = self.played[make].result()
            self.assertEqual(wrong, [])
            print("%s: %d plays in %.1f s" % (make.__name__, 2 * len(make.points), took_s))
        setattr(WaysIn, "test_" + make.__name__, one)


add_tests()

if __name__ == "__main__":
    unittest.main()
