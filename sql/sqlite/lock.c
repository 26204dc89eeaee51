/*
 * The domain lock of a SQLite target: flock on a file beside it, which also tells who holds it. A SQLite file has one
 * writer, so one lock serves all its domains. The file stays when the lock is given back: removing it would let two
 * processes lock two files.
 */
#include "config.h"

#include "base/clock.h"
#include "sql/sqlite/sqlite.h"
#include "sql/tables.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

void sqlite_unlock(struct sqlite_target *t)
{
	if (t->lock_fd < 0)
		return;
	close(t->lock_fd);
	t->lock_fd = -1;
}

/* The file holds "holder\nsince\n". */
static int say_busy(int fd, struct slice domain, struct err *err)
{
	char text[512];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	struct slice holder, since;

	text[n > 0 ? n : 0] = 0;
	holder = (struct slice){text, strcspn(text, "\n")};
	since = slice_of(text + holder.len + (text[holder.len] == '\n'));
	since.len = strcspn(since.ptr, "\n");
	return sql_busy(domain, holder, since, err);
}

static int take_file(struct sqlite_target *t, struct slice domain, struct err *err)
{
	const char *path = arena_printf(&t->memory, "%s-settle-lock", t->path).ptr;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int rc;

	if (fd < 0)
		return err_sys(err, ERR_TARGET, errno, "cannot open %s", path);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		t->lock_fd = fd;
		return 0;
	}
	rc = errno == EWOULDBLOCK ? say_busy(fd, domain, err) : err_sys(err, ERR_TARGET, errno, "cannot lock %s", path);
	close(fd);
	return rc;
}

static int sign_file(struct sqlite_target *t, const char *self, const char *now, struct err *err)
{
	char text[400];
	int n = snprintf(text, sizeof(text), "%s\n%s\n", self, now);

	if (ftruncate(t->lock_fd, 0) != 0 || pwrite(t->lock_fd, text, (size_t)n, 0) != n)
		return err_sys(err, ERR_TARGET, errno, "cannot write %s-settle-lock", t->path);
	return 0;
}

static int upsert_holder(struct sqlite_target *t, struct slice domain, const char *self, const char *now,
			 struct err *err)
{
	struct lite_stmt *s = NULL;
	struct buf *b = sqlite_text(t);
	int rc;

	buf_str(b, "INSERT INTO ");
	sql_add_table(b, &t->base.names, sql_migration.name);
	buf_str(b, " (domain, status, was_live, epoch, holder, holder_since) VALUES (?1, 'not-started', 0, 1, ?2, ?3)"
		   " ON CONFLICT (domain) DO UPDATE SET epoch = epoch + 1, holder = excluded.holder,"
		   " holder_since = excluded.holder_since");
	rc = sqlite_stmt(t, &s, err);
	if (rc)
		return rc;
	lite_bind_text(s, 1, domain);
	lite_bind_text(s, 2, slice_of(self));
	lite_bind_text(s, 3, slice_of(now));
	rc = lite_run(s, err);
	lite_done(s);
	return rc;
}

/* *epoch = -1 when the domain has no row. */
static int read_epoch(struct sqlite_target *t, struct slice domain, int64_t *epoch, struct err *err)
{
	struct lite_stmt *s = NULL;
	struct buf *b = sqlite_text(t);
	int row = 0;
	int rc;

	buf_str(b, "SELECT epoch FROM ");
	sql_add_table(b, &t->base.names, sql_migration.name);
	buf_str(b, " WHERE domain = ?1");
	rc = sqlite_stmt(t, &s, err);
	if (rc)
		return rc;
	lite_bind_text(s, 1, domain);
	rc = lite_step(s, &row, err);
	*epoch = rc == 0 && row ? lite_int(s, 0) : -1;
	lite_done(s);
	return rc;
}

static int raise_epoch(struct sqlite_target *t, struct slice domain, int64_t *epoch, struct err *err)
{
	char self[300], now[CLOCK_TEXT_SIZE];
	int rc;

	sql_holder_self(self, sizeof(self));
	clock_utc_text(now);
	rc = sign_file(t, self, now, err);
	if (rc == 0)
		rc = lite_begin(t->db, err);
	if (rc)
		return rc;
	rc = upsert_holder(t, domain, self, now, err);
	if (rc == 0)
		rc = read_epoch(t, domain, epoch, err);
	if (rc == 0)
		rc = lite_commit(t->db, err);
	if (rc)
		lite_rollback(t->db);
	return rc;
}

int sqlite_lock(struct sql_target *base, struct slice domain, int64_t *epoch, struct err *err)
{
	struct sqlite_target *t = sqlite_of(base);
	int rc = take_file(t, domain, err);

	if (rc == 0)
		rc = raise_epoch(t, domain, epoch, err);
	if (rc)
		sqlite_unlock(t);
	return rc;
}

int sqlite_check_epoch(struct sql_target *base, int *same, struct err *err)
{
	int64_t epoch = -1;
	int rc = read_epoch(sqlite_of(base), buf_slice(&base->domain), &epoch, err);

	*same = rc == 0 && epoch == base->epoch;
	return rc;
}
