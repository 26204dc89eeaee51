# The room src/tables/: its library and its tests.
noinst_LIBRARIES += src/tables/libtables.a
src_tables_libtables_a_SOURCES = \
	src/tables/catalog_pg.c \
	src/tables/catalog_sqlite.c \
	src/tables/checksum.c \
	src/tables/citus.c \
	src/tables/clean.c \
	src/tables/copy_pg.c \
	src/tables/copy_sqlite.c \
	src/tables/create.c \
	src/tables/create_extra.c \
	src/tables/create_pg.c \
	src/tables/create_sqlite.c \
	src/tables/crypt.c \
	src/tables/export.c \
	src/tables/finish.c \
	src/tables/job.c \
	src/tables/left_behind.c \
	src/tables/manifest.c \
	src/tables/migrate.c \
	src/tables/parts.c \
	src/tables/pg.c \
	src/tables/plan.c \
	src/tables/run.c \
	src/tables/select.c \
	src/tables/session.c \
	src/tables/spec.c \
	src/tables/tables.h \
	src/tables/tables_internal.h \
	src/tables/topup.c \
	src/tables/transform.c \
	src/tables/triggers.c \
	src/tables/validate.c \
	src/tables/whole.c

UNIT_TESTS += tests/unit/test_tables
tests_unit_test_tables_SOURCES = tests/unit/test_tables.c
tests_unit_test_tables_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_tables_LDADD = $(TABLES_LIBS) $(CMOCKA_LIBS)

TABLES_TESTS = \
	tests/cli/tables-case-type.sh \
	tests/cli/tables-examples.sh \
	tests/cli/tables-kill.sh \
	tests/cli/tables-pg.sh \
	tests/cli/tables-sqlite.sh
TESTS += $(TABLES_TESTS)
EXTRA_DIST += $(TABLES_TESTS) tests/cli/tables-odd.sql \
	examples/case-type/README.md \
	examples/case-type/generate.js \
	examples/case-type/job.json \
	examples/case-type/target.sql \
	examples/citus/README.md \
	examples/citus/generate.js \
	examples/citus/job.json \
	examples/output.js \
	examples/random.js \
	examples/sqlite/README.md \
	examples/sqlite/generate.js \
	examples/sqlite/job.json
