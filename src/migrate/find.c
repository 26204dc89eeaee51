#include "migrate/find.h"

#include "base/clock.h"
#include "migrate/pace.h"

#include <stdlib.h>

#define CHUNK 200    /* ids asked for at once */
#define MAX_TRIES 20 /* about four minutes, as for the feed */
#define FIRST_WAIT_MS 250
#define WAIT_DOUBLINGS 6

struct finder {
	struct run *r;
	const struct slice *ids;
	size_t n;
	char *found;
	find_fn *fn;
	void *ctx;
};

int find_again(struct run *r, int *tries, const struct err *err)
{
	int ms = FIRST_WAIT_MS << (*tries < WAIT_DOUBLINGS ? *tries : WAIT_DOUBLINGS);

	if (!err->retryable || *tries == MAX_TRIES)
		return 0;
	++*tries;
	log_at(r->env->log, LOG_WARN, "source: %s; trying again in %d ms", err->msg, ms);
	for (; ms > 0 && !run_stopped(r); ms -= 50)
		clock_sleep_ms(ms < 50 ? ms : 50);
	return !run_stopped(r);
}

/* ---- from a server ---- */

static int give(struct finder *f, struct batch **b, struct err *err)
{
	int rc = (*b)->docs.n ? f->fn(f->ctx, *b, err) : 0;

	batch_free(*b);
	*b = batch_new();
	return rc;
}

/* An id as it stands between the quotes of a row. */
static struct slice raw_id(struct slice id, struct buf *room)
{
	buf_clear(room);
	json_write_string(id, room);
	return (struct slice){room->ptr + 1, room->len - 2};
}

static void note(struct finder *f, size_t at, enum find_result result)
{
	if (f->found)
		f->found[at] = (char)result;
}

static void tell_too_large(struct finder *f, struct slice id, size_t at)
{
	log_at(f->r->env->log, LOG_WARN, "the document is larger than --max-doc allows id=%.*s", SLICE_ARG(id));
	note(f, at, FIND_TOO_LARGE);
}

static void add(struct finder *f, struct batch *b, const struct couch_id *c, size_t at)
{
	struct buf room = BUF_INIT(SIZE_MAX / 2);
	struct couch_row row = {.text = c->text, .seq = SLICE("null"), .rev = SLICE_NONE, .doc = c->doc};

	row.id = raw_id(c->id, &room);
	(void)batch_add(b, &row);
	buf_release(&room);
	note(f, at, FIND_GIVEN);
}

static int ask_chunk(struct finder *f, size_t from, size_t n, struct err *err)
{
	struct couch_ids *list = NULL;
	struct couch_id c;
	struct batch *b = batch_new();
	int rc = couch_ids_open_keys(&list, &f->r->couch, f->ids + from, n, COUCH_IDS_DOCS, f->r->options.max_doc, err);

	for (size_t i = from; rc == 0; i++) {
		rc = couch_ids_next(list, &c, err);
		if (rc || !c.id.ptr)
			break;
		if (c.too_large)
			tell_too_large(f, c.id, i);
		if (c.doc.ptr)
			add(f, b, &c, i);
		if (b->bytes >= f->r->options.batch_bytes)
			rc = give(f, &b, err);
	}
	if (rc == 0)
		rc = give(f, &b, err);
	batch_free(b);
	couch_ids_close(list);
	return rc;
}

static int find_on_server(struct finder *f, struct err *err)
{
	int rc = 0, tries = 0;

	struct pace pace = pace_begin(f->r->options.max_rate, clock_mono_us());
	size_t chunk = f->r->options.max_rate > 0 && pace_page(&pace) < CHUNK ? pace_page(&pace) : CHUNK;

	for (size_t from = 0; from < f->n && rc == 0;) {
		size_t n = f->n - from < chunk ? f->n - from : chunk;

		if (run_stopped(f->r))
			return err_set(err, ERR_STOPPED, "clean break");
		rc = ask_chunk(f, from, n, err);
		if (rc == 0) {
			from += n;
			tries = 0;
			pace_keep(&pace, n, f->r->env->stop);
		} else if (find_again(f->r, &tries, err)) {
			rc = 0;
		}
	}
	return rc;
}

/* ---- in a recorded feed ---- */

static int by_id(const void *a, const void *b)
{
	return slice_cmp(**(const struct slice *const *)a, **(const struct slice *const *)b);
}

static const struct slice **sorted(const struct finder *f, struct arena *a)
{
	const struct slice **v = ARENA_ARRAY(a, f->n + 1, const struct slice *);

	for (size_t i = 0; i < f->n; i++)
		v[i] = &f->ids[i];
	qsort(v, f->n, sizeof(*v), by_id);
	return v;
}

/* Leaves the wanted documents in the batch. */
static void keep_wanted(struct finder *f, const struct slice **v, struct batch *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->docs.n; i++) {
		struct slice id = b->docs.v[i].id, *key = &id;
		const struct slice **hit = id.ptr ? bsearch(&key, v, f->n, sizeof(*v), by_id) : NULL;

		if (hit && b->docs.v[i].row.too_large)
			tell_too_large(f, id, (size_t)(*hit - f->ids));
		if (!hit || !b->docs.v[i].row.doc.ptr || b->docs.v[i].row.deleted)
			continue;
		note(f, (size_t)(*hit - f->ids), FIND_GIVEN);
		b->docs.v[n++] = b->docs.v[i];
	}
	b->docs.n = n;
}

static int find_in_feed(struct finder *f, struct err *err)
{
	struct arena a = ARENA_INIT;
	const struct slice **v = sorted(f, &a);
	int rc = f->r->fetch ? 0 : run_open_feed(f->r, COUCH_FEED_NORMAL, err);

	while (rc == 0) {
		struct batch *b = NULL;

		rc = run_stopped(f->r) ? err_set(err, ERR_STOPPED, "clean break") : fetch_next(f->r->fetch, &b, err);
		if (rc || !b)
			break;
		keep_wanted(f, v, b);
		if (b->docs.n)
			rc = f->fn(f->ctx, b, err);
		batch_free(b);
	}
	fetch_close(f->r->fetch);
	f->r->fetch = NULL;
	arena_release(&a);
	return rc;
}

int find_documents(struct run *r, const struct slice *ids, size_t n, char *found, find_fn *fn, void *ctx,
		   struct err *err)
{
	struct finder f = {r, ids, n, found, fn, ctx};

	if (n == 0)
		return 0;
	return run_from_server(r) ? find_on_server(&f, err) : find_in_feed(&f, err);
}
