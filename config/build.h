/*
 * From sentences to struct config (inside config/ only).
 *
 * Two passes over the top sentences of all files: the first notes what is
 * declared (lines, skills, lists, agents, tags, routes), so that names may be
 * used before they stand; the second fills the structs through the table of
 * options and compiles the rules.
 */
#ifndef HELPLINE_CONFIG_BUILD_H
#define HELPLINE_CONFIG_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "config/grammar.h"
#include "config/names.h"

struct condition;
struct rules;

struct route {
        const char *name;
        const char **lines;
        size_t n_lines;
        int64_t ahead_ms;
        const char *promise; /* "" none */
        unsigned prefer; /* PREFER_NONE … of rules.h */
        int64_t prefer_ms;
        struct class_step *steps;
        size_t n_steps;
};

struct mail_build { /* a mail account while it is built; the account comes first */
        struct mail_account account;
        const char *password;
        const struct value *naked; /* a relay with a user and no password of its own */
};

struct form_build { /* a form while it is built; the form comes first */
        struct form_options form;
        struct names fields;
        struct place reply_as;
};

struct phone_build { /* a phone while it is built; the phone comes first */
        struct phone_options phone;
        const struct sentence *source; /* asterisk, freeswitch, push …: the first */
};

struct promise_build { /* a promise while it is built */
        struct promise_options promise;
        const char *hours; /* by name */
};

#define CUSTOMER_ROLES 6u /* columns that mean something; see customers.c */

struct build {
        struct arena *a; /* of the configuration */
        struct arena *scratch; /* until the report is printed; NULL: not needed yet */
        struct config *c;
        struct report *report;
        struct rules *rules;
        struct names lines, skills, lists, agents, tags, routes;
        struct names mails; /* normalised addresses of all accounts */
        struct names logins;
        struct names tagged; /* tags that a sentence above sets */
        struct names lines_set; /* lines that had a `line` sentence */
        struct names forms, phones;
        struct names form_fields; /* names of fields of any form */
        struct place *reply_as; /* by form: where `reply-as` stands */
        const struct sentence *customers; /* the sentence, NULL none */
        size_t customer_columns[CUSTOMER_ROLES]; /* column + 1 of a role, 0: none */
        struct names hours, promises; /* declared; `always` is among the hours */
        struct names needed; /* skills that `need` sentences name */
        size_t n_sources; /* files read so far */
        bool no_files; /* nothing may be read from disk */
        struct place last_route_without; /* the route that takes everything */
        const char *last_route_name;
};

/* Fills b->c from the top sentences; errors go to b->report. */
void build_config(struct build *b, struct block *top);
/* Fills only what `state` and one block, "socket" or "lmtp", say. */
void build_listeners(struct build *b, struct block *top, const char *block);
/* The options of one block into the struct `target`. */
void build_block(struct build *b, const struct block *block, void *target);

/* ---- value.c: single values; each reports what is wrong and answers false ---- */
/* Sets the field of a plain option (all types before TYPE_BLOCK). */
void value_set(struct build *b, const struct sentence *s, void *target);
/* The defaults of a block's plain options, before anything is read. */
void value_defaults(struct build *b, enum block_kind kind, void *target);
/* "'holds' takes a number, got 'x'" */
void value_wrong(struct build *b, const struct sentence *s, const struct value *v);
/* "'holds' takes a number, got nothing" */
void value_missing(struct build *b, const struct sentence *s);
/* "'x' after the value of 'holds'" */
void value_surplus(struct build *b, const struct sentence *s, const struct value *v);
bool value_is_name(struct build *b, const struct value *v);
/* network:3, or with level NULL refused; the skill must be declared. */
bool value_skill(
    struct build *b, const struct sentence *s, const struct value *v, struct skill *out);
bool value_address(
    struct build *b, const struct sentence *s, const struct value *v, const char **out);
bool value_line(struct build *b, const struct value *v, const char **out);
/* 1h30m, in ms. */
bool duration_read(const char *s, int64_t *ms);
/* "1d2h", "10m"; a step as it is written ("also third"). */
const char *open_time_shown(struct arena *a, struct open_time t);
const char *step_shown(struct arena *a, const struct class_step *s);
/* "4h" for a message. */
const char *duration_shown(struct arena *a, int64_t ms);
/* A duration, or head start, within the bounds of the option. */
bool value_duration(
    struct build *b, const struct sentence *s, const struct value *v, int64_t *out);
/* 1d4h: days and open time, as it is counted in a calendar; no weeks, no years. */
bool open_time_read(const char *s, struct open_time *out);
/* As one counts before any calendar is known: a day is 24 h. */
bool open_time_less(struct open_time a, struct open_time b);
/* It, within the bounds of the option. */
bool value_open_time(struct build *b, const struct sentence *s, const struct value *v,
    struct open_time *out);
/* "'after' takes a duration, got '10'", with the units to choose from. */
void duration_wrong(struct build *b, const struct sentence *s, const struct value *v);
bool number_read(const char *s, int64_t max, int64_t *out);
/* smtp://[user@]host[:port] */
bool value_relay(
    struct build *b, const struct sentence *s, const struct value *v, struct relay *out);
/* Is the unquoted word w at index i? */
/* `trainee of anna` in an agent. */
void trainee_build(struct build *b, const struct sentence *s, struct agent_options *o);
bool value_at_is(const struct sentence *s, size_t i, const char *w);
/* A path as written in a file, made absolute beside that file. */
const char *path_beside(struct build *b, const struct source *beside, const char *path);
/* Before the end of this place: the part of a value that begins `skip` bytes in. */
struct place place_part(const struct value *v, size_t skip, size_t len);

/* ---- value_more.c ---- */
/* As value_set_one of value.c, for sizes, words, sites, numbers. */
bool value_set_more(
    struct build *b, const struct sentence *s, const struct value *v, void *field);
/* Two small letters, as ISO 639-1 has them (value.c). */
bool language_is_code(const char *s);
/* A telephone number as it is compared; false: it is none, nothing is said. */
bool number_take(struct build *b, const char *text, const char **out);
/* "20MB" */
bool size_read(const char *s, uint64_t *out);
const char *size_shown(struct arena *a, uint64_t bytes);

/* ---- forms.c, phones.c ---- */
/* Sentences with a struct of their own; target is that of the block they stand in. */
void form_sentence(struct build *b, struct sentence *s, void *target);
void phone_sentence(struct build *b, struct sentence *s, void *target);
/* What follows when everything has been read. */
void forms_finish(struct build *b);
void phones_finish(struct build *b);
void forms_lint(struct build *b);
void phones_lint(struct build *b);
/* Names of forms and phones stand in URLs: Latin letters only. */
void url_name_check(struct build *b, const struct sentence *s);
/* The sentence of that name in the block, NULL none. */
const struct sentence *block_sentence(const struct block *block, const char *name);

/* ---- hours.c ---- */
/* Room for all that are declared; `always` is the first of the hours. */
void hours_declared(struct build *b);
/* Sentences of hours and promises, and those in their blocks. */
void hours_sentence(struct build *b, const struct sentence *s, void *target);
/* Zones, and the documents: when everything has been read. */
void hours_finish(struct build *b);

/* ---- steps.c ---- */
/* `after …` into the list at the option's place in target. */
void step_build(struct build *b, const struct sentence *s, void *target);
/* `prefer …` into a route. */
void prefer_build(struct build *b, const struct sentence *s, struct route *route);

/* ---- customers.c ---- */
void customers_build(struct build *b, const struct sentence *s);
/* The table itself; v names its file. */
void customers_read(struct build *b, const struct value *v, const char *path,
    const char *bytes, size_t n);
/* The column (from 1) that a condition means by this word, 0: none. */
size_t customers_column(const struct build *b, const char *word);
/* "email, имя, город": what is there. */
const char *customers_columns_shown(const struct build *b);
/* Offers the words there are. */
void customers_guess(const struct build *b, struct guess *g, const char *wrong);

/* ---- data.c ---- */
/* Notes a file whose change is a reason to reload, as it is now. */
void data_note(struct build *b, const char *path);

/* ---- secret.c ---- */
/* `file "…"` or `credential NAME` from value i on. */
bool secret_read(struct build *b, const struct sentence *s, const char **out);

/* ---- source.c ---- */
/* Reads a file whole (at most GRAMMAR_MAX_FILE). NULL with *why set. */
const struct source *source_read(struct build *b, const char *path, const char **why);
/* The same of a file that was read already, and in which errors may be shown; it
 * lives until the report is printed. */
const struct source *
source_scratch(struct build *b, const char *path, const char *text, size_t n);
/* Bytes of a file, malloc'ed, n of them and a NUL; NULL with *why set. max < 1 GB. */
char *file_read(
    const char *path, size_t max, const char *too_long, size_t *n, const char **why);
/* The same from memory. */
const struct source *
source_from(struct build *b, const char *path, const char *text, size_t n);

/* ---- list.c ---- */
/* Sorts and fills one `list` sentence. */
void list_build(struct build *b, const struct sentence *s);

/* ---- compile.c, lint.c ---- */
void rules_compile(struct build *b, const struct sentence *s);
/* After the last sentence: the templates that `acknowledge` names. */
void rules_templates(struct build *b);
void bounces_check(struct build *b);
/* What no single sentence shows; warnings. */
void rules_lint(struct build *b, const struct block *top);

#endif
