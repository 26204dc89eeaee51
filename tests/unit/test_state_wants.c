/* Cases are pending again when a form they want, or their own domain, becomes known to be otherwise. */
#include "config.h"

#include "base/buf.h"
#include "tests/unit/state_place.h"

static void case_wants(struct place *p, const char *id, const char *one, const char *other)
{
	struct slice forms[] = {slice_of(one), slice_of(other)};
	struct state_doc doc = {
	    .kind = SLICE("CommCareCase"),
	    .id = slice_of(id),
	    .diffs = SLICE("[1]"),
	    .wants = forms,
	    .n_wants = other ? 2 : 1,
	};

	put_case(p, id, "1-a", "{}");
	MUST(state_case_compared(p->s, &doc, STATE_NOT_MISSING, &must));
	MUST(state_pending_clear(p->s, doc.id, &must));
	assert_int_equal(counts_of(p).pending, 0);
}

/* The ids of pending cases, each followed by a blank; none is pending afterwards. */
static void assert_pending_once(struct place *p, const char *expected)
{
	struct state_cases cases;
	struct buf text = BUF_INIT(1000);

	MUST(state_case_pending(p->s, SLICE_NONE, 100, &p->a, &cases, &must));
	for (size_t i = 0; i < cases.n; i++)
		buf_fmt(&text, "%.*s ", SLICE_ARG(cases.v[i].id));
	assert_slice(buf_slice(&text), expected);
	assert_int_equal(counts_of(p).pending, cases.n);
	buf_release(&text);
	MUST(state_pending_clear(p->s, SLICE("~"), &must));
}

static void test_state_wants__every_way_a_form_becomes_known(void **state)
{
	struct place *p = *state;
	struct state_case tombstone = {.kind = SLICE(""), .id = SLICE("f1"), .rev = SLICE("2-x"), .deleted = 1};
	int same;

	case_wants(p, "c1", "f1", "f2");
	case_wants(p, "c2", "f2", NULL);
	reopen(p);
	put_doc(p, "form", "f3", NULL, NULL, NULL);
	assert_pending_once(p, "");
	put_doc(p, "form", "f1", NULL, NULL, NULL);
	assert_pending_once(p, "c1 ");
	put_doc(p, "form", "f2", NULL, NULL, NULL);
	assert_pending_once(p, "c1 c2 ");
	MUST(state_doc_forget(p->s, SLICE("f2"), &must));
	assert_pending_once(p, "c1 c2 ");
	put_reject(p, "form", "f1", "why");
	assert_pending_once(p, "c1 ");
	put_reject(p, "form", "f1", "why");
	assert_pending_once(p, "");
	MUST(state_skipped_put(p->s, SLICE("f2"), SLICE("other"), &must));
	assert_pending_once(p, "c1 c2 ");
	MUST(state_case_put(p->s, &tombstone, &same, &must));
	assert_pending_once(p, "c1 f1 ");
	MUST(state_doc_forget(p->s, SLICE("f1"), &must));
	MUST(state_case_put(p->s, &tombstone, &same, &must));
	assert_pending_once(p, "f1 ");
}

static void test_state_wants__what_is_no_news_touches_nothing(void **state)
{
	struct place *p = *state;
	struct state_doc doc = {.kind = SLICE("form"), .id = SLICE("f1"), .same = 1};

	case_wants(p, "c1", "f1", "f2");
	MUST(state_doc_put(p->s, &doc, &must));
	MUST(state_doc_forget(p->s, SLICE("f2"), &must));
	assert_pending_once(p, "");
	MUST(state_doc_forget(p->s, SLICE("f1"), &must));
	assert_pending_once(p, "c1 ");
}

static void test_state_wants__a_batch_sees_its_own(void **state)
{
	struct place *p = *state;

	MUST(state_begin(p->s, &must));
	case_wants(p, "c1", "f1", NULL);
	put_doc(p, "form", "f1", NULL, NULL, NULL);
	assert_int_equal(counts_of(p).pending, 1);
	state_rollback(p->s);
	assert_int_equal(rows_in(p, "SELECT count(*) FROM wanted"), 0);
}

static void test_state_wants__the_next_outcome_replaces_them(void **state)
{
	struct place *p = *state;

	case_wants(p, "c1", "f1", "f2");
	case_wants(p, "c1", "f3", NULL);
	put_doc(p, "form", "f1", NULL, NULL, NULL);
	assert_pending_once(p, "");
	put_doc(p, "form", "f3", NULL, NULL, NULL);
	assert_pending_once(p, "c1 ");
	compared(p, "c1", NULL, NULL, NULL, STATE_NOT_MISSING);
	assert_int_equal(rows_in(p, "SELECT count(*) FROM wanted"), 0);
	case_wants(p, "c1", "f1", "f2");
	MUST(state_doc_forget(p->s, SLICE("c1"), &must));
	assert_int_equal(rows_in(p, "SELECT count(*) FROM wanted"), 0);
}

/* Its forms may stay: what SQL made of them is to be looked at again. */
static void test_state_skipped__a_case_that_left_the_domain_is_pending(void **state)
{
	struct place *p = *state;

	put_case(p, "c1", "1-a", "{}");
	compared(p, "c1", NULL, "[1]", NULL, STATE_NOT_MISSING);
	compared(p, "c2", NULL, "[2]", NULL, STATE_NOT_MISSING);
	MUST(state_skipped_put(p->s, SLICE("c1"), SLICE("other"), &must));
	MUST(state_skipped_put(p->s, SLICE("c2"), SLICE("other"), &must));
	MUST(state_skipped_put(p->s, SLICE("c3"), SLICE("other"), &must));
	assert_list(p, STATE_DIFFS, "");
	assert_kinds(p, "");
	assert_pending_once(p, "c1 c2 ");
	assert_int_equal(rows_in(p, "SELECT count(*) FROM doc"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_state_wants__every_way_a_form_becomes_known, make_state, remove_place),
	    cmocka_unit_test_setup_teardown(test_state_wants__what_is_no_news_touches_nothing, make_state,
					    remove_place),
	    cmocka_unit_test_setup_teardown(test_state_wants__a_batch_sees_its_own, make_state, remove_place),
	    cmocka_unit_test_setup_teardown(test_state_wants__the_next_outcome_replaces_them, make_state, remove_place),
	    cmocka_unit_test_setup_teardown(test_state_skipped__a_case_that_left_the_domain_is_pending, make_state,
					    remove_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
