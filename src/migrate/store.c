/* store: a batch's rows into the target, and what SQL then holds compared with what was read. */
#include "base/utf8.h"
#include "migrate/losing.h"
#include "migrate/rows.h"
#include "migrate/run.h"

#include <stdlib.h>

struct store {
	struct run *r;
	struct sql_target *t;
	struct batch *b;
	struct arena *a;
	struct arena check; /* for one document's check, then used again */
	struct slice domain;
	struct sql_rows dirty; /* touched cases, some more than once */
};

static void touch_case(struct store *s, struct slice case_id)
{
	ARENA_PUSH(s->a, &s->dirty, row_pair(s->a, s->domain, case_id));
}

static void touch_cases(struct store *s, const struct sql_rows *transactions)
{
	for (size_t i = 0; i < transactions->n; i++)
		touch_case(s, transactions->v[i].cells[TXN_CASE_ID]);
}

/* The id of rows whose key is (domain, id). */
static int by_second_cell(const void *a, const void *b)
{
	return slice_cmp(((const struct sql_row *)a)->cells[1], ((const struct sql_row *)b)->cells[1]);
}

static int store_dirty(struct store *s, struct err *err)
{
	size_t n = 0;

	if (s->dirty.n == 0)
		return 0;
	qsort(s->dirty.v, s->dirty.n, sizeof(*s->dirty.v), by_second_cell);
	for (size_t i = 0; i < s->dirty.n; i++)
		if (n == 0 || by_second_cell(&s->dirty.v[n - 1], &s->dirty.v[i]))
			s->dirty.v[n++] = s->dirty.v[i];
	return sql_insert(s->t, &sql_dirty_case, s->dirty.v, n, err);
}

static void append(struct arena *a, struct sql_rows *to, const struct sql_rows *from)
{
	for (size_t i = 0; i < from->n; i++)
		ARENA_PUSH(a, to, from->v[i]);
}

/* Takes the transactions of these forms away; their cases must be folded again. */
static int drop_transactions(struct store *s, const struct sql_rows *forms, struct err *err)
{
	static const int by_form[] = {TXN_DOMAIN, TXN_FORM_ID};
	struct sql_rows old = {0};

	if (sql_delete(s->t, &sql_case_transactions, by_form, 2, forms->v, forms->n, s->a, &old, err))
		return err->code;
	for (size_t i = 0; i < old.n; i++)
		touch_case(s, old.v[i].cells[TXN_CASE_ID]);
	return 0;
}

static int drop_children(struct store *s, const struct sql_rows *forms, struct err *err)
{
	static const int by_form[] = {OP_DOMAIN, OP_FORM_ID};
	static const int by_owner[] = {ATT_DOMAIN, ATT_OWNER_KIND, ATT_OWNER_ID};
	struct sql_rows owners = {0};

	if (forms->n == 0)
		return 0;
	for (size_t i = 0; i < forms->n; i++) {
		struct sql_row o = row_new(s->a, 3);

		o.cells[0] = s->domain;
		o.cells[1] = SLICE("form");
		o.cells[2] = forms->v[i].cells[1];
		ARENA_PUSH(s->a, &owners, o);
	}
	if (drop_transactions(s, forms, err) ||
	    sql_delete(s->t, &sql_form_operations, by_form, 2, forms->v, forms->n, s->a, NULL, err) ||
	    sql_delete(s->t, &sql_attachments, by_owner, 3, owners.v, owners.n, s->a, NULL, err))
		return err->code;
	return 0;
}

/* ---- documents that are gone from the domain: deleted in the source, or another domain's by then ---- */

/* Nothing of a load that nothing came before can have been here. */
static int is_first(const struct run *r)
{
	return r->first_load && !r->caught_up;
}

/* What cannot be a key was never stored. */
static int is_gone(const struct store *s, const struct batch_doc *d)
{
	if (utf8_odd(d->id))
		return 0;
	return d->fate == FATE_TOMBSTONE || (d->fate == FATE_SKIP && d->mapped.kind && !d->unwanted && !is_first(s->r));
}

struct tombstones {
	struct sql_rows keys, changed, changed_keys;
	int column_rev, column_deleted;
};

static struct batch_doc *gone_by_id(const struct store *s, struct slice id)
{
	for (size_t i = 0; i < s->b->docs.n; i++)
		if (is_gone(s, &s->b->docs.v[i]) && slice_eq(s->b->docs.v[i].id, id))
			return &s->b->docs.v[i];
	return NULL;
}

static int mark_deleted(struct store *s, const struct sql_table *table, struct tombstones *ts, struct err *err)
{
	static const int by_id[] = {0, 1};
	struct sql_rows held = {0};
	enum sql_outcome *outcomes;

	if (sql_select(s->t, table, by_id, 2, ts->keys.v, ts->keys.n, s->a, &held, err))
		return err->code;
	for (size_t i = 0; i < held.n; i++) {
		struct batch_doc *d = gone_by_id(s, held.v[i].cells[1]);

		d->found = 1;
		held.v[i].cells[ts->column_rev] = d->mapped.rev;
		held.v[i].cells[ts->column_deleted] = row_bool(1);
		ARENA_PUSH(s->a, &ts->changed_keys, row_pair(s->a, s->domain, d->id));
	}
	if (held.n == 0)
		return 0;
	outcomes = ARENA_ARRAY(s->a, held.n, enum sql_outcome);
	return sql_put(s->t, table, held.v, held.n, outcomes, s->a, NULL, err);
}

static int store_gone(struct store *s, struct err *err)
{
	struct tombstones forms = {.column_rev = FORM_COUCH_REV, .column_deleted = FORM_DELETED};
	struct tombstones documents = {.column_rev = DOC_COUCH_REV, .column_deleted = DOC_DELETED};

	for (size_t i = 0; i < s->b->docs.n; i++)
		if (is_gone(s, &s->b->docs.v[i]))
			ARENA_PUSH(s->a, &forms.keys, row_pair(s->a, s->domain, s->b->docs.v[i].id));
	if (forms.keys.n == 0)
		return 0;
	documents.keys = forms.keys;
	if (mark_deleted(s, &sql_forms, &forms, err) || mark_deleted(s, &sql_documents, &documents, err))
		return err->code;
	return forms.changed_keys.n ? drop_transactions(s, &forms.changed_keys, err) : 0;
}

/* ---- documents that became another class of document ---- */

/* Rows of this table whose ids are another class's now: they go, as if they had never been there. */
static int drop_former(struct store *s, const struct sql_table *table, const struct sql_rows *ids, struct err *err)
{
	static const int by_id[] = {0, 1};
	struct sql_rows held = {0}, keys = {0};

	if (ids->n == 0 || sql_delete(s->t, table, by_id, 2, ids->v, ids->n, s->a, &held, err))
		return ids->n ? err->code : 0;
	if (table != &sql_forms || held.n == 0)
		return 0;
	for (size_t i = 0; i < held.n; i++)
		ARENA_PUSH(s->a, &keys, row_pair(s->a, s->domain, held.v[i].cells[FORM_ID]));
	return drop_children(s, &keys, err);
}

/* A load that nothing came before brings every id once; later a form may come where a plain document was, and the like.
 */
static int drop_formers(struct store *s, struct err *err)
{
	struct sql_rows no_forms = {0}, no_documents = {0};

	if (is_first(s->r))
		return 0;
	for (size_t i = 0; i < s->b->docs.n; i++) {
		const struct batch_doc *d = &s->b->docs.v[i];
		struct sql_row key = row_pair(s->a, s->domain, d->id);

		if ((d->fate == FATE_DOCUMENT && d->outcome == SQL_INSERTED) || d->fate == FATE_CASE)
			ARENA_PUSH(s->a, &no_forms, key);
		if ((d->fate == FATE_EVENT && d->outcome == SQL_INSERTED) || d->fate == FATE_CASE)
			ARENA_PUSH(s->a, &no_documents, key);
	}
	if (drop_former(s, &sql_forms, &no_forms, err))
		return err->code;
	return drop_former(s, &sql_documents, &no_documents, err);
}

/* ---- copy check and comparison ---- */

/* What SQL gives back is not what was read: shown as it is, no rule is asked (promise 2). */
static void copy_failed(struct store *s, struct batch_doc *d, const struct json *back, const struct err *why)
{
	struct migrate_comparison c = {0};

	if (why->code)
		log_at(s->r->env->log, LOG_ERROR, "copy check failed: %s id=%.*s", why->msg, SLICE_ARG(d->id));
	else
		log_at(s->r->env->log, LOG_ERROR, "copy check failed: SQL gives back something else id=%.*s",
		       SLICE_ARG(d->id));
	diff_json(&d->doc, why->code ? NULL : back, &s->check, &c.diffs);
	for (size_t i = 0; i < c.diffs.n; i++)
		c.diffs.v[i].reason = SLICE(COPY_CHECK_REASON);
	comparison_texts(&c, s->a, &d->diffs, &d->ignored);
}

static void compare(struct store *s, struct batch_doc *d, const struct json *sql)
{
	struct migrate_comparison c = {0};

	if (!d->mapped.kind->compared)
		return;
	migrate_compare(s->r->profile, d->mapped.kind->name, &d->doc, sql, NULL, 0, 0, &s->check, &c);
	if (s->r->watch)
		s->r->watch(s->r->watch_ctx, d->mapped.kind->name, d->id, &c);
	comparison_texts(&c, s->a, &d->diffs, &d->ignored);
}

static void check_form(struct store *s, struct batch_doc *d, const struct sql_row *back)
{
	struct err err = ERR_INIT;
	struct json document = {0}, sql;

	if (mapping_form_document(back, &s->check, &document, &err) || !json_eq(&d->doc, &document)) {
		copy_failed(s, d, &document, &err);
		return;
	}
	mapping_form_sql_json_of(back, &document, &s->check, &sql);
	compare(s, d, &sql);
}

static void check_document(struct store *s, struct batch_doc *d, const struct sql_row *back)
{
	struct err err = ERR_INIT;
	struct json document = {0};

	if (mapping_document_document(back, &s->check, &document, &err) || !json_eq(&d->doc, &document))
		copy_failed(s, d, &document, &err);
	else
		compare(s, d, &document);
}

/* ---- rows ---- */

struct stored {
	struct sql_rows rows;
	struct batch_doc **docs;
	enum sql_outcome *outcomes;
	struct sql_row *back;
};

/*
 * Where a patch pass follows that can set rows, one of the same revision stays as it is, even if SQL has altered it:
 * the patch form keeps what it was.
 */
static int keep_rows(struct store *s, struct stored *out, struct err *err)
{
	static const int by_id[] = {DOC_DOMAIN, DOC_ID};
	struct sql_rows keys = {0};

	if (!s->r->options.patch || !s->r->profile->patch_documents || is_first(s->r))
		return 0;
	for (size_t i = 0; i < s->b->docs.n; i++)
		if (s->b->docs.v[i].fate == FATE_DOCUMENT)
			ARENA_PUSH(s->a, &keys, row_pair(s->a, s->domain, s->b->docs.v[i].id));
	if (keys.n == 0 || sql_select(s->t, &sql_documents, by_id, 2, keys.v, keys.n, s->a, &out->rows, err))
		return keys.n ? err->code : 0;
	out->back = ARENA_ARRAY(s->a, out->rows.n, struct sql_row);
	out->docs = ARENA_ARRAY(s->a, out->rows.n, struct batch_doc *);
	keys.n = out->rows.n;
	out->rows.n = 0;
	for (size_t i = 0; i < s->b->docs.n; i++) {
		struct batch_doc *d = &s->b->docs.v[i];
		struct sql_row key = row_pair(s->a, s->domain, d->id), *held;

		if (d->fate != FATE_DOCUMENT || !keys.n)
			continue;
		held = bsearch(&key, out->rows.v, keys.n, sizeof(key), by_second_cell);
		if (!held || !slice_eq(held->cells[DOC_COUCH_REV], d->mapped.rev) ||
		    row_is_true(held->cells[DOC_DELETED]))
			continue;
		d->kept = 1;
		d->outcome = SQL_SAME;
		out->docs[out->rows.n] = d;
		out->back[out->rows.n++] = *held;
	}
	return 0;
}

static int put_rows(struct store *s, const struct sql_table *table, enum batch_fate fate, struct stored *out,
		    struct err *err)
{
	out->docs = ARENA_ARRAY(s->a, s->b->docs.n, struct batch_doc *);
	for (size_t i = 0; i < s->b->docs.n; i++) {
		struct batch_doc *d = &s->b->docs.v[i];

		if (d->fate != fate || d->kept)
			continue;
		out->docs[out->rows.n] = d;
		ARENA_PUSH(s->a, &out->rows, fate == FATE_EVENT ? d->form.form : d->document);
	}
	if (out->rows.n == 0)
		return 0;
	out->outcomes = ARENA_ARRAY(s->a, out->rows.n, enum sql_outcome);
	if (sql_put(s->t, table, out->rows.v, out->rows.n, out->outcomes, s->a, &out->back, err))
		return err->code;
	for (size_t i = 0; i < out->rows.n; i++)
		out->docs[i]->outcome = out->outcomes[i];
	return 0;
}

static int insert_children(struct store *s, const struct stored *forms, struct err *err)
{
	struct sql_rows transactions = {0}, operations = {0}, attachments = {0}, replaced = {0};

	for (size_t i = 0; i < forms->rows.n; i++) {
		const struct mapping_form *f = &forms->docs[i]->form;

		if (forms->outcomes[i] == SQL_SAME && !s->b->again) {
			if (s->r->rebuilding)
				touch_cases(s, &f->transactions);
			continue;
		}
		if (forms->outcomes[i] == SQL_UPDATED || s->b->again)
			ARENA_PUSH(s->a, &replaced, row_pair(s->a, s->domain, forms->docs[i]->id));
		append(s->a, &transactions, &f->transactions);
		append(s->a, &operations, &f->operations);
		append(s->a, &attachments, &f->attachments);
	}
	if (drop_children(s, &replaced, err))
		return err->code;
	touch_cases(s, &transactions);
	if (sql_insert(s->t, &sql_case_transactions, transactions.v, transactions.n, err) ||
	    sql_insert(s->t, &sql_form_operations, operations.v, operations.n, err) ||
	    sql_insert(s->t, &sql_attachments, attachments.v, attachments.n, err))
		return err->code;
	return 0;
}

/* Of a document that has none any more the old ones go too, where there can be any. */
static int may_have_conflicts(const struct store *s, const struct batch_doc *d)
{
	if (losing_wanted(d))
		return 1;
	return !is_first(s->r) && !utf8_odd(d->id) && d->fate != FATE_OWN && d->fate != FATE_REJECT;
}

static void add_losing(struct store *s, const struct batch_doc *d, struct sql_rows *rows)
{
	for (uint32_t i = 0; losing_wanted(d) && i < d->conflicts->count; i++) {
		struct sql_row row = row_new(s->a, CONF_COLUMNS);

		row.cells[CONF_DOMAIN] = s->domain;
		row.cells[CONF_DOC_ID] = d->id;
		row.cells[CONF_REV] = json_text(&d->conflicts->items[i]);
		row.cells[CONF_BODY] = d->losing ? d->losing[i] : SLICE_NONE;
		if (row.cells[CONF_REV].ptr && !utf8_odd(row.cells[CONF_REV]))
			ARENA_PUSH(s->a, rows, row);
	}
}

static int store_conflicts(struct store *s, struct err *err)
{
	static const int by_doc[] = {CONF_DOMAIN, CONF_DOC_ID};
	struct sql_rows docs = {0}, rows = {0};

	for (size_t i = 0; i < s->b->docs.n; i++) {
		const struct batch_doc *d = &s->b->docs.v[i];

		if (may_have_conflicts(s, d))
			ARENA_PUSH(s->a, &docs, row_pair(s->a, s->domain, d->id));
		add_losing(s, d, &rows);
	}
	if (docs.n == 0)
		return 0;
	if (sql_delete(s->t, &sql_conflict, by_doc, 2, docs.v, docs.n, s->a, NULL, err) ||
	    sql_insert(s->t, &sql_conflict, rows.v, rows.n, err))
		return err->code;
	return 0;
}

static void check_rows(struct store *s, const struct stored *stored,
		       void (*check)(struct store *, struct batch_doc *, const struct sql_row *))
{
	for (size_t i = 0; i < stored->rows.n; i++) {
		check(s, stored->docs[i], &stored->back[i]);
		arena_reset(&s->check);
	}
}

int store_batch(struct run *r, struct sql_target *t, struct batch *b, struct err *err)
{
	struct store s = {.r = r, .t = t, .b = b, .a = &b->arena, .domain = r->env->domain};
	struct stored forms = {0}, documents = {0}, kept = {0};
	int rc;

	rc = store_gone(&s, err);
	if (rc == 0)
		rc = put_rows(&s, &sql_forms, FATE_EVENT, &forms, err);
	if (rc == 0)
		rc = insert_children(&s, &forms, err);
	if (rc == 0)
		rc = keep_rows(&s, &kept, err);
	if (rc == 0)
		rc = put_rows(&s, &sql_documents, FATE_DOCUMENT, &documents, err);
	if (rc == 0)
		rc = drop_formers(&s, err);
	if (rc == 0)
		rc = store_conflicts(&s, err);
	if (rc == 0)
		rc = store_dirty(&s, err);
	if (rc == 0)
		check_rows(&s, &forms, check_form);
	if (rc == 0)
		check_rows(&s, &kept, check_document);
	if (rc == 0)
		check_rows(&s, &documents, check_document);
	arena_release(&s.check);
	return rc;
}

void store_compare(struct run *r, struct batch *b, struct batch_doc *d, const struct sql_row *row,
		   struct arena *scratch)
{
	struct store s = {.r = r, .b = b, .a = &b->arena, .check = *scratch, .domain = r->env->domain};

	if (d->fate == FATE_EVENT)
		check_form(&s, d, row);
	else
		check_document(&s, d, row);
	*scratch = s.check;
	arena_reset(scratch);
}
