"""`make run`: the screen with a mail, a form and a call, twice in a row with the same tickets, Ctrl-C, in the way of another."""
# takes: 10
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unicodedata
import unittest
import urllib.request

from desk import BUILD, ROOT, Client, processes, servers_of, wait_for


def columns(line):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def heed_interrupts():
    """As on a terminal, also where the tests run in the background (`make test &` ignores SIGINT, and a
    shell cannot trap what it was started to ignore)."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Run:
    """One `make run` in a process group of its own, as a terminal starts it."""

    def __init__(self, folder):
        self.folder = folder
        self.out = folder + ".out"
        with open(self.out, "wb") as f:
            self.proc = subprocess.Popen(["make", "--no-print-directory", "run"], cwd=ROOT, stdin=subprocess.DEVNULL,
                                         stdout=f, stderr=f, start_new_session=True, preexec_fn=heed_interrupts,
                                         env=dict(os.environ, HELPLINE_DEMO_DIR=folder))

    def text(self):
        with open(self.out, encoding="utf-8") as f:
            return f.read()

    def screen(self):
        """What is shown once all is there: the lines after the build's."""
        def shown():
            if self.proc.poll() is not None:
                raise AssertionError("make run ended with %d:\n%s" % (self.proc.returncode, self.text()))
            return re.search(r"^END\n", self.text(), re.M)
        wait_for(shown, 120, "the screen of make run")
        lines = self.text().splitlines()
        first = max(i for i, s in enumerate(lines) if "in rehearsal" in s)
        return lines[first:]

    def interrupt(self):
        """Ctrl-C; seconds it took."""
        began = time.monotonic()
        os.killpg(self.proc.pid, signal.SIGINT)
        try:
            self.proc.wait(60)
        except subprocess.TimeoutExpired:
            raise AssertionError("make run has not ended:\n%s\n%s" % (self.text(), "\n".join(
                subprocess.run(["ps", "-e", "-o", "pid,ppid,pgid,stat,wchan:20,args"], capture_output=True,
                               text=True).stdout.splitlines()[-60:]))) from None
        return time.monotonic() - began

    def daemons(self):
        return [pid for pid, _, cmd in processes() if "helplined" in cmd.split(" ")[0] and self.folder in cmd]

    def left(self):
        """Processes of this desk that are still there."""
        return self.daemons() + servers_of(os.path.join(self.folder, "state"))

    def close(self):
        if self.proc.poll() is None:
            os.killpg(self.proc.pid, signal.SIGKILL)
            self.proc.wait(60)


def of(screen, pattern):
    for line in screen:
        m = re.search(pattern, line)
        if m:
            return m.group(1)
    raise AssertionError("%s is not on the screen:\n%s" % (pattern, "\n".join(screen)))


@unittest.skipUnless(BUILD.endswith("/release"), "make run is about the release build")
class MakeRun(unittest.TestCase):
    def setUp(self):
        os.makedirs(os.path.join(ROOT, "build", "tmp"), exist_ok=True)
        self.top = tempfile.mkdtemp(prefix="r", dir=os.path.join(ROOT, "build", "tmp"))
        self.folder = os.path.join(self.top, "d")
        self.runs = []

    def tearDown(self):
        for r in self.runs:
            r.close()
        for r in self.runs:
            wait_for(lambda r=r: not r.left(), 20, "nothing of it is left")
        shutil.rmtree(self.top, ignore_errors=True)

    def run_make(self):
        self.runs.append(Run(self.folder))
        return self.runs[-1]

    def agent(self, screen):
        c = Client(("127.0.0.1", int(of(screen, r"redis-cli.* -p (\d+)"))), 20)
        self.addCleanup(c.close)
        self.assertEqual("OK", c("AUTH", of(screen, r"AUTH (hl_\S+)")))
        return c

    def test_twice(self):
        r = self.run_make()
        screen = r.screen()
        self.assertLessEqual(len(screen), 24, "\n".join(screen))
        for line in screen:
            self.assertLessEqual(columns(line), 80, line)
        text = "\n".join(screen)
        self.assertIn("Срочно: не подключается ВПН", text, "KOI8-R was read")
        self.assertIn("needs network:3", text)
        self.assertRegex(text, r"helpline\.conf:\d+:1  need network:3 when tagged vpn")
        for what, subject in (("mail", "Срочно"), ("form", "Камера не видит сеть"), ("call", "+79215550177")):
            self.assertRegex(text, r"Ticket \d+ \(%s, queued\): .*%s" % (what, re.escape(subject)))
        with urllib.request.urlopen(of(screen, r"(http://\S+/f/contact)"), timeout=60) as page:
            self.assertIn("Что случилось?", page.read().decode())
        self.assertEqual(["redis-cli", "AUTH", "RESERVE", "REPLY", "END"], [s.split()[0] for s in screen[-5:]])
        c = self.agent(screen)
        got = [json.loads(d) for d in c("RESERVE")]
        self.assertEqual(1, len(got))
        self.assertEqual(of(screen, r"REPLY (\d+)"), got[0]["id"])
        self.assertIn("Ошибка 809", got[0]["messages"][0]["text"])
        self.assertEqual("журнал.txt", got[0]["messages"][0]["attachments"][0]["name"])
        answer = c("REPLY", got[0]["id"], "Проверяем.")
        took = r.interrupt()
        self.assertLess(took, 2.5)
        wait_for(lambda: not r.left(), 2, "all it started is gone")

        again = self.run_make()
        screen = again.screen()
        self.assertLessEqual(len(screen), 24, "\n".join(screen))
        text = "\n".join(screen)
        self.assertEqual(3, text.count("taken once"), text)
        c = self.agent(screen)
        doc = json.loads(c("SHOW", got[0]["id"]))
        self.assertEqual("waiting", doc["state"])
        self.assertEqual(answer, doc["messages"][-1]["id"])
        fresh = of(screen, r"REPLY (\d+)")
        self.assertGreater(int(fresh), int(got[0]["id"]), "there is work for the agent again")
        self.assertEqual([fresh], [json.loads(d)["id"] for d in c("RESERVE")])
        self.assertLess(again.interrupt(), 2.5)

    def test_already_running(self):
        first = self.run_make()
        first.screen()
        second = self.run_make()
        self.assertNotEqual(0, second.proc.wait(30))
        self.assertRegex(second.text(), r"running already \(process \d+\)")
        self.assertIsNone(first.proc.poll())
        self.assertTrue(first.left())

    def test_port_taken(self):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", 7711))
                s.listen()
            except OSError:
                pass  # somebody has it: just as well
            screen = self.run_make().screen()
            self.assertNotEqual("7711", of(screen, r"redis-cli.* -p (\d+)"))
            self.assertEqual("PONG", self.agent(screen)("PING"))

    def test_killed(self):
        """The script killed -9: the daemon, its store and helpers end by themselves."""
        r = self.run_make()
        r.screen()
        with open(os.path.join(self.folder, "run.pid")) as f:
            os.kill(int(f.read()), signal.SIGKILL)
        wait_for(lambda: not r.left(), 4, "all it started is gone")
        self.assertIn("Ticket 1 ", "\n".join(self.run_make().screen()))

    def test_broken_configuration(self):
        os.makedirs(self.folder)
        with open(os.path.join(self.folder, "helpline.conf"), "w") as f:
            f.write("frobnicate 7\n")
        r = self.run_make()
        self.assertNotEqual(0, r.proc.wait(60))
        self.assertIn("unknown option 'frobnicate'", r.text())


if __name__ == "__main__":
    unittest.main()
