/*
 * session: how a command gets at a migration and how it may change its status. Private to src/migrate.
 * Threads: the main thread.
 */
#ifndef SETTLE_MIGRATE_SESSION_H
#define SETTLE_MIGRATE_SESSION_H

#include "migrate/lifecycle.h"
#include "migrate/run.h"
#include "migrate/status.h"

enum run_open_flags {
	RUN_WITH_SOURCE = 1u << 0, /* reach the source first, so that nothing is written when it does not answer */
	RUN_LOOK = 1u << 1,        /* for reading only: no lock, no targets; `lister` and `lister_state` */
};

/* Settings and nothing open. run_release gives it back. */
void run_init(struct run *r, const struct migrate_env *env, const struct migrate_options *o);
/*
 * Takes the domain lock and opens targets and state file, for this command: one that does not begin a migration is
 * refused as run_enter would refuse it, and makes neither tables nor files. After an error run_release is called all
 * the same. o may be NULL.
 */
MUST_CHECK int run_open(struct run *r, const struct migrate_env *env, enum life_command command,
			const struct migrate_options *o, enum run_open_flags flags, struct err *err);
/* The status, without a lock and without run_open (r->env is set): LIFE_NOT_STARTED where there are no tables. */
MUST_CHECK int run_read_status(struct run *r, struct status *s, struct err *err);
MUST_CHECK int run_open_state(struct run *r, struct err *err);
void run_release(struct run *r);
int run_from_server(const struct run *r);

/* May `command` run? ERR_STATE if not. *s is the status as it is, *to the one the command leads to. Makes sure that
 * target and state file belong to one migration, and that settings are those it began with. Writes nothing to the
 * target. */
MUST_CHECK int run_enter(struct run *r, enum life_command command, struct status *s, enum life_status *to,
			 struct err *err);
enum state_fit { /* of the state file, with the target */
		 STATE_FITS,
		 STATE_IS_NONE,     /* there is none, or it knows of no migration */
		 STATE_IS_ANOTHERS, /* of another migration into this target */
		 STATE_IS_NEWER,    /* than the target */
		 STATE_IS_OLDER,
};
/* The same without writing anything. r->targets[0] and r->state (NULL: there is none) may be read-only; *s was read. */
MUST_CHECK int run_foresee(struct run *r, enum life_command command, struct status *s, enum life_status *to,
			   enum state_fit *fit, struct err *err);
/* What `migrate` with these options asks for. */
enum life_command run_command_of(const struct migrate_options *o);
/* Was the state file lost, and is what it held not all found again? The migration is then no whole one, whoever goes on
 * with it. */
MUST_CHECK int run_is_rebuilding(struct run *r, int *rebuilding, struct err *err);
MUST_CHECK int run_rebuilt(struct run *r, struct err *err);
MUST_CHECK int run_set_status(struct run *r, struct status *s, enum life_status to, struct err *err);

/* ---- documents by id (forms.c) ---- */
/* The documents that the options name, from the source, and then the cases they touch. *absent as in struct
 * migrate_outcome. */
MUST_CHECK int run_forms(struct run *r, int64_t *absent, struct err *err);

/* ---- the feed (pass.c) ---- */
MUST_CHECK int run_open_feed(struct run *r, enum couch_feed_kind kind, struct err *err);
/* Reads the feed from the checkpoint to its end. */
MUST_CHECK int run_pass(struct run *r, struct err *err);
/* What becomes of each document. */
void run_prepare(struct run *r, struct batch *b);
/* One prepared batch outside of the pipeline, written and committed; ERR_SOURCE when --max-rejects is passed. */
MUST_CHECK int run_batch_alone(struct run *r, struct batch *b, struct err *err);
/* Stays on the continuous feed until stopped (follow.c). */
MUST_CHECK int run_follow(struct run *r, struct err *err);
/* Proves the source quiet and leaves the live phase (finish.c). *s as run_enter gave it. */
MUST_CHECK int run_finish(struct run *r, struct status *s, struct err *err);
/*
 * Reads from the checkpoint to the end of the feed. With `take` what comes is migrated, else only looked at, up to the
 * first document of the domain. *first = that document, in r->arena, or SLICE_NONE. A file has no more.
 */
MUST_CHECK int run_read_on(struct run *r, int take, struct slice *first, struct err *err);
/* Reads on again and again until `seconds` have passed or something of the domain has come: *busy, as for run_read_on.
 */
MUST_CHECK int run_listen(struct run *r, double seconds, int take, struct slice *busy, struct err *err);
/* ERR_STOPPED when stopped meanwhile. */
MUST_CHECK int run_wait(const struct run *r, int ms, struct err *err);

#endif
