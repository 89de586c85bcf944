/*
 * Building changes: each function appends one step, an opcode and its arguments,
 * in the shape that queue/lua/10_ticket.lua reads. Nothing is decided here.
 */
#include "queue/change.h"

#include <inttypes.h>
#include <string.h>

#include "daemon/base/digest.h"
#include "daemon/base/json.h"

void
change_init(struct change *c, struct arena *a, const char *ticket, uint64_t version)
{
        *c = (struct change){
            .arena = a,
            .ticket = arena_strdup(a, ticket),
            .version = version,
            .bump = true,
            .new_message = "",
        };
}

static void
change_add(struct change *c, const char *s, size_t len)
{
        c->args = arena_grow(c->arena, c->args, c->n_args, sizeof(*c->args));
        c->args[c->n_args++] =
            (struct change_arg){.s = arena_strndup(c->arena, s, len), .len = len};
}

static void
change_adds(struct change *c, const char *s)
{
        s = s != NULL ? s : "";
        change_add(c, s, strlen(s));
}

static void
change_addn(struct change *c, int64_t n)
{
        change_adds(c, arena_printf(c->arena, "%" PRId64, n));
}

static void
change_op(struct change *c, const char *op)
{
        change_adds(c, op);
        c->n_steps++;
}

void
change_set(struct change *c, const char *field, const char *value)
{
        change_op(c, "S");
        change_adds(c, field);
        change_adds(c, value);
}

void
change_setn(struct change *c, const char *field, int64_t value)
{
        change_op(c, "S");
        change_adds(c, field);
        change_addn(c, value);
}

void
change_set_new(struct change *c, const char *field)
{
        change_op(c, "N");
        change_adds(c, field);
}

void
change_message(struct change *c, const char *tail, size_t len)
{
        change_op(c, "M");
        change_add(c, tail, len);
}

void
change_log(struct change *c, int64_t at_ms, const char *who, const char *event,
    const char *from, const char *to, const char *why)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct json_out o;

        jo_init(&o, &b);
        jo_open(&o, '{');
        jo_ktime(&o, "at", at_ms * 1000);
        jo_kstring(&o, "who", who);
        jo_kstring(&o, "event", event);
        if (from[0] != '\0')
                jo_kstring(&o, "from", from);
        if (to[0] != '\0')
                jo_kstring(&o, "to", to);
        if (why[0] != '\0')
                jo_kstring(&o, "why", why);
        jo_close(&o, '}');
        change_op(c, "L");
        change_add(c, b.data, b.len);
}

void
change_journal(struct change *c, const char *event, const char *agent, const char *line,
    const char *who, const char *why)
{
        change_op(c, "J");
        change_adds(c, event);
        change_adds(c, agent);
        change_adds(c, line);
        change_adds(c, who);
        change_adds(c, why);
}

void
change_count_tag(struct change *c, const char *tag, int64_t keep_ms, unsigned max)
{
        change_op(c, "G");
        change_adds(c, tag);
        change_addn(c, keep_ms);
        change_addn(c, max);
}

void
change_tell(struct change *c, const struct telling_new *t)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct json_out o;

        if (t->mail[0] != '\0') {
                jo_init(&o, &b);
                jo_open(&o, '[');
                jo_string(&o, t->mail);
                jo_close(&o, ']');
        }
        change_op(c, "T");
        change_adds(c, t->key);
        change_addn(c, t->once_ms);
        change_adds(c, t->event);
        change_adds(c, t->agent);
        change_adds(c, t->line);
        change_adds(c, t->who);
        change_adds(c, t->why);
        change_adds(c, buf_str(&b));
        change_adds(c, t->account);
        change_adds(c, t->language);
}

void
change_due(struct change *c, const char *kind, int64_t at_ms)
{
        change_op(c, "D");
        change_adds(c, kind);
        change_addn(c, at_ms);
}

void
change_enter_class(
    struct change *c, const char *class_id, const char *class_text, int64_t v_us)
{
        change_op(c, "C");
        change_adds(c, class_id);
        change_adds(c, class_text);
        change_addn(c, v_us);
}

void
change_calendar(struct change *c, const struct class *k)
{
        if (k->calendar_text == NULL || k->calendar_text[0] == '\0')
                return;
        change_op(c, "H");
        change_adds(c, k->calendar);
        change_adds(c, k->calendar_text);
}

void
change_wrap_up(struct change *c, const char *agent, int64_t until_ms)
{
        change_op(c, "F");
        change_adds(c, agent);
        change_addn(c, until_ms);
}

void
change_class(struct change *c, const char *class_id, const char *class_text)
{
        change_op(c, "C");
        change_adds(c, class_id);
        change_adds(c, class_text);
        change_adds(c, "");
}

void
change_enter_own(struct change *c, const char *agent, int64_t v_us, int64_t until_ms)
{
        change_op(c, "O");
        change_adds(c, agent);
        change_addn(c, v_us);
        change_addn(c, until_ms);
}

void
change_leave_queue(struct change *c)
{
        change_op(c, "Q");
}

void
change_unhold(struct change *c, const char *agent)
{
        change_op(c, "U");
        change_adds(c, agent);
}

void
change_skip(struct change *c, const char *agent, int64_t until_ms)
{
        change_op(c, "K");
        change_adds(c, agent);
        change_addn(c, until_ms);
}

void
change_customer(struct change *c, const char *key)
{
        change_op(c, "B");
        change_adds(c, key);
}

void
change_stand_in(struct change *c, const char *agent)
{
        change_op(c, "A");
        change_adds(c, agent);
}

void
change_open(struct change *c, bool open, const char *class_id)
{
        change_op(c, "P");
        change_adds(c, open ? "1" : "0");
        change_adds(c, class_id);
}

void
mid_hash(const char *message_id, char out[MID_HASH_LEN + 1])
{
        char hex[65];

        sha256_hex(message_id, strlen(message_id), hex);
        memcpy(out, hex, MID_HASH_LEN);
        out[MID_HASH_LEN] = '\0';
}

void
change_learn_mid(struct change *c, const char *message_id)
{
        char hash[MID_HASH_LEN + 1];

        if (message_id[0] == '\0')
                return;
        mid_hash(message_id, hash);
        change_op(c, "I");
        change_adds(c, hash);
}

void
change_asked(struct change *c, const char *who, const char *message, int64_t at_ms)
{
        change_op(c, "?");
        change_adds(c, who);
        change_adds(c, message);
        change_addn(c, at_ms);
}

void
change_ticket(struct change *c, const char *ticket, uint64_t version, bool bump)
{
        change_op(c, "+");
        change_adds(c, ticket);
        change_addn(c, (int64_t)version);
        change_adds(c, bump ? "1" : "0");
}

void
change_join(struct change *c, const struct change *other)
{
        change_ticket(c, other->ticket, other->version, other->bump);
        for (size_t i = 0; i < other->n_args; i++)
                change_add(c, other->args[i].s, other->args[i].len);
        c->n_steps += other->n_steps;
}

void
change_delivery(struct change *c, const char *message, const char *json)
{
        change_op(c, "V");
        change_adds(c, message);
        change_adds(c, json);
}

void
change_outbox_new(struct change *c, const struct outbox_new *n)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct json_out o;

        jo_init(&o, &b);
        jo_strings(&o, n->to, n->n_to);
        change_op(c, "X");
        change_adds(c, n->kind);
        change_adds(c, n->message);
        change_adds(c, n->account);
        change_adds(c, n->template);
        change_adds(c, n->language);
        change_add(c, b.data, b.len);
        change_addn(c, n->due_ms);
}

void
change_outbox_set(struct change *c, const char *entry, const char *const *pairs,
    size_t n_pairs, int64_t due_ms)
{
        change_op(c, "Y");
        change_adds(c, entry);
        change_addn(c, due_ms);
        change_addn(c, (int64_t)(2 * n_pairs));
        for (size_t i = 0; i < 2 * n_pairs; i++)
                change_adds(c, pairs[i]);
}

void
change_unsend(struct change *c, const char *message)
{
        change_op(c, "E");
        change_adds(c, message);
}

void
change_outbox_end(struct change *c, const char *entry)
{
        change_op(c, "Z");
        change_adds(c, entry);
}

void
change_outbox_dead(struct change *c, const char *entry, int64_t at_ms)
{
        change_op(c, "W");
        change_adds(c, entry);
        change_addn(c, at_ms);
}

/* What is kept at his address, behind the address: "refused" of the customer in a ticket's
 * document. */
static void
report_mark_format(const struct change_report *r, const char *words, struct buf *out)
{
        struct json_out o;

        jo_init(&o, out);
        jo_open(&o, '{');
        jo_ktime(&o, "at", r->at_ms * 1000);
        jo_kstring(&o, "status", r->status);
        jo_kbool(&o, "permanent", r->permanent);
        jo_kstring(&o, "reply", words);
        jo_close(&o, '}');
}

void
change_report(struct change *c, const struct change_report *r)
{
        struct buf mark AUTO_BUF = BUF_INIT, reply AUTO_BUF = BUF_INIT;
        const char *words = *r->reply != '\0' ? r->reply : r->status;
        struct json_out o;

        report_mark_format(r, words, &mark);
        jo_init(&o, &reply);
        jo_string(&o, words);
        change_op(c, "!");
        change_adds(c, r->ticket);
        change_adds(c, r->entry);
        change_adds(c, r->state);
        change_adds(c, strpbrk(r->address, "\"\\") == NULL ? r->address : "");
        change_adds(c, buf_str(&reply));
        change_adds(c, words);
        change_add(c, mark.data + 1, mark.len - 1);
}

void
change_heard(struct change *c, const char *address)
{
        change_op(c, "~");
        change_adds(c, address);
}

void
change_quarantine(struct change *c, const char *account, const char *why, const char *raw,
    int64_t at_ms)
{
        change_op(c, "R");
        change_adds(c, account);
        change_adds(c, why);
        change_adds(c, raw);
        change_addn(c, at_ms);
}
