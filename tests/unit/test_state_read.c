/* Reading the state file back: lists, counts, tallies. */
#include "config.h"

#include "tests/unit/state_place.h"

#include <sqlite3.h>
#include <stdio.h>

/* An open statement is an open read transaction: the writer's -wal would grow for as long. */
static void assert_nothing_is_read(struct place *p)
{
	for (sqlite3_stmt *stmt = sqlite3_next_stmt(lite_handle(p->s->db), NULL); stmt;
	     stmt = sqlite3_next_stmt(lite_handle(p->s->db), stmt)) {
		if (sqlite3_stmt_busy(stmt))
			fail_msg("still open: %s", sqlite3_sql(stmt));
	}
}

static void test_state_read__leaves_no_transaction_open(void **state)
{
	struct place *p = *state;
	struct slice text;
	struct state_case c;
	struct state_item item;
	struct state_items items;
	struct state_reject r;
	put_case(p, "c1", "1-a", "{}");
	put_case(p, "c2", "1-a", "{}");
	assert_int_equal(put_case(p, "c1", "1-a", "{}"), 1);
	compared(p, "c1", "{\"r\":1}", "[1]", "[2]", STATE_MISSING);
	put_reject(p, "form", "r1", "odd");
	MUST(state_skipped_put(p->s, SLICE("x"), SLICE("other"), &must));
	MUST(state_value_put(p->s, "k", SLICE("v"), &must));
	assert_nothing_is_read(p);
	reopen(p);
	struct state *writer = p->s;
	MUST(state_open(&p->s, p->dir, SLICE("demo"), STATE_READ_ONLY, &must));
	assert_nothing_is_read(p);
	MUST(state_value_get(p->s, "k", &p->a, &text, &must));
	MUST(state_case_get(p->s, SLICE("c1"), &p->a, &c, &must));
	MUST(state_reject_get(p->s, SLICE("r1"), &p->a, &r, &must));
	MUST(state_skipped_get(p->s, SLICE("x"), &p->a, &text, &must));
	MUST(state_get(p->s, STATE_DIFFS, SLICE("c1"), &p->a, &item, &must));
	MUST(state_list(p->s, STATE_DIFFS, SLICE_NONE, SLICE_NONE, 1, &p->a, &items, &must));
	assert_pending(p, "c2@1-a");
	assert_kinds(p, "CommCareCase 2/1/1/1/0 form 1/0/0/0/1");
	assert_ignored(p, "r=1");
	counts_of(p);
	assert_nothing_is_read(p);
	state_close(writer);
}

static void test_state_list__kind_then_id_in_byte_order(void **state)
{
	struct place *p = *state;
	put_doc(p, "form", "b", NULL, "[1]", "[5]");
	put_doc(p, "form", "B", NULL, "[2]", NULL);
	put_doc(p, "Form", "c", NULL, "[3]", NULL);
	put_doc(p, "form", "\xc3\xa9", NULL, "[4]", "[6]");
	put_doc(p, "zoo", "a", NULL, "[7]", NULL);
	put_doc(p, "form", "nothing", NULL, NULL, NULL);
	assert_list(p, STATE_DIFFS, "Form:c=[3] form:B=[2] form:b=[1] form:\xc3\xa9=[4] zoo:a=[7]");
	assert_list(p, STATE_CHANGES, "form:b=[5] form:\xc3\xa9=[6]");
	assert_list(p, STATE_REJECTS, "");
	put_reject(p, "", "@1", "one");
	put_reject(p, "form", "x", "two");
	assert_list(p, STATE_REJECTS, ":@1=one form:x=two");
}

static void test_state_get__one_document(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct state_item item;
	put_doc(p, "form", "f1", NULL, "[1]", NULL);
	put_reject(p, "form", "r1", "odd");
	MUST(state_missing_put(p->s, SLICE("form"), SLICE("m1"), &must));
	MUST(state_get(p->s, STATE_DIFFS, SLICE("f1"), &p->a, &item, &must));
	assert_slice(item.kind, "form");
	assert_slice(item.id, "f1");
	assert_slice(item.json, "[1]");
	MUST(state_get(p->s, STATE_REJECTS, SLICE("r1"), &p->a, &item, &must));
	assert_slice(item.json, "odd");
	MUST(state_get(p->s, STATE_MISSING_DOCS, SLICE("m1"), &p->a, &item, &must));
	assert_null(item.json.ptr);
	assert_int_equal(state_get(p->s, STATE_CHANGES, SLICE("f1"), &p->a, &item, &err), ERR_NOTFOUND);
	assert_string_equal(err.msg, "document f1 has no changes");
	assert_int_equal(state_get(p->s, STATE_DIFFS, SLICE("unknown"), &p->a, &item, &err), ERR_NOTFOUND);
}

static void test_state_kinds__many_kinds_signatures_and_pages(void **state)
{
	struct place *p = *state;
	enum { N = 60000 };
	struct state_kinds kinds;
	struct state_tallies ignored;
	MUST(state_begin(p->s, &must));
	for (int i = 0; i < N; i++) {
		char kind[20], id[20], text[40];
		snprintf(kind, sizeof(kind), "kind %03d", i % 300);
		snprintf(id, sizeof(id), "%x-%d", i * 7919 % N, i);
		snprintf(text, sizeof(text), "{\"all\":%d,\"r%d\":1}", i % 10000 + 1, i % 3);
		put_doc(p, kind, id, text, NULL, NULL);
	}
	MUST(state_commit(p->s, &must));
	MUST(state_kinds(p->s, &p->a, &kinds, &must));
	assert_int_equal(kinds.n, 300);
	for (size_t i = 0; i < kinds.n; i++) {
		assert_int_equal(kinds.v[i].docs, N / 300);
		if (i)
			assert_true(slice_cmp(kinds.v[i - 1].kind, kinds.v[i].kind) < 0);
	}
	MUST(state_ignored(p->s, &p->a, &ignored, &must));
	assert_int_equal(ignored.n, 4);
	assert_slice(ignored.v[0].rule, "all");
	assert_true(ignored.v[0].count == INT64_C(6) * 10000 * 10001 / 2);
	for (size_t i = 1; i < 4; i++)
		assert_int_equal(ignored.v[i].count, N / 3);
}

static void test_state_ignored__unreadable_tally_is_told(void **state)
{
	struct place *p = *state;
	static const char *const bad[] = {"[1]", "{\"a\":", "{\"a\":\"1\"}", "{\"a\":1.5}"};
	for (size_t i = 0; i < 4; i++) {
		struct err err = ERR_INIT;
		struct state_tallies ignored;
		put_doc(p, "form", "f1", bad[i], NULL, NULL);
		assert_int_equal(state_ignored(p->s, &p->a, &ignored, &err), ERR_STATE);
		assert_non_null(strstr(err.msg, "unreadable tally"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH_STATE(test_state_read__leaves_no_transaction_open),
	    WITH_STATE(test_state_list__kind_then_id_in_byte_order),
	    WITH_STATE(test_state_get__one_document),
	    WITH_STATE(test_state_kinds__many_kinds_signatures_and_pages),
	    WITH_STATE(test_state_ignored__unreadable_tally_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
