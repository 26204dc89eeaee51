/* What both kinds of target promise of putting, inserting and deleting rows. */
#include "config.h"

#include "tests/unit/sql_place.h"

#include <stdlib.h>

#define MIB ((size_t)1 << 20)

static void test_sql_put__rows_come_back_in_the_order_given(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row rows[] = {
	    document_row("z", "{\"n\":1}", &p->memory),
	    document_row("a", "{\"n\":2}", &p->memory),
	    document_row("m", "{\"n\":3}", &p->memory),
	};

	MUST(sql_begin(t, err));
	put_documents(t, rows, 3, SQL_INSERTED, &p->memory);
	MUST(sql_commit(t, err));
	MUST(sql_begin(t, err));
	put_documents(t, rows, 3, SQL_SAME, &p->memory);
	rows[1].cells[DOC_BODY] = SLICE("{\"n\":4}");
	struct sql_row *back;
	enum sql_outcome outcomes[3];
	MUST(sql_put(t, &sql_documents, rows, 3, outcomes, &p->memory, &back, err));
	assert_int_equal(outcomes[0], SQL_SAME);
	assert_int_equal(outcomes[1], SQL_UPDATED);
	assert_int_equal(outcomes[2], SQL_SAME);
	assert_non_null(memchr(back[1].cells[DOC_BODY].ptr, '4', back[1].cells[DOC_BODY].len));
	MUST(sql_commit(t, err));
	sql_close(t);
}

static void test_sql_put__a_value_becomes_null_and_null_a_value(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row row = document_row("x", "{}", &p->memory);
	enum sql_outcome outcome;
	struct sql_row *back;

	row.cells[DOC_TYPE] = SLICE("");
	MUST(sql_begin(t, err));
	put_documents(t, &row, 1, SQL_INSERTED, &p->memory);
	row.cells[DOC_TYPE] = SLICE_NONE;
	put_documents(t, &row, 1, SQL_UPDATED, &p->memory);
	put_documents(t, &row, 1, SQL_SAME, &p->memory);
	row.cells[DOC_RAW] = SLICE("");
	MUST(sql_put(t, &sql_documents, &row, 1, &outcome, &p->memory, &back, err));
	assert_int_equal(outcome, SQL_UPDATED);
	assert_null(back->cells[DOC_TYPE].ptr);
	assert_non_null(back->cells[DOC_RAW].ptr);
	assert_int_equal(back->cells[DOC_RAW].len, 0);
	sql_close(t);
}

static void test_sql_put__many_large_puts_in_one_transaction(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	char *text = long_json_string(3 * MIB);
	char id[2] = "a";

	MUST(sql_begin(t, err));
	for (int i = 0; i < 6; i++, id[0]++) {
		struct sql_row row = document_row(id, "{}", &p->memory);
		row.cells[DOC_BODY] = (struct slice){text, 3 * MIB};
		put_documents(t, &row, 1, SQL_INSERTED, &p->memory);
	}
	MUST(sql_commit(t, err));
	assert_int_equal(place_count(p, "SELECT count(*) FROM documents"), 6);
	sql_close(t);
	free(text);
}

static void test_sql_put__a_row_of_64_mib(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	char *text = long_json_string(64 * MIB);
	struct sql_row rows[2] = {document_row("big", "{}", &p->memory), document_row("small", "[1]", &p->memory)};
	enum sql_outcome outcomes[2];
	struct sql_row *back;

	rows[0].cells[DOC_BODY] = (struct slice){text, 64 * MIB};
	MUST(sql_begin(t, err));
	MUST(sql_put(t, &sql_documents, rows, 2, outcomes, &p->memory, &back, err));
	assert_true(slice_eq(back[0].cells[DOC_BODY], rows[0].cells[DOC_BODY]));
	assert_true(slice_is(back[1].cells[DOC_BODY], "[1]"));
	MUST(sql_commit(t, err));
	sql_close(t);
	free(text);
}

static void test_sql_put__without_rows_or_without_reading_back(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row row = document_row("x", "{}", &p->memory), *back = &row;
	enum sql_outcome outcome;

	MUST(sql_begin(t, err));
	MUST(sql_put(t, &sql_documents, NULL, 0, NULL, &p->memory, &back, err));
	assert_null(back);
	MUST(sql_put(t, &sql_documents, &row, 1, &outcome, &p->memory, NULL, err));
	assert_int_equal(outcome, SQL_INSERTED);
	REFUSED(sql_put(t, &sql_dirty_case, &row, 1, &outcome, &p->memory, NULL, err), "settle_dirty_case");
	sql_close(t);
}

static void test_sql_put__a_dropped_row_is_noticed(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row rows[] = {document_row("a", "{}", &p->memory), document_row("b", "{}", &p->memory)};
	enum sql_outcome outcomes[2];
	struct sql_row *back;
	struct err e = ERR_INIT;

	if (p->is_pg)
		place_exec(p, "CREATE FUNCTION drop_b() RETURNS trigger LANGUAGE plpgsql AS"
			      " $$BEGIN IF NEW.doc_id = 'b' THEN RETURN NULL; END IF; RETURN NEW; END$$;"
			      "CREATE TRIGGER t BEFORE INSERT ON documents FOR EACH ROW EXECUTE FUNCTION drop_b()");
	else
		place_exec(p, "CREATE TRIGGER t AFTER INSERT ON documents WHEN NEW.doc_id = 'b'"
			      " BEGIN DELETE FROM documents WHERE doc_id = 'b'; END");
	MUST(sql_begin(t, err));
	assert_int_equal(sql_put(t, &sql_documents, rows, 2, outcomes, &p->memory, &back, &e), ERR_TARGET);
	assert_non_null(strstr(e.msg, "not there when read back"));
	assert_non_null(strstr(e.hint, "trigger"));
	sql_close(t);
}

static void test_sql_put__bad_cells_name_their_column(void **state)
{
	static const struct bad {
		int column;
		const char *text, *named;
	} bad[] = {
	    {FORM_RECEIVED_ON, "2016-04-05T06:07:08Z", "received_on"}, /* a date-time, but not canonical */
	    {FORM_RECEIVED_ON, "2016-02-30T06:07:08.000000Z", "received_on"},
	    {FORM_DELETED, "true", "deleted"},
	    {FORM_DELETED, "", "deleted"},
	};
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	enum sql_outcome outcome;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct sql_row row = row_of_nulls(&sql_forms, &p->memory);
		row.cells[FORM_DOMAIN] = row.cells[FORM_ID] = row.cells[FORM_DOC_TYPE] = SLICE("x");
		row.cells[FORM_DELETED] = SLICE("f");
		row.cells[bad[i].column] = slice_of(bad[i].text);
		MUST(sql_begin(t, err));
		REFUSED(sql_put(t, &sql_forms, &row, 1, &outcome, &p->memory, NULL, err), bad[i].named);
		sql_rollback(t);
	}
	MUST(sql_begin(t, err));
	struct sql_row row = row_of_nulls(&sql_case_transactions, &p->memory);
	row.cells[TXN_DOMAIN] = row.cells[TXN_CASE_ID] = row.cells[TXN_FORM_ID] = row.cells[TXN_KIND] = SLICE("x");
	row.cells[TXN_POSITION] = SLICE("1.5");
	REFUSED(sql_put(t, &sql_case_transactions, &row, 1, &outcome, &p->memory, NULL, err), "position");
	sql_rollback(t);
	assert_int_equal(place_count(p, "SELECT count(*) FROM forms"), 0);
	sql_close(t);
}

static void test_sql_put__null_in_a_key_is_refused(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row row = document_row("x", "{}", &p->memory);
	enum sql_outcome outcome;
	struct err e = ERR_INIT;

	row.cells[DOC_ID] = SLICE_NONE;
	MUST(sql_begin(t, err));
	assert_int_equal(sql_put(t, &sql_documents, &row, 1, &outcome, &p->memory, NULL, &e), ERR_TARGET);
	sql_close(t);
}

static void test_sql_insert__a_key_that_is_there_fails(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row row = document_row("x", "{}", &p->memory);
	struct err e = ERR_INIT;

	MUST(sql_begin(t, err));
	MUST(sql_insert(t, &sql_documents, &row, 1, err));
	assert_int_equal(sql_insert(t, &sql_documents, &row, 1, &e), ERR_TARGET);
	assert_int_equal(e.retryable, 0);
	if (p->is_pg)
		assert_string_equal(e.sqlstate, "23505");
	sql_close(t);
}

static void test_sql_delete__gives_the_old_rows(void **state)
{
	static const char *const ids[] = {"a", "b", "c", NULL};
	static const int by_id[] = {DOC_DOMAIN, DOC_ID};
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct slice one[] = {SLICE("d"), SLICE("b")}, two[] = {SLICE("d"), SLICE("none")};
	struct sql_row tuples[] = {{one}, {two}, {one}};
	struct sql_rows old = {0};

	MUST(sql_begin(t, err));
	add_documents(p, t, ids);
	MUST(sql_delete(t, &sql_documents, by_id, 2, tuples, 3, &p->memory, &old, err));
	assert_int_equal(old.n, 1);
	assert_true(slice_is(old.v[0].cells[DOC_ID], "b"));
	assert_true(slice_is(old.v[0].cells[DOC_BODY], "{}"));
	one[1] = SLICE("a");
	MUST(sql_delete(t, &sql_documents, by_id, 2, tuples, 3, &p->memory, NULL, err));
	MUST(sql_commit(t, err));
	assert_int_equal(place_count(p, "SELECT count(*) FROM documents"), 1);
	sql_close(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PLACE_TEST(test_sql_put__rows_come_back_in_the_order_given),
	    PLACE_TEST(test_sql_put__a_value_becomes_null_and_null_a_value),
	    PLACE_TEST(test_sql_put__many_large_puts_in_one_transaction),
	    PLACE_TEST(test_sql_put__a_row_of_64_mib),
	    PLACE_TEST(test_sql_put__without_rows_or_without_reading_back),
	    PLACE_TEST(test_sql_put__a_dropped_row_is_noticed),
	    PLACE_TEST(test_sql_put__bad_cells_name_their_column),
	    PLACE_TEST(test_sql_put__null_in_a_key_is_refused),
	    PLACE_TEST(test_sql_insert__a_key_that_is_there_fails),
	    PLACE_TEST(test_sql_delete__gives_the_old_rows),
	};

	return run_at_each_place("sql_put", tests, sizeof(tests) / sizeof(tests[0]));
}
