/*
 * Inside of fsck: what its files share. Nobody else includes this.
 *
 * fsck.c        reaching the store, looking twice, repairing, the report
 * fsck_walk.c   one look: all keys, through fsck.lua
 * fsck_blob.c   the raw bytes that messages and quarantine name
 */
#ifndef HELPLINE_QUEUE_FSCK_IMPL_H
#define HELPLINE_QUEUE_FSCK_IMPL_H

#include <hiredis/hiredis.h>
#include <stdint.h>

#include "daemon/base/arena.h"
#include "daemon/model/message.h"
#include "queue/fsck.h"

struct fsck_raw { /* a reference to raw bytes, and who has it */
        struct blob_ref ref;
        const char *who; /* "t:1042.1" */
        bool is_found; /* the walk came by */
        bool is_sound; /* with the right length and digest */
};

struct fsck { /* one look */
        redisContext *redis;
        struct arena *a; /* of this look: lines, names */
        const char *state_dir;
        char sha[41]; /* of fsck.lua */
        bool fix; /* repair on the way */
        const char **lines; /* differences, sorted and once each after the look */
        size_t n_lines;
        struct fsck_raw *raws; /* sorted by place once all are known */
        size_t n_raws;
        uint64_t n_tickets; /* looked at */
        uint64_t n_orphans; /* records that nothing names */
        uint64_t orphan_bytes;
        struct err err; /* why the look had to be given up */
};

/* A command and its answer (freeReplyObject it), or NULL with f->err. Errors of
 * Redis count as NULL. */
redisReply *fsck_ask(struct fsck *f, int argc, const char **argv, const size_t *lens);
void
fsck_line(struct fsck *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* All keys. -1 with f->err. */
int fsck_walk(struct fsck *f);
/* Notes who names these bytes. */
void fsck_raw_add(struct fsck *f, const struct blob_ref *ref, const char *who);
/* Are all that were noted there and sound? */
int fsck_blobs(struct fsck *f);

#endif
