"""Attacks that once went through, or that must never: each a short play."""
# run: release asan
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from desk import BUILD, Desk, mail, wait_for  # noqa: E402
from resp import RespError, encode  # noqa: E402

LOG_MAX = 512 << 20  # a log without bound must fail the play, not fill the disk


def setUpModule():
    resource.setrlimit(resource.RLIMIT_FSIZE, (LOG_MAX, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def descriptors(d):
    return len(os.listdir("/proc/%d/fd" % d.proc.pid))


def redis(d, *args):
    subprocess.run(["redis-cli", "-s", "r.sock", *args], cwd=d.state, check=True, capture_output=True, timeout=60)


def libexec(d_top, **scripts):
    """A folder of helpers, some of them replaced by a shell script."""
    lib = os.path.join(d_top, "lib")
    os.makedirs(lib)
    for name in ("helpline-mime", "helpline-mailer"):
        path, text = os.path.join(lib, name), scripts.get(name[9:])
        if text is None:
            os.symlink(os.path.join(BUILD, name), path)
        else:
            with open(path, "w") as f:
                f.write("#!/bin/sh\n" + text + "\n")
            os.chmod(path, 0o755)
    return lib


class Connections(unittest.TestCase):
    def test_the_end_behind_a_command_under_way(self):
        """QUIT or garbage behind a command that waits for the store, and FIN at once."""
        with Desk() as d:
            d.deliver(mail())
            anna = d.agent("anna")
            t = d.reserve(anna)[0]["id"]
            d.sink.wait(1)  # the acknowledgement has left: its helper's descriptors are counted
            for tail in (encode(["QUIT"]), b"*1\r\n$zz\r\n"):
                before = descriptors(d)
                for _ in range(10):
                    c = d.agent("anna", ready=False)
                    c.send_raw(encode(["SHOW", t]) + tail)
                    c.sock.shutdown(socket.SHUT_WR)
                    self.assertIn('"id"', c.read())
                    self.assertTrue(c.closed())
                    c.close()
                wait_for(lambda n=before: descriptors(d) <= n + 1, 5, "the connections are gone")

    def test_a_dropped_token_ends_what_is_parked(self):
        with Desk() as d:
            parked, other = d.agent("anna"), d.agent("anna")
            parked.send("RESERVE", "BLOCK", 0)
            other("MINE")
            for t in d.cmd("TOKEN", "LIST", "anna"):
                d.cmd("TOKEN", "DROP", json.loads(t)["id"])
            self.assertTrue(parked.closed())
            self.assertTrue(other.closed())
            d.deliver(mail())
            time.sleep(0.5)
            self.assertEqual(d.stats()["tickets"]["held"], 0)

    def test_who_drops_his_own_token_hears_it(self):
        with Desk(extra='agent boss "Boss" { role admin }\n') as d:
            boss = d.agent("boss")
            own = json.loads(boss("TOKEN", "LIST", "boss")[0])["id"]
            self.assertEqual(boss("TOKEN", "DROP", own), "OK")
            self.assertTrue(boss.closed())


class Repetition(unittest.TestCase):
    def test_two_mails_that_nothing_tells_apart_but_their_trace(self):
        """Neither Message-ID nor Date: another subject or another Received is another mail."""
        head = b"From: cron@machine.example\r\nTo: support@desk.example\r\n"
        with Desk() as d:
            for extra in (b"Subject: disk\r\n", b"Subject: backup\r\n", b"Received: 2\r\nSubject: backup\r\n"):
                d.deliver(extra + head + b"\r\nfailed\r\n")
                d.deliver(extra + head + b"\r\nfailed\r\n")
            stats = d.stats()
            self.assertEqual((stats["in"]["messages"], stats["in"]["duplicates"]), (3, 3))

    def test_one_reserve_over_many_connections_at_once(self):
        with Desk() as d:
            for _ in range(6):
                d.deliver(mail())
            for key in ("a", "b", "c"):
                conns = [d.agent("anna", ready=False) for _ in range(8)]
                for c in conns:
                    c.send("RESERVE", "ID", key)
                got = {json.loads(c.read()[0])["id"] for c in conns}
                self.assertEqual(len(got), 1)
                conns[0]("RESOLVE", got.pop())


class Rights(unittest.TestCase):
    def test_reload_gives_no_rights(self):
        with Desk() as d:
            tcp, unix = d.agent("anna"), d.client(unix=True)
            unix("AUTH", d.token("anna"))
            self.assertEqual(d.cmd("RELOAD"), "OK")
            for c in (tcp, unix):
                self.assertEqual(c.raw("TOKEN", "LIST").code, "NOPERM")

    def test_words_with_a_nul_are_no_names(self):
        with Desk() as d:
            c, token = d.client(), d.token("anna")
            for words in (("AUTH", token + "\0x"), ("AUTH", "anna\0x", token), ("HELLO", 3, "AUTH", "default\0", token)):
                self.assertEqual(c.raw(*words).code, "WRONGPASS")

    def test_a_part_of_an_address_takes_no_part(self):
        with Desk() as d:
            anna = d.agent("anna")
            d.deliver(mail(headers=[("Cc", "boss@evil.example")]))
            t = d.reserve(anna)[0]["id"]
            for to in ("oss@evil.example", "boss@evil.exampl"):
                self.assertEqual(anna.raw("REPLY", t, "x", "TO", to).code, "NOPERM")
            self.assertNotIsInstance(anna.raw("REPLY", t, "x", "TO", "BOSS@evil.example"), RespError)


class Store(unittest.TestCase):
    def test_redis_does_not_speak_to_agents(self):
        """What is wrong in the store is TRYAGAIN, never Redis's code or BADARG."""
        with Desk() as d:
            anna = d.agent("anna")
            d.deliver(mail())
            t = d.reserve(anna)[0]["id"]
            for key in ("due", "cust:c1", "journal"):
                key = "{desk}:" + key
                redis(d, "RENAME", key, "saved")
                redis(d, "SET", key, "wrong")
                self.assertEqual(anna.raw("NOTE", t, key).code, "TRYAGAIN", key)
                redis(d, "DEL", key)
                redis(d, "RENAME", "saved", key)
            d.fsck()

    def test_numbers_that_no_clock_has(self):
        """Times in the store that would overflow when they become microseconds."""
        with Desk() as d:
            token = d.token("anna").split("_")[1]
            d.deliver(mail())
            for bad in ("9223372036854775807", "-9223372036854775808", "99999999999999999999", "x"):
                for key, field in (("tok:" + token, "created"), ("tok:" + token, "used"), ("ob:2", "next")):
                    redis(d, "HSET", "{desk}:" + key, field, bad)
                for words in (("TOKEN", "LIST"), ("OUTBOX", "LIST"), ("LIST",), ("STATS",)):
                    self.assertNotIsInstance(d.admin().raw(*words), RespError)

    def test_a_limit_on_files(self):
        """RLIMIT_FSIZE: mail is refused for now, the daemon lives."""
        with Desk(start=False) as d:
            d.spawn()
            resource.prlimit(d.proc.pid, resource.RLIMIT_FSIZE, (3 << 20, 3 << 20))
            d.wait_ready()
            codes = {d.lmtp(mail(text="x" * 70 + "\n" + "y" * 900000))[0][0] for _ in range(6)}
            self.assertLessEqual(codes, {250, 451, 452})
            self.assertIn(250, codes)
            self.assertTrue(codes & {451, 452}, codes)
            self.assertEqual(d.cmd("PING"), "PONG")


class Helpers(unittest.TestCase):
    def talks(self, script, **kw):
        top = os.path.join(os.path.dirname(os.path.abspath(BUILD)), "tmp", "lib%d" % os.getpid())
        try:
            os.makedirs(os.path.dirname(top), exist_ok=True)
            with Desk(env={"HELPLINE_LIBEXEC": libexec(top, **{kw.get("which", "mime"): script})}) as d:
                code = d.lmtp(mail())[0][0]
                self.assertEqual(d.cmd("PING"), "PONG")
                self.assertLess(os.path.getsize(d.log_file), 200000)
                return code, d.log()
        finally:
            shutil.rmtree(top, ignore_errors=True)

    def test_what_it_prints_does_not_fill_the_log(self):
        code, log = self.talks("cat /dev/zero")
        self.assertEqual(code, 451)
        self.assertIn("says too much", log)

    def test_what_it_prints_makes_no_lines_of_ours(self):
        code, log = self.talks("echo 2026-01-01T00:00:00.000Z error FORGED; echo end >&2")
        self.assertEqual(code, 451)
        self.assertNotRegex(log, r"(?m)^2026-01-01")
        self.assertIn('says="2026-01-01T00:00:00.000Z error FORGED"', log)
        self.assertIn("says=end", log)

    def test_frames_of_garbage(self):
        for script in ("cat /dev/urandom >&3", "cat /dev/zero >&3", r"printf '\377\377\377\377\001' >&3; sleep 1",
                       r"printf '\000\000\000\000\376' >&3; head -c 5 <&3 >/dev/null; cat /dev/urandom >&3"):
            code, _ = self.talks(script)
            self.assertIn(code, (250, 451), script)


if __name__ == "__main__":
    unittest.main()
