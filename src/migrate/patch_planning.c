/* patch_planning: pages are read by the producer, made by workers, journaled in order. */
#include "migrate/patch_planning.h"

#include "migrate/patch_case.h"
#include "migrate/pipeline.h"
#include "migrate/session.h"

#include <stdlib.h>

#define PAGE 50 /* several are in flight, with the documents that they are planned for */

struct plan_job {
	struct pipeline_job job; /* first: see pipeline.h */
	struct patch_cases page;
};

struct planner {
	struct run *r;
	const struct migrate_patch_options *o;
	int64_t *refused; /* of whoever has the turn */
	enum state_list which;
	struct arena last; /* of kind and id, the last item read */
	struct slice kind, id;
	int ended;
};

static int add_diffs(struct patch_case *c, struct slice text, struct arena *a, struct err *err)
{
	struct json *list = ARENA_NEW(a, struct json);

	if (!text.ptr)
		return 0;
	if (json_read(text, a, 0, list, NULL, err) || diff_list_from_json(list, a, &c->diffs, err)) {
		err->code = ERR_STATE;
		return err_prefix(err, "stored differences of %.*s", SLICE_ARG(c->id));
	}
	return 0;
}

/* Diffs of a document come with its changes; a document with changes alone is taken from the other list. */
static int add_item(struct planner *pl, struct patch_cases *page, const struct state_item *item, struct err *err)
{
	enum state_list other = pl->which == STATE_DIFFS ? STATE_CHANGES : STATE_DIFFS;
	struct arena *a = &page->arena;
	struct patch_case c = {.kind = item->kind, .id = item->id};
	struct state_item more = {0};
	int rc = state_get(pl->r->lister_state, other, item->id, a, &more, err);

	if (rc && rc != ERR_NOTFOUND)
		return rc;
	if (rc == 0 && pl->which == STATE_CHANGES && !pl->o->only_changes)
		return 0;
	if (add_diffs(&c, item->json, a, err) || add_diffs(&c, more.json, a, err))
		return err->code;
	ARENA_PUSH(a, &page->list, c);
	return 0;
}

static int id_order(const void *left, const void *right)
{
	return slice_cmp(((const struct patch_case *)left)->id, ((const struct patch_case *)right)->id);
}

static int add_items(struct planner *pl, struct patch_cases *page, const struct state_items *items, struct err *err)
{
	for (size_t i = 0; i < items->n; i++) {
		if (pl->o->filter && !pl->o->filter(pl->o->ctx, items->v[i].kind, items->v[i].id))
			continue;
		if (add_item(pl, page, &items->v[i], err))
			return err->code;
	}
	if (page->list.n == 0)
		return 0;
	qsort(page->list.v, page->list.n, sizeof(*page->list.v), id_order);
	return patch_cases_read(pl->r, page, err);
}

static void note_last(struct planner *pl, const struct state_items *items)
{
	pl->ended = items->n < PAGE;
	if (pl->ended)
		return;
	arena_reset(&pl->last);
	pl->kind = arena_slice(&pl->last, items->v[items->n - 1].kind);
	pl->id = arena_slice(&pl->last, items->v[items->n - 1].id);
}

/* The state file is read at one moment: its pages stay in memory for the page's few reads a case. */
static int read_items(struct planner *pl, struct patch_cases *page, struct err *err)
{
	struct state *s = pl->r->lister_state;
	struct state_items items = {0};
	int rc = state_begin(s, err);

	if (rc == 0)
		rc = state_list(s, pl->which, pl->kind, pl->id, PAGE, &page->arena, &items, err);
	if (rc == 0)
		rc = add_items(pl, page, &items, err);
	state_rollback(s);
	if (rc == 0)
		note_last(pl, &items);
	return rc;
}

static void release(void *ctx, struct pipeline_job *job)
{
	struct plan_job *j = (struct plan_job *)job;

	(void)ctx;
	arena_release(&j->page.arena);
	free(j);
}

static int produce(void *ctx, uint64_t number, struct pipeline_job **job, struct err *err)
{
	struct planner *pl = ctx;
	struct plan_job *j = calloc(1, sizeof(*j));
	int rc = j ? 0 : err_set(err, ERR_INTERNAL, "out of memory");

	while (rc == 0 && j->page.list.n == 0 && !pl->ended) {
		arena_reset(&j->page.arena);
		rc = read_items(pl, &j->page, err);
	}
	if (rc == 0 && j->page.list.n) {
		j->job.number = number;
		*job = &j->job;
	} else if (j) {
		release(NULL, &j->job);
	}
	return rc;
}

static int journal(struct run *r, const struct patch_case *c, struct slice entry, struct err *err)
{
	struct state_patch p = {
	    .form_id = c->form_id,
	    .kind = c->kind,
	    .id = c->id,
	    .received_on = c->received_on,
	    .xml = c->xml,
	    .entry = entry,
	};

	return state_patch_put(r->state, &p, err);
}

static void tell_refused(struct planner *pl, const struct patch_case *c)
{
	++*pl->refused;
	log_at(pl->r->env->log, LOG_WARN, "cannot patch %.*s %.*s: %.*s", SLICE_ARG(c->kind), SLICE_ARG(c->id),
	       SLICE_ARG(c->refused));
}

static int journal_page(struct planner *pl, const struct patch_cases *page, const struct slice *entries,
			struct err *err)
{
	int rc = state_begin(pl->r->state, err);

	for (size_t i = 0; i < page->list.n && rc == 0; i++) {
		if (page->list.v[i].refused.ptr)
			tell_refused(pl, &page->list.v[i]);
		else
			rc = journal(pl->r, &page->list.v[i], entries[i], err);
	}
	if (rc == 0)
		return state_commit(pl->r->state, err);
	state_rollback(pl->r->state);
	return rc;
}

static struct slice *entries_of(struct patch_cases *page)
{
	struct slice *entries = ARENA_ARRAY(&page->arena, page->list.n, struct slice);

	for (size_t i = 0; i < page->list.n; i++)
		if (!page->list.v[i].refused.ptr) {
			struct json entry = patch_entry(&page->list.v[i], &page->arena);

			entries[i] = json_to_text(&entry, JSON_PRETTY, &page->arena);
		}
	return entries;
}

static int work(void *ctx, struct pipeline *pipe, int worker, struct pipeline_job *job, struct err *err)
{
	struct planner *pl = ctx;
	struct patch_cases *page = &((struct plan_job *)job)->page;
	struct slice *entries;

	(void)worker;
	if (patch_cases_make(pl->r, page, err))
		return err->code;
	entries = entries_of(page);
	if (pipeline_await_turn(pipe, job, err))
		return err->code;
	return journal_page(pl, page, entries, err);
}

int patch_plan_list(struct run *r, const struct migrate_patch_options *o, enum state_list which, int64_t *refused,
		    struct err *err)
{
	struct planner pl = {.r = r, .o = o, .refused = refused, .which = which};
	struct pipeline_spec spec = {
	    .workers = r->workers,
	    .stop = r->env->stop,
	    .ctx = &pl,
	    .produce = produce,
	    .work = work,
	    .release = release,
	};
	int rc = pipeline_run(&spec, err);

	arena_release(&pl.last);
	if (rc == 0 && run_stopped(r))
		rc = err_set(err, ERR_STOPPED, "stopped before the end of the plan");
	return rc;
}
