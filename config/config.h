/*
 * The configuration as the rest of helpline reads it: plain structs in one
 * arena, made by config_load() out of all files, replaced whole by a reload,
 * never changed in between.
 *
 * What an administrator may write: CONFIG.md's grammar, the table in
 * config/options.c. Rules are applied by config/rules.h.
 */
#ifndef HELPLINE_CONFIG_CONFIG_H
#define HELPLINE_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/arena.h"
#include "daemon/base/buf.h"
#include "daemon/base/err.h"
#include "daemon/model/calendar.h"
#include "daemon/model/class.h"
#include "daemon/model/ticket.h"

struct rules; /* compiled: config/rules.h */

enum role { ROLE_AGENT, ROLE_TRAINEE, ROLE_LEAD, ROLE_ADMIN, ROLE_BOT };
const char *role_name(enum role r);

struct relay { /* smtp smtp://host:port of a mail account, in order of trial */
        const char *url; /* "smtp://localhost" */
        const char *host;
        unsigned port; /* 25 */
        const char *user; /* "" without AUTH */
        const char *password; /* the secret itself; never printed */
        bool starttls; /* required (always with AUTH off loopback), else when offered */
};

struct mail_account {
        const char *address; /* as written: Support@romashka.ru */
        const char *name; /* display name of what we send: the desk's */
        const char **also; /* further addresses of the same mailbox */
        size_t n_also;
        bool forwards; /* what agents forward is its first sender's mail; default yes */
        const char **forwarders; /* further addresses whose forwards are */
        size_t n_forwarders;
        bool acknowledge_forwards; /* he gets an acknowledgement, too */
        struct relay *relays; /* at least one: smtp://localhost by default */
        size_t n_relays;
};

struct line_options {
        const char *name;
        unsigned holds; /* weight in hand at once of an agent at home here; default 4 */
        int64_t lease_ms; /* default 4h */
        struct open_time
            escalate; /* queued or held so long: one line up; 0 only by hand */
        int64_t handed_ms; /* head start of what is handed to it; default 0s */
        struct class_step
            *steps; /* of what is handed to it: `steps { after 1h also third }` */
        size_t n_steps;
        bool is_private; /* seen by its agents and leads only */
        bool allow_cc; /* its agents may answer to other addresses */
        int64_t wrap_up_ms; /* pause of an agent after he has finished one; default 0s */
};

struct hours_options { /* `hours office { … }`; "always" is always there */
        const char *name;
        struct calendar calendar; /* sealed */
};

struct promise_options { /* `promise standard { hours office; … }` */
        const char *name;
        const struct hours_options *hours; /* NULL: always */
        struct open_time first_response, next_response, resolution; /* 0 0: none */
        unsigned priority; /* enum priority: when it is at risk, at least this */
        unsigned warn; /* share of the time after which it is at risk, percent; 80 */
};

struct agent_options {
        const char *name; /* word: "anna" */
        const char *full_name;
        enum role role;
        const char *line; /* home; default the first */
        struct skill *skills; /* sorted by name */
        size_t n_skills;
        unsigned holds; /* his own, else his line's */
        const char *login; /* Unix user on the local socket, "" none */
        const char *mail; /* his own address, "" none */
        const char **helps; /* lines whose tickets he takes when his own has none */
        size_t n_helps;
        const char *only; /* skill, "" none */
        const char *deputy; /* agent, "" : the line */
        const char *tutor; /* of a trainee: `trainee of anna`; "" none */
        bool notify_mail; /* `notify mail` */
        const char *hours; /* when he works, "" always: outside he counts as away */
        struct profile profile; /* ready made for class_step() */
};

struct list_options { /* of addresses, @domains and numbers, normalised */
        const char *name;
        const char **items;
        size_t n_items;
};

/* ---- web forms ---- */
enum field_type {
        FIELD_LINE, /* text of one line: the default */
        FIELD_TEXT, /* several lines */
        FIELD_EMAIL,
        FIELD_PHONE,
        FIELD_NUMBER,
        FIELD_DATE,
        FIELD_CHOICES, /* `choices "a" "b"` */
        FIELD_FILES,
        FIELD_CONSENT
};
struct localised { /* label "Изделие", or label ru "Изделие" and label en "Product" */
        const char *language; /* "" : for all */
        const char *text;
};
struct field_options {
        const char *name;
        enum field_type type;
        bool required;
        struct localised *labels;
        size_t n_labels;
        const char **choices;
        size_t n_choices;
        unsigned at_most; /* files: default 5 */
        uint64_t limit; /* bytes: of all files together (20 MB), of a text (64 KB) */
        const char *text; /* consent: what is agreed to, from `text` or `text file` */
};
struct form_options {
        const char *name;
        const char *account; /* "web:contact" */
        const char **sites; /* origins that may post: "https://www.romashka.ru" */
        size_t n_sites;
        const char *thanks; /* URL to go to, "" our own page */
        const char
            *reply_as; /* our mail address answers leave from: the first account's */
        struct field_options *fields;
        size_t n_fields;
        unsigned rate; /* posts an hour from one address; default 20 */
};

/* ---- phone logs ---- */
enum phone_format {
        PHONE_PUSH, /* from elsewhere: POST /calls/NAME, helpline feed NAME */
        PHONE_ASTERISK_CSV, /* asterisk file "...": Master.csv */
        PHONE_ASTERISK_CUSTOM, /* asterisk-custom file "..." */
        PHONE_FREESWITCH_CSV /* freeswitch file "..." */
};
enum phone_answered { PHONE_ANSWERED_NOTE, PHONE_ANSWERED_TICKET, PHONE_ANSWERED_IGNORE };
struct phone_options {
        const char *name;
        const char *account; /* "phone:office" */
        enum phone_format format;
        const char *file; /* absolute, "" push */
        bool column17_is_userfield; /* Master.csv of 17 columns: `column-17 userfield` */
        const char **ours; /* numbers, E.164 where they can be; none: all */
        size_t n_ours;
        bool missed_ticket; /* `missed ticket` (default) or `missed ignore` */
        int64_t repeated_ms; /* 1d */
        int64_t short_ms; /* 5s */
        int64_t callback_ms; /* 20s */
        enum phone_answered answered; /* note */
        const char *timezone; /* of the log's times; default the desk's */
        const char *token; /* the secret of pushes (`password file`), "" none by HTTP */
};

/* ---- the customers file ---- */
struct customer_row {
        const char *address; /* normalised, "" none */
        const char *phone; /* E.164, "" none */
        const char *name, *organisation, *manager;
        bool vip;
        const char **values; /* of all columns, by customers_file.columns */
};
struct customer_key { /* one address or number of a row: a cell may hold several */
        const char *key;
        const struct customer_row *row;
};
struct customers_file {
        const char *path;
        const char **columns; /* folded names of the head line */
        size_t n_columns;
        struct customer_row *rows; /* as they stand */
        size_t n_rows;
        struct customer_key *keys; /* sorted; of two equal ones the first row counts */
        size_t n_keys;
};
/* The row of an address or number (either may be ""), NULL none. O(log n). */
const struct customer_row *
customers_find(const struct customers_file *f, const char *address, const char *phone);

struct data_file { /* one whose change alone is a reason to reload */
        const char *path;
        int64_t mtime_ns;
        int64_t size; /* -1: it was not there */
        uint64_t inode;
};

struct config {
        struct arena *arena; /* owns everything here but the rules */
        const char *file; /* the main file, absolute */
        const char *dir; /* its folder */
        const char **files; /* all files read, for messages */
        size_t n_files;

        const char *name; /* of the desk; default "helpline" */
        const char **languages; /* the first is the default; default ru en */
        size_t n_languages;
        const char *timezone; /* IANA name, "" the system's */
        const char *url; /* "" no links */
        /* state directory, absolute; default $STATE_DIRECTORY, else /var/lib/helpline */
        const char *state;
        const char *store; /* "embedded", "unix:///path", "redis://host:port/0" */
        const char *store_password; /* "" none */
        int64_t send_delay_ms; /* 20s */
        int64_t reopen_ms; /* 14d */
        int64_t close_ms; /* resolved this long: closed; equals reopen_ms */
        const char **alert; /* addresses */
        size_t n_alert;
        int64_t alert_silent_ms; /* 30m */
        int64_t priority_head_ms
            [4]; /* by enum priority; low -4h, normal 0, high 1h, urgent 4h */

        /* "unix:/abs/path" or "127.0.0.1:7724"; default unix:<state>/lmtp.sock */
        const char **lmtp_listen;
        size_t n_lmtp_listen;
        /* default unix:<state>/agents.sock and 127.0.0.1:7711 */
        const char **socket_listen;
        size_t n_socket_listen;

        const char *country; /* calling code for national numbers, "7"; "" none */
        const char **web_listen; /* default 127.0.0.1:7780 */
        size_t n_web_listen;
        const char *
            *web_proxy; /* addresses whose X-Forwarded-For counts; default 127.0.0.1 */
        size_t n_web_proxy;
        const char **web_sites; /* origins whose pages may call /v1 */
        size_t n_web_sites;
        struct form_options *forms;
        size_t n_forms;
        struct phone_options *phones;
        size_t n_phones;
        struct customers_file customers; /* n_rows 0 when there is none */

        struct mail_account *mails;
        size_t n_mails;
        struct line_options *lines; /* in order; "first" when none is declared */
        size_t n_lines;
        int64_t help_delay_ms; /* 30m: how much later a helped line counts */
        int64_t remind_ms, give_up_ms; /* no-answer { remind 3d; close 7d }; 0 neither */
        bool balance_load; /* `balance load`: share of capacity before idle time */
        unsigned channel_weight[3]; /* `weight phone 4`: email web phone; default 1 */
        const char **codes; /* of RESOLVE CODE; n 0: any word */
        size_t n_codes;
        struct hours_options *hours;
        size_t n_hours;
        struct promise_options *promises;
        size_t n_promises;
        const char **skills;
        size_t n_skills;
        struct agent_options *agents;
        size_t n_agents;
        struct list_options *lists;
        size_t n_lists;
        struct rules *rules; /* never NULL after config_load */
        struct data_file *data; /* lists, customers, consents */
        size_t n_data;
};

/* Every error and warning of all files, formatted as CONFIG.md shows them
 * (position, message, source line, caret and advice). */
struct config_report {
        struct buf text; /* what goes to standard error */
        unsigned n_errors;
        unsigned n_warnings;
};
void config_report_fini(struct config_report *r);

/* Reads file and all it includes. Returns 0 and *out, or -1 when there was any
 * error (report->text tells all of them, in one pass). Secrets are read here. */
int config_load(const char *file, struct config **out, struct config_report *report);
void config_free(struct config **c);

/* Only `state` and `socket` (for the tool, which may not read the secrets):
 * "unix:/path" of the socket agents listen on. -1 with *err. */
int config_find_socket(
    const char *file, struct arena *a, const char **address, struct err *err);
/* The same of `lmtp`: its Unix socket if we may use it, else the first HOST:PORT. */
int config_find_lmtp(
    const char *file, struct arena *a, const char **address, struct err *err);

/* Each option of the files with its value and where it stands, and the defaults of all that is
 * not said; nothing secret. For `helpline config show`: a table, or JSON: [{"in": [block …],
 * "option", "value", "from"}]. -1 when the files have errors (they are in report), or none can
 * be read; then out is empty. */
int
config_show(const char *file, bool json, struct buf *out, struct config_report *report);

/* Look-ups: NULL when there is none. Addresses are compared normalised. */
const struct mail_account *config_mail(const struct config *c, const char *address);
/* What answers to a ticket of this account leave from: of a form its `reply as`, of a call
 * the first mail account; NULL when there is none. */
const struct mail_account *config_reply_mail(const struct config *c, const char *account);
const struct agent_options *config_agent(const struct config *c, const char *name);
const struct agent_options *
config_agent_by_login(const struct config *c, const char *unix_user);
const struct line_options *config_line(const struct config *c, const char *name);
const struct form_options *config_form(const struct config *c, const char *name);
const struct phone_options *config_phone(const struct config *c, const char *name);
/* Have the files of lists, customers and consents changed since they were
 * read (mtime, size, inode)? Then the janitor reloads by itself. */
bool config_data_changed(const struct config *c);
/* A number for what those files are now: who has tried to reload at this one in vain need
 * not try again until it is another. */
uint64_t config_data_stamp(const struct config *c);
/* The line right of it (up), NULL at the end; left of it (down), NULL at the first. */
const struct line_options *config_line_next(const struct config *c, const char *name);
const struct line_options *config_line_before(const struct config *c, const char *name);
const struct hours_options *config_hours(const struct config *c, const char *name);
const struct promise_options *config_promise(const struct config *c, const char *name);
/* The calendar a class document names, if the configuration still has it; NULL: ask the
 * store (hash `cal`), or "" : real time. */
const struct calendar *config_calendar(const struct config *c, const char *calendar_id);
/* Who is asked for him, in this order: `deputy` of `deputy` …, at most 5, a circle ends
 * it. Returns how many. Absences that name another deputy are the store's to add. */
size_t config_deputies(const struct config *c, const char *agent, const char *out[5]);
/* What a ticket of that channel counts in hand; 1 when nothing is said. */
unsigned config_weight(const struct config *c, const char *channel);
/* Is it one of our own addresses (mail accounts and their `also`)? */
bool config_is_ours(const struct config *c, const char *address);
/* Is the address (or its @domain), or the number, in the list? */
bool list_has(const struct list_options *l, const char *normalised);

/* Every option with its default, from the table: for `helpline config show` and
 * the manual page (text, one a line: block, name, type, default, help). */
void config_describe_options(struct buf *out);

#endif
