/*
 * patch_withdraw: planned patch forms that no longer fit their document, because it has changed between a killed pass
 * and its end, or because its row does not take what it is set to. Private to src/migrate. Threads: the main thread.
 * patch_withdraw: planned patch forms that no longer fit their case, because it has changed between a killed pass and
 * its end. Private to src/migrate. Threads: the main thread.
 */
#ifndef SETTLE_MIGRATE_PATCH_WITHDRAW_H
#define SETTLE_MIGRATE_PATCH_WITHDRAW_H

#include "audit/audit.h"
#include "migrate/run.h"

/*
 * Takes the forms out of the trail's tree by an event that names them, and marks their cases as touched; head becomes
 * that event. They must not be in SQL; no transaction may be open. The journal is left to the caller: killed before it
 * is cleared, all this happens once more.
 */
MUST_CHECK int patch_withdraw(struct run *r, const struct state_patches *stale, char head[AUDIT_ID_SIZE],
			      struct err *err);
/*
 * The same for forms of the trail that the target does not hold: it was restored from an older copy. For a rebuild,
 * before cases are compared. No transaction may be open.
 */
MUST_CHECK int patch_withdraw_lost(struct run *r, struct err *err);

#endif
