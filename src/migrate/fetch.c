#include "migrate/fetch.h"

#include "base/clock.h"
#include "migrate/pace.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define TRIES 20
#define FIRST_BACKOFF_MS 250
#define BACKOFF_DOUBLINGS 6
#define ALIVE_BACKOFFS 4

struct fetch {
	struct fetch_options o;
	struct couch_feed *feed;
	struct buf seq;      /* last sequence seen, JSON text; empty = none */
	struct batch *ahead; /* begun by a row that did not fit the batch before */
	int64_t rows;
	int64_t page, page_rows; /* rows asked for with one request, 0 = all; rows it has given */
	struct pace pace;
	int ended;
	int failures; /* since the feed gave something last */
	int unsure;   /* nothing came from this feed yet */
	int64_t opened_us;
	_Atomic int64_t done, total;
};

static int open_feed(struct fetch *f, struct err *err)
{
	struct couch_feed_options fo = f->o.feed;

	if (f->seq.len)
		fo.since = buf_slice(&f->seq);
	if (f->page)
		fo.limit = f->page;
	f->page_rows = 0;
	f->unsure = 1;
	f->opened_us = clock_mono_us();
	return couch_feed_open(&f->feed, &f->o.couch, &fo, err);
}

static int from_server(const struct fetch *f)
{
	enum url_scheme scheme = f->o.couch.url->scheme;

	return scheme == URL_HTTP || scheme == URL_HTTPS;
}

/* A source that is to be spared is asked for a second's worth at a time, and read a tenth of that at a time. */
static void keep_pace(struct fetch *f)
{
	if (f->o.max_rate <= 0)
		return;
	f->pace = pace_begin(f->o.max_rate, clock_mono_us());
	if (f->o.batch_docs > pace_slice(&f->pace))
		f->o.batch_docs = pace_slice(&f->pace);
	f->o.feed.seq_interval = 0; /* any row may end a batch */
	if (from_server(f) && f->o.feed.kind == COUCH_FEED_NORMAL)
		f->page = (int64_t)pace_page(&f->pace);
}

int fetch_open(struct fetch **out, const struct fetch_options *o, struct err *err)
{
	struct fetch *f = calloc(1, sizeof(*f));
	int rc;

	if (!f)
		return err_set(err, ERR_INTERNAL, "out of memory");
	f->o = *o;
	f->o.tries = o->tries ? o->tries : TRIES;
	f->o.first_backoff_ms = o->first_backoff_ms ? o->first_backoff_ms : FIRST_BACKOFF_MS;
	f->seq.max = 1u << 20;
	if (o->feed.since.ptr)
		buf_adds(&f->seq, o->feed.since);
	keep_pace(f);
	rc = open_feed(f, err);
	if (rc) {
		fetch_close(f);
		return rc;
	}
	atomic_store(&f->total, couch_feed_size(f->feed));
	*out = f;
	return 0;
}

void fetch_close(struct fetch *f)
{
	if (!f)
		return;
	couch_feed_close(f->feed);
	batch_free(f->ahead);
	buf_release(&f->seq);
	free(f);
}

void fetch_progress(const struct fetch *f, int64_t *done, int64_t *total)
{
	*done = atomic_load(&f->done);
	*total = atomic_load(&f->total);
}

static int stopped(const struct fetch *f)
{
	return f->o.couch.stop && atomic_load(f->o.couch.stop);
}

/* Only a server can be asked again. */
static int can_retry(const struct fetch *f, const struct err *err)
{
	return err->retryable && from_server(f);
}

static void wait_before_retry(struct fetch *f, const struct err *err)
{
	int doublings = f->failures < BACKOFF_DOUBLINGS ? f->failures : BACKOFF_DOUBLINGS;
	int ms = f->o.first_backoff_ms << doublings;

	log_at(f->o.log, LOG_WARN, "source: %s; trying again in %d ms", err->msg, ms);
	for (; ms > 0 && !stopped(f); ms -= 50)
		clock_sleep_ms(ms < 50 ? ms : 50);
}

/* A proxy may cut a silent connection before the first heartbeat: behind it the source is well. */
static int was_alive(const struct fetch *f)
{
	int64_t stood_us = clock_mono_us() - f->opened_us;

	return f->o.feed.kind == COUCH_FEED_CONTINUOUS && couch_feed_answered(f->feed) &&
	       stood_us >= ALIVE_BACKOFFS * (int64_t)f->o.first_backoff_ms * 1000;
}

/* Opening sends nothing: whether the source is there again, the next row tells. */
static int reconnect(struct fetch *f, struct err *err)
{
	if (was_alive(f))
		f->failures = 0;
	if (f->failures == f->o.tries)
		return err_prefix(err, "gave up after %d tries", f->failures);
	wait_before_retry(f, err);
	if (stopped(f))
		return err_set(err, ERR_STOPPED, "clean break");
	f->failures++;
	couch_feed_close(f->feed);
	f->feed = NULL;
	return open_feed(f, err);
}

static int next_sure(struct fetch *f, enum couch_next *what, struct couch_row *row, struct err *err)
{
	int rc = couch_feed_next(f->feed, what, row, err);

	if (rc == 0 && f->unsure && f->o.same)
		rc = f->o.same(f->o.context, err);
	if (rc)
		return rc;
	f->unsure = 0;
	f->failures = 0;
	return 0;
}

static int next_row(struct fetch *f, enum couch_next *what, struct couch_row *row, struct err *err)
{
	for (;;) {
		if (next_sure(f, what, row, err)) {
			if (!can_retry(f, err) || reconnect(f, err))
				return err->code;
			continue;
		}
		if (*what != COUCH_HEARTBEAT || f->o.feed.kind == COUCH_FEED_CONTINUOUS)
			return 0;
	}
}

static int has_seq(const struct couch_row *row)
{
	return row->seq.ptr && !slice_is(row->seq, "null");
}

static void remember_seq(struct fetch *f, struct slice seq)
{
	buf_clear(&f->seq);
	buf_adds(&f->seq, seq);
}

static int is_full(const struct fetch *f, const struct batch *b)
{
	return b->docs.n >= f->o.batch_docs || b->bytes >= f->o.batch_bytes;
}

/* A row whose sequence is left out (seq_interval) may not end a batch, or the checkpoint would not be exact; but a cap
 * is a cap. */
static int may_end(const struct fetch *f, const struct batch *b)
{
	const struct batch_doc *last = &b->docs.v[b->docs.n - 1];

	return is_full(f, b) &&
	       (has_seq(&last->row) || b->docs.n >= 4 * f->o.batch_docs || b->bytes >= 4 * f->o.batch_bytes);
}

static void close_batch(struct fetch *f, struct batch *b)
{
	b->seq = f->seq.len ? arena_slice(&b->arena, buf_slice(&f->seq)) : SLICE_NONE;
	b->feed_bytes = couch_feed_bytes(f->feed);
	atomic_store(&f->done, (int64_t)couch_feed_raw_bytes(f->feed));
}

/* Puts the row into the batch; 0 when it is the same document again and must begin the next one. */
static int take_row(struct fetch *f, struct batch *b, const struct couch_row *row)
{
	if (batch_add(b, row))
		return 1;
	f->ahead = batch_new();
	(void)batch_add(f->ahead, row);
	return 0;
}

/* The page is over; *ended: and with it the feed. */
static int end_page(struct fetch *f, int *ended, struct err *err)
{
	struct slice last = couch_feed_last_seq(f->feed);

	if (last.ptr)
		remember_seq(f, last);
	*ended = !f->page || f->page_rows < f->page || couch_feed_pending(f->feed) == 0;
	if (*ended)
		return 0;
	couch_feed_close(f->feed);
	f->feed = NULL;
	return open_feed(f, err);
}

int fetch_ready(const struct fetch *f)
{
	return f->ahead || couch_feed_ready(f->feed);
}

/* Of a continuous feed nothing is held back to fill a batch. */
static int is_calm(const struct fetch *f, const struct batch *b)
{
	return f->o.feed.kind == COUCH_FEED_CONTINUOUS && b->docs.n && !couch_feed_ready(f->feed);
}

static int fill(struct fetch *f, struct batch *b, struct err *err)
{
	for (;;) {
		enum couch_next what;
		struct couch_row row;

		if (is_calm(f, b) || (b->docs.n && may_end(f, b)))
			return 0;
		if (f->o.limit && f->rows >= f->o.limit) {
			f->ended = 1;
			return 0;
		}
		if (next_row(f, &what, &row, err))
			return err->code;
		if (what == COUCH_HEARTBEAT)
			return 0;
		if (what == COUCH_END) {
			if (end_page(f, &f->ended, err))
				return err->code;
			b->last = f->ended;
			if (f->ended)
				return 0;
			continue;
		}
		f->rows++;
		f->page_rows++;
		if (!take_row(f, b, &row))
			return 0;
		if (has_seq(&row))
			remember_seq(f, row.seq);
	}
}

int fetch_next(struct fetch *f, struct batch **out, struct err *err)
{
	struct batch *b;
	int rc;

	*out = NULL;
	if (f->ended && !f->ahead)
		return 0;
	b = f->ahead ? f->ahead : batch_new();
	if (f->ahead && has_seq(&b->docs.v[0].row))
		remember_seq(f, b->docs.v[0].row.seq);
	f->ahead = NULL;
	rc = f->ended ? 0 : fill(f, b, err);
	if (rc) {
		batch_free(b);
		return rc;
	}
	pace_keep(&f->pace, b->docs.n, f->o.couch.stop);
	close_batch(f, b);
	*out = b;
	return 0;
}
