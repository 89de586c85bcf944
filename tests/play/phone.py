"""Telephone exchanges: their logs become tickets, once, whatever happens to file and daemon."""
import json
import os
import time
import unittest

from desk import Desk, wait_for

CALLER = "84951234567"
E164 = "+74951234567"


def row(uniqueid, src=CALLER, dst="200", answered=False, duration=20, billsec=0, start=None, linked=None,
        name="", sequence=1, dstchannel="PJSIP/200-00000001", lastapp="Dial", disposition=None):
    """One line of Master.csv with all 21 columns, in the exchange's local time (UTC+3)."""
    start = start or int(float(uniqueid))
    stamp = lambda t: time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(t + 3 * 3600))
    disposition = disposition or ("ANSWERED" if answered else "NO ANSWER")
    clid = '"%s" <%s>' % (name, src) if name else src
    q = lambda s: '"%s"' % s.replace('"', '""')
    return ",".join([
        q(""), q(src), q(dst), q("from-trunk"), q(clid), q("PJSIP/trunk-00000001"), q(dstchannel), q(lastapp),
        q("PJSIP/200,30"), q(stamp(start)), q(stamp(start + duration - billsec) if answered else ""),
        q(stamp(start + duration)), str(duration), str(billsec), q(disposition), q("DOCUMENTATION"),
        q(str(uniqueid)), q(""), q(""), q(str(linked or uniqueid)), str(sequence)]) + "\n"


PHONE = """
country 7
timezone Europe/Moscow
phone office {
    asterisk file "%s"
    ours     200 201 +78005553535
}
phone pushed { push; ours 200 201 }
"""


class PhoneDesk(Desk):
    def __init__(self, **kw):
        self.cdr = None
        super().__init__(start=False, **kw)
        self.cdr = os.path.join(self.dir, "Master.csv")
        self.write(self.text + PHONE % self.cdr)

    def append(self, *rows):
        with open(self.cdr, "a") as f:
            f.write("".join(rows))

    def wait_reading(self):
        self.wait_log(r"PHONE-LOG .*state=(reading|waiting)")
        time.sleep(0.3)

    def tickets(self, n, timeout=25):
        def enough():
            got = self.list()
            return got if len(got) >= n else None
        return wait_for(enough, timeout, "%d tickets" % n)

    def full(self, ticket):
        with self.admin() as a:
            return self.show(a, ticket)


class Logs(unittest.TestCase):
    def test_missed_answered_callback(self):
        """A ring group, a repeated call, a note, and a call back that resolves."""
        with PhoneDesk() as d:
            d.append(row("%d.1" % (time.time() - 9000)))  # older than the desk
            d.start()
            d.wait_reading()
            now = int(time.time()) - 600
            a, b = "%d.10" % now, "%d.20" % (now + 30)
            # nobody of the group answered: one ticket out of two rows
            d.append(row(a, dst="200", name="Иван"), row(a, dst="201", sequence=2, name="Иван"))
            # one of the group did: no ticket
            other = "84957654321"
            d.append(row(b, src=other, dst="200"), row(b, src=other, dst="201", sequence=2, answered=True, billsec=9))
            t = d.tickets(1)[0]
            self.assertEqual(t["channel"], "phone")
            self.assertEqual(t["subject"], "Missed call " + E164)
            m = d.full(t["id"])["messages"]
            self.assertEqual(len(m), 1)
            self.assertEqual((m[0]["kind"], m[0]["call"]["from"], m[0]["call"]["to"], m[0]["call"]["result"]),
                             ("call", E164, "200", "missed"))
            self.assertEqual(m[0]["call"]["name"], "Иван")
            started = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(now))
            self.assertEqual(m[0]["call"]["started_at"], started)
            # again: the same ticket; short: nothing; answered: a note
            d.append(row("%d.30" % (now + 60)), row("%d.40" % (now + 90), duration=2),
                     row("%d.50" % (now + 120), answered=True, billsec=60))
            wait_for(lambda: len(d.full(t["id"])["messages"]) >= 3, 25, "three messages")
            # our call back
            d.append(row("%d.60" % (now + 300), src="200", dst=CALLER, answered=True, billsec=45))
            wait_for(lambda: d.full(t["id"])["state"] == "resolved", 25, "resolved")
            doc = d.full(t["id"])
            self.assertEqual([m["direction"] for m in doc["messages"]], ["in", "in", "note", "note"])
            self.assertEqual([len(d.list()), len(d.list("STATE", "resolved"))], [0, 1])
            d.wait_log("SHORT-CALL")
            d.fsck()

    def test_day_twice_rotation_and_kill(self):
        """The day's log read twice, rotated in between, the daemon killed: the same tickets."""
        with PhoneDesk() as d:
            d.append()
            d.start()
            d.wait_reading()
            now = int(time.time()) - 5000
            rows = [row("%d.%d" % (now + i, i), src="8495111%04d" % i) for i in range(40)]
            d.append(*rows[:10])
            time.sleep(1.5)
            d.kill9()  # gathered, not delivered
            os.rename(d.cdr, d.cdr + ".1")
            with open(d.cdr + ".1", "a") as f:
                f.write("".join(rows[10:20]))
            d.append(*rows[20:30])
            d.start()
            d.append(rows[30][:40])
            time.sleep(1.5)
            d.append(rows[30][40:], *rows[31:])
            d.tickets(40, 40)
            d.kill9()
            d.start()
            d.append(*rows)  # the whole day once more
            d.wait_log(r"DUPLICATE", 30)
            time.sleep(3)
            self.assertEqual(len(d.list()), 40)
            d.fsck()


if __name__ == "__main__":
    unittest.main(verbosity=2)
