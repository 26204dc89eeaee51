/* follow: stays on the continuous feed; small batches when calm, large ones when behind; cases follow their forms at
 * once. */
#include "migrate/session.h"

#include "base/clock.h"
#include "migrate/prepare.h"
#include "migrate/trial.h"

#define FOLLOW_HEARTBEAT_MS 5000
#define PROBE_HEARTBEAT_MS 500
#define PROBE_S 5
#define POLL_MS 1000
#define AGAIN_MS 250 /* after the server ended the feed */

void run_prepare(struct run *r, struct batch *b)
{
	prepare_batch(r->profile, r->env->domain, b);
	trial_skip(r, b);
}

/* One batch and, when nothing more waits, the cases that it and earlier ones touched. */
static int follow_once(struct run *r, struct err *err)
{
	struct batch *b = NULL;
	int rc = fetch_next(r->fetch, &b, err);

	if (rc == 0 && b) {
		run_prepare(r, b);
		rc = run_batch_alone(r, b, err);
	}
	if (rc == 0 && b && fetch_ready(r->fetch))
		run_progress_behind(r);
	else if (rc == 0 && b) {
		rc = run_cases(r, err);
		if (rc == 0)
			run_progress_at_head(r);
	}
	r->ended = rc == 0 && !b;
	batch_free(b);
	return rc;
}

/* A server may end a feed politely (it restarts, or the database goes): what it says when asked again tells. */
static int follow_feed(struct run *r, struct err *err)
{
	int rc = run_open_feed(r, COUCH_FEED_CONTINUOUS, err);

	r->ended = 0;
	while (rc == 0 && !r->ended)
		rc = follow_once(r, err);
	fetch_close(r->fetch);
	r->fetch = NULL;
	if (rc == 0 && run_stopped(r))
		return err_set(err, ERR_STOPPED, "clean break");
	if (rc == 0)
		clock_sleep_ms(AGAIN_MS);
	return rc;
}

/* Does a feed that stays open bring its heartbeats here? A proxy may hold back what comes until there is enough of it.
 */
static int ask_for_beats(struct run *r, int *come, struct err *err)
{
	struct couch_options o = r->couch;
	struct couch_feed_options f = {
	    .kind = COUCH_FEED_CONTINUOUS, .ids_only = 1, .heartbeat_ms = PROBE_HEARTBEAT_MS};
	struct couch_feed *feed = NULL;
	struct couch_row row;
	enum couch_next what;
	int64_t begun = clock_mono_us();
	int rc;

	o.stall_timeout_s = PROBE_S;
	if (r->seq.len)
		f.since = buf_slice(&r->seq);
	rc = couch_feed_open(&feed, &o, &f, err);
	if (rc == 0)
		rc = couch_feed_next(feed, &what, &row, err);
	couch_feed_close(feed);
	*come = rc == 0 || clock_mono_us() - begun < (int64_t)PROBE_S * 1000000;
	return rc == ERR_STOPPED ? rc : 0;
}

static int poll_feed(struct run *r, struct err *err)
{
	struct slice first;

	if (run_read_on(r, 1, &first, err) || (first.ptr && run_cases(r, err)))
		return err->code;
	run_progress_at_head(r);
	return run_wait(r, POLL_MS, err);
}

int run_follow(struct run *r, struct err *err)
{
	int rc, beats = 1;

	if (!run_from_server(r))
		return 0;
	if (ask_for_beats(r, &beats, err))
		return err->code;
	if (!beats)
		log_at(r->env->log, LOG_WARN,
		       "heartbeats of the feed do not come through: a proxy holds them back (nginx: proxy_buffering "
		       "off); the source is "
		       "asked every second instead");
	log_at(r->env->log, LOG_INFO, "following the source; Ctrl-C ends it cleanly");
	r->heartbeat_ms = FOLLOW_HEARTBEAT_MS;
	run_progress_follow(r);
	run_progress_at_head(r); /* as the pass before has found */
	do
		rc = beats ? follow_feed(r, err) : poll_feed(r, err);
	while (rc == 0 && !r->options.limit);
	return rc;
}
