#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lite/lite.h"

#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct place {
	char dir[32], path[64];
};

static int make_place(void **state)
{
	struct place *p = test_calloc(1, sizeof(*p));
	memcpy(p->dir, "/tmp/settle-lite-XXXXXX", sizeof("/tmp/settle-lite-XXXXXX"));
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->path, sizeof(p->path), "%s/x.db", p->dir);
	*state = p;
	return 0;
}

static int remove_place(void **state)
{
	struct place *p = *state;
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
	char name[80];
	chmod(p->dir, 0700);
	for (size_t i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "%s%s", p->path, suffixes[i]);
		unlink(name);
	}
	int rc = rmdir(p->dir);
	test_free(p);
	return rc;
}

static int try_open(struct lite **out, const char *path, unsigned flags, struct err *err)
{
	struct lite_options o = {.path = path, .flags = flags, .code = ERR_TARGET, .what = "target"};
	return lite_open(out, &o, err);
}

static struct lite *must_open(const char *path, unsigned flags)
{
	struct lite *db = NULL;
	struct err err = ERR_INIT;
	if (try_open(&db, path, flags, &err) != 0)
		fail_msg("%s", err.msg);
	return db;
}

static void must_exec(struct lite *db, const char *sql)
{
	struct err err = ERR_INIT;
	if (lite_exec(db, sql, &err) != 0)
		fail_msg("%s", err.msg);
}

static int64_t must_count(struct lite *db, const char *sql)
{
	struct lite_stmt *s;
	int row;
	assert_int_equal(lite_stmt(db, sql, &s, NULL), 0);
	assert_int_equal(lite_step(s, &row, NULL), 0);
	assert_int_equal(row, 1);
	int64_t n = lite_int(s, 0);
	lite_done(s);
	return n;
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int mode_of(const char *path, const char *suffix)
{
	char name[80];
	struct stat st;
	snprintf(name, sizeof(name), "%s%s", path, suffix);
	return stat(name, &st) == 0 ? (int)(st.st_mode & 0777) : -1;
}

/* ---- opening ---- */

static void test_lite_open__files_are_private(void **state)
{
	struct place *p = *state;
	mode_t old = umask(0);
	struct lite *db = must_open(p->path, LITE_CREATE | LITE_BULK);
	must_exec(db, "CREATE TABLE t (a)");
	umask(old);
	assert_int_equal(mode_of(p->path, ""), 0600);
	assert_int_equal(mode_of(p->path, "-wal"), 0600);
	assert_int_equal(mode_of(p->path, "-shm"), 0600);
	lite_close(db);
	lite_close(NULL);
}

static void test_lite_open__absent_file_is_not_made_unasked(void **state)
{
	struct place *p = *state;
	struct lite *db = NULL;
	for (unsigned flags = 0; flags <= LITE_READ_ONLY; flags += LITE_READ_ONLY) {
		struct err err = ERR_INIT;
		assert_int_equal(try_open(&db, p->path, flags, &err), ERR_TARGET);
		assert_null(db);
		assert_int_equal(err.native & 0xff, SQLITE_CANTOPEN);
		assert_non_null(strstr(err.msg, p->path));
		assert_non_null(strstr(err.msg, "No such file"));
		assert_int_equal(mode_of(p->path, ""), -1);
	}
}

static void test_lite_open__memory_is_a_file_name_like_any_other(void **state)
{
	struct place *p = *state;
	char old[4096];
	assert_non_null(getcwd(old, sizeof(old)));
	assert_int_equal(chdir(p->dir), 0);
	struct lite *db = must_open(":memory:", LITE_CREATE);
	lite_close(db);
	assert_int_equal(unlink(":memory:"), 0);
	db = must_open("file:x?mode=memory", LITE_CREATE);
	lite_close(db);
	assert_int_equal(unlink("file:x?mode=memory"), 0);
	assert_int_equal(chdir(old), 0);
}

static void test_lite_open__empty_path_is_temporary(void **state)
{
	(void)state;
	struct lite *db = must_open("", LITE_BULK);
	must_exec(db, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
	assert_int_equal(must_count(db, "SELECT count(*) FROM t"), 1);
	lite_close(db);
}

static void test_lite_open__no_sqlite_file_is_refused(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct lite *db = NULL;
	char text[4097];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	write_file(p->path, text);
	assert_int_equal(try_open(&db, p->path, LITE_CREATE, &err), ERR_TARGET);
	assert_int_equal(err.native, SQLITE_NOTADB);
	assert_non_null(strstr(err.msg, "target"));
	assert_non_null(strstr(err.hint, "damaged"));
	assert_int_equal(try_open(&db, p->path, LITE_READ_ONLY, &err), ERR_TARGET);
}

static void test_lite_open__damaged_pages_are_told(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct lite *db = must_open(p->path, LITE_CREATE);
	must_exec(db, "CREATE TABLE t (a); INSERT INTO t VALUES (randomblob(20000))");
	lite_close(db);
	FILE *f = fopen(p->path, "r+");
	assert_non_null(f);
	fseek(f, 4096, SEEK_SET);
	for (int i = 0; i < 8192; i++)
		fputc(0x77, f);
	fclose(f);
	db = must_open(p->path, 0);
	assert_int_equal(lite_exec(db, "UPDATE t SET a = a || 'x'", &err), ERR_TARGET);
	assert_int_equal(err.native & 0xff, SQLITE_CORRUPT);
	assert_non_null(strstr(err.hint, "damaged"));
	lite_close(db);
}

/* Runs work as an ordinary user: root may write anywhere. */
static void as_nobody(void (*work)(struct place *), struct place *p)
{
	int root = geteuid() == 0;
	if (root) {
		assert_int_equal(chown(p->dir, 65534, 65534), 0);
		if (access(p->path, F_OK) == 0)
			assert_int_equal(chown(p->path, 65534, 65534), 0);
		assert_int_equal(seteuid(65534), 0);
	}
	work(p);
	if (root)
		assert_int_equal(seteuid(0), 0);
}

static void open_in_unwritable(struct place *p)
{
	struct err err = ERR_INIT;
	struct lite *db = NULL;
	assert_int_equal(chmod(p->dir, 0500), 0);
	assert_int_equal(try_open(&db, p->path, LITE_CREATE, &err), ERR_TARGET);
	assert_int_equal(err.native, EACCES);
	assert_non_null(strstr(err.msg, "cannot make target"));
	assert_non_null(strstr(err.hint, "writable"));
}

static void test_lite_open__unwritable_directory(void **state)
{
	as_nobody(open_in_unwritable, *state);
}

static void open_unwritable(struct place *p)
{
	struct err err = ERR_INIT;
	struct lite *db = NULL;
	assert_int_equal(chmod(p->path, 0400), 0);
	assert_int_equal(try_open(&db, p->path, LITE_CREATE, &err), ERR_TARGET);
	assert_int_equal(err.native & 0xff, SQLITE_READONLY);
	assert_non_null(strstr(err.hint, "writable"));
	assert_int_equal(chmod(p->path, 0000), 0);
	assert_int_equal(try_open(&db, p->path, 0, &err), ERR_TARGET);
	assert_int_equal(err.native & 0xff, SQLITE_CANTOPEN);
	assert_int_equal(try_open(&db, p->path, LITE_READ_ONLY, &err), ERR_TARGET);
	assert_int_equal(err.native & 0xff, SQLITE_CANTOPEN);
}

static void test_lite_open__unwritable_file(void **state)
{
	struct place *p = *state;
	struct lite *db = must_open(p->path, LITE_CREATE);
	must_exec(db, "CREATE TABLE t (a)");
	lite_close(db);
	as_nobody(open_unwritable, p);
}

static void read_in_unwritable(struct place *p)
{
	assert_int_equal(chmod(p->dir, 0500), 0);
	struct lite *db = must_open(p->path, LITE_READ_ONLY);
	assert_int_equal(must_count(db, "SELECT count(*) FROM t"), 1);
	lite_close(db);
}

static void test_lite_open__wal_file_is_read_in_an_unwritable_directory(void **state)
{
	struct place *p = *state;
	struct lite *db = must_open(p->path, LITE_CREATE | LITE_BULK);
	must_exec(db, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
	lite_close(db);
	assert_int_equal(mode_of(p->path, "-wal"), -1);
	as_nobody(read_in_unwritable, p);
}

static void test_lite_open__wal_file_without_wal_is_read(void **state)
{
	struct place *p = *state;
	struct lite *db = must_open(p->path, LITE_CREATE | LITE_BULK);
	must_exec(db, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
	lite_close(db);
	assert_int_equal(mode_of(p->path, "-wal"), -1);
	db = must_open(p->path, LITE_READ_ONLY);
	assert_int_equal(must_count(db, "SELECT count(*) FROM t"), 1);
	lite_close(db);
}

/* ---- readers and writers ---- */

static void test_lite_read_only__cannot_write(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct lite *db = must_open(p->path, LITE_CREATE);
	must_exec(db, "CREATE TABLE t (a)");
	lite_close(db);
	db = must_open(p->path, LITE_READ_ONLY);
	assert_int_equal(lite_exec(db, "INSERT INTO t VALUES (1)", &err), ERR_TARGET);
	assert_int_equal(err.native & 0xff, SQLITE_READONLY);
	assert_int_equal(lite_begin(db, &err), 0);
	assert_int_equal(must_count(db, "SELECT count(*) FROM t"), 0);
	assert_int_equal(lite_commit(db, &err), 0);
	lite_close(db);
}

static void test_lite_read_only__reads_beside_a_writer(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct lite *writer = must_open(p->path, LITE_CREATE | LITE_BULK);
	must_exec(writer, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
	assert_int_equal(lite_begin(writer, &err), 0);
	must_exec(writer, "INSERT INTO t VALUES (2)");
	struct lite *reader = must_open(p->path, LITE_READ_ONLY);
	assert_int_equal(must_count(reader, "SELECT count(*) FROM t"), 1);
	assert_int_equal(lite_commit(writer, &err), 0);
	assert_int_equal(must_count(reader, "SELECT count(*) FROM t"), 2);
	lite_close(reader);
	lite_close(writer);
}

static void test_lite_begin__second_writer_is_busy(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct lite *first = must_open(p->path, LITE_CREATE | LITE_BULK);
	must_exec(first, "CREATE TABLE t (a)");
	struct lite *second = must_open(p->path, 0);
	sqlite3_busy_timeout(lite_handle(second), 1);
	assert_int_equal(lite_begin(first, &err), 0);
	assert_int_equal(lite_begin(second, &err), ERR_BUSY);
	assert_int_equal(err.code, ERR_BUSY);
	assert_int_equal(err.retryable, 1);
	assert_int_equal(err.native & 0xff, SQLITE_BUSY);
	assert_non_null(strstr(err.hint, "another process"));
	assert_int_equal(lite_begin(second, NULL), ERR_BUSY);
	lite_rollback(first);
	assert_int_equal(lite_begin(second, &err), 0);
	lite_close(second);
	lite_close(first);
}

static void test_lite_rollback__undoes_and_may_come_twice(void **state)
{
	struct place *p = *state;
	struct lite *db = must_open(p->path, LITE_CREATE);
	must_exec(db, "CREATE TABLE t (a)");
	assert_int_equal(lite_begin(db, NULL), 0);
	must_exec(db, "INSERT INTO t VALUES (1)");
	assert_int_equal(lite_changes(db), 1);
	lite_rollback(db);
	lite_rollback(db);
	assert_int_equal(must_count(db, "SELECT count(*) FROM t"), 0);
	assert_int_equal(lite_commit(db, NULL), ERR_TARGET);
	lite_close(db);
}

static void test_lite_close__open_transaction_is_rolled_back(void **state)
{
	struct place *p = *state;
	struct lite *db = must_open(p->path, LITE_CREATE | LITE_BULK);
	must_exec(db, "CREATE TABLE t (a)");
	assert_int_equal(lite_begin(db, NULL), 0);
	must_exec(db, "INSERT INTO t VALUES (1)");
	lite_close(db);
	db = must_open(p->path, 0);
	assert_int_equal(must_count(db, "SELECT count(*) FROM t"), 0);
	lite_close(db);
}

/* ---- disks ---- */

static void test_lite_step__full_database(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct lite_stmt *s;
	struct lite *db = must_open(p->path, LITE_CREATE);
	must_exec(db, "CREATE TABLE t (a); PRAGMA max_page_count=4");
	assert_int_equal(lite_begin(db, &err), 0);
	assert_int_equal(lite_stmt(db, "INSERT INTO t VALUES (randomblob(100000))", &s, &err), 0);
	assert_int_equal(lite_run(s, &err), ERR_TARGET);
	assert_int_equal(err.native, SQLITE_FULL);
	assert_non_null(strstr(err.hint, "free space"));
	lite_rollback(db);
	assert_int_equal(must_count(db, "SELECT count(*) FROM t"), 0);
	lite_close(db);
}

static void test_lite_exec__file_size_limit_is_told(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct lite *db = must_open(p->path, LITE_CREATE | LITE_BULK);
	must_exec(db, "CREATE TABLE t (a)");
	struct rlimit old, tiny;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	tiny = old;
	tiny.rlim_cur = 65536;
	void (*old_handler)(int) = signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tiny), 0);
	int rc = lite_exec(db, "INSERT INTO t VALUES (randomblob(200000))", &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	signal(SIGXFSZ, old_handler);
	assert_int_equal(rc, ERR_TARGET);
	assert_int_equal(err.native & 0xff, SQLITE_IOERR);
	assert_non_null(strstr(err.msg, "disk I/O error"));
	assert_non_null(strstr(err.hint, "free space"));
	lite_rollback(db);
	assert_int_equal(must_count(db, "SELECT count(*) FROM t"), 0);
	lite_close(db);
}

/* ---- migrations ---- */

static const char *const steps[] = {
    "CREATE TABLE one (a)",
    "CREATE TABLE two (a); INSERT INTO two VALUES (2)",
    "INSERT INTO two VALUES (3)",
    "CREATE TABLE two (clash)",
};

static void test_lite_migrate__each_step_once(void **state)
{
	struct place *p = *state;
	struct lite *db = must_open(p->path, LITE_CREATE);
	assert_int_equal(lite_migrate(db, steps, 1, NULL), 0);
	assert_int_equal(lite_migrate(db, steps, 3, NULL), 0);
	assert_int_equal(lite_migrate(db, steps, 3, NULL), 0);
	assert_int_equal(must_count(db, "SELECT count(*) FROM two"), 2);
	assert_int_equal(must_count(db, "PRAGMA user_version"), 3);
	lite_close(db);
}

static void test_lite_migrate__failed_step_leaves_the_version_before_it(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct lite *db = must_open(p->path, LITE_CREATE);
	assert_int_equal(lite_migrate(db, steps, 4, &err), ERR_TARGET);
	assert_non_null(strstr(err.msg, "already exists"));
	assert_int_equal(must_count(db, "PRAGMA user_version"), 3);
	assert_int_equal(lite_begin(db, &err), 0);
	lite_close(db);
}

static void test_lite_migrate__newer_file_is_refused(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct lite *db = must_open(p->path, LITE_CREATE);
	must_exec(db, "PRAGMA user_version=7");
	assert_int_equal(lite_migrate(db, steps, 3, &err), ERR_STATE);
	assert_non_null(strstr(err.msg, "version 7"));
	assert_non_null(strstr(err.msg, "up to 3"));
	assert_non_null(strstr(err.msg, p->path));
	assert_int_not_equal(err.hint[0], 0);
	lite_close(db);
}

static void test_lite_migrate__read_only_checks(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct lite *db = must_open(p->path, LITE_CREATE);
	assert_int_equal(lite_migrate(db, steps, 2, &err), 0);
	lite_close(db);
	db = must_open(p->path, LITE_READ_ONLY);
	assert_int_equal(lite_migrate(db, steps, 2, &err), 0);
	assert_int_equal(lite_migrate(db, steps, 3, &err), ERR_STATE);
	assert_non_null(strstr(err.msg, "version 2"));
	assert_int_equal(lite_migrate(db, steps, 1, &err), ERR_STATE);
	lite_close(db);
}

static void test_lite_migrate__is_busy_while_another_migrates(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct lite *first = must_open(p->path, LITE_CREATE | LITE_BULK);
	struct lite *second = must_open(p->path, 0);
	sqlite3_busy_timeout(lite_handle(second), 1);
	assert_int_equal(lite_begin(first, &err), 0);
	assert_int_equal(lite_migrate(second, steps, 2, &err), ERR_BUSY);
	lite_rollback(first);
	assert_int_equal(lite_migrate(second, steps, 2, &err), 0);
	lite_close(second);
	lite_close(first);
}

/* ---- statements ---- */

static void test_lite_stmt__values_come_back_as_they_went_in(void **state)
{
	(void)state;
	struct lite_stmt *s;
	int row;
	struct lite *db = must_open("", 0);
	must_exec(db, "CREATE TABLE t (a TEXT, b BLOB, c INTEGER, d, e TEXT, f BLOB, g TEXT)");
	assert_int_equal(lite_stmt(db, "INSERT INTO t VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", &s, NULL), 0);
	lite_bind_text(s, 1, SLICE("a\0b"));
	lite_bind_bytes(s, 2, SLICE("\0\xff"));
	lite_bind_int(s, 3, INT64_MIN);
	lite_bind_null(s, 4);
	lite_bind_text(s, 5, SLICE(""));
	lite_bind_bytes(s, 6, SLICE(""));
	lite_bind_text(s, 7, SLICE_NONE);
	assert_int_equal(lite_run(s, NULL), 0);
	assert_int_equal(lite_stmt(db, "SELECT * FROM t", &s, NULL), 0);
	assert_int_equal(lite_step(s, &row, NULL), 0);
	assert_int_equal(row, 1);
	assert_int_equal(lite_columns(s), 7);
	assert_string_equal(lite_column_name(s, 2), "c");
	assert_true(slice_eq(lite_text(s, 0), SLICE("a\0b")));
	assert_true(slice_eq(lite_text(s, 1), SLICE("\0\xff")));
	assert_true(lite_int(s, 2) == INT64_MIN);
	assert_int_equal(lite_column_type(s, 2), SQLITE_INTEGER);
	assert_int_equal(lite_is_null(s, 3), 1);
	assert_null(lite_text(s, 3).ptr);
	assert_non_null(lite_text(s, 4).ptr);
	assert_int_equal(lite_text(s, 4).len, 0);
	assert_non_null(lite_text(s, 5).ptr);
	assert_int_equal(lite_text(s, 5).len, 0);
	assert_int_equal(lite_is_null(s, 5), 0);
	assert_null(lite_text(s, 6).ptr);
	assert_true(slice_is(lite_text(s, 2), "-9223372036854775808"));
	assert_int_equal(lite_step(s, &row, NULL), 0);
	assert_int_equal(row, 0);
	lite_done(s);
	lite_done(NULL);
	lite_close(db);
}

static void test_lite_stmt__is_prepared_once_and_forgets_its_values(void **state)
{
	(void)state;
	struct lite_stmt *first, *again;
	int row;
	static const char sql[] = "SELECT ?1";
	struct lite *db = must_open("", 0);
	assert_int_equal(lite_stmt(db, sql, &first, NULL), 0);
	lite_bind_int(first, 1, 5);
	assert_int_equal(lite_step(first, &row, NULL), 0);
	assert_int_equal(lite_stmt(db, sql, &again, NULL), 0);
	assert_ptr_equal(again, first);
	assert_int_equal(lite_step(again, &row, NULL), 0);
	assert_int_equal(lite_is_null(again, 0), 1);
	lite_close(db);
}

static void test_lite_stmt__many_statements_are_kept_apart(void **state)
{
	(void)state;
	enum { N = 500 };
	static char sql[N][24];
	struct lite *db = must_open("", 0);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < N; i++) {
			snprintf(sql[i], sizeof(sql[i]), "SELECT %d", i);
			assert_int_equal(must_count(db, sql[i]), i);
		}
	}
	lite_close(db);
}

static void test_lite_stmt__mistakes_are_told(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct lite_stmt *s;
	int row;
	struct lite *db = must_open("", 0);
	must_exec(db, "CREATE TABLE t (a PRIMARY KEY)");
	assert_int_equal(lite_stmt(db, "SELECT absent FROM t", &s, &err), ERR_TARGET);
	assert_null(s);
	assert_non_null(strstr(err.msg, "no such column: absent"));
	assert_int_equal(lite_exec(db, "SELEC", &err), ERR_TARGET);
	assert_int_equal(lite_stmt(db, "INSERT INTO t VALUES (?1)", &s, &err), 0);
	lite_bind_int(s, 2, 5);
	lite_bind_int(s, 1, 5);
	assert_int_equal(lite_step(s, &row, &err), ERR_TARGET);
	assert_int_equal(err.native, SQLITE_RANGE);
	lite_done(s);
	for (int i = 0; i < 2; i++) {
		lite_bind_int(s, 1, 5);
		assert_int_equal(lite_run(s, &err), i ? ERR_TARGET : 0);
	}
	assert_int_equal(err.native, SQLITE_CONSTRAINT_PRIMARYKEY);
	assert_int_equal(lite_stmt(db, "SELECT 1", &s, &err), 0);
	assert_int_equal(lite_run(s, &err), ERR_INTERNAL);
	lite_close(db);
}

#define AT_PLACE(f) cmocka_unit_test_setup_teardown(f, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    AT_PLACE(test_lite_open__files_are_private),
	    AT_PLACE(test_lite_open__absent_file_is_not_made_unasked),
	    AT_PLACE(test_lite_open__memory_is_a_file_name_like_any_other),
	    cmocka_unit_test(test_lite_open__empty_path_is_temporary),
	    AT_PLACE(test_lite_open__no_sqlite_file_is_refused),
	    AT_PLACE(test_lite_open__damaged_pages_are_told),
	    AT_PLACE(test_lite_open__unwritable_directory),
	    AT_PLACE(test_lite_open__unwritable_file),
	    AT_PLACE(test_lite_open__wal_file_is_read_in_an_unwritable_directory),
	    AT_PLACE(test_lite_open__wal_file_without_wal_is_read),
	    AT_PLACE(test_lite_read_only__cannot_write),
	    AT_PLACE(test_lite_read_only__reads_beside_a_writer),
	    AT_PLACE(test_lite_begin__second_writer_is_busy),
	    AT_PLACE(test_lite_rollback__undoes_and_may_come_twice),
	    AT_PLACE(test_lite_close__open_transaction_is_rolled_back),
	    AT_PLACE(test_lite_step__full_database),
	    AT_PLACE(test_lite_exec__file_size_limit_is_told),
	    AT_PLACE(test_lite_migrate__each_step_once),
	    AT_PLACE(test_lite_migrate__failed_step_leaves_the_version_before_it),
	    AT_PLACE(test_lite_migrate__newer_file_is_refused),
	    AT_PLACE(test_lite_migrate__read_only_checks),
	    AT_PLACE(test_lite_migrate__is_busy_while_another_migrates),
	    cmocka_unit_test(test_lite_stmt__values_come_back_as_they_went_in),
	    cmocka_unit_test(test_lite_stmt__is_prepared_once_and_forgets_its_values),
	    cmocka_unit_test(test_lite_stmt__many_statements_are_kept_apart),
	    cmocka_unit_test(test_lite_stmt__mistakes_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
