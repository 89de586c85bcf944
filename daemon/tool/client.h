/*
 * The tool's side of the agent protocol: blocking, one command at a time, with a
 * deadline. Unix socket of a configuration, or --server HOST:PORT with
 * $HELPLINE_TOKEN.
 */
#ifndef HELPLINE_TOOL_CLIENT_H
#define HELPLINE_TOOL_CLIENT_H

#include "daemon/base/arena.h"
#include "daemon/base/err.h"
#include "daemon/base/resp.h"

/* Exit codes of CONFIG.md, "Programs and their fixed calls". */
enum {
        TOOL_DONE = 0,
        TOOL_REFUSED = 1,
        TOOL_USAGE = 2,
        TOOL_NO_WORK = 3,
        TOOL_NO_LOGIN = 4,
        TOOL_AWAY = 5
};

struct client;

struct client_options {
        /* configuration; $HELPLINE_CONF, else /etc/helpline/helpline.conf */
        const char *file;
        const char *server; /* HOST:PORT, NULL: the Unix socket */
        const char *token; /* to log in with; NULL on the Unix socket: as the Unix user */
        bool trace; /* show each command on standard error, secrets never */
        int64_t timeout_ms; /* of one answer; -1 for ever */
        int64_t connect_ms; /* 0: 5 s */
};

/* Connects and logs in. NULL with *err; *code is the exit code it deserves. */
struct client *client_open(const struct client_options *o, int *code, struct err *err);
void client_close(struct client **c);
/* One command and its answer (in a). -1: no answer in time, or broken. */
int client_call(struct client *c, int argc, const char *const *argv, struct arena *a,
    struct resp_value *out, struct err *err);
/* The same with its own patience: -1 for ever. */
int client_call_within(struct client *c, int64_t timeout_ms, int argc,
    const char *const *argv, struct arena *a, struct resp_value *out, struct err *err);
/* Its socket, to poll beside other things. */
int client_fd(const struct client *c);
/* Is an answer there without waiting? */
bool client_has_answer(struct client *c);
/* Waits for one more answer (SUBSCRIBE). timeout_ms -1: for ever. */
int client_next(struct client *c, int64_t timeout_ms, struct arena *a,
    struct resp_value *out, struct err *err);

#endif
