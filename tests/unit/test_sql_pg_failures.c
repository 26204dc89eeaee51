/* Failures of PostgreSQL in the middle of the work, and how they are told. Needs a server: tests/cli/sql-pg.sh. */
#include "config.h"

#include "sql/pg/pg.h"
#include "tests/unit/sql_place.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail_with(struct place *p, const char *sqlstate)
{
	place_exec(p,
		   arena_printf(&p->memory,
				"CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
				" $$BEGIN RAISE EXCEPTION E'made up\\nand a second line' USING ERRCODE = '%s'; END$$;"
				"DROP TRIGGER IF EXISTS t ON documents;"
				"CREATE TRIGGER t BEFORE INSERT ON documents FOR EACH ROW EXECUTE FUNCTION refuse()",
				sqlstate)
		       .ptr);
}

static void test_sql_put__server_errors_carry_state_and_hint(void **state)
{
	static const struct expected {
		const char *sqlstate, *hint;
		int retryable;
	} expected[] = {
	    {"53100", "disk is full", 0}, {"53300", "fewer --jobs", 0}, {"40001", "", 1}, {"40P01", "", 1},
	    {"57P03", "stopping", 1},     {"08006", "check host", 1},   {"22000", "", 0}, {"53200", "its log", 0},
	};
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row row = document_row("x", "{}", &p->memory);
	enum sql_outcome outcome;

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		struct err e = ERR_INIT;
		fail_with(p, expected[i].sqlstate);
		MUST(sql_begin(t, err));
		assert_int_equal(sql_put(t, &sql_documents, &row, 1, &outcome, &p->memory, NULL, &e), ERR_TARGET);
		sql_rollback(t);
		assert_string_equal(e.sqlstate, expected[i].sqlstate);
		assert_int_equal(e.retryable, expected[i].retryable);
		assert_string_equal(e.msg, "target: made up");
		TELLS(e.hint, expected[i].hint);
	}
	sql_close(t);
}

static void test_sql_put__json_that_is_none(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row row = document_row("x", "{\"geheim\":", &p->memory);
	enum sql_outcome outcome;
	struct err e = ERR_INIT;

	MUST(sql_begin(t, err));
	assert_int_equal(sql_put(t, &sql_documents, &row, 1, &outcome, &p->memory, NULL, &e), ERR_TARGET);
	assert_string_equal(e.sqlstate, "22P02");
	assert_null(strstr(e.msg, "geheim")); /* values stay out of messages */
	sql_rollback(t);
	MUST(sql_begin(t, err));
	put_document(t, "x", &p->memory);
	MUST(sql_commit(t, err));
	sql_close(t);
}

static int is_lost(const struct err *e)
{
	return e->code == ERR_TARGET && e->retryable &&
	       (strcmp(e->sqlstate, "57P01") == 0 || strcmp(e->sqlstate, "08006") == 0);
}

static void test_sql_put__connection_lost(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row row = document_row("x", "{}", &p->memory);
	enum sql_outcome outcome;
	struct err e = ERR_INIT;

	MUST(sql_begin(t, err));
	put_document(t, "x", &p->memory);
	place_exec(p, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
		      " AND application_name = 'settle'");
	while (place_count(p, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'settle'") > 0)
		usleep(10000);
	assert_int_equal(sql_put(t, &sql_documents, &row, 1, &outcome, &p->memory, NULL, &e), ERR_TARGET);
	assert_true(is_lost(&e));
	sql_rollback(t);
	assert_int_equal(sql_begin(t, &e), ERR_TARGET);
	assert_true(is_lost(&e));
	sql_close(t);
	assert_int_equal(place_count(p, "SELECT count(*) FROM documents"), 0);
}

static void test_sql_put__connection_lost_while_sending(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row row = document_row("x", "{}", &p->memory);
	size_t len = (size_t)16 << 20;
	char *text = long_json_string(len);
	struct err e = ERR_INIT;

	row.cells[DOC_BODY] = (struct slice){text, len};
	MUST(sql_begin(t, err));
	assert_int_equal(shutdown(PQsocket(pg_of(t)->conn), SHUT_RDWR), 0);
	assert_int_equal(sql_insert(t, &sql_documents, &row, 1, &e), ERR_TARGET);
	assert_true(is_lost(&e));
	sql_close(t);
	free(text);
}

#define LONG_STATEMENT "SELECT pg_sleep(2)"

static pid_t start_holder_in_a_statement(struct place *p)
{
	pid_t child = fork();

	if (child == 0) {
		struct sql_target *t = NULL;
		int64_t epoch;

		if (place_try(p, SQL_CREATE, &t, NULL) == 0 && sql_domain_lock(t, SLICE("d"), &epoch, NULL) == 0 &&
		    pg_simple(pg_of(t), LONG_STATEMENT, NULL, NULL) == 0)
			pause();
		_exit(1);
	}
	assert_true(child > 0);
	return child;
}

/* The server does not look at a connection whose statement it runs. */
static void test_sql_domain_lock__waits_for_the_last_statement_of_a_killed_holder(void **state)
{
	struct place *p = *state;
	pid_t child = start_holder_in_a_statement(p);
	struct sql_target *t;
	int64_t epoch = 0;
	int status;

	while (
	    place_count(
		p,
		"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'settle' AND query = '" LONG_STATEMENT
		"'") == 0)
		assert_int_equal(waitpid(child, &status, WNOHANG), 0);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	t = place_open(p, 0);
	MUST(sql_domain_lock(t, SLICE("d"), &epoch, err));
	assert_int_equal(epoch, 2);
	sql_close(t);
}

static void test_sql_put__a_cell_beyond_what_a_field_holds(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row row = document_row("x", "{}", &p->memory);
	struct err e = ERR_INIT;

	row.cells[DOC_RAW].ptr = "x";
	row.cells[DOC_RAW].len = (size_t)1 << 30; /* never read */
	MUST(sql_begin(t, err));
	assert_int_equal(sql_insert(t, &sql_documents, &row, 1, &e), ERR_LIMIT);
	TELLS(e.msg, "raw");
	sql_close(t);
}

static void test_sql_select__a_time_outside_the_calendar(void **state)
{
	static const char *const times[] = {"infinity", "-infinity", "0044-03-15 12:00:00+00 BC",
					    "10000-01-01 00:00:00+00"};
	static const int by_id[] = {FORM_DOMAIN, FORM_ID};
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct slice cells[] = {SLICE("d"), SLICE("x")};
	struct sql_row tuple = {cells};
	struct sql_rows rows;

	place_exec(p, "INSERT INTO forms (domain, form_id, doc_type, deleted) VALUES ('d', 'x', 'X', false)");
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct err e = ERR_INIT;
		place_exec(p, arena_printf(&p->memory, "UPDATE forms SET received_on = '%s'", times[i]).ptr);
		assert_int_equal(sql_select(t, &sql_forms, by_id, 2, &tuple, 1, &p->memory, &rows, &e), ERR_TARGET);
		TELLS(e.msg, "received_on");
	}
	sql_close(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PLACE_TEST(test_sql_put__server_errors_carry_state_and_hint),
	    PLACE_TEST(test_sql_put__json_that_is_none),
	    PLACE_TEST(test_sql_put__connection_lost),
	    PLACE_TEST(test_sql_put__connection_lost_while_sending),
	    PLACE_TEST(test_sql_domain_lock__waits_for_the_last_statement_of_a_killed_holder),
	    PLACE_TEST(test_sql_put__a_cell_beyond_what_a_field_holds),
	    PLACE_TEST(test_sql_select__a_time_outside_the_calendar),
	};

	return run_at_postgresql("sql_pg_failures", tests, sizeof(tests) / sizeof(tests[0]));
}
