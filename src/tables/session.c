/* A manifest with its job and both ends, opened as a command needs them. */
#include "config.h"

#include "tables/tables_internal.h"

#include <stdarg.h>

void say(const struct tables_env *env, enum tables_says what, const char *fmt, ...)
{
	struct buf b = BUF_INIT(SQL_CAP);
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	char *room = n >= 0 ? buf_room(&b, (size_t)n + 1) : NULL;
	va_start(args, fmt);
	if (room && vsnprintf(room, (size_t)n + 1, fmt, args) >= 0)
		env->say(env->ctx, what, room);
	va_end(args);
	buf_release(&b);
}

int first_failure(const struct session *s, int rc, struct err *err, int other_rc, const struct err *other)
{
	if (rc && other_rc)
		log_err(s->env->log, LOG_ERROR, other);
	if (rc || !other_rc)
		return rc;
	*err = *other;
	return other_rc;
}

int tables_endpoint(const char *text, const char *which, struct arena *a, struct url *out, struct err *err)
{
	struct err why = ERR_INIT;
	if (url_parse_target(text, a, out, &why) == 0)
		return 0;
	err_set(err, ERR_USAGE, "the %s is neither a postgres:// URL, nor a libpq keyword string, nor sqlite:PATH",
		which);
	return err_hint(err, "for example postgres://USER@HOST/DATABASE, 'host=HOST dbname=DATABASE', or sqlite:PATH");
}

/* What was given wins over what the manifest remembers, which holds no password. */
static int endpoint(const struct url *given, const char *remembered, const char *which, struct arena *a,
		    struct url *out, struct err *err)
{
	if (given) {
		*out = *given;
		return 0;
	}
	if (remembered && *remembered)
		return tables_endpoint(remembered, which, a, out, err);
	err_set(err, ERR_USAGE, "no %s", which);
	return err_hint(err, "give --%s URL", which);
}

enum job_language session_language(const struct session *s, int target)
{
	if (s->sqlite && !target)
		return JOB_SQLITE;
	return (target ? s->target : s->source).citus ? JOB_CITUS : JOB_SERVER;
}

int session_set(struct pgc *c, const char *name, const char *value, struct err *err)
{
	const char *const values[] = {name, value};
	return pgc_query(c, "SELECT set_config('settle.' || $1, $2, false)", 2, values, NULL, err);
}

/* The maps of all rules, as jsonb that an expression looks into: settle.map_RULE_COLUMN. */
static int set_maps(const struct session *s, struct pgc *c, struct arena *a, struct err *err)
{
	for (size_t i = 0; i < s->job.rules.n; i++) {
		const struct job_columns *list = &s->job.rules.v[i].columns;
		for (size_t k = 0; k < list->n; k++) {
			const struct job_column *col = &list->v[k];
			const struct json *const values[] = {col->map, col->value, col->if_null, col->else_value};
			static const char *const kinds[] = {"map", "value", "if_null", "else"};
			for (int v = 0; v < 4; v++) {
				if (!values[v])
					continue;
				const char *name = arena_printf(a, "%s_%zu_%zu", kinds[v], i, k).ptr;
				struct slice text = json_to_text(values[v], JSON_PLAIN, a);
				int rc = session_set(c, name, arena_str(a, text), err);
				if (rc)
					return rc;
			}
		}
	}
	return 0;
}

int session_connect(const struct session *s, struct pgc *c, int target, struct err *err)
{
	struct arena a = ARENA_INIT;
	int rc =
	    pgc_open(c, target ? &s->target_url : &s->source_url, target ? ERR_TARGET : ERR_SOURCE, s->env->log, err);
	for (size_t i = 0; i < s->job.params.n && rc == 0; i++)
		rc = session_set(c, s->job.params.v[i].name, s->job.params.v[i].value, err);
	if (rc == 0)
		rc = set_maps(s, c, &a, err);
	arena_release(&a);
	return rc;
}

int session_lite(const struct session *s, struct lite **out, struct err *err)
{
	struct lite_options o = {
	    .path = s->source_url.path, .flags = LITE_READ_ONLY, .code = ERR_SOURCE, .what = "source"};
	return lite_open(out, &o, err);
}

static int read_job(struct session *s, struct err *err)
{
	int rc = job_read(s->m.job_text ? slice_of(s->m.job_text) : SLICE_NONE, s->a, &s->job, err);
	for (size_t i = 0; i < s->job.params.n && rc == 0; i++) {
		struct job_param *p = &s->job.params.v[i];
		rc = manifest_get(&s->m, arena_printf(s->a, "param.%s", p->name).ptr, s->a, &p->value, err);
		if (rc == 0 && !p->value)
			rc = err_set(err, ERR_STATE, "manifest: the parameter %s has no value", p->name);
	}
	if (rc == 0)
		ARENA_PUSH(s->a, &s->job.params,
			   ((struct job_param){.name = "since", .value = s->since ? s->since : ""}));
	return rc;
}

/* The manifest is a file of its user, who may have edited it. */
int session_rows(struct session *s, struct err *err)
{
	int rc = manifest_rows(&s->m, s->a, &s->rows, err);
	for (size_t i = 0; i < s->rows.n && rc == 0; i++) {
		const struct tables_row *r = &s->rows.v[i];
		if (r->rule < 0 || (uint64_t)r->rule >= s->job.rules.n)
			rc = err_set(err, ERR_STATE, "manifest %s: row %lld names rule %lld, and the job has %zu",
				     s->env->manifest, (long long)r->id, (long long)r->rule + 1, s->job.rules.n);
	}
	return rc;
}

static int open_source(struct session *s, struct err *err)
{
	int rc = endpoint(s->env->source, s->m.source_url, "source", s->a, &s->source_url, err);
	if (rc)
		return rc;
	s->sqlite = s->source_url.scheme == URL_SQLITE;
	if (s->sqlite) {
		rc = session_lite(s, &s->lite, err);
		return rc ? rc : catalog_sqlite(s->lite, s->a, &s->from, err);
	}
	rc = session_connect(s, &s->source, 0, err);
	if (rc == 0)
		rc = pgc_exec(&s->source, "SET default_transaction_read_only = on", NULL, err);
	return rc ? rc : catalog_pg(&s->source, &s->job.schemas, s->a, &s->from, err);
}

static void add_name(struct session *s, struct names *list, const char *name)
{
	if (!names_has(list, name))
		ARENA_PUSH(s->a, list, name);
}

int session_target_catalog(struct session *s, struct err *err)
{
	struct names schemas = {0};
	for (size_t i = 0; i < s->rows.n; i++)
		add_name(s, &schemas, s->rows.v[i].target_schema);
	return catalog_pg(&s->target, &schemas, s->a, &s->to, err);
}

static int open_target(struct session *s, struct err *err)
{
	int rc = endpoint(s->env->target, s->m.target_url, "target", s->a, &s->target_url, err);
	if (rc == 0 && s->target_url.scheme != URL_POSTGRES)
		rc = err_set(err, ERR_USAGE, "the target of tables is PostgreSQL");
	if (rc == 0)
		rc = session_connect(s, &s->target, 1, err);
	s->has_target = 1;
	return rc ? rc : session_target_catalog(s, err);
}

int session_open(struct session *s, const struct tables_env *env, unsigned needs, struct arena *a, struct err *err)
{
	const char *since = s->since;
	*s = (struct session){.env = env, .a = a, .since = since};
	int rc = manifest_open(&s->m, env->manifest, needs & SESSION_READ_ONLY ? LITE_READ_ONLY : 0, a, err);
	if (rc == 0)
		rc = read_job(s, err);
	if (rc == 0)
		rc = session_rows(s, err);
	if (rc == 0 && needs & SESSION_SOURCE)
		rc = open_source(s, err);
	if (rc == 0 && needs & SESSION_TARGET)
		rc = open_target(s, err);
	return rc;
}

void session_close(struct session *s)
{
	manifest_close(&s->m);
	pgc_close(&s->source);
	pgc_close(&s->target);
	lite_close(s->lite);
}
