/*
 * A text of the person: from -m, a file, the words, standard input, or the editor
 * ($VISUAL, $EDITOR, vi) with the thread quoted below a cut line.
 *
 * A text is worth more than a command: one that could not be sent stays in a file, and
 * its name is told.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "daemon/base/utf8.h"
#include "daemon/tool/tool.h"

#define MAX_TEXT (1 << 20)
#define CUT "-- >8 --"
#define QUOTED_COLUMNS 76

/* ---- text ---- */

/* Whole lines only: a cut line in the middle of a word is none. */
char *
text_above_cut(struct arena *a, const char *s)
{
        const char *end = s + strlen(s), *p = s;

        while ((p = strstr(p, CUT)) != NULL) {
                if (p == s || p[-1] == '\n') {
                        end = p;
                        break;
                }
                p++;
        }
        while (s < end && strchr(" \t\r\n", *s) != NULL)
                s++;
        while (end > s && strchr(" \t\r\n", end[-1]) != NULL)
                end--;
        return arena_strndup(a, s, (size_t)(end - s));
}

static void
thread_quote(const json_t *thread, struct buf *out)
{
        struct buf text AUTO_BUF = BUF_INIT;
        bool styled = screen_styled(false);

        ticket_format(thread, clock_now_us(), QUOTED_COLUMNS, false, false, &text);
        screen_styled(styled);
        for (const char *p = buf_str(&text); *p != '\0';) {
                size_t n = strcspn(p, "\n");

                buf_addf(out, n > 0 ? "> %.*s\n" : ">%.*s\n", (int)n, p);
                p += n + (p[n] == '\n');
        }
}

static void
editor_begin(const json_t *thread, struct buf *out)
{
        const char *draft = json_str(json_obj(thread, "draft"), "text", "");

        screen_add(out, draft, strlen(draft));
        buf_adds(out, *draft != '\0' && out->data[out->len - 1] != '\n' ? "\n\n" : "\n");
        buf_addf(out, "%s %s\n", CUT,
            tr("What stands above this line is sent. Nothing above: nothing is sent."));
        if (thread != NULL)
                thread_quote(thread, out);
}

/* ---- files ---- */

static int
read_all(int fd, struct buf *out)
{
        ssize_t n;

        while (
            out->len <= MAX_TEXT && (n = read(fd, buf_reserve(out, 65536), 65536)) != 0) {
                if (n == -1 && errno == EINTR)
                        continue;
                if (n == -1)
                        return -1;
                out->len += (size_t)n;
                out->data[out->len] = '\0';
        }
        if (out->len > MAX_TEXT)
                errno = EFBIG;
        return out->len > MAX_TEXT ? -1 : 0;
}

static int
read_path(const char *path, struct buf *out)
{
        int fd =
            strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
        int rc = fd == -1 ? -1 : read_all(fd, out);

        if (rc == -1)
                tool_fail(0, tr("cannot read %s: %s"), path, strerror(errno));
        if (fd != -1)
                close(fd);
        return rc;
}

/* A new file of ours alone, with this in it; its name, or NULL after saying why not. */
static const char *
file_new(struct tool *t, const char *text)
{
        const char *dir = getenv("TMPDIR");
        char *path = arena_printf(t->arena, "%s/helpline-XXXXXX.txt",
            dir != NULL && *dir != '\0' ? dir : "/tmp");
        int fd = mkstemps(path, 4);
        FILE *f = fd == -1 ? NULL : fdopen(fd, "w");

        if (f == NULL || fputs(text, f) == EOF || fclose(f) == EOF) {
                tool_fail(0, tr("cannot write %s: %s"), path, strerror(errno));
                return NULL;
        }
        return path;
}

void
text_sent(struct tool *t)
{
        if (t->text_file != NULL)
                unlink(t->text_file);
        t->text_file = NULL;
}

void
text_keep(struct tool *t, const char *text)
{
        const char *given = tool_option(t, "file");
        const char *path = t->text_file != NULL ? t->text_file : NULL;

        if (path == NULL && given != NULL && strcmp(given, "-") != 0)
                path = given;
        if (path == NULL)
                path = file_new(t, text);
        if (path != NULL)
                fprintf(stderr, tr("Your text is kept in %s (send it with -F %s)\n"),
                    path, path);
        t->text_file = NULL;
}

/* ---- the editor ---- */

static int
editor_run(const char *path)
{
        const char *editor = getenv("VISUAL");
        struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
        int status = -1;
        pid_t pid;

        if (editor == NULL || *editor == '\0')
                editor = getenv("EDITOR");
        if (editor == NULL || *editor == '\0')
                editor = "vi";
        sigaction(SIGINT, &ignore, &old); /* Ctrl-C is the editor's business */
        pid = fork();
        if (pid == 0) {
                char command[4096];

                sigaction(SIGINT, &old, NULL);
                snprintf(command, sizeof command, "%s \"$1\"", editor);
                execl("/bin/sh", "sh", "-c", command, editor, path, (char *)NULL);
                _exit(127);
        }
        while (pid > 0 && waitpid(pid, &status, 0) == -1 && errno == EINTR)
                ;
        sigaction(SIGINT, &old, NULL);
        if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
                return 0;
        return tool_fail(TOOL_REFUSED,
            tr("the editor '%s' has failed; nothing is sent (set VISUAL or EDITOR)"),
            editor);
}

static int
text_edit(struct tool *t, const json_t *thread, const char **text)
{
        struct buf begun AUTO_BUF = BUF_INIT, ended AUTO_BUF = BUF_INIT;
        const char *path;
        int code;

        editor_begin(thread, &begun);
        path = file_new(t, buf_str(&begun));
        if (path == NULL)
                return TOOL_REFUSED;
        code = editor_run(path);
        if (code == 0 && read_path(path, &ended) == -1)
                code = TOOL_REFUSED;
        *text = text_above_cut(t->arena, buf_str(&ended));
        if (code == 0 && **text != '\0' &&
            strcmp(*text, text_above_cut(t->arena, buf_str(&begun))) == 0) {
                *text = "";
                code =
                    tool_fail(TOOL_REFUSED, tr("the text is unchanged; nothing is sent"));
        }
        if (code != 0 || **text == '\0')
                unlink(path);
        else
                t->text_file = path;
        return code;
}

bool
text_wants_editor(const struct tool *t, int n_words)
{
        return n_words == 0 && tool_option(t, "message") == NULL &&
               tool_option(t, "file") == NULL && isatty(STDIN_FILENO);
}

static int
text_read(struct tool *t, const char *path, const char **text)
{
        struct buf b AUTO_BUF = BUF_INIT;

        if (read_path(path, &b) == -1)
                return TOOL_USAGE;
        if (!utf8_valid(buf_str(&b), b.len) || strlen(buf_str(&b)) != b.len)
                return tool_fail(TOOL_USAGE, tr("%s is no text in UTF-8"), path);
        *text = text_above_cut(t->arena, buf_str(&b));
        return 0;
}

int
text_get(struct tool *t, int argc, char **argv, const json_t *thread, const char **text)
{
        const char *said = tool_option(t, "message"), *file = tool_option(t, "file");
        struct buf b AUTO_BUF = BUF_INIT;
        int code = 0;

        *text = "";
        if ((said != NULL) + (file != NULL) + (argc > 0) > 1)
                return tool_fail(TOOL_USAGE, tr("the text is given twice"));
        for (int i = 0; i < argc; i++)
                buf_addf(&b, "%s%s", i > 0 ? " " : "", argv[i]);
        if (said != NULL)
                *text = text_above_cut(t->arena, said);
        else if (argc > 0)
                *text = arena_strdup(t->arena, buf_str(&b));
        else if (text_wants_editor(t, argc))
                code = text_edit(t, thread, text);
        else
                code = text_read(t, file != NULL ? file : "-", text);
        if (code == 0 && **text == '\0')
                return tool_fail(TOOL_REFUSED, tr("the text is empty; nothing is sent"));
        return code;
}
