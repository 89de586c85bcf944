/*
 * The table of commands: names, words, roles, one line of help. Everything that
 * depends on it is made from it: parsing (args.c), COMMAND and its answers, X HELP,
 * redis-cli's hints, and the check that docs/protocol.md names each.
 *
 * To add a command: a line here, its handler in a cmd_*.c and in COMMAND_HANDLERS
 * (agent.h), its words in docs/protocol.md.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "daemon/agent/agent.h"

#define END                                                                              \
        {                                                                                \
                NULL, NULL, ARG_ANY, 0, 0, 0                                             \
        }
#define OPT(option, name, type)                                                          \
        {                                                                                \
                name, option, type, ARG_OPTIONAL, 0, 0                                   \
        }
#define OPTN(option, name, lo, hi)                                                       \
        {                                                                                \
                name, option, ARG_NUMBER, ARG_OPTIONAL, lo, hi                           \
        }
#define ID OPT("ID", "key", ARG_KEY)
#define LEASE OPTN("LEASE", "n", 1, INT64_MAX)
#define TICKET                                                                           \
        {                                                                                \
                "ticket", NULL, ARG_TICKET, 0, 0, 0                                      \
        }
#define SPECS(...) ((const struct arg_spec[]){__VA_ARGS__, END})
#define ONE(name, type) SPECS({name, NULL, type, 0, 0, 0})
#define MAYBE(name, type) SPECS({name, NULL, type, ARG_OPTIONAL, 0, 0})
#define MANY(name, type) SPECS({name, NULL, type, ARG_MANY, 0, 0})
#define MANY_OR_NONE(name, type) SPECS({name, NULL, type, ARG_MANY | ARG_OPTIONAL, 0, 0})
#define PAGE SPECS(OPT("AFTER", "cursor", ARG_CURSOR), OPTN("COUNT", "n", 1, 1000))

const struct command commands[] = {
    /* ---- logging in ---- */
    {"AUTH", "Log in with a token", "connection",
        CMD_ANYONE | CMD_RAW | CMD_HIDDEN_TEXT | CMD_RESP, 2, 3,
        SPECS({"agent", NULL, ARG_WORD, ARG_OPTIONAL, 0, 0},
            {"token", NULL, ARG_SECRET, 0, 0, 0}),
        cmd_auth},
    {"HELLO", "Choose the protocol, log in, learn who we are", "connection",
        CMD_ANYONE | CMD_RAW | CMD_HIDDEN_TEXT | CMD_RESP, 1, 8,
        SPECS({"protover", NULL, ARG_NUMBER, ARG_OPTIONAL, 2, 3},
            OPT("AUTH", "agent token", ARG_SECRET), OPT("SETNAME", "name", ARG_WORD)),
        cmd_hello},

    /* ---- what client libraries send by themselves ---- */
    {"PING", "Is anybody there?", "connection", CMD_ANYONE | CMD_SUBSCRIBED, 0, 0,
        MAYBE("message", ARG_ANY), cmd_ping},
    {"ECHO", "Give the message back", "connection", 0, 0, 0, ONE("message", ARG_ANY),
        cmd_echo},
    {"TIME", "Seconds and microseconds", "server", 0, 0, 0, NULL, cmd_time},
    {"QUIT", "Close the connection", "connection", CMD_ANYONE | CMD_SUBSCRIBED | CMD_RESP,
        0, 0, NULL, cmd_quit},
    {"RESET", "Make the connection as if new", "connection",
        CMD_ANYONE | CMD_SUBSCRIBED | CMD_RESP, 0, 0, NULL, cmd_reset},
    {"ROLE", "Always master", "server", 0, 0, 0, NULL, cmd_role},
    {"INFO", "A few numbers about the server", "server", 0, 0, 0,
        MANY_OR_NONE("section", ARG_ANY), cmd_info},
    {"SELECT", "Only 0", "connection", 0, 0, 0, ONE("index", ARG_ANY), cmd_select},
    {"COMMAND", "All commands", "server", 0, 0, 0, NULL, cmd_command},
    {"COMMAND COUNT", "Number of commands", "server", 0, 0, 0, NULL, cmd_command_count},
    {"COMMAND LIST", "Names of commands", "server", 0, 0, 0, NULL, cmd_command_list},
    {"COMMAND INFO", "Some commands as Redis describes them", "server", 0, 0, 0,
        MANY_OR_NONE("command", ARG_ANY), cmd_command_info},
    {"COMMAND DOCS", "Summary and arguments of commands", "server", 0, 0, 0,
        MANY_OR_NONE("command", ARG_ANY), cmd_command_docs},
    {"COMMAND HELP", "Its subcommands", "server", 0, 0, 0, NULL, cmd_help},
    {"CLIENT", "About this connection", "connection", CMD_CONTAINER, 0, 0, NULL, NULL},
    {"CLIENT ID", "Number of this connection", "connection", 0, 0, 0, NULL,
        cmd_client_id},
    {"CLIENT INFO", "One line about this connection", "connection", 0, 0, 0, NULL,
        cmd_client_info},
    {"CLIENT LIST", "A line for each connection of yours", "connection", 0, 0, 0, NULL,
        cmd_client_list},
    {"CLIENT GETNAME", "Name of this connection", "connection", 0, 0, 0, NULL,
        cmd_client_getname},
    {"CLIENT SETNAME", "Name this connection", "connection", 0, 0, 0,
        ONE("name", ARG_ANY), cmd_client_setname},
    {"CLIENT SETINFO", "Name the client library", "connection", 0, 0, 0,
        SPECS({"attribute", NULL, ARG_ANY, 0, 0, 0}, {"value", NULL, ARG_ANY, 0, 0, 0}),
        cmd_client_setinfo},
    {"CLIENT HELP", "Its subcommands", "connection", 0, 0, 0, NULL, cmd_help},
    {"CONFIG", "Nothing to be seen here", "server", CMD_CONTAINER, 0, 0, NULL, NULL},
    {"CONFIG GET", "Always empty", "server", 0, 0, 0, MANY("pattern", ARG_ANY),
        cmd_config_get},
    {"CONFIG HELP", "Its subcommands", "server", 0, 0, 0, NULL, cmd_help},
    {"CLUSTER", "Not supported", "server", 0, 0, 0, MANY_OR_NONE("argument", ARG_ANY),
        cmd_cluster},
    {"MULTI", "Not supported", "server", 0, 0, 0, NULL, cmd_no_transactions},
    {"EXEC", "Not supported", "server", 0, 0, 0, NULL, cmd_no_transactions},
    {"DISCARD", "Not supported", "server", 0, 0, 0, NULL, cmd_no_transactions},
    {"WATCH", "Not supported", "server", 0, 0, 0, MANY("key", ARG_ANY),
        cmd_no_transactions},
    {"UNWATCH", "Not supported", "server", 0, 0, 0, NULL, cmd_no_transactions},

    /* ---- work ---- */
    {"READY", "I take tickets", "work", CMD_AGENT, 0, 0, NULL, cmd_ready},
    {"AWAY", "No new tickets for me", "work", 0, 0, 0,
        SPECS({"reason", NULL, ARG_WORD, ARG_OPTIONAL, 0, 0},
            OPT("AGENT", "agent", ARG_AGENT)),
        cmd_away},
    {"RESERVE", "Give me the next ticket that fits", "work", CMD_AGENT | CMD_BLOCKS, 0, 0,
        SPECS(OPTN("BLOCK", "ms", 0, 86400000), OPTN("COUNT", "n", 1, 100),
            OPT("LINE", "line", ARG_LINE), OPT("CHANNEL", "channel", ARG_CHANNEL), ID),
        cmd_reserve},
    {"TAKE", "Give me this very ticket", "work", CMD_AGENT, 0, 0, SPECS(TICKET, ID),
        cmd_take},
    {"SHOW", "A ticket with its messages and log", "work", 0, 0, 0,
        SPECS(TICKET, OPT("BEFORE", "message", ARG_MESSAGE), OPTN("COUNT", "n", 1, 100)),
        cmd_show},
    {"MINE", "What I hold, or what is asked of me", "work", CMD_AGENT, 0, 0,
        MAYBE("ASKED", ARG_ASKED), cmd_mine},
    {"LIST", "The tickets of the desk", "work", 0, 0, 0,
        SPECS(OPT("STATE", "state", ARG_STATE), OPT("LINE", "line", ARG_LINE),
            OPT("HOLDER", "agent", ARG_AGENT), OPT("CUSTOMER", "customer", ARG_WORD),
            OPT("TAG", "tag", ARG_WORD), OPT("AFTER", "cursor", ARG_CURSOR),
            OPTN("COUNT", "n", 1, 1000)),
        cmd_list},
    {"REPLY", "Answer the customer", "work", CMD_CHANGES, 0, 0,
        SPECS(TICKET, {"text", NULL, ARG_TEXT, ARG_OR_TEXT, 0, 0},
            OPT("STATUS", "waiting|resolved|held", ARG_STATUS),
            {"address", "TO", ARG_ADDRESS, ARG_OPTIONAL | ARG_MANY, 0, 0},
            {"address", "CC", ARG_ADDRESS, ARG_OPTIONAL | ARG_MANY, 0, 0},
            OPT("SEEN", "message", ARG_MESSAGE), LEASE, ID),
        cmd_reply},
    {"UNSEND", "Take back an answer that has not left", "work", CMD_CHANGES, 0, 0,
        SPECS({"message", NULL, ARG_MESSAGE, 0, 0, 0}, OPT("NOTE", "text", ARG_TEXT), ID),
        cmd_unsend},
    {"NOTE", "An internal note", "work", CMD_CHANGES, 0, 0,
        SPECS(TICKET, {"text", NULL, ARG_TEXT, ARG_OR_TEXT, 0, 0}, LEASE, ID), cmd_note},
    {"DRAFT", "Keep an unfinished answer", "work", CMD_AGENT, 0, 0,
        SPECS(TICKET, {"text", NULL, ARG_TEXT, ARG_OR_TEXT, 0, 0}, LEASE, ID), cmd_draft},
    {"CONSULT", "Ask a colleague or a supplier, and keep the ticket", "work", CMD_CHANGES,
        0, 0,
        SPECS(TICKET, {"AGENT|LINE|TO", NULL, ARG_WHOM, 0, 0, 0},
            {"name", NULL, ARG_WORD, 0, 0, 0},
            {"question", NULL, ARG_TEXT, ARG_OR_TEXT, 0, 0}, LEASE, ID),
        cmd_consult},
    {"ANSWER", "Answer a consultation", "work", CMD_CHANGES, 0, 0,
        SPECS({"consultation", NULL, ARG_MESSAGE, 0, 0, 0},
            {"text", NULL, ARG_TEXT, ARG_OR_TEXT, 0, 0}, ID),
        cmd_answer},
    {"APPROVE", "Send what a trainee has answered", "work", CMD_CHANGES, 0, 0,
        SPECS({"message", NULL, ARG_MESSAGE, 0, 0, 0},
            OPT("SEEN", "message", ARG_MESSAGE), ID),
        cmd_approve},
    {"MERGE", "One ticket becomes part of another", "work", CMD_CHANGES, 0, 0,
        SPECS(TICKET, {"ticket", "INTO", ARG_TICKET, 0, 0, 0}, ID), cmd_merge},
    {"UNMERGE", "A merged ticket stands alone again", "work", CMD_CHANGES, 0, 0,
        SPECS(TICKET, ID), cmd_unmerge},
    {"LINK", "Two tickets name each other", "work", CMD_CHANGES, 0, 0,
        SPECS(TICKET, {"other", NULL, ARG_TICKET, 0, 0, 0}, ID), cmd_link},
    {"SPLIT", "A customer's message becomes a ticket of its own", "work", CMD_CHANGES, 0,
        0, SPECS(TICKET, {"message", NULL, ARG_MESSAGE, 0, 0, 0}, ID), cmd_split},
    {"RELEASE", "Give the ticket back", "work", CMD_CHANGES, 0, 0,
        SPECS(TICKET, OPT("DELAY", "duration", ARG_DURATION),
            OPT("NOTE", "text", ARG_TEXT), LEASE, ID),
        cmd_release},
    {"TOUCH", "Renew the lease", "work", CMD_AGENT, 0, 0, SPECS(TICKET, LEASE),
        cmd_touch},
    {"RESOLVE", "Done", "work", CMD_CHANGES, 0, 0,
        SPECS(TICKET, OPT("CODE", "code", ARG_WORD), OPT("TEXT", "text", ARG_TEXT),
            OPT("SEEN", "message", ARG_MESSAGE), LEASE, ID),
        cmd_resolve},
    {"REOPEN", "Back into the queue", "work", CMD_CHANGES, 0, 0,
        SPECS(TICKET, {"reason", NULL, ARG_WORD, 0, 0, 0}, ID), cmd_reopen},
    {"SPAM", "Done, and nobody is told", "work", CMD_CHANGES, 0, 0,
        SPECS(TICKET, LEASE, ID), cmd_spam},
    {"ESCALATE", "One line up", "work", CMD_CHANGES, 0, 0,
        SPECS(TICKET, {"reason", NULL, ARG_TEXT, 0, 0, 0}, LEASE, ID), cmd_escalate},
    {"RETURN", "One line down", "work", CMD_CHANGES, 0, 0,
        SPECS(TICKET, {"reason", NULL, ARG_TEXT, 0, 0, 0}, LEASE, ID), cmd_return},
    {"TRANSFER", "To another line or agent, or with another need", "work", CMD_CHANGES, 0,
        0,
        SPECS(TICKET, OPT("LINE", "line", ARG_LINE), OPT("AGENT", "agent", ARG_AGENT),
            OPT("NEED", "skill:level", ARG_SKILL), OPT("NOTE", "text", ARG_TEXT), LEASE,
            ID),
        cmd_transfer},
    {"PEND", "It waits for its customer", "work", CMD_CHANGES, 0, 0,
        SPECS(TICKET, OPT("UNTIL", "time", ARG_WHEN), OPT("NOTE", "text", ARG_TEXT),
            LEASE, ID),
        cmd_pend},
    {"SNOOZE", "Later", "work", CMD_CHANGES, 0, 0,
        SPECS(TICKET, {"when", NULL, ARG_WHEN, 0, 0, 0}, OPT("NOTE", "text", ARG_TEXT),
            LEASE, ID),
        cmd_snooze},
    {"DUE", "A promise made by hand", "work", CMD_CHANGES, 0, 0,
        SPECS(TICKET, {"time", NULL, ARG_WHEN, 0, 0, 0},
            {"text", NULL, ARG_TEXT, 0, 0, 0}, LEASE, ID),
        cmd_due},
    {"TAG", "Put tags on, take tags off", "work", CMD_CHANGES, 0, 0,
        SPECS(TICKET, {"tag", NULL, ARG_WORD, ARG_MANY, 0, 0}, LEASE, ID), cmd_tag},
    {"NEED", "Another need of a skill", "work", CMD_CHANGES, 0, 0,
        SPECS(TICKET, {"skill:level", NULL, ARG_SKILL, 0, 0, 0}, LEASE, ID), cmd_need},
    {"CHANGE", "Correct a field", "work", CMD_CHANGES, 0, 0,
        SPECS(TICKET, {"field", NULL, ARG_WORD, 0, 0, 0},
            {"value", NULL, ARG_WORD, 0, 0, 0}, LEASE, ID),
        cmd_change},
    {"ABSENT", "A holiday: what is his goes to his deputy", "work", 0, 0, 0,
        SPECS({"time", "FROM", ARG_WHEN, 0, 0, 0}, {"time", "UNTIL", ARG_WHEN, 0, 0, 0},
            OPT("DEPUTY", "agent", ARG_AGENT), OPT("AGENT", "agent", ARG_AGENT)),
        cmd_absent},
    {"SUBMIT", "A ticket by hand or by a program", "work", CMD_CHANGES, 0, 0,
        SPECS({"json", NULL, ARG_ANY, 0, 0, 0}, ID), cmd_submit},
    {"LOGCALL", "Note a telephone call", "work", CMD_CHANGES, 0, 0,
        SPECS({"json", NULL, ARG_ANY, 0, 0, 0}, ID), cmd_logcall},
    {"WHY", "Which rules matched, who fits and who does not", "work", 0, 0, 0,
        SPECS(TICKET, {"agent", NULL, ARG_AGENT, ARG_OPTIONAL, 0, 0}), cmd_why},
    {"SEARCH", "Open tickets that have all these words", "work", 0, 0, 0,
        SPECS({"word", NULL, ARG_WORD, ARG_MANY, 0, 0},
            OPT("AFTER", "cursor", ARG_CURSOR), OPTN("COUNT", "n", 1, 1000)),
        cmd_search},
    {"LINES", "The lines, and how each stands", "work", 0, 0, 0, NULL, cmd_lines},
    {"AGENTS", "The agents, and who is there", "work", 0, 0, 0, NULL, cmd_agents},
    {"QUEUE", "What waits in a line, in its order", "work", 0, 0, 0,
        SPECS({"line", NULL, ARG_LINE, 0, 0, 0}, OPTN("COUNT", "n", 1, 100)), cmd_queue},
    {"STATS", "The state of the desk", "work", 0, 0, 0, NULL, cmd_stats},
    {"BLOB", "Bytes of an attachment", "work", CMD_BYTES, 0, 0,
        SPECS({"ticket", NULL, ARG_TICKET_OR_MESSAGE, 0, 0, 0},
            {"part", NULL, ARG_PART, 0, 0, 0}, OPTN("OFFSET", "n", 0, INT64_MAX),
            OPTN("COUNT", "n", 1, 1 << 20)),
        cmd_blob},

    /* ---- leads ---- */
    {"ASSIGN", "Give a ticket to an agent", "lead", CMD_LEAD, 0, 0,
        SPECS(TICKET, {"agent", NULL, ARG_AGENT, 0, 0, 0}, ID), cmd_assign},
    {"RAISE", "Another priority", "lead", CMD_LEAD | CMD_CHANGES, 0, 0,
        SPECS(TICKET, {"priority", NULL, ARG_PRIORITY, 0, 0, 0}, ID), cmd_raise},
    {"REROUTE", "Waiting tickets through the rules as they are now", "lead", CMD_LEAD, 0,
        0,
        SPECS({"ticket", NULL, ARG_TICKET, ARG_OPTIONAL, 0, 0},
            OPT("LINE", "line", ARG_LINE)),
        cmd_reroute},

    /* ---- events ---- */
    {"SUBSCRIBE", "Hear what happens", "events", CMD_SUBSCRIBED | CMD_RESP, 0, 0,
        MANY("channel", ARG_SUBSCRIPTION), cmd_subscribe},
    {"UNSUBSCRIBE", "Hear no longer", "events", CMD_SUBSCRIBED | CMD_RESP, 0, 0,
        MANY_OR_NONE("channel", ARG_ANY), cmd_unsubscribe},
    {"PSUBSCRIBE", "Hear channels by pattern", "events", CMD_SUBSCRIBED | CMD_RESP, 0, 0,
        MANY("pattern", ARG_WORD), cmd_psubscribe},
    {"PUNSUBSCRIBE", "Hear no longer", "events", CMD_SUBSCRIBED | CMD_RESP, 0, 0,
        MANY_OR_NONE("pattern", ARG_ANY), cmd_punsubscribe},
    {"EVENTS", "Read the journal", "events", 0, 0, 0,
        SPECS({"seq", "AFTER", ARG_SEQ, 0, 0, 0}, OPTN("COUNT", "n", 1, 1000)),
        cmd_events},

    /* ---- administrators ---- */
    {"TOKEN", "Tokens of agents", "admin", CMD_CONTAINER, 0, 0, NULL, NULL},
    {"TOKEN NEW", "A new token", "admin", CMD_ADMIN, 0, 0,
        SPECS({"agent", NULL, ARG_AGENT, 0, 0, 0}, OPT("NAME", "name", ARG_WORD)),
        cmd_token_new},
    {"TOKEN LIST", "What tokens there are", "admin", CMD_ADMIN, 0, 0,
        MAYBE("agent", ARG_WORD), cmd_token_list},
    {"TOKEN DROP", "Refuse a token from now on", "admin", CMD_ADMIN, 0, 0,
        ONE("token-id", ARG_WORD), cmd_token_drop},
    {"TOKEN HELP", "Its subcommands", "admin", 0, 0, 0, NULL, cmd_help},
    {"RELOAD", "Read the configuration again", "admin", CMD_ADMIN, 0, 0, NULL,
        cmd_reload},
    {"DRAIN", "Nothing new; what is under way ends", "admin", CMD_ADMIN, 0, 0, NULL,
        cmd_drain},
    {"LIVE", "Outgoing mail leaves", "admin", CMD_ADMIN, 0, 0, NULL, cmd_live},
    {"REHEARSE", "Outgoing mail is held", "admin", CMD_ADMIN, 0, 0, NULL, cmd_rehearse},
    {"OUTBOX", "What has to leave", "admin", CMD_CONTAINER, 0, 0, NULL, NULL},
    {"OUTBOX LIST", "Entries, dead letters included", "admin", CMD_ADMIN, 0, 0, PAGE,
        cmd_outbox_list},
    {"OUTBOX SHOW", "One entry", "admin", CMD_ADMIN, 0, 0, ONE("entry", ARG_ENTRY),
        cmd_outbox_show},
    {"OUTBOX RETRY", "Try it now", "admin", CMD_ADMIN, 0, 0, ONE("entry", ARG_ENTRY),
        cmd_outbox_retry},
    {"OUTBOX DROP", "Never send it", "admin", CMD_ADMIN, 0, 0, ONE("entry", ARG_ENTRY),
        cmd_outbox_drop},
    {"OUTBOX HELP", "Its subcommands", "admin", 0, 0, 0, NULL, cmd_help},
    {"QUARANTINE", "What could not be understood", "admin", CMD_CONTAINER, 0, 0, NULL,
        NULL},
    {"QUARANTINE LIST", "Entries", "admin", CMD_ADMIN, 0, 0, PAGE, cmd_quarantine_list},
    {"QUARANTINE SHOW", "One entry", "admin", CMD_ADMIN, 0, 0, ONE("entry", ARG_ENTRY),
        cmd_quarantine_show},
    {"QUARANTINE RETRY", "Parse it again", "admin", CMD_ADMIN, 0, 0,
        ONE("entry", ARG_ENTRY), cmd_quarantine_retry},
    {"QUARANTINE DROP", "Forget it", "admin", CMD_ADMIN, 0, 0, ONE("entry", ARG_ENTRY),
        cmd_quarantine_drop},
    {"QUARANTINE HELP", "Its subcommands", "admin", 0, 0, 0, NULL, cmd_help},
    {"FEED", "Call records for a phone log", "admin", CMD_ADMIN, 0, 0,
        SPECS({"name", NULL, ARG_WORD, 0, 0, 0}, {"record", NULL, ARG_ANY, 0, 0, 0}, ID),
        cmd_feed},
    {"SHUTDOWN", "End the daemon", "admin", CMD_ADMIN, 0, 0, NULL, cmd_shutdown},
};
const size_t n_commands = sizeof commands / sizeof *commands;

/* ---- looking up ---- */

const struct command *
command_find(const char *name, size_t len)
{
        for (size_t i = 0; i < n_commands; i++)
                if (strlen(commands[i].name) == len &&
                    strncasecmp(commands[i].name, name, len) == 0)
                        return &commands[i];
        return NULL;
}

static bool
command_is_sub_of(const struct command *cmd, const char *container)
{
        size_t n = strlen(container);

        return strncmp(cmd->name, container, n) == 0 && cmd->name[n] == ' ';
}

static bool
command_has_subs(const struct command *cmd)
{
        for (size_t i = 0; i < n_commands; i++)
                if (command_is_sub_of(&commands[i], cmd->name))
                        return true;
        return false;
}

const struct command *
command_find_sub(const char *name, const struct resp_arg *sub)
{
        size_t n = strlen(name);

        for (size_t i = 0; i < n_commands; i++)
                if (command_is_sub_of(&commands[i], name) &&
                    strlen(commands[i].name) == n + 1 + sub->len &&
                    strncasecmp(commands[i].name + n + 1, sub->s, sub->len) == 0)
                        return &commands[i];
        return NULL;
}

/* At most 64 bytes of what the client wrote, printable. */
static const char *
command_word(const struct resp_arg *arg, char out[72])
{
        size_t n = arg->len < 64 ? arg->len : 64;

        for (size_t i = 0; i < n; i++) {
                unsigned char c = (unsigned char)arg->s[i];

                out[i] = (char)(c < 0x20 || c == 0x7f ? '?' : c);
        }
        out[n] = '\0';
        return out;
}

const struct command *
command_lookup(const struct resp_arg *argv, int argc, struct err *err)
{
        const struct command *cmd, *sub;
        char word[72];

        cmd = memchr(argv[0].s, ' ', argv[0].len) != NULL
                  ? NULL
                  : command_find(argv[0].s, argv[0].len);
        if (cmd == NULL) {
                err_code(err, ERR_REJECT, "ERR", "unknown command '%s'",
                    command_word(&argv[0], word));
                return NULL;
        }
        if (!command_has_subs(cmd) || (argc == 1 && cmd->run != NULL))
                return cmd;
        if (argc == 1) {
                char lower[32] = "";

                for (size_t i = 0; cmd->name[i] != '\0'; i++)
                        lower[i] = (char)tolower((unsigned char)cmd->name[i]);
                err_code(err, ERR_REJECT, "ERR",
                    "wrong number of arguments for '%s' command", lower);
                return NULL;
        }
        sub = command_find_sub(cmd->name, &argv[1]);
        if (sub == NULL)
                err_code(err, ERR_REJECT, "ERR", "unknown subcommand '%s'. Try %s HELP.",
                    command_word(&argv[1], word), cmd->name);
        return sub;
}

/* ---- usage, arity ---- */

static void
spec_usage(const struct arg_spec *s, struct buf *out)
{
        bool optional = s->flags & ARG_OPTIONAL, many = s->flags & ARG_MANY;

        buf_adds(out, optional ? " [" : " ");
        if (s->option != NULL)
                buf_addf(out, "%s ", s->option);
        buf_adds(out, s->name);
        if (many && s->option == NULL) {
                if (optional)
                        buf_adds(out, " ...");
                else
                        buf_addf(out, " [%s ...]", s->name);
        }
        buf_adds(out, optional ? "]" : "");
}

void
command_usage(const struct command *cmd, struct buf *out)
{
        buf_adds(out, cmd->name);
        for (const struct arg_spec *s = cmd->args; s != NULL && s->name != NULL; s++)
                spec_usage(s, out);
}

int
command_arity(const struct command *cmd)
{
        int n = strchr(cmd->name, ' ') != NULL ? 2 : 1;
        bool open = false;

        if (cmd->flags & CMD_CONTAINER)
                return -2;
        if (cmd->flags & CMD_RAW)
                return cmd->min_raw == cmd->max_raw ? cmd->min_raw : -cmd->min_raw;
        for (const struct arg_spec *s = cmd->args; s != NULL && s->name != NULL; s++) {
                if (s->flags & (ARG_OPTIONAL | ARG_MANY | ARG_OR_TEXT))
                        open = true;
                if (!(s->flags & ARG_OPTIONAL))
                        n += s->option != NULL ? 2 : 1;
        }
        if (strcmp(cmd->name, "COMMAND") == 0)
                open = true;
        return open ? -n : n;
}
