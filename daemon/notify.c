/* The service manager; see notify.h. */
#include "daemon/notify.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/base/clock.h"

void
notify_send(const char *state)
{
        const char *path = getenv("NOTIFY_SOCKET");
        struct sockaddr_un sa = {.sun_family = AF_UNIX};
        size_t n = path == NULL ? 0 : strlen(path);
        int fd;

        if (n < 2 || n >= sizeof sa.sun_path || (*path != '/' && *path != '@'))
                return;
        memcpy(sa.sun_path, path, n);
        if (*path == '@') /* the abstract namespace */
                sa.sun_path[0] = '\0';
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd == -1)
                return;
        sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&sa,
            (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
        close(fd);
}

void
notify_reloading(void)
{
        char state[80];

        snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%lld",
            (long long)clock_read_mono_us());
        notify_send(state);
}

int64_t
notify_watchdog_ms(void)
{
        const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

        if (usec == NULL || (pid != NULL && atol(pid) != (long)getpid()))
                return 0;
        return atoll(usec) / 2000;
}

int
notify_listen_fds(void)
{
        const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
        int n = fds == NULL ? 0 : atoi(fds);

        if (n <= 0 || n > 16 || pid == NULL || atol(pid) != (long)getpid())
                return 0;
        for (int i = 0; i < n; i++)
                if (fcntl(NOTIFY_FIRST_FD + i, F_SETFD, FD_CLOEXEC) == -1)
                        return i;
        return n;
}
