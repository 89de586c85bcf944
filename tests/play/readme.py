"""README.md and the manuals: every file they name is there, every function stands in its file."""
import glob
import os
import re
import unittest

from desk import ROOT


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


class Readme(unittest.TestCase):
    def test_functions(self):
        """Each row of "Follow one message": its functions, in the folders of the files it names."""
        rows = re.findall(r"^\| \d+ \|(.*)\|$", read("README.md"), re.M)
        self.assertGreater(len(rows), 10)
        for row in rows:
            text = ""
            for f in re.findall(r"`([\w./]+\.c)`", row):
                found = glob.glob(os.path.join(ROOT, "" if "/" in f else "**", f), recursive=True)
                self.assertTrue(found, f)
                for path in glob.glob(os.path.join(os.path.dirname(found[0]), "*.c")):
                    text += read(path)
            for name in re.findall(r"`(\w+)\(\)`", row):
                with self.subTest(function=name):
                    self.assertTrue(re.search(r"(?m)^%s\(" % name, text), "%s() is not where %s says" % (name, row))

    def test_files(self):
        """Each path in backquotes or in a link is there."""
        for doc in ["README.md"] + ["docs/" + os.path.basename(f) for f in glob.glob(os.path.join(ROOT, "docs", "*.md"))]:
            text = read(doc)
            names = re.findall(r"`((?:daemon|channels|queue|config|tests|docs|systemd)/[\w./*-]+)`", text)
            names += [os.path.normpath(os.path.join(os.path.dirname(doc), n))
                      for n in re.findall(r"\]\(([\w./-]+)\)", text)]
            for name in names:
                with self.subTest(doc=doc, name=name):
                    self.assertTrue(glob.glob(os.path.join(ROOT, name)), name)

    def test_verbs_are_in_the_manual(self):
        """Each verb of the tool stands in helpline(1)."""
        table = read("daemon/tool/verb_table.c")
        rows = re.findall(r'^    (?:\{|OWN\()"(\w+)", verb_\w+,(.*?)(?=^    (?:\{|OWN|HEADING))', table, re.M | re.S)
        verbs = {name: re.findall(r'\{"([\w-]+)", (?:\'.\'|0), VALUE_', row) for name, row in rows if "VERB_HIDDEN" not in row}
        manual = read("docs/helpline.1")
        self.assertGreater(len(verbs), 40)
        for v in verbs:
            with self.subTest(verb=v):
                self.assertRegex(manual, r"(?m)^\.It Ic ([\w]+ , )?%s\b" % v)
                text = re.search(r"(?ms)^\.It Ic (\w+ , )?%s\b.*?(?=^\.It Ic|^\.S[hs])" % v, manual).group(0)
                for option in verbs[v]:
                    if option not in ("message", "file"):  # of every text
                        self.assertRegex(text, r"Fl -%s\b" % re.escape(option))


if __name__ == "__main__":
    unittest.main()
