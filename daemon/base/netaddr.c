/*
 * Addresses; see netaddr.h.
 *
 * The kernel takes 107 bytes of a Unix path. A longer one is reached through
 * its folder: /proc/self/fd/N/NAME, with N open until netaddr_fini.
 */
#include "daemon/base/netaddr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define HOST_MAX 256

/* The two halves of "host:port". */
struct host_port {
        char host[HOST_MAX]; /* without brackets; "" means all addresses */
        char port[8]; /* digits */
};

static int
netaddr_open_folder(const char *path, const char *name, struct err *err)
{
        char folder[4096];
        size_t n = (size_t)(name - path);
        int fd;

        if (n >= sizeof folder)
                return err_set(
                    err, ERR_CONFIG, "the path of the socket %.40s... is too long", path);
        snprintf(folder, sizeof folder, "%.*s", n == 0 ? 1 : (int)n, n == 0 ? "." : path);
        fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd == -1)
                return err_errno(
                    err, ERR_RETRY, errno, "cannot open the folder %s", folder);
        return fd;
}

static int
netaddr_parse_unix(const char *path, struct netaddr *a, struct err *err)
{
        struct sockaddr_un *un = (struct sockaddr_un *)&a->ss;
        const char *name = strrchr(path, '/');
        int n;

        name = name == NULL ? path : name + 1;
        if (*name == '\0')
                return err_set(
                    err, ERR_CONFIG, "\"unix:%.200s\" names no socket file", path);
        un->sun_family = AF_UNIX;
        a->len = sizeof *un;
        if (strlen(path) < sizeof un->sun_path) {
                memcpy(un->sun_path, path, strlen(path) + 1);
                return 0;
        }
        a->folder_fd = netaddr_open_folder(path, name, err);
        if (a->folder_fd == -1)
                return -1;
        n = snprintf(
            un->sun_path, sizeof un->sun_path, "/proc/self/fd/%d/%s", a->folder_fd, name);
        if (n >= 0 && (size_t)n < sizeof un->sun_path)
                return 0;
        netaddr_fini(a);
        return err_set(
            err, ERR_CONFIG, "the name of the socket %.100s is too long", name);
}

static bool
netaddr_split(const char *text, struct host_port *hp)
{
        const char *colon = strrchr(text, ':'), *host = text;
        size_t n;
        char *end;
        long port;

        if (colon == NULL || colon[1] < '0' || colon[1] > '9' || strlen(colon + 1) > 5)
                return false;
        port = strtol(colon + 1, &end, 10);
        if (*end != '\0' || port > 65535)
                return false;
        n = (size_t)(colon - text);
        if (*text == '[') {
                if (n < 2 || text[n - 1] != ']')
                        return false;
                host++;
                n -= 2;
        } else if (memchr(text, ':', n) != NULL) {
                return false;
        }
        if (n >= sizeof hp->host)
                return false;
        memcpy(hp->host, host, n);
        hp->host[n] = '\0';
        snprintf(hp->port, sizeof hp->port, "%u", (unsigned)port & 0xffff);
        if (strcmp(hp->host, "localhost") == 0)
                memcpy(hp->host, "127.0.0.1", sizeof "127.0.0.1");
        return true;
}

static bool
host_is_numeric(const char *host)
{
        unsigned char bytes[16];
        char bare[HOST_MAX];

        snprintf(bare, sizeof bare, "%.*s", (int)strcspn(host, "%"), host);
        return *host == '\0' || inet_pton(AF_INET, host, bytes) == 1 ||
               inet_pton(AF_INET6, bare, bytes) == 1;
}

bool
netaddr_is_name(const char *text)
{
        struct host_port hp;

        return strncmp(text, "unix:", 5) != 0 && netaddr_split(text, &hp) &&
               !host_is_numeric(hp.host);
}

int
netaddr_parse(const char *text, enum netaddr_use use, struct netaddr *a, struct err *err)
{
        struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
        struct addrinfo *found = NULL;
        struct host_port hp;
        int rc;

        memset(a, 0, sizeof *a);
        a->folder_fd = -1;
        if (strncmp(text, "unix:", 5) == 0)
                return netaddr_parse_unix(text + 5, a, err);
        if (!netaddr_split(text, &hp))
                return err_set(err, ERR_CONFIG,
                    "\"%.100s\" is no address; write HOST:PORT, "
                    "[IPV6]:PORT or unix:/PATH",
                    text);
        if (use == NETADDR_NUMERIC || host_is_numeric(hp.host))
                hints.ai_flags |= AI_NUMERICHOST;
        if (hp.host[0] == '\0')
                hints.ai_flags |= AI_PASSIVE;
        rc = getaddrinfo(hp.host[0] == '\0' ? NULL : hp.host, hp.port, &hints, &found);
        if (rc != 0)
                return err_set(err, ERR_RETRY, "the host name %.100s cannot be found: %s",
                    hp.host, rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
        memcpy(&a->ss, found->ai_addr, found->ai_addrlen);
        a->len = found->ai_addrlen;
        freeaddrinfo(found);
        return 0;
}

void
netaddr_fini(struct netaddr *a)
{
        if (a->folder_fd >= 0)
                close(a->folder_fd);
        a->folder_fd = -1;
}

void
netaddr_format(const struct sockaddr_storage *ss, char out[64])
{
        char host[INET6_ADDRSTRLEN] = "?";

        if (ss->ss_family == AF_INET) {
                const struct sockaddr_in *in = (const struct sockaddr_in *)ss;

                inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
                snprintf(out, 64, "%s:%u", host, ntohs(in->sin_port));
        } else if (ss->ss_family == AF_INET6) {
                const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;

                inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
                snprintf(out, 64, "[%s]:%u", host, ntohs(in6->sin6_port));
        } else {
                memcpy(out, "unix", sizeof "unix");
        }
}

bool
netaddr_is_loopback(const struct sockaddr_storage *ss)
{
        const struct in6_addr *a6 = &((const struct sockaddr_in6 *)ss)->sin6_addr;

        if (ss->ss_family == AF_INET)
                return ntohl(((const struct sockaddr_in *)ss)->sin_addr.s_addr) >> 24 ==
                       127;
        if (ss->ss_family == AF_INET6)
                return IN6_IS_ADDR_LOOPBACK(a6) ||
                       (IN6_IS_ADDR_V4MAPPED(a6) && a6->s6_addr[12] == 127);
        return ss->ss_family == AF_UNIX;
}
