"""helplined under a service manager: readiness, an open socket handed over, a watchdog, and
what the unit allows (systemd-analyze, when it is installed)."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from desk import Desk  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNIT = os.path.join(ROOT, "systemd", "helplined.service")


class Manager:
    """The other end of $NOTIFY_SOCKET."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(10)
        self.said = []

    def hear(self, word):
        """Read datagrams until one holds the word."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            said = self.socket.recv(4096).decode()
            self.said.append(said)
            if word in said:
                return said
        raise AssertionError("the manager never heard %s, only %r" % (word, self.said))

    def close(self):
        self.socket.close()


class Service(unittest.TestCase):
    def test_ready_reload_stop(self):
        with Desk(start=False) as d:
            m = Manager(d.dir)
            self.addCleanup(m.close)
            d.env["NOTIFY_SOCKET"] = m.path
            d.env["WATCHDOG_USEC"] = "400000"
            d.start()
            self.assertIn("STATUS=rehearsal", m.hear("READY=1"))
            m.hear("WATCHDOG=1")
            d.admin()("RELOAD")
            self.assertRegex(m.hear("RELOADING=1"), r"MONOTONIC_USEC=\d+")
            m.hear("READY=1")
            d.stop()
            m.hear("STOPPING=1")

    def test_socket_handed_over(self):
        """The port is open before the daemon is, and is the one agents reach."""
        listening = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.addCleanup(listening.close)
        port = listening.getsockname()[1]
        early = socket.create_connection(("127.0.0.1", port))
        self.addCleanup(early.close)
        with Desk(start=False) as d:
            script = 'export LISTEN_PID=$$; exec "$0" -c "$1" 3<&%d' % listening.fileno()
            with open(d.log_file, "ab") as log:
                d.proc = subprocess.Popen(
                    ["/bin/sh", "-c", script, d.program("helplined"), d.conf], env=dict(d.env, LISTEN_FDS="1"),
                    stdout=log, stderr=log, pass_fds=[listening.fileno()])
            d.wait_ready()
            self.assertIn("LISTEN what=agents address=127.0.0.1:%d" % port, d.log())
            early.settimeout(10)
            early.sendall(b"PING\r\n")
            self.assertEqual(b"+PONG\r\n", early.recv(200))


class Unit(unittest.TestCase):
    def analyze(self, *words):
        if shutil.which("systemd-analyze") is None:
            self.skipTest("systemd-analyze is not installed")
        return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, timeout=60)

    def test_exposure(self):
        p = self.analyze("security", "--offline=true", "--threshold=14", UNIT)
        found = re.search(r"exposure level for helplined.service: ([\d.]+)", p.stdout)
        self.assertIsNotNone(found, p.stdout + p.stderr)
        self.assertLessEqual(float(found.group(1)), 1.4)
        self.assertEqual(0, p.returncode, p.stdout)

    def test_no_unknown_words(self):
        """verify exits 0 even with an unknown key: every line that names our unit counts,
        but for the programs and manuals that are not installed here."""
        for unit in (UNIT, UNIT.replace(".service", ".socket")):
            p = self.analyze("verify", unit)
            bad = [l for l in (p.stdout + p.stderr).splitlines() if "helplined" in l and
                   "not executable" not in l and "No such file" not in l and "man " not in l]
            self.assertEqual([], bad)


if __name__ == "__main__":
    unittest.main()
