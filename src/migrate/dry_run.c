/* dry_run: what a run would do. Opens everything read-only; writes nothing. */
#include "migrate/identity.h"
#include "migrate/session.h"

/* *there = 0: a target without settle's tables, where nothing was begun. */
static int open_target(struct run *r, struct status *s, struct checkpoint *c, int *there, struct err *err)
{
	struct sql_options o = {.url = r->env->target,
				.schema = r->env->schema,
				.flags = SQL_READ_ONLY | SQL_TRACELESS,
				.distribute = r->options.distribute,
				.log = r->env->log};
	int rc = sql_open(&r->targets[0], &o, err);

	*s = (struct status){.life = LIFE_NOT_STARTED};
	*c = (struct checkpoint){0};
	if (rc == 0)
		rc = sql_schema_check(r->targets[0], err);
	*there = rc == 0;
	if (rc == 0)
		rc = status_read(r->targets[0], r->env->domain, &r->arena, s, err);
	if (rc == 0)
		rc = checkpoint_read(r->targets[0], r->env->domain, &r->arena, c, err);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int open_state(struct run *r, struct err *err)
{
	int rc = state_open(&r->state, r->env->state_dir, r->env->domain, STATE_READ_ONLY | STATE_TRACELESS, err);

	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* The source must be there: a run would not begin without it. */
static int ask_source(struct run *r, const struct checkpoint *c, struct migrate_plan *out, struct err *err)
{
	struct couch_client *client = NULL;
	int rc;

	out->to_read = -1;
	if (r->env->source->scheme == URL_STDIN)
		return 0;
	if (!run_from_server(r))
		return run_open_feed(r, COUCH_FEED_NORMAL, err);
	if (identity_ask(r, &r->arena, &r->identity, err) || couch_client_open(&client, &r->couch, err))
		return err->code;
	rc = couch_pending(client, c->seq, &out->to_read, err);
	couch_client_close(client);
	return rc;
}

static const char *state_becomes(enum state_fit fit, int rebuild)
{
	if (rebuild)
		return "is rebuilt";
	switch (fit) {
	case STATE_FITS:
		return "is gone on with";
	case STATE_IS_NONE:
		return "is made";
	case STATE_IS_ANOTHERS:
	case STATE_IS_NEWER:
	case STATE_IS_OLDER:
		break;
	}
	return "is made anew";
}

static int count_left(struct run *r, struct migrate_plan *out, struct err *err)
{
	struct state_counts counts = {0};

	if (r->state && state_counts(r->state, &counts, err))
		return err->code;
	out->pending = counts.pending;
	out->missing = counts.missing;
	out->patches = counts.diffs + counts.changes;
	return 0;
}

static int foresee(struct run *r, struct migrate_plan *out, struct err *err)
{
	struct status s;
	struct checkpoint c;
	enum life_status to;
	enum state_fit fit;

	if (open_target(r, &s, &c, &out->tables, err) || ask_source(r, &c, out, err) || open_state(r, err))
		return err->code;
	if (run_foresee(r, run_command_of(&r->options), &s, &to, &fit, err))
		return err->code;
	out->status = slice_of(life_status_name(s.life));
	out->leads_to = slice_of(life_status_name(to));
	out->state_file = state_becomes(fit, r->options.rebuild_state);
	out->from_checkpoint = run_from_server(r) && c.seq.ptr && !r->options.rebuild_state;
	return fit == STATE_FITS ? count_left(r, out, err) : 0;
}

int migrate_dry_run(const struct migrate_env *env, const struct migrate_options *o, struct migrate_plan *out,
		    struct err *err)
{
	struct run r;
	int rc;

	*out = (struct migrate_plan){.to_read = -1};
	run_init(&r, env, o);
	rc = foresee(&r, out, err);
	run_release(&r);
	return rc;
}
