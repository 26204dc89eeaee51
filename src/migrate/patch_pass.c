/* patch_pass: plan and journal, audit commit, SQL. See patching.h for the order. */
#include "migrate/patch_pass.h"

#include "migrate/patch_case.h"
#include "migrate/patch_withdraw.h"
#include "migrate/session.h"
#include "migrate/trail.h"
#include "sql/tables.h"

#include <stdlib.h>

#define PAGE 200

struct pass {
	struct run *r;
	const struct migrate_patch_options *o;
	struct migrate_patched *out;
	struct patch_cases page;
};

/* ---- planning ---- */

static int add_diffs(struct patch_case *c, struct slice text, struct arena *a, struct err *err)
{
	struct json *list = ARENA_NEW(a, struct json);

	if (!text.ptr)
		return 0;
	if (json_read(arena_slice(a, text), a, 0, list, NULL, err) || diff_list_from_json(list, a, &c->diffs, err)) {
		err->code = ERR_STATE;
		return err_prefix(err, "stored differences of %.*s", SLICE_ARG(c->id));
	}
	return 0;
}

/* Diffs of a document come with its changes; a document with changes alone is taken from the other list. */
static int add_item(struct pass *p, enum state_list which, const struct state_item *item, struct err *err)
{
	struct patch_cases *page = &p->page;
	enum state_list other = which == STATE_DIFFS ? STATE_CHANGES : STATE_DIFFS;
	struct arena *a = &page->arena;
	struct patch_case c = {.kind = arena_slice(a, item->kind), .id = arena_slice(a, item->id)};
	struct state_item more = {0};
	int rc = state_get(p->r->lister_state, other, item->id, a, &more, err);

	if (rc && rc != ERR_NOTFOUND)
		return rc;
	if (rc == 0 && which == STATE_CHANGES && !p->o->only_changes)
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

static int journal(struct run *r, const struct patch_case *c, struct arena *a, struct err *err)
{
	struct json entry = patch_entry(c, a);
	struct state_patch p = {
	    .form_id = c->form_id,
	    .kind = c->kind,
	    .id = c->id,
	    .received_on = c->received_on,
	    .xml = c->xml,
	    .entry = json_to_text(&entry, JSON_PRETTY, a),
	};

	return state_patch_put(r->state, &p, err);
}

static void tell_refused(struct pass *p, const struct patch_case *c)
{
	p->out->refused++;
	log_at(p->r->env->log, LOG_WARN, "cannot patch %.*s %.*s: %.*s", SLICE_ARG(c->kind), SLICE_ARG(c->id),
	       SLICE_ARG(c->refused));
}

static int journal_page(struct pass *p, struct err *err)
{
	struct patch_cases *page = &p->page;
	int rc = state_begin(p->r->state, err);

	for (size_t i = 0; i < page->list.n && rc == 0; i++) {
		if (page->list.v[i].refused.ptr)
			tell_refused(p, &page->list.v[i]);
		else
			rc = journal(p->r, &page->list.v[i], &page->arena, err);
	}
	if (rc == 0)
		return state_commit(p->r->state, err);
	state_rollback(p->r->state);
	return rc;
}

static int plan_page(struct pass *p, enum state_list which, const struct state_items *items, struct err *err)
{
	struct patch_cases *page = &p->page;

	arena_reset(&page->arena);
	page->list.v = NULL;
	page->list.n = page->list.cap = 0;
	for (size_t i = 0; i < items->n; i++) {
		if (p->o->filter && !p->o->filter(p->o->ctx, items->v[i].kind, items->v[i].id))
			continue;
		if (add_item(p, which, &items->v[i], err))
			return err->code;
	}
	if (page->list.n == 0)
		return 0;
	qsort(page->list.v, page->list.n, sizeof(*page->list.v), id_order);
	if (patch_cases_plan(p->r, page, err))
		return err->code;
	return journal_page(p, err);
}

static int plan_list(struct pass *p, enum state_list which, struct err *err)
{
	struct arena a = ARENA_INIT, last = ARENA_INIT;
	struct slice kind = SLICE_NONE, id = SLICE_NONE;
	struct state_items items = {0};
	int rc = 0;

	do {
		arena_reset(&a);
		rc = state_list(p->r->lister_state, which, kind, id, PAGE, &a, &items, err);
		if (rc == 0)
			rc = plan_page(p, which, &items, err);
		if (rc == 0 && items.n) {
			arena_reset(&last);
			kind = arena_slice(&last, items.v[items.n - 1].kind);
			id = arena_slice(&last, items.v[items.n - 1].id);
		}
		if (rc == 0 && run_stopped(p->r))
			rc = err_set(err, ERR_STOPPED, "stopped before the end of the plan");
	} while (rc == 0 && items.n == PAGE);
	arena_release(&a);
	arena_release(&last);
	return rc;
}

/* ---- the journal, page by page ---- */

typedef int journal_fn(void *ctx, const struct state_patches *page, struct arena *a, struct err *err);

static int each_journal_page(struct run *r, journal_fn *fn, void *ctx, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct state_patches page;
	int64_t after = 0;
	int rc = 0;

	do {
		arena_reset(&a);
		rc = state_patch_page(r->state, after, PAGE, &a, &page, err);
		if (rc == 0 && page.n) {
			after = page.v[page.n - 1].n;
			rc = fn(ctx, &page, &a, err);
		}
	} while (rc == 0 && page.n == PAGE);
	arena_release(&a);
	return rc;
}

/* ---- the trail ---- */

struct recording {
	struct audit *trail;
	int digests;
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

	if (is_recorded(rec->trail, p->form_id, a))
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
static int record_pass(struct run *r, int digests, char head[AUDIT_ID_SIZE], struct err *err)
{
	struct recording rec = {.digests = digests};
	struct arena a = ARENA_INIT;
	int rc = trail_begin(r, &rec.trail, err);

	if (rc == 0)
		rc = each_journal_page(r, record_journal, &rec, err);
	if (rc == 0 && rec.n) {
		struct trail_note note = {
		    .event = "patch",
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

/* ---- SQL ---- */

struct applying {
	struct run *r;
	char *head;
	int resumed; /* planned by another run: cases may have changed since */
	int64_t n;
	struct state_patches stale; /* of the page at hand, in its arena */
};

static void append(struct arena *a, struct sql_rows *to, const struct sql_rows *from)
{
	for (size_t i = 0; i < from->n; i++)
		ARENA_PUSH(a, to, from->v[i]);
}

static int read_forms(struct run *r, const struct state_patches *page, struct arena *a, struct patch_rows *out,
		      struct err *err)
{
	for (size_t i = 0; i < page->n; i++) {
		if (patch_rows_of(r->env->domain, page->v[i].xml, a, &out[i], err)) {
			err->code = ERR_STATE;
			return err_prefix(err, "journaled patch form %.*s", SLICE_ARG(page->v[i].form_id));
		}
	}
	return 0;
}

/* Forms that are there already (the pass was killed after the target's commit) have their children too. */
static int store_forms(struct sql_target *t, const struct patch_rows *forms, size_t n, struct arena *a,
		       enum sql_outcome *outcomes, struct err *err)
{
	struct sql_rows rows = {0}, operations = {0}, attachments = {0}, transactions = {0};

	for (size_t i = 0; i < n; i++)
		ARENA_PUSH(a, &rows, forms[i].form.form);
	if (sql_put(t, &sql_forms, rows.v, n, outcomes, a, NULL, err))
		return err->code;
	for (size_t i = 0; i < n; i++) {
		if (outcomes[i] != SQL_INSERTED)
			continue;
		append(a, &operations, &forms[i].form.operations);
		append(a, &attachments, &forms[i].form.attachments);
		append(a, &transactions, &forms[i].form.transactions);
	}
	if (sql_insert(t, &sql_form_operations, operations.v, operations.n, err) ||
	    sql_insert(t, &sql_attachments, attachments.v, attachments.n, err) ||
	    sql_insert(t, &sql_case_transactions, transactions.v, transactions.n, err))
		return err->code;
	return 0;
}

static int by_patch_id(const void *left, const void *right)
{
	return slice_cmp((*(const struct state_patch *const *)left)->id,
			 (*(const struct state_patch *const *)right)->id);
}

static int add_cases(struct run *r, const struct state_patches *journal, struct page *page, struct err *err)
{
	const struct state_patch **order = ARENA_ARRAY(&page->arena, journal->n, const struct state_patch *);

	for (size_t i = 0; i < journal->n; i++)
		order[i] = &journal->v[i];
	qsort(order, journal->n, sizeof(*order), by_patch_id);
	for (size_t i = 0; i < journal->n; i++) {
		struct json entry;

		if (i && slice_eq(order[i - 1]->id, order[i]->id))
			return err_set(err, ERR_STATE, "case %.*s is twice in the journal of the patch pass",
				       SLICE_ARG(order[i]->id));
		if (page_add(r, page, order[i]->id, err) ||
		    json_read(order[i]->entry, &page->arena, 0, &entry, NULL, err))
			return err->code;
		page->cases.v[page->cases.n - 1].foreseen = json_get_text(&entry, "after_sha256");
	}
	return 0;
}

static int commit_page(struct run *r, struct sql_target *t, const struct page *page, struct err *err)
{
	int rc = state_begin(r->state, err);

	if (rc == 0)
		rc = page_record(r, page, err);
	if (rc == 0)
		rc = state_commit(r->state, err);
	if (rc) {
		state_rollback(r->state);
		return rc;
	}
	return sql_commit(t, err);
}

static struct page_case *case_of(struct page *page, struct slice id)
{
	for (size_t i = 0; i < page->cases.n; i++)
		if (slice_eq(page->cases.v[i].id, id))
			return &page->cases.v[i];
	return NULL;
}

/* What a form in SQL has led to is done; the case may have gone on since. */
static void forget_foreseen(struct page *page, const struct state_patches *journal, const enum sql_outcome *outcomes)
{
	for (size_t i = 0; i < journal->n; i++)
		if (outcomes[i] != SQL_INSERTED)
			case_of(page, journal->v[i].id)->foreseen = SLICE_NONE;
}

/* Patches that led elsewhere than was foreseen; of one that was planned just now the plan is wrong. */
static int find_stale(struct applying *ap, struct page *page, const struct state_patches *journal, struct arena *a,
		      struct err *err)
{
	for (size_t i = 0; i < journal->n; i++) {
		if (!case_of(page, journal->v[i].id)->unforeseen)
			continue;
		if (!ap->resumed)
			return err_set(err, ERR_INTERNAL, "the patch of case %.*s leads elsewhere than was foreseen",
				       SLICE_ARG(journal->v[i].id));
		ARENA_PUSH(a, &ap->stale, journal->v[i]);
	}
	return 0;
}

/* All or, when one of them is stale, nothing. */
static int store_page(struct applying *ap, const struct state_patches *journal, struct page *page, struct arena *a,
		      struct err *err)
{
	struct run *r = ap->r;
	struct sql_target *t = r->targets[0];
	struct patch_rows *forms = ARENA_ARRAY(&page->arena, journal->n, struct patch_rows);
	enum sql_outcome *outcomes = ARENA_ARRAY(&page->arena, journal->n, enum sql_outcome);
	int rc;

	if (read_forms(r, journal, &page->arena, forms, err) || add_cases(r, journal, page, err) || sql_begin(t, err))
		return err->code;
	rc = store_forms(t, forms, journal->n, &page->arena, outcomes, err);
	if (rc == 0) {
		forget_foreseen(page, journal, outcomes);
		rc = page_store(r, t, page, err);
	}
	if (rc == 0)
		rc = find_stale(ap, page, journal, a, err);
	if (rc == 0 && ap->stale.n == 0)
		rc = trail_note_head(r, t, ap->head, err);
	if (rc == 0 && ap->stale.n == 0)
		rc = commit_page(r, t, page, err);
	if (rc || ap->stale.n)
		sql_rollback(t);
	return rc;
}

static int clear_journal(struct run *r, const struct state_patches *journal, struct err *err)
{
	int rc = state_begin(r->state, err);

	for (size_t i = 0; i < journal->n && rc == 0; i++)
		rc = state_patch_del(r->state, journal->v[i].n, err);
	if (rc == 0)
		return state_commit(r->state, err);
	state_rollback(r->state);
	return rc;
}

static int is_stale(const struct applying *ap, const struct state_patch *p)
{
	for (size_t i = 0; i < ap->stale.n; i++)
		if (ap->stale.v[i].n == p->n)
			return 1;
	return 0;
}

/* Takes stale forms out of the trail, the journal and the page. */
static int withdraw(struct applying *ap, struct state_patches *journal, struct arena *a, struct err *err)
{
	struct state_patches left = {0};

	if (patch_withdraw(ap->r, &ap->stale, ap->head, err) || clear_journal(ap->r, &ap->stale, err))
		return err->code;
	for (size_t i = 0; i < journal->n; i++)
		if (!is_stale(ap, &journal->v[i]))
			ARENA_PUSH(a, &left, journal->v[i]);
	*journal = left;
	return 0;
}

static int try_page(struct applying *ap, const struct state_patches *journal, struct arena *a, struct err *err)
{
	struct page *page = page_new();
	int rc;

	ap->stale = (struct state_patches){0};
	rc = store_page(ap, journal, page, a, err);
	page_free(page);
	return rc;
}

static int apply_page(void *ctx, const struct state_patches *journal, struct arena *a, struct err *err)
{
	struct applying *ap = ctx;
	struct state_patches left = *journal;
	int rc = try_page(ap, &left, a, err);

	while (rc == 0 && ap->stale.n) {
		rc = withdraw(ap, &left, a, err);
		ap->stale.n = 0;
		if (rc == 0 && left.n)
			rc = try_page(ap, &left, a, err);
	}
	if (rc == 0)
		rc = clear_journal(ap->r, &left, err);
	ap->n += (int64_t)left.n;
	if (rc == 0 && run_stopped(ap->r))
		rc = err_set(err, ERR_STOPPED, "stopped; the next run goes on with the patches that were planned");
	return rc;
}

/* ---- the pass ---- */

static int finish_journal(struct run *r, int resumed, int digests, int64_t *n, struct err *err)
{
	char head[AUDIT_ID_SIZE];
	struct applying ap = {.r = r, .head = head, .resumed = resumed};
	int rc = record_pass(r, digests, head, err);

	if (rc == 0)
		rc = each_journal_page(r, apply_page, &ap, err);
	*n += ap.n;
	return rc;
}

int patch_resume(struct run *r, int digests, struct err *err)
{
	int64_t left, n = 0;

	if (state_patch_count(r->state, &left, err))
		return err->code;
	if (left == 0)
		return 0;
	log_at(r->env->log, LOG_INFO, "a patch pass was interrupted: going on with %lld patch forms", (long long)left);
	return finish_journal(r, 1, digests, &n, err);
}

/* Nothing is planned that could not be written down. */
static int check_trail(struct run *r, struct err *err)
{
	struct audit *trail = NULL;
	int rc = trail_begin(r, &trail, err);

	audit_close(trail);
	return rc;
}

int patch_pass(struct run *r, const struct migrate_patch_options *o, struct migrate_patched *out, struct err *err)
{
	struct pass p = {.r = r, .o = o, .out = out};
	int64_t left = 0;
	int rc = check_trail(r, err);

	if (rc == 0)
		rc = patch_resume(r, o->digests, err);
	if (rc == 0 && !o->only_changes)
		rc = plan_list(&p, STATE_DIFFS, err);
	if (rc == 0 && !o->only_diffs)
		rc = plan_list(&p, STATE_CHANGES, err);
	arena_release(&p.page.arena);
	if (rc == 0)
		rc = state_patch_count(r->state, &left, err);
	if (rc == 0 && left)
		rc = finish_journal(r, 0, o->digests, &out->patched, err);
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
	int rc = run_open(&r, env, NULL, 0, err);

	*out = (struct migrate_patched){0};
	if (rc == 0)
		rc = run_enter(&r, LIFE_REPAIR, &s, &to, err);
	if (rc == 0)
		rc = patch_pass(&r, o, out, err);
	run_release(&r);
	return rc;
}
