/* Reading and deleting rows by tuples, ranges and counts. Tuples are taken one by one, each once. */
#include "config.h"

#include "base/number.h"
#include "sql/sqlite/sqlite.h"

#include <stdlib.h>

/* ---- order ---- */

static int compare_cells(const struct sql_column *c, struct slice a, struct slice b)
{
	long long x, y;

	if (!a.ptr || !b.ptr)
		return (a.ptr != NULL) - (b.ptr != NULL);
	if (c->type == SQL_INT && number_to_i64(a, &x) && number_to_i64(b, &y))
		return (x > y) - (x < y);
	return slice_cmp(a, b);
}

static int compare_keys(const void *a, const void *b, void *table_of)
{
	const struct sql_table *table = table_of;
	const struct sql_row *x = a, *y = b;
	int n = table->nkey > 0 ? table->nkey : table->ncolumns;
	int c = 0, order = 0;

	for (; c < n && order == 0; c++)
		order = compare_cells(&table->columns[c], x->cells[c], y->cells[c]);
	return order;
}

static int compare_tuples(const void *a, const void *b, void *ncols_of)
{
	const struct sql_row *x = a, *y = b;
	int order = 0;

	for (int c = 0; c < *(const int *)ncols_of && order == 0; c++) {
		order = (x->cells[c].ptr != NULL) - (y->cells[c].ptr != NULL);
		if (order == 0)
			order = slice_cmp(x->cells[c], y->cells[c]);
	}
	return order;
}

/* The tuples in order; equal ones are then neighbours. */
static struct sql_row *sorted_tuples(const struct sql_match *m, struct arena *a)
{
	struct sql_row *tuples = ARENA_ARRAY(a, m->n, struct sql_row);
	int ncols = m->ncols;

	memcpy(tuples, m->tuples, m->n * sizeof(*tuples));
	qsort_r(tuples, m->n, sizeof(*tuples), compare_tuples, &ncols);
	return tuples;
}

/* ---- tuples ---- */

static int prepare_match(struct sqlite_target *t, const struct sql_table *table, const struct sql_match *m, int delete,
			 struct lite_stmt **out, struct err *err)
{
	struct buf *b = sqlite_text(t);

	buf_str(b, delete ? "DELETE" : "SELECT ");
	if (!delete)
		sql_add_columns(b, table, "", 0, table->ncolumns);
	buf_str(b, " FROM ");
	sql_add_table(b, &t->base.names, table->name);
	for (int c = 0; c < m->ncols; c++) {
		buf_str(b, c ? " AND " : " WHERE ");
		sql_add_ident(b, table->columns[m->cols[c]].name);
		buf_str(b, " = ");
		sql_add_param(b, &t->base.names, c + 1);
	}
	return sqlite_stmt(t, out, err);
}

static int bind_tuple(struct lite_stmt *s, const struct sql_table *table, const struct sql_match *m,
		      const struct sql_row *tuple, struct err *err)
{
	int rc = 0;

	for (int c = 0; c < m->ncols && rc == 0; c++)
		rc = sqlite_bind(s, c + 1, &table->columns[m->cols[c]], tuple->cells[c], err);
	return rc;
}

static int collect(struct lite_stmt *s, const struct sql_table *table, int from, int to, struct arena *a,
		   struct sql_rows *out, struct err *err)
{
	int row = 0;
	int rc;

	while ((rc = lite_step(s, &row, err)) == 0 && row)
		ARENA_PUSH(a, out, sqlite_row(s, table, from, to, a));
	return rc;
}

/* Runs the statement for each different tuple; rows go to out, or there are none. */
static int for_each_tuple(struct lite_stmt *s, const struct sql_table *table, const struct sql_match *m,
			  struct arena *a, struct sql_rows *out, struct err *err)
{
	struct arena scratch = ARENA_INIT;
	struct sql_row *tuples = sorted_tuples(m, &scratch);
	int ncols = m->ncols;
	int rc = 0;

	for (size_t i = 0; i < m->n && rc == 0; i++) {
		if (i > 0 && compare_tuples(&tuples[i - 1], &tuples[i], &ncols) == 0)
			continue;
		rc = bind_tuple(s, table, m, &tuples[i], err);
		if (rc == 0)
			rc = out ? collect(s, table, 0, table->ncolumns, a, out, err) : lite_run(s, err);
		lite_done(s);
	}
	arena_release(&scratch);
	return rc;
}

int sqlite_select(struct sql_target *base, const struct sql_table *table, const struct sql_match *m, struct arena *a,
		  struct sql_rows *out, struct err *err)
{
	struct lite_stmt *s = NULL;
	int rc = prepare_match(sqlite_of(base), table, m, 0, &s, err);

	if (rc == 0)
		rc = for_each_tuple(s, table, m, a, out, err);
	if (rc == 0 && out->n > 1)
		qsort_r(out->v, out->n, sizeof(*out->v), compare_keys, (void *)(uintptr_t)table);
	return rc;
}

int sqlite_delete(struct sql_target *base, const struct sql_table *table, const struct sql_match *m, struct arena *a,
		  struct sql_rows *old, struct err *err)
{
	struct lite_stmt *s = NULL;
	int rc = 0;

	if (old)
		rc = prepare_match(sqlite_of(base), table, m, 0, &s, err);
	if (rc == 0 && old)
		rc = for_each_tuple(s, table, m, a, old, err);
	if (rc == 0)
		rc = prepare_match(sqlite_of(base), table, m, 1, &s, err);
	return rc ? rc : for_each_tuple(s, table, m, NULL, NULL, err);
}

/* ---- ranges ---- */

/* Binds domain, bounds and value; returns the next free number. */
static int bind_range(struct lite_stmt *s, const struct sql_range *r)
{
	int n = 1;

	lite_bind_text(s, n++, r->domain);
	if (r->low.ptr)
		lite_bind_text(s, n++, r->low);
	if (r->high.ptr)
		lite_bind_text(s, n++, r->high);
	if (r->value.ptr)
		lite_bind_text(s, n++, r->value);
	return n;
}

int sqlite_page(struct sql_target *base, const struct sql_table *table, const struct sql_range *r, struct arena *a,
		struct sql_rows *out, struct err *err)
{
	struct sqlite_target *t = sqlite_of(base);
	struct lite_stmt *s = NULL;
	int rc;

	sql_text_page(sqlite_text(t), &base->names, table, r);
	rc = sqlite_stmt(t, &s, err);
	if (rc)
		return rc;
	lite_bind_int(s, bind_range(s, r), r->limit);
	rc = collect(s, table, r->distinct ? r->by : 0, r->distinct ? r->by + 1 : table->ncolumns, a, out, err);
	lite_done(s);
	return rc;
}

int sqlite_page_keys(struct sql_target *base, const struct sql_table *table, const struct sql_range *r, struct arena *a,
		     struct sql_keys *out, struct err *err)
{
	struct sqlite_target *t = sqlite_of(base);
	struct lite_stmt *s = NULL;
	int row = 0;
	int rc;

	sql_text_page_keys(sqlite_text(t), &base->names, table, r);
	rc = sqlite_stmt(t, &s, err);
	if (rc)
		return rc;
	lite_bind_int(s, bind_range(s, r), r->limit);
	out->v = arena_alloc(a, (size_t)r->limit * sizeof(*out->v));
	while ((rc = lite_step(s, &row, err)) == 0 && row)
		out->v[out->n++] = arena_slice(a, lite_text(s, 0));
	lite_done(s);
	return rc;
}

int sqlite_delete_range(struct sql_target *base, const struct sql_table *table, const struct sql_range *r,
			struct err *err)
{
	struct sqlite_target *t = sqlite_of(base);
	struct lite_stmt *s = NULL;
	int rc;

	sql_text_delete_range(sqlite_text(t), &base->names, table, r);
	rc = sqlite_stmt(t, &s, err);
	if (rc)
		return rc;
	bind_range(s, r);
	rc = lite_run(s, err);
	lite_done(s);
	return rc;
}

int sqlite_count_by(struct sql_target *base, const struct sql_table *table, const struct sql_range *r, sql_count_fn *fn,
		    void *ctx, struct err *err)
{
	struct sqlite_target *t = sqlite_of(base);
	struct arena a = ARENA_INIT;
	struct lite_stmt *s = NULL;
	int row = 0;
	int rc;

	sql_text_count_by(sqlite_text(t), &base->names, table, r);
	rc = sqlite_stmt(t, &s, err);
	if (rc)
		return rc;
	bind_range(s, r);
	while ((rc = lite_step(s, &row, err)) == 0 && row)
		fn(ctx, sqlite_cell(s, 0, table->columns[r->by].type, &a), lite_int(s, 1));
	lite_done(s);
	arena_release(&a);
	return rc;
}
