/* patch_query: what is asked about patch forms: list, preview, reconstruct. Reads only; no lock. */
#include "migrate/patching.h"

#include "migrate/page.h"
#include "migrate/patch_case.h"
#include "migrate/patch_forms.h"
#include "migrate/session.h"
#include "migrate/trail.h"
#include "sql/tables.h"

#include <stdlib.h>

#define CHUNK 500

/* ---- list ---- */

/* Rows of `forms` with these ids, in order of id. */
static int read_chunk(struct sql_target *t, struct slice domain, const struct sql_keys *ids, struct arena *a,
		      struct sql_rows *out, struct err *err)
{
	static const int by_id[] = {FORM_DOMAIN, FORM_ID};
	struct sql_row *keys = ARENA_ARRAY(a, ids->n, struct sql_row);

	for (size_t i = 0; i < ids->n; i++)
		keys[i] = row_pair(a, domain, ids->v[i]);
	return sql_select(t, &sql_forms, by_id, 2, keys, ids->n, a, out, err);
}

/* The kind that the form of a plain document names; a case's kind is known by its row. */
static struct slice kind_in_form(const struct json *body)
{
	struct patch_document document;
	struct err err = ERR_INIT;

	return patch_document_of(body, &document, &err) ? SLICE_NONE : document.kind;
}

int patch_form_of(const struct sql_row *row, struct arena *a, struct json *block, struct migrate_patch_form *out)
{
	struct err err = ERR_INIT;
	struct json body = {0};

	if (!slice_is(row->cells[FORM_XMLNS], REPLAY_PATCH_XMLNS) || !row->cells[FORM_BODY].ptr)
		return 0;
	if (mapping_form_document(row, a, &body, &err) || patch_block_of(json_gets(&body, "form"), a, block, &err))
		*block = json_object();
	*out = (struct migrate_patch_form){
	    .form_id = row->cells[FORM_ID],
	    .kind = kind_in_form(json_gets(&body, "form")),
	    .id = json_get_text(block, "case_id"),
	    .received_on = row->cells[FORM_RECEIVED_ON],
	    .block = block,
	};
	if (!out->id.ptr)
		out->id = SLICE("");
	return 1;
}

static int by_case_id(const void *key, const void *row)
{
	return slice_cmp(*(const struct slice *)key, ((const struct sql_row *)row)->cells[CASE_ID]);
}

/* The kinds of the forms' cases; of a case that is not there it stays empty. */
static int read_kinds(struct sql_target *t, struct slice domain, struct migrate_patch_form *forms, size_t n,
		      struct arena *a, struct err *err)
{
	static const int by_id[] = {CASE_DOMAIN, CASE_ID};
	struct sql_row *keys = ARENA_ARRAY(a, n, struct sql_row), *found;
	struct sql_rows cases = {0};

	for (size_t i = 0; i < n; i++)
		keys[i] = row_pair(a, domain, forms[i].id);
	if (sql_select(t, &sql_cases, by_id, 2, keys, n, a, &cases, err))
		return err->code;
	for (size_t i = 0; i < n && cases.n; i++) {
		if (forms[i].kind.ptr)
			continue;
		found = bsearch(&forms[i].id, cases.v, cases.n, sizeof(*cases.v), by_case_id);
		if (found)
			forms[i].kind = found->cells[CASE_DOC_TYPE];
	}
	return 0;
}

static int tell_chunk(struct sql_target *t, struct slice domain, const struct sql_rows *rows, struct arena *a,
		      migrate_patch_fn *fn, void *ctx, struct err *err)
{
	struct migrate_patch_form *forms = ARENA_ARRAY(a, rows->n, struct migrate_patch_form);
	struct json *blocks = ARENA_ARRAY(a, rows->n, struct json);
	size_t n = 0;
	int rc;

	for (size_t i = 0; i < rows->n; i++)
		n += patch_form_of(&rows->v[i], a, &blocks[n], &forms[n]) ? 1 : 0;
	if (n == 0)
		return 0;
	rc = read_kinds(t, domain, forms, n, a, err);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = fn(ctx, &forms[i], err);
	return rc;
}

static int list(struct sql_target *t, const struct migrate_env *env, migrate_patch_fn *fn, void *ctx, struct err *err)
{
	struct arena a = ARENA_INIT, last = ARENA_INIT;
	struct slice after = SLICE_NONE;
	struct sql_keys ids;
	struct sql_rows forms = {0};
	int rc;

	do {
		arena_reset(&a);
		rc = sql_page_values(t, &sql_form_operations, env->domain, OP_FORM_ID, OP_OPERATION,
				     SLICE(PATCH_OPERATION), after, CHUNK, &a, &ids, err);
		if (rc == 0)
			rc = read_chunk(t, env->domain, &ids, &a, &forms, err);
		if (rc == 0)
			rc = tell_chunk(t, env->domain, &forms, &a, fn, ctx, err);
		if (rc == 0 && ids.n) {
			arena_reset(&last);
			after = arena_slice(&last, ids.v[ids.n - 1]);
		}
	} while (rc == 0 && ids.n == CHUNK);
	arena_release(&a);
	arena_release(&last);
	return rc;
}

static int refuse_unknown(const struct migrate_env *env, struct err *err)
{
	err_set(err, ERR_STATE, "nothing is known of %.*s in %s", SLICE_ARG(env->domain), env->target->shown);
	return err_hint(err, "`settle migrate %.*s` comes first, or name the right --target", SLICE_ARG(env->domain));
}

int migrate_patch_list(const struct migrate_env *env, migrate_patch_fn *fn, void *ctx, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct sql_target *t = NULL;
	struct status s = {0};
	int rc = status_open_made(env, &t, err);

	if (rc == 0)
		rc = status_read(t, env->domain, &a, &s, err);
	if (rc == ERR_NOTFOUND || (rc == 0 && !s.exists))
		rc = refuse_unknown(env, err);
	if (rc == 0)
		rc = list(t, env, fn, ctx, err);
	sql_close(t);
	arena_release(&a);
	return rc;
}

/* ---- reconstruct ---- */

static int one_form(struct sql_target *t, struct slice domain, struct slice form_id, struct arena *a,
		    struct json *block, struct migrate_patch_form *out, struct err *err)
{
	static const int by_id[] = {FORM_DOMAIN, FORM_ID};
	struct sql_row key = row_pair(a, domain, form_id);
	struct sql_rows rows = {0};

	if (sql_select(t, &sql_forms, by_id, 2, &key, 1, a, &rows, err))
		return err->code;
	if (rows.n == 0 || !patch_form_of(&rows.v[0], a, block, out))
		return err_set(err, ERR_NOTFOUND, "%.*s is no patch form of %.*s", SLICE_ARG(form_id),
			       SLICE_ARG(domain));
	return 0;
}

struct case_now {
	struct json sql;
	struct replay_txn *txns; /* in order of application */
	size_t n_txns;
};

static int read_case(struct sql_target *t, struct slice domain, struct slice id, struct arena *a, struct case_now *out,
		     struct err *err)
{
	static const int by_id[] = {0, 1};
	static const int by_owner[] = {ATT_DOMAIN, ATT_OWNER_KIND, ATT_OWNER_ID};
	struct sql_row key = row_pair(a, domain, id), owner = row_new(a, 3);
	struct sql_rows row = {0}, txns = {0}, indices = {0}, attachments = {0};

	owner.cells[0] = domain;
	owner.cells[1] = SLICE("case");
	owner.cells[2] = id;
	if (sql_select(t, &sql_cases, by_id, 2, &key, 1, a, &row, err) ||
	    sql_select(t, &sql_case_transactions, by_id, 2, &key, 1, a, &txns, err) ||
	    sql_select(t, &sql_case_indices, by_id, 2, &key, 1, a, &indices, err) ||
	    sql_select(t, &sql_attachments, by_owner, 3, &owner, 1, a, &attachments, err) ||
	    mapping_transactions(txns.v, txns.n, a, &out->txns, err))
		return err->code;
	out->n_txns = txns.n;
	return patch_sql_json(row.n ? &row.v[0] : NULL, &txns, &indices, &attachments, a, &out->sql, err);
}

/* From the case as it is, patch by patch back to before this one. Not 0 when the case has changed since. */
static int undo_patches(struct sql_target *t, struct slice domain, const struct migrate_patch_form *form,
			struct arena *a, struct json *out, struct err *err)
{
	struct case_now now;
	int rc = read_case(t, domain, form->id, a, &now, err);

	if (rc)
		return rc;
	*out = now.sql;
	for (size_t i = now.n_txns; i > 0; i--) {
		struct slice id = now.txns[i - 1].form_id;
		struct migrate_patch_form other;
		struct json block, before;

		if (now.txns[i - 1].kind != REPLAY_PATCH)
			continue;
		if ((rc = one_form(t, domain, id, a, &block, &other, err)) != 0 ||
		    (rc = patch_reconstruct(&block, out, a, &before, err)) != 0)
			return rc;
		*out = before;
		if (slice_eq(id, form->form_id))
			return 0;
	}
	return err_set(err, ERR_SYNTAX, "case %.*s has no transaction of this form", SLICE_ARG(form->id));
}

/* From the case after the patch as the trail keeps it. */
static int undo_from_trail(const struct migrate_env *env, const struct migrate_patch_form *form, struct arena *a,
			   struct json *out, struct err *err)
{
	struct audit *trail = NULL;
	struct buf path = BUF_INIT(4096);
	struct json *entry = ARENA_NEW(a, struct json);
	const struct json *after = NULL;
	struct slice text;
	int rc = audit_open(&trail, env->state_dir, env->domain, AUDIT_READ_ONLY, err);

	audit_path(TRAIL_PATCHES, form->form_id, ".json", &path);
	if (rc == 0)
		rc = audit_read(trail, buf_slice(&path), a, &text, err);
	if (rc == 0)
		rc = json_read(text, a, 0, entry, NULL, err);
	if (rc == 0)
		after = json_gets(entry, "after");
	if (rc == 0 && !after)
		rc = err_set(err, ERR_NOTFOUND, "the audit trail keeps digests only");
	if (rc == 0)
		rc = patch_reconstruct(form->block, after, a, out, err);
	audit_close(trail);
	buf_release(&path);
	return rc;
}

/* The form of a plain document holds what the patch left: nothing else is asked. */
static int undo_document(struct sql_target *t, struct slice domain, const struct migrate_patch_form *form,
			 struct arena *a, struct json *out, struct err *err)
{
	static const int by_id[] = {FORM_DOMAIN, FORM_ID};
	struct sql_row key = row_pair(a, domain, form->form_id);
	struct patch_document document;
	struct sql_rows rows = {0};
	struct json body, after;
	int rc = sql_select(t, &sql_forms, by_id, 2, &key, 1, a, &rows, err);

	if (rc || rows.n == 0)
		return rc ? rc : err_set(err, ERR_NOTFOUND, "the form is gone");
	if ((rc = mapping_form_document(&rows.v[0], a, &body, err)) != 0 ||
	    (rc = patch_document_of(json_gets(&body, "form"), &document, err)) != 0 ||
	    (rc = json_read(document.text, a, 0, &after, NULL, err)) != 0)
		return rc;
	return patch_reconstruct(form->block, &after, a, out, err);
}

static int reconstruct(struct sql_target *t, const struct migrate_env *env, struct slice form_id, struct arena *a,
		       struct json *out, struct err *err)
{
	struct migrate_patch_form form;
	struct json block;
	struct err why = ERR_INIT;
	int rc = one_form(t, env->domain, form_id, a, &block, &form, err);

	if (rc)
		return rc;
	rc = form.kind.ptr ? undo_document(t, env->domain, &form, a, out, err)
			   : undo_patches(t, env->domain, &form, a, out, err);
	if (rc != ERR_SYNTAX && rc != ERR_NOTFOUND)
		return rc;
	if (undo_from_trail(env, &form, a, out, &why) == 0)
		return 0;
	err_set(err, ERR_STATE, "what %.*s was before patch form %.*s cannot be told: %s", SLICE_ARG(form.id),
		SLICE_ARG(form_id), why.msg);
	return err_hint(
	    err,
	    "the document has changed since, or the form was altered, and the audit trail in --state-dir cannot help");
}

int migrate_patch_reconstruct(const struct migrate_env *env, struct slice form_id, struct arena *a, struct json *out,
			      struct err *err)
{
	struct sql_target *t = NULL;
	int rc = status_open_made(env, &t, err);

	if (rc == 0)
		rc = reconstruct(t, env, form_id, a, out, err);
	sql_close(t);
	return rc;
}

/* ---- preview ---- */

static int stored_list(struct run *r, enum state_list which, struct patch_case *c, struct arena *a, struct err *err)
{
	struct state_item item;
	struct json *list = ARENA_NEW(a, struct json);
	int rc = state_get(r->lister_state, which, c->id, a, &item, err);

	if (rc == ERR_NOTFOUND)
		return 0;
	if (rc)
		return rc;
	c->kind = item.kind;
	if (json_read(item.json, a, 0, list, NULL, err) || diff_list_from_json(list, a, &c->diffs, err))
		return err_prefix(err, "stored differences of %.*s", SLICE_ARG(c->id));
	return 0;
}

static int preview(struct run *r, struct slice id, struct arena *a, struct json *out, struct err *err)
{
	struct patch_cases page = {0};
	struct patch_case c = {.id = id}, *planned;
	int rc = stored_list(r, STATE_DIFFS, &c, a, err);

	if (rc == 0)
		rc = stored_list(r, STATE_CHANGES, &c, a, err);
	if (rc == 0 && c.diffs.n == 0)
		rc = err_set(err, ERR_NOTFOUND, "nothing is known to differ in %.*s", SLICE_ARG(id));
	if (rc)
		return rc;
	ARENA_PUSH(&page.arena, &page.list, c);
	rc = patch_cases_plan(r, &page, err);
	planned = &page.list.v[0];
	if (rc == 0) {
		planned->plan.refused = planned->refused;
		struct json v = patch_plan_to_json(&planned->plan, planned->xml, &page.arena);

		*out = json_copy(a, &v);
	}
	arena_release(&page.arena);
	return rc;
}

int migrate_patch_preview(const struct migrate_env *env, struct slice id, struct arena *a, struct json *out,
			  struct err *err)
{
	unsigned source = env->source && env->profile->patch_documents ? RUN_WITH_SOURCE : 0;
	struct run r;
	int rc = run_open(&r, env, LIFE_REPAIR, NULL, (enum run_open_flags)(RUN_LOOK | source), err);

	if (rc == 0)
		rc = preview(&r, id, a, out, err);
	run_release(&r);
	return rc;
}
