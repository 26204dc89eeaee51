/*
 * moment: are target and state file of one moment? Every commit that changes both carries the same mark: in the target
 * it is settle_checkpoint.updated_on, in the state file two values: the mark that the target will have, and the one it
 * has until then (the state file is committed just before, and a kill may come in between). A target or a state file
 * that was restored from an older copy is told by that, whatever else it holds. Marks are times, each later than the
 * one before. Private to src/migrate. Threads: whoever has the pipeline's turn.
 */
#ifndef SETTLE_MIGRATE_MOMENT_H
#define SETTLE_MIGRATE_MOMENT_H

#include "base/datetime.h"
#include "migrate/run.h"

enum moment_verdict { MOMENT_SAME, MOMENT_TARGET_OLDER, MOMENT_STATE_OLDER };

struct moments {             /* microseconds since 1970, 0 = nothing was written yet */
	int known;           /* 0: the state file does not say (one of an earlier settle) */
	int64_t now, before; /* in the state file */
};

/* What the state file says. */
MUST_CHECK int moments_read(struct state *s, struct arena *a, struct moments *out, struct err *err);
/* The mark of a target whose checkpoint was updated on then; SLICE_NONE: it has none. */
int64_t moment_of(struct slice updated_on);
/* The target had this mark when, or after, the state file was read. Exact when nobody writes. */
enum moment_verdict moment_judge(const struct moments *m, int64_t target);

/* Where a run goes on from: what it found in both. */
MUST_CHECK int moment_enter(struct run *r, struct sql_target *t, struct moments *m, int64_t *target, struct err *err);
/* The state file says that nothing was written: it was made just now, or a rebuild begins. */
MUST_CHECK int moment_none(struct run *r, struct err *err);
/* The mark of the commit to come, as text for the checkpoint's row, and into the state file. Inside both transactions.
 */
MUST_CHECK int moment_step(struct run *r, char text[DATETIME_TEXT_SIZE], struct err *err);
/* The same for a commit that does not put the checkpoint itself: puts its row with the mark, if there is one. */
MUST_CHECK int moment_mark(struct run *r, struct sql_target *t, struct err *err);
/* The target has committed. */
void moment_done(struct run *r);

#endif
