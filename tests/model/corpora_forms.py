"""Requests that others collected (python-multipart) through our parser, fed byte by byte.

The unit test form_parse says what it understood as JSON; expected is in a YAML file
beside each request. Only whether there is an error is compared, not where.
"""
import base64
import glob
import hashlib
import json
import os
import re
import subprocess
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("HELPLINE_BUILD", "build/release"))
CORPORA = os.environ.get("HELPLINE_CORPORA") or os.path.join(ROOT, "..", "shared", "corpora")
FOLDER = os.path.join(CORPORA, "webforms", "python-multipart", "http")


def expectation(path):
    """(boundary, None or [part]): the little of YAML that these files use."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    boundary = re.search(r"^boundary: (.*)$", text, re.M).group(1).strip()
    if re.search(r"^\s+error:", text, re.M):
        return boundary, None
    parts = []
    for chunk in re.split(r"^\s+- (?=name:)", text, flags=re.M)[1:]:
        part = {k: v.strip().strip("'\"") for k, v in re.findall(r"^\s*(name|type|file_name|content_type): (.*)$", chunk, re.M)}
        data = re.search(r"data: !!binary \|(.*)", chunk, re.S)
        part["data"] = base64.b64decode("".join(data.group(1).split()))
        parts.append(part)
    return boundary, parts


@unittest.skipUnless(os.path.isdir(FOLDER), "SKIPPED: no corpora in %s" % FOLDER)
class Multipart(unittest.TestCase):
    def one(self, path):
        boundary, want = expectation(path[:-5] + ".yaml")
        if os.path.basename(path) == "single_field_blocks.http":  # written there with its hyphens
            boundary = boundary[2:]
        with open(path, "rb") as f:
            out = subprocess.run([os.path.join(BUILD, "tests", "form_parse"), "multipart/form-data; boundary=" + boundary],
                                 stdin=f, stdout=subprocess.PIPE, check=True, timeout=60).stdout
        got = json.loads(out)
        if want is None:
            self.assertTrue(got["error"])
            return
        self.assertEqual(got["error"], "")
        self.assertEqual(len(got["parts"]), len(want))
        for g, w in zip(got["parts"], want):
            self.assertEqual((g["name"], g["file"]), (w["name"], w["type"] == "file"))
            if g["file"]:
                self.assertEqual(g["filename"], w["file_name"])
                self.assertEqual(g["type"], w.get("content_type", g["type"]))
                self.assertEqual(g["sha256"], hashlib.sha256(w["data"]).hexdigest())
            else:
                self.assertEqual(g["value"].encode(), w["data"])

    def test_all(self):
        paths = sorted(glob.glob(os.path.join(FOLDER, "*.http")))
        self.assertGreater(len(paths), 25)
        for path in paths:
            with self.subTest(os.path.basename(path)):
                self.one(path)


if __name__ == "__main__":
    unittest.main()
