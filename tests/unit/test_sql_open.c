/* What both kinds of target promise when opened: tables made once, versions, rights, and a load finished. */
#include "config.h"

#include "tests/unit/sql_place.h"

#include <sys/wait.h>
#include <unistd.h>

static void test_sql_open__makes_the_tables_once(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_target *again = place_open(p, SQL_CREATE);

	MUST(sql_schema_check(t, err));
	MUST(sql_schema_check(again, err));
	sql_close(again);
	sql_close(t);
	assert_int_equal(place_count(p, "SELECT count(*) FROM settle_schema"), 1);
	for (const struct sql_table *const *table = sql_all_tables; *table; table++)
		assert_int_equal(
		    place_count(p, arena_printf(&p->memory, "SELECT count(*) FROM \"%s\"", (*table)->name).ptr), 0);
}

/* Opens once the parent has closed the other end of the pipe, so that all begin together. */
static pid_t open_in_a_child(struct place *p, const int gate[2])
{
	pid_t child = fork();
	struct sql_target *t = NULL;
	struct err e = ERR_INIT;
	char byte;

	if (child != 0)
		return child;
	close(gate[1]);
	(void)!read(gate[0], &byte, 1);
	_exit(place_try(p, SQL_CREATE, &t, &e));
}

static void test_sql_open__processes_may_come_together(void **state)
{
	struct place *p = *state;
	pid_t children[6];
	int gate[2], status;

	assert_int_equal(pipe(gate), 0);
	for (int i = 0; i < 6; i++)
		children[i] = open_in_a_child(p, gate);
	close(gate[0]);
	close(gate[1]);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
	assert_int_equal(place_count(p, "SELECT count(*) FROM settle_schema"), 1);
}

static void test_sql_open__fresh_target_can_be_read(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_READ_ONLY);
	struct err e = ERR_INIT;

	assert_int_equal(sql_schema_check(t, &e), ERR_NOTFOUND);
	sql_close(t);
	assert_int_not_equal(access(p->path, F_OK), 0);
}

static void test_sql_open__newer_tables_are_refused(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct err e = ERR_INIT;

	sql_close(t);
	place_exec(p, "UPDATE settle_schema SET version = 99");
	assert_int_equal(place_try(p, SQL_CREATE, &t, &e), ERR_TARGET);
	assert_non_null(strstr(e.msg, "version 99"));
	assert_non_null(strstr(e.hint, "newer settle"));
	t = place_open(p, SQL_READ_ONLY);
	assert_int_equal(sql_schema_check(t, &e), ERR_TARGET);
	sql_close(t);
}

static void test_sql_open__somebody_elses_table_stops_it(void **state)
{
	struct place *p = *state;
	struct sql_target *t = NULL;
	struct err e = ERR_INIT;

	if (p->is_pg)
		place_exec(p, arena_printf(&p->memory, "CREATE SCHEMA %s",
					   sql_quote_ident(slice_of(p->schema), &p->memory).ptr)
				  .ptr);
	place_exec(p, "CREATE TABLE documents (mine INTEGER)");
	assert_int_equal(place_try(p, SQL_CREATE, &t, &e), ERR_TARGET);
	assert_non_null(strstr(e.msg, "already exists"));
	assert_non_null(strstr(e.hint, "of that name"));
	t = place_open(p, SQL_READ_ONLY);
	assert_int_equal(sql_schema_check(t, &e), ERR_NOTFOUND); /* nothing half made */
	sql_close(t);
}

static void test_sql_open__read_only_cannot_write(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row row = document_row("x", "{}", &p->memory);
	enum sql_outcome outcome;
	struct sql_rows rows;
	int64_t epoch;

	MUST(sql_begin(t, err));
	put_documents(t, &row, 1, SQL_INSERTED, &p->memory);
	MUST(sql_commit(t, err));
	sql_close(t);
	t = place_open(p, SQL_READ_ONLY);
	REFUSED(sql_domain_lock(t, SLICE("d"), &epoch, err), "opened for reading");
	REFUSED(sql_domain_join(t, SLICE("d"), 1, err), "opened for reading");
	REFUSED(sql_finish_load(t, err), "opened for reading");
	MUST(sql_begin(t, err));
	MUST(sql_page(t, &sql_documents, SLICE("d"), DOC_ID, SLICE_NONE, 10, 0, &p->memory, &rows, err));
	assert_int_equal(rows.n, 1);
	REFUSED(sql_put(t, &sql_documents, &row, 1, &outcome, &p->memory, NULL, err), "opened for reading");
	sql_rollback(t);
	sql_close(t);
}

static void test_sql_finish_load__may_be_repeated(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);

	MUST(sql_finish_load(t, err));
	MUST(sql_finish_load(t, err));
	MUST(sql_begin(t, err));
	REFUSED(sql_finish_load(t, err), "inside a transaction");
	sql_close(t);
}

static void test_sql_describe__tells_server_and_schema(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_READ_ONLY);
	struct sql_report r;

	MUST(sql_describe(t, &p->memory, &r, err));
	assert_int_equal(r.schema_version, 0);
	assert_int_equal(r.can_create, 1);
	assert_int_equal(r.can_write, 1);
	sql_close(t);
	t = place_open(p, SQL_CREATE);
	MUST(sql_describe(t, &p->memory, &r, err));
	assert_true(slice_starts(r.server, p->is_pg ? SLICE("PostgreSQL ") : SLICE("SQLite ")));
	assert_true(r.version.len > 0);
	assert_int_equal(r.schema_version, SQL_SCHEMA_VERSION);
	assert_int_equal(r.can_write, 1);
	assert_int_equal(r.citus, 0);
	assert_true(p->is_pg ? r.free_bytes == -1 : r.free_bytes > 0);
	sql_close(t);
}

static void test_sql_quote_ident__doubles_quotes(void **state)
{
	struct place *p = *state;

	assert_string_equal(sql_quote_ident(SLICE("a\"b"), &p->memory).ptr, "\"a\"\"b\"");
	assert_true(slice_is(sql_quote_ident(SLICE(""), &p->memory), "\"\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PLACE_TEST(test_sql_open__makes_the_tables_once),
	    PLACE_TEST(test_sql_open__processes_may_come_together),
	    PLACE_TEST(test_sql_open__fresh_target_can_be_read),
	    PLACE_TEST(test_sql_open__newer_tables_are_refused),
	    PLACE_TEST(test_sql_open__somebody_elses_table_stops_it),
	    PLACE_TEST(test_sql_open__read_only_cannot_write),
	    PLACE_TEST(test_sql_finish_load__may_be_repeated),
	    PLACE_TEST(test_sql_describe__tells_server_and_schema),
	    PLACE_TEST(test_sql_quote_ident__doubles_quotes),
	};

	return run_at_each_place("sql_open", tests, sizeof(tests) / sizeof(tests[0]));
}
