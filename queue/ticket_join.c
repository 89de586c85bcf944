/*
 * The law of tickets made of tickets: MERGE, UNMERGE, LINK, SPLIT.
 *
 * Messages never move: a merged ticket keeps its own, and who reads the other one reads
 * them too; a message that was split off stays in the list it was born in, and the ticket
 * made of it begins with it by name (`origin`). So ids stay, and nothing is copied that a
 * crash could tear. Each command changes two tickets in one commit.
 */
#include "queue/ticket_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/json.h"

enum { PEOPLE_MAX = 100, LINKS_MAX = 100, MOVED_MAX = 100 };

/* ---- who may ---- */

/* Its holder; of what waits for its customer the owner; of all else everybody. */
static int
join_allowed(const struct law *l, struct err *err)
{
        const struct ticket *t = l->t;

        if (l->e->is_admin || t->state == TICKET_QUEUED || t->state == TICKET_RESOLVED ||
            t->state == TICKET_CLOSED)
                return 0;
        if (t->state == TICKET_HELD)
                return law_holds(l, err);
        if (t->owner[0] == '\0' || strcmp(t->owner, l->e->agent) == 0)
                return 0;
        return err_code(err, ERR_STATE, "NOPERM",
            "ticket %s is %s's, who waits for the customer", t->id, t->owner);
}

/* ---- lists ---- */

static bool
list_contains(const char *const *list, size_t n, const char *s)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(list[i], s) == 0)
                        return true;
        return false;
}

/* The list with `add` (NULL nothing) and without `less` (NULL all stay). */
static void
set_list(const struct law *l, const char *field, const char *const *list, size_t n,
    const char *add, const char *less)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct json_out o;

        jo_init(&o, &b);
        jo_open(&o, '[');
        for (size_t i = 0; i < n; i++)
                if (less == NULL || strcmp(list[i], less) != 0)
                        jo_string(&o, list[i]);
        if (add != NULL && !list_contains(list, n, add))
                jo_string(&o, add);
        jo_close(&o, ']');
        change_set(l->c, field, buf_str(&b));
}

static void
set_link(const struct law *l, const char *ticket)
{
        json_t *links = json_read(l->t->links, strlen(l->t->links), 1 << 20, NULL);
        size_t n = json_array_size(links);
        const char **list = arena_alloc(l->a, (n + 1) * sizeof *list);

        for (size_t i = 0; i < n; i++) {
                const char *s = json_string_value(json_array_get(links, i));

                list[i] = arena_strdup(l->a, s != NULL ? s : "");
        }
        json_decref(links);
        if (n < LINKS_MAX && !list_contains(list, n, ticket))
                set_list(l, "links", list, n, ticket, NULL);
}

/* Who takes part in the one takes part in the other. */
static void
set_people(const struct law *l, const struct ticket *other)
{
        const char **all =
            arena_alloc(l->a, (l->t->n_people + other->n_people + 1) * sizeof *all);
        size_t n = 0;

        for (size_t i = 0; i < l->t->n_people + other->n_people && n < PEOPLE_MAX; i++) {
                const char *s = i < l->t->n_people ? l->t->people[i]
                                                   : other->people[i - l->t->n_people];

                if (!list_contains(all, n, s))
                        all[n++] = s;
        }
        set_list(l, "people", all, n, NULL, NULL);
}

/* ---- MERGE ---- */

static int
join_merge(const struct law *l, struct err *err)
{
        const struct ticket *t = l->t, *into = l->e->other;

        if (strcmp(t->id, into->id) == 0)
                return err_code(err, ERR_REJECT, "BADARG",
                    "INTO: expected another ticket than %s itself", t->id);
        if (into->state == TICKET_MERGED)
                return err_code(err, ERR_STATE, "STATE",
                    "ticket %s is itself merged into %s: MERGE %s INTO %s", into->id,
                    into->merged_into, t->id, into->merged_into);
        if (join_allowed(l, err) == -1)
                return -1;
        change_set(l->c, "mstate",
            ticket_state_name(t->state == TICKET_HELD ? TICKET_QUEUED : t->state));
        change_set(l->c, "mclass", t->class_doc.text);
        if (t->state == TICKET_QUEUED)
                change_leave_queue(l->c);
        law_unhold(l);
        change_due(l->c, "wait", 0);
        change_due(l->c, "close", 0);
        law_set_state(l, TICKET_MERGED);
        change_set(l->c, "merged_into", into->id);
        change_set(l->c, "consults", "[]");
        change_open(l->c, false, t->class_id);
        law_log(l, "merged", "", into->id);
        law_journal(l, "changed", arena_printf(l->a, "merged into ticket %s", into->id));
        return 0;
}

/* The other side: what asked for an answer there asks for it here. */
static int
join_absorb(const struct law *l, struct err *err)
{
        const struct ticket *t = l->t, *from = l->e->other;
        const char *why = arena_printf(l->a, "ticket %s was merged into it", from->id);

        (void)err;
        set_list(l, "merged", t->merged, t->n_merged, from->id, NULL);
        set_people(l, from);
        law_consults_join(l, from->consults);
        law_log(l, "merged", from->id, "");
        change_journal(l->c, "changed", t->holder[0] != '\0' ? t->holder : t->owner,
            t->line, l->e->who, why);
        if (t->state == TICKET_WAITING &&
            (from->state == TICKET_QUEUED || from->state == TICKET_HELD)) {
                law_queue_anew(l);
                law_journal(l, "queued", why);
        } else if (t->state == TICKET_HELD && strcmp(t->holder, l->e->agent) == 0) {
                law_renew(l);
        }
        return 0;
}

/* ---- UNMERGE ---- */

static void
unmerge_queue(const struct law *l)
{
        const struct ticket *t = l->t;

        law_set_state(l, TICKET_QUEUED);
        change_setn(l->c, "queued", l->e->now_ms);
        change_enter_class(l->c, t->class_id, t->merged_class, t->v_us);
        law_journal(l, "queued", "no longer merged");
}

static int
join_unmerge(const struct law *l, struct err *err)
{
        const struct ticket *t = l->t;
        enum ticket_state was = TICKET_QUEUED;

        if (strcmp(t->merged_into, l->e->other->id) != 0)
                return err_code(err, ERR_RETRY, "TRYAGAIN",
                    "ticket %s was merged elsewhere meanwhile", t->id);
        ticket_state_parse(t->merged_state, &was);
        change_set(l->c, "merged_into", "");
        change_set(l->c, "mstate", "");
        change_set(l->c, "mclass", "");
        law_consults_set(l, l->e->other->consults, t->id, true);
        change_class(l->c, t->class_id, t->merged_class);
        change_open(l->c, true, t->class_id);
        law_log(l, "unmerged", l->e->other->id, "");
        if (was == TICKET_WAITING) {
                law_set_state(l, TICKET_WAITING);
                change_due(l->c, "wait", t->until_ms);
        } else if (was == TICKET_RESOLVED) {
                law_set_state(l, TICKET_RESOLVED);
                change_due(l->c, "close", t->resolved_ms + l->e->reopen_ms);
        } else {
                unmerge_queue(l);
                return 0;
        }
        law_journal(l, "changed", "no longer merged");
        return 0;
}

static int
join_release(const struct law *l, struct err *err)
{
        const struct ticket *t = l->t, *from = l->e->other;

        (void)err;
        set_list(l, "merged", t->merged, t->n_merged, NULL, from->id);
        law_consults_set(l, t->consults, from->id, false);
        law_log(l, "unmerged", from->id, "");
        change_journal(l->c, "changed", t->holder[0] != '\0' ? t->holder : t->owner,
            t->line, l->e->who,
            arena_printf(l->a, "ticket %s is no longer merged into it", from->id));
        return 0;
}

/* ---- LINK ---- */

static int
join_link(const struct law *l, struct err *err)
{
        if (strcmp(l->t->id, l->e->other->id) == 0)
                return err_code(err, ERR_REJECT, "BADARG",
                    "LINK: expected two tickets, got %s twice", l->t->id);
        set_link(l, l->e->other->id);
        law_log(l, "linked", "", l->e->other->id);
        law_journal(
            l, "changed", arena_printf(l->a, "linked with ticket %s", l->e->other->id));
        return 0;
}

/* ---- SPLIT ---- */

/* The ticket it went to, NULL: it is here. */
static const char *
moved_to(const struct law *l, long number)
{
        for (size_t i = 0; i < l->t->n_moved; i++) {
                char *colon;

                if (strtol(l->t->moved[i], &colon, 10) == number && *colon == ':')
                        return colon + 1;
        }
        return NULL;
}

static int
split_allowed(const struct law *l, long number, struct err *err)
{
        const struct ticket *t = l->t;
        const char *to = number < 0 ? NULL : moved_to(l, number);

        if (number < 0)
                return err_code(err, ERR_REJECT, "BADARG",
                    "message: expected one of ticket %s itself, such as %s.1", t->id,
                    t->id);
        if (to != NULL)
                return err_code(err, ERR_STATE, "STATE",
                    "%s was split off already: it is on ticket %s", l->e->target, to);
        if (l->e->message->direction != MESSAGE_IN)
                return err_code(err, ERR_REJECT, "BADARG",
                    "message: expected one of the customer's, %s is ours", l->e->target);
        if (t->n_messages - t->n_moved < 2)
                return err_code(err, ERR_STATE, "STATE",
                    "%s is all there is on ticket %s", l->e->target, t->id);
        if (t->n_moved >= MOVED_MAX)
                return err_code(err, ERR_STATE, "STATE",
                    "ticket %s was split %zu times already", t->id, t->n_moved);
        return join_allowed(l, err);
}

/* The change that makes the new ticket is joined to this one by who calls. */
static int
join_split(const struct law *l, struct err *err)
{
        long number = law_message_number(l->t, l->e->target);

        if (split_allowed(l, number, err) == -1)
                return -1;
        set_list(l, "moved", l->t->moved, l->t->n_moved,
            arena_printf(l->a, "%ld:$ticket$", number), NULL);
        set_link(l, "$ticket$");
        law_log(l, "split", l->e->target, "$ticket$");
        law_journal(l, "changed", "message split off to ticket $ticket$");
        if (l->t->state == TICKET_HELD && strcmp(l->t->holder, l->e->agent) == 0)
                law_renew(l);
        return 0;
}

const struct law_row law_of_joining[] = {
    {EVENT_MERGE, "MERGE", IN_OPEN | IN_RESOLVED, join_merge},
    {EVENT_MERGED, "MERGE INTO it", IN_OPEN, join_absorb},
    {EVENT_UNMERGE, "UNMERGE", IN_MERGED, join_unmerge},
    {EVENT_UNMERGED, "UNMERGE", IN_OPEN | IN_RESOLVED | IN_CLOSED | IN_MERGED,
        join_release},
    {EVENT_LINK, "LINK", IN_OPEN | IN_RESOLVED | IN_CLOSED, join_link},
    {EVENT_SPLIT, "SPLIT", IN_OPEN | IN_RESOLVED, join_split},
    {0, NULL, 0, NULL},
};
