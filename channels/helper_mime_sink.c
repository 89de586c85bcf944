/*
 * A stream that hands on; see helper_mime_sink.h.
 */
#include "channels/helper_mime_sink.h"

struct mime_sink {
        GMimeStream parent;
        sink_fn fn;
        void *arg;
};

struct mime_sink_class {
        GMimeStreamClass parent;
};

typedef struct mime_sink MimeSink;
typedef struct mime_sink_class MimeSinkClass;

static GType mime_sink_get_type(void);
/* cppcheck-suppress unknownMacro */
G_DEFINE_TYPE(MimeSink, mime_sink, GMIME_TYPE_STREAM) /* NOLINT: GLib's own casts */

static ssize_t
sink_write(GMimeStream *stream, const char *s, size_t n)
{
        struct mime_sink *sink = (struct mime_sink *)stream;

        return sink->fn(sink->arg, s, n) ? (ssize_t)n : -1;
}

static int
sink_ok(GMimeStream *stream)
{
        (void)stream;
        return 0;
}

static gboolean
sink_never(GMimeStream *stream)
{
        (void)stream;
        return FALSE;
}

static void
mime_sink_class_init(struct mime_sink_class *class)
{
        class->parent.write = sink_write;
        class->parent.flush = sink_ok;
        class->parent.close = sink_ok;
        class->parent.eos = sink_never;
}

static void
mime_sink_init(struct mime_sink *sink)
{
        sink->fn = NULL;
        sink->arg = NULL;
}

GMimeStream *
mime_sink_new(sink_fn fn, void *arg)
{
        struct mime_sink *sink = g_object_new(mime_sink_get_type(), NULL);

        g_mime_stream_construct(&sink->parent, 0, -1);
        sink->fn = fn;
        sink->arg = arg;
        return &sink->parent;
}
