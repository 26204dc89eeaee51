/* Making a snapshot: the steps, whatever the engine. */
#include "config.h"

#include "base/clock.h"
#include "base/pct.h"
#include "snapshot/origin.h"
#include "snapshot/workshop.h"

#include <sys/stat.h>
#include <unistd.h>

struct maker {
	const struct snapshot_env *env;
	const struct snapshot_create_options *options;
	struct arena *a;
	struct manifest m;
	struct origin origin;
	struct place place;
	struct crypt_key key;
	const char *into; /* where plain files are written: the partial directory, or .plain in it */
};

/* ---- the name ---- */

static struct slice name_domain(const struct maker *k)
{
	if (k->env->domain.ptr)
		return k->env->domain;
	return k->origin.domains.n == 1 ? k->origin.domains.v[0].name : SLICE("target");
}

static const char *default_name(const struct maker *k)
{
	struct buf b = BUF_INIT(4096);
	char now[CLOCK_TEXT_SIZE];
	clock_utc_text(now);
	buf_str(&b, "pre-migration-");
	pct_file_name(name_domain(k), &b);
	if (b.len > 160)
		b.len = 160;
	buf_fmt(&b, "-%.4s%.2s%.2s%.2s%.2s", now, now + 5, now + 8, now + 11, now + 14);
	const char *name = arena_str(k->a, buf_slice(&b));
	buf_release(&b);
	return name;
}

static int open_place(struct maker *k, struct err *err)
{
	const char *name = k->options->name ? k->options->name : default_name(k);
	int rc = place_open(place_dir(k->env, k->a), name, k->a, &k->place, err);
	if (rc == 0 && files_exist(k->place.path)) {
		err_set(err, ERR_STATE, "there is a snapshot %s", k->place.path);
		rc = err_hint(err, "give another --name; names without one hold the minute");
	}
	if (rc == 0)
		rc = place_begin(&k->place, err);
	k->m.name = slice_of(name);
	return rc;
}

/* ---- the steps ---- */

static int open_origin(struct maker *k, struct err *err)
{
	int is_lite = k->env->target->scheme == URL_SQLITE;
	if (is_lite && k->options->method == SNAPSHOT_TEMPLATE)
		return err_set(err, ERR_USAGE, "--method=template is for PostgreSQL");
	if (k->options->method == SNAPSHOT_TEMPLATE && k->options->recipients.n)
		return err_set(err, ERR_USAGE,
			       "--method=template keeps a database in the server, which is not encrypted");
	if (is_lite)
		return origin_lite_open(&k->origin, err);
	return k->options->method == SNAPSHOT_TEMPLATE ? origin_template_open(&k->origin, err)
						       : origin_pg_open(&k->origin, err);
}

static int begin_crypt(struct maker *k, struct err *err)
{
	k->into = k->place.partial;
	k->m.recipients = json_null;
	if (k->options->recipients.n == 0)
		return 0;
	k->into = arena_printf(k->a, "%s/" PLAIN_DIR, k->place.partial).ptr;
	int rc = crypt_begin(&k->key, err);
	if (rc == 0)
		rc = crypt_seal(&k->key, &k->options->recipients, k->a, &k->m.recipients, err);
	return rc;
}

static int copy_database(struct maker *k, struct err *err)
{
	int rc = files_make_dir(k->into, err);
	if (rc)
		return rc;
	if (k->env->target->scheme == URL_SQLITE)
		return origin_lite_copy(&k->origin, k->into, err);
	return k->options->method == SNAPSHOT_TEMPLATE ? origin_template_make(&k->origin, &k->place, err)
						       : origin_pg_dump(&k->origin, k->into, err);
}

static int copy_state_file(struct maker *k, const char *from, struct slice path, struct err *err)
{
	struct lite_options o = {.path = from, .flags = LITE_READ_ONLY, .code = ERR_STATE, .what = "state file"};
	struct lite *db = NULL;
	int rc = make_parents(k->into, path, k->a, err);
	if (rc == 0)
		rc = lite_open(&db, &o, err);
	if (rc == 0)
		rc = lite_backup(db, arena_printf(k->a, "%s/%.*s", k->into, SLICE_ARG(path)).ptr, NULL, NULL, err);
	lite_close(db);
	return rc;
}

static int copy_state(struct maker *k, const struct domain *d, struct err *err)
{
	struct manifest_domain one = {d->name, d->status, d->checkpoint, SLICE_NONE};
	const char *from = NULL;
	int rc = domain_state(k->env, d, k->a, &from, err);
	if (rc == 0 && from) {
		struct buf b = BUF_INIT(4096);
		buf_str(&b, STATE_DIR_NAME "/");
		pct_file_name(d->name, &b);
		buf_str(&b, ".db");
		one.state = arena_slice(k->a, buf_slice(&b));
		buf_release(&b);
		rc = copy_state_file(k, from, one.state, err);
	}
	if (rc == 0)
		ARENA_PUSH(k->a, &k->m.domains, one);
	return rc;
}

static int copy_states(struct maker *k, struct err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < k->origin.domains.n; i++)
		rc = copy_state(k, &k->origin.domains.v[i], err);
	if (rc == 0 && k->options->method == SNAPSHOT_TEMPLATE)
		rc = origin_template_check(&k->origin, err);
	return rc;
}

static int finish(struct maker *k, struct err *err)
{
	int rc = 0;
	int jobs = place_jobs(k->env);
	step(k->env, manifest_encrypted(&k->m) ? "encrypt" : "digest");
	if (manifest_encrypted(&k->m))
		rc = seal_tree(&k->key, k->into, k->place.partial, jobs, &k->m, &k->origin.meter, k->a, err);
	else
		rc = digest_tree(k->place.partial, jobs, &k->m, &k->origin.meter, k->a, err);
	step(k->env, "manifest");
	if (rc == 0)
		rc = manifest_write(&k->m, k->place.partial, k->a, err);
	step(k->env, "rename");
	return rc ? rc : place_finish(&k->place, err);
}

/* What a copy that was killed left is in nobody's way here: this only does it early. */
static void sweep_work(struct maker *k)
{
	struct err why = ERR_INIT;
	int rc = workshop_sweep(k->env, k->a, &why);
	if (rc && rc != ERR_BUSY)
		log_err(k->env->log, LOG_WARN, &why);
}

static int make(struct maker *k, struct err *err)
{
	step(k->env, "open");
	int rc = open_origin(k, err);
	if (rc == 0)
		rc = open_place(k, err);
	if (rc == 0)
		sweep_work(k);
	if (rc == 0)
		rc = begin_crypt(k, err);
	step(k->env, "copy");
	if (rc == 0)
		rc = copy_database(k, err);
	step(k->env, "state");
	if (rc == 0)
		rc = copy_states(k, err);
	return rc ? rc : finish(k, err);
}

/* A database that was copied for nothing. */
static void drop_kept(struct maker *k)
{
	struct err why = ERR_INIT;
	struct link *l = NULL;
	if (!k->m.kept_database.ptr)
		return;
	int rc = database_server_link(&l, k->env->target, &why);
	if (rc == 0)
		rc = database_drop(l, k->m.kept_database, &why);
	link_close(l);
	if (!rc)
		return;
	err_prefix(&why, "database %.*s, which no snapshot holds, is not dropped", SLICE_ARG(k->m.kept_database));
	log_err(k->env->log, LOG_WARN, &why);
}

int snapshot_create(const struct snapshot_env *env, const struct snapshot_create_options *o, struct arena *a,
		    struct slice *path, struct err *err)
{
	char now[CLOCK_TEXT_SIZE];
	struct maker k = {.env = env, .options = o, .a = a, .place.lock_fd = -1};
	mode_t mask = umask(077);
	clock_utc_text(now);
	k.m.created = arena_slice(a, slice_of(now));
	k.m.target = slice_of(env->target->shown);
	k.origin = (struct origin){.env = env,
				   .a = a,
				   .m = &k.m,
				   .terminate = o->terminate,
				   .lock_fd = -1,
				   .meter = {.log = env->log, .stop = env->stop}};
	int rc = make(&k, err);
	log_progress(env->log, "");
	origin_close(&k.origin);
	if (rc)
		drop_kept(&k);
	place_close(&k.place);
	sodium_memzero(&k.key, sizeof(k.key));
	if (k.origin.lock_fd >= 0)
		close(k.origin.lock_fd);
	umask(mask);
	*path = rc == 0 ? slice_of(k.place.path) : SLICE_NONE;
	return rc;
}
