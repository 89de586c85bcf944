"""`shelve`: kept, no agent, no acknowledgement; a person who writes on reopens it, a machine does not."""
# run: release asan
import json
import time
import unittest

from desk import Desk, mail, wait_for

RULES = """
list machines zabbix@machine.example @parcels.example
need network:3 when subject contains VPN
shelve when from in machines or header "X-Spam-Flag" is yes
"""


class Shelve(unittest.TestCase):
    def one(self, d, state="resolved"):
        return wait_for(lambda: d.list("STATE", state), 10)

    def test_kept_for_no_agent(self):
        with Desk(rules=RULES) as d:
            a = d.agent("anna")
            d.deliver(mail(subject="VPN problem", sender="Zabbix <zabbix@machine.example>"))
            t = self.one(d)[0]["id"]
            doc = Desk.show(a, t)
            self.assertEqual(("resolved", ""), (doc["state"], doc["holder"] or ""))
            self.assertIn("shelved", [e["event"] for e in doc["log"]])
            self.assertIn("Nothing works", doc["messages"][0]["text"])
            self.assertTrue(any("shelve" in s["text"] for s in json.loads(a("WHY", t))["sentences"]))
            self.assertEqual([], Desk.reserve(a))
            self.assertEqual([], [e for e in d.list("STATE", "queued")])
            time.sleep(1)
            self.assertEqual([], d.sink.mails, "not acknowledged")
            d.fsck()

    def test_journal(self):
        with Desk(rules=RULES) as d:
            a = d.admin()
            d.deliver(mail(sender="zabbix@machine.example"))
            t = self.one(d)[0]["id"]
            events = a("EVENTS", "AFTER", "0", "COUNT", "1000")
            told = [(e["event"], e.get("why")) for e in map(json.loads, events) if e.get("ticket") == t]
            self.assertEqual([("message", "message"), ("changed", "shelved")], told)

    def test_written_again(self):
        with Desk(rules=RULES) as d:
            a = d.agent("anna")
            m = mail(subject="Parcel", sender="robot@parcels.example", message_id="<p1@parcels.example>")
            d.deliver(m)
            t = self.one(d)[0]["id"]
            d.deliver(mail(subject="Re: Parcel", sender="robot@parcels.example", reply_to="<p1@parcels.example>"))
            wait_for(lambda: len(Desk.show(a, t)["messages"]) == 2, 10)
            self.assertEqual("resolved", Desk.show(a, t)["state"], "the rules shelve it again")
            d.deliver(mail(subject="spam", sender="ivan@customer.example", message_id="<s1@customer.example>",
                           headers=[("X-Spam-Flag", "YES")]))
            s = wait_for(lambda: [x["id"] for x in d.list("STATE", "resolved") if x["id"] != t], 10)[0]
            d.deliver(mail(subject="Re: spam", sender="ivan@customer.example", reply_to="<s1@customer.example>",
                           text="I am a person.\n"))
            wait_for(lambda: Desk.show(a, s)["state"] == "queued", 10, "a person's next message reopens it")
            self.assertEqual([s], [x["id"] for x in Desk.reserve(a)])
            a("REPLY", s, "Sorry.")
            d.sink.wait(1)
            d.fsck()

    def test_survives(self):
        """Killed and started again: still there, still in no queue; fsck has nothing to say."""
        with Desk(rules=RULES) as d:
            d.deliver(mail(sender="zabbix@machine.example"))
            t = self.one(d)[0]["id"]
            d.kill9()
            d.start()
            a = d.agent("anna")
            self.assertEqual("resolved", Desk.show(a, t)["state"])
            self.assertEqual([], Desk.reserve(a))
            d.fsck()


if __name__ == "__main__":
    unittest.main()
