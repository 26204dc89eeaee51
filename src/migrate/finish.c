/* finish: the end of the live phase. */
#include "migrate/scan.h"
#include "migrate/shutter.h"
#include "migrate/trail.h"

#include "base/clock.h"

#define QUIET_DEFAULT 2.0
#define LISTEN_AGAIN_MS 200
#define SETTLING 15 /* times as long as it must be quiet: then it is not */

/* The first document of this domain in a prepared batch; SLICE_NONE when all of it is others'. */
static struct slice first_of_domain(const struct batch *b)
{
	for (size_t i = 0; i < b->docs.n; i++)
		if (b->docs.v[i].fate != FATE_SKIP && b->docs.v[i].fate != FATE_OWN)
			return b->docs.v[i].id.ptr ? b->docs.v[i].id : SLICE("?");
	return SLICE_NONE;
}

/* Looks at a batch; 1 = it holds something of this domain. */
static int listen_to(struct run *r, struct batch *b, int take, struct slice *busy, struct err *err)
{
	struct slice id;

	run_prepare(r, b);
	id = first_of_domain(b);
	if (id.ptr && !busy->ptr)
		*busy = arena_slice(&r->arena, id);
	if (b->docs.n == 0 || !take)
		return 0;
	return run_batch_alone(r, b, err);
}

int run_read_on(struct run *r, int take, struct slice *first, struct err *err)
{
	int rc, ended = 0;

	*first = SLICE_NONE;
	if (!run_from_server(r))
		return 0;
	rc = run_open_feed(r, COUCH_FEED_NORMAL, err);
	while (rc == 0 && !ended && (take || !first->ptr)) {
		struct batch *b = NULL;

		rc = fetch_next(r->fetch, &b, err);
		ended = !b || b->last;
		if (rc == 0 && b)
			rc = listen_to(r, b, take, first, err);
		if (rc == 0 && b && !take && b->seq.ptr)
			run_set_seq(r, b->seq);
		batch_free(b);
	}
	fetch_close(r->fetch);
	r->fetch = NULL;
	return rc;
}

int run_wait(const struct run *r, int ms, struct err *err)
{
	for (; ms > 0 && !run_stopped(r); ms -= 50)
		clock_sleep_ms(ms < 50 ? ms : 50);
	return run_stopped(r) ? err_set(err, ERR_STOPPED, "clean break") : 0;
}

/*
 * Whoever waits on a feed for its silence to prove something trusts every proxy to pass on what comes; an answer that
 * ends does not depend on that, and the last one is asked for when the time is over.
 */
int run_listen(struct run *r, double seconds, int take, struct slice *busy, struct err *err)
{
	int64_t until = clock_mono_us() + (int64_t)(seconds * 1e6);
	int rc, last;

	do {
		last = clock_mono_us() >= until;
		rc = run_read_on(r, take, busy, err);
		if (rc == 0 && !last && !busy->ptr)
			rc = run_wait(r, LISTEN_AGAIN_MS, err);
	} while (rc == 0 && !last && !busy->ptr && run_from_server(r));
	return rc;
}

/* In the trail before it is in SQL. */
static int tell_finish(struct run *r, struct err *err)
{
	struct trail_note note = {.event = "finish",
				  .status = life_status_name(LIFE_IN_PROGRESS),
				  .subject = SLICE("the source is quiet: the live phase ends")};

	return trail_event(r, &note, err);
}

/*
 * Behind a closed shutter what comes was written before, or while the nodes of the source learned of it: it is taken,
 * and listening begins again.
 */
static int prove_quiet(struct run *r, struct slice *busy, struct err *err)
{
	double seconds = r->options.quiet_for > 0 ? r->options.quiet_for : QUIET_DEFAULT;
	int64_t until = clock_mono_us() + (int64_t)(SETTLING * seconds * 1e6);
	int rc;

	log_at(r->env->log, LOG_INFO, "listening for %.1f s whether the source is quiet", seconds);
	do
		rc = run_listen(r, seconds, 1, busy, err);
	while (rc == 0 && busy->ptr && r->options.shutter && clock_mono_us() < until);
	return rc;
}

/* A source that is closed all the same would let nobody write, and nobody finish. */
static int stay(struct run *r, const struct status *s, struct slice busy, struct err *err)
{
	log_at(r->env->log, LOG_WARN, "the source still writes to %.*s: the migration stays %s id=%.*s",
	       SLICE_ARG(r->env->domain), life_status_name(s->life), SLICE_ARG(busy));
	r->still_busy = 1;
	if (s->life != LIFE_LIVE || !r->options.shutter)
		return 0;
	if (shutter_open(r, err))
		return err->code;
	return shutter_publish(r, LIFE_LIVE, err);
}

int run_finish(struct run *r, struct status *s, struct err *err)
{
	struct slice busy;

	if (r->options.shutter && shutter_close(r, err))
		return err->code;
	if (prove_quiet(r, &busy, err) || run_cases(r, err))
		return err->code;
	if (busy.ptr)
		return stay(r, s, busy, err);
	if (run_scan(r, err) || sql_finish_load(r->targets[0], err))
		return err->code;
	if (s->life == LIFE_LIVE && (tell_finish(r, err) || run_set_status(r, s, LIFE_IN_PROGRESS, err)))
		return err->code;
	return shutter_publish(r, LIFE_IN_PROGRESS, err);
}
