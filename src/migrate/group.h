/*
 * group: one transaction for several batches or pages in a row, on a target with a single writer (SQLite). Ids come in
 * no order, so every batch dirties most pages of the keys: written once for several batches they cost a fraction. The
 * state file's transaction spans the same batches and is committed first, as for a single batch.
 * A group ends when it is as large as GROUP_BATCHES full batches or GROUP_US old, and with the pass.
 * Threads: whoever has the pipeline's turn; group_finish after the pipeline has ended.
 */
#ifndef SETTLE_MIGRATE_GROUP_H
#define SETTLE_MIGRATE_GROUP_H

#include "migrate/run.h"

/* Opens the transactions unless they are open. */
MUST_CHECK int group_begin(struct run *r, struct sql_target *t, struct err *err);
/* Something of this size (bytes, documents) is written; commits when that makes the group full. */
MUST_CHECK int group_add(struct run *r, size_t bytes, size_t docs, struct err *err);
/* Every case up to this id was compared in the group: not pending any more once it is committed. */
void group_compared(struct run *r, struct slice high);
/* Undoes everything since the last commit. Nothing open: nothing happens. */
void group_abandon(struct run *r);
/*
 * The pass ended with rc: commits what is open, whatever rc is, as it holds whole batches only (one that failed has
 * abandoned its group). Returns rc, or why it could not commit.
 */
MUST_CHECK int group_finish(struct run *r, int rc, struct err *err);

#endif
