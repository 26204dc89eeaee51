/* Reading and deleting rows by tuples, ranges and counts. Tuples travel as one array a column. */
#include "config.h"

#include "sql/pg/pg.h"

#include <limits.h>

/* ---- tuples as arrays ---- */

struct arrays { /* where each column's array begins and ends in t->out */
	size_t from[SQL_MAX_COLUMNS], to[SQL_MAX_COLUMNS];
};

/* array_recv: dimensions, has-nulls, element type, length, lower bound, elements. */
static int add_array(struct pg_target *t, const struct sql_column *c, const struct sql_match *m, int col,
		     struct err *err)
{
	int rc = 0;

	pg_add_u32(&t->out, 1);
	pg_add_u32(&t->out, 1);
	pg_add_u32(&t->out, pg_type_oid(c->type));
	pg_add_u32(&t->out, (uint32_t)m->n);
	pg_add_u32(&t->out, 1);
	for (size_t i = 0; i < m->n && rc == 0; i++)
		rc = pg_cell_add(&t->out, c, m->tuples[i].cells[col], err);
	return rc;
}

static int add_arrays(struct pg_target *t, const struct sql_table *table, const struct sql_match *m,
		      struct pg_params *p, struct err *err)
{
	struct arrays at;
	int rc = 0;

	buf_clear(&t->out);
	if (m->n > INT_MAX)
		return err_set(err, ERR_LIMIT, "too many keys in one question to the target");
	for (int c = 0; c < m->ncols && rc == 0; c++) {
		at.from[c] = t->out.len;
		rc = add_array(t, &table->columns[m->cols[c]], m, c, err);
		at.to[c] = t->out.len;
	}
	if (rc == 0)
		rc = buf_check(&t->out, "a question to the target", err);
	for (int c = 0; c < m->ncols && rc == 0; c++)
		pg_param_text(p, (struct slice){t->out.ptr + at.from[c], at.to[c] - at.from[c]});
	return rc;
}

/* (a, b) IN (SELECT * FROM unnest($1::text[], $2::bigint[])): tuples given twice count once, NULLs equal nothing. */
static void add_match(struct buf *b, const struct sql_table *table, const struct sql_match *m)
{
	static const char *const arrays[] = {
	    [SQL_TEXT] = "text[]",  [SQL_JSON] = "jsonb[]",       [SQL_BOOL] = "boolean[]",
	    [SQL_INT] = "bigint[]", [SQL_TIME] = "timestamptz[]", [SQL_BYTES] = "bytea[]",
	};

	buf_str(b, " WHERE (");
	for (int c = 0; c < m->ncols; c++) {
		buf_str(b, c ? ", " : "");
		sql_add_ident(b, table->columns[m->cols[c]].name);
	}
	buf_str(b, ") IN (SELECT * FROM unnest(");
	for (int c = 0; c < m->ncols; c++) {
		buf_str(b, c ? ", $" : "$");
		buf_u64(b, (uint64_t)c + 1);
		buf_str(b, "::");
		buf_str(b, arrays[table->columns[m->cols[c]].type]);
	}
	buf_str(b, "))");
}

/* ---- results ---- */

static int append_rows(const PGresult *res, const struct sql_table *table, int from, int to, struct arena *a,
		       struct sql_rows *out, struct err *err)
{
	int rc = 0;

	for (int r = 0; r < PQntuples(res) && rc == 0; r++) {
		struct sql_row row;
		rc = pg_row_read(res, r, 0, table, from, to, a, &row, err);
		if (rc == 0)
			ARENA_PUSH(a, out, row);
	}
	return rc;
}

int pg_select(struct sql_target *base, const struct sql_table *table, const struct sql_match *m, struct arena *a,
	      struct sql_rows *out, struct err *err)
{
	struct pg_target *t = pg_of(base);
	struct buf *b = pg_text(t);
	struct pg_params p = {0};
	PGresult *res = NULL;
	int rc;

	buf_str(b, "SELECT ");
	sql_add_columns(b, table, "", 0, table->ncolumns);
	buf_str(b, " FROM ");
	sql_add_table(b, &base->names, table->name);
	add_match(b, table, m);
	sql_add_key_order(b, table);
	rc = add_arrays(t, table, m, &p, err);
	if (rc == 0)
		rc = pg_run(t, &p, &res, err);
	if (rc == 0)
		rc = append_rows(res, table, 0, table->ncolumns, a, out, err);
	PQclear(res);
	return rc;
}

int pg_delete(struct sql_target *base, const struct sql_table *table, const struct sql_match *m, struct arena *a,
	      struct sql_rows *old, struct err *err)
{
	struct pg_target *t = pg_of(base);
	struct buf *b = pg_text(t);
	struct pg_params p = {0};
	PGresult *res = NULL;
	int rc;

	buf_str(b, "DELETE FROM ");
	sql_add_table(b, &base->names, table->name);
	add_match(b, table, m);
	if (old) {
		buf_str(b, " RETURNING ");
		sql_add_columns(b, table, "", 0, table->ncolumns);
	}
	rc = add_arrays(t, table, m, &p, err);
	if (rc == 0)
		rc = pg_run(t, &p, &res, err);
	if (rc == 0 && old)
		rc = append_rows(res, table, 0, table->ncolumns, a, old, err);
	PQclear(res);
	return rc;
}

/* ---- ranges ---- */

static void range_params(const struct sql_range *r, struct pg_params *p)
{
	pg_param_text(p, r->domain);
	if (r->low.ptr)
		pg_param_text(p, r->low);
	if (r->high.ptr)
		pg_param_text(p, r->high);
	if (r->value.ptr)
		pg_param_text(p, r->value);
}

int pg_page(struct sql_target *base, const struct sql_table *table, const struct sql_range *r, struct arena *a,
	    struct sql_rows *out, struct err *err)
{
	struct pg_target *t = pg_of(base);
	struct pg_params p = {0};
	PGresult *res = NULL;
	int rc;

	sql_text_page(pg_text(t), &base->names, table, r);
	range_params(r, &p);
	pg_param_int(&p, r->limit);
	rc = pg_run(t, &p, &res, err);
	if (rc == 0)
		rc = append_rows(res, table, r->distinct ? r->by : 0, r->distinct ? r->by + 1 : table->ncolumns, a, out,
				 err);
	PQclear(res);
	return rc;
}

/* Copies a column of text: one block for all of it. */
static void read_keys(const PGresult *res, struct arena *a, struct sql_keys *out)
{
	int n = PQntuples(res);
	size_t size = 0;
	char *at;

	out->v = arena_alloc(a, (size_t)n * sizeof(*out->v));
	for (int i = 0; i < n; i++)
		size += (size_t)PQgetlength(res, i, 0);
	at = arena_alloc(a, size);
	for (int i = 0; i < n; i++) {
		size_t len = (size_t)PQgetlength(res, i, 0);

		memcpy(at, PQgetvalue(res, i, 0), len);
		out->v[out->n++] = (struct slice){at, len};
		at += len;
	}
}

int pg_page_keys(struct sql_target *base, const struct sql_table *table, const struct sql_range *r, struct arena *a,
		 struct sql_keys *out, struct err *err)
{
	struct pg_target *t = pg_of(base);
	struct pg_params p = {0};
	PGresult *res = NULL;
	int rc;

	sql_text_page_keys(pg_text(t), &base->names, table, r);
	range_params(r, &p);
	pg_param_int(&p, r->limit);
	rc = pg_run(t, &p, &res, err);
	if (rc == 0)
		read_keys(res, a, out);
	PQclear(res);
	return rc;
}

int pg_delete_range(struct sql_target *base, const struct sql_table *table, const struct sql_range *r, struct err *err)
{
	struct pg_target *t = pg_of(base);
	struct pg_params p = {0};

	sql_text_delete_range(pg_text(t), &base->names, table, r);
	range_params(r, &p);
	return pg_run(t, &p, NULL, err);
}

int pg_count_by(struct sql_target *base, const struct sql_table *table, const struct sql_range *r, sql_count_fn *fn,
		void *ctx, struct err *err)
{
	struct pg_target *t = pg_of(base);
	struct pg_params p = {0};
	struct arena a = ARENA_INIT;
	PGresult *res = NULL;
	int rc;

	sql_text_count_by(pg_text(t), &base->names, table, r);
	range_params(r, &p);
	rc = pg_run(t, &p, &res, err);
	for (int i = 0; rc == 0 && i < PQntuples(res); i++) {
		struct sql_row row;
		rc = pg_row_read(res, i, 0, table, r->by, r->by + 1, &a, &row, err);
		if (rc == 0)
			fn(ctx, row.cells[r->by], pg_int(res, i, 1));
	}
	PQclear(res);
	arena_release(&a);
	return rc;
}
