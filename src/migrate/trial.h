/*
 * trial: a run of only some documents (--only, --limit). The migration's settings hold it from its beginning, so that it can neither be
 * committed nor be continued as a full one. Private to src/migrate.
 * Threads: reentrant.
 */
#ifndef SETTLE_MIGRATE_TRIAL_H
#define SETTLE_MIGRATE_TRIAL_H

#include "migrate/run.h"

/* {"limit":N,"only":[KIND,...]} as canonical JSON, or SLICE_NONE for a full run. */
struct slice trial_of_options(const struct migrate_options *o, struct arena *a);
/* The same from a migration's settings (JSON text or SLICE_NONE). */
struct slice trial_of_settings(struct slice settings, struct arena *a);
/* "--only A,B --limit 5", or "no --only and no --limit", for people. */
struct slice trial_shown(struct slice trial, struct arena *a);

/* What a trial run leaves out, for people; 0 for a full run. */
size_t trial_left_out(struct slice trial, const struct profile *p, struct arena *a, const struct slice **out);

/* Is this kind among those of --only? */
int trial_wants(const struct run *r, struct slice kind);
/* Documents of other kinds are skipped. The batch is prepared. */
void trial_skip(const struct run *r, struct batch *b);

#endif
