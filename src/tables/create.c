/* tables create: what the target lacks, parents before children, each table in a transaction of its own. */
#include "config.h"

#include "tables/tables_internal.h"

int create_run(struct creation *c, const char *sql, struct err *err)
{
	say(c->s->env, TABLES_DATA, "%s;", sql);
	int rc = c->dry_run ? 0 : pgc_exec(&c->s->target, sql, NULL, err);
	if (rc && err && (strcmp(err->sqlstate, "42883") == 0 || strcmp(err->sqlstate, "42704") == 0))
		err_hint(err,
			 "functions, collations and access methods do not come over: make it there first, then run the "
			 "command again");
	return rc;
}

int create_later(struct creation *c, const struct manifest_object *o, struct err *err)
{
	int noted = 0;
	say(c->s->env, TABLES_DATA, "-- after the load: %s;", o->sql);
	if (c->dry_run)
		return 0;
	int rc = manifest_has_object(&c->s->m, o, &noted, err);
	return rc || noted ? rc : manifest_add_object(&c->s->m, o, err);
}

const struct tables_row *row_of_source(const struct session *s, const char *schema, const char *name)
{
	for (size_t i = 0; i < s->rows.n; i++)
		if (strcmp(s->rows.v[i].source, name) == 0 && strcmp(s->rows.v[i].source_schema, schema) == 0)
			return &s->rows.v[i];
	return NULL;
}

/* Of several source tables that go into one target, that which bears its name says how it looks; else the first. */
static const struct tables_row *model_of(const struct session *s, const struct tables_row *row)
{
	const struct tables_row *first = NULL;
	for (size_t i = 0; i < s->rows.n; i++) {
		const struct tables_row *r = &s->rows.v[i];
		if (strcmp(r->target, row->target) != 0 || strcmp(r->target_schema, row->target_schema) != 0)
			continue;
		if (strcmp(r->source, r->target) == 0)
			return r;
		first = first ? first : r;
	}
	return first;
}

static int create_table(struct creation *c, const struct tables_row *row, struct err *err);

static int create_parent(struct creation *c, const struct cat_table *t, struct err *err)
{
	const struct tables_row *up = t->parent ? row_of_source(c->s, t->parent_schema, t->parent) : NULL;
	return up ? create_table(c, up, err) : 0;
}

int create_schema(struct creation *c, const char *schema, struct err *err)
{
	int64_t there = 0;
	int rc =
	    pgc_scalar(&c->s->target, "SELECT count(*) FROM pg_namespace WHERE nspname = $1", 1, &schema, &there, err);
	if (rc || there || names_has(&c->made, schema))
		return rc;
	ARENA_PUSH(c->s->a, &c->made, schema);
	return create_run(c, arena_printf(c->s->a, "CREATE SCHEMA %s", ident(c->s->a, schema)).ptr, err);
}

/* What a table is colocated with must be there before it. */
static int create_companion(struct creation *c, const struct tables_row *row, struct err *err)
{
	const char *with = c->s->job.rules.v[row->rule].colocate;
	for (size_t i = 0; with && i < c->s->rows.n; i++) {
		const struct tables_row *r = &c->s->rows.v[i];
		if (strcmp(r->target, with) == 0 && strcmp(r->target_schema, row->target_schema) == 0)
			return create_table(c, r, err);
	}
	return 0;
}

static int create_one(struct creation *c, const struct tables_row *row, const struct cat_table *t, struct err *err)
{
	struct session *s = c->s;
	const struct job_rule *rule = &s->job.rules.v[row->rule];
	int rc = citus_takes_children(s, row, t, err);
	if (rc == 0 && !c->dry_run)
		rc = pgc_exec(&s->target, "BEGIN", NULL, err);
	if (rc == 0)
		rc = create_schema(c, row->target_schema, err);
	if (rc == 0)
		rc = s->sqlite ? create_table_sqlite(c, row, t, err) : create_table_pg(c, row, t, err);
	const char *place = t->parent ? NULL : citus_place(s, rule, row->target_schema, row->target);
	if (rc == 0 && place)
		rc = create_run(c, place, err);
	if (rc == 0 && !c->dry_run)
		rc = pgc_exec(&s->target, "COMMIT", NULL, err);
	if (rc) {
		pgc_rollback(&s->target);
		err_prefix(err, "%s", row->target);
	}
	return rc;
}

static int create_table(struct creation *c, const struct tables_row *row, struct err *err)
{
	const struct tables_row *model = model_of(c->s, row);
	const struct cat_table *t = catalog_find(&c->s->from, model->source_schema, model->source);
	const char *name = qualified(c->s->a, row->target_schema, row->target);
	if (!t)
		return err_set(err, ERR_SOURCE, "source: there is no table %s any more", model->source);
	if (names_has(&c->made, name))
		return 0;
	ARENA_PUSH(c->s->a, &c->made, name);
	int rc = create_parent(c, t, err);
	if (rc == 0)
		rc = create_companion(c, row, err);
	if (rc || catalog_find(&c->s->to, row->target_schema, row->target))
		return rc;
	return create_one(c, model, t, err);
}

static int create_all(struct creation *c, struct err *err)
{
	struct session *s = c->s;
	int rc = s->sqlite ? 0 : create_types_pg(c, err);
	for (size_t i = 0; i < s->rows.n && rc == 0; i++)
		if (s->rows.v[i].part == 1)
			rc = create_table(c, &s->rows.v[i], err);
	return rc;
}

static void say_nothing(void *ctx, enum tables_says what, const char *line)
{
	(void)ctx;
	(void)what;
	(void)line;
}

/* What is refused is refused before anything is made. */
static int check_all(struct session *s, struct err *err)
{
	const struct tables_env *env = s->env;
	struct tables_env silent = *env;
	struct creation c = {.s = s, .dry_run = 1};
	silent.say = say_nothing;
	s->env = &silent;
	int rc = create_all(&c, err);
	s->env = env;
	return rc;
}

int tables_create(const struct tables_env *env, const struct tables_create_options *o, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct session s = {0};
	struct creation c = {.s = &s, .dry_run = o->dry_run};
	int rc = session_open(&s, env, SESSION_SOURCE | SESSION_TARGET, &a, err);
	if (rc == 0 && !s.sqlite)
		rc = pgc_exec(&s.source, "SET search_path = ''", NULL, err);
	if (rc == 0 && !s.sqlite)
		rc = create_check_extensions(&c, err);
	if (rc == 0)
		rc = check_all(&s, err);
	if (rc == 0)
		rc = create_all(&c, err);
	if (rc == 0)
		rc = left_behind(&s, err);
	session_close(&s);
	arena_release(&a);
	return rc;
}
