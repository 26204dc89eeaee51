/* After the load: sequences ahead of their columns; keys, indexes and foreign keys of the tables that settle made. */
#include "config.h"

#include "tables/tables_internal.h"

/* A sequence is never set back: somebody may have drawn from it. */
int sequences_set(struct pgc *c, const struct cat_table *t, struct arena *a, struct err *err)
{
	int rc = 0;
	for (size_t i = 0; i < t->columns.n && rc == 0; i++) {
		const struct cat_column *col = &t->columns.v[i];
		if (!col->sequence)
			continue;
		const char *sequence = qualified(a, col->sequence_schema, col->sequence);
		rc = pgc_exec(
		    c,
		    arena_printf(a,
				 "SELECT setval(%s::regclass, m) FROM (SELECT max(%s)::bigint AS m FROM %s) x, %s q "
				 "WHERE m > q.last_value OR (m = q.last_value AND NOT q.is_called)",
				 literal(a, sequence), ident(a, col->name), qualified(a, t->schema, t->name), sequence)
			.ptr,
		    NULL, err);
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
