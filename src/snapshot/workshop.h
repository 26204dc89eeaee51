/*
 * workshop: where a copy that leaves something behind is made: STATE_DIR/copy/work.partial, which nobody else may read,
 * and for PostgreSQL a database beside the target that only its owner may connect to. What is not masked is there and
 * nowhere else: never in the directory that the copy goes to. STATE_DIR/copy/database.json names the database from
 * before it is made until after it is dropped; whoever next holds the lock (flock on STATE_DIR/copy/.lock) drops what a
 * call that was killed left there. Private to src/snapshot. Threads: the main thread.
 */
#ifndef SETTLE_SNAPSHOT_WORKSHOP_H
#define SETTLE_SNAPSHOT_WORKSHOP_H

#include "snapshot/database.h"
#include "snapshot/place.h"

struct workshop {
	const struct snapshot_env *env;
	struct arena *a;
	struct place place;    /* place.partial: the directory */
	struct slice database; /* SLICE_NONE: none is there */
	const char *record;
	struct link *server; /* NULL until workshop_connect */
};

#define WORKSHOP_INIT               \
	{                           \
		.place.lock_fd = -1 \
	}

/* ERR_BUSY while another copy is made; ERR_STATE when a database is left in another server. */
MUST_CHECK int workshop_open(struct workshop *w, const struct snapshot_env *env, struct arena *a, struct err *err);
/* The server, once: who drops what was left has connected already. */
MUST_CHECK int workshop_connect(struct workshop *w, struct err *err);
/* Makes the database, with owner and locale as the properties say. */
MUST_CHECK int workshop_make_database(struct workshop *w, const struct json *properties, struct err *err);
MUST_CHECK int workshop_drop_database(struct workshop *w, struct err *err);
/* Drops what is left, and gives the lock back. What cannot be dropped is logged, and stays for the next call. */
void workshop_close(struct workshop *w);

/* What a killed call left: "" for nothing, else words about it. */
MUST_CHECK int workshop_leftovers(const struct snapshot_env *env, struct arena *a, struct slice *out, struct err *err);
/* Takes it away. ERR_USAGE when that needs a --target. */
MUST_CHECK int workshop_sweep(const struct snapshot_env *env, struct arena *a, struct err *err);

#endif
