/* session: the handles of one run, opened in the order in which they may be refused, and given back. */
#include "migrate/session.h"

#include "migrate/identity.h"

#define DEFAULT_JOBS 2
#define DEFAULT_BATCH_BYTES (1u << 20)
#define DEFAULT_BATCH_DOCS 1000
#define DEFAULT_MAX_DOC (64u << 20)

static void fill_defaults(struct migrate_options *o)
{
	o->jobs = o->jobs ? o->jobs : DEFAULT_JOBS;
	o->jobs = o->jobs > PIPELINE_MAX_WORKERS ? PIPELINE_MAX_WORKERS : o->jobs;
	o->batch_bytes = o->batch_bytes ? o->batch_bytes : DEFAULT_BATCH_BYTES;
	o->batch_docs = o->batch_docs ? o->batch_docs : DEFAULT_BATCH_DOCS;
	o->max_doc = o->max_doc ? o->max_doc : DEFAULT_MAX_DOC;
}

static int open_target(struct run *r, unsigned flags, struct sql_target **out, struct err *err)
{
	struct sql_options o = {
	    .url = r->env->target,
	    .schema = r->env->schema,
	    .flags = flags,
	    .distribute = r->options.distribute,
	    .log = r->env->log,
	};

	return sql_open(out, &o, err);
}

static int open_targets(struct run *r, struct err *err)
{
	if (open_target(r, SQL_CREATE, &r->targets[0], err) ||
	    sql_domain_lock(r->targets[0], r->env->domain, &r->epoch, err))
		return err->code;
	for (int i = 1; i < r->workers && sql_concurrent(r->targets[0]); i++)
		if (open_target(r, 0, &r->targets[i], err) ||
		    sql_domain_join(r->targets[i], r->env->domain, r->epoch, err))
			return err->code;
	return open_target(r, SQL_READ_ONLY, &r->lister, err);
}

int run_open_state(struct run *r, struct err *err)
{
	if (state_open(&r->state, r->env->state_dir, r->env->domain, 0, err))
		return err->code;
	return state_open(&r->lister_state, r->env->state_dir, r->env->domain, STATE_READ_ONLY, err);
}

static int open_looking(struct run *r, struct err *err)
{
	int rc = open_target(r, SQL_READ_ONLY, &r->lister, err);

	if (rc == 0)
		rc = sql_schema_check(r->lister, err);
	if (rc == 0)
		rc = state_open(&r->lister_state, r->env->state_dir, r->env->domain, STATE_READ_ONLY, err);
	if (rc != ERR_NOTFOUND)
		return rc;
	err_set(err, ERR_STATE, "%.*s is not-started: nothing is known of it here", SLICE_ARG(r->env->domain));
	return err_hint(err, "`settle migrate %.*s` comes first, or name the right --target and --state-dir",
			SLICE_ARG(r->env->domain));
}

int run_from_server(const struct run *r)
{
	enum url_scheme scheme = r->env->source->scheme;

	return scheme == URL_HTTP || scheme == URL_HTTPS;
}

/* Nothing is written anywhere before the source has answered. */
static int reach_source(struct run *r, struct err *err)
{
	return run_from_server(r) ? identity_ask(r, &r->arena, &r->identity, err) : run_open_feed(r, COUCH_FEED_NORMAL, err);
}

int run_read_status(struct run *r, struct status *s, struct err *err)
{
	struct sql_target *t = NULL;
	int rc = open_target(r, SQL_READ_ONLY, &t, err);

	*s = (struct status){.life = LIFE_NOT_STARTED};
	if (rc == 0)
		rc = sql_schema_check(t, err);
	if (rc == 0)
		rc = status_read(t, r->env->domain, &r->arena, s, err);
	sql_close(t);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* Where nothing was begun, a command that does not begin leaves nothing behind. */
static int refuse_unbegun(struct run *r, enum life_command command, struct err *err)
{
	struct err why = ERR_INIT;
	enum life_status to;
	struct status s;

	if (life_check(LIFE_NOT_STARTED, 0, command, &to, &why) == 0)
		return 0;
	if (run_read_status(r, &s, err))
		return err->code;
	*err = s.life == LIFE_NOT_STARTED ? why : (struct err)ERR_INIT;
	return err->code;
}

void run_init(struct run *r, const struct migrate_env *env, const struct migrate_options *o)
{
	*r = (struct run){.env = env, .profile = env->profile, .seq = BUF_INIT(1u << 20), .compared = BUF_INIT(1u << 20)};
	if (o)
		r->options = *o;
	fill_defaults(&r->options);
	r->workers = r->options.jobs;
	pthread_mutex_init(&r->inflight_mutex, NULL);
	r->couch = (struct couch_options){
	        .url = env->source,
	        .user = env->source_user,
	        .password = env->source_password,
	        .stop = env->stop,
	};
}

int run_open(struct run *r, const struct migrate_env *env, enum life_command command, const struct migrate_options *o,
	     enum run_open_flags flags, struct err *err)
{
	run_init(r, env, o);
	if (!(flags & RUN_LOOK) && refuse_unbegun(r, command, err))
		return err->code;
	if ((flags & RUN_WITH_SOURCE) && reach_source(r, err))
		return err->code;
	if (flags & RUN_LOOK)
		return open_looking(r, err);
	if (open_targets(r, err))
		return err->code;
	return run_open_state(r, err);
}

void run_release(struct run *r)
{
	run_progress_draw(r, NULL);
	fetch_close(r->fetch);
	sql_close(r->lister);
	for (int i = r->workers - 1; i >= 0; i--)
		sql_close(r->targets[i]);
	state_close(r->lister_state);
	state_close(r->state);
	buf_release(&r->seq);
	buf_release(&r->compared);
	pthread_mutex_destroy(&r->inflight_mutex);
	arena_release(&r->arena);
}
