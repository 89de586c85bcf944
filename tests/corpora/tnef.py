"""mimekit's TNEF: *.list names what is inside, a folder of the same name has the files' bytes.

The bare .tnef files are wrapped as the winmail.dat that Exchange sends. body.* (the text of the
message itself) need not be a file; names are compared without "Untitled Attachment"."""
import base64
import hashlib
import os

from sheet import path

NAME = "mimekit"


def wrapped(data):
    return (b"From: anna@writer.example\r\nTo: support@desk.example\r\nSubject: tnef\r\nMIME-Version: 1.0\r\n"
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\n"
            b"Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            + base64.encodebytes(data) + b"--b--\r\n")


def run(sheet, reader):
    folder = path(NAME, "tnef")
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".list") or not os.path.exists(os.path.join(folder, name[:-5] + ".tnef")):
            continue
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            wanted = sorted(w for w in f.read().split("\n") if w and not w.startswith(("body.", "Untitled")))
        with open(os.path.join(folder, name[:-5] + ".tnef"), "rb") as f:
            m = reader.read_bytes(wrapped(f.read()), name)
        ours = {a["name"]: a["sha256"] for a in m["attachments"] if a["name"] != "winmail.dat"}
        got = sorted(n for n in ours if not n.startswith(("body.", "message.", "Untitled")))
        sheet.check(NAME, name, "tnef", wanted, got, all(w in got for w in wanted))
        for w in wanted:
            file = os.path.join(folder, name[:-5], w)
            if os.path.isfile(file):
                with open(file, "rb") as f:
                    sha = hashlib.sha256(f.read()).hexdigest()
                sheet.check(NAME, name + " " + w, "tnef", sha, ours.get(w))
