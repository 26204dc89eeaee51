/* The interface of sql/target.h: its rules, kept once for both drivers. */
#include "config.h"

#include "base/datetime.h"
#include "base/number.h"
#include "sql/sql_internal.h"
#include "sql/tables.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

struct slice sql_quote_ident(struct slice name, struct arena *a)
{
	char *text = arena_alloc(a, name.len * 2 + 3);
	size_t n = 0;

	text[n++] = '"';
	for (size_t i = 0; i < name.len; i++) {
		if (name.ptr[i] == '"')
			text[n++] = '"';
		text[n++] = name.ptr[i];
	}
	text[n++] = '"';
	text[n] = 0;
	return (struct slice){text, n};
}

void sql_target_init(struct sql_target *t, const struct sql_driver *driver, const struct sql_options *o)
{
	*t = (struct sql_target){.driver = driver, .log = o->log, .flags = o->flags};
	t->domain = (struct buf)BUF_INIT(SQL_TEXT_MAX);
}

void sql_target_release(struct sql_target *t)
{
	buf_release(&t->domain);
}

void sql_log(const struct sql_target *t, struct slice statement)
{
	if (t->log)
		log_at(t->log, LOG_SQL, "%.*s", SLICE_ARG(statement));
}

static void holder_of(long pid, char *out, size_t size)
{
	char host[256];

	if (gethostname(host, sizeof(host)) != 0)
		snprintf(host, sizeof(host), "unknown-host");
	host[sizeof(host) - 1] = 0;
	snprintf(out, size, "%s pid %ld", host, pid);
}

void sql_holder_self(char *out, size_t size)
{
	holder_of((long)getpid(), out, size);
}

int sql_holder_is_gone(struct slice holder)
{
	size_t digits = holder.len;
	char text[300];
	long long pid;

	while (digits > 0 && holder.ptr[digits - 1] >= '0' && holder.ptr[digits - 1] <= '9')
		digits--;
	if (!number_to_i64((struct slice){holder.ptr + digits, holder.len - digits}, &pid) || pid < 1 || pid > INT_MAX)
		return 0;
	holder_of((long)pid, text, sizeof(text));
	return slice_eq(holder, slice_of(text)) && kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

int sql_busy(struct slice domain, struct slice holder, struct slice since, struct err *err)
{
	err_set(err, ERR_BUSY, "domain %.*s is being written by %.*s%s%.*s", SLICE_ARG(domain),
		holder.len ? (int)holder.len : 15, holder.len ? holder.ptr : "another process",
		since.len ? " since " : "", SLICE_ARG(since));
	return err_hint(err, "wait for it to end, or stop it; stats and show work meanwhile");
}

int sql_is_time(struct slice cell, int64_t *us)
{
	/* One text for one instant: SQLite compares and orders texts. */
	return cell.len == DATETIME_TEXT_SIZE - 1 && datetime_parse(cell, us);
}

int sql_schema_version_check(int64_t version, struct err *err)
{
	if (version == 0)
		return err_set(err, ERR_NOTFOUND, "target holds no tables of settle yet");
	if (version != SQL_SCHEMA_VERSION) {
		err_set(err, ERR_TARGET, "target's tables have version %lld, this settle knows version %d",
			(long long)version, SQL_SCHEMA_VERSION);
		return err_hint(err, "use the newer settle that made them");
	}
	return 0;
}

int sql_open(struct sql_target **out, const struct sql_options *o, struct err *err)
{
	*out = NULL;
	switch (o->url->scheme) {
	case URL_POSTGRES:
		return sql_pg_driver.open(out, o, err);
	case URL_SQLITE:
		if (o->schema)
			return err_set(err, ERR_USAGE, "--schema is for PostgreSQL, the target is SQLite");
		if (o->distribute)
			return err_set(err, ERR_USAGE,
				       "--distribute is for PostgreSQL with Citus, the target is SQLite");
		return sql_sqlite_driver.open(out, o, err);
	default:
		return err_set(err, ERR_USAGE, "%s is no target: postgres:// or sqlite: expected", o->url->shown);
	}
}

void sql_close(struct sql_target *t)
{
	if (!t)
		return;
	sql_rollback(t);
	t->driver->close(t);
}

int sql_concurrent(const struct sql_target *t)
{
	return t->concurrent;
}

int sql_schema_check(struct sql_target *t, struct err *err)
{
	return t->driver->schema_check(t, err);
}

/* ---- transactions ---- */

/* Notes a failure inside a transaction, so that nothing but a rollback follows it. */
static int ended(struct sql_target *t, int rc)
{
	if (rc != 0 && t->phase == SQL_OPEN)
		t->phase = SQL_FAILED;
	return rc;
}

static int may_read(const struct sql_target *t, struct err *err)
{
	if (t->phase == SQL_FAILED)
		return err_set(err, ERR_INTERNAL, "target used after an error without a rollback");
	return 0;
}

static int may_write(struct sql_target *t, struct err *err)
{
	if (t->flags & SQL_READ_ONLY)
		return err_set(err, ERR_INTERNAL, "write to a target that was opened for reading");
	if (t->phase == SQL_IDLE)
		return err_set(err, ERR_INTERNAL, "write to the target outside a transaction");
	t->wrote = 1;
	return may_read(t, err);
}

static int must_be_idle(const struct sql_target *t, const char *what, struct err *err)
{
	if (t->phase != SQL_IDLE)
		return err_set(err, ERR_INTERNAL, "%s inside a transaction", what);
	return 0;
}

int sql_begin(struct sql_target *t, struct err *err)
{
	int rc = must_be_idle(t, "begin", err);

	if (rc == 0)
		rc = t->driver->begin(t, err);
	if (rc == 0) {
		t->phase = SQL_OPEN;
		t->wrote = 0;
	}
	return rc;
}

static int check_epoch(struct sql_target *t, struct err *err)
{
	int same = 0;
	int rc = t->driver->check_epoch(t, &same, err);

	if (rc != 0 || same)
		return rc;
	err_set(err, ERR_STATE, "another process took over domain %.*s, nothing was committed",
		SLICE_ARG(buf_slice(&t->domain)));
	return err_hint(
	    err, "this writer lost its lock (its connection broke, or the machine slept); run the command again");
}

int sql_commit(struct sql_target *t, struct err *err)
{
	int rc = 0;

	if (t->phase != SQL_OPEN)
		return err_set(err, ERR_INTERNAL, "commit without a sound transaction");
	if (t->wrote && t->has_domain)
		rc = check_epoch(t, err);
	if (rc == 0)
		rc = t->driver->commit(t, err);
	if (rc == 0)
		t->phase = SQL_IDLE;
	return ended(t, rc);
}

void sql_rollback(struct sql_target *t)
{
	if (t->phase != SQL_IDLE)
		t->driver->rollback(t);
	t->phase = SQL_IDLE;
}

/* ---- rows ---- */

int sql_put(struct sql_target *t, const struct sql_table *table, const struct sql_row *rows, size_t n,
	    enum sql_outcome *outcomes, struct arena *a, struct sql_row **back, struct err *err)
{
	int rc = may_write(t, err);

	if (back)
		*back = NULL;
	if (rc == 0 && table->nkey == 0)
		rc = err_set(err, ERR_INTERNAL, "put into %s, which has no key", table->name);
	if (rc == 0 && n > 0)
		rc = t->driver->put(t, table, rows, n, outcomes, a, back, err);
	return ended(t, rc);
}

int sql_insert(struct sql_target *t, const struct sql_table *table, const struct sql_row *rows, size_t n,
	       struct err *err)
{
	int rc = may_write(t, err);

	if (rc == 0 && n > 0)
		rc = t->driver->insert(t, table, rows, n, err);
	return ended(t, rc);
}

int sql_delete(struct sql_target *t, const struct sql_table *table, const int *cols, int ncols,
	       const struct sql_row *tuples, size_t n, struct arena *a, struct sql_rows *old, struct err *err)
{
	struct sql_match m = {cols, ncols, tuples, n};
	int rc = may_write(t, err);

	if (rc == 0 && n > 0)
		rc = t->driver->delete (t, table, &m, a, old, err);
	return ended(t, rc);
}

int sql_select(struct sql_target *t, const struct sql_table *table, const int *cols, int ncols,
	       const struct sql_row *tuples, size_t n, struct arena *a, struct sql_rows *out, struct err *err)
{
	struct sql_match m = {cols, ncols, tuples, n};
	int rc = may_read(t, err);

	*out = (struct sql_rows){0};
	if (rc == 0 && n > 0)
		rc = t->driver->select(t, table, &m, a, out, err);
	return ended(t, rc);
}

int sql_page(struct sql_target *t, const struct sql_table *table, struct slice domain, int by, struct slice after,
	     int limit, int distinct, struct arena *a, struct sql_rows *out, struct err *err)
{
	struct sql_range r = {.domain = domain, .by = by, .low = after, .limit = limit, .distinct = distinct};
	int rc = may_read(t, err);

	*out = (struct sql_rows){0};
	if (rc == 0)
		rc = t->driver->page(t, table, &r, a, out, err);
	return ended(t, rc);
}

int sql_page_keys(struct sql_target *t, const struct sql_table *table, struct slice domain, struct slice after,
		  int limit, struct arena *a, struct sql_keys *out, struct err *err)
{
	struct sql_range r = {.domain = domain, .by = 1, .low = after, .limit = limit};
	int rc = may_read(t, err);

	*out = (struct sql_keys){0};
	if (rc == 0 && (table->nkey != 2 || table->columns[1].type != SQL_TEXT))
		rc = err_set(err, ERR_INTERNAL, "the key of %s is not one id", table->name);
	if (rc == 0 && limit > 0)
		rc = t->driver->page_keys(t, table, &r, a, out, err);
	return ended(t, rc);
}

int sql_page_values(struct sql_target *t, const struct sql_table *table, struct slice domain, int by, int only,
		    struct slice value, struct slice after, int limit, struct arena *a, struct sql_keys *out,
		    struct err *err)
{
	struct sql_range r = {
	    .domain = domain, .by = by, .low = after, .only = only, .value = value, .limit = limit, .distinct = 1};
	int rc = may_read(t, err);

	*out = (struct sql_keys){0};
	if (rc == 0 && (table->columns[by].type != SQL_TEXT || table->columns[only].type != SQL_TEXT))
		rc = err_set(err, ERR_INTERNAL, "%s.%s and %s are not text", table->name, table->columns[by].name,
			     table->columns[only].name);
	if (rc == 0 && limit > 0)
		rc = t->driver->page_keys(t, table, &r, a, out, err);
	return ended(t, rc);
}

int sql_delete_range(struct sql_target *t, const struct sql_table *table, struct slice domain, int by, struct slice low,
		     struct slice high, struct err *err)
{
	struct sql_range r = {.domain = domain, .by = by, .low = low, .high = high};
	int rc = may_write(t, err);

	if (rc == 0)
		rc = t->driver->delete_range(t, table, &r, err);
	return ended(t, rc);
}

int sql_count_by(struct sql_target *t, const struct sql_table *table, struct slice domain, int by, sql_count_fn *fn,
		 void *ctx, struct err *err)
{
	struct sql_range r = {.domain = domain, .by = by};
	int rc = may_read(t, err);

	if (rc == 0)
		rc = t->driver->count_by(t, table, &r, fn, ctx, err);
	return ended(t, rc);
}

/* ---- the domain lock ---- */

static void remember_domain(struct sql_target *t, struct slice domain, int64_t epoch)
{
	buf_clear(&t->domain);
	buf_adds(&t->domain, domain);
	t->has_domain = 1;
	t->epoch = epoch;
}

static int may_take_domain(struct sql_target *t, struct err *err)
{
	int rc = must_be_idle(t, "domain lock", err);

	if (rc == 0 && (t->flags & SQL_READ_ONLY))
		rc = err_set(err, ERR_INTERNAL, "domain lock on a target that was opened for reading");
	if (rc == 0 && t->has_domain)
		rc = err_set(err, ERR_INTERNAL, "this connection already has the domain %.*s",
			     SLICE_ARG(buf_slice(&t->domain)));
	return rc;
}

int sql_domain_lock(struct sql_target *t, struct slice domain, int64_t *epoch, struct err *err)
{
	int rc = may_take_domain(t, err);

	if (rc == 0)
		rc = t->driver->lock(t, domain, epoch, err);
	if (rc == 0)
		remember_domain(t, domain, *epoch);
	return rc;
}

int sql_domain_join(struct sql_target *t, struct slice domain, int64_t epoch, struct err *err)
{
	int rc = may_take_domain(t, err);

	if (rc == 0)
		remember_domain(t, domain, epoch);
	return rc;
}

/* ---- the rest ---- */

int sql_finish_load(struct sql_target *t, struct err *err)
{
	int rc = must_be_idle(t, "finish of the load", err);

	if (rc == 0 && (t->flags & SQL_READ_ONLY))
		rc = err_set(err, ERR_INTERNAL, "finish of a load on a target that was opened for reading");
	return rc ? rc : t->driver->finish_load(t, err);
}

int sql_describe(struct sql_target *t, struct arena *a, struct sql_report *out, struct err *err)
{
	int rc = may_read(t, err);

	*out = (struct sql_report){.free_bytes = -1};
	return ended(t, rc ? rc : t->driver->describe(t, a, out, err));
}
