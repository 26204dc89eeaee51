/*
 * patch_journal: the planned patches that the state file keeps until SQL has them. Private to src/migrate.
 * Threads: the main thread, or whoever has the turn.
 */
#ifndef SETTLE_MIGRATE_PATCH_JOURNAL_H
#define SETTLE_MIGRATE_PATCH_JOURNAL_H

#include "migrate/run.h"

typedef int patch_journal_fn(void *ctx, const struct state_patches *page, struct arena *a, struct err *err);
/* Page by page in the order of planning; fn may take the page's entries away. */
MUST_CHECK int patch_journal_each(struct run *r, patch_journal_fn *fn, void *ctx, struct err *err);
/* Takes these entries away. */
MUST_CHECK int patch_journal_clear(struct run *r, const struct state_patches *done, struct err *err);

#endif
