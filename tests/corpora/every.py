"""Every mail of the collections: it must be answered, in bounds, with sensible fields; and what
Python's own email package makes of it is compared (no aim: both err, differently)."""
import email
import email.policy
import email.utils
import os
import re

from sheet import CORPORA, folded, mails, path

LIMIT_S = 1.0
FOLDERS = ("cpython", "enmime", "mailcore2", "mikel-mail", "mimekit", "rspamd", "sisimai", "spamscope-mail-parser", "stalwart-mail-parser",
           "webklex-php-imap")


def sensible(m):
    """What holds of every message."""
    texts = [m["subject"], m["from"]["name"], m["from"]["address"]] + [a["name"] for a in m["attachments"]]
    if any("\n" in t or "\r" in t or "\0" in t for t in texts):
        return "a line break in a field"
    if any("/" in a["name"] or "\\" in a["name"] or a["name"] in (".", "..") for a in m["attachments"]):
        return "a path in a file name"
    if "\r" in m["text"] or "\0" in m["text"]:
        return "CR or NUL in the text"
    if m["from"]["address"] and not re.fullmatch(r"[^\s<>]+@[^\s<>]+", m["from"]["address"]):
        return "sender %r" % m["from"]["address"]
    return ""


def run(sheet, reader):
    for folder in sorted(os.listdir(CORPORA)):
        for name in mails(folder):
            m = reader.read(path(folder, name))
            bad = "no answer" if m is None else sensible(m)
            sheet.check(folder, name, "answers", "", bad)
            if m is not None and folder in FOLDERS:
                as_python(sheet, folder, name, m)


def as_python(sheet, folder, name, m):
    with open(path(folder, name), "rb") as f:
        raw = f.read()
    if not re.search(rb"^[A-Za-z-]+:", raw) or b"\n" not in raw:
        return
    try:
        theirs = email.message_from_bytes(raw, policy=email.policy.default)
        subject = folded(str(theirs["subject"] or ""))
        sender = (theirs["from"].addresses[0].addr_spec if theirs["from"] and theirs["from"].addresses else "").lower()
        to = [a.addr_spec.lower() for h in theirs.get_all("to", []) for a in h.addresses]
    except Exception:  # it fails on broken mail in many ways
        return
    if "\ufffd" not in subject and "\udc80" not in subject and not re.search("[\udc00-\udfff]", subject):
        sheet.check(folder, name, "subject as Python", subject, folded(m["subject"]))
    if "@" in sender:
        sheet.check(folder, name, "sender as Python", sender, m["from"]["address"].lower())
    if to and all("@" in t for t in to):
        sheet.check(folder, name, "to as Python", to, [a["address"].lower() for a in m["to"]])
