/*
 * tables clean: takes back what this job loaded. Rows are told by their keys, which are read from the source again; a
 * table without a key is emptied only when it holds exactly the source's rows. Everything in one target transaction.
 */
#include "config.h"

#include "tables/tables_internal.h"

static const char *keys_of(const struct spec *p, const char *before, struct arena *a)
{
	struct buf b = BUF_INIT(SQL_CAP);
	for (size_t i = 0; i < p->columns.n; i++)
		if (p->columns.v[i].to->key)
			buf_fmt(&b, "%s%s.%s", b.len ? ", " : "", before, ident(a, p->columns.v[i].to->name));
	const char *text = arena_str(a, buf_slice(&b));
	buf_release(&b);
	return text;
}

static int delete_by_key(struct session *s, struct worker *w, const struct spec *p, int64_t id, int64_t *deleted,
			 struct err *err)
{
	const char *stage = arena_printf(s->a, "settle_clean_%lld", (long long)id).ptr;
	struct copied copied;
	PGresult *res = NULL;
	int rc = worker_skip(w, &s->m, id, s->a, err);
	if (rc == 0)
		rc = make_stage(&w->target, p, SPEC_KEY, stage, s->a, err);
	if (rc == 0)
		rc = copy_rows(w, p, SPEC_KEY, arena_printf(s->a, "pg_temp.%s", stage).ptr, s->a, &copied, err);
	if (rc == 0)
		rc = pgc_exec(&w->target, arena_printf(s->a, "ANALYZE %s", stage).ptr, NULL, err);
	if (rc == 0) /* IN, as Citus joins no table of its own with a reference table that it is to change */
		rc =
		    pgc_exec(&w->target,
			     arena_printf(s->a, "DELETE FROM %s%s AS s WHERE (%s) IN (SELECT %s FROM %s AS k) AND (%s)",
					  p->to->kind == 'r' && p->to->has_children ? "ONLY " : "",
					  qualified(s->a, p->to->schema, p->to->name), keys_of(p, "s", s->a),
					  keys_of(p, "k", s->a), stage,
					  p->rule->target_where
					      ? job_bind(&s->job, p->rule->target_where, session_language(s, 1), s->a)
					      : "true")
				 .ptr,
			     &res, err);
	if (rc == 0)
		*deleted += pgc_rows(res);
	PQclear(res);
	return rc;
}

static int content_of_source(struct session *s, struct worker *w, const struct spec *p, struct content *out,
			     struct err *err)
{
	const char *columns = spec_columns(p, SPEC_COMPARED, s->a);
	struct copied copied;
	if (!s->sqlite)
		return content_of(&w->source, checksum_sql(columns, spec_select(s, p, SPEC_COMPARED, s->a), s->a), s->a,
				  out, err);
	const char *stage = arena_printf(s->a, "settle_clean_%lld", (long long)p->row->id).ptr;
	int rc = worker_skip(w, &s->m, p->row->id, s->a, err);
	if (rc == 0)
		rc = make_stage(&w->target, p, SPEC_COMPARED, stage, s->a, err);
	if (rc == 0)
		rc = copy_rows(w, p, SPEC_COMPARED, arena_printf(s->a, "pg_temp.%s", stage).ptr, s->a, &copied, err);
	return rc ? rc
		  : content_of(&w->target,
			       checksum_sql(columns, arena_printf(s->a, "SELECT * FROM %s", stage).ptr, s->a), s->a,
			       out, err);
}

/* Without a key rows cannot be told apart: all of them, or none. */
static int delete_all(struct session *s, struct worker *w, const struct spec *p, int64_t *deleted, struct err *err)
{
	struct content source, target;
	struct manifest_rows rows;
	const char *rows_sql = spec_target_rows(s, p, s->a), *columns = spec_columns(p, SPEC_COMPARED, s->a);
	rows_of_target(s, p->row, s->a, &rows);
	int rc = content_of_source(s, w, p, &source, err);
	if (rc == 0)
		rc = content_of(&w->target,
				checksum_sql(columns, arena_printf(s->a, "SELECT %s%s", columns, rows_sql).ptr, s->a),
				s->a, &target, err);
	if (rc == 0 && (rows.n > 1 || source.rows != target.rows || strcmp(source.sum, target.sum) != 0)) {
		err_set(
		    err, ERR_STATE,
		    "%s has no key, and does not hold exactly the rows of the source: its rows cannot be told apart",
		    p->to->name);
		return err_hint(err, "take them away by hand, then `settle tables clean` again");
	}
	if (rc == 0 && target.rows)
		rc = pgc_exec(&w->target, arena_printf(s->a, "DELETE%s", rows_sql).ptr, NULL, err);
	if (rc == 0)
		*deleted += target.rows;
	return rc;
}

static int forget_mark(struct session *s, struct worker *w, const struct tables_row *row, struct err *err)
{
	const char *const values[] = {s->m.job_id, arena_printf(s->a, "%lld", (long long)row->id).ptr};
	return pgc_query(&w->target, "DELETE FROM settle_part WHERE job = $1 AND id = $2", 2, values, NULL, err);
}

static int clean_row(struct session *s, struct worker *w, enum trigger_mode mode, const struct tables_row *row,
		     int64_t *deleted, struct err *err)
{
	struct spec p;
	struct resting resting;
	int64_t n = 0;
	int rc = spec_make(s, row, s->a, &p, err);
	if (rc == 0)
		rc = triggers_begin(&w->target, mode, p.to, s->a, &resting, err);
	if (rc == 0 && spec_has_key(&p))
		rc = delete_by_key(s, w, &p, row->id, &n, err);
	else if (rc == 0)
		rc = delete_all(s, w, &p, &n, err);
	if (rc == 0)
		rc = triggers_end(&w->target, &resting, s->a, err);
	if (rc == 0)
		rc = forget_mark(s, w, row, err);
	if (rc)
		return err_prefix(err, "%s", row->target);
	*deleted += n;
	say(s->env, TABLES_NOTE, "%s: %lld rows deleted", row->target, (long long)n);
	return 0;
}

/* With the keys' triggers at rest nobody else has looked: rows of others must not have pointed to what is gone. */
static int check_others(struct session *s, struct worker *w, const struct manifest_rows *rows, struct err *err)
{
	int rc = 0;
	for (size_t i = 0; i < rows->n && rc == 0; i++) {
		const struct cat_table *t = catalog_find(&s->to, rows->v[i].target_schema, rows->v[i].target);
		struct orphans_list list = {0};
		if (rows->v[i].part > 1 || !t)
			continue;
		rc = foreign_keys_check(&w->target, t, 1, s->a, &list, err);
		for (size_t k = 0; k < list.n && rc == 0; k++)
			if (list.v[k].n)
				rc = err_set(
				    err, ERR_STATE,
				    "%lld rows of %s point to rows of %s that this job loaded: nothing was deleted",
				    (long long)list.v[k].n, list.v[k].child, t->name);
	}
	return rc;
}

static int clean_rows(struct session *s, const struct manifest_rows *rows, int64_t *deleted, struct err *err)
{
	struct run run = {.s = s};
	struct worker w = {.s = s};
	enum trigger_mode mode = TRIGGERS_ALTER;
	int rc = triggers_mode(&s->target, &mode, err);
	if (rc == 0)
		rc = worker_open(&w, &run, err);
	if (rc == 0)
		rc = pgc_begin_many(&w.target, err);
	for (size_t i = rows->n; i > 0 && rc == 0; i--)
		rc = clean_row(s, &w, mode, &rows->v[i - 1], deleted, err);
	if (rc == 0)
		rc = check_others(s, &w, rows, err);
	if (rc == 0)
		rc = pgc_exec(&w.target, "COMMIT", NULL, err);
	worker_close(&w);
	for (size_t i = 0; i < rows->n && rc == 0; i++)
		rc = manifest_forget(&s->m, rows->v[i].id, err);
	if (rc)
		*deleted = 0;
	return rc;
}

static int ask(struct session *s, const struct manifest_rows *rows, int *refused, struct err *err)
{
	int64_t n = 0;
	for (size_t i = 0; i < rows->n; i++)
		n += rows->v[i].copied;
	const char *question =
	    arena_printf(s->a, "Delete the %lld rows that this job loaded? [yes / no] ", (long long)n).ptr;
	int yes = s->env->confirm(s->env->ctx, question, err);
	*refused = yes == 0;
	return yes < 0 ? (int)err->code : 0;
}

static int is_known(const struct session *s, const char *table)
{
	for (size_t i = 0; i < s->rows.n; i++)
		if (row_is_named(&s->rows.v[i], table))
			return 1;
	return 0;
}

int tables_clean(const struct tables_env *env, const char *table, int64_t *deleted, int *refused, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct session s = {0};
	struct manifest_rows rows = {0};
	*deleted = 0;
	*refused = 0;
	int rc = session_open(&s, env, SESSION_SOURCE | SESSION_TARGET, &a, err);
	if (rc == 0)
		rc = parts_prepare(&s.target, err);
	if (rc == 0)
		rc = parts_lock(&s, err);
	if (rc == 0)
		rc = parts_follow(&s, err);
	if (rc == 0 && table && !is_known(&s, table))
		rc = err_set(err, ERR_USAGE, "No table found with name \"%s\"", table);
	for (size_t i = 0; i < s.rows.n && rc == 0; i++)
		if (strcmp(s.rows.v[i].status, "done") == 0 && (!table || row_is_named(&s.rows.v[i], table)))
			ARENA_PUSH(&a, &rows, s.rows.v[i]);
	if (rc == 0 && rows.n == 0)
		say(env, TABLES_NOTE,
		    "Nothing that this manifest names was migrated, so there is nothing to take back.");
	if (rc == 0 && rows.n)
		rc = ask(&s, &rows, refused, err);
	if (rc == 0 && rows.n && !*refused)
		rc = clean_rows(&s, &rows, deleted, err);
	session_close(&s);
	arena_release(&a);
	return rc;
}
