/* Reports; see helper_mime_report.h. */
#include "channels/helper_mime_report.h"

void
report_pieces_free(struct report_pieces *p)
{
        buf_fini(&p->status);
        buf_fini(&p->disposition);
        buf_fini(&p->feedback);
        buf_fini(&p->returned);
        buf_fini(&p->text);
}

void
mime_report(
    struct message *m, const struct report_pieces *p, const struct bounce_set *set)
{
        (void)p;
        (void)set;
        m->report = NULL;
}
