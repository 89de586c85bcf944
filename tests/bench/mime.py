"""How fast helpline-mime understands ordinary mails of about 5 KB, as ratios to GMime's own
parser in the same run: `make bench-mime`, or tests/bench/mime.py [MINIMUM] to fail below it.

In one process, mail by mail by turns (mime_speed.c): the parser of GMime alone, and with every
text decoded; ours with all that is understood, and with its JSON. Through the pipe: a job of
helpline-mime with its file descriptor, frame and JSON, beside it."""
import base64
import os
import quopri
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "model"))
from mime_helper import BUILD, Helper  # noqa: E402

EN = "Good morning, the router R-5 shows error 809 again and nobody in the office can work since the update of Friday.\r\n"
RU = "Добрый день, роутер R-5 опять показывает ошибку 809, после обновления в пятницу никто в офисе не может работать.\r\n"
QUOTE = "\r\nOn Fri, Jun 5, 2026 at 10:12 AM Support <support@desk.example> wrote:\r\n\r\n" + "> Please restart the router and tell us what you see.\r\n" * 20
HEAD = "".join("Received: from mx%d.customer.example (mx%d.customer.example [192.0.2.%d]) by mx.desk.example\r\n"
               "\twith ESMTPS id 4F2A%d for <support@desk.example>; Fri, 5 Jun 2026 10:12:%02d +0300\r\n" % (i, i, i, i, i) for i in range(3)) + (
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=customer.example; s=s1; h=from:to:subject:date;\r\n\tbh=%s;\r\n\tb=%s\r\n"
    "From: =?utf-8?B?%s?= <ivan@customer.example>\r\nTo: Support <support@desk.example>\r\nSubject: Re: =?utf-8?B?%s?= [#1042]\r\n"
    "Message-ID: <CAF+x1@mail.customer.example>\r\nIn-Reply-To: <1.2.3@desk.example>\r\nReferences: <1.2.1@desk.example> <1.2.3@desk.example>\r\n"
    "Date: Fri, 5 Jun 2026 10:12:00 +0300\r\nMIME-Version: 1.0\r\n" % (
        "a" * 43, "b" * 172, base64.b64encode("Иван Петров".encode()).decode(), base64.b64encode("Не работает роутер".encode()).decode()))


def coded(text, how):
    if how == "base64":
        return base64.encodebytes(text.encode()).decode().replace("\n", "\r\n")
    if how == "quoted-printable":
        return quopri.encodestring(text.replace("\r\n", "\n").encode()).decode().replace("\n", "\r\n")
    return text


def text_part(text, how, kind="plain"):
    return "Content-Type: text/%s; charset=utf-8\r\nContent-Transfer-Encoding: %s\r\n\r\n%s\r\n" % (kind, how, coded(text, how))


def several(kind, parts):
    return "Content-Type: multipart/%s; boundary=\"=_q1\"\r\n\r\n%s--=_q1--\r\n" % (kind, "".join("--=_q1\r\n" + p for p in parts))


def html(text):
    return "<html><body><div dir=\"ltr\">%s</div></body></html>" % "".join("<div>%s</div>\r\n" % line for line in text.split("\r\n"))


def mails():
    """Six ordinary ones of 4 to 6 KB."""
    picture = "Content-Type: image/png; name=a.png\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=a.png\r\n\r\n" \
        + base64.encodebytes(bytes(range(256)) * 6).decode().replace("\n", "\r\n")
    yield HEAD + text_part(EN * 18 + QUOTE, "7bit")
    yield HEAD + text_part(RU * 9 + QUOTE, "8bit")
    yield HEAD + text_part(RU * 10 + QUOTE, "base64")
    yield HEAD + text_part(RU * 4 + QUOTE, "quoted-printable")
    yield HEAD + several("alternative", [text_part(EN * 9 + QUOTE, "7bit"), text_part(html(EN * 9), "quoted-printable", "html")])
    yield HEAD + several("mixed", [text_part(RU * 5, "base64"), picture])


def through_pipe(paths, seconds):
    """Microseconds of a job from outside."""
    helper, n = Helper(), 0
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        for path in paths:
            helper.job("P", path, account="support@desk.example")
        n += len(paths)
    took = (time.monotonic() - began) * 1e6 / n
    helper.close()
    return took


def main(minimum):
    seconds = float(os.environ.get("SECONDS") or 4)
    with tempfile.TemporaryDirectory() as folder:
        paths, size = [], 0
        for i, text in enumerate(mails()):
            paths.append(os.path.join(folder, "%d.eml" % i))
            with open(paths[-1], "wb") as f:
                size += f.write(text.encode())
        out = subprocess.run([os.path.join(BUILD, "tests", "mime_speed"), str(seconds), os.path.join(ROOT, "config", "bounces"), *paths],
                             check=True, capture_output=True, text=True).stdout
        us = {name: float(value) for name, value in (line.split() for line in out.splitlines())}
        us["pipe"] = through_pipe(paths, seconds / 2)
    print("%d mails of %.1f KB; microseconds a mail: GMime's parser %.0f, with texts decoded %.0f; ours %.0f, with JSON %.0f, a whole job "
          "through the pipe %.0f" % (len(paths), size / len(paths) / 1000, us["gmime"], us["bodies"], us["ours"], us["json"], us["pipe"]))
    ratio = us["gmime"] / us["ours"]
    print("speed of ours to GMime's parser: %.2f (aim 0.50); with JSON %.2f; to GMime with texts decoded %.2f; through the pipe %.2f" % (
        ratio, us["gmime"] / us["json"], us["bodies"] / us["ours"], us["gmime"] / us["pipe"]))
    return 0 if ratio >= minimum else 1


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 0.0))
