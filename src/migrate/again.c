/* again: comparing cases and forms that were migrated before. */
#include "migrate/again_internal.h"

#include "migrate/cases.h"
#include "migrate/prepare.h"
#include "migrate/rules_used.h"
#include "migrate/session.h"

#define PAGE_CASES 500
#define MAX_SINGLE_GETS 1000 /* more documents than this are found in the feed */

/* ---- outcomes ---- */

size_t again_count(struct slice list, struct arena *a)
{
	struct json v;

	if (!list.len || json_read(list, a, 0, &v, NULL, NULL) || v.type != JSON_ARRAY)
		return 0;
	return v.count;
}

static int count_stored(struct state *state, enum state_list which, struct slice id, struct arena *a, size_t *n,
			struct err *err)
{
	struct state_item item;
	int rc = state_get(state, which, id, a, &item, err);

	*n = rc == 0 ? again_count(item.json, a) : 0;
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int tell_change(struct run *r, struct state *state, const struct state_doc *doc, struct err *err)
{
	struct refilter_change c = {.kind = doc->kind, .id = doc->id};
	struct arena a = ARENA_INIT;
	int rc = count_stored(state, STATE_DIFFS, doc->id, &a, &c.diffs_before, err);

	if (rc == 0)
		rc = count_stored(state, STATE_CHANGES, doc->id, &a, &c.changes_before, err);
	c.diffs_after = again_count(doc->diffs, &a);
	c.changes_after = again_count(doc->changes, &a);
	arena_release(&a);
	if (rc == 0 && (c.diffs_before != c.diffs_after || c.changes_before != c.changes_after))
		rc = r->again->changed(r->again->changed_ctx, &c, err);
	return rc;
}

static int has_any(struct slice list)
{
	return list.len && !slice_is(list, "[]");
}

int again_outcome(struct run *r, struct state *state, const struct state_doc *doc, int missing, struct err *err)
{
	struct again_result *result = r->again->result;

	result->compared++;
	result->diffs += has_any(doc->diffs);
	result->changes += has_any(doc->changes);
	result->missing += missing;
	return r->again->changed ? tell_change(r, state, doc, err) : 0;
}

static int tell_found(struct run *r, const struct state_doc *doc, int missing, struct err *err)
{
	const struct again_look *look = r->again->look;
	struct again_doc found = {
	    .kind = doc->kind, .id = doc->id, .diffs = doc->diffs, .changes = doc->changes, .missing = missing};

	if (again_outcome(r, r->lister_state, doc, missing, err))
		return err->code;
	if (!look || !look->found || (!has_any(doc->diffs) && !has_any(doc->changes)))
		return 0;
	return look->found(look->ctx, &found, err);
}

struct watcher { /* what a callback answers, for callers that cannot be told at once */
	struct run *r;
	struct err err;
};

static void watch(void *ctx, struct slice kind, struct slice id, const struct migrate_comparison *c)
{
	struct watcher *w = ctx;
	const struct again_look *look = w->r->again->look;

	if (c->ignored.n && !w->err.code)
		(void)look->ignored(look->ctx, kind, id, &c->ignored, &w->err);
}

/* ---- cases ---- */

static int stopped(const struct run *r, struct err *err)
{
	return run_stopped(r) ? err_set(err, ERR_STOPPED, "stopped before the end") : 0;
}

/* Fills a page with the next ids; a list that is not in order of id ends a page where it goes back. */
static int fill_page(struct run *r, struct again_ids *ids, struct slice *ahead, struct page *page, struct err *err)
{
	struct slice id = *ahead;

	*ahead = SLICE_NONE;
	while (page->cases.n < PAGE_CASES) {
		if (!id.ptr && again_ids_next(ids, &id, err))
			return err->code;
		if (!id.ptr)
			return 0;
		if (page->cases.n && slice_cmp(page->cases.v[page->cases.n - 1].id, id) >= 0) {
			*ahead = id;
			return 0;
		}
		if (page_add(r, page, id, err))
			return err->code;
		id = SLICE_NONE;
	}
	return 0;
}

static int is_wanted(const struct run *r, const struct page_case *c)
{
	return (c->has_couch || c->back) && selection_has(r->again->selection, c->kind, c->id);
}

/* Cases that the selection does not mean leave the page. */
static void keep_wanted(const struct run *r, struct page *page)
{
	size_t n = 0;

	for (size_t i = 0; i < page->cases.n; i++)
		if (is_wanted(r, &page->cases.v[i]))
			page->cases.v[n++] = page->cases.v[i];
	page->cases.n = n;
}

/* The case pass folds and compares what waits here, so a killed run is taken up by the next. */
static int let_wait(struct run *r, struct page *page, struct err *err)
{
	struct sql_target *t = r->targets[0];
	struct sql_rows rows = {0};
	int rc = 0;

	for (size_t i = 0; i < page->cases.n; i++)
		ARENA_PUSH(&page->arena, &rows, row_pair(&page->arena, r->env->domain, page->cases.v[i].id));
	if (rows.n)
		rc = sql_begin(t, err);
	if (rc == 0 && rows.n)
		rc = sql_insert(t, &sql_dirty_case, rows.v, rows.n, err);
	if (rc == 0 && rows.n)
		rc = sql_commit(t, err);
	if (rc)
		sql_rollback(t);
	return rc;
}

static int look_at_page(struct run *r, struct page *page, struct err *err)
{
	if (page->cases.n && page_look(r, r->lister, page, err))
		return err->code;
	for (size_t i = 0; i < page->cases.n; i++) {
		const struct page_case *c = &page->cases.v[i];
		struct state_doc doc = {
		    .kind = c->kind, .id = c->id, .diffs = c->diffs, .changes = c->changes};

		if (tell_found(r, &doc, c->missing, err))
			return err->code;
	}
	return 0;
}

static int one_page(struct run *r, struct page *page, struct err *err)
{
	if (page_identify(r, r->lister, page, err))
		return err->code;
	keep_wanted(r, page);
	return r->state ? let_wait(r, page, err) : look_at_page(r, page, err);
}

static int each_page(struct run *r, struct again_ids *ids, struct err *err)
{
	struct slice ahead = SLICE_NONE;
	size_t n;

	do {
		struct page *page = page_new();
		int rc = stopped(r, err);

		if (rc == 0)
			rc = fill_page(r, ids, &ahead, page, err);
		n = page->cases.n;
		if (rc == 0 && n)
			rc = one_page(r, page, err);
		page_free(page);
		if (rc)
			return rc;
	} while (n);
	return 0;
}

/* What waits in any case needs no list when it is recorded. */
static int waits_already(const struct run *r)
{
	return r->state && r->again->selection->what == SELECT_PENDING;
}

int again_cases(struct run *r, struct err *err)
{
	struct again_ids *ids = NULL;
	int rc = 0;

	if (!waits_already(r))
		rc = again_ids_open(&ids, r, err);
	if (rc == 0 && ids)
		rc = each_page(r, ids, err);
	again_ids_close(ids);
	return rc == 0 && r->state ? run_cases(r, err) : rc;
}

/* ---- forms and plain documents ---- */

static int had_diffs(struct run *r, struct arena *a, struct slice id, int *yes, struct err *err)
{
	struct state_item item;
	int rc = state_get(r->lister_state, STATE_DIFFS, id, a, &item, err);

	*yes = rc == 0;
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int wants_form(struct run *r, struct batch *b, const struct batch_doc *d, int *yes, struct err *err)
{
	*yes = (d->fate == FATE_EVENT || d->fate == FATE_DOCUMENT) && d->mapped.kind->compared &&
	       selection_has(r->again->selection, d->mapped.kind->name, d->id);
	if (*yes)
		selection_see(r->again->selection, d->mapped.kind->name, d->id);
	if (*yes && (r->again->narrowed || r->again->selection->what == SELECT_DIFFS))
		return had_diffs(r, &b->arena, d->id, yes, err);
	return 0;
}

static int record_form(struct run *r, struct batch *b, const struct batch_doc *d, struct err *err)
{
	struct state_doc doc = {
	    .kind = d->mapped.kind->name,
	    .id = d->id,
	    .ignored = d->ignored,
	    .attachments = d->attachments,
	    .traits = record_traits(d),
	    .diffs = d->diffs,
	};
	struct state_doc known = {0};

	if (!r->state)
		return tell_found(r, &doc, 0, err);
	if (state_doc_get(r->state, d->id, &b->arena, &known, err) && err->code != ERR_NOTFOUND)
		return err->code;
	doc.conflicts = known.conflicts;
	if (again_outcome(r, r->state, &doc, 0, err))
		return err->code;
	return state_doc_put(r->state, &doc, err);
}

static int rev_column(enum batch_fate fate)
{
	return fate == FATE_EVENT ? (int)FORM_COUCH_REV : (int)DOC_COUCH_REV;
}

/* The rows of the batch's wanted documents of one fate, in order of id. */
static int rows_of_fate(struct run *r, struct batch *b, const char *wanted, enum batch_fate fate, struct sql_rows *rows,
			struct err *err)
{
	static const int by_id[] = {0, 1};
	struct sql_rows keys = {0};

	for (size_t i = 0; i < b->docs.n; i++)
		if (wanted[i] && b->docs.v[i].fate == fate)
			ARENA_PUSH(&b->arena, &keys, row_pair(&b->arena, r->env->domain, b->docs.v[i].id));
	*rows = (struct sql_rows){0};
	return sql_select(r->lister, fate == FATE_EVENT ? &sql_forms : &sql_documents, by_id, 2, keys.v, keys.n,
			  &b->arena, rows, err);
}

static const struct sql_row *row_with_id(const struct sql_rows *rows, struct slice id)
{
	size_t low = 0, high = rows->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = slice_cmp(rows->v[mid].cells[1], id);

		if (order == 0)
			return &rows->v[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static int compare_fate(struct run *r, struct batch *b, const char *wanted, enum batch_fate fate, struct err *err)
{
	struct arena scratch = ARENA_INIT;
	struct sql_rows rows;
	int rc = rows_of_fate(r, b, wanted, fate, &rows, err);

	for (size_t i = 0; i < b->docs.n && rc == 0; i++) {
		struct batch_doc *d = &b->docs.v[i];
		const struct sql_row *row = wanted[i] && d->fate == fate ? row_with_id(&rows, d->id) : NULL;

		if (!wanted[i] || d->fate != fate)
			continue;
		if (!row || !slice_eq(row->cells[rev_column(fate)], d->mapped.rev)) {
			r->again->result->left++;
			continue;
		}
		store_compare(r, b, d, row, &scratch);
		rc = record_form(r, b, d, err);
	}
	arena_release(&scratch);
	return rc;
}

static int compare_batch(struct run *r, struct batch *b, struct err *err)
{
	char *wanted = ARENA_ARRAY(&b->arena, b->docs.n + 1, char);
	int rc = 0;

	prepare_batch(r->profile, r->env->domain, b);
	for (size_t i = 0; i < b->docs.n && rc == 0; i++) {
		int yes = 0;

		rc = wants_form(r, b, &b->docs.v[i], &yes, err);
		wanted[i] = (char)yes;
	}
	if (rc == 0 && r->state)
		rc = state_begin(r->state, err);
	if (rc == 0)
		rc = compare_fate(r, b, wanted, FATE_EVENT, err);
	if (rc == 0)
		rc = compare_fate(r, b, wanted, FATE_DOCUMENT, err);
	if (rc == 0 && r->state)
		rc = state_commit(r->state, err);
	if (rc && r->state)
		state_rollback(r->state);
	return rc;
}

static int forms_of_feed(struct run *r, struct err *err)
{
	struct batch *b = NULL;
	int rc = r->fetch ? 0 : run_open_feed(r, COUCH_FEED_NORMAL, err);

	while (rc == 0) {
		rc = stopped(r, err);
		if (rc == 0)
			rc = fetch_next(r->fetch, &b, err);
		if (rc || !b)
			break;
		rc = compare_batch(r, b, err);
		batch_free(b);
		b = NULL;
	}
	return rc;
}

static int form_by_id(struct run *r, struct couch_client *client, struct slice id, struct err *err)
{
	struct batch *b = batch_new();
	struct couch_row row = {0};
	struct slice known = SLICE_NONE;
	int rc = couch_doc_get(client, id, &b->arena, &row.text, err);

	row.doc = row.text;
	if (rc == ERR_NOTFOUND) {
		rc = state_kind_get(r->lister_state, id, &b->arena, &known, err);
		r->again->result->left += known.ptr != NULL;
	} else if (rc == 0) {
		(void)batch_add(b, &row);
		rc = compare_batch(r, b, err);
	}
	batch_free(b);
	return rc;
}

/* A few documents of a server are asked for one by one. */
static int forms_by_id(struct run *r, struct err *err)
{
	const struct selection *s = r->again->selection;
	struct couch_client *client = NULL;
	int rc = couch_client_open(&client, &r->couch, err);

	for (size_t i = 0; i < s->n && rc == 0; i++) {
		rc = stopped(r, err);
		if (rc == 0)
			rc = form_by_id(r, client, s->v[i].id, err);
	}
	couch_client_close(client);
	return rc;
}

/* Cases whose verdict asks for a form that was recorded are pending again; their outcome is not what was asked for. */
int again_settle_cases(struct run *r, struct err *err)
{
	struct again *again = r->again;
	int rc;

	r->again = NULL;
	rc = run_cases(r, err);
	r->again = again;
	return rc;
}

static int all_forms(struct run *r, struct err *err)
{
	const struct selection *s = r->again->selection;

	if (s->what == SELECT_IDS && !s->word.ptr && s->n <= MAX_SINGLE_GETS && run_from_server(r))
		return forms_by_id(r, err);
	return forms_of_feed(r, err);
}

int again_forms(struct run *r, struct err *err)
{
	int rc = all_forms(r, err);

	return rc == 0 && r->state ? again_settle_cases(r, err) : rc;
}

/* ---- opening and closing ---- */

/* What is known now of the rules that stored differences were made with. */
static int note_rules(struct run *r, unsigned classes, int before, struct err *err)
{
	int whole = r->again->selection->what == SELECT_ALL && r->again->result->left == 0;
	int rc = 0;

	if (!r->state)
		return 0;
	for (unsigned c = AGAIN_CASES; c <= AGAIN_FORMS && rc == 0; c <<= 1) {
		if (!(classes & c))
			continue;
		if (before)
			rc = rules_used_add(r->state, r->profile, c, err);
		else if (whole)
			rc = rules_used_only(r->state, r->profile, c, err);
	}
	return rc;
}

static int run_classes(struct run *r, unsigned classes, struct err *err)
{
	int rc = note_rules(r, classes, 1, err);

	if (rc == 0 && classes & AGAIN_CASES)
		rc = again_cases(r, err);
	if (rc == 0 && classes & AGAIN_FORMS)
		rc = again_forms(r, err);
	return rc ? rc : note_rules(r, classes, 0, err);
}

static int may_run(struct run *r, enum life_command command, int look, struct err *err)
{
	struct status s;
	enum life_status to;

	if (!look)
		return run_enter(r, command, &s, &to, err);
	return status_read(r->lister, r->env->domain, &r->arena, &s, err);
}

int again_run(const struct migrate_env *env, unsigned classes, struct again *again, int look, enum life_command command,
	      struct err *err)
{
	unsigned flags = look ? RUN_LOOK : 0;
	struct run r;
	struct watcher w = {&r, ERR_INIT};
	int rc;

	if (classes & AGAIN_FORMS && !env->source) {
		err_set(err, ERR_USAGE, "forms are compared with the source, and there is none");
		return err_hint(err, "give --source URL, or select cases only");
	}
	if (classes & AGAIN_FORMS)
		flags |= RUN_WITH_SOURCE;
	rc = run_open(&r, env, command, NULL, (enum run_open_flags)flags, err);
	r.again = again;
	if (again->look && again->look->ignored) {
		r.watch = watch;
		r.watch_ctx = &w;
	}
	if (rc == 0)
		rc = may_run(&r, command, look, err);
	if (rc == 0)
		rc = run_classes(&r, classes, err);
	if (rc == 0 && w.err.code) {
		*err = w.err;
		rc = (int)err->code;
	}
	again->result->recorded = !look;
	run_release(&r);
	return rc;
}

/* ---- the commands ---- */

static int is_complete(const struct migrate_env *env, int *yes, struct err *err)
{
	struct run r;
	struct status s = {0};
	int rc = run_open(&r, env, LIFE_COMPARE, NULL, RUN_LOOK, err);

	if (rc == 0)
		rc = status_read(r.lister, env->domain, &r.arena, &s, err);
	*yes = s.life == LIFE_COMPLETE;
	run_release(&r);
	return rc;
}

int migrate_again(const struct migrate_env *env, unsigned classes, const struct selection *selection,
		  const struct again_look *look, struct again_result *out, struct err *err)
{
	struct again again = {.selection = selection, .look = look, .result = out};
	int complete = 0;

	*out = (struct again_result){0};
	if (is_complete(env, &complete, err))
		return err->code;
	if (!complete)
		again.look = NULL;
	return again_run(env, classes, &again, complete, LIFE_COMPARE, err);
}

int migrate_look(const struct migrate_env *env, unsigned classes, const struct selection *selection,
		 const struct again_look *look, struct again_result *out, struct err *err)
{
	struct again again = {.selection = selection, .look = look, .result = out};

	*out = (struct again_result){0};
	return again_run(env, classes, &again, 1, LIFE_COMPARE, err);
}
