/*
 * Charsets by letter frequency; see helper_mime_guess.h.
 *
 * All Cyrillic charsets turn Russian into letters, so only their order tells them
 * apart: a table of letter pairs, made from some five million letters of Russian,
 * Ukrainian, Bulgarian and Belarusian. KOI8-R read as windows-1251 also swaps the
 * cases, which "aB" in a word betrays. Latin languages are told by which accented
 * letters they use, Chinese, Japanese and Korean by the rows their characters lie in.
 *
 * Costs are half bits: 2 * -log2 of a probability.
 */
#include "channels/helper_mime_guess.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "channels/helper_mime_text.h"
#include "daemon/base/utf8.h"

#define MAX_LOOK 4000 /* bytes looked at */
#define HINT_BONUS 16 /* so much dearer may another charset's rival be */
#define GARBAGE 17 /* half bits a byte beyond ASCII that no text has on the average */
#define GARBAGE_LATIN 13
#define COST_BAD 40 /* a byte that is no character, a C1 control */
#define COST_FOREIGN 24 /* a letter the language has not */
#define COST_SYMBOL 22 /* a sign that texts seldom hold */
#define COST_TYPO 10 /* quotation marks, dashes, no-break space ... */
#define COST_INSIDE 8 /* a sign between two letters */
#define COST_MIXED 14 /* letters of two scripts in one word */
#define COST_CASE 14 /* a capital after a small letter */

/* Russian and its neighbours: row the letter before, column the letter, 0 is none, then
 * a to ya (yo is ye), i, yi, ye and short u. A digit is -log2 of how often it follows. */
static const char *const pairs[] = {
    "0554646654B4653435355678589FDF7A78D9B",
    "2A6565565955453B64548976676FFFD65CB89",
    "5396B93BA4D53853C46B3C78BC66399A56DDD",
    "33B8563983E6585386575E8BA8B847CD75EEE",
    "4398843CC4C84852C3994BAC8BDBCB99C6DDD",
    "4296A73684E6484375674C9899E8679A76EDE",
    "297465566865443773449A87777FFFEA9DEDC",
    "5479B31AC3C77936BA8B5CCC5BCB888BB8CCC",
    "4264746AB5D7643466885C8B98DA57CA67DDD",
    "27657648564554486544C766678FFFD75FEEF",
    "1B98A68DABC73757A944CBB998CDCDDC9CCDD",
    "32B7CB5AB3EA5B72B4554DB6D988DBABD6EEE",
    "438A893793E67A63BE795CCD8DDA73C445EDE",
    "2376BB2DC4E777536A7B4ACCACDA5AAB55EEE",
    "43AA763C93F7BD43EA6568B89A7C46C856FCF",
    "3B434465575544585444A988669FFFA88C9DA",
    "63DBDE3ED4E75D8282884DB7ABD878CB85EEE",
    "42967736A3E7965398664979A7C9588966FEF",
    "4596B84AD4F4466447625B8879E775BA47FEF",
    "33B5C93EC3F68953A4595BBB9DC9639A87FFF",
    "266454546975545A5544B879566DEE959CA7D",
    "51BB9B4BB3BA5993B49647BBBBBB99AAA4BBB",
    "14B6BA5CC5CB7862B5875BBBBBCBBA9BB5CCC",
    "43B6AA3C82C6ACB69C996CB6B9CA548763CCC",
    "63B8DC29C2D59C37C9A35DBBB6DC777DD7DDD",
    "53B7BC2CC2C45945968657BA7BCB749BB7CCC",
    "74BBBB1BB2BBBB74BABB6BBBBBBBB6BBBABBB",
    "9A8484364A9544655253AA88795AAAA95AAAA",
    "2C64874A7B36547D6654B94866ADDDDB7ADD9",
    "1D89886D49B4B736AD46DAC8A5CDDDD66DBAD",
    "597766A87A6435496551A78876AAAAAA9AAA9",
    "2A3684A88A88977B9663CBA8394CCCA8BBB7C",
    "1C8585586B85765B9774BC78897DDDC78DDA9",
    "266363976C54454785459987668CCCC75A57A",
    "1887878878876758867688688888888888688",
    "1997859999947469967399989999999699699",
    "2773748668844838664488877788888888888",
};

enum script { CYRILLIC, LATIN, OTHER };

/* A single-byte charset as a language uses it. */
struct candidate {
        const char *charset;
        enum script script;
        unsigned prior; /* how unlikely before a letter was seen */
        const char *common; /* letters, small; not for Cyrillic */
        const char *rare;
};

/* few are common: Hebrew would pass for Greek without accents else */
#define GREEK_COMMON "αοιετσνς"
#define GREEK_RARE "ηυρπκμλωόίάέήύώδγχθφβξζψϊϋΐΰ"
#define HEBREW_COMMON "יוהלאמרתבשנ"
#define HEBREW_RARE "דחקעםפטכןגזסצץךף"
#define ARABIC_COMMON "اليمنتروبةدعسفهكقحجش"
#define ARABIC_RARE "صطخأإذىضظغثزءئؤآـ،؟"
#define THAI_COMMON "านรอกเงมยลวดทสตะปบคหแจพชข"
#define THAI_RARE "ใไโผถณซธฟฉภศษญฐฎฏฑฒฌฆฝฮฬฤๆฯำ"
#define WEST "éèàüäöáíóúñçãõåøßæìòùêâôîûëï"

static const struct candidate candidates[] = {
    {"CP1251", CYRILLIC, 0, "", ""},
    {"KOI8-R", CYRILLIC, 3, "", ""},
    {"KOI8-U", CYRILLIC, 6, "", ""},
    {"ISO-8859-5", CYRILLIC, 10, "", ""},
    {"CP866", CYRILLIC, 8, "", ""},
    {"MAC-CYRILLIC", CYRILLIC, 9, "", ""},
    {"CP1252", LATIN, 2, "éèàêç", "ùâîôûëïœæüÿ"},
    {"CP1252", LATIN, 2, "üäöß", "éàèñç"},
    {"CP1252", LATIN, 3, "óáíéñ", "úü¿¡ªºç"},
    {"CP1252", LATIN, 4, "ãçáéõ", "íóêúâàôü"},
    {"CP1252", LATIN, 4, "èàùòì", "éîó"},
    {"CP1252", LATIN, 4, "åäöøæ", "éüàá"},
    {"CP1252", LATIN, 10, "éëïáíóúýþæðö", "èüêâàñçß"},
    {"CP1250", LATIN, 8, "łóżęą", "śćńź"},
    {"CP1250", LATIN, 8, "áíéěřčšž", "ýůúťďňóľôä"},
    {"CP1250", LATIN, 10, "áéöőó", "üíúű"},
    {"CP1250", LATIN, 12, "ăîâşţ", "éá"},
    {"CP1250", LATIN, 12, "čšž", "ćđ"},
    {"ISO-8859-2", LATIN, 9, "łóżęą", "śćńź"},
    {"ISO-8859-2", LATIN, 9, "áíéěřčšž", "ýůúťďňóľôä"},
    {"ISO-8859-2", LATIN, 11, "áéöőó", "üíúű"},
    {"CP1254", LATIN, 8, "ışğüçöi", "âî"},
    {"CP1257", LATIN, 14, "ėšųžįčūęą", "óé"},
    {"CP1257", LATIN, 14, "āīēšūņ", "ļķģžčõäöü"},
    {"CP850", LATIN, 16, "éèàüäöñóçã", WEST},
    {"CP852", LATIN, 18, "łóżęąáíéěřčšž", "śćńźýůúťďňöőüű"},
    {"MACINTOSH", LATIN, 16, "éèàüäöñóçã", WEST},
    {"CP1253", OTHER, 30, GREEK_COMMON, GREEK_RARE},
    {"ISO-8859-7", OTHER, 32, GREEK_COMMON, GREEK_RARE},
    {"CP1255", OTHER, 30, HEBREW_COMMON, HEBREW_RARE},
    {"CP1256", OTHER, 34, ARABIC_COMMON, ARABIC_RARE},
    {"ISO-8859-6", OTHER, 36, ARABIC_COMMON, ARABIC_RARE},
    {"CP874", OTHER, 40, THAI_COMMON, THAI_RARE},
};

#define N_CANDIDATES (sizeof(candidates) / sizeof(candidates[0]))

enum sort { BAD, SYMBOL, TYPO, FOREIGN, LETTER };

struct symbol {
        uint8_t sort;
        uint8_t cost;
        uint8_t letter; /* its row of pairs */
        bool upper;
};

static struct symbol symbols[N_CANDIDATES][128];
static uint16_t points[N_CANDIDATES][128];
static bool made[N_CANDIDATES];

static bool
holds(const char *letters, uint32_t cp)
{
        for (size_t n = strlen(letters), used; n > 0; letters += used, n -= used)
                if (utf8_next(letters, n, &used) == cp)
                        return true;
        return false;
}

/* The row of a small Cyrillic letter, 0 when it has none. */
static unsigned
row_of(uint32_t cp)
{
        if (cp >= 0x430 && cp <= 0x44f)
                return cp - 0x430 + 1;
        return cp == 0x456   ? 33
               : cp == 0x457 ? 34
               : cp == 0x454 ? 35
               : cp == 0x45e ? 36
               : cp == 0x491 ? 4
                             : 0;
}

static bool
is_alphabetic(uint32_t cp)
{
        return cp == 0xaa || cp == 0xb5 || cp == 0xba ||
               (cp >= 0xc0 && cp != 0xd7 && cp != 0xf7 && cp < 0x2000 &&
                   !(cp >= 0x2b0 && cp < 0x370));
}

static struct symbol
symbol_of(const struct candidate *c, uint32_t cp)
{
        uint32_t folded = utf8_fold_char(cp);
        struct symbol s = {.upper = folded != cp && cp != 0x451};

        if (cp < 0xa0)
                return (struct symbol){.sort = BAD, .cost = COST_BAD};
        s.letter = (uint8_t)row_of(folded);
        if (c->script == CYRILLIC ? s.letter != 0 : holds(c->common, folded))
                s.sort = LETTER, s.cost = c->script == LATIN ? 5 : 8;
        else if (c->script != CYRILLIC && holds(c->rare, folded))
                s.sort = LETTER, s.cost = c->script == LATIN ? 10 : 13;
        else if (is_alphabetic(cp))
                s.sort = FOREIGN, s.cost = COST_FOREIGN;
        else if (holds("«»–—…„“”’‘№° €§©®•·™", cp) || cp == 0xa0)
                s.sort = TYPO, s.cost = COST_TYPO;
        else
                s.sort = SYMBOL,
                s.cost = cp >= 0x2500 && cp < 0x25a0 ? COST_BAD : COST_SYMBOL;
        return s;
}

/* A candidate's table is made when it is first asked for. */
static const struct symbol *
table_of(size_t i)
{
        if (made[i])
                return symbols[i];
        for (unsigned b = 0; b < 128; b++) {
                unsigned cp =
                    mime_text_code_point(candidates[i].charset, (unsigned char)(b + 128));

                points[i][b] = (uint16_t)cp;
                symbols[i][b] = symbol_of(&candidates[i], cp);
        }
        made[i] = true;
        return symbols[i];
}

const uint16_t *
mime_guess_points(const char *charset)
{
        for (size_t i = 0; i < N_CANDIDATES; i++)
                if (strcmp(charset, candidates[i].charset) == 0) {
                        table_of(i);
                        return points[i];
                }
        return NULL;
}

static bool
is_ascii_letter(unsigned char c)
{
        return (c | 32) >= 'a' && (c | 32) <= 'z';
}

static unsigned
pair_cost(unsigned before, unsigned letter)
{
        char c = pairs[before][letter];

        return 2 * (unsigned)(c <= '9' ? c - '0' : c - 'A' + 10);
}

/* Of the end of a word: what is told of it by pairs must weigh elsewhere too. */
static unsigned
end_cost(const struct candidate *c, unsigned before)
{
        return c->script == CYRILLIC ? pair_cost(before, 0) : c->script == OTHER ? 5 : 0;
}

/* Where the reader of a text is. */
struct reader {
        unsigned before; /* the row of the letter before, 0: none */
        bool high; /* the byte before was a letter beyond ASCII */
        bool ascii; /* ... an ASCII letter */
        bool small; /* ... a small letter */
        bool capitals; /* ... the second capital in a row */
        unsigned cost;
};

static void
read_ascii(struct reader *r, const struct candidate *c, unsigned char b)
{
        bool letter = is_ascii_letter(b);

        if (r->high)
                r->cost += end_cost(c, r->before);
        if (r->high && letter && c->script != LATIN)
                r->cost += COST_MIXED;
        if (r->high && letter && b < 'a' && r->small)
                r->cost += COST_CASE;
        *r = (struct reader){
            .ascii = letter, .small = letter && b >= 'a', .cost = r->cost};
}

static void
read_letter(struct reader *r, const struct candidate *c, const struct symbol *s,
    bool before_ascii)
{
        if (c->script == CYRILLIC && s->sort == LETTER)
                r->cost += pair_cost(r->before, s->letter);
        else
                r->cost += s->cost;
        if (c->script == LATIN && r->high)
                r->cost += 6;
        else if (c->script == LATIN && !r->ascii && !before_ascii)
                r->cost += 10;
        else if (c->script != LATIN && r->ascii)
                r->cost += COST_MIXED;
        if (s->upper && r->small)
                r->cost += COST_CASE;
        else if (s->upper)
                r->cost += 1;
        else if (r->capitals && r->high)
                r->cost += 8;
        r->capitals = s->upper && (r->high || r->ascii) && !r->small;
        r->before = s->sort == LETTER ? s->letter : 0;
        r->high = true;
        r->ascii = false;
        r->small = !s->upper;
}

static void
read_sign(
    struct reader *r, const struct candidate *c, const struct symbol *s, bool inside)
{
        if (r->high)
                r->cost += end_cost(c, r->before);
        r->cost += s->cost + (inside && (r->high || r->ascii) ? COST_INSIDE : 0);
        *r = (struct reader){.cost = r->cost};
}

static unsigned
cost_single(size_t i, const unsigned char *s, size_t n)
{
        const struct candidate *c = &candidates[i];
        const struct symbol *table = table_of(i);
        struct reader r = {.cost = 0};

        for (size_t at = 0; at < n; at++) {
                bool ascii_next = at + 1 < n && is_ascii_letter(s[at + 1]);
                const struct symbol *y;

                if (s[at] < 128) {
                        read_ascii(&r, c, s[at]);
                        continue;
                }
                y = &table[s[at] - 128];
                if (y->sort >= FOREIGN)
                        read_letter(&r, c, y, ascii_next);
                else
                        read_sign(&r, c, y,
                            ascii_next || (at + 1 < n && s[at + 1] >= 128 &&
                                              table[s[at + 1] - 128].sort >= FOREIGN));
        }
        if (r.high)
                r.cost += end_cost(c, r.before);
        return r.cost;
}

/* ---- Chinese, Japanese, Korean ---- */

/* The cost of the character that begins at s, and in *used its bytes. */
typedef unsigned (*wide_fn)(const unsigned char *s, size_t n, size_t *used);

/* n is what is left: a character cut at the end of a text is none that is bad. */
static unsigned
wide_bad(size_t n, size_t *used)
{
        *used = 1;
        return n < 2 ? 10 : COST_BAD + 20;
}

static unsigned
wide_gb(const unsigned char *s, size_t n, size_t *used)
{
        *used = 2;
        if (n < 2 || s[0] < 0x81 || s[0] > 0xfe)
                return wide_bad(n, used);
        if (n >= 4 && s[1] >= '0' && s[1] <= '9' && s[2] >= 0x81 && s[3] >= '0' &&
            s[3] <= '9') {
                *used = 4;
                return 26;
        }
        if (s[1] < 0x40 || s[1] == 0x7f || s[1] == 0xff)
                return wide_bad(n, used);
        if (s[1] >= 0xa1 && s[0] >= 0xb0)
                return s[0] <= 0xd7 ? 20 : 29;
        return s[1] >= 0xa1 && s[0] >= 0xa1 && s[0] <= 0xa3 ? 15 : 34;
}

static unsigned
wide_big5(const unsigned char *s, size_t n, size_t *used)
{
        *used = 2;
        if (n < 2 || s[0] < 0xa1 || s[0] > 0xf9 || s[1] < 0x40 ||
            (s[1] > 0x7e && s[1] < 0xa1) || s[1] == 0xff)
                return wide_bad(n, used);
        return s[0] <= 0xa3 ? 15 : s[0] <= 0xc6 ? 20 : 29;
}

static unsigned
wide_korean(const unsigned char *s, size_t n, size_t *used)
{
        *used = 2;
        if (n < 2 || s[0] < 0x81 || s[0] > 0xfd || s[1] < 0x41 || s[1] == 0xff)
                return wide_bad(n, used);
        if (s[1] >= 0xa1 && s[0] >= 0xb0 && s[0] <= 0xc8)
                return 18;
        return s[0] >= 0xa1 && s[0] <= 0xa3 && s[1] >= 0xa1 ? 16 : 32;
}

static unsigned
wide_euc_jp(const unsigned char *s, size_t n, size_t *used)
{
        *used = 2;
        if (n >= 3 && s[0] == 0x8f && s[1] >= 0xa1 && s[2] >= 0xa1) {
                *used = 3;
                return 40;
        }
        if (n >= 2 && s[0] == 0x8e && s[1] >= 0xa1 && s[1] <= 0xdf)
                return 24;
        if (n < 2 || s[0] < 0xa1 || s[0] > 0xfc || s[1] < 0xa1 || s[1] == 0xff)
                return wide_bad(n, used);
        if (s[0] <= 0xa5)
                return s[0] == 0xa4 ? 12 : 15;
        return s[0] >= 0xb0 && s[0] <= 0xcf ? 21 : 32;
}

static unsigned
wide_sjis(const unsigned char *s, size_t n, size_t *used)
{
        *used = 1;
        if (s[0] >= 0xa1 && s[0] <= 0xdf)
                return 18;
        *used = 2;
        if (n < 2 || s[0] < 0x81 || s[0] == 0xa0 || s[0] > 0xfc || s[1] < 0x40 ||
            s[1] == 0x7f || s[1] > 0xfc)
                return wide_bad(n, used);
        if (s[0] <= 0x83)
                return s[0] == 0x82 && s[1] >= 0x9f ? 12 : 15;
        return s[0] >= 0x88 && s[0] <= 0x97 ? 21 : 32;
}

static const struct {
        const char *charset;
        wide_fn cost;
        unsigned prior;
} wides[] = {
    {"GB18030", wide_gb, 40},
    {"BIG5-HKSCS", wide_big5, 42},
    {"CP932", wide_sjis, 40},
    {"EUC-JP-MS", wide_euc_jp, 40},
    {"UHC", wide_korean, 42},
};

#define N_WIDES (sizeof(wides) / sizeof(wides[0]))

static unsigned
cost_wide(wide_fn fn, const unsigned char *s, size_t n)
{
        unsigned cost = 0;

        for (size_t i = 0, used; i < n; i += used) {
                used = 1;
                if (s[i] >= 128)
                        cost += fn(s + i, n - i, &used);
        }
        return cost;
}

/* ---- the choice ---- */

/* The stretch worth looking at: from shortly before the first byte beyond ASCII. */
static unsigned
stretch(const unsigned char **s, size_t *n)
{
        unsigned n_high = 0;
        size_t from = 0;

        while (from < *n && (*s)[from] < 128)
                from++;
        from = from > 0 ? from - 1 : 0;
        *s += from;
        *n -= from;
        if (*n > MAX_LOOK)
                *n = MAX_LOOK;
        for (size_t i = 0; i < *n; i++)
                n_high += (*s)[i] >= 128;
        return n_high;
}

static void
offer(struct guess *g, unsigned *best, const char *charset, unsigned cost, unsigned prior,
    const char *hint, const char *declared)
{
        unsigned with_prior = cost + prior + HINT_BONUS;

        if (strcmp(charset, declared) == 0 && cost < g->declared)
                g->declared = cost;
        if (strcmp(charset, hint) == 0)
                with_prior = cost;
        if (with_prior >= *best)
                return;
        *best = with_prior;
        g->charset = charset;
        g->cost = cost;
}

static bool
is_wide(const char *charset)
{
        for (size_t i = 0; i < N_WIDES; i++)
                if (strcmp(charset, wides[i].charset) == 0)
                        return true;
        return false;
}

/* What the bytes cost in that charset under its best language; UINT_MAX: no model. */
static unsigned
cost_of(const char *charset, const unsigned char *p, size_t n)
{
        unsigned best = UINT_MAX;

        for (size_t i = 0; i < N_CANDIDATES; i++)
                if (strcmp(charset, candidates[i].charset) == 0) {
                        unsigned cost = cost_single(i, p, n);

                        best = cost < best ? cost : best;
                }
        for (size_t i = 0; i < N_WIDES; i++)
                if (strcmp(charset, wides[i].charset) == 0)
                        best = cost_wide(wides[i].cost, p, n);
        return best;
}

/* So many letters in so good an order are Cyrillic: no need to ask further. */
static bool
is_clear(const struct guess *g)
{
        return g->n_high > 30 && g->cost > 0 && g->cost < g->n_high * 10;
}

void
mime_guess(
    const char *s, size_t n, const char *hint, const char *declared, struct guess *g)
{
        const unsigned char *p = (const unsigned char *)s;
        unsigned best = UINT_MAX;
        unsigned per_byte;

        *g = (struct guess){.charset = "CP1252", .declared = UINT_MAX};
        g->n_high = stretch(&p, &n);
        for (size_t i = 0; i < N_CANDIDATES; i++) {
                if (candidates[i].script != CYRILLIC && is_clear(g))
                        break;
                offer(g, &best, candidates[i].charset, cost_single(i, p, n),
                    candidates[i].prior, hint, declared);
        }
        for (size_t i = 0; i < N_WIDES && !is_clear(g); i++)
                offer(g, &best, wides[i].charset, cost_wide(wides[i].cost, p, n),
                    wides[i].prior, hint, declared);
        if (g->declared == UINT_MAX)
                g->declared = cost_of(declared, p, n);
        per_byte = GARBAGE;
        for (size_t i = 0; i < N_CANDIDATES; i++)
                if (candidates[i].script == LATIN && g->charset == candidates[i].charset)
                        per_byte = GARBAGE_LATIN;
        g->garbage = g->n_high > 3 && g->cost > g->n_high * per_byte;
}

bool
mime_guess_fits(const char *s, size_t n, const char *charset)
{
        const unsigned char *p = (const unsigned char *)s;
        unsigned n_high = stretch(&p, &n);
        unsigned cost = cost_of(charset, p, n);

        if (is_wide(charset) &&
            (cost_of("CP1251", p, n) < cost || cost_of("KOI8-R", p, n) < cost))
                return false;
        return cost == UINT_MAX || cost <= n_high * (is_wide(charset) ? 12 : 11);
}
