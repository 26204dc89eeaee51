/*
 * patch_planning: the first half of a patch pass: every document of a list that is to be patched is planned and
 * journaled in the state file, or refused with the reason (logged). Private to src/migrate. Threads: called from the
 * main thread; a pipeline inside.
 */
#ifndef SETTLE_MIGRATE_PATCH_PLANNING_H
#define SETTLE_MIGRATE_PATCH_PLANNING_H

#include "migrate/patching.h"
#include "migrate/run.h"

/* which: STATE_DIFFS takes changes along, STATE_CHANGES leaves out what has diffs (unless o->only_changes). *refused
 * grows. */
MUST_CHECK int patch_plan_list(struct run *r, const struct migrate_patch_options *o, enum state_list which,
			       int64_t *refused, struct err *err);

#endif
