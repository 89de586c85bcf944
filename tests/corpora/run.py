"""What helpline understands of the mail that others collected: one table.

    tests/corpora/run.py [MODULE ...]    sisimai stalwart replies stated tnef ... (default all)

Asks helpline-mime directly. Each corpus with its cases, right and wrong; the wrong ones are in
build/corpora/wrong/CORPUS.txt, and a case that is the oracle's own fault stands with its reason
in oracle_faults.txt and counts as excused. Exit code 1: an aim was missed or a mail was lost.
The mail lies in $HELPLINE_CORPORA or ../shared/corpora beside the checkout."""
import importlib
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from sheet import CORPORA, ROOT, Reader, Sheet  # noqa: E402

MODULES = ("sisimai", "stalwart", "replies", "stated", "tnef", "every", "judged")


def collect(names, sheet):
    reader = Reader()
    for name in names:
        importlib.import_module(name).run(sheet, reader)
    reader.close()
    return reader


def main(names):
    if not os.path.isdir(CORPORA) and names != ["samples"]:
        print("SKIPPED: no collected mail at %s (set HELPLINE_CORPORA)" % CORPORA)
        return 0
    began = time.monotonic()
    sheet = Sheet()
    reader = collect(names or [n for n in MODULES if os.path.exists(os.path.join(os.path.dirname(os.path.abspath(__file__)), n + ".py"))],
                     sheet)
    wrong = os.path.join(ROOT, "build", "corpora", "wrong")
    sheet.write_wrong(wrong, clear=not names)
    missed = sheet.table() + ["lost: " + c for c in reader.crashes]
    print("%.1f s; slowest mail %.0f ms (%s); helper's peak %.1f MB; the wrong ones: %s" % (
        time.monotonic() - began, reader.slowest[0] * 1000, os.path.basename(reader.slowest[1]), reader.peak_kb / 1024, os.path.relpath(wrong, ROOT)))
    for m in missed:
        print("MISSED  " + m)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
