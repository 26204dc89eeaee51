/*
 * verify: is the audit trail what SQL says it is, and SQL what the trail says? Reads only; no lock.
 * Proves: the branch is one unbroken chain that ends where settle_migration says; every object of its last commit can
 * be read and has the name of its contents; every patch form in it is in SQL, row by row as its XML says, and the other
 * way round; every diff block gives back the document before; every patched case is what its transactions add up to;
 * every patched plain document is what its form says, unless SQL holds another revision by now; the status in SQL is
 * that of the last event.
 */
#ifndef SETTLE_MIGRATE_VERIFY_H
#define SETTLE_MIGRATE_VERIFY_H

#include "migrate/migrate.h"

struct verify_result {
	int64_t commits, forms, findings;
};

/* One thing that is wrong, by name. */
typedef void verify_fn(void *ctx, struct slice what);

/* Findings are no error. */
MUST_CHECK int migrate_verify(const struct migrate_env *env, verify_fn *fn, void *ctx, struct verify_result *out,
			      struct err *err);

#endif
