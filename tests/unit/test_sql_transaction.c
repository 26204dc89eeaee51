/* What both kinds of target promise of transactions: what they hold together, and which calls need or forbid one. */
#include "config.h"

#include "tests/unit/sql_place.h"

static void test_sql_begin__after_an_error_only_rollback_helps(void **state)
{
	static const int by_id[] = {DOC_DOMAIN, DOC_ID};
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row row = document_row("x", "{}", &p->memory);
	struct sql_rows rows;
	enum sql_outcome outcome;
	struct err e = ERR_INIT;

	MUST(sql_begin(t, err));
	MUST(sql_insert(t, &sql_documents, &row, 1, err));
	assert_int_not_equal(sql_insert(t, &sql_documents, &row, 1, &e), 0);
	REFUSED(sql_put(t, &sql_documents, &row, 1, &outcome, &p->memory, NULL, err), "after an error");
	REFUSED(sql_insert(t, &sql_documents, &row, 1, err), "after an error");
	REFUSED(sql_select(t, &sql_documents, by_id, 2, &row, 1, &p->memory, &rows, err), "after an error");
	REFUSED(sql_commit(t, err), "without a sound transaction");
	sql_rollback(t);
	assert_int_equal(place_count(p, "SELECT count(*) FROM documents"), 0);
	MUST(sql_begin(t, err));
	put_documents(t, &row, 1, SQL_INSERTED, &p->memory);
	MUST(sql_commit(t, err));
	sql_close(t);
}

static void test_sql_rollback__takes_rows_away_and_puts_work_after_it(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row row = document_row("x", "{}", &p->memory);

	for (int i = 0; i < 3; i++) {
		MUST(sql_begin(t, err));
		put_documents(t, &row, 1, SQL_INSERTED, &p->memory);
		sql_rollback(t);
		assert_int_equal(place_count(p, "SELECT count(*) FROM documents"), 0);
	}
	MUST(sql_begin(t, err));
	put_documents(t, &row, 1, SQL_INSERTED, &p->memory);
	sql_close(t); /* rolls back too */
	assert_int_equal(place_count(p, "SELECT count(*) FROM documents"), 0);
}

static void test_sql_begin__misuse_is_refused(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row row = document_row("x", "{}", &p->memory);
	static const int by_id[] = {DOC_DOMAIN, DOC_ID};
	enum sql_outcome outcome;
	int64_t epoch;

	REFUSED(sql_put(t, &sql_documents, &row, 1, &outcome, &p->memory, NULL, err), "outside a transaction");
	REFUSED(sql_insert(t, &sql_documents, &row, 1, err), "outside a transaction");
	REFUSED(sql_delete(t, &sql_documents, by_id, 2, &row, 1, &p->memory, NULL, err), "outside a transaction");
	REFUSED(sql_delete_range(t, &sql_documents, SLICE("d"), 1, SLICE_NONE, SLICE_NONE, err),
		"outside a transaction");
	REFUSED(sql_commit(t, err), "without a sound transaction");
	MUST(sql_begin(t, err));
	REFUSED(sql_begin(t, err), "inside a transaction");
	REFUSED(sql_domain_lock(t, SLICE("d"), &epoch, err), "inside a transaction");
	sql_close(t);
	sql_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PLACE_TEST(test_sql_begin__after_an_error_only_rollback_helps),
	    PLACE_TEST(test_sql_rollback__takes_rows_away_and_puts_work_after_it),
	    PLACE_TEST(test_sql_begin__misuse_is_refused),
	};

	return run_at_each_place("sql_transaction", tests, sizeof(tests) / sizeof(tests[0]));
}
