# The room sql/: its library and its unit tests.
noinst_LIBRARIES += sql/libsql.a
sql_libsql_a_SOURCES = \
	sql/pg/cell.c \
	sql/pg/citus.c \
	sql/pg/connect.c \
	sql/pg/copy.c \
	sql/pg/driver.c \
	sql/pg/error.c \
	sql/pg/finish.c \
	sql/pg/lock.c \
	sql/pg/pg.h \
	sql/pg/put.c \
	sql/pg/query.c \
	sql/pg/rows.c \
	sql/pg/schema.c \
	sql/pg/views.c \
	sql/sql_internal.h \
	sql/pg_state.h \
	sql/sqlite/cell.c \
	sql/sqlite/driver.c \
	sql/sqlite/lock.c \
	sql/sqlite/put.c \
	sql/sqlite/rows.c \
	sql/sqlite/schema.c \
	sql/sqlite/sqlite.h \
	sql/sqlite/views.c \
	sql/statement.c \
	sql/tables.c \
	sql/tables.h \
	sql/target.c \
	sql/target.h \
	sql/views.c \
	sql/views.h

EXTRA_PROGRAMS += tests/bench/bench_sql
tests_bench_bench_sql_SOURCES = tests/bench/bench_sql.c
tests_bench_bench_sql_LDADD = $(SQL_LIBS)
EXTRA_DIST += tests/server/pg.sh

SQL_PLACE = tests/unit/sql_place.c tests/unit/sql_place.h
UNIT_TESTS += tests/unit/test_sql_model
tests_unit_test_sql_model_SOURCES = tests/unit/test_sql_model.c tests/unit/random_json.h $(SQL_PLACE)
tests_unit_test_sql_model_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_sql_model_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_sql_open
tests_unit_test_sql_open_SOURCES = tests/unit/test_sql_open.c $(SQL_PLACE)
tests_unit_test_sql_open_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_sql_open_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_sql_put
tests_unit_test_sql_put_SOURCES = tests/unit/test_sql_put.c $(SQL_PLACE)
tests_unit_test_sql_put_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_sql_put_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_sql_transaction
tests_unit_test_sql_transaction_SOURCES = tests/unit/test_sql_transaction.c $(SQL_PLACE)
tests_unit_test_sql_transaction_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_sql_transaction_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_sql_read
tests_unit_test_sql_read_SOURCES = tests/unit/test_sql_read.c $(SQL_PLACE)
tests_unit_test_sql_read_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_sql_read_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_sql_lock
tests_unit_test_sql_lock_SOURCES = tests/unit/test_sql_lock.c $(SQL_PLACE)
tests_unit_test_sql_lock_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_sql_lock_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_sql_sqlite
tests_unit_test_sql_sqlite_SOURCES = tests/unit/test_sql_sqlite.c $(SQL_PLACE)
tests_unit_test_sql_sqlite_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_sql_sqlite_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)

# These need a server: tests/cli/sql-pg.sh runs them, and the programs above (but SQLite's) once more.
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test_sql_pg_open tests/unit/test_sql_pg_failures tests/unit/test_sql_pg_load
TESTS += tests/cli/sql-pg.sh
endif
EXTRA_DIST += tests/cli/sql-pg.sh
tests_unit_test_sql_pg_open_SOURCES = tests/unit/test_sql_pg_open.c $(SQL_PLACE)
tests_unit_test_sql_pg_open_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_sql_pg_open_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)

tests_unit_test_sql_pg_failures_SOURCES = tests/unit/test_sql_pg_failures.c $(SQL_PLACE)
tests_unit_test_sql_pg_failures_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_sql_pg_failures_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)

tests_unit_test_sql_pg_load_SOURCES = tests/unit/test_sql_pg_load.c $(SQL_PLACE)
tests_unit_test_sql_pg_load_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_sql_pg_load_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)
