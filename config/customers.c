/*
 * The customers file: a table as spreadsheets and accounting programs write it, UTF-8
 * or windows-1251, cells parted by ; or , or tabs, in quotes where they hold one.
 * The first line names the columns; those that mean something are found by their
 * names, in Russian or English, all others can be asked for by theirs.
 *
 * Read whole with the configuration and replaced with it; a faulty file is an error
 * like any other and keeps what was there.
 */
#include <stdlib.h>
#include <string.h>

#include "config/build.h"
#include "daemon/base/utf8.h"
#include "daemon/model/message.h"

#define FILE_MAX (64u << 20)
#define ROWS_MAX 200000u
#define COLUMNS_MAX 64u
#define CELL_MAX 4096u
#define ERRORS_MAX 20u
#define WARNINGS_MAX 10u
#define ROLE_WORDS 12u

enum role_column {
        COLUMN_ADDRESS,
        COLUMN_PHONE,
        COLUMN_NAME,
        COLUMN_ORGANISATION,
        COLUMN_VIP,
        COLUMN_MANAGER
};

/* Folded; the first of a line that is there is taken. */
static const char *const role_words[CUSTOMER_ROLES][ROLE_WORDS] = {
    {"address", "email", "e-mail", "mail", "почта", "эл. почта", "электронная почта",
        "электронный адрес", "емейл", "адрес"},
    {"phone", "telephone", "tel", "mobile", "телефон", "тел", "тел.", "мобильный",
        "номер телефона", "телефоны"},
    {"name", "full name", "contact", "customer", "имя", "фио", "ф.и.о.", "контакт",
        "контактное лицо", "клиент"},
    {"organisation", "organization", "company", "организация", "компания", "фирма",
        "предприятие", "контрагент"},
    {"vip", "вип", "важный"},
    {"manager", "менеджер", "ответственный", "куратор"},
};

struct table { /* being read */
        struct build *b;
        const struct source *source;
        const char *s;
        size_t n, pos;
        char separator;
        struct buf text; /* the cells of one row, each with a NUL */
        size_t at[COLUMNS_MAX]; /* where each begins */
        size_t n_cells;
        size_t row_at; /* where the row begins in the file */
        unsigned n_errors, n_warnings;
        struct customers_file *file;
};

/* ---- faults ---- */

static void
table_error(struct table *t, size_t at, size_t len, const char *what, const char *advice)
{
        if (++t->n_errors > ERRORS_MAX)
                return;
        report_error(t->b->report, (struct place){t->source, at, len}, "%s", what);
        report_advice(t->b->report, "%s", advice);
}

static void
table_warning(struct table *t, const char *what, const char *advice)
{
        if (++t->n_warnings > WARNINGS_MAX)
                return;
        report_warning(t->b->report, (struct place){t->source, t->row_at, 0}, "%s", what);
        report_advice(t->b->report, "%s", advice);
}

/* ---- bytes ---- */

static uint32_t
cp1251_char(unsigned char c)
{
        static const uint16_t high[64] = {0x402, 0x403, 0x201a, 0x453, 0x201e, 0x2026,
            0x2020, 0x2021, 0x20ac, 0x2030, 0x409, 0x2039, 0x40a, 0x40c, 0x40b, 0x40f,
            0x452, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0xfffd, 0x2122,
            0x459, 0x203a, 0x45a, 0x45c, 0x45b, 0x45f, 0xa0, 0x40e, 0x45e, 0x408, 0xa4,
            0x490, 0xa6, 0xa7, 0x401, 0xa9, 0x404, 0xab, 0xac, 0xad, 0xae, 0x407, 0xb0,
            0xb1, 0x406, 0x456, 0x491, 0xb5, 0xb6, 0xb7, 0x451, 0x2116, 0x454, 0xbb,
            0x458, 0x405, 0x455, 0x457};

        if (c < 0x80)
                return c;
        return c < 0xc0 ? high[c - 0x80] : 0x410u + c - 0xc0;
}

static const struct source *
table_source(struct build *b, const char *path, const char *bytes, size_t n)
{
        struct buf utf8 AUTO_BUF = BUF_INIT;

        if (utf8_valid(bytes, n))
                return source_scratch(b, path, bytes, n);
        for (size_t i = 0; i < n; i++)
                utf8_add(&utf8, cp1251_char((unsigned char)bytes[i]));
        return source_scratch(b, path, utf8.data, utf8.len);
}

/* ---- rows and cells ---- */

static bool
at_row_end(const struct table *t)
{
        return t->pos >= t->n || t->s[t->pos] == '\n' || t->s[t->pos] == '\r';
}

static void
row_end(struct table *t)
{
        while (!at_row_end(t))
                t->pos++;
        if (t->pos < t->n && t->s[t->pos] == '\r')
                t->pos++;
        if (t->pos < t->n && t->s[t->pos] == '\n')
                t->pos++;
}

static void
cell_trim(struct table *t, size_t from)
{
        size_t n = t->text.len - from, skip;
        const char *s;

        if (n == 0)
                return; /* the buffer may not be there yet */
        s = t->text.data + from;
        while (n > 0 && strchr(" \t", s[n - 1]) != NULL)
                n--;
        for (skip = 0; skip < n && strchr(" \t", s[skip]) != NULL; skip++)
                ;
        memmove(t->text.data + from, s + skip, n - skip);
        t->text.len = from + n - skip;
}

/* Up to its closing quote; "" is one of them, line ends may stand inside. */
static bool
quoted_text(struct table *t)
{
        size_t open = t->pos++;

        for (; t->pos < t->n && t->pos - open <= CELL_MAX; t->pos++) {
                char c = t->s[t->pos];

                if (c == '"' && (t->pos + 1 == t->n || t->s[t->pos + 1] != '"'))
                        return true;
                t->pos += c == '"';
                buf_addc(&t->text, c == '\n' || c == '\r' ? ' ' : c);
        }
        t->pos = open;
        table_error(t, open, 0, "this quote is never closed",
            "a quote inside of a cell is written twice: \"\"");
        return false;
}

static bool
cell_quoted(struct table *t)
{
        if (!quoted_text(t))
                return false;
        t->pos++;
        while (t->pos < t->n && t->s[t->pos] == ' ')
                t->pos++;
        if (at_row_end(t) || t->s[t->pos] == t->separator)
                return true;
        table_error(t, t->pos, 0, "text behind the quote that ends the cell",
            "a quote inside of a cell is written twice: \"\"");
        return false;
}

static bool
cell_plain(struct table *t)
{
        size_t from = t->pos;

        while (!at_row_end(t) && t->s[t->pos] != t->separator)
                t->pos++;
        if (t->pos - from > CELL_MAX) {
                table_error(t, from, 0, "a cell of more than 4 KB",
                    "is this a table of customers?");
                return false;
        }
        buf_add(&t->text, t->s + from, t->pos - from);
        return true;
}

/* Cells of the row at pos; pos goes behind it. false: it was told what is wrong. */
static bool
row_read(struct table *t)
{
        bool good = true;

        buf_clear(&t->text);
        t->n_cells = 0;
        t->row_at = t->pos;
        while (good) {
                size_t from = t->text.len;

                if (t->n_cells == COLUMNS_MAX) {
                        table_error(t, t->pos, 0, "more than 64 cells in a row",
                            "is this a table of customers?");
                        good = false;
                        break;
                }
                good =
                    t->pos < t->n && t->s[t->pos] == '"' ? cell_quoted(t) : cell_plain(t);
                cell_trim(t, from);
                t->at[t->n_cells++] = from;
                buf_addc(&t->text, '\0');
                if (at_row_end(t))
                        break;
                t->pos++; /* the separator */
        }
        row_end(t);
        return good;
}

static const char *
row_cell(const struct table *t, size_t i)
{
        return i < t->n_cells ? t->text.data + t->at[i] : "";
}

/* ---- the head line ---- */

/* What stands most often between the cells of the head. */
static char
separator_find(const char *s, size_t n)
{
        static const char all[] = ";,\t";
        size_t count[3] = {0}, best = 0;
        bool quoted = false;

        for (size_t i = 0; i < n && s[i] != '\0' && (quoted || s[i] != '\n'); i++) {
                const char *is = strchr(all, s[i]);

                quoted = quoted != (s[i] == '"');
                if (is != NULL && !quoted)
                        count[is - all]++;
        }
        for (size_t i = 1; i < 3; i++)
                if (count[i] > count[best])
                        best = i;
        return all[best];
}

static size_t
role_find(const struct customers_file *f, enum role_column role)
{
        for (size_t w = 0; w < ROLE_WORDS && role_words[role][w] != NULL; w++)
                for (size_t i = 0; i < f->n_columns; i++)
                        if (strcmp(f->columns[i], role_words[role][w]) == 0)
                                return i + 1;
        return 0;
}

static bool
head_read(struct table *t)
{
        struct customers_file *f = t->file;
        struct build *b = t->b;

        t->separator = separator_find(t->s, t->n);
        if (!row_read(t))
                return false;
        f->n_columns = t->n_cells;
        f->columns = arena_alloc(b->a, f->n_columns * sizeof *f->columns);
        for (size_t i = 0; i < f->n_columns; i++)
                f->columns[i] = utf8_fold(b->a, row_cell(t, i), strlen(row_cell(t, i)));
        for (unsigned r = 0; r < CUSTOMER_ROLES; r++)
                b->customer_columns[r] = role_find(f, (enum role_column)r);
        if (b->customer_columns[COLUMN_ADDRESS] != 0 ||
            b->customer_columns[COLUMN_PHONE] != 0)
                return true;
        table_error(t, 0, strcspn(t->s, "\r\n"), "no column of addresses or telephones",
            "name one in this line: email (почта), phone (телефон)");
        return false;
}

/* ---- customers ---- */

static bool
vip_means_yes(struct build *b, const char *s)
{
        static const char *const yes[] = {
            "1", "yes", "y", "true", "vip", "x", "+", "да", "д", "вип", "истина", "х"};
        const char *folded = utf8_fold(b->a, s, strlen(s));

        for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
                if (strcmp(folded, yes[i]) == 0)
                        return true;
        return false;
}

static const char *
row_value(const struct table *t, const struct customer_row *r, enum role_column role)
{
        size_t i = t->b->customer_columns[role];

        return i == 0 ? "" : r->values[i - 1];
}

static void
key_add(struct table *t, const char *key, const struct customer_row *r)
{
        struct customers_file *f = t->file;

        f->keys = arena_grow(t->b->a, f->keys, f->n_keys, sizeof *f->keys);
        f->keys[f->n_keys++] = (struct customer_key){key, r};
}

/* A cell may hold several, parted by commas and the like. */
static const char *
keys_add(struct table *t, const struct customer_row *r, const char *cell,
    const char *between, bool is_phone)
{
        char *copy = arena_strdup(t->b->a, cell), *save = NULL;
        const char *first = "";

        for (char *w = strtok_r(copy, between, &save); w != NULL;
             w = strtok_r(NULL, between, &save)) {
                const char *key = "";

                w += strspn(w, " ");
                if (*w == '\0')
                        continue;
                if (is_phone && !number_take(t->b, w, &key))
                        key = "";
                if (!is_phone)
                        key = address_normalise(t->b->a, w);
                if (*key == '\0') {
                        table_warning(t,
                            arena_printf(t->b->a, "'%s' is no %s", word_shown(t->b->a, w),
                                is_phone ? "number" : "address"),
                            "this row is not found by it");
                        continue;
                }
                key_add(t, key, r);
                if (*first == '\0')
                        first = key;
        }
        return first;
}

static void
row_take(struct table *t, struct customer_row *r)
{
        struct build *b = t->b;
        size_t n = t->file->n_columns;
        char *text = arena_strndup(b->a, t->text.data, t->text.len);

        r->values = arena_alloc(b->a, n * sizeof *r->values);
        for (size_t i = 0; i < n; i++)
                r->values[i] = i < t->n_cells ? text + t->at[i] : "";
        r->name = row_value(t, r, COLUMN_NAME);
        r->organisation = row_value(t, r, COLUMN_ORGANISATION);
        r->manager = row_value(t, r, COLUMN_MANAGER);
        r->vip = vip_means_yes(b, row_value(t, r, COLUMN_VIP));
        r->address = keys_add(t, r, row_value(t, r, COLUMN_ADDRESS), " ,;\t", false);
        r->phone = keys_add(t, r, row_value(t, r, COLUMN_PHONE), ",;/\t", true);
}

static bool
row_is_empty(const struct table *t)
{
        return t->text.len == t->n_cells;
}

/* Rows there can be at most. */
static size_t
rows_count(const struct table *t)
{
        size_t n = 1;

        for (size_t i = t->pos; i < t->n && n < ROWS_MAX; i++)
                n += t->s[i] == '\n' || t->s[i] == '\r';
        return n;
}

static void
rows_read(struct table *t)
{
        struct customers_file *f = t->file;

        f->rows = arena_alloc(t->b->a, rows_count(t) * sizeof *f->rows);
        while (t->pos < t->n && t->n_errors < ERRORS_MAX) {
                if (!row_read(t) || row_is_empty(t))
                        continue;
                if (t->n_cells > f->n_columns && row_cell(t, f->n_columns)[0] != '\0') {
                        table_error(t, t->row_at, 0,
                            arena_printf(t->b->a,
                                "a row of %zu cells under a head of %zu", t->n_cells,
                                f->n_columns),
                            "is a cell with a separator inside not in quotes?");
                        continue;
                }
                if (f->n_rows == ROWS_MAX) {
                        table_error(
                            t, t->row_at, 0, "more than 200000 customers", "shorten it");
                        return;
                }
                row_take(t, &f->rows[f->n_rows++]);
        }
}

/* ---- finding ---- */

static int
key_compare(const void *a, const void *b)
{
        const struct customer_key *x = a, *y = b;
        int order = strcmp(x->key, y->key);

        return order != 0 ? order : (x->row > y->row) - (x->row < y->row);
}

static void
keys_sort(struct table *t, const struct value *v)
{
        struct customers_file *f = t->file;
        size_t n_twice = 0;

        if (f->n_keys == 0)
                return;
        qsort(f->keys, f->n_keys, sizeof *f->keys, key_compare);
        for (size_t i = 1; i < f->n_keys; i++)
                n_twice += strcmp(f->keys[i].key, f->keys[i - 1].key) == 0 &&
                           f->keys[i].row != f->keys[i - 1].row;
        if (n_twice == 0)
                return;
        report_warning(t->b->report, v->at,
            "addresses or numbers that stand in more than one row: %zu", n_twice);
        report_advice(t->b->report, "the first row counts");
}

static const struct customer_row *
key_find(const struct customers_file *f, const char *key)
{
        size_t from = 0, to = f->n_keys;

        if (key[0] == '\0')
                return NULL;
        while (from < to) {
                size_t middle = from + (to - from) / 2;

                if (strcmp(f->keys[middle].key, key) < 0)
                        from = middle + 1;
                else
                        to = middle;
        }
        return from < f->n_keys && strcmp(f->keys[from].key, key) == 0 ? f->keys[from].row
                                                                       : NULL;
}

const struct customer_row *
customers_find(const struct customers_file *f, const char *address, const char *phone)
{
        const struct customer_row *r = key_find(f, address);

        return r != NULL ? r : key_find(f, phone);
}

/* Any of the words by which such a column is found. */
static size_t
role_by_word(const struct build *b, const char *folded)
{
        for (unsigned r = 0; r < CUSTOMER_ROLES; r++)
                for (size_t w = 0; w < ROLE_WORDS && role_words[r][w] != NULL; w++)
                        if (strcmp(role_words[r][w], folded) == 0)
                                return b->customer_columns[r];
        return 0;
}

size_t
customers_column(const struct build *b, const char *word)
{
        const struct customers_file *f = &b->c->customers;
        const char *folded = utf8_fold(b->a, word, strlen(word));

        for (size_t i = 0; i < f->n_columns; i++)
                if (strcmp(f->columns[i], folded) == 0)
                        return i + 1;
        return role_by_word(b, folded);
}

const char *
customers_columns_shown(const struct build *b)
{
        const struct customers_file *f = &b->c->customers;
        const char *shown = "";

        for (size_t i = 0; i < f->n_columns && strlen(shown) < 100; i++)
                shown = arena_printf(b->a, "%s%s%s", shown, i == 0 ? "" : ", ",
                    word_shown(b->a, f->columns[i]));
        return shown;
}

void
customers_guess(const struct build *b, struct guess *g, const char *wrong)
{
        for (size_t i = 0; i < b->c->customers.n_columns; i++)
                guess_offer(g, wrong, b->c->customers.columns[i]);
}

/* ---- the sentence ---- */

static void
customers_refuse(
    struct build *b, const struct value *v, const char *why, const char *advice)
{
        report_error(b->report, v->at, "cannot read the customers: %s", why);
        if (advice != NULL)
                report_advice(b->report, "%s", advice);
}

void
customers_read(
    struct build *b, const struct value *v, const char *path, const char *bytes, size_t n)
{
        struct table t = {.b = b, .text = BUF_INIT, .file = &b->c->customers};

        if (memchr(bytes, '\0', n) != NULL) {
                customers_refuse(
                    b, v, "it is no table in text", "save it as CSV in UTF-8");
                return;
        }
        t.source = table_source(b, path, bytes, n);
        t.s = t.source->text;
        t.n = t.source->len;
        if (head_read(&t)) {
                rows_read(&t);
                if (t.n_errors >= ERRORS_MAX)
                        customers_refuse(
                            b, v, "too many errors", "those behind are not told");
                else
                        keys_sort(&t, v);
        }
        buf_fini(&t.text);
}

void
customers_build(struct build *b, const struct sentence *s)
{
        const struct value *v = &s->values[1];
        char *bytes AUTO_FREE = NULL;
        const char *path, *why = "No such file or directory";
        size_t n = 0;

        if (s->n_values == 0) {
                value_missing(b, s);
                return;
        }
        if (!value_at_is(s, 0, "file") || s->n_values < 2) {
                value_wrong(b, s, &s->values[0]);
                report_advice(b->report, "customers file \"customers.csv\"");
                return;
        }
        if (s->n_values > 2)
                value_surplus(b, s, &s->values[2]);
        path = path_beside(b, v->at.source, v->text);
        b->c->customers.path = path;
        data_note(b, path);
        if (!b->no_files)
                bytes = file_read(path, FILE_MAX, "it is longer than 64 MB", &n, &why);
        if (bytes == NULL) {
                customers_refuse(b, v, why, NULL);
                return;
        }
        customers_read(b, v, path, bytes, n);
}
