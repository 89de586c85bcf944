"""Who wrote it: mail of people and of machines (people.txt, machines.txt) through the real daemon.

Every mail comes by LMTP with today's date and an envelope sender of its own, never the null
one: only what stands in the mail may tell a machine. A machine must not be acknowledged, and a
person's mail must not count as a machine's (a mark on it only keeps us silent)."""
import email.utils
import fnmatch
import os
import re
import sys

from sheet import ROOT, has_mail_header, mails, path

HERE = os.path.dirname(os.path.abspath(__file__))
AGENTS = 'lines first\nagent anna "Anna"\n'
ASKED = "support@desk.example"


def listed(name):
    """(folder, file) of all that the globs of a list choose; a line with ! takes away, the last that fits decides."""
    with open(os.path.join(HERE, name), encoding="utf-8") as f:
        rules = [line.strip() for line in f if line.strip() and not line.startswith("#")]
    for folder in sorted({r.lstrip("!").split("/", 1)[0] for r in rules}):
        for file in mails(folder):
            fits = [r for r in rules if fnmatch.fnmatchcase(folder + "/" + file, r.lstrip("!").replace("[", "[[]"))]
            if fits and not fits[-1].startswith("!"):
                yield folder, file


def today(raw):
    """The mail with today's Date, so that nothing is held back because it is old."""
    date = b"Date: " + email.utils.formatdate().encode()
    head, blank, rest = re.sub(rb"\r\n?", b"\n", raw).partition(b"\n\n")
    return re.sub(rb"(?im)^Date:.*(\n[ \t].*)*", date, head, count=1) + blank + rest


def as_mail(folder, file, number):
    with open(path(folder, file), "rb") as f:
        raw = f.read()
    if not has_mail_header(raw):  # the body of a reply alone
        raw = (b"From: Person %d <person%d@people.example>\nTo: %s\nSubject: Re: question %d\nMIME-Version: 1.0\n"
               b"Message-ID: <p%d@people.example>\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n"
               b"Date: today\n\n" % (number, number, ASKED.encode(), number, number)) + raw
    return today(raw)


def deliver(desk, files):
    """{number: (ticket, message)} of what was stored; a copy of an earlier one has none."""
    c = desk.lmtp_client()
    c.line("LHLO corpora.example")
    refused = []
    for number, (folder, file) in files:
        code, text = c.send(as_mail(folder, file, number), [ASKED], "m%d@remote.example" % number)[0]
        if code != 250:
            refused.append("%s/%s: %d %s" % (folder, file, code, text))
    c.close()
    told = re.findall(r" (STORED|DUPLICATE) (?:ticket=(\S+) message=(\S+))?", desk.log())
    return dict(zip([n for n, _ in files], [(t, m) for what, t, m in told])), refused


def messages(desk):
    """{id: message} of all tickets."""
    found = {}
    anna = desk.admin()
    for state in ("queued", "held", "waiting", "resolved", "closed"):
        for ticket in desk.list("STATE", state):
            for m in desk.show(anna, ticket["id"])["messages"]:
                found[m["id"]] = m
    return found


def settled(desk):
    """Waits until what was to be sent has been sent; gives the numbers that got an answer."""
    from desk import wait_for
    last = [-1]

    def quiet():
        waiting = desk.stats()["outbox"]
        before, last[0] = last[0], len(desk.sink.mails)
        return before == last[0] and not any(waiting.get(k, 0) for k in ("queued", "sending", "deferred", "waiting"))
    wait_for(quiet, 60, "the acknowledgements", step=0.5)
    got = set()
    for m in desk.sink.mails:
        for address in m.envelope_to:
            found = re.match(r"m(\d+)@remote\.example", address)
            if found:
                got.add(int(found.group(1)))
    return got


def run(sheet, reader):
    sys.path.insert(0, os.path.join(ROOT, "tests", "play"))
    from desk import Desk
    files = [("machine", f) for f in listed("machines.txt")] + [("person", f) for f in listed("people.txt")]
    numbered = [(i, f) for i, (_, f) in enumerate(files)]
    with Desk(agents=AGENTS, rules="") as desk:
        stored, refused = deliver(desk, numbered)
        known = messages(desk)
        answered = settled(desk)
        for line in refused:
            sheet.check("judged", line, "answers", "stored", "refused")
        for i, (what, (folder, file)) in enumerate(files):
            m = known.get(stored.get(i, ("", ""))[1])
            if m is None:
                continue
            mark = "%s %s" % (m["kind"], m.get("machine", ""))
            if what == "machine":
                sheet.check(folder, file, "no acknowledgement", "none", mark if i not in answered else "acknowledged, " + mark,
                            bool(m.get("machine")) and i not in answered)
            else:
                sheet.check(folder, file, "person", "message", mark, m["kind"] in ("message", "thanks"))
                sheet.check(folder, file, "person answered", "no mark", mark, not m.get("machine"))
    desk.checked = True
