/* migrate: the phases of one run. */
#include "migrate/migrate.h"

#include "base/clock.h"
#include "migrate/patch_pass.h"
#include "migrate/rules_used.h"
#include "migrate/sample.h"
#include "migrate/scan.h"
#include "migrate/session.h"
#include "migrate/trail.h"
#include "migrate/views.h"

#define HEAL_TRIES 10
#define HEAL_FIRST_MS 250

struct attempt {           /* what one opening of everything came to */
	int opened;        /* source, target and state could be had, this time or before */
	int64_t committed; /* documents this time */
	struct migrate_outcome out;
};

enum life_command run_command_of(const struct migrate_options *o)
{
	if (o->forms_missing || o->n_forms)
		return LIFE_MIGRATE_FORMS;
	if (o->finish)
		return LIFE_MIGRATE_FINISH;
	if (o->live || o->follow)
		return LIFE_MIGRATE_LIVE;
	if (o->patch && !o->patch_may_begin)
		return LIFE_MIGRATE_PATCH;
	return LIFE_MIGRATE;
}

static int run_phases(struct run *r, struct err *err)
{
	if (run_pass(r, err) || run_cases(r, err))
		return err->code;
	return sql_finish_load(r->targets[0], err);
}

/* Rules may be edited while a migration runs; what was compared before was compared with the old ones. */
static int begin_rules(struct run *r, struct err *err)
{
	struct rules_judgement cases, forms;

	if (rules_used_judge(r->state, r->profile, AGAIN_CASES, &r->arena, &cases, err) ||
	    rules_used_judge(r->state, r->profile, AGAIN_FORMS, &r->arena, &forms, err))
		return err->code;
	if (cases.verdict != RULES_SAME || forms.verdict != RULES_SAME)
		log_at(r->env->log, LOG_WARN,
		       "the rules were edited since differences were recorded: `settle diff filter %.*s` applies them "
		       "to what "
		       "is stored",
		       SLICE_ARG(r->env->domain));
	if (rules_used_add(r->state, r->profile, AGAIN_CASES, err) ||
	    rules_used_add(r->state, r->profile, AGAIN_FORMS, err))
		return err->code;
	return 0;
}

/* A file is read whole: every form was compared. */
static int end_rules(struct run *r, struct err *err)
{
	if (run_from_server(r) || r->trial.ptr)
		return 0;
	return rules_used_only(r->state, r->profile, AGAIN_FORMS, err);
}

/* Missing forms are brought over first: no patch for what the source can still tell. */
static int patch(struct run *r, int64_t *absent, struct err *err)
{
	struct migrate_patch_options o = {.digests = r->options.audit_digests};
	struct migrate_patched done = {0};
	int given = r->options.forms_missing || r->options.n_forms;

	if (!r->options.patch || r->still_busy)
		return 0;
	r->options.forms_missing = 1;
	if (!given && run_forms(r, absent, err))
		return err->code;
	return patch_pass(r, &o, &done, err);
}

/* A scan at the end of the live phase waits until nothing is written any more. */
static int run_all(struct run *r, struct status *s, int64_t *absent, struct err *err)
{
	if (r->options.forms_missing || r->options.n_forms)
		return trail_by_hand(r, err) ? (int)err->code : run_forms(r, absent, err);
	if (run_phases(r, err) || end_rules(r, err))
		return err->code;
	if (r->options.finish)
		return run_finish(r, s, err);
	if (run_scan(r, err))
		return err->code;
	return r->options.follow ? run_follow(r, err) : 0;
}

static int migrate(struct run *r, int64_t *absent, struct err *err)
{
	struct status s;
	enum life_status to;

	if (run_enter(r, run_command_of(&r->options), &s, &to, err) || sample_check(r, err) ||
	    trail_run_begin(r, &s, to, err))
		return err->code;
	/* The live phase ends only when the source is proven quiet. */
	if (!(s.life == LIFE_LIVE && to == LIFE_IN_PROGRESS) && run_set_status(r, &s, to, err))
		return err->code;
	if (patch_resume(r, r->options.audit_digests, err) || run_make_views(r, err) || begin_rules(r, err))
		return err->code;
	if (run_all(r, &s, absent, err) || patch(r, absent, err))
		return err->code;
	return trail_run_end(r, err);
}

static int run_once(const struct migrate_env *env, const struct migrate_options *options, struct attempt *a,
		    struct err *err)
{
	struct run r;
	int rc = run_open(&r, env, run_command_of(options), options, RUN_WITH_SOURCE, err);

	a->opened |= rc == 0;
	if (rc == 0)
		rc = migrate(&r, &a->out.absent, err);
	a->out.source_busy = r.still_busy;
	a->out.read += r.counters.read - r.read_before;
	a->committed = atomic_load(&r.progress.committed);
	run_release(&r);
	return rc;
}

/*
 * Errors of the target that can heal: it was reached before and is restarted, fails over, cuts the connection, or meets
 * a deadlock. Everything is opened anew and goes on from the checkpoint, as the next run would.
 */
static int can_heal(const struct migrate_env *env, const struct attempt *a, const struct err *err)
{
	if (!a->opened || env->source->scheme == URL_STDIN)
		return 0;
	return (err->code == ERR_TARGET && err->retryable) || err->code == ERR_BUSY;
}

static int wait_to_heal(const struct migrate_env *env, int tries, const struct err *err)
{
	int ms = HEAL_FIRST_MS << (tries < 6 ? tries : 6);

	log_progress(env->log, "");
	log_at(env->log, LOG_WARN, "%s; trying again in %d ms", err->msg, ms);
	for (; ms > 0; ms -= 50) {
		if (env->stop && atomic_load(env->stop))
			return 0;
		clock_sleep_ms(ms < 50 ? ms : 50);
	}
	return 1;
}

int migrate_run(const struct migrate_env *env, const struct migrate_options *options, struct migrate_outcome *out,
		struct err *err)
{
	struct attempt a = {0};
	int rc, tries = 0;

	do {
		rc = run_once(env, options, &a, err);
		tries = a.committed ? 0 : tries + 1;
	} while (rc && can_heal(env, &a, err) && tries <= HEAL_TRIES && wait_to_heal(env, tries, err));
	*out = a.out;
	return rc;
}
