/* dry_run: what a run would do. Opens everything read-only; writes nothing. */
#include "migrate/session.h"

static int read_status(const struct migrate_env *env, struct arena *a, struct status *s, struct checkpoint *c, struct err *err)
{
	struct sql_options o = {.url = env->target, .schema = env->schema, .flags = SQL_READ_ONLY, .log = env->log};
	struct sql_target *t = NULL;
	int rc = sql_open(&t, &o, err);

	*s = (struct status){.life = LIFE_NOT_STARTED};
	*c = (struct checkpoint){0};
	if (rc == 0)
		rc = sql_schema_check(t, err);
	if (rc == 0)
		rc = status_read(t, env->domain, a, s, err);
	if (rc == 0)
		rc = checkpoint_read(t, env->domain, a, c, err);
	sql_close(t);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int waiting(const struct migrate_env *env, struct slice since, int64_t *out, struct err *err)
{
	struct couch_options o = {.url = env->source, .user = env->source_user, .password = env->source_password, .stop = env->stop};
	struct couch_client *client = NULL;
	int rc;

	*out = -1;
	if (env->source->scheme != URL_HTTP && env->source->scheme != URL_HTTPS)
		return 0;
	rc = couch_client_open(&client, &o, err);
	if (rc == 0)
		rc = couch_pending(client, since, out, err);
	couch_client_close(client);
	return rc;
}

int migrate_dry_run(const struct migrate_env *env, const struct migrate_options *o, struct arena *a, struct slice *text,
                    struct err *err)
{
	enum life_command command = o->finish ? LIFE_MIGRATE_FINISH : o->live || o->follow ? LIFE_MIGRATE_LIVE : LIFE_MIGRATE;
	struct buf out = BUF_INIT(1u << 16);
	struct status s;
	struct checkpoint c;
	enum life_status to;
	int64_t n;

	if (read_status(env, a, &s, &c, err) || life_check(s.life, s.was_live, command, &to, err) || waiting(env, c.seq, &n, err))
		return err->code;
	buf_fmt(&out, "status      %s -> %s\n", life_status_name(s.life), life_status_name(to));
	buf_fmt(&out, "source      %s\n", env->source->shown);
	buf_fmt(&out, "target      %s%s\n", env->target->shown, s.exists ? "" : " (tables would be made where they are missing)");
	if (n >= 0)
		buf_fmt(&out, "to read     %lld changes %s\n", (long long)n, c.seq.ptr ? "after the checkpoint" : "from the beginning");
	else
		buf_fmt(&out, "to read     %s\n", env->source->scheme == URL_FILE ? "the whole recorded feed" : "what the source has");
	buf_str(&out, "nothing was written\n");
	*text = arena_slice(a, buf_slice(&out));
	buf_release(&out);
	return 0;
}
