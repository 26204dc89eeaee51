/*
 * accept: `commit --accept-differences` lists each document that is left into the audit trail, a file each: accepted/ab/cd/ID.json with kind,
 * id, what is left ("diffs", "changes", "missing", "rejected") and the differences or the reason. Private to src/migrate.
 * Threads: the main thread.
 */
#ifndef SETTLE_MIGRATE_ACCEPT_H
#define SETTLE_MIGRATE_ACCEPT_H

#include "migrate/session.h"

/* The event of a commit that accepts what is left; none may be open. */
MUST_CHECK int accept_event(struct run *r, enum life_status to, struct err *err);

#endif
