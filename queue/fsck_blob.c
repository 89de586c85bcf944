/*
 * The raw bytes: whatever a message or a quarantined mail names must be there, whole
 * and of the right digest. Bytes that nobody names are orphans: written, and then
 * the process died before its put, or the mail is on its way right now. They are
 * told and left alone.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "queue/blob.h"
#include "queue/fsck_impl.h"

void
fsck_raw_add(struct fsck *f, const struct blob_ref *ref, const char *who)
{
        if (ref->segment == 0)
                return;
        f->raws = arena_grow(f->a, f->raws, f->n_raws, sizeof *f->raws);
        f->raws[f->n_raws].ref = *ref;
        f->raws[f->n_raws].who = arena_strdup(f->a, who);
        f->raws[f->n_raws].is_found = f->raws[f->n_raws].is_sound = false;
        f->n_raws++;
}

static int
raw_compare(const void *a, const void *b)
{
        const struct blob_ref *x = &((const struct fsck_raw *)a)->ref;
        const struct blob_ref *y = &((const struct fsck_raw *)b)->ref;

        if (x->segment != y->segment)
                return x->segment < y->segment ? -1 : 1;
        if (x->offset != y->offset)
                return x->offset < y->offset ? -1 : 1;
        return 0;
}

static void
fsck_on_record(void *arg, const struct blob_ref *ref, bool ok)
{
        struct fsck *f = arg;
        struct fsck_raw key = {.ref = *ref}, *r, *end = f->raws + f->n_raws;

        r = f->n_raws == 0
                ? NULL
                : bsearch(&key, f->raws, f->n_raws, sizeof *f->raws, raw_compare);
        if (r == NULL) {
                f->n_orphans++;
                f->orphan_bytes += ref->length;
                return;
        }
        while (r > f->raws && raw_compare(r - 1, &key) == 0)
                r--;
        for (; r < end && raw_compare(r, &key) == 0; r++) {
                r->is_found = true;
                r->is_sound = ok && r->ref.length == ref->length &&
                              strcmp(r->ref.sha256, ref->sha256) == 0;
        }
}

int
fsck_blobs(struct fsck *f)
{
        const char *dir = arena_printf(f->a, "%s/blobs", f->state_dir);

        if (f->n_raws > 0)
                qsort(f->raws, f->n_raws, sizeof *f->raws, raw_compare);
        if (blobs_walk(dir, fsck_on_record, f, &f->err) == -1)
                return -1;
        for (size_t i = 0; i < f->n_raws; i++) {
                const struct fsck_raw *r = &f->raws[i];

                if (!r->is_sound)
                        fsck_line(f, "%s raw %" PRIu32 ":%" PRIu64 ":%" PRIu64 " %s",
                            r->who, r->ref.segment, r->ref.offset, r->ref.length,
                            r->is_found ? "damaged" : "missing");
        }
        return 0;
}
