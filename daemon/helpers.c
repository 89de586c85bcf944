/* Where the helper programs lie; see helpers.h. */
#include "daemon/helpers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/bounces.h"

/* The folder of this very program, "" when it cannot be told. */
static const char *
own_folder(struct arena *a)
{
        char self[4096];
        ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
        char *slash;

        if (n <= 0)
                return "";
        self[n] = '\0';
        slash = strrchr(self, '/');
        return arena_strndup(a, self, (size_t)(slash - self));
}

const char *
helper_path(struct arena *a, const char *name, struct err *err)
{
        const char *dir = getenv("HELPLINE_LIBEXEC"), *own = own_folder(a);
        const char *path;

        if (dir != NULL)
                path = arena_printf(a, "%s/%s", dir, name);
        else { /* built: beside us; installed: PREFIX/sbin and PREFIX/libexec/helpline */
                path = arena_printf(a, "%s/%s", own, name);
                if (access(path, X_OK) == -1)
                        path = arena_printf(a, "%s/../libexec/helpline/%s", own, name);
        }
        if (access(path, X_OK) == 0)
                return path;
        err_errno(err, ERR_CONFIG, errno,
            "the helper %s cannot be run (set HELPLINE_LIBEXEC to its folder)", path);
        return NULL;
}

const char *const *
helper_mime_argv(struct arena *a, const struct config *c, struct err *err)
{
        const char **argv = arena_alloc(a, (BOUNCES_MAX_DIRS + 2) * sizeof *argv);

        argv[0] = helper_path(a, "helpline-mime", err);
        bounces_dirs(a, c->dir, argv + 1);
        return argv[0] != NULL ? argv : NULL;
}
