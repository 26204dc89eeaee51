/*
 * patch_apply: the journaled patches into SQL, a page in one transaction: forms, the cases they touch and the rows they
 * set, and what the comparison then says. Private to src/migrate. Threads: the main thread.
 */
#ifndef SETTLE_MIGRATE_PATCH_APPLY_H
#define SETTLE_MIGRATE_PATCH_APPLY_H

#include "audit/audit.h"
#include "migrate/patching.h"
#include "migrate/run.h"

/*
 * The trail has the forms already; head is its last commit, and moves on when patches are withdrawn. resumed: another
 * run planned them, documents may have changed since. Adds to *done what came into SQL, and what was withdrawn to the
 * refused.
 */
MUST_CHECK int patch_apply(struct run *r, char head[AUDIT_ID_SIZE], int resumed, struct migrate_patched *done,
			   struct err *err);

#endif
