"""No function over 80 lines, no source file over 900. Prints the median on the way.

A function is what clang-format leaves: its name at the start of a line, `{` alone
at the start of the next, `}` alone at the start of the last.
"""
import glob
import os
import statistics
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MAX_FUNCTION = 80
MAX_FILE = 900


def functions(lines):
    """(name, first line, length) of each."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            name = lines[start - 2]
            back = start - 2
            while back > 0 and name[:1] in (" ", "\t"):
                back -= 1
                name = lines[back]
            yield name.split("(")[0], start, number - start + 1
            start = None


def main():
    wrong, lengths = 0, []
    for top in ("daemon", "config", "queue", "channels"):
        for path in sorted(glob.glob(os.path.join(ROOT, top, "**", "*.[ch]"), recursive=True)):
            short = os.path.relpath(path, ROOT)
            with open(path, encoding="utf-8") as f:
                lines = f.read().split("\n")
            if len(lines) > MAX_FILE and not short.endswith("_table.h"):
                wrong += 1
                print("%s: %d lines, at most %d" % (short, len(lines), MAX_FILE))
            for name, number, length in functions(lines):
                lengths.append(length)
                if length > MAX_FUNCTION:
                    wrong += 1
                    print("%s:%d: %s has %d lines, at most %d" % (short, number, name, length, MAX_FUNCTION))
    print("%d functions, median %d lines, %d wrong" % (len(lengths), statistics.median(lengths or [0]), wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
