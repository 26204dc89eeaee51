/*
 * Triggers and foreign keys rest during the load and always come back. With the right to set session_replication_role
 * that is a setting of the transaction, gone with it. Without it user triggers are disabled and enabled again inside
 * the transaction, and foreign keys are dropped for the run: settle_foreign_key says what they were, in the transaction
 * that drops them, so that the next run of this job brings them back even after a crash.
 */
#include "config.h"

#include "tables/tables_internal.h"

int triggers_mode(struct pgc *c, enum trigger_mode *out, struct err *err)
{
	struct err why = ERR_INIT;
	int rc = pgc_exec(c, "BEGIN", NULL, err);
	if (rc)
		return rc;
	rc = pgc_exec(c, "SET LOCAL session_replication_role = replica", NULL, &why);
	pgc_rollback(c);
	*out = rc ? TRIGGERS_ALTER : TRIGGERS_REPLICA;
	if (rc == 0 || strcmp(why.sqlstate, "42501") == 0)
		return 0;
	*err = why;
	return rc;
}

static int list_triggers(struct pgc *c, const char *table, struct arena *a, struct resting *out, struct err *err)
{
	PGresult *res = NULL;
	int rc = pgc_query(c,
			   "SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = $1::regclass AND NOT tgisinternal "
			   "AND tgenabled <> 'D' "
			   "ORDER BY tgname",
			   1, &table, &res, err);
	for (int i = 0; rc == 0 && i < PQntuples(res); i++) {
		ARENA_PUSH(a, &out->list, (__typeof__(*out->list.v)){0});
		out->list.v[out->list.n - 1].name = pgc_text(res, i, 0, a);
		out->list.v[out->list.n - 1].was = PQgetvalue(res, i, 1)[0];
	}
	PQclear(res);
	return rc;
}

int triggers_begin(struct pgc *c, enum trigger_mode mode, const struct cat_table *t, struct arena *a,
		   struct resting *out, struct err *err)
{
	*out = (struct resting){.table = qualified(a, t->schema, t->name)};
	if (mode == TRIGGERS_REPLICA && c->citus) /* so that the workers hear of it */
		return pgc_exec(
		    c, "SET LOCAL citus.propagate_set_commands = 'local'; SET LOCAL session_replication_role = replica",
		    NULL, err);
	if (mode == TRIGGERS_REPLICA)
		return pgc_exec(c, "SET LOCAL session_replication_role = replica", NULL, err);
	int rc = list_triggers(c, out->table, a, out, err);
	for (size_t i = 0; i < out->list.n && rc == 0; i++)
		rc = pgc_exec(
		    c,
		    arena_printf(a, "ALTER TABLE %s DISABLE TRIGGER %s", out->table, ident(a, out->list.v[i].name)).ptr,
		    NULL, err);
	return rc;
}

int triggers_end(struct pgc *c, const struct resting *r, struct arena *a, struct err *err)
{
	int rc = 0;
	for (size_t i = 0; i < r->list.n && rc == 0; i++) {
		char was = r->list.v[i].was;
		const char *how = was == 'R' ? "REPLICA " : was == 'A' ? "ALWAYS " : "";
		rc = pgc_exec(
		    c,
		    arena_printf(a, "ALTER TABLE %s ENABLE %sTRIGGER %s", r->table, how, ident(a, r->list.v[i].name))
			.ptr,
		    NULL, err);
	}
	return rc;
}

/* ---- foreign keys ---- */

static int drop_of_table(struct session *s, const char *table, struct err *err)
{
	const char *const values[] = {s->m.job_id, table};
	PGresult *res = NULL;
	int rc = pgc_query(
	    &s->target,
	    "INSERT INTO settle_foreign_key SELECT $1, n.nspname || '.' || c.relname, k.conname, "
	    "format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', n.nspname, c.relname, k.conname, "
	    "pg_get_constraintdef(k.oid)) "
	    "FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
	    "WHERE k.contype = 'f' AND k.conparentid = 0 AND k.conrelid = $2::regclass "
	    "RETURNING format('ALTER TABLE %s DROP CONSTRAINT %I', $2, name)",
	    2, values, &res, err);
	for (int i = 0; rc == 0 && i < PQntuples(res); i++)
		rc = pgc_exec(&s->target, PQgetvalue(res, i, 0), NULL, err);
	PQclear(res);
	return rc;
}

int foreign_keys_drop(struct session *s, const struct manifest_rows *rows, struct err *err)
{
	const char *last = "";
	int rc = pgc_exec(&s->target, "BEGIN", NULL, err);
	for (size_t i = 0; i < rows->n && rc == 0; i++) {
		const char *table = qualified(s->a, rows->v[i].target_schema, rows->v[i].target);
		if (strcmp(table, last) != 0)
			rc = drop_of_table(s, table, err);
		last = table;
	}
	if (rc == 0)
		rc = pgc_exec(&s->target, "COMMIT", NULL, err);
	if (rc)
		pgc_rollback(&s->target);
	return rc;
}

static int restore_one(struct session *s, const char *child, const char *name, const char *definition, struct err *err)
{
	const char *const values[] = {child, name};
	int rc = pgc_exec(&s->target, "BEGIN", NULL, err);
	if (rc == 0)
		rc = pgc_exec(&s->target, definition, NULL, err);
	if (rc == 0)
		rc = pgc_query(&s->target, "DELETE FROM settle_foreign_key WHERE child = $1 AND name = $2", 2, values,
			       NULL, err);
	if (rc == 0)
		rc = pgc_exec(&s->target, "COMMIT", NULL, err);
	if (rc)
		pgc_rollback(&s->target);
	return rc;
}

int foreign_keys_restore(struct session *s, struct err *err)
{
	const char *const values[] = {s->m.job_id};
	PGresult *res = NULL;
	int broken = 0;
	int rc =
	    pgc_query(&s->target, "SELECT child, name, definition FROM settle_foreign_key WHERE job = $1 ORDER BY 1, 2",
		      1, values, &res, err);
	for (int i = 0; rc == 0 && i < PQntuples(res); i++) {
		const char *child = PQgetvalue(res, i, 0), *name = PQgetvalue(res, i, 1), *sql = PQgetvalue(res, i, 2);
		rc = restore_one(s, child, name, sql, err);
		if (rc == 0 || !err || strcmp(err->sqlstate, "23503") != 0)
			continue;
		rc = restore_one(s, child, name, arena_printf(s->a, "%s NOT VALID", sql).ptr, err);
		broken++;
		say(s->env, TABLES_NOTE,
		    "foreign key %s of %s does not hold for rows that came over: it is back for new rows only", name,
		    child);
	}
	if (rc)
		err_prefix(err, "a foreign key is not back: settle_foreign_key in the target says which");
	else if (broken)
		rc = err_set(err, ERR_TARGET, "target: %d foreign keys do not hold for rows that came over", broken);
	PQclear(res);
	return rc;
}

static const char *orphans_sql =
    "SELECT k.conname, k.conrelid::regclass::text, k.confrelid::regclass::text, "
    "string_agg(format('c.%I IS NOT NULL', ca.attname), ' AND ' ORDER BY u.i), "
    "string_agg(format('p.%I = c.%I', pa.attname, ca.attname), ' AND ' ORDER BY u.i) "
    "FROM pg_constraint k CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS u (child, parent, i) "
    "JOIN pg_attribute ca ON ca.attrelid = k.conrelid AND ca.attnum = u.child "
    "JOIN pg_attribute pa ON pa.attrelid = k.confrelid AND pa.attnum = u.parent "
    "WHERE k.contype = 'f' AND k.conparentid = 0 AND CASE WHEN $2 = '1' THEN k.confrelid ELSE k.conrelid END = "
    "$1::regclass "
    "GROUP BY k.oid, k.conname, k.conrelid, k.confrelid ORDER BY 2, 1";

int foreign_keys_check(struct pgc *c, const struct cat_table *t, int others, struct arena *a, struct orphans_list *out,
		       struct err *err)
{
	const char *const values[] = {qualified(a, t->schema, t->name), others ? "1" : "0"};
	PGresult *res = NULL;
	int rc = pgc_query(c, orphans_sql, 2, values, &res, err);
	for (int i = 0; rc == 0 && i < PQntuples(res); i++) {
		struct orphans o = {.name = pgc_text(res, i, 0, a), .child = pgc_text(res, i, 1, a)};
		const char *sql =
		    arena_printf(a, "SELECT count(*) FROM %s c WHERE %s AND NOT EXISTS (SELECT FROM %s p WHERE %s)",
				 o.child, PQgetvalue(res, i, 3), PQgetvalue(res, i, 2), PQgetvalue(res, i, 4))
			.ptr;
		rc = pgc_scalar(c, sql, 0, NULL, &o.n, err);
		if (rc == 0)
			ARENA_PUSH(a, out, o);
	}
	PQclear(res);
	return rc;
}
