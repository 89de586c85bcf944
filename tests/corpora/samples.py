"""Our own mails for each trap: samples/NAME.eml and, beside it, NAME.want with what must come out.

A .want has one wish a line (# is a comment; \\n and \\t in texts are what they say):
    subject = TEXT      from = Name <address>    to = a, b    cc = a, b     reply_to = a
    id = ID             references = N first last              replies = a, b (In-Reply-To)
    date = 2026-06-05T10:12:00Z | none
    text = TEXT  has TEXT  lacks TEXT            the whole text (words compared)
    new = TEXT   newhas TEXT  newlacks TEXT      what is new (lines compared; new = * is: all of it)
    files = name type [inline], ...              all attachments ("-": no name); files = none
    sha N = HEX         of the Nth attachment    size N = BYTES
    kind = message      mark = yes | no          by the daemon; envelope = ADDRESS | null before it
    report = failure    recipient = address action status permanent|passing     no report: report = none
    notice = kind       forwarded = address | none   fwdsubject = TEXT   language = ru"""
import glob
import os
import re
import sys

from sheet import HERE, ROOT, addresses, folded, lines

FOLDER = os.path.join(HERE, "samples")
JUDGED = ("kind", "mark", "envelope")


def wishes(name):
    with open(os.path.join(FOLDER, name + ".want"), encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.rstrip("\n")
            if not line.strip() or line.startswith("#"):
                continue
            m = re.match(r"(has|lacks|newhas|newlacks) (.*)$", line) or re.match(r"([a-z_]+(?: \d+)?) = ?(.*)$", line)
            if not m:
                raise SystemExit("%s.want:%d: not a wish: %s" % (name, number, line))
            yield m.group(1), m.group(2).replace("\\n", "\n").replace("\\t", "\t")


def names():
    return sorted(os.path.basename(f)[:-5] for f in glob.glob(os.path.join(FOLDER, "*.want")))


def raw(name):
    with open(os.path.join(FOLDER, name + ".eml"), "rb") as f:
        return f.read()


def boxes(listed):
    return ", ".join(("%s <%s>" % (n, a) if n else a) for n, a in addresses(listed))


def plain(listed):
    return ", ".join(a for _, a in addresses(listed))


def files(m):
    return ", ".join("%s %s%s" % (a["name"] or "-", a["type"], " inline" if a.get("inline") else "") for a in m["attachments"]) or "none"


def recipients(report):
    return ["%s %s %s %s" % (r["address"], r["action"], r["status"], "permanent" if r["permanent"] else "passing")
            for r in (report or {}).get("recipients", [])]


def got(m, key):
    """What our message says of a wish's key."""
    if key in ("subject", "language"):
        return m.get(key) or ""
    if key == "from":
        return boxes([m["from"]])
    if key in ("to", "cc"):
        return plain(m[key])
    if key == "reply_to":
        return plain([m["reply_to"]]) if m.get("reply_to") else ""
    if key == "id":
        return m["message_id"]
    if key == "references":
        return " ".join([str(len(m["references"]))] + m["references"][:1] + m["references"][-1:])
    if key == "replies":
        return ", ".join(m["in_reply_to"])
    if key == "date":
        return re.sub(r"\.000Z$", "Z", m["sent_at"]) if m.get("sent_at") else "none"
    if key == "files":
        return files(m)
    if key == "report":
        return (m.get("report") or {}).get("type", "none")
    if key == "notice":
        return ", ".join(n["kind"] for n in m.get("notices") or [])
    if key == "forwarded":
        return (m.get("forwarded") or {}).get("address", "none")
    return (m.get("forwarded") or {}).get("subject", "none") if key == "fwdsubject" else ""


def fulfilled(m, key, value):
    """(right, what we got)"""
    new = m.get("new_text") or m["text"]
    if key in ("text", "has", "lacks"):
        have = folded(m["text"])
        return {"text": have == folded(value), "has": folded(value) in have, "lacks": folded(value) not in have}[key], m["text"]
    if key in ("new", "newhas", "newlacks"):
        if key == "new":
            return lines(new) == lines(m["text"] if value == "*" else value), new
        return (folded(value) in folded(new)) == (key == "newhas"), new
    if key.startswith(("sha ", "size ")):
        what, number = key.split()
        have = str(m["attachments"][int(number) - 1]["sha256" if what == "sha" else "size"]) if len(m["attachments"]) >= int(number) else "none"
        return have == value, have
    if key == "recipient":
        return value in recipients(m.get("report")), recipients(m.get("report"))
    have = got(m, key)
    if key == "notice":
        return value in have.split(", "), have
    return have == value, have


def parsed(sheet, reader):
    for name in names():
        m = reader.read_bytes(raw(name), name)
        if m is None:
            sheet.check("samples", name, "sample", "an answer", "none")
            continue
        for key, value in wishes(name):
            if key not in JUDGED:
                right, have = fulfilled(m, key, value)
                sheet.check("samples", name, "sample", "%s = %s" % (key, value), have, right)


def judged(sheet):
    """Those with a kind or a mark go through the daemon, with today's date."""
    sys.path.insert(0, os.path.join(ROOT, "tests", "play"))
    from desk import Desk
    from judged import AGENTS, ASKED, messages, today
    asked = [(n, dict(wishes(n))) for n in names()]
    asked = [(n, w) for n, w in asked if "kind" in w or "mark" in w]
    with Desk(agents=AGENTS, rules="") as desk:
        c = desk.lmtp_client()
        c.line("LHLO samples.example")
        for i, (name, w) in enumerate(asked):
            sender = "m%d@remote.example" % i if "envelope" not in w else w["envelope"].replace("null", "")
            code, text = c.send(today(raw(name)), [ASKED], sender)[0]
            sheet.check("samples", name, "sample", "stored", "%d %s" % (code, text), code == 250)
        c.close()
        told = re.findall(r" (?:STORED|DUPLICATE) (?:ticket=(\S+) message=(\S+))?", desk.log())
        known = messages(desk)
    for (name, w), (_, message) in zip(asked, told):
        m = known.get(message, {"kind": "lost"})
        if "kind" in w:
            sheet.check("samples", name, "sample", "kind = " + w["kind"], m["kind"] + " " + (m.get("machine") or ""), m["kind"] == w["kind"])
        if "mark" in w:
            sheet.check("samples", name, "sample", "mark = " + w["mark"], m.get("machine") or "no", bool(m.get("machine")) == (w["mark"] == "yes"))


def run(sheet, reader):
    parsed(sheet, reader)
    judged(sheet)
