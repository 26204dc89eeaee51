/* tables migrate: what is chosen, what is asked, which way it goes, and what comes after the load. */
#include "config.h"

#include "tables/tables_internal.h"

static int is_done(const struct tables_row *r)
{
	return strcmp(r->status, "done") == 0;
}

static void count(struct run *r)
{
	const char *last = "";
	for (size_t i = 0; i < r->chosen.n; i++) {
		r->all_bytes += r->chosen.v[i].bytes > 0 ? r->chosen.v[i].bytes : 0;
		r->all_tables += strcmp(last, r->chosen.v[i].source) != 0;
		last = r->chosen.v[i].source;
	}
}

/* ---- what is asked ---- */

static const char *shown(const struct tables_row *row, struct arena *a)
{
	if (row->parts == 1)
		return row->source;
	return arena_printf(a, "%s (part %lld of %lld)", row->source, (long long)row->part, (long long)row->parts).ptr;
}

static int confirm_each(struct run *r, struct err *err)
{
	struct manifest_rows kept = {0};
	for (size_t i = 0; i < r->chosen.n; i++) {
		const struct tables_row *row = &r->chosen.v[i];
		const char *question =
		    arena_printf(r->s->a, "Migrate %s to %s [yes / no] ", shown(row, r->s->a), row->target).ptr;
		int yes = r->s->env->confirm(r->s->env->ctx, question, err);
		if (yes < 0)
			return err->code;
		if (yes)
			ARENA_PUSH(r->s->a, &kept, *row);
		else
			say(r->s->env, TABLES_DATA, "%s -> %s: not migrated", shown(row, r->s->a), row->target);
	}
	r->chosen = kept;
	return 0;
}

static int ask(struct run *r, struct err *err)
{
	const struct tables_env *env = r->s->env;
	if (r->o->apply)
		return 0;
	const char *question = arena_printf(r->s->a, "Preparing to migrate %zu tables. [yes / no] ", r->chosen.n).ptr;
	int yes = env->confirm(env->ctx, question, err);
	if (yes < 0)
		return err->code;
	r->sum->refused = !yes;
	return yes && r->o->confirm ? confirm_each(r, err) : 0;
}

#define NO_TABLE "No table to migrate"

static int dry_run(struct run *r, struct err *err)
{
	struct session *s = r->s;
	int rc = 0;
	if (r->chosen.n == 0)
		say(s->env, TABLES_DATA, NO_TABLE);
	for (size_t i = 0; i < r->chosen.n && rc == 0; i++) {
		const struct tables_row *row = &r->chosen.v[i];
		struct spec p;
		rc = spec_make(s, row, s->a, &p, err);
		if (rc == 0)
			say(s->env, TABLES_DATA, "%s -> COPY %s (%s) FROM STDIN (FORMAT %s)",
			    spec_select(s, &p, SPEC_ALL, s->a), qualified(s->a, p.to->schema, p.to->name),
			    spec_columns(&p, SPEC_ALL, s->a), p.text ? "text" : "binary");
	}
	return rc;
}

/* ---- after the load ---- */

/* Of every table that is there, also of those that a killed run brought over. */
static int set_sequences(struct session *s, struct err *err)
{
	struct names seen = {0};
	int rc = 0;
	for (size_t i = 0; i < s->rows.n && rc == 0; i++) {
		const struct tables_row *row = &s->rows.v[i];
		const struct cat_table *t = catalog_find(&s->to, row->target_schema, row->target);
		const char *name = t && is_done(row) ? qualified(s->a, t->schema, t->name) : NULL;
		if (name && row->part == 1)
			rc = sequences_follow(s, row, t, err);
		if (rc || !name || names_has(&seen, name))
			continue;
		ARENA_PUSH(s->a, &seen, name);
		rc = sequences_set(&s->target, t, s->a, err);
	}
	return rc;
}

/* Keys of the target that rested during the load have looked at nothing: now they are asked. */
static int check_keys(struct run *r, struct err *err)
{
	struct session *s = r->s;
	struct names seen = {0};
	int broken = 0, rc = 0;
	for (size_t i = 0; i < s->rows.n && rc == 0; i++) {
		const struct cat_table *t = catalog_find(&s->to, s->rows.v[i].target_schema, s->rows.v[i].target);
		const char *name = t ? qualified(s->a, t->schema, t->name) : NULL;
		struct orphans_list list = {0};
		if (!name || names_has(&seen, name))
			continue;
		ARENA_PUSH(s->a, &seen, name);
		rc = foreign_keys_check(&s->target, t, 0, s->a, &list, err);
		for (size_t k = 0; k < list.n && rc == 0; k++) {
			broken += list.v[k].n > 0;
			if (list.v[k].n)
				say(s->env, TABLES_NOTE,
				    "foreign key %s of %s does not hold: %lld rows without a partner", list.v[k].name,
				    list.v[k].child, (long long)list.v[k].n);
		}
	}
	return rc || !broken
		   ? rc
		   : err_set(err, ERR_TARGET, "target: %d foreign keys do not hold for rows that came over", broken);
}

static int finish(struct run *r, struct err *err)
{
	struct session *s = r->s;
	struct err making = ERR_INIT;
	int rc = session_rows(s, err);
	for (size_t i = 0; i < s->rows.n; i++) {
		const struct tables_row *row = &s->rows.v[i];
		r->sum->left += !is_done(row);
		if (!r->o->select.table || row_is_named(row, r->o->select.table))
			r->sum->set_aside += row->rejected;
	}
	if (rc == 0)
		rc = set_sequences(s, err);
	if (rc)
		return rc;
	/* A key that does not hold keeps nothing else from being made. */
	if (r->triggers == TRIGGERS_REPLICA && r->sum->left == 0 && r->sum->parts)
		rc = check_keys(r, err);
	int made = objects_make(s, &making);
	return first_failure(s, rc, err, made, &making);
}

/* Parts of another run were read at another moment. */
static void warn_of_snapshots(const struct run *r)
{
	size_t before = 0;
	for (size_t i = 0; i < r->s->rows.n; i++)
		before += is_done(&r->s->rows.v[i]);
	if (before && r->chosen.n)
		log_at(r->s->env->log, LOG_WARN,
		       "%zu of %zu parts were copied by an earlier run: the source must not have changed since, or be "
		       "topped up with --since",
		       before, r->s->rows.n);
}

/* Parts that are passed over because they failed before: the end is not clean. */
static int count_errors(struct run *r, struct err *err)
{
	struct manifest_rows all;
	int rc = select_rows(&r->s->rows, &r->o->select, 1, r->s->a, &all, err);
	if (rc || r->o->retry_errors || all.n == r->chosen.n)
		return rc;
	r->sum->passed_over = (int64_t)(all.n - r->chosen.n);
	log_at(r->s->env->log, LOG_WARN,
	       "%lld parts failed before and are passed over: --retry-errors takes them again",
	       (long long)r->sum->passed_over);
	return 0;
}

static int64_t lite_version_of(struct session *s)
{
	struct lite_stmt *stmt = NULL;
	struct err ignored = ERR_INIT;
	int row = 0;
	int64_t version = 0;
	if (s->lite && lite_stmt(s->lite, "PRAGMA data_version", &stmt, &ignored) == 0 &&
	    lite_step(stmt, &row, &ignored) == 0 && row)
		version = lite_int(stmt, 0);
	lite_done(stmt);
	return version;
}

static int move(struct run *r, struct err *err)
{
	struct session *s = r->s;
	int64_t version = lite_version_of(s);
	int rc = 0;
	for (size_t i = 0; i < r->chosen.n && rc == 0 && r->o->export_dir; i++)
		if (r->chosen.v[i].part == 1)
			rc = export_csv(s, &r->chosen.v[i], r->o->export_dir, err);
	if (rc == 0)
		rc = s->job.one_transaction ? run_whole(r, err) : run_parts(r, err);
	struct err finishing = ERR_INIT;
	int finished = PQstatus(s->target.conn) == CONNECTION_OK ? finish(r, &finishing) : 0;
	rc = first_failure(s, rc, err, finished, &finishing);
	if (rc == 0 && lite_version_of(s) != version)
		rc = err_set(err, ERR_SOURCE,
			     "the source was written while it was read: `settle tables validate` tells what that did");
	return rc;
}

static int work(struct run *r, struct err *err)
{
	struct session *s = r->s;
	int rc = count_errors(r, err);
	if (rc)
		return rc;
	if (r->chosen.n == 0) {
		say(s->env, TABLES_DATA, NO_TABLE);
		return finish(r, err);
	}
	rc = s->job.one_transaction || s->job.wants_apply ? job_check(r, err)
							  : triggers_mode(&s->target, &r->triggers, err);
	if (rc)
		return rc;
	if (s->job.wants_apply && !r->o->apply) {
		r->sum->checked = 1;
		say(s->env, TABLES_DATA, "Validation succeeded. Re-run with --apply to perform the migration.");
		return 0;
	}
	rc = ask(r, err);
	if (rc || r->sum->refused)
		return rc;
	count(r);
	warn_of_snapshots(r);
	return move(r, err);
}

static int top_up(struct run *r, struct err *err)
{
	for (size_t i = 0; i < r->s->rows.n; i++)
		if (is_done(&r->s->rows.v[i]) &&
		    (!r->o->select.table || row_is_named(&r->s->rows.v[i], r->o->select.table)))
			ARENA_PUSH(r->s->a, &r->chosen, r->s->rows.v[i]);
	if (r->chosen.n == 0)
		return err_set(err, ERR_STATE, "nothing was migrated that could be topped up");
	int rc = triggers_mode(&r->s->target, &r->triggers, err);
	if (rc == 0 && r->s->job.wants_apply && !r->o->apply) {
		r->sum->checked = 1;
		say(r->s->env, TABLES_DATA, "Validation succeeded. Re-run with --apply to perform the migration.");
		return 0;
	}
	return rc ? rc : run_top_up(r, err);
}

int tables_migrate(const struct tables_env *env, const struct tables_migrate_options *o, struct tables_summary *out,
		   struct err *err)
{
	struct arena a = ARENA_INIT;
	struct session s = {.since = o->since};
	struct run r = {.s = &s, .o = o, .sum = out};
	*out = (struct tables_summary){0};
	int rc = session_open(&s, env, SESSION_SOURCE | SESSION_TARGET, &a, err);
	int checks_only = o->dry_run || (rc == 0 && s.job.wants_apply && !o->apply);
	if (rc == 0 && !checks_only)
		rc = parts_prepare(&s.target, err);
	if (rc == 0 && !checks_only)
		rc = parts_lock(&s, err);
	if (rc == 0 && !checks_only)
		rc = parts_follow(&s, err);
	if (rc == 0 && !checks_only)
		rc = foreign_keys_restore(&s, err);
	if (rc == 0 && o->since && !o->dry_run)
		rc = top_up(&r, err);
	else if (rc == 0) {
		rc = select_rows(&s.rows, &o->select, o->retry_errors, &a, &r.chosen, err);
		if (rc == 0)
			rc = o->dry_run ? dry_run(&r, err) : work(&r, err);
	}
	session_close(&s);
	arena_release(&a);
	if (rc || out->refused)
		return rc;
	return out->failed || out->rejected || out->set_aside || out->passed_over;
}
