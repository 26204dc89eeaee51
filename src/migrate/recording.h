/*
 * recording: what a recorded feed held of the domain when a pass read it whole, as a digest of ids, revisions and
 * deletions in the state file, so that commit can tell whether it was recorded anew since. Private to src/migrate.
 * Threads: whoever has the pipeline's turn.
 */
#ifndef SETTLE_MIGRATE_RECORDING_H
#define SETTLE_MIGRATE_RECORDING_H

#include "migrate/run.h"

/* A pass begins. A server's feed is not looked at: nor are the others then. */
void recording_begin(struct run *r);
/* A prepared batch, in feed order. */
void recording_add(struct run *r, const struct batch *b);
/* The pass came to its end. */
MUST_CHECK int recording_end(struct run *r, struct err *err);
/* Reads the file again. *same = 0 when it holds something else of the domain than the last pass read, or nothing is
 * known of that. A pipe (file:-) cannot be read again: it is the same. */
MUST_CHECK int recording_is_same(struct run *r, int *same, struct err *err);

#endif
