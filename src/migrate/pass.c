/* pass: one reading of the feed, from the checkpoint to its end. */
#include "base/clock.h"
#include "migrate/identity.h"
#include "migrate/patch_withdraw.h"
#include "migrate/recording.h"
#include "migrate/session.h"

#define SEQ_INTERVAL 100

/* Goes on after the checkpoint; a file is read whole again. */
static int begin_pass(struct run *r, struct err *err)
{
	struct checkpoint c;

	if (checkpoint_read(r->targets[0], r->env->domain, &r->arena, &c, err))
		return err->code;
	if (run_is_rebuilding(r, &r->rebuilding, err))
		return err->code;
	r->first_load = !c.exists && !r->rebuilding;
	r->previous = c.counters;
	r->pass = c.pass % 2 ? c.pass : c.pass + 1;
	if (!run_from_server(r))
		return 0;
	if (c.pass % 2) {
		r->counters = c.counters;
		r->read_before = c.counters.read;
	}
	if (c.seq.ptr)
		run_set_seq(r, c.seq);
	return 0;
}

int run_open_feed(struct run *r, enum couch_feed_kind kind, struct err *err)
{
	struct fetch_options f = {
	    .couch = r->couch,
	    .feed = {.kind = kind, .heartbeat_ms = r->heartbeat_ms, .max_row = r->options.max_doc},
	    .batch_bytes = r->options.batch_bytes,
	    .batch_docs = (size_t)r->options.batch_docs,
	    .limit = r->options.limit,
	    .max_rate = r->options.max_rate,
	    .log = r->env->log,
	    .same = run_from_server(r) ? identity_still_same : NULL,
	    .context = r,
	};

	/* Sequences of a calm feed are asked for with every row: a batch may end anywhere. */
	if (kind == COUCH_FEED_NORMAL)
		f.feed.seq_interval = SEQ_INTERVAL;
	if (r->seq.len)
		f.feed.since = buf_slice(&r->seq);
	return fetch_open(&r->fetch, &f, err);
}

void run_set_seq(struct run *r, struct slice seq)
{
	buf_clear(&r->seq);
	buf_adds(&r->seq, seq);
}

static void report_pass(struct run *r, int64_t started)
{
	const struct migrate_counters *c = &r->counters;
	double seconds = (double)(clock_mono_us() - started) / 1e6;

	if (c->read == 0 && r->previous.read)
		log_at(r->env->log, LOG_INFO, "the source has nothing new");
	else
		log_at(r->env->log, LOG_INFO, "read %lld documents in %.1f s (%.0f/s)", (long long)c->read, seconds,
		       seconds > 0 ? (double)c->read / seconds : 0);
	if (r->with_ledgers)
		log_at(r->env->log, LOG_INFO,
		       "%lld forms hold ledgers (stock): they stay in the forms and are not replayed",
		       (long long)r->with_ledgers);
	if (r->with_duplicates)
		log_at(r->env->log, LOG_WARN, "%lld documents have a key twice: the last value counts, as in CouchDB",
		       (long long)r->with_duplicates);
}

static void warn_if_nothing_fits(const struct run *r)
{
	const struct migrate_counters *c = &r->counters;

	if (!r->first_load || !c->read || c->read != c->skipped + c->deleted)
		return;
	if (r->options.only)
		log_at(r->env->log, LOG_WARN,
		       "no document of domain %.*s and of --only %s was found: are the names right?",
		       SLICE_ARG(r->env->domain), r->options.only);
	else
		log_at(r->env->log, LOG_WARN, "no document of domain %.*s was found: is the name right?",
		       SLICE_ARG(r->env->domain));
}

int run_pass(struct run *r, struct err *err)
{
	int64_t started = clock_mono_us(), waiting;

	if (begin_pass(r, err))
		return err->code;
	waiting = run_waiting(r);
	r->progress.of_feed = 1;
	run_progress_start(r, waiting > 0 ? waiting : 0);
	if (!r->fetch && run_open_feed(r, COUCH_FEED_NORMAL, err))
		return err->code;
	recording_begin(r);
	if (run_documents(r, err) || recording_end(r, err))
		return err->code;
	run_progress_draw(r, NULL);
	r->progress.of_feed = 0;
	report_pass(r, started);
	warn_if_nothing_fits(r);
	fetch_close(r->fetch);
	r->fetch = NULL;
	r->caught_up = 1;
	if (!r->rebuilding)
		return 0;
	if (patch_withdraw_lost(r, err))
		return err->code;
	return run_rebuilt(r, err);
}
