/* What PostgreSQL's catalogs say of the tables: columns, keys, children, dates, sizes. */
#include "config.h"

#include "tables/tables_internal.h"

#include <ctype.h>

/* Sizes of distributed tables are on Citus' workers: on the coordinator they would be 0. */
#define PLAIN_SIZE "pg_table_size(c.oid)"
#define CITUS_SIZE                                                                              \
	"CASE WHEN EXISTS (SELECT FROM pg_dist_partition d WHERE d.logicalrelid = c.oid) THEN " \
	"citus_table_size(c.oid) "                                                              \
	"ELSE pg_table_size(c.oid) END"

#define TABLES_SQL(size)                                                                                         \
	"SELECT c.oid, n.nspname, c.relname, c.relkind, c.relispartition::int, pn.nspname, p.relname, "          \
	"c.reltuples::bigint, " size ", pg_get_expr(c.relpartbound, c.oid), pg_get_partkeydef(c.oid), "          \
	"EXISTS (SELECT FROM pg_inherits x WHERE x.inhparent = c.oid)::int, "                                    \
	"(SELECT pg_get_constraintdef(k.oid) FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c' " \
	"AND starts_with(k.conname::text, c.relname::text) ORDER BY k.conname LIMIT 1) "                         \
	"FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "                                         \
	"LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhseqno = 1 "                                      \
	"LEFT JOIN pg_class p ON p.oid = i.inhparent LEFT JOIN pg_namespace pn ON pn.oid = p.relnamespace "      \
	"WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' "                                             \
	"AND n.nspname IN (SELECT jsonb_array_elements_text($1::jsonb)) "                                        \
	"AND c.relname NOT IN ('settle_part', 'settle_foreign_key') AND NOT EXISTS (SELECT FROM pg_depend d "    \
	"WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') ORDER BY c.oid"

/*
 * Binary COPY carries numbers of types and relations inside arrays, composites and reg* values; those of another server
 * mean something else there. b: the base type of a domain; e: an array's element.
 */
static const char columns_sql[] =
    "SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull::int, a.attidentity, "
    "a.attgenerated, "
    "pg_get_expr(d.adbin, d.adrelid), "
    "(b.typsend = 0 OR b.typtype IN ('c', 'd') OR b.typname LIKE 'reg%' "
    "OR (b.typcategory = 'A' AND (e.oid IS NULL OR en.nspname <> 'pg_catalog' OR e.typname LIKE 'reg%')) "
    "OR (b.typtype IN ('r', 'm') AND bn.nspname <> 'pg_catalog'))::int, "
    "COALESCE(array_position((k.indkey::int2[])[0:k.indnkeyatts - 1], a.attnum), 0), b.typcategory, "
    "CASE WHEN bn.nspname = 'pg_catalog' THEN b.typname ELSE '' END, "
    "CASE WHEN a.attcollation <> t.typcollation THEN quote_ident(cn.nspname) || '.' || quote_ident(co.collname) END, "
    "s.nspname, s.relname, quote_literal(quote_ident(s.nspname) || '.' || quote_ident(s.relname)), s.owned, s.type, "
    "s.options "
    "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
    "JOIN pg_type t ON t.oid = a.atttypid "
    "JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END "
    "JOIN pg_namespace bn ON bn.oid = b.typnamespace "
    "LEFT JOIN pg_type e ON e.oid = b.typelem LEFT JOIN pg_namespace en ON en.oid = e.typnamespace "
    "LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum "
    "LEFT JOIN pg_collation co ON co.oid = a.attcollation LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace "
    "LEFT JOIN LATERAL (SELECT i.indkey, i.indnkeyatts FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique "
    "AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND (i.indisprimary OR NOT EXISTS (SELECT FROM "
    "pg_attribute x WHERE x.attrelid = i.indrelid AND x.attnum = ANY (i.indkey) AND NOT x.attnotnull)) "
    "ORDER BY i.indisprimary DESC, i.indexrelid LIMIT 1) k ON true "
    "LEFT JOIN LATERAL (SELECT sn.nspname, sc.relname, EXISTS (SELECT FROM pg_depend o WHERE o.classid = "
    "'pg_class'::regclass AND o.objid = sc.oid AND o.refobjid = a.attrelid AND o.refobjsubid = a.attnum AND o.deptype "
    "= 'a')::int AS owned, format_type(q.seqtypid, NULL) AS type, format('INCREMENT BY %s MINVALUE %s MAXVALUE %s "
    "START WITH %s CACHE %s', q.seqincrement, q.seqmin, q.seqmax, q.seqstart, q.seqcache) || CASE WHEN q.seqcycle "
    "THEN ' CYCLE' ELSE '' END AS options FROM pg_depend x JOIN pg_class sc ON sc.relkind = 'S' AND "
    "sc.oid = CASE WHEN x.classid = 'pg_attrdef'::regclass THEN x.refobjid ELSE x.objid END "
    "JOIN pg_namespace sn ON sn.oid = sc.relnamespace JOIN pg_sequence q ON q.seqrelid = sc.oid WHERE "
    "(x.classid = 'pg_attrdef'::regclass AND x.objid = d.oid AND x.refclassid = 'pg_class'::regclass) OR "
    "(x.classid = 'pg_class'::regclass AND x.refclassid = 'pg_class'::regclass AND x.refobjid = a.attrelid AND "
    "x.refobjsubid = a.attnum AND x.deptype = 'i') LIMIT 1) s ON true "
    "WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't' "
    "AND n.nspname IN (SELECT jsonb_array_elements_text($1::jsonb)) ORDER BY a.attrelid, a.attnum";

const char *date_in(const char *text, struct arena *a)
{
	static const char shape[] = "dddd-dd-dd";
	for (const char *p = text; p && *p; p++) {
		int i = 0;
		while (shape[i] && (shape[i] == 'd' ? isdigit((unsigned char)p[i]) : p[i] == '-'))
			i++;
		if (!shape[i])
			return arena_str(a, (struct slice){p, 10});
	}
	return NULL;
}

struct cat_table *catalog_find(const struct catalog *cat, const char *schema, const char *name)
{
	for (size_t i = 0; i < cat->n; i++)
		if (strcmp(cat->v[i].name, name) == 0 && strcmp(cat->v[i].schema, schema) == 0)
			return &cat->v[i];
	return NULL;
}

struct cat_column *column_find(const struct cat_table *t, const char *name)
{
	for (size_t i = 0; i < t->columns.n; i++)
		if (strcmp(t->columns.v[i].name, name) == 0)
			return &t->columns.v[i];
	return NULL;
}

int column_is_counted(const struct cat_column *c)
{
	int integer = strncmp(c->base, "int", 3) == 0 || strcmp(c->base, "numeric") == 0;
	if (!c->sequence || !integer)
		return 0;
	size_t n = strlen(c->sequence_text);
	const char *d = c->default_sql;
	return c->identity || (d && strncmp(d, "nextval(", 8) == 0 && strncmp(d + 8, c->sequence_text, n) == 0 &&
			       strcmp(d + 8 + n, "::regclass)") == 0);
}

static struct cat_table table_of(const PGresult *res, int i, struct arena *a)
{
	struct cat_table t = {
	    .schema = pgc_text(res, i, 1, a),
	    .name = pgc_text(res, i, 2, a),
	    .kind = PQgetvalue(res, i, 3)[0],
	    .partition = (int)pgc_int(res, i, 4),
	    .parent_schema = pgc_text(res, i, 5, a),
	    .parent = pgc_text(res, i, 6, a),
	    .rows = pgc_int(res, i, 7),
	    .bytes = pgc_int(res, i, 8),
	    .bound = pgc_text(res, i, 9, a),
	    .partkey = pgc_text(res, i, 10, a),
	    .has_children = (int)pgc_int(res, i, 11),
	};
	t.date = date_in(t.name, a);
	if (!t.date && !PQgetisnull(res, i, 12))
		t.date = date_in(PQgetvalue(res, i, 12), a);
	if (!t.date && t.bound)
		t.date = date_in(t.bound, a);
	return t;
}

static struct cat_column column_of(const PGresult *res, int i, struct arena *a)
{
	return (struct cat_column){
	    .name = pgc_text(res, i, 1, a),
	    .type = pgc_text(res, i, 2, a),
	    .not_null = (int)pgc_int(res, i, 3),
	    .identity = PQgetvalue(res, i, 4)[0],
	    .generated = PQgetvalue(res, i, 5)[0],
	    .default_sql = pgc_text(res, i, 6, a),
	    .text_only = (int)pgc_int(res, i, 7),
	    .key = (int)pgc_int(res, i, 8),
	    .category = PQgetvalue(res, i, 9)[0],
	    .base = pgc_text(res, i, 10, a),
	    .collation = pgc_text(res, i, 11, a),
	    .sequence_schema = pgc_text(res, i, 12, a),
	    .sequence = pgc_text(res, i, 13, a),
	    .sequence_text = pgc_text(res, i, 14, a),
	    .sequence_owned = (int)pgc_int(res, i, 15),
	    .sequence_type = pgc_text(res, i, 16, a),
	    .sequence_options = pgc_text(res, i, 17, a),
	};
}

/* Both lists are in the order of the tables' numbers. */
static void join(const PGresult *tables, const PGresult *columns, struct arena *a, struct catalog *out)
{
	int at = 0, n = PQntuples(columns);
	for (int i = 0; i < PQntuples(tables); i++) {
		struct cat_table t = table_of(tables, i, a);
		int64_t oid = pgc_int(tables, i, 0);
		while (at < n && pgc_int(columns, at, 0) < oid)
			at++;
		for (; at < n && pgc_int(columns, at, 0) == oid; at++)
			ARENA_PUSH(a, &t.columns, column_of(columns, at, a));
		ARENA_PUSH(a, out, t);
	}
}

const char *names_json(const struct names *names, struct arena *a)
{
	struct json list = json_array();
	for (size_t i = 0; i < names->n; i++)
		json_push(a, &list, json_str(names->v[i]));
	return arena_str(a, json_to_text(&list, JSON_PLAIN, a));
}

/* An empty search path makes the server write every name in full. */
int catalog_pg(struct pgc *c, const struct names *schemas, struct arena *a, struct catalog *out, struct err *err)
{
	const char *const names[] = {names_json(schemas, a)};
	PGresult *tables = NULL, *columns = NULL;
	*out = (struct catalog){0};
	int rc = pgc_exec(c, "SET search_path = ''", NULL, err);
	if (rc == 0)
		rc = pgc_query(c, c->citus ? TABLES_SQL(CITUS_SIZE) : TABLES_SQL(PLAIN_SIZE), 1, names, &tables, err);
	if (rc == 0)
		rc = pgc_query(c, columns_sql, 1, names, &columns, err);
	if (rc == 0)
		rc = pgc_exec(c, "RESET search_path", NULL, err);
	if (rc == 0)
		join(tables, columns, a, out);
	PQclear(tables);
	PQclear(columns);
	return rc;
}
