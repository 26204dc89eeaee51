/*
 * rules_used: with which rules the stored differences were made. The state file keeps, for cases and for the other documents, the
 * distinct lists of rules that were in force when something was recorded. Private to src/migrate.
 * Threads: one thread at a time per state handle.
 */
#ifndef SETTLE_MIGRATE_RULES_USED_H
#define SETTLE_MIGRATE_RULES_USED_H

#include "migrate/again.h"
#include "state/state.h"

/* From here on something is recorded with the profile's rules, beside what is there. */
MUST_CHECK int rules_used_add(struct state *s, const struct profile *p, enum again_class c, struct err *err);
/* Everything was compared with the profile's rules. */
MUST_CHECK int rules_used_only(struct state *s, const struct profile *p, enum again_class c, struct err *err);

enum rules_verdict {
	RULES_SAME,  /* stored differences were made with these rules */
	RULES_ADDED, /* rules were added that only drop differences: stored ones tell what they drop */
	RULES_OTHER, /* only comparing again tells */
};

struct rules_judgement {
	enum rules_verdict verdict;
	struct slice rule; /* RULES_OTHER: the one that needs it, and why, in the arena */
};

MUST_CHECK int rules_used_judge(struct state *s, const struct profile *p, enum again_class c, struct arena *a,
				struct rules_judgement *out, struct err *err);

#endif
