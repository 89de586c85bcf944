/*
 * The program `helpline`: verbs of the administrator. One table in main.c; a verb
 * gets its words and returns the exit code.
 */
#ifndef HELPLINE_TOOL_TOOL_H
#define HELPLINE_TOOL_TOOL_H

#include "daemon/tool/client.h"

struct tool {
        struct client_options client;
        bool json; /* --json */
        bool fix; /* --fix */
        const char *form; /* --form: explain's, NULL not given */
        const char *phone; /* --phone: explain's, NULL not given */
        const char *sender; /* -f: deliver's envelope sender, NULL not given */
};

/* argv[0] is the verb. */
int verb_command(struct tool *t, int argc, char **argv); /* cmd WORD ... */
int verb_agent(struct tool *t, int argc, char **argv); /* agent token NAME */
int verb_plain(struct tool *t, int argc, char **argv); /* live rehearse reload drain */
int verb_status(struct tool *t, int argc, char **argv);
int verb_outbox(struct tool *t, int argc, char **argv);
int verb_quarantine(struct tool *t, int argc, char **argv);
int verb_check(struct tool *t, int argc, char **argv);
int verb_explain(struct tool *t, int argc, char **argv);
int verb_deliver(struct tool *t, int argc, char **argv);
int verb_feed(struct tool *t, int argc, char **argv); /* feed NAME */
int verb_form(struct tool *t, int argc, char **argv); /* form snippet NAME */
int verb_fsck(struct tool *t, int argc, char **argv);
int verb_demo(struct tool *t, int argc, char **argv); /* the screen of `make run` */

/* Run one command and print its answer as people (or --json) want it. */
int tool_run(struct tool *t, int argc, const char *const *argv);
/* "helpline: text" on standard error; returns code. */
int tool_fail(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The exit code an error answer of the protocol deserves. */
int tool_code_of(const char *error);

/* deliver's inside: one mail to one recipient over LMTP. An exit code of sysexits.h;
 * what was wrong stands on standard error; reply: the last words of the daemon. */
int mail_deliver(const struct tool *t, const char *to, const char *from, const char *mail,
    size_t len, char reply[600]);

#endif
