/* How a table is read and where its columns go: the job's mapping over what the two catalogs say. */
#include "config.h"

#include "tables/tables_internal.h"

/* ---- expressions ---- */

static const char *setting(const struct session *s, const struct job_rule *rule, const struct job_column *c,
			   const char *kind, struct arena *a)
{
	const char *name = arena_printf(a, "%s_%td_%td", kind, rule - s->job.rules.v, c - rule->columns.v).ptr;
	return arena_printf(a, "%s::jsonb", job_setting(name, session_language(s, 0), a)).ptr;
}

static const char *cast(const char *sql, const struct cat_column *to, struct arena *a)
{
	return *to->base ? arena_printf(a, "(%s)::pg_catalog.%s", sql, ident(a, to->base)).ptr : sql;
}

static const char *else_sql(const struct session *s, const struct job_rule *rule, const struct job_column *c,
			    const char *sql, struct arena *a)
{
	switch (c->otherwise) {
	case ELSE_KEEP:
		return arena_printf(a, "(%s)::text", sql).ptr;
	case ELSE_VALUE:
		return arena_printf(a, "(%s #>> '{}')", setting(s, rule, c, "else", a)).ptr;
	case ELSE_REJECT: /* text that is no bigint ends the part, and is told */
		return arena_printf(
			   a, "CASE WHEN (%s) IS NULL THEN NULL ELSE ('no new value for: ' || (%s))::bigint::text END",
			   sql, sql)
		    .ptr;
	default:
		return "NULL";
	}
}

static const char *map_sql(const struct session *s, const struct job_rule *rule, const struct job_column *c,
			   const char *sql, struct arena *a)
{
	const char *map = setting(s, rule, c, "map", a);
	return arena_printf(a, "CASE WHEN jsonb_exists(%s, (%s)::text) THEN %s ->> (%s)::text ELSE %s END", map, sql,
			    map, sql, else_sql(s, rule, c, sql, a))
	    .ptr;
}

static int same_type(const struct cat_column *a, const struct cat_column *b)
{
	return *a->base ? strcmp(a->base, b->base) == 0 : strcmp(a->type, b->type) == 0;
}

/* A column of PostgreSQL: typed as the target's, since binary COPY converts nothing. */
static int pg_expression(const struct session *s, struct spec *p, struct spec_column *c, const struct cat_column *from,
			 struct arena *a)
{
	const struct job_column *r = c->rule;
	const char *sql = from ? arena_printf(a, "s.%s", ident(a, from->name)).ptr : "NULL";
	int typed = from && same_type(from, c->to);
	if (r && r->sql) {
		sql = arena_printf(a, "(%s)", job_bind(&s->job, r->sql, session_language(s, 0), a)).ptr;
		typed = 0;
	}
	if (r && r->value) {
		sql = arena_printf(a, "(%s #>> '{}')", setting(s, p->rule, r, "value", a)).ptr;
		typed = 0;
	}
	if (r && r->map) {
		sql = map_sql(s, p->rule, r, sql, a);
		typed = 0;
	}
	if (r && r->if_null) {
		const char *instead =
		    cast(arena_printf(a, "%s #>> '{}'", setting(s, p->rule, r, "if_null", a)).ptr, c->to, a);
		sql = arena_printf(a, "COALESCE(%s, %s)", typed ? sql : cast(sql, c->to, a), instead).ptr;
	}
	c->sql = typed ? sql : cast(sql, c->to, a);
	c->typed = typed;
	if (!typed && !*c->to->base)
		p->text = 1;
	if (c->to->text_only || (from && from->text_only && typed))
		p->text = 1;
	if (!typed || (r && r->if_null))
		p->plain = 0;
	return 0;
}

static int expression(const struct session *s, struct spec *p, struct spec_column *c, const struct cat_column *from,
		      struct arena *a, struct err *err)
{
	if (!s->sqlite && c->rule && c->rule->crypt)
		return err_set(err, ERR_USAGE, "job: column %s of %s: crypt works on SQLite sources", c->to->name,
			       p->to->name);
	if (!s->sqlite)
		return pg_expression(s, p, c, from, a);
	if (c->rule && c->rule->sql)
		c->sql = arena_printf(a, "(%s)", job_bind(&s->job, c->rule->sql, JOB_SQLITE, a)).ptr;
	else
		c->sql = from ? arena_printf(a, "s.%s", ident(a, from->name)).ptr : "NULL";
	return 0;
}

/* ---- making ---- */

static int add_column(const struct session *s, struct spec *p, const struct cat_column *to, struct arena *a,
		      struct err *err)
{
	struct spec_column c = {
	    .to = to, .rule = job_column_of(p->rule, to->name), .own = names_has(&p->rule->own, to->name)};
	const char *name = c.rule && c.rule->from ? c.rule->from : to->name;
	const struct cat_column *from = column_find(p->from, name);
	if (c.rule && c.rule->from && !from)
		return err_set(err, ERR_USAGE, "job: %s has no column %s", p->from->name, c.rule->from);
	if (c.rule && !c.rule->from && !c.rule->sql && !c.rule->value && !from)
		return err_set(err, ERR_USAGE,
			       "job: column %s of %s: the source has no column of that name; say from, sql or value",
			       to->name, p->to->name);
	if (!c.rule && (!from || names_has(&p->rule->drop, name)))
		return 0;
	int rc = expression(s, p, &c, from, a, err);
	if (rc == 0)
		ARENA_PUSH(a, &p->columns, c);
	return rc;
}

static int is_used(const struct spec *p, const char *name)
{
	for (size_t i = 0; i < p->rule->columns.n; i++) {
		const struct job_column *c = &p->rule->columns.v[i];
		if ((c->from && strcmp(c->from, name) == 0) || (c->sql && strstr(c->sql, name)))
			return 1;
	}
	return 0;
}

/* No column is left behind without being told so. */
static int check_all_used(const struct spec *p, struct err *err)
{
	for (size_t i = 0; i < p->from->columns.n; i++) {
		const char *name = p->from->columns.v[i].name;
		if (column_find(p->to, name) || names_has(&p->rule->drop, name) || is_used(p, name))
			continue;
		err_set(err, ERR_USAGE, "column %s of %s has no place in the target", name, p->from->name);
		return err_hint(err, "in the job, name it under \"columns\" or \"drop\"");
	}
	for (size_t i = 0; i < p->rule->columns.n; i++)
		if (!column_find(p->to, p->rule->columns.v[i].name))
			return err_set(err, ERR_USAGE, "job: %s of the target has no column %s", p->to->name,
				       p->rule->columns.v[i].name);
	return 0;
}

int spec_make(const struct session *s, const struct tables_row *row, struct arena *a, struct spec *p, struct err *err)
{
	int rc = 0;
	*p = (struct spec){.row = row, .rule = &s->job.rules.v[row->rule], .text = s->sqlite, .plain = !s->sqlite};
	p->from = catalog_find(&s->from, row->source_schema, row->source);
	p->to = catalog_find(&s->to, row->target_schema, row->target);
	if (!p->from)
		return err_set(err, ERR_SOURCE, "source: there is no table %s any more", row->source);
	if (!p->to) {
		err_set(err, ERR_TARGET, "target: there is no table %s.%s", row->target_schema, row->target);
		return err_hint(err, "`settle tables create` makes it");
	}
	for (size_t i = 0; i < p->to->columns.n && rc == 0; i++)
		if (!p->to->columns.v[i].generated)
			rc = add_column(s, p, &p->to->columns.v[i], a, err);
	if (rc == 0)
		rc = check_all_used(p, err);
	if (rc == 0 && p->columns.n == 0)
		rc = err_set(err, ERR_USAGE, "%s has no column that goes anywhere", row->source);
	if (p->rule->where || row->key || p->from->kind != 'r' || s->since)
		p->plain = 0;
	return rc;
}

struct tables_row spec_whole(const struct tables_row *row)
{
	struct tables_row whole = *row;
	whole.key = whole.low = whole.high = NULL;
	whole.part = whole.parts = 1;
	return whole;
}

/* ---- statements ---- */

int spec_takes(const struct spec_column *c, enum spec_only only)
{
	return only == SPEC_ALL || (only == SPEC_KEY ? c->to->key > 0 : !c->own);
}

int spec_has_key(const struct spec *p)
{
	int in_table = 0, here = 0;
	for (size_t i = 0; i < p->to->columns.n; i++)
		in_table += p->to->columns.v[i].key > 0;
	for (size_t i = 0; i < p->columns.n; i++)
		here += p->columns.v[i].to->key > 0 && !p->columns.v[i].own;
	return in_table > 0 && in_table == here;
}

const char *spec_columns(const struct spec *p, enum spec_only only, struct arena *a)
{
	struct buf b = BUF_INIT(SQL_CAP);
	for (size_t i = 0; i < p->columns.n; i++)
		if (spec_takes(&p->columns.v[i], only))
			buf_fmt(&b, "%s%s", b.len ? ", " : "", ident(a, p->columns.v[i].to->name));
	const char *text = arena_str(a, buf_slice(&b));
	buf_release(&b);
	return text;
}

static void add_bound(const struct session *s, const struct spec *p, const char *op, const char *value,
		      const char *name, struct buf *b, struct arena *a)
{
	const struct cat_column *key = column_find(p->from, p->row->key);
	const char *sql = ident(a, p->row->key);
	if (s->sqlite) /* a rowid: digits, as the planner wrote them */
		buf_fmt(b, " AND s.%s %s %s", p->row->key, op, value);
	else if (key && strspn(value, "-0123456789") == strlen(value) && strncmp(key->base, "int", 3) == 0)
		buf_fmt(b, " AND s.%s %s %s", sql, op, value);
	else
		buf_fmt(b, " AND s.%s %s %s::%s", sql, op, job_setting(name, session_language(s, 0), a),
			key ? key->type : "text");
}

static void add_where(const struct session *s, const struct spec *p, struct buf *b, struct arena *a)
{
	buf_str(b, " WHERE ");
	if (p->rule->where)
		buf_fmt(b, "(%s)", job_bind(&s->job, p->rule->where, session_language(s, 0), a));
	else
		buf_str(b, s->sqlite ? "1" : "true");
	if (p->row->low)
		add_bound(s, p, ">=", p->row->low, "low", b, a);
	if (p->row->high)
		add_bound(s, p, "<", p->row->high, "high", b, a);
}

/*
 * What was cast is compared as the target's column holds it, with its length and scale. Types of the user have a dot in
 * their name, and the source need not have them.
 */
static const char *selected(const struct session *s, const struct spec_column *c, enum spec_only only, struct arena *a)
{
	if (s->sqlite || only != SPEC_COMPARED || c->typed || !*c->to->base || strchr(c->to->type, '.'))
		return c->sql;
	return arena_printf(a, "(%s)::%s", c->sql, c->to->type).ptr;
}

/*
 * `since` stands outside of the rest, so that an expression that looks at other rows (a row number) sees all of them.
 */
const char *spec_select(const struct session *s, const struct spec *p, enum spec_only only, struct arena *a)
{
	struct buf b = BUF_INIT(SQL_CAP);
	int since = s->since && p->rule->since;
	const char *rowid = p->from->rowid;
	buf_str(&b, "SELECT ");
	if (s->sqlite)
		buf_fmt(&b, "%s%s", rowid ? "s." : "row_number() OVER ()", rowid ? rowid : "");
	else if (since)
		buf_fmt(&b, "%s FROM (SELECT ", spec_columns(p, only, a));
	for (size_t i = 0, n = 0; i < p->columns.n; i++)
		if (spec_takes(&p->columns.v[i], only))
			buf_fmt(&b, "%s%s AS %s", n++ || s->sqlite ? ", " : "", selected(s, &p->columns.v[i], only, a),
				ident(a, p->columns.v[i].to->name));
	if (since && !s->sqlite)
		buf_fmt(&b, ", (%s) AS settle_since", job_bind(&s->job, p->rule->since, session_language(s, 0), a));
	buf_fmt(&b, " FROM %s%s AS s", !s->sqlite && p->from->has_children ? "ONLY " : "",
		qualified(a, p->from->schema, p->from->name));
	add_where(s, p, &b, a);
	if (since && s->sqlite)
		buf_fmt(&b, " AND (%s)", job_bind(&s->job, p->rule->since, JOB_SQLITE, a));
	else if (since)
		buf_str(&b, ") AS q WHERE settle_since");
	if (s->sqlite && rowid)
		buf_fmt(&b, " ORDER BY s.%s", rowid);
	const char *text = arena_str(a, buf_slice(&b));
	buf_release(&b);
	return text;
}

/* A table's own rows, not those of its children, which have rows of the manifest to themselves. */
static const char *only(const struct spec *p)
{
	int own = p->to->kind == 'r' || (p->from->kind == 'p' && p->rule->children == CHILDREN_KEEP);
	return own && p->to->has_children ? "ONLY " : "";
}

const char *spec_target(const struct spec *p, struct arena *a)
{
	return arena_printf(a, "%s%s", only(p), qualified(a, p->to->schema, p->to->name)).ptr;
}

const char *spec_target_rows(const struct session *s, const struct spec *p, struct arena *a)
{
	return arena_printf(a, " FROM %s AS s WHERE %s", spec_target(p, a),
			    p->rule->target_where ? job_bind(&s->job, p->rule->target_where, session_language(s, 1), a)
						  : "true")
	    .ptr;
}
