"""All mail that others collected, through LMTP: each stored or quarantined, nothing else happens."""
# run: release asan
# takes: 15
# seconds: 300
import os
import time
import unittest

from desk import ROOT, SANITIZED, SLOW, Desk, mail, some

CORPORA = os.environ.get("HELPLINE_CORPORA", os.path.join(os.path.dirname(ROOT), "shared", "corpora"))
NOT_MAIL = (".json", ".yaml", ".tsv", ".list", ".golden", ".md", ".ini", ".gitattributes")
CONF = 'lines first\nagent anna "Anna"\nacknowledge none\n'


def files():
    for folder, _, names in sorted(os.walk(CORPORA)):
        for name in sorted(names):
            if not name.startswith("UPSTREAM") and not name.endswith(NOT_MAIL):
                yield os.path.join(folder, name)


def peak(pid):
    """Most resident bytes this process ever had."""
    with open("/proc/%d/status" % pid) as f:
        for line in f:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


@unittest.skipUnless(os.path.isdir(CORPORA), "no mail collections in %s (HELPLINE_CORPORA names another folder)" % CORPORA)
class Corpora(unittest.TestCase):
    def test_all(self):
        with Desk(agents=CONF, rules="") as d:
            d.deliver(mail())
            paths = list(files())
            self.assertGreater(len(paths), 900)
            if SANITIZED:
                paths = some(paths, 200)
            marks, peaks, slowest = [], {}, (0.0, "")
            c = d.lmtp_client()
            c.line("LHLO corpora.example")
            for i, path in enumerate(paths):
                with open(path, "rb") as f:
                    raw = f.read()
                began = time.monotonic()
                got = c.send(raw, ["support@desk.example"], "corpora@x.example")
                slowest = max(slowest, (time.monotonic() - began, path))
                self.assertEqual(250, got[0][0], "%s: %s" % (path, got))
                if i % 20 == 0:
                    marks.append(d.rss())
                    for pid in d.children("helpline-mime"):
                        peaks[pid] = peak(pid)
            c.close()
            n_in = len(paths) + 1
            self.check_counts(d, n_in)
            print("%d mails, the slowest %.2f s (%s); helper at most %d MB; daemon %d MB" % (
                n_in, slowest[0], os.path.relpath(slowest[1], CORPORA), max(peaks.values()) >> 20, marks[-1] >> 20))
            self.assertLess(slowest[0], 10.0 * SLOW, slowest[1])
            if not SANITIZED:
                self.assertLess(max(peaks.values()), 64 << 20)
                self.assertLess(marks[-1] - marks[len(marks) // 3], 8 << 20, "the daemon's memory grows")
            d.fsck()

    def check_counts(self, d, n_in):
        s = d.stats()["in"]
        self.assertEqual(n_in, s["messages"] + s["duplicates"], s)
        stored = 0
        for state in ("queued", "held", "waiting", "resolved", "closed"):
            stored += sum(t["n_messages"] for t in d.list("STATE", state))
        self.assertEqual(s["messages"], stored)
        log = d.log()
        self.assertEqual(n_in, log.count(" STORED ") + log.count(" DUPLICATE "))


if __name__ == "__main__":
    unittest.main()
