/* A call as a message; see phone_message.h. */
#include "channels/phone_message.h"

#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/digest.h"
#include "daemon/base/utf8.h"
#include "daemon/base/zone.h"

#define ID_MAX 80 /* longer ids are hashed */
#define NAME_MAX_BYTES 200

enum word {
        W_MISSED,
        W_ANSWERED,
        W_OUT_ANSWERED,
        W_OUT_MISSED,
        W_FROM,
        W_TO,
        W_AT,
        W_RANG,
        W_TALKED,
        W_UNKNOWN,
        W_WORDS
};
static const char *const words[2][W_WORDS] = {
    {
        [W_MISSED] = "Missed call",
        [W_ANSWERED] = "Call",
        [W_OUT_ANSWERED] = "Our call to",
        [W_OUT_MISSED] = "Our call, not answered, to",
        [W_FROM] = "From",
        [W_TO] = "To",
        [W_AT] = "At",
        [W_RANG] = "Rang",
        [W_TALKED] = "Talked",
        [W_UNKNOWN] = "number withheld",
    },
    {
        [W_MISSED] = "Пропущенный звонок",
        [W_ANSWERED] = "Звонок",
        [W_OUT_ANSWERED] = "Наш звонок",
        [W_OUT_MISSED] = "Наш звонок без ответа",
        [W_FROM] = "От кого",
        [W_TO] = "Кому",
        [W_AT] = "Когда",
        [W_RANG] = "Ждали ответа",
        [W_TALKED] = "Разговор",
        [W_UNKNOWN] = "номер скрыт",
    },
};

static enum word
what_happened(const struct phone_call *c)
{
        if (c->direction == CALL_IN)
                return c->result == CALL_MISSED ? W_MISSED : W_ANSWERED;
        return c->result == CALL_MISSED ? W_OUT_MISSED : W_OUT_ANSWERED;
}

static void
text_line(struct buf *b, const char *name, const char *value)
{
        buf_addf(b, "%s: %s\n", name, value);
}

static void
call_text(const struct phone_call *c, const struct phone_words *w, const char *const *t,
    struct buf *b)
{
        const char *seconds = t == words[1] ? "с" : "s";
        char at[20];

        if (*w->note != '\0')
                buf_addf(b, "%s\n\n", w->note);
        buf_addf(b, "%s: ", t[W_FROM]);
        if (*c->name != '\0')
                buf_addf(b, "%s, ", c->name);
        buf_addf(b, "%s\n", *c->from != '\0' ? c->from : t[W_UNKNOWN]);
        if (*c->to != '\0')
                text_line(b, t[W_TO], c->to);
        if (c->started_at_us != 0) {
                zone_format(w->timezone, c->started_at_us, at);
                text_line(b, t[W_AT], at);
        }
        if (c->duration_s > 0)
                buf_addf(b, "%s: %lld %s\n",
                    t[c->result == CALL_MISSED ? W_RANG : W_TALKED],
                    (long long)c->duration_s, seconds);
}

static const char *
call_digest(struct arena *a, const char *id)
{
        char hex[65];
        size_t n = strlen(id);

        if (n == 0)
                return "";
        for (size_t i = 0; i < n; i++)
                if ((unsigned char)id[i] <= 0x20 || (unsigned char)id[i] >= 0x7f)
                        n = ID_MAX + 1;
        if (n <= ID_MAX)
                return arena_printf(a, "call-%s", id);
        sha256_hex(id, strlen(id), hex);
        return arena_printf(a, "call-%s", hex);
}

static struct phone_call *
call_copy(struct arena *a, const struct phone_call *c)
{
        struct phone_call *out = arena_alloc(a, sizeof *out);

        *out = *c;
        out->id = arena_strdup(a, c->id);
        out->from = arena_strdup(a, c->from);
        out->to = arena_strdup(a, c->to);
        out->name =
            arena_strndup(a, c->name, utf8_cut(c->name, strlen(c->name), NAME_MAX_BYTES));
        return out;
}

struct message *
phone_message(const struct phone_call *c, const struct phone_words *w)
{
        struct message *m = message_new();
        const char *const *t = words[strcmp(w->language, "ru") == 0];
        struct buf text AUTO_BUF = BUF_INIT;
        const char *number = c->direction == CALL_IN ? c->from : c->to;

        m->call = call_copy(m->arena, c);
        call_text(m->call, w, t, &text);
        m->kind = MESSAGE_CALL;
        m->text = arena_strdup(m->arena, buf_str(&text));
        m->subject = arena_printf(m->arena, "%s %s", t[what_happened(c)],
            *number != '\0' ? number : t[W_UNKNOWN]);
        m->language = arena_strdup(m->arena, w->language);
        m->from.name = c->direction == CALL_IN ? m->call->name : "";
        m->phone = phone_is_e164(number) ? arena_strdup(m->arena, number) : "";
        m->sent_at_us = c->started_at_us;
        m->digest = call_digest(m->arena, c->id);
        return m;
}
