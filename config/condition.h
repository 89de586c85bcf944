/* Conditions of the rules: compiled, and asked about one message. */
#ifndef HELPLINE_CONFIG_CONDITION_H
#define HELPLINE_CONFIG_CONDITION_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "config/pattern.h"
#include "daemon/model/facts.h"

enum condition_kind { CONDITION_AND, CONDITION_OR, CONDITION_NOT, CONDITION_TEST };

enum condition_about {
        ABOUT_CHANNEL,
        ABOUT_ACCOUNT,
        ABOUT_FROM,
        ABOUT_TO,
        ABOUT_CC,
        ABOUT_SUBJECT,
        ABOUT_TEXT, /* subject and body */
        ABOUT_HEADER,
        ABOUT_LANGUAGE,
        ABOUT_KIND, /* message bounce auto-reply ... */
        ABOUT_FORM,
        ABOUT_FIELD,
        ABOUT_ATTACHMENT_NAME,
        ABOUT_ATTACHMENT_TYPE,
        ABOUT_ATTACHMENT_SIZE,
        ABOUT_CUSTOMER, /* vip, known */
        ABOUT_CUSTOMER_COLUMN,
        ABOUT_CALL, /* missed answered in out */
        ABOUT_CALL_DIRECTION,
        ABOUT_CALL_NUMBER, /* of the other side */
        ABOUT_CALL_DURATION,
        ABOUT_TAGGED,
        ABOUT_PRIORITY,
        ABOUT_MORE, /* than so many were tagged just now */
        ABOUT_HOURS, /* open or closed */
        ABOUT_TIME /* of the day, on the desk's wall */
};

enum condition_how { HOW_IS, HOW_CONTAINS, HOW_MATCHES, HOW_IN, HOW_LESS, HOW_MORE };

struct condition {
        enum condition_kind kind;
        const struct condition *left; /* and, or, not */
        const struct condition *right; /* and, or */
        enum condition_about about;
        enum condition_how how;
        const char *name; /* of a header, a field, a column, a tag, hours */
        size_t column; /* of the customers file, from 1 */
        int64_t than; /* behind < and >: bytes or ms; of MORE a number, of HOURS open? */
        int64_t window_ms; /* MORE: within this long */
        const struct calendar *hours; /* HOURS; NULL always open */
        const struct open_span *spans; /* TIME; one may go over midnight */
        size_t n_spans;
        const char **values; /* folded; addresses normalised; any of them */
        size_t n_values;
        const struct pattern *pattern; /* HOW_MATCHES */
        const struct list_options *list; /* HOW_IN */
};

/* One message under all conditions: what they share is made once. */
struct looked_at {
        struct arena *a;
        const struct config *c;
        const struct message *m;
        const struct facts *f;
        const struct customer_row *customer; /* in the customers file, NULL not */
        const char *subject, *text; /* as they are, cut at LOOKED_AT_MAX */
        const char *subject_folded, *text_folded; /* NULL until asked for */
        const char **tags; /* so far */
        size_t n_tags;
        enum priority priority; /* so far */
        const char **on; /* evidence of the sentence looked at */
        size_t n_on;
        /* a pattern of it took too much work: told even if it does not hold */
        bool gave_up;
        int64_t patterns_left_us; /* processor time that patterns may still take */
};

#define LOOKED_AT_MAX (1u << 20)
#define PATTERNS_US 200000

void looked_at_init(
    struct looked_at *l, const struct config *c, const struct facts *f, struct arena *a);
/* Does it hold? Adds to l->on the words it holds on. */
bool condition_holds(const struct condition *c, struct looked_at *l);

#endif
