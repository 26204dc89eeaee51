/* What only SQLite does: files, and who may read them. */
#include "config.h"

#include "tests/unit/sql_place.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static int try_path(struct place *p, const char *path, const struct sql_options *more, struct err *e)
{
	struct sql_options o = *more;
	struct sql_target *t = NULL;
	struct url url;
	int rc;

	*e = (struct err)ERR_INIT;
	MUST(url_parse_target(arena_printf(&p->memory, "sqlite:%s", path).ptr, &p->memory, &url, err));
	o.url = &url;
	rc = sql_open(&t, &o, e);
	assert_true(rc != 0 || t != NULL);
	sql_close(t);
	return rc;
}

static const struct sql_options create = {.flags = SQL_CREATE};

static int mode_of(const char *path, const char *suffix)
{
	char name[200];
	struct stat st;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	return stat(name, &st) == 0 ? (int)(st.st_mode & 0777) : -1;
}

static void test_sql_open__files_are_private(void **state)
{
	struct place *p = *state;
	mode_t old = umask(0);
	struct sql_target *t = place_open(p, SQL_CREATE);
	int64_t epoch;

	MUST(sql_domain_lock(t, SLICE("d"), &epoch, err));
	umask(old);
	assert_int_equal(mode_of(p->path, ""), 0600);
	assert_int_equal(mode_of(p->path, "-wal"), 0600);
	assert_int_equal(mode_of(p->path, "-settle-lock"), 0600);
	sql_close(t);
}

static void test_sql_open__a_path_that_is_not_there(void **state)
{
	struct place *p = *state;
	struct err e;

	assert_int_equal(try_path(p, p->path, &(struct sql_options){.flags = 0}, &e), ERR_TARGET);
	assert_non_null(strstr(e.msg, "does not exist"));
	assert_int_equal(mode_of(p->path, ""), -1);
	assert_int_equal(try_path(p, "/nowhere/at/all.db", &create, &e), ERR_TARGET);
	assert_non_null(strstr(e.msg, "/nowhere/at/all.db"));
}

static void test_sql_open__a_file_that_is_no_database(void **state)
{
	struct place *p = *state;
	FILE *f = fopen(p->path, "w");
	struct err e;

	assert_non_null(f);
	for (int i = 0; i < 200; i++)
		fputs("this is not a database\n", f);
	fclose(f);
	assert_int_equal(try_path(p, p->path, &create, &e), ERR_TARGET);
	assert_int_equal(e.native & 0xff, SQLITE_NOTADB);
	assert_true(e.hint[0] != 0);
}

static void test_sql_open__a_file_in_utf16(void **state)
{
	struct place *p = *state;
	struct err e;

	place_exec(p, "PRAGMA encoding = 'UTF-16le'; CREATE TABLE mine (a)");
	assert_int_equal(try_path(p, p->path, &create, &e), ERR_TARGET);
	assert_non_null(strstr(e.msg, "UTF-16le"));
}

static void test_sql_open__options_of_postgresql_are_refused(void **state)
{
	struct place *p = *state;
	struct err e;

	assert_int_equal(try_path(p, p->path, &(struct sql_options){.flags = SQL_CREATE, .schema = "s"}, &e),
			 ERR_USAGE);
	assert_non_null(strstr(e.msg, "--schema"));
	assert_int_equal(try_path(p, p->path, &(struct sql_options){.flags = SQL_CREATE, .distribute = 1}, &e),
			 ERR_USAGE);
	assert_non_null(strstr(e.msg, "--distribute"));
}

static void test_sql_open__a_source_is_no_target(void **state)
{
	struct place *p = *state;
	struct sql_target *t = NULL;
	struct url url;
	struct err e = ERR_INIT;

	MUST(url_parse_source("http://me:hunter2@localhost/db", &p->memory, &url, err));
	assert_int_equal(sql_open(&t, &(struct sql_options){.url = &url}, &e), ERR_USAGE);
	assert_null(strstr(e.msg, "hunter2"));
}

static void test_sql_open__somebodys_database_keeps_its_tables_and_version(void **state)
{
	struct place *p = *state;
	struct sql_target *t;

	place_exec(p, "CREATE TABLE mine (a); INSERT INTO mine VALUES (7); PRAGMA user_version = 42");
	t = place_open(p, SQL_CREATE);
	sql_close(t);
	assert_int_equal(place_count(p, "SELECT a FROM mine"), 7);
	assert_int_equal(place_count(p, "PRAGMA user_version"), 42);
}

static void test_sql_domain_lock__lock_file_that_cannot_be_made(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	char name[200];
	struct err e = ERR_INIT;
	int64_t epoch;

	snprintf(name, sizeof(name), "%s-settle-lock", p->path);
	assert_int_equal(mkdir(name, 0700), 0);
	assert_int_equal(sql_domain_lock(t, SLICE("d"), &epoch, &e), ERR_TARGET);
	assert_non_null(strstr(e.msg, "-settle-lock"));
	rmdir(name);
	sql_close(t);
}

static void test_sql_begin__somebody_else_writes(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE), *other = place_open(p, 0),
			  *reader = place_open(p, SQL_READ_ONLY);
	struct sql_row row = document_row("x", "{}", &p->memory);
	struct sql_rows rows;
	enum sql_outcome outcome;

	MUST(sql_begin(t, err));
	MUST(sql_put(t, &sql_documents, &row, 1, &outcome, &p->memory, NULL, err));
	/* A reader sees what was committed, and does not wait. */
	MUST(sql_page(reader, &sql_documents, SLICE("d"), DOC_ID, SLICE_NONE, 9, 0, &p->memory, &rows, err));
	assert_int_equal(rows.n, 0);
	MUST(sql_commit(t, err));
	MUST(sql_page(reader, &sql_documents, SLICE("d"), DOC_ID, SLICE_NONE, 9, 0, &p->memory, &rows, err));
	assert_int_equal(rows.n, 1);
	sql_close(reader);
	sql_close(other);
	sql_close(t);
}

static void test_sql_put__a_full_disk(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row row = document_row("x", "{}", &p->memory);
	size_t len = (size_t)8 << 20;
	char *text = malloc(len);
	enum sql_outcome outcome;
	struct err e = ERR_INIT;

	assert_non_null(text);
	memset(text, 'x', len);
	row.cells[DOC_BODY] = (struct slice){text, len};
	sql_close(t);
	/* To SQLite a file that may not grow looks much like a full disk. */
	struct rlimit before, small = {.rlim_cur = (rlim_t)1 << 20};
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small.rlim_max = before.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	t = place_open(p, 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	MUST(sql_begin(t, err));
	int rc = sql_put(t, &sql_documents, &row, 1, &outcome, &p->memory, NULL, &e);
	if (rc == 0)
		rc = sql_commit(t, &e);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(rc, ERR_TARGET);
	assert_non_null(strstr(e.hint, "space"));
	sql_rollback(t);
	sql_close(t);
	assert_int_equal(place_count(p, "SELECT count(*) FROM documents"), 0);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PLACE_TEST(test_sql_open__files_are_private),
	    PLACE_TEST(test_sql_open__a_path_that_is_not_there),
	    PLACE_TEST(test_sql_open__a_file_that_is_no_database),
	    PLACE_TEST(test_sql_open__a_file_in_utf16),
	    PLACE_TEST(test_sql_open__options_of_postgresql_are_refused),
	    PLACE_TEST(test_sql_open__a_source_is_no_target),
	    PLACE_TEST(test_sql_open__somebodys_database_keeps_its_tables_and_version),
	    PLACE_TEST(test_sql_domain_lock__lock_file_that_cannot_be_made),
	    PLACE_TEST(test_sql_begin__somebody_else_writes),
	    PLACE_TEST(test_sql_put__a_full_disk),
	};

	return cmocka_run_group_tests_name("sql_sqlite", tests, NULL, NULL);
}
