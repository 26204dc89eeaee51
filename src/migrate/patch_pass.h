/* patch_pass: the steps of a pass, for those who have a run. Private to src/migrate. Threads: the main thread. */
#ifndef SETTLE_MIGRATE_PATCH_PASS_H
#define SETTLE_MIGRATE_PATCH_PASS_H

#include "migrate/patching.h"
#include "migrate/run.h"

/* Finishes a pass that was killed: nothing when there is none. */
MUST_CHECK int patch_resume(struct run *r, int digests, struct err *err);
MUST_CHECK int patch_pass(struct run *r, const struct migrate_patch_options *o, struct migrate_patched *out,
			  struct err *err);

#endif
