/* After the load: sequences ahead of their columns; keys, indexes and foreign keys of the tables that settle made. */
#include "config.h"

#include "tables/tables_internal.h"

/* Two statements, as Citus joins no sequence with a distributed table. */
static int reach(struct pgc *c, const char *sequence, const char *highest, const char *lowest, struct err *err)
{
	struct arena a = ARENA_INIT;
	const char *const values[] = {sequence, highest, lowest};
	int rc = pgc_query(
	    c,
	    arena_printf(
		&a,
		"SELECT setval(x.seqrelid, x.v) FROM (SELECT seqrelid, seqincrement > 0 AS up, CASE WHEN seqincrement "
		"> 0 THEN $2::bigint ELSE $3::bigint END AS v FROM pg_sequence WHERE seqrelid = $1::regclass) x, %s q "
		"WHERE CASE WHEN x.up THEN x.v > q.last_value ELSE x.v < q.last_value END OR (x.v = q.last_value AND "
		"NOT q.is_called)",
		sequence)
		.ptr,
	    3, values, NULL, err);
	arena_release(&a);
	return rc;
}

/* A sequence is never set back: somebody may have drawn from it. */
int sequences_set(struct pgc *c, const struct cat_table *t, struct arena *a, struct err *err)
{
	int rc = 0;
	for (size_t i = 0; i < t->columns.n && rc == 0; i++) {
		const struct cat_column *col = &t->columns.v[i];
		PGresult *res = NULL;
		if (!column_is_counted(col))
			continue;
		rc = pgc_exec(c,
			      arena_printf(a, "SELECT max(%s)::bigint, min(%s)::bigint FROM %s", ident(a, col->name),
					   ident(a, col->name), qualified(a, t->schema, t->name))
				  .ptr,
			      &res, err);
		if (rc == 0 && !PQgetisnull(res, 0, 0))
			rc = reach(c, qualified(a, col->sequence_schema, col->sequence), PQgetvalue(res, 0, 0),
				   PQgetvalue(res, 0, 1), err);
		PQclear(res);
	}
	return rc;
}

static const struct cat_column *column_behind(const struct job_rule *rule, const struct cat_table *from,
					      const struct cat_column *to)
{
	const struct job_column *c = job_column_of(rule, to->name);
	if (c && !c->from)
		return NULL;
	return column_find(from, c ? c->from : to->name);
}

/*
 * Where a whole table came over, a sequence goes on where the source's stands: numbers of rows that were deleted are
 * not given again, and a default that is more than a number has no column that could be asked.
 */
int sequences_follow(struct session *s, const struct tables_row *row, const struct cat_table *to, struct err *err)
{
	const struct job_rule *rule = &s->job.rules.v[row->rule];
	const struct cat_table *from = catalog_find(&s->from, row->source_schema, row->source);
	int rc = 0;
	for (size_t i = 0; i < to->columns.n && rc == 0 && from && !rule->where && !s->sqlite; i++) {
		const struct cat_column *col = &to->columns.v[i], *old = column_behind(rule, from, col);
		PGresult *res = NULL;
		if (!col->sequence || !old || !old->sequence)
			continue;
		const char *const values[] = {old->sequence_schema, old->sequence};
		rc = pgc_query(
		    &s->source,
		    "SELECT last_value FROM pg_sequences WHERE schemaname = $1 AND sequencename = $2 AND last_value IS "
		    "NOT NULL",
		    2, values, &res, err);
		if (rc == 0 && PQntuples(res) == 1)
			rc = reach(&s->target, qualified(s->a, col->sequence_schema, col->sequence),
				   PQgetvalue(res, 0, 0), PQgetvalue(res, 0, 0), err);
		PQclear(res);
	}
	return rc;
}

static int is_complete(const struct session *s, const struct manifest_object *o)
{
	int all = strcmp(o->kind, "foreign") == 0;
	for (size_t i = 0; i < s->rows.n; i++) {
		const struct tables_row *r = &s->rows.v[i];
		int same = strcmp(r->target_schema, o->schema) == 0 && strcmp(r->target, o->table) == 0;
		if ((all || same) && strcmp(r->status, "done") != 0)
			return 0;
	}
	return 1;
}

static int is_there(struct session *s, const struct manifest_object *o, int64_t *there, struct err *err)
{
	const char *const values[] = {o->schema, o->table, o->name};
	return pgc_scalar(
	    &s->target,
	    strcmp(o->kind, "index") == 0
		? "SELECT count(*) FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class c ON c.oid = "
		  "i.indrelid "
		  "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2 AND x.relname "
		  "= $3"
		: "SELECT count(*) FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON "
		  "n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2 AND k.conname = $3",
	    3, values, there, err);
}

int objects_make(struct session *s, struct err *err)
{
	struct manifest_objects list = {0};
	int rc = manifest_objects(&s->m, s->a, &list, err);
	for (size_t i = 0; i < list.n && rc == 0 && !atomic_load(s->env->stop); i++) {
		const struct manifest_object *o = &list.v[i];
		int64_t there = 0;
		if (!is_complete(s, o))
			continue;
		rc = is_there(s, o, &there, err);
		if (rc == 0 && !there) {
			log_at(s->env->log, LOG_INFO, "%s", o->sql);
			rc = pgc_exec(&s->target, o->sql, NULL, err);
		}
		if (rc == 0)
			rc = manifest_drop_object(&s->m, o->id, err);
		else
			err_prefix(err, "%s", o->name);
	}
	return rc;
}
