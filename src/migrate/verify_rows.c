/* verify_rows: what SQL holds of a chunk's forms and cases, against what their XML and transactions say. */
#include "migrate/verify_forms.h"

#include "migrate/page.h"

#include <stdlib.h>

/* ---- rows ---- */

static int same_json(struct slice x, struct slice y, struct arena *a)
{
	struct json vx, vy;

	return json_read(x, a, 0, &vx, NULL, NULL) == 0 && json_read(y, a, 0, &vy, NULL, NULL) == 0 &&
	       json_eq(&vx, &vy);
}

static int same_cell(enum sql_type type, struct slice x, struct slice y, struct arena *a)
{
	if (!x.ptr != !y.ptr)
		return 0;
	return slice_eq(x, y) || (x.ptr && type == SQL_JSON && same_json(x, y, a));
}

const char *verify_differing_column(const struct sql_table *t, const struct sql_row *wanted, const struct sql_row *held,
				    struct arena *a)
{
	for (int i = 0; i < t->ncolumns; i++)
		if (!same_cell(t->columns[i].type, wanted->cells[i], held->cells[i], a))
			return t->columns[i].name;
	return NULL;
}

static void check_rows(struct verify *v, const struct sql_table *t, struct slice form_id, const struct sql_rows *wanted,
		       const struct sql_rows *held)
{
	if (wanted->n != held->n)
		verify_found(v, "%s: patch form %.*s has %zu rows, the trail says %zu", t->name, SLICE_ARG(form_id),
			     held->n, wanted->n);
	for (size_t i = 0; i < wanted->n && i < held->n; i++) {
		const char *column = verify_differing_column(t, &wanted->v[i], &held->v[i], &v->chunk);

		if (column)
			verify_found(v, "%s: %s of patch form %.*s is not what the trail says", t->name, column,
				     SLICE_ARG(form_id));
	}
}

struct held { /* of the chunk's forms, each in order of form id */
	struct sql_rows forms, operations, attachments, txns;
};

static int by_form(const void *left, const void *right)
{
	const struct slice *x = ((const struct sql_row *)left)->cells, *y = ((const struct sql_row *)right)->cells;
	int c = slice_cmp(x[TXN_FORM_ID], y[TXN_FORM_ID]);

	return c ? c : slice_cmp(x[TXN_POSITION], y[TXN_POSITION]);
}

static int read_held(struct verify *v, struct held *out, struct err *err)
{
	static const int by_id[] = {0, 1};
	static const int by_owner[] = {ATT_DOMAIN, ATT_OWNER_KIND, ATT_OWNER_ID};
	static const int txn_by_form[] = {TXN_DOMAIN, TXN_FORM_ID};
	size_t n = v->items.n;
	struct arena *a = &v->chunk;
	struct sql_row *keys = ARENA_ARRAY(a, n, struct sql_row), *owners = ARENA_ARRAY(a, n, struct sql_row);

	for (size_t i = 0; i < n; i++) {
		keys[i] = row_pair(a, v->env->domain, v->items.v[i].form_id);
		owners[i] = row_new(a, 3);
		owners[i].cells[0] = v->env->domain;
		owners[i].cells[1] = SLICE("form");
		owners[i].cells[2] = v->items.v[i].form_id;
	}
	if (sql_select(v->target, &sql_forms, by_id, 2, keys, n, a, &out->forms, err) ||
	    sql_select(v->target, &sql_form_operations, by_id, 2, keys, n, a, &out->operations, err) ||
	    sql_select(v->target, &sql_attachments, by_owner, 3, owners, n, a, &out->attachments, err) ||
	    sql_select(v->target, &sql_case_transactions, txn_by_form, 2, keys, n, a, &out->txns, err))
		return err->code;
	if (out->txns.n)
		qsort(out->txns.v, out->txns.n, sizeof(*out->txns.v), by_form);
	return 0;
}

static int by_id(const void *left, const void *right)
{
	return slice_cmp(((const struct verify_item *)left)->form_id, ((const struct verify_item *)right)->form_id);
}

static void check_forms(struct verify *v, const struct held *held)
{
	size_t at[4] = {0};

	for (size_t i = 0; i < v->items.n; i++) {
		const struct verify_item *item = &v->items.v[i];
		struct sql_rows form = page_rows_of(&held->forms, FORM_ID, item->form_id, &at[0]);
		struct sql_rows operations = page_rows_of(&held->operations, OP_FORM_ID, item->form_id, &at[1]);
		struct sql_rows attachments = page_rows_of(&held->attachments, ATT_OWNER_ID, item->form_id, &at[2]);
		struct sql_rows txns = page_rows_of(&held->txns, TXN_FORM_ID, item->form_id, &at[3]);
		struct sql_row wanted = item->rows.form.form;
		struct sql_rows wanted_form = {.v = &wanted, .n = 1};

		if (!item->readable)
			continue;
		check_rows(v, &sql_forms, item->form_id, &wanted_form, &form);
		check_rows(v, &sql_form_operations, item->form_id, &item->rows.form.operations, &operations);
		check_rows(v, &sql_attachments, item->form_id, &item->rows.form.attachments, &attachments);
		check_rows(v, &sql_case_transactions, item->form_id, &item->rows.form.transactions, &txns);
	}
}

/* ---- cases ---- */

struct cases { /* of the chunk, in key order */
	struct sql_row *keys;
	size_t n;
	struct sql_rows rows, txns, indices, attachments;
};

static int by_key(const void *left, const void *right)
{
	return slice_cmp(((const struct sql_row *)left)->cells[1], ((const struct sql_row *)right)->cells[1]);
}

static void case_keys(struct verify *v, struct cases *c)
{
	size_t n = 0;

	c->keys = ARENA_ARRAY(&v->chunk, v->items.n, struct sql_row);
	for (size_t i = 0; i < v->items.n; i++)
		if (v->items.v[i].rows.form.transactions.n)
			c->keys[n++] = row_pair(&v->chunk, v->env->domain,
						v->items.v[i].rows.form.transactions.v[0].cells[TXN_CASE_ID]);
	if (n)
		qsort(c->keys, n, sizeof(*c->keys), by_key);
	for (size_t i = 0; i < n; i++)
		if (c->n == 0 || by_key(&c->keys[c->n - 1], &c->keys[i]))
			c->keys[c->n++] = c->keys[i];
}

static int read_cases(struct verify *v, struct cases *c, struct err *err)
{
	static const int by_case[] = {0, 1};
	static const int by_owner[] = {ATT_DOMAIN, ATT_OWNER_KIND, ATT_OWNER_ID};
	struct arena *a = &v->chunk;
	struct sql_row *owners;

	case_keys(v, c);
	owners = ARENA_ARRAY(a, c->n, struct sql_row);
	for (size_t i = 0; i < c->n; i++) {
		owners[i] = row_new(a, 3);
		owners[i].cells[0] = v->env->domain;
		owners[i].cells[1] = SLICE("case");
		owners[i].cells[2] = c->keys[i].cells[1];
	}
	if (sql_select(v->target, &sql_cases, by_case, 2, c->keys, c->n, a, &c->rows, err) ||
	    sql_select(v->target, &sql_case_transactions, by_case, 2, c->keys, c->n, a, &c->txns, err) ||
	    sql_select(v->target, &sql_case_indices, by_case, 2, c->keys, c->n, a, &c->indices, err) ||
	    sql_select(v->target, &sql_attachments, by_owner, 3, owners, c->n, a, &c->attachments, err))
		return err->code;
	return 0;
}

/* What the fold cannot know: it comes from the Couch document. */
static void take_couch_cells(const struct sql_row *held, struct sql_row *folded)
{
	static const int columns[] = {CASE_DOC_TYPE, CASE_COUCH_REV, CASE_DELETED, CASE_DELETED_ON, CASE_DELETION_ID};

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		folded->cells[columns[i]] = held->cells[columns[i]];
}

static int fold_case(struct verify *v, const struct sql_row *row, const struct sql_rows *rows, struct mapping_case *out,
		     struct err *err)
{
	struct mapping_case_source src = {.kind = row->cells[CASE_DOC_TYPE]};
	struct replay_txn *txns;
	struct replay_case folded;
	int rc = mapping_transactions(rows->v, rows->n, &v->chunk, &txns, err);

	if (rc)
		return rc;
	replay_fold(&replay_dialect_sql, txns, rows->n, &v->chunk, &folded);
	rc = mapping_case(v->env->domain, &folded, &src, &v->chunk, out, err);
	if (rc == 0)
		take_couch_cells(row, &out->row);
	return rc;
}

static void check_case_rows(struct verify *v, struct slice id, const struct sql_table *t, const struct sql_rows *wanted,
			    const struct sql_rows *held)
{
	const char *column = wanted->n == held->n ? NULL : "number of rows";

	for (size_t i = 0; i < wanted->n && i < held->n && !column; i++)
		column = verify_differing_column(t, &wanted->v[i], &held->v[i], &v->chunk);
	if (column)
		verify_found(v, "%s: %s of patched case %.*s is not what its transactions add up to", t->name, column,
			     SLICE_ARG(id));
}

static int check_cases(struct verify *v, struct err *err)
{
	struct cases c = {0};
	size_t at[4] = {0};

	if (read_cases(v, &c, err))
		return err->code;
	for (size_t i = 0; i < c.n; i++) {
		struct slice id = c.keys[i].cells[1];
		struct sql_rows row = page_rows_of(&c.rows, CASE_ID, id, &at[0]);
		struct sql_rows txns = page_rows_of(&c.txns, TXN_CASE_ID, id, &at[1]);
		struct sql_rows indices = page_rows_of(&c.indices, INDEX_CASE_ID, id, &at[2]);
		struct sql_rows attachments = page_rows_of(&c.attachments, ATT_OWNER_ID, id, &at[3]);
		struct mapping_case folded;
		struct sql_rows wanted = {.v = &folded.row, .n = 1};

		if (row.n == 0) {
			verify_found(v, "cases: patched case %.*s is not there", SLICE_ARG(id));
		} else if (fold_case(v, &row.v[0], &txns, &folded, err)) {
			verify_found(v, "case_transactions: patched case %.*s: %s", SLICE_ARG(id), err->msg);
			*err = (struct err)ERR_INIT;
		} else {
			check_case_rows(v, id, &sql_cases, &wanted, &row);
			check_case_rows(v, id, &sql_case_indices, &folded.indices, &indices);
			check_case_rows(v, id, &sql_attachments, &folded.attachments, &attachments);
		}
	}
	return 0;
}

int verify_chunk_rows(struct verify *v, struct err *err)
{
	struct held held = {0};
	int rc = read_held(v, &held, err);

	if (rc)
		return rc;
	qsort(v->items.v, v->items.n, sizeof(*v->items.v), by_id);
	check_forms(v, &held);
	rc = check_cases(v, err);
	return rc ? rc : verify_chunk_documents(v, err);
}
