/* page_forms: what became of the forms that verdicts depend on. */
#include "migrate/page.h"

#include <stdlib.h>

#define CHUNK 200 /* forms read at a time, so that memory does not grow with their number */

struct want { /* one case wants to know of one form */
	struct slice case_id;
	struct explain_form *form;
};

struct wants {
	struct want *v;
	size_t n, cap;
};

static int by_form_id(const void *a, const void *b)
{
	return slice_cmp(((const struct want *)a)->form->id, ((const struct want *)b)->form->id);
}

/* A place for each form of each case, by id of the form. Nothing is known of any yet. */
static struct wants collect(struct page *page)
{
	struct wants wants = {0};

	for (size_t i = 0; i < page->cases.n; i++) {
		struct page_case *c = &page->cases.v[i];

		c->forms = c->wants.n ? ARENA_ARRAY(&page->arena, c->wants.n, struct explain_form) : NULL;
		for (size_t k = 0; k < c->wants.n; k++) {
			c->forms[k] = (struct explain_form){.id = c->wants.v[k], .references = 1};
			ARENA_PUSH(&page->arena, &wants, ((struct want){c->id, &c->forms[k]}));
		}
	}
	if (wants.n)
		qsort(wants.v, wants.n, sizeof(*wants.v), by_form_id);
	return wants;
}

/* ---- in the target ---- */

/* A row marked deleted whose kind is none of deleted documents: the source has that form no more (decision 21). */
static int is_tombstone(const struct run *r, const struct sql_row *row)
{
	const struct profile_kind *kind = profile_kind(r->profile, row->cells[FORM_DOC_TYPE]);

	return row_is_true(row->cells[FORM_DELETED]) && !(kind && kind->deleted);
}

static void found_in_sql(const struct sql_row *row, const struct json *document, struct want *w, struct arena *a)
{
	w->form->in_couch = w->form->in_sql = 1;
	w->form->deleted = row_is_true(row->cells[FORM_DELETED]);
	w->form->references = explain_form_references(json_gets(document, "form"), w->case_id, a);
}

/* Wants and rows are both in byte order of form id; a form may be wanted by several cases. */
static int match_rows(struct run *r, struct want *wants, size_t n, const struct sql_rows *rows, struct arena *a,
		      struct err *err)
{
	struct json document;
	size_t at = 0;

	for (size_t i = 0; i < rows->n; i++) {
		struct slice id = rows->v[i].cells[FORM_ID];

		while (at < n && slice_cmp(wants[at].form->id, id) < 0)
			at++;
		if (is_tombstone(r, &rows->v[i]))
			continue;
		if (mapping_form_document(&rows->v[i], a, &document, err))
			return err_prefix(err, "form %.*s", SLICE_ARG(id));
		for (; at < n && slice_eq(wants[at].form->id, id); at++)
			found_in_sql(&rows->v[i], &document, &wants[at], a);
	}
	return 0;
}

/* Ids that no row can have are not asked for. */
static struct sql_rows keys_of(const struct run *r, const struct want *wants, size_t n, struct arena *a)
{
	struct sql_rows keys = {0};

	for (size_t i = 0; i < n; i++)
		if (mapping_key_check(wants[i].form->id, "a form id", NULL) == 0)
			ARENA_PUSH(a, &keys, row_pair(a, r->env->domain, wants[i].form->id));
	return keys;
}

static int look_in_sql(struct run *r, struct sql_target *t, struct wants *wants, struct err *err)
{
	static const int by_id[] = {FORM_DOMAIN, FORM_ID};
	struct arena a = ARENA_INIT;
	int rc = 0;

	for (size_t from = 0; rc == 0 && from < wants->n; from += CHUNK) {
		size_t n = wants->n - from < CHUNK ? wants->n - from : CHUNK;
		struct sql_rows keys, rows = {0};

		arena_reset(&a);
		keys = keys_of(r, wants->v + from, n, &a);
		rc = sql_select(t, &sql_forms, by_id, 2, keys.v, keys.n, &a, &rows, err);
		if (rc == 0)
			rc = match_rows(r, wants->v + from, n, &rows, &a, err);
	}
	arena_release(&a);
	return rc;
}

/* ---- among the rejects ---- */

/* A rejected document whose kind is known to be none of forms is no form. */
static int may_be_form(const struct run *r, const struct state_reject *reject)
{
	const struct profile_kind *kind = profile_kind(r->profile, reject->kind);

	return !kind || kind->cls == PROFILE_EVENT;
}

static int look_among_rejects(const struct run *r, struct state *s, struct wants *wants, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct state_reject reject;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < wants->n; i++) {
		if (wants->v[i].form->in_sql)
			continue;
		arena_reset(&a);
		rc = state_reject_get(s, wants->v[i].form->id, &a, &reject, err);
		wants->v[i].form->in_couch = rc == 0 && may_be_form(r, &reject);
		rc = rc == ERR_NOTFOUND ? 0 : rc;
	}
	arena_release(&a);
	return rc;
}

static int all_in_sql(const struct wants *wants)
{
	for (size_t i = 0; i < wants->n; i++)
		if (!wants->v[i].form->in_sql)
			return 0;
	return 1;
}

/* A form of another domain is none of this one: absent, like one that the source does not have. */
int page_find_forms(struct run *r, struct sql_target *t, struct page *page, struct err *err)
{
	struct wants wants = collect(page);
	struct state *s = NULL;
	int rc = look_in_sql(r, t, &wants, err);

	if (rc || all_in_sql(&wants))
		return rc;
	rc = state_open(&s, r->env->state_dir, r->env->domain, STATE_READ_ONLY, err);
	if (rc == 0)
		rc = look_among_rejects(r, s, &wants, err);
	state_close(s);
	return rc;
}
