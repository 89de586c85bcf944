/* Where the helper programs lie; see helpers.h. */
#include "daemon/helpers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef HELPLINE_LIBEXEC
#define HELPLINE_LIBEXEC "/usr/local/libexec/helpline"
#endif

static const char *
beside_program(struct arena *a, const char *name)
{
        char self[4096];
        ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
        char *slash;

        if (n <= 0)
                return "";
        self[n] = '\0';
        slash = strrchr(self, '/');
        return arena_printf(a, "%.*s/%s", (int)(slash - self), self, name);
}

const char *
helper_path(struct arena *a, const char *name, struct err *err)
{
        const char *dir = getenv("HELPLINE_LIBEXEC");
        const char *path = dir != NULL ? arena_printf(a, "%s/%s", dir, name) : "";

        if (dir == NULL) {
                path = beside_program(a, name);
                if (access(path, X_OK) == -1)
                        path = arena_printf(a, "%s/%s", HELPLINE_LIBEXEC, name);
        }
        if (access(path, X_OK) == 0)
                return path;
        err_errno(err, ERR_CONFIG, errno,
            "the helper %s cannot be run (set HELPLINE_LIBEXEC to its folder)", path);
        return NULL;
}
