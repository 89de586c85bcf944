/*
 * Addresses as the configuration writes them ("unix:/path", "127.0.0.1:7711",
 * "[::1]:7711", "name:7711") made ready for the kernel, and back.
 */
#ifndef HELPLINE_BASE_NETADDR_H
#define HELPLINE_BASE_NETADDR_H

#include <stdbool.h>
#include <sys/socket.h>

#include "daemon/base/err.h"

struct netaddr {
        struct sockaddr_storage ss; /* for bind() or connect() */
        socklen_t len; /* of ss */
        int folder_fd; /* a long Unix path goes through it; -1: none */
};

enum netaddr_use {
        NETADDR_NUMERIC, /* names are an error (ERR_RETRY): nothing here may wait */
        NETADDR_LOOKUP /* names are looked up, which may wait for a name server */
};

/* Fills *a; close it with netaddr_fini after bind or connect. ERR_CONFIG: the
 * text is no address; ERR_RETRY: a name that is not known (now). */
int
netaddr_parse(const char *text, enum netaddr_use use, struct netaddr *a, struct err *err);
void netaddr_fini(struct netaddr *a);
/* Is this a host name that only NETADDR_LOOKUP can resolve? */
bool netaddr_is_name(const char *text);

/* "127.0.0.1:80", "[::1]:80" or "unix" into out[64]. */
void netaddr_format(const struct sockaddr_storage *ss, char out[64]);
/* 127.0.0.0/8 (also written as IPv6), ::1 or a Unix socket. */
bool netaddr_is_loopback(const struct sockaddr_storage *ss);

#endif
