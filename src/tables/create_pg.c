/* Tables as PostgreSQL's catalogs describe them: columns, checks, parents; keys, indexes and foreign keys for later. */
#include "config.h"

#include "tables/tables_internal.h"

static const char types_sql[] =
    "SELECT n.nspname, t.typname, format('CREATE %s %I.%I AS %s', CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' "
    "END, n.nspname, "
    "t.typname, CASE t.typtype "
    "WHEN 'e' THEN 'ENUM (' || (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM "
    "pg_enum e WHERE "
    "e.enumtypid = t.oid) || ')' "
    "WHEN 'c' THEN '(' || (SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' "
    "ORDER BY a.attnum) "
    "FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) || ')' "
    "WHEN 'r' THEN 'RANGE (SUBTYPE = ' || (SELECT format_type(r.rngsubtype, NULL) FROM pg_range r WHERE r.rngtypid = "
    "t.oid) || ')' "
    "ELSE format_type(t.typbasetype, t.typtypmod) || COALESCE(' DEFAULT ' || t.typdefault, '') || CASE WHEN "
    "t.typnotnull THEN ' NOT NULL' "
    "ELSE '' END || COALESCE((SELECT string_agg(format(' CONSTRAINT %I %s', k.conname, pg_get_constraintdef(k.oid)), "
    "'' ORDER BY k.oid) "
    "FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'), '') END), "
    "format('COMMENT ON %s %I.%I IS %L', CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, n.nspname, t.typname, "
    "d.description), d.description IS NULL "
    "FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid "
    "LEFT JOIN pg_description d ON d.objoid = t.oid AND d.classoid = 'pg_type'::regclass "
    "WHERE t.typtype IN ('e', 'd', 'c', 'r') AND (t.typtype <> 'c' OR c.relkind = 'c') AND n.nspname NOT IN "
    "('pg_catalog', "
    "'information_schema', 'pg_toast') AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = t.oid AND d.classid = "
    "'pg_type'::regclass "
    "AND d.deptype = 'e') ORDER BY t.oid";

static int is_type_used(const struct session *s, const char *schema, const char *name)
{
	const char *full = qualified(s->a, schema, name);
	const char *plain = arena_printf(s->a, "%s.%s", schema, name).ptr;
	for (size_t i = 0; i < s->from.n; i++)
		for (size_t k = 0; k < s->from.v[i].columns.n; k++) {
			const char *type = s->from.v[i].columns.v[k].type;
			if (strstr(type, full) || strstr(type, plain) || strstr(type, ident(s->a, name)))
				return 1;
		}
	return 0;
}

int create_types_pg(struct creation *c, struct err *err)
{
	struct session *s = c->s;
	PGresult *res = NULL;
	int rc = pgc_exec(&s->source, types_sql, &res, err);
	for (int i = 0; rc == 0 && i < PQntuples(res); i++) {
		const char *const values[] = {pgc_text(res, i, 0, s->a), pgc_text(res, i, 1, s->a)};
		int64_t there = 0;
		rc = pgc_scalar(&s->target,
				"SELECT count(*) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE "
				"n.nspname = $1 AND t.typname = $2",
				2, values, &there, err);
		if (rc || there || (!names_has(&s->job.schemas, values[0]) && !is_type_used(s, values[0], values[1])))
			continue;
		rc = create_schema(c, values[0], err);
		if (rc == 0)
			rc = create_run(c, PQgetvalue(res, i, 2), err);
		if (rc == 0 && PQgetvalue(res, i, 4)[0] == 'f')
			rc = create_run(c, PQgetvalue(res, i, 3), err);
	}
	PQclear(res);
	return rc;
}

/* ---- columns ---- */

static void add_column(struct creation *c, const struct tables_row *row, const struct cat_column *col, struct buf *b)
{
	struct arena *a = c->s->a;
	buf_fmt(b, "%s %s", ident(a, col->name), col->type);
	if (col->collation)
		buf_fmt(b, " COLLATE %s", col->collation);
	if (col->generated)
		buf_fmt(b, " GENERATED ALWAYS AS (%s) STORED", col->default_sql);
	else if (col->identity)
		buf_fmt(b, " GENERATED %s AS IDENTITY (%s)", col->identity == 'a' ? "ALWAYS" : "BY DEFAULT",
			col->sequence_options);
	else if (col->default_sql)
		buf_fmt(b, " DEFAULT %s", create_default(c, row, col));
	if (col->not_null)
		buf_str(b, " NOT NULL");
}

/* ---- constraints ---- */

/* Checks of the table itself; of a child, those that bear its name, as its parent brings the others. */
static int add_checks(struct creation *c, const struct cat_table *t, struct buf *b, struct err *err)
{
	const char *const values[] = {qualified(c->s->a, t->schema, t->name)};
	PGresult *res = NULL;
	int rc = pgc_query(&c->s->source,
			   "SELECT quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = "
			   "$1::regclass AND "
			   "contype = 'c' AND conislocal ORDER BY conname",
			   1, values, &res, err);
	for (int i = 0; rc == 0 && i < PQntuples(res); i++)
		buf_fmt(b, "%sCONSTRAINT %s %s", b->len ? ", " : "", PQgetvalue(res, i, 0), PQgetvalue(res, i, 1));
	PQclear(res);
	return rc;
}

static const char *foreign_key(struct creation *c, const PGresult *res, int i)
{
	struct arena *a = c->s->a;
	const char *definition = PQgetvalue(res, i, 2), *named = PQgetvalue(res, i, 5);
	const struct tables_row *to = row_of_source(c->s, PQgetvalue(res, i, 6), PQgetvalue(res, i, 7));
	const char *old = arena_printf(a, " REFERENCES %s(", named).ptr;
	const char *at = strstr(definition, old);
	if (!to || !at)
		return pgc_text(res, i, 2, a);
	return arena_printf(a, "%.*s REFERENCES %s(%s", (int)(at - definition), definition,
			    qualified(a, to->target_schema, to->target), at + strlen(old))
	    .ptr;
}

static const char constraints_sql[] =
    "SELECT k.contype, k.conname, pg_get_constraintdef(k.oid), obj_description(k.oid, 'pg_constraint'), EXISTS (SELECT "
    "FROM pg_attribute a WHERE a.attrelid "
    "= k.conrelid AND "
    "a.attnum = ANY (k.conkey) AND a.attname = $2)::int, k.confrelid::regclass::text, fn.nspname, f.relname, "
    "(SELECT pa.attname FROM unnest(k.conkey, k.confkey) AS u (child, parent) JOIN pg_attribute ca ON ca.attrelid = "
    "k.conrelid AND ca.attnum = u.child AND ca.attname = $2 JOIN pg_attribute pa ON pa.attrelid = k.confrelid AND "
    "pa.attnum = u.parent) "
    "FROM pg_constraint k LEFT JOIN pg_class f ON f.oid = k.confrelid LEFT JOIN pg_namespace fn ON fn.oid = "
    "f.relnamespace "
    "WHERE k.conrelid = $1::regclass AND k.contype IN ('p', 'u', 'x', 'f') AND k.conparentid = 0 "
    "ORDER BY k.contype = 'f', k.contype <> 'p', k.conname";

static int constraints_later(struct creation *c, const struct tables_row *row, const struct cat_table *t,
			     struct err *err)
{
	const struct job_rule *rule = &c->s->job.rules.v[row->rule];
	const char *const values[] = {qualified(c->s->a, t->schema, t->name), rule->distribute ? rule->distribute : ""};
	PGresult *res = NULL;
	int rc = pgc_query(&c->s->source, constraints_sql, 2, values, &res, err);
	for (int i = 0; rc == 0 && i < PQntuples(res); i++) {
		int foreign = PQgetvalue(res, i, 0)[0] == 'f', skip = 0;
		struct manifest_object o = {
		    .schema = row->target_schema, .table = row->target, .kind = foreign ? "foreign" : "key"};
		o.name = pgc_text(res, i, 1, c->s->a);
		o.sql =
		    arena_printf(c->s->a, "ALTER TABLE %s ADD CONSTRAINT %s %s", qualified(c->s->a, o.schema, o.table),
				 ident(c->s->a, o.name), foreign ? foreign_key(c, res, i) : PQgetvalue(res, i, 2))
			.ptr;
		if (!PQgetisnull(res, i, 3))
			o.sql = arena_printf(c->s->a, "%s; COMMENT ON CONSTRAINT %s ON %s IS %s", o.sql,
					     ident(c->s->a, o.name), qualified(c->s->a, o.schema, o.table),
					     literal(c->s->a, PQgetvalue(res, i, 3)))
				    .ptr;
		if (foreign)
			rc = citus_takes_reference(c, row,
						   row_of_source(c->s, PQgetvalue(res, i, 6), PQgetvalue(res, i, 7)),
						   o.name, pgc_text(res, i, 8, c->s->a), &skip, err);
		else
			rc = citus_takes_key(c, row, o.name, (int)pgc_int(res, i, 4), &skip, err);
		if (rc == 0 && !skip)
			rc = create_later(c, &o, err);
	}
	PQclear(res);
	return rc;
}

static const char indexes_sql[] =
    "SELECT obj_description(i.indexrelid, 'pg_class'), x.relname, substr(pg_get_indexdef(i.indexrelid), "
    "length(format('CREATE %sINDEX %I ON %s%s ', CASE WHEN "
    "i.indisunique THEN "
    "'UNIQUE ' ELSE '' END, x.relname, CASE WHEN c.relkind = 'p' THEN 'ONLY ' ELSE '' END, i.indrelid::regclass)) + "
    "1), "
    "CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END, (NOT i.indisunique OR EXISTS (SELECT FROM pg_attribute a "
    "WHERE "
    "a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) AND a.attname = $2))::int "
    "FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid WHERE i.indrelid = "
    "$1::regclass "
    "AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.conrelid = i.indrelid) "
    "AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = i.indexrelid) ORDER BY x.relname";

static int indexes_later(struct creation *c, const struct tables_row *row, const struct cat_table *t, struct err *err)
{
	const struct job_rule *rule = &c->s->job.rules.v[row->rule];
	const char *const values[] = {qualified(c->s->a, t->schema, t->name), rule->distribute ? rule->distribute : ""};
	PGresult *res = NULL;
	int rc = pgc_query(&c->s->source, indexes_sql, 2, values, &res, err);
	for (int i = 0; rc == 0 && i < PQntuples(res); i++) {
		struct manifest_object o = {.schema = row->target_schema, .table = row->target, .kind = "index"};
		int skip = 0;
		o.name = pgc_text(res, i, 1, c->s->a);
		o.sql =
		    arena_printf(c->s->a, "CREATE %sINDEX %s ON %s %s", PQgetvalue(res, i, 3), ident(c->s->a, o.name),
				 qualified(c->s->a, o.schema, o.table), PQgetvalue(res, i, 2))
			.ptr;
		if (!PQgetisnull(res, i, 0))
			o.sql =
			    arena_printf(c->s->a, "%s; COMMENT ON INDEX %s IS %s", o.sql,
					 qualified(c->s->a, o.schema, o.name), literal(c->s->a, PQgetvalue(res, i, 0)))
				.ptr;
		rc = citus_takes_key(c, row, o.name, (int)pgc_int(res, i, 4), &skip, err);
		if (rc == 0 && !skip)
			rc = create_later(c, &o, err);
	}
	PQclear(res);
	return rc;
}

/* ---- tables ---- */

static const struct tables_row *kept_parent(const struct creation *c, const struct tables_row *row,
					    const struct cat_table *t)
{
	const struct job_rule *rule = &c->s->job.rules.v[row->rule];
	if (!t->parent || rule->children != CHILDREN_KEEP)
		return NULL;
	return row_of_source(c->s, t->parent_schema, t->parent);
}

static int child_body(struct creation *c, const struct tables_row *row, const struct cat_table *t,
		      const struct tables_row *up, struct buf *b, struct err *err)
{
	const struct cat_table *parent = catalog_find(&c->s->from, t->parent_schema, t->parent);
	int rc = add_checks(c, t, b, err);
	buf_fmt(b, "%sLIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS", b->len ? ", " : "",
		qualified(c->s->a, up->target_schema, up->target));
	for (size_t i = 0; i < t->columns.n; i++)
		if (!column_find(parent, t->columns.v[i].name)) {
			buf_str(b, ", ");
			add_column(c, row, &t->columns.v[i], b);
		}
	return rc;
}

/* Where a child differs from its parent: columns that it fills or keeps in its own way. */
static int own_defaults(struct creation *c, const struct tables_row *row, const struct cat_table *t, const char *name,
			struct err *err)
{
	const struct cat_table *parent = catalog_find(&c->s->from, t->parent_schema, t->parent);
	struct arena *a = c->s->a;
	int rc = 0;
	for (size_t i = 0; i < t->columns.n && rc == 0; i++) {
		const struct cat_column *col = &t->columns.v[i], *up = column_find(parent, col->name);
		const char *mine = col->default_sql ? col->default_sql : "NULL";
		if (!up || col->generated || col->identity || up->generated || up->identity)
			continue;
		const char *alter =
		    arena_printf(a, "ALTER TABLE ONLY %s ALTER COLUMN %s", name, ident(a, col->name)).ptr;
		if (strcmp(mine, up->default_sql ? up->default_sql : "NULL") != 0)
			rc = create_run(
			    c,
			    col->default_sql
				? arena_printf(a, "%s SET DEFAULT %s", alter, create_default(c, row, col)).ptr
				: arena_printf(a, "%s DROP DEFAULT", alter).ptr,
			    err);
		if (rc == 0 && col->not_null && !up->not_null)
			rc = create_run(c, arena_printf(a, "%s SET NOT NULL", alter).ptr, err);
	}
	return rc;
}

static int whole_body(struct creation *c, const struct tables_row *row, const struct cat_table *t, struct buf *b,
		      struct err *err)
{
	struct buf checks = BUF_INIT(SQL_CAP);
	for (size_t i = 0; i < t->columns.n; i++) {
		if (i)
			buf_str(b, ", ");
		add_column(c, row, &t->columns.v[i], b);
	}
	int rc = add_checks(c, t, &checks, err);
	if (checks.len)
		buf_fmt(b, ", %s", checks.ptr);
	buf_release(&checks);
	return rc;
}

int create_table_pg(struct creation *c, const struct tables_row *row, const struct cat_table *t, struct err *err)
{
	const struct tables_row *up = kept_parent(c, row, t);
	const char *name = qualified(c->s->a, row->target_schema, row->target);
	const char *parent = up ? qualified(c->s->a, up->target_schema, up->target) : NULL;
	struct buf body = BUF_INIT(SQL_CAP), sql = BUF_INIT(SQL_CAP);
	int rc = 0;
	if (c->s->job.rules.v[row->rule].columns.n) {
		err_set(err, ERR_USAGE, "its columns are mapped by the job, so settle cannot know how it looks");
		return err_hint(err, "make the table first, as its application does");
	}
	if (t->partition && up) {
		buf_fmt(&sql, "CREATE TABLE IF NOT EXISTS %s PARTITION OF %s %s", name, parent, t->bound);
	} else {
		rc = create_sequences(c, row, t, err);
		if (rc == 0)
			rc = up ? child_body(c, row, t, up, &body, err) : whole_body(c, row, t, &body, err);
		buf_fmt(&sql, "CREATE TABLE IF NOT EXISTS %s (%s)", name, buf_slice(&body).ptr);
		if (up)
			buf_fmt(&sql, " INHERITS (%s)", parent);
	}
	if (t->kind == 'p')
		buf_fmt(&sql, " PARTITION BY %s", t->partkey);
	if (rc == 0)
		rc = create_run(c, sql.ptr, err);
	if (rc == 0 && up)
		rc = own_defaults(c, row, t, name, err);
	if (rc == 0)
		rc = own_sequences(c, row, t, err);
	if (rc == 0)
		rc = create_comments(c, row, t, err);
	if (rc == 0)
		rc = constraints_later(c, row, t, err);
	if (rc == 0)
		rc = indexes_later(c, row, t, err);
	buf_release(&body);
	buf_release(&sql);
	return rc;
}
