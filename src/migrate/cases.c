/*
 * cases: the pass over touched and pending cases, in id order. Ids come from two sorted streams (settle_dirty_case in
 * the target, pending cases in the spool), merged into pages; each page is folded, stored, read back, compared and
 * committed.
 */
#include "migrate/cases.h"
#include "migrate/again_internal.h"
#include "migrate/group.h"
#include "migrate/moment.h"
#include "migrate/trial.h"

#include <stdlib.h>

#define PAGE_CASES 250

/* ---- the producer: pages of ids ---- */

struct cursor { /* one sorted stream of ids, read ahead by a page */
	struct arena arena;
	struct slice *ids;
	size_t n, at;
	int ended;
	struct buf after;
};

struct lister {
	struct run *r;
	struct cursor dirty, pending;
	struct buf low; /* high end of the page before */
	int begun;
	int64_t listed;
};

static int refill_dirty(struct lister *l, struct err *err)
{
	struct cursor *c = &l->dirty;
	struct sql_rows rows = {0};

	if (sql_page(l->r->lister, &sql_dirty_case, l->r->env->domain, DIRTY_CASE_ID, buf_slice(&c->after), PAGE_CASES,
		     1, &c->arena, &rows, err))
		return err->code;
	c->ids = ARENA_ARRAY(&c->arena, rows.n, struct slice);
	for (c->n = 0; c->n < rows.n; c->n++)
		c->ids[c->n] = rows.v[c->n].cells[DIRTY_CASE_ID];
	return 0;
}

static int refill_pending(struct lister *l, struct err *err)
{
	struct cursor *c = &l->pending;
	struct state_id_list ids = {0};

	if (state_ids(l->r->lister_state, STATE_IDS_PENDING, buf_slice(&c->after), PAGE_CASES, &c->arena, &ids, err))
		return err->code;
	c->ids = ids.v;
	c->n = ids.n;
	return 0;
}

/* Makes sure that c->ids[c->at] is there, or that the stream has ended. */
static int look(struct lister *l, struct cursor *c, int (*refill)(struct lister *, struct err *), struct err *err)
{
	if (c->at < c->n || c->ended)
		return 0;
	arena_reset(&c->arena);
	c->at = c->n = 0;
	if (refill(l, err))
		return err->code;
	if (c->n == 0) {
		c->ended = 1;
		return 0;
	}
	buf_clear(&c->after);
	buf_adds(&c->after, c->ids[c->n - 1]);
	return 0;
}

/* The smaller of the two heads; both advance when they are equal. SLICE_NONE at the end. */
static int next_id(struct lister *l, struct slice *id, struct err *err)
{
	struct cursor *d = &l->dirty, *p = &l->pending;
	int order;

	*id = SLICE_NONE;
	if (look(l, d, refill_dirty, err) || look(l, p, refill_pending, err))
		return err->code;
	if (d->at >= d->n && p->at >= p->n)
		return 0;
	if (d->at >= d->n)
		order = 1;
	else if (p->at >= p->n)
		order = -1;
	else
		order = slice_cmp(d->ids[d->at], p->ids[p->at]);
	*id = order <= 0 ? d->ids[d->at] : p->ids[p->at];
	d->at += order <= 0;
	p->at += order >= 0;
	return 0;
}

int page_add(struct run *r, struct page *page, struct slice id, struct err *err)
{
	struct page_case c = {.id = arena_slice(&page->arena, id)};
	int rc = state_case_get(r->lister_state, id, &page->arena, &c.spooled, err);

	if (rc && rc != ERR_NOTFOUND)
		return rc;
	c.has_couch = rc == 0;
	if (!c.has_couch && state_skipped_get(r->lister_state, id, &page->arena, &c.other_domain, err))
		return err->code;
	ARENA_PUSH(&page->arena, &page->cases, c);
	return 0;
}

static void close_page(struct lister *l, struct page *page)
{
	struct slice high = page->cases.v[page->cases.n - 1].id;

	page->low = l->begun ? arena_slice(&page->arena, buf_slice(&l->low)) : SLICE_NONE;
	page->high = high;
	l->begun = 1;
	buf_clear(&l->low);
	buf_adds(&l->low, high);
}

static int produce(void *ctx, uint64_t number, struct pipeline_job **job, struct err *err)
{
	struct lister *l = ctx;
	struct page *page = page_new();
	struct slice id = SLICE_NONE;
	int rc = 0;

	while (rc == 0 && page->cases.n < PAGE_CASES) {
		rc = next_id(l, &id, err);
		if (rc || !id.ptr)
			break;
		rc = page_add(l->r, page, id, err);
	}
	if (rc || page->cases.n == 0) {
		page_free(page);
		return rc;
	}
	close_page(l, page);
	page->job.number = number;
	*job = &page->job;
	return 0;
}

static void release(void *ctx, struct pipeline_job *job)
{
	(void)ctx;
	page_free((struct page *)job);
}

/* ---- a worker ---- */

int page_record(struct run *r, const struct page *page, struct err *err)
{
	for (size_t i = 0; i < page->cases.n; i++) {
		const struct page_case *c = &page->cases.v[i];
		struct state_doc doc = {
		    .kind = c->kind,
		    .id = c->id,
		    .ignored = c->ignored,
		    .attachments = c->spooled.attachments,
		    .conflicts = c->spooled.conflicts,
		    .diffs = c->diffs,
		    .changes = c->changes,
		    .wants = c->wants.v,
		    .n_wants = c->wants.n,
		};

		int wanted = trial_wants(r, c->kind); /* of others no document was read */

		if (!wanted)
			doc.diffs = doc.changes = doc.ignored = SLICE_NONE;
		if (r->again && again_outcome(r, r->state, &doc, c->missing, err))
			return err->code;
		if (state_case_compared(r->state, &doc, wanted && c->missing ? STATE_MISSING : STATE_NOT_MISSING, err))
			return err->code;
	}
	return 0;
}

static int record_and_clear(struct run *r, struct sql_target *t, struct page *page, struct err *err)
{
	if (page_record(r, page, err))
		return err->code;
	return sql_delete_range(t, &sql_dirty_case, r->env->domain, DIRTY_CASE_ID, page->low, page->high, err);
}

static void advance(struct run *r, const struct page *page)
{
	if (r->progress.following)
		return;
	atomic_fetch_add(&r->progress.docs, (int64_t)page->cases.n);
	run_progress_draw(r, "cases");
}

static int commit_page(struct run *r, struct sql_target *t, struct page *page, struct err *err)
{
	if (state_begin(r->state, err))
		return err->code;
	if (record_and_clear(r, t, page, err) || moment_mark(r, t, err) || state_commit(r->state, err)) {
		state_rollback(r->state);
		return err->code;
	}
	if (sql_commit(t, err))
		return err->code;
	moment_done(r);
	if (state_pending_clear(r->state, page->high, err))
		return err->code;
	advance(r, page);
	atomic_fetch_add(&r->progress.committed, (int64_t)page->cases.n);
	return 0;
}

static int write_alone(struct run *r, struct pipeline *p, struct sql_target *t, struct page *page, struct err *err)
{
	int rc = sql_begin(t, err);

	if (rc == 0)
		rc = page_store(r, t, page, err);
	if (rc == 0)
		rc = pipeline_await_turn(p, &page->job, err);
	if (rc == 0)
		rc = commit_page(r, t, page, err);
	if (rc)
		sql_rollback(t);
	return rc;
}

static int write_in_group(struct run *r, struct pipeline *p, struct sql_target *t, struct page *page, struct err *err)
{
	int rc = pipeline_await_turn(p, &page->job, err);

	if (rc)
		return rc;
	rc = group_begin(r, t, err);
	if (rc == 0)
		rc = page_store(r, t, page, err);
	if (rc == 0)
		rc = record_and_clear(r, t, page, err);
	if (rc == 0) {
		group_compared(r, page->high);
		rc = group_add(r, 0, page->cases.n, err);
	}
	if (rc == 0)
		advance(r, page);
	else
		group_abandon(r);
	return rc;
}

static int work(void *ctx, struct pipeline *p, int worker, struct pipeline_job *job, struct err *err)
{
	struct run *r = ((struct lister *)ctx)->r;
	struct page *page = (struct page *)job;
	struct sql_target *t = run_target_of(r, worker);

	return sql_concurrent(t) ? write_alone(r, p, t, page, err) : write_in_group(r, p, t, page, err);
}

static void lister_release(struct lister *l)
{
	arena_release(&l->dirty.arena);
	arena_release(&l->pending.arena);
	buf_release(&l->dirty.after);
	buf_release(&l->pending.after);
	buf_release(&l->low);
}

/* Nearly all that are touched are pending too; for the progress line that will do. */
static int64_t expected_cases(struct run *r)
{
	struct state_counts counts;
	struct err err = ERR_INIT;

	return !r->progress.following && state_counts(r->lister_state, &counts, &err) == 0 ? counts.pending : 0;
}

static int cases_pass(struct run *r, struct err *err)
{
	struct lister l = {.r = r};
	struct pipeline_spec spec = {
	    .workers = r->workers,
	    .stop = r->env->stop,
	    .ctx = &l,
	    .produce = produce,
	    .work = work,
	    .release = release,
	};
	int rc;

	l.dirty.after.max = l.pending.after.max = l.low.max = r->options.max_doc;
	run_progress_start(r, expected_cases(r));
	rc = group_finish(r, pipeline_run(&spec, err), err);
	run_progress_draw(r, NULL);
	lister_release(&l);
	return rc;
}

int run_cases(struct run *r, struct err *err)
{
	return r->options.leave_cases ? 0 : cases_pass(r, err);
}
