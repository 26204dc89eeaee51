/* settle's tables in a SQLite file: which version, making them, and what `check` wants to know. */
#include "config.h"

#include "sql/sqlite/sqlite.h"
#include "sql/tables.h"

#include <sqlite3.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* ---- which version ---- */

/* The integer a statement without parameters gives; *value stays when there is no row. */
static int ask_int(struct sqlite_target *t, const char *sql, int64_t *value, struct err *err)
{
	struct lite_stmt *s = NULL;
	int row = 0;
	int rc;

	buf_str(sqlite_text(t), sql);
	rc = sqlite_stmt(t, &s, err);
	if (rc == 0)
		rc = lite_step(s, &row, err);
	if (rc == 0 && row)
		*value = lite_int(s, 0);
	lite_done(s);
	return rc;
}

static int schema_version(struct sqlite_target *t, int64_t *version, struct err *err)
{
	int64_t tables = 0;
	int rc = ask_int(t, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'settle_schema'",
			 &tables, err);

	*version = 0;
	if (rc || tables == 0)
		return rc;
	return ask_int(t, "SELECT version FROM settle_schema", version, err);
}

int sqlite_schema_check(struct sql_target *base, struct err *err)
{
	int64_t version = 0;
	int rc = schema_version(sqlite_of(base), &version, err);

	return rc ? rc : sql_schema_version_check(version, err);
}

/* ---- making it ---- */

static int make_indexes(struct sqlite_target *t, unsigned flags, struct err *err)
{
	int rc = 0;

	for (const struct sql_index *i = sql_all_indexes; i->name && rc == 0; i++) {
		if (i->flags != flags)
			continue;
		sql_text_create_index(sqlite_text(t), &t->base.names, i);
		rc = sqlite_exec_text(t, err);
	}
	return rc;
}

static int make_table(struct sqlite_target *t, const struct sql_table *table, struct err *err)
{
	sql_text_create_table(sqlite_text(t), &t->base.names, table);
	if (sqlite_exec_text(t, err) == 0)
		return 0;
	if (err && (err->native & 0xff) == SQLITE_ERROR)
		err_hint(err, "something else of that name is there; give settle a file of its own");
	return err ? (int)err->code : ERR_TARGET;
}

static int set_version(struct sqlite_target *t, struct err *err)
{
	struct lite_stmt *s = NULL;
	int rc;

	buf_str(sqlite_text(t), "INSERT INTO settle_schema (version) VALUES (?1)");
	rc = sqlite_stmt(t, &s, err);
	if (rc)
		return rc;
	lite_bind_int(s, 1, SQL_SCHEMA_VERSION);
	rc = lite_run(s, err);
	lite_done(s);
	return rc;
}

static int make_tables(struct sqlite_target *t, struct err *err)
{
	int rc = 0;

	for (const struct sql_table *const *table = sql_all_tables; *table && rc == 0; table++)
		rc = make_table(t, *table, err);
	if (rc == 0)
		rc = make_indexes(t, SQL_INDEX_AT_ONCE, err);
	if (rc == 0)
		rc = make_table(t, &sql_schema_table, err);
	return rc ? rc : set_version(t, err);
}

static int create(struct sqlite_target *t, struct err *err)
{
	int64_t version = 0;
	int rc = lite_begin(t->db, err);

	/* Looked at again inside the transaction: another process may have been first. */
	if (rc == 0)
		rc = schema_version(t, &version, err);
	if (rc == 0 && version == 0)
		rc = make_tables(t, err);
	if (rc == 0)
		rc = lite_commit(t->db, err);
	if (rc)
		lite_rollback(t->db);
	return rc;
}

int sqlite_schema_open(struct sqlite_target *t, struct err *err)
{
	int64_t version = 0;
	int rc = schema_version(t, &version, err);

	if (rc == 0 && version == 0)
		rc = create(t, err);
	return rc ? rc : sqlite_schema_check(&t->base, err);
}

static int set_cache(struct sqlite_target *t, int kib, struct err *err)
{
	char sql[80];

	snprintf(sql, sizeof(sql), "PRAGMA cache_size=-%d; PRAGMA shrink_memory", kib);
	return lite_exec(t->db, sql, err);
}

/* Sorting for an index takes as much memory as the cache, and more for a moment; and the cache helps little here. */
static int make_late_indexes(struct sqlite_target *t, struct err *err)
{
	int rc = set_cache(t, SQLITE_CACHE_KIB / 4, err);

	if (rc == 0)
		rc = make_indexes(t, 0, err);
	return rc ? rc : set_cache(t, SQLITE_CACHE_KIB, err);
}

int sqlite_finish_load(struct sql_target *base, struct err *err)
{
	struct sqlite_target *t = sqlite_of(base);
	int rc = make_late_indexes(t, err);

	/* A sample tells the planner enough, and does not read the whole file. */
	if (rc == 0)
		rc = lite_exec(t->db, "PRAGMA analysis_limit = 1000", err);
	for (const struct sql_table *const *table = sql_all_tables; *table && rc == 0; table++) {
		struct buf *b = sqlite_text(t);
		buf_str(b, "ANALYZE ");
		sql_add_table(b, &base->names, (*table)->name);
		rc = sqlite_exec_text(t, err);
	}
	return rc;
}

/* ---- for `check` ---- */

static const char *directory_of(struct sqlite_target *t, struct arena *a)
{
	const char *slash = strrchr(t->path, '/');

	if (!slash)
		return ".";
	return slash == t->path ? "/" : arena_str(a, (struct slice){t->path, (size_t)(slash - t->path)});
}

int sqlite_describe(struct sql_target *base, struct arena *a, struct sql_report *out, struct err *err)
{
	struct sqlite_target *t = sqlite_of(base);
	const char *directory = directory_of(t, a);
	struct statvfs disk;
	int64_t version = 0;
	int rc = schema_version(t, &version, err);

	if (rc)
		return rc;
	out->schema_version = (int)version;
	out->version = slice_of(lite_version());
	out->server = arena_printf(a, "SQLite %s", lite_version());
	out->can_create = access(directory, W_OK | X_OK) == 0;
	out->can_write = out->can_create && (access(t->path, F_OK) != 0 || access(t->path, W_OK) == 0);
	if (statvfs(directory, &disk) == 0)
		out->free_bytes = (int64_t)disk.f_bavail * (int64_t)disk.f_frsize;
	return 0;
}
