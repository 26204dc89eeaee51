#include "migrate/scan.h"

#include "base/clock.h"
#include "migrate/find.h"
#include "migrate/id_stream.h"
#include "sql/tables.h"

#define STEP_IDS 50000  /* a step ends with so many ids of the source, */
#define STEP_US 1000000 /* or after so long, */
#define STEP_FOUND 500  /* or with so many that are not in SQL */
#define LOOK_EVERY 256  /* ids between two looks at the clock */
#define POSITION "missing-scan"
#define POSITION_DONE "done"

enum cover { COVER_FORMS, COVER_CASES, COVER_DOCUMENTS, COVER_SKIPPED, COVER_REJECTS, COVER_PENDING, COVERS };

struct ids {
	struct slice *v;
	size_t n, cap;
};

struct scan {
	struct run *r;
	struct id_stream source, covers[COVERS], marked;
	pthread_mutex_t turn; /* whose turn it is to ask the target */
	struct arena arena;   /* of one step */
	struct ids found;     /* by this step: in the source, not in SQL, not marked */
	struct ids gone;      /* marked, but not missing any more */
	struct ids
	    doubtful; /* marked, and SQL has a case row: perhaps one that lost its forms, which its comparison tells */
	struct buf position;
	int64_t ids, step_ids, step_began_us;
	int64_t missing, cleared;
	int compare; /* cases wait to be compared */
	int sorted;  /* the ids of the source are sorted here */
};

/* ---- where it has come to ---- */

/* *after = SLICE_NONE: from the beginning. */
static int read_position(struct run *r, struct slice *after, int *done, struct err *err)
{
	struct slice text;
	struct json v;

	*after = SLICE_NONE;
	*done = 0;
	if (state_value_get(r->state, POSITION, &r->arena, &text, err))
		return err->code;
	if (!text.ptr || text.len == 0)
		return 0;
	*done = slice_is(text, POSITION_DONE);
	if (!*done && json_read(text, &r->arena, 0, &v, NULL, NULL) == 0)
		*after = json_get_text(&v, "after");
	return 0;
}

static int put_position(struct scan *s, int done, struct err *err)
{
	struct json v = json_object();

	if (done)
		return state_value_put(s->r->state, POSITION, SLICE(POSITION_DONE), err);
	json_sets(&s->arena, &v, "after", json_string(buf_slice(&s->position)));
	return state_value_put(s->r->state, POSITION, json_to_text(&v, JSON_CANONICAL, &s->arena), err);
}

int scan_forget(struct run *r, struct err *err)
{
	return state_value_put(r->state, POSITION, SLICE(""), err);
}

/* ---- what is not in SQL ---- */

static int mark(struct scan *s, struct slice kind, struct slice id, struct err *err)
{
	s->missing++;
	log_at(s->r->env->log, LOG_DETAIL, "document is missing kind=%.*s id=%.*s", SLICE_ARG(kind), SLICE_ARG(id));
	return state_missing_put(s->r->state, kind, id, err);
}

/* A document of the source that settle did not know: of which kind is it, and is it of this domain? */
static int judge(struct scan *s, const struct batch_doc *d, struct err *err)
{
	if (d->fate == FATE_OWN || d->fate == FATE_TOMBSTONE)
		return 0;
	if (d->fate == FATE_SKIP)
		return state_skipped_put(s->r->state, d->id, d->other_domain.ptr ? d->other_domain : SLICE(""), err);
	return mark(s, d->mapped.kind ? d->mapped.kind->name : SLICE("document"), d->id, err);
}

static int judge_batch(void *ctx, struct batch *b, struct err *err)
{
	struct scan *s = ctx;
	int rc = state_begin(s->r->state, err);

	run_prepare(s->r, b);
	for (size_t i = 0; i < b->docs.n && rc == 0; i++)
		rc = judge(s, &b->docs.v[i], err);
	if (rc == 0)
		rc = state_commit(s->r->state, err);
	if (rc)
		state_rollback(s->r->state);
	return rc;
}

/* Marks those whose kind is known already; the others are left for the source to tell. */
static int mark_known(struct scan *s, struct ids *unknown, struct err *err)
{
	struct slice kind;

	for (size_t i = 0; i < s->found.n; i++) {
		if (state_kind_get(s->r->state, s->found.v[i], &s->arena, &kind, err))
			return err->code;
		if (!kind.ptr)
			ARENA_PUSH(&s->arena, unknown, s->found.v[i]);
		else if (mark(s, kind, s->found.v[i], err))
			return err->code;
	}
	return 0;
}

static int clear_marks(struct scan *s, struct err *err)
{
	for (size_t i = 0; i < s->gone.n; i++)
		if (state_missing_del(s->r->state, s->gone.v[i], err))
			return err->code;
	for (size_t i = 0; i < s->doubtful.n; i++)
		if (state_case_touch(s->r->state, s->doubtful.v[i], err))
			return err->code;
	s->cleared += (int64_t)s->gone.n;
	s->compare |= s->doubtful.n > 0;
	return 0;
}

/* Records what this step came to. What must be asked for is recorded before the position moves behind it. */
static int end_step(struct scan *s, int done, struct err *err)
{
	struct ids unknown = {0};
	int rc = state_begin(s->r->state, err);

	if (rc == 0)
		rc = mark_known(s, &unknown, err);
	if (rc == 0)
		rc = clear_marks(s, err);
	if (rc == 0 && unknown.n == 0)
		rc = put_position(s, done, err);
	if (rc == 0)
		rc = state_commit(s->r->state, err);
	if (rc)
		state_rollback(s->r->state);
	if (rc == 0 && unknown.n) {
		rc = find_documents(s->r, unknown.v, unknown.n, NULL, judge_batch, s, err);
		if (rc == 0)
			rc = put_position(s, done, err);
	}
	s->found = s->gone = s->doubtful = (struct ids){0};
	arena_reset(&s->arena);
	s->step_ids = 0;
	s->step_began_us = clock_mono_us();
	atomic_store(&s->r->progress.docs, s->ids);
	atomic_store(&s->r->progress.total, s->source.total);
	run_progress_draw(s->r, "ids");
	return rc;
}

/* ---- the merge ---- */

/* Moves a stream to the first id that is not before `id`; *hit = 1 when it is that one, which is taken. */
static int move_to(struct id_stream *stream, struct slice id, int *hit, struct err *err)
{
	struct slice head;
	int order = -1;

	*hit = 0;
	while (order < 0) {
		if (id_stream_peek(stream, &head, err))
			return err->code;
		if (!head.ptr)
			return 0;
		order = slice_cmp(head, id);
		if (order <= 0)
			id_stream_advance(stream);
	}
	*hit = order == 0;
	return 0;
}

/* Marks before `id` (SLICE_NONE: all that are left) are of documents that the source has no more. */
static int move_marks(struct scan *s, struct slice id, int *hit, struct err *err)
{
	struct slice head;

	*hit = 0;
	for (;;) {
		int order;

		if (id_stream_peek(&s->marked, &head, err))
			return err->code;
		if (!head.ptr)
			return 0;
		order = id.ptr ? slice_cmp(head, id) : -1;
		if (order > 0)
			return 0;
		id_stream_advance(&s->marked);
		*hit = order == 0;
		if (*hit)
			return 0;
		ARENA_PUSH(&s->arena, &s->gone, arena_slice(&s->arena, head));
	}
}

/* One id of the source. */
static int look_at(struct scan *s, struct slice id, struct err *err)
{
	unsigned covered = 0;
	int marked;

	for (int i = 0; i < COVERS; i++) {
		int hit;

		if (move_to(&s->covers[i], id, &hit, err))
			return err->code;
		covered |= hit ? 1u << i : 0;
	}
	if (move_marks(s, id, &marked, err))
		return err->code;
	if (covered == 1u << COVER_CASES && marked)
		ARENA_PUSH(&s->arena, &s->doubtful, arena_slice(&s->arena, id));
	else if (covered && marked)
		ARENA_PUSH(&s->arena, &s->gone, arena_slice(&s->arena, id));
	if (!covered && !marked && !slice_starts(id, SLICE("_design/")))
		ARENA_PUSH(&s->arena, &s->found, arena_slice(&s->arena, id));
	return 0;
}

static int step_is_full(const struct scan *s)
{
	return s->step_ids >= STEP_IDS || s->found.n + s->gone.n + s->doubtful.n >= STEP_FOUND ||
	       (s->step_ids % LOOK_EVERY == 0 && clock_mono_us() - s->step_began_us > STEP_US);
}

static int merge(struct scan *s, struct err *err)
{
	struct slice id;
	int unused;

	for (;;) {
		if (id_stream_peek(&s->source, &id, err))
			return err->code;
		if (!id.ptr)
			break;
		if (look_at(s, id, err))
			return err->code;
		s->ids++;
		s->step_ids++;
		if (!step_is_full(s) && !(s->source.at + 1 == s->source.n && run_stopped(s->r))) {
			id_stream_advance(&s->source);
			continue;
		}
		buf_clear(&s->position);
		buf_adds(&s->position, id);
		id_stream_advance(&s->source);
		if (end_step(s, 0, err))
			return err->code;
		if (run_stopped(s->r))
			return err_set(err, ERR_STOPPED, "clean break");
	}
	if (s->source.disorder)
		return 0;
	if (move_marks(s, SLICE_NONE, &unused, err))
		return err->code;
	return end_step(s, 1, err);
}

/* ---- the streams ---- */

/* A recorded feed's ids are what the state file has just learned from it; a rebuild reads the file once more. */
static int open_source(struct scan *s, struct slice after, struct err *err)
{
	struct run *r = s->r;

	if (s->sorted)
		return id_stream_sorted(&s->source, r, after, err);
	if (run_from_server(r))
		id_stream_server(&s->source, r, after);
	else
		id_stream_state(&s->source, r, STATE_IDS_SOURCE, after);
	return 0;
}

static int open_streams(struct scan *s, struct slice after, struct err *err)
{
	struct run *r = s->r;

	if (id_stream_target(&s->covers[COVER_FORMS], r, &sql_forms, &s->turn, after, err) ||
	    id_stream_target(&s->covers[COVER_CASES], r, &sql_cases, &s->turn, after, err) ||
	    id_stream_target(&s->covers[COVER_DOCUMENTS], r, &sql_documents, &s->turn, after, err))
		return err->code;
	id_stream_state(&s->covers[COVER_SKIPPED], r, STATE_IDS_SKIPPED, after);
	id_stream_state(&s->covers[COVER_REJECTS], r, STATE_IDS_REJECTS, after);
	id_stream_state(&s->covers[COVER_PENDING], r, STATE_IDS_PENDING, after);
	id_stream_state(&s->marked, r, STATE_IDS_MISSING, after);
	return open_source(s, after, err);
}

static void close_streams(struct scan *s)
{
	id_stream_release(&s->source);
	for (int i = 0; i < COVERS; i++)
		id_stream_release(&s->covers[i]);
	id_stream_release(&s->marked);
	memset(s->covers, 0, sizeof(s->covers));
	s->source = s->marked = (struct id_stream){0};
	arena_reset(&s->arena);
	s->found = s->gone = s->doubtful = (struct ids){0};
}

static int scan_from(struct scan *s, struct slice after, struct err *err)
{
	int rc, disorder;

	s->step_ids = 0;
	s->step_began_us = clock_mono_us();
	rc = open_streams(s, after, err);
	if (rc == 0)
		rc = merge(s, err);
	disorder = rc == 0 && s->source.disorder;
	close_streams(s);
	if (!disorder)
		return rc;
	log_at(s->r->env->log, LOG_INFO, "the source does not list its ids in byte order: they are sorted here");
	s->sorted = 1;
	s->ids = 0;
	return scan_from(s, SLICE_NONE, err);
}

/* ---- the whole ---- */

/*
 * What was written to the source since the pass came to its end was found missing, although it only waits: the feed up
 * to its head brings it, and takes the mark away.
 */
static int catch_up(struct run *r, struct err *err)
{
	r->caught_up = 0;
	if (run_pass(r, err))
		return err->code;
	return run_cases(r, err);
}

static void report(const struct scan *s, int64_t began)
{
	double seconds = (double)(clock_mono_us() - began) / 1e6;

	log_at(s->r->env->log, LOG_INFO,
	       "looked for %lld ids of the source in the target in %.2f s: %lld newly missing, %lld not any more",
	       (long long)s->ids, seconds, (long long)s->missing, (long long)s->cleared);
}

static int scan(struct run *r, struct slice after, int sorted, struct err *err)
{
	struct scan s = {
	    .r = r, .turn = PTHREAD_MUTEX_INITIALIZER, .position = BUF_INIT(SIZE_MAX / 2), .sorted = sorted};
	int64_t began = clock_mono_us();
	int rc;

	if (after.ptr)
		log_at(r->env->log, LOG_INFO, "going on with the search for missing documents behind %.*s",
		       SLICE_ARG(after));
	run_progress_start(r, 0);
	rc = scan_from(&s, after, err);
	run_progress_draw(r, NULL);
	if (rc == 0)
		report(&s, began);
	buf_release(&s.position);
	arena_release(&s.arena);
	if (rc == 0 && s.missing && run_from_server(r))
		return catch_up(r, err);
	return rc == 0 && s.compare ? run_cases(r, err) : rc;
}

/* The feed brings every document to a live migration; its end makes sure. */
static int is_enough(const struct run *r, int done)
{
	return done && (r->options.live || r->options.follow);
}

int run_scan(struct run *r, struct err *err)
{
	enum migrate_scan how = r->options.missing_docs;
	struct slice after;
	int done;

	if (how == MIGRATE_SCAN_CACHED)
		return 0;
	if (r->trial.ptr) {
		log_at(r->env->log, LOG_INFO, "a trial run looks for no missing documents");
		return 0;
	}
	if (how == MIGRATE_SCAN_RECHECK)
		return run_recheck(r, err);
	if (how == MIGRATE_SCAN_REBUILD)
		return scan(r, SLICE_NONE, !run_from_server(r) && r->env->source->scheme == URL_FILE, err);
	if (read_position(r, &after, &done, err))
		return err->code;
	return is_enough(r, done) ? 0 : scan(r, after, 0, err);
}
