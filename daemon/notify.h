/*
 * The service manager: READY, RELOADING, STOPPING, STATUS, WATCHDOG by the
 * sd_notify protocol (sd_notify(3)): one datagram to $NOTIFY_SOCKET.
 */
#ifndef HELPLINE_DAEMON_NOTIFY_H
#define HELPLINE_DAEMON_NOTIFY_H

#include <stdint.h>

/* Does nothing when there is no service manager. state: "READY=1\nSTATUS=...". */
void notify_send(const char *state);
/* "RELOADING=1" with the MONOTONIC_USEC that Type=notify-reload wants. */
void notify_reloading(void);
/* Half of WATCHDOG_USEC in ms when a watchdog waits for us, else 0. */
int64_t notify_watchdog_ms(void);
/* How many listening sockets were passed (sd_listen_fds(3)): descriptors NOTIFY_FIRST_FD
 * and on, made CLOEXEC here; 0 without socket activation. */
enum { NOTIFY_FIRST_FD = 3 };
int notify_listen_fds(void);

#endif
