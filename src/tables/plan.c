/* From the catalogs and the job's rules to the rows of the manifest. */
#include "config.h"

#include "tables/tables_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define MOST_PARTS 1024
#define JOB_CAP ((size_t)16 << 20)

struct plan {
	struct session *s;
	struct tables_planned *out;
	struct names unlisted;
};

static int read_job_file(const char *path, struct arena *a, struct slice *out, struct err *err)
{
	struct buf b = BUF_INIT(JOB_CAP);
	char block[8192];
	FILE *f = fopen(path, "re");
	int rc = 0;
	if (!f)
		return err_sys(err, ERR_USAGE, errno, "cannot open job %s", path);
	for (size_t n; (n = fread(block, 1, sizeof(block), f)) > 0;)
		buf_add(&b, block, n);
	if (ferror(f))
		rc = err_sys(err, ERR_USAGE, errno, "cannot read job %s", path);
	fclose(f);
	if (rc == 0)
		rc = buf_check(&b, "job", err);
	if (rc == 0)
		*out = arena_slice(a, buf_slice(&b));
	buf_release(&b);
	return rc;
}

/* ---- parts ---- */

struct bounds {
	const char **v;
	size_t n, cap;
};

static void even_bounds(int64_t low, int64_t high, int64_t parts, struct arena *a, struct bounds *out)
{
	uint64_t span = (uint64_t)high - (uint64_t)low, n = (uint64_t)parts;
	int64_t last = low;
	for (uint64_t i = 1; i < n; i++) {
		int64_t at = (int64_t)((uint64_t)low + span / n * i + span % n * i / n);
		if (at == last)
			continue;
		ARENA_PUSH(a, out, arena_printf(a, "%lld", (long long)at).ptr);
		last = at;
	}
}

/* The statistics' histogram holds values that cut the table into pieces of equal numbers of rows, whatever the type. */
static int histogram_bounds(struct pgc *c, const struct cat_table *t, const char *key, int64_t parts, struct arena *a,
			    struct bounds *out, struct err *err)
{
	const char *const values[] = {t->schema, t->name, key};
	PGresult *res = NULL;
	int rc = pgc_query(
	    c,
	    "SELECT unnest(histogram_bounds::text::text[]) FROM pg_stats WHERE schemaname = $1 AND tablename = $2 "
	    "AND attname = $3 AND NOT inherited",
	    3, values, &res, err);
	int64_t n = rc == 0 ? PQntuples(res) : 0;
	for (int64_t i = 1; i < parts && n > 2; i++) {
		int64_t at = i * (n - 1) / parts;
		const char *bound = pgc_text(res, (int)at, 0, a);
		if (at > 0 && at < n - 1 && (out->n == 0 || strcmp(out->v[out->n - 1], bound) != 0))
			ARENA_PUSH(a, out, bound);
	}
	PQclear(res);
	return rc;
}

static int is_integer(const struct cat_column *c)
{
	return strcmp(c->base, "int2") == 0 || strcmp(c->base, "int4") == 0 || strcmp(c->base, "int8") == 0;
}

static int pg_bounds(struct session *s, const struct cat_table *t, const struct cat_column *key, int64_t parts,
		     struct bounds *out, struct err *err)
{
	PGresult *res = NULL;
	int rc = histogram_bounds(&s->source, t, key->name, parts, s->a, out, err);
	if (rc || out->n || !is_integer(key))
		return rc;
	const char *column = ident(s->a, key->name);
	rc = pgc_exec(&s->source,
		      arena_printf(s->a, "SELECT min(%s), max(%s) FROM ONLY %s", column, column,
				   qualified(s->a, t->schema, t->name))
			  .ptr,
		      &res, err);
	if (rc == 0 && !PQgetisnull(res, 0, 0))
		even_bounds(pgc_int(res, 0, 0), pgc_int(res, 0, 1), parts, s->a, out);
	PQclear(res);
	return rc;
}

static int lite_bounds(struct session *s, const struct cat_table *t, int64_t parts, struct bounds *out, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int row = 0;
	const char *sql =
	    arena_printf(s->a, "SELECT min(%s), max(%s) FROM %s", t->rowid, t->rowid, ident(s->a, t->name)).ptr;
	int rc = lite_stmt(s->lite, sql, &stmt, err);
	if (rc == 0)
		rc = lite_step(stmt, &row, err);
	if (rc == 0 && row && !lite_is_null(stmt, 0))
		even_bounds(lite_int(stmt, 0), lite_int(stmt, 1), parts, s->a, out);
	lite_done(stmt);
	return rc;
}

static const struct cat_column *first_of_key(const struct cat_table *t)
{
	for (size_t i = 0; i < t->columns.n; i++)
		if (t->columns.v[i].key == 1)
			return &t->columns.v[i];
	return NULL;
}

/* *key = NULL: not to be split. A row's expressions may look at other rows (row numbers), so a mapped table stays
 * whole. */
static int bounds_of(struct session *s, const struct cat_table *t, const struct job_rule *rule, const char **key,
		     struct bounds *out, struct err *err)
{
	const struct cat_column *first = first_of_key(t);
	int64_t parts = t->bytes / s->job.part_bytes + 1;
	*key = NULL;
	if (parts < 2 || rule->no_split || s->job.one_transaction || (rule->columns.n && !s->sqlite))
		return 0;
	parts = parts > MOST_PARTS ? MOST_PARTS : parts;
	if (s->sqlite) {
		*key = t->rowid;
		return t->rowid ? lite_bounds(s, t, parts, out, err) : 0;
	}
	*key = first ? first->name : NULL;
	return first ? pg_bounds(s, t, first, parts, out, err) : 0;
}

/* ---- rows ---- */

static int add_rows(struct plan *p, const struct cat_table *t, int rule, const char *schema, const char *target,
		    int is_root, struct err *err)
{
	struct session *s = p->s;
	struct bounds b = {0};
	struct tables_row r = {
	    .source_schema = t->schema, .source = t->name, .target_schema = schema, .target = target, .rule = rule};
	int rc = bounds_of(s, t, &s->job.rules.v[rule], &r.key, &b, err);
	r.parts = (int64_t)b.n + 1;
	r.date = is_root ? NULL : t->date;
	for (r.part = 1; r.part <= r.parts && rc == 0; r.part++) {
		r.key = b.n ? r.key : NULL;
		r.low = r.part > 1 ? b.v[r.part - 2] : NULL;
		r.high = r.part < r.parts ? b.v[r.part - 1] : NULL;
		r.rows = t->rows < 0 ? -1 : t->rows / r.parts;
		r.bytes = t->bytes / r.parts;
		rc = manifest_add(&s->m, &r, err);
		p->out->parts++;
	}
	p->out->tables++;
	return rc;
}

static const struct cat_table *root_of(const struct session *s, const struct cat_table *t)
{
	const struct cat_table *up;
	while (t->parent && (up = catalog_find(&s->from, t->parent_schema, t->parent)) != NULL)
		t = up;
	return t;
}

/* A child follows its parent's rule, unless only it has one. */
static int add_table(struct plan *p, const struct cat_table *t, struct err *err)
{
	struct session *s = p->s;
	const struct cat_table *root = root_of(s, t);
	int at = job_rule_of(&s->job, root->schema, root->name);
	if (at < 0) {
		at = job_rule_of(&s->job, t->schema, t->name);
		root = t;
	}
	if (at < 0) {
		const char *parent = t->parent ? arena_printf(s->a, " (parent: %s)", t->parent).ptr : "";
		ARENA_PUSH(s->a, &p->unlisted, arena_printf(s->a, "%s%s", t->name, parent).ptr);
		return 0;
	}
	const struct job_rule *rule = &s->job.rules.v[at];
	const char *schema = rule->target_schema ? rule->target_schema : s->job.target_schema;
	const char *target = rule->children == CHILDREN_INTO_PARENT ? root->name : t->name;
	if (rule->skip)
		return 0;
	if (rule->target && (t == root || rule->children == CHILDREN_INTO_PARENT))
		target = rule->target;
	if (!schema)
		schema = s->sqlite ? "public" : root->schema;
	/* A parent's date is its children's affair. */
	return add_rows(p, t, at, schema, target, t == root && t->has_children, err);
}

static void say_unlisted(const struct plan *p)
{
	if (p->unlisted.n)
		say(p->s->env, TABLES_NOTE, "Some tables not seen:");
	for (size_t i = 0; i < p->unlisted.n; i++)
		say(p->s->env, TABLES_NOTE, "\t%s", p->unlisted.v[i]);
	p->out->unlisted = (int64_t)p->unlisted.n;
}

/* A name that nothing bears is a slip, or a table that is not there yet. */
static void say_idle_rules(const struct plan *p)
{
	const struct session *s = p->s;
	for (size_t r = 0; r < s->job.rules.n; r++) {
		const struct job_rule *rule = &s->job.rules.v[r];
		size_t i = 0;
		while (i < s->from.n && job_rule_of(&s->job, s->from.v[i].schema, s->from.v[i].name) != (int)r)
			i++;
		if (i == s->from.n)
			say(s->env, TABLES_NOTE, "Rule %zu (%s): no table of the source goes by it.", r + 1,
			    rule->table ? rule->table : rule->match);
	}
}

/* Better now than in the middle of the night. */
static int say_closed(struct session *s, struct err *err)
{
	PGresult *res = NULL;
	int rc =
	    s->sqlite
		? 0
		: pgc_exec(&s->source,
			   "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = "
			   "c.relnamespace WHERE c.relkind IN ('r', 'p') AND NOT (has_schema_privilege(n.oid, 'USAGE') "
			   "AND has_any_column_privilege(c.oid, 'SELECT')) ORDER BY 1, 2",
			   &res, err);
	for (int i = 0; rc == 0 && res && i < PQntuples(res); i++)
		if (row_of_source(s, PQgetvalue(res, i, 0), PQgetvalue(res, i, 1)))
			say(s->env, TABLES_NOTE, "The role may not read: %s.%s", PQgetvalue(res, i, 0),
			    PQgetvalue(res, i, 1));
	PQclear(res);
	return rc;
}

static int say_nothing_there(const struct plan *p, struct err *err)
{
	const struct session *s = p->s;
	if (s->from.n)
		return err_set(err, ERR_USAGE, "no table of the source is named by a rule of the job");
	if (s->sqlite)
		return err_set(err, ERR_SOURCE, "source: there are no tables in it");
	err_set(err, ERR_SOURCE, "source: there are no tables in the schemas %s", names_json(&s->job.schemas, s->a));
	return err_hint(err, "a job names its schemas: {\"schemas\": [\"NAME\"], ...}");
}

static int remember(struct session *s, struct slice job, struct err *err)
{
	const struct url *ends[] = {s->env->source, s->env->target};
	static const char *const names[] = {"source", "target"};
	int rc = job.ptr ? manifest_set(&s->m, "job", job, err) : 0;
	for (int i = 0; i < 2 && rc == 0; i++) {
		const char *text = !ends[i] || ends[i]->has_password ? "" : ends[i]->text;
		rc = manifest_set(&s->m, names[i], slice_of(text), err);
	}
	for (size_t i = 0; i < s->job.params.n && rc == 0; i++)
		rc = manifest_set(&s->m, arena_printf(s->a, "param.%s", s->job.params.v[i].name).ptr,
				  slice_of(s->job.params.v[i].value), err);
	return rc;
}

static int open_source(struct session *s, struct err *err)
{
	s->source_url = *s->env->source;
	s->sqlite = s->source_url.scheme == URL_SQLITE;
	if (s->sqlite) {
		int rc = session_lite(s, &s->lite, err);
		return rc ? rc : catalog_sqlite(s->lite, s->a, &s->from, err);
	}
	int rc = session_connect(s, &s->source, 0, err);
	return rc ? rc : catalog_pg(&s->source, &s->job.schemas, s->a, &s->from, err);
}

static int fill(struct plan *p, struct slice job, struct err *err)
{
	struct session *s = p->s;
	int rc = lite_begin(s->m.db, err);
	if (rc == 0)
		rc = remember(s, job, err);
	for (size_t i = 0; i < s->from.n && rc == 0; i++)
		rc = add_table(p, &s->from.v[i], err);
	if (rc == 0 && p->out->parts == 0)
		rc = say_nothing_there(p, err);
	if (rc == 0)
		rc = lite_commit(s->m.db, err);
	if (rc)
		lite_rollback(s->m.db);
	return rc;
}

int tables_plan(const struct tables_env *env, const char *job, struct tables_planned *out, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct session s = {.env = env, .a = &a};
	struct plan p = {.s = &s, .out = out};
	struct slice text = SLICE_NONE;
	*out = (struct tables_planned){0};
	int rc = job ? read_job_file(job, &a, &text, err) : 0;
	if (rc == 0)
		rc = job_read(text, &a, &s.job, err);
	if (rc == 0)
		rc = job_parameters(&s.job, &a, err);
	if (rc == 0 && env->target && env->target->scheme != URL_POSTGRES)
		rc = err_set(err, ERR_USAGE, "the target of tables is PostgreSQL");
	if (rc == 0)
		rc = open_source(&s, err);
	if (rc == 0)
		rc = manifest_make(&s.m, env->manifest, &a, err);
	if (rc == 0)
		rc = fill(&p, text, err);
	if (rc == 0)
		say_unlisted(&p);
	if (rc == 0)
		say_idle_rules(&p);
	if (rc == 0)
		rc = session_rows(&s, err);
	if (rc == 0)
		rc = say_closed(&s, err);
	if (rc == 0)
		rc = left_behind(&s, err);
	session_close(&s);
	arena_release(&a);
	return rc;
}
