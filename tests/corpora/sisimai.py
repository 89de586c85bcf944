"""sisimai: bounces of 60 mail systems. Its table says of each recipient the status, the reason
and whether it is hard; it does not name the recipient: ours must stand in the mail's body."""
import re

from sheet import load, mails, path  # noqa: F401

NAME = "sisimai"


def expected():
    found = {}
    with open(path(NAME, "expected.dev.tsv"), encoding="utf-8") as f:
        for line in f:
            if not line.startswith("#"):
                words = line.rstrip("\n").split("\t") + [""] * 7
                found.setdefault(words[0], []).append({"status": words[2], "reason": words[4], "hard": words[5] == "true"})
    return found


def stated_addresses(raw):
    """Those that the delivery-status fields name, lower-case."""
    found = re.findall(rb"^(?:Final|Original|X-Actual)-Recipient:\s*(?:[a-z0-9-]+\s*;)?\s*<?([^\s>;]+@[^\s>;]+)", raw, re.I | re.M)
    return {a.decode("utf-8", "replace").lower() for a in found}


def check_bounce(sheet, case, rows, m, raw):
    report = m.get("report") or {}
    kind = report.get("type", "")
    reasons = {r["reason"] for r in rows}
    if reasons & {"feedback"}:
        sheet.check(NAME, case, "bounce or not", "abuse", kind or "none")
        return
    if reasons & {"vacation"}:
        sheet.check(NAME, case, "bounce or not", "no report", kind or "none", kind in ("", "other"))
        return
    late = reasons & {"expired", "networkerror"} or all(r["status"].startswith("4") for r in rows)
    sheet.check(NAME, case, "bounce or not", "failure", kind or "none", kind == "failure" or (kind == "delay" and bool(late)))
    check_recipients(sheet, case, rows, report, raw)


def check_recipients(sheet, case, rows, report, raw):
    ours = report.get("recipients", [])
    stated, text = stated_addresses(raw), raw.decode("utf-8", "replace").lower()
    body = text.split("\n\n", 1)[-1].replace("=\n", "")
    unknown = [r["address"] for r in ours if r["address"].lower() not in (stated or body) and r["address"].lower() not in body]
    sheet.check(NAME, case, "failed recipient", "%d of %s" % (len(rows), sorted(stated) or "the text"),
                [r["address"] for r in ours], len(ours) == len(rows) and not unknown and all("@" in r["address"] for r in ours))
    wanted = sorted(r["status"][:1] for r in rows if r["status"])
    if wanted:
        got = sorted(r["status"][:1] for r in ours)
        sheet.check(NAME, case, "status class", [r["status"] + " " + r["reason"] for r in rows],
                    [r["status"] + " " + r["reply"] for r in ours], wanted == got)
    # its "hard" is "this address will never work"; a 4yz that is soft must not be called permanent
    for i, r in enumerate(rows):
        mine = ours[i]["permanent"] if i < len(ours) else None
        if r["hard"]:
            sheet.check(NAME, case, "permanent", "hard: " + r["status"] + " " + r["reason"], mine, mine is True)
        elif r["status"].startswith("4"):
            sheet.check(NAME, case, "permanent", "soft: " + r["status"] + " " + r["reason"], mine, mine is False)


def run(sheet, reader):
    table = expected()
    for name in mails(NAME):
        case = name.replace("set-of-emails/", "")
        m = reader.read(path(NAME, name))
        if m is None:
            continue
        with open(path(NAME, name), "rb") as f:
            raw = f.read().replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        rows = table.get(case)
        if rows is None and "/not/" in case:
            kind = (m.get("report") or {}).get("type", "")
            sheet.check(NAME, case, "bounce or not", "none", kind or "none", kind not in ("failure", "delay"))
        elif rows is None:   # the same mails as in bsd/, with other line ends
            rows = table.get(re.sub(r"maildir/(dos|mac)/", "maildir/bsd/", case))
        if rows:
            check_bounce(sheet, case, rows, m, raw)
