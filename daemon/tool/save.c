/*
 * helpline save: an attachment into a file. Its name was chosen by who sent it, so only
 * its last part counts, without what a shell or a terminal could take amiss, and nothing
 * that is there is ever overwritten. What did not arrive whole is removed again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/tool/tool.h"

#define PIECE (1 << 20)

/* "../../.bashrc\n" becomes "bashrc"; nothing useful: "part-2". */
const char *
save_name(struct arena *a, const char *name, const char *part)
{
        struct buf b AUTO_BUF = BUF_INIT, clean AUTO_BUF = BUF_INIT;
        const char *p;

        screen_add_line(&clean, name, strlen(name));
        p = buf_str(&clean);
        for (const char *q = p; *q != '\0'; q++)
                if (*q == '/' || *q == '\\')
                        p = q + 1;
        p += strspn(p, ". -");
        for (; *p != '\0' && b.len < 200; p++)
                buf_addc(&b, strchr("*?\"'`$&;|<>:", *p) != NULL ? '_' : *p);
        while (b.len > 0 && b.data[b.len - 1] == ' ')
                b.data[--b.len] = '\0';
        return b.len > 0 ? arena_strdup(a, buf_str(&b))
                         : arena_printf(a, "part-%s", part);
}

/* The attachment's name in the newest message that has such a part. */
static int
name_look(struct tool *t, const char *ticket, const char *part, const char **name)
{
        const char *id = arena_strndup(t->arena, ticket, strcspn(ticket, "."));
        struct resp_value v;
        json_t *doc;
        int code =
            tool_call(t, 4, (const char *[]){"SHOW", id, "COUNT", "100"}, t->arena, &v);

        *name = "";
        if (code != 0)
                return code;
        doc = tool_document(&v);
        for (size_t i = 0; i < json_array_size(json_list(doc, "messages")); i++) {
                const json_t *m = json_array_get(json_list(doc, "messages"), i);
                const json_t *parts = json_list(m, "attachments");

                if (strchr(ticket, '.') != NULL &&
                    strcmp(json_str(m, "id", ""), ticket) != 0)
                        continue;
                for (size_t k = 0; k < json_array_size(parts); k++) {
                        const json_t *p = json_array_get(parts, k);

                        if (strcmp(json_str(p, "part", ""), part) == 0)
                                *name = arena_strdup(t->arena, json_str(p, "name", ""));
                }
        }
        json_decref(doc);
        return 0;
}

/* Piece by piece until a short one. */
static int
bytes_write(struct tool *t, const char *ticket, const char *part, FILE *f)
{
        for (long long at = 0;; at += PIECE) {
                struct arena *a AUTO_ARENA = arena_new();
                const char *words[] = {"BLOB", ticket, part, "OFFSET",
                    arena_printf(a, "%lld", at), "COUNT", arena_printf(a, "%d", PIECE)};
                struct resp_value v;
                int code = tool_call(t, 7, words, a, &v);

                if (code != 0)
                        return code;
                if (v.type != RESP_BULK || fwrite(v.s, 1, v.len, f) != v.len)
                        return tool_fail(TOOL_REFUSED, tr("cannot write %s: %s"), part,
                            strerror(errno));
                if (v.len < PIECE)
                        return 0;
        }
}

static int
save_to(struct tool *t, const char *ticket, const char *part, const char *path)
{
        bool out = strcmp(path, "-") == 0;
        int fd = out ? dup(STDOUT_FILENO)
                     : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        FILE *f = fd == -1 ? NULL : fdopen(fd, "w");
        int code;

        if (f == NULL)
                return tool_fail(
                    TOOL_REFUSED, tr("cannot write %s: %s"), path, strerror(errno));
        code = bytes_write(t, ticket, part, f);
        if (fclose(f) != 0 && code == 0)
                code = tool_fail(
                    TOOL_REFUSED, tr("cannot write %s: %s"), path, strerror(errno));
        if (code != 0 && !out)
                unlink(path);
        if (code == 0 && !out && !t->quiet)
                printf("%s\n", path);
        return code;
}

/* save [TICKET] PART [FILE]: a part has no dot but in a message of messages (2.1), so a
 * first word is the ticket when another follows. */
int
verb_save(struct tool *t, int argc, char **argv)
{
        const char *ticket = NULL, *part, *path = NULL, *name;
        int code = 0, at = 1;

        if (argc > 2 && strspn(argv[1], "#0123456789.") == strlen(argv[1]) &&
            strspn(argv[2], "0123456789.") == strlen(argv[2]))
                ticket = argv[at++] + (*argv[1] == '#');
        if (at >= argc || argc - at > 2)
                return tool_fail(TOOL_USAGE, tr("usage: helpline %s %s"), t->verb->name,
                    tr(t->verb->words));
        part = argv[at];
        path = at + 1 < argc ? argv[at + 1] : NULL;
        if (ticket == NULL)
                ticket = ticket_in_hand(t, &code);
        if (ticket == NULL)
                return code;
        if (path == NULL) {
                code = name_look(t, ticket, part, &name);
                path = save_name(t->arena, name, part);
        }
        return code != 0 ? code : save_to(t, ticket, part, path);
}
