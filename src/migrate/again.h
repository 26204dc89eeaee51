/*
 * again: comparing documents again that were migrated before. Cases are compared from the spool with their rows by the code of the
 * migration; events and plain documents are read from the source once more and compared with their rows, provided that the source
 * still holds the revision that SQL holds (otherwise the next `migrate` brings the newer one, and they are counted as left).
 *
 * Two ways: recording (takes the domain lock, replaces what the state file knows of each document) and looking (opens everything
 * for reading only and hands each result to a callback). Recorded or not, the same rules and the same code answer.
 * Threads: the main thread; recording cases uses the workers of the case pass.
 */
#ifndef SETTLE_MIGRATE_AGAIN_H
#define SETTLE_MIGRATE_AGAIN_H

#include "migrate/migrate.h"
#include "migrate/selection.h"

enum again_class { AGAIN_CASES = 1u << 0, AGAIN_FORMS = 1u << 1 }; /* AGAIN_FORMS: events and plain documents */

struct again_doc { /* what was found; borrowed during the callback */
	struct slice kind, id;
	struct slice diffs, changes;         /* JSON arrays, SLICE_NONE = none */
	int missing;
};

struct again_look { /* callbacks, either may be NULL; they return 0 or an error code with err set */
	int (*found)(void *ctx, const struct again_doc *d, struct err *err);
	/* every difference that a rule dropped, document by document */
	int (*ignored)(void *ctx, struct slice kind, struct slice id, const struct ignored_list *ignored, struct err *err);
	void *ctx;
};

struct again_result {
	int64_t compared;               /* documents */
	int64_t diffs, changes, missing; /* documents with them, of those compared */
	int64_t left;                   /* not compared: the source holds another revision, or none, or cases still wait */
	int recorded;
};

/*
 * Compares again and records. A domain whose status is complete is only looked at (look must be given then). ERR_USAGE when forms
 * are asked for and there is no source.
 */
MUST_CHECK int migrate_again(const struct migrate_env *env, unsigned classes, const struct selection *selection,
			     const struct again_look *look, struct again_result *out, struct err *err);
/* Compares again and records nothing, whatever the status. */
MUST_CHECK int migrate_look(const struct migrate_env *env, unsigned classes, const struct selection *selection,
			    const struct again_look *look, struct again_result *out, struct err *err);

/* ---- applying changed rules to what is stored (refilter.c) ---- */

struct refilter_change { /* a document whose differences are others now */
	struct slice kind, id;
	size_t diffs_before, diffs_after, changes_before, changes_after;
};

enum refilter_flags { REFILTER_DRY_RUN = 1u << 0, REFILTER_CHANGES = 1u << 1 /* only documents with changes */ };

/*
 * Applies the current rules to stored differences. What a rule change means can be told from stored differences when rules were
 * only added that drop differences; anything else (a rule taken away, another, a replacing one) needs the comparison again: cases
 * are compared again from the spool, forms when there is a source. Without one ERR_STATE names the rule, and nothing is changed.
 */
MUST_CHECK int migrate_refilter(const struct migrate_env *env, const struct selection *selection, enum refilter_flags flags,
				int (*changed)(void *ctx, const struct refilter_change *c, struct err *err), void *ctx,
				struct again_result *out, struct err *err);

#endif
