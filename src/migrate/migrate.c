/* migrate: one run from opening the handles to the last phase. */
#include "migrate/migrate.h"

#include "base/clock.h"
#include "migrate/rows.h"
#include "migrate/run.h"
#include "migrate/status.h"

#include <stdio.h>

#define DEFAULT_JOBS 2
#define DEFAULT_BATCH_BYTES (1u << 20)
#define DEFAULT_BATCH_DOCS 1000
#define DEFAULT_MAX_DOC (64u << 20)
#define SEQ_INTERVAL 100

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

static int open_state(struct run *r, struct err *err)
{
	if (state_open(&r->state, r->env->state_dir, r->env->domain, 0, err))
		return err->code;
	return state_open(&r->lister_state, r->env->state_dir, r->env->domain, STATE_READ_ONLY, err);
}

/* ---- what may not change under a migration ---- */

static int is_server(const struct url *source)
{
	return source->scheme == URL_HTTP || source->scheme == URL_HTTPS;
}

static int source_identity(struct run *r, const struct couch_options *o, struct slice *out, struct err *err)
{
	struct couch_client *client = NULL;
	struct couch_server_info server;
	struct couch_db_info db;
	struct json v = json_object();
	int rc;

	*out = SLICE_NONE;
	if (!is_server(r->env->source))
		return 0;
	rc = couch_client_open(&client, o, err);
	if (rc == 0)
		rc = couch_db_info(client, &r->arena, &db, err);
	if (rc == 0)
		rc = couch_server_info(client, &r->arena, &server, err);
	couch_client_close(client);
	if (rc)
		return rc == ERR_NOTFOUND
			   ? err_set(err, ERR_SOURCE, "source: there is no database at %s", r->env->source->shown)
			   : rc;
	json_sets(&r->arena, &v, "uuid", json_string(server.uuid));
	json_sets(&r->arena, &v, "db", json_string(db.name));
	json_sets(&r->arena, &v, "instance_start_time", json_string(db.instance_start_time));
	*out = json_to_text(&v, JSON_CANONICAL, &r->arena);
	return 0;
}

static int refuse_setting(const struct run *r, const char *what, struct slice was, struct slice is, struct err *err)
{
	err_set(err, ERR_STATE, "%s of this migration is %.*s, now it is %.*s", what, SLICE_ARG(was), SLICE_ARG(is));
	return err_hint(err, "give the same %s as before, or begin again with `settle reset %.*s`", what,
			SLICE_ARG(r->env->domain));
}

/* jsonb gives back other bytes for the same value. */
static int same_json(struct slice x, struct slice y)
{
	struct arena a = ARENA_INIT;
	struct json vx, vy;
	int same = json_read(x, &a, 0, &vx, NULL, NULL) == 0 && json_read(y, &a, 0, &vy, NULL, NULL) == 0 && json_eq(&vx, &vy);

	arena_release(&a);
	return same;
}

static int check_settings(const struct run *r, const struct status *s, struct slice identity, struct slice settings,
			  struct err *err)
{
	struct slice source = slice_of(r->env->source->shown);

	if (slice_is(s->status, "complete")) {
		err_set(err, ERR_STATE, "%.*s is complete: it was committed and cannot be migrated again",
			SLICE_ARG(r->env->domain));
		return err_hint(err, "`settle stats %.*s` and `settle diff cases %.*s` still work",
				SLICE_ARG(r->env->domain), SLICE_ARG(r->env->domain));
	}
	if (!s->exists || !s->source.ptr)
		return 0;
	if (!slice_eq(s->source, source))
		return refuse_setting(r, "source", s->source, source, err);
	if (!slice_eq(s->profile, r->profile->name))
		return refuse_setting(r, "profile", s->profile, r->profile->name, err);
	if (s->settings.ptr && !same_json(s->settings, settings)) {
		err_set(err, ERR_STATE, "the mapping of profile %.*s has changed since this migration began",
			SLICE_ARG(r->profile->name));
		return err_hint(
		    err,
		    "rules may change during a migration, kinds and columns may not; begin again with `settle reset`");
	}
	if (s->source_identity.ptr && identity.ptr && !same_json(s->source_identity, identity)) {
		err_set(err, ERR_STATE,
			"the source is not the database this migration began with: it was %.*s and is %.*s",
			SLICE_ARG(s->source_identity), SLICE_ARG(identity));
		return err_hint(err, "it was deleted and created again, restored, or another server answers; its "
				     "checkpoint means nothing there");
	}
	return 0;
}

static int begin_status(struct run *r, struct slice identity, struct err *err)
{
	struct slice settings = status_settings(r->env, &r->arena);
	struct sql_target *t = r->targets[0];
	struct status s;

	if (sql_begin(t, err))
		return err->code;
	if (status_read(t, r->env->domain, &r->arena, &s, err) || check_settings(r, &s, identity, settings, err))
		return err->code;
	if (!s.exists || slice_is(s.status, "not-started"))
		s.status = SLICE("in-progress");
	s.source = slice_of(r->env->source->shown);
	s.source_identity = identity;
	s.profile = r->profile->name;
	s.settings = settings;
	if (status_write(t, r->env->domain, &r->arena, &s, err))
		return err->code;
	return sql_commit(t, err);
}

/* ---- the feed ---- */

/* Goes on after the checkpoint; a file is read whole again. */
static int begin_pass(struct run *r, struct err *err)
{
	struct checkpoint c;

	if (checkpoint_read(r->targets[0], r->env->domain, &r->arena, &c, err))
		return err->code;
	r->previous = c.counters;
	r->pass = c.pass % 2 ? c.pass : c.pass + 1;
	if (!is_server(r->env->source))
		return 0;
	if (c.pass % 2)
		r->counters = c.counters;
	if (c.seq.ptr)
		run_set_seq(r, c.seq);
	return 0;
}

static int64_t expected_rows(struct run *r, const struct couch_options *o)
{
	struct couch_client *client = NULL;
	struct err err = ERR_INIT;
	int64_t pending = 0;

	if (!is_server(r->env->source) || couch_client_open(&client, o, &err))
		return 0;
	if (couch_pending(client, r->seq.len ? buf_slice(&r->seq) : SLICE_NONE, &pending, &err) || pending < 0)
		pending = 0;
	couch_client_close(client);
	return pending;
}

static int open_feed(struct run *r, const struct couch_options *o, struct err *err)
{
	struct fetch_options f = {
	    .couch = *o,
	    .feed = {.kind = COUCH_FEED_NORMAL, .seq_interval = SEQ_INTERVAL, .max_row = r->options.max_doc},
	    .batch_bytes = r->options.batch_bytes,
	    .batch_docs = (size_t)r->options.batch_docs,
	    .limit = r->options.limit,
	    .log = r->env->log,
	};

	if (r->seq.len)
		f.feed.since = buf_slice(&r->seq);
	return fetch_open(&r->fetch, &f, err);
}

void run_set_seq(struct run *r, struct slice seq)
{
	buf_clear(&r->seq);
	buf_adds(&r->seq, seq);
}

/* ---- the run ---- */

static void report_pass(struct run *r, int64_t started)
{
	const struct migrate_counters *c = &r->counters;
	double seconds = (double)(clock_mono_us() - started) / 1e6;

	if (c->read == 0 && r->previous.read)
		log_at(r->env->log, LOG_INFO, "the source has nothing new");
	else
		log_at(r->env->log, LOG_INFO, "read %lld documents in %.1f s (%.0f/s)", (long long)c->read, seconds,
		       seconds > 0 ? (double)c->read / seconds : 0);
}

/* Nothing is written anywhere before the source has answered. */
static int reach_source(struct run *r, const struct couch_options *o, struct slice *identity, struct err *err)
{
	*identity = SLICE_NONE;
	return is_server(r->env->source) ? source_identity(r, o, identity, err) : open_feed(r, o, err);
}

static void warn_if_nothing_fits(const struct run *r)
{
	const struct migrate_counters *c = &r->counters;

	if (c->read && c->read == c->skipped + c->deleted)
		log_at(r->env->log, LOG_WARN, "no document of domain %.*s was found: is the name right?",
		       SLICE_ARG(r->env->domain));
}

static int run_feed(struct run *r, const struct couch_options *o, struct err *err)
{
	int64_t started = clock_mono_us();

	if (begin_pass(r, err))
		return err->code;
	run_progress_start(r, expected_rows(r, o));
	if (!r->fetch && open_feed(r, o, err))
		return err->code;
	if (run_documents(r, err))
		return err->code;
	run_progress_draw(r, NULL);
	report_pass(r, started);
	warn_if_nothing_fits(r);
	fetch_close(r->fetch);
	r->fetch = NULL;
	return 0;
}

static int run_phases(struct run *r, const struct couch_options *o, struct err *err)
{
	if (run_feed(r, o, err) || run_cases(r, err))
		return err->code;
	return sql_finish_load(r->targets[0], err);
}

static void run_release(struct run *r)
{
	run_progress_draw(r, NULL);
	fetch_close(r->fetch);
	sql_close(r->lister);
	for (int i = r->workers - 1; i >= 0; i--)
		sql_close(r->targets[i]);
	state_close(r->lister_state);
	state_close(r->state);
	buf_release(&r->seq);
	pthread_mutex_destroy(&r->inflight_mutex);
	arena_release(&r->arena);
}

int migrate_run(const struct migrate_env *env, const struct migrate_options *options, struct err *err)
{
	struct couch_options couch = {
	    .url = env->source,
	    .user = env->source_user,
	    .password = env->source_password,
	    .stop = env->stop,
	};
	struct run r = {.env = env, .profile = env->profile, .options = *options, .seq = BUF_INIT(1u << 20)};
	struct slice identity;
	int rc;

	fill_defaults(&r.options);
	r.workers = r.options.jobs;
	pthread_mutex_init(&r.inflight_mutex, NULL);
	rc = reach_source(&r, &couch, &identity, err);
	if (rc == 0)
		rc = open_targets(&r, err);
	if (rc == 0)
		rc = open_state(&r, err);
	if (rc == 0)
		rc = begin_status(&r, identity, err);
	if (rc == 0)
		rc = run_phases(&r, &couch, err);
	run_release(&r);
	return rc;
}
