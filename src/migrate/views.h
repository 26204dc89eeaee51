/*
 * views: the profile's typed columns as views in the target. Private to src/migrate. Threads: the main thread.
 */
#ifndef SETTLE_MIGRATE_VIEWS_H
#define SETTLE_MIGRATE_VIEWS_H

#include "migrate/run.h"

/* Outside of a transaction. */
MUST_CHECK int run_make_views(struct run *r, struct err *err);

#endif
