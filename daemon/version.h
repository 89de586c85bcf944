/* The version, once. */
#ifndef HELPLINE_DAEMON_VERSION_H
#define HELPLINE_DAEMON_VERSION_H

#define HELPLINE_VERSION "0.1.0"

#endif
