/* begin: may this command run now, and does it go on with what it began with? */
#include "base/hex.h"
#include "migrate/identity.h"
#include "migrate/moment.h"
#include "migrate/session.h"
#include "migrate/shutter.h"
#include "migrate/sql_only.h"
#include "migrate/trial.h"
#include "migrate/without.h"

static int refuse_setting(const struct run *r, const char *what, struct slice was, struct slice is, struct err *err)
{
	err_set(err, ERR_STATE, "%s of this migration is %.*s, now it is %.*s", what, SLICE_ARG(was), SLICE_ARG(is));
	return err_hint(err, "give the same %s as before, or begin again with `settle reset %.*s`", what,
			SLICE_ARG(r->env->domain));
}

/* The setting `key` of two settings objects is the same; absent ones do not count. */
static int same_setting(struct slice x, struct slice y, const char *key)
{
	struct arena a = ARENA_INIT;
	struct json vx, vy;
	const struct json *mx, *my;
	int same = 0;

	if (json_read(x, &a, 0, &vx, NULL, NULL) == 0 && json_read(y, &a, 0, &vy, NULL, NULL) == 0) {
		mx = json_gets(&vx, key);
		my = json_gets(&vy, key);
		same = !mx || !my || json_eq(mx, my);
	}
	arena_release(&a);
	return same;
}

/* Another user may read the same database. */
static int same_source(const struct url *is, struct slice shown)
{
	struct arena a = ARENA_INIT;
	struct url was;
	int same = slice_eq(shown, slice_of(is->shown));

	if (!same && (is->scheme == URL_HTTP || is->scheme == URL_HTTPS) &&
	    url_parse_source(arena_str(&a, shown), &a, &was, NULL) == 0)
		same = was.scheme == is->scheme && strcmp(was.base, is->base) == 0 && strcmp(was.path, is->path) == 0;
	arena_release(&a);
	return same;
}

static int check_settings(const struct run *r, const struct status *s, struct slice settings, struct err *err)
{
	if (!s->source.ptr)
		return 0;
	if (!same_source(r->env->source, s->source))
		return refuse_setting(r, "source", s->source, slice_of(r->env->source->shown), err);
	if (!slice_eq(s->profile, r->profile->name))
		return refuse_setting(r, "profile", s->profile, r->profile->name, err);
	if (s->settings.ptr && !same_setting(s->settings, settings, "mapping")) {
		err_set(err, ERR_STATE, "the mapping of profile %.*s has changed since this migration began",
			SLICE_ARG(r->profile->name));
		return err_hint(
		    err,
		    "rules may change during a migration, kinds and columns may not; begin again with `settle reset`");
	}
	if (s->source_identity.ptr && r->identity.ptr)
		return identity_compare(s->source_identity, r->identity, err);
	return 0;
}

/* ---- target and state file belong together ---- */

static int drop_state(struct run *r, const char *why, struct err *err)
{
	log_at(r->env->log, LOG_WARN, "the state file of %.*s %s: it is made anew", SLICE_ARG(r->env->domain), why);
	state_close(r->lister_state);
	state_close(r->state);
	r->state = r->lister_state = NULL;
	if (state_remove(r->env->state_dir, r->env->domain, err))
		return err->code;
	return run_open_state(r, err);
}

static int refuse_lost_state(const struct run *r, struct err *err)
{
	err_set(err, ERR_STATE, "the target holds a migration of %.*s that this state directory knows nothing of",
		SLICE_ARG(r->env->domain));
	return err_hint(
	    err,
	    "name the state directory it was run with (--state-dir), or rebuild it from target and source with "
	    "`settle migrate %.*s --rebuild-state`",
	    SLICE_ARG(r->env->domain));
}

static int refuse_foreign_state(const struct run *r, struct slice target, struct err *err)
{
	err_set(err, ERR_STATE, "this state directory holds a migration of %.*s into %.*s", SLICE_ARG(r->env->domain),
		SLICE_ARG(target));
	return err_hint(
	    err,
	    "give each target a state directory of its own (--state-dir), or end that migration with `settle reset`");
}

/* One of the two was restored from an older copy; going on would leave in it what is in neither. */
static int refuse_older(struct run *r, enum moment_verdict which, const struct moments *m, int64_t target,
			struct err *err)
{
	char in_target[DATETIME_TEXT_SIZE] = "nothing", in_state[DATETIME_TEXT_SIZE] = "nothing";

	if (target)
		(void)datetime_format(target, in_target);
	if (m->now)
		(void)datetime_format(m->now, in_state);
	err_set(err, ERR_STATE,
		"%s of %.*s is older than %s (was it restored from a backup?): last written together %s in the target, "
		"%s in the state file",
		which == MOMENT_TARGET_OLDER ? "the target" : "the state file", SLICE_ARG(r->env->domain),
		which == MOMENT_TARGET_OLDER ? "its state file" : "its target", in_target, in_state);
	return err_hint(err,
			"put the one of the same moment back, or make both whole from the source with `settle migrate "
			"%.*s --rebuild-state`",
			SLICE_ARG(r->env->domain));
}

static int remember(struct run *r, const struct status *s, struct err *err)
{
	if (state_value_put(r->state, "target", slice_of(r->env->target->shown), err))
		return err->code;
	return state_value_put(r->state, "migration", s->id, err);
}

/* ---- rebuilding a lost state file ---- */

#define REBUILDING "rebuilding"

int run_is_rebuilding(struct run *r, int *rebuilding, struct err *err)
{
	struct slice v;

	if (state_value_get(r->state, REBUILDING, &r->arena, &v, err))
		return err->code;
	*rebuilding = v.ptr && slice_is(v, "yes");
	return 0;
}

int run_rebuilt(struct run *r, struct err *err)
{
	if (sql_only_remember(r, err))
		return err->code;
	return state_value_put(r->state, REBUILDING, SLICE("no"), err);
}

/*
 * The checkpoint goes first, so that a kill at any moment leaves a state file that is refused, or one that says what it
 * lacks. A rebuild that was killed is gone on with.
 */
static int begin_rebuild(struct run *r, struct err *err)
{
	struct sql_target *t = r->targets[0];
	int rebuilding;

	if (run_is_rebuilding(r, &rebuilding, err))
		return err->code;
	if (rebuilding)
		return 0;
	if (sql_delete_range(t, &sql_checkpoint, r->env->domain, 1, SLICE_NONE, SLICE_NONE, err) ||
	    sql_commit(t, err) || sql_begin(t, err) || moment_none(r, err))
		return err->code;
	return state_value_put(r->state, REBUILDING, SLICE("yes"), err);
}

static int begin_anew(struct run *r, const struct status *s, struct err *err)
{
	if (s->life == LIFE_NOT_STARTED ? shutter_none(r, err) || moment_none(r, err) : begin_rebuild(r, err))
		return err->code;
	return remember(r, s, err);
}

/* Both are of one migration. Of one moment, too? */
static int judge_moment(struct run *r, enum life_command command, enum state_fit *fit, struct err *err)
{
	struct moments m;
	enum moment_verdict which;
	int64_t target;

	if (moment_enter(r, r->targets[0], &m, &target, err))
		return err->code;
	which = moment_judge(&m, target);
	*fit = which == MOMENT_SAME ? STATE_FITS : which == MOMENT_TARGET_OLDER ? STATE_IS_NEWER : STATE_IS_OLDER;
	if (*fit != STATE_FITS && command != LIFE_RESET && !r->options.rebuild_state)
		return refuse_older(r, which, &m, target, err);
	return 0;
}

/* Each migration has an id, in the target and in the state file. r->state NULL: there is no state file. Writes nothing.
 */
static int judge_state(struct run *r, enum life_command command, const struct status *s, enum state_fit *fit,
		       struct err *err)
{
	struct slice held = SLICE_NONE, target = SLICE_NONE;

	if (r->state && (state_value_get(r->state, "migration", &r->arena, &held, err) ||
			 state_value_get(r->state, "target", &r->arena, &target, err)))
		return err->code;
	*fit = held.ptr ? STATE_IS_ANOTHERS : STATE_IS_NONE;
	if (held.ptr && s->id.ptr && slice_eq(held, s->id))
		return judge_moment(r, command, fit, err);
	if (held.ptr && target.ptr && !slice_is(target, r->env->target->shown))
		return refuse_foreign_state(r, target, err);
	if (command != LIFE_RESET && s->life != LIFE_NOT_STARTED && !r->options.rebuild_state)
		return refuse_lost_state(r, err);
	return 0;
}

static const char *why_dropped(enum state_fit fit)
{
	switch (fit) {
	case STATE_IS_NEWER:
		return "is newer than its target";
	case STATE_IS_OLDER:
		return "is older than its target";
	case STATE_IS_ANOTHERS:
		return "belongs to another migration (its target is gone, or was begun anew)";
	case STATE_FITS:
	case STATE_IS_NONE:
		break;
	}
	return NULL;
}

/* A reset needs nothing of it, and may fail yet. */
static int match_state(struct run *r, enum life_command command, struct status *s, struct err *err)
{
	enum state_fit fit;

	if (judge_state(r, command, s, &fit, err))
		return err->code;
	r->apart = fit == STATE_IS_NEWER || fit == STATE_IS_OLDER;
	if (fit == STATE_FITS)
		return r->options.rebuild_state ? begin_rebuild(r, err) : 0;
	if (command == LIFE_RESET && r->apart)
		return 0;
	if (!s->id.ptr)
		s->id = hex_random(16, &r->arena);
	if (why_dropped(fit) && drop_state(r, why_dropped(fit), err))
		return err->code;
	return command == LIFE_RESET ? 0 : begin_anew(r, s, err);
}

/* ---- trial runs ---- */

static int refuse_other_trial(const struct run *r, struct slice then, struct slice now, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct slice was = trial_shown(then, &a), is = trial_shown(now, &a);

	err_set(err, ERR_STATE, "this migration began with %.*s, now there is %.*s%s", SLICE_ARG(was), SLICE_ARG(is),
		then.ptr ? ": a trial run cannot become a full one" : "");
	err_hint(err, "begin again with `settle reset %.*s`", SLICE_ARG(r->env->domain));
	arena_release(&a);
	return err->code;
}

static int refuse_trial_commit(const struct run *r, struct slice trial, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct slice was = trial_shown(trial, &a);

	err_set(err, ERR_STATE, "this migration is a trial run (%.*s): it cannot be committed", SLICE_ARG(was));
	err_hint(err, "begin again with `settle reset %.*s`, then `settle migrate %.*s`", SLICE_ARG(r->env->domain),
		 SLICE_ARG(r->env->domain));
	arena_release(&a);
	return err->code;
}

static int is_migrate(enum life_command command)
{
	return command == LIFE_MIGRATE || command == LIFE_MIGRATE_LIVE || command == LIFE_MIGRATE_PATCH ||
	       command == LIFE_MIGRATE_FINISH || command == LIFE_MIGRATE_FORMS;
}

/* Commands that do not say what they migrate go on with what the migration began with. */
static int check_trial(struct run *r, enum life_command command, const struct status *s, struct err *err)
{
	struct slice then = trial_of_settings(s->settings, &r->arena), now = trial_of_options(&r->options, &r->arena);

	if (command == LIFE_COMMIT && then.ptr)
		return refuse_trial_commit(r, then, err);
	if (is_migrate(command) && s->life != LIFE_NOT_STARTED && (!then.ptr != !now.ptr || !slice_eq(then, now)))
		return refuse_other_trial(r, then, now, err);
	r->trial = is_migrate(command) ? now : then;
	return 0;
}

static struct slice settings_of(struct run *r, struct slice id)
{
	const struct status_settings held = {.id = id, .trial = r->trial, .without = r->without};

	return status_settings_text(r->env, &held, &r->arena);
}

static int read_and_check(struct run *r, enum life_command command, struct status *s, enum life_status *to,
			  struct err *err)
{
	if (life_check(s->life, s->was_live, command, to, err) || check_trial(r, command, s, err))
		return err->code;
	r->without = r->options.sets_without ? r->options.without : without_of_settings(s->settings, &r->arena);
	s->settings_now = settings_of(r, s->id.ptr ? s->id : SLICE_NONE);
	if (r->env->source && command != LIFE_RESET && check_settings(r, s, s->settings_now, err))
		return err->code;
	return 0;
}

int run_foresee(struct run *r, enum life_command command, struct status *s, enum life_status *to, enum state_fit *fit,
		struct err *err)
{
	if (read_and_check(r, command, s, to, err))
		return err->code;
	return judge_state(r, command, s, fit, err);
}

int run_enter(struct run *r, enum life_command command, struct status *s, enum life_status *to, struct err *err)
{
	int rc = sql_begin(r->targets[0], err);

	if (rc == 0)
		rc = status_read(r->targets[0], r->env->domain, &r->arena, s, err);
	if (rc == 0)
		rc = read_and_check(r, command, s, to, err);
	if (rc == 0)
		rc = match_state(r, command, s, err);
	sql_rollback(r->targets[0]);
	return rc;
}

int run_set_status(struct run *r, struct status *s, enum life_status to, struct err *err)
{
	struct sql_target *t = r->targets[0];
	int changes = s->life != to;
	int rc = sql_begin(t, err);

	s->life = to;
	s->was_live = to == LIFE_LIVE || s->was_live;
	if (r->env->source) {
		s->source = slice_of(r->env->source->shown);
		s->source_identity = r->identity;
	}
	s->profile = r->profile->name;
	s->settings = settings_of(r, s->id);
	if (rc == 0)
		rc = status_write(t, r->env->domain, &r->arena, s, err);
	if (rc == 0 && changes)
		rc = moment_mark(r, t, err);
	if (rc == 0)
		rc = sql_commit(t, err);
	if (rc == 0)
		moment_done(r);
	else
		sql_rollback(t);
	return rc;
}
