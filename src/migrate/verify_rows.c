/* verify_rows: what SQL holds of a job's forms, against what their XML says. */
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

static void check_rows(struct verify_job *j, const struct sql_table *t, struct slice form_id,
		       const struct sql_rows *wanted, const struct sql_rows *held)
{
	if (wanted->n != held->n)
		verify_job_found(j, "%s: patch form %.*s has %zu rows, the trail says %zu", t->name, SLICE_ARG(form_id),
				 held->n, wanted->n);
	for (size_t i = 0; i < wanted->n && i < held->n; i++) {
		const char *column = verify_differing_column(t, &wanted->v[i], &held->v[i], &j->arena);

		if (column)
			verify_job_found(j, "%s: %s of patch form %.*s is not what the trail says", t->name, column,
					 SLICE_ARG(form_id));
	}
}

struct held { /* of the job's forms, each in order of form id */
	struct sql_rows forms, operations, attachments, txns;
};

static int by_form(const void *left, const void *right)
{
	const struct slice *x = ((const struct sql_row *)left)->cells, *y = ((const struct sql_row *)right)->cells;
	int c = slice_cmp(x[TXN_FORM_ID], y[TXN_FORM_ID]);

	return c ? c : slice_cmp(x[TXN_POSITION], y[TXN_POSITION]);
}

static int read_held(struct verify_job *j, struct held *out, struct err *err)
{
	static const int by_id[] = {0, 1};
	static const int by_owner[] = {ATT_DOMAIN, ATT_OWNER_KIND, ATT_OWNER_ID};
	static const int txn_by_form[] = {TXN_DOMAIN, TXN_FORM_ID};
	size_t n = j->items.n;
	struct arena *a = &j->arena;
	struct sql_row *keys = ARENA_ARRAY(a, n, struct sql_row), *owners = ARENA_ARRAY(a, n, struct sql_row);

	for (size_t i = 0; i < n; i++) {
		keys[i] = row_pair(a, j->v->env->domain, j->items.v[i].form_id);
		owners[i] = row_new(a, 3);
		owners[i].cells[0] = j->v->env->domain;
		owners[i].cells[1] = SLICE("form");
		owners[i].cells[2] = j->items.v[i].form_id;
	}
	if (sql_select(j->target, &sql_forms, by_id, 2, keys, n, a, &out->forms, err) ||
	    sql_select(j->target, &sql_form_operations, by_id, 2, keys, n, a, &out->operations, err) ||
	    sql_select(j->target, &sql_attachments, by_owner, 3, owners, n, a, &out->attachments, err) ||
	    sql_select(j->target, &sql_case_transactions, txn_by_form, 2, keys, n, a, &out->txns, err))
		return err->code;
	if (out->txns.n)
		qsort(out->txns.v, out->txns.n, sizeof(*out->txns.v), by_form);
	return 0;
}

static int by_id(const void *left, const void *right)
{
	return slice_cmp(((const struct verify_item *)left)->form_id, ((const struct verify_item *)right)->form_id);
}

static struct slice xml_among(const struct sql_rows *attachments)
{
	for (size_t i = 0; i < attachments->n; i++)
		if (slice_is(attachments->v[i].cells[ATT_NAME], PATCH_XML_NAME))
			return attachments->v[i].cells[ATT_BYTES];
	return SLICE_NONE;
}

static void check_forms(struct verify_job *j, const struct held *held)
{
	size_t at[4] = {0};

	for (size_t i = 0; i < j->items.n; i++) {
		struct verify_item *item = &j->items.v[i];
		struct sql_rows form = page_rows_of(&held->forms, FORM_ID, item->form_id, &at[0]);
		struct sql_rows operations = page_rows_of(&held->operations, OP_FORM_ID, item->form_id, &at[1]);
		struct sql_rows attachments = page_rows_of(&held->attachments, ATT_OWNER_ID, item->form_id, &at[2]);
		struct sql_rows txns = page_rows_of(&held->txns, TXN_FORM_ID, item->form_id, &at[3]);
		struct sql_rows wanted_form = {.v = &item->rows.form.form, .n = 1};

		verify_item(j, item, xml_among(&attachments));
		if (!item->readable)
			continue;
		check_rows(j, &sql_forms, item->form_id, &wanted_form, &form);
		check_rows(j, &sql_form_operations, item->form_id, &item->rows.form.operations, &operations);
		check_rows(j, &sql_attachments, item->form_id, &item->rows.form.attachments, &attachments);
		check_rows(j, &sql_case_transactions, item->form_id, &item->rows.form.transactions, &txns);
	}
}

int verify_rows(struct verify_job *j, struct err *err)
{
	struct held held = {0};
	int rc = read_held(j, &held, err);

	if (rc)
		return rc;
	qsort(j->items.v, j->items.n, sizeof(*j->items.v), by_id);
	check_forms(j, &held);
	rc = verify_cases(j, err);
	return rc ? rc : verify_documents(j, err);
}
