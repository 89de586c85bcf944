"""Replies with quotes and signatures: email_reply_trimmer (the same name in trimmed/), and the
three parsers of GitHub's kind, whose tests say what is visible: replies.txt has it in our words."""
import os

from sheet import HERE, has_mail_header, lines, mails, path

HEADER = ("From: Anna <anna@writer.example>\r\nTo: support@desk.example\r\nSubject: Re: question\r\n"
          "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n").encode()


def text_in(name):
    with open(name, "rb") as f:
        return f.read()


def answer(reader, name, case):
    raw = text_in(name)
    m = reader.read_bytes(raw if has_mail_header(raw) else HEADER + raw, case)
    return (m["text"], m.get("new_text") or m["text"]) if m else ("", "")


def trimmer(sheet, reader):
    corpus = "email_reply_trimmer"
    for name in mails(corpus):
        folder, _, base = name.partition("/")
        if folder == "emails" and os.path.exists(path(corpus, "trimmed", base)):
            wanted = text_in(path(corpus, "trimmed", base)).decode("utf-8", "replace")
            text, new = answer(reader, path(corpus, name), base)
            sheet.check(corpus, base, "reply not empty", "something", new, not lines(text) or lines(new) != "")
            sheet.check(corpus, base, "reply", lines(wanted), lines(new), lines(wanted) == lines(new) or
                        (lines(wanted) == "" and lines(new) == lines(text)))


def stated():
    """replies.txt: `corpus file` and below it, indented, `is TEXT`, `begins`, `ends`, `has`, `lacks` and a quoted text."""
    found, now = [], None
    with open(os.path.join(HERE, "replies.txt"), encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.rstrip("\n")
            if not line.strip() or line.startswith("#"):
                continue
            if not line.startswith(" "):
                now = (line, [])
                found.append(now)
                continue
            word, _, text = line.strip().partition(" ")
            if word not in ("is", "begins", "ends", "has", "lacks", "whole", "until", "from"):
                raise SystemExit("replies.txt:%d: %s?" % (number, word))
            now[1].append((word, text.encode().decode("unicode_escape").encode("latin-1").decode() if text.isascii() else text))
    return found


def holds(word, text, new, whole):
    if word == "is":
        return lines(new) == lines(text)
    if word == "whole":
        return lines(new) == lines(whole)
    if word == "until":  # all of it up to these words
        return lines(new) == lines(whole[:whole.find(text) + len(text)]) if text in whole else False
    if word == "from":   # all of it from these words
        return lines(new) == lines(whole[whole.find(text):]) if text in whole else False
    if word == "begins":
        return lines(new).startswith(text)
    if word == "ends":
        return lines(new).endswith(text)
    return (text in new) == (word == "has")


def fragments(sheet, reader):
    for where, checks in stated():
        corpus, _, name = where.partition(" ")
        whole, new = answer(reader, path(corpus, name), where)
        sheet.check(corpus, name, "reply not empty", "something", new, not lines(whole) or lines(new) != "")
        sheet.check(corpus, name, "reply", [" ".join(c) for c in checks], lines(new), all(holds(w, t, new, whole) for w, t in checks))


def run(sheet, reader):
    trimmer(sheet, reader)
    fragments(sheet, reader)
