#include "migrate/id_stream.h"

#include "base/clock.h"
#include "migrate/find.h"

#define SERVER_PAGE 2000
#define SERVER_PAGE_US 500000 /* what a slow server has given by then is a page */

static void begin(struct id_stream *s, struct run *r, struct slice after)
{
	*s = (struct id_stream){.r = r};
	s->after.max = SIZE_MAX / 2;
	if (after.ptr)
		buf_adds(&s->after, after);
}

void id_stream_release(struct id_stream *s)
{
	couch_ids_close(s->couch);
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

/* ---- the target ---- */

static int refill_target(struct id_stream *s, struct slice after, struct err *err)
{
	struct sql_rows rows = {0};

	if (sql_page(s->r->lister, s->table, s->r->env->domain, 1, after, ID_STREAM_PAGE, 1, &s->arena, &rows, err))
		return err->code;
	s->ids = ARENA_ARRAY(&s->arena, rows.n + 1, struct slice);
	for (size_t i = 0; i < rows.n; i++)
		s->ids[i] = rows.v[i].cells[1];
	s->n = rows.n;
	return 0;
}

void id_stream_target(struct id_stream *s, struct run *r, const struct sql_table *table, struct slice after)
{
	begin(s, r, after);
	s->refill = refill_target;
	s->table = table;
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

static int open_behind(struct id_stream *s, struct slice after, struct err *err)
{
	struct couch_ids_options o = {.after = after.len ? after : SLICE_NONE};

	couch_ids_close(s->couch);
	s->couch = NULL;
	return couch_ids_open(&s->couch, &s->r->couch, &o, err);
}

/* 0: the id is behind the one before it, in bytes. */
static int is_disorder(struct id_stream *s, struct slice after, struct slice id)
{
	struct slice before = s->n ? s->ids[s->n - 1] : after;

	return before.len && slice_cmp(before, id) >= 0;
}

/* Ids that are there soon; none at the end of the list. */
static int read_page(struct id_stream *s, struct slice after, struct err *err)
{
	int64_t until = clock_mono_us() + SERVER_PAGE_US;
	struct couch_id c;

	while (s->n < SERVER_PAGE && (s->n == 0 || s->n % 64 || clock_mono_us() < until)) {
		if (couch_ids_next(s->couch, &c, err))
			return err->code;
		s->disorder = c.id.ptr && is_disorder(s, after, c.id);
		if (!c.id.ptr || s->disorder)
			return 0;
		s->ids[s->n++] = arena_slice(&s->arena, c.id);
	}
	return 0;
}

static int end_refill(struct id_stream *s)
{
	int64_t total = couch_ids_total(s->couch);

	s->total = total > 0 ? total : s->total;
	if (s->disorder)
		s->n = 0;
	return 0;
}

/* A connection that breaks is taken up again behind the last id. */
static int refill_server(struct id_stream *s, struct slice after, struct err *err)
{
	int tries = 0;

	s->ids = ARENA_ARRAY(&s->arena, SERVER_PAGE, struct slice);
	while (s->n == 0) {
		int rc = s->couch ? 0 : open_behind(s, after, err);

		if (rc == 0)
			rc = read_page(s, after, err);
		if (rc == 0 || rc == ERR_STOPPED)
			return rc ? rc : end_refill(s);
		couch_ids_close(s->couch);
		s->couch = NULL;
		if (s->n == 0 && !find_again(s->r, &tries, err))
			return run_stopped(s->r) ? err_set(err, ERR_STOPPED, "clean break") : rc;
		if (s->n)
			log_at(s->r->env->log, LOG_WARN, "source: %s; going on behind the last id", err->msg);
	}
	return 0;
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
	struct couch_id c;
	int rc = open_behind(s, SLICE_NONE, err);

	while (rc == 0) {
		rc = couch_ids_next(s->couch, &c, err);
		if (rc || !c.id.ptr)
			break;
		rc = id_sorter_add(s->sorter, c.id, err);
	}
	couch_ids_close(s->couch);
	s->couch = NULL;
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
