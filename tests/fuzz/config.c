/*
 * A configuration out of memory: no text makes it fall over, an error is told
 * whenever there is no configuration, and what was accepted decides about a mail.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "config/load.h"
#include "config/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
decide(const struct config *c)
{
        struct message *m = message_new();
        struct facts f = {.message = m};
        struct decision d;

        m->channel = "email";
        m->subject = "Не подключается ВПН";
        m->text = "error 809 счёт";
        m->language = "ru";
        m->from.address = "a@b.example";
        rules_decide(c, &f, m->arena, &d);
        assert(d.line[0] != '\0' && d.class_doc.text[0] == '{');
        message_free(&m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct config_report r = {0};
        struct config *c = NULL;
        int rc = config_load_text("/d/helpline.conf", (const char *)data, size, &c, &r);

        assert((rc == 0) == (r.n_errors == 0) && (rc == 0) == (c != NULL));
        assert(rc == 0 || r.text.len > 0);
        if (c != NULL)
                decide(c);
        config_free(&c);
        config_report_fini(&r);
        return 0;
}
