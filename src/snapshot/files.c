#include "config.h"

#include "snapshot/files.h"

#include "base/buf.h"
#include "snapshot/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_MOST ((size_t)64 << 20)
#define DEPTH_MOST 16

/* ---- the meter ---- */

void meter_show(const struct meter *m)
{
	char text[160];
	double mb = (double)atomic_load(&m->bytes) / 1e6;
	int n = snprintf(text, sizeof(text), "%s: %.1f", m->what, mb);
	if (m->of_bytes > 0)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " of %.1f", (double)m->of_bytes / 1e6);
	n += snprintf(text + n, sizeof(text) - (size_t)n, " MB");
	if (m->of_tables > 0)
		(void)snprintf(text + n, sizeof(text) - (size_t)n, ", %lld of %lld tables", (long long)m->tables,
			       (long long)m->of_tables);
	log_progress(m->log, text);
}

int meter_add(struct meter *m, int64_t bytes, struct err *err)
{
	if (!m)
		return 0;
	atomic_fetch_add(&m->bytes, bytes);
	meter_show(m);
	if (m->stop && atomic_load(m->stop))
		return err_set(err, ERR_STOPPED, "stopped while it was %s", m->what);
	return 0;
}

/* ---- directories ---- */

static int failed(struct err *err, const char *what, const char *path)
{
	int no = errno;
	err_sys(err, ERR_STATE, no, "cannot %s %s", what, path);
	if (no == ENOSPC || no == EDQUOT)
		err_hint(err, "make room on that disk, then run the same command again");
	if (no == EACCES || no == EPERM || no == EROFS)
		err_hint(err, "this user must be allowed to write there");
	return ERR_STATE;
}

int files_make_dir(const char *path, struct err *err)
{
	char part[4096];
	size_t n = strlen(path);
	if (n == 0 || n >= sizeof(part))
		return err_set(err, ERR_STATE, "the name of a directory is empty or too long");
	for (size_t i = 1; i <= n; i++) {
		if (path[i] != '/' && path[i] != 0)
			continue;
		memcpy(part, path, i);
		part[i] = 0;
		if (mkdir(part, 0700) != 0 && errno != EEXIST)
			return failed(err, "make directory", part);
	}
	struct stat st;
	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return err_set(err, ERR_STATE, "%s is no directory", path);
	return 0;
}

int files_exist(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0;
}

struct dirent *files_next(DIR *d, const char *path, int *rc, struct err *err)
{
	struct dirent *e;
	do {
		errno = 0;
		e = readdir(d);
	} while (e && (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0));
	*rc = e || errno == 0 ? 0 : failed(err, "read directory", path);
	return e;
}

static int compare_entries(const void *a, const void *b)
{
	return slice_cmp(((const struct file_entry *)a)->path, ((const struct file_entry *)b)->path);
}

static int list_into(const char *dir, struct slice below, int depth, struct arena *a, struct file_list *out,
		     struct err *err);

static int list_one(const char *dir, struct slice path, int depth, struct arena *a, struct file_list *out,
		    struct err *err)
{
	const char *full = arena_printf(a, "%s/%.*s", dir, SLICE_ARG(path)).ptr;
	struct stat st;
	if (lstat(full, &st) != 0)
		return failed(err, "look at", full);
	if (S_ISDIR(st.st_mode))
		return list_into(dir, path, depth + 1, a, out, err);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_STATE, "%s is neither a file nor a directory", full);
	ARENA_PUSH(a, out, ((struct file_entry){path, st.st_size}));
	return 0;
}

static int list_into(const char *dir, struct slice below, int depth, struct arena *a, struct file_list *out,
		     struct err *err)
{
	const char *full = below.len ? arena_printf(a, "%s/%.*s", dir, SLICE_ARG(below)).ptr : dir;
	struct dirent *e;
	int rc = 0;
	if (depth > DEPTH_MOST)
		return err_set(err, ERR_STATE, "%s lies deeper than any snapshot does", full);
	DIR *d = opendir(full);
	if (!d)
		return failed(err, "read directory", full);
	while (rc == 0 && (e = files_next(d, full, &rc, err)) != NULL) {
		struct slice path = below.len ? arena_printf(a, "%.*s/%s", SLICE_ARG(below), e->d_name)
					      : arena_slice(a, slice_of(e->d_name));
		rc = list_one(dir, path, depth, a, out, err);
	}
	closedir(d);
	return rc;
}

int files_list(const char *dir, struct arena *a, struct file_list *out, struct err *err)
{
	*out = (struct file_list){0};
	int rc = list_into(dir, SLICE_NONE, 0, a, out, err);
	if (rc == 0 && out->n)
		qsort(out->v, out->n, sizeof(*out->v), compare_entries);
	return rc;
}

int64_t files_bytes(const char *dir)
{
	struct arena a = ARENA_INIT;
	struct file_list list;
	struct err ignored = ERR_INIT;
	int64_t sum = 0;
	if (files_list(dir, &a, &list, &ignored) == 0)
		for (size_t i = 0; i < list.n; i++)
			sum += list.v[i].bytes;
	arena_release(&a);
	return sum;
}

static int remove_below(const char *path, int depth, struct err *err)
{
	struct dirent *e;
	int rc = 0;
	DIR *d = depth <= DEPTH_MOST ? opendir(path) : NULL;
	if (!d)
		return errno == ENOENT ? 0 : failed(err, "read directory", path);
	while (rc == 0 && (e = files_next(d, path, &rc, err)) != NULL) {
		char full[4096];
		int n = snprintf(full, sizeof(full), "%s/%s", path, e->d_name);
		if (n < 0 || (size_t)n >= sizeof(full))
			rc = err_set(err, ERR_STATE, "a path below %s is too long", path);
		else if (unlink(full) == 0 || errno == ENOENT)
			continue;
		else if (errno == EISDIR || errno == EPERM)
			rc = remove_below(full, depth + 1, err);
		else
			rc = failed(err, "remove", full);
	}
	closedir(d);
	if (rc == 0 && rmdir(path) != 0 && errno != ENOENT)
		rc = failed(err, "remove", path);
	return rc;
}

int files_remove_tree(const char *path, struct err *err)
{
	struct stat st;
	if (lstat(path, &st) != 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : failed(err, "look at", path);
	if (S_ISDIR(st.st_mode))
		return remove_below(path, 0, err);
	return unlink(path) == 0 || errno == ENOENT ? 0 : failed(err, "remove", path);
}

/* ---- on the disk ---- */

int files_sync(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return failed(err, "open", path);
	int rc = fsync(fd) == 0 ? 0 : failed(err, "flush", path);
	close(fd);
	return rc;
}

static int sync_parent(const char *path, struct err *err)
{
	char dir[4096];
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	if (n >= sizeof(dir))
		return err_set(err, ERR_STATE, "the path %s is too long", path);
	memcpy(dir, path, n);
	dir[n] = 0;
	return files_sync(slash ? (n ? dir : "/") : ".", err);
}

static size_t parent_len(struct slice path)
{
	size_t n = path.len;
	while (n > 0 && path.ptr[n - 1] != '/')
		n--;
	return n;
}

static int same_parent(struct slice a, struct slice b)
{
	size_t n = parent_len(a);
	return n == parent_len(b) && memcmp(a.ptr, b.ptr, n) == 0;
}

int files_sync_tree(const char *path, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct file_list list;
	int rc = files_list(path, &a, &list, err);
	for (size_t i = 0; rc == 0 && i < list.n; i++) {
		const char *full = arena_printf(&a, "%s/%.*s", path, SLICE_ARG(list.v[i].path)).ptr;
		rc = files_sync(full, err);
		/* Neighbours have the same directory: once is enough. */
		if (rc == 0 && (i + 1 == list.n || !same_parent(list.v[i].path, list.v[i + 1].path)))
			rc = sync_parent(full, err);
	}
	if (rc == 0)
		rc = files_sync(path, err);
	arena_release(&a);
	return rc;
}

int files_rename(const char *from, const char *to, struct err *err)
{
	if (rename(from, to) != 0)
		return failed(err, "rename to", to);
	return sync_parent(to, err);
}

/* ---- streams ---- */

int files_open_in(const char *path, FILE **out, struct err *err)
{
	*out = fopen(path, "rbe");
	if (*out)
		return 0;
	if (errno == ENOENT)
		return err_sys(err, ERR_NOTFOUND, errno, "cannot open %s", path);
	return failed(err, "open", path);
}

int files_open_out(const char *path, FILE **out, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	*out = fd >= 0 ? fdopen(fd, "wb") : NULL;
	if (*out)
		return 0;
	int rc = failed(err, "write", path);
	if (fd >= 0)
		close(fd);
	return rc;
}

int files_close_out(FILE *f, const char *path, struct err *err)
{
	int rc = fflush(f) == 0 && fsync(fileno(f)) == 0 ? 0 : failed(err, "write", path);
	if (fclose(f) != 0 && rc == 0)
		rc = failed(err, "write", path);
	return rc;
}

static void write_back(int fd)
{
	(void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

void files_write_back(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	write_back(fd);
	close(fd);
}

int files_close_soon(FILE *f, const char *path, struct err *err)
{
	int rc = fflush(f) == 0 ? 0 : failed(err, "write", path);
	write_back(fileno(f));
	if (fclose(f) != 0 && rc == 0)
		rc = failed(err, "write", path);
	return rc;
}

int files_get(FILE *f, const char *path, void *to, size_t size, size_t *n, struct err *err)
{
	*n = fread(to, 1, size, f);
	return *n < size && ferror(f) ? failed(err, "read", path) : 0;
}

int files_put(FILE *f, const char *path, const void *from, size_t size, struct err *err)
{
	return fwrite(from, 1, size, f) == size ? 0 : failed(err, "write", path);
}

/* ---- whole files ---- */

int files_write(const char *path, struct slice bytes, struct err *err)
{
	struct arena a = ARENA_INIT;
	const char *fresh = arena_printf(&a, "%s.new", path).ptr;
	FILE *f = NULL;
	int rc = files_open_out(fresh, &f, err);
	if (rc == 0)
		rc = files_put(f, fresh, bytes.ptr, bytes.len, err);
	if (f && rc == 0)
		rc = files_close_out(f, fresh, err);
	else if (f)
		fclose(f);
	if (rc == 0)
		rc = files_rename(fresh, path, err);
	else
		(void)unlink(fresh);
	arena_release(&a);
	return rc;
}

int files_read(const char *path, struct arena *a, struct slice *out, struct err *err)
{
	struct buf b = BUF_INIT(READ_MOST);
	FILE *f = NULL;
	size_t n = 1;
	char *room;
	int rc = files_open_in(path, &f, err);
	while (rc == 0 && n > 0 && (room = buf_room(&b, FILES_CHUNK))) {
		rc = files_get(f, path, room, FILES_CHUNK, &n, err);
		b.len += n;
		b.ptr[b.len] = 0;
	}
	if (rc == 0)
		rc = buf_check(&b, path, err);
	if (rc == 0)
		*out = arena_slice(a, buf_slice(&b));
	buf_release(&b);
	if (f)
		fclose(f);
	return rc;
}

int files_copy(const char *from, const char *to, struct meter *m, struct err *err)
{
	char chunk[FILES_CHUNK];
	FILE *in = NULL, *out = NULL;
	size_t n = 1;
	int rc = files_open_in(from, &in, err);
	if (rc == 0)
		rc = files_open_out(to, &out, err);
	while (rc == 0 && n > 0) {
		rc = files_get(in, from, chunk, sizeof(chunk), &n, err);
		if (rc == 0)
			rc = files_put(out, to, chunk, n, err);
		if (rc == 0)
			rc = meter_add(m, (int64_t)n, err);
	}
	if (in)
		fclose(in);
	if (out && rc == 0)
		return files_close_out(out, to, err);
	if (out)
		fclose(out);
	return rc;
}

/* ---- digests ---- */

static int add_all(FILE *in, const char *path, struct sha256 *sha, int64_t *bytes, struct meter *m, struct err *err)
{
	char chunk[FILES_CHUNK];
	size_t n = 1;
	int rc = 0;
	*bytes = 0;
	while (rc == 0 && n > 0) {
		rc = files_get(in, path, chunk, sizeof(chunk), &n, err);
		if (rc == 0 && sha256_add(sha, chunk, n))
			rc = err_set(err, ERR_INTERNAL, "SHA-256 of %s failed", path);
		*bytes += (int64_t)n;
		if (rc == 0)
			rc = meter_add(m, (int64_t)n, err);
	}
	return rc;
}

int files_sha256(const char *path, char hex[SHA_HEX_SIZE], int64_t *bytes, struct meter *m, struct err *err)
{
	struct sha256 *sha = sha256_begin();
	FILE *in = NULL;
	int rc = sha ? files_open_in(path, &in, err) : err_set(err, ERR_INTERNAL, "no SHA-256");
	if (rc == 0)
		rc = add_all(in, path, sha, bytes, m, err);
	if (rc == 0 && sha256_end(sha, hex))
		rc = err_set(err, ERR_INTERNAL, "SHA-256 of %s failed", path);
	sha256_free(sha);
	if (in)
		fclose(in);
	return rc;
}

int files_sha256_text(struct slice text, char hex[SHA_HEX_SIZE], struct err *err)
{
	struct sha256 *sha = sha256_begin();
	int rc = sha && sha256_add(sha, text.ptr, text.len) == 0 && sha256_end(sha, hex) == 0
		     ? 0
		     : err_set(err, ERR_INTERNAL, "no SHA-256");
	sha256_free(sha);
	return rc;
}
