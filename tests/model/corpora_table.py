"""What is understood of the mail that others collected reaches its aims (tests/corpora/run.py, which
`make corpora` prints), and our own samples come out as their .want files say.

Skipped, aloud, where the collections are not; the samples are always there."""
# run: release
# takes: 25
# seconds: 400
import os
import subprocess
import sys
import unittest

from mime_helper import CORPORA, ROOT

RUN = os.path.join(ROOT, "tests", "corpora", "run.py")


def table(*modules):
    p = subprocess.run([sys.executable, RUN, *modules], cwd=ROOT, capture_output=True, text=True, timeout=300)
    print(p.stdout + p.stderr, flush=True)
    return p.returncode, p.stdout


class Table(unittest.TestCase):
    @unittest.skipUnless(os.path.isdir(CORPORA), "SKIPPED: no collected mail at %s (set HELPLINE_CORPORA)" % CORPORA)
    def test_aims_are_reached(self):
        code, out = table()
        self.assertEqual(0, code, [line for line in out.splitlines() if "MISSED" in line])

    def test_our_samples(self):
        code, out = table("samples")
        self.assertEqual(0, code, out)


if __name__ == "__main__":
    unittest.main(verbosity=1)
