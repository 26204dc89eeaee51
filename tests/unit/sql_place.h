/*
 * sql_place: a place of its own for each test of the room sql/: a SQLite file in a directory that goes away, or a
 * schema (with a hostile name) of the PostgreSQL database that SETTLE_TEST_PG names. Tests run for SQLite always and
 * for PostgreSQL when SETTLE_TEST_PG is set (tests/cli/sql-pg.sh does).
 */
#ifndef TESTS_UNIT_SQL_PLACE_H
#define TESTS_UNIT_SQL_PLACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sql/tables.h"
#include "sql/target.h"

struct place {
	int is_pg;
	char dir[64];
	char path[96]; /* SQLite */
	char schema[64];
	struct url url;
	struct arena memory;
};

int place_make(void **state);
int place_remove(void **state);

#define PLACE_TEST(f) cmocka_unit_test_setup_teardown(f, place_make, place_remove)
/* Runs the tests once for each kind of target. */
int run_at_each_place(const char *group, const struct CMUnitTest *tests, size_t n);
/* Runs them for PostgreSQL only. */
int run_at_postgresql(const char *group, const struct CMUnitTest *tests, size_t n);

int place_try(struct place *p, unsigned flags, struct sql_target **out, struct err *err);
struct sql_target *place_open(struct place *p, unsigned flags);
/* SQL from outside settle; in PostgreSQL with the schema first in the search path. */
void place_exec(struct place *p, const char *sql);
int64_t place_count(struct place *p, const char *sql);

#define MUST(call)                                                \
	do {                                                      \
		struct err must_err = ERR_INIT, *err = &must_err; \
		if ((call) != 0)                                  \
			fail_msg("%s: %s", #call, must_err.msg);  \
	} while (0)

/* Fails as a misuse, naming something. */
#define REFUSED(call, text)                                                     \
	do {                                                                    \
		struct err refused = ERR_INIT, *err = &refused;                 \
		assert_int_equal((call), ERR_INTERNAL);                         \
		if (!strstr(refused.msg, text))                                 \
			fail_msg("'%s' does not name '%s'", refused.msg, text); \
	} while (0)

#define TELLS(text, part)                                                    \
	do {                                                                 \
		if (!strstr((text), (part)))                                 \
			fail_msg("'%s' does not tell '%s'", (text), (part)); \
	} while (0)

/* A row of NULLs. */
struct sql_row row_of_nulls(const struct sql_table *table, struct arena *a);
struct sql_row document_row(const char *id, const char *body, struct arena *a);
/* Puts the rows of documents: each must come to what is wanted, and come back in its place. */
void put_documents(struct sql_target *t, struct sql_row *rows, size_t n, enum sql_outcome want, struct arena *a);
/* One of these, whatever comes of it. */
void put_document(struct sql_target *t, const char *id, struct arena *a);
/* Puts documents that are not there yet; the ids end with NULL. */
void add_documents(struct place *p, struct sql_target *t, const char *const *ids);
/* A JSON string of that many bytes with its quotes; the caller frees it. */
char *long_json_string(size_t len);

#endif
