/* A copy of a snapshot for another environment: under another key, and without what must not travel. */
#include "config.h"

#include "snapshot/many.h"
#include "snapshot/mask.h"
#include "snapshot/origin.h"
#include "snapshot/verify.h"

#include <sys/stat.h>

struct copier {
	const struct snapshot_env *env;
	const struct snapshot_copy_options *options;
	struct arena *a;
	struct place from, to;
	struct manifest m;
	struct crypt_key old_key, new_key;
	struct workshop work;
	struct meter meter;
	int was_encrypted;
};

/* ---- everything travels: file by file, from key to key ---- */

struct copying {
	struct copier *k;
	struct crypt_made *made; /* of each file */
};

/* The name of a file that is or was plain. */
static int plain_name(const struct copier *k, const struct manifest_file *f, struct slice *name, struct err *err)
{
	*name = f->path;
	if (k->was_encrypted && !verify_name(f->path, name))
		return err_set(err, ERR_STATE, "%.*s is not encrypted", SLICE_ARG(f->path));
	return 0;
}

static int copy_file(void *ctx, size_t i, struct arena *a, struct err *err)
{
	struct copying *c = ctx;
	struct copier *k = c->k;
	const struct manifest_file *f = &k->m.files.v[i];
	struct slice name;
	if (plain_name(k, f, &name, err))
		return err->code;
	const char *from = arena_printf(a, "%s/%.*s", k->from.path, SLICE_ARG(f->path)).ptr;
	const char *to = arena_printf(a, "%s/%.*s" CRYPT_SUFFIX, k->to.partial, SLICE_ARG(name)).ptr;
	int rc = make_parents(k->to.partial, name, a, err);
	if (rc)
		return rc;
	return k->was_encrypted ? recrypt_file(&k->old_key, &k->new_key, name, from, to, &c->made[i], &k->meter, err)
				: crypt_file(&k->new_key, name, from, to, &c->made[i], &k->meter, err);
}

static int copy_files(struct copier *k, struct err *err)
{
	struct manifest_files old = k->m.files;
	struct copying c = {k, ARENA_ARRAY(k->a, old.n, struct crypt_made)};
	struct slice name;
	k->meter.what = "copying";
	k->meter.of_bytes = manifest_bytes(&k->m);
	int rc = many_do(place_jobs(k->env), old.n, copy_file, &c, err);
	k->m.files = (struct manifest_files){0};
	for (size_t i = 0; rc == 0 && i < old.n; i++) {
		rc = plain_name(k, &old.v[i], &name, err);
		manifest_add_file(&k->m, arena_printf(k->a, "%.*s" CRYPT_SUFFIX, SLICE_ARG(name)), c.made[i].sha256,
				  c.made[i].bytes, k->a);
	}
	return rc;
}

/* ---- something stays behind: through the workshop ---- */

struct plaining {
	struct copier *k;
	const char *dir;
};

static int plain_file(void *ctx, size_t i, struct arena *a, struct err *err)
{
	const struct plaining *p = ctx;
	struct copier *k = p->k;
	const struct manifest_file *f = &k->m.files.v[i];
	struct slice name;
	if (plain_name(k, f, &name, err))
		return err->code;
	/* What settle knows of each document is personal data as well. */
	if (slice_starts(name, SLICE(STATE_DIR_NAME "/")))
		return 0;
	const char *from = arena_printf(a, "%s/%.*s", k->from.path, SLICE_ARG(f->path)).ptr;
	const char *to = arena_printf(a, "%s/%.*s", p->dir, SLICE_ARG(name)).ptr;
	int rc = make_parents(p->dir, name, a, err);
	if (rc)
		return rc;
	return k->was_encrypted ? decrypt_file(&k->old_key, name, from, to, &k->meter, err)
				: files_copy(from, to, &k->meter, err);
}

static int plain_files(struct copier *k, const char *dir, struct err *err)
{
	struct plaining p = {k, dir};
	k->meter.what = k->was_encrypted ? "decrypting" : "copying";
	k->meter.of_bytes = manifest_bytes(&k->m);
	int rc = files_make_dir(dir, err);
	return rc ? rc : many_do(place_jobs(k->env), k->m.files.n, plain_file, &p, err);
}

static int mask_files(struct copier *k, const struct mask *mask, const char *plain, struct err *err)
{
	if (slice_is(k->m.engine, "sqlite")) {
		int rc = plain_files(k, plain, err);
		step(k->env, "mask");
		return rc ? rc : mask_sqlite(mask, plain, &k->m, k->a, err);
	}
	const char *from = k->was_encrypted ? arena_printf(k->a, "%s/whole", k->work.place.partial).ptr : k->from.path;
	int rc = files_make_dir(plain, err);
	if (rc == 0 && k->was_encrypted)
		rc = plain_files(k, from, err);
	return rc ? rc : mask_pg(mask, &k->work, arena_printf(k->a, "%s/" DUMP_DIR, from).ptr, &k->m, &k->meter, err);
}

static int copy_masked(struct copier *k, const struct mask *mask, struct err *err)
{
	const char *plain = arena_printf(k->a, "%s/" PLAIN_DIR, k->work.place.partial).ptr;
	int rc = mask_files(k, mask, plain, err);
	for (size_t i = 0; i < k->m.domains.n; i++)
		k->m.domains.v[i].state = SLICE_NONE;
	k->m.excluded = mask->excluded_json;
	k->m.masked = mask->masked_json;
	step(k->env, "encrypt");
	k->m.files = (struct manifest_files){0};
	return rc ? rc : seal_tree(&k->new_key, plain, k->to.partial, place_jobs(k->env), &k->m, &k->meter, k->a, err);
}

/* ---- the steps ---- */

static int open_keys(struct copier *k, struct err *err)
{
	int rc = 0;
	k->was_encrypted = manifest_encrypted(&k->m);
	if (k->was_encrypted)
		rc = crypt_unseal(&k->m.recipients, k->env->key_file, k->a, &k->old_key, err);
	if (rc == 0)
		rc = crypt_begin(&k->new_key, err);
	return rc ? rc : crypt_seal(&k->new_key, &k->options->recipients, k->a, &k->m.recipients, err);
}

static int open_source(struct copier *k, const char *name, struct err *err)
{
	int rc = place_find(k->env, name, k->a, &k->from, err);
	if (rc == 0)
		rc = manifest_read(k->from.path, k->a, &k->m, NULL, NULL, err);
	if (rc == 0 && slice_is(k->m.method, "template"))
		rc = err_set(err, ERR_USAGE,
			     "a snapshot made with --method=template is a database, not files: it cannot be copied");
	return rc;
}

static int finish(struct copier *k, struct err *err)
{
	step(k->env, "manifest");
	int rc = manifest_write(&k->m, k->to.partial, k->a, err);
	step(k->env, "rename");
	return rc ? rc : place_replace(&k->to, k->a, err);
}

static int check_server(const struct copier *k, struct err *err)
{
	if (slice_is(k->m.engine, "sqlite") || (k->env->target && k->env->target->scheme != URL_SQLITE))
		return 0;
	err_set(err, ERR_USAGE, "--exclude-table and --mask on a snapshot of PostgreSQL need a server");
	return err_hint(err, "give --target: beside that database another one is made, masked, and dropped again");
}

/* What only a copy needs that leaves something behind. */
static int open_work(struct copier *k, const struct mask *mask, struct err *err)
{
	if (!mask_any(mask))
		return 0;
	int rc = check_server(k, err);
	return rc ? rc : workshop_open(&k->work, k->env, k->a, err);
}

/* What is there under the copy's name goes: a copy of before, but not what only bears such a name. */
static int refuse_original(const struct copier *k, struct err *err)
{
	struct manifest there;
	struct err ignored = ERR_INIT;
	if (manifest_read(k->to.path, k->a, &there, NULL, NULL, &ignored) || there.copy_of.ptr)
		return 0;
	err_set(err, ERR_STATE, "%s is a snapshot, and no copy of one: it is not replaced", k->to.path);
	return err_hint(err, "give another --name, or another directory --to");
}

static int copy(struct copier *k, const char *name, const struct mask *mask, struct err *err)
{
	const char *as = k->options->name ? k->options->name : SNAPSHOT_FOR_COPY;
	step(k->env, "open");
	int rc = open_source(k, name, err);
	if (rc == 0)
		rc = open_work(k, mask, err);
	if (rc == 0)
		rc = place_open(k->options->to, as, k->a, &k->to, err);
	if (rc == 0)
		rc = refuse_original(k, err);
	if (rc == 0)
		rc = place_begin(&k->to, err);
	step(k->env, "verify");
	if (rc == 0)
		rc = verify_or_refuse(k->env, k->from.path, &k->m, k->a, err);
	if (rc == 0)
		rc = open_keys(k, err);
	step(k->env, "copy");
	if (rc == 0)
		rc = mask_any(mask) ? copy_masked(k, mask, err) : copy_files(k, err);
	k->m.copy_of = k->m.name;
	k->m.name = slice_of(as);
	return rc ? rc : finish(k, err);
}

int snapshot_copy(const struct snapshot_env *env, const char *name, const struct snapshot_copy_options *o,
		  struct arena *a, struct slice *path, struct err *err)
{
	struct copier k = {
	    .env = env, .options = o, .a = a, .from.lock_fd = -1, .to.lock_fd = -1, .work = WORKSHOP_INIT};
	struct mask mask = {0};
	mode_t bits = umask(077);
	k.meter = (struct meter){.log = env->log, .stop = env->stop};
	int rc = o->recipients.n ? 0 : err_set(err, ERR_USAGE, "a copy is for somebody: give --recipient KEY");
	if (rc == 0)
		rc = mask_read(o, a, &mask, err);
	if (rc == 0)
		rc = copy(&k, name, &mask, err);
	log_progress(env->log, "");
	workshop_close(&k.work);
	place_close(&k.to);
	sodium_memzero(&k.old_key, sizeof(k.old_key));
	sodium_memzero(&k.new_key, sizeof(k.new_key));
	sodium_memzero(mask.secret, sizeof(mask.secret));
	umask(bits);
	*path = rc == 0 ? slice_of(k.to.path) : SLICE_NONE;
	return rc;
}
