/* Reading every byte of a snapshot: is it what the manifest says? */
#include "config.h"

#include "snapshot/crypt.h"
#include "snapshot/many.h"
#include "snapshot/verify.h"

#include <pthread.h>

static void find(struct snapshot_findings *out, struct arena *a, struct slice line)
{
	ARENA_PUSH(a, out, line);
}

static const struct manifest_file *listed(const struct manifest *m, struct slice path)
{
	for (size_t i = 0; i < m->files.n; i++)
		if (slice_eq(m->files.v[i].path, path))
			return &m->files.v[i];
	return NULL;
}

/* Files that are there and not in the manifest. */
static int find_strangers(const char *path, const struct manifest *m, struct arena *a, struct snapshot_findings *out,
			  struct err *err)
{
	struct file_list list;
	int rc = files_list(path, a, &list, err);
	for (size_t i = 0; rc == 0 && i < list.n; i++) {
		struct slice name = list.v[i].path;
		if (!slice_is(name, MANIFEST_FILE) && !slice_is(name, MANIFEST_SHA_FILE) && !listed(m, name))
			find(out, a, arena_printf(a, "%s/%.*s is not in the manifest", path, SLICE_ARG(name)));
	}
	return rc;
}

struct checking {
	const char *path;
	const struct manifest *m;
	struct meter *meter;
	const struct crypt_key *key; /* of decrypting */
	pthread_mutex_t lock;        /* of the findings' memory */
	struct arena *a;
	struct slice *found; /* of each file, or SLICE_NONE */
};

static void note(struct checking *c, size_t i, struct slice line)
{
	pthread_mutex_lock(&c->lock);
	c->found[i] = arena_slice(c->a, line);
	pthread_mutex_unlock(&c->lock);
}

/* Work on each file; what was found comes in the order of the files. */
static int check_all(struct checking *c, int jobs, many_fn *fn, struct snapshot_findings *out, struct err *err)
{
	c->found = ARENA_ARRAY(c->a, c->m->files.n, struct slice);
	pthread_mutex_init(&c->lock, NULL);
	int rc = many_do(jobs, c->m->files.n, fn, c, err);
	pthread_mutex_destroy(&c->lock);
	for (size_t i = 0; i < c->m->files.n; i++)
		if (c->found[i].ptr)
			find(out, c->a, c->found[i]);
	return rc;
}

static int check_file(void *ctx, size_t i, struct arena *a, struct err *err)
{
	struct checking *c = ctx;
	const struct manifest_file *f = &c->m->files.v[i];
	const char *path = arena_printf(a, "%s/%.*s", c->path, SLICE_ARG(f->path)).ptr;
	struct err why = ERR_INIT;
	char hex[SHA_HEX_SIZE];
	int64_t bytes = 0;
	int rc = files_sha256(path, hex, &bytes, c->meter, &why);
	if (rc == ERR_STOPPED) {
		*err = why;
		return rc;
	}
	if (rc == ERR_NOTFOUND)
		note(c, i, arena_printf(a, "%s is missing", path));
	else if (rc)
		note(c, i, slice_of(why.msg));
	else if (bytes != f->bytes)
		note(c, i,
		     arena_printf(a, "%s has %lld bytes instead of %lld", path, (long long)bytes, (long long)f->bytes));
	else if (!slice_is(f->sha256, hex))
		note(c, i, arena_printf(a, "%s is damaged: its SHA-256 is not the manifest's", path));
	return 0;
}

int verify_files(const char *path, const struct manifest *m, int jobs, struct meter *meter, struct arena *a,
		 struct snapshot_findings *out, struct err *err)
{
	struct checking c = {.path = path, .m = m, .meter = meter, .a = a};
	int rc = find_strangers(path, m, a, out, err);
	meter->what = "verifying";
	meter->of_bytes = manifest_bytes(m);
	return rc ? rc : check_all(&c, jobs, check_file, out, err);
}

int verify_name(struct slice path, struct slice *name)
{
	size_t n = sizeof(CRYPT_SUFFIX) - 1;
	if (path.len <= n || memcmp(path.ptr + path.len - n, CRYPT_SUFFIX, n) != 0)
		return 0;
	*name = (struct slice){path.ptr, path.len - n};
	return 1;
}

static int try_file(void *ctx, size_t i, struct arena *a, struct err *err)
{
	struct checking *c = ctx;
	struct slice path = c->m->files.v[i].path, name;
	const char *full = arena_printf(a, "%s/%.*s", c->path, SLICE_ARG(path)).ptr;
	struct err why = ERR_INIT;
	if (!verify_name(path, &name)) {
		note(c, i, arena_printf(a, "%s is not encrypted", full));
		return 0;
	}
	int rc = decrypt_file(c->key, name, full, NULL, c->meter, &why);
	if (rc == ERR_STATE)
		note(c, i, slice_of(why.msg));
	else if (rc)
		*err = why;
	return rc == ERR_STATE ? 0 : rc;
}

static int try_decrypt(const struct snapshot_env *env, const char *path, const struct manifest *m, struct meter *meter,
		       struct arena *a, struct snapshot_findings *out, struct err *err)
{
	struct crypt_key key;
	struct checking c = {.path = path, .m = m, .meter = meter, .key = &key, .a = a};
	int rc = crypt_unseal(&m->recipients, env->key_file, a, &key, err);
	*meter =
	    (struct meter){.log = env->log, .stop = env->stop, .what = "decrypting", .of_bytes = manifest_bytes(m)};
	if (rc == 0)
		rc = check_all(&c, place_jobs(env), try_file, out, err);
	sodium_memzero(&key, sizeof(key));
	return rc;
}

static int verify(const struct snapshot_env *env, const char *path, const struct manifest *m, struct arena *a,
		  struct snapshot_findings *out, struct err *err)
{
	struct meter meter = {.log = env->log, .stop = env->stop};
	int rc = verify_files(path, m, place_jobs(env), &meter, a, out, err);
	if (rc == 0 && out->n == 0 && manifest_encrypted(m) && env->key_file)
		rc = try_decrypt(env, path, m, &meter, a, out, err);
	log_progress(env->log, "");
	return rc;
}

int snapshot_verify(const struct snapshot_env *env, const char *name, struct arena *a, struct snapshot_findings *out,
		    struct err *err)
{
	struct err why = ERR_INIT;
	struct manifest m;
	struct place p;
	*out = (struct snapshot_findings){0};
	int rc = place_find(env, name, a, &p, err);
	if (rc)
		return rc;
	if (manifest_read(p.path, a, &m, NULL, NULL, &why)) {
		find(out, a, arena_printf(a, "%s", why.msg));
		return 0;
	}
	return verify(env, p.path, &m, a, out, err);
}

int verify_or_refuse(const struct snapshot_env *env, const char *path, const struct manifest *m, struct arena *a,
		     struct err *err)
{
	struct meter meter = {.log = env->log, .stop = env->stop};
	struct snapshot_findings found = {0};
	int rc = verify_files(path, m, place_jobs(env), &meter, a, &found, err);
	log_progress(env->log, "");
	if (rc == 0 && found.n) {
		err_set(err, ERR_STATE, "%.*s", SLICE_ARG(found.v[0]));
		rc = err_hint(err, "the snapshot is no good: take another one, or bring back that file from a copy");
	}
	return rc;
}
