/* Where data files lie; see folders.h. */
#include "config/folders.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* config/what of the tree this program was built in, "" elsewhere. */
static const char *
folder_of_build(struct arena *a, const char *exe, const char *what)
{
        const char *build = strstr(exe, "/build/"), *next;

        while (build != NULL && (next = strstr(build + 1, "/build/")) != NULL)
                build = next;
        if (build == NULL)
                return "";
        return arena_printf(a, "%.*s/config/%s", (int)(build - exe), exe, what);
}

/* PREFIX/share/helpline/what of PREFIX/bin/helplined (or libexec/helpline/x). */
static const char *
folder_of_prefix(struct arena *a, const char *exe, const char *what)
{
        static const char *const dirs[] = {"/bin/", "/sbin/", "/libexec/"};

        for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) {
                const char *at = strstr(exe, dirs[i]);

                if (at != NULL)
                        return arena_printf(
                            a, "%.*s/share/helpline/%s", (int)(at - exe), exe, what);
        }
        return arena_printf(a, "/usr/share/helpline/%s", what);
}

size_t
data_folders(struct arena *a, const char *confdir, const char *variable, const char *what,
    const char *out[4])
{
        const char *own = getenv(variable);
        char exe[PATH_MAX];
        ssize_t len = readlink("/proc/self/exe", exe, sizeof exe - 1);
        size_t n = 0;

        exe[len < 0 ? 0 : len] = '\0';
        if (confdir != NULL)
                out[n++] = arena_printf(a, "%s/%s", confdir, what);
        if (own != NULL && own[0] == '/')
                out[n++] = own;
        out[n] = folder_of_build(a, exe, what);
        n += out[n][0] != '\0';
        out[n++] = folder_of_prefix(a, exe, what);
        return n;
}
