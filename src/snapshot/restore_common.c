/* Steps of a restore that are the same for every engine: the look at the files, and the state files. */
#include "config.h"

#include "snapshot/restore.h"

#include "lite/lite.h"
#include "snapshot/many.h"
#include "state/state.h"

#include <unistd.h>

static const struct manifest_file *find_file(const struct manifest *m, struct slice path)
{
	for (size_t i = 0; i < m->files.n; i++)
		if (slice_eq(m->files.v[i].path, path))
			return &m->files.v[i];
	return NULL;
}

static int open_key(struct restore *r, struct crypt_key *key, struct err *err)
{
	return crypt_unseal(&r->m.recipients, r->env->key_file, r->a, key, err);
}

/* The key is tried before anything else happens. */
int restore_verify(struct restore *r, struct err *err)
{
	struct crypt_key key;
	int rc = 0;
	if (manifest_encrypted(&r->m))
		rc = open_key(r, &key, err);
	sodium_memzero(&key, sizeof(key));
	if (rc == 0)
		rc = verify_or_refuse(r->env, r->place.path, &r->m, r->a, err);
	r->verified = rc == 0;
	return rc;
}

/* A call that goes on may come long after the one that verified. */
static int verify_file(const struct restore *r, const char *path, const struct manifest_file *f, struct err *err)
{
	char hex[SHA_HEX_SIZE];
	int64_t bytes = 0;
	if (r->verified)
		return 0;
	int rc = files_sha256(path, hex, &bytes, NULL, err);
	if (rc == 0 && !slice_is(f->sha256, hex))
		rc = err_set(err, ERR_STATE, "%s is damaged: its SHA-256 is not the manifest's", path);
	if (rc == ERR_NOTFOUND)
		err->code = ERR_STATE;
	return rc ? (int)err->code : 0;
}

int restore_file(struct restore *r, struct slice name, const char *to, struct err *err)
{
	const char *suffix = manifest_encrypted(&r->m) ? CRYPT_SUFFIX : "";
	struct slice path = arena_printf(r->a, "%.*s%s", SLICE_ARG(name), suffix);
	const char *from = arena_printf(r->a, "%s/%.*s", r->place.path, SLICE_ARG(path)).ptr;
	const struct manifest_file *f = find_file(&r->m, path);
	struct crypt_key key;
	if (!f)
		return err_set(err, ERR_STATE, "the snapshot holds no file %.*s", SLICE_ARG(path));
	int rc = verify_file(r, from, f, err);
	if (rc)
		return rc;
	if (!manifest_encrypted(&r->m))
		return files_copy(from, to, &r->meter, err);
	rc = open_key(r, &key, err);
	if (rc == 0)
		rc = decrypt_file(&key, name, from, to, &r->meter, err);
	sodium_memzero(&key, sizeof(key));
	return rc ? rc : files_sync(to, err);
}

/* ---- plain files for pg_restore ---- */

static const char *plain_dir(struct restore *r)
{
	size_t n = strlen(r->j.path) - strlen(".json");
	return arena_printf(r->a, "%.*s.plain", (int)n, r->j.path).ptr;
}

struct plaining {
	struct restore *r;
	const struct crypt_key *key;
	const char *dir;
};

static int plain_file(void *ctx, size_t i, struct arena *a, struct err *err)
{
	const struct plaining *p = ctx;
	struct slice path = p->r->m.files.v[i].path, name;
	if (!slice_starts(path, SLICE(DUMP_DIR "/")) || !verify_name(path, &name))
		return 0;
	const char *from = arena_printf(a, "%s/%.*s", p->r->place.path, SLICE_ARG(path)).ptr;
	const char *to = arena_printf(a, "%s/%.*s", p->dir, SLICE_ARG(name)).ptr;
	return decrypt_file(p->key, name, from, to, &p->r->meter, err);
}

int restore_plain(struct restore *r, const char **dir, struct err *err)
{
	const char *plain = plain_dir(r);
	struct crypt_key key;
	struct plaining p = {r, &key, plain};
	*dir = arena_printf(r->a, "%s/" DUMP_DIR, r->place.path).ptr;
	if (!manifest_encrypted(&r->m))
		return 0;
	*dir = arena_printf(r->a, "%s/" DUMP_DIR, plain).ptr;
	r->meter = (struct meter){
	    .log = r->env->log, .stop = r->env->stop, .what = "decrypting", .of_bytes = manifest_bytes(&r->m)};
	int rc = files_remove_tree(plain, err);
	if (rc == 0)
		rc = files_make_dir(*dir, err);
	if (rc == 0)
		rc = open_key(r, &key, err);
	if (rc == 0)
		rc = many_do(place_jobs(r->env), r->m.files.n, plain_file, &p, err);
	sodium_memzero(&key, sizeof(key));
	return rc;
}

void restore_plain_end(struct restore *r)
{
	struct err why = ERR_INIT;
	if (files_remove_tree(plain_dir(r), &why))
		log_err(r->env->log, LOG_WARN, &why);
}

/* ---- state files ---- */

/* The state file as it is now stays beside its place. */
static int put_aside(struct restore *r, const char *path, struct err *err)
{
	struct lite_options o = {.path = path, .flags = LITE_READ_ONLY, .code = ERR_STATE, .what = "state file"};
	const char *aside = arena_printf(r->a, "%s.before-%.*s", path, SLICE_ARG(r->j.stamp)).ptr;
	const char *fresh = arena_printf(r->a, "%s.new", aside).ptr;
	struct lite *db = NULL;
	if (!files_exist(path) || files_exist(aside))
		return 0;
	int rc = files_remove_tree(fresh, err);
	if (rc == 0)
		rc = lite_open(&db, &o, err);
	if (rc == 0)
		rc = lite_backup(db, fresh, NULL, NULL, err);
	lite_close(db);
	if (rc == 0)
		rc = files_sync(fresh, err);
	return rc ? rc : files_rename(fresh, aside, err);
}

static int put_back(struct restore *r, const char *path, struct slice name, struct err *err)
{
	static const char *const traces[] = {"-wal", "-shm"};
	const char *fresh = arena_printf(r->a, "%s.new", path).ptr, *slash = strrchr(path, '/');
	int rc = files_make_dir(arena_str(r->a, (struct slice){path, (size_t)(slash - path)}), err);
	if (rc == 0)
		rc = restore_file(r, name, fresh, err);
	for (size_t i = 0; rc == 0 && i < 2; i++)
		rc = files_remove_tree(arena_printf(r->a, "%s%s", path, traces[i]).ptr, err);
	return rc ? rc : files_rename(fresh, path, err);
}

/* Schemas beside each other may hold migrations of one name; one of them at most is that of the state directory. */
static struct slice state_in_snapshot(const struct restore *r, struct slice domain)
{
	for (size_t i = 0; i < r->m.domains.n; i++)
		if (slice_eq(r->m.domains.v[i].domain, domain) && r->m.domains.v[i].state.ptr)
			return r->m.domains.v[i].state;
	return SLICE_NONE;
}

int restore_states(struct restore *r, struct err *err)
{
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < r->j.domains.count; i++) {
		struct slice domain = json_text(&r->j.domains.items[i]), name = state_in_snapshot(r, domain);
		const char *path = state_file(r->env->state_dir, domain, r->a);
		rc = put_aside(r, path, err);
		if (rc == 0)
			rc = name.ptr ? put_back(r, path, name, err) : state_remove(r->env->state_dir, domain, err);
	}
	return rc;
}

/* ---- the trail ---- */

/* Nobody can begin to write: until the restore has come to its end snapshot_idle refuses. */
int restore_note(struct restore *r, struct err *err)
{
	if (r->lock_fd >= 0)
		close(r->lock_fd);
	r->lock_fd = -1;
	return r->options->note ? r->options->note(r->options->note_ctx, r->plan, err) : 0;
}
