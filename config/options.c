/*
 * The table of options; see options.h. It is data: what a value may look like is
 * in value.c, what becomes of it in build.c, what the rules mean in compile.c.
 */
#include "config/options.h"

#include <ctype.h>
#include <string.h>

#include "config/build.h"
#include "config/config.h"
#include "config/hours.h"

#define SECOND 1000LL
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define YEAR (365 * DAY)
#define KB 1024LL
#define GB (1024 * 1024 * KB)

#define IN_CONFIG(field) offsetof(struct config, field)
#define IN_CONFIG_N(field)                                                               \
        offsetof(struct config, field), offsetof(struct config, n_##field)
#define IN_MAIL(field) offsetof(struct mail_account, field)
#define IN_MAIL_BUILD(field) offsetof(struct mail_build, field)
#define IN_RELAY(field) offsetof(struct relay, field)
#define IN_LINE(field) offsetof(struct line_options, field)
#define IN_AGENT(field) offsetof(struct agent_options, field)
#define IN_ROUTE_N(field) offsetof(struct route, field), offsetof(struct route, n_##field)
#define IN_LINE_N(field)                                                                 \
        offsetof(struct line_options, field), offsetof(struct line_options, n_##field)
#define IN_ROUTE(field) offsetof(struct route, field)
#define IN_FORM(field) offsetof(struct form_options, field)
#define IN_FIELD(field) offsetof(struct field_options, field)
#define IN_PHONE(field) offsetof(struct phone_options, field)
#define IN_HOURS(field) offsetof(struct hours_build, field)
#define IN_PROMISE(field) offsetof(struct promise_build, promise.field)
#define NOWHERE 0, 0

#define LATER(block, name)                                                               \
        {                                                                                \
                block, name, TYPE_LATER, "", 0, 0, "", NOWHERE, BLOCK_ANY,               \
                    OPTION_REPEATS, ""                                                   \
        }

/* clang-format off */
const struct option options[] = {
    /* ---- top ---- */
    {BLOCK_TOP, "name", TYPE_TEXT, "a text", 0, 0, "helpline", IN_CONFIG(name), 0, BLOCK_NONE, 0,
        "name of the desk: the sender's name in mails"},
    {BLOCK_TOP, "language", TYPE_LANGUAGES, "languages", 0, 0, "ru en", IN_CONFIG_N(languages), BLOCK_NONE, 0,
        "languages of automatic mails; the first is the default"},
    {BLOCK_TOP, "timezone", TYPE_TIMEZONE, "a time zone", 0, 0, "", IN_CONFIG(timezone), 0, BLOCK_NONE, 0,
        "time zone by its IANA name; default: the system's"},
    {BLOCK_TOP, "url", TYPE_URL, "a URL", 0, 0, "", IN_CONFIG(url), 0, BLOCK_NONE, 0,
        "address for links in mails to customers; default: no links"},
    {BLOCK_TOP, "include", TYPE_INCLUDE, "files", 0, 0, "", NOWHERE, BLOCK_NONE, OPTION_REPEATS,
        "further files, relative to the one they are named in"},
    {BLOCK_TOP, "state", TYPE_PATH, "a folder", 0, 0, "", IN_CONFIG(state), 0, BLOCK_NONE, OPTION_RESTART,
        "state directory; default: $STATE_DIRECTORY, else /var/lib/helpline"},
    {BLOCK_TOP, "store", TYPE_STORE, "embedded, unix:///PATH or redis://HOST:PORT/N", 0, 0, "embedded", IN_CONFIG(store), 0, BLOCK_STORE, OPTION_RESTART,
        "where tickets are kept: a Redis of its own, or yours"},
    {BLOCK_STORE, "password", TYPE_SECRET, "a secret", 0, 0, "", IN_CONFIG(store_password), 0, BLOCK_NONE, OPTION_RESTART,
        "password of the store: file \"...\" (mode 0600) or credential NAME"},
    {BLOCK_TOP, "send-delay", TYPE_DURATION, "a duration", 0, DAY, "20s", IN_CONFIG(send_delay_ms), 0, BLOCK_NONE, 0,
        "an answer waits this long, to think again"},
    {BLOCK_TOP, "reopen", TYPE_DURATION, "a duration", MINUTE, 3 * YEAR, "14d", IN_CONFIG(reopen_ms), 0, BLOCK_NONE, 0,
        "a resolved ticket opens again until then; later mail makes a new one, linked"},
    {BLOCK_TOP, "alert", TYPE_ADDRESSES, "mail addresses", 0, 0, "", IN_CONFIG_N(alert), BLOCK_ALERT, 0,
        "who is told when something is broken (in this version: the log says it)"},
    {BLOCK_ALERT, "silent", TYPE_DURATION, "a duration", 0, 30 * DAY, "30m", IN_CONFIG(alert_silent_ms), 0, BLOCK_NONE, 0,
        "the same alert again only after this long"},
    {BLOCK_TOP, "priorities", TYPE_BLOCK, "a block", 0, 0, "", NOWHERE, BLOCK_PRIORITIES, 0,
        "head starts of the priorities"},
    {BLOCK_PRIORITIES, "urgent", TYPE_HEAD, "a duration", -30 * DAY, 30 * DAY, "4h", IN_CONFIG(priority_head_ms[PRIORITY_URGENT]), 0, BLOCK_NONE, 0,
        "goes before what came up to this much earlier"},
    {BLOCK_PRIORITIES, "high", TYPE_HEAD, "a duration", -30 * DAY, 30 * DAY, "1h", IN_CONFIG(priority_head_ms[PRIORITY_HIGH]), 0, BLOCK_NONE, 0,
        "the same for high"},
    {BLOCK_PRIORITIES, "normal", TYPE_HEAD, "a duration", -30 * DAY, 30 * DAY, "0s", IN_CONFIG(priority_head_ms[PRIORITY_NORMAL]), 0, BLOCK_NONE, 0,
        "the same for normal"},
    {BLOCK_PRIORITIES, "low", TYPE_HEAD, "a duration", -30 * DAY, 30 * DAY, "-4h", IN_CONFIG(priority_head_ms[PRIORITY_LOW]), 0, BLOCK_NONE, 0,
        "the same for low"},

    /* ---- ways in and out ---- */
    {BLOCK_TOP, "mail", TYPE_MAIL, "a mail address", 0, 0, "", NOWHERE, BLOCK_MAIL, OPTION_REPEATS,
        "a mail account by its address"},
    {BLOCK_MAIL, "name", TYPE_TEXT, "a text", 0, 0, "", IN_MAIL(name), 0, BLOCK_NONE, 0,
        "the sender's name in mails of this account; default: the desk's"},
    {BLOCK_MAIL, "also", TYPE_ADDRESSES, "mail addresses", 0, 0, "", IN_MAIL(also), IN_MAIL(n_also), BLOCK_NONE, 0,
        "further addresses of the same mailbox"},
    {BLOCK_MAIL, "forwards", TYPE_SWITCH, "yes or no", 0, 0, "yes", IN_MAIL(forwards), 0, BLOCK_NONE, 0,
        "a mail that an agent forwards to it becomes a mail of its first sender"},
    {BLOCK_MAIL, "forwarders", TYPE_ADDRESSES, "mail addresses", 0, 0, "", IN_MAIL(forwarders), IN_MAIL(n_forwarders), BLOCK_NONE, 0,
        "further addresses that may forward so; agents' own need not be named"},
    {BLOCK_MAIL, "acknowledge-forwards", TYPE_SWITCH, "yes or no", 0, 0, "", IN_MAIL(acknowledge_forwards), 0, BLOCK_NONE, 0,
        "the first sender of what was forwarded gets an acknowledgement, too"},
    {BLOCK_MAIL, "password", TYPE_SECRET, "a secret", 0, 0, "", IN_MAIL_BUILD(password), 0, BLOCK_NONE, 0,
        "password of the mailbox, and of its relays that name a user but no password"},
    {BLOCK_MAIL, "smtp", TYPE_RELAY, "a URL like smtp://HOST:PORT", 0, 0, "smtp://localhost", NOWHERE, BLOCK_RELAY, OPTION_REPEATS,
        "a relay for what leaves: smtp://[USER@]HOST[:PORT]; several: in order of trial"},
    {BLOCK_RELAY, "password", TYPE_SECRET, "a secret", 0, 0, "", IN_RELAY(password), 0, BLOCK_NONE, 0,
        "password of the relay's user: file \"...\" (mode 0600) or credential NAME"},
    {BLOCK_TOP, "lmtp", TYPE_BLOCK, "a block", 0, 0, "", NOWHERE, BLOCK_LMTP, 0,
        "the listener for mail from a mail server"},
    {BLOCK_LMTP, "listen", TYPE_LISTEN, "addresses like unix:PATH or 127.0.0.1:7724", 0, 0, "unix:lmtp.sock", IN_CONFIG_N(lmtp_listen), BLOCK_NONE, 0,
        "unix:PATH (in the state directory) or HOST:PORT; several"},
    {BLOCK_TOP, "socket", TYPE_BLOCK, "a block", 0, 0, "", NOWHERE, BLOCK_SOCKET, 0,
        "the listener for agents"},
    {BLOCK_SOCKET, "listen", TYPE_LISTEN, "addresses like unix:PATH or 127.0.0.1:7711", 0, 0, "unix:agents.sock 127.0.0.1:7711", IN_CONFIG_N(socket_listen), BLOCK_NONE, 0,
        "unix:PATH (in the state directory) or HOST:PORT; several"},

    /* ---- web forms ---- */
    {BLOCK_TOP, "web", TYPE_BLOCK, "a block", 0, 0, "", NOWHERE, BLOCK_WEB, 0,
        "the listener for browsers and programs"},
    {BLOCK_WEB, "listen", TYPE_LISTEN, "addresses like unix:PATH or 127.0.0.1:7780", 0, 0, "127.0.0.1:7780", IN_CONFIG_N(web_listen), BLOCK_NONE, 0,
        "unix:PATH (in the state directory) or HOST:PORT; several"},
    {BLOCK_WEB, "proxy", TYPE_PROXIES, "IP addresses", 0, 0, "127.0.0.1", IN_CONFIG_N(web_proxy), BLOCK_NONE, 0,
        "reverse proxies in front, whose word for the client's address counts"},
    {BLOCK_WEB, "sites", TYPE_ORIGINS, "origins like https://www.host.example", 0, 0, "", IN_CONFIG_N(web_sites), BLOCK_NONE, 0,
        "pages of these sites may call /v1 in a browser; default: our own only"},
    {BLOCK_TOP, "form", TYPE_FORM, "a name", 0, 0, "", NOWHERE, BLOCK_FORM, OPTION_REPEATS,
        "a web form: its page is at /f/NAME"},
    {BLOCK_FORM, "sites", TYPE_ORIGINS, "origins like https://www.host.example", 0, 0, "", IN_FORM(sites), IN_FORM(n_sites), BLOCK_NONE, 0,
        "pages of these sites may send it; default: our own page only"},
    {BLOCK_FORM, "thanks", TYPE_URL, "a URL", 0, 0, "", IN_FORM(thanks), 0, BLOCK_NONE, 0,
        "where the customer is led to afterwards; default: a page with the ticket's number"},
    {BLOCK_FORM, "reply-as", TYPE_ADDRESS, "an address of a mail account", 0, 0, "", IN_FORM(reply_as), 0, BLOCK_NONE, 0,
        "answers leave from it; default: the first mail account"},
    {BLOCK_FORM, "rate", TYPE_COUNT, "a number", 1, 100000, "20", IN_FORM(rate), 0, BLOCK_NONE, 0,
        "it may be sent so often in an hour from one address"},
    {BLOCK_FORM, "field", TYPE_FIELD, "a name", 0, 0, "", NOWHERE, BLOCK_FIELD, OPTION_REPEATS,
        "a field of the form; they are shown in this order"},
    {BLOCK_FIELD, "type", TYPE_WORD, "line, text, email, phone, number, date, choices, files or consent", 0, 0, "line", IN_FIELD(type), 0, BLOCK_NONE, 0,
        "what is written into it"},
    {BLOCK_FIELD, "required", TYPE_SWITCH, "yes or no", 0, 0, "", IN_FIELD(required), 0, BLOCK_NONE, 0,
        "it must not be left empty"},
    {BLOCK_FIELD, "label", TYPE_LABEL, "a text, or a language and a text", 0, 0, "", NOWHERE, BLOCK_NONE, OPTION_REPEATS,
        "what stands beside it: \"Product\", or en \"Product\" and ru \"Изделие\""},
    {BLOCK_FIELD, "choices", TYPE_TEXTS, "texts", 0, 0, "", IN_FIELD(choices), IN_FIELD(n_choices), BLOCK_NONE, 0,
        "what can be chosen; makes it type choices"},
    {BLOCK_FIELD, "at-most", TYPE_COUNT, "a number", 1, 50, "", IN_FIELD(at_most), 0, BLOCK_NONE, 0,
        "so many files; default: 5"},
    {BLOCK_FIELD, "limit", TYPE_SIZE, "a size", 1, GB, "", IN_FIELD(limit), 0, BLOCK_NONE, 0,
        "the longest text, or all files together; default: 20MB of files, 64KB of text"},
    {BLOCK_FIELD, "text", TYPE_AGREED, "a text, or file \"...\"", 0, 0, "", NOWHERE, BLOCK_NONE, 0,
        "of a consent: what is agreed to"},

    /* ---- phone logs ---- */
    {BLOCK_TOP, "country", TYPE_COUNTRY, "a calling code", 0, 0, "", NOWHERE, BLOCK_NONE, 0,
        "of telephone numbers without one: 7, 44"},
    {BLOCK_TOP, "phone", TYPE_PHONE, "a name", 0, 0, "", NOWHERE, BLOCK_PHONE, OPTION_REPEATS,
        "a telephone exchange whose calls are read"},
    {BLOCK_PHONE, "asterisk", TYPE_LOG, "file \"...\"", PHONE_ASTERISK_CSV, 0, "", NOWHERE, BLOCK_NONE, 0,
        "its log as cdr_csv writes it: Master.csv"},
    {BLOCK_PHONE, "asterisk-custom", TYPE_LOG, "file \"...\"", PHONE_ASTERISK_CUSTOM, 0, "", NOWHERE, BLOCK_NONE, 0,
        "its log as cdr_custom writes it, in the order it comes with"},
    {BLOCK_PHONE, "freeswitch", TYPE_LOG, "file \"...\"", PHONE_FREESWITCH_CSV, 0, "", NOWHERE, BLOCK_NONE, 0,
        "its log as mod_cdr_csv writes it"},
    {BLOCK_PHONE, "push", TYPE_LOG, "nothing", PHONE_PUSH, 0, "", NOWHERE, BLOCK_NONE, 0,
        "calls are sent here: POST /calls/NAME, or helpline feed NAME"},
    {BLOCK_PHONE, "password", TYPE_SECRET, "a secret", 0, 0, "", IN_PHONE(token), 0, BLOCK_NONE, 0,
        "the token of who sends calls by HTTP; default: only helpline feed may"},
    {BLOCK_PHONE, "column-17", TYPE_EITHER, "userfield or uniqueid", 0, 0, "uniqueid", IN_PHONE(column17_is_userfield), 0, BLOCK_NONE, 0,
        "what the last column is where Master.csv has 17 of them"},
    {BLOCK_PHONE, "ours", TYPE_NUMBERS, "telephone numbers", 0, 0, "", IN_PHONE(ours), IN_PHONE(n_ours), BLOCK_NONE, 0,
        "our numbers: other calls are not kept; default: all calls are"},
    {BLOCK_PHONE, "missed", TYPE_EITHER, "ticket or ignore", 0, 0, "ticket", IN_PHONE(missed_ticket), 0, BLOCK_NONE, 0,
        "what becomes of a call that nobody took"},
    {BLOCK_PHONE, "repeated", TYPE_DURATION, "a duration", 0, YEAR, "1d", IN_PHONE(repeated_ms), 0, BLOCK_NONE, 0,
        "the same number again within this time: the same ticket"},
    {BLOCK_PHONE, "short", TYPE_DURATION, "a duration", 0, HOUR, "5s", IN_PHONE(short_ms), 0, BLOCK_NONE, 0,
        "hung up sooner: counted, no ticket"},
    {BLOCK_PHONE, "callback", TYPE_DURATION, "a duration", 0, DAY, "20s", IN_PHONE(callback_ms), 0, BLOCK_NONE, 0,
        "our call to the number of a missed call, this long, resolves its ticket"},
    {BLOCK_PHONE, "answered", TYPE_WORD, "note, ticket or ignore", 0, 0, "note", IN_PHONE(answered), 0, BLOCK_NONE, 0,
        "what becomes of a call that was taken; note: on the caller's open ticket, if any"},
    {BLOCK_PHONE, "timezone", TYPE_TIMEZONE, "a time zone", 0, 0, "", IN_PHONE(timezone), 0, BLOCK_NONE, 0,
        "of the times in the log; default: the desk's"},

    /* ---- people ---- */
    {BLOCK_TOP, "lines", TYPE_DECLARE_LINES, "names", 0, 0, "first", NOWHERE, BLOCK_NONE, 0,
        "the support lines, from left to right"},
    {BLOCK_TOP, "line", TYPE_DECLARE_LINE, "the name of a line", 0, 0, "", NOWHERE, BLOCK_LINE, OPTION_REPEATS,
        "options of one line"},
    {BLOCK_LINE, "holds", TYPE_COUNT, "a number", 1, 1000, "4", IN_LINE(holds), 0, BLOCK_NONE, 0,
        "tickets in hand at once of an agent at home there"},
    {BLOCK_LINE, "lease", TYPE_DURATION, "a duration", 5 * SECOND, 90 * DAY, "4h", IN_LINE(lease_ms), 0, BLOCK_NONE, 0,
        "a ticket not touched by its agent for this long goes back"},
    {BLOCK_LINE, "handed", TYPE_HEAD, "a duration", -30 * DAY, 30 * DAY, "0s", IN_LINE(handed_ms), 0, BLOCK_NONE, 0,
        "head start of what is handed to it by ESCALATE, RETURN or TRANSFER"},
    {BLOCK_LINE, "escalate", TYPE_OPEN, "a duration", MINUTE / 60, 5 * YEAR, "", IN_LINE(escalate), 0, BLOCK_NONE, 0,
        "queued or in hand for so long in open hours: it goes one line up; default: only by hand"},
    {BLOCK_LINE, "private", TYPE_SWITCH, "yes or no", 0, 0, "", IN_LINE(is_private), 0, BLOCK_NONE, 0,
        "its tickets are seen by its agents and by leads only"},
    {BLOCK_LINE, "allow-cc", TYPE_SWITCH, "yes or no", 0, 0, "", IN_LINE(allow_cc), 0, BLOCK_NONE, 0,
        "its agents may answer to other addresses than the customer's"},
    {BLOCK_LINE, "wrap-up", TYPE_DURATION, "a duration", 0, DAY, "0s", IN_LINE(wrap_up_ms), 0, BLOCK_NONE, 0,
        "its agents get nothing new for so long after each that they have finished"},
    {BLOCK_LINE, "steps", TYPE_BLOCK, "a block", 0, 0, "", NOWHERE, BLOCK_STEPS, 0,
        "how what is handed to it widens while it waits"},
    {BLOCK_TOP, "hours", TYPE_HOURS, "a name", 0, 0, "", NOWHERE, BLOCK_HOURS, OPTION_REPEATS,
        "open hours, by which promises and steps are counted"},
    {BLOCK_HOURS, "mon-fri", TYPE_DAYS, "hours like 09:00-18:00, or closed", 0, 0, "", NOWHERE, BLOCK_NONE, OPTION_REPEATS,
        "days of the week (mon, mon-fri, mon wed fri) and when they are open; days not said are closed"},
    {BLOCK_HOURS, "2026-12-31", TYPE_DATE, "hours like 09:00-18:00, or closed", 0, 0, "", NOWHERE, BLOCK_NONE, OPTION_REPEATS,
        "a date, or dates A .. B, with hours of their own"},
    {BLOCK_HOURS, "holidays", TYPE_HOLIDAYS, "file \"...\"", 0, 0, "", NOWHERE, BLOCK_NONE, OPTION_REPEATS,
        "an iCalendar file: its days are closed, but where a date is said here"},
    {BLOCK_HOURS, "timezone", TYPE_TIMEZONE, "a time zone", 0, 0, "", IN_HOURS(calendar.zone), 0, BLOCK_NONE, 0,
        "default: the desk's"},
    {BLOCK_TOP, "promise", TYPE_PROMISE, "a name", 0, 0, "", NOWHERE, BLOCK_PROMISE, OPTION_REPEATS,
        "what is promised to customers, for routes"},
    {BLOCK_PROMISE, "hours", TYPE_HOURS_OF, "the name of open hours, or always", 0, 0, "always", offsetof(struct promise_build, hours), 0, BLOCK_NONE, 0,
        "only open time counts"},
    {BLOCK_PROMISE, "first-response", TYPE_OPEN, "a duration", SECOND, 2 * YEAR, "", IN_PROMISE(first_response), 0, BLOCK_NONE, 0,
        "a person answers or calls back"},
    {BLOCK_PROMISE, "next-response", TYPE_OPEN, "a duration", SECOND, 2 * YEAR, "", IN_PROMISE(next_response), 0, BLOCK_NONE, 0,
        "a person answers what the customer writes later"},
    {BLOCK_PROMISE, "resolution", TYPE_OPEN, "a duration", SECOND, 2 * YEAR, "", IN_PROMISE(resolution), 0, BLOCK_NONE, 0,
        "the ticket is resolved, not counting while it is with the customer"},
    {BLOCK_PROMISE, "priority", TYPE_WORD, "low, normal, high or urgent", 0, 0, "low", IN_PROMISE(priority), 0, BLOCK_NONE, 0,
        "when it is at risk the ticket has at least this priority; its start stays"},
    {BLOCK_PROMISE, "warn", TYPE_SHARE, "a share like 80%", 1, 99, "80%", IN_PROMISE(warn), 0, BLOCK_NONE, 0,
        "when this much of the time has passed, the promise is at risk"},
    {BLOCK_TOP, "no-answer", TYPE_BLOCK, "a block", 0, 0, "", NOWHERE, BLOCK_NO_ANSWER, 0,
        "what is done when a customer does not answer; default: nothing"},
    {BLOCK_NO_ANSWER, "remind", TYPE_DURATION, "a duration", MINUTE / 60, YEAR, "", IN_CONFIG(remind_ms), 0, BLOCK_NONE, 0,
        "after so long he is reminded, once"},
    {BLOCK_NO_ANSWER, "close", TYPE_DURATION, "a duration", MINUTE / 60, YEAR, "", IN_CONFIG(give_up_ms), 0, BLOCK_NONE, 0,
        "after so long the ticket is resolved, and he is told"},
    {BLOCK_TOP, "help-delay", TYPE_DURATION, "a duration", 0, 30 * DAY, "30m", IN_CONFIG(help_delay_ms), 0, BLOCK_NONE, 0,
        "how much later a ticket of a line one helps counts: an order, not a veto"},
    {BLOCK_TOP, "balance", TYPE_EITHER, "load or idle", 0, 0, "idle", IN_CONFIG(balance_load), 0, BLOCK_NONE, 0,
        "who is asked first: who has been idle longest, or who has the smallest share of his capacity in hand"},
    {BLOCK_TOP, "weight", TYPE_WEIGHT, "email, web or phone, and a number", 1, 100, "1", NOWHERE, BLOCK_NONE, OPTION_REPEATS,
        "a ticket of that channel counts as so many in hand"},
    {BLOCK_TOP, "agent", TYPE_AGENT, "a name", 0, 0, "", NOWHERE, BLOCK_AGENT, OPTION_REPEATS,
        "a person or a program that answers: name and full name"},
    {BLOCK_AGENT, "role", TYPE_ROLE, "agent, lead, admin or bot", 0, 0, "agent", IN_AGENT(role), 0, BLOCK_NONE, 0,
        "what he may do"},
    {BLOCK_AGENT, "line", TYPE_LINE, "the name of a line", 0, 0, "", IN_AGENT(line), 0, BLOCK_NONE, 0,
        "where he is at home; default: the first line"},
    {BLOCK_AGENT, "helps", TYPE_LINES, "names of lines", 0, 0, "", IN_AGENT(helps), IN_AGENT(n_helps), BLOCK_NONE, 0,
        "lines he is asked for when nobody of theirs is free"},
    {BLOCK_AGENT, "skills", TYPE_SKILLS, "skills with levels", 0, 0, "", IN_AGENT(skills), IN_AGENT(n_skills), BLOCK_NONE, 0,
        "what he can, 1 to 10: network:4"},
    {BLOCK_AGENT, "only", TYPE_SKILL_OF, "the name of a skill", 0, 0, "", IN_AGENT(only), 0, BLOCK_NONE, 0,
        "he is offered only what needs this skill"},
    {BLOCK_AGENT, "holds", TYPE_COUNT, "a number", 1, 1000, "", IN_AGENT(holds), 0, BLOCK_NONE, 0,
        "tickets in hand at once; default: that of his line"},
    {BLOCK_AGENT, "deputy", TYPE_AGENT_OF, "the name of an agent", 0, 0, "", IN_AGENT(deputy), 0, BLOCK_NONE, 0,
        "who is asked for him when he is absent, offline or full; default: his line"},
    {BLOCK_AGENT, "trainee", TYPE_TRAINEE, "of and the name of an agent", 0, 0, "", NOWHERE, BLOCK_NONE, 0,
        "his answers wait until this agent has approved them"},
    {BLOCK_AGENT, "login", TYPE_LOGIN, "a Unix user", 0, 0, "", IN_AGENT(login), 0, BLOCK_NONE, 0,
        "this Unix user is he on the local socket, without a token"},
    {BLOCK_AGENT, "hours", TYPE_HOURS_OF, "the name of open hours, or always", 0, 0, "", IN_AGENT(hours), 0, BLOCK_NONE, 0,
        "when he works: outside he counts as away; default: always"},
    {BLOCK_AGENT, "notify", TYPE_EITHER, "mail or nothing", 0, 0, "nothing", IN_AGENT(notify_mail), 0, BLOCK_NONE, 0,
        "notices to him are sent by mail too"},
    {BLOCK_AGENT, "mail", TYPE_ADDRESS, "a mail address", 0, 0, "", IN_AGENT(mail), 0, BLOCK_NONE, 0,
        "his own address"},

    /* ---- rules ---- */
    {BLOCK_TOP, "skills", TYPE_DECLARE_SKILLS, "names", 0, 0, "", NOWHERE, BLOCK_NONE, OPTION_REPEATS,
        "the skills there are"},
    {BLOCK_TOP, "list", TYPE_LIST, "a name, then addresses or file \"...\"", 0, 0, "", NOWHERE, BLOCK_NONE, OPTION_REPEATS,
        "a list of addresses, @domains and telephone numbers, for conditions"},
    {BLOCK_TOP, "customers", TYPE_CUSTOMERS, "file \"...\"", 0, 0, "", NOWHERE, BLOCK_NONE, 0,
        "a table of customers (CSV with a head line), for conditions"},
    {BLOCK_TOP, "tag", TYPE_RULE, "tags", 0, 0, "", NOWHERE, BLOCK_NONE, OPTION_REPEATS,
        "puts tags on a ticket"},
    {BLOCK_TOP, "need", TYPE_RULE, "skills with levels", 0, 0, "", NOWHERE, BLOCK_NONE, OPTION_REPEATS,
        "skills wanted of its agent"},
    {BLOCK_TOP, "must", TYPE_RULE, "skills with levels", 0, 0, "", NOWHERE, BLOCK_NONE, OPTION_REPEATS,
        "skills its agent must have"},
    {BLOCK_TOP, "priority", TYPE_RULE, "low, normal, high or urgent", 0, 0, "", NOWHERE, BLOCK_NONE, OPTION_REPEATS,
        "its priority; the last sentence that holds decides"},
    {BLOCK_TOP, "acknowledge", TYPE_RULE, "the name of a template, or none", 0, 0, "standard", NOWHERE, BLOCK_NONE, OPTION_REPEATS,
        "the template of its acknowledgement; the last sentence that holds decides"},
    {BLOCK_TOP, "shelve", TYPE_RULE, "a condition", 0, 0, "", NOWHERE, BLOCK_NONE, OPTION_REPEATS,
        "the ticket is kept, and no agent is asked"},
    {BLOCK_TOP, "tell", TYPE_RULE, "names of agents", 0, 0, "", NOWHERE, BLOCK_NONE, OPTION_REPEATS,
        "these agents are told of the ticket, by an event and, with notify mail, by mail"},
    {BLOCK_TOP, "ask", TYPE_RULE, "the name of a template, or none", 0, 0, "", NOWHERE, BLOCK_NONE, OPTION_REPEATS,
        "the customer is asked back with this template; the last sentence that holds decides"},
    {BLOCK_TOP, "route", TYPE_RULE, "a name", 0, 0, "", NOWHERE, BLOCK_ROUTE, OPTION_REPEATS,
        "where tickets go: the first route whose condition holds"},
    {BLOCK_ROUTE, "lines", TYPE_LINES, "names of lines", 0, 0, "", IN_ROUTE(lines), IN_ROUTE(n_lines), BLOCK_NONE, 0,
        "the lines that may take it; it waits in the first; default: the first line"},
    {BLOCK_ROUTE, "ahead", TYPE_HEAD, "a duration", -30 * DAY, 30 * DAY, "0s", IN_ROUTE(ahead_ms), 0, BLOCK_NONE, 0,
        "goes before what came up to this much earlier"},
    {BLOCK_ROUTE, "promise", TYPE_PROMISE_OF, "the name of a promise", 0, 0, "", IN_ROUTE(promise), 0, BLOCK_NONE, 0,
        "what its customers are promised; its steps count open time of it; default: none, real time"},
    {BLOCK_ROUTE, "prefer", TYPE_PREFER, "last-agent or manager, and a duration", 0, 30 * DAY, "", NOWHERE, BLOCK_NONE, 0,
        "so long it waits for the customer's last agent or for his manager; default: 15m"},
    {BLOCK_ROUTE, "after", TYPE_STEP, "a duration", MINUTE / 60, 5 * YEAR, "", IN_ROUTE_N(steps), BLOCK_NONE, OPTION_REPEATS,
        "after D also LINES, lower needs N, or drop needs: it widens while it waits"},
    {BLOCK_STEPS, "after", TYPE_STEP, "a duration", MINUTE / 60, 5 * YEAR, "", IN_LINE_N(steps), BLOCK_NONE, OPTION_REPEATS,
        "after D also LINES, lower needs N, or drop needs: in open time of the ticket's promise"},
    {BLOCK_TOP, "codes", TYPE_NAMES, "words", 0, 0, "", IN_CONFIG_N(codes), BLOCK_NONE, 0,
        "what RESOLVE may give as CODE; default: any word"},

    /* ---- tests ---- */
    {BLOCK_TOP, "test", TYPE_TEST, "a name and a block", 0, 0, "", NOWHERE, BLOCK_TEST, OPTION_REPEATS,
        "a test of the rules: runs at every check and reload; one that fails refuses the files"},
    {BLOCK_TEST, "at", TYPE_TRIAL, "a date and a time", 0, 0, "", NOWHERE, BLOCK_NONE, 0,
        "when it comes; default: a Tuesday at noon"},
    {BLOCK_TEST, "channel", TYPE_TRIAL, "email, web or phone", 0, 0, "", NOWHERE, BLOCK_NONE, 0,
        "how it comes; default: as form or call say, else email"},
    {BLOCK_TEST, "account", TYPE_TRIAL, "a mail account, web:FORM or phone:NAME", 0, 0, "", NOWHERE, BLOCK_NONE, 0,
        "what it comes to; default: the first"},
    {BLOCK_TEST, "from", TYPE_TRIAL, "an address or a number, and a name", 0, 0, "", NOWHERE, BLOCK_NONE, 0,
        "who writes or calls"},
    {BLOCK_TEST, "to", TYPE_TRIAL, "mail addresses", 0, 0, "", NOWHERE, BLOCK_NONE, 0,
        "to whom"},
    {BLOCK_TEST, "cc", TYPE_TRIAL, "mail addresses", 0, 0, "", NOWHERE, BLOCK_NONE, 0,
        "and to whom"},
    {BLOCK_TEST, "subject", TYPE_TRIAL, "a text", 0, 0, "", NOWHERE, BLOCK_NONE, 0,
        "its subject"},
    {BLOCK_TEST, "text", TYPE_TRIAL, "a text", 0, 0, "", NOWHERE, BLOCK_NONE, 0,
        "its text"},
    {BLOCK_TEST, "header", TYPE_TRIAL, "a name and a text", 0, 0, "", NOWHERE, BLOCK_NONE, OPTION_REPEATS,
        "a header of the mail"},
    {BLOCK_TEST, "attachment", TYPE_TRIAL, "a name, a type and a size", 0, 0, "", NOWHERE, BLOCK_NONE, OPTION_REPEATS,
        "a file that comes with it"},
    {BLOCK_TEST, "language", TYPE_TRIAL, "a language of two letters like ru", 0, 0, "", NOWHERE, BLOCK_NONE, 0,
        "its language; default: ru or en, as its letters are"},
    {BLOCK_TEST, "kind", TYPE_TRIAL, "message, auto-reply, bounce, report, list, thanks, form or call", 0, 0, "", NOWHERE, BLOCK_NONE, 0,
        "what it counts as; default: message, or as form or call say"},
    {BLOCK_TEST, "form", TYPE_TRIAL, "the name of a form", 0, 0, "", NOWHERE, BLOCK_NONE, 0,
        "it is this form"},
    {BLOCK_TEST, "field", TYPE_TRIAL, "a name and texts", 0, 0, "", NOWHERE, BLOCK_NONE, OPTION_REPEATS,
        "a field of the form"},
    {BLOCK_TEST, "call", TYPE_TRIAL, "missed or answered, in or out, a duration", 0, 0, "", NOWHERE, BLOCK_NONE, 0,
        "it is a call"},
    {BLOCK_TEST, "customer", TYPE_TRIAL, "vip or known, or a column and a text", 0, 0, "", NOWHERE, BLOCK_NONE, OPTION_REPEATS,
        "who sends it, whatever the customers file says"},
    {BLOCK_TEST, "tagged", TYPE_TRIAL, "a tag and a number", 0, 0, "", NOWHERE, BLOCK_NONE, OPTION_REPEATS,
        "so many tickets were tagged so, just now"},
    {BLOCK_TEST, "expect", TYPE_TRIAL, "[not] route, line, tag, need, must, priority, promise, acknowledge, ask, tell, agent or shelve", 0, 0, "", NOWHERE, BLOCK_NONE, OPTION_REPEATS,
        "what must come of it"},

    /* ---- known words that this version does not have ---- */
    LATER(BLOCK_TOP, "archive"), LATER(BLOCK_TOP, "smtp"),
    LATER(BLOCK_TOP, "feedback"),
    LATER(BLOCK_MAIL, "imap"), LATER(BLOCK_MAIL, "start"), LATER(BLOCK_MAIL, "taken"),
    LATER(BLOCK_MAIL, "maildir"),
    LATER(BLOCK_LMTP, "tls"), LATER(BLOCK_SOCKET, "tls"),
};
/* clang-format on */

const size_t n_options = sizeof options / sizeof *options;

static const char *const block_names[N_BLOCKS] = {"", "store", "mail", "smtp", "lmtp",
    "socket", "alert", "priorities", "line", "steps", "agent", "route", "web", "form",
    "field", "phone", "hours", "promise", "no-answer", "test"};

const char *
block_name(enum block_kind k)
{
        return k < N_BLOCKS ? block_names[k] : "";
}

const struct option *
option_find(enum block_kind block, const char *name)
{
        unsigned days;

        if (block == BLOCK_HOURS && isdigit((unsigned char)name[0]))
                name = "2026-12-31"; /* one row for all dates, one for all days */
        else if (block == BLOCK_HOURS && days_read(name, &days))
                name = "mon-fri";
        for (size_t i = 0; i < n_options; i++)
                if (options[i].block == block && strcmp(options[i].name, name) == 0)
                        return &options[i];
        return NULL;
}

size_t
option_index(const struct option *o)
{
        return (size_t)(o - options);
}

enum block_kind
option_home(const char *name)
{
        for (size_t i = 0; i < n_options; i++)
                if (strcmp(options[i].name, name) == 0)
                        return options[i].block;
        return BLOCK_NONE;
}

static void
option_describe(const struct option *o, struct buf *out)
{
        const char *block = block_name(o->block);

        if (o->type == TYPE_LATER)
                return;
        buf_addf(out, "%-10s %-12s %-45s %-32s %s%s%s\n", block[0] == '\0' ? "-" : block,
            o->name, o->unit, o->fallback[0] == '\0' ? "-" : o->fallback, o->help,
            o->flags & OPTION_REPEATS ? " (repeats)" : "",
            o->flags & OPTION_RESTART ? " (takes a restart)" : "");
}

void
config_describe_options(struct buf *out)
{
        for (size_t i = 0; i < n_options; i++)
                option_describe(&options[i], out);
}
