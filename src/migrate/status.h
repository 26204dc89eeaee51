/*
 * status: the domain's row in settle_migration and its checkpoint, as structs; and the target opened to read them.
 * Private to src/migrate. Threads: one thread at a time per target handle.
 */
#ifndef SETTLE_MIGRATE_STATUS_H
#define SETTLE_MIGRATE_STATUS_H

#include "migrate/lifecycle.h"
#include "migrate/migrate.h"
#include "sql/target.h"

struct status {
	int exists;
	enum life_status life; /* LIFE_NOT_STARTED when there is no row */
	int was_live;
	struct slice id; /* of this migration: the state file holds the same; SLICE_NONE before the first run */
	struct slice source, source_identity, profile, settings;
	struct slice settings_now; /* of this run */
	struct sql_row row;        /* as read, to be changed and put back */
};

struct checkpoint {
	int exists;
	struct slice seq; /* JSON text or SLICE_NONE */
	int64_t pass;     /* odd: under way; even: came to its end; 0: none yet */
	struct migrate_counters counters;
	struct slice updated_on; /* canonical; the mark of the last commit (moment.h) */
};

/* The target for reading, by itself: no lock, no run. May have no tables of settle. */
MUST_CHECK int status_open(const struct migrate_env *env, struct sql_target **out, struct err *err);
/* The same; ERR_NOTFOUND when it has none. *out is to be closed in either case. */
MUST_CHECK int status_open_made(const struct migrate_env *env, struct sql_target **out, struct err *err);

/* The rows (one or none) of a table whose key is the domain. */
MUST_CHECK int status_row(struct sql_target *t, const struct sql_table *table, struct slice domain, struct arena *a,
			  struct sql_rows *out, struct err *err);
MUST_CHECK int status_read(struct sql_target *t, struct slice domain, struct arena *a, struct status *out,
			   struct err *err);
/* Puts s->row with the fields of s. Needs a transaction. */
MUST_CHECK int status_write(struct sql_target *t, struct slice domain, struct arena *a, const struct status *s,
			    struct err *err);
MUST_CHECK int checkpoint_read(struct sql_target *t, struct slice domain, struct arena *a, struct checkpoint *out,
			       struct err *err);
struct status_settings {
	struct slice id;    /* or SLICE_NONE */
	struct slice trial; /* trial.h, or SLICE_NONE */
	unsigned without;   /* without.h */
};
/* The settings of a migration as canonical JSON: {"id":..., "mapping":digest, "trial":..., "without":[...]}. */
struct slice status_settings_text(const struct migrate_env *env, const struct status_settings *s, struct arena *a);

#endif
