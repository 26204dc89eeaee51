/* What stands around a table that settle makes: sequences its defaults draw from, comments, the extensions of its
 * types. */
#include "config.h"

#include "tables/tables_internal.h"

/* ---- sequences ---- */

/* A sequence goes to the schema its table goes to, when they were in one. */
static const char *sequence_schema(const struct tables_row *row, const struct cat_column *c)
{
	return strcmp(c->sequence_schema, row->source_schema) == 0 ? row->target_schema : c->sequence_schema;
}

static const char *sequence_of(struct creation *c, const struct tables_row *row, const struct cat_column *col)
{
	return qualified(c->s->a, sequence_schema(row, col), col->sequence);
}

const char *create_default(struct creation *c, const struct tables_row *row, const struct cat_column *col)
{
	const char *text = col->default_sql, *at;
	struct buf b = BUF_INIT(SQL_CAP);
	if (!text || !col->sequence)
		return text;
	while ((at = strstr(text, col->sequence_text)) != NULL) {
		buf_add(&b, text, (size_t)(at - text));
		buf_str(&b, literal(c->s->a, sequence_of(c, row, col)));
		text = at + strlen(col->sequence_text);
	}
	buf_str(&b, text);
	const char *out = arena_str(c->s->a, buf_slice(&b));
	buf_release(&b);
	return out;
}

static int is_relation_there(struct creation *c, const char *name, int64_t *there, struct err *err)
{
	return pgc_scalar(&c->s->target, "SELECT count(to_regclass($1))", 1, &name, there, err);
}

int create_sequences(struct creation *c, const struct tables_row *row, const struct cat_table *t, struct err *err)
{
	int rc = 0;
	for (size_t i = 0; i < t->columns.n && rc == 0; i++) {
		const struct cat_column *col = &t->columns.v[i];
		const char *name = col->sequence && !col->identity ? sequence_of(c, row, col) : NULL;
		int64_t there = 0;
		if (!name || names_has(&c->made, name))
			continue;
		ARENA_PUSH(c->s->a, &c->made, name);
		rc = create_schema(c, sequence_schema(row, col), err);
		if (rc == 0)
			rc = is_relation_there(c, name, &there, err);
		if (rc == 0 && !there)
			rc = create_run(c,
					arena_printf(c->s->a, "CREATE SEQUENCE IF NOT EXISTS %s AS %s %s", name,
						     col->sequence_type, col->sequence_options)
					    .ptr,
					err);
	}
	return rc;
}

int own_sequences(struct creation *c, const struct tables_row *row, const struct cat_table *t, struct err *err)
{
	int rc = 0;
	const char *table = qualified(c->s->a, row->target_schema, row->target);
	for (size_t i = 0; i < t->columns.n && rc == 0; i++) {
		const struct cat_column *col = &t->columns.v[i];
		if (col->sequence && col->sequence_owned && !col->identity)
			rc = create_run(c,
					arena_printf(c->s->a, "ALTER SEQUENCE %s OWNED BY %s.%s",
						     sequence_of(c, row, col), table, ident(c->s->a, col->name))
					    .ptr,
					err);
	}
	return rc;
}

/* ---- comments ---- */

static const char comments_sql[] =
    "SELECT 'TABLE', NULL, description FROM pg_description WHERE classoid = 'pg_class'::regclass AND objoid = "
    "$1::regclass AND objsubid = 0 UNION ALL "
    "SELECT 'COLUMN', attname, description FROM pg_description JOIN pg_attribute ON attrelid = objoid AND attnum = "
    "objsubid WHERE classoid = 'pg_class'::regclass AND objoid = $1::regclass AND objsubid > 0 UNION ALL "
    "SELECT 'CONSTRAINT', conname, description FROM pg_description JOIN pg_constraint k ON k.oid = objoid WHERE "
    "classoid = 'pg_constraint'::regclass AND conrelid = $1::regclass AND contype = 'c' ORDER BY 1 DESC, 2";

int create_comments(struct creation *c, const struct tables_row *row, const struct cat_table *t, struct err *err)
{
	struct arena *a = c->s->a;
	const char *const values[] = {qualified(a, t->schema, t->name)};
	const char *table = qualified(a, row->target_schema, row->target);
	PGresult *res = NULL;
	int rc = pgc_query(&c->s->source, comments_sql, 1, values, &res, err);
	for (int i = 0; rc == 0 && i < PQntuples(res); i++) {
		const char *kind = PQgetvalue(res, i, 0), *text = literal(a, PQgetvalue(res, i, 2));
		const char *name = ident(a, PQgetvalue(res, i, 1)), *on = table;
		if (strcmp(kind, "COLUMN") == 0)
			on = arena_printf(a, "%s.%s", table, name).ptr;
		else if (strcmp(kind, "CONSTRAINT") == 0)
			on = arena_printf(a, "%s ON %s", name, table).ptr;
		rc = create_run(c, arena_printf(a, "COMMENT ON %s %s IS %s", kind, on, text).ptr, err);
	}
	PQclear(res);
	return rc;
}

/* ---- extensions ---- */

static const char extensions_sql[] =
    "SELECT n.nspname, c.relname, a.attname, e.extname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid "
    "JOIN pg_depend d ON d.classid = 'pg_type'::regclass AND d.objid IN (t.oid, t.typelem, t.typbasetype) AND "
    "d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass JOIN pg_extension e ON e.oid = d.refobjid "
    "WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, 2, a.attnum";

static int check_extension(struct creation *c, const PGresult *res, int i, struct err *err)
{
	const char *const name = PQgetvalue(res, i, 3);
	int64_t there = 0;
	int rc =
	    pgc_scalar(&c->s->target, "SELECT count(*) FROM pg_extension WHERE extname = $1", 1, &name, &there, err);
	if (rc || there)
		return rc;
	err_set(err, ERR_TARGET, "target: there is no extension %s, which column %s of %s needs", name,
		PQgetvalue(res, i, 2), PQgetvalue(res, i, 1));
	return err_hint(err, "CREATE EXTENSION %s there, then run the command again", ident(c->s->a, name));
}

int create_check_extensions(struct creation *c, struct err *err)
{
	PGresult *res = NULL;
	int rc = pgc_exec(&c->s->source, extensions_sql, &res, err);
	for (int i = 0; rc == 0 && i < PQntuples(res); i++) {
		const struct tables_row *row = row_of_source(c->s, PQgetvalue(res, i, 0), PQgetvalue(res, i, 1));
		if (row && !catalog_find(&c->s->to, row->target_schema, row->target))
			rc = check_extension(c, res, i, err);
	}
	PQclear(res);
	return rc;
}
