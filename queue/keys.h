/*
 * Every key of the store: type, content, life time. Nothing else in C spells one,
 * and queue/lua/ spells them behind the same prefix.
 *
 * All keys of a desk begin with KEY_PREFIX, so a desk is one slot and one script can
 * touch all of it. Times are milliseconds since 1970 unless the name ends in _us.
 * <id> is a ticket's number, <n> one from meta's next_id. Lives for ever unless it
 * says otherwise.
 */
#ifndef HELPLINE_QUEUE_KEYS_H
#define HELPLINE_QUEUE_KEYS_H

#define KEY_PREFIX "{desk}:"
#define STORE_SCHEMA 1

/* hash: schema, hintseq, now (desk's last time, us), next_ticket, next_id, live (1: mail
 * leaves), key:<c> (secret for Message-IDs, hex; the greatest c signs), ticker (id of
 * the daemon that ticks), ticked (last tick, about), claimed_by and claims (the last
 * tick that claimed outbox entries, and which), pause (leases and graces wait until
 * then), sweep (cursor), sim (1: virtual time, for simulation and tests) */
#define KEY_META KEY_PREFIX "meta"
/* hash: the ticket; daemon/model/ticket.h has its fields; and `nonce`, the last commit's */
#define KEY_TICKET KEY_PREFIX "t:"
/* suffixes of a ticket's key: list of message documents (number n at index n - 1);
 * hash message id -> JSON array of deliveries (those with "report", the message that
 * reported it, outlast what the outbox says), and "<message id>:ob" -> outbox
 * entry; list of the log's documents, at most 500 */
#define KEY_TICKET_MESSAGES ":m"
#define KEY_TICKET_DELIVERY ":d"
#define KEY_TICKET_LOG ":log"
#define KEY_DELIVERY_ENTRY ":ob"
/* and an unfinished answer: {"by","at","text"}, "" none */
#define KEY_DELIVERY_DRAFT "draft"
/* zset: ticket (padded to 12 digits) -> v_us: what waits in a class */
#define KEY_QUEUE KEY_PREFIX "q:"
#define TICKET_PAD 12
/* hash: class -> v_us of its queue's first; and HEAD_WIDE, a field too wide for Redis's
 * packed form of small hashes: a look at 500 of 500 classes took 2.5 ms there, and takes
 * 0.08 in a table */
#define KEY_HEAD KEY_PREFIX "head"
#define HEAD_WIDE "-"
#define HEAD_WIDE_TEXT                                                                   \
        "this keeps the hash out of the packed form, in which each look is a search of " \
        "it all"
/* hash: class -> its document */
#define KEY_CLASS KEY_PREFIX "class"
/* hash: class -> how many open tickets name it */
#define KEY_CREF KEY_PREFIX "cref"
/* hash: calendar -> its document; and how many class documents name it */
#define KEY_CALENDAR KEY_PREFIX "cal"
#define KEY_CALREF KEY_PREFIX "calref"
/* zset: ticket (padded) -> v_us: what is kept for its last holder */
#define KEY_OWN KEY_PREFIX "own:"
/* zset: ticket -> until, at most 7: what he is not offered */
#define KEY_SKIP KEY_PREFIX "skip:"
/* hash: presence (ready away offline), reason, used, idle_since, grace_until, grace_bot,
 * wrap_until (nothing new for him until then);
 * holds, deputy (of the configuration); absent_from, absent_until, absent_deputy (ABSENT;
 * without them none), absent (1: it has begun), absent_moved (1: what he had was handed on), closed (1: outside his hours) */
#define KEY_AGENT KEY_PREFIX "a:"
/* zset: message -> when: consultations and answers to be approved that are asked of him; the
 * name is "a:<agent>" or "l:<line>" */
#define KEY_ASKED KEY_PREFIX "asked:"
/* set: tickets in his hands */
#define KEY_HELD KEY_PREFIX "held:"
/* zset: ticket -> its number: queued, held, waiting and resolved ones */
#define KEY_OPEN KEY_PREFIX "open"
/* zset: ticket -> its number: closed and merged ones */
#define KEY_CLOSED KEY_PREFIX "closed"
/* hash of counters: s:<state>, l:<state>:<line>, o:<outbox state>, in, duplicates,
 * quarantined */
#define KEY_COUNTS KEY_PREFIX "n"
/* stream, about 10,000: s hintseq, d daemon, h "c:<class>:<v_us of its head>" or "a:<agent>"; health
 * puts d daemon, token there */
#define KEY_HINTS KEY_PREFIX "hints"
/* zset: <kind>:<id> -> at; kinds lease, half (of it), own, wait, close (of a ticket), grace,
 * wrap, absent (of an agent: it begins, ends, or there is more to fall back) */
#define KEY_DUE KEY_PREFIX "due"
/* string, counters of acknowledgements to an address: 1 h, 24 h */
#define KEY_RATE_HOUR KEY_PREFIX "rate:h:"
#define KEY_RATE_DAY KEY_PREFIX "rate:d:"
/* hash: ticket, message, kind (reply ack ask notice), account, template, lang, to (JSON array),
 * delivery (JSON array or ""), why (of a notice), state (queued deferred claimed dead), tries, created, next, last,
 * bounced (1: a report said that one of them was refused after it had left: it ends as a
 * dead letter; an entry that was over comes back so) */
#define KEY_OUTBOX KEY_PREFIX "ob:"
/* zset: ticket -> when the daemon is to look at its clocks (field `clocks`), as its field
 * `clock` has it: what counts open time is turned by queue/ticket_clock.c */
#define KEY_CLOCK KEY_PREFIX "clock"
/* zset: outbox entry -> next; all but the dead. In rehearsal nobody looks at it */
#define KEY_OUTBOX_DUE KEY_PREFIX "obdue"
/* zset: outbox entry -> when it was given up */
#define KEY_DEAD KEY_PREFIX "dead"
/* hash: name, emails, phones (JSON arrays), and refused:<address> for each of his
 * addresses that mail was refused for: {"address","at","status","permanent","reply"}; with
 * suffix zset of his tickets */
#define KEY_CUSTOMER KEY_PREFIX "cust:"
#define KEY_CUSTOMER_REFUSED "refused:"
#define KEY_CUSTOMER_TICKETS ":t"
/* string: customer of a normalised address */
#define KEY_ADDRESS KEY_PREFIX "addr:"
/* zset: ticket -> when it was tagged so, for `more than N tagged T in D`: at most N of the last D */
#define KEY_TAGGED KEY_PREFIX "tagged:"
/* string, as long as the window: <sentence>:<agent> that was told, and of which ticket */
#define KEY_TOLD KEY_PREFIX "told:"
/* string, 90 d: "<message id> <nonce of its put> <acknowledged>" */
#define KEY_SEEN KEY_PREFIX "seen:"
#define SEEN_MS (90LL * 86400 * 1000)
/* string, 400 d: ticket of a Message-ID (mid_hash) */
#define KEY_MID KEY_PREFIX "mid:"
/* string, 24 h (a daemon's own: 10 min): hash of the arguments, newline, the answer */
#define KEY_IDEM KEY_PREFIX "idem:"
#define IDEM_MS (24LL * 3600 * 1000)
#define IDEM_OWN_MS (600LL * 1000)
/* cur:<account>: string, a channel's own words (a position in a log); for ever */
#define KEY_CURSOR KEY_PREFIX "cur:"
/* stream, about 1,000,000: at, event (queue/events.def), ticket, line, agent, who, why */
#define KEY_JOURNAL KEY_PREFIX "journal"
/* zset: quarantine entry -> when; hash: account, why, raw (blob reference), at, ticket,
 * message */
#define KEY_QUARANTINE KEY_PREFIX "quarantine"
#define KEY_QUARANTINED KEY_PREFIX "quar:"
/* hash: agent, sha256, name, created, used; sets of all ids, and of an agent's */
#define KEY_TOKEN KEY_PREFIX "tok:"
#define KEY_TOKENS KEY_PREFIX "toks"
#define KEY_AGENT_TOKENS KEY_PREFIX "toks:"

#endif
