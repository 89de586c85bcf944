/*
 * SUBMIT and LOGCALL: what an operator or a program tells goes through the same steps as
 * mail. Killed before put has returned: no answer was given, the same command with the
 * same key finds what was stored. See intake.h.
 */
#include "daemon/base/clock.h"
#include "daemon/base/digest.h"
#include "daemon/intake_impl.h"

void
intake_submit(
    struct intake *i, const struct submission *s, intake_submit_fn fn, void *arg)
{
        struct job *j = job_new(i);
        struct message *m = s->message;
        uint8_t random[16];
        char once[33];

        j->message = m;
        j->channel = arena_strdup(j->keep, m->channel);
        j->account = arena_strdup(j->keep, m->account);
        j->envelope_from = "";
        j->received_at_us = clock_now_us();
        j->ticket = arena_strdup(j->keep, s->ticket);
        j->who = arena_strdup(j->keep, s->who);
        j->by_hand = true;
        j->is_note = s->is_note;
        j->submit_fn = fn;
        j->submit_arg = arg;
        j->submit_sees = s->sees;
        random_bytes(random, sizeof random);
        hex_format(random, sizeof random, once);
        m->digest = *s->key != '\0' ? arena_printf(m->arena, "submit-%s", s->key)
                                    : arena_printf(m->arena, "once-%s", once);
        loop_later(i->desk->loop, job_message_ready, j);
}
