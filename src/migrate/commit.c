/* commit: the last steps of a migration, and the steps back. */
#include "migrate/accept.h"
#include "migrate/recording.h"
#include "migrate/sample.h"
#include "migrate/scan.h"
#include "migrate/shutter.h"
#include "migrate/trail.h"

#define LISTEN_SECONDS 0.5

/* In the trail before it is in SQL. */
static int tell(struct run *r, const char *event, enum life_status to, unsigned flags, struct slice subject,
		struct err *err)
{
	struct trail_note note = {.event = event, .status = life_status_name(to), .flags = flags, .subject = subject};

	return trail_event(r, &note, err);
}

int migrate_unfinish(const struct migrate_env *env, struct err *err)
{
	struct run r;
	struct status s;
	enum life_status to;
	int rc = run_open(&r, env, LIFE_UNFINISH, NULL, 0, err);

	if (rc == 0)
		rc = run_enter(&r, LIFE_UNFINISH, &s, &to, err);
	if (rc == 0)
		rc = scan_forget(&r, err);
	if (rc == 0)
		rc = shutter_open(&r, err);
	if (rc == 0)
		rc = tell(&r, "unfinish", to, 0, SLICE("back to the live phase"), err);
	if (rc == 0)
		rc = run_set_status(&r, &s, to, err);
	if (rc == 0)
		rc = shutter_publish(&r, to, err);
	run_release(&r);
	return rc;
}

/* ---- commit ---- */

static void sum_kinds(const struct migrate_stats *s, int64_t *diffs, int64_t *missing, int64_t *changes)
{
	*diffs = *missing = *changes = 0;
	for (size_t i = 0; i < s->n_kinds; i++) {
		*diffs += s->kinds[i].diffs;
		*missing += s->kinds[i].missing;
		*changes += s->kinds[i].changes;
	}
}

static int refuse_unclean(const struct migrate_env *env, const struct migrate_stats *s, struct err *err)
{
	int64_t diffs, missing, changes;

	sum_kinds(s, &diffs, &missing, &changes);
	err_set(err, ERR_STATE,
		"%.*s is not clean: %lld documents with diffs, %lld missing, %lld with changes, %lld pending, %lld "
		"rejected, "
		"%lld losing revisions and %lld attachments not brought over%s",
		SLICE_ARG(env->domain), (long long)diffs, (long long)missing, (long long)changes, (long long)s->pending,
		(long long)s->rejected_now, (long long)s->conflicts_left, (long long)s->attachments_left,
		s->unfinished ? "; the last pass did not come to its end"
		: s->nothing  ? "; the source has no document of it: is the name right?"
			      : "");
	return err_hint(
	    err, "`settle diff show %.*s` names them; `settle commit %.*s --accept-differences` commits all the same",
	    SLICE_ARG(env->domain), SLICE_ARG(env->domain));
}

static int refuse_changed(const struct migrate_env *env, struct slice id, struct err *err)
{
	err_set(err, ERR_STATE, "the source has changed since the last pass: document %.*s", SLICE_ARG(id));
	return err_hint(err, "`settle migrate %.*s` brings it over; then commit again", SLICE_ARG(env->domain));
}

static int refuse_recorded_anew(const struct run *r, struct err *err)
{
	err_set(err, ERR_STATE, "the recorded feed %s holds other documents of %.*s than the last pass read",
		r->env->source->shown, SLICE_ARG(r->env->domain));
	return err_hint(err, "`settle migrate %.*s` brings them over; then commit again", SLICE_ARG(r->env->domain));
}

static int commit(struct run *r, int accept, struct err *err)
{
	struct migrate_stats stats;
	struct slice busy;
	struct status s;
	enum life_status to;
	struct checkpoint c;
	int same;

	if (run_enter(r, LIFE_COMMIT, &s, &to, err) || sample_check(r, err) ||
	    migrate_stats(r->env, &r->arena, &stats, err))
		return err->code;
	if (!stats.clean && (!accept || stats.unfinished || stats.pending))
		return refuse_unclean(r->env, &stats, err);
	if (checkpoint_read(r->targets[0], r->env->domain, &r->arena, &c, err))
		return err->code;
	if (c.seq.ptr)
		run_set_seq(r, c.seq);
	if (run_listen(r, LISTEN_SECONDS, 0, &busy, err))
		return err->code;
	if (busy.ptr)
		return refuse_changed(r->env, busy, err);
	if (recording_is_same(r, &same, err))
		return err->code;
	if (!same)
		return refuse_recorded_anew(r, err);
	if (stats.clean ? tell(r, "commit", to, 0, SLICE("committed, clean"), err) : accept_event(r, to, err))
		return err->code;
	if (run_set_status(r, &s, to, err))
		return err->code;
	return shutter_publish(r, to, err);
}

int migrate_commit(const struct migrate_env *env, int accept, struct err *err)
{
	struct run r;
	int rc = run_open(&r, env, LIFE_COMMIT, NULL, RUN_WITH_SOURCE, err);

	if (rc == 0)
		rc = commit(&r, accept, err);
	run_release(&r);
	return rc;
}

/* ---- reset ---- */

/* Everything of the domain, settle_migration last: its row is what the lock and the epoch hang on. */
static int delete_rows(struct run *r, struct sql_target *t, struct err *err)
{
	for (int i = 0; sql_all_tables[i]; i++)
		if (sql_all_tables[i] != &sql_migration &&
		    sql_delete_range(t, sql_all_tables[i], r->env->domain, 1, SLICE_NONE, SLICE_NONE, err))
			return err->code;
	return 0;
}

static int reset(struct run *r, struct err *err)
{
	struct sql_target *t = r->targets[0];
	struct status s, none = {.life = LIFE_NOT_STARTED, .exists = 1};
	enum life_status to;
	int rc = run_enter(r, LIFE_RESET, &s, &to, err);

	if (rc == 0)
		rc = shutter_open(r, err);
	if (rc == 0)
		rc = shutter_publish(r, to, err);
	r->trail_lost = 1;
	if (rc == 0)
		rc = tell(r, "reset", to, TRAIL_CLEAR, SLICE("reset: rows and state go"), err);
	if (rc)
		return rc;
	none.row = s.row;
	rc = sql_begin(t, err);
	if (rc == 0)
		rc = delete_rows(r, t, err);
	if (rc == 0)
		rc = status_write(t, r->env->domain, &r->arena, &none, err);
	if (rc == 0)
		rc = sql_commit(t, err);
	if (rc) {
		sql_rollback(t);
		return rc;
	}
	state_close(r->lister_state);
	state_close(r->state);
	r->state = r->lister_state = NULL;
	return state_remove(r->env->state_dir, r->env->domain, err);
}

int migrate_may_reset(const struct migrate_env *env, struct err *err)
{
	struct run r = {.env = env};
	struct status s;
	enum life_status to;
	int rc = run_read_status(&r, &s, err);

	if (rc == 0)
		rc = life_check(s.life, s.was_live, LIFE_RESET, &to, err);
	arena_release(&r.arena);
	return rc;
}

int migrate_reset(const struct migrate_env *env, struct err *err)
{
	struct run r;
	int rc = run_open(&r, env, LIFE_RESET, NULL, 0, err);

	if (rc == 0)
		rc = reset(&r, err);
	run_release(&r);
	return rc;
}
