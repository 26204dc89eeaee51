/*
 * identity: is the source still the database that this migration began with? Private to src/migrate.
 * Threads: identity_still_same may be called by the thread that reads the feed; it touches nothing of the run but what
 * is read-only.
 */
#ifndef SETTLE_MIGRATE_IDENTITY_H
#define SETTLE_MIGRATE_IDENTITY_H

#include "migrate/run.h"

/* Asks the server: JSON text in the arena. ERR_SOURCE when there is no such database. */
MUST_CHECK int identity_ask(const struct run *r, struct arena *a, struct slice *out, struct err *err);

/*
 * ERR_STATE when `was` and `is` are two databases: names or times of creation differ, or, where the server tells no
 * time of creation, the servers. Nodes of one cluster may each have a uuid of their own.
 */
MUST_CHECK int identity_compare(struct slice was, struct slice is, struct err *err);

/* Asks again: ERR_STATE when the database is no more what it was when `run`, a struct run, began. */
MUST_CHECK int identity_still_same(void *run, struct err *err);

#endif
