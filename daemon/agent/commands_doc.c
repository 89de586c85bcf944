/*
 * COMMAND, COMMAND INFO, COMMAND DOCS, COMMAND LIST and X HELP: the table of
 * commands in Redis's shapes, for RESP2 and RESP3. Client libraries and redis-cli
 * read them; the shapes are those of Redis 7.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "daemon/agent/agent.h"

static bool
is_sub(const struct command *cmd)
{
        return strchr(cmd->name, ' ') != NULL;
}

/* The container's subcommands begin behind it in the table. */
static size_t
n_subs(const struct command *cmd)
{
        size_t n = 0, len = strlen(cmd->name);

        for (size_t i = 0; i < n_commands; i++)
                n += strncmp(commands[i].name, cmd->name, len) == 0 &&
                     commands[i].name[len] == ' ';
        return is_sub(cmd) ? 0 : n;
}

static void
add_lower(struct buf *out, const char *name)
{
        char lower[48];
        size_t n = 0;

        for (; n < sizeof lower && name[n] != '\0'; n++)
                lower[n] = (char)(name[n] == ' ' ? '|' : tolower((unsigned char)name[n]));
        resp_bulk(out, lower, n);
}

static void
add_set(struct buf *out, int proto, size_t n)
{
        buf_addf(out, "%c%zu\r\n", proto == 3 ? '~' : '*', n);
}

size_t
command_count(void)
{
        size_t n = 0;

        for (size_t i = 0; i < n_commands; i++)
                n += !is_sub(&commands[i]);
        return n;
}

void
command_list(struct buf *out)
{
        resp_array(out, command_count());
        for (size_t i = 0; i < n_commands; i++)
                if (!is_sub(&commands[i]))
                        add_lower(out, commands[i].name);
}

/* ---- COMMAND INFO ---- */

static void
info_flags(const struct command *cmd, struct buf *out, int proto)
{
        const struct {
                bool has;
                const char *name;
        } flags[] = {{cmd->flags & CMD_CHANGES, "write"},
            {cmd->flags & CMD_ADMIN, "admin"}, {cmd->flags & CMD_SUBSCRIBED, "pubsub"},
            {cmd->flags & CMD_ANYONE, "no_auth"}, {cmd->flags & CMD_BLOCKS, "blocking"}};
        size_t n = 0;

        for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
                n += flags[i].has;
        add_set(out, proto, n);
        for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
                if (flags[i].has)
                        resp_simple(out, flags[i].name);
}

static void
info_one(const struct command *cmd, struct buf *out, int proto)
{
        size_t n = n_subs(cmd), len = strlen(cmd->name);

        resp_array(out, 10);
        add_lower(out, cmd->name);
        resp_int(out, command_arity(cmd));
        info_flags(cmd, out, proto);
        resp_int(out, 0); /* no argument is a key */
        resp_int(out, 0);
        resp_int(out, 0);
        add_set(out, proto, 1);
        buf_addf(out, "+@%s\r\n", cmd->group);
        add_set(out, proto, 0); /* tips */
        add_set(out, proto, 0); /* key specifications */
        resp_array(out, n);
        for (size_t i = 0; n > 0 && i < n_commands; i++)
                if (strncmp(commands[i].name, cmd->name, len) == 0 &&
                    commands[i].name[len] == ' ')
                        info_one(&commands[i], out, proto);
}

void
command_info_all(struct buf *out, int proto)
{
        resp_array(out, command_count());
        for (size_t i = 0; i < n_commands; i++)
                if (!is_sub(&commands[i]))
                        info_one(&commands[i], out, proto);
}

/* "reply" or "client|id". */
static const struct command *
find_written(const struct resp_arg *arg)
{
        char name[48];

        if (arg->len >= sizeof name || memchr(arg->s, ' ', arg->len) != NULL)
                return NULL;
        for (size_t i = 0; i < arg->len; i++)
                name[i] = (char)(arg->s[i] == '|' ? ' ' : arg->s[i]);
        return command_find(name, arg->len);
}

void
command_info_some(struct buf *out, int proto, const struct resp_arg *argv, int argc)
{
        if (argc == 0) {
                command_info_all(out, proto);
                return;
        }
        resp_array(out, (size_t)argc);
        for (int i = 0; i < argc; i++) {
                const struct command *cmd = find_written(&argv[i]);

                if (cmd == NULL)
                        resp_null_array(out, proto);
                else
                        info_one(cmd, out, proto);
        }
}

/* ---- COMMAND DOCS ---- */

static const char *
doc_type(enum arg_type t)
{
        return t == ARG_NUMBER ? "integer" : t == ARG_STATUS ? "oneof" : "string";
}

static void
doc_pair(struct buf *out, const char *key, const char *value)
{
        resp_bulks(out, key);
        resp_bulks(out, value);
}

/* STATUS waiting|resolved|held: the words as tokens. */
static void
doc_choices(struct buf *out, int proto)
{
        static const char *const words[] = {"waiting", "resolved", "held"};

        resp_bulks(out, "arguments");
        resp_array(out, 3);
        for (size_t i = 0; i < 3; i++) {
                resp_map(out, proto, 3);
                doc_pair(out, "name", words[i]);
                doc_pair(out, "type", "pure-token");
                doc_pair(out, "token", words[i]);
        }
}

static void
doc_arg(const struct arg_spec *s, struct buf *out, int proto)
{
        bool optional = s->flags & ARG_OPTIONAL, many = s->flags & ARG_MANY;
        bool oneof = s->type == ARG_STATUS;
        size_t n = 3;

        n += s->option != NULL;
        n += optional || many;
        n += oneof;
        resp_map(out, proto, n);
        doc_pair(out, "name", oneof ? "status" : s->name);
        doc_pair(out, "type", doc_type(s->type));
        doc_pair(out, "display_text", oneof ? "status" : s->name);
        if (s->option != NULL)
                doc_pair(out, "token", s->option);
        if (optional || many) {
                resp_bulks(out, "flags");
                add_set(out, proto, (size_t)(optional + many));
                if (optional)
                        resp_simple(out, "optional");
                if (many)
                        resp_simple(out, "multiple");
        }
        if (oneof)
                doc_choices(out, proto);
}

static size_t
n_args(const struct command *cmd)
{
        size_t n = 0;

        while (cmd->args != NULL && cmd->args[n].name != NULL)
                n++;
        return n;
}

static void
doc_one(const struct command *cmd, struct buf *out, int proto)
{
        size_t subs = n_subs(cmd), args = n_args(cmd), len = strlen(cmd->name);

        add_lower(out, cmd->name);
        resp_map(out, proto, 3U + (args > 0) + (subs > 0));
        doc_pair(out, "summary", cmd->summary);
        doc_pair(out, "since", HELPLINE_VERSION);
        doc_pair(out, "group", cmd->group);
        if (args > 0) {
                resp_bulks(out, "arguments");
                resp_array(out, args);
                for (size_t i = 0; i < args; i++)
                        doc_arg(&cmd->args[i], out, proto);
        }
        if (subs == 0)
                return;
        resp_bulks(out, "subcommands");
        resp_map(out, proto, subs);
        for (size_t i = 0; i < n_commands; i++)
                if (strncmp(commands[i].name, cmd->name, len) == 0 &&
                    commands[i].name[len] == ' ')
                        doc_one(&commands[i], out, proto);
}

void
command_docs(struct buf *out, int proto, const struct resp_arg *argv, int argc)
{
        size_t n = 0;

        if (argc == 0) {
                resp_map(out, proto, command_count());
                for (size_t i = 0; i < n_commands; i++)
                        if (!is_sub(&commands[i]))
                                doc_one(&commands[i], out, proto);
                return;
        }
        for (int i = 0; i < argc; i++)
                n += find_written(&argv[i]) != NULL;
        resp_map(out, proto, n);
        for (int i = 0; i < argc; i++)
                if (find_written(&argv[i]) != NULL)
                        doc_one(find_written(&argv[i]), out, proto);
}

/* ---- X HELP ---- */

void
command_help(const char *container, struct buf *out)
{
        size_t len = strlen(container), n = 1;

        for (size_t i = 0; i < n_commands; i++)
                n += strncmp(commands[i].name, container, len) == 0 &&
                             commands[i].name[len] == ' '
                         ? 2
                         : 0;
        resp_array(out, n);
        buf_addf(out, "+%s <subcommand> [<arg> ...]. Subcommands are:\r\n", container);
        for (size_t i = 0; i < n_commands; i++) {
                struct buf usage AUTO_BUF = BUF_INIT;

                if (strncmp(commands[i].name, container, len) != 0 ||
                    commands[i].name[len] != ' ')
                        continue;
                command_usage(&commands[i], &usage);
                resp_simple(out, buf_str(&usage) + len + 1);
                buf_addf(out, "+    %s.\r\n", commands[i].summary);
        }
}
