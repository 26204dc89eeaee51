/* Statements: values in and out, mistakes. */
#include "config.h"

#include "tests/unit/lite_place.h"

#include <sqlite3.h>
#include <stdio.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lite_stmt__values_come_back_as_they_went_in),
	    cmocka_unit_test(test_lite_stmt__is_prepared_once_and_forgets_its_values),
	    cmocka_unit_test(test_lite_stmt__many_statements_are_kept_apart),
	    cmocka_unit_test(test_lite_stmt__mistakes_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
