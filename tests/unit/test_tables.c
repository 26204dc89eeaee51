/* Table migrations without a server: the job's text, selection by date, dates in names, quoting, password hashes. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <crypt.h>

#include "tables/tables_internal.h"

static struct arena a;
static struct err err;

static int tear_down(void **state)
{
	(void)state;
	arena_release(&a);
	err = (struct err)ERR_INIT;
	return 0;
}

static void test_date_in__the_first_one_counts(void **state)
{
	(void)state;
	assert_string_equal(date_in("agg_2019-05-01_2020-01-01", &a), "2019-05-01");
	assert_string_equal(date_in("CHECK ((month = '2018-12-01'::date))", &a), "2018-12-01");
	assert_null(date_in("agg_2019-5-01", &a));
	assert_null(date_in("", &a));
	assert_null(date_in(NULL, &a));
}

static void test_month_of__is_the_first_of_the_month(void **state)
{
	char month[11];
	(void)state;
	assert_int_equal(month_of("2019-06-20", month, &err), 0);
	assert_string_equal(month, "2019-06-01");
	assert_int_equal(month_of("2019-02-30", month, &err), ERR_USAGE);
	assert_string_equal(err.msg, "Not a valid date: '2019-02-30'");
}

static struct manifest_rows four_rows(void)
{
	static const struct {
		const char *name, *date, *status;
	} rows[] = {{"none", NULL, "waiting"},
		    {"may", "2019-05-01", "waiting"},
		    {"june", "2019-06-01", "error"},
		    {"july", "2019-07-01", "done"}};
	struct manifest_rows out = {0};
	for (int i = 0; i < 4; i++)
		ARENA_PUSH(&a, &out,
			   ((struct tables_row){.id = i,
						.source_schema = "public",
						.source = rows[i].name,
						.date = rows[i].date,
						.status = rows[i].status}));
	return out;
}

static void selected(const char *start, const char *end, int retry, const char *wanted)
{
	struct manifest_rows all = four_rows(), out;
	struct tables_select o = {.start = start, .end = end};
	struct slice text = SLICE("");
	assert_int_equal(select_rows(&all, &o, retry, &a, &out, &err), 0);
	for (size_t i = 0; i < out.n; i++)
		text = arena_printf(&a, "%.*s %s", SLICE_ARG(text), out.v[i].source);
	assert_string_equal(text.ptr, wanted);
}

static void test_select__by_date_and_by_what_became_of_it(void **state)
{
	(void)state;
	selected(NULL, NULL, 0, " none may");
	selected(NULL, NULL, 1, " none may june");
	selected("2019-06-15", NULL, 1, " none june");
	selected("2019-05-15", "2019-06-30", 1, " may");
	selected(NULL, "2019-06-01", 1, " may");
}

static void test_select__a_table_by_name(void **state)
{
	struct manifest_rows all = four_rows(), out;
	(void)state;
	assert_int_equal(select_rows(&all, &(struct tables_select){.table = "public.june"}, 0, &a, &out, &err), 0);
	assert_int_equal(out.n, 1);
	assert_int_equal(select_rows(&all, &(struct tables_select){.table = "july"}, 0, &a, &out, &err), ERR_STATE);
	assert_string_equal(err.msg, "Table \"july\" has already been migrated");
	assert_int_equal(select_rows(&all, &(struct tables_select){.table = "x"}, 0, &a, &out, &err), ERR_USAGE);
	assert_string_equal(err.msg, "No table found with name \"x\"");
}

static void test_job__mistakes_are_named(void **state)
{
	static const char *const jobs[][2] = {
	    {"[]", "job: an object is wanted"},
	    {"{\"colour\": 1}", "job: the job: nothing is known of \"colour\""},
	    {"{\"rules\": [{}]}", "job: rule 1 wants either \"table\" or \"match\""},
	    {"{\"rules\": [{\"table\": \"a\", \"match\": \"b\"}]}", "job: rule 1 wants either \"table\" or \"match\""},
	    {"{\"rules\": [{\"table\": \"a\", \"children\": \"gone\"}]}",
	     "job: rule 1: \"children\" wants one of keep, into-parent"},
	    {"{\"rules\": [{\"table\": \"a\", \"distribute\": \"x\", \"reference\": true}]}",
	     "job: rule 1 cannot be both distributed and a reference table"},
	    {"{\"rules\": [{\"table\": \"a\", \"columns\": {\"x\": {\"from\": \"y\", \"value\": 1}}}]}",
	     "job: rule 1: \"x\" wants only one of from, sql and value"},
	    {"{\"rules\": [{\"table\": \"a\", \"columns\": {\"x\": {\"map\": {\"y\": []}}}}]}",
	     "job: rule 1: \"y\" wants a text, a number, true, false or null"},
	    {"{\"rules\": [{\"table\": \"a\", \"columns\": {\"x\": {\"crypt\": \"rot13\"}}}]}",
	     "job: rule 1: \"crypt\" wants one of yescrypt, bcrypt"},
	    {"{\"part_bytes\": -1}", "job: the job: \"part_bytes\" wants a whole number"},
	    {"{\"parameters\": {\"1x\": \"y\"}}", "job: the job: \"1x\" wants a name of letters, digits and _"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
		struct job job;
		assert_int_equal(job_read(slice_of(jobs[i][0]), &a, &job, &err), ERR_USAGE);
		assert_string_equal(err.msg, jobs[i][1]);
	}
}

static void test_job__without_a_text_takes_everything(void **state)
{
	struct job job;
	(void)state;
	assert_int_equal(job_read(SLICE_NONE, &a, &job, &err), 0);
	assert_int_equal(job_rule_of(&job, "public", "anything"), 0);
	assert_true(names_has(&job.schemas, "public"));
}

static void test_job__parameters_are_never_text_of_a_statement(void **state)
{
	struct job job;
	(void)state;
	assert_int_equal(job_read(SLICE("{\"parameters\": {\"t\": \"x' OR 1=1\", \"n\": \"5\"}}"), &a, &job, &err), 0);
	assert_string_equal(
	    job_bind(&job, "a = :t AND ':t' <> b::t AND \":t\" = :tt AND c[1:n] > :n::int", JOB_SERVER, &a),
	    "a = current_setting('settle.t') AND ':t' <> b::t AND \":t\" = :tt AND c[1:n] > "
	    "current_setting('settle.n')::int");
	assert_string_equal(job_bind(&job, "a = :t AND b > :n", JOB_SQLITE, &a), "a = ?1 AND b > ?2");
}

static void test_ident__quotes_whatever_comes(void **state)
{
	(void)state;
	assert_string_equal(ident(&a, "sel\"ect"), "\"sel\"\"ect\"");
	assert_string_equal(qualified(&a, "a b", "c"), "\"a b\".\"c\"");
	assert_string_equal(qualified(&a, "", "c"), "\"c\"");
	assert_string_equal(literal(&a, "it's"), "'it''s'");
}

static void test_crypt__is_crypt_and_the_same_again(void **state)
{
	struct slice one, again, elsewhere;
	const char *reason = NULL;
	struct crypt_data data = {0};
	(void)state;
	assert_int_equal(crypt_value("yescrypt", SLICE("key"), "users/password/1", SLICE("secret"), &a, &one, &reason),
			 0);
	assert_int_equal(
	    crypt_value("yescrypt", SLICE("key"), "users/password/1", SLICE("secret"), &a, &again, &reason), 0);
	assert_int_equal(
	    crypt_value("yescrypt", SLICE("key"), "users/password/2", SLICE("secret"), &a, &elsewhere, &reason), 0);
	assert_true(slice_eq(one, again));
	assert_false(slice_eq(one, elsewhere));
	assert_string_equal(crypt_r("secret", one.ptr, &data), one.ptr);
	assert_int_equal(crypt_value("bcrypt", SLICE("key"), "x", SLICE("secret"), &a, &one, &reason), 0);
	assert_memory_equal(one.ptr, "$2b$10$", 7);
	assert_int_equal(crypt_value("bcrypt", SLICE("key"), "x", SLICE("a\0b"), &a, &one, &reason), 1);
	assert_string_equal(reason, "a password with U+0000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(test_date_in__the_first_one_counts, tear_down),
	    cmocka_unit_test_teardown(test_month_of__is_the_first_of_the_month, tear_down),
	    cmocka_unit_test_teardown(test_select__by_date_and_by_what_became_of_it, tear_down),
	    cmocka_unit_test_teardown(test_select__a_table_by_name, tear_down),
	    cmocka_unit_test_teardown(test_job__mistakes_are_named, tear_down),
	    cmocka_unit_test_teardown(test_job__without_a_text_takes_everything, tear_down),
	    cmocka_unit_test_teardown(test_job__parameters_are_never_text_of_a_statement, tear_down),
	    cmocka_unit_test_teardown(test_ident__quotes_whatever_comes, tear_down),
	    cmocka_unit_test_teardown(test_crypt__is_crypt_and_the_same_again, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
