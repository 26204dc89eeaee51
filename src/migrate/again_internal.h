/*
 * What the files that compare again share, and what the case pass tells them. Private to src/migrate.
 * Threads: again_outcome runs with the pipeline's turn.
 */
#ifndef SETTLE_MIGRATE_AGAIN_INTERNAL_H
#define SETTLE_MIGRATE_AGAIN_INTERNAL_H

#include "migrate/again.h"
#include "migrate/lifecycle.h"
#include "migrate/run.h"

struct again { /* one comparing again */
	const struct selection *selection;
	int narrowed; /* of the selection only what has differences or changes now: nothing else can have another outcome */
	const struct again_look *look;
	int (*changed)(void *ctx, const struct refilter_change *c, struct err *err); /* or NULL */
	void *changed_ctx;
	struct again_result *result;
};

/* Counts an outcome, and tells of it when it is another than `state` knows; before the state file is changed. */
MUST_CHECK int again_outcome(struct run *r, struct state *state, const struct state_doc *doc, int missing, struct err *err);
/* How many differences a stored list holds. */
size_t again_count(struct slice list, struct arena *a);

/* The cases, or the forms and documents, of a run that is open for recording (r->state) or looking (not). */
MUST_CHECK int again_cases(struct run *r, struct err *err);
MUST_CHECK int again_forms(struct run *r, struct err *err);
/* After forms were recorded: the cases that depend on them. */
MUST_CHECK int again_settle_cases(struct run *r, struct err *err);
/* Both, as asked, opened and closed; look != 0 only looks. */
MUST_CHECK int again_run(const struct migrate_env *env, unsigned classes, struct again *again, int look,
			 enum life_command command, struct err *err);

/* ---- ids (again_ids.c) ---- */

struct again_ids;

/* The ids of cases that the selection may name, each once, in byte order except where the state file's lists are read. */
MUST_CHECK int again_ids_open(struct again_ids **out, struct run *r, struct err *err);
/* SLICE_NONE at the end; borrowed until the next call. */
MUST_CHECK int again_ids_next(struct again_ids *ids, struct slice *id, struct err *err);
void again_ids_close(struct again_ids *ids); /* NULL allowed */

#endif
