"""Races: what happens in the same moment, again and again."""
# run: release asan
# takes: 15
# seconds: 300
import json
import os
import random
import socket
import struct
import threading
import time
import unittest

from desk import FULL, SANITIZED, SLOW, Client, Desk, RespError, dotted, mail, wait_for
from resp import Closed

ROUNDS = int(os.environ.get("HELPLINE_RACES", "1000" if FULL else "60" if SANITIZED else "200"))
QUIET = "acknowledge none\n"
ONE_LINE = 'lines first\nline first { holds 1000 }\nagent anna "Anna"\nagent boris "Boris"\n'


def gone_fin(sock):
    sock.close()


def gone_reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def gone_half(sock):
    sock.shutdown(socket.SHUT_WR)


class Held:
    """An LMTP connection whose mail lacks only its end."""

    def __init__(self, d, raw, sender="ivan@customer.example"):
        self.c = d.lmtp_client()
        self.c.line("LHLO race.example")
        self.c.line("MAIL FROM:<%s>" % sender)
        self.c.line("RCPT TO:<support@desk.example>")
        self.c.line("DATA")
        whole = dotted(raw)
        self.c.sock.sendall(whole[:-3])

    def finish(self):
        self.c.sock.sendall(b".\r\n")

    def answer(self):
        code, text = self.c.answer()
        self.c.close()
        if code != 250:
            raise AssertionError("LMTP: %d %s" % (code, text))


def together(*held):
    for h in held:
        h.finish()
    for h in held:
        h.answer()


class Gone(unittest.TestCase):
    def test_the_agent_goes_as_the_ticket_comes(self):
        """FIN, RST, half-close: the next who asks has the ticket within a second (the same
        agent at once; another when it cannot have been read), and nobody is blamed."""
        with Desk(agents=ONE_LINE, rules=QUIET) as d:
            token = d.token("anna")
            lmtp = d.lmtp_client()
            lmtp.line("LHLO race.example")
            rnd = random.Random(11)
            read_by_him = 0
            for i in range(ROUNDS):
                read_by_him += self.one_round(d, lmtp, token, (gone_fin, gone_reset, gone_half)[i % 3], rnd)
            lmtp.close()
            self.assertEqual([], d.list("STATE", "queued"))
            d.fsck()
            print("%d rounds, %d tickets had been given before he went" % (ROUNDS, read_by_him))

    def one_round(self, d, lmtp, token, gone, rnd):
        c = Client(("127.0.0.1", d.port))
        c("AUTH", token)
        c.send("RESERVE", "BLOCK", 0)
        t = threading.Timer(rnd.random() * 0.006 * SLOW, gone, (c.sock,))
        t.start()
        got = lmtp.send(mail(sender="c%d@customer.example" % rnd.randrange(50)), ["support@desk.example"])
        self.assertEqual(250, got[0][0], got)
        t.join()
        had = False
        if gone is gone_half:
            try:
                had = bool(c.read(5 * SLOW))
            except (Closed, TimeoutError):
                had = False
        c.sock.close()
        with Client(("127.0.0.1", d.port)) as again:
            again("AUTH", token)
            docs = d.reserve(again, "BLOCK", 20000)
            self.assertEqual(1, len(docs), "the ticket is not back (%s)" % gone.__name__)
            self.assertEqual((0, 0), (docs[0]["given_back"], docs[0]["expired"]), "somebody is blamed")
            again("RESOLVE", docs[0]["id"])
        return had

    def test_what_he_cannot_have_read_is_for_others_at_once(self):
        """The agent goes while the mail is on its way through the daemon: Boris has the
        ticket at once, unless Anna's side did read it."""
        with Desk(agents=ONE_LINE, rules=QUIET) as d:
            anna, boris = d.token("anna"), d.token("boris")
            for i in range(60 if FULL else 18):
                gone = (gone_fin, gone_reset, gone_half)[i % 3]
                c = Client(("127.0.0.1", d.port))
                c("AUTH", anna)
                c.send("RESERVE", "BLOCK", 0)
                time.sleep(0.02)
                held = Held(d, mail(sender="x%d@customer.example" % i))
                held.finish()
                gone(c.sock)
                held.answer()
                who = anna if gone is gone_half and self.was_given(c) else boris
                with Client(("127.0.0.1", d.port)) as b:
                    b("AUTH", who)
                    docs = d.reserve(b, "BLOCK", 20000)
                    self.assertEqual(1, len(docs), "not back long before its lease is over (%s)" % gone.__name__)
                    self.assertEqual((0, 0), (docs[0]["given_back"], docs[0]["expired"]))
                    b("RESOLVE", docs[0]["id"])
                c.sock.close()
            d.fsck()

    @staticmethod
    def was_given(c):
        try:
            return bool(c.read(2 * SLOW))
        except (Closed, TimeoutError):
            return False


class Together(unittest.TestCase):
    def test_two_mails_of_a_stranger_make_one_customer(self):
        with Desk(agents=ONE_LINE, rules=QUIET) as d:
            for i in range(40):
                who = "Stranger <s%d@new.example>" % i
                together(Held(d, mail(subject="a%d" % i, sender=who)), Held(d, mail(subject="b%d" % i, sender=who)))
            by = {}
            for t in d.list():
                by.setdefault(t["customer"]["emails"][0], set()).add(t["customer"]["id"])
            self.assertEqual(40, len(by))
            self.assertEqual({1}, {len(ids) for ids in by.values()})
            self.assertEqual(80, len(d.list()))
            d.fsck()

    def test_a_reply_overtakes_its_predecessor(self):
        with Desk(agents=ONE_LINE, rules=QUIET) as d:
            for i in range(20):
                who = "o%d@customer.example" % i
                d.deliver(mail(subject="Re: x", sender=who, reply_to="<o%d@customer.example>" % i))
                d.deliver(mail(subject="x", sender=who, message_id="<o%d@customer.example>" % i))
            self.assertEqual([2] * 20, [t["n_messages"] for t in d.list()])
            for i in range(20):
                who = "p%d@customer.example" % i
                together(Held(d, mail(subject="Re: x", sender=who, reply_to="<p%d@customer.example>" % i)),
                         Held(d, mail(subject="x", sender=who, message_id="<p%d@customer.example>" % i)))
            self.assertEqual([2] * 40, [t["n_messages"] for t in d.list()])
            d.fsck()

    def test_one_mail_three_times(self):
        """The same mail over three ways, with other Received lines: one message. The same
        Message-ID with another body: two."""
        with Desk(agents=ONE_LINE, rules=QUIET) as d:
            raw = mail(subject="Once", message_id="<once@customer.example>")
            ways = [b"Received: from relay%d.example by mx.example; Mon, 23 Nov 2026 10:00:0%d +0000\r\n" % (i, i) + raw
                    for i in range(3)]
            together(*[Held(d, w) for w in ways])
            for w in ways:
                d.deliver(w)
            docs = d.list()
            self.assertEqual([1], [t["n_messages"] for t in docs])
            d.deliver(raw.replace(b"Nothing works", b"All is broken"))
            self.assertEqual(2, sum(t["n_messages"] for t in d.list()))
            d.fsck()

    def test_two_accounts_of_one_mail(self):
        """One mail to both addresses of a mailbox: one message."""
        with Desk(agents=ONE_LINE, rules=QUIET) as d:
            got = d.lmtp(mail(), rcpts=("support@desk.example", "nobody@desk.example", "help@desk.example"))
            self.assertEqual([250, 550, 250], [code for code, _ in got])
            self.assertEqual([1], [t["n_messages"] for t in d.list()])


class Stale(unittest.TestCase):
    def test_the_customer_writes_between_reserve_and_reply(self):
        with Desk(agents=ONE_LINE, rules=QUIET) as d:
            anna = d.agent("anna")
            d.deliver(mail(subject="x", message_id="<x1@customer.example>"))
            doc = d.wait_reserve(anna)
            d.deliver(mail(subject="Re: x", reply_to="<x1@customer.example>", text="I mean y."))
            for words in (("REPLY", doc["id"], "Answer to x."), ("REPLY", doc["id"], "Answer.", "SEEN", doc["last_in"]),
                          ("RESOLVE", doc["id"], "SEEN", doc["last_in"]), ("RESOLVE", doc["id"], "TEXT", "Done.")):
                with self.assertRaises(RespError) as caught:
                    anna(*words)
                self.assertEqual("STALE", caught.exception.code)
                self.assertIn(" %s.2" % doc["id"], caught.exception.text)
            self.assertEqual([], d.sink.mails)
            shown = d.show(anna, doc["id"])
            self.assertEqual(doc["id"] + ".2", shown["last_in"])
            anna("REPLY", doc["id"], "Answer to y.")
            d.sink.wait(1)
            d.fsck()

    def test_repeats_are_done_once(self):
        with Desk(agents=ONE_LINE, rules=QUIET) as d:
            anna = d.agent("anna")
            for i in range(3):
                d.deliver(mail(subject="x%d" % i))
            first = anna("RESERVE", "ID", "key1")
            self.assertEqual([t["id"] for t in map(json.loads, first)],
                             [t["id"] for t in map(json.loads, anna("RESERVE", "ID", "key1"))])
            doc = json.loads(first[0])
            ids = {anna("REPLY", doc["id"], "Answer.", "ID", "key2") for _ in range(5)}
            ids |= {d.agent("anna")("REPLY", doc["id"], "Answer.", "ID", "key2")}
            self.assertEqual(1, len(ids))
            with self.assertRaises(RespError) as caught:
                anna("REPLY", doc["id"], "Another answer.", "ID", "key2")
            self.assertEqual("BADARG", caught.exception.code)
            other = d.wait_reserve(anna)
            ids = {anna("REPLY", other["id"], "Without a key.") for _ in range(3)}
            self.assertEqual(1, len(ids), "the same words with nothing in between are the same command")
            wait_for(lambda: len(d.sink.mails) >= 2)
            time.sleep(0.5)
            self.assertEqual(2, len(d.sink.mails))
            d.fsck()


if __name__ == "__main__":
    unittest.main()
