/*
 * The verbs of the tool: one table (verb_table.c), out of which come the reading of the
 * command line, the command that is sent, the help, the completion, and the test that
 * helpline(1) has them all.
 *
 * A verb with a `command` is one command of the protocol; its words are those of the
 * template, filled with the words and options that were given:
 *
 *   %t a ticket, without one that in hand    %T a ticket that must be said
 *   %m a message or consultation (1042.7)    %a an agent    %l a line    %p a priority
 *   %x a text: words, -m, -F, standard input or the editor
 *   %r a reason: words or -m                 %* all other words (one at least)
 *   %w a time    %u perhaps a time, after UNTIL    %d a duration or a time
 *   %s skill:level    %f a field    %v a value (all other words)
 *   %g tags (+a -b)    %? perhaps a word    %o the options that have a `word`
 */
#ifndef HELPLINE_TOOL_VERB_H
#define HELPLINE_TOOL_VERB_H

#include <stdbool.h>
#include <stddef.h>

struct tool;

/* What a value is: how it is checked, changed and completed. */
enum value_kind {
        VALUE_NONE, /* the option is a switch */
        VALUE_ANY,
        VALUE_TEXT,
        VALUE_FILE,
        VALUE_LINE,
        VALUE_AGENT,
        VALUE_STATE,
        VALUE_CHANNEL,
        VALUE_TICKET,
        VALUE_MESSAGE,
        VALUE_ADDRESS,
        VALUE_NUMBER,
        VALUE_DURATION,
        VALUE_TIME, /* ahead */
        VALUE_PAST, /* a time that was */
        VALUE_LANGUAGE
};

struct verb_option {
        const char *name; /* "line" for --line */
        char letter; /* 'l' for -l, 0 none */
        enum value_kind kind;
        const char *value; /* its name in the help, "LINE"; NULL of a switch */
        const char *help; /* English */
        const char *word; /* the protocol's word it becomes, NULL: the verb reads it */
};

enum verb_flag {
        VERB_AGENT =
            1 << 0, /* acts as an agent: HELPLINE_TOKEN counts on the socket too */
        VERB_CHANGES = 1 << 1, /* takes an ID and is repeated */
        VERB_RAW = 1 << 2, /* all that follows is its own (cmd) */
        VERB_SIGNS = 1 << 3, /* words may begin with + or - (tag) */
        VERB_NO_WORDS = 1 << 4, /* %x is not taken from words (reply) */
        VERB_HIDDEN = 1 << 5 /* for other programs, not people */
};

/* What the answer is, and how it is shown. */
enum verb_answer {
        ANSWER_OWN, /* by the verb's own function */
        ANSWER_DONE, /* one sentence; in a pipe the answer itself */
        ANSWER_TICKET, /* a ticket document */
        ANSWER_TABLE /* documents; tables.c knows the command's columns */
};

struct verb {
        const char *name;
        int (*run)(struct tool *t, int argc, char **argv);
        const char *words; /* in the usage line, after the name */
        const char *summary; /* English */
        const struct verb_option *options; /* ends with a NULL name; NULL none */
        const char *command; /* the template, NULL: the verb's own function does it */
        const char *done; /* English, one %s: what was done, with the ticket or id */
        const char *about; /* English, further lines of its help; NULL none */
        unsigned flags; /* enum verb_flag */
        enum verb_answer answer;
};

extern const struct verb verbs[]; /* ends with a NULL name */
/* By group in the order of the table; a row with a summary alone is a heading. */
const struct verb *verb_find(const char *name);
/* Options that every verb takes. */
extern const struct verb_option common_options[];
/* By long name (n bytes) or letter among the verb's and the common ones; NULL none. */
const struct verb_option *
verb_option_find(const struct verb *v, const char *name, size_t n, char letter);

#endif
