"""The real scripts against the most naive model: a list of tickets and a scan.

Classes widen by steps, in real time and in open hours; agents help, hold by weight, change
what they can (a reload), pause after what they finish, are absent and have deputies; tickets
are handed to other lines.
Random operations; after each the script's answer is compared, and every so often all
that is in the store. The seed is printed and rolls; MODEL_SEED, MODEL_OPS
and MODEL_SECONDS choose.
"""
# takes: 35
# seconds: 400
import os
import random
import time
import unittest

import routing
from desk_server import PREFIX, Refused, Server, pairs, script
from routing import FOREVER, MINUTE

DAY = 86400000
AGENTS = ["anna", "boris", "vera", "gleb", "robot"]
CLASSES = {}  # by id; made anew by each play
LEASES = {"first": 240 * MINUTE, "second": 30 * MINUTE, "third": 60 * MINUTE}
REOPEN = 60 * MINUTE
OWN = 15 * MINUTE


class Ticket:
    def __init__(self, id_, cls, v, weight):
        self.id, self.cls, self.v, self.line, self.weight = id_, cls, v, CLASSES[cls].lines[0], weight
        self.state, self.ver, self.holder, self.owner = "queued", 1, "", ""
        self.own, self.until, self.lease, self.lease_until = False, 0, 0, 0
        self.given = self.back = self.expired = self.nm = 0
        self.last_in = self.seen = self.untaken = ""
        self.resolved, self.ack, self.given_back = 0, False, False
        self.last_cmd = self.last_ans = ""

    def entered(self):
        return self.v // 1000 + CLASSES[self.cls].head

    def fields(self):
        return {"state": self.state, "ver": self.ver, "class": self.cls, "v": self.v, "line": self.line,
                "holder": self.holder, "owner": self.owner, "own": int(self.own), "until": self.until,
                "lease": self.lease, "lease_until": self.lease_until, "given": self.given, "back": self.back,
                "expired": self.expired, "nm": self.nm, "last_in": self.last_in, "seen": self.seen,
                "untaken": self.untaken, "resolved": self.resolved, "ack": int(self.ack),
                "tags": '["given-back"]' if self.given_back else "[]",
                "last_cmd": self.last_cmd, "last_ans": self.last_ans}


class Agent:
    def __init__(self, name):
        self.name, self.presence, self.bot = name, "offline", name == "robot"
        self.holds = 4 if self.bot else 3
        self.skips, self.grace, self.wrap = {}, 0, 0
        self.profile = None
        self.deputy, self.closed = "", False
        self.reason, self.absent = "", False  # absent: told by the clock
        self.absence = (0, 0, "")  # from, until, deputy


class Model:
    """What the desk should be. `hints` collects what the operation at hand must tell."""

    def __init__(self):
        self.tickets, self.open = {}, {}
        self.agents = {a: Agent(a) for a in AGENTS}
        self.due, self.outbox, self.dead = {}, {}, {}
        self.next_ticket = self.next_id = self.hintseq = 0
        self.live, self.now, self.hints = False, 0, set()
        self.customers, self.acks, self.seen, self.touched = {}, {}, {}, set()
        self.documents = set()  # of classes, in the store

    # -- pieces --

    def bump(self, t):
        t.ver += 1
        t.last_cmd = t.last_ans = ""
        self.touched.add(t.id)

    def to_class(self, t):
        t.state, t.own, t.until = "queued", False, 0
        self.due.pop("own:%d" % t.id, None)
        self.hints.add("c:" + t.cls)

    def is_absent(self, a):
        return 0 < a.absence[0] <= self.now < a.absence[1]

    def keeper(self, agent):
        """He or the first of his deputies who is there and has room; a chain of five, no circle."""
        seen = []
        while agent and agent not in seen and len(seen) < 6:
            seen.append(agent)
            a = self.agents[agent]
            if a.presence != "offline" and not self.is_absent(a) and self.used(agent) < a.holds:
                return agent
            agent = self.is_absent(a) and a.absence[2] or a.deputy
        return ""

    def kept_for(self, agent):
        return sorted((t for t in self.open.values() if t.own and t.owner == agent and t.state == "queued"),
                      key=lambda t: (t.v, t.id))

    def own_falls_back(self, agent, kept):
        """kept: what was his when the script began; some of it may be gone by another clock."""
        for t in kept[:100]:
            if t.own and t.owner == agent:
                self.to_own(t, agent, t.until)
                self.bump(t)
        return len(kept[:100])

    def absence_over(self, a):
        was, a.absent, a.absence = a.absent, False, (0, 0, "")
        self.due.pop("absent:" + a.name, None)
        if was:
            if (a.presence, a.reason) == ("away", "absent"):
                a.presence, a.reason = "offline", ""
            self.hints.add("a:" + a.name)

    def absent_clock(self, a, kept):
        start, until, _ = a.absence
        if start > self.now or start == 0:
            if start:
                self.due["absent:" + a.name] = start
            return 0
        self.hints.add("a:" + a.name)
        if until <= self.now:
            self.absence_over(a)
            return 1
        if not a.absent:
            a.absent, a.presence, a.reason = True, "away", "absent"
        n = self.own_falls_back(a.name, kept)
        self.due["absent:" + a.name] = until if n < 100 else self.now
        return n + 1

    def to_own(self, t, agent, until):
        agent = self.keeper(agent)
        if agent:
            t.state, t.own, t.owner, t.until = "queued", True, agent, until
            self.due["own:%d" % t.id] = until
            self.hints.add("a:" + agent)
        else:
            self.to_class(t)

    def unhold(self, t):
        self.due.pop("lease:%d" % t.id, None)
        self.due.pop("half:%d" % t.id, None)
        self.hints.add("a:" + t.holder)
        t.holder, t.untaken, t.lease_until = "", "", 0

    def skip(self, agent, t):
        s = self.agents[agent].skips
        for k in [k for k, at in s.items() if at <= self.now]:
            del s[k]
        if t.id not in s and len(s) >= 7:
            del s[min(s, key=lambda k: (s[k], k))]
        s[t.id] = self.now + 10 * MINUTE

    def blame(self, t, before):
        if before < 3 <= t.back + t.expired:
            t.given_back = True

    def new_entry(self, t, message, due):
        self.next_id += 1
        self.outbox[self.next_id] = {"ticket": t.id, "message": message, "state": "queued", "tries": 0, "next": due}
        return self.next_id

    def held(self, agent):
        return [t for t in self.open.values() if t.holder == agent]

    def forget(self, t):
        self.open.pop(t.id, None)

    # -- the scan --

    def used(self, agent):
        return sum(t.weight for t in self.held(agent))

    def may(self, agent, t, among):
        """Is it his to take, by the rule's own words?"""
        a = self.agents[agent]
        return t.cls in among and a.skips.get(t.id, 0) <= self.now and \
            routing.fits(CLASSES[t.cls], a.profile, t.entered(), self.now)

    def choose(self, agent, among, own, n):
        """among: the classes his call is for."""
        a, chosen, used = self.agents[agent], [], self.used(agent)
        while len(chosen) < n and used < a.holds and a.wrap <= self.now:
            best = None
            for t in self.open.values():
                if t.state != "queued" or t in chosen:
                    continue
                if t.own:
                    if not own or t.owner != agent:
                        continue
                    key = t.v - DAY * 1000
                else:
                    if not self.may(agent, t, among):
                        continue
                    key = t.v + (routing.HELP_DELAY * 1000 if routing.helped(CLASSES[t.cls], a.profile) else 0)
                if best is None or (key, t.id) < best[0]:
                    best = (key, t.id), t
            if best is None:
                break
            chosen.append(best[1])
            used += best[1].weight
        return chosen

    def hold(self, agent, t, connection):
        till = self.now + LEASES[t.line]
        if t.own:
            self.due.pop("own:%d" % t.id)
        t.state, t.holder, t.owner, t.own, t.until = "held", agent, agent, False, 0
        t.untaken, t.seen, t.lease_until = connection, t.last_in, till
        t.lease += 1
        t.given += 1
        self.bump(t)
        self.due["lease:%d" % t.id] = till
        self.due["half:%d" % t.id] = (self.now + till) // 2
        self.agents[agent].skips.pop(t.id, None)

    # -- clocks --

    def give_back(self, t):
        self.unhold(t)
        self.to_class(t)
        self.bump(t)

    def tick(self, n_claims, claim_ms):
        done, kept = 0, {a: self.kept_for(a) for a in self.agents}
        for m in sorted((m for m, at in self.due.items() if at <= self.now), key=lambda m: (self.due[m], m))[:100]:
            kind, name = m.split(":")
            if self.due.pop(m, None) is None:
                continue  # ended by one before it in this very tick
            if kind == "wrap":
                self.agents[name].wrap = 0
                self.hints.add("a:" + name)
                continue
            if kind == "absent":
                done += self.absent_clock(self.agents[name], kept[name])
                continue
            if kind == "grace":
                a = self.agents[name]
                for t in self.held(name):
                    if a.bot or t.untaken:
                        self.give_back(t)
                        done += 1
                a.grace = 0
                if a.bot:
                    a.presence = "offline"
                continue
            t = self.tickets[int(name)]
            done += 1
            if kind == "lease":
                agent, before = t.holder, t.back + t.expired
                t.expired += 1
                self.give_back(t)
                self.skip(agent, t)
                self.blame(t, before)
            elif kind == "own":
                self.to_class(t)
                self.bump(t)
            elif kind == "wait":
                self.to_own(t, t.owner, self.now + OWN)
                self.bump(t)
            elif kind == "close":
                t.state = "closed"
                self.forget(t)
                self.bump(t)
        claimed = []
        if self.live and n_claims:
            ready = sorted((e["next"], str(n)) for n, e in self.outbox.items()
                           if e["state"] != "dead" and e["next"] <= self.now)
            for _, n in ready[:n_claims]:
                e = self.outbox[int(n)]
                e["state"], e["next"] = "claimed", self.now + claim_ms
                e["tries"] += 1
                claimed.append(n)
        return done, claimed


class Wrong(AssertionError):
    pass


class Play:
    until = float("inf")  # time.monotonic() when it is enough

    def __init__(self, server, seed):
        self.r, self.rng, self.m = server.redis, random.Random(seed), Model()
        self.sha = server.load(script())
        self.nonce = 0
        self.r("FLUSHALL")
        self.r("HSET", PREFIX + "meta", "schema", 1, "sim", 1)
        self.m.now = int(time.time() * 1000)
        CLASSES.clear()
        for _ in range(20):
            c = routing.random_class(self.rng)
            CLASSES[c.id] = c
        for a in self.m.agents.values():
            a.profile = routing.random_profile(self.rng)
            self.r("HSET", PREFIX + "a:" + a.name, "holds", a.holds)

    # -- the wire --

    def call(self, verb, *args):
        self.nonce += 1
        return self.again(verb, *args)

    def again(self, verb, *args):
        return self.r("EVALSHA", self.sha, 1, PREFIX, verb, self.m.now * 1000, "daemon", *args)

    def expect(self, what, is_, should):
        if is_ != should:
            raise Wrong("%s: the script says %r, the model %r" % (what, is_, should))

    def hinted(self, answer):
        """Hints of this operation; and hintseq has grown by one if there were any."""
        if self.m.hints:
            self.m.hintseq += 1
        self.expect("hints", sorted(answer[2]), sorted(map(self.with_head, self.m.hints)))
        self.expect("hintseq", int(answer[1]), self.m.hintseq)

    def with_head(self, hint):
        """A class is hinted with the v of its head after what happened."""
        if hint[0] != "c":
            return hint
        return "%s:%d" % (hint, min(t.v for t in self.m.open.values()
                                    if t.state == "queued" and not t.own and t.cls == hint[2:]))

    # -- changes, as queue/ticket.c builds them --

    def queue_steps(self, t, v, own):
        s = ["S", "state", "queued", "S", "queued", self.m.now, "S", "v", v]
        return s + (["O", t.owner, v, self.m.now + OWN] if own else self.class_steps(t.cls, v))

    def class_steps(self, cls, v):
        """Into the class, with its document and calendar."""
        c = CLASSES[cls]
        return (["H", c.calendar.id, c.calendar.text] if c.calendar.id else []) + ["C", cls, c.text, v]

    def unhold_steps(self, t):
        return ["U", t.holder, "S", "holder", "", "S", "untaken", "", "S", "lease_until", 0]

    def commit(self, t, steps, bump=True, apply=None):
        """Sends a change in one of several ways; apply() does it to the model."""
        way = self.rng.random()
        idem = "%s:%d" % (self.rng.choice(AGENTS), self.nonce) if self.rng.random() < 0.3 else ""
        words = self.rng.choice(["", "h%d" % self.nonce])
        args = [t.id, t.ver, int(bump), idem, words, DAY, "+OK\r\n%d" % self.nonce, "n%d" % self.nonce] + steps
        if way < 0.05 and t.ver > 1:
            stale = list(args)
            stale[1] -= 1
            self.expect("a stale commit", self.call("commit", *stale)[0], "STALE")
            return False
        apply()
        if bump:
            self.bump_done(t, idem, words)
        self.m.touched.add(t.id)
        answer = self.call("commit", *args)
        self.expect("commit", answer[0], "OK")
        self.hinted(answer)
        if way > 0.9:  # its answer was lost: once more, and nothing new
            answer = self.again("commit", *args)
            self.expect("a repeated commit", answer[0], "STORED" if idem else "OK")
            if idem:
                self.expect("stored", answer[3:5], [words, args[6]])
        return True

    def bump_done(self, t, idem, words):
        self.m.bump(t)
        if not idem and words:
            t.last_cmd, t.last_ans = words, "+OK\r\n%d" % self.nonce

    # -- operations --

    def put_args(self, digest, sender, customer, ticket, version, ack, steps):
        return [digest, DAY, "n%d" % self.nonce, sender, customer, "Имя", '["%s"]' % sender, ticket, version,
                "standard" if ack else "", sender, '["%s"]' % sender, "ru", "s@desk", self.m.now, "", "", ""] + steps

    def put(self, t, args, sender, ack, digest, steps_apply):
        m = self.m
        customer = m.customers.get(sender, "")
        if self.rng.random() < 0.03:
            wrong = list(args)
            wrong[4] = "c999999"
            self.expect("a stale put", self.call("put", *wrong)[0], "STALE")
            return
        if not customer:
            m.next_id += 1
        if t is None:
            m.next_ticket += 1
        t = steps_apply()
        if not customer:
            m.customers[sender] = "c%d" % (m.next_id)
        acked = suppressed = "0"
        if ack and not t.ack:
            if m.acks.get(sender, 0) >= 3:
                suppressed = "1"
            else:
                acked = "1"
                m.acks[sender] = m.acks.get(sender, 0) + 1
                t.ack = True
                m.new_entry(t, "", m.now)
        message = "%d.%d" % (t.id, t.nm)
        m.seen[digest] = message
        m.touched.add(t.id)
        answer = self.call("put", *args)
        self.expect("put", [answer[0]] + answer[3:], ["OK", str(t.id), message, acked, suppressed])
        self.hinted(answer)
        if self.rng.random() < 0.1:
            answer = self.again("put", *args)
            self.expect("a repeated put", [answer[0]] + answer[3:5], ["OK", str(t.id), message])
            args[2] = "another"
            answer = self.again("put", *args)
            self.expect("a duplicate", [answer[0]] + answer[3:5], ["DUP", str(t.id), message])

    def op_arrive(self):
        m, rng = self.m, self.rng
        if len(m.open) > 120:
            return
        cls, sender, ack = rng.choice(list(CLASSES)), "u%d@x" % rng.randrange(60), rng.random() < 0.5
        # Equal arrivals are wanted: ties are decided by the number.
        entered = m.now - m.now % (60 * MINUTE) if rng.random() < 0.3 else m.now
        v = (entered - CLASSES[cls].head) * 1000
        digest = "d%d" % self.nonce
        weight = 3 if CLASSES[cls].channel == "phone" else 1
        steps = ["S", "weight", 3] if weight > 1 else []
        for f, x in [("state", "queued"), ("line", CLASSES[cls].lines[0]), ("holder", ""), ("owner", ""), ("untaken", ""),
                     ("seen", ""), ("v", v), ("tags", "[]")]:
            steps += ["S", f, x]
        steps += ["M", '"text":"$new"}', "N", "last_in"] + self.class_steps(cls, v) + ["P", 1, cls,
                  "L", "{}", "J", "queued", "", CLASSES[cls].lines[0], "customer", "new", "I", "mid%d" % self.nonce]

        def born():
            t = Ticket(m.next_ticket, cls, v, weight)
            m.tickets[t.id] = m.open[t.id] = t
            t.nm, t.last_in = 1, "%d.1" % t.id
            m.documents.add(cls)
            m.to_class(t)
            return t
        self.put(None, self.put_args(digest, sender, m.customers.get(sender, ""), "", 0, ack, steps), sender, ack,
                 digest, born)

    def any_ticket(self, *states):
        found = [t for t in self.m.open.values() if t.state in states]
        return self.rng.choice(found) if found else None

    def op_customer_writes(self):
        m, rng = self.m, self.rng
        t = self.any_ticket("queued", "held", "waiting", "waiting", "resolved")
        if t is None:
            return
        sender, counts = "u%d@x" % rng.randrange(60), rng.random() < 0.8
        if t.state == "resolved" and m.now > t.resolved + REOPEN:
            counts = False
        digest = "d%d" % self.nonce
        steps = ["M", '"text":"x"}', "J", "message", t.holder, t.line, "customer", ""]
        v, own, moves = (m.now - CLASSES[t.cls].head) * 1000, t.owner != "", t.state in ("waiting", "resolved")
        if counts:
            steps += ["N", "last_in"]
        if counts and moves:
            steps += ["D", "close" if t.state == "resolved" else "wait", 0, "S", "resolved", 0]
            steps += self.queue_steps(t, v, own)

        def wrote():
            m.bump(t)
            t.nm += 1
            if counts:
                t.last_in = "%d.%d" % (t.id, t.nm)
            if counts and moves:
                m.due.pop("close:%d" % t.id, None)
                m.due.pop("wait:%d" % t.id, None)
                t.resolved, t.v = 0, v
                m.to_own(t, t.owner if own else "", m.now + OWN)
            return t
        self.put(t, self.put_args(digest, sender, m.customers.get(sender, ""), t.id, t.ver, False, steps), sender,
                 False, digest, wrote)

    def pull_args(self, agent, count, own, ticket, idem, words, classes, hinted):
        leases = [x for line, ms in LEASES.items() for x in (line, ms)]
        args = [agent, self.m.agents[agent].holds, count, int(own), ticket, 0, "c%d" % self.nonce, MINUTE, idem, words,
                DAY, hinted, 1, len(LEASES)] + leases
        return args + routing.groups([CLASSES[c] for c in classes], self.m.agents[agent].profile, self.m.now)

    def filtered(self):
        """The classes a call is for: all, or those of LINE or CHANNEL."""
        line, channel = self.rng.choice(["", "", "", "first", "second"]), self.rng.choice(["", "", "", "email", "phone"])
        return [c.id for c in CLASSES.values() if line in ("", c.lines[0]) and channel in ("", c.channel)]

    def op_pull(self):
        m, rng = self.m, self.rng
        agent, count, own = rng.choice(AGENTS), rng.choice([1, 1, 1, 2, 5]), rng.random() < 0.9
        a, classes = m.agents[agent], self.filtered()
        hinted = rng.choice([""] + list(CLASSES))
        idem = "%s:p%d" % (agent, self.nonce) if rng.random() < 0.5 else ""
        args = self.pull_args(agent, count, own, "", idem, "w", classes, hinted)
        chosen, word = [], "AWAY"
        if a.presence == "offline" and not m.is_absent(a) and not a.closed:
            a.presence, a.reason = "ready", ""
        if a.presence == "ready" and not m.is_absent(a) and not a.closed:
            chosen = m.choose(agent, classes, own, count)
            is_full = m.used(agent) >= a.holds or a.wrap > m.now
            word = "TAKEN" if chosen else "FULL" if is_full else "NOTHING"
        asked = [hinted] if hinted else []
        for t in chosen:
            if not t.own and t.cls not in asked:
                asked.append(t.cls)
        for t in chosen:
            m.hold(agent, t, args[6])
        answer = self.call("pull", *args)
        self.expect("pull", [answer[0], answer[3], int(answer[8])], [word, [str(t.id) for t in chosen], m.used(agent)])
        self.hinted(answer)
        heads = pairs(answer[4])
        for c in asked:
            v = [t.v for t in m.open.values() if t.state == "queued" and not t.own and t.cls == c]
            self.expect("the head of " + c, heads.get(c), str(min(v)) if v else "")
        if idem and chosen and rng.random() < 0.5:
            m.hints = set()
            answer = self.again("pull", *args)
            self.expect("a repeated pull", [answer[0], answer[3], answer[5]], ["TAKEN", [str(t.id) for t in chosen], "1"])
            args[9] = "other words"
            self.expect("an ID used twice", self.again("pull", *args)[6], "BADARG")

    def op_take(self):
        m, rng = self.m, self.rng
        agent = rng.choice(AGENTS)
        t = rng.choice(list(m.open.values())) if m.open else None
        if t is None:
            return
        classes = self.filtered()
        fits = t.cls in classes and routing.fits(CLASSES[t.cls], m.agents[agent].profile, t.entered(), m.now)
        if t.state == "held" and t.holder == agent:
            should = ["TAKEN", [str(t.id)], ""]
        elif t.state != "queued" or (t.own and t.owner != agent):
            should = ["REFUSED", [], "STATE"]
        elif not t.own and not fits:
            should = ["REFUSED", [], "NOPERM"]
        elif m.used(agent) >= m.agents[agent].holds:
            should = ["FULL", [], ""]
        else:
            should = ["TAKEN", [str(t.id)], ""]
        args = self.pull_args(agent, 1, False, t.id, "", "", classes, "")
        if should[0] == "TAKEN" and t.state == "queued":
            m.hold(agent, t, args[6])
        answer = self.call("pull", *args)
        self.expect("TAKE", [answer[0], answer[3], answer[6]], should)
        self.hinted(answer)

    def op_refuse(self):
        """One who gives everything back: his skips fill up, and the oldest goes."""
        m = self.m
        agent = self.rng.choice(AGENTS)
        classes = list(CLASSES)
        for i in range(12):
            used = m.used(agent)
            a = m.agents[agent]
            if a.presence != "ready" or m.is_absent(a) or a.closed or used >= m.agents[agent].holds:
                return
            self.nonce += 1
            m.hints = set()
            chosen = m.choose(agent, classes, True, 1)
            args = self.pull_args(agent, 1, True, "", "", "", classes, "")
            for t in chosen:
                m.hold(agent, t, args[6])
            answer = self.call("pull", *args)
            self.expect("pull", answer[3], [str(t.id) for t in chosen])
            if not chosen:
                return
            m.now += self.rng.choice([0, 1, 1000])
            self.op_release(chosen[0], True)

    def op_release(self, t=None, blamed=False):
        m, rng = self.m, self.rng
        t = t or self.any_ticket("held")
        if t is None:
            return
        delay = rng.choice([0, 0, 20 * MINUTE])
        blamed = blamed or rng.random() < 0.8
        holder, before = t.holder, t.back + t.expired
        steps = self.unhold_steps(t)
        if blamed:
            steps += ["S", "back", t.back + 1, "K", holder, m.now + 10 * MINUTE]
        steps += ["L", "{}", "J", "released", holder, t.line, holder, "why"]
        if delay:
            steps += ["S", "state", "waiting", "S", "owner", "", "S", "until", m.now + delay, "D", "wait", m.now + delay]
        else:
            steps += self.queue_steps(t, t.v, False)

        def released():
            m.unhold(t)
            if blamed:
                t.back += 1
                m.skip(holder, t)
            if delay:
                t.state, t.owner, t.until = "waiting", "", m.now + delay
                m.due["wait:%d" % t.id] = m.now + delay
            else:
                m.to_class(t)
            m.blame(t, before)
        self.commit(t, steps, apply=released)

    def op_reply(self):
        m, rng = self.m, self.rng
        t = self.any_ticket("held")
        if t is None:
            return
        status = rng.choice(["waiting", "waiting", "resolved", "held"])
        due = m.now + rng.choice([0, MINUTE])
        steps = ["M", '"text":"y"}', "V", "$new", '[{"state":"queued"}]',
                 "X", "reply", "$new", "s@desk", "", "ru", '["a@b"]', due, "L", "{}"]
        holder = t.holder
        if status == "held":
            steps += ["S", "lease_until", m.now + LEASES[t.line], "D", "lease", m.now + LEASES[t.line], "S", "untaken", ""]
        elif status == "waiting":
            steps += self.unhold_steps(t) + ["S", "state", "waiting", "S", "until", 0]
        else:
            steps += self.unhold_steps(t) + self.resolve_steps()
        pause, paused = self.wrap_steps(t) if status != "held" else ([], None)
        steps += ["J", "changed", holder, t.line, holder, status] + pause

        def replied():
            t.nm += 1
            m.new_entry(t, "%d.%d" % (t.id, t.nm), due)
            if status == "held":
                t.untaken, t.lease_until = "", m.now + LEASES[t.line]
                m.due["lease:%d" % t.id] = t.lease_until
                return
            m.unhold(t)
            paused()
            t.until = 0
            t.state = "waiting"
            if status == "resolved":
                self.resolved(t)
        self.commit(t, steps, apply=replied)

    def wrap_steps(self, t):
        """Now and then a line with a pause after what is finished: (steps, to be done)."""
        m, agent, till = self.m, t.holder, self.m.now + 2 * MINUTE
        if t.state != "held" or self.rng.random() < 0.8:
            return [], lambda: None

        def paused():
            m.agents[agent].wrap = m.due["wrap:" + agent] = till
        return ["F", agent, till], paused

    def resolve_steps(self):
        return ["D", "wait", 0, "S", "state", "resolved", "S", "until", 0, "S", "resolved", self.m.now,
                "D", "close", self.m.now + REOPEN]

    def resolved(self, t):
        m = self.m
        m.due.pop("wait:%d" % t.id, None)
        m.due.pop("own:%d" % t.id, None)
        t.state, t.own, t.until, t.resolved = "resolved", False, 0, m.now
        m.due["close:%d" % t.id] = m.now + REOPEN

    def op_resolve(self):
        m = self.m
        t = self.any_ticket("held", "waiting", "queued")
        if t is None:
            return
        steps = {"queued": lambda: ["Q"], "held": lambda: self.unhold_steps(t), "waiting": lambda: []}[t.state]()
        pause, paused = self.wrap_steps(t)

        def done():
            if t.state == "held":
                m.unhold(t)
                paused()
            self.resolved(t)
        self.commit(t, steps + pause + self.resolve_steps(), apply=done)

    def op_escalate(self):
        """To another line, with a new start: a class of its own."""
        m, rng = self.m, self.rng
        t = self.any_ticket("held", "queued")
        if t is None:
            return
        c = CLASSES[t.cls].handed(rng.choice(routing.LINES))
        CLASSES.setdefault(c.id, c)
        v, holder = (m.now - c.head) * 1000, t.holder
        steps = ["Q"] if t.state == "queued" else self.unhold_steps(t) + ["K", holder, m.now + 10 * MINUTE]
        steps += ["S", "line", c.lines[0], "S", "state", "queued", "S", "queued", m.now, "S", "v", v] + \
            self.class_steps(c.id, v) + ["L", "{}", "J", "changed", holder, c.lines[0], holder, "escalated"]

        def escalated():
            if holder:
                m.unhold(t)
                m.skip(holder, t)
            t.line, t.cls, t.v = c.lines[0], c.id, v
            m.documents.add(c.id)
            m.to_class(t)
        self.commit(t, steps, apply=escalated)

    def op_reload(self):
        """What an agent can, and where he is, changes; the next pull is by the new profile."""
        self.m.agents[self.rng.choice(AGENTS)].profile = routing.random_profile(self.rng)

    def op_sweep(self):
        m = self.m
        named = {t.cls for t in m.open.values()}
        waiting = {t.cls for t in m.open.values() if t.state == "queued" and not t.own}
        gone = {c for c in m.documents if c not in named and c not in waiting}
        forgotten = set()
        for _ in range(2):  # the rest of a round, and a whole one
            forgotten |= set(self.call("sweep")[3:])
            while self.r("HGET", PREFIX + "meta", "sweep") != "0":
                forgotten |= set(self.call("sweep")[3:])
        self.expect("classes forgotten", forgotten, gone)
        m.documents -= gone

    def op_reopen(self):
        m = self.m
        t = self.any_ticket("resolved")
        if t is None or m.now > t.resolved + REOPEN:
            return
        v, own = (m.now - CLASSES[t.cls].head) * 1000, t.owner != "" and self.rng.random() < 0.7
        steps = ["D", "close", 0, "S", "resolved", 0] + self.queue_steps(t, v, own)

        def reopened():
            m.due.pop("close:%d" % t.id)
            t.resolved, t.v = 0, v
            m.to_own(t, t.owner if own else "", m.now + OWN)
        self.commit(t, steps, apply=reopened)

    def op_lost(self):
        t = self.any_ticket("held")
        if t is None:
            return

        def lost():
            self.m.unhold(t)
            self.m.to_class(t)
        self.commit(t, self.unhold_steps(t) + self.queue_steps(t, t.v, False), apply=lost)

    def op_touch(self):
        m = self.m
        t = self.any_ticket("held")
        if t is None:
            return
        till = m.now + LEASES[t.line]

        def touched():
            t.untaken, t.lease_until, t.seen = "", till, t.last_in
            m.due["lease:%d" % t.id] = till
        self.commit(t, ["S", "untaken", "", "S", "seen", t.last_in, "S", "lease_until", till, "D", "lease", till],
                    bump=False, apply=touched)

    def op_note(self):
        t = self.any_ticket("queued", "held", "waiting", "resolved")
        if t is None:
            return

        def noted():
            t.nm += 1
        self.commit(t, ["M", '"note":1}', "J", "changed", "", t.line, "anna", "note"], apply=noted)

    def op_unsend(self):
        m, rng = self.m, self.rng
        found = [(n, e) for n, e in m.outbox.items() if e["message"] and e["ticket"] in m.open]
        if not found:
            return
        n, e = rng.choice(found)
        t = m.tickets[e["ticket"]]
        steps = ["E", e["message"], "V", e["message"], "[]"]
        if e["state"] != "queued" or e["tries"]:
            try:
                self.call("commit", t.id, t.ver, 1, "", "", DAY, "", "n%d" % self.nonce, *steps)
            except Refused as r:
                self.expect("UNSEND of what has left", str(r).split()[0], "STATE")
                return
            raise Wrong("UNSEND took back what has left")

        def unsent():
            del m.outbox[n]
        self.commit(t, steps, apply=unsent)

    def op_presence(self):
        m, rng = self.m, self.rng
        agent, p = rng.choice(AGENTS), rng.choice(["ready", "ready", "away", "offline"])
        a = m.agents[agent]
        if p == "ready":
            if a.absent or m.is_absent(a):
                m.absence_over(a)
            m.hints.add("a:" + agent)
            a.wrap = 0
            m.due.pop("wrap:" + agent, None)
        a.presence, a.reason = p, ""
        if p == "offline":
            m.own_falls_back(agent, m.kept_for(agent))
        self.hinted(self.call("presence", agent, p, "", agent))

    def op_assign(self):
        """A lead gives a ticket to somebody, out of another's hands if need be."""
        m, agent = self.m, self.rng.choice(AGENTS)
        t = self.any_ticket("queued", "held", "waiting")
        if t is None:
            return
        args = self.pull_args(agent, 1, False, t.id, "", "", [], "")
        args[5], should = "lead", "TAKEN"
        if t.state == "waiting":
            should = "REFUSED"
        elif t.holder != agent and m.used(agent) >= m.agents[agent].holds:
            should = "FULL"
        elif t.holder != agent:
            if t.state == "held":
                m.unhold(t)
            m.hold(agent, t, args[6])
        answer = self.call("pull", *args)
        self.expect("ASSIGN", answer[0], should)
        self.hinted(answer)

    def op_absent(self):
        m, rng = self.m, self.rng
        a = m.agents[rng.choice(AGENTS)]
        start = m.now + rng.choice([0, 0, 5 * MINUTE])
        until = m.now + rng.choice([0, 10 * MINUTE, 60 * MINUTE])
        deputy = rng.choice(["", "", rng.choice(AGENTS)])
        if until <= m.now or until <= start:
            m.absence_over(a)
        else:
            if a.absent and start > m.now:
                m.absence_over(a)
            a.absence = (start, until, deputy)
            m.due["absent:" + a.name] = start
            m.hints.add("a:" + a.name)
        self.hinted(self.call("absent", a.name, start, until, deputy, a.name))

    def op_declare(self):
        """What the configuration says of one: capacity, deputy, whether it is in his hours."""
        m, rng = self.m, self.rng
        a, closed = m.agents[rng.choice(AGENTS)], rng.random() < 0.1
        a.deputy, a.holds = rng.choice(["", rng.choice(AGENTS)]), rng.choice([2, 3, 4])
        if a.closed and not closed:
            m.hints.add("a:" + a.name)
        a.closed = closed
        self.hinted(self.call("agents", a.name, a.holds, a.deputy, int(closed)))

    def op_grace(self):
        m, rng = self.m, self.rng
        a = m.agents[rng.choice(AGENTS)]
        a.grace = rng.choice([0, m.now + 2 * MINUTE])
        if a.grace:
            m.due["grace:" + a.name] = a.grace
        else:
            m.due.pop("grace:" + a.name, None)
        self.call("grace", a.name, int(a.bot), a.grace)

    def op_live(self):
        self.m.live = self.rng.random() < 0.8
        self.call("live", int(self.m.live), "root")

    def op_tick(self):
        n = self.rng.choice([0, 1, 5])
        done, claimed = self.m.tick(n, 5 * MINUTE)
        answer = self.call("tick", n, 5 * MINUTE, OWN)
        self.expect("tick", [int(answer[3])] + answer[5:], [done, []] + claimed)
        self.hinted(answer)

    def op_settle(self):
        m, rng = self.m, self.rng
        found = [n for n, e in m.outbox.items() if e["state"] == "claimed"]
        if not found:
            return
        n = rng.choice(found)
        e = m.outbox[n]
        t = m.tickets[e["ticket"]]
        what = rng.choice(["sent", "sent", "deferred", "dead"])
        at = m.now + 10 * MINUTE
        steps = {"sent": ["Z", n], "deferred": ["Y", n, at, 4, "state", "deferred", "last", "451 later"],
                 "dead": ["W", n, m.now]}[what]
        if e["message"]:
            steps = ["V", e["message"], '[{"state":"%s"}]' % what] + steps

        def settled():
            if what == "sent":
                del m.outbox[n]
            elif what == "dead":
                e["state"] = "dead"
            else:
                e["state"], e["next"] = "deferred", at
        self.commit(t, steps, bump=False, apply=settled)

    def op_retry(self):
        m, rng = self.m, self.rng
        if not m.outbox:
            return
        n = rng.choice(list(m.outbox))
        e = m.outbox[n]
        try:
            self.call("retry", n, "root")
            if e["state"] == "claimed" and e["next"] > m.now:
                raise Wrong("RETRY of what is being sent")
            e["state"], e["tries"], e["next"] = "queued", 0, m.now
        except Refused as r:
            self.expect("RETRY", [str(r).split()[0], e["state"]], ["STATE", "claimed"])

    # -- everything compared --

    def compare(self, all_of_them):
        m, r = self.m, self.r
        ids = list(m.tickets if all_of_them else m.touched | set(m.open))
        m.touched.clear()
        for id_, flat in zip(ids, r.pipe([["HGETALL", PREFIX + "t:%d" % i] for i in ids])):
            is_ = pairs(flat)
            for f, v in m.tickets[id_].fields().items():
                have = is_.get(f, "0" if isinstance(v, int) else "")
                self.expect("ticket %d, field %s" % (id_, f), have, str(v))
        queued = [t for t in m.open.values() if t.state == "queued"]
        heads = pairs(r("HGETALL", PREFIX + "head"))
        cref = pairs(r("HGETALL", PREFIX + "cref"))
        for c in CLASSES:
            waiting = [t for t in queued if not t.own and t.cls == c]
            self.expect("queue " + c, {int(i): int(v) for i, v in self.scores("q:" + c)}, {t.id: t.v for t in waiting})
            self.expect("head of " + c, heads.get(c), str(min(t.v for t in waiting)) if waiting else None)
            self.expect("cref of " + c, int(cref.get(c, 0)), sum(t.cls == c for t in m.open.values()))
        for name, a in m.agents.items():
            held = {t.id for t in m.held(name)}
            is_ = pairs(r("HGETALL", PREFIX + "a:" + name))
            self.expect("held by " + name, {int(i) for i in r("SMEMBERS", PREFIX + "held:" + name)}, held)
            self.expect("used by " + name, int(is_.get("used", 0)), m.used(name))
            self.expect("pause of " + name, int(is_.get("wrap_until", 0)), a.wrap)
            self.expect("presence of " + name, is_.get("presence", "offline"), a.presence)
            self.expect("own of " + name, {int(i): int(v) for i, v in self.scores("own:" + name)},
                        {t.id: t.v for t in queued if t.own and t.owner == name})
            skips = {int(i): int(v) for i, v in self.scores("skip:" + name) if int(v) > m.now}
            self.expect("skips of " + name, skips, {i: at for i, at in a.skips.items() if at > m.now})
        self.expect("class documents", set(r("HKEYS", PREFIX + "class")), m.documents)
        offices = [c for c in m.documents if CLASSES[c].calendar.id]
        self.expect("calendars", r("HKEYS", PREFIX + "cal"), [routing.Office.id] if offices else [])
        self.expect("documents with a calendar", r("HVALS", PREFIX + "calref"), [str(len(offices))] if offices else [])
        self.expect("due", {k: int(v) for k, v in self.scores("due")}, m.due)
        self.expect("open", {int(i) for i, _ in self.scores("open")}, set(m.open))
        self.expect("closed", r("ZCARD", PREFIX + "closed"), len(m.tickets) - len(m.open))
        self.compare_outbox()
        self.compare_counts()

    def scores(self, key):
        flat = self.r("ZRANGE", PREFIX + key, 0, -1, "WITHSCORES")
        return list(zip(flat[::2], flat[1::2]))

    def compare_outbox(self):
        m, r = self.m, self.r
        self.expect("obdue", {int(n): int(v) for n, v in self.scores("obdue")},
                    {n: e["next"] for n, e in m.outbox.items() if e["state"] != "dead"})
        self.expect("dead", {int(n) for n, _ in self.scores("dead")}, {n for n, e in m.outbox.items() if e["state"] == "dead"})
        ids = list(m.outbox)
        for n, flat in zip(ids, r.pipe([["HGETALL", PREFIX + "ob:%d" % n] for n in ids])):
            is_, e = pairs(flat), m.outbox[n]
            for f in ("ticket", "message", "state", "tries", "next"):
                self.expect("outbox %d, %s" % (n, f), is_.get(f), str(e[f]))

    def compare_counts(self):
        m = self.m
        should = {}
        for t in m.tickets.values():
            for k in ("s:" + t.state, "l:%s:%s" % (t.state, t.line)):
                should[k] = should.get(k, 0) + 1
        for e in m.outbox.values():
            should["o:" + e["state"]] = should.get("o:" + e["state"], 0) + 1
        is_ = {k: int(v) for k, v in pairs(self.r("HGETALL", PREFIX + "n")).items() if ":" in k and v != "0"}
        self.expect("counters", is_, should)

    def run(self, n_ops):
        ops = {self.op_arrive: 20, self.op_customer_writes: 10, self.op_pull: 30, self.op_take: 5, self.op_release: 6,
               self.op_reply: 14, self.op_resolve: 5, self.op_reopen: 2, self.op_lost: 3, self.op_touch: 5,
               self.op_note: 2, self.op_unsend: 2, self.op_presence: 3, self.op_grace: 3, self.op_live: 1, self.op_refuse: 2,
               self.op_tick: 10, self.op_settle: 6, self.op_retry: 1, self.op_escalate: 4, self.op_reload: 1,
               self.op_sweep: 1, self.op_absent: 1, self.op_declare: 1,
               self.op_assign: 3}
        names, weights = list(ops), list(ops.values())
        for i in range(n_ops):
            if time.monotonic() > self.until:
                break
            op = self.rng.choices(names, weights)[0]
            self.m.hints = set()
            self.m.now += self.rng.choice([0, 0, 1, 500, 5000, 20000, 60000])
            self.nonce += 1
            try:
                op()
                if i % 1000 == 999:
                    self.compare(False)
            except (Wrong, Refused) as e:
                raise Wrong("operation %d, %s: %s" % (i, op.__name__, e)) from e
        self.compare(True)
        return i + 1


class ModelTest(unittest.TestCase):
    def test_random_operations(self):
        seed = int(os.environ.get("MODEL_SEED", time.time_ns() % 10 ** 9))
        n, seconds = int(os.environ.get("MODEL_OPS", 1000000)), int(os.environ.get("MODEL_SECONDS", 30))
        print("MODEL_SEED=%d MODEL_OPS=%d MODEL_SECONDS=%d" % (seed, n, seconds), flush=True)
        server = Server()
        self.addCleanup(server.stop)
        start = time.monotonic()
        play = Play(server, seed)
        play.until = start + seconds
        n = play.run(n)
        print("%d operations, %d tickets, %.0f s" % (n, len(play.m.tickets), time.monotonic() - start), flush=True)


if __name__ == "__main__":
    unittest.main()
