"""A state directory whose path is longer than a Unix socket address may be."""
import unittest

from desk import Desk, mail


class LongPath(unittest.TestCase):
    def test_everything_works(self):
        with Desk(folder="a-long-name-" + "x" * 110 + "/" + "y" * 60) as d:
            self.assertGreater(len(d.state), 107)
            anna = d.agent("anna")
            self.assertEqual(250, d.lmtp(mail(subject="VPN"), unix=True)[0][0])
            doc = d.wait_reserve(anna)
            anna("REPLY", doc["id"], "Restart it.")
            d.sink.wait(2)
            self.assertEqual(0, d.tool("status").returncode)
            d.fsck()
            d.restart()
            self.assertEqual(1, len(d.list()))
            d.stop()
            d.fsck()


if __name__ == "__main__":
    unittest.main()
