/* The last steps of making a snapshot: encryption of what was written plain, and the list of files. */
#include "config.h"

#include "snapshot/many.h"
#include "snapshot/origin.h"

#include <unistd.h>

int make_parents(const char *dir, struct slice path, struct arena *a, struct err *err)
{
	size_t n = path.len;
	while (n > 0 && path.ptr[n - 1] != '/')
		n--;
	return n ? files_make_dir(arena_printf(a, "%s/%.*s", dir, (int)(n - 1), path.ptr).ptr, err) : 0;
}

struct sealing {
	const struct crypt_key *key;
	const char *from, *dir;
	const struct file_list *list;
	struct crypt_made *made; /* of each of them */
	struct meter *meter;
};

static int seal_one(void *ctx, size_t i, struct arena *a, struct err *err)
{
	struct sealing *s = ctx;
	struct slice path = s->list->v[i].path;
	const char *from = arena_printf(a, "%s/%.*s", s->from, SLICE_ARG(path)).ptr;
	const char *to = arena_printf(a, "%s/%.*s" CRYPT_SUFFIX, s->dir, SLICE_ARG(path)).ptr;
	int rc = make_parents(s->dir, path, a, err);
	if (rc == 0)
		rc = crypt_file(s->key, path, from, to, &s->made[i], s->meter, err);
	return rc ? rc : files_remove_tree(from, err);
}

int seal_tree(const struct crypt_key *k, const char *plain, const char *dir, int jobs, struct manifest *m,
	      struct meter *meter, struct arena *a, struct err *err)
{
	struct file_list list;
	int rc = files_list(plain, a, &list, err);
	if (rc)
		return rc;
	*meter = (struct meter){
	    .log = meter->log, .stop = meter->stop, .what = "encrypting", .of_bytes = files_bytes(plain)};
	struct sealing s = {.key = k, .from = plain, .dir = dir, .list = &list, .meter = meter};
	s.made = ARENA_ARRAY(a, list.n, struct crypt_made);
	rc = many_do(jobs, list.n, seal_one, &s, err);
	for (size_t i = 0; rc == 0 && i < list.n; i++)
		manifest_add_file(m, arena_printf(a, "%.*s" CRYPT_SUFFIX, SLICE_ARG(list.v[i].path)), s.made[i].sha256,
				  s.made[i].bytes, a);
	return rc ? rc : files_remove_tree(plain, err);
}

static int digest_one(void *ctx, size_t i, struct arena *a, struct err *err)
{
	struct sealing *s = ctx;
	struct crypt_made *made = &s->made[i];
	const char *path = arena_printf(a, "%s/%.*s", s->dir, SLICE_ARG(s->list->v[i].path)).ptr;
	/* What pg_dump wrote is flushed later: the disk works while this thread does. */
	files_write_back(path);
	return files_sha256(path, made->sha256, &made->bytes, s->meter, err);
}

int digest_tree(const char *dir, int jobs, struct manifest *m, struct meter *meter, struct arena *a, struct err *err)
{
	struct file_list list;
	int rc = files_list(dir, a, &list, err);
	if (rc)
		return rc;
	*meter = (struct meter){
	    .log = meter->log, .stop = meter->stop, .what = "taking digests", .of_bytes = files_bytes(dir)};
	struct sealing s = {.dir = dir, .list = &list, .meter = meter};
	s.made = ARENA_ARRAY(a, list.n, struct crypt_made);
	rc = many_do(jobs, list.n, digest_one, &s, err);
	for (size_t i = 0; rc == 0 && i < list.n; i++)
		manifest_add_file(m, list.v[i].path, s.made[i].sha256, s.made[i].bytes, a);
	return rc;
}
