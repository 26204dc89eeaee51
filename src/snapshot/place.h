/*
 * place: where snapshots lie, what they may be called, and who may work there: one maker a directory (flock on
 * DIR/.lock). Private to src/snapshot. Threads: the main thread.
 */
#ifndef SETTLE_SNAPSHOT_PLACE_H
#define SETTLE_SNAPSHOT_PLACE_H

#include "snapshot/manifest.h"

#define PARTIAL_SUFFIX ".partial"
#define PLAIN_DIR ".plain" /* in a partial snapshot: what pg_dump wrote, before it is encrypted */
#define DUMP_DIR "dump"
#define SQLITE_FILE "target.db"
#define STATE_DIR_NAME "state"

struct place {
	const char *dir;     /* of snapshots */
	const char *path;    /* of this one */
	const char *partial; /* while it is made */
	struct slice name;
	int lock_fd; /* -1: not held */
};

const char *place_dir(const struct snapshot_env *env, struct arena *a);
/* An existing snapshot: in the directory, or a path with a '/'. ERR_NOTFOUND. */
MUST_CHECK int place_find(const struct snapshot_env *env, const char *name, struct arena *a, struct place *out,
			  struct err *err);
/* ERR_USAGE for names that cannot be. */
MUST_CHECK int place_check_name(const char *name, struct err *err);
/* Makes the directory, takes the lock (ERR_BUSY), and sweeps away what was left unfinished there. */
MUST_CHECK int place_open(const char *dir, const char *name, struct arena *a, struct place *out, struct err *err);
/* Makes the partial directory. */
MUST_CHECK int place_begin(struct place *p, struct err *err);
/* Flushes, and gives it its name. */
MUST_CHECK int place_finish(struct place *p, struct err *err);
/* As place_finish, in the place of one of that name. */
MUST_CHECK int place_replace(struct place *p, struct arena *a, struct err *err);
/* Removes the partial directory, if it is there, and gives the lock back. */
void place_close(struct place *p);

/* Threads for work on files: as many as pg_dump's jobs. */
static inline int place_jobs(const struct snapshot_env *env)
{
	return env->jobs ? env->jobs : SNAPSHOT_JOBS;
}

/* Tells env->on_step, when there is one, that the step of this name begins. */
void step(const struct snapshot_env *env, const char *name);

#endif
