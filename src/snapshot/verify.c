/* Reading every byte of a snapshot: is it what the manifest says? */
#include "config.h"

#include "snapshot/crypt.h"
#include "snapshot/verify.h"

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

static int check_file(const char *path, const struct manifest_file *f, struct meter *meter, struct arena *a,
		      struct snapshot_findings *out, struct err *err)
{
	struct err why = ERR_INIT;
	char hex[SHA_HEX_SIZE];
	int64_t bytes = 0;
	int rc = files_sha256(path, hex, &bytes, meter, &why);
	if (rc == ERR_STOPPED) {
		*err = why;
		return rc;
	}
	if (rc == ERR_NOTFOUND)
		find(out, a, arena_printf(a, "%s is missing", path));
	else if (rc)
		find(out, a, arena_printf(a, "%s", why.msg));
	else if (bytes != f->bytes)
		find(out, a,
		     arena_printf(a, "%s has %lld bytes instead of %lld", path, (long long)bytes, (long long)f->bytes));
	else if (!slice_is(f->sha256, hex))
		find(out, a, arena_printf(a, "%s is damaged: its SHA-256 is not the manifest's", path));
	return 0;
}

int verify_files(const char *path, const struct manifest *m, struct meter *meter, struct arena *a,
		 struct snapshot_findings *out, struct err *err)
{
	int rc = find_strangers(path, m, a, out, err);
	meter->what = "verifying";
	meter->of_bytes = manifest_bytes(m);
	for (size_t i = 0; rc == 0 && i < m->files.n; i++) {
		const struct manifest_file *f = &m->files.v[i];
		rc = check_file(arena_printf(a, "%s/%.*s", path, SLICE_ARG(f->path)).ptr, f, meter, a, out, err);
	}
	return rc;
}

int verify_name(struct slice path, struct slice *name)
{
	size_t n = sizeof(CRYPT_SUFFIX) - 1;
	if (path.len <= n || memcmp(path.ptr + path.len - n, CRYPT_SUFFIX, n) != 0)
		return 0;
	*name = (struct slice){path.ptr, path.len - n};
	return 1;
}

static int try_decrypt(const struct snapshot_env *env, const char *path, const struct manifest *m, struct meter *meter,
		       struct arena *a, struct snapshot_findings *out, struct err *err)
{
	struct crypt_key key;
	int rc = crypt_unseal(&m->recipients, env->key_file, a, &key, err);
	*meter =
	    (struct meter){.log = env->log, .stop = env->stop, .what = "decrypting", .of_bytes = manifest_bytes(m)};
	for (size_t i = 0; rc == 0 && i < m->files.n; i++) {
		const char *full = arena_printf(a, "%s/%.*s", path, SLICE_ARG(m->files.v[i].path)).ptr;
		struct err why = ERR_INIT;
		struct slice name;
		if (!verify_name(m->files.v[i].path, &name)) {
			find(out, a, arena_printf(a, "%s is not encrypted", full));
			continue;
		}
		rc = decrypt_file(&key, name, full, NULL, meter, &why);
		if (rc == ERR_STATE)
			find(out, a, arena_printf(a, "%s", why.msg));
		else if (rc)
			*err = why;
		rc = rc == ERR_STATE ? 0 : rc;
	}
	sodium_memzero(&key, sizeof(key));
	return rc;
}

static int verify(const struct snapshot_env *env, const char *path, const struct manifest *m, struct arena *a,
		  struct snapshot_findings *out, struct err *err)
{
	struct meter meter = {.log = env->log, .stop = env->stop};
	int rc = verify_files(path, m, &meter, a, out, err);
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
	int rc = verify_files(path, m, &meter, a, &found, err);
	log_progress(env->log, "");
	if (rc == 0 && found.n) {
		err_set(err, ERR_STATE, "%.*s", SLICE_ARG(found.v[0]));
		rc = err_hint(err, "the snapshot is no good: take another one, or bring back that file from a copy");
	}
	return rc;
}
