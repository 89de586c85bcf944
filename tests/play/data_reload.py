"""Lists and the customers file: who changes one need not say so; a bad one is told once."""
# takes: 30
import os
import time
import unittest

from desk import Desk, mail, wait_for

CONF = """
list partners file "partners.txt"
need billing:2 when from in partners
need network:3 when not from in partners
"""


class DataReload(unittest.TestCase):
    def desk(self):
        d = Desk(start=False, rules=CONF)
        self.addCleanup(d.close)
        self.put(d, "@partner.example\n")
        return d.start()

    def put(self, d, text):
        """As an editor does: a new file in the place of the old."""
        path = os.path.join(d.dir, "partners.txt")
        with open(path + ".new", "w") as f:
            f.write(text)
        os.rename(path + ".new", path)

    def needs(self, d, sender):
        before = set(self.queued(d))
        d.deliver(mail(sender="Someone <%s>" % sender))
        fresh = wait_for(lambda: set(self.queued(d)) - before, 10)
        with d.admin() as a:
            return sorted(Desk.show(a, fresh.pop())["needs"])

    def queued(self, d):
        return [t["id"] for t in d.list("STATE", "queued")]

    def test_by_itself(self):
        d = self.desk()
        self.assertEqual(["network"], self.needs(d, "ivan@fresh.example"))
        self.put(d, "@partner.example\nIvan@Fresh.example\n")
        d.wait_log(r"RELOADED ", 15)
        self.assertEqual(["billing"], self.needs(d, "ivan@fresh.example"))
        self.assertEqual(["billing"], self.needs(d, "olga@partner.example"))

    def test_bad_one_is_told_once(self):
        d = self.desk()
        self.put(d, "@partner.example\nthis is no address\n")
        d.wait_log(r"^.*RELOAD kept=old .*is no address", 15)
        time.sleep(7)
        self.assertEqual(1, d.log().count("kept=old"))
        self.assertEqual(["billing"], self.needs(d, "olga@partner.example"))
        os.unlink(os.path.join(d.dir, "partners.txt"))
        wait_for(lambda: d.log().count("kept=old") == 2, 15, "a list that is gone is told")
        self.assertEqual(["billing"], self.needs(d, "olga@partner.example"))
        self.put(d, "@other.example\n")
        d.wait_log(r"RELOADED ", 15)
        self.assertEqual(["network"], self.needs(d, "olga@partner.example"))

    def test_while_it_is_written(self):
        """A file that grows for seconds is read when it has come to rest."""
        d = self.desk()
        path = os.path.join(d.dir, "partners.txt")
        end = time.monotonic() + 8
        with open(path, "a") as f:
            n = 0
            while time.monotonic() < end:
                n += 1
                f.write("user%d@growing.example" % n)
                f.flush()
                time.sleep(0.2)
                f.write("\n")
                f.flush()
                time.sleep(0.2)
            f.write("last@growing.example\n")
        d.wait_log(r"RELOADED ", 15)
        self.assertEqual(["billing"], self.needs(d, "last@growing.example"))


if __name__ == "__main__":
    unittest.main()
