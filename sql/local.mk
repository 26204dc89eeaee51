# The room sql/: its library and its unit tests.
noinst_LIBRARIES += sql/libsql.a
sql_libsql_a_SOURCES = \
	sql/pg/cell.c \
	sql/pg/citus.c \
	sql/pg/connect.c \
	sql/pg/copy.c \
	sql/pg/driver.c \
	sql/pg/error.c \
	sql/pg/lock.c \
	sql/pg/pg.h \
	sql/pg/put.c \
	sql/pg/query.c \
	sql/pg/rows.c \
	sql/pg/schema.c \
	sql/sql_internal.h \
	sql/sqlite/cell.c \
	sql/sqlite/driver.c \
	sql/sqlite/lock.c \
	sql/sqlite/put.c \
	sql/sqlite/rows.c \
	sql/sqlite/schema.c \
	sql/sqlite/sqlite.h \
	sql/statement.c \
	sql/tables.c \
	sql/tables.h \
	sql/target.c \
	sql/target.h

EXTRA_PROGRAMS += tests/bench/bench_sql
tests_bench_bench_sql_SOURCES = tests/bench/bench_sql.c
tests_bench_bench_sql_LDADD = $(SQL_LIBS)
EXTRA_DIST += tests/server/pg.sh
