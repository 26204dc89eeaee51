/*
 * known: documents that a selection names and nobody knows: neither the state file nor the target, nor the source where
 * it was asked (selection_see). Reads only, no lock. Threads: the main thread.
 */
#ifndef SETTLE_MIGRATE_KNOWN_H
#define SETTLE_MIGRATE_KNOWN_H

#include "migrate/again.h"

struct unknown_ids { /* ARENA_PUSH; ID or KIND:ID, as --select takes them; borrowed from arena and selection */
	struct slice *v;
	size_t n, cap;
};

/*
 * Those that are no documents of these classes (enum again_class); none for a selection that names no ids. Of one word
 * that can be read in two ways neither may be known, and it is told of as a whole. Without env->target the state file
 * alone is asked.
 */
MUST_CHECK int migrate_unknown(const struct migrate_env *env, const struct selection *s, unsigned classes,
			       struct arena *a, struct unknown_ids *out, struct err *err);

#endif
