/*
 * restore: the way back, step by step. The journal, STATE_DIR/restore/KEY.json, says what a restore of this target was
 * begun with and which steps are done; it is written durably after each. Private to src/snapshot. Threads: the main
 * thread.
 */
#ifndef SETTLE_SNAPSHOT_RESTORE_H
#define SETTLE_SNAPSHOT_RESTORE_H

#include "snapshot/crypt.h"
#include "snapshot/database.h"
#include "snapshot/domains.h"
#include "snapshot/origin.h"
#include "snapshot/place.h"
#include "snapshot/verify.h"

struct journal { /* slices live in the arena */
	const char *path;
	int exists;
	int finished;
	struct slice snapshot, sha256, stamp, target;
	struct slice database, fresh, old;
	struct json domains; /* names whose state files go back or away */
	struct json done;    /* names of steps */
	struct slice begun;  /* the step that was begun last */
};

/* The journal of this target, there or not. */
MUST_CHECK int journal_read(const struct snapshot_env *env, struct arena *a, struct journal *j, struct err *err);
MUST_CHECK int journal_write(struct journal *j, struct arena *a, struct err *err);
int journal_has(const struct journal *j, const char *step);
/* Takes the step and all that follow it in steps[] out of what is done. */
void journal_forget(struct journal *j, const struct snapshot_plan *p, int from, struct arena *a);

struct restore {
	const struct snapshot_env *env;
	const struct snapshot_restore_options *options;
	struct arena *a;
	struct place place;
	struct manifest m;
	struct slice sha256;
	struct journal j;
	struct snapshot_plan *plan;
	struct meter meter;
	struct link *server; /* PostgreSQL: a connection beside the target */
	int lock_fd;         /* SQLite: the writer's lock */
	int doing;           /* 0: only the plan */
	int verified;        /* by this call */
	struct slice stamp;  /* of the plan that was shown */
};

struct restore_step {
	const char *name, *what;
	int (*run)(struct restore *r, struct err *err);
};

/* What differs between engines; steps end with one without a name. */
struct restore_engine {
	const struct restore_step *steps;
	/* Names of what is replaced, filled and kept, for a new restore; and whose state files are touched. */
	int (*begin)(struct restore *r, struct domains *now, struct err *err);
	int (*open)(struct restore *r, struct err *err);
	/* Who is in the way; *r->plan gets clients and missing roles. */
	int (*look)(struct restore *r, struct err *err);
	int (*drop_fresh)(struct restore *r, struct err *err);
};
extern const struct restore_engine restore_pg, restore_lite;

/* ---- steps of both engines ---- */

MUST_CHECK int restore_verify(struct restore *r, struct err *err);
MUST_CHECK int restore_states(struct restore *r, struct err *err);
MUST_CHECK int restore_note(struct restore *r, struct err *err);
/* A file of the snapshot, read once more and compared with the manifest, decrypted if it must be. name: its path without
 * the suffix. */
MUST_CHECK int restore_file(struct restore *r, struct slice name, const char *to, struct err *err);
/* The snapshot's dump/ as plain files: *dir is it, or a directory of its own that restore_plain_end removes. */
MUST_CHECK int restore_plain(struct restore *r, const char **dir, struct err *err);
void restore_plain_end(struct restore *r);

#endif
