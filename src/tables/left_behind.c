/*
 * What a source has beside tables and settle does not carry over: views, functions, triggers, grants and the like, each
 * by its name, so that nobody is surprised. What the target has under the same name is not told.
 */
#include "config.h"

#include "tables/tables_internal.h"

/*
 * Kind, name, and the schema and name of the table that it belongs to, if to one. What came with something else (an
 * extension, a type) is not told of by itself.
 */
static const char inventory_sql[] =
    "WITH schemas AS (SELECT oid, nspname FROM pg_namespace WHERE nspname IN (SELECT "
    "jsonb_array_elements_text($1::jsonb))), "
    "came AS (SELECT classid, objid FROM pg_depend WHERE deptype IN ('e', 'i')), "
    "counted AS (SELECT objid AS oid FROM pg_depend WHERE classid = 'pg_class'::regclass AND deptype IN ('a', 'i') "
    "UNION ALL SELECT refobjid FROM pg_depend WHERE classid = 'pg_attrdef'::regclass AND refclassid = "
    "'pg_class'::regclass), "
    "tables AS (SELECT c.oid, c.relispartition, c.relacl, c.relowner, n.nspname, c.relname, format('%I.%I', n.nspname, "
    "c.relname) AS name FROM pg_class c JOIN schemas n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p')), "

    "relations AS (SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign "
    "table' ELSE 'sequence' END, format('%I.%I', n.nspname, c.relname), NULL, NULL FROM pg_class c JOIN schemas n ON "
    "n.oid = c.relnamespace WHERE (c.relkind IN ('v', 'm', 'f') OR (c.relkind = 'S' AND c.oid NOT IN (SELECT oid FROM "
    "counted))) AND NOT EXISTS (SELECT FROM came WHERE classid = 'pg_class'::regclass AND objid = c.oid)), "

    "functions AS (SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END, "
    "format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)), NULL, NULL FROM pg_proc p "
    "JOIN schemas n ON n.oid = p.pronamespace WHERE NOT EXISTS (SELECT FROM came WHERE classid = 'pg_proc'::regclass "
    "AND objid = p.oid)), "

    "triggers AS (SELECT 'trigger', format('%I on %s', g.tgname, t.name), t.nspname, t.relname FROM pg_trigger g JOIN "
    "tables t ON t.oid = g.tgrelid WHERE NOT g.tgisinternal AND NOT EXISTS (SELECT FROM pg_inherits i JOIN pg_trigger "
    "u ON u.tgrelid = i.inhparent AND u.tgname = g.tgname WHERE t.relispartition AND i.inhrelid = t.oid)), "

    "grants AS (SELECT 'grants', format('on %s to %s', t.name, string_agg(DISTINCT CASE x.grantee WHEN 0 THEN 'PUBLIC' "
    "ELSE quote_ident(pg_get_userbyid(x.grantee)) END, ', ')), t.nspname, t.relname FROM tables t, LATERAL "
    "aclexplode(t.relacl) x WHERE x.grantee <> t.relowner GROUP BY t.name, t.nspname, t.relname) "

    "SELECT 'extension', quote_ident(extname), NULL, NULL FROM pg_extension WHERE extname NOT IN ('plpgsql', 'citus', "
    "'citus_columnar') UNION ALL TABLE relations UNION ALL TABLE functions UNION ALL TABLE triggers UNION ALL TABLE "
    "grants UNION ALL "
    "SELECT 'statistics', format('%I.%I', n.nspname, x.stxname), NULL, NULL FROM pg_statistic_ext x JOIN schemas n ON "
    "n.oid = x.stxnamespace UNION ALL "
    "SELECT 'rule', format('%I on %s', r.rulename, t.name), t.nspname, t.relname FROM pg_rewrite r JOIN tables t ON "
    "t.oid = r.ev_class UNION ALL "
    "SELECT 'row security policy', format('%I on %s', y.polname, t.name), t.nspname, t.relname FROM pg_policy y JOIN "
    "tables t ON t.oid = y.polrelid UNION ALL "
    "SELECT 'second parent', format('%s of %s', i.inhparent::regclass, t.name), t.nspname, t.relname FROM pg_inherits "
    "i JOIN tables t ON t.oid = i.inhrelid WHERE i.inhseqno > 1 ORDER BY 1, 2";

static const char lite_sql[] =
    "SELECT 'virtual table', name FROM pragma_table_list WHERE schema = 'main' AND type = 'virtual' UNION ALL "
    "SELECT type, name || iif(type = 'trigger', ' on ' || tbl_name, '') FROM sqlite_schema WHERE type IN ('view', "
    "'trigger') ORDER BY 1, 2";

static int inventory(struct pgc *c, struct session *s, PGresult **out, struct err *err)
{
	const char *const schemas[] = {names_json(&s->job.schemas, s->a)};
	return pgc_query(c, inventory_sql, 1, schemas, out, err);
}

static const char *entry(struct session *s, const PGresult *res, int i)
{
	return arena_printf(s->a, "%s %s", PQgetvalue(res, i, 0), PQgetvalue(res, i, 1)).ptr;
}

static int of_servers(struct session *s, struct names *out, struct err *err)
{
	struct names there = {0};
	PGresult *source = NULL, *target = NULL;
	int rc = inventory(&s->source, s, &source, err);
	if (rc == 0 && s->target.conn)
		rc = inventory(&s->target, s, &target, err);
	for (int i = 0; rc == 0 && target && i < PQntuples(target); i++)
		ARENA_PUSH(s->a, &there, entry(s, target, i));
	for (int i = 0; rc == 0 && i < PQntuples(source); i++) {
		const char *name = entry(s, source, i);
		int of_table = !PQgetisnull(source, i, 3);
		if (!names_has(&there, name) &&
		    (!of_table || row_of_source(s, PQgetvalue(source, i, 2), PQgetvalue(source, i, 3))))
			ARENA_PUSH(s->a, out, name);
	}
	PQclear(source);
	PQclear(target);
	return rc;
}

static int of_lite(struct session *s, struct names *out, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int row = 0;
	int rc = lite_stmt(s->lite, lite_sql, &stmt, err);
	while (rc == 0 && (rc = lite_step(stmt, &row, err)) == 0 && row)
		ARENA_PUSH(s->a, out,
			   arena_printf(s->a, "%s %s", arena_str(s->a, lite_text(stmt, 0)),
					arena_str(s->a, lite_text(stmt, 1)))
			       .ptr);
	lite_done(stmt);
	return rc;
}

int left_behind(struct session *s, struct err *err)
{
	struct names list = {0};
	int rc = s->sqlite ? of_lite(s, &list, err) : of_servers(s, &list, err);
	if (rc == 0 && list.n)
		say(s->env, TABLES_NOTE, "Not carried over, to be made in the target by other means:");
	for (size_t i = 0; rc == 0 && i < list.n; i++)
		say(s->env, TABLES_NOTE, "\t%s", list.v[i]);
	return rc;
}
