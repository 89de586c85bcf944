"""A full disk: mail is refused before the store dies, agents go on, and it ends well."""
import os
import subprocess
import unittest

from desk import Desk, mail, wait_for

CONF = 'lines first\nline first { holds 1000 }\nagent anna "Anna"\nacknowledge none\n'


class StoreFull(unittest.TestCase):
    def test_a_small_disk(self):
        d = Desk(agents=CONF, rules="", start=False, env={"HELPLINE_DISK_FLOOR": str(8 << 20)})
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m,mode=700", "helpline-test", d.state],
                                 capture_output=True, text=True)
        if mounted.returncode != 0:
            d.close()
            self.skipTest("a tmpfs cannot be mounted here: " + mounted.stderr.strip().replace("'", ""))
        try:
            with d:
                self.play(d)
        finally:
            subprocess.run(["umount", "-l", d.state], check=False)
            d.close()

    def play(self, d):
        filler = os.path.join(d.state, "filler")
        with open(filler, "wb") as f:
            f.write(b"x" * (8 << 20))
        d.start()
        anna = d.agent("anna")
        servers = d.children("redis-server")
        n = 0
        code = 250
        while code == 250 and n < 200:
            (code, text), = d.lmtp(mail(subject="big %d" % n, text="0123456789abcde\n" * 16000))
            n += code == 250
        self.assertEqual(452, code, text)
        self.assertGreater(n, 5)
        self.assertTrue(d.is_running())
        self.assertEqual(servers, d.children("redis-server"), "the store did not die")
        for _ in range(n):
            doc = d.wait_reserve(anna)
            anna("REPLY", doc["id"], "We are on it.", "STATUS", "resolved")
        d.sink.wait(n)
        self.assertEqual(452, d.lmtp(mail())[0][0])
        os.unlink(filler)
        wait_for(lambda: d.lmtp(mail(subject="after"))[0][0] == 250, 20, "mail flows again")
        self.assertEqual("after", d.wait_reserve(anna)["subject"])
        d.fsck()


if __name__ == "__main__":
    unittest.main()
