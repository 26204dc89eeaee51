/*
 * sql_put: each row is inserted; where its key is there already it is updated if any column differs; then it is read
 * back by its key. Inserting first costs a repeated load one index lookup a row and a first load nothing.
 */
#include "config.h"

#include "sql/sqlite/sqlite.h"

struct put_stmts {
	struct lite_stmt *insert, *update, *select;
};

static void add_values(struct buf *b, const struct sql_target *t, const struct sql_table *table)
{
	buf_str(b, "INSERT INTO ");
	sql_add_table(b, &t->names, table->name);
	buf_str(b, " (");
	sql_add_columns(b, table, "", 0, table->ncolumns);
	buf_str(b, ") VALUES (");
	for (int c = 0; c < table->ncolumns; c++) {
		buf_str(b, c ? ", " : "");
		sql_add_param(b, &t->names, c + 1);
	}
	buf_ch(b, ')');
}

static void add_pairs(struct buf *b, const struct sql_target *t, const struct sql_table *table, int from, int to,
		      const char *operator, const char * between)
{
	for (int c = from; c < to; c++) {
		buf_str(b, c > from ? between : "");
		sql_add_ident(b, table->columns[c].name);
		buf_str(b, operator);
		sql_add_param(b, &t->names, c + 1);
	}
}

static int prepare_insert(struct sqlite_target *t, const struct sql_table *table, struct lite_stmt **out,
			  struct err *err)
{
	struct buf *b = sqlite_text(t);

	add_values(b, &t->base, table);
	buf_str(b, " ON CONFLICT (");
	sql_add_columns(b, table, "", 0, table->nkey);
	buf_str(b, ") DO NOTHING");
	return sqlite_stmt(t, out, err);
}

static int prepare_update(struct sqlite_target *t, const struct sql_table *table, struct lite_stmt **out,
			  struct err *err)
{
	struct buf *b = sqlite_text(t);

	if (table->nkey == table->ncolumns)
		return 0;
	buf_str(b, "UPDATE ");
	sql_add_table(b, &t->base.names, table->name);
	buf_str(b, " SET ");
	add_pairs(b, &t->base, table, table->nkey, table->ncolumns, " = ", ", ");
	buf_str(b, " WHERE ");
	add_pairs(b, &t->base, table, 0, table->nkey, " = ", " AND ");
	buf_str(b, " AND (");
	add_pairs(b, &t->base, table, table->nkey, table->ncolumns, " IS NOT ", " OR ");
	buf_ch(b, ')');
	return sqlite_stmt(t, out, err);
}

static int prepare_select(struct sqlite_target *t, const struct sql_table *table, struct lite_stmt **out,
			  struct err *err)
{
	struct buf *b = sqlite_text(t);

	buf_str(b, "SELECT ");
	sql_add_columns(b, table, "", 0, table->ncolumns);
	buf_str(b, " FROM ");
	sql_add_table(b, &t->base.names, table->name);
	buf_str(b, " WHERE ");
	add_pairs(b, &t->base, table, 0, table->nkey, " = ", " AND ");
	return sqlite_stmt(t, out, err);
}

static int bind_cells(struct lite_stmt *s, const struct sql_table *table, const struct sql_row *row, int to,
		      struct err *err)
{
	int rc = 0;

	for (int c = 0; c < to && rc == 0; c++)
		rc = sqlite_bind(s, c + 1, &table->columns[c], row->cells[c], err);
	return rc;
}

static int run_with(struct sqlite_target *t, struct lite_stmt *s, const struct sql_table *table,
		    const struct sql_row *row, int64_t *changes, struct err *err)
{
	int rc = bind_cells(s, table, row, table->ncolumns, err);

	if (rc == 0)
		rc = lite_run(s, err);
	if (rc == 0)
		*changes = lite_changes(t->db);
	lite_done(s);
	return rc;
}

static int put_row(struct sqlite_target *t, const struct put_stmts *s, const struct sql_table *table,
		   const struct sql_row *row, enum sql_outcome *outcome, struct err *err)
{
	int64_t changes = 0;
	int rc = run_with(t, s->insert, table, row, &changes, err);

	*outcome = SQL_INSERTED;
	if (rc || changes > 0)
		return rc;
	*outcome = SQL_SAME;
	if (!s->update)
		return 0;
	rc = run_with(t, s->update, table, row, &changes, err);
	if (rc == 0 && changes > 0)
		*outcome = SQL_UPDATED;
	return rc;
}

static int read_back(struct lite_stmt *s, const struct sql_table *table, const struct sql_row *row, struct arena *a,
		     struct sql_row *back, struct err *err)
{
	int there = 0;
	int rc = bind_cells(s, table, row, table->nkey, err);

	if (rc == 0)
		rc = lite_step(s, &there, err);
	if (rc == 0 && there)
		*back = sqlite_row(s, table, 0, table->ncolumns, a);
	lite_done(s);
	if (rc == 0 && !there) {
		err_set(err, ERR_TARGET, "target: a row put into %s is not there when read back", table->name);
		rc = err_hint(err, "is there a trigger on the table that drops rows?");
	}
	return rc;
}

int sqlite_put(struct sql_target *base, const struct sql_table *table, const struct sql_row *rows, size_t n,
	       enum sql_outcome *outcomes, struct arena *a, struct sql_row **back, struct err *err)
{
	struct sqlite_target *t = sqlite_of(base);
	struct put_stmts s = {0};
	int rc = prepare_insert(t, table, &s.insert, err);

	if (rc == 0)
		rc = prepare_update(t, table, &s.update, err);
	if (rc == 0 && back)
		rc = prepare_select(t, table, &s.select, err);
	if (rc == 0 && back)
		*back = ARENA_ARRAY(a, n, struct sql_row);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = put_row(t, &s, table, &rows[i], &outcomes[i], err);
	for (size_t i = 0; i < n && rc == 0 && back; i++)
		rc = read_back(s.select, table, &rows[i], a, &(*back)[i], err);
	return rc;
}

int sqlite_insert(struct sql_target *base, const struct sql_table *table, const struct sql_row *rows, size_t n,
		  struct err *err)
{
	struct sqlite_target *t = sqlite_of(base);
	struct lite_stmt *s = NULL;
	int64_t changes;
	int rc;

	add_values(sqlite_text(t), base, table);
	rc = sqlite_stmt(t, &s, err);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = run_with(t, s, table, &rows[i], &changes, err);
	return rc;
}
