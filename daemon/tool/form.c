/*
 * helpline form snippet: what a page of another site needs to post a form here. It reads
 * the configuration only.
 */
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "daemon/tool/tool.h"
#include "daemon/web/pages.h"

/* Why it cannot be, or 0. */
static int
snippet_check(const struct config *c, const struct form_options *f, const char *name,
    const char *language)
{
        if (f == NULL)
                return tool_fail(
                    TOOL_USAGE, "there is no form '%s' in %s", name, c->file);
        if (*c->url == '\0')
                return tool_fail(TOOL_USAGE,
                    "%s has no `url`: it says where browsers reach this desk "
                    "(url https://help.example.com)",
                    c->file);
        if (strcmp(language, "ru") != 0 && strcmp(language, "en") != 0)
                return tool_fail(TOOL_USAGE, "LANG is ru or en, not '%s'", language);
        if (f->n_sites == 0)
                fprintf(stderr,
                    "helpline: form %s has no `sites` yet: name the site of the "
                    "page there, or its posts are refused\n",
                    name);
        return TOOL_DONE;
}

static int
snippet_print(const struct config *c, const char *name, const char *language)
{
        const struct form_options *f = config_form(c, name);
        struct buf b AUTO_BUF = BUF_INIT, url AUTO_BUF = BUF_INIT;
        int code;

        if (language == NULL)
                language = strcmp(c->languages[0], "ru") == 0 ? "ru" : "en";
        code = snippet_check(c, f, name, language);
        if (code != TOOL_DONE)
                return code;
        buf_adds(&url, c->url);
        while (url.len > 0 && url.data[url.len - 1] == '/')
                url.data[--url.len] = '\0';
        page_snippet(&b, f, language, buf_str(&url));
        fputs(buf_str(&b), stdout);
        return TOOL_DONE;
}

int
verb_form(struct tool *t, int argc, char **argv)
{
        struct config_report report = {.text = BUF_INIT};
        struct config *c = NULL;
        int code;

        if (argc < 3 || argc > 4 || strcmp(argv[1], "snippet") != 0)
                return tool_fail(TOOL_USAGE, "usage: helpline form snippet NAME [ru|en]");
        if (config_load(t->client.file, &c, &report) == -1) {
                fputs(buf_str(&report.text), stderr);
                code = TOOL_USAGE;
        } else {
                code = snippet_print(c, argv[2], argc == 4 ? argv[3] : NULL);
        }
        config_free(&c);
        config_report_fini(&report);
        return code;
}
