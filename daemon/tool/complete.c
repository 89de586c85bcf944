/*
 * Completion: `helpline complete WORD ...` prints the candidates for its last word, out
 * of the table of verbs; the scripts for the shells only ask it. Numbers in hand, lines
 * and agents are asked of the daemon; what takes longer than 200 ms is left out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/tool/tool.h"

#define PATIENCE_MS 200
#define N_OF(table) (sizeof(table) / sizeof *(table))

static void
candidate(struct buf *out, const char *begun, const char *word, const char *meaning)
{
        if (strncmp(word, begun, strlen(begun)) != 0)
                return;
        screen_add_line(out, word, strlen(word));
        if (*meaning != '\0') {
                buf_addc(out, '\t');
                screen_add_line(out, meaning, strlen(meaning));
        }
        buf_addc(out, '\n');
}

static void
complete_verbs(const char *begun, struct buf *out)
{
        for (const struct verb *v = verbs; v->name != NULL; v++)
                if (!(v->flags & VERB_HIDDEN))
                        candidate(out, begun, v->name, tr(v->summary));
}

static void
complete_options(const struct verb_option *o, const char *begun, struct buf *out)
{
        for (; o != NULL && o->name != NULL; o++) {
                char name[64];

                snprintf(name, sizeof name, "--%s", o->name);
                candidate(out, begun, name, tr(o->help));
        }
}

/* ---- asked of the daemon ---- */

struct asked {
        const char *command;
        const char *key; /* member that is the candidate */
        const char *meaning; /* member that explains it */
};

static void
complete_asked(
    struct tool *t, const struct asked *what, const char *begun, struct buf *out)
{
        struct arena *a AUTO_ARENA = arena_new();
        int64_t began = clock_read_mono_us() / 1000, *left = &t->client.timeout_ms;
        struct resp_value v;
        struct err err;
        int code, rc = -1;

        if (*left <= 0)
                return;
        t->client.connect_ms = *left;
        if (t->connection == NULL)
                t->connection = client_open(&t->client, &code, &err);
        if (t->connection != NULL)
                rc = client_call_within(
                    t->connection, *left, 1, &what->command, a, &v, &err);
        *left = rc == -1 ? 0 : *left - (clock_read_mono_us() / 1000 - began);
        if (rc == -1)
                return;
        for (size_t i = 0; v.type == RESP_ARRAY && i < v.n_items; i++) {
                json_t *d = json_read(v.items[i].s, v.items[i].len, 16 << 20, NULL);

                candidate(out, begun, json_str(d, what->key, ""),
                    json_str(d, what->meaning, ""));
                json_decref(d);
        }
}

static void
complete_words_of(const char *const *words, size_t n, const char *begun, struct buf *out)
{
        for (size_t i = 0; i < n; i++)
                candidate(out, begun, words[i], tr(words[i]));
}

static void
complete_value(struct tool *t, enum value_kind kind, const char *begun, struct buf *out)
{
        static const char *const states[] = {
            "queued", "held", "waiting", "resolved", "closed", "merged"};
        static const char *const channels[] = {"email", "web", "phone"};
        static const char *const languages[] = {"ru", "en"};
        static const char *const times[] = {
            "30m", "2h", "1d", "tomorrow", "mon", "tue", "wed", "thu", "fri"};

        switch (kind) {
        case VALUE_LINE:
                complete_asked(t, &(struct asked){"LINES", "line", ""}, begun, out);
                break;
        case VALUE_AGENT:
                complete_asked(t, &(struct asked){"AGENTS", "agent", "name"}, begun, out);
                break;
        case VALUE_TICKET:
                complete_asked(t, &(struct asked){"MINE", "id", "subject"}, begun, out);
                break;
        case VALUE_STATE:
                complete_words_of(states, N_OF(states), begun, out);
                break;
        case VALUE_CHANNEL:
                complete_words_of(channels, N_OF(channels), begun, out);
                break;
        case VALUE_LANGUAGE:
                complete_words_of(languages, N_OF(languages), begun, out);
                break;
        case VALUE_TIME:
        case VALUE_DURATION:
                complete_words_of(
                    times, kind == VALUE_TIME ? N_OF(times) : 3, begun, out);
                break;
        case VALUE_NONE:
        case VALUE_ANY:
        case VALUE_TEXT:
        case VALUE_FILE: /* the shell knows files */
        case VALUE_MESSAGE:
        case VALUE_ADDRESS:
        case VALUE_NUMBER:
        case VALUE_PAST:
                break;
        }
}

/* ---- which of them ---- */

static void
complete_priorities(const char *begun, struct buf *out)
{
        static const char *const priorities[] = {"low", "normal", "high", "urgent"};

        complete_words_of(priorities, N_OF(priorities), begun, out);
}

/* By the letters of the template, of those that n words may still reach. */
static void
complete_template(
    struct tool *t, const struct verb *v, int n_words, const char *begun, struct buf *out)
{
        const char *p = v->command;
        bool ticket = strstr(p, "%t") != NULL || strstr(p, "%T") != NULL;

        if (ticket && (n_words == 0 || strstr(p, "%T") != NULL))
                complete_value(t, VALUE_TICKET, begun, out);
        if (n_words > 1)
                return;
        if (strstr(p, "%a") != NULL || strcmp(v->name, "why") == 0)
                complete_value(t, VALUE_AGENT, begun, out);
        if (strstr(p, "%l") != NULL)
                complete_value(t, VALUE_LINE, begun, out);
        if (strstr(p, "%p") != NULL)
                complete_priorities(begun, out);
        if (strstr(p, "%w") != NULL || strstr(p, "%u") != NULL || strstr(p, "%d") != NULL)
                complete_value(t, VALUE_TIME, begun, out);
}

static const struct verb_option *
option_of(const struct verb *v, const char *word)
{
        if (word[0] != '-' || word[1] == '\0')
                return NULL;
        return word[1] == '-'    ? verb_option_find(v, word + 2, strlen(word + 2), 0)
               : word[2] == '\0' ? verb_option_find(v, "", 0, word[1])
                                 : NULL;
}

static int64_t
patience_ms(void)
{
        const char *told = getenv("HELPLINE_COMPLETE_MS");
        long ms = told == NULL ? 0 : strtol(told, NULL, 10);

        return ms > 0 && ms <= 600000 ? ms : PATIENCE_MS;
}

/* Reads what stands before the last word as main would; the last is being written. */
void
complete_words(struct tool *t, int argc, char **argv, struct buf *out)
{
        const char *begun = argc > 0 ? argv[argc - 1] : "";
        const struct verb *v = NULL;
        const struct verb_option *waits = NULL; /* for its value */
        int n_words = 0;

        t->client.timeout_ms = patience_ms(); /* for all that is asked */
        for (int i = 0; i + 1 < argc; i++) {
                const struct verb_option *o =
                    waits == NULL ? option_of(v, argv[i]) : NULL;

                if (waits != NULL) {
                        if (strcmp(waits->name, "config") == 0)
                                t->client.file = argv[i];
                        if (strcmp(waits->name, "server") == 0)
                                t->client.server = argv[i];
                        waits = NULL;
                } else if (o != NULL) {
                        waits = o->kind != VALUE_NONE ? o : NULL;
                } else if (v == NULL) {
                        v = verb_find(argv[i]);
                } else {
                        n_words++;
                }
        }
        if (waits != NULL)
                complete_value(t, waits->kind, begun, out);
        else if (*begun == '-') {
                complete_options(v == NULL ? NULL : v->options, begun, out);
                complete_options(common_options, begun, out);
        } else if (v == NULL || strcmp(v->name, "help") == 0)
                complete_verbs(begun, out);
        else if (v->command != NULL)
                complete_template(t, v, n_words, begun, out);
        else if (strcmp(v->name, "completion") == 0)
                complete_words_of(
                    (const char *const[]){"bash", "zsh", "fish"}, 3, begun, out);
}

int
verb_complete(struct tool *t, int argc, char **argv)
{
        struct buf b AUTO_BUF = BUF_INIT;
        const char *token = getenv("HELPLINE_TOKEN");

        t->client.token = token != NULL && *token != '\0' ? token : NULL;
        complete_words(t, argc - 1, argv + 1, &b);
        fputs(buf_str(&b), stdout);
        return TOOL_DONE;
}

/* ---- the scripts ---- */

static const char script_bash[] =
    "# bash completion of helpline: source <(helpline completion bash)\n"
    "_helpline()\n"
    "{\n"
    "        local cur=${COMP_WORDS[COMP_CWORD]} line\n"
    "        COMPREPLY=()\n"
    "        while IFS= read -r line; do\n"
    "                COMPREPLY+=(\"${line%%$'\\t'*}\")\n"
    "        done < <(\"${COMP_WORDS[0]}\" complete \"${COMP_WORDS[@]:1:COMP_CWORD}\" "
    "2>/dev/null)\n"
    "        if [ ${#COMPREPLY[@]} -eq 0 ]; then\n"
    "                compopt -o default 2>/dev/null\n"
    "        fi\n"
    "}\n"
    "complete -F _helpline helpline\n";

static const char script_zsh[] =
    "#compdef helpline\n"
    "# zsh completion of helpline: source <(helpline completion zsh)\n"
    "_helpline()\n"
    "{\n"
    "        local -a found\n"
    "        local line\n"
    "        while IFS= read -r line; do\n"
    "                local word=${line%%$'\\t'*} meaning=\n"
    "                [[ $line == *$'\\t'* ]] && meaning=${line#*$'\\t'}\n"
    "                found+=(\"${word//:/\\\\:}${meaning:+:$meaning}\")\n"
    "        done < <($words[1] complete \"${(@)words[2,CURRENT]}\" 2>/dev/null)\n"
    "        if (( $#found )); then\n"
    "                _describe -t helpline helpline found\n"
    "        else\n"
    "                _files\n"
    "        fi\n"
    "}\n"
    "if [[ $funcstack[1] = _helpline ]]; then\n"
    "        _helpline \"$@\"\n"
    "else\n"
    "        compdef _helpline helpline\n"
    "fi\n";

static const char script_fish[] =
    "# fish completion of helpline: helpline completion fish | source\n"
    "function __helpline_complete\n"
    "        set -l words (commandline -opc) (commandline -ct)\n"
    "        set -l found (command $words[1] complete $words[2..-1] 2>/dev/null)\n"
    "        if count $found >/dev/null\n"
    "                printf '%s\\n' $found\n"
    "        else\n"
    "                __fish_complete_path (commandline -ct)\n"
    "        end\n"
    "end\n"
    "complete -c helpline -f -a '(__helpline_complete)'\n";

const char *
completion_script(const char *shell)
{
        return strcmp(shell, "bash") == 0   ? script_bash
               : strcmp(shell, "zsh") == 0  ? script_zsh
               : strcmp(shell, "fish") == 0 ? script_fish
                                            : NULL;
}

int
verb_completion(struct tool *t, int argc, char **argv)
{
        const char *script = argc == 2 ? completion_script(argv[1]) : NULL;

        if (script == NULL)
                return tool_fail(TOOL_USAGE, tr("usage: helpline %s %s"), t->verb->name,
                    tr(t->verb->words));
        fputs(script, stdout);
        return TOOL_DONE;
}
