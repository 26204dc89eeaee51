#include "migrate/id_stream.h"

#include "migrate/find.h"

static void begin(struct id_stream *s, struct run *r, struct slice after)
{
	*s = (struct id_stream){.r = r};
	s->after.max = SIZE_MAX / 2;
	if (after.ptr)
		buf_adds(&s->after, after);
}

void id_stream_release(struct id_stream *s)
{
	id_reader_close(s->reader);
	id_page_free(s->page);
	id_sorter_close(s->sorter);
	arena_release(&s->arena);
	buf_release(&s->after);
}

int id_stream_fill(struct id_stream *s, struct err *err)
{
	arena_reset(&s->arena);
	s->at = s->n = 0;
	if (s->refill(s, buf_slice(&s->after), err))
		return err->code;
	s->ended = s->n == 0;
	if (s->ended)
		return 0;
	buf_clear(&s->after);
	buf_adds(&s->after, s->ids[s->n - 1]);
	return 0;
}

/* Takes over what was read; the ids stay the page's. */
static void take_page(struct id_stream *s, struct id_page *p)
{
	id_page_free(s->page);
	s->page = p;
	s->total = p->total > 0 ? p->total : s->total;
	s->disorder = p->disorder;
	s->ids = p->ids;
	s->n = p->disorder ? 0 : p->n;
}

static int next_page(struct id_stream *s, struct err *err)
{
	take_page(s, id_reader_next(s->reader, s->r->env->stop));
	if (s->page->rc)
		*err = s->page->err;
	return s->page->rc;
}

/* ---- the target ---- */

static int refill_target(struct id_stream *s, struct slice after, struct err *err)
{
	(void)after;
	return next_page(s, err);
}

int id_stream_target(struct id_stream *s, struct run *r, const struct sql_table *table, pthread_mutex_t *turn,
		     struct slice after, struct err *err)
{
	struct id_keys keys = {r->lister, turn, table, r->env->domain};

	begin(s, r, after);
	s->refill = refill_target;
	return id_reader_keys(&s->reader, &keys, after, err);
}

/* ---- the state file ---- */

static int refill_state(struct id_stream *s, struct slice after, struct err *err)
{
	struct state_id_list ids;

	if (state_ids(s->r->lister_state, s->list, after, ID_STREAM_PAGE, &s->arena, &ids, err))
		return err->code;
	s->ids = ids.v;
	s->n = ids.n;
	return 0;
}

void id_stream_state(struct id_stream *s, struct run *r, enum state_ids list, struct slice after)
{
	begin(s, r, after);
	s->refill = refill_state;
	s->list = list;
}

/* ---- a server ---- */

/* A connection that breaks is taken up again behind the last id. */
static int refill_server(struct id_stream *s, struct slice after, struct err *err)
{
	int tries = 0;

	for (;;) {
		int rc = s->reader ? 0 : id_reader_server(&s->reader, &s->r->couch, after, err);

		if (rc)
			return rc;
		rc = next_page(s, err);
		if (rc == 0 || rc == ERR_STOPPED)
			return rc;
		id_reader_close(s->reader);
		s->reader = NULL;
		if (s->n) {
			log_at(s->r->env->log, LOG_WARN, "source: %s; going on behind the last id", err->msg);
			return 0;
		}
		if (!find_again(s->r, &tries, err))
			return run_stopped(s->r) ? err_set(err, ERR_STOPPED, "clean break") : rc;
	}
}

void id_stream_server(struct id_stream *s, struct run *r, struct slice after)
{
	begin(s, r, after);
	s->refill = refill_server;
}

/* ---- sorted here ---- */

static int refill_sorted(struct id_stream *s, struct slice after, struct err *err)
{
	struct state_id_list ids;

	if (id_sorter_page(s->sorter, after, ID_STREAM_PAGE, &s->arena, &ids, err))
		return err->code;
	s->ids = ids.v;
	s->n = ids.n;
	return 0;
}

static int sort_server(struct id_stream *s, struct err *err)
{
	struct couch_ids_options o = {0};
	struct couch_ids *ids = NULL;
	struct couch_id c;
	int rc = couch_ids_open(&ids, &s->r->couch, &o, err);

	while (rc == 0) {
		rc = couch_ids_next(ids, &c, err);
		if (rc || !c.id.ptr)
			break;
		rc = id_sorter_add(s->sorter, c.id, err);
	}
	couch_ids_close(ids);
	return rc;
}

static int sort_batch(struct id_stream *s, const struct batch *b, struct err *err)
{
	for (size_t i = 0; i < b->docs.n; i++)
		if (b->docs.v[i].id.ptr && !b->docs.v[i].row.deleted && id_sorter_add(s->sorter, b->docs.v[i].id, err))
			return err->code;
	return 0;
}

static int sort_feed(struct id_stream *s, struct err *err)
{
	int rc = run_open_feed(s->r, COUCH_FEED_NORMAL, err);

	while (rc == 0) {
		struct batch *b = NULL;

		rc = run_stopped(s->r) ? err_set(err, ERR_STOPPED, "clean break") : fetch_next(s->r->fetch, &b, err);
		if (rc || !b)
			break;
		rc = sort_batch(s, b, err);
		batch_free(b);
	}
	fetch_close(s->r->fetch);
	s->r->fetch = NULL;
	return rc;
}

int id_stream_sorted(struct id_stream *s, struct run *r, struct slice after, struct err *err)
{
	int rc;

	begin(s, r, after);
	s->refill = refill_sorted;
	rc = id_sorter_open(&s->sorter, err);
	if (rc == 0)
		rc = run_from_server(r) ? sort_server(s, err) : sort_feed(s, err);
	return rc;
}
