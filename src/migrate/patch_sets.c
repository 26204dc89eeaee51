/* patch_sets: setting the rows of patched plain documents (patch_document.h). */
#include "migrate/patch_document.h"

#include "sql/tables.h"

#include <stdlib.h>

int patch_sets_add(struct patch_sets *sets, const struct state_patch *planned, const struct patch_rows *form,
		   struct arena *a, struct err *err)
{
	struct patch_set s = {.planned = planned, .form = form};
	struct json entry;

	if (json_read(planned->entry, a, 0, &entry, NULL, err))
		return err->code;
	s.before = json_get_text(&entry, "before_sha256");
	s.after = json_get_text(&entry, "after_sha256");
	ARENA_PUSH(a, sets, s);
	return 0;
}

static struct patch_set *set_of(const struct patch_sets *sets, struct slice id)
{
	for (size_t i = 0; i < sets->n; i++)
		if (slice_eq(sets->v[i].planned->id, id))
			return &sets->v[i];
	return NULL;
}

void patch_sets_done(struct patch_sets *sets, struct slice id)
{
	set_of(sets, id)->fate = PATCH_SET_DONE;
}

int patch_sets_stale(const struct patch_sets *sets, struct slice id)
{
	return set_of(sets, id)->fate == PATCH_SET_STALE;
}

/* ---- is each row what was planned for? ---- */

static int holds(const struct sql_row *row, struct slice digest, struct arena *a)
{
	struct err err = ERR_INIT;
	struct json v = json_null;

	if (row && mapping_document_document(row, a, &v, &err))
		return 0;
	return slice_eq(patch_digest(&v, a), digest);
}

static int is_as_planned(const struct patch_set *s, const struct sql_row *row, struct arena *a)
{
	if (row && !slice_eq(row->cells[DOC_COUCH_REV], s->form->document.rev))
		return 0;
	return holds(row, s->before, a);
}

static int check_rows(struct run *r, struct sql_target *t, struct patch_sets *sets, struct arena *a, struct err *err)
{
	static const int by_id[] = {DOC_DOMAIN, DOC_ID};
	struct sql_row *keys = ARENA_ARRAY(a, sets->n, struct sql_row);
	struct sql_rows rows = {0};

	for (size_t i = 0; i < sets->n; i++)
		keys[i] = row_pair(a, r->env->domain, sets->v[i].planned->id);
	if (sql_select(t, &sql_documents, by_id, 2, keys, sets->n, a, &rows, err))
		return err->code;
	for (size_t i = 0, k = 0; i < sets->n; i++) {
		struct patch_set *s = &sets->v[i];
		int there;

		while (k < rows.n && slice_cmp(rows.v[k].cells[DOC_ID], s->planned->id) < 0)
			k++;
		there = k < rows.n && slice_eq(rows.v[k].cells[DOC_ID], s->planned->id);
		if (s->fate == PATCH_SET_PLANNED && !is_as_planned(s, there ? &rows.v[k] : NULL, a))
			s->fate = PATCH_SET_STALE;
	}
	return 0;
}

/* ---- setting and comparing ---- */

static void compare(struct run *r, struct patch_set *s, const struct sql_row *back, struct arena *a)
{
	struct migrate_comparison cmp;
	struct err err = ERR_INIT;
	struct json sql;

	if (!holds(back, s->after, a) || mapping_document_document(back, a, &sql, &err)) {
		s->fate = PATCH_SET_STALE;
		log_at(r->env->log, LOG_WARN, "cannot patch %.*s %.*s: SQL does not hold what its row is set to",
		       SLICE_ARG(s->planned->kind), SLICE_ARG(s->planned->id));
		return;
	}
	migrate_compare(r->profile, s->planned->kind, &s->form->doc, &sql, NULL, 0, 0, a, &cmp);
	comparison_texts(&cmp, a, &s->diffs, &s->ignored);
}

static int put_rows(struct run *r, struct sql_target *t, struct patch_sets *sets, struct arena *a, struct err *err)
{
	struct patch_set **planned = ARENA_ARRAY(a, sets->n, struct patch_set *);
	enum sql_outcome *outcomes = ARENA_ARRAY(a, sets->n, enum sql_outcome);
	struct sql_rows rows = {0};
	struct sql_row *back;

	for (size_t i = 0; i < sets->n; i++) {
		if (sets->v[i].fate != PATCH_SET_PLANNED)
			continue;
		planned[rows.n] = &sets->v[i];
		ARENA_PUSH(a, &rows, sets->v[i].form->row);
	}
	if (rows.n == 0)
		return 0;
	if (sql_put(t, &sql_documents, rows.v, rows.n, outcomes, a, &back, err))
		return err->code;
	for (size_t i = 0; i < rows.n; i++)
		compare(r, planned[i], &back[i], a);
	return 0;
}

int patch_sets_store(struct run *r, struct sql_target *t, struct patch_sets *sets, struct arena *a, struct err *err)
{
	if (sets->n == 0)
		return 0;
	if (check_rows(r, t, sets, a, err))
		return err->code;
	return put_rows(r, t, sets, a, err);
}

/* ---- the state file ---- */

static int record(struct run *r, const struct patch_set *s, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct state_doc doc;
	int rc = state_doc_get(r->state, s->planned->id, &a, &doc, err);

	if (rc == ERR_NOTFOUND) {
		doc = (struct state_doc){0};
		rc = 0;
	}
	doc.kind = s->planned->kind;
	doc.id = s->planned->id;
	doc.diffs = s->diffs;
	doc.ignored = s->ignored;
	doc.changes = SLICE_NONE;
	if (rc == 0)
		rc = state_doc_put(r->state, &doc, err);
	arena_release(&a);
	return rc;
}

int patch_sets_record(struct run *r, const struct patch_sets *sets, struct err *err)
{
	for (size_t i = 0; i < sets->n; i++)
		if (sets->v[i].fate == PATCH_SET_PLANNED && record(r, &sets->v[i], err))
			return err->code;
	return 0;
}
