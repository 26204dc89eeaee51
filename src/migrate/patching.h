/*
 * patching: patch passes and what can be asked about patch forms afterwards.
 *
 * Order of a pass: every document is planned and journaled in the state file (form id, XML, time, the case it will lead
 * to) | one commit in the audit trail holds them all | page by page the forms, their transactions and the cases go into
 * SQL in one transaction (plain documents: the row is set), the documents are compared again, and the state file is
 * told just before the commit | the journal's entries go, with the next page's. A pass that was killed is finished first by the next one, and
 * by any migrate: the same forms, each once; but those whose case has changed since, so that they would lead elsewhere
 * than was planned, are withdrawn (patch_withdraw.h). Threads: called from the main thread; planning and storing are pipelines.
 */
#ifndef SETTLE_MIGRATE_PATCHING_H
#define SETTLE_MIGRATE_PATCHING_H

#include "migrate/migrate.h"

typedef int migrate_filter_fn(void *ctx, struct slice kind, struct slice id); /* 1 = take it */

struct migrate_patch_options {
	migrate_filter_fn *filter; /* NULL = everything */
	void *ctx;
	int only_diffs, only_changes; /* documents that have diffs (changes) only */
	int digests;                  /* --audit-content=digest: the trail gets digests instead of contents */
};

struct migrate_patched { /* documents */
	int64_t patched, refused;
};

MUST_CHECK int migrate_patch(const struct migrate_env *env, const struct migrate_patch_options *o,
			     struct migrate_patched *out, struct err *err);
/* What a pass would do with one document, as JSON; writes nothing. ERR_NOTFOUND: nothing is known to differ in it. */
MUST_CHECK int migrate_patch_preview(const struct migrate_env *env, struct slice id, struct arena *a, struct json *out,
				     struct err *err);

struct migrate_patch_form { /* borrowed until the function that got it returns */
	struct slice form_id, kind, id, received_on;
	const struct json *block;
};
typedef int migrate_patch_fn(void *ctx, const struct migrate_patch_form *f, struct err *err);
/*
 * Every patch form that SQL holds, by form id, a page at a time. A callback that returns an error code ends it with
 * that. ERR_STATE: the target knows nothing of the domain.
 */
MUST_CHECK int migrate_patch_list(const struct migrate_env *env, migrate_patch_fn *fn, void *ctx, struct err *err);
/* The SQL-side JSON before that patch, JSON null when there was none. ERR_NOTFOUND: no such patch form. */
MUST_CHECK int migrate_patch_reconstruct(const struct migrate_env *env, struct slice form_id, struct arena *a,
					 struct json *out, struct err *err);

#endif
