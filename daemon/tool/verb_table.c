/*
 * The table of verbs; what its columns mean is in verb.h.
 *
 * To add a verb: a row here, its text in docs/helpline.1, the Russian of its English in
 * words.def. One that is a single command needs no more than its template.
 */
#include "daemon/tool/verb.h"

#include <string.h>

#include "daemon/tool/tool.h"

#define END                                                                              \
        {                                                                                \
                NULL, 0, VALUE_NONE, NULL, NULL, NULL                                    \
        }
#define OPTIONS(...) ((const struct verb_option[]){__VA_ARGS__, END})
#define HEADING(text)                                                                    \
        {                                                                                \
                "", NULL, "", text, NULL, NULL, NULL, NULL, VERB_HIDDEN, ANSWER_OWN      \
        }
/* one that has a function of its own and no template */
#define OWN(name, run, words, summary, options, about, flags)                            \
        {                                                                                \
                name, run, words, summary, options, NULL, NULL, about, flags, ANSWER_OWN \
        }

/* clang-format off */
#define TEXT {"message", 'm', VALUE_TEXT, "TEXT", "the text; without it standard input or the editor", NULL}
#define FILE_ {"file", 'F', VALUE_FILE, "FILE", "the text is in this file", NULL}
#define WRITES TEXT, FILE_
#define REASON {"message", 'm', VALUE_TEXT, "TEXT", "the reason", NULL}
#define NOTE_ {"note", 'm', VALUE_TEXT, "TEXT", "with a note for colleagues", "NOTE"}
#define LINE_ {"line", 'l', VALUE_LINE, "LINE", "of this line", "LINE"}
#define COUNT_ {"count", 'n', VALUE_NUMBER, "N", "at most so many", NULL}
#define AGENT_CHANGES (VERB_AGENT | VERB_CHANGES)

const struct verb_option common_options[] = {
    {"config", 'c', VALUE_FILE, "FILE", "the configuration; default $HELPLINE_CONF", NULL},
    {"server", 0, VALUE_ANY, "HOST:PORT", "another machine; the token is in $HELPLINE_TOKEN", NULL},
    {"json", 0, VALUE_NONE, NULL, "documents as they are", NULL},
    {"csv", 0, VALUE_NONE, NULL, "tables as CSV", NULL},
    {"quiet", 'q', VALUE_NONE, NULL, "no headings, no word when all is well", NULL},
    {"trace", 0, VALUE_NONE, NULL, "show the commands that are sent", NULL},
    {"help", 'h', VALUE_NONE, NULL, "this help", NULL},
    {"version", 0, VALUE_NONE, NULL, "the version", NULL},
    END};

const struct verb verbs[] = {
    HEADING("Work"),
    {"next", verb_next, "[--wait]", "the next ticket for me",
        OPTIONS({"wait", 'w', VALUE_NONE, NULL, "until there is one", "BLOCK 0"},
            {"line", 'l', VALUE_LINE, "LINE", "only of this line", "LINE"},
            {"channel", 0, VALUE_CHANNEL, "CHANNEL", "only of email, web or phone", "CHANNEL"},
            {"count", 'n', VALUE_NUMBER, "N", "up to so many", "COUNT"}),
        "RESERVE %o", NULL, "Ends with 3 when there is none.", AGENT_CHANGES, ANSWER_OWN},
    {"take", verb_change, "TICKET", "this very ticket", NULL, "TAKE %T", NULL, NULL,
        AGENT_CHANGES, ANSWER_TICKET},
    {"show", verb_change, "[TICKET]", "a ticket with its messages",
        OPTIONS({"full", 0, VALUE_NONE, NULL, "with what the mails quote", NULL},
            {"log", 0, VALUE_NONE, NULL, "with what happened to it", NULL},
            {"before", 0, VALUE_MESSAGE, "MESSAGE", "what was before this message", "BEFORE"},
            {"count", 'n', VALUE_NUMBER, "N", "so many messages; default 20", "COUNT"}),
        "SHOW %t %o", NULL, NULL, VERB_AGENT, ANSWER_TICKET},
    {"reply", verb_change, "[TICKET] [-m TEXT]", "answer the customer",
        OPTIONS(WRITES,
            {"resolve", 0, VALUE_NONE, NULL, "and it is done", "STATUS resolved"},
            {"hold", 0, VALUE_NONE, NULL, "and it stays in my hand", "STATUS held"},
            {"to", 0, VALUE_ADDRESS, "ADDRESS", "to this address", "TO"},
            {"cc", 0, VALUE_ADDRESS, "ADDRESS", "copy to this address", "CC"},
            {"seen", 0, VALUE_MESSAGE, "MESSAGE", "the newest message that was read", "SEEN"}),
        "REPLY %t %x %o", "answer %s is written (take it back: helpline unsend %s)",
        "Without a text the editor opens, with the thread below a line; what is above the line is sent. "
        "An empty or unchanged text sends nothing. A text that cannot be sent is kept in a file.",
        AGENT_CHANGES | VERB_NO_WORDS, ANSWER_DONE},
    {"unsend", verb_change, "MESSAGE", "take back an answer that has not left", OPTIONS(NOTE_),
        "UNSEND %m %o", "%s will not be sent", NULL, AGENT_CHANGES, ANSWER_DONE},
    {"note", verb_change, "[TICKET] [TEXT]", "a note that customers never see",
        OPTIONS(WRITES), "NOTE %t %x %o", "%s is noted", NULL, AGENT_CHANGES, ANSWER_DONE},
    {"draft", verb_change, "[TICKET] [TEXT]", "keep an unfinished answer with the ticket",
        OPTIONS(WRITES), "DRAFT %t %x %o", "%s: reply goes on with it", NULL, AGENT_CHANGES, ANSWER_DONE},
    {"resolve", verb_change, "[TICKET] [-m TEXT]", "done; the text goes to the customer",
        OPTIONS({"message", 'm', VALUE_TEXT, "TEXT", "a last word to the customer", "TEXT"},
            {"code", 0, VALUE_ANY, "CODE", "how it was solved", "CODE"},
            {"seen", 0, VALUE_MESSAGE, "MESSAGE", "the newest message that was read", "SEEN"}),
        "RESOLVE %t %o", "%s is resolved", NULL, AGENT_CHANGES, ANSWER_DONE},
    {"reopen", verb_change, "TICKET REASON", "a resolved ticket back into its queue",
        OPTIONS(REASON), "REOPEN %T %r", "%s is open again", NULL, AGENT_CHANGES, ANSWER_DONE},
    {"pend", verb_change, "[TICKET] [TIME]", "it waits for the customer, its clock stands",
        OPTIONS(NOTE_), "PEND %t %u %o", "%s is with the customer", NULL, AGENT_CHANGES, ANSWER_DONE},
    {"snooze", verb_change, "[TICKET] TIME", "later; its clock runs on", OPTIONS(NOTE_),
        "SNOOZE %t %d %o", "%s comes back then", NULL, AGENT_CHANGES, ANSWER_DONE},
    {"due", verb_change, "[TICKET] TIME TEXT", "a promise made by hand", OPTIONS(REASON),
        "DUE %t %w %r", "%s: the promise is kept in mind", NULL, AGENT_CHANGES, ANSWER_DONE},
    {"release", verb_change, "[TICKET] [--delay TIME]", "give it back to its place",
        OPTIONS({"delay", 0, VALUE_DURATION, "TIME", "not before (30m, 2h)", "DELAY"}, NOTE_),
        "RELEASE %t %o", "%s is released", NULL, AGENT_CHANGES, ANSWER_DONE},

    HEADING("With others"),
    {"consult", verb_change, "[TICKET] --agent AGENT [QUESTION]", "ask a colleague and keep the ticket",
        OPTIONS({"agent", 'a', VALUE_AGENT, "AGENT", "ask this colleague", "AGENT"},
            {"line", 'l', VALUE_LINE, "LINE", "ask this line", "LINE"},
            {"to", 0, VALUE_ADDRESS, "ADDRESS", "ask a supplier by mail", "TO"}, WRITES),
        "CONSULT %t %o %x", "question %s is asked", NULL, AGENT_CHANGES, ANSWER_DONE},
    {"answer", verb_change, "CONSULTATION [TEXT]", "answer a colleague's question",
        OPTIONS(WRITES), "ANSWER %m %x", "%s is answered", NULL, AGENT_CHANGES, ANSWER_DONE},
    {"escalate", verb_change, "[TICKET] REASON", "one line up", OPTIONS(REASON),
        "ESCALATE %t %r", "%s goes one line up", NULL, AGENT_CHANGES, ANSWER_DONE},
    {"return", verb_change, "[TICKET] REASON", "one line down", OPTIONS(REASON),
        "RETURN %t %r", "%s goes one line down", NULL, AGENT_CHANGES, ANSWER_DONE},
    {"transfer", verb_change, "[TICKET] --line LINE", "to another line, agent or skill",
        OPTIONS({"line", 'l', VALUE_LINE, "LINE", "to this line", "LINE"},
            {"agent", 'a', VALUE_AGENT, "AGENT", "to this colleague", "AGENT"},
            {"need", 0, VALUE_ANY, "SKILL:LEVEL", "to who has this skill", "NEED"}, NOTE_),
        "TRANSFER %t %o", "%s is handed over", NULL, AGENT_CHANGES, ANSWER_DONE},
    {"assign", verb_change, "[TICKET] AGENT", "lead: into this agent's hand", NULL,
        "ASSIGN %t %a", "%s is assigned", NULL, AGENT_CHANGES, ANSWER_DONE},
    {"approve", verb_change, "MESSAGE", "lead: a trainee's answer may leave",
        OPTIONS({"seen", 0, VALUE_MESSAGE, "MESSAGE", "the newest message that was read", "SEEN"}),
        "APPROVE %m %o", "%s may leave", NULL, AGENT_CHANGES, ANSWER_DONE},

    HEADING("Put right"),
    {"merge", verb_change, "[TICKET] into TICKET", "make one ticket of two", NULL,
        "MERGE %t INTO %T", "it is ticket %s now", NULL, AGENT_CHANGES, ANSWER_DONE},
    {"unmerge", verb_change, "TICKET", "make two of them again", NULL, "UNMERGE %T",
        "%s stands alone again", NULL, AGENT_CHANGES, ANSWER_DONE},
    {"split", verb_change, "[TICKET] MESSAGE", "a ticket of its own from this message on", NULL,
        "SPLIT %t %m", "it is ticket %s", NULL, AGENT_CHANGES, ANSWER_DONE},
    {"link", verb_change, "[TICKET] TICKET", "two tickets that belong together", NULL,
        "LINK %t %T", "%s is linked", NULL, AGENT_CHANGES, ANSWER_DONE},
    {"tag", verb_change, "[TICKET] +TAG -TAG", "add and take away tags", NULL, "TAG %t %g",
        "%s is tagged", NULL, AGENT_CHANGES | VERB_SIGNS, ANSWER_DONE},
    {"need", verb_change, "[TICKET] SKILL:LEVEL", "it needs this skill", NULL, "NEED %t %s",
        "%s: the need is changed", NULL, AGENT_CHANGES, ANSWER_DONE},
    {"change", verb_change, "[TICKET] FIELD VALUE", "correct what the rules decided", NULL,
        "CHANGE %t %f %v", "%s is changed", NULL, AGENT_CHANGES, ANSWER_DONE},
    {"raise", verb_change, "[TICKET] PRIORITY", "lead: low, normal, high or urgent", NULL,
        "RAISE %t %p", "%s: the priority is changed", NULL, AGENT_CHANGES, ANSWER_DONE},
    {"reroute", verb_change, "[TICKET] [--line LINE]", "lead: judge what waits by the rules of now",
        OPTIONS({"line", 'l', VALUE_LINE, "LINE", "all that waits in this line", "LINE"}), "REROUTE %? %o",
        "tickets that have changed: %s", NULL, VERB_AGENT, ANSWER_DONE},
    {"spam", verb_change, "[TICKET]", "it is none of ours", NULL, "SPAM %t", "%s is spam", NULL,
        AGENT_CHANGES, ANSWER_DONE},

    HEADING("New"),
    {"new", verb_new, "[SUBJECT] [-m TEXT]", "a ticket by hand",
        OPTIONS({"from", 0, VALUE_ADDRESS, "ADDRESS", "the customer's mail address", NULL},
            {"name", 0, VALUE_ANY, "NAME", "the customer's name", NULL},
            {"phone", 0, VALUE_ANY, "NUMBER", "the customer's number", NULL},
            {"ticket", 't', VALUE_TICKET, "TICKET", "a further message of this ticket", NULL},
            {"language", 0, VALUE_LANGUAGE, "LANG", "ru or en", NULL},
            {"field", 0, VALUE_ANY, "NAME=VALUE", "as a form's field; may be repeated", NULL}, WRITES),
        NULL, "ticket %s", NULL, AGENT_CHANGES, ANSWER_DONE},
    {"call", verb_call, "NUMBER [-m TEXT]", "note a telephone call",
        OPTIONS({"name", 0, VALUE_ANY, "NAME", "who called", NULL},
            {"out", 0, VALUE_NONE, NULL, "we called", NULL},
            {"missed", 0, VALUE_NONE, NULL, "nobody answered", NULL},
            {"lasted", 0, VALUE_DURATION, "TIME", "how long (5m)", NULL},
            {"at", 0, VALUE_PAST, "TIME", "when it began; default now", NULL},
            {"ticket", 't', VALUE_TICKET, "TICKET", "a note on this ticket", NULL}, WRITES),
        NULL, "ticket %s", NULL, AGENT_CHANGES, ANSWER_DONE},

    HEADING("Look"),
    OWN("ls", verb_ls, "[--state STATE]", "tickets; without options all open ones",
        OPTIONS({"state", 's', VALUE_STATE, "STATE", "in this state", "STATE"}, LINE_,
            {"holder", 'a', VALUE_AGENT, "AGENT", "in this agent's hand", "HOLDER"},
            {"customer", 0, VALUE_ANY, "CUSTOMER", "of this customer", "CUSTOMER"},
            {"tag", 0, VALUE_ANY, "TAG", "with this tag", "TAG"},
            {"mine", 0, VALUE_NONE, NULL, "what I hold", NULL},
            {"asked", 0, VALUE_NONE, NULL, "where a question or an approval waits for me", NULL}, COUNT_),
        NULL, VERB_AGENT),
    OWN("search", verb_search, "WORD ...", "open tickets with all these words", OPTIONS(COUNT_), NULL,
        VERB_AGENT),
    OWN("save", verb_save, "[TICKET] PART [FILE]", "an attachment into a file", NULL,
        "The number of the part stands under its message. FILE may be - for standard output.", VERB_AGENT),
    {"why", verb_why, "[TICKET] [AGENT]", "which rules decided, who fits and who does not", NULL,
        "WHY %t %?", NULL, NULL, VERB_AGENT, ANSWER_OWN},
    {"lines", verb_change, "", "the lines: what waits, who is ready", NULL, "LINES", NULL, NULL,
        VERB_AGENT, ANSWER_TABLE},
    {"agents", verb_change, "", "the agents: presence, what they hold", NULL, "AGENTS", NULL, NULL,
        VERB_AGENT, ANSWER_TABLE},
    {"queue", verb_change, "LINE", "what waits in a line, in its order", NULL, "QUEUE %l", NULL, NULL,
        VERB_AGENT, ANSWER_TABLE},
    OWN("board", verb_board, "", "the desk, live; q ends it",
        OPTIONS({"once", 0, VALUE_NONE, NULL, "once, and not live", NULL}, LINE_),
        "In a pipe: once, then a line for each event.", VERB_AGENT),
    OWN("status", verb_status, "", "channels, queues, outbox, store", NULL, NULL, 0),

    HEADING("I"),
    {"ready", verb_change, "", "I take tickets", NULL, "READY", "you are ready", NULL, VERB_AGENT,
        ANSWER_DONE},
    {"away", verb_change, "[REASON]", "no new tickets for me; what I hold stays", OPTIONS(REASON,
            {"agent", 'a', VALUE_AGENT, "AGENT", "lead: not I, this agent", "AGENT"}),
        "AWAY %? %o", "no new tickets until: helpline ready", NULL, VERB_AGENT, ANSWER_DONE},
    {"absent", verb_absent, "--until TIME", "a holiday: my tickets go to the deputy",
        OPTIONS({"from", 0, VALUE_TIME, "TIME", "from then; default now", "FROM"},
            {"until", 0, VALUE_TIME, "TIME", "until then", "UNTIL"},
            {"deputy", 0, VALUE_AGENT, "AGENT", "to this colleague", "DEPUTY"},
            {"agent", 'a', VALUE_AGENT, "AGENT", "lead: not I, this agent", "AGENT"}),
        "ABSENT %o", "the absence is noted", "--until now ends it.", VERB_AGENT, ANSWER_DONE},

    HEADING("Administration"),
    OWN("check", verb_check, "", "check the configuration (as helplined -t)", NULL, NULL, 0),
    OWN("config", verb_config, "show", "each option, its value and where it comes from", NULL, NULL, 0),
    OWN("explain", verb_explain, "FILE|-|WORD=...", "what the rules say of this mail, form, call",
        OPTIONS({"form", 0, VALUE_ANY, "NAME", "the file is the body of this form", NULL},
            {"phone", 0, VALUE_ANY, "NAME", "the file is a record of this exchange", NULL}),
        NULL, 0),
    OWN("reload", verb_plain, "", "read the configuration again", NULL, NULL, 0),
    OWN("live", verb_plain, "", "outgoing mail leaves", NULL, NULL, 0),
    OWN("rehearse", verb_plain, "", "outgoing mail is held and shown", NULL, NULL, 0),
    OWN("drain", verb_plain, "", "nothing new is taken or given", NULL, NULL, 0),
    OWN("agent", verb_agent, "token NAME", "a token for an agent, alone on standard output", NULL, NULL, 0),
    OWN("outbox", verb_outbox, "[show|retry|drop N]", "mail on its way out", NULL, NULL, 0),
    OWN("quarantine", verb_quarantine, "[show|retry|drop N]", "what could not be understood", NULL, NULL, 0),
    OWN("deliver", verb_deliver, "[-f SENDER] ADDRESS", "mail on standard input (sysexits.h)",
        OPTIONS({"sender", 'f', VALUE_ADDRESS, "SENDER", "the envelope's sender", NULL}), NULL, 0),
    OWN("feed", verb_feed, "NAME", "call records on standard input (0, or 75: later)", NULL, NULL, 0),
    OWN("form", verb_form, "snippet NAME [LANG]", "a form's HTML, for a page of another site", NULL, NULL, 0),
    OWN("fsck", verb_fsck, "[--fix]", "check the store: 0 clean, 1 differences, 5 away",
        OPTIONS({"fix", 0, VALUE_NONE, NULL, "repair what differs", NULL}), NULL, 0),
    OWN("cmd", verb_command, "WORD ...", "any command of the protocol (docs/protocol.md)", NULL, NULL, VERB_RAW),

    HEADING("Help"),
    OWN("help", verb_help, "[VERB]", "this list, or all about a verb", NULL, NULL, 0),
    OWN("completion", verb_completion, "bash|zsh|fish", "the script that completes in that shell", NULL, NULL, 0),
    OWN("complete", verb_complete, "WORD ...", "", NULL, NULL, VERB_RAW | VERB_HIDDEN),
    OWN("demo", verb_demo, "", "", NULL, NULL, VERB_HIDDEN),
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, ANSWER_OWN}};
/* clang-format on */

const struct verb *
verb_find(const char *name)
{
        for (const struct verb *v = verbs; v->name != NULL; v++)
                if (*v->name != '\0' && strcmp(v->name, name) == 0)
                        return v;
        return NULL;
}

static const struct verb_option *
option_among(const struct verb_option *o, const char *name, size_t n, char letter)
{
        for (; o != NULL && o->name != NULL; o++)
                if (letter != 0 ? o->letter == letter
                                : strlen(o->name) == n && strncmp(o->name, name, n) == 0)
                        return o;
        return NULL;
}

const struct verb_option *
verb_option_find(const struct verb *v, const char *name, size_t n, char letter)
{
        const struct verb_option *o =
            v == NULL ? NULL : option_among(v->options, name, n, letter);

        return o != NULL ? o : option_among(common_options, name, n, letter);
}
