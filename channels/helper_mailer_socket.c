/*
 * socket(), put before libc's in this program, because libesmtp offers no way to
 * its sockets: TCP_NODELAY (without it every mail over 2 KB waits 40 ms),
 * close-on-exec, and a limit for its blocking connect() (on Linux SO_SNDTIMEO
 * bounds it; no time-out of the library does).
 */
#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "channels/helper_mailer.h"

static int64_t connect_ms = 30000;

void
mailer_socket_limit(int64_t ms)
{
        connect_ms = ms;
}

int
socket(int domain, int type, int protocol)
{
        static int (*libc_socket)(int, int, int);
        struct timeval limit = {connect_ms / 1000, connect_ms % 1000 * 1000};
        int one = 1, fd;

        if (libc_socket == NULL)
                libc_socket = (int (*)(int, int, int))dlsym(RTLD_NEXT, "socket");
        if (libc_socket == NULL)
                abort();
        fd = libc_socket(domain, type | SOCK_CLOEXEC, protocol);
        if (fd == -1 || (domain != AF_INET && domain != AF_INET6) ||
            (type & 0xf) != SOCK_STREAM)
                return fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        return fd;
}
