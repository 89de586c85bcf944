/*
 * A GMime stream that keeps no more than it is asked to: it hands on each chunk
 * of decoded bytes and forgets it, so an attachment of 20 MB costs no memory.
 */
#ifndef HELPLINE_CHANNELS_HELPER_MIME_SINK_H
#define HELPLINE_CHANNELS_HELPER_MIME_SINK_H

#include <gmime/gmime.h>
#include <stdbool.h>
#include <stddef.h>

/* Gets each chunk; false: enough, write no more. */
typedef bool (*sink_fn)(void *arg, const char *s, size_t n);

/* Unref it with g_object_unref. */
GMimeStream *mime_sink_new(sink_fn fn, void *arg);

#endif
