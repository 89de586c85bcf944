/*
 * Templates: mails that helpline writes by itself (the acknowledgement).
 *
 * A file templates/NAME.LANG.txt beside helpline.conf, else in the folder that
 * came with the program: header lines (Subject:), an empty line, text.
 * Placeholders {ticket} {subject} {name} {desk} {url} {text}, {name|otherwise},
 * {{ for a brace. An unknown one is an error of `helpline check`.
 */
#ifndef HELPLINE_CONFIG_TEMPLATE_H
#define HELPLINE_CONFIG_TEMPLATE_H

#include "config/config.h"

struct template_values { /* "" when unknown, then {x|otherwise} gives otherwise */
        const char *ticket, *subject, *name, *desk, *url, *text;
};

struct template_mail {
        const char *subject;
        const char *text; /* \n line ends */
        const char *language; /* of the file that was found */
};

/* Fills template NAME in language LANG (missing, or "": the desk's first language).
 * -1 with ERR_CONFIG naming the file and what is wrong. */
int template_render(const struct config *c, const char *name, const char *lang,
    const struct template_values *v, struct arena *a, struct template_mail *out,
    struct err *err);

/* Where a template lies, or -1: ERR_CONFIG names the folders looked in. The shipped
 * folder: $HELPLINE_TEMPLATES, else config/templates beside the build, else
 * PREFIX/share/helpline/templates. */
int template_find(const struct config *c, const char *name, const char *lang,
    struct arena *a, const char **path, struct err *err);

/* Is NAME there in LANG (or in the desk's first language), and are all its placeholders known? -1 with ERR_CONFIG. */
int template_check(
    const struct config *c, const char *name, const char *lang, struct err *err);

#endif
