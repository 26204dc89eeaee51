/*
 * sql_only: cases that only SQL has, when `migrate --forms=missing` looks at them (BEHAVIOUR section 14). What the source has decides: of
 * their forms those that it does not have any more are deleted, as by a tombstone; a case that is left with forms is marked deleted, and
 * counts as one of the profile's deleted kind from then on. A profile without such a kind leaves it as it is.
 * Private to src/migrate. Threads: the main thread, while no pass runs.
 */
#ifndef SETTLE_MIGRATE_SQL_ONLY_H
#define SETTLE_MIGRATE_SQL_ONLY_H

#include "migrate/session.h"

struct sql_only {
	struct state_id_list cases, forms; /* in the owner's arena; forms without patch forms */
};

/* Adds the case and its forms. */
MUST_CHECK int sql_only_add(struct run *r, struct slice case_id, struct arena *a, struct sql_only *out, struct err *err);
/* absent: 1 when the source was asked and does not have the document. */
typedef int sql_only_absent(const void *ctx, struct slice id);
MUST_CHECK int sql_only_settle(struct run *r, const struct sql_only *s, sql_only_absent *absent, const void *ctx, struct err *err);

/* After the state file was lost and the feed was read again: the marks that the rows of the target tell of. */
MUST_CHECK int sql_only_remember(struct run *r, struct err *err);

/* Is this spooled tombstone the mark of such a case, and none of the source? */
int sql_only_is_mark(const struct run *r, const struct state_case *spooled);

#endif
