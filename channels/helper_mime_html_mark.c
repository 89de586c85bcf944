/* Where HTML says that a quote or a signature stands; see helper_mime_html_mark.h. */
#include "channels/helper_mime_html_mark.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/arena.h"
#include "daemon/base/utf8.h"

#define MAX_VALUE 400 /* bytes of a class or id that are read */
#define MAX_PEEK 1500 /* bytes of HTML in which heads must begin */
#define MAX_INTRO 600 /* bytes of an introduction before a quote */

/* How a word of an attribute is compared. */
enum match {
        M_IS, /* the word */
        M_ENDS, /* its end: programs put prefixes before each other's names ("x_") */
        M_BEGINS, /* its begin: numbers follow */
        M_HOLDS
};

static const struct {
        enum html_attr attr;
        enum match match;
        const char *word; /* in lower case */
        enum html_sign sign;
} signs[] = {
    /* Gmail, and those that write like it */
    {ATTR_CLASS, M_ENDS, "gmail_quote", SIGN_CONTAINER},
    {ATTR_CLASS, M_ENDS, "gmail_quote_container", SIGN_CONTAINER},
    {ATTR_CLASS, M_ENDS, "gmail_attr", SIGN_INTRO},
    /* Thunderbird, SeaMonkey, Betterbird */
    {ATTR_CLASS, M_ENDS, "moz-cite-prefix", SIGN_INTRO},
    {ATTR_CLASS, M_ENDS, "moz-forward-container", SIGN_FORWARD},
    {ATTR_CLASS, M_ENDS, "moz-email-headers-table", SIGN_FORWARD},
    {ATTR_CLASS, M_ENDS, "moz-signature", SIGN_SIGNATURE},
    {ATTR_CLASS, M_ENDS, "moz-txt-sig", SIGN_SIGNATURE},
    /* Outlook on the web, for phones, for Mac, and of 2003 */
    {ATTR_ID, M_ENDS, "divrplyfwdmsg", SIGN_REST},
    {ATTR_ID, M_HOLDS, "divrpf", SIGN_REST},
    {ATTR_ID, M_ENDS, "mail-editor-reference-message-container", SIGN_QUOTE},
    {ATTR_CLASS, M_ENDS, "ms-outlook-mobile-reference-message", SIGN_QUOTE},
    {ATTR_ID, M_ENDS, "mac_outlook_attribution_blockquote", SIGN_QUOTE},
    {ATTR_ID, M_ENDS, "olk_src_body_section", SIGN_QUOTE},
    {ATTR_CLASS, M_ENDS, "outlookmessageheader", SIGN_REST},
    /* mail.ru, Yandex, Rambler */
    {ATTR_CLASS, M_ENDS, "mail-quote-collapse", SIGN_CONTAINER},
    {ATTR_CLASS, M_ENDS, "wmi-quote", SIGN_QUOTE},
    {ATTR_CLASS, M_ENDS, "wmi-sign", SIGN_SIGNATURE},
    {ATTR_DATA_SIGNATURE_WIDGET, M_HOLDS, "", SIGN_SIGNATURE},
    /* Yahoo, AOL */
    {ATTR_CLASS, M_ENDS, "yahoo_quoted", SIGN_CONTAINER},
    {ATTR_ID, M_HOLDS, "yahoo_quoted", SIGN_CONTAINER},
    {ATTR_CLASS, M_BEGINS, "yqt", SIGN_QUOTE},
    /* Proton, Tutanota, Zoho, Fastmail */
    {ATTR_CLASS, M_ENDS, "protonmail_quote", SIGN_CONTAINER},
    {ATTR_CLASS, M_ENDS, "tutanota_quote", SIGN_QUOTE},
    {ATTR_CLASS, M_ENDS, "zmail_extra", SIGN_CONTAINER},
    /* Zimbra */
    {ATTR_DATA_MARKER, M_IS, "__quoted_text__", SIGN_QUOTE},
    {ATTR_DATA_MARKER, M_IS, "__headers__", SIGN_QUOTE},
    {ATTR_DATA_MARKER, M_BEGINS, "__sig_", SIGN_SIGNATURE},
    /* GMX, web.de, 1&1 */
    {ATTR_NAME, M_IS, "quote", SIGN_QUOTE},
    /* Roundcube */
    {ATTR_ID, M_ENDS, "reply-intro", SIGN_INTRO},
    {ATTR_ID, M_ENDS, "replybody", SIGN_QUOTE},
    {ATTR_ID, M_HOLDS, "forwardbody", SIGN_FORWARD},
    {ATTR_ID, M_ENDS, "_rc_sig", SIGN_SIGNATURE},
    /* Apple, Airmail, Spark, Evolution, K-9, Samsung, BlackBerry, NetEase */
    {ATTR_CLASS, M_ENDS, "appleoriginalcontents", SIGN_CONTAINER},
    {ATTR_CLASS, M_ENDS, "airmail_on", SIGN_INTRO},
    {ATTR_CLASS, M_ENDS, "bloop_sign", SIGN_SIGNATURE},
    {ATTR_ID, M_BEGINS, "bloop_sign", SIGN_SIGNATURE},
    {ATTR_NAME, M_IS, "messagereplysection", SIGN_CONTAINER},
    {ATTR_NAME, M_IS, "messagesignaturesection", SIGN_SIGNATURE},
    {ATTR_CLASS, M_BEGINS, "-x-evo-signature", SIGN_SIGNATURE},
    {ATTR_ID, M_ENDS, "_originalcontent", SIGN_QUOTE},
    {ATTR_ID, M_BEGINS, "response_container_bbppid", SIGN_QUOTE},
    {ATTR_ID, M_BEGINS, "_signatureplaceholder", SIGN_SIGNATURE},
    {ATTR_ID, M_IS, "isreplycontent", SIGN_QUOTE},
    {ATTR_ID, M_IS, "isforwardcontent", SIGN_FORWARD},
    /* ticket systems, shared boxes and newer programs */
    {ATTR_CLASS, M_ENDS, "freshdesk_quote", SIGN_QUOTE},
    {ATTR_CLASS, M_ENDS, "front-blockquote", SIGN_QUOTE},
    {ATTR_CLASS, M_ENDS, "missive_quote", SIGN_CONTAINER},
    {ATTR_CLASS, M_ENDS, "nylas-quote", SIGN_CONTAINER},
    {ATTR_CLASS, M_ENDS, "sh-quoted-content", SIGN_CONTAINER},
    {ATTR_CLASS, M_ENDS, "hs_reply", SIGN_QUOTE},
    {ATTR_CLASS, M_ENDS, "zd_quote", SIGN_QUOTE},
    {ATTR_CLASS, M_ENDS, "quoted-mail", SIGN_QUOTE},
    /* "gmail_signature", "protonmail_signature_block", "AppleMailSignature",
     * "composer_signature", "ms-outlook-mobile-signature", "k9mail-signature", ... */
    {ATTR_CLASS, M_HOLDS, "signature", SIGN_SIGNATURE},
    {ATTR_ID, M_HOLDS, "signature", SIGN_SIGNATURE},
    {ATTR_DATA_SMARTMAIL, M_HOLDS, "signature", SIGN_SIGNATURE},
};

static bool
matches(const char *s, size_t n, enum match match, const char *word)
{
        size_t len = strlen(word);

        if (len > n)
                return false;
        switch (match) {
        case M_IS:
                return len == n && strncasecmp(s, word, n) == 0;
        case M_ENDS:
                return strncasecmp(s + n - len, word, len) == 0;
        case M_BEGINS:
                return strncasecmp(s, word, len) == 0;
        case M_HOLDS:
                for (size_t i = 0; i + len <= n; i++)
                        if (strncasecmp(s + i, word, len) == 0)
                                return true;
                return false;
        }
        return false;
}

/* What a word of this attribute says. */
static enum html_sign
sign_of_word(enum html_attr attr, const char *s, size_t n)
{
        for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
                if (signs[i].attr == attr && matches(s, n, signs[i].match, signs[i].word))
                        return signs[i].sign;
        return SIGN_NONE;
}

static enum html_sign
sign_of_attribute(const struct html_attrs *a, enum html_attr attr, struct buf *scratch)
{
        const char *s;

        if (!html_value(a, attr, scratch, MAX_VALUE))
                return SIGN_NONE;
        for (s = buf_str(scratch); *s != '\0';) {
                size_t n = strcspn(s, " \t\n");
                enum html_sign sign = sign_of_word(attr, s, n);

                if (sign != SIGN_NONE)
                        return sign;
                s += n + strspn(s + n, " \t\n");
        }
        return SIGN_NONE;
}

static bool
attribute_is(const struct html_attrs *a, enum html_attr attr, const char *word)
{
        const struct html_value *v = &a->v[attr];

        return v->s != NULL && html_value_is(v, word);
}

static enum html_sign
sign_of_blockquote(const struct html_attrs *a, const struct html_look *look)
{
        if (attribute_is(a, ATTR_TYPE, "cite") || a->v[ATTR_CITE].n > 0)
                return SIGN_QUOTE;
        /* mail programs bar their quotes; an editor's "indent" does not */
        if (look->bar)
                return SIGN_QUOTE;
        return look->indented ? SIGN_NONE : SIGN_BLOCKQUOTE;
}

enum html_sign
html_sign_of(enum html_element e, const struct html_attrs *a,
    const struct html_look *look, struct buf *scratch)
{
        static const enum html_attr asked[] = {ATTR_CLASS, ATTR_ID, ATTR_NAME,
            ATTR_DATA_MARKER, ATTR_DATA_SIGNATURE_WIDGET, ATTR_DATA_SMARTMAIL};
        enum html_sign sign = SIGN_NONE;

        if (e == HTML_A || e == HTML_IMG || e == HTML_INPUT || e == HTML_BR)
                return SIGN_NONE;
        if (e == HTML_HR)
                return attribute_is(a, ATTR_TABINDEX, "-1") ||
                               attribute_is(a, ATTR_ID, "zwchr")
                           ? SIGN_REST_IF
                           : SIGN_NONE;
        for (size_t i = 0; sign == SIGN_NONE && i < sizeof(asked) / sizeof(asked[0]); i++)
                if (a->v[asked[i]].s != NULL)
                        sign = sign_of_attribute(a, asked[i], scratch);
        if (e == HTML_BLOCKQUOTE && (sign == SIGN_NONE || sign == SIGN_CONTAINER))
                sign = sign == SIGN_CONTAINER ? SIGN_QUOTE : sign_of_blockquote(a, look);
        if (sign == SIGN_NONE && e == HTML_DIV && look->top_bar)
                sign = SIGN_REST_IF;
        return sign;
}

bool
html_heads_follow(const char *s, size_t n)
{
        struct html_reader r;
        struct html_token t;
        size_t letters = 0;

        html_reader_init(&r, s, n < MAX_PEEK ? n : MAX_PEEK);
        while (html_next(&r, &t)) {
                if (t.type != HTML_TEXT || t.element != HTML_OTHER)
                        continue;
                for (size_t i = 0; i < t.n; i++) {
                        unsigned char c = (unsigned char)t.s[i];

                        /* the Chinese colon is EF BC 9A */
                        if (letters > 0 &&
                            (c == ':' || (c == 0xbc && i + 1 < t.n &&
                                             (unsigned char)t.s[i + 1] == 0x9a)))
                                return true;
                        letters += !isspace(c);
                        if (letters > 40 || isdigit(c))
                                return false;
                }
        }
        return false;
}

/* ---- what the text itself says ---- */

static bool
holds(const char *s, size_t n, const char *word)
{
        return n > 0 && memmem(s, n, word, strlen(word)) != NULL;
}

/* Is its first line "---------- Forwarded message ---------" in some language? */
static bool
is_forward(const char *s, size_t n)
{
        static const char *const words[] = {"orward", "ересыл", "ересла", "ереадрес",
            "eitergeleit", "reenvi", "ransfér", "noltra", "ncaminhad", "rzekazan",
            "oorgestuurd", "idarebefordr", "idaresend", "lähetetty", "letilen", "转发",
            "轉寄", "転送"};
        const char *end;

        while (n > 0 && strchr("> \n", *s) != NULL) {
                s++;
                n--;
        }
        end = memchr(s, '\n', n);
        n = end != NULL ? (size_t)(end - s) : n;
        n = n < 200 ? n : 200;
        if (n < 4 || strchr("-=_", s[0]) == NULL)
                return false;
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
                if (holds(s, n, words[i]))
                        return true;
        return false;
}

/* The line that ends at *to (its \n not counted), "> " and blanks cut off. */
static struct html_value
line_before(const char *text, size_t low, size_t *to)
{
        const char *nl = memrchr(text + low, '\n', *to - low);
        size_t from = nl != NULL ? (size_t)(nl - text) + 1 : low;
        struct html_value v = {text + from, *to - from};

        *to = from;
        while (v.n > 0 && (v.s[0] == '>' || v.s[0] == ' ')) {
                v.s++;
                v.n--;
        }
        while (v.n > 0 && v.s[v.n - 1] == ' ')
                v.n--;
        return v;
}

static bool
has_digit_or_at(const struct html_value *v)
{
        for (size_t i = 0; i < v->n; i++)
                if (isdigit((unsigned char)v->s[i]) || v->s[i] == '@')
                        return true;
        return false;
}

static bool
is_rule(const struct html_value *v)
{
        size_t n = 0;

        while (n < v->n && strchr("-_=*", v->s[n]) != NULL)
                n++;
        return n == v->n && n >= 2;
}

/* "On Mon, 2 Jan 2023 ... wrote:", "02.01.2023, 10:00, \"Name\" <a@b>:". */
static bool
is_intro(const struct html_value *v)
{
        bool colon = v->n > 0 && v->s[v->n - 1] == ':';

        if (v->n >= 3 && memcmp(v->s + v->n - 3, "\xef\xbc\x9a", 3) == 0)
                colon = true;
        return colon && v->n <= MAX_INTRO && has_digit_or_at(v);
}

/* "Кому: a@b", "Subject: x". */
static bool
is_head(const struct html_value *v)
{
        const char *colon = memchr(v->s, ':', v->n);
        size_t len = colon != NULL ? (size_t)(colon - v->s) : 0;

        return len > 1 && len <= 40 && v->n <= 400 && !isdigit((unsigned char)v->s[0]) &&
               len + 1 < v->n && v->s[len + 1] == ' ';
}

/* The text before a quote ends at n: where its introduction begins, n when it has none;
 * never below low. */
static size_t
intro_begin(const char *text, size_t low, size_t n)
{
        size_t at = n;
        size_t from = n;
        struct html_value v;
        bool intro = false;

        if (n - low > 4 * MAX_INTRO)
                low = n - 4 * MAX_INTRO;
        while (at > low && strchr(" \n>", text[at - 1]) != NULL)
                at--;
        for (unsigned lines = 0; at > low && lines < 10; lines++) {
                v = line_before(text, low, &at);
                if (is_rule(&v))
                        return at;
                if (!intro && is_intro(&v)) {
                        intro = true;
                        from = at;
                } else if (!is_head(&v)) { /* heads are its own below a rule only */
                        break;
                }
                at -= at > low;
        }
        return from;
}

/* A line "-- " directly before a signature is its. */
static size_t
dashes_begin(const char *text, size_t low, size_t n)
{
        size_t at = n;
        struct html_value v;

        while (at > low && strchr(" \n", text[at - 1]) != NULL)
                at--;
        if (at == low || text[at - 1] != '-')
                return n;
        v = line_before(text, low, &at);
        return is_rule(&v) ? at : n;
}

/* ---- the marks ---- */

void
html_marker_init(struct html_marker *m)
{
        memset(m, 0, sizeof(*m));
        m->owner = m->container = m->forward = m->intro = -1;
}

void
html_marker_fini(struct html_marker *m)
{
        free(m->list);
        m->list = NULL;
}

/* Between two quotes nothing but blanks: they are one. */
static bool
only_blank(const char *s, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (strchr("> \n", s[i]) == NULL || s[i] == '\0')
                        return false;
        return true;
}

static void
mark_add(struct html_marker *m, const char *text, size_t to)
{
        struct text_mark *last = m->n > 0 ? &m->list[m->n - 1] : NULL;
        size_t from = m->from;

        m->open = false;
        while (from < to && strchr(" \n", text[from]) != NULL)
                from++;
        while (to > from && strchr(" \n", text[to - 1]) != NULL)
                to--;
        if (from >= to)
                return;
        if (m->kind == TEXT_QUOTE && is_forward(text + from, to - from))
                return;
        if (last != NULL && last->kind == m->kind &&
            only_blank(text + last->to, from - last->to)) {
                last->to = to;
                return;
        }
        if (m->n == m->room) {
                m->room = m->room > 0 ? m->room * 2 : 16;
                m->list = xrealloc(m->list, m->room * sizeof(m->list[0]));
        }
        assert(m->list != NULL);
        m->list[m->n++] = (struct text_mark){m->kind, from, to};
}

/* Is [from, to) one or two lines? Some begin with empty ones. */
static bool
is_short(const char *text, size_t from, size_t to)
{
        unsigned lines = 0;

        while (from < to && strchr("> \n", text[from]) != NULL)
                from++;
        while (to > from && strchr("> \n", text[to - 1]) != NULL)
                to--;
        if (to - from > MAX_INTRO)
                return false;
        for (size_t i = from; i < to; i++)
                lines += text[i] == '\n';
        return lines <= 1;
}

/* A container whose quote is no blockquote: one of its first lines must tell whose. */
static bool
begins_with_intro(const char *s, size_t n)
{
        for (unsigned lines = 0; n > 0 && lines < 4; lines++) {
                const char *nl = memchr(s, '\n', n);
                struct html_value v = {s, nl != NULL ? (size_t)(nl - s) : n};

                if (memchr(v.s, ':', v.n) != NULL && has_digit_or_at(&v))
                        return true;
                n -= v.n + (nl != NULL);
                s += v.n + (nl != NULL);
        }
        return false;
}

/* Above the introduction stands what a person wrote: programs put the cursor into their
 * containers. */
static void
intro_shorten(struct html_marker *m, const char *text, size_t n)
{
        if (!is_short(text, m->from, n))
                m->from = intro_begin(text, m->from, n);
}

/* Where a quote that begins at n is introduced, at low or above: by what its text looks
 * like, else by the element for that, in which people also write. */
static size_t
quote_begin(const struct html_marker *m, const char *text, size_t low, size_t n)
{
        size_t from = intro_begin(text, low, n);

        if (from == n && m->intro_to > low && m->intro_from >= low &&
            only_blank(text + m->intro_to, n - m->intro_to) &&
            is_short(text, m->intro_from, m->intro_to))
                from = m->intro_from;
        return from;
}

static void
mark_begin(struct html_marker *m, enum text_mark_kind kind, int owner, const char *text,
    size_t n)
{
        size_t low = m->n > 0 ? m->list[m->n - 1].to : 0;

        m->open = true;
        m->kind = kind;
        m->owner = owner;
        m->from = kind == TEXT_QUOTE ? quote_begin(m, text, low, n)
                                     : dashes_begin(text, low, n);
}

/* A quote begins inside of what is marked: a container hands its mark to it, so that
 * what follows in the container is an answer; a signature ends. True: begin anew. */
static bool
mark_hand_over(
    struct html_marker *m, enum html_sign sign, int index, const char *text, size_t n)
{
        if (m->kind == TEXT_SIGNATURE) {
                if (sign == SIGN_SIGNATURE || sign == SIGN_BLOCKQUOTE)
                        return false;
                mark_add(m, text, n);
                return true;
        }
        if (m->owner == m->container && m->owner >= 0 &&
            (sign == SIGN_BLOCKQUOTE || sign == SIGN_QUOTE)) {
                if (is_forward(text + m->from, n - m->from)) {
                        m->open = false;
                        m->forward = m->container;
                } else {
                        intro_shorten(m, text, n);
                        m->owner = index;
                }
        }
        return false;
}

void
html_marker_open(
    struct html_marker *m, enum html_sign sign, int index, const char *text, size_t n)
{
        if (sign == SIGN_NONE || m->forward >= 0)
                return;
        if (sign == SIGN_FORWARD) {
                if (!m->open)
                        m->forward = index;
                return;
        }
        if (sign == SIGN_INTRO) {
                if (m->intro < 0 && !m->open) {
                        m->intro = index;
                        m->intro_from = m->intro_to = n;
                }
                return;
        }
        if (m->open && !mark_hand_over(m, sign, index, text, n))
                return;
        if (sign == SIGN_BLOCKQUOTE && m->container < 0)
                return;
        if (sign == SIGN_CONTAINER && m->container < 0)
                m->container = index;
        mark_begin(m, sign == SIGN_SIGNATURE ? TEXT_SIGNATURE : TEXT_QUOTE,
            sign == SIGN_REST || sign == SIGN_REST_IF ? -1 : index, text, n);
}

void
html_marker_closed(struct html_marker *m, int index, const char *text, size_t n)
{
        if (m->forward == index)
                m->forward = -1;
        if (m->intro == index) {
                m->intro = -1;
                m->intro_to = n;
        }
        if (m->open && m->owner == index) {
                if (index != m->container ||
                    begins_with_intro(text + m->from, n - m->from))
                        mark_add(m, text, n);
                m->open = false;
        }
        if (m->container == index)
                m->container = -1;
}

void
html_marker_end(struct html_marker *m, const char *text, size_t n, struct text_marks *out)
{
        if (m->open)
                mark_add(m, text, n);
        while (m->n > 0 && m->list[m->n - 1].from >= n)
                m->n--;
        if (m->n > 0 && m->list[m->n - 1].to > n)
                m->list[m->n - 1].to = n;
        *out = (struct text_marks){m->n > 0 ? m->list : NULL, m->n};
        if (m->n == 0)
                free(m->list);
        m->list = NULL;
}
