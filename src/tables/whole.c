/* A job that must come over as one: its checks, and all of its tables in one target transaction. */
#include "config.h"

#include "base/clock.h"
#include "tables/tables_internal.h"

/* ---- checks, in this order; nothing is written ---- */

static int check_alive(struct pgc *c, struct err *err)
{
	return c->conn ? pgc_exec(c, "SELECT 1", NULL, err) : 0;
}

static int count_there(struct run *r, const struct tables_row *row, int64_t *n, int *asked, struct err *err)
{
	struct session *s = r->s;
	struct spec p;
	int rc = spec_make(s, row, s->a, &p, err);
	*n = 0;
	*asked = rc == 0 && p.rule->target_where != NULL;
	if (rc || !*asked)
		return rc;
	return pgc_scalar(&s->target, arena_printf(s->a, "SELECT count(*)%s", spec_target_rows(s, &p, s->a)).ptr, 0,
			  NULL, n, err);
}

static int check_target_holds_none(struct run *r, struct err *err)
{
	struct slice found = SLICE("");
	int64_t sum = 0;
	for (size_t i = 0; i < r->chosen.n; i++) {
		int64_t n;
		int asked;
		if (r->chosen.v[i].part > 1)
			continue;
		if (count_there(r, &r->chosen.v[i], &n, &asked, err))
			return err->code;
		if (!asked)
			continue;
		sum += n;
		found = arena_printf(r->s->a, "%.*s%s%lld %s rows", SLICE_ARG(found), found.len ? " and " : "",
				     (long long)n, r->chosen.v[i].target);
	}
	if (sum == 0)
		return 0;
	const char *what = r->s->job.params.n > 1 ? r->s->job.params.v[0].value : r->s->job.name;
	err_set(err, ERR_STATE, "Target contains %.*s for %s.", SLICE_ARG(found), what);
	return err_hint(err,
			"`settle tables clean` with the manifest that loaded them takes them back; what no manifest "
			"loaded is deleted by hand");
}

int job_check(struct run *r, struct err *err)
{
	int rc = check_alive(&r->s->source, err);
	if (rc == 0)
		rc = check_alive(&r->s->target, err);
	if (rc == 0)
		rc = triggers_mode(&r->s->target, &r->triggers, err);
	if (rc == 0 && r->triggers == TRIGGERS_ALTER)
		log_at(r->s->env->log, LOG_WARN,
		       "the role may not set session_replication_role: triggers and foreign keys are taken off and put "
		       "back, which locks tables");
	if (rc == 0)
		rc = check_target_holds_none(r, err);
	return rc;
}

/* ---- one transaction ---- */

/* What the source holds, what was sent, and what the target now holds must be the same number. */
static int compare_counts(struct run *r, struct worker *w, const struct spec *p, int64_t copied, struct err *err)
{
	struct session *s = r->s;
	int64_t source = copied, target = copied;
	int rc = 0;
	if (!s->sqlite)
		rc =
		    pgc_scalar(&w->source,
			       arena_printf(s->a, "SELECT count(*) FROM (%s) x", spec_select(s, p, SPEC_ALL, s->a)).ptr,
			       0, NULL, &source, err);
	if (rc == 0 && p->rule->target_where)
		rc = pgc_scalar(&w->target, arena_printf(s->a, "SELECT count(*)%s", spec_target_rows(s, p, s->a)).ptr,
				0, NULL, &target, err);
	if (rc)
		return rc;
	say(s->env, TABLES_NOTE, "%s: source %lld rows, target %lld rows", p->row->source, (long long)source,
	    (long long)target);
	if (source == copied && target == copied)
		return 0;
	return err_set(err, ERR_TARGET, "Count mismatch after migration: %s: source=%lld target=%lld", p->row->source,
		       (long long)source, (long long)target);
}

static int check_orphans(struct run *r, struct worker *w, const struct spec *p, struct err *err)
{
	struct orphans_list list = {0};
	int rc = foreign_keys_check(&w->target, p->to, 0, r->s->a, &list, err);
	for (size_t i = 0; i < list.n && rc == 0; i++)
		if (list.v[i].n)
			rc = err_set(err, ERR_TARGET, "Found orphan rows: %lld of %s by foreign key %s",
				     (long long)list.v[i].n, list.v[i].child, list.v[i].name);
	return rc;
}

static int load_table(struct run *r, struct worker *w, struct tables_row *row, struct err *err)
{
	struct session *s = r->s;
	struct spec p;
	struct copied copied = {0};
	struct resting resting;
	int64_t start = clock_mono_us();
	int rc = spec_make(s, row, s->a, &p, err);
	if (rc == 0)
		rc = parts_mark(s, &w->target, row, err);
	if (rc == 0)
		rc = triggers_begin(&w->target, r->triggers, p.to, s->a, &resting, err);
	if (rc == 0)
		rc = copy_rows(w, &p, SPEC_ALL, qualified(s->a, p.to->schema, p.to->name), s->a, &copied, err);
	if (rc == 0)
		rc = triggers_end(&w->target, &resting, s->a, err);
	if (rc == 0)
		rc = parts_finish(s, &w->target, row, &copied, err);
	if (rc == 0 && s->sqlite)
		rc = manifest_put_rejects(&s->m, row->id, &copied.rejects, err);
	if (rc == 0)
		rc = compare_counts(r, w, &p, copied.rows, err);
	row->copied = copied.rows;
	row->copied_bytes = copied.bytes;
	row->rejected = (int64_t)copied.rejects.n;
	row->micros = clock_mono_us() - start;
	return rc ? err_prefix(err, "%s", row->source) : 0;
}

static int check_all(struct run *r, struct worker *w, struct err *err)
{
	int rc = 0;
	for (size_t i = 0; i < r->chosen.n && rc == 0; i++) {
		struct spec p;
		rc = spec_make(r->s, &r->chosen.v[i], r->s->a, &p, err);
		if (rc == 0)
			rc = check_orphans(r, w, &p, err);
		if (rc == 0)
			rc = sequences_set(&w->target, p.to, r->s->a, err);
	}
	return rc;
}

static int record(struct run *r, struct err *err)
{
	int rc = 0;
	for (size_t i = 0; i < r->chosen.n && rc == 0; i++) {
		struct tables_row *row = &r->chosen.v[i];
		r->sum->parts++;
		r->sum->rows += row->copied;
		r->sum->bytes += row->copied_bytes;
		r->sum->rejected += row->rejected;
		row->status = "done";
		rc = manifest_done(&r->s->m, row, err);
	}
	return rc;
}

static int load_all(struct run *r, struct worker *w, struct err *err)
{
	int rc = worker_open(w, r, err);
	if (rc == 0)
		rc = pgc_begin_many(&w->target, err);
	for (size_t i = 0; i < r->chosen.n && rc == 0; i++)
		rc = load_table(r, w, &r->chosen.v[i], err);
	if (rc == 0)
		rc = check_all(r, w, err);
	if (rc == 0)
		rc = pgc_exec(&w->target, "COMMIT", NULL, err);
	return rc;
}

int run_whole(struct run *r, struct err *err)
{
	struct worker w = {.s = r->s};
	struct err restoring = ERR_INIT, second = ERR_INIT;
	int rc = r->triggers == TRIGGERS_ALTER ? foreign_keys_drop(r->s, &r->chosen, err) : 0;
	if (rc == 0)
		rc = load_all(r, &w, err);
	worker_close(&w);
	if (rc == 0)
		rc = record(r, err);
	else
		r->sum->failed = (int64_t)r->chosen.n;
	int noted = 0;
	for (size_t i = 0; i < r->chosen.n && rc && !noted; i++)
		noted = manifest_failed(
		    &r->s->m, r->chosen.v[i].id,
		    &(struct err){.code = err->code, .retryable = 1, .msg = "the transaction failed"}, &second);
	rc = first_failure(r->s, rc, err, noted, &second);
	int restored = r->triggers == TRIGGERS_ALTER ? foreign_keys_restore(r->s, &restoring) : 0;
	return first_failure(r->s, rc, err, restored, &restoring);
}
