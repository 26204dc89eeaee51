#include "config.h"

#include "snapshot/place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_MOST 200

const char *place_dir(const struct snapshot_env *env, struct arena *a)
{
	return env->dir ? env->dir : arena_printf(a, "%s/snapshots", env->state_dir).ptr;
}

void step(const struct snapshot_env *env, const char *name)
{
	if (env->on_step)
		env->on_step(env->step_ctx, name);
}

static int ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);
	return n >= m && strcmp(name + n - m, end) == 0;
}

int place_check_name(const char *name, struct err *err)
{
	if (!*name || strchr(name, '/') || name[0] == '.' || strlen(name) > NAME_MOST ||
	    ends_with(name, PARTIAL_SUFFIX)) {
		err_set(err, ERR_USAGE, "\"%s\" cannot be the name of a snapshot", name);
		return err_hint(err, "at most %d bytes, no '/', no '.' in front, not ending in " PARTIAL_SUFFIX,
				NAME_MOST);
	}
	return 0;
}

int place_find(const struct snapshot_env *env, const char *name, struct arena *a, struct place *out, struct err *err)
{
	*out = (struct place){.dir = place_dir(env, a), .name = slice_of(name), .lock_fd = -1};
	out->path = strchr(name, '/') ? name : arena_printf(a, "%s/%s", out->dir, name).ptr;
	if (!strchr(name, '/') && place_check_name(name, err))
		return err->code;
	if (files_exist(arena_printf(a, "%s/" MANIFEST_FILE, out->path).ptr) ||
	    files_exist(arena_printf(a, "%s/" MANIFEST_SHA_FILE, out->path).ptr))
		return 0;
	err_set(err, ERR_NOTFOUND, "there is no snapshot %s", out->path);
	return err_hint(err, "`settle snapshot list` tells what is there; --dir DIR looks elsewhere");
}

static int take_lock(struct place *p, struct arena *a, struct err *err)
{
	const char *path = arena_printf(a, "%s/.lock", p->dir).ptr;
	p->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (p->lock_fd < 0)
		return err_sys(err, ERR_STATE, errno, "cannot write %s", path);
	if (flock(p->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	int no = errno;
	close(p->lock_fd);
	p->lock_fd = -1;
	if (no != EWOULDBLOCK)
		return err_sys(err, ERR_STATE, no, "cannot lock %s", path);
	return err_set(err, ERR_BUSY, "another settle is at work on the snapshots in %s", p->dir);
}

/* The lock is held: nobody works on these any more. */
static int sweep(const char *dir, struct arena *a, struct err *err)
{
	struct dirent *e;
	DIR *d = opendir(dir);
	int rc = 0;
	if (!d)
		return err_sys(err, ERR_STATE, errno, "cannot read directory %s", dir);
	while (rc == 0 && (e = files_next(d, dir, &rc, err)) != NULL)
		if (ends_with(e->d_name, PARTIAL_SUFFIX))
			rc = files_remove_tree(arena_printf(a, "%s/%s", dir, e->d_name).ptr, err);
	closedir(d);
	return rc;
}

int place_open(const char *dir, const char *name, struct arena *a, struct place *out, struct err *err)
{
	*out = (struct place){.dir = dir, .name = slice_of(name), .lock_fd = -1};
	out->path = arena_printf(a, "%s/%s", dir, name).ptr;
	out->partial = arena_printf(a, "%s/%s" PARTIAL_SUFFIX, dir, name).ptr;
	int rc = place_check_name(name, err);
	if (rc == 0)
		rc = files_make_dir(dir, err);
	if (rc == 0)
		rc = take_lock(out, a, err);
	return rc ? rc : sweep(dir, a, err);
}

int place_begin(struct place *p, struct err *err)
{
	return files_make_dir(p->partial, err);
}

int place_finish(struct place *p, struct err *err)
{
	int rc = files_sync_tree(p->partial, err);
	if (rc == 0 && files_exist(p->path))
		rc = err_set(err, ERR_STATE, "there is a snapshot %s by now", p->path);
	return rc ? rc : files_rename(p->partial, p->path, err);
}

int place_replace(struct place *p, struct arena *a, struct err *err)
{
	const char *former = arena_printf(a, "%s.former" PARTIAL_SUFFIX, p->path).ptr;
	if (!files_exist(p->path))
		return place_finish(p, err);
	int rc = files_sync_tree(p->partial, err);
	if (rc)
		return rc;
	/* At no moment is there no copy of that name. What had the name is then the partial one, to be removed. */
	if (renameat2(AT_FDCWD, p->partial, AT_FDCWD, p->path, RENAME_EXCHANGE) == 0)
		return files_sync(p->dir, err);
	if (errno != EINVAL && errno != ENOSYS)
		return err_sys(err, ERR_STATE, errno, "cannot replace %s", p->path);
	/* A file system that cannot exchange. */
	rc = files_rename(p->path, former, err);
	if (rc == 0)
		rc = files_rename(p->partial, p->path, err);
	return rc ? rc : files_remove_tree(former, err);
}

void place_close(struct place *p)
{
	struct err ignored = ERR_INIT;
	int rc;

	if (p->lock_fd < 0)
		return;
	/* What stays behind is swept away when the directory is next opened. */
	rc = files_remove_tree(p->partial, &ignored);
	(void)rc;
	close(p->lock_fd);
	p->lock_fd = -1;
}
