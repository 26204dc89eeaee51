#include "migrate/id_reader.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/queue.h"

#include <stdlib.h>

#define PAGE_IDS 8000
#define PAGE_US 500000 /* what a slow server has given by then is a page */
#define PAGES_AHEAD 12
#define KEYS 8000 /* a page of the target */
#define KEYS_AHEAD 4
#define WAIT_MS 100

struct id_reader {
	void (*fill)(struct id_reader *r, struct id_page *p);
	struct id_keys keys;
	struct couch_options o;
	atomic_int stop;
	struct queue *pages;
	struct buf last; /* id that was read last */
	struct couch_ids *ids;
	pthread_t thread;
};

static struct id_page *page_new(void)
{
	struct arena a = ARENA_INIT;
	struct id_page *p = ARENA_NEW(&a, struct id_page);

	p->total = -1;
	p->arena = a;
	return p;
}

void id_page_free(struct id_page *p)
{
	struct arena a;

	if (!p)
		return;
	a = p->arena;
	arena_release(&a);
}

/* ---- the thread ---- */

static int is_disorder(const struct id_reader *r, const struct id_page *p, struct slice id)
{
	struct slice before = p->n ? p->ids[p->n - 1] : buf_slice(&r->last);

	return before.len && slice_cmp(before, id) >= 0;
}

/* Ids that are there soon; none at the end of the list. */
static int read_page(struct id_reader *r, struct id_page *p)
{
	int64_t until = clock_mono_us() + PAGE_US;
	struct couch_id c;

	while (p->n < PAGE_IDS && (p->n == 0 || p->n % 64 || clock_mono_us() < until)) {
		if (couch_ids_next(r->ids, &c, &p->err))
			return p->err.code;
		p->disorder = c.id.ptr && is_disorder(r, p, c.id);
		if (!c.id.ptr || p->disorder)
			return 0;
		p->ids[p->n++] = arena_slice(&p->arena, c.id);
	}
	return 0;
}

static int open_list(struct id_reader *r, struct err *err)
{
	struct slice after = buf_slice(&r->last);
	struct couch_ids_options o = {.after = after.len ? after : SLICE_NONE};

	return couch_ids_open(&r->ids, &r->o, &o, err);
}

static void fill_from_server(struct id_reader *r, struct id_page *p)
{
	p->ids = arena_alloc(&p->arena, PAGE_IDS * sizeof(*p->ids));
	p->rc = r->ids ? 0 : open_list(r, &p->err);
	if (p->rc == 0)
		p->rc = read_page(r, p);
	if (r->ids)
		p->total = couch_ids_total(r->ids);
}

static void fill_from_target(struct id_reader *r, struct id_page *p)
{
	const struct id_keys *k = &r->keys;
	struct sql_keys keys = {0};

	pthread_mutex_lock(k->turn);
	p->rc = sql_page_keys(k->target, k->table, k->domain, buf_slice(&r->last), KEYS, &p->arena, &keys, &p->err);
	pthread_mutex_unlock(k->turn);
	p->ids = keys.v;
	p->n = p->rc ? 0 : keys.n;
}

static void remember_last(struct id_reader *r, const struct id_page *p)
{
	if (!p->n)
		return;
	buf_clear(&r->last);
	buf_adds(&r->last, p->ids[p->n - 1]);
}

/* 0: nobody takes pages any more. */
static int give(struct id_reader *r, struct id_page *p)
{
	enum queue_result how;

	do
		how = queue_push(r->pages, p, WAIT_MS);
	while (how == QUEUE_TIMEOUT);
	if (how == QUEUE_CLOSED)
		id_page_free(p);
	return how == QUEUE_OK;
}

static void *read_all(void *reader)
{
	struct id_reader *r = reader;
	int more;

	do {
		struct id_page *p = page_new();

		r->fill(r, p);
		remember_last(r, p);
		more = p->n && !p->rc && !p->disorder;
		more = give(r, p) && more;
	} while (more);
	return NULL;
}

/* ---- whose ids they are ---- */

static struct id_reader *reader_new(struct slice after, size_t ahead)
{
	struct id_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->last.max = SIZE_MAX / 2;
	if (after.len)
		buf_adds(&r->last, after);
	r->pages = queue_new(ahead);
	return r;
}

static int start(struct id_reader *r, struct id_reader **out, struct err *err)
{
	*out = NULL;
	if (!r)
		return err_set(err, ERR_INTERNAL, "out of memory");
	if (pthread_create(&r->thread, NULL, read_all, r)) {
		queue_free(r->pages);
		buf_release(&r->last);
		free(r);
		return err_set(err, ERR_INTERNAL, "no thread can be started");
	}
	*out = r;
	return 0;
}

int id_reader_server(struct id_reader **out, const struct couch_options *o, struct slice after, struct err *err)
{
	struct id_reader *r = reader_new(after, PAGES_AHEAD);

	if (r) {
		r->fill = fill_from_server;
		r->o = *o;
		r->o.stop = &r->stop;
	}
	return start(r, out, err);
}

int id_reader_keys(struct id_reader **out, const struct id_keys *keys, struct slice after, struct err *err)
{
	struct id_reader *r = reader_new(after, KEYS_AHEAD);

	if (r) {
		r->fill = fill_from_target;
		r->keys = *keys;
	}
	return start(r, out, err);
}

struct id_page *id_reader_next(struct id_reader *r, const atomic_int *stop)
{
	void *page = NULL;

	while (queue_pop(r->pages, &page, WAIT_MS) == QUEUE_TIMEOUT)
		if (stop && atomic_load(stop))
			atomic_store(&r->stop, 1);
	return page;
}

void id_reader_close(struct id_reader *r)
{
	void *page;

	if (!r)
		return;
	atomic_store(&r->stop, 1);
	queue_close(r->pages);
	pthread_join(r->thread, NULL);
	while (queue_pop(r->pages, &page, 0) == QUEUE_OK)
		id_page_free(page);
	queue_free(r->pages);
	couch_ids_close(r->ids);
	buf_release(&r->last);
	free(r);
}
