/*
 * verify: is the audit trail what SQL says it is, and SQL what the trail says? Reads only; no lock; memory does not
 * grow with the trail (form ids are sorted in a temporary file). Proves: the branch is one unbroken chain that ends
 * where settle_migration says; every file of every commit can be read and has the name of its contents; every patch
 * form in force is in SQL, row by row as its XML says, and the other way round; every diff block gives back the
 * document before; every patched case is what its transactions add up to; every patched plain document is what its form
 * says, unless SQL holds another revision by now; the status in SQL is that of the last event.
 *
 * Where the trail keeps digests only, the XML (with the diff block in it) is SQL's, checked by its digest; the case
 * after the patch is what SQL's transactions up to the patch add up to (a plain document stands in its form), if that
 * has the digest of the trail. When it has not, the case has changed before its patch since (a form that came late,
 * say), and whether the block still leads back cannot be told.
 */
#ifndef SETTLE_MIGRATE_VERIFY_H
#define SETTLE_MIGRATE_VERIFY_H

#include "migrate/migrate.h"

struct verify_result {
	int64_t commits, forms, findings;
	/* Forms whose diff block gave back what was before: from the document that the trail keeps, or from SQL's. */
	int64_t from_trail, from_sql;
	int64_t untold; /* ... of which it cannot be told; named in the log */
};

/* One thing that is wrong, by name. */
typedef void verify_fn(void *ctx, struct slice what);

/* Findings are no error; they come one at a time, in the same order every time. */
MUST_CHECK int migrate_verify(const struct migrate_env *env, verify_fn *fn, void *ctx, struct verify_result *out,
			      struct err *err);

#endif
