"""Telephone exchanges: their logs become tickets, once, whatever happens to file and daemon."""
# takes: 45
# seconds: 600
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
    def __init__(self, gather_ms=1500, **kw):
        self.cdr = None
        super().__init__(start=False, env={"HELPLINE_GATHER_MS": str(gather_ms)}, **kw)
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
        with PhoneDesk(gather_ms=4000) as d:
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


class Pushed(unittest.TestCase):
    def test_feed(self):
        """helpline feed: lines, JSON, the same twice, nonsense, no such phone; 75 without a daemon."""
        with PhoneDesk() as d:
            d.start()
            now = int(time.time()) - 600
            lines = row("%d.1" % now) + row("%d.2" % now, src="84950000002") + "nonsense\n"
            p = d.tool("feed", "pushed", stdin=lines.encode())
            self.assertIn("records 2, calls 2, not understood 1", p.stderr)
            self.assertEqual(len(d.list()), 2)
            call = {"id": "x-1", "from": E164, "to": "201", "result": "missed", "duration_s": 30}
            got = [json.loads(d.cmd("FEED", "pushed", json.dumps(call))) for _ in (1, 2)]
            self.assertEqual([g["outcome"] for g in got], ["stored", "duplicate"])
            self.assertEqual(got[0]["ticket"], got[1]["ticket"])
            d.tool("feed", "pushed", stdin=lines.encode())
            self.assertEqual(len(d.list()), 2)  # the JSON call was of the first number: the same ticket
            self.assertEqual(sorted(t["n_messages"] for t in d.list()), [1, 2])
            self.assertEqual(d.tool("feed", "nobody", stdin=b"a,b\n", check=False).returncode, 1)
            self.assertNotEqual(d.tool("feed", "pushed", stdin=b"a,b\n", check=False).returncode, 0)
            d.fsck()
            d.stop()
            self.assertEqual(d.tool("feed", "pushed", stdin=lines.encode(), check=False).returncode, 75)

    def test_kill_at_each_point(self):
        """kill -9 at every named moment of a call: no call is lost, none is there twice."""
        with PhoneDesk() as d:
            d.append()
            d.start()
            d.wait_reading()
            now = int(time.time()) - 600
            for i, point in enumerate(("phone.deliver", "intake.put", "phone.settled", "phone.saved")):
                d.stop()
                d.start(env={"HELPLINE_CRASH": point + "@" + os.path.join(d.top, point)})
                d.append(row("%d.%d" % (now + i, i + 1), src="8495111%04d" % i))
                try:
                    d.proc.wait(40)
                except Exception:
                    self.fail("it did not pass " + point)
                d.start()
                d.tickets(i + 1, 40)
            d.append(row("%d.99" % now, src="84951119999"))
            d.tickets(5, 40)
            self.assertEqual([t["n_messages"] for t in d.list()], [1] * 5)
            d.fsck()

    def test_reload(self):
        """A phone taken out and put back by reload; its calls meanwhile are read afterwards."""
        with PhoneDesk() as d:
            d.append()
            d.start()
            d.wait_reading()
            text = d.text
            d.write(text.replace("phone office", "phone other"))
            d.cmd("RELOAD")
            time.sleep(1)
            d.append(row("%d.1" % (time.time() - 60)))
            d.write(text)
            d.cmd("RELOAD")
            t = d.tickets(1, 40)[0]
            self.assertEqual(d.full(t["id"])["messages"][0]["account"], "phone:office")


class ByHand(unittest.TestCase):
    def refused(self, c, command, doc, code="BADARG"):
        with self.assertRaises(Exception) as e:
            c(command, doc if isinstance(doc, str) else json.dumps(doc))
        self.assertTrue(str(e.exception).startswith(code), str(e.exception))

    def test_submit_and_logcall(self):
        with PhoneDesk() as d:
            d.start()
            anna = d.agent("anna", ready=False)
            doc = {"from": {"name": "Иван", "address": "ivan@customer.example", "phone": "8 495 123-45-67"},
                   "subject": "VPN", "text": "Не работает", "fields": {"product": ["Р-5", "К-2"]}, "language": "ru"}
            one = anna("SUBMIT", json.dumps(doc), "ID", "k1")
            self.assertEqual(anna("SUBMIT", json.dumps(doc), "ID", "k1"), one)
            two = anna("SUBMIT", json.dumps(doc))
            self.assertNotEqual(two, one)
            t = d.full(one)
            self.assertEqual((t["subject"], t["language"], t["tags"]), ("VPN", "ru", ["vpn"]))
            self.assertEqual(t["messages"][0]["form"]["fields"], {"product": ["Р-5", "К-2"]})
            self.assertEqual(anna("SUBMIT", json.dumps({"ticket": one, "text": "и ещё"})), one)
            self.assertEqual(d.full(one)["n_messages"], 2)
            for bad in ("{", "[]", {"txt": 1}, {"text": 1}, {}, {"text": "x", "from": {"mail": "x"}},
                        {"text": "x", "attachments": ["1"]}, {"text": "x", "language": "xx"},
                        {"text": "x", "from": {"phone": "12"}}, {"text": "x", "ticket": "a"},
                        {"text": "x", "subject": "a\nb"}):
                self.refused(anna, "SUBMIT", bad)
            self.refused(anna, "SUBMIT", {"text": "x", "ticket": "999"}, "NOSUCH")

            call = {"number": "8 495 123-45-67", "direction": "out", "result": "answered", "duration_s": 95,
                    "text": "Обещал перезвонить"}
            self.assertEqual(anna("LOGCALL", json.dumps(dict(call, ticket=one)), "ID", "k2"), one)
            m = d.full(one)["messages"][-1]
            self.assertEqual((m["direction"], m["kind"], m["author"], m["call"]["to"]), ("note", "call", "anna", E164))
            self.assertIn("Обещал перезвонить", m["text"])
            new = anna("LOGCALL", json.dumps(call))
            t = d.full(new)
            self.assertEqual((t["channel"], t["state"], t["n_messages"]), ("phone", "queued", 1))
            self.assertEqual(d.full(one)["customer"]["id"], t["customer"]["id"])
            self.refused(anna, "LOGCALL", {})
            self.refused(anna, "LOGCALL", dict(call, direction="up"))
            self.refused(anna, "LOGCALL", dict(call, duration_s=-1))
            self.refused(anna, "LOGCALL", dict(call, caller="x"))
            self.refused(anna, "LOGCALL", dict(call, ticket="999"), "NOSUCH")
            d.fsck()


if __name__ == "__main__":
    unittest.main(verbosity=2)
