/*
 * tables validate: for each table of the target, is what is there what the source holds, mapped as the job says? Rows
 * and content are compared as sums on the servers; rows of a SQLite file are read and mapped once more into a temporary
 * table of the target's own types.
 */
#include "config.h"

#include "tables/tables_internal.h"

#include <pthread.h>
#include <stdlib.h>

#define MOST_WORKERS 64
#define SHOWN 5 /* differing rows that are told */

struct findings {
	struct tables_finding *v;
	size_t n, cap;
};

struct validation {
	struct session *s;
	const struct tables_validate_options *o;
	struct manifest_rows tables; /* the first row of each target table */
	struct findings *found;      /* one list a table */
	pthread_mutex_t lock;        /* next, failed, first; the manifest's connection; the arena */
	size_t next;
	struct err first;
};

struct check { /* of one table, by one thread */
	struct validation *v;
	struct worker *w;
	const struct tables_row *row;
	struct findings *out;
	struct arena a;
};

static void note(struct check *c, const char *check, int ok, const char *detail)
{
	struct validation *v = c->v;
	pthread_mutex_lock(&v->lock);
	struct arena *a = v->s->a;
	struct tables_finding f = {arena_str(a, slice_of(c->row->target)), check, ok, arena_str(a, slice_of(detail))};
	ARENA_PUSH(a, c->out, f);
	pthread_mutex_unlock(&v->lock);
}

void rows_of_target(const struct session *s, const struct tables_row *row, struct arena *a, struct manifest_rows *out)
{
	*out = (struct manifest_rows){0};
	for (size_t i = 0; i < s->rows.n; i++) {
		const struct tables_row *r = &s->rows.v[i];
		if (r->part == 1 && strcmp(r->target, row->target) == 0 &&
		    strcmp(r->target_schema, row->target_schema) == 0)
			ARENA_PUSH(a, out, *r);
	}
}

int make_stage(struct pgc *c, const struct spec *p, enum spec_only only, const char *name, struct arena *a,
	       struct err *err)
{
	return pgc_exec(
	    c,
	    arena_printf(a, "CREATE TEMP TABLE IF NOT EXISTS %s ON COMMIT DROP AS SELECT %s FROM %s WITH NO DATA", name,
			 spec_columns(p, only, a), qualified(a, p->to->schema, p->to->name))
		.ptr,
	    NULL, err);
}

int worker_skip(struct worker *w, struct manifest *m, int64_t id, struct arena *a, struct err *err)
{
	int64_t *list = NULL;
	int rc = manifest_rejected(m, id, a, &list, &w->n_skip, err);
	w->skip = list;
	return rc;
}

/* ---- rows and content ---- */

/* Sums of 64-bit numbers of all rows there can be fit into 128 bits. */
static __int128 number_of(const char *text)
{
	__int128 n = 0;
	int minus = *text == '-';
	for (text += minus; *text >= '0' && *text <= '9'; text++)
		n = n * 10 + (*text - '0');
	return minus ? -n : n;
}

struct sides {
	int64_t source_rows, target_rows;
	__int128 source_sum, target_sum;
	int64_t set_aside; /* rows of the source that were told of when they were copied */
};

static void compare(struct check *c, const struct sides *s)
{
	int64_t source = s->source_rows + s->set_aside;
	const char *rows =
	    arena_printf(&c->a, "source %lld, target %lld", (long long)source, (long long)s->target_rows).ptr;
	if (s->set_aside)
		rows = arena_printf(&c->a, "%s (%lld set aside)", rows, (long long)s->set_aside).ptr;
	note(c, "rows", source == s->target_rows, rows);
	int same = s->source_sum == s->target_sum && s->source_rows == s->target_rows;
	note(c, "content", same, same ? "the same" : "the rows are not the same");
}

static int add_source(struct check *c, const struct spec *p, struct sides *sides, struct err *err)
{
	struct content content;
	const char *sql =
	    checksum_sql(spec_columns(p, SPEC_COMPARED, &c->a), spec_select(c->v->s, p, SPEC_COMPARED, &c->a), &c->a);
	int rc = content_of(&c->w->source, sql, &c->a, &content, err);
	if (rc == 0) {
		sides->source_rows += content.rows;
		sides->source_sum += number_of(content.sum);
	}
	return rc;
}

static const char *target_select(struct check *c, const struct spec *p)
{
	return arena_printf(&c->a, "SELECT %s%s", spec_columns(p, SPEC_COMPARED, &c->a),
			    spec_target_rows(c->v->s, p, &c->a))
	    .ptr;
}

static int take_target(struct check *c, struct sides *sides, struct err *err)
{
	struct pgc *t = &c->w->target;
	PGresult *res;
	int rc = 0;
	while ((res = PQgetResult(t->conn)) != NULL) {
		if (PQresultStatus(res) != PGRES_TUPLES_OK)
			rc = rc ? rc : pgc_fail(t, res, err);
		else if (rc == 0) {
			sides->target_rows = pgc_int(res, 0, 0);
			sides->target_sum = number_of(PQgetvalue(res, 0, 1));
		}
		PQclear(res);
	}
	return rc;
}

/* Both servers work at the same time. */
static int compare_servers(struct check *c, const struct manifest_rows *rows, struct err *err)
{
	struct sides sides = {0};
	struct spec p;
	struct err late = ERR_INIT;
	int rc = spec_make(c->v->s, &rows->v[0], &c->a, &p, err);
	if (rc)
		return rc;
	const char *sql = checksum_sql(spec_columns(&p, SPEC_COMPARED, &c->a), target_select(c, &p), &c->a);
	log_at(c->w->target.log, LOG_SQL, "target: %s", sql);
	if (!PQsendQuery(c->w->target.conn, sql))
		return pgc_fail(&c->w->target, NULL, err);
	for (size_t i = 0; i < rows->n && rc == 0; i++) {
		struct tables_row whole = spec_whole(&rows->v[i]);
		rc = spec_make(c->v->s, &whole, &c->a, &p, err);
		if (rc == 0)
			rc = add_source(c, &p, &sides, err);
	}
	int taken = take_target(c, &sides, rc ? &late : err);
	if (rc == 0 && taken == 0)
		compare(c, &sides);
	return rc ? rc : taken;
}

/* ---- SQLite: the mapped rows once more, in a temporary table ---- */

static int stage_rows(struct check *c, const struct manifest_rows *rows, struct copied *sum, struct err *err)
{
	struct spec p;
	int rc = spec_make(c->v->s, &rows->v[0], &c->a, &p, err);
	if (rc == 0)
		rc = make_stage(&c->w->target, &p, SPEC_COMPARED, "settle_compared", &c->a, err);
	for (size_t i = 0; i < c->v->s->rows.n && rc == 0; i++) {
		const struct tables_row *r = &c->v->s->rows.v[i];
		struct copied copied;
		if (strcmp(r->target, c->row->target) != 0 || strcmp(r->target_schema, c->row->target_schema) != 0)
			continue;
		pthread_mutex_lock(&c->v->lock);
		rc = worker_skip(c->w, &c->v->s->m, r->id, &c->a, err);
		pthread_mutex_unlock(&c->v->lock);
		if (rc == 0)
			rc = spec_make(c->v->s, r, &c->a, &p, err);
		if (rc == 0)
			rc = copy_sqlite(c->w, &p, SPEC_COMPARED, "pg_temp.settle_compared", &c->a, &copied, err);
		if (rc == 0) {
			sum->left_out += copied.left_out;
			for (size_t k = 0; k < copied.rejects.n; k++)
				ARENA_PUSH(&c->a, &sum->rejects, copied.rejects.v[k]);
		}
	}
	return rc;
}

static int show_differences(struct check *c, const struct spec *p, struct err *err)
{
	const char *columns = spec_columns(p, SPEC_COMPARED, &c->a);
	const char *stage = arena_printf(&c->a, "SELECT ROW(%s)::text AS t FROM settle_compared", columns).ptr;
	const char *target =
	    arena_printf(&c->a, "SELECT ROW(%s)::text AS t%s", columns, spec_target_rows(c->v->s, p, &c->a)).ptr;
	const char *sides[] = {"only in the source: ", "only in the target: "};
	int rc = 0;
	for (int i = 0; i < 2 && rc == 0; i++) {
		PGresult *res = NULL;
		rc = pgc_exec(&c->w->target,
			      arena_printf(&c->a, "(%s) EXCEPT ALL (%s) ORDER BY 1 LIMIT %d", i ? target : stage,
					   i ? stage : target, SHOWN)
				  .ptr,
			      &res, err);
		for (int k = 0; rc == 0 && k < PQntuples(res); k++)
			note(c, "content", 0, arena_printf(&c->a, "%s%s", sides[i], PQgetvalue(res, k, 0)).ptr);
		PQclear(res);
	}
	return rc;
}

static int compare_lite(struct check *c, const struct manifest_rows *rows, struct err *err)
{
	struct sides sides = {0};
	struct copied copied = {0};
	struct content content;
	struct spec p;
	int rc = stage_rows(c, rows, &copied, err);
	if (rc == 0)
		rc = spec_make(c->v->s, &rows->v[0], &c->a, &p, err);
	const char *columns = rc ? "" : spec_columns(&p, SPEC_COMPARED, &c->a);
	if (rc == 0)
		rc = content_of(&c->w->target, checksum_sql(columns, "SELECT * FROM settle_compared", &c->a), &c->a,
				&content, err);
	if (rc == 0) {
		sides.source_rows = content.rows + (int64_t)copied.rejects.n;
		sides.source_sum = number_of(content.sum);
		rc =
		    content_of(&c->w->target, checksum_sql(columns, target_select(c, &p), &c->a), &c->a, &content, err);
	}
	if (rc)
		return rc;
	sides.target_rows = content.rows;
	sides.target_sum = number_of(content.sum);
	sides.set_aside = copied.left_out;
	compare(c, &sides);
	for (size_t i = 0; i < copied.rejects.n && i < SHOWN; i++)
		note(c, "content", 0,
		     arena_printf(&c->a, "row %lld does not fit: %s %s", (long long)copied.rejects.v[i].rowid,
				  copied.rejects.v[i].column, copied.rejects.v[i].reason)
			 .ptr);
	return sides.source_sum == sides.target_sum && sides.source_rows == sides.target_rows
		   ? 0
		   : show_differences(c, &p, err);
}

/* ---- spot checks: random rows, field by field ---- */

/* What is the target's own is not compared, and need not be there. */
static const char *texts_of(const struct spec *p, const char *from, struct arena *a)
{
	struct buf b = BUF_INIT(SQL_CAP);
	for (size_t i = 0; i < p->columns.n; i++) {
		const struct spec_column *c = &p->columns.v[i];
		buf_fmt(&b, "%s%s%s::text", i ? ", " : "", c->own ? "" : from, c->own ? "NULL" : ident(a, c->to->name));
	}
	const char *text = arena_str(a, buf_slice(&b));
	buf_release(&b);
	return text;
}

/* Finds the row of the same key in the target and compares each field's text. */
static int spot_row(struct check *c, const struct spec *p, const PGresult *res, int at, int *bad, struct err *err)
{
	const char *values[64];
	struct buf where = BUF_INIT(SQL_CAP);
	PGresult *there = NULL;
	int n = 0;
	for (size_t i = 0; i < p->columns.n && n < 64; i++) {
		if (!p->columns.v[i].to->key)
			continue;
		values[n++] = PQgetvalue(res, at, (int)i);
		buf_fmt(&where, "%ss.%s = $%d::%s", n > 1 ? " AND " : "", ident(&c->a, p->columns.v[i].to->name), n,
			p->columns.v[i].to->type);
	}
	const char *sql = arena_printf(&c->a, "SELECT %s FROM %s AS s WHERE %s", texts_of(p, "s.", &c->a),
				       spec_target(p, &c->a), where.ptr)
			      .ptr;
	buf_release(&where);
	int rc = pgc_query(&c->w->target, sql, n, values, &there, err);
	if (rc == 0 && PQntuples(there) != 1) {
		++*bad;
		note(c, "spot check", 0,
		     arena_printf(&c->a, "%s %s is not in the target", p->columns.v[0].to->name, PQgetvalue(res, at, 0))
			 .ptr);
	}
	for (size_t i = 0; rc == 0 && PQntuples(there) == 1 && i < p->columns.n; i++) {
		int k = (int)i;
		if (PQgetisnull(res, at, k) == PQgetisnull(there, 0, k) &&
		    strcmp(PQgetvalue(res, at, k), PQgetvalue(there, 0, k)) == 0)
			continue;
		++*bad;
		note(c, "spot check", 0,
		     arena_printf(&c->a, "%s: source %s, target %s", p->columns.v[i].to->name, PQgetvalue(res, at, k),
				  PQgetvalue(there, 0, k))
			 .ptr);
	}
	PQclear(there);
	return rc;
}

static int spot_check(struct check *c, const struct manifest_rows *rows, struct err *err)
{
	struct spec p;
	PGresult *res = NULL;
	int bad = 0, checked = 0, rc = 0;
	for (size_t r = 0; r < rows->n && rc == 0; r++) {
		struct tables_row whole = spec_whole(&rows->v[r]);
		rc = spec_make(c->v->s, &whole, &c->a, &p, err);
		if (rc || !spec_has_key(&p))
			return rc;
		const char *from = c->v->s->sqlite
				       ? "settle_compared"
				       : arena_printf(&c->a, "(%s)", spec_select(c->v->s, &p, SPEC_ALL, &c->a)).ptr;
		const char *sql = arena_printf(&c->a, "SELECT %s FROM %s q ORDER BY random() LIMIT %lld",
					       texts_of(&p, "q.", &c->a), from, (long long)c->v->o->spot)
				      .ptr;
		if (c->v->s->sqlite && r)
			break;
		rc = pgc_exec(c->v->s->sqlite ? &c->w->target : &c->w->source, sql, &res, err);
		checked += rc == 0 ? PQntuples(res) : 0;
		for (int i = 0; rc == 0 && i < PQntuples(res); i++)
			rc = spot_row(c, &p, res, i, &bad, err);
		PQclear(res);
		res = NULL;
	}
	if (rc == 0 && !bad)
		note(c, "spot check", 1, arena_printf(&c->a, "%d rows, each field the same", checked).ptr);
	return rc;
}

/* ---- keys and sequences ---- */

static int check_foreign_keys(struct check *c, const struct cat_table *t, struct err *err)
{
	struct orphans_list list = {0};
	int rc = foreign_keys_check(&c->w->target, t, 0, &c->a, &list, err);
	for (size_t i = 0; i < list.n && rc == 0; i++)
		note(
		    c, "foreign key", list.v[i].n == 0,
		    arena_printf(&c->a, "%s: %lld rows without a partner", list.v[i].name, (long long)list.v[i].n).ptr);
	return rc;
}

static int is_behind(struct check *c, const struct cat_column *col, const PGresult *ends, int64_t *behind,
		     struct err *err)
{
	const char *sequence = qualified(&c->a, col->sequence_schema, col->sequence);
	const char *const values[] = {sequence, PQgetvalue(ends, 0, 0), PQgetvalue(ends, 0, 1)};
	return pgc_scalar(
	    &c->w->target,
	    arena_printf(&c->a,
			 "SELECT count(*) FROM (SELECT seqincrement > 0 AS up, CASE WHEN seqincrement > 0 THEN "
			 "$2::bigint ELSE $3::bigint END AS v FROM pg_sequence WHERE seqrelid = $1::regclass) x, %s q "
			 "WHERE CASE WHEN x.up THEN x.v > q.last_value ELSE x.v < q.last_value END OR (x.v = "
			 "q.last_value AND NOT q.is_called)",
			 sequence)
		.ptr,
	    3, values, behind, err);
}

static int check_sequences(struct check *c, const struct cat_table *t, struct err *err)
{
	int rc = 0;
	for (size_t i = 0; i < t->columns.n && rc == 0; i++) {
		const struct cat_column *col = &t->columns.v[i];
		PGresult *ends = NULL;
		int64_t behind = 0;
		if (!column_is_counted(col))
			continue;
		const char *name = ident(&c->a, col->name);
		rc = pgc_exec(&c->w->target,
			      arena_printf(&c->a, "SELECT max(%s)::bigint, min(%s)::bigint FROM %s", name, name,
					   qualified(&c->a, t->schema, t->name))
				  .ptr,
			      &ends, err);
		if (rc == 0 && !PQgetisnull(ends, 0, 0))
			rc = is_behind(c, col, ends, &behind, err);
		PQclear(ends);
		if (rc == 0)
			note(c, "sequence", !behind,
			     arena_printf(&c->a, "%s is %s its column %s", col->sequence,
					  behind ? "behind" : "ahead of", col->name)
				 .ptr);
	}
	return rc;
}

static int check_source_keys(struct check *c, struct err *err)
{
	struct lite_stmt *s = NULL;
	int row = 0;
	int64_t n = 0;
	int rc = lite_stmt(c->w->lite, "SELECT count(*) FROM pragma_foreign_key_check(?1)", &s, err);
	if (rc == 0)
		lite_bind_text(s, 1, slice_of(c->row->source));
	if (rc == 0)
		rc = lite_step(s, &row, err);
	n = rc == 0 && row ? lite_int(s, 0) : 0;
	lite_done(s);
	if (n)
		note(c, "source foreign key", 0,
		     arena_printf(&c->a, "%lld rows of %s without a partner", (long long)n, c->row->source).ptr);
	return rc;
}

/* ---- a table ---- */

static int undone_parts(const struct check *c)
{
	int n = 0;
	for (size_t i = 0; i < c->v->s->rows.n; i++) {
		const struct tables_row *r = &c->v->s->rows.v[i];
		n += strcmp(r->target, c->row->target) == 0 && strcmp(r->target_schema, c->row->target_schema) == 0 &&
		     strcmp(r->status, "done") != 0;
	}
	return n;
}

static int check_table(struct check *c, struct err *err)
{
	struct run run = {.s = c->v->s};
	struct manifest_rows rows;
	int left = undone_parts(c);
	if (left)
		note(c, "not migrated", 0, arena_printf(&c->a, "%d parts are not done", left).ptr);
	rows_of_target(c->v->s, c->row, &c->a, &rows);
	const struct cat_table *t = catalog_find(&c->v->s->to, c->row->target_schema, c->row->target);
	if (!t) {
		note(c, "rows", 0, "there is no such table in the target");
		return 0;
	}
	int rc = worker_open(c->w, &run, err);
	if (rc == 0)
		rc = pgc_exec(&c->w->target, "BEGIN ISOLATION LEVEL REPEATABLE READ", NULL, err);
	if (rc == 0)
		rc = c->v->s->sqlite ? compare_lite(c, &rows, err) : compare_servers(c, &rows, err);
	if (rc == 0 && c->v->o->spot)
		rc = spot_check(c, &rows, err);
	if (rc == 0)
		rc = check_foreign_keys(c, t, err);
	if (rc == 0)
		rc = check_sequences(c, t, err);
	if (rc == 0 && c->v->s->sqlite)
		rc = check_source_keys(c, err);
	pgc_rollback(&c->w->target);
	return rc ? err_prefix(err, "%s", c->row->target) : 0;
}

static void *work(void *arg)
{
	struct validation *v = arg;
	struct worker w = {.s = v->s};
	for (;;) {
		struct err err = ERR_INIT;
		pthread_mutex_lock(&v->lock);
		size_t at = v->next;
		int end = v->first.code || at >= v->tables.n || atomic_load(v->s->env->stop);
		v->next += !end;
		pthread_mutex_unlock(&v->lock);
		if (end)
			break;
		struct check c = {.v = v, .w = &w, .row = &v->tables.v[at], .out = &v->found[at]};
		if (check_table(&c, &err)) {
			pthread_mutex_lock(&v->lock);
			v->first = v->first.code ? v->first : err;
			pthread_mutex_unlock(&v->lock);
		}
		arena_release(&c.a);
	}
	worker_close(&w);
	return NULL;
}

static int run_threads(struct validation *v, struct err *err)
{
	pthread_t threads[MOST_WORKERS];
	size_t n = v->o->parallel > MOST_WORKERS ? MOST_WORKERS : (size_t)v->o->parallel, started = 0;
	pthread_mutex_init(&v->lock, NULL);
	while (started < n && started < v->tables.n && pthread_create(&threads[started], NULL, work, v) == 0)
		started++;
	if (!started && v->tables.n)
		work(v);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	pthread_mutex_destroy(&v->lock);
	if (v->first.code)
		*err = v->first;
	else if (atomic_load(v->s->env->stop))
		return err_set(err, ERR_STOPPED, "stopped before the end");
	return v->first.code;
}

static void choose(struct validation *v)
{
	struct names seen = {0};
	for (size_t i = 0; i < v->s->rows.n; i++) {
		const struct tables_row *r = &v->s->rows.v[i];
		const char *name = qualified(v->s->a, r->target_schema, r->target);
		if (names_has(&seen, name) ||
		    (v->o->table && !row_is_named(r, v->o->table) && strcmp(v->o->table, r->target) != 0))
			continue;
		ARENA_PUSH(v->s->a, &seen, name);
		ARENA_PUSH(v->s->a, &v->tables, *r);
	}
}

int tables_validate(const struct tables_env *env, const struct tables_validate_options *o, tables_finding_fn *fn,
		    void *ctx, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct session s = {0};
	struct validation v = {.s = &s, .o = o};
	int bad = 0;
	int rc = session_open(&s, env, SESSION_SOURCE | SESSION_TARGET | SESSION_READ_ONLY, &a, err);
	if (rc == 0)
		choose(&v);
	if (rc == 0 && o->table && v.tables.n == 0)
		rc = err_set(err, ERR_USAGE, "No table found with name \"%s\"", o->table);
	v.found = ARENA_ARRAY(&a, v.tables.n + 1, struct findings);
	if (rc == 0)
		rc = run_threads(&v, err);
	for (size_t i = 0; i < v.tables.n; i++)
		for (size_t k = 0; k < v.found[i].n; k++) {
			bad |= !v.found[i].v[k].ok;
			fn(ctx, &v.found[i].v[k]);
		}
	session_close(&s);
	arena_release(&a);
	return rc ? rc : bad;
}
