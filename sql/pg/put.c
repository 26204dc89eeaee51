/*
 * sql_put: rows go by COPY into a temporary table with an ordinal, from there by one upsert into the table, and back by
 * a join. The rows of one put are those from its first ordinal on; earlier ones of the same transaction stay until they
 * are many.
 */
#include "config.h"

#include "sql/pg/pg.h"

#include <stdio.h>

#define STAGE_MAX_BYTES ((size_t)4 << 20) /* staged in one transaction before the stage is emptied */

/* ---- stages ---- */

static void add_stage_name(struct buf *b, const struct sql_table *table)
{
	char name[128];

	snprintf(name, sizeof(name), "settle_stage_%s", table->name);
	buf_str(b, "pg_temp.");
	sql_add_ident(b, name);
}

static struct pg_stage *find_stage(struct pg_target *t, const struct sql_table *table)
{
	for (int i = 0; i < t->nstages; i++)
		if (t->stages[i].table == table)
			return &t->stages[i];
	return NULL;
}

static int run_text(struct pg_target *t, struct err *err)
{
	int rc = buf_check(&t->text, "statement", err);

	return rc ? rc : pg_simple(t, t->text.ptr, NULL, err);
}

static int make_stage(struct pg_target *t, const struct sql_table *table, struct pg_stage **out, struct err *err)
{
	struct buf *b = pg_text(t);
	int rc;

	if (t->nstages == PG_MAX_STAGES)
		return err_set(err, ERR_INTERNAL, "more than %d tables are written on one connection", PG_MAX_STAGES);
	buf_str(b, "CREATE TEMPORARY TABLE ");
	add_stage_name(b, table);
	buf_str(b, " (settle_ordinal bigint");
	for (int i = 0; i < table->ncolumns; i++) {
		buf_str(b, ", ");
		sql_add_ident(b, table->columns[i].name);
		buf_ch(b, ' ');
		buf_str(b, t->base.names.dialect->types[table->columns[i].type]);
	}
	buf_str(b, ") ON COMMIT DELETE ROWS");
	rc = run_text(t, err);
	if (rc)
		return rc;
	t->stages[t->nstages] = (struct pg_stage){.table = table};
	*out = &t->stages[t->nstages++];
	return 0;
}

static int empty_stage(struct pg_target *t, struct pg_stage *s, struct err *err)
{
	struct buf *b = pg_text(t);

	buf_str(b, "TRUNCATE ");
	add_stage_name(b, s->table);
	s->ordinal = 0;
	s->bytes = 0;
	return run_text(t, err);
}

static int ready_stage(struct pg_target *t, const struct sql_table *table, struct pg_stage **out, struct err *err)
{
	*out = find_stage(t, table);
	if (!*out)
		return make_stage(t, table, out, err);
	return (*out)->bytes > STAGE_MAX_BYTES ? empty_stage(t, *out, err) : 0;
}

void pg_stages_end(struct pg_target *t, int committed)
{
	int kept = 0;

	for (int i = 0; i < t->nstages; i++) {
		struct pg_stage *s = &t->stages[i];
		if (committed)
			s->settled = 1;
		s->ordinal = 0;
		s->bytes = 0;
		if (s->settled)
			t->stages[kept++] = *s;
	}
	t->nstages = kept;
}

/* ---- the three steps ---- */

static size_t weigh(const struct sql_table *table, const struct sql_row *rows, size_t n)
{
	size_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		for (int c = 0; c < table->ncolumns; c++)
			bytes += rows[i].cells[c].len;
	return bytes + n * 32;
}

static int fill_stage(struct pg_target *t, struct pg_stage *s, const struct sql_row *rows, size_t n, struct err *err)
{
	struct buf *b = pg_text(t);

	buf_str(b, "COPY ");
	add_stage_name(b, s->table);
	buf_str(b, " FROM STDIN (FORMAT binary)");
	return pg_copy(t, s->table, rows, n, (int64_t)s->ordinal, err);
}

/* DO UPDATE SET .. WHERE any of the columns differs. */
static void add_update(struct buf *b, const struct sql_table *table)
{
	if (table->nkey == table->ncolumns) {
		buf_str(b, " DO NOTHING");
		return;
	}
	buf_str(b, " DO UPDATE SET ");
	for (int c = table->nkey; c < table->ncolumns; c++) {
		if (c > table->nkey)
			buf_str(b, ", ");
		sql_add_ident(b, table->columns[c].name);
		buf_str(b, " = EXCLUDED.");
		sql_add_ident(b, table->columns[c].name);
	}
	buf_str(b, " WHERE (");
	sql_add_columns(b, table, "t.", table->nkey, table->ncolumns);
	buf_str(b, ") IS DISTINCT FROM (");
	sql_add_columns(b, table, "EXCLUDED.", table->nkey, table->ncolumns);
	buf_ch(b, ')');
}

static void upsert_text(struct pg_target *t, const struct sql_table *table)
{
	struct buf *b = pg_text(t);

	buf_str(b, "INSERT INTO ");
	sql_add_table(b, &t->base.names, table->name);
	buf_str(b, " AS t (");
	sql_add_columns(b, table, "", 0, table->ncolumns);
	buf_str(b, ") SELECT ");
	sql_add_columns(b, table, "s.", 0, table->ncolumns);
	buf_str(b, " FROM ");
	add_stage_name(b, table);
	buf_str(b, " s WHERE s.settle_ordinal >= $1 ON CONFLICT (");
	sql_add_columns(b, table, "", 0, table->nkey);
	buf_ch(b, ')');
	add_update(b, table);
	/* A row that this statement inserted has no xmax; one that it updated was locked first and has. */
	buf_str(b, " RETURNING t.xmax = 0, ");
	sql_add_columns(b, table, "t.", 0, table->nkey);
}

/* Is this the key of the row? Compared in the bytes that travel, which equal values have equal. */
static int is_key(struct pg_target *t, const struct sql_table *table, const PGresult *res, int r,
		  const struct sql_row *row)
{
	for (int c = 0; c < table->nkey; c++) {
		struct err ignored = ERR_INIT;
		struct slice got = pg_bytes(res, r, c + 1);
		if (table->columns[c].type == SQL_TEXT) {
			if (!slice_eq(got, row->cells[c]))
				return 0;
			continue;
		}
		buf_clear(&t->out);
		if (pg_cell_add(&t->out, &table->columns[c], row->cells[c], &ignored) != 0 ||
		    t->out.len != got.len + 4 || memcmp(t->out.ptr + 4, got.ptr, got.len) != 0)
			return 0;
	}
	return 1;
}

/* RETURNING names the rows that changed, in the order of the stage so far as the server keeps it; the others are the
 * same. */
static int read_outcomes(struct pg_target *t, const struct sql_table *table, const PGresult *res,
			 const struct sql_row *rows, size_t n, enum sql_outcome *outcomes, struct err *err)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++)
		outcomes[i] = SQL_SAME;
	for (int r = 0; r < PQntuples(res); r++) {
		size_t tried = 0;
		while (tried < n && !is_key(t, table, res, r, &rows[at])) {
			at = at + 1 == n ? 0 : at + 1;
			tried++;
		}
		if (tried == n)
			return err_set(err, ERR_TARGET, "target: %s changed a row that was not given", table->name);
		outcomes[at] = pg_int(res, r, 0) ? SQL_INSERTED : SQL_UPDATED;
		at = at + 1 == n ? 0 : at + 1;
	}
	return 0;
}

static int upsert(struct pg_target *t, const struct pg_stage *s, const struct sql_row *rows, size_t n,
		  enum sql_outcome *outcomes, struct err *err)
{
	struct pg_params p = {0};
	PGresult *res = NULL;
	int rc;

	upsert_text(t, s->table);
	pg_param_int(&p, (int64_t)s->ordinal);
	rc = pg_run(t, &p, &res, err);
	if (rc == 0)
		rc = read_outcomes(t, s->table, res, rows, n, outcomes, err);
	PQclear(res);
	return rc;
}

static void add_key_match(struct buf *b, const struct sql_table *table)
{
	for (int c = 0; c < table->nkey; c++) {
		buf_str(b, c ? " AND k." : "k.");
		sql_add_ident(b, table->columns[c].name);
		buf_str(b, " = s.");
		sql_add_ident(b, table->columns[c].name);
	}
}

/*
 * OFFSET 0 keeps the planner from joining in any way but row by row through the key's index: the stage has no
 * statistics, and the table has outgrown its own since the last ANALYZE. Citus refuses such a subquery on distributed
 * tables; it sends the stage to the shards and joins there.
 */
static void read_back_text(struct pg_target *t, const struct sql_table *table)
{
	struct buf *b = pg_text(t);

	buf_str(b, "SELECT s.settle_ordinal, ");
	sql_add_columns(b, table, "k.", 0, table->ncolumns);
	buf_str(b, " FROM ");
	add_stage_name(b, table);
	buf_str(b, t->citus ? " s JOIN " : " s CROSS JOIN LATERAL (SELECT * FROM ");
	sql_add_table(b, &t->base.names, table->name);
	buf_str(b, t->citus ? " k ON " : " k WHERE ");
	add_key_match(b, table);
	buf_str(b, t->citus ? " WHERE s.settle_ordinal >= $1" : " OFFSET 0) k WHERE s.settle_ordinal >= $1");
}

static int place_rows(const struct pg_stage *s, const PGresult *res, size_t n, struct arena *a, struct sql_row *back,
		      struct err *err)
{
	int rc = 0;

	for (int r = 0; r < PQntuples(res) && rc == 0; r++) {
		size_t i = (size_t)(pg_int(res, r, 0) - (int64_t)s->ordinal);
		if (i >= n)
			return err_set(err, ERR_TARGET, "target: %s gave back a row that was not put", s->table->name);
		rc = pg_row_read(res, r, 1, s->table, 0, s->table->ncolumns, a, &back[i], err);
	}
	for (size_t i = 0; i < n && rc == 0; i++)
		if (!back[i].cells) {
			err_set(err, ERR_TARGET, "target: a row put into %s is not there when read back",
				s->table->name);
			rc = err_hint(err, "is there a trigger or rule on the table that drops rows?");
		}
	return rc;
}

static int read_back(struct pg_target *t, const struct pg_stage *s, size_t n, struct arena *a, struct sql_row **back,
		     struct err *err)
{
	struct pg_params p = {0};
	PGresult *res = NULL;
	int rc;

	read_back_text(t, s->table);
	pg_param_int(&p, (int64_t)s->ordinal);
	rc = pg_run(t, &p, &res, err);
	if (rc == 0) {
		*back = ARENA_ARRAY(a, n, struct sql_row);
		rc = place_rows(s, res, n, a, *back, err);
	}
	PQclear(res);
	return rc;
}

int pg_put(struct sql_target *base, const struct sql_table *table, const struct sql_row *rows, size_t n,
	   enum sql_outcome *outcomes, struct arena *a, struct sql_row **back, struct err *err)
{
	struct pg_target *t = pg_of(base);
	struct pg_stage *s;
	int rc = ready_stage(t, table, &s, err);

	if (rc == 0)
		rc = fill_stage(t, s, rows, n, err);
	if (rc == 0)
		rc = upsert(t, s, rows, n, outcomes, err);
	if (rc == 0 && back)
		rc = read_back(t, s, n, a, back, err);
	if (rc == 0) {
		s->ordinal += n;
		s->bytes += weigh(table, rows, n);
	}
	return rc;
}

int pg_insert(struct sql_target *base, const struct sql_table *table, const struct sql_row *rows, size_t n,
	      struct err *err)
{
	struct pg_target *t = pg_of(base);
	struct buf *b = pg_text(t);

	buf_str(b, "COPY ");
	sql_add_table(b, &base->names, table->name);
	buf_str(b, " (");
	sql_add_columns(b, table, "", 0, table->ncolumns);
	buf_str(b, ") FROM STDIN (FORMAT binary)");
	return pg_copy(t, table, rows, n, -1, err);
}
