/*
 * A top up: rows that the job's `since` conditions find come over once more, after the migration, as upserts that write
 * real differences only, all in one target transaction. Rows deleted in the source are not noticed.
 */
#include "config.h"

#include "tables/tables_internal.h"

static void add_list(const struct spec *p, const char *before, int with_key, struct buf *b, struct arena *a)
{
	size_t n = 0;
	for (size_t i = 0; i < p->columns.n; i++) {
		const struct spec_column *c = &p->columns.v[i];
		if (c->own || (c->to->key && !with_key))
			continue;
		buf_fmt(b, "%s%s.%s", n++ ? ", " : "", before, ident(a, c->to->name));
	}
}

static const char *upsert_sql(const struct spec *p, const char *stage, int differing_only, struct arena *a)
{
	struct buf b = BUF_INIT(SQL_CAP);
	const char *all = spec_columns(p, SPEC_ALL, a);
	size_t n = 0;
	buf_fmt(&b, "INSERT INTO %s AS t (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM %s ON CONFLICT (%s) DO ",
		qualified(a, p->to->schema, p->to->name), all, all, stage, spec_columns(p, SPEC_KEY, a));
	for (size_t i = 0; i < p->columns.n; i++) {
		const struct spec_column *c = &p->columns.v[i];
		const char *name = ident(a, c->to->name);
		if (!c->own && !c->to->key)
			buf_fmt(&b, "%s%s = EXCLUDED.%s", n++ ? ", " : "UPDATE SET ", name, name);
	}
	if (n == 0) {
		buf_str(&b, "NOTHING");
	} else if (differing_only) { /* json has no equality, text has */
		buf_str(&b, " WHERE ROW(");
		add_list(p, "t", 0, &b, a);
		buf_str(&b, ")::text IS DISTINCT FROM ROW(");
		add_list(p, "EXCLUDED", 0, &b, a);
		buf_str(&b, ")::text");
	}
	const char *text = arena_str(a, buf_slice(&b));
	buf_release(&b);
	return text;
}

/*
 * On Citus an upsert has no condition that looks at rows as text: what is the same already goes out of the stage
 * before.
 */
static int drop_unchanged(struct worker *w, const struct spec *p, const char *stage, struct arena *a, struct err *err)
{
	struct buf on = BUF_INIT(SQL_CAP), old = BUF_INIT(SQL_CAP), new = BUF_INIT(SQL_CAP);
	const char *keys = spec_columns(p, SPEC_KEY, a);
	add_list(p, "t", 1, &old, a);
	add_list(p, "k", 1, &new, a);
	for (size_t i = 0; i < p->columns.n; i++) {
		const char *name = ident(a, p->columns.v[i].to->name);
		if (p->columns.v[i].to->key)
			buf_fmt(&on, "%st.%s = k.%s", on.len ? " AND " : "", name, name);
	}
	const char *sql =
	    arena_printf(a,
			 "CREATE TEMP TABLE %s_same ON COMMIT DROP AS SELECT k.* FROM %s AS k JOIN %s AS t ON %s "
			 "WHERE ROW(%s)::text IS NOT DISTINCT FROM ROW(%s)::text",
			 stage + 8, stage, qualified(a, p->to->schema, p->to->name), on.ptr, old.ptr, new.ptr)
		.ptr;
	buf_release(&on);
	buf_release(&old);
	buf_release(&new);
	int rc = pgc_exec(&w->target, sql, NULL, err);
	return rc ? rc
		  : pgc_exec(&w->target,
			     arena_printf(a, "DELETE FROM %s WHERE (%s) IN (SELECT %s FROM %s_same)", stage, keys, keys,
					  stage)
				 .ptr,
			     NULL, err);
}

static int top_up_table(struct run *r, struct worker *w, const struct tables_row *row, struct err *err)
{
	struct session *s = r->s;
	struct tables_row whole = spec_whole(row);
	struct spec p;
	struct copied copied;
	struct resting resting;
	PGresult *res = NULL;
	const char *stage = arena_printf(s->a, "pg_temp.settle_top_up_%lld", (long long)row->id).ptr;
	int rc = spec_make(s, &whole, s->a, &p, err);
	if (rc == 0 && !spec_has_key(&p))
		rc = err_set(err, ERR_USAGE, "%s has no key to top it up by", row->target);
	if (rc == 0)
		rc = triggers_begin(&w->target, r->triggers, p.to, s->a, &resting, err);
	if (rc == 0)
		rc = pgc_exec(
		    &w->target,
		    arena_printf(s->a, "CREATE TEMP TABLE %s ON COMMIT DROP AS SELECT %s FROM %s WITH NO DATA",
				 stage + 8, spec_columns(&p, SPEC_ALL, s->a), qualified(s->a, p.to->schema, p.to->name))
			.ptr,
		    NULL, err);
	if (rc == 0)
		rc = copy_rows(w, &p, SPEC_ALL, stage, s->a, &copied, err);
	if (rc == 0)
		rc = w->target.citus ? drop_unchanged(w, &p, stage, s->a, err) : 0;
	if (rc == 0)
		rc = pgc_exec(&w->target, upsert_sql(&p, stage, !w->target.citus, s->a), &res, err);
	if (rc == 0)
		rc = triggers_end(&w->target, &resting, s->a, err);
	if (rc == 0)
		rc = sequences_set(&w->target, p.to, s->a, err);
	if (rc == 0) {
		int64_t n = pgc_rows(res);
		r->sum->rows += n;
		r->sum->parts++;
		say(s->env, TABLES_NOTE, "%s: %lld rows since %s, %lld of them new or changed", row->source,
		    (long long)copied.rows, s->since, (long long)n);
	}
	PQclear(res);
	return rc ? err_prefix(err, "%s", row->source) : 0;
}

static int has_since(const struct run *r)
{
	for (size_t i = 0; i < r->chosen.n; i++)
		if (r->s->job.rules.v[r->chosen.v[i].rule].since)
			return 1;
	return 0;
}

int run_top_up(struct run *r, struct err *err)
{
	struct worker w = {.s = r->s};
	int rc;
	if (!has_since(r))
		return err_set(err, ERR_USAGE, "no rule of the job says with \"since\" which rows are to be topped up");
	if (r->triggers == TRIGGERS_ALTER && (rc = foreign_keys_drop(r->s, &r->chosen, err)) != 0)
		return rc;
	rc = worker_open(&w, r, err);
	if (rc == 0)
		rc = pgc_begin_many(&w.target, err);
	for (size_t i = 0; i < r->chosen.n && rc == 0; i++) {
		const struct tables_row *row = &r->chosen.v[i];
		if (row->part == 1 && r->s->job.rules.v[row->rule].since)
			rc = top_up_table(r, &w, row, err);
	}
	if (rc == 0)
		rc = pgc_exec(&w.target, "COMMIT", NULL, err);
	worker_close(&w);
	struct err restoring = ERR_INIT;
	int restored = r->triggers == TRIGGERS_ALTER ? foreign_keys_restore(r->s, &restoring) : 0;
	return first_failure(r->s, rc, err, restored, &restoring);
}
