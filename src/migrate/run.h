/*
 * run: what the parts of one run share: handles, settings, counters. Private to src/migrate.
 * Threads: `state`, `counters`, `group` and `tally` belong to whoever has the pipeline's turn; targets[i] to worker i; the rest is read-only
 * while workers run, but for `progress` (atomics) and `inflight` (its mutex).
 */
#ifndef SETTLE_MIGRATE_RUN_H
#define SETTLE_MIGRATE_RUN_H

#include "migrate/batch.h"
#include "migrate/fetch.h"
#include "migrate/migrate.h"
#include "sql/target.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>

/* The reason of differences that the copy check found: no rule may drop them, now or later. */
#define COPY_CHECK_REASON "copy check"

/* Being worked on, queued, held by the producer. */
#define RUN_MAX_INFLIGHT (PIPELINE_MAX_WORKERS + 4)

struct again; /* again_internal.h */

struct run_progress {
	_Atomic int64_t docs; /* done in this phase */
	_Atomic int64_t total; /* of this phase, 0 = unknown */
	_Atomic int64_t committed; /* documents and cases in all phases */
	int64_t started_us, drawn_us;
	int of_feed;               /* what is left of this phase is what the source is ahead */
	/* while following: */
	int following;
	int64_t behind, asked_us;  /* changes, -1 unknown; when the source was asked */
	int64_t head_us;           /* when nothing more waited */
	int64_t told_us;           /* when the log was told of being behind, 0 = it was not */
	int64_t rate_us, rate_docs;
	double rate;
};

struct run_group { /* see group.h */
	struct sql_target *target; /* whose transaction is open; NULL when none is */
	size_t bytes, docs;
	int64_t begun_us;
};

struct run_moment { /* see moment.h; microseconds */
	int64_t committed; /* the mark that the target has */
	int64_t latest;    /* the highest one given */
	int given;         /* in the open transaction */
};

struct run {
	crypto_generichash_state recording; /* recording.h; first, because of its alignment */
	const struct migrate_env *env;
	const struct profile *profile;
	struct migrate_options options;
	struct arena arena;                 /* for the life of the run */
	struct sql_target *targets[PIPELINE_MAX_WORKERS];
	int workers;
	int64_t epoch;
	struct couch_options couch;
	struct slice identity;              /* of the source: JSON text, SLICE_NONE for a file */
	struct state *state;
	struct sql_target *lister;          /* read only, for the producer of the case pass */
	struct state *lister_state;
	struct fetch *fetch;
	struct migrate_counters counters;   /* of this pass */
	struct migrate_counters previous;   /* of the pass before, kept when this one reads nothing */
	int64_t read_before;                /* of counters.read: what an earlier run of this pass had read */
	int64_t with_ledgers;               /* forms stored in this pass that hold stock (decision 24) */
	int64_t with_duplicates;            /* documents stored in this pass that have a key twice */
	int64_t pass;
	struct buf seq;                     /* checkpoint, JSON text; empty = none */
	struct run_progress progress;
	struct run_group group;
	struct run_moment moment;
	int recorded; /* the feed is a file, whose documents are digested: recording.h */
	int apart; /* target and state file are not of one moment: the state file is not to be believed */
	pthread_mutex_t inflight_mutex;
	struct batch *inflight[RUN_MAX_INFLIGHT]; /* produced and not done */
	int ended;                          /* following: the feed was ended by the server */
	struct buf compared;                /* group.h: highest id compared in the open group */
	int any_compared;
	unsigned samples;                   /* sample.h: how many were taken */
	int rebuilding; /* the state file was lost: what the target holds is compared again, cases too */
	int first_load; /* nothing of the domain was committed before this run */
	int caught_up;                      /* the pass has come to its end; what is read now is beyond it */
	struct migrate_counters by_id;      /* forms.c: of documents that were asked for by id, */
	int64_t asked_by_id;                /* and how many they were */
	int trail_lost;                     /* events may begin a new trail although the target names one (reset) */
	int64_t trail_began_us;             /* trail.c: the event that is being written */
	int still_busy;                     /* finishing: the source was not quiet */
	int heartbeat_ms;
	/* Told of every comparison with the profile's rules of a whole document, before its texts are made. NULL: nobody asks. */
	void (*watch)(void *ctx, struct slice kind, struct slice id, const struct migrate_comparison *c);
	void *watch_ctx;
	struct again *again;                /* comparing again: told of every outcome; NULL in a migration */
	unsigned without;                   /* enum migrate_without */
	struct slice trial;                 /* what makes it a trial run (trial.h), or SLICE_NONE */
	atomic_int too_many_rejects;        /* --max-rejects: nothing more is read */
};

/* A SQLite target is one file with one writer: its handle is shared, and the pipeline's turn is the lock. */
static inline struct sql_target *run_target_of(struct run *r, int worker)
{
	return r->targets[sql_concurrent(r->targets[0]) ? worker : 0];
}

void run_set_seq(struct run *r, struct slice seq);

static inline int run_stopped(const struct run *r)
{
	return r->env->stop && atomic_load(r->env->stop);
}

/* Draws the progress line (on a terminal): `what` is the phase, NULL wipes it. Call with the turn. */
void run_progress_start(struct run *r, int64_t total);
void run_progress_draw(struct run *r, const char *what);
/* From now on one phase that does not end, whatever is done meanwhile. */
void run_progress_follow(struct run *r);
/* Of that phase: nothing more waits; or something does (and the source is asked how much, now and then). */
void run_progress_at_head(struct run *r);
void run_progress_behind(struct run *r);
/* Changes after the checkpoint, as the source counts them; -1 = it does not say. */
int64_t run_waiting(struct run *r);

/* ---- documents (documents.c) ---- */
/* Reads the feed to its end. */
MUST_CHECK int run_documents(struct run *r, struct err *err);
/* Prepared batch -> target and state, committed. p NULL: the caller is the only worker. */
MUST_CHECK int run_write_batch(struct run *r, struct pipeline *p, struct sql_target *t, struct batch *b, struct err *err);
/* A prepared batch of documents that are no part of a pass, committed; the checkpoint stays. Their cases are compared anew. */
MUST_CHECK int run_store_alone(struct run *r, struct batch *b, struct err *err);
/* ---- the write of one batch inside a transaction (store.c) ---- */
MUST_CHECK int store_batch(struct run *r, struct sql_target *t, struct batch *b, struct err *err);
/* Copy check and comparison of one FATE_EVENT or FATE_DOCUMENT with its row, as store_batch does it; `scratch` is used and reset. */
void store_compare(struct run *r, struct batch *b, struct batch_doc *d, const struct sql_row *row, struct arena *scratch);
/* ---- what goes into the state file for a batch (record.c) ---- */
MUST_CHECK int record_batch(struct run *r, struct batch *b, struct err *err);
/* enum state_traits of a document that is stored; 0 of any other. */
unsigned record_traits(const struct batch_doc *d);
/* ---- cases (cases.c) ---- */
/* Folds every touched case and compares every pending one. */
MUST_CHECK int run_cases(struct run *r, struct err *err);

/* Results of a comparison as the state file keeps them: JSON text in the arena; SLICE_NONE when there is nothing. */
void comparison_texts(const struct migrate_comparison *c, struct arena *a, struct slice *diffs, struct slice *ignored);
struct slice differences_text(const struct diff_list *diffs, struct arena *a);
struct slice ignored_text(const struct ignored_list *ignored, struct arena *a);

#endif
