/*
 * The words of mail programs (helper_mime_trim_words.def) and how a line is compared
 * with them. The words are folded once, on first use, the same way as lines are; the
 * table of a process lives as long as the process.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "channels/helper_mime_trim_impl.h"
#include "daemon/base/utf8.h"

struct word {
        enum word_kind kind;
        const char *text;
};

/* clang-format off */
static const struct word words[] = {
#define W(kind, text) {WORD_##kind, text},
#include "channels/helper_mime_trim_words.def"
#undef W
};
/* clang-format on */

#define N_WORDS (sizeof words / sizeof words[0])

struct folded_word {
        const char *s;
        size_t n;
        size_t before; /* bytes before its first '*', behind its last one */
        size_t behind;
        enum word_kind kind;
};
static struct folded_word folded[N_WORDS]; /* sorted by kind */
static size_t first_of[WORD_KINDS + 1]; /* where each kind begins */
static bool ready;

/* Thousands of words are looked for in every line: by their first six bytes (three, if
 * they have no more), all of a kind at once. */
#define N_LONG 4096u
#define N_SLOTS (N_LONG + 1024u)
_Static_assert(WORD_KINDS <= 64, "a bit for each kind of words");
static uint64_t slot_kinds[N_SLOTS]; /* kinds that have a word there */
static uint64_t begin_kinds[N_SLOTS]; /* of words with a '*': how they begin ... */
static uint64_t end_kinds[N_SLOTS]; /* ... or else how they end */
#define MAX_OPEN 32
static size_t open_words[MAX_OPEN]; /* those with a '*' at both ends */
static size_t n_open;
static uint64_t short_kinds; /* kinds that have words of less than three bytes */

/* Those that may stand anywhere: four bytes of a line tell nearly always that none
 * begins there. A word of three bytes is there with every fourth one. */
#define KIND_BIT(kind) ((uint64_t)1 << (kind))
#define WHOLE_KINDS (KIND_BIT(WORD_WROTE) | KIND_BIT(WORD_SELF) | KIND_BIT(WORD_CONTACT))
#define STANDING_KINDS                                                                   \
        (WHOLE_KINDS | KIND_BIT(WORD_APP) | KIND_BIT(WORD_BANNER2) |                     \
            KIND_BIT(WORD_LEGAL) | KIND_BIT(WORD_LEGAL1) | KIND_BIT(WORD_FOOTER) |       \
            KIND_BIT(WORD_ABOVE) | KIND_BIT(WORD_LINK))
static uint64_t standing_bits[1024];
static uint16_t slot_first[N_SLOTS]; /* 1 + its first such word; 0: none */
static uint16_t slot_next[N_WORDS]; /* 1 + the next one of the same slot */
_Static_assert(N_WORDS < 65535, "words are numbered in 16 bits");

bool
word_is_letter(uint32_t cp)
{
        if (cp < 0x80)
                return (cp >= 'a' && cp <= 'z') || (cp >= 'A' && cp <= 'Z') ||
                       (cp >= '0' && cp <= '9');
        return cp >= 0xc0 && cp < 0x530 && cp != 0xd7 && cp != 0xf7;
}

/* Invisible, or emphasis: not part of any word. */
static bool
is_dropped(uint32_t cp)
{
        return cp == '*' || cp == 0xad || (cp >= 0x200b && cp <= 0x200f) ||
               (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2060 && cp <= 0x2069) ||
               cp == 0xfeff || cp == 0xfe0f;
}

static bool
is_blank(uint32_t cp)
{
        return cp == ' ' || cp == '\t' || cp == 0xa0 || cp == 0x1680 ||
               (cp >= 0x2000 && cp <= 0x200a) || cp == 0x202f || cp == 0x205f ||
               cp == 0x3000;
}

/* One form of each quote mark and dash. */
static uint32_t
plain(uint32_t cp)
{
        if (cp == 0x2019)
                return '\'';
        if ((cp >= 0x2010 && cp <= 0x2015) || cp == 0x2212)
                return '-';
        return utf8_fold_char(cp);
}

/* Bytes of an ASCII letter, digit or sign, or of a small Cyrillic letter, which folds to
 * itself; 0: another character. */
static size_t
plain_len(const char *s, size_t n)
{
        unsigned char c = (unsigned char)s[0], next;

        if (c > ' ' && c < 127)
                return c != '*';
        if (n < 2 || (c != 0xd0 && c != 0xd1))
                return 0;
        next = (unsigned char)s[1];
        return (c == 0xd0 ? next >= 0xb0 && next <= 0xbf : next >= 0x80 && next <= 0x8f)
                   ? 2
                   : 0;
}

static void
fold_into(struct buf *out, const char *s, size_t n, bool stars)
{
        size_t start = out->len;
        bool blank = false;

        buf_reserve(out, TRIM_FOLD + 8);
        for (size_t i = 0, used; i < n && out->len - start < TRIM_FOLD - 8; i += used) {
                uint32_t cp;

                used = plain_len(s + i, n - i);
                if (used > 0) { /* most of all */
                        if (blank)
                                out->data[out->len++] = ' ';
                        blank = false;
                        memcpy(out->data + out->len, s + i, used);
                        if (s[i] >= 'A' && s[i] <= 'Z')
                                out->data[out->len] |= 32;
                        out->len += used;
                        continue;
                }
                cp = utf8_next(s + i, n - i, &used);
                if (is_dropped(cp) && !(stars && cp == '*'))
                        continue;
                if (is_blank(cp)) {
                        blank = out->len > start;
                        continue;
                }
                if (blank)
                        buf_addc(out, ' ');
                blank = false;
                utf8_add(out, plain(cp));
        }
        if (stars && blank)
                buf_addc(out, ' ');
        out->data[out->len] = '\0';
}

void
word_fold(struct buf *out, const char *s, size_t n)
{
        fold_into(out, s, n, false);
}

static unsigned
slot_short(const char *s)
{
        const unsigned char *b = (const unsigned char *)s;
        uint32_t key = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16;

        return N_LONG + ((key * 2654435761u) >> 22);
}

static unsigned
slot_long(const char *s)
{
        uint32_t four;
        uint16_t two;

        memcpy(&four, s, 4);
        memcpy(&two, s + 4, 2);
        return ((four ^ two * 40503u) * 2654435761u) >> 20;
}

/* Where a word of n bytes (three at least) is kept. */
static unsigned
slot_of_word(const char *s, size_t n)
{
        return n >= 6 ? slot_long(s) : slot_short(s);
}

/* What a table knows of the words that may begin at s. */
static uint64_t
kinds_at(const uint64_t *kinds, const char *s, size_t n)
{
        return (n >= 6 ? kinds[slot_long(s)] : 0) | (n >= 3 ? kinds[slot_short(s)] : 0);
}

static void
pattern_index(size_t word, uint64_t bit)
{
        const struct folded_word *w = &folded[word];

        if (w->before >= 3)
                begin_kinds[slot_of_word(w->s, w->before)] |= bit;
        else if (w->behind >= 3)
                end_kinds[slot_short(w->s + w->n - 3)] |= bit;
        else if (memchr(w->s, '*', w->n) != NULL) {
                assert(n_open < MAX_OPEN);
                open_words[n_open++] = word;
        }
}

/* A bit of standing_bits. */
static uint32_t
bit_at(const char *s)
{
        uint32_t key;

        memcpy(&key, s, sizeof key);
        return (key * 2654435761u) >> 16;
}

static void
standing_index(size_t word)
{
        unsigned slot = slot_short(folded[word].s);
        char key[4];

        assert(folded[word].n >= 3);
        slot_next[word] = slot_first[slot];
        slot_first[slot] = (uint16_t)(word + 1);
        memcpy(key, folded[word].s, sizeof key);
        for (unsigned c = 0; c < 256; c++) {
                if (folded[word].n == 3)
                        key[3] = (char)c;
                standing_bits[bit_at(key) / 64] |= (uint64_t)1 << bit_at(key) % 64;
        }
}

static void
words_index(void)
{
        for (size_t i = N_WORDS; i-- > 0;) {
                uint64_t bit = KIND_BIT(folded[i].kind);

                pattern_index(i, bit);
                if (bit & STANDING_KINDS)
                        standing_index(i);
                if (folded[i].n < 3)
                        short_kinds |= bit;
                else
                        slot_kinds[slot_of_word(folded[i].s, folded[i].n)] |= bit;
        }
}

/* Can a word of the kind begin with what stands at s? */
static bool
may_begin(enum word_kind kind, const char *s, size_t n)
{
        uint64_t kinds = short_kinds | kinds_at(slot_kinds, s, n);

        return kinds >> kind & 1;
}

static void
words_prepare(void)
{
        size_t at = 0;

        if (ready)
                return;
        for (unsigned kind = 0; kind < WORD_KINDS; kind++) {
                first_of[kind] = at;
                for (size_t i = 0; i < N_WORDS; i++) {
                        struct buf b AUTO_BUF = BUF_INIT;

                        if (words[i].kind != kind)
                                continue;
                        fold_into(&b, words[i].text, strlen(words[i].text), true);
                        folded[at].kind = (enum word_kind)kind;
                        folded[at].n = b.len;
                        folded[at].before = strcspn(buf_str(&b), "*");
                        folded[at].behind =
                            folded[at].before == b.len
                                ? b.len
                                : b.len - 1 - (size_t)(strrchr(b.data, '*') - b.data);
                        folded[at++].s = xstrdup(buf_str(&b));
                }
        }
        first_of[WORD_KINDS] = at;
        words_index();
        ready = true;
}

bool
word_is(enum word_kind kind, const char *s, size_t n)
{
        words_prepare();
        if (!may_begin(kind, s, n))
                return false;
        for (size_t i = first_of[kind]; i < first_of[kind + 1]; i++)
                if (folded[i].n == n && memcmp(folded[i].s, s, n) == 0)
                        return true;
        return false;
}

static bool
letter_at(const char *s, size_t n, size_t at)
{
        size_t used;

        return at < n && word_is_letter(utf8_next(s + at, n - at, &used));
}

static bool
letter_before(const char *s, size_t at)
{
        size_t from = at, used;

        while (from > 0 && at - from < 4 && ((unsigned char)s[from - 1] & 0xc0) == 0x80)
                from--;
        return from > 0 && word_is_letter(utf8_next(s + from - 1, at - from + 1, &used));
}

size_t
word_starts(enum word_kind kind, const char *s, size_t n)
{
        size_t best = 0;

        words_prepare();
        if (!may_begin(kind, s, n))
                return 0;
        for (size_t i = first_of[kind]; i < first_of[kind + 1]; i++)
                if (folded[i].n > best && folded[i].n <= n &&
                    memcmp(folded[i].s, s, folded[i].n) == 0)
                        best = folded[i].n;
        return best;
}

size_t
word_begins(enum word_kind kind, const char *s, size_t n)
{
        size_t best = 0;

        words_prepare();
        if (!may_begin(kind, s, n))
                return 0;
        for (size_t i = first_of[kind]; i < first_of[kind + 1]; i++) {
                const struct folded_word *w = &folded[i];

                if (w->n <= best || w->n > n || w->s[0] != s[0] ||
                    memcmp(w->s, s, w->n) != 0)
                        continue;
                if (letter_before(w->s, w->n) && letter_at(s, n, w->n))
                        continue;
                best = w->n;
        }
        return best;
}

/* Does w stand at s + at (with no letter at its sides)? */
static bool
stands_at(const struct folded_word *w, const char *s, size_t n, size_t at, bool whole)
{
        if (w->n > n - at || memcmp(s + at, w->s, w->n) != 0)
                return false;
        return !whole || (!(letter_before(s, at) && letter_at(w->s, w->n, 0)) &&
                             !(letter_before(w->s, w->n) && letter_at(s, n, at + w->n)));
}

/* Words that stand in s, of some kinds; the next one from *at on, and *word behind it
 * there; N_WORDS: no more. */
static size_t
next_standing(uint64_t kinds, const char *s, size_t n, size_t *at, size_t *word)
{
        for (; *at + 3 <= n; ++*at, *word = 0) {
                size_t i = *word;

                if (i == 0) {
                        uint32_t bit = *at + 4 <= n ? bit_at(s + *at) : 0;

                        if (*at + 4 <= n &&
                            (standing_bits[bit / 64] >> bit % 64 & 1) == 0)
                                continue;
                        i = slot_first[slot_short(s + *at)];
                } else {
                        i = slot_next[i - 1];
                }
                for (; i != 0; i = slot_next[i - 1]) {
                        uint64_t kind = KIND_BIT(folded[i - 1].kind);

                        if ((kind & kinds) == 0 ||
                            !stands_at(&folded[i - 1], s, n, *at, kind & WHOLE_KINDS))
                                continue;
                        *word = i;
                        return i - 1;
                }
        }
        return N_WORDS;
}

uint64_t
word_kinds(const char *s, size_t n)
{
        uint64_t kinds = 0;
        size_t at = 0, word = 0, found;

        words_prepare();
        while (
            (found = next_standing(STANDING_KINDS & ~kinds, s, n, &at, &word)) < N_WORDS)
                kinds |= KIND_BIT(folded[found].kind);
        return kinds;
}

bool
word_stands(enum word_kind kind, const char *s, size_t n)
{
        size_t at = 0, word = 0;

        assert(KIND_BIT(kind) & STANDING_KINDS);
        words_prepare();
        return next_standing(KIND_BIT(kind), s, n, &at, &word) < N_WORDS;
}

unsigned
word_count(enum word_kind kind, const char *s, size_t n)
{
        uint8_t seen[N_WORDS / 8 + 1] = {0};
        size_t at = 0, word = 0, found;
        unsigned count = 0;

        assert(KIND_BIT(kind) & STANDING_KINDS);
        words_prepare();
        while ((found = next_standing(KIND_BIT(kind), s, n, &at, &word)) < N_WORDS) {
                count += (seen[found / 8] >> found % 8 & 1) == 0;
                seen[found / 8] |= (uint8_t)(1u << found % 8);
        }
        return count;
}

/* p with *s against s, both whole. */
static bool
glob(const char *p, const char *s, size_t n)
{
        const char *star = NULL;
        size_t i = 0, back = 0;

        while (i < n) {
                if (*p == '*') {
                        star = ++p;
                        back = i;
                } else if (*p != '\0' && *p == s[i]) {
                        p++;
                        i++;
                } else if (star != NULL) {
                        p = star;
                        i = ++back;
                } else
                        return false;
        }
        while (*p == '*')
                p++;
        return *p == '\0';
}

/* Words that leave the end open need one that names a device or a program. */
static bool
names_program(const struct folded_word *w, const char *s, size_t n)
{
        if (w->n < 2 || memcmp(w->s + w->n - 2, " *", 2) != 0)
                return true;
        return word_stands(WORD_APP, s, n);
}

/* What stands before the first '*' and behind the last one: decides nearly always. */
static bool
ends_fit(const struct folded_word *w, const char *s, size_t n)
{
        return n >= w->before && n >= w->behind &&
               (w->before == 0 || (w->s[0] == s[0] && memcmp(w->s, s, w->before) == 0)) &&
               memcmp(w->s + w->n - w->behind, s + n - w->behind, w->behind) == 0;
}

static bool
matches(size_t word, const char *s, size_t n)
{
        const struct folded_word *w = &folded[word];

        return ends_fit(w, s, n) && glob(w->s, s, n) && names_program(w, s, n);
}

bool
word_matches(enum word_kind kind, const char *s, size_t n)
{
        uint64_t kinds;

        words_prepare();
        for (size_t k = 0; k < n_open; k++)
                if (folded[open_words[k]].kind == kind && matches(open_words[k], s, n))
                        return true;
        kinds =
            n < 3 ? 0 : kinds_at(begin_kinds, s, n) | end_kinds[slot_short(s + n - 3)];
        if ((kinds >> kind & 1) == 0)
                return false;
        for (size_t i = first_of[kind]; i < first_of[kind + 1]; i++)
                if (matches(i, s, n))
                        return true;
        return false;
}
