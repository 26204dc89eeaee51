/* documents: the pass over the feed, as a pipeline of batches. */
#include "base/clock.h"
#include "base/datetime.h"
#include "migrate/group.h"
#include "migrate/losing.h"
#include "migrate/moment.h"
#include "migrate/recording.h"
#include "migrate/rows.h"
#include "migrate/sample.h"
#include "migrate/session.h"

#define PERCENT_FROM 1000 /* documents */

/* ---- batches that share a document follow one another ---- */

static void note_inflight(struct run *r, struct batch *b, uint64_t number)
{
	pthread_mutex_lock(&r->inflight_mutex);
	b->job.number = number;
	for (int i = 0; i < RUN_MAX_INFLIGHT; i++)
		if (!r->inflight[i]) {
			r->inflight[i] = b;
			break;
		}
	pthread_mutex_unlock(&r->inflight_mutex);
}

static void forget_inflight(struct run *r, const struct batch *b)
{
	pthread_mutex_lock(&r->inflight_mutex);
	for (int i = 0; i < RUN_MAX_INFLIGHT; i++)
		if (r->inflight[i] == b)
			r->inflight[i] = NULL;
	pthread_mutex_unlock(&r->inflight_mutex);
}

/* The latest earlier batch in flight that may hold one of our documents; our own number when there is none. */
static uint64_t rival_of(struct run *r, const struct batch *b)
{
	uint64_t rival = b->job.number;

	pthread_mutex_lock(&r->inflight_mutex);
	for (int i = 0; i < RUN_MAX_INFLIGHT; i++) {
		const struct batch *other = r->inflight[i];

		if (!other || other->job.number >= b->job.number || !idset_meets(&other->ids, &b->ids))
			continue;
		if (rival == b->job.number || other->job.number > rival)
			rival = other->job.number;
	}
	pthread_mutex_unlock(&r->inflight_mutex);
	return rival;
}

static int produce(void *ctx, uint64_t number, struct pipeline_job **job, struct err *err)
{
	struct run *r = ctx;
	struct batch *b;

	if (atomic_load(&r->too_many_rejects))
		return 0;
	if (fetch_next(r->fetch, &b, err))
		return err->code;
	if (b)
		note_inflight(r, b, number);
	*job = b ? &b->job : NULL;
	return 0;
}

static void release(void *ctx, struct pipeline_job *job)
{
	forget_inflight(ctx, (struct batch *)job);
	batch_free((struct batch *)job);
}

/* ---- commit ---- */

static void add_counters(struct migrate_counters *to, const struct migrate_counters *c)
{
	to->read += c->read;
	to->written += c->written;
	to->unchanged += c->unchanged;
	to->deleted += c->deleted;
	to->skipped += c->skipped;
	to->rejected += c->rejected;
	to->bytes += c->bytes;
}

static int check_balance(const struct migrate_counters *c, struct err *err)
{
	if (c->read == c->written + c->unchanged + c->deleted + c->skipped + c->rejected)
		return 0;
	return err_set(
	    err, ERR_INTERNAL,
	    "counts do not balance: read %lld, written %lld, unchanged %lld, deleted %lld, skipped %lld, rejected %lld",
	    (long long)c->read, (long long)c->written, (long long)c->unchanged, (long long)c->deleted,
	    (long long)c->skipped, (long long)c->rejected);
}

static int put_checkpoint(struct run *r, struct sql_target *t, struct batch *b, const struct migrate_counters *c,
			  struct err *err)
{
	struct arena *a = &b->arena;
	struct sql_row row = row_new(a, CKPT_COLUMNS);
	enum sql_outcome outcome;
	char now[DATETIME_TEXT_SIZE];

	if (moment_step(r, now, err))
		return err->code;
	row.cells[CKPT_DOMAIN] = r->env->domain;
	row.cells[CKPT_SEQ] = b->seq;
	row.cells[CKPT_PASS] = row_int(a, r->pass + (b->last || r->caught_up ? 1 : 0));
	row.cells[CKPT_READ] = row_int(a, c->read);
	row.cells[CKPT_WRITTEN] = row_int(a, c->written);
	row.cells[CKPT_UNCHANGED] = row_int(a, c->unchanged);
	row.cells[CKPT_DELETED] = row_int(a, c->deleted);
	row.cells[CKPT_SKIPPED] = row_int(a, c->skipped);
	row.cells[CKPT_REJECTED] = row_int(a, c->rejected);
	row.cells[CKPT_BYTES] = row_int(a, c->bytes);
	row.cells[CKPT_UPDATED_ON] = slice_of(now);
	return sql_put(t, &sql_checkpoint, &row, 1, &outcome, a, NULL, err);
}

/* What the state file and the checkpoint say of a batch; *total is then the counters with it. */
static int record_and_count(struct run *r, struct sql_target *t, struct batch *b, struct migrate_counters *total,
			    struct err *err)
{
	*total = r->counters;
	recording_add(r, b);
	if (record_batch(r, b, err) || sample_note(r, b, err))
		return err->code;
	add_counters(total, &b->counters);
	if (check_balance(total, err))
		return err->code;
	return put_checkpoint(r, t, b, total->read ? total : &r->previous, err);
}

/* A part of little says nothing: percents count from the end of the pass or some documents on. */
static int passes_cap(const struct run *r, const struct migrate_counters *c, int at_end)
{
	switch (r->options.rejects_cap) {
	case MIGRATE_CAP_NONE:
		break;
	case MIGRATE_CAP_COUNT:
		return (double)c->rejected > r->options.max_rejects;
	case MIGRATE_CAP_PERCENT:
		return (at_end || c->read >= PERCENT_FROM) &&
		       (double)c->rejected * 100 > r->options.max_rejects * (double)c->read;
	}
	return 0;
}

static int too_many_rejects(const struct run *r, struct err *err)
{
	err_set(err, ERR_SOURCE, "%lld of %lld documents were rejected, more than --max-rejects allows",
		(long long)r->counters.rejected, (long long)r->counters.read);
	return err_hint(err, "`settle rejects list %.*s` says why; everything else that was read is stored",
			SLICE_ARG(r->env->domain));
}

/* Counted as they are committed (decisions 2 and 24). */
static void count_oddities(struct run *r, const struct batch *b)
{
	for (size_t i = 0; i < b->docs.n; i++) {
		const struct batch_doc *d = &b->docs.v[i];

		unsigned traits = record_traits(d);

		r->with_ledgers += (traits & STATE_LEDGERS) != 0;
		if (!(traits & STATE_KEY_TWICE))
			continue;
		r->with_duplicates++;
		log_at(r->env->log, LOG_DETAIL, "a key stands twice, the last value counts id=%.*s", SLICE_ARG(d->id));
	}
}

static void advance(struct run *r, const struct batch *b, const struct migrate_counters *total)
{
	count_oddities(r, b);
	if (passes_cap(r, total, 0))
		atomic_store(&r->too_many_rejects, 1);
	if (b->seq.ptr)
		run_set_seq(r, b->seq);
	r->counters = *total;
	atomic_fetch_add(&r->progress.docs, (int64_t)b->docs.n);
	run_progress_draw(r, "documents");
}

/* State first, then the target: a kill in between repeats the batch, and repeating changes nothing. */
static int commit(struct run *r, struct sql_target *t, struct batch *b, struct err *err)
{
	struct migrate_counters total;

	if (state_begin(r->state, err))
		return err->code;
	if (record_and_count(r, t, b, &total, err) || state_commit(r->state, err)) {
		state_rollback(r->state);
		return err->code;
	}
	if (sql_commit(t, err))
		return err->code;
	moment_done(r);
	advance(r, b, &total);
	atomic_fetch_add(&r->progress.committed, (int64_t)b->docs.n);
	return 0;
}

int run_store_alone(struct run *r, struct batch *b, struct err *err)
{
	struct sql_target *t = r->targets[0];
	int rc = losing_fetch(r, b, err);

	if (rc)
		return rc;
	b->again = 1;
	rc = sql_begin(t, err);
	if (rc == 0)
		rc = store_batch(r, t, b, err);
	if (rc == 0)
		rc = state_begin(r->state, err);
	if (rc == 0)
		rc = record_batch(r, b, err);
	for (size_t i = 0; i < b->docs.n && rc == 0; i++)
		if (b->docs.v[i].fate == FATE_CASE)
			rc = state_case_touch(r->state, b->docs.v[i].id, err);
	if (rc == 0)
		rc = moment_mark(r, t, err);
	if (rc == 0)
		rc = state_commit(r->state, err);
	if (rc == 0)
		rc = sql_commit(t, err);
	if (rc == 0) {
		moment_done(r);
		return 0;
	}
	state_rollback(r->state);
	sql_rollback(t);
	return rc;
}

int run_write_batch(struct run *r, struct pipeline *p, struct sql_target *t, struct batch *b, struct err *err)
{
	int rc;

	rc = sql_concurrent(t) ? pipeline_await_job(p, rival_of(r, b), &b->job, err)
			       : pipeline_await_turn(p, &b->job, err);
	if (rc)
		return rc;
	rc = sql_begin(t, err);
	if (rc == 0)
		rc = store_batch(r, t, b, err);
	if (rc == 0)
		rc = pipeline_await_turn(p, &b->job, err);
	if (rc == 0)
		rc = commit(r, t, b, err);
	if (rc)
		sql_rollback(t);
	return rc;
}

int run_batch_alone(struct run *r, struct batch *b, struct err *err)
{
	if (losing_fetch(r, b, err) || run_write_batch(r, NULL, r->targets[0], b, err))
		return err->code;
	return atomic_load(&r->too_many_rejects) ? too_many_rejects(r, err) : 0;
}

static int write_in_group(struct run *r, struct pipeline *p, struct sql_target *t, struct batch *b, struct err *err)
{
	struct migrate_counters total;
	int rc = pipeline_await_turn(p, &b->job, err);

	if (rc)
		return rc;
	rc = group_begin(r, t, err);
	if (rc == 0)
		rc = store_batch(r, t, b, err);
	if (rc == 0)
		rc = record_and_count(r, t, b, &total, err);
	if (rc == 0)
		rc = group_add(r, b->bytes, b->docs.n, err);
	if (rc == 0)
		advance(r, b, &total);
	else
		group_abandon(r);
	return rc;
}

static int work(void *ctx, struct pipeline *p, int worker, struct pipeline_job *job, struct err *err)
{
	struct run *r = ctx;
	struct batch *b = (struct batch *)job;
	struct sql_target *t = run_target_of(r, worker);

	run_prepare(r, b);
	if (losing_fetch(r, b, err))
		return err->code;
	return sql_concurrent(t) ? run_write_batch(r, p, t, b, err) : write_in_group(r, p, t, b, err);
}

int run_documents(struct run *r, struct err *err)
{
	struct pipeline_spec spec = {
	    .workers = r->workers,
	    .stop = r->env->stop,
	    .ctx = r,
	    .produce = produce,
	    .work = work,
	    .release = release,
	};

	if (group_finish(r, pipeline_run(&spec, err), err))
		return err->code;
	return passes_cap(r, &r->counters, 1) ? too_many_rejects(r, err) : 0;
}
