/*
 * patch_document: patches of plain documents. The form holds the document as the source tells it, and the patch sets
 * the row to it; the diff block says what SQL held before. A patch is stale when the row is no longer what was planned
 * for, or does not take what it is set to. Private to src/migrate. Threads: planning by whoever reads pages, setting by
 * whoever has the turn.
 */
#ifndef SETTLE_MIGRATE_PATCH_DOCUMENT_H
#define SETTLE_MIGRATE_PATCH_DOCUMENT_H

#include "migrate/patch_case.h"

/* Are documents of this kind patched by setting their row? */
int patch_sets_kind(const struct run *r, struct slice kind);
/*
 * Plans those of the page that are plain documents: as patch_cases_plan, which calls it. ERR_USAGE when there are some,
 * and no source to ask for them.
 */
MUST_CHECK int patch_documents_plan(struct run *r, struct patch_cases *page, int64_t now, struct err *err);

enum patch_set_fate { PATCH_SET_PLANNED, PATCH_SET_DONE, PATCH_SET_STALE };

struct patch_set { /* one row to set */
	const struct state_patch *planned;
	const struct patch_rows *form;
	struct slice before, after; /* digests */
	enum patch_set_fate fate;
	struct slice diffs, ignored; /* of the row as it is then */
};

struct patch_sets { /* in order of id */
	struct patch_set *v;
	size_t n, cap;
};

MUST_CHECK int patch_sets_add(struct patch_sets *sets, const struct state_patch *planned, const struct patch_rows *form,
			      struct arena *a, struct err *err);
/* The row was set by an earlier run: nothing is to be done. */
void patch_sets_done(struct patch_sets *sets, struct slice id);
int patch_sets_stale(const struct patch_sets *sets, struct slice id);
/* Inside the caller's transaction, which must be rolled back when one is stale then. */
MUST_CHECK int patch_sets_store(struct run *r, struct sql_target *t, struct patch_sets *sets, struct arena *a,
				struct err *err);
/* What the comparison says, inside the state file's batch. */
MUST_CHECK int patch_sets_record(struct run *r, const struct patch_sets *sets, struct err *err);

#endif
