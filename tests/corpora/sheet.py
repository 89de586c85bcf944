"""What the table is made of: rows of checks, their aims, and the faults of the oracles."""
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "model"))
from mime_helper import CORPORA, NOT_MAIL, SANITIZED, Helper  # noqa: E402,F401

FAULTS = os.path.join(HERE, "oracle_faults.txt")
AIMS = {  # what a check is about: the share of the cases that must be right
    "subject": 98, "sender": 98, "recipients": 98, "attachments": 98, "text": 0, "ids": 98, "date": 98,
    "bounce or not": 99, "failed recipient": 95, "status class": 95, "permanent": 95,
    "reply": 85, "reply not empty": 100, "no acknowledgement": 100, "person": 99, "person answered": 97, "answers": 100, "sample": 100, "tnef": 98,
}


def faults():
    """{(corpus, case, about): reason}; lines of `corpus: case: about: reason`, about * is all."""
    found = {}
    with open(FAULTS, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            words = [w.strip() for w in line.split(": ", 3)]
            if len(words) != 4:
                raise SystemExit("%s:%d: not `corpus: case: about: reason`" % (FAULTS, number))
            found[tuple(words[:3])] = words[3]
    return found


class Sheet:
    """Counts checks by (corpus, about)."""

    def __init__(self, verbose=False):
        self.rows = {}   # (corpus, about): [right, [(case, wanted, got)], excused]
        self.faults = faults()
        self.used = set()
        self.verbose = verbose

    def check(self, corpus, case, about, wanted, got, right=None):
        """One case; right: told by the caller, else wanted == got."""
        row = self.rows.setdefault((corpus, about), [0, [], 0])
        if right if right is not None else wanted == got:
            row[0] += 1
            return True
        for key in ((corpus, case, about), (corpus, case, "*")):
            if key in self.faults:
                self.used.add(key)
                row[2] += 1
                return False
        row[1].append((case, wanted, got))
        return False

    def write_wrong(self, folder, clear):
        """clear: forget also those of corpora that were not looked at."""
        os.makedirs(folder, exist_ok=True)
        now = {corpus + ".txt" for corpus, _ in self.rows}
        for name in os.listdir(folder):
            if clear or name in now:
                os.unlink(os.path.join(folder, name))
        for (corpus, about), (_, wrong, _) in sorted(self.rows.items()):
            if wrong:
                with open(os.path.join(folder, corpus + ".txt"), "a", encoding="utf-8", errors="backslashreplace") as f:
                    for case, wanted, got in wrong:
                        f.write("%s: %s\n    wanted %s\n    got    %s\n" % (case, about, shown(wanted), shown(got)))

    def table(self, out=sys.stdout):
        """Prints it; gives the aims that were missed."""
        sums, missed = {}, []
        print("%-26s %-18s %6s %6s %6s %7s %8s" % ("corpus", "about", "cases", "right", "wrong", "excused", "percent"), file=out)
        for (corpus, about), (right, wrong, excused) in sorted(self.rows.items()):
            s = sums.setdefault(about, [0, 0, 0])
            for i, n in enumerate((right, len(wrong), excused)):
                s[i] += n
            print(line(corpus, about, right, len(wrong), excused), file=out)
        print("%-26s %-18s %6s %6s %6s %7s %8s  aim" % ("", "", "", "", "", "", ""), file=out)
        for about, (right, wrong, excused) in sorted(sums.items()):
            percent = 100.0 * right / max(1, right + wrong)
            ok = percent >= AIMS.get(about, 0)
            print(line("all", about, right, wrong, excused) + "  %3d %s" % (AIMS.get(about, 0), "ok" if ok else "MISSED"), file=out)
            if not ok:
                missed.append("%s: %.1f %%, aim %d %%" % (about, percent, AIMS.get(about, 0)))
        for key in sorted(set(self.faults) - self.used):
            if any(corpus == key[0] for corpus, _ in self.rows):
                print("not needed any more in oracle_faults.txt: %s" % ": ".join(key), file=out)
        return missed


def line(corpus, about, right, wrong, excused):
    return "%-26s %-18s %6d %6d %6d %7d %7.1f%%" % (corpus, about, right + wrong + excused, right, wrong, excused,
                                                    100.0 * right / max(1, right + wrong))


def shown(value):
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text.replace("\n", "\\n")[:2000]


class Reader:
    """Mails through one helper; a helper that dies is told and replaced."""

    def __init__(self):
        self.helper = Helper()
        self.known = {}
        self.crashes = []
        self.slowest = (0.0, "")
        self.peak_kb = 0

    def read(self, path):
        if path not in self.known:
            self.known[path] = self._ask(path, lambda: self.helper.job("P", path, account="support@desk.example"))
        return self.known[path]

    def read_bytes(self, data, name):
        return self._ask(name, lambda: self.helper.job_bytes("P", data, account="support@desk.example"))

    def _ask(self, name, ask):
        try:
            kind, body, seconds = ask()
        except (EOFError, OSError) as e:
            self.crashes.append("%s: %s" % (name, e))
            self.helper.process.kill()
            self.helper.process.wait()
            self.helper.socket.close()
            self.helper = Helper()
            return None
        self.slowest = max(self.slowest, (seconds, str(name)))
        if kind not in "MH":
            self.crashes.append("%s: answered %s %r" % (name, kind, body[:200]))
            return None
        return json.loads(body)

    def close(self):
        self.peak_kb = max(self.peak_kb, self.helper.peak_kb())
        self.helper.close()


def path(*words):
    return os.path.join(CORPORA, *words)


def load(*words):
    with open(path(*words), encoding="utf-8") as f:
        return json.load(f)


def mails(folder):
    """All mail files below a folder of the collections, as paths relative to it."""
    base = path(folder)
    for where, _, names in sorted(os.walk(base)):
        for name in sorted(names):
            if not name.endswith(NOT_MAIL) and not name.startswith(("UPSTREAM", "COPYING", ".git")):
                yield os.path.relpath(os.path.join(where, name), base)


def has_mail_header(raw):
    """Does it begin as a mail, not as the body of one?"""
    head = re.sub(rb"\r\n?", b"\n", raw).split(b"\n\n", 1)[0]
    names = {n.lower() for n in re.findall(rb"^([A-Za-z][A-Za-z0-9-]*)[ \t]*:", head, re.M)}
    return len(names & {b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"received", b"return-path", b"content-type"}) >= 2 \
        and re.match(rb"(\xef\xbb\xbf)?\s*(From |[A-Za-z][A-Za-z0-9-]*[ \t]*:)", raw) is not None


def addresses(boxes):
    return [[b.get("name") or "", (b.get("address") or "")] for b in boxes]


def folded(s):
    """Of a text what is compared: its words."""
    return re.sub(r"\s+", " ", (s or "").replace("\u00a0", " ").replace("\ufeff", "")).strip()


def lines(s):
    """Of a reply what is compared: its lines, without blanks at the ends, one empty line for several."""
    s = re.sub(r"[ \t\u00a0]+$", "", (s or "").replace("\r\n", "\n").replace("\r", "\n"), flags=re.M)
    return re.sub(r"\n{3,}", "\n\n", s).strip()
