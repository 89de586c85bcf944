/*
 * Files beside the configuration: lists, customers, consents. Their change
 * alone is a reason to reload; rules and people (included files too) wait for somebody
 * who has checked them. What is noted is taken before the file is
 * read: a change in between makes one reload too many, never one too few.
 */
#include <string.h>
#include <sys/stat.h>

#include "config/build.h"

static struct data_file
data_look(const char *path)
{
        struct data_file d = {path, 0, -1, 0};
        struct stat st;

        if (stat(path, &st) == -1)
                return d;
        d.mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
        d.size = st.st_size;
        d.inode = st.st_ino;
        return d;
}

void
data_note(struct build *b, const char *path)
{
        struct config *c = b->c;

        if (b->no_files)
                return;
        c->data = arena_grow(b->a, c->data, c->n_data, sizeof *c->data);
        c->data[c->n_data++] = data_look(path);
}

bool
config_data_changed(const struct config *c)
{
        for (size_t i = 0; i < c->n_data; i++) {
                const struct data_file *was = &c->data[i];
                struct data_file is = data_look(was->path);

                if (is.mtime_ns != was->mtime_ns || is.size != was->size ||
                    is.inode != was->inode)
                        return true;
        }
        return false;
}

uint64_t
config_data_stamp(const struct config *c)
{
        uint64_t h = 1469598103934665603u; /* FNV-1a, over numbers */

        for (size_t i = 0; i < c->n_data; i++) {
                struct data_file d = data_look(c->data[i].path);

                h = (h ^ (uint64_t)d.mtime_ns) * 1099511628211u;
                h = (h ^ (uint64_t)d.size) * 1099511628211u;
                h = (h ^ d.inode) * 1099511628211u;
        }
        return h;
}
