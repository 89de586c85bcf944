/* Regular expressions; see pattern.h. */
#include "config/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>
#include <time.h>

#include "daemon/base/arena.h"
#include "daemon/base/buf.h"
#include "daemon/base/utf8.h"

#define TEXT_MAX 65536u /* bytes of a text that are looked at */
#define STEPS_MIN 1000u /* of the matcher at one place of the text, and at most: */
#define STEPS_MAX 500000u
#define STEPS_TIMES_BYTES 200000000u /* a step may walk over all of the text */
#define PLACES_MIN 16u /* where a match may begin, between two looks at the clock */
#define PLACES_MAX 512u
#define PORTION_US                                                                       \
        1000 /* a portion of places that takes longer is followed by a small one */
#define HEAP_LIMIT_KB 8192u
#define JIT_STACK_MAX (512u * 1024)
#define PATTERN_MAX 10000u

struct pattern {
        pcre2_code *code;
        pcre2_match_data *data;
        pcre2_match_context *context;
        pcre2_jit_stack *stack;
};

/* ---- ё = е ---- */

/* "ё" and "Ё" in UTF-8 are two bytes, as are "е" and "Е": nothing moves. */
static const char *
yo_plain(const char *s, size_t left)
{
        if (left < 2)
                return NULL;
        if (memcmp(s, "ё", 2) == 0)
                return "е";
        return memcmp(s, "Ё", 2) == 0 ? "Е" : NULL;
}

/* An escaped ё, \x{451}: as many bytes as its е, \x{435}. */
static const char *
yo_escaped(const char *s, size_t left, size_t *n)
{
        static const char *const pairs[][2] = {{"\\x{451}", "\\x{435}"},
            {"\\x{0451}", "\\x{0435}"}, {"\\x{401}", "\\x{415}"},
            {"\\x{0401}", "\\x{0415}"}};

        for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
                *n = strlen(pairs[i][0]);
                if (left >= *n && memcmp(s, pairs[i][0], *n) == 0)
                        return pairs[i][1];
        }
        return NULL;
}

/* An end of a range in a class, as in [Ё-я]: it stays, for the range is meant by
 * code points and holds the е without it. */
static bool
is_range_end(const char *s, size_t n, size_t at)
{
        bool to = at >= 2 && s[at - 1] == '-' && s[at - 2] != '[' && s[at - 2] != '^';
        bool from = at + 3 < n && s[at + 2] == '-' && s[at + 3] != ']';

        return to || from;
}

static char *
pattern_plain(struct arena *a, const char *s, size_t n)
{
        struct buf b AUTO_BUF = BUF_INIT;
        bool in_class = false;
        size_t used = 0;

        for (size_t i = 0; i < n; i += used) {
                const char *plain = yo_plain(s + i, n - i);

                used = 1;
                if (s[i] == '\\') {
                        plain = yo_escaped(s + i, n - i, &used);
                        if (plain == NULL)
                                used = n - i > 1 ? 2 : 1;
                } else if (plain != NULL) {
                        used = 2;
                        if (in_class && is_range_end(s, n, i))
                                plain = NULL;
                } else if (s[i] == '[') {
                        in_class = true;
                } else if (s[i] == ']') {
                        in_class = false;
                }
                buf_add(&b, plain == NULL ? s + i : plain, used);
        }
        return arena_strndup(a, buf_str(&b), b.len);
}

static const char *
text_plain(const char *s, size_t n, struct buf *b)
{
        if (memmem(s, n, "ё", 2) == NULL && memmem(s, n, "Ё", 2) == NULL)
                return s;
        buf_add(b, s, n);
        for (size_t i = 0; i + 1 < n; i++) {
                const char *plain = yo_plain(b->data + i, n - i);

                if (plain != NULL)
                        memcpy(b->data + i, plain, 2);
        }
        return b->data;
}

/* ---- patterns ---- */

static void
pattern_limits(struct pattern *p)
{
        p->context = pcre2_match_context_create(NULL);
        pcre2_set_heap_limit(p->context, HEAP_LIMIT_KB);
        p->data = pcre2_match_data_create_from_pattern(p->code, NULL);
        if (pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE) != 0)
                return; /* the system forbids it: interpreted */
        p->stack = pcre2_jit_stack_create(32 * 1024, JIT_STACK_MAX, NULL);
        if (p->stack != NULL)
                pcre2_jit_stack_assign(p->context, NULL, p->stack);
}

struct pattern *
pattern_new(const char *text, bool any_case, size_t *at, struct err *err)
{
        struct arena *a AUTO_ARENA = arena_new();
        size_t n = strlen(text);
        char *plain = pattern_plain(a, text, n);
        struct pattern *p = xcalloc(1, sizeof *p);
        uint32_t flags =
            PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C | PCRE2_USE_OFFSET_LIMIT;
        PCRE2_UCHAR why[160];
        int code = 0;

        *at = 0;
        if (n > PATTERN_MAX)
                err_set(err, ERR_CONFIG, "it is longer than %u bytes", PATTERN_MAX);
        else
                p->code = pcre2_compile((PCRE2_SPTR)plain, n,
                    flags | (any_case ? PCRE2_CASELESS : 0), &code, at, NULL);
        if (p->code == NULL && n <= PATTERN_MAX) {
                pcre2_get_error_message(code, why, sizeof why);
                err_set(err, ERR_CONFIG, "%s", (const char *)why);
        }
        if (p->code == NULL) {
                pattern_free(&p);
                return NULL;
        }
        pattern_limits(p);
        return p;
}

void
pattern_free(struct pattern **p)
{
        if (*p == NULL)
                return;
        pcre2_code_free((*p)->code);
        pcre2_match_data_free((*p)->data);
        pcre2_match_context_free((*p)->context);
        pcre2_jit_stack_free((*p)->stack);
        free_cleanup(p);
        *p = NULL;
}

static void
steps_limit(const struct pattern *p, size_t n)
{
        size_t steps = n == 0 ? STEPS_MAX : STEPS_TIMES_BYTES / n;

        steps = steps < STEPS_MIN ? STEPS_MIN : steps > STEPS_MAX ? STEPS_MAX : steps;
        pcre2_set_match_limit(p->context, (uint32_t)steps);
}

static int64_t
cpu_us(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
        return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* The limit of steps is one for each place where a match may begin, so a harmless
 * looking pattern can still take the square of the text's length: the places are
 * tried in portions, with a look at the clock between them. */
static int
find_in_portions(const struct pattern *p, const char *s, size_t n, int64_t *left_us)
{
        int64_t now_us = cpu_us(), until_us = now_us + *left_us;
        size_t places = PLACES_MIN;
        uint32_t flags = 0;
        int rc;

        for (size_t from = 0;;) {
                int64_t before_us = now_us;
                bool last;

                while (from < n && ((unsigned char)s[from] & 0xc0) == 0x80)
                        from++;
                last = n - from < places;
                pcre2_set_offset_limit(
                    p->context, last ? PCRE2_UNSET : from + places - 1);
                rc = pcre2_match(
                    p->code, (PCRE2_SPTR)s, n, from, flags, p->data, p->context);
                flags = PCRE2_NO_UTF_CHECK; /* once is enough */
                now_us = cpu_us();
                *left_us = until_us - now_us;
                if (rc != PCRE2_ERROR_NOMATCH || last)
                        return rc;
                if (*left_us <= 0)
                        return PCRE2_ERROR_MATCHLIMIT;
                from += places;
                if (now_us - before_us > PORTION_US)
                        places = PLACES_MIN;
                else if (places < PLACES_MAX)
                        places *= 2;
        }
}

enum pattern_result
pattern_find(const struct pattern *p, const char *text, size_t n, int64_t *left_us,
    size_t *from, size_t *to)
{
        struct buf b AUTO_BUF = BUF_INIT;
        const PCRE2_SIZE *found;
        const char *plain;
        int rc;

        if (*left_us <= 0)
                return PATTERN_GAVE_UP;
        n = utf8_cut(text, n, TEXT_MAX);
        plain = text_plain(text, n, &b);
        steps_limit(p, n);
        rc = find_in_portions(p, plain, n, left_us);
        if (rc < 0)
                return rc == PCRE2_ERROR_NOMATCH ? PATTERN_NO : PATTERN_GAVE_UP;
        found = pcre2_get_ovector_pointer(p->data);
        *from = found[0];
        *to = found[1] > found[0] ? found[1] : found[0];
        return PATTERN_YES;
}
