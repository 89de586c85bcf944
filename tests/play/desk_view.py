"""What agents see of the desk: LIST with all its filters, QUEUE, LINES, AGENTS, SEARCH,
and lines that are private."""
# run: release asan
import json
import unittest

from desk import Desk, RespError, mail, wait_for
from documents import schema, wrong

AGENTS = """
lines first second secret
line secret { private }
skills network billing
agent anna "Анна Котова" { skills network:4; holds 20 }
agent lena "Елена Шубина" { line second; skills billing:4 }
agent sam  "Сэм"          { line secret }
agent hugo "Hugo"         { line second; helps secret }
agent vera "Вера Ланская" { role lead }
"""
RULES = """
tag  vpn        when subject contains VPN
tag  vip        when subject contains VIP
acknowledge none
route hidden  when subject contains payroll { lines secret }
route billing when subject contains invoice { lines second }
route general { lines first }
"""


def ids(page):
    return [json.loads(d)["id"] for d in page]


class View(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.d = Desk(agents=AGENTS, rules=RULES)
        d = cls.d
        d.deliver(mail(subject="VPN is slow", text="Всё медленно, ёлки"))                            # 1
        d.deliver(mail(subject="invoice 77", text="wrong sum", sender="Olga <olga@shop.example>"))   # 2
        d.deliver(mail(subject="payroll", text="very secret words", sender="boss@shop.example"))     # 3
        d.deliver(mail(subject="VIP VPN", text="Does not connect at all"))                           # 4
        d.deliver(mail(subject="Printer", text="no paper", sender="Olga <olga@shop.example>"))       # 5
        cls.anna, cls.lena, cls.sam = d.agent("anna"), d.agent("lena"), d.agent("sam")
        cls.hugo, cls.vera = d.agent("hugo", ready=False), d.agent("vera", ready=False)

    @classmethod
    def tearDownClass(cls):
        try:
            cls.d.fsck()
        finally:
            cls.d.close()

    def found(self, c, *words):
        def ask():
            try:
                return c("SEARCH", *words)
            except RespError as e:
                if e.code != "TRYAGAIN":
                    raise
                return None
        return ids(wait_for(ask, 30, "the index is built")[1])

    def test_list_filters(self):
        a = self.vera
        self.assertEqual(["1", "2", "3", "4", "5"], ids(a("LIST")[1]))
        self.assertEqual(["1", "4"], ids(a("LIST", "TAG", "vpn")[1]))
        self.assertEqual(["4"], ids(a("LIST", "TAG", "vpn", "CUSTOMER", "ivan@customer.example", "TAG", "vip")[1])
                         if False else ids(a("LIST", "TAG", "vip", "CUSTOMER", "Ivan@Customer.example")[1]))
        self.assertEqual(["2", "5"], ids(a("LIST", "CUSTOMER", "olga@shop.example")[1]))
        who = json.loads(a("LIST", "LINE", "second")[1][0])["customer"]["id"]
        self.assertEqual(["2", "5"], ids(a("LIST", "CUSTOMER", who)[1]))
        self.assertEqual([], ids(a("LIST", "CUSTOMER", "nobody@shop.example")[1]))
        self.assertEqual(["0", []], a("LIST", "STATE", "closed"))
        self.assertEqual("NOSUCH", a.raw("LIST", "HOLDER", "nobody").code)
        self.assertEqual("NOSUCH", a.raw("LIST", "LINE", "nowhere").code)
        cursor, got = "0", []
        while True:
            cursor, page = a("LIST", "AFTER", cursor, "COUNT", 2)
            self.assertLessEqual(len(page), 2)
            got += ids(page)
            if cursor == "0":
                break
        self.assertEqual(["1", "2", "3", "4", "5"], got)
        self.anna("TAKE", "1")
        self.assertEqual(["1"], ids(a("LIST", "HOLDER", "anna")[1]))
        self.assertEqual([], ids(a("LIST", "HOLDER", "anna", "LINE", "second")[1]))
        self.assertEqual(["1"], ids(a("LIST", "HOLDER", "anna", "STATE", "held", "TAG", "vpn")[1]))
        self.assertEqual(["4", "5"], ids(a("QUEUE", "first")))
        self.anna("RELEASE", "1")

    def test_lines_agents_queue(self):
        lines = [json.loads(x) for x in self.vera("LINES")]
        self.assertEqual(["first", "second", "secret"], [x["line"] for x in lines])
        self.assertEqual([("second", None), ("secret", "first"), (None, "second")], [(x["up"], x["down"]) for x in lines])
        self.assertEqual((1, 1, True), (lines[2]["queued"], lines[2]["ready"], lines[2]["private"]))
        agents = {x["agent"]: x for x in map(json.loads, self.vera("AGENTS"))}
        self.assertEqual(set("anna lena sam hugo vera".split()), set(agents))
        self.assertEqual(("ready", "offline"), (agents["anna"]["presence"], agents["hugo"]["presence"]))
        for name, docs in (("line", lines), ("agent", agents.values())):
            for doc in docs:
                self.assertEqual([], wrong(doc, schema(name)))
        self.assertEqual(["2"], ids(self.lena("QUEUE", "second")))
        self.assertEqual(1, len(self.vera("QUEUE", "first", "COUNT", 1)))
        self.assertEqual("NOSUCH", self.vera.raw("QUEUE", "nowhere").code)

    def test_private(self):
        for c in (self.anna, self.lena):
            self.assertNotIn("3", ids(c("LIST")[1]))
            self.assertEqual([], self.found(c, "secret"))
            # nor does the cursor tell that there is something
            self.assertEqual(["0", []], c("SEARCH", "secret", "COUNT", "1"))
            cursor, page = c("SEARCH", "shop", "COUNT", "1")
            self.assertEqual(["5"], ids(page))
            cursor, page = c("SEARCH", "shop", "COUNT", "1", "AFTER", cursor)
            self.assertEqual(["2"], ids(page))
            self.assertEqual(["0", []], c("SEARCH", "shop", "COUNT", "1", "AFTER", cursor))
            for command in (("SHOW", "3"), ("WHY", "3"), ("NOTE", "3", "x"), ("QUEUE", "secret"), ("LIST", "LINE", "secret"),
                            ("SUBSCRIBE", "line:secret"), ("BLOB", "3", "1")):
                self.assertEqual("NOSUCH", c.raw(*command).code, command)
            self.assertEqual(["first", "second"], [json.loads(x)["line"] for x in c("LINES")])
            self.assertEqual(set(), {json.loads(e)["ticket"] for e in c("EVENTS", "AFTER", "0")} & {"3"})
        for c in (self.sam, self.hugo, self.vera):
            self.assertIn("3", ids(c("LIST")[1]))
            self.assertEqual(["3"], self.found(c, "secret"))
            self.assertEqual(["3"], ids(c("QUEUE", "secret")))
            self.assertEqual("3", self.d.show(c, "3")["id"])
            self.assertIn("3", {json.loads(e)["ticket"] for e in c("EVENTS", "AFTER", "0")})

    def test_private_takes_nothing(self):
        """Nor is anything stored there for who does not see it; what he stored he hears again."""
        before = self.d.show(self.vera, "3")["n_messages"]
        call = json.dumps({"ticket": "3", "number": "+74951234567", "text": "x"})
        for command in (("SUBMIT", '{"ticket":"3","text":"x"}'), ("LOGCALL", call)):
            for c in (self.anna, self.lena):
                self.assertEqual("NOSUCH", c.raw(*command).code, command)
        self.assertEqual(before, self.d.show(self.vera, "3")["n_messages"])
        for _ in range(2):
            self.assertEqual("3", self.sam("LOGCALL", call, "ID", "p1"))
        self.assertEqual(before + 1, self.d.show(self.vera, "3")["n_messages"])

    def test_what_was_split_off_takes_its_files_along(self):
        """A message with a file, split off into a private line: its bytes are gone for who does not see that."""
        def new(raw):
            before = {t["id"] for t in self.d.list()}
            self.d.deliver(raw)
            return min({t["id"] for t in self.d.list()} - before or {""})
        raw = (b"From: ivan@customer.example\r\nTo: support@desk.example\r\nSubject: %s\r\nMessage-ID: <split-%s@customer.example>\r\n"
               b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n%s\r\n--b\r\n\r\nwords\r\n--b\r\n"
               b"Content-Type: text/plain; name=a.txt\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\n%s\r\n--b--\r\n")
        t = new(raw % (b"Scanner", b"1", b"", b"first file"))
        self.d.deliver(raw % (b"payroll", b"2", b"In-Reply-To: <split-1@customer.example>\r\n", b"second file"))
        self.assertEqual(2, self.d.show(self.vera, t)["n_messages"])
        self.assertEqual(b"second file", self.anna("BLOB", t, "2").encode())
        away = self.vera("SPLIT", t, t + ".2")
        self.assertEqual("secret", self.d.show(self.vera, away)["line"])
        self.assertEqual("NOSUCH", self.anna.raw("BLOB", t + ".2", "2").code)
        self.assertEqual(b"first file", self.anna("BLOB", t, "2").encode())
        self.assertEqual(b"second file", self.sam("BLOB", t + ".2", "2").encode())
        for x in (t, away):
            self.vera("RESOLVE", x)

    def test_private_is_not_there(self):
        """What changes a private ticket answers as if there were none; what is one's own, is."""
        def new(subject):
            before = {t["id"] for t in self.d.list()}
            self.d.deliver(mail(subject=subject))
            t, = {t["id"] for t in self.d.list()} - before
            return t
        hidden, other, mine = new("payroll 2"), new("payroll 3"), new("Scanner")
        for command in (("TAKE", hidden), ("TAKE", hidden, "ID", "spy1"), ("UNMERGE", hidden), ("UNMERGE", hidden, "ID", "spy2")):
            e = self.anna.raw(*command)
            self.assertEqual(("NOSUCH", "there is no ticket " + hidden), (e.code, str(e).split(" ", 1)[-1]), command)
        self.assertEqual("STATE", self.sam.raw("UNMERGE", hidden).code)
        self.vera("MERGE", mine, "INTO", hidden)
        e = self.anna.raw("UNMERGE", mine)
        self.assertEqual("NOSUCH", e.code)
        self.assertNotRegex(str(e), r"\b%s\b" % hidden)
        self.assertEqual(mine, self.vera("UNMERGE", mine))
        # kept for her in a line that is not hers
        self.vera("TRANSFER", other, "AGENT", "anna")
        first, again = (json.loads(self.anna("TAKE", other, "ID", "own1")) for _ in range(2))
        self.assertEqual((other, first["lease"]), (again["id"], again["lease"]))
        for t in (hidden, other, mine):
            self.vera("RESOLVE", t)

    def test_hidden_events_are_passed_by(self):
        for i in range(30):
            self.sam("TAG", "3", "+t%d" % i)
        self.lena("NOTE", "2", "after them all")
        seq, told = "0", []
        while True:
            page = [json.loads(e) for e in self.anna("EVENTS", "AFTER", seq, "COUNT", "1")]
            if not page:
                break
            self.assertEqual(1, len(page))
            seq = page[0]["seq"]
            told.append(seq)
        self.assertEqual([json.loads(e)["seq"] for e in self.anna("EVENTS", "AFTER", "0", "COUNT", "1000")], told)

    def test_private_events(self):
        spy, may = self.d.agent("anna", ready=False), self.d.agent("vera", ready=False)
        for c in (spy, may):
            c("PSUBSCRIBE", "*")
        self.sam("NOTE", "3", "hush")
        self.lena("NOTE", "2", "aloud")
        heard = []
        while not heard or heard[-1] != "2":
            heard.append(json.loads(may.read(timeout=60)[3])["ticket"])
        self.assertIn("3", heard)
        self.assertEqual("2", json.loads(spy.read(timeout=60)[3])["ticket"])

    def test_search(self):
        a = self.vera
        self.assertEqual(["4", "1"], self.found(a, "vpn"))
        self.assertEqual(["1"], self.found(a, "елки"), "ё is е")
        self.assertEqual(["1"], self.found(a, "ВСЕ", "МЕДЛ"), "case and prefixes")
        self.assertEqual(["5", "2"], self.found(a, "olga@shop"))
        self.assertEqual(["2"], self.found(a, "olga", "invoice", "77"))
        self.assertEqual([], self.found(a, "olga", "vpn"))
        self.assertEqual(["4"], self.found(a, "#4"))
        self.assertEqual("BADARG", a.raw("SEARCH", "?!").code)
        cursor, page = a("SEARCH", "vpn", "COUNT", 1)
        self.assertEqual(["4"], ids(page))
        self.assertEqual(["1"], ids(a("SEARCH", "vpn", "AFTER", cursor, "COUNT", 1)[1]))

    def test_search_is_never_stale(self):
        self.found(self.vera, "vpn")
        for i in range(20):
            word = "fresh%d" % i
            self.vera("NOTE", "5", "a note with " + word)
            self.assertEqual(["5"], self.found(self.vera, word))
        self.d.deliver(mail(subject="Unheard xylophone", text="new"))
        new, = self.found(self.vera, "xylophone")
        self.anna("TAKE", new)
        self.anna("RESOLVE", new)
        self.assertEqual([new], self.found(self.vera, "xylo"))


if __name__ == "__main__":
    unittest.main()
