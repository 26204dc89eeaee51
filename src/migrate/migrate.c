/* migrate: the phases of one run. */
#include "migrate/migrate.h"

#include "migrate/session.h"

static enum life_command command_of(const struct migrate_options *o)
{
	if (o->finish)
		return LIFE_MIGRATE_FINISH;
	if (o->live || o->follow)
		return LIFE_MIGRATE_LIVE;
	return LIFE_MIGRATE;
}

static int run_phases(struct run *r, struct err *err)
{
	if (run_pass(r, err) || run_cases(r, err))
		return err->code;
	return sql_finish_load(r->targets[0], err);
}

static int migrate(struct run *r, struct err *err)
{
	struct status s;
	enum life_status to;

	if (run_enter(r, command_of(&r->options), &s, &to, err))
		return err->code;
	/* The live phase ends only when the source is proven quiet. */
	if (!(s.life == LIFE_LIVE && to == LIFE_IN_PROGRESS) && run_set_status(r, &s, to, err))
		return err->code;
	if (run_phases(r, err))
		return err->code;
	if (r->options.follow)
		return run_follow(r, err);
	if (r->options.finish)
		return run_finish(r, &s, err);
	return 0;
}

int migrate_run(const struct migrate_env *env, const struct migrate_options *options, struct migrate_outcome *out,
                struct err *err)
{
	struct run r;
	int rc = run_open(&r, env, options, RUN_WITH_SOURCE, err);

	if (rc == 0)
		rc = migrate(&r, err);
	out->source_busy = r.still_busy;
	run_release(&r);
	return rc;
}
