/* The last steps of making a snapshot: encryption of what was written plain, and the list of files. */
#include "config.h"

#include "snapshot/origin.h"

#include <unistd.h>

int make_parents(const char *dir, struct slice path, struct arena *a, struct err *err)
{
	size_t n = path.len;
	while (n > 0 && path.ptr[n - 1] != '/')
		n--;
	return n ? files_make_dir(arena_printf(a, "%s/%.*s", dir, (int)(n - 1), path.ptr).ptr, err) : 0;
}

static int seal_one(const struct crypt_key *k, const char *dir, const char *plain, struct slice path, struct meter *m,
		    struct arena *a, struct err *err)
{
	const char *from = arena_printf(a, "%s/%.*s", plain, SLICE_ARG(path)).ptr;
	const char *to = arena_printf(a, "%s/%.*s" CRYPT_SUFFIX, dir, SLICE_ARG(path)).ptr;
	int rc = make_parents(dir, path, a, err);
	if (rc == 0)
		rc = crypt_file(k, path, from, to, m, err);
	return rc ? rc : files_remove_tree(from, err);
}

int seal_tree(const struct crypt_key *k, const char *plain, const char *dir, struct meter *m, struct arena *a,
	      struct err *err)
{
	struct file_list list;
	int rc = files_list(plain, a, &list, err);
	*m = (struct meter){.log = m->log, .stop = m->stop, .what = "encrypting", .of_bytes = files_bytes(plain)};
	for (size_t i = 0; rc == 0 && i < list.n; i++)
		rc = seal_one(k, dir, plain, list.v[i].path, m, a, err);
	return rc ? rc : files_remove_tree(plain, err);
}

int digest_tree(const char *dir, struct manifest *m, struct meter *meter, struct arena *a, struct err *err)
{
	struct file_list list;
	int rc = files_list(dir, a, &list, err);
	*meter = (struct meter){
	    .log = meter->log, .stop = meter->stop, .what = "taking digests", .of_bytes = files_bytes(dir)};
	for (size_t i = 0; rc == 0 && i < list.n; i++) {
		char hex[SHA_HEX_SIZE];
		struct manifest_file one = {.path = list.v[i].path};
		const char *path = arena_printf(a, "%s/%.*s", dir, SLICE_ARG(one.path)).ptr;
		rc = files_sha256(path, hex, &one.bytes, meter, err);
		if (rc)
			break;
		one.sha256 = arena_slice(a, slice_of(hex));
		ARENA_PUSH(a, &m->files, one);
	}
	return rc;
}
