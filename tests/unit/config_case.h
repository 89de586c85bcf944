/* Folders with configurations in them, for the tests of config/. */
#ifndef HELPLINE_TESTS_CONFIG_CASE_H
#define HELPLINE_TESTS_CONFIG_CASE_H

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"

static char case_dir[64];

__attribute__((unused)) static void
case_begin(void)
{
        strcpy(case_dir, "/tmp/helpline-config-XXXXXX");
        if (mkdtemp(case_dir) == NULL)
                abort();
        setenv("HELPLINE_TEMPLATES", "/nowhere", 1);
        unsetenv("CREDENTIALS_DIRECTORY");
        unsetenv("STATE_DIRECTORY");
}

static int
case_remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
        (void)st, (void)type, (void)f;
        return remove(path);
}

__attribute__((unused)) static void
case_end(void)
{
        nftw(case_dir, case_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Writes n bytes into DIR/name, with its folder. */
__attribute__((unused)) static void
case_write(const char *name, const char *bytes, size_t n, mode_t mode)
{
        char path[512], *slash;
        FILE *f;

        snprintf(path, sizeof path, "%s/%s", case_dir, name);
        slash = strrchr(path, '/');
        *slash = '\0';
        if (mkdir(path, 0700) == -1 && errno != EEXIST)
                abort();
        *slash = '/';
        f = fopen(path, "w");
        if (f == NULL || fwrite(bytes, 1, n, f) != n || fclose(f) != 0 ||
            chmod(path, mode) == -1)
                abort();
}

__attribute__((unused)) static int
case_load(struct config **c, struct config_report *r)
{
        char path[512];

        snprintf(path, sizeof path, "%s/helpline.conf", case_dir);
        return config_load(path, c, r);
}

/* One file; NULL when it has errors, which are printed. */
__attribute__((unused)) static struct config *
case_config(const char *text)
{
        struct config_report r = {0};
        struct config *c = NULL;

        case_write("helpline.conf", text, strlen(text), 0600);
        if (case_load(&c, &r) == -1)
                fprintf(stderr, "%s", buf_str(&r.text));
        config_report_fini(&r);
        return c;
}

#endif
