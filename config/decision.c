/*
 * What was decided, told: to programs as JSON (PROTOCOL.md: WHY, explain), to people in
 * lines. See rules.h.
 */
#include <inttypes.h>
#include <string.h>

#include "config/build.h"
#include "config/rules.h"
#include "daemon/base/zone.h"

/* ---- steps ---- */

/* "1d2h", "10m" */
const char *
open_time_shown(struct arena *a, struct open_time t)
{
        static const struct {
                int64_t ms;
                char unit;
        } units[] = {{3600000, 'h'}, {60000, 'm'}, {1000, 's'}};
        const char *text = t.days > 0 ? arena_printf(a, "%dd", t.days) : "";

        for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
                int64_t n = t.ms / units[i].ms;

                t.ms %= units[i].ms;
                if (n > 0)
                        text = arena_printf(a, "%s%" PRId64 "%c", text, n, units[i].unit);
        }
        return text[0] == '\0' ? "0m" : text;
}

/* "also third", as it is written */
const char *
step_shown(struct arena *a, const struct class_step *s)
{
        const char *text = "also";

        switch (s->does) {
        case STEP_LOWER:
                return arena_printf(a, "lower needs %u", s->levels);
        case STEP_DROP:
                return "drop needs";
        case STEP_ALSO:
                break;
        }
        for (size_t i = 0; i < s->n_lines; i++)
                text = arena_printf(a, "%s %s", text, s->lines[i]);
        return text;
}

void
rules_steps_format(const struct class *k, const struct calendar *cal, int64_t entered_ms,
    struct json_out *o)
{
        struct arena *a AUTO_ARENA = arena_new();

        jo_key(o, "steps");
        jo_open(o, '[');
        for (size_t i = 0; i < k->n_steps; i++) {
                int64_t at = class_step_at(k, (int)i + 1, cal, entered_ms);

                jo_open(o, '{');
                jo_kstring(o, "after", open_time_shown(a, k->steps[i].after));
                jo_kstring(o, "does", step_shown(a, &k->steps[i]));
                jo_ktime(o, "at", at == CALENDAR_NEVER ? 0 : at * 1000);
                jo_close(o, '}');
        }
        jo_close(o, ']');
}

void
rules_agents_format(const struct who_fits *w, size_t n, const char *only, int64_t now_ms,
    struct json_out *o)
{
        jo_key(o, "agents");
        jo_open(o, '[');
        for (size_t i = 0; i < n; i++) {
                if (only[0] != '\0' && strcmp(only, w[i].agent->name) != 0)
                        continue;
                jo_open(o, '{');
                jo_kstring(o, "agent", w[i].agent->name);
                jo_kbool(o, "fits", w[i].fits);
                jo_ktime(o, "from", (w[i].fits ? now_ms : w[i].from_ms) * 1000);
                jo_kstring(o, "against", w[i].against);
                jo_close(o, '}');
        }
        jo_close(o, ']');
}

/* ---- sentences ---- */

static void
trace_format(struct json_out *o, const struct sentence_trace *t)
{
        jo_open(o, '{');
        jo_kstring(o, "at", t->at);
        jo_kstring(o, "text", t->text);
        jo_kbool(o, "holds", t->holds);
        jo_kstrings(o, "on", t->on, t->n_on);
        jo_close(o, '}');
}

void
decision_format_sentences(const struct decision *d, bool only_holding, struct json_out *o)
{
        jo_open(o, '[');
        for (size_t i = 0; i < d->n_sentences; i++)
                if (d->sentences[i].holds || !only_holding)
                        trace_format(o, &d->sentences[i]);
        jo_close(o, ']');
}

void
decision_format(
    const struct decision *d, const char *kind, bool only_holding, struct json_out *o)
{
        jo_kstring(o, "route", d->route);
        jo_kstring(o, "line", d->line);
        jo_kstrings(o, "tags", d->tags, d->n_tags);
        class_format_skills(o, "needs", d->class_doc.needs, d->class_doc.n_needs);
        class_format_skills(o, "musts", d->class_doc.musts, d->class_doc.n_musts);
        jo_kstring(o, "priority", priority_name(d->priority));
        jo_kstring(o, "language", d->language);
        jo_kstring(o, "kind", kind);
        jo_kbool(o, "shelve", d->shelve);
        jo_key(o, "sentences");
        decision_format_sentences(d, only_holding, o);
        rules_steps_format(&d->class_doc, d->calendar, d->now_ms, o);
        jo_kstring(o, "promise", d->promise);
        jo_kstring(o, "acknowledge", d->acknowledge);
        jo_kstring(o, "ask", d->ask);
        jo_key(o, "tell");
        jo_open(o, '[');
        for (size_t i = 0; i < d->n_tell; i++)
                jo_string(o, d->tell[i].agent);
        jo_close(o, ']');
}

static void
skills_print(struct buf *out, const char *label, const struct skill *s, size_t n)
{
        if (n == 0)
                return;
        buf_addf(out, "%-13s", label);
        for (size_t i = 0; i < n; i++)
                buf_addf(out, "%s%s:%u", i == 0 ? "" : " ", s[i].name, s[i].level);
        buf_addc(out, '\n');
}

static void
traces_print(const struct decision *d, struct buf *out)
{
        for (size_t i = 0; i < d->n_sentences; i++) {
                const struct sentence_trace *t = &d->sentences[i];

                buf_addf(out, "  %-4s %s  %s\n", t->holds ? "yes" : "no", t->at, t->text);
                for (size_t j = 0; j < t->n_on; j++)
                        buf_addf(out, "         on %s\n", t->on[j]);
        }
}

static void
prefer_print(const struct decision *d, struct buf *out)
{
        struct arena *a AUTO_ARENA = arena_new();

        if (d->prefer != PREFER_NONE)
                buf_addf(out, "%-13s%s, for %s\n", "prefer",
                    d->prefer == PREFER_MANAGER ? "the customer's manager"
                                                : "the last agent",
                    duration_shown(a, d->prefer_ms));
}

static void
tell_print(const struct decision *d, struct buf *out)
{
        for (size_t i = 0; i < d->n_tell; i++)
                buf_addf(out, "%-13s%s%s\n", "tell", d->tell[i].agent,
                    d->tell[i].once_ms > 0 ? " (once in that time)" : "");
}

/* With the time on the desk's wall. */
static void
steps_print(const struct decision *d, struct buf *out)
{
        const struct class *k = &d->class_doc;
        struct arena *a AUTO_ARENA = arena_new();

        if (k->n_steps > 0 && !d->shelve)
                buf_addf(out, "steps%s\n", d->calendar == NULL ? "" : " (in open hours)");
        for (size_t i = 0; i < k->n_steps && !d->shelve; i++) {
                int64_t at = class_step_at(k, (int)i + 1, d->calendar, d->now_ms);
                char wall[20] = "never";

                if (at != CALENDAR_NEVER)
                        zone_format(d->timezone, at * 1000, wall);
                buf_addf(out, "  after %-7s %-24s %.16s\n",
                    open_time_shown(a, k->steps[i].after), step_shown(a, &k->steps[i]),
                    wall);
        }
}

void
decision_print(const struct decision *d, struct buf *out)
{
        buf_addf(out, "%-13s%s\n", "route", d->route);
        buf_addf(out, "%-13s%s\n", "line", d->line);
        buf_addf(out, "%-13s%s\n", "priority", priority_name(d->priority));
        buf_addf(out, "%-13s%s\n", "language", d->language);
        if (d->n_tags > 0) {
                buf_addf(out, "%-13s", "tags");
                for (size_t i = 0; i < d->n_tags; i++)
                        buf_addf(out, "%s%s", i == 0 ? "" : " ", d->tags[i]);
                buf_addc(out, '\n');
        }
        skills_print(out, "needs", d->class_doc.needs, d->class_doc.n_needs);
        skills_print(out, "musts", d->class_doc.musts, d->class_doc.n_musts);
        if (d->promise[0] != '\0')
                buf_addf(out, "%-13s%s\n", "promise", d->promise);
        buf_addf(out, "%-13s%s\n", "acknowledge", d->acknowledge);
        if (d->ask[0] != '\0')
                buf_addf(out, "%-13s%s\n", "ask", d->ask);
        prefer_print(d, out);
        tell_print(d, out);
        if (d->shelve)
                buf_addf(out, "%-13s%s\n", "shelved", "kept, and no agent is asked");
        if (d->n_sentences > 0)
                buf_adds(out, "sentences\n");
        traces_print(d, out);
        steps_print(d, out);
}
