/*
 * The ticket record: out of the store's hash; see ticket.h.
 *
 * One table names every field with its type and place, so a field is added in
 * one line. What the store holds is checked as if it came from outside: a hash
 * that cannot be a ticket is refused with the field named, and nothing of it is
 * used. The document is in ticket_document.c.
 */
#include "daemon/model/ticket.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/base/json.h"
#include "daemon/base/utf8.h"

#define LIST_JSON_MAX (1u << 20)
#define LIST_MAX 10000u
#define TIME_MAX_MS 253402300799000LL /* the last second of year 9999 */

static const char *const state_names[] = {
    "queued", "held", "waiting", "resolved", "closed", "merged"};
static const char *const priority_names[] = {"low", "normal", "high", "urgent"};

#define N_OF(array) (sizeof(array) / sizeof *(array))

static int
name_find(const char *const *names, size_t n, const char *s)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(names[i], s) == 0)
                        return (int)i;
        return -1;
}

const char *
ticket_state_name(enum ticket_state s)
{
        return state_names[s];
}

bool
ticket_state_parse(const char *s, enum ticket_state *out)
{
        int i = name_find(state_names, N_OF(state_names), s);

        if (i != -1)
                *out = (enum ticket_state)i;
        return i != -1;
}

const char *
priority_name(enum priority p)
{
        return priority_names[p];
}

bool
priority_parse(const char *s, enum priority *out)
{
        int i = name_find(priority_names, N_OF(priority_names), s);

        if (i != -1)
                *out = (enum priority)i;
        return i != -1;
}

enum field_type {
        FIELD_TEXT,
        FIELD_JSON, /* a JSON array, kept as text */
        FIELD_LIST, /* a JSON array of strings; its count stands behind it */
        FIELD_TIME, /* ms */
        FIELD_I64,
        FIELD_U64,
        FIELD_COUNT, /* unsigned */
        FIELD_BOOL,
        FIELD_STATE,
        FIELD_PRIORITY,
        FIELD_CLOCKS
};

struct field {
        const char *name;
        enum field_type type;
        size_t offset; /* in struct ticket */
        size_t n_offset; /* FIELD_LIST: of the count */
};

#define F(name, type, member)                                                            \
        {                                                                                \
                name, type, offsetof(struct ticket, member), 0                           \
        }
#define L(name, member, n)                                                               \
        {                                                                                \
                name, FIELD_LIST, offsetof(struct ticket, member),                       \
                    offsetof(struct ticket, n)                                           \
        }

static const struct field fields_table[] = {
    F("ver", FIELD_U64, version),
    F("state", FIELD_STATE, state),
    F("class", FIELD_TEXT, class_id),
    F("v", FIELD_I64, v_us),
    F("entered", FIELD_TIME, entered_ms),
    F("created", FIELD_TIME, created_ms),
    F("queued", FIELD_TIME, queued_ms),
    F("line", FIELD_TEXT, line),
    F("prio", FIELD_PRIORITY, priority),
    F("route", FIELD_TEXT, route),
    F("cust", FIELD_TEXT, customer_id),
    F("holder", FIELD_TEXT, holder),
    F("owner", FIELD_TEXT, owner),
    F("lease", FIELD_U64, lease),
    F("lease_until", FIELD_TIME, lease_until_ms),
    F("untaken", FIELD_TEXT, untaken),
    F("own", FIELD_BOOL, in_own),
    F("until", FIELD_TIME, until_ms),
    F("account", FIELD_TEXT, account),
    F("channel", FIELD_TEXT, channel),
    F("subject", FIELD_TEXT, subject),
    F("lang", FIELD_TEXT, language),
    L("tags", tags, n_tags),
    F("why", FIELD_JSON, why),
    F("weight", FIELD_COUNT, weight),
    F("given", FIELD_COUNT, given),
    F("back", FIELD_COUNT, given_back),
    F("expired", FIELD_COUNT, expired),
    F("nm", FIELD_COUNT, n_messages),
    F("last_in", FIELD_TEXT, last_in),
    F("seen", FIELD_TEXT, seen),
    F("keep", FIELD_TIME, keep_ms),
    L("handed", handed, n_handed),
    F("hand", FIELD_BOOL, by_hand),
    F("code", FIELD_TEXT, code),
    F("merged_into", FIELD_TEXT, merged_into),
    L("merged", merged, n_merged),
    F("mstate", FIELD_TEXT, merged_state),
    F("mclass", FIELD_TEXT, merged_class),
    L("moved", moved, n_moved),
    F("origin", FIELD_TEXT, origin),
    F("n_shown", FIELD_COUNT, n_shown),
    F("consults", FIELD_JSON, consults),
    F("approve", FIELD_TEXT, approve),
    F("approve_status", FIELD_TEXT, approve_status),
    L("approve_to", approve_to, n_approve_to),
    F("tutor", FIELD_TEXT, tutor),
    F("draft", FIELD_BOOL, has_draft),
    F("links", FIELD_JSON, links),
    F("resolved", FIELD_TIME, resolved_ms),
    F("machine", FIELD_BOOL, by_machine),
    F("ack", FIELD_BOOL, acknowledged),
    F("ackob", FIELD_TEXT, ack_entry),
    L("people", people, n_people),
    F("to_name", FIELD_TEXT, to_name),
    F("to_addr", FIELD_TEXT, to_addr),
    F("cc", FIELD_JSON, cc),
    F("last_mid", FIELD_TEXT, last_mid),
    F("refs", FIELD_JSON, refs),
    F("last_cmd", FIELD_TEXT, last_cmd),
    F("last_ans", FIELD_TEXT, last_ans),
    F("last_cmd_at", FIELD_TIME, last_cmd_ms),
    F("clocks", FIELD_CLOCKS, clocks),
};

static void *
member(struct ticket *t, size_t offset)
{
        return (char *)t + offset;
}

/* Strings are never NULL, lists never no JSON. */
static void
ticket_clear(struct ticket *t)
{
        memset(t, 0, sizeof *t);
        t->class_doc =
            (struct class){.text = "", .route = "", .channel = "", .calendar = ""};
        t->priority = PRIORITY_NORMAL;
        t->class_doc.route = t->class_doc.channel = t->class_doc.text = "";
        t->class_doc.calendar = "";
        t->customer.id = t->customer.name = "";
        clocks_parse("", NULL, &t->clocks, NULL);
        for (size_t i = 0; i < N_OF(fields_table); i++) {
                const struct field *f = &fields_table[i];

                if (f->type == FIELD_TEXT)
                        *(const char **)member(t, f->offset) = "";
                if (f->type == FIELD_JSON)
                        *(const char **)member(t, f->offset) = "[]";
        }
}

/* strtoll that takes the whole string and nothing around it. */
static bool
number_parse(const char *s, size_t n, int64_t min, int64_t max, int64_t *out)
{
        char *end;
        long long v;

        if (n == 0 || n > 20 || !(s[0] == '-' || (s[0] >= '0' && s[0] <= '9')))
                return false;
        v = strtoll(s, &end, 10);
        if (end != s + n || v < min || v > max || (v == INT64_MAX && max == INT64_MAX))
                return false;
        *out = v;
        return true;
}

static bool
field_set_number(struct ticket *t, const struct field *f, const char *s, size_t n)
{
        int64_t v = 0;

        switch (f->type) {
        case FIELD_TIME:
                if (n > 0 && !number_parse(s, n, 0, TIME_MAX_MS, &v))
                        return false;
                *(int64_t *)member(t, f->offset) = v;
                return true;
        case FIELD_I64:
                if (!number_parse(s, n, INT64_MIN + 1, INT64_MAX, &v))
                        return false;
                *(int64_t *)member(t, f->offset) = v;
                return true;
        case FIELD_U64:
                if (!number_parse(s, n, 0, INT64_MAX, &v))
                        return false;
                *(uint64_t *)member(t, f->offset) = (uint64_t)v;
                return true;
        case FIELD_COUNT:
                if (!number_parse(s, n, 0, UINT32_MAX, &v))
                        return false;
                *(unsigned *)member(t, f->offset) = (unsigned)v;
                return true;
        case FIELD_BOOL:
                *(bool *)member(t, f->offset) = n > 0 && s[0] != '0';
                return true;
        case FIELD_TEXT:
        case FIELD_JSON:
        case FIELD_LIST:
        case FIELD_STATE:
        case FIELD_PRIORITY:
        case FIELD_CLOCKS:
                break;
        }
        return false;
}

static bool
field_set_list(
    struct ticket *t, const struct field *f, const char *s, size_t n, struct arena *a)
{
        json_t *list = n == 0 ? json_array() : json_read(s, n, LIST_JSON_MAX, NULL);
        size_t count = json_array_size(list);
        const char **out = arena_alloc(a, (count + 1) * sizeof *out);
        bool good = json_is_array(list) && count <= LIST_MAX;

        for (size_t i = 0; good && i < count; i++) {
                out[i] = json_string_value(json_array_get(list, i));
                good = out[i] != NULL;
                if (good)
                        out[i] = arena_strdup(a, out[i]);
        }
        json_decref(list);
        *(const char ***)member(t, f->offset) = out;
        *(size_t *)member(t, f->n_offset) = good ? count : 0;
        return good;
}

static bool
field_set_json(
    struct ticket *t, const struct field *f, const char *s, size_t n, struct arena *a)
{
        json_t *list;
        bool good;

        if (n == 0)
                return true;
        list = json_read(s, n, LIST_JSON_MAX, NULL);
        good = json_is_array(list);
        json_decref(list);
        if (good)
                *(const char **)member(t, f->offset) = arena_strndup(a, s, n);
        return good;
}

static bool
field_set(
    struct ticket *t, const struct field *f, const char *s, size_t n, struct arena *a)
{
        switch (f->type) {
        case FIELD_TEXT:
                if (memchr(s, '\0', n) != NULL || !utf8_valid(s, n))
                        return false;
                *(const char **)member(t, f->offset) = arena_strndup(a, s, n);
                return true;
        case FIELD_JSON:
                return field_set_json(t, f, s, n, a);
        case FIELD_LIST:
                return field_set_list(t, f, s, n, a);
        case FIELD_STATE:
                return ticket_state_parse(arena_strndup(a, s, n), &t->state);
        case FIELD_CLOCKS:
                return clocks_parse(arena_strndup(a, s, n), a, &t->clocks, NULL) == 0;
        case FIELD_PRIORITY:
                return priority_parse(arena_strndup(a, s, n), &t->priority);
        case FIELD_TIME:
        case FIELD_I64:
        case FIELD_U64:
        case FIELD_COUNT:
        case FIELD_BOOL:
                return field_set_number(t, f, arena_strndup(a, s, n), n);
        }
        return false;
}

static const struct field *
field_find(const char *name, size_t n)
{
        for (size_t i = 0; i < N_OF(fields_table); i++)
                if (strlen(fields_table[i].name) == n &&
                    memcmp(fields_table[i].name, name, n) == 0)
                        return &fields_table[i];
        return NULL;
}

int
ticket_from_fields(const char *id, const char *const *fields, const size_t *lens,
    size_t n_pairs, struct arena *a, struct ticket *out, struct err *err)
{
        bool has_state = false;

        ticket_clear(out);
        out->id = arena_strdup(a, id);
        for (size_t i = 0; i < n_pairs; i++) {
                const char *value = fields[2 * i + 1];
                size_t len = lens[2 * i + 1];
                const struct field *f = field_find(fields[2 * i], lens[2 * i]);

                if (f == NULL)
                        continue; /* a newer helpline's, or the store's own */
                if (f->type == FIELD_STATE)
                        has_state = true;
                if (!field_set(out, f, value, len, a))
                        return err_set(err, ERR_REJECT,
                            "ticket %s: field '%s' cannot be '%.40s'; run helpline fsck",
                            id, f->name, arena_strndup(a, value, len));
        }
        if (!has_state)
                return err_set(
                    err, ERR_REJECT, "ticket %s: it has no state; run helpline fsck", id);
        return 0;
}
