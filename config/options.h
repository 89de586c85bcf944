/*
 * The options: one table of all that may stand in a configuration, from which
 * come the checks, the defaults, the manual page's list and `config show`.
 *
 * To add an option: a field in config.h, a line in options.c, a line in
 * docs/helpline.conf.5. Only what needs more than one value in one field needs
 * code as well (build.c).
 */
#ifndef HELPLINE_CONFIG_OPTIONS_H
#define HELPLINE_CONFIG_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum block_kind {
        BLOCK_TOP,
        BLOCK_STORE,
        BLOCK_MAIL,
        BLOCK_RELAY, /* `smtp` in a mail */
        BLOCK_LMTP,
        BLOCK_SOCKET,
        BLOCK_ALERT,
        BLOCK_PRIORITIES,
        BLOCK_LINE,
        BLOCK_STEPS, /* `steps` of a line */
        BLOCK_AGENT,
        BLOCK_ROUTE,
        BLOCK_WEB,
        BLOCK_FORM,
        BLOCK_FIELD,
        BLOCK_PHONE,
        BLOCK_HOURS,
        BLOCK_PROMISE,
        BLOCK_NO_ANSWER,
        BLOCK_TEST, /* of the rules */
        N_BLOCKS,
        BLOCK_ANY, /* of an option that is not known: its braces are counted only */
        BLOCK_NONE /* the option opens no block */
};
/* "agent"; "" for the top. */
const char *block_name(enum block_kind k);

enum option_type {
        TYPE_TEXT, /* const char *: any text */
        TYPE_NAME, /* const char *: a word in any script */
        TYPE_LANGUAGES, /* const char **, size_t: ru, en */
        TYPE_TIMEZONE, /* const char * */
        TYPE_URL, /* const char *: http or https */
        TYPE_PATH, /* const char *: made absolute */
        TYPE_STORE, /* const char * */
        TYPE_DURATION, /* int64_t, ms; min and max in ms */
        TYPE_HEAD, /* int64_t, ms; may be negative */
        TYPE_COUNT, /* unsigned; min and max */
        TYPE_ROLE, /* enum role */
        TYPE_ADDRESS, /* const char *: a mail address */
        TYPE_ADDRESSES, /* const char **, size_t */
        TYPE_LISTEN, /* const char **, size_t: unix:PATH, HOST:PORT */
        TYPE_LINE, /* const char *: a declared line */
        TYPE_LINES, /* const char **, size_t */
        TYPE_SKILLS, /* struct skill *, size_t: network:3 */
        TYPE_SECRET, /* const char *: file "…" or credential NAME */
        TYPE_LOGIN, /* const char *: a Unix user */
        TYPE_SIZE, /* uint64_t, bytes; min and max in bytes */
        TYPE_SWITCH, /* bool: alone it means yes */
        TYPE_WORD, /* an enum: the place of the word in `unit` ("note, ticket or ignore") */
        TYPE_EITHER, /* bool: is it the first word of `unit`? */
        TYPE_TEXTS, /* const char **, size_t: any texts */
        TYPE_ORIGINS, /* const char **, size_t: https://www.host.example, made comparable */
        TYPE_PROXIES, /* const char **, size_t: IP addresses */
        TYPE_NUMBERS, /* const char **, size_t: telephone numbers, made comparable */
        TYPE_NAMES, /* const char **, size_t: words in any script */
        TYPE_OPEN, /* struct open_time: counted in a calendar; min and max as if d were 24 h */
        TYPE_PROMISE_OF, /* const char *: a declared promise */
        TYPE_SKILL_OF, /* const char *: a declared skill */
        TYPE_AGENT_OF, /* const char *: a declared agent */
        TYPE_HOURS_OF, /* const char *: declared hours, or always */
        TYPE_SHARE, /* unsigned, percent: 80%; min and max */
        /* --- from here on: what needs code of its own in build.c --- */
        TYPE_BLOCK, /* only a block; its options go into the same struct */
        TYPE_INCLUDE, /* files */
        TYPE_DECLARE_LINES,
        TYPE_DECLARE_SKILLS,
        TYPE_MAIL, /* address, block: a struct mail_account */
        TYPE_RELAY, /* URL, block: a struct relay */
        TYPE_DECLARE_LINE, /* name, block: a struct line_options */
        TYPE_AGENT, /* name, full name, block: a struct agent_options */
        TYPE_LIST, /* name, addresses or file */
        TYPE_COUNTRY, /* a calling code: wanted before all else */
        TYPE_CUSTOMERS, /* file "…" */
        TYPE_FORM, /* name, block: a struct form_options */
        TYPE_FIELD, /* name, block: a struct field_options */
        TYPE_LABEL, /* [language] text: a struct localised */
        TYPE_AGREED, /* text, or file "…" */
        TYPE_PHONE, /* name, block: a struct phone_options */
        TYPE_LOG, /* file "…" of call records, or nothing: where calls come from */
        TYPE_WEIGHT, /* a channel and a number */
        TYPE_TRAINEE, /* of AGENT: role trainee, and his tutor */
        TYPE_STEP, /* after D also LINES, lower needs N, drop needs (steps.c) */
        TYPE_PREFER, /* last-agent or manager, and how long (steps.c) */
        TYPE_HOURS, /* name, block: open hours (hours.c) */
        TYPE_PROMISE, /* name, block: a struct promise_options (hours.c) */
        TYPE_DAYS, /* mon-fri 09:00-18:00 (hours.c) */
        TYPE_DATE, /* 2026-12-31 closed (hours.c) */
        TYPE_HOLIDAYS, /* file "…" (holidays.c) */
        TYPE_TEST, /* a test of the rules, and what stands in it (trial.c) */
        TYPE_TRIAL,
        TYPE_RULE, /* a sentence of the rules (compile.c) */
        TYPE_LATER /* a known word that this version does not have */
};

enum option_flags {
        OPTION_REPEATS = 1, /* the sentence may stand more than once */
        OPTION_RESTART = 2 /* a reload does not change it */
};

struct option {
        enum block_kind block; /* where it stands */
        const char *name;
        enum option_type type;
        const char *unit; /* what its value is, for people: "a duration" */
        int64_t min, max; /* of a duration (ms) or a count */
        const char *fallback; /* default, as one would write it; "" none */
        size_t offset; /* of its field in the struct of its block */
        size_t n_offset; /* of the field with the count, for lists */
        enum block_kind opens; /* BLOCK_NONE: it takes no block */
        unsigned flags;
        const char *help;
};

extern const struct option options[];
extern const size_t n_options;

/* NULL when there is none. */
const struct option *option_find(enum block_kind block, const char *name);
/* Its index in the table. */
size_t option_index(const struct option *o);
/* The block of which some option has this name, BLOCK_NONE when none has. */
enum block_kind option_home(const char *name);

#endif
