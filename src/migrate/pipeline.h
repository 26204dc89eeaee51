/*
 * pipeline: one producer, several workers, results in order. Owns threads, the bounded queue between them and the turnstile; knows
 * nothing about documents. A job is made by `produce` (in the producer thread), done by `work` (in any worker), freed by `release`.
 * work() calls pipeline_await_turn() before whatever must happen in the order of production; it then has the turn until it returns.
 * The first error (in production order) stops production, makes later turns fail, and is what pipeline_run returns.
 * The stop flag ends production; jobs already produced are still done, so everything committed is a clean prefix.
 * Threads: pipeline_run is called once, from the thread that owns ctx; callbacks run as said above.
 */
#ifndef SETTLE_MIGRATE_PIPELINE_H
#define SETTLE_MIGRATE_PIPELINE_H

#include "base/err.h"

#include <stdatomic.h>
#include <stdint.h>

#define PIPELINE_MAX_WORKERS 16

struct pipeline;

struct pipeline_job { /* first member of every job */
	uint64_t number; /* order of production, from 0; set by produce, read by any thread afterwards */
};

struct pipeline_spec {
	int workers;            /* 1 .. PIPELINE_MAX_WORKERS */
	const atomic_int *stop; /* may be NULL */
	void *ctx;
	/* Makes the job of this number. *job = NULL at the end. */
	int (*produce)(void *ctx, uint64_t number, struct pipeline_job **job, struct err *err);
	int (*work)(void *ctx, struct pipeline *p, int worker, struct pipeline_job *job, struct err *err);
	void (*release)(void *ctx, struct pipeline_job *job);
};

MUST_CHECK int pipeline_run(const struct pipeline_spec *spec, struct err *err);
/* The waits return at once when p is NULL: a job done outside of a pipeline. */
/* Waits until every earlier job is done. ERR_STOPPED when one of them failed: undo and return it. */
MUST_CHECK int pipeline_await_turn(struct pipeline *p, const struct pipeline_job *job, struct err *err);
/* Waits until the job with this number is done (a number not before ours returns at once); errors as above. */
MUST_CHECK int pipeline_await_job(struct pipeline *p, uint64_t number, const struct pipeline_job *job, struct err *err);
/* Number of the oldest job not done yet. */
uint64_t pipeline_oldest(struct pipeline *p);

#endif
