"""The program `helpline` in an agent's day: the real binary on a terminal of 80 columns and in pipes."""
# takes: 12
# run: release asan
import base64
import csv
import email.message
import fcntl
import io
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import time
import unicodedata
import unittest

from desk import AGENTS, PATIENCE, SLOW, Desk, mail, wait_for
from proxy import Proxy

SGR = re.compile(r"\x1b\[[0-9;]*m")
EVIL = "VPN \x1b[31mred\x07 \u202etxt \u009b1m 请帮忙 我的打印机坏了 и очень длинная тема, которая никуда не помещается"


def encoded(subject, text, sender="Иван Петров", address="ivan@customer.example"):
    def word(s):
        return "=?utf-8?B?%s?=" % base64.b64encode(s.encode()).decode()
    return ("From: %s <%s>\nTo: support@desk.example\nSubject: %s\nMessage-ID: <%s@customer.example>\n"
            "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n%s"
            % (word(sender), address, word(subject), os.urandom(8).hex(), text)).encode()


def width(s):
    """Columns on a terminal."""
    return sum(0 if unicodedata.combining(c) or unicodedata.category(c) in ("Mn", "Me", "Cf")
               else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in s)


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, args, env, columns=80, rows=24):
        self.text = b""
        self.code = None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(args[0], args, env)
        self.resize(columns, rows)

    def resize(self, columns, rows):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, timeout):
        if not select.select([self.fd], [], [], timeout)[0]:
            return True
        try:
            got = os.read(self.fd, 65536)
        except OSError:
            got = b""
        self.text += got
        return bool(got)

    def until(self, pattern, after=0):
        """Reads on until the pattern is there; the match."""
        deadline = time.monotonic() + PATIENCE * SLOW
        while True:
            m = re.compile(pattern, re.S).search(self.text.decode("utf-8", "replace"), after)
            if m:
                return m
            if time.monotonic() > deadline or not self.read(0.5):
                raise AssertionError("no %r on the terminal:\n%s" % (pattern, self.text.decode("utf-8", "replace")))

    def type(self, s):
        os.write(self.fd, s.encode())

    def end(self):
        """What it has written, when it is over."""
        deadline = time.monotonic() + PATIENCE * SLOW
        while self.read(0.5):
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                raise AssertionError("it does not end:\n" + self.text.decode("utf-8", "replace"))
        self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)
        return self.text.decode("utf-8").replace("\r\n", "\n")


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.desk = Desk(live=False, agents=AGENTS + 'agent petr "Пётр Зимин" { trainee of anna }\n')
        wait_for(lambda: cls.desk.tool("search", "x", check=False).returncode == 0, what="the index is built")

    @classmethod
    def tearDownClass(cls):
        cls.desk.close()

    def env(self, agent, **more):
        e = {k: v for k, v in self.desk.env.items() if k not in ("LANG", "LC_MESSAGES", "NO_COLOR", "EDITOR", "VISUAL")}
        e.update({"HELPLINE_COMPLETE_MS": "60000", "LC_ALL": "C.UTF-8", "TERM": "xterm-256color", "TZ": "Europe/Moscow", "TMPDIR": self.desk.top, **more})
        if agent:
            e["HELPLINE_TOKEN"] = self.desk.token(agent)
        return e

    def pipe(self, agent, *args, code=0, stdin=b"", **env):
        p = self.desk.tool(*args, stdin=stdin, check=False, env=self.env(agent, **env))
        self.assertEqual(code, p.returncode, "helpline %s\n%s%s" % (" ".join(args), p.stdout, p.stderr))
        return p.stdout if code == 0 else p.stderr

    def start(self, agent, *args, columns=80, rows=24, **env):
        return Terminal([self.desk.program("helpline"), "-c", self.desk.conf, *args], self.env(agent, **env),
                        columns, rows)

    def screen(self, agent, *args, code=0, columns=80, **env):
        """What the terminal shows; every row fits and is harmless."""
        t = self.start(agent, *args, columns=columns, **env)
        text = t.end()
        self.assertEqual(code, t.code, text)
        plain = SGR.sub("", text)
        for line in plain.split("\n"):
            self.assertLessEqual(width(line), columns, line)
        self.assertNotRegex(plain, "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
        return text

    def ticket(self, subject="VPN", **kw):
        """A new ticket: its number."""
        before = {t["id"] for t in self.desk.list()}
        self.desk.deliver(encoded(subject, kw.pop("text", "Не работает.\n"), **kw))
        return wait_for(lambda: [t["id"] for t in self.desk.list() if t["id"] not in before], what="a ticket")[0]

    def held(self, agent, subject="VPN", **kw):
        """A new ticket in that agent's hand."""
        n = self.ticket(subject, **kw)
        self.pipe(agent, "take", n)
        return n

    def show(self, n):
        with self.desk.admin() as a:
            return self.desk.show(a, n)

    def drop(self):
        """Nothing open: a lead may."""
        for t in self.desk.list():
            self.pipe("vera", "spam", t["id"])
        for f in self.left():
            os.unlink(os.path.join(self.desk.top, f))

    def left(self):
        """Texts that the tool has left in files."""
        return [f for f in os.listdir(self.desk.top) if f.startswith("helpline-")]


class Day(Case):
    def tearDown(self):
        self.drop()

    def test_next(self):
        self.assertIn("no ticket for you", self.pipe("lena", "next", code=3))
        self.assertEqual("", self.pipe("lena", "next", "-q", code=3))
        n = self.ticket("VPN is dead")
        out = self.pipe("anna", "next")
        self.assertIn("#%s  VPN is dead" % n, out)
        self.assertIn("Не работает.", out)
        self.assertIn("in your hand: 1", self.pipe("anna", "next", "--line", "second", code=3))
        self.assertEqual(n, json.loads(self.pipe("anna", "show", "--json"))["id"])

    def test_next_waits(self):
        t = self.start("anna", "next", "--wait")
        wait_for(lambda: self.desk.stats()["agents"]["parked"] >= 1, what="somebody waits")
        n = self.ticket("VPN at last")
        self.assertIn("#%s  VPN at last" % n, SGR.sub("", t.end()))
        self.assertEqual(0, t.code)

    def test_which_ticket(self):
        self.assertIn("you hold no ticket", self.pipe("anna", "note", "x", code=2))
        a = self.held("anna", "first one")
        self.assertRegex(self.pipe("anna", "note", "привет", "мир"), r"^%s\.2\n$" % a)
        b = self.held("anna", "second one")
        err = self.pipe("anna", "note", "x", code=2)
        self.assertRegex(err, r"several.*\n +%s  first one\n +%s  second one" % (a, b))
        self.assertEqual(b + ".2\n", self.pipe("anna", "note", "#" + b, "-m", "x"))
        self.assertEqual(["Не работает.", "привет мир"], [m["text"].strip() for m in self.show(a)["messages"]])

    def test_reply(self):
        n = self.held("anna")
        self.assertEqual(n + ".2\n", self.pipe("anna", "reply", "--hold", "-m", "Перезагрузите"))
        self.assertEqual(n + ".3\n", self.pipe("anna", "reply", "--hold", stdin="со стандартного ввода\n".encode()))
        path = os.path.join(self.desk.top, "answer.txt")
        with open(path, "w") as f:
            f.write("из файла\n\n-- >8 -- below\n> quoted\n")
        self.assertIn("stands after -m", self.pipe("anna", "reply", n, "words", code=2))
        self.assertIn("empty", self.pipe("anna", "reply", n, stdin=b" \n", code=1))
        self.assertIn("given twice", self.pipe("anna", "reply", n, "-m", "x", "-F", path, code=2))
        self.assertIn("UTF-8", self.pipe("anna", "reply", n, stdin=b"\xff", code=2))
        self.assertEqual(n + ".4\n", self.pipe("anna", "reply", n, "-F", path, "--resolve"))
        self.assertTrue(os.path.exists(path), "the person's own file stays")
        doc = self.show(n)
        self.assertEqual("resolved", doc["state"])
        self.assertEqual(["Перезагрузите", "со стандартного ввода", "из файла"],
                         [m["text"] for m in doc["messages"][1:]])

    def editor(self, script):
        path = os.path.join(self.desk.top, "editor-%s" % os.urandom(4).hex())
        with open(path, "w") as f:
            f.write("#!/bin/sh\n" + script)
        os.chmod(path, 0o700)
        return path

    def test_editor(self):
        n = self.held("anna", EVIL, text="Зло \x1b]0;title\x07 и добро\n")
        copy = os.path.join(self.desk.top, "copy")
        out = self.screen("anna", "reply", "--hold", VISUAL=self.editor(
            'cp "$1" %s; (echo Здравствуйте; echo; echo "До свидания"; cat "$1") > "$1.new"; mv "$1.new" "$1"\n' % copy))
        self.assertIn("answer %s.2 is written" % n, out)
        self.assertEqual("Здравствуйте\n\nДо свидания", self.show(n)["messages"][1]["text"])
        with open(copy, encoding="utf-8") as f:
            begun = f.read()
        self.assertRegex(begun, r"(?s)^\n-- >8 -- .*\n> #%s  VPN .*\n> Зло .* и добро\n" % n)
        self.assertNotIn("\x1b", begun)
        self.assertIn("nothing is sent", self.screen("anna", "reply", code=1, EDITOR="true"))
        self.assertIn("nothing is sent", self.screen("anna", "reply", code=1, EDITOR="false"))
        self.assertIn("ничего не отправлено", self.screen("anna", "reply", code=1, EDITOR="true", LC_ALL="ru_RU.UTF-8"))
        self.assertEqual([], self.left(), "no file stays behind")

    def test_text_is_kept(self):
        """The customer writes while the editor is open: nothing is sent, nothing is lost."""
        n = self.held("anna", text="Раз.\n", address="keep@customer.example")
        again = os.path.join(self.desk.top, "again.eml")
        with open(again, "wb") as f:
            f.write(encoded("Re: [#%s] VPN" % n, "Два.\n", address="keep@customer.example"))
        out = self.screen("anna", "reply", code=1, columns=200, VISUAL=self.editor(
            'echo Ответ > "$1"; %s -c %s deliver support@desk.example < %s || exit 1\n'
            % (self.desk.program("helpline"), self.desk.conf, again)))
        self.assertIn("STALE %s.2" % n, out)
        path = re.search(r"kept in (\S+)", out).group(1)
        self.assertEqual([os.path.basename(path)], self.left())
        self.assertIn("Два.", self.pipe("anna", "show"))
        self.assertEqual(n + ".3\n", self.pipe("anna", "reply", "-F", path))
        os.unlink(path)
        self.assertIn("kept in", self.pipe("anna", "reply", n, "-m", "x", "--to", "no address", code=1))
        os.unlink(os.path.join(self.desk.top, self.left()[0]))

    def test_waits(self):
        n = self.held("anna")
        self.pipe("anna", "snooze", "2h", "-m", "ждём склад")
        self.assertEqual("waiting", self.show(n)["state"])
        n = self.held("anna")
        self.pipe("anna", "pend", n, "пт", "15:00")
        self.assertEqual("waiting", self.show(n)["state"])
        n = self.held("anna")
        self.pipe("anna", "due", "fri", "15:00", "перезвонить", "о", "цене")
        self.assertIn("usage: helpline due", self.pipe("anna", "due", "fri", "15:00", code=2))
        self.assertIn("no time", self.pipe("anna", "due", "call", "back", code=2))
        self.assertIn("перезвонить о цене", json.dumps(self.show(n), ensure_ascii=False))
        self.pipe("anna", "resolve", n)
        n = self.held("anna")
        self.assertIn("no time", self.pipe("anna", "snooze", "whenever", code=2))
        self.assertIn("не время", self.pipe("anna", "snooze", "whenever", code=2, LC_ALL="ru_RU.UTF-8"))
        trace = self.desk.tool("--trace", "pend", "tomorrow", "9:00", env=self.env("anna")).stderr
        self.assertRegex(trace, r"> PEND %s UNTIL \d{4}-\d\d-\d\dT06:00:00.000Z ID [0-9a-f]{24}\n" % n)
        self.assertNotIn("hl_", trace)
        n = self.held("anna")
        self.pipe("anna", "release", "--delay", "30мин")
        self.assertEqual("", self.show(n)["holder"] or "")

    def test_moves(self):
        n = self.held("anna", "Завис экран")
        self.assertIn("usage: helpline escalate", self.pipe("anna", "escalate", code=2))
        self.assertEqual("OK\n", self.pipe("anna", "escalate", "нужен", "второй", "взгляд"))
        self.assertEqual("second", self.show(n)["line"])
        self.pipe("lena", "take", n)
        self.pipe("lena", "return", n, "-m", "это к вам")
        self.assertEqual("first", self.show(n)["line"])
        self.pipe("vera", "assign", n, "dina")
        self.assertEqual("dina", self.show(n)["holder"])
        self.pipe("dina", "transfer", "--line", "second", "-m", "с заметкой")
        self.assertEqual("second", self.show(n)["line"])
        self.assertIn("NOPERM", self.pipe("dina", "raise", n, "urgent", code=1))
        self.pipe("vera", "raise", n, "urgent")
        self.pipe("vera", "tag", n, "+новая", "-vpn")
        self.pipe("vera", "change", n, "subject", "Другая", "тема")
        doc = self.show(n)
        self.assertEqual(("urgent", "Другая тема"), (doc["priority"], doc["subject"]))
        self.assertIn("новая", doc["tags"])
        self.assertNotIn("vpn", doc["tags"])
        self.pipe("vera", "need", n, "network:2")
        self.pipe("vera", "spam", n)
        self.assertEqual("resolved", self.show(n)["state"])
        self.pipe("vera", "reopen", n, "ошибка")
        self.assertEqual("queued", self.show(n)["state"])
        self.assertRegex(self.pipe("vera", "reroute"), r"^\d+\n$")

    def test_presence(self):
        self.pipe("dina", "away", "обед")
        row = [r for r in csv.DictReader(io.StringIO(self.pipe("vera", "agents", "--csv"))) if r["agent"] == "dina"][0]
        self.assertEqual(("away", "обед"), (row["presence"], row["reason"]))
        self.assertIn("you are away", self.pipe("dina", "next", code=3))
        self.pipe("dina", "ready")
        self.pipe("dina", "absent", "--from", "послезавтра", "--until", "2027-12-01", "--deputy", "anna")
        self.assertIn("absent until: Dec 1 2027", self.screen("vera", "agents", columns=100))
        self.pipe("dina", "absent", "--until", "now")
        self.assertIn("past", self.pipe("dina", "absent", "--until", "2020-01-01", code=2))

    def test_new_and_call(self):
        n = self.pipe("anna", "new", "Сломался", "принтер", "--from", "olga@dacha.example", "--name", "Ольга",
                      "-m", "Стоит и молчит").strip()
        doc = self.show(n)
        self.assertEqual(("Сломался принтер", "Ольга"), (doc["subject"], doc["customer"]["name"]))
        self.assertEqual("Стоит и молчит", doc["messages"][0]["text"])
        self.assertEqual(n, self.pipe("anna", "new", "-t", n, "--from", "olga@dacha.example", "-m", "И ещё").strip())
        m = self.pipe("anna", "call", "+74951234567", "--lasted", "1m30s", "--at", "10m", "просил", "перезвонить").strip()
        call = self.show(m)["messages"][0]
        self.assertEqual(90, call["call"]["duration_s"])
        self.assertIn("просил перезвонить", call["text"])
        self.assertIn("still to come", self.pipe("anna", "call", "+74951234567", "--at", "2030-01-01 10:00", code=2))
        self.assertIn("NOSUCH", self.pipe("anna", "new", "-t", "999999", "-m", "x", code=1))

    def test_asking(self):
        n = self.held("anna")
        q = self.pipe("anna", "consult", "-a", "dina", "чей", "это", "счёт?").strip()
        self.assertRegex(q, r"^%s\.\d+$" % n)
        self.assertIn("чей это счёт?", self.pipe("anna", "show").split("──")[0])
        row = self.pipe("dina", "ls", "--asked").rstrip("\n").split("\t")
        self.assertEqual([q, "anna", "dina", "чей это счёт?"], row[:3] + row[4:])
        self.assertEqual("OK\n", self.pipe("dina", "answer", q, "Ромашки"))
        self.assertEqual("", self.pipe("dina", "ls", "--asked"))
        self.assertIn("Ромашки", self.pipe("anna", "show"))
        q = self.pipe("anna", "consult", n, "--line", "second", stdin="как быть?\n".encode()).strip()
        self.assertIn("как быть?", self.screen("lena", "ls", "--asked", LC_ALL="ru_RU.UTF-8"))
        self.assertIn("usage: helpline answer", self.pipe("lena", "answer", code=2))

    def test_trainee(self):
        n = self.held("petr", "Завис экран")
        m = self.pipe("petr", "reply", "-m", "Выключите и включите").strip()
        row = self.pipe("anna", "ls", "--asked").rstrip("\n").split("\t")
        self.assertEqual((m, "petr"), (row[0], row[1]))
        self.assertIn("waits for approval", self.pipe("petr", "show", n))
        self.assertEqual("OK\n", self.pipe("anna", "approve", m))
        self.assertEqual("waiting", self.show(n)["state"])

    def test_two_tickets(self):
        a, b = self.ticket("Завис экран"), self.held("anna", "Экран завис")
        self.assertEqual(b + "\n", self.pipe("anna", "link", a))
        self.assertIn(a, json.dumps(self.show(b)["links"]))
        self.assertEqual(a + "\n", self.pipe("anna", "merge", "into", a))
        self.assertEqual("merged", self.show(b)["state"])
        self.assertEqual(b + "\n", self.pipe("vera", "unmerge", b))
        self.pipe("vera", "merge", b, a)
        self.pipe("vera", "unmerge", b)
        new = self.pipe("vera", "split", b, b + ".1", code=0 if len(self.show(b)["messages"]) > 1 else 1)
        self.assertIn("STATE" if not new.strip().isdigit() else new.strip(), new)

    def test_draft(self):
        n = self.held("anna")
        self.pipe("anna", "draft", "-m", "Начало ответа")
        self.assertIn("Unfinished answer\nНачало ответа", self.pipe("anna", "show"))
        self.screen("anna", "reply", VISUAL=self.editor('sed -i "s/^Начало.*/&, и его конец/" "$1"\n'))
        self.assertEqual("Начало ответа, и его конец", self.show(n)["messages"][-1]["text"])

    def test_save(self):
        raw = os.urandom(1500000)
        m = email.message.EmailMessage()
        m["From"], m["To"], m["Subject"] = "Zoe <zoe@customer.example>", "support@desk.example", "VPN with a file"
        m.set_content("see below")
        m.add_attachment(raw, maintype="image", subtype="png", filename="../scan 1.png")
        self.desk.deliver(m.as_bytes())
        self.pipe("anna", "next")
        part = re.search(r"attached (\S+): .*scan 1\.png \(image/png, 1\.5 MB\)", self.pipe("anna", "show")).group(1)
        self.assertEqual("scan 1.png\n", self.pipe("anna", "save", part))
        path = os.path.join(self.desk.dir, "scan 1.png")
        with open(path, "rb") as f:
            self.assertEqual(raw, f.read())
        self.assertIn("cannot write", self.pipe("anna", "save", part, code=1))
        os.unlink(path)
        self.assertIn("NOSUCH", self.pipe("anna", "save", "77", "there", code=1))
        self.assertFalse(os.path.exists(os.path.join(self.desk.dir, "there")))

    def test_lost_answer(self):
        """Each answer is lost once: the tool asks again, and nothing is done twice."""
        n = self.held("anna")
        with Proxy(("127.0.0.1", 0), ("127.0.0.1", self.desk.port)) as p:
            for mode in ("cut", "half"):
                before = len(self.show(n)["messages"])
                p.arm(2, mode)  # behind that of AUTH
                out = self.pipe("anna", "--server", "127.0.0.1:%d" % p.address[1], "note", n, "-m", "lost " + mode)
                self.assertIsNotNone(p.lost)
                self.assertEqual("%s.%d\n" % (n, before + 1), out)
                self.assertEqual(before + 1, len(self.show(n)["messages"]))

    def test_search_and_why(self):
        n = self.ticket("VPN для ёжиков", sender="Неповторимый Заказчик")
        self.assertIn(n, wait_for(lambda: self.pipe("anna", "search", "ежик", "заказч"), what="it is found").split("\t"))
        out = self.pipe("anna", "why", n, "dina")
        self.assertRegex(out, r"needs +network:3")
        self.assertRegex(out, r"dina +no: .*network")
        self.assertEqual(["anna"], [a["agent"] for a in json.loads(self.pipe("anna", "why", n, "anna", "--json"))["agents"]])


class Screens(Case):
    """Tables, tickets and help on a terminal, in both languages."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for i in range(3):
            cls.desk.deliver(encoded(EVIL, "Текст \x1b[2J\x07 и ещё \u202eнаоборот\n", sender="Зло\x1b[1m %d" % i,
                                     address="evil%d@customer.example" % i))
        wait_for(lambda: len(cls.desk.list()) == 3, what="three tickets")

    def test_tables(self):
        for lang in ("C.UTF-8", "ru_RU.UTF-8"):
            for columns in (40, 80, 132):
                for args in (["ls"], ["queue", "first"], ["lines"], ["agents"], ["search", "vpn"], ["why", "1"],
                             ["show", "1", "--log", "--full"], ["board", "--once"]):
                    with self.subTest(lang=lang, columns=columns, args=args):
                        if columns == 40 and args[0] not in ("ls", "queue", "show"):
                            continue
                        self.assertNotEqual("", self.screen("vera", *args, columns=columns, LC_ALL=lang))
        out = self.screen("vera", "ls", LC_ALL="ru_RU.UTF-8")
        self.assertRegex(SGR.sub("", out), r"№ +состояние +линия .*тема\n")
        self.assertIn("…", out)

    def test_colours(self):
        self.assertIn("\x1b[", self.screen("vera", "ls"))
        for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            self.assertNotIn("\x1b", self.screen("vera", "ls", **env))
        self.assertNotIn("\x1b", self.pipe("vera", "ls"))

    def test_pipes(self):
        rows = [r.split("\t") for r in self.pipe("vera", "ls").splitlines()]
        self.assertEqual(["1", "2", "3"], [r[0] for r in rows])
        self.assertEqual({8}, {len(r) for r in rows})
        self.assertRegex(rows[0][5], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        rows = list(csv.DictReader(io.StringIO(self.pipe("vera", "ls", "--csv"), newline="")))
        self.assertEqual(["queued"] * 3, [r["state"] for r in rows])
        docs = [json.loads(s) for s in self.pipe("vera", "--json", "ls", "-n", "2").splitlines()]
        self.assertEqual(["1", "2"], [d["id"] for d in docs])
        self.assertEqual("", self.pipe("vera", "ls", "--state", "closed"))
        self.assertEqual("no such tickets\n", self.screen("vera", "ls", "--state", "closed"))
        self.assertNotIn("state", self.screen("vera", "ls", "-q"))

    def test_json_is_harmless(self):
        out = self.screen("vera", "show", "1", "--json", columns=4000)
        self.assertEqual("1", json.loads(out)["id"])

    def test_help(self):
        for lang in ("C.UTF-8", "ru_RU.UTF-8"):
            out = SGR.sub("", self.screen("", "help", LC_ALL=lang))
            verbs = re.findall(r"(?m)^  ([a-z]+) +\S", out)
            self.assertGreater(len(verbs), 45)
            for v in verbs:
                text = self.screen("", v, "--help", LC_ALL=lang) if v != "cmd" else self.screen("", "help", v, LC_ALL=lang)
                self.assertIn("helpline " + v, text)
        self.assertIn("unknown verb", self.pipe("", "help", "frob", code=2))

    def test_usage(self):
        for args in (["take"], ["take", "x"], ["tag"], ["queue"], ["assign"], ["merge"], ["ls", "x"], ["search"],
                     ["--frob", "ls"], ["ls", "--frob"], ["ls", "--state"], ["ls", "-n", "many"], ["call"], ["answer"],
                     ["absent"], ["next", "--wait=1"], ["due", "1"], ["completion", "tcsh"], ["show", "1", "2"]):
            with self.subTest(args=args):
                self.assertNotEqual("", self.pipe("vera", *args, code=2))

    def test_who_am_i(self):
        err = self.pipe(None, "next", code=1)
        self.assertIn("NOPERM", err)
        self.assertIn("HELPLINE_TOKEN", err)
        self.assertIn("специалист", self.pipe(None, "next", code=1, LC_ALL="ru_RU.UTF-8"))
        p = self.desk.tool("ls", check=False, env=dict(self.env(None), HELPLINE_TOKEN="hl_x_y"))
        self.assertEqual(4, p.returncode)
        at = "127.0.0.1:%d" % self.desk.port
        self.assertIn("1\t", self.pipe("vera", "ls", "--server", at))
        self.assertEqual(4, self.desk.tool("--server", at, "ls", check=False, env=self.env(None)).returncode)

    def complete(self, *words, agent="anna"):
        return [r.split("\t")[0] for r in self.pipe(agent, "complete", *words).splitlines()]

    def test_completion(self):
        self.assertEqual(["reply", "return", "reopen", "release", "reroute", "ready", "reload", "rehearse"][0:2],
                         [w for w in self.complete("re") if w in ("reply", "return")])
        self.assertIn("--resolve", self.complete("reply", "--re"))
        self.assertEqual(["--server"], self.complete("--ser"))
        self.assertEqual(["first", "second"], sorted(self.complete("-c", self.desk.conf, "ls", "--line", "")))
        self.assertEqual(["vera"], self.complete("-c", self.desk.conf, "assign", "1", "ve"))
        self.assertEqual(["waiting"], self.complete("ls", "--state", "w"))
        self.pipe("anna", "take", "1")
        try:
            self.assertEqual(["1"], self.complete("-c", self.desk.conf, "reply", ""))
        finally:
            self.pipe("anna", "release", "1")
        self.assertEqual([], self.complete("-c", "/nonexistent", "reply", ""), "no daemon, no word")

    def test_completion_has_patience_of_its_own(self):
        """A daemon that does not answer costs 200 ms, not ten seconds."""
        os.kill(self.desk.proc.pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            self.assertEqual("", self.pipe("anna", "complete", "-c", self.desk.conf, "assign", "", HELPLINE_COMPLETE_MS="200"))
            self.assertLess(time.monotonic() - began, 9.5, "not the ten seconds of other commands")
        finally:
            os.kill(self.desk.proc.pid, signal.SIGCONT)

    def test_other_shells(self):
        for shell, script in (("zsh", "autoload -U compinit; compinit -D; source <(helpline completion zsh); "
                                      "_describe() { shift 3; print -rl -- ${(P)1}; }; "
                                      "words=(helpline -c $CONF ls --line f); CURRENT=6; _helpline"),
                              ("fish", "helpline completion fish | source; complete -C \"helpline -c $CONF ls --line f\"")):
            if shutil.which(shell) is None:
                continue  # not among the packages of the tests
            env = self.env("anna", CONF=self.desk.conf)
            env["PATH"] = os.path.dirname(self.desk.program("helpline")) + ":" + env["PATH"]
            p = subprocess.run([shell, *(["-f"] if shell == "zsh" else ["--no-config"]), "-c", script], env=env,
                               capture_output=True, timeout=PATIENCE * SLOW)
            self.assertEqual("first\n", p.stdout.decode(), p.stderr)

    def test_bash(self):
        """The script in the real shell."""
        script = 'source <(helpline completion bash); COMP_WORDS=(helpline -c "$CONF" ls --line f); COMP_CWORD=5; ' \
                 '_helpline; echo "${COMPREPLY[@]}"; complete -p helpline'
        env = self.env("anna", CONF=self.desk.conf)
        env["PATH"] = os.path.dirname(self.desk.program("helpline")) + ":" + env["PATH"]
        p = subprocess.run(["bash", "-c", script], env=env, capture_output=True, timeout=PATIENCE * SLOW)
        self.assertEqual("first\ncomplete -F _helpline helpline\n", p.stdout.decode(), p.stderr)


class Board(Case):
    def setUp(self):
        self.drop()

    def test_live(self):
        t = self.start("vera", "board")
        t.until(r"\x1b\[\?1049h.*nothing waits")
        n = self.ticket("VPN на доске")
        t.until(r"VPN на доске")
        at = len(t.text.decode())
        self.pipe("anna", "take", n)
        t.until(r"taken  #%s" % n, at)
        t.resize(40, 12)
        t.type("q")
        out = t.end()
        self.assertEqual(0, t.code)
        self.assertTrue(out.endswith("\x1b[?25h\x1b[?1049l"), "the terminal is given back")
        self.assertEqual(1, out.count("\x1b[?1049l"))

    def test_ends(self):
        for what in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGSEGV):
            t = self.start("vera", "board", LC_ALL="ru_RU.UTF-8")
            t.until("репетиция")
            attributes = termios.tcgetattr(t.fd)
            self.assertFalse(attributes[3] & termios.ECHO)
            os.kill(t.pid, what)
            fd = os.dup(t.fd)
            out = t.end()
            self.assertTrue(out.endswith("\x1b[?25h\x1b[?1049l"), out[-40:])
            os.close(fd)

    def test_in_a_pipe(self):
        with subprocess.Popen([self.desk.program("helpline"), "-c", self.desk.conf, "board"], stdout=subprocess.PIPE,
                              env=self.env("vera")) as p:
            seen = []
            for line in p.stdout:
                seen.append(line.decode())
                if "Test desk" in seen[-1]:
                    n = self.ticket("VPN в трубе")
                if re.search(r"\tqueued\t%s\tfirst\t" % n, seen[-1]):
                    break
            p.stdout.close()
            self.ticket("VPN ещё")
            p.wait(PATIENCE * SLOW)
        self.assertNotIn("\x1b", "".join(seen))

    def test_daemon_comes_back(self):
        with Desk(live=False) as d:
            t = Terminal([d.program("helpline"), "-c", d.conf, "board"], dict(self.env(None), HELPLINE_TOKEN=d.token("vera")))
            t.until("nothing waits")
            d.stop()
            t.until("is it running|closed the connection")
            d.start()
            at = len(t.text.decode())
            d.deliver(mail(subject="back again"))
            t.until("back again", at)
            t.type("q")
            t.end()
            self.assertEqual(0, t.code)


if __name__ == "__main__":
    unittest.main()
