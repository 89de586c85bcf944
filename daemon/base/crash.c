/*
 * Named places to die at: see crash.h. One thread only (the main one).
 */
#include "daemon/base/crash.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
        bool ready; /* the variable was read */
        char name[64]; /* "" nothing to do */
        unsigned long n; /* passings left until it happens */
        bool stop; /* SIGSTOP instead of SIGKILL */
        const char *once; /* the file that says it has happened, NULL none */
} crash;

static void
crash_read(void)
{
        const char *s = getenv("HELPLINE_CRASH");
        size_t len;

        crash.ready = true;
        if (s == NULL || *s == '\0')
                return;
        len = strcspn(s, ":@");
        if (len >= sizeof(crash.name))
                return;
        memcpy(crash.name, s, len);
        crash.name[len] = '\0';
        crash.n = 1;
        s += len;
        while (*s == ':') {
                s++;
                if (strncmp(s, "stop", 4) == 0)
                        crash.stop = true;
                else
                        crash.n = strtoul(s, NULL, 10);
                s += strcspn(s, ":@");
        }
        crash.once = *s == '@' ? s + 1 : NULL;
}

/* Claims the file: false when it happened before, in this process or another. */
static bool
crash_is_first(void)
{
        int fd;

        if (crash.once == NULL)
                return true;
        fd = open(crash.once, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd == -1)
                return false;
        close(fd);
        return true;
}

void
crash_point(const char *name)
{
        if (!crash.ready)
                crash_read();
        if (crash.name[0] == '\0' || strcmp(name, crash.name) != 0)
                return;
        if (crash.n > 1) {
                crash.n--;
                return;
        }
        crash.name[0] = '\0';
        if (crash_is_first())
                kill(getpid(), crash.stop ? SIGSTOP : SIGKILL);
}
