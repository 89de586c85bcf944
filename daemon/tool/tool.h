/*
 * The program `helpline`. main.c reads the command line by the table of verbs (verb.h);
 * a verb gets its words and returns the exit code.
 *
 *   command.c    from words to a command of the protocol; the ticket in hand; repetition
 *   answer.c     errors and answers for people
 *   ticket.c     a ticket on the screen        lists.c   tables of tickets, lines, agents
 *   work.c       next, show, reply, new, call  editor.c  $VISUAL with the thread below
 *   board.c      the live board                complete.c, help.c  out of the table
 *   when.c, table.c, screen.c, words.c         times, tables, terminal, two languages
 */
#ifndef HELPLINE_TOOL_TOOL_H
#define HELPLINE_TOOL_TOOL_H

#include "daemon/base/json.h"
#include "daemon/tool/client.h"
#include "daemon/tool/table.h"
#include "daemon/tool/verb.h"
#include "daemon/tool/words.h"

#define MAX_OPTIONS 64

struct option_given {
        const struct verb_option *option;
        const char *value; /* NULL of a switch */
};

struct tool {
        struct client_options client;
        const struct verb *verb;
        struct client *connection; /* NULL until the first command */
        struct arena *arena; /* lives as long as the program */
        bool json; /* --json */
        bool csv; /* --csv */
        bool quiet; /* -q */
        bool fix; /* --fix */
        const char *form; /* --form: explain's, NULL not given */
        const char *phone; /* --phone: explain's, NULL not given */
        const char *sender; /* -f: deliver's envelope sender, NULL not given */
        struct option_given given[MAX_OPTIONS]; /* the verb's own, in their order */
        size_t n_given;
        const char *text_file; /* where the editor has left the text, NULL none */
};

/* argv[0] is the verb. */
int verb_command(struct tool *t, int argc, char **argv); /* cmd WORD ... */
int verb_agent(struct tool *t, int argc, char **argv); /* agent token NAME */
int verb_plain(struct tool *t, int argc, char **argv); /* live rehearse reload drain */
int verb_status(struct tool *t, int argc, char **argv);
int verb_outbox(struct tool *t, int argc, char **argv);
int verb_quarantine(struct tool *t, int argc, char **argv);
int verb_check(struct tool *t, int argc, char **argv);
int verb_config(struct tool *t, int argc, char **argv); /* config show */
int verb_explain(struct tool *t, int argc, char **argv);
int verb_deliver(struct tool *t, int argc, char **argv);
int verb_feed(struct tool *t, int argc, char **argv); /* feed NAME */
int verb_form(struct tool *t, int argc, char **argv); /* form snippet NAME */
int verb_fsck(struct tool *t, int argc, char **argv);
int verb_demo(struct tool *t, int argc, char **argv); /* the screen of `make run` */
int verb_change(struct tool *t, int argc, char **argv); /* all with a template */
int verb_next(struct tool *t, int argc, char **argv);
int verb_ls(struct tool *t, int argc, char **argv);
int verb_search(struct tool *t, int argc, char **argv);
int verb_new(struct tool *t, int argc, char **argv);
int verb_call(struct tool *t, int argc, char **argv);
int verb_absent(struct tool *t, int argc, char **argv);
int verb_why(struct tool *t, int argc, char **argv);
int verb_save(struct tool *t, int argc, char **argv);
int verb_board(struct tool *t, int argc, char **argv);
int verb_help(struct tool *t, int argc, char **argv);
int verb_completion(struct tool *t, int argc, char **argv);
int verb_complete(struct tool *t, int argc, char **argv);

/* ---- options ---- */
/* Reads options and the verb; *argc and *argv are then the verb and its words. -1: go
 * on; else the exit code to end with. */
int options_parse(struct tool *t, int *argc, char ***argv);
/* The last value of the option, NULL not given; of a switch "". */
const char *tool_option(const struct tool *t, const char *name);

/* ---- talking to the daemon: command.c ---- */
/* One command and its answer (in a). 0, or the exit code when there is none or it is an
 * error, which has been said. With an ID as its last option it is sent once more when
 * it is not known whether it was done. */
int tool_call(struct tool *t, int argc, const char *const *argv, struct arena *a,
    struct resp_value *out);
/* The same, but an error is left in *out for the caller; other exit codes are said. */
int tool_ask(struct tool *t, int argc, const char *const *argv, struct arena *a,
    struct resp_value *out);
/* A document out of the answer; NULL after saying why not. Decref it. */
json_t *tool_document(const struct resp_value *v);
/* "1042" or "#1042" as the number alone; NULL when it is none. */
const char *ticket_number(const char *word);
/* The only ticket of MINE; NULL after saying what is wrong, with *code. */
const char *ticket_in_hand(struct tool *t, int *code);
/* A random key for ID. */
const char *key_new(struct arena *a);

struct command {
        const char *argv[64]; /* room for what a verb adds */
        int argc;
        const char *ticket; /* the %t or %T in it, "" none */
        const char *text; /* the %x in it, "" none */
        const char *seen; /* newest message of the thread that the editor showed */
};
/* Fills the verb's template. 0, or the exit code after saying what is wrong. */
int command_build(struct tool *t, int argc, char **argv, struct command *c);
/* The options that have a word of the protocol. 0 or the exit code. */
int command_add_options(struct tool *t, struct command *c);
/* Appends a word; too many is a usage error at the daemon, never an overrun. */
void command_add(struct command *c, const char *word);
/* Run the command and show its answer as the verb wants it. */
int command_run(struct tool *t, struct command *c);

/* ---- the editor: editor.c ---- */
/* A text of the person: -m, -F FILE, words, standard input when it is no terminal, else
 * the editor, with `thread` (the ticket's document, may be NULL) quoted below a cut line
 * and its draft above. 0 and *text, or the exit code after saying that nothing is
 * sent. */
int
text_get(struct tool *t, int argc, char **argv, const json_t *thread, const char **text);
/* Would text_get open the editor, when so many words are there? */
bool text_wants_editor(const struct tool *t, int n_words);
/* The text is on its way: its file, if the editor made one, is no longer needed. */
void text_sent(struct tool *t);
/* Keeps a text that could not be sent in a file and tells its name. */
void text_keep(struct tool *t, const char *text);
/* What stands above the cut line, without blank lines around: pure. */
char *text_above_cut(struct arena *a, const char *s);

/* ---- answers ---- */
/* Run one command and print its answer as people (or --json) want it. */
int tool_run(struct tool *t, int argc, const char *const *argv);
/* "helpline: text" on standard error; returns code. */
int tool_fail(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Says an error answer of the protocol, and what it means; its exit code. */
int tool_refused(const struct tool *t, const struct resp_value *error);
/* The exit code an error answer of the protocol deserves. */
int tool_code_of(const char *error);
/* An answer as it is. */
int print_value(const struct resp_value *v, bool raw);
void print_quoted(const struct resp_value *v); /* as JSON */
/* The sentence of a verb that has been done (or the answer, in a pipe and for --json). */
int answer_done(struct tool *t, const struct command *c, const struct resp_value *v);
/* A table as the options want it, to standard output. */
void tool_table(const struct tool *t, const struct table *table);
/* The name in the person's language of a state, priority or event; others as they are. */
const char *tool_name_of(const char *word);

/* ---- tickets: ticket.c, lists.c ---- */
/* A ticket document for people, full: with what mails quote; log: with the log. */
void ticket_format(const json_t *doc, int64_t now_us, size_t columns, bool full,
    bool with_log, struct buf *out);
/* Prints documents of ticket or summary kind as the options want them. */
void ticket_print(struct tool *t, const char *json, size_t len);
struct table *tickets_table(void);
void tickets_table_add(struct table *table, const json_t *summary, int64_t now_us);
/* LINES, AGENTS, QUEUE and what else is a table. */
struct table *lists_table(const char *command);
void lists_add(const char *command, struct table *table, const json_t *document);
int lists_print(struct tool *t, const char *command, const struct resp_value *v);

/* ---- help.c ---- */
/* All about a verb; NULL: the list of verbs. */
void help_format(const struct verb *v, struct buf *out);

/* ---- save.c ---- */
/* A file name out of an attachment's; pure. */
const char *save_name(struct arena *a, const char *name, const char *part);

/* ---- completion: complete.c ---- */
/* Candidates for the last of the words, one a line: "word\tmeaning". Asks the daemon
 * within 200 ms where it has to. */
void complete_words(struct tool *t, int argc, char **argv, struct buf *out);
/* The script of that shell; NULL: no such shell. */
const char *completion_script(const char *shell);

/* deliver's inside: one mail to one recipient over LMTP. An exit code of sysexits.h;
 * what was wrong stands on standard error; reply: the last words of the daemon. */
int mail_deliver(const struct tool *t, const char *to, const char *from, const char *mail,
    size_t len, char reply[600]);

#endif
