/*
 * origin: who wrote a document and when, as the target tells it. Reads only.
 * Threads: one thread at a time per handle.
 */
#ifndef SETTLE_MIGRATE_ORIGIN_H
#define SETTLE_MIGRATE_ORIGIN_H

#include "migrate/migrate.h"

struct origin { /* SLICE_NONE: not known, or SQL has no such document */
	struct slice user_id, server_date;
};

struct origins;

MUST_CHECK int origins_open(struct origins **out, const struct migrate_env *env, struct err *err);
/* out[i] for items[i]; slices in the arena. */
MUST_CHECK int origins_of(struct origins *o, const struct state_item *items, size_t n, struct arena *a, struct origin *out,
			  struct err *err);
void origins_close(struct origins *o); /* NULL allowed */

#endif
