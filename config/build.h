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
};

struct mail_build { /* a mail account while it is built; the account comes first */
        struct mail_account account;
        const char *password;
        const struct value *naked; /* a relay with a user and no password of its own */
};

struct build {
        struct arena *a; /* of the configuration */
        struct config *c;
        struct report *report;
        struct rules *rules;
        struct names lines, skills, lists, agents, tags, routes;
        struct names mails; /* normalised addresses of all accounts */
        struct names logins;
        struct names tagged; /* tags that a sentence above sets */
        struct names lines_set; /* lines that had a `line` sentence */
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
/* smtp://[user@]host[:port] */
bool value_relay(
    struct build *b, const struct sentence *s, const struct value *v, struct relay *out);
/* Is the unquoted word w at index i? */
bool value_at_is(const struct sentence *s, size_t i, const char *w);
/* A path as written in a file, made absolute beside that file. */
const char *path_beside(struct build *b, const struct source *beside, const char *path);
/* Before the end of this place: the part of a value that begins `skip` bytes in. */
struct place place_part(const struct value *v, size_t skip, size_t len);

/* ---- secret.c ---- */
/* `file "…"` or `credential NAME` from value i on. */
bool secret_read(struct build *b, const struct sentence *s, const char **out);

/* ---- source.c ---- */
/* Reads a file whole (at most GRAMMAR_MAX_FILE). NULL with *why set. */
const struct source *source_read(struct build *b, const char *path, const char **why);
/* The same from memory. */
const struct source *
source_from(struct build *b, const char *path, const char *text, size_t n);

/* ---- list.c ---- */
/* Sorts and fills one `list` sentence. */
void list_build(struct build *b, const struct sentence *s);

/* ---- compile.c ---- */
void rules_compile(struct build *b, const struct sentence *s);
/* After the last sentence: the templates that `acknowledge` names. */
void rules_templates(struct build *b);
/* What no single sentence shows; warnings. */
void rules_lint(struct build *b);

#endif
