/* follow: stays on the continuous feed; small batches when calm, large ones when behind; cases follow their forms at
 * once. */
#include "migrate/session.h"

#include "base/clock.h"
#include "migrate/prepare.h"
#include "migrate/trial.h"

#define FOLLOW_HEARTBEAT_MS 5000
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

int run_follow(struct run *r, struct err *err)
{
	int rc;

	if (!run_from_server(r))
		return 0;
	log_at(r->env->log, LOG_INFO, "following the source; Ctrl-C ends it cleanly");
	r->heartbeat_ms = FOLLOW_HEARTBEAT_MS;
	run_progress_follow(r);
	run_progress_at_head(r); /* as the pass before has found */
	do
		rc = follow_feed(r, err);
	while (rc == 0 && !r->options.limit);
	return rc;
}
