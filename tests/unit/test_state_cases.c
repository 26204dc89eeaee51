/* Cases of the state file: what is pending until it was compared. */
#include "config.h"

#include "tests/unit/state_place.h"

#include <stdio.h>

static void test_state_case_put__same_revision_is_pending_until_compared(void **state)
{
	struct place *p = *state;
	assert_int_equal(put_case(p, "c1", "1-a", "{\"v\":1}"), 0);
	assert_int_equal(put_case(p, "c1", "1-a", "{\"v\":1}"), 1);
	assert_pending(p, "c1@1-a");
	compared(p, "c1", "{\"r\":1}", NULL, NULL, STATE_NOT_MISSING);
	assert_pending(p, "");
	assert_int_equal(put_case(p, "c1", "1-a", "{\"v\":1}"), 1);
	assert_pending(p, "");
	assert_kinds(p, "CommCareCase 1/0/0/0/0");
	assert_ignored(p, "r=1");
	assert_int_equal(put_case(p, "c1", "2-b", "{\"v\":2}"), 0);
	assert_pending(p, "c1@2-b");
	struct state_case c;
	MUST(state_case_get(p->s, SLICE("c1"), &p->a, &c, &must));
	assert_slice(c.body, "{\"v\":2}");
	assert_int_equal(rows_in(p, "SELECT count(*) FROM spool"), 1);
}

static void test_state_case_put__same_revision_may_have_other_conflicts(void **state)
{
	struct place *p = *state;
	struct state_case c = {.kind = SLICE("k"), .id = SLICE("c1"), .rev = SLICE("1-a"), .body = SLICE("{}")};
	int same;
	MUST(state_case_put(p->s, &c, &same, &must));
	compared(p, "c1", NULL, "[1]", NULL, STATE_NOT_MISSING);
	c.conflicts = 2;
	MUST(state_case_put(p->s, &c, &same, &must));
	assert_int_equal(same, 1);
	assert_int_equal(counts_of(p).conflicts, 2);
	assert_int_equal(counts_of(p).diffs, 1);
	assert_int_equal(counts_of(p).pending, 0);
	MUST(state_case_put(p->s, &c, NULL, &must));
}

static void test_state_case_put__traits_outlive_the_comparison(void **state)
{
	struct place *p = *state;
	struct state_case c = {.kind = SLICE("CommCareCase"),
			       .id = SLICE("c1"),
			       .rev = SLICE("1-a"),
			       .body = SLICE("{}"),
			       .traits = STATE_KEY_TWICE},
			  got;
	MUST(state_case_put(p->s, &c, NULL, &must));
	compared(p, "c1", NULL, "[1]", NULL, STATE_NOT_MISSING);
	assert_traits(p, "CommCareCase 0/1");
	MUST(state_case_get(p->s, SLICE("c1"), &p->a, &got, &must));
	assert_int_equal(got.traits, STATE_KEY_TWICE);
	c.traits = 0; /* of the same revision, as an earlier settle left it: brought up to date */
	MUST(state_case_put(p->s, &c, NULL, &must));
	assert_traits(p, "CommCareCase 0/0");
	c.traits = STATE_KEY_TWICE;
	MUST(state_case_put(p->s, &c, NULL, &must));
	assert_traits(p, "CommCareCase 0/1");
	assert_int_equal(put_case(p, "c1", "2-a", NULL), 0);
	compared(p, "c1", NULL, NULL, NULL, STATE_NOT_MISSING);
	assert_traits(p, "");
}

static void test_state_case_put__diffs_stay_until_compared(void **state)
{
	struct place *p = *state;
	put_case(p, "c1", "1-a", "{}");
	compared(p, "c1", "{\"r\":1}", "[1]", "[2]", STATE_MISSING);
	put_case(p, "c1", "2-a", "{}");
	assert_kinds(p, "CommCareCase 1/1/1/1/0");
	assert_list(p, STATE_MISSING_DOCS, "CommCareCase:c1=");
	compared(p, "c1", NULL, NULL, NULL, STATE_NOT_MISSING);
	assert_kinds(p, "CommCareCase 1/0/0/0/0");
	assert_ignored(p, "");
}

static void test_state_case_put__plain_document_becomes_a_case(void **state)
{
	struct place *p = *state;
	put_doc(p, "app", "c1", "{\"r\":1}", "[1]", "[2]");
	put_case(p, "c1", "1-a", "{}");
	assert_kinds(p, "CommCareCase 1/0/0/0/0");
	assert_ignored(p, "");
	assert_list(p, STATE_DIFFS, "");
	assert_pending(p, "c1@1-a");
}

static void test_state_case_put__tombstone_is_no_document(void **state)
{
	struct place *p = *state;
	struct state_case c;
	put_case(p, "c1", "1-a", "{}");
	assert_int_equal(put_case(p, "c1", "2-b", NULL), 0);
	assert_kinds(p, "");
	assert_pending(p, "c1@2-b");
	MUST(state_case_get(p->s, SLICE("c1"), &p->a, &c, &must));
	assert_int_equal(c.deleted, 1);
	assert_null(c.body.ptr);
	assert_slice(c.rev, "2-b");
	compared(p, "c1", NULL, NULL, NULL, STATE_NOT_MISSING);
	assert_int_equal(put_case(p, "c1", "2-b", NULL), 1);
	assert_int_equal(put_case(p, "c1", "3-c", "{}"), 0);
	MUST(state_case_get(p->s, SLICE("c1"), &p->a, &c, &must));
	assert_int_equal(c.deleted, 0);
	assert_slice(c.body, "{}");
	assert_kinds(p, "CommCareCase 1/0/0/0/0");
}

static void test_state_case_get__everything_comes_back(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct state_case got, c = {.kind = SLICE("k\0\xc3\xa9"),
				    .id = SLICE("i\0d"),
				    .rev = SLICE("1-a"),
				    .body = SLICE("{\"a\":\"\xc3\xa9\"}"),
				    .attachments = 4,
				    .conflicts = 5};
	MUST(state_case_put(p->s, &c, NULL, &must));
	reopen(p);
	MUST(state_case_get(p->s, c.id, &p->a, &got, &must));
	assert_true(slice_eq(got.kind, c.kind));
	assert_true(slice_eq(got.id, c.id));
	assert_true(slice_eq(got.rev, c.rev));
	assert_true(slice_eq(got.body, c.body));
	assert_int_equal(got.attachments, 4);
	assert_int_equal(got.conflicts, 5);
	assert_int_equal(got.pending, 1);
	assert_int_equal(got.deleted, 0);
	assert_int_equal(state_case_get(p->s, SLICE("i"), &p->a, &got, &err), ERR_NOTFOUND);
	put_doc(p, "form", "f", NULL, NULL, NULL);
	assert_int_equal(state_case_get(p->s, SLICE("f"), &p->a, &got, &err), ERR_NOTFOUND);
	assert_non_null(strstr(err.msg, " f "));
}

static void test_state_case_touch__what_exists_is_pending_again(void **state)
{
	struct place *p = *state;
	put_case(p, "c1", "1-a", "{}");
	compared(p, "c1", NULL, "[1]", NULL, STATE_NOT_MISSING);
	compared(p, "sql only", NULL, "[1]", NULL, STATE_NOT_MISSING);
	for (int i = 0; i < 2; i++) {
		MUST(state_case_touch(p->s, SLICE("c1"), &must));
		MUST(state_case_touch(p->s, SLICE("sql only"), &must));
		MUST(state_case_touch(p->s, SLICE("unknown"), &must));
	}
	assert_pending(p, "c1@1-a");
	assert_int_equal(counts_of(p).pending, 1);
	assert_int_equal(counts_of(p).diffs, 2);
}

/* A kill between the state file's commit and the target's must not lose the comparison. */
static void test_state_case_compared__stays_pending_until_the_target_has_it(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	put_case(p, "a", "1-a", "{}");
	put_case(p, "b", "1-b", "{}");
	put_case(p, "c", "1-c", "{}");
	struct state_doc doc = {.kind = SLICE("CommCareCase"), .id = SLICE("b")};
	MUST(state_case_compared(p->s, &doc, STATE_NOT_MISSING, &err));
	assert_pending(p, "a@1-a b@1-b c@1-c");
	MUST(state_pending_clear(p->s, SLICE("b"), &err));
	assert_pending(p, "c@1-c");
	assert_int_equal(counts_of(p).pending, 1);
	assert_int_equal(put_case(p, "b", "1-b", "{}"), 1);
	assert_pending(p, "c@1-c");
}

static void test_state_case_compared__sql_only_case_is_no_document(void **state)
{
	struct place *p = *state;
	compared(p, "s1", "{\"r\":3}", "[1]", NULL, STATE_NOT_MISSING);
	compared(p, "s2", NULL, NULL, NULL, STATE_NOT_MISSING);
	assert_kinds(p, "CommCareCase 0/1/0/0/0");
	assert_ignored(p, "r=3");
	compared(p, "s1", NULL, NULL, NULL, STATE_NOT_MISSING);
	assert_kinds(p, "");
	assert_int_equal(rows_in(p, "SELECT count(*) FROM doc"), 0);
}

static void test_state_case_compared__a_reject_is_not_missing(void **state)
{
	struct place *p = *state;
	put_case(p, "c1", "1-a", "{}");
	compared(p, "c1", NULL, NULL, NULL, STATE_MISSING);
	put_reject(p, "CommCareCase", "c1", "odd");
	assert_kinds(p, "CommCareCase 1/0/0/0/1");
	compared(p, "c1", NULL, "[1]", NULL, STATE_MISSING);
	assert_kinds(p, "CommCareCase 1/1/0/0/1");
	assert_int_equal(counts_of(p).missing, 0);
	put_case(p, "c1", "1-a", "{}");
	assert_kinds(p, "CommCareCase 1/1/0/0/0");
}

static void test_state_case_page__all_cases_in_byte_order(void **state)
{
	struct place *p = *state;
	static const struct slice ids[] = {SLICE("\0"),       SLICE("\0\0"),         SLICE("A"),
					   SLICE("a"),        SLICE("a\0b"),         SLICE("aa"),
					   SLICE("\xc3\xa9"), SLICE("\xef\xbf\xbf"), SLICE("\xf0\x90\x80\x80")};
	enum { N = sizeof(ids) / sizeof(ids[0]) };
	for (size_t i = 0; i < N; i++) {
		struct state_case c = {
		    .kind = SLICE("k"), .id = ids[i * 7 % N], .rev = SLICE("1-a"), .body = SLICE("{}")};
		MUST(state_case_put(p->s, &c, NULL, &must));
		char form[20];
		snprintf(form, sizeof(form), "a form %zu", i);
		put_doc(p, "form", form, NULL, NULL, NULL);
	}
	compared(p, "A", NULL, NULL, NULL, STATE_NOT_MISSING);
	for (int limit = 1; limit <= N + 1; limit++) {
		struct slice after = SLICE_NONE;
		struct state_cases page;
		size_t seen = 0;
		do {
			MUST(state_case_page(p->s, after, limit, &p->a, &page, &must));
			for (size_t i = 0; i < page.n; i++)
				assert_true(slice_eq(page.v[i].id, ids[seen++]));
			after = page.n ? page.v[page.n - 1].id : after;
		} while (page.n);
		assert_int_equal(seen, N);
	}
	struct state_cases pending;
	MUST(state_case_pending(p->s, SLICE("\0"), 100, &p->a, &pending, &must));
	assert_int_equal(pending.n, N - 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH_STATE(test_state_case_put__same_revision_is_pending_until_compared),
	    WITH_STATE(test_state_case_put__same_revision_may_have_other_conflicts),
	    WITH_STATE(test_state_case_put__traits_outlive_the_comparison),
	    WITH_STATE(test_state_case_put__diffs_stay_until_compared),
	    WITH_STATE(test_state_case_put__plain_document_becomes_a_case),
	    WITH_STATE(test_state_case_put__tombstone_is_no_document),
	    WITH_STATE(test_state_case_get__everything_comes_back),
	    WITH_STATE(test_state_case_touch__what_exists_is_pending_again),
	    WITH_STATE(test_state_case_compared__stays_pending_until_the_target_has_it),
	    WITH_STATE(test_state_case_compared__sql_only_case_is_no_document),
	    WITH_STATE(test_state_case_compared__a_reject_is_not_missing),
	    WITH_STATE(test_state_case_page__all_cases_in_byte_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
