/* Readers and writers of a SQLite file side by side, transactions, and disks that are full. */
#include "config.h"

#include "tests/unit/lite_place.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    AT_PLACE(test_lite_read_only__cannot_write),
	    AT_PLACE(test_lite_read_only__reads_beside_a_writer),
	    AT_PLACE(test_lite_begin__second_writer_is_busy),
	    AT_PLACE(test_lite_rollback__undoes_and_may_come_twice),
	    AT_PLACE(test_lite_close__open_transaction_is_rolled_back),
	    AT_PLACE(test_lite_step__full_database),
	    AT_PLACE(test_lite_exec__file_size_limit_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
