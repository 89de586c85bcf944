/*
 * What `helpline explain` is asked about, as the message its channel would make of it.
 * Offline: a configuration and words or bytes in, a message and notes out.
 */
#ifndef HELPLINE_TOOL_EXPLAIN_H
#define HELPLINE_TOOL_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "channels/form_parse.h"
#include "config/config.h"
#include "daemon/base/json.h"
#include "daemon/model/message.h"

struct explained {
        struct arena *a; /* the caller's: notes live in it */
        const struct config *config;
        struct message *message; /* the caller frees it */
        const char **notes; /* what the channel itself would do: one sentence each */
        size_t n_notes;
        bool is_mail; /* a mail file, read by the helper */
        const char *forwarded_by; /* the agent who forwarded it, "" nobody */
        bool is_refused; /* the channel would not take it: the notes say why */
        bool makes_ticket; /* false: a call that makes none (short, a note, not ours) */
};

void explained_note(struct explained *x, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* What is understood of a mail (judged, so mail_judge was called), for people; as members
 * of an object. */
void explain_mail_print(const struct explained *x, struct buf *out);
void explain_mail_json(const struct explained *x, struct json_out *o);

/* Are these words of the form key=value? */
bool explain_is_words(int n, char **words);
/* channel=web form=contact field.email=... ; call=missed number=+7... ; from=... */
int explain_words(struct explained *x, int n, char **words, struct err *err);

/* Are these bytes a form's body with its Content-Type (or a whole request) before it? */
bool explain_is_form(const char *s, size_t len);
/* form: its name, NULL: by the request's path, or the only one there is. */
int explain_form(
    struct explained *x, const char *form, const char *s, size_t len, struct err *err);
/* Its parts as message, faults as notes; is_strict: a fault refuses it. */
int explain_form_parts(struct explained *x, const struct form_options *form,
    const struct form_part *parts, size_t n, const char *language, bool is_strict);

/* The first call of a log, or a pushed record. */
int explain_record(
    struct explained *x, const char *phone, const char *s, size_t len, struct err *err);
/* What the exchange's options say of such a call, and its message. */
void explain_call(struct explained *x, const struct phone_options *phone,
    const struct phone_call *call, bool is_short, const char *note);

/* The block of that name; name NULL or "": the only one. NULL with *err. */
const struct form_options *
explain_find_form(const struct config *c, const char *name, struct err *err);
const struct phone_options *
explain_find_phone(const struct config *c, const char *name, struct err *err);

#endif
