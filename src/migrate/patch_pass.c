/* patch_pass: plan and journal, audit commit; then SQL (patch_apply.c). See patching.h for the order. */
#include "migrate/patch_pass.h"

#include "migrate/patch_apply.h"
#include "migrate/patch_case.h"
#include "migrate/patch_journal.h"
#include "migrate/pipeline.h"
#include "migrate/session.h"
#include "migrate/trail.h"

#include <stdlib.h>

#define PAGE 25

struct pass {
	struct run *r;
	const struct migrate_patch_options *o;
	struct migrate_patched *out;
};

/* ---- planning: pages are read by the producer, made by workers, journaled in order ---- */

struct plan_job {
	struct pipeline_job job; /* first: see pipeline.h */
	struct patch_cases page;
};

struct planner {
	struct pass *p;
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
	const struct pass *p = pl->p;
	enum state_list other = pl->which == STATE_DIFFS ? STATE_CHANGES : STATE_DIFFS;
	struct arena *a = &page->arena;
	struct patch_case c = {.kind = item->kind, .id = item->id};
	struct state_item more = {0};
	int rc = state_get(p->r->lister_state, other, item->id, a, &more, err);

	if (rc && rc != ERR_NOTFOUND)
		return rc;
	if (rc == 0 && pl->which == STATE_CHANGES && !p->o->only_changes)
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
	const struct migrate_patch_options *o = pl->p->o;

	for (size_t i = 0; i < items->n; i++) {
		if (o->filter && !o->filter(o->ctx, items->v[i].kind, items->v[i].id))
			continue;
		if (add_item(pl, page, &items->v[i], err))
			return err->code;
	}
	if (page->list.n == 0)
		return 0;
	qsort(page->list.v, page->list.n, sizeof(*page->list.v), id_order);
	return patch_cases_read(pl->p->r, page, err);
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
	struct state *s = pl->p->r->lister_state;
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

static void release_plan(void *ctx, struct pipeline_job *job)
{
	struct plan_job *j = (struct plan_job *)job;

	(void)ctx;
	arena_release(&j->page.arena);
	free(j);
}

static int produce_plan(void *ctx, uint64_t number, struct pipeline_job **job, struct err *err)
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
		release_plan(NULL, &j->job);
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

static void tell_refused(struct pass *p, const struct patch_case *c)
{
	p->out->refused++;
	log_at(p->r->env->log, LOG_WARN, "cannot patch %.*s %.*s: %.*s", SLICE_ARG(c->kind), SLICE_ARG(c->id),
	       SLICE_ARG(c->refused));
}

static int journal_page(struct pass *p, const struct patch_cases *page, const struct slice *entries, struct err *err)
{
	int rc = state_begin(p->r->state, err);

	for (size_t i = 0; i < page->list.n && rc == 0; i++) {
		if (page->list.v[i].refused.ptr)
			tell_refused(p, &page->list.v[i]);
		else
			rc = journal(p->r, &page->list.v[i], entries[i], err);
	}
	if (rc == 0)
		return state_commit(p->r->state, err);
	state_rollback(p->r->state);
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

static int work_plan(void *ctx, struct pipeline *pipe, int worker, struct pipeline_job *job, struct err *err)
{
	struct planner *pl = ctx;
	struct patch_cases *page = &((struct plan_job *)job)->page;
	struct slice *entries;

	(void)worker;
	if (patch_cases_make(pl->p->r, page, err))
		return err->code;
	entries = entries_of(page);
	if (pipeline_await_turn(pipe, job, err))
		return err->code;
	return journal_page(pl->p, page, entries, err);
}

static int plan_list(struct pass *p, enum state_list which, struct err *err)
{
	struct planner pl = {.p = p, .which = which};
	struct pipeline_spec spec = {
	    .workers = p->r->workers,
	    .stop = p->r->env->stop,
	    .ctx = &pl,
	    .produce = produce_plan,
	    .work = work_plan,
	    .release = release_plan,
	};
	int rc = pipeline_run(&spec, err);

	arena_release(&pl.last);
	if (rc == 0 && run_stopped(p->r))
		rc = err_set(err, ERR_STOPPED, "stopped before the end of the plan");
	return rc;
}

/* ---- the trail ---- */

struct recording {
	struct audit *trail;
	int digests;
	int resumed; /* what the journal holds may be in the trail already */
	int64_t n;
};

/* Without contents: what can be checked against SQL, and nothing of the document. */
static struct slice entry_digests(struct slice entry, struct arena *a, struct err *err)
{
	struct json v;

	if (json_read(entry, a, 0, &v, NULL, err))
		return SLICE_NONE;
	v = json_clone(a, &v);
	json_del(&v, SLICE("block"));
	json_del(&v, SLICE("after"));
	return json_to_text(&v, JSON_PRETTY, a);
}

static int put_file(struct audit *trail, const char *suffix, struct slice form_id, struct slice bytes, struct err *err)
{
	struct buf path = BUF_INIT(4096);
	int rc;

	audit_path(TRAIL_PATCHES, form_id, suffix, &path);
	rc = audit_put(trail, buf_slice(&path), bytes, err);
	buf_release(&path);
	return rc;
}

/* Those that a killed pass has put there already are left alone. */
static int is_recorded(struct audit *trail, struct slice form_id, struct arena *a)
{
	struct err err = ERR_INIT;
	struct buf path = BUF_INIT(4096);
	struct slice held;
	int rc;

	audit_path(TRAIL_PATCHES, form_id, ".json", &path);
	rc = audit_read(trail, buf_slice(&path), a, &held, &err);
	buf_release(&path);
	return rc == 0;
}

static int record_one(struct recording *rec, const struct state_patch *p, struct arena *a, struct err *err)
{
	struct slice entry = p->entry;
	int rc = 0;

	if (rec->resumed && is_recorded(rec->trail, p->form_id, a))
		return 0;
	rec->n++;
	if (rec->digests && !(entry = entry_digests(entry, a, err)).ptr)
		return err->code;
	if (!rec->digests)
		rc = put_file(rec->trail, ".xml", p->form_id, p->xml, err);
	return rc ? rc : put_file(rec->trail, ".json", p->form_id, entry, err);
}

static int record_journal(void *ctx, const struct state_patches *page, struct arena *a, struct err *err)
{
	for (size_t i = 0; i < page->n; i++)
		if (record_one(ctx, &page->v[i], a, err))
			return err->code;
	return 0;
}

/* One commit with every form of the journal; head: the last commit, also when there was nothing to add. */
static int record_pass(struct run *r, int resumed, int digests, char head[AUDIT_ID_SIZE], struct err *err)
{
	struct recording rec = {.digests = digests, .resumed = resumed};
	struct arena a = ARENA_INIT;
	int rc = trail_begin(r, &rec.trail, err);

	if (rc == 0)
		rc = patch_journal_each(r, record_journal, &rec, err);
	if (rc == 0 && rec.n) {
		struct audit_trailer forms = {"Forms", arena_printf(&a, "%lld", (long long)rec.n)};
		struct trail_note note = {
		    .event = "patch",
		    .trailers = &forms,
		    .n_trailers = 1,
		    .subject = arena_printf(&a, "patch pass: %lld %s", (long long)rec.n,
					    rec.n == 1 ? "document" : "documents"),
		};

		rc = trail_end(r, rec.trail, &note, head, err);
	} else if (rc == 0) {
		rc = audit_head(rec.trail, head, err);
	}
	audit_close(rec.trail);
	arena_release(&a);
	return rc;
}

/* ---- the pass ---- */

static int finish_journal(struct run *r, int resumed, int digests, struct migrate_patched *out, struct err *err)
{
	char head[AUDIT_ID_SIZE];

	if (record_pass(r, resumed, digests, head, err))
		return err->code;
	return patch_apply(r, head, resumed, out, err);
}

int patch_resume(struct run *r, int digests, struct err *err)
{
	struct migrate_patched done = {0};
	int64_t left;

	if (state_patch_count(r->state, &left, err))
		return err->code;
	if (left == 0)
		return 0;
	log_at(r->env->log, LOG_INFO, "a patch pass was interrupted: going on with %lld patch forms", (long long)left);
	return finish_journal(r, 1, digests, &done, err);
}

/* Nothing is planned that could not be written down. */
int patch_pass(struct run *r, const struct migrate_patch_options *o, struct migrate_patched *out, struct err *err)
{
	struct pass p = {.r = r, .o = o, .out = out};
	int64_t left = 0;
	int rc = trail_check(r, err);

	if (rc == 0)
		rc = patch_resume(r, o->digests, err);
	if (rc == 0 && !o->only_changes)
		rc = plan_list(&p, STATE_DIFFS, err);
	if (rc == 0 && !o->only_diffs)
		rc = plan_list(&p, STATE_CHANGES, err);
	if (rc == 0)
		rc = state_patch_count(r->state, &left, err);
	if (rc == 0 && left)
		rc = finish_journal(r, 0, o->digests, out, err);
	log_at(r->env->log, LOG_INFO, "patched %lld documents, refused %lld", (long long)out->patched,
	       (long long)out->refused);
	return rc;
}

int migrate_patch(const struct migrate_env *env, const struct migrate_patch_options *o, struct migrate_patched *out,
		  struct err *err)
{
	struct run r;
	struct status s;
	enum life_status to;
	unsigned source = env->source && env->profile->patch_documents ? RUN_WITH_SOURCE : 0;
	int rc = run_open(&r, env, LIFE_REPAIR, NULL, (enum run_open_flags)source, err);

	*out = (struct migrate_patched){0};
	if (rc == 0)
		rc = run_enter(&r, LIFE_REPAIR, &s, &to, err);
	if (rc == 0)
		rc = patch_pass(&r, o, out, err);
	run_release(&r);
	return rc;
}
