/*
 * How fast a mail is understood, beside GMime's own parser on the same mails in the same
 * process: each mail by turns, so that both have the same processor, cache and clock.
 *
 *     mime_speed SECONDS BOUNCES FILE...
 *
 * ours     mime_parse(): tree, charsets, text, report, new text, language
 * json     the same and its JSON, the whole job of helpline-mime but for the pipe
 * gmime    g_mime_parser_construct_message()
 * bodies   the same, and every text part decoded to UTF-8
 *
 * One line each: name, microseconds a mail.
 */
#include <gmime/gmime.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "channels/helper_mime_parse.h"
#include "config/bounces.h"

struct mail {
        char *data;
        size_t n;
        char *copy; /* ours writes to it */
};

static double
now_s(void)
{
        struct timespec t;

        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool
mail_read(struct mail *m, const char *path)
{
        FILE *f = fopen(path, "rb");
        size_t max = 1 << 20;

        if (f == NULL)
                return false;
        m->data = malloc(max);
        m->copy = malloc(max);
        m->n = m->data != NULL ? fread(m->data, 1, max, f) : 0;
        fclose(f);
        return m->n > 0 && m->copy != NULL;
}

static void
ours(const struct mail *in, bool json)
{
        struct message *m = NULL;
        struct buf out AUTO_BUF = BUF_INIT;
        struct err err = {0};

        memcpy(in->copy, in->data, in->n);
        if (mime_parse(in->copy, in->n, "support@desk.example", &m, &err) == -1) {
                fprintf(stderr, "mime_speed: %s\n", err.text);
                exit(1);
        }
        if (json)
                message_format(m, &out);
        message_free(&m);
}

static void
decode_part(GMimeObject *parent, GMimeObject *part, gpointer unused)
{
        char *text;

        (void)parent;
        (void)unused;
        if (!GMIME_IS_TEXT_PART(part))
                return;
        text = g_mime_text_part_get_text(GMIME_TEXT_PART(part));
        g_free(text);
}

static void
gmime(const struct mail *in, bool bodies)
{
        GMimeStream *stream = g_mime_stream_mem_new_with_buffer(in->data, in->n);
        GMimeParser *parser = g_mime_parser_new_with_stream(stream);
        GMimeMessage *m = g_mime_parser_construct_message(parser, NULL);

        if (bodies && m != NULL)
                g_mime_message_foreach(m, decode_part, NULL);
        if (m != NULL)
                g_object_unref(m);
        g_object_unref(parser);
        g_object_unref(stream);
}

static void
run(int what, const struct mail *m)
{
        if (what < 2)
                ours(m, what == 1);
        else
                gmime(m, what == 3);
}

int
main(int argc, char **argv)
{
        static const char *const names[] = {"ours", "json", "gmime", "bodies"};
        const char *dirs[1];
        double took[4] = {0};
        long n_mails = 0;
        struct err err = {0};
        struct mail *mails;
        double end;

        if (argc < 4)
                return 2;
        dirs[0] = argv[2];
        mails = calloc((size_t)argc, sizeof *mails);
        for (int i = 3; i < argc; i++)
                if (mails == NULL || !mail_read(&mails[i - 3], argv[i]))
                        return 2;
        g_mime_init();
        mime_parse_init();
        mime_parse_set_bounces(bounces_load(dirs, 1, &err));
        for (end = now_s() + atof(argv[1]); now_s() < end; n_mails += argc - 3)
                for (int i = 0; i < argc - 3; i++)
                        for (int what = 0; what < 4; what++) {
                                double began = now_s();

                                run(what, &mails[i]);
                                took[what] += now_s() - began;
                        }
        for (int what = 0; what < 4; what++)
                printf("%s %.3f\n", names[what], took[what] * 1e6 / (double)n_mails);
        return 0;
}
