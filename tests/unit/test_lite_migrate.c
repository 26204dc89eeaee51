/* The steps that make or change the tables of a SQLite file. */
#include "config.h"

#include "tests/unit/lite_place.h"

#include <sqlite3.h>

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

static void test_lite_migrate__file_of_something_else_is_left_alone(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct lite *db = must_open(p->path, LITE_CREATE);
	must_exec(db, "CREATE TABLE theirs (a)");
	assert_int_equal(lite_migrate(db, steps, 1, &err), ERR_STATE);
	assert_non_null(strstr(err.msg, "is a SQLite database of something else"));
	assert_int_equal(must_count(db, "SELECT count(*) FROM sqlite_master"), 1);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    AT_PLACE(test_lite_migrate__each_step_once),
	    AT_PLACE(test_lite_migrate__failed_step_leaves_the_version_before_it),
	    AT_PLACE(test_lite_migrate__file_of_something_else_is_left_alone),
	    AT_PLACE(test_lite_migrate__newer_file_is_refused),
	    AT_PLACE(test_lite_migrate__read_only_checks),
	    AT_PLACE(test_lite_migrate__is_busy_while_another_migrates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
