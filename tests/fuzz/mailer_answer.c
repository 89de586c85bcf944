/* What helpline-mailer says, as hostile bytes; and its jobs, the other way. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "channels/mailer.h"
#include "daemon/base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_words(const char *s, size_t max)
{
        size_t n = strlen(s);

        if (n > max || !utf8_valid(s, n) || strpbrk(s, "\r\n") != NULL)
                abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char *to[] = {"a@x.example", "b@x.example"};
        struct arena *a AUTO_ARENA = arena_new();
        struct mailer_job job = {.to = to, .n_to = 2}, other;
        struct mailer_answer answer;
        struct err err;

        if (mailer_answer_parse((const char *)data, size, &job, a, &answer, &err) == 0) {
                check_words(answer.why, 400);
                for (size_t i = 0; i < 2; i++) {
                        check_words(answer.recipients[i].reply, 200);
                        if (answer.recipients[i].address != to[i] ||
                            (answer.recipients[i].fate == MAIL_SENT && !answer.connected))
                                abort();
                }
        }
        if (mailer_job_parse((const char *)data, size, a, &other, &err) == 0 &&
            other.len > size)
                abort();
        return 0;
}
