/*
 * Text into sentences and blocks; see grammar.h. Recursive descent, one pass,
 * one character of look-ahead; recursion is as deep as blocks nest.
 */
#include "config/grammar.h"

#include <string.h>

#include "daemon/base/utf8.h"

struct parser {
        struct grammar *g;
        const struct source *source;
        const char *s;
        size_t n;
        size_t pos;
        unsigned n_forgiven; /* } that may close nothing: their block was ended early */
        bool told_unclosed; /* the end of the file was complained about */
};

const char *
word_shown(struct arena *a, const char *word)
{
        size_t n = strlen(word), cut = utf8_cut(word, n, 60), from, to;

        if (secret_in_url(word, n, &from, &to))
                return arena_printf(
                    a, "%.*s********", (int)(from < 60 ? from : 60), word);
        return cut == n ? word : arena_printf(a, "%.*s…", (int)cut, word);
}

static struct place
here(const struct parser *p, size_t at, size_t len)
{
        return (struct place){p->source, at, len};
}

static bool
at_end(const struct parser *p)
{
        return p->pos >= p->n || p->g->stopped;
}

static void
stop(struct parser *p)
{
        p->g->stopped = true;
}

/* ---- characters ---- */

static void
skip_space(struct parser *p)
{
        for (; p->pos < p->n; p->pos++) {
                char c = p->s[p->pos];

                if (c == '#') {
                        const char *end = memchr(p->s + p->pos, '\n', p->n - p->pos);

                        p->pos = end == NULL ? p->n : (size_t)(end - p->s);
                        return;
                }
                if (c != ' ' && c != '\t' && c != '\r')
                        return;
        }
}

/* Blanks, comments, line ends; semicolons too where a sentence may begin. */
static void
skip_gaps(struct parser *p, const char *gaps)
{
        for (;;) {
                skip_space(p);
                if (p->pos >= p->n || strchr(gaps, p->s[p->pos]) == NULL)
                        return;
                p->pos++;
        }
}

static bool
ends_word(char c)
{
        return c != '\0' && strchr(" \t\r\n{}();#\",", c) != NULL;
}

static size_t
word_len(const struct parser *p)
{
        size_t i = p->pos;

        while (i < p->n && !ends_word(p->s[i]))
                i++;
        return i - p->pos;
}

/* What no text file should hold: told once a file, read on as it is. */
static void
check_encoding(struct parser *p)
{
        size_t used;

        for (size_t i = 0; i < p->n; i += used) {
                uint32_t cp = utf8_next(p->s + i, p->n - i, &used);
                struct place at = here(p, i, 0);

                if (cp == 0xfffd && used == 1) {
                        report_error(p->g->report, at, "this is not UTF-8 (byte 0x%02x)",
                            (unsigned char)p->s[i]);
                        report_advice(p->g->report, "save the file in UTF-8");
                        return;
                }
                if ((cp < ' ' && cp != '\t' && cp != '\n' && cp != '\r') ||
                    (cp >= 0x7f && cp < 0xa0)) {
                        report_error(p->g->report, at, "a control character (0x%02x)",
                            (unsigned)cp);
                        report_advice(p->g->report, "delete it");
                        return;
                }
        }
}

static bool
is_invisible(uint32_t cp)
{
        return cp == 0xa0 || cp == 0xad || cp == 0x2007 || cp == 0x202f || cp == 0x2060 ||
               cp == 0xfeff || (cp >= 0x200b && cp <= 0x200f) ||
               (cp >= 0x202a && cp <= 0x202e);
}

/* Characters nobody sees in a word: a no-break space out of a word processor. */
static bool
check_invisible(struct parser *p, size_t len)
{
        size_t used;

        for (size_t i = p->pos; i < p->pos + len; i += used) {
                uint32_t cp = utf8_next(p->s + i, p->pos + len - i, &used);

                if (!is_invisible(cp))
                        continue;
                report_error(p->g->report, here(p, i, 0),
                    "an invisible character (U+%04X)", (unsigned)cp);
                report_advice(p->g->report, "type an ordinary blank, or delete it");
                return false;
        }
        return true;
}

/* ---- values ---- */

static const struct quotes {
        const char *open, *close, *name;
} typographic[] = {
    {"«", "»", "« »"},
    {"»", "«", "» «"},
    {"„", "“", "„ “"},
    {"„", "”", "„ ”"},
    {"“", "”", "“ ”"},
    {"”", "”", "” ”"},
    {"‘", "’", "‘ ’"},
    {"‹", "›", "‹ ›"},
    {"'", "'", "' '"},
};

static bool
starts_with(const struct parser *p, size_t at, const char *what)
{
        size_t n = strlen(what);

        return p->n - at >= n && memcmp(p->s + at, what, n) == 0;
}

static size_t
line_end(const struct parser *p, size_t from)
{
        const char *end = memchr(p->s + from, '\n', p->n - from);

        return end == NULL ? p->n : (size_t)(end - p->s);
}

#define QUOTED_MAX 1000u /* so that a line of nothing but quotes costs linear time */

/* Where what closes a quotation stands on this line; p->n + 1 when nowhere. */
static size_t
find_on_line(const struct parser *p, size_t from, const char *what)
{
        size_t end = p->n - from > QUOTED_MAX ? from + QUOTED_MAX : p->n;
        const char *at = memchr(p->s + from, '\n', end - from);

        if (at != NULL)
                end = (size_t)(at - p->s);
        at = memmem(p->s + from, end - from, what, strlen(what));

        return at == NULL ? p->n + 1 : (size_t)(at - p->s);
}

/* A value in quotes that are none: tell, and take it as it was meant. */
static bool
typographic_read(struct parser *p, struct value *v)
{
        for (size_t i = 0; i < sizeof typographic / sizeof *typographic; i++) {
                const struct quotes *q = &typographic[i];
                size_t from = p->pos + strlen(q->open), end;

                if (!starts_with(p, p->pos, q->open))
                        continue;
                end = find_on_line(p, from, q->close);
                if (end > p->n)
                        continue;
                v->kind = VALUE_TEXT;
                v->text = arena_strndup(p->g->a, p->s + from, end - from);
                report_error(p->g->report, here(p, p->pos, 0), "%s quotes %s",
                    q->open[0] == '\'' ? "single" : "typographic", q->name);
                if (q->open[0] == '\'')
                        report_advice(p->g->report, "use double ones: \"%s\"",
                            word_shown(p->g->a, v->text));
                else
                        report_advice(p->g->report,
                            "use straight ones: \"%s\" (%s may stand inside)",
                            word_shown(p->g->a, v->text), q->name);
                p->pos = end + strlen(q->close);
                return true;
        }
        return false;
}

/* "text": false when something in it was reported. */
static bool
text_read(struct parser *p, struct value *v)
{
        struct buf b AUTO_BUF = BUF_INIT;
        size_t begin = p->pos++;
        bool good = true;

        for (; p->pos < p->n && p->s[p->pos] != '"' && p->s[p->pos] != '\n'; p->pos++) {
                char c = p->s[p->pos];

                if (c == '\\' && p->pos + 1 < p->n && p->s[p->pos + 1] != '\n') {
                        c = p->s[++p->pos];
                        if (c != '"' && c != '\\') {
                                report_error(p->g->report, here(p, p->pos - 1, 2),
                                    "'\\%c' means nothing in a text", c < ' ' ? '?' : c);
                                report_advice(p->g->report, "only \\\" and \\\\");
                                good = false;
                        }
                }
                buf_addc(&b, c);
        }
        v->kind = VALUE_TEXT;
        v->text = arena_strndup(p->g->a, buf_str(&b), b.len);
        if (p->pos < p->n && p->s[p->pos] == '"') {
                p->pos++;
                return good;
        }
        report_error(p->g->report, here(p, begin, 0), "this text is never closed");
        report_advice(p->g->report, "'\"' missing before the end of the line");
        return false;
}

/* Behind /pattern/: its flags. */
static void
flags_read(struct parser *p, struct value *v)
{
        size_t len = word_len(p);

        v->flags = arena_strndup(p->g->a, p->s + p->pos, len);
        p->pos += len;
}

static bool
pattern_read(struct parser *p, struct value *v)
{
        struct buf b AUTO_BUF = BUF_INIT;
        size_t begin = p->pos++;

        for (; p->pos < p->n && p->s[p->pos] != '/' && p->s[p->pos] != '\n'; p->pos++) {
                if (p->s[p->pos] == '\\' && p->pos + 1 < p->n &&
                    p->s[p->pos + 1] != '\n') {
                        buf_addc(&b, '\\');
                        p->pos++;
                }
                buf_addc(&b, p->s[p->pos]);
        }
        v->kind = VALUE_PATTERN;
        v->text = arena_strndup(p->g->a, buf_str(&b), b.len);
        if (p->pos < p->n && p->s[p->pos] == '/') {
                p->pos++;
                flags_read(p, v);
                return true;
        }
        report_error(p->g->report, here(p, begin, 0), "this pattern is never closed");
        report_advice(p->g->report, "'/' missing before the end of the line");
        return false;
}

static bool
word_read(struct parser *p, struct value *v)
{
        size_t len = word_len(p);
        bool good = check_invisible(p, len);

        v->kind = VALUE_WORD;
        v->text = arena_strndup(p->g->a, p->s + p->pos, len);
        p->pos += len;
        return good;
}

static bool
value_is(const struct value *v, const char *word)
{
        return v->kind == VALUE_WORD && strcmp(v->text, word) == 0;
}

static bool
value_read(
    struct parser *p, struct value *v, const struct value *before, bool in_condition)
{
        char c = p->s[p->pos];
        size_t begin = p->pos;
        bool good = true;

        v->flags = "";
        v->text = "";
        if (c == '(' || c == ')') {
                v->kind = c == '(' ? VALUE_OPEN : VALUE_CLOSE;
                v->text = c == '(' ? "(" : ")";
                p->pos++;
        } else if (c == '"') {
                good = text_read(p, v);
        } else if (c == '/' && in_condition && before != NULL &&
                   value_is(before, "matches")) {
                good = pattern_read(p, v);
        } else if (typographic_read(p, v)) {
                good = false;
        } else {
                good = word_read(p, v);
        }
        v->at = here(p, begin, p->pos - begin);
        return good;
}

static void
value_add(struct parser *p, struct sentence *s, bool in_condition)
{
        const struct value *before =
            s->n_values == 0 ? NULL : &s->values[s->n_values - 1];
        struct value v;

        if (!value_read(p, &v, before, in_condition))
                s->bad = true;
        s->values = arena_grow(p->g->a, s->values, s->n_values, sizeof *s->values);
        s->values[s->n_values++] = v;
}

/* Values up to the end of the sentence or the { of its block. */
static void
values_read(struct parser *p, struct sentence *s)
{
        bool goes_on = false, in_condition = false;

        for (;;) {
                const struct value *last;

                if (goes_on)
                        skip_gaps(p, "\n");
                skip_space(p);
                if (at_end(p) || strchr("\n;{}", p->s[p->pos]) != NULL)
                        return;
                if (p->s[p->pos] == ',') {
                        p->pos++;
                        goes_on = true;
                        continue;
                }
                value_add(p, s, in_condition);
                last = &s->values[s->n_values - 1];
                goes_on = value_is(last, "and") || value_is(last, "or");
                in_condition = in_condition || value_is(last, "when");
        }
}

/* "tag vpn when subject contains "a" "b"", for those who read why. */
static const char *
sentence_text(struct parser *p, const struct sentence *s)
{
        struct buf b AUTO_BUF = BUF_INIT;
        bool glued = false;

        buf_adds(&b, s->name);
        for (size_t i = 0; i < s->n_values; i++) {
                const struct value *v = &s->values[i];

                if (!glued && v->kind != VALUE_CLOSE)
                        buf_addc(&b, ' ');
                buf_add(&b, p->s + v->at.at, v->at.len);
                glued = v->kind == VALUE_OPEN;
        }
        return arena_strndup(p->g->a, b.data, b.len);
}

/* ---- sentences ---- */

static void
block_read(struct parser *p, enum block_kind kind, struct block *b, unsigned depth);

static const char *
block_article(enum block_kind k)
{
        switch (k) {
        case BLOCK_AGENT:
        case BLOCK_ALERT:
        case BLOCK_LMTP:
        case BLOCK_RELAY:
                return "an ";
        case BLOCK_PRIORITIES:
                return "";
        default:
                return "a ";
        }
}

static void
unknown_option(struct parser *p, enum block_kind kind, const struct sentence *s)
{
        enum block_kind home = option_home(s->name);
        struct guess g = GUESS_INIT;
        const char *where = "";

        if (kind != BLOCK_TOP)
                where = arena_printf(p->g->a, " in %s", block_name(kind));
        for (size_t i = 0; i < n_options && !report_is_full(p->g->report); i++)
                if (options[i].block == kind)
                        guess_offer(&g, s->name, options[i].name);
        report_unknown(
            p->g->report, s->at, "option", s->name, where, &g, (struct place){0});
        if (g.meant != NULL || home == BLOCK_NONE)
                return;
        if (home == BLOCK_TOP)
                report_advice(
                    p->g->report, "it stands at the top, outside of all blocks");
        else
                report_advice(p->g->report, "it stands in %s%s", block_article(home),
                    block_name(home));
}

/* Finds the option that the name means; what is not known is told here. */
static void
sentence_know(struct parser *p, enum block_kind kind, struct sentence *s)
{
        if (kind == BLOCK_ANY) {
                s->bad = true;
                return;
        }
        s->option = option_find(kind, s->name);
        if (s->option == NULL) {
                unknown_option(p, kind, s);
                s->bad = true;
        } else if (s->option->type == TYPE_LATER) {
                report_error(p->g->report, s->at, "'%s'%s%s is not part of this version",
                    s->name, kind == BLOCK_TOP ? "" : " in ", block_name(kind));
                report_advice(p->g->report, "take it out");
                s->bad = true;
        }
}

static bool
word_follows(const struct parser *p, const char *word)
{
        return word_len(p) == strlen(word) && starts_with(p, p->pos, word);
}

/* Nothing stands behind `password` on its line, and a lone word that is no option on
 * the next one? Then that is the secret; goes there. */
static bool
secret_is_below(struct parser *p, enum block_kind kind)
{
        size_t begin = p->pos, word_at, len;
        const char *word;

        skip_gaps(p, "\n,");
        word_at = p->pos;
        len = word_len(p);
        word = arena_strndup(p->g->a, p->s + word_at, len < 100 ? len : 100);
        p->pos += len;
        skip_space(p);
        if (len == 0 || (!at_end(p) && p->s[p->pos] != '\n') || kind >= N_BLOCKS ||
            option_find(kind, word) != NULL) {
                p->pos = begin;
                return false;
        }
        p->pos = word_at;
        return true;
}

/*
 * Behind a word like `password` stands file or credential. Anything else is the
 * secret itself: nothing of it is read, or some message might show it.
 */
static bool
secret_skip(struct parser *p, enum block_kind kind, struct sentence *s)
{
        size_t end, behind = p->pos;

        skip_space(p);
        if (at_end(p) || strchr(";{}", p->s[p->pos]) != NULL || word_follows(p, "file") ||
            word_follows(p, "credential"))
                return false;
        if (p->s[p->pos] != '\n' && p->s[p->pos] != ',')
                behind = p->pos;
        else if (!secret_is_below(p, kind))
                return false;
        if (!s->bad) {
                report_error(p->g->report, here(p, behind, 0),
                    "a %s must not stand in this file", s->name);
                report_advice(p->g->report,
                    "put it into a file (chmod 600): %s file \"…\"", s->name);
        }
        s->bad = true;
        end = line_end(p, p->pos);
        while (end > p->pos && strchr(" \t\r;}", p->s[end - 1]) != NULL)
                end--;
        p->pos = end > p->pos ? end : line_end(p, p->pos);
        return true;
}

/* The block of a sentence, when it has one; then nothing more may follow. */
static void
sentence_block(struct parser *p, struct sentence *s, unsigned depth)
{
        enum block_kind opens = s->bad ? BLOCK_ANY : s->option->opens;
        struct place open = here(p, p->pos, 0);
        unsigned forgiven = p->n_forgiven;
        size_t len;

        if (opens == BLOCK_NONE && s->option->opens == BLOCK_NONE) {
                report_error(p->g->report, open, "'%s' takes no block", s->name);
                report_advice(p->g->report, "end the sentence here");
                s->bad = true;
                opens = BLOCK_ANY;
        }
        if (depth + 1 > GRAMMAR_MAX_DEPTH) {
                report_error(
                    p->g->report, open, "blocks nest deeper than %u", GRAMMAR_MAX_DEPTH);
                stop(p);
                return;
        }
        s->block = arena_alloc(p->g->a, sizeof *s->block);
        s->block->open = open;
        p->pos++;
        /* a bad sentence with a known option keeps its block's checks */
        if (opens == BLOCK_ANY && s->option != NULL && s->option->opens < N_BLOCKS)
                opens = s->option->opens;
        block_read(p, opens, s->block, depth + 1);
        skip_space(p);
        if (at_end(p) || strchr("\n;}", p->s[p->pos]) != NULL ||
            p->n_forgiven != forgiven)
                return;
        len = word_len(p) == 0 ? 1 : word_len(p);
        report_error(p->g->report, here(p, p->pos, len), "'%s' after the block of '%s'",
            word_shown(p->g->a, arena_strndup(p->g->a, p->s + p->pos, len)), s->name);
        report_advice(p->g->report, "end the sentence before it: ';' or a new line");
}

static void
sentence_read(struct parser *p, enum block_kind kind, struct block *b, unsigned depth)
{
        struct sentence s = {0};
        struct value name;

        size_t secret = secret_word_len(p->s + p->pos, word_len(p));

        s.bad = !word_read(p, &name);
        if (secret > 0 && secret < strlen(name.text)) { /* password=... */
                p->pos -= strlen(name.text) - secret;
                name.text = arena_strndup(p->g->a, name.text, secret);
        }
        s.name = name.text;
        s.at = here(p, p->pos - strlen(name.text), strlen(name.text));
        if (!s.bad)
                sentence_know(p, kind, &s);
        if (!word_is_secret(s.name) || !secret_skip(p, kind, &s))
                values_read(p, &s);
        s.text = sentence_text(p, &s);
        if (!at_end(p) && p->s[p->pos] == '{')
                sentence_block(p, &s, depth);
        if (++p->g->n_sentences > GRAMMAR_MAX_SENTENCES && !p->g->stopped) {
                report_error(
                    p->g->report, s.at, "more than %u sentences", GRAMMAR_MAX_SENTENCES);
                stop(p);
        }
        b->sentences =
            arena_grow(p->g->a, b->sentences, b->n_sentences, sizeof *b->sentences);
        b->sentences[b->n_sentences++] = s;
}

/* What cannot begin a sentence. */
static void
rubbish_read(struct parser *p, unsigned depth)
{
        struct sentence s = {.name = "", .bad = true};
        char c = p->s[p->pos];

        report_error(p->g->report, here(p, p->pos, 0),
            "a sentence begins with a name, not with '%c'", c);
        if (c == '{')
                report_advice(p->g->report, "put the '{' on the line of its sentence");
        values_read(p, &s);
        if (!at_end(p) && p->s[p->pos] == '{')
                sentence_block(p, &s, depth);
}

/* ---- blocks ---- */

/* A name that can only stand at the top, first on a line of its own, inside a
 * block: the } before it is missing. */
static bool
block_was_left(struct parser *p, enum block_kind kind, const struct block *b)
{
        size_t len = word_len(p);
        struct place at = here(p, p->pos, len);
        const char *name;

        if (kind >= N_BLOCKS || kind == BLOCK_TOP || len > 40 || !place_begins_line(at) ||
            place_line(at) == place_line(b->open))
                return false;
        name = arena_strndup(p->g->a, p->s + p->pos, len);
        if (option_find(kind, name) != NULL || option_find(BLOCK_TOP, name) == NULL)
                return false;
        report_error(p->g->report, b->open, "this block is never closed");
        report_advice(p->g->report,
            "'%s' on %s cannot stand in %s%s: '}' missing before?", name,
            place_name(at, p->source, p->g->a), block_article(kind), block_name(kind));
        p->n_forgiven++;
        return true;
}

static void
block_cut_short(struct parser *p, const struct block *b, unsigned depth)
{
        if (depth == 0 || p->g->stopped || p->told_unclosed)
                return;
        p->told_unclosed = true;
        report_error(p->g->report, b->open, "this block is never closed");
        report_advice(p->g->report, "'}' missing before the end of the file");
}

static void
stray_brace(struct parser *p)
{
        p->pos++;
        if (p->n_forgiven > 0) {
                p->n_forgiven--;
                return;
        }
        report_error(p->g->report, here(p, p->pos - 1, 0), "this '}' closes no block");
        report_advice(p->g->report, "take it out, or find the '{' that is missing");
}

static void
block_read(struct parser *p, enum block_kind kind, struct block *b, unsigned depth)
{
        for (;;) {
                skip_gaps(p, "\n;");
                if (at_end(p)) {
                        block_cut_short(p, b, depth);
                        return;
                }
                if (p->s[p->pos] == '}' && depth > 0) {
                        p->pos++;
                        return;
                }
                if (p->s[p->pos] == '}')
                        stray_brace(p);
                else if (strchr("{()\",", p->s[p->pos]) != NULL)
                        rubbish_read(p, depth);
                else if (block_was_left(p, kind, b))
                        return;
                else
                        sentence_read(p, kind, b, depth);
        }
}

struct block *
grammar_parse(struct grammar *g, const struct source *source)
{
        struct block *b = arena_alloc(g->a, sizeof *b);
        struct parser p = {.g = g, .source = source, .s = source->text, .n = source->len};

        b->open = (struct place){source, 0, 0};
        check_encoding(&p);
        p.n = strnlen(p.s, p.n); /* a NUL was reported: nothing is read behind it */
        block_read(&p, BLOCK_TOP, b, 0);
        return b;
}
