/* The way back of SQLite: a new file beside the old one, and a swap of names. */
#include "config.h"

#include "snapshot/restore.h"

#include "lite/lite.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *text(struct restore *r, struct slice s)
{
	return arena_str(r->a, s);
}

/* ---- beginning ---- */

static int open_files(struct restore *r, struct err *err)
{
	int rc = lite_target_lock(r->env->target->path, r->a, &r->lock_fd, err);
	if (rc == ERR_BUSY)
		err->code = ERR_STATE;
	return rc ? (int)err->code : 0;
}

static int begin_lite(struct restore *r, struct domains *now, struct err *err)
{
	const char *path = r->env->target->path;
	struct lite_options o = {.path = path, .flags = LITE_READ_ONLY, .code = ERR_TARGET, .what = "target"};
	struct lite *db = NULL;
	r->j.database = slice_of(path);
	r->j.fresh = arena_printf(r->a, "%s.restore-%.*s", path, SLICE_ARG(r->j.stamp));
	r->j.old = arena_printf(r->a, "%s.before-%.*s", path, SLICE_ARG(r->j.stamp));
	if (!files_exist(path))
		return 0;
	int rc = lite_open(&db, &o, err);
	if (rc == 0)
		rc = domains_of_lite(db, r->a, now, err);
	lite_close(db);
	return rc;
}

/* Does this process have the file open? Of other users' processes only root sees it. */
static int has_open(const char *pid, const struct stat *file)
{
	char path[300];
	struct dirent *e;
	struct stat st;
	int found = 0;
	(void)snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	DIR *d = opendir(path);
	while (d && !found && (e = readdir(d)) != NULL) {
		(void)snprintf(path, sizeof(path), "/proc/%.20s/fd/%.20s", pid, e->d_name);
		found = stat(path, &st) == 0 && st.st_dev == file->st_dev && st.st_ino == file->st_ino;
	}
	if (d)
		closedir(d);
	return found;
}

static void add_client(struct restore *r, const char *pid, struct buf *out)
{
	struct slice name = SLICE_NONE;
	struct err ignored = ERR_INIT;
	if (files_read(arena_printf(r->a, "/proc/%s/comm", pid).ptr, r->a, &name, &ignored))
		name = SLICE("?");
	while (name.len && name.ptr[name.len - 1] == '\n')
		name.len--;
	buf_fmt(out, "%sprocess %s, %.*s", out->len ? "\n" : "", pid, SLICE_ARG(name));
}

static int look_lite(struct restore *r, struct err *err)
{
	struct buf found = BUF_INIT(8192);
	struct dirent *e;
	struct stat st;
	(void)err;
	if (journal_has(&r->j, "swap") || stat(text(r, r->j.database), &st) != 0)
		return 0;
	DIR *d = opendir("/proc");
	while (d && (e = readdir(d)) != NULL)
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && has_open(e->d_name, &st))
			add_client(r, e->d_name, &found);
	if (d)
		closedir(d);
	if (found.len)
		r->plan->clients = arena_slice(r->a, buf_slice(&found));
	buf_release(&found);
	return 0;
}

static int drop_fresh(struct restore *r, struct err *err)
{
	return files_remove_tree(text(r, r->j.fresh), err);
}

/* ---- steps ---- */

static int load(struct restore *r, struct err *err)
{
	r->meter = (struct meter){
	    .log = r->env->log, .stop = r->env->stop, .what = "loading", .of_bytes = manifest_bytes(&r->m)};
	int rc = restore_file(r, SLICE(SQLITE_FILE), text(r, r->j.fresh), err);
	struct err ignored = ERR_INIT;
	/* A part of it only takes room, perhaps the last there was; the next call writes it anew. */
	if (rc && files_remove_tree(text(r, r->j.fresh), &ignored))
		log_err(r->env->log, LOG_WARN, &ignored);
	return rc;
}

static int check(struct restore *r, struct err *err)
{
	struct manifest_tables have = {0};
	int rc = lite_count_copy(text(r, r->j.fresh), r->a, &have, err);
	return rc ? rc : counts_compare(&r->m.tables, &have, err);
}

/* Brings everything into the one file, while nobody else has it. */
static int close_old(struct restore *r, struct err *err)
{
	struct lite_options o = {.path = text(r, r->j.database), .code = ERR_TARGET, .what = "target"};
	struct lite *db = NULL;
	int rc = lite_open(&db, &o, err);
	if (rc == 0)
		rc = lite_exec(db, "BEGIN EXCLUSIVE; ROLLBACK; PRAGMA wal_checkpoint(TRUNCATE)", err);
	lite_close(db);
	if (rc == 0 && files_exist(arena_printf(r->a, "%s-wal", o.path).ptr)) {
		err_set(err, ERR_STATE, "another process has %s open", o.path);
		rc = err_hint(err, "end it, then run the same command again");
	}
	if (rc == ERR_BUSY)
		err->code = ERR_STATE;
	return rc ? (int)err->code : 0;
}

static int refuse_clients(struct restore *r, struct err *err)
{
	int rc = look_lite(r, err);
	if (rc || !r->plan->clients.ptr)
		return rc;
	rc = database_refuse_clients(r->j.database, r->plan->clients, err);
	err_hint(err, "end them, then run the same command again");
	return rc;
}

/* The old file gets its further name first: at any moment the target has its name. */
static int swap(struct restore *r, struct err *err)
{
	const char *path = text(r, r->j.database), *fresh = text(r, r->j.fresh), *old = text(r, r->j.old);
	struct stat st;
	int rc = 0;
	if (!files_exist(fresh) && files_exist(path))
		return 0; /* done by a call that did not come to write it down */
	if (stat(path, &st) != 0)
		return files_rename(fresh, path, err);
	rc = refuse_clients(r, err);
	if (rc == 0)
		rc = close_old(r, err);
	if (rc == 0 && chmod(fresh, st.st_mode & 07777) != 0)
		rc = err_sys(err, ERR_TARGET, errno, "cannot set the mode of %s", fresh);
	if (rc == 0 && chown(fresh, st.st_uid, st.st_gid) != 0)
		rc = err_sys(err, ERR_TARGET, errno, "cannot give %s its owner", fresh);
	if (rc == 0 && link(path, old) != 0 && errno != EEXIST)
		rc = err_sys(err, ERR_TARGET, errno, "cannot keep %s as %s", path, old);
	return rc ? rc : files_rename(fresh, path, err);
}

static int drop_old(struct restore *r, struct err *err)
{
	return files_remove_tree(text(r, r->j.old), err);
}

static const struct restore_step steps[] = {
    {"verify", "read every byte of the snapshot and compare it with its manifest", restore_verify},
    {"load", "copy the snapshot's database beside the old one", load},
    {"check", "compare the rows of each table with the manifest", check},
    {"swap", "swap the two files by name", swap},
    {"state", "put back the state files of its migrations", restore_states},
    {"note", "note it in the audit trails of its migrations", restore_note},
    {"drop-old", "remove the old file", drop_old},
    {NULL, NULL, NULL},
};

const struct restore_engine restore_lite = {steps, begin_lite, open_files, look_lite, drop_fresh};
