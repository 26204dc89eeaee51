/*
 * origin: the target while a snapshot of it is made. Holds what keeps it still: for PostgreSQL a transaction whose
 * snapshot pg_dump shares, for SQLite the writer's lock. Private to src/snapshot. Threads: the main thread.
 */
#ifndef SETTLE_SNAPSHOT_ORIGIN_H
#define SETTLE_SNAPSHOT_ORIGIN_H

#include "snapshot/crypt.h"
#include "snapshot/database.h"
#include "snapshot/domains.h"
#include "snapshot/place.h"

struct origin {
	const struct snapshot_env *env;
	struct arena *a;
	struct manifest *m; /* filled on the way */
	struct domains domains;
	struct meter meter;
	/* PostgreSQL */
	struct link *link;
	struct slice snapshot_id;
	int terminate;
	/* SQLite */
	struct lite *db;
	int lock_fd;
};

/* PostgreSQL, by pg_dump: looks, holds still, counts. */
MUST_CHECK int origin_pg_open(struct origin *o, struct err *err);
MUST_CHECK int origin_pg_dump(struct origin *o, const char *dir, struct err *err);
/* PostgreSQL, by a copy inside the server. */
MUST_CHECK int origin_template_open(struct origin *o, struct err *err);
MUST_CHECK int origin_template_make(struct origin *o, const struct place *p, struct err *err);
MUST_CHECK int origin_template_check(struct origin *o, struct err *err);
/* SQLite. */
MUST_CHECK int origin_lite_open(struct origin *o, struct err *err);
MUST_CHECK int origin_lite_copy(struct origin *o, const char *dir, struct err *err);
void origin_close(struct origin *o);

/* Rows of every table of a SQLite file. */
MUST_CHECK int lite_count(struct lite *db, struct arena *a, struct manifest_tables *out, struct err *err);
/* As lite_count, of a file that nobody else has open: reading leaves no -wal and -shm beside it. */
MUST_CHECK int lite_count_copy(const char *path, struct arena *a, struct manifest_tables *out, struct err *err);
/* Holds the lock that writers of this SQLite target take: ERR_BUSY tells who has it. */
MUST_CHECK int lite_target_lock(const char *path, struct arena *a, int *fd, struct err *err);

/* ---- what create and copy share (seal.c) ---- */

/* Encrypts every file below plain into dir, removing each plain one, then the directory; adds them to m->files. */
MUST_CHECK int seal_tree(const struct crypt_key *k, const char *plain, const char *dir, int jobs, struct manifest *m,
			 struct meter *meter, struct arena *a, struct err *err);
/* Adds to m->files what lies in dir. */
MUST_CHECK int digest_tree(const char *dir, int jobs, struct manifest *m, struct meter *meter, struct arena *a,
			   struct err *err);
/* The directories above a path below dir. */
MUST_CHECK int make_parents(const char *dir, struct slice path, struct arena *a, struct err *err);

#endif
