/* Snapshots of SQLite: its backup, while the writer's lock is held. */
#include "config.h"

#include "base/clock.h"
#include "snapshot/origin.h"
#include "sql/target.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

/* ---- the writer's lock (sql/sqlite/lock.c): flock on a file beside the database, which tells who holds it ---- */

static int say_busy(int fd, const char *path, struct err *err)
{
	char text[512];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = 0;
	size_t holder = strcspn(text, "\n");
	err_set(err, ERR_BUSY, "%s is being written to by %.*s", path, (int)holder, text);
	return err_hint(err, "wait for it, or stop it with Ctrl-C: a migration goes on later where it stopped");
}

int lite_target_lock(const char *path, struct arena *a, int *fd, struct err *err)
{
	const char *lock = arena_printf(a, "%s-settle-lock", path).ptr;
	char now[CLOCK_TEXT_SIZE];
	*fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*fd < 0)
		return err_sys(err, ERR_TARGET, errno, "cannot open %s", lock);
	if (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
		int rc = errno == EWOULDBLOCK ? say_busy(*fd, path, err)
					      : err_sys(err, ERR_TARGET, errno, "cannot lock %s", lock);
		close(*fd);
		*fd = -1;
		return rc;
	}
	clock_utc_text(now);
	struct slice sign = arena_printf(a, "settle snapshot, process %ld\n%s\n", (long)getpid(), now);
	if (ftruncate(*fd, 0) != 0 || pwrite(*fd, sign.ptr, sign.len, 0) != (ssize_t)sign.len)
		return err_sys(err, ERR_TARGET, errno, "cannot write %s", lock);
	return 0;
}

/* ---- counting ---- */

static int count_one(struct lite *db, struct slice name, struct arena *a, int64_t *rows, struct err *err)
{
	struct slice quoted = sql_quote_ident(name, a);
	struct lite_stmt *s = NULL;
	int row = 0;
	int rc = lite_stmt(db, arena_printf(a, "SELECT count(*) FROM %.*s", SLICE_ARG(quoted)).ptr, &s, err);
	if (rc == 0)
		rc = lite_step(s, &row, err);
	*rows = row ? lite_int(s, 0) : 0;
	lite_done(s);
	return rc;
}

int lite_count(struct lite *db, struct arena *a, struct manifest_tables *out, struct err *err)
{
	struct lite_stmt *s = NULL;
	int row = 0;
	int rc =
	    lite_stmt(db,
		      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
		      " AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name",
		      &s, err);
	while (rc == 0 && (rc = lite_step(s, &row, err)) == 0 && row) {
		struct manifest_table one = {arena_slice(a, lite_text(s, 0)), 0};
		ARENA_PUSH(a, out, one);
	}
	lite_done(s);
	for (size_t i = 0; rc == 0 && i < out->n; i++)
		rc = count_one(db, out->v[i].name, a, &out->v[i].rows, err);
	return rc;
}

/* ---- the copy ---- */

static int open_lite(struct lite **out, const char *path, struct err *err)
{
	struct lite_options o = {.path = path, .flags = LITE_READ_ONLY, .code = ERR_TARGET, .what = "target"};
	return lite_open(out, &o, err);
}

int lite_count_copy(const char *path, struct arena *a, struct manifest_tables *out, struct err *err)
{
	static const char *const traces[] = {"-wal", "-shm"};
	struct lite *db = NULL;
	int rc = open_lite(&db, path, err);
	if (rc == 0)
		rc = lite_count(db, a, out, err);
	lite_close(db);
	for (size_t i = 0; rc == 0 && i < 2; i++)
		rc = files_remove_tree(arena_printf(a, "%s%s", path, traces[i]).ptr, err);
	return rc;
}

int origin_lite_open(struct origin *o, struct err *err)
{
	const char *path = o->env->target->path;
	o->m->engine = SLICE("sqlite");
	o->m->method = SLICE("backup");
	o->m->server = arena_printf(o->a, "SQLite %s", lite_version());
	if (!files_exist(path))
		return err_set(err, ERR_TARGET, "there is no database %s", path);
	int rc = lite_target_lock(path, o->a, &o->lock_fd, err);
	if (rc == 0)
		rc = open_lite(&o->db, path, err);
	return rc ? rc : domains_of_lite(o->db, o->a, &o->domains, err);
}

static int show_copied(void *ctx, int64_t bytes, int64_t of_bytes, struct err *err)
{
	struct meter *m = ctx;
	atomic_store(&m->bytes, bytes);
	m->of_bytes = of_bytes;
	return meter_add(m, 0, err);
}

/* Rows are counted in the copy: others than settle may write to the original. */
int origin_lite_copy(struct origin *o, const char *dir, struct err *err)
{
	const char *to = arena_printf(o->a, "%s/" SQLITE_FILE, dir).ptr;
	o->meter.what = "copying";
	int rc = lite_backup(o->db, to, show_copied, &o->meter, err);
	lite_close(o->db);
	o->db = NULL;
	return rc ? rc : lite_count_copy(to, o->a, &o->m->tables, err);
}
