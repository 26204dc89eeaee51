/*
 * settle_part in the target: a mark for each part, committed with the part's rows. What is marked there is done,
 * whatever the manifest says. The mark is written first: a second run at the same part waits for the first one's end,
 * and then finds it done.
 */
#include "config.h"

#include "base/clock.h"
#include "tables/tables_internal.h"

#define LOCK_TRIES 60 /* of half a second: the server may need a moment to see that a killed settle is gone */

static const char make_sql[] =
    "CREATE TABLE IF NOT EXISTS settle_part (job text NOT NULL, id bigint NOT NULL, source text NOT NULL, target text "
    "NOT NULL, "
    "part bigint NOT NULL, rows bigint, bytes bigint, rejected bigint, finished timestamptz, PRIMARY KEY (job, id)); "
    "CREATE TABLE IF NOT EXISTS settle_foreign_key (job text NOT NULL, child text NOT NULL, name text NOT NULL, "
    "definition text NOT NULL, PRIMARY KEY (child, name))";

int parts_prepare(struct pgc *c, struct err *err)
{
	int64_t there = 0;
	int rc = pgc_scalar(c, "SELECT count(to_regclass('settle_part')) + count(to_regclass('settle_foreign_key'))", 0,
			    NULL, &there, err);
	if (rc || there == 2)
		return rc;
	rc = pgc_exec(c, make_sql, NULL, err);
	/* Two at once may both find nothing there. */
	if (rc && err && (strcmp(err->sqlstate, "23505") == 0 || strcmp(err->sqlstate, "42P07") == 0))
		rc = pgc_exec(c, make_sql, NULL, err);
	return rc;
}

int parts_lock(struct session *s, struct err *err)
{
	const char *const values[] = {s->m.job_id};
	int64_t got = 0;
	int rc = 0;
	for (int i = 0; i < LOCK_TRIES && rc == 0 && !got && !atomic_load(s->env->stop); i++) {
		if (i)
			clock_sleep_ms(500);
		rc = pgc_scalar(&s->target,
				"SELECT pg_try_advisory_lock(hashtextextended('settle tables ' || $1, 0))::int", 1,
				values, &got, err);
	}
	if (rc || got)
		return rc;
	if (atomic_load(s->env->stop))
		return err_set(err, ERR_STOPPED, "stopped before the end");
	return err_set(err, ERR_BUSY, "another settle is working on this job");
}

static struct tables_row *row_by_id(struct session *s, int64_t id)
{
	for (size_t i = 0; i < s->rows.n; i++)
		if (s->rows.v[i].id == id)
			return &s->rows.v[i];
	return NULL;
}

static int follow_mark(struct session *s, struct tables_row *r, const PGresult *res, int i, struct err *err)
{
	r->copied = pgc_int(res, i, 1);
	r->copied_bytes = pgc_int(res, i, 2);
	r->rejected = pgc_int(res, i, 3);
	if (strcmp(r->status, "done") == 0)
		return 0;
	r->status = "done";
	r->error = NULL;
	return manifest_done(&s->m, r, err);
}

int parts_follow(struct session *s, struct err *err)
{
	const char *const values[] = {s->m.job_id};
	PGresult *res = NULL;
	int rc = pgc_query(&s->target, "SELECT id, rows, bytes, rejected FROM settle_part WHERE job = $1 ORDER BY id",
			   1, values, &res, err);
	int n = rc == 0 ? PQntuples(res) : 0, at = 0;
	for (int i = 0; i < n && rc == 0; i++) {
		struct tables_row *r = row_by_id(s, pgc_int(res, i, 0));
		if (r)
			rc = follow_mark(s, r, res, i, err);
	}
	for (size_t i = 0; i < s->rows.n && rc == 0; i++) {
		struct tables_row *r = &s->rows.v[i];
		while (at < n && pgc_int(res, at, 0) < r->id)
			at++;
		if (strcmp(r->status, "done") != 0 || (at < n && pgc_int(res, at, 0) == r->id))
			continue;
		log_at(s->env->log, LOG_WARN, "the target does not know %s as done: it is copied again", r->source);
		r->status = "waiting";
		rc = manifest_forget(&s->m, r->id, err);
	}
	PQclear(res);
	return rc;
}

int parts_mark(const struct session *s, struct pgc *c, const struct tables_row *row, struct err *err)
{
	struct arena a = ARENA_INIT;
	const char *const values[] = {s->m.job_id, arena_printf(&a, "%lld", (long long)row->id).ptr,
				      qualified(&a, row->source_schema, row->source),
				      qualified(&a, row->target_schema, row->target),
				      arena_printf(&a, "%lld", (long long)row->part).ptr};
	PGresult *res = NULL;
	int rc = pgc_query(c,
			   "INSERT INTO settle_part (job, id, source, target, part) VALUES ($1, $2, $3, $4, $5) ON "
			   "CONFLICT DO NOTHING "
			   "RETURNING 1",
			   5, values, &res, err);
	if (rc == 0 && PQntuples(res) == 0)
		rc = err_set(err, ERR_BUSY, "%s was copied by another settle", row->source);
	PQclear(res);
	arena_release(&a);
	return rc;
}

int parts_finish(const struct session *s, struct pgc *c, const struct tables_row *row, const struct copied *done,
		 struct err *err)
{
	struct arena a = ARENA_INIT;
	const char *const values[] = {s->m.job_id, arena_printf(&a, "%lld", (long long)row->id).ptr,
				      arena_printf(&a, "%lld", (long long)done->rows).ptr,
				      arena_printf(&a, "%lld", (long long)done->bytes).ptr,
				      arena_printf(&a, "%zu", done->rejects.n).ptr};
	int rc = pgc_query(c,
			   "UPDATE settle_part SET rows = $3, bytes = $4, rejected = $5, finished = clock_timestamp() "
			   "WHERE job = $1 AND id = $2",
			   5, values, NULL, err);
	arena_release(&a);
	return rc;
}
