"""Routing as ROUTING.md says it, word by word, for the tests beside this file.

Two ways to say who may take what. `fits` is the rule itself: what is asked of a ticket of
this age, and has he got it? `terms` is what the daemon sends: one cut-off for each class.
The tests compare the script, which is given the terms, with a scan by the rule.
"""
import hashlib

MINUTE = 60000
HOUR = 60 * MINUTE
FOREVER = 2 ** 63 - 1
HELP_DELAY = 30 * MINUTE
LINES = ["first", "second", "third"]
SKILLS = ["network", "billing", "reset"]


class Office:
    """A calendar that is open every other hour: simple enough to be counted by hand."""
    id = "0ff1ce0ff1ce0ff1"
    text = '{"week":"every other hour"}'

    @staticmethod
    def open_until(at):
        hours, rest = divmod(at, HOUR)
        return (hours + 1) // 2 * HOUR + (rest if hours % 2 == 0 else 0)

    @classmethod
    def between(cls, since, until):
        return max(0, cls.open_until(until) - cls.open_until(since))

    @classmethod
    def back(cls, now, ms):
        """The latest moment with so much open time between it and now."""
        low, high = now - 4 * ms - 4 * HOUR, now
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if cls.between(middle, now) >= ms else (low, middle - 1)
        return low


class Always:
    id = ""
    text = ""

    @staticmethod
    def between(since, until):
        return max(0, until - since)

    @staticmethod
    def back(now, ms):
        return now - ms


class Class:
    def __init__(self, lines, needs=None, musts=None, steps=(), head=0, calendar=Always, channel="email"):
        self.lines, self.needs, self.musts = lines, needs or {}, musts or {}
        self.steps = sorted(steps, key=lambda s: s[0])  # (after, "also", line) (after, "lower", n) (after, "drop")
        self.head, self.calendar, self.channel = head, calendar, channel
        words = repr((lines, sorted(self.needs.items()), sorted(self.musts.items()), self.steps, head, calendar.id, channel))
        self.id = hashlib.sha256(words.encode()).hexdigest()[:16]
        # As the store sees it: opaque, but for the calendar it names.
        self.text = '{"calendar":"%s","words":"%s"}' % (calendar.id, words.replace('"', "'"))

    def handed(self, line):
        """What ESCALATE makes of it: that line alone, no steps."""
        return Class([line], self.needs, self.musts, (), self.head, self.calendar, self.channel)


class Profile:
    def __init__(self, home, helps=(), skills=None, only=""):
        self.home, self.helps, self.skills, self.only = home, list(helps), skills or {}, only

    def has(self, wanted):
        return all(self.skills.get(s, 0) >= level for s, level in wanted.items())


def asked(cls, steps):
    """Lines and needs after these steps."""
    lines, needs = list(cls.lines), dict(cls.needs)
    lowered = sum(s[2] for s in steps if s[1] == "lower")
    needs = {} if any(s[1] == "drop" for s in steps) else {s: n - lowered for s, n in needs.items() if n > lowered}
    return lines + [s[2] for s in steps if s[1] == "also"], needs


def qualifies(cls, p, steps):
    lines, needs = asked(cls, steps)
    if p.only and p.only not in cls.needs and p.only not in cls.musts:
        return False
    return any(x in lines for x in [p.home] + p.helps) and p.has(cls.musts) and p.has(needs)


def fits(cls, p, entered, now):
    """The rule: what is asked of a ticket that entered then, now?"""
    age = cls.calendar.between(entered, now)
    return qualifies(cls, p, [s for s in cls.steps if s[0] <= age])


def helped(cls, p):
    """Is his home line not among its lines when he first qualifies?"""
    for n in range(len(cls.steps) + 1):
        if qualifies(cls, p, cls.steps[:n]):
            return p.home not in asked(cls, cls.steps[:n])[0]
    return False


def terms(cls, p, now):
    """(cut-off, handicap) in microseconds, as the daemon sends them; None: he never fits."""
    for n in range(len(cls.steps) + 1):
        if qualifies(cls, p, cls.steps[:n]):
            late = HELP_DELAY * 1000 if p.home not in asked(cls, cls.steps[:n])[0] else 0
            if n == 0:
                return FOREVER, late
            return (cls.calendar.back(now, cls.steps[n - 1][0]) - cls.head) * 1000, late
    return None


def random_class(rng):
    some = [s for s in SKILLS if rng.random() < 0.4]
    steps = []
    for _ in range(rng.choice([0, 0, 1, 2, 3])):
        after = rng.choice([10, 30, 60, 120]) * MINUTE
        steps.append(rng.choice([(after, "also", rng.choice(LINES)), (after, "lower", rng.choice([1, 2])), (after, "drop")]))
    return Class([rng.choice(LINES)] + ([rng.choice(LINES)] if rng.random() < 0.2 else []),
                 {s: rng.randrange(1, 6) for s in some}, {rng.choice(SKILLS): 1} if rng.random() < 0.15 else {}, steps,
                 rng.choice([0, 0, 30 * MINUTE, 4 * HOUR, -60 * MINUTE]), rng.choice([Always, Always, Office]),
                 rng.choice(["email", "phone"]))


def random_profile(rng):
    skills = {s: rng.randrange(1, 7) for s in SKILLS if rng.random() < 0.6}
    return Profile(rng.choice(LINES), [x for x in LINES if rng.random() < 0.3], skills,
                   rng.choice(list(skills)) if skills and rng.random() < 0.1 else "")


def groups(classes, p, now):
    """The end of a pull's arguments: classes on the same terms stand together."""
    by_terms = {}
    for c in classes:
        t = terms(c, p, now)
        if t is not None:
            by_terms.setdefault(t, []).append(c.id)
    args = [len(by_terms)]
    for (cutoff, handicap), ids in by_terms.items():
        args += [cutoff, handicap, len(ids)] + ids
    return args
