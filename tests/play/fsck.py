"""fsck finds every difference that is planted, repairs what can be worked out, and says nothing else."""
# takes: 8
import os
import unittest

import redis
from desk import Desk, mail

P = "{desk}:"


def lines_of(p):
    return sorted(line for line in p.stdout.splitlines() if not line.startswith("#"))


class Fsck(unittest.TestCase):
    def desk(self):
        """1 held by anna, 2 waiting, 3 resolved, 4 and 5 queued."""
        d = Desk()
        anna = d.agent("anna")
        for i in range(1, 6):
            d.deliver(mail(subject="VPN %d" % i, sender="c%d@customer.example" % i))
        for id_, words in (("1", None), ("2", ("REPLY", "2", "Look here.")), ("3", ("RESOLVE", "3"))):
            anna("TAKE", id_)
            if words:
                anna(*words)
        d.sink.wait(1)
        d.fsck()
        return d

    def store(self, d):
        return redis.Redis(unix_socket_path=os.path.join(d.state, "r.sock"), decode_responses=True)

    def found(self, d, *options):
        p = d.tool("fsck", *options, check=False)
        return p.returncode, lines_of(p), p.stderr

    def plant(self, r):
        """What is broken, and what is to be said about it."""
        c4, c5 = r.hget(P + "t:4", "class"), r.hget(P + "t:5", "class")
        v4, v5 = int(r.hget(P + "t:4", "v")), int(r.hget(P + "t:5", "v"))
        lease = r.hget(P + "t:1", "lease_until")
        close = r.zscore(P + "due", "close:3")
        self.assertEqual(c4, c5)
        self.assertIsNotNone(close)
        r.srem(P + "held:anna", "1")
        r.zrem(P + "open", "2")
        r.zadd(P + "closed", {"2": 2})
        r.zrem(P + "due", "lease:1", "close:3")
        r.zadd(P + "due", {"wait:2": 17e12, "own:99": 17e12})
        r.zrem(P + "q:" + c4, "4".zfill(12))
        r.zadd(P + "q:" + c4, {"5".zfill(12): v5 + 7, "77".zfill(12): 1})
        r.hset(P + "a:anna", "used", "5")
        r.hset(P + "a:boris", "used", "1")
        r.sadd(P + "held:boris", "4")
        r.zadd(P + "own:boris", {"4".zfill(12): 1})
        r.hincrby(P + "cref", c4, 3)
        r.hincrby(P + "n", "s:queued", -1)
        r.hset(P + "head", "c-nowhere", "12")
        r.set(P + "mid:feed", "4711")
        r.hset(P + "ob:90", mapping={"state": "queued", "ticket": "4", "message": "", "next": "17000000000000"})
        r.zadd(P + "obdue", {"91": 17e12})
        r.zadd(P + "quarantine", {"92": 1})
        r.hset(P + "meta", "next_ticket", "3")
        return sorted([
            "t:1 held:anna missing", "t:2 open missing", "t:2 closed extra", "t:1 due lease missing",
            "t:3 due close missing", "t:2 due wait extra", "due own:99 extra", "t:4 q:%s missing" % c4,
            "t:5 q:%s is %d, should be %d" % (c5, v5 + 7, v5), "q:%s %s extra" % (c4, "77".zfill(12)),
            "held:boris 4 extra",
            "own:boris %s extra" % "4".zfill(12), "head %s is %d, should be 1" % (c4, v4),
            "head c-nowhere is 12, should be absent", "mid:feed t:4711 missing", "ob:90 obdue missing",
            "obdue 91 extra", "quarantine 92 extra", "a:anna used is 5, should be 0",
            "meta next_ticket is 3, should be at least 5"])

    def test_each_difference_is_told_and_repaired(self):
        with self.desk() as d:
            for _ in range(5):  # its store ends while we look
                d.kill9()
                self.assertEqual(0, self.found(d)[0])
                d.start()
            r = self.store(d)
            # A daemon must not run, or it mends some of it by its own looks.
            os.kill(d.proc.pid, 19)
            want = self.plant(r)
            code, lines, err = self.found(d)
            self.assertEqual(1, code, err)
            missing = [w for w in want if w not in lines]
            self.assertEqual([], missing, lines)
            for w in lines:
                if w not in want:
                    self.assertRegex(w, r"^(cref|n|meta next_id) ")
            code, lines, err = self.found(d, "--fix")
            self.assertEqual(0, code, (lines, err))
            for w in want:
                self.assertTrue(any(line.startswith(w) and line.endswith(": repaired") for line in lines) or
                                w.startswith(("head", "a:anna")), w)
            self.assertEqual((0, []), self.found(d)[:2])
            os.kill(d.proc.pid, 18)

    def test_what_cannot_be_worked_out_stays(self):
        with self.desk() as d:
            r = self.store(d)
            os.kill(d.proc.pid, 19)
            r.hset(P + "t:4", "state", "lost")
            r.rpop(P + "t:5:m")
            r.delete(P + "cust:" + r.hget(P + "t:2", "cust"))
            r.lset(P + "t:1:m", 0, "no document")
            r.set(P + "strange", "1")
            r.set(P + "q:zz", "not a queue")
            want = ["t:4 state cannot be lost", "t:5 has 0 messages, should have 1", "strange is no key of ours"]
            for fix in ([], ["--fix"]):
                code, lines, err = self.found(d, *fix)
                self.assertEqual(1, code, err)
                for w in want:
                    self.assertIn(w, lines)
                self.assertTrue(any(line.startswith("t:1.1 cannot be read") for line in lines), lines)
                self.assertTrue(any(line.startswith("t:2 cust:") for line in lines), lines)
                self.assertTrue(any(line.startswith("q:zz is of another type") for line in lines), lines)
            os.kill(d.proc.pid, 18)

    def test_raw_mails_are_read(self):
        with self.desk() as d:
            d.stop()
            path = os.path.join(d.state, "blobs", "00000001.seg")
            with open(path, "r+b") as f:
                f.seek(40)
                old = f.read(1)
                f.seek(40)
                f.write(b"?" if old != b"?" else b"!")
            code, lines, err = self.found(d)
            self.assertEqual((1, 1), (code, len(lines)), (lines, err))
            self.assertRegex(lines[0], r"^t:1\.1 raw 1:0:\d+ damaged$")
            with open(path, "r+b") as f:
                f.seek(40)
                f.write(old)
            os.rename(path, path + ".gone")
            code, lines, err = self.found(d)
            self.assertEqual(5, len([line for line in lines if line.endswith(" missing")]), lines)
            os.rename(path + ".gone", path)
            d.fsck()

    def test_orphans_are_no_differences(self):
        with self.desk() as d:
            d.stop()
            with open(os.path.join(d.state, "blobs", "00000001.seg"), "rb") as f:
                data = f.read()
            with open(os.path.join(d.state, "blobs", "00000009.seg"), "wb") as f:
                f.write(data)
            p = d.tool("fsck", check=False)
            self.assertEqual(0, p.returncode)
            self.assertIn("# 5 records of raw mail", p.stdout)

    def test_beside_a_busy_daemon(self):
        with self.desk() as d:
            for i in range(60):
                d.deliver(mail(subject="VPN again %d" % i, sender="b%d@customer.example" % i))
                if i % 20 == 10:
                    self.assertEqual((0, []), self.found(d)[:2])

    def test_a_store_that_is_away_is_5(self):
        with Desk(start=False, store="unix:///nowhere/r.sock") as d:
            p = d.tool("fsck", check=False)
            self.assertEqual(5, p.returncode)
            self.assertIn("cannot connect", p.stderr)


if __name__ == "__main__":
    unittest.main()
