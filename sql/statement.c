/* Statement texts that PostgreSQL and SQLite share. Only identifiers and parameter marks go in. */
#include "config.h"

#include "sql/sql_internal.h"

void sql_add_ident(struct buf *b, const char *name)
{
	buf_ch(b, '"');
	for (; *name; name++) {
		if (*name == '"')
			buf_ch(b, '"');
		buf_ch(b, *name);
	}
	buf_ch(b, '"');
}

void sql_add_table(struct buf *b, const struct sql_names *names, const char *table)
{
	if (names->schema[0]) {
		sql_add_ident(b, names->schema);
		buf_ch(b, '.');
	}
	sql_add_ident(b, table);
}

void sql_add_param(struct buf *b, const struct sql_names *names, int n)
{
	buf_ch(b, names->dialect->mark);
	buf_u64(b, (uint64_t)n);
}

void sql_add_columns(struct buf *b, const struct sql_table *table, const char *prefix, int from, int to)
{
	for (int i = from; i < to; i++) {
		if (i > from)
			buf_str(b, ", ");
		buf_str(b, prefix);
		sql_add_ident(b, table->columns[i].name);
	}
}

void sql_text_create_table(struct buf *b, const struct sql_names *names, const struct sql_table *table)
{
	buf_str(b, "CREATE TABLE ");
	sql_add_table(b, names, table->name);
	buf_str(b, " (");
	for (int i = 0; i < table->ncolumns; i++) {
		if (i > 0)
			buf_str(b, ", ");
		sql_add_ident(b, table->columns[i].name);
		buf_ch(b, ' ');
		buf_str(b, names->dialect->types[table->columns[i].type]);
		if (table->columns[i].flags & SQL_NOT_NULL)
			buf_str(b, " NOT NULL");
	}
	if (table->nkey > 0) {
		buf_str(b, ", PRIMARY KEY (");
		sql_add_columns(b, table, "", 0, table->nkey);
		buf_ch(b, ')');
	}
	buf_ch(b, ')');
}

void sql_text_create_index(struct buf *b, const struct sql_names *names, const struct sql_index *index)
{
	struct sql_names bare = {names->dialect, ""};
	/* PostgreSQL wants the schema at the table; SQLite has none. */
	buf_str(b, "CREATE INDEX IF NOT EXISTS ");
	sql_add_table(b, &bare, index->name);
	buf_str(b, " ON ");
	sql_add_table(b, names, index->table->name);
	buf_str(b, " (");
	for (int i = 0; i < index->ncols; i++) {
		if (i > 0)
			buf_str(b, ", ");
		sql_add_ident(b, index->table->columns[index->cols[i]].name);
	}
	buf_ch(b, ')');
}

void sql_add_key_order(struct buf *b, const struct sql_table *table)
{
	buf_str(b, " ORDER BY ");
	sql_add_columns(b, table, "", 0, table->nkey > 0 ? table->nkey : table->ncolumns);
}

/* WHERE domain = p1 [AND by > p2] [AND by <= p3] [AND only = p4]; returns the next free parameter number. */
static int add_range(struct buf *b, const struct sql_names *names, const struct sql_table *table,
		     const struct sql_range *r)
{
	int param = 1;

	buf_str(b, " WHERE ");
	sql_add_ident(b, table->columns[0].name);
	buf_str(b, " = ");
	sql_add_param(b, names, param++);
	if (r->low.ptr) {
		buf_str(b, " AND ");
		sql_add_ident(b, table->columns[r->by].name);
		buf_str(b, " > ");
		sql_add_param(b, names, param++);
	}
	if (r->high.ptr) {
		buf_str(b, " AND ");
		sql_add_ident(b, table->columns[r->by].name);
		buf_str(b, " <= ");
		sql_add_param(b, names, param++);
	}
	if (r->value.ptr) {
		buf_str(b, " AND ");
		sql_add_ident(b, table->columns[r->only].name);
		buf_str(b, " = ");
		sql_add_param(b, names, param++);
	}
	return param;
}

void sql_text_page(struct buf *b, const struct sql_names *names, const struct sql_table *table,
		   const struct sql_range *r)
{
	int limit;

	buf_str(b, r->distinct ? "SELECT DISTINCT " : "SELECT ");
	if (r->distinct)
		sql_add_ident(b, table->columns[r->by].name);
	else
		sql_add_columns(b, table, "", 0, table->ncolumns);
	buf_str(b, " FROM ");
	sql_add_table(b, names, table->name);
	limit = add_range(b, names, table, r);
	buf_str(b, " ORDER BY ");
	sql_add_ident(b, table->columns[r->by].name);
	for (int i = 1; !r->distinct && i < table->nkey; i++) {
		if (i == r->by)
			continue;
		buf_str(b, ", ");
		sql_add_ident(b, table->columns[i].name);
	}
	buf_str(b, " LIMIT ");
	sql_add_param(b, names, limit);
}

void sql_text_page_keys(struct buf *b, const struct sql_names *names, const struct sql_table *table,
			const struct sql_range *r)
{
	int limit;

	buf_str(b, r->distinct ? "SELECT DISTINCT " : "SELECT ");
	sql_add_ident(b, table->columns[r->by].name);
	buf_str(b, " FROM ");
	sql_add_table(b, names, table->name);
	limit = add_range(b, names, table, r);
	buf_str(b, " ORDER BY ");
	sql_add_ident(b, table->columns[r->by].name);
	buf_str(b, " LIMIT ");
	sql_add_param(b, names, limit);
}

void sql_text_delete_range(struct buf *b, const struct sql_names *names, const struct sql_table *table,
			   const struct sql_range *r)
{
	buf_str(b, "DELETE FROM ");
	sql_add_table(b, names, table->name);
	add_range(b, names, table, r);
}

void sql_text_count_by(struct buf *b, const struct sql_names *names, const struct sql_table *table,
		       const struct sql_range *r)
{
	const char *by = table->columns[r->by].name;

	buf_str(b, "SELECT ");
	sql_add_ident(b, by);
	buf_str(b, ", count(*) FROM ");
	sql_add_table(b, names, table->name);
	add_range(b, names, table, r);
	buf_str(b, " GROUP BY ");
	sql_add_ident(b, by);
	buf_str(b, " ORDER BY ");
	sql_add_ident(b, by);
	buf_str(b, " NULLS FIRST");
}
