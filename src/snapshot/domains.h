/*
 * domains: which migrations live in a target, and which state files are theirs. Private to src/snapshot. Threads: the
 * main thread.
 */
#ifndef SETTLE_SNAPSHOT_DOMAINS_H
#define SETTLE_SNAPSHOT_DOMAINS_H

#include "lite/lite.h"
#include "snapshot/link.h"
#include "snapshot/snapshot.h"

struct domain {
	struct slice name, status, checkpoint, id; /* id: of the migration; SLICE_NONE before its first run */
	struct slice epoch;                        /* raised whenever a writer begins */
};
struct domains { /* ARENA_PUSH */
	struct domain *v;
	size_t n, cap;
};

/* In every schema that holds settle's tables. */
MUST_CHECK int domains_of_link(struct link *l, struct arena *a, struct domains *out, struct err *err);
MUST_CHECK int domains_of_lite(struct lite *db, struct arena *a, struct domains *out, struct err *err);
/* Has no writer begun since? */
int domains_same_epochs(const struct domains *before, const struct domains *after);
/* Keeps migrations from beginning until the transaction of l ends. */
MUST_CHECK int domains_hold(struct link *l, struct arena *a, struct err *err);

/* *path = the state file that belongs to this migration, or NULL: there is none, or it is another target's. */
MUST_CHECK int domain_state(const struct snapshot_env *env, const struct domain *d, struct arena *a, const char **path,
			    struct err *err);

#endif
