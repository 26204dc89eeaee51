/* Documents of the state file: what is known of each, and what is missing, rejected or skipped. */
#include "config.h"

#include "tests/unit/state_place.h"

static void test_state_doc_get__tells_what_was_put(void **state)
{
	struct place *p = *state;
	struct state_doc doc = {.kind = SLICE("form"),
				.id = SLICE("d1"),
				.ignored = SLICE("{\"rule\":2}"),
				.attachments = 3,
				.conflicts = 4,
				.diffs = SLICE("[1]")};
	struct state_doc got;
	struct err err = ERR_INIT;
	MUST(state_doc_put(p->s, &doc, &must));
	MUST(state_doc_get(p->s, SLICE("d1"), &p->a, &got, &must));
	assert_slice(got.kind, "form");
	assert_slice(got.ignored, "{\"rule\":2}");
	assert_int_equal(got.attachments, 3);
	assert_int_equal(got.conflicts, 4);
	assert_int_equal(state_doc_get(p->s, SLICE("d2"), &p->a, &got, &err), ERR_NOTFOUND);
}

static void test_state_doc_put__twice_is_once(void **state)
{
	struct place *p = *state;
	for (int i = 0; i < 2; i++) {
		put_doc(p, "form", "f1", "{\"a\":2,\"b\":1}", "[1]", "[2]");
		put_doc(p, "form", "f2", "{\"a\":2,\"b\":1}", "[]", NULL);
		put_doc(p, "form", "f3", "{\"b\":5}", "", NULL);
		put_doc(p, "app", "f4", "{}", NULL, NULL);
		assert_kinds(p, "app 1/0/0/0/0 form 3/1/0/1/0");
		assert_ignored(p, "a=4 b=7");
		assert_list(p, STATE_DIFFS, "form:f1=[1]");
		assert_list(p, STATE_CHANGES, "form:f1=[2]");
		struct state_counts c = counts_of(p);
		assert_int_equal(c.diffs, 1);
		assert_int_equal(c.changes, 1);
		reopen(p);
	}
	assert_int_equal(rows_in(p, "SELECT count(*) FROM signature"), 2);
}

static void test_state_doc_put__replaces_what_was_known(void **state)
{
	struct place *p = *state;
	put_doc(p, "form", "f1", "{\"a\":2}", "[1]", "[2]");
	put_doc(p, "form", "f1", "{\"b\":1}", "[3]", NULL);
	assert_kinds(p, "form 1/1/0/0/0");
	assert_ignored(p, "b=1");
	assert_list(p, STATE_DIFFS, "form:f1=[3]");
	assert_list(p, STATE_CHANGES, "");
	put_doc(p, "app", "f1", NULL, "[4]", NULL);
	assert_kinds(p, "app 1/1/0/0/0");
	assert_list(p, STATE_DIFFS, "app:f1=[4]");
	put_doc(p, "app", "f1", NULL, NULL, NULL);
	assert_kinds(p, "app 1/0/0/0/0");
	assert_list(p, STATE_DIFFS, "");
	assert_ignored(p, "");
}

static void test_state_doc_put__sums_attachments_and_conflicts(void **state)
{
	struct place *p = *state;
	struct state_doc doc = {.kind = SLICE("form"), .id = SLICE("f1"), .attachments = 3, .conflicts = 1};
	for (int i = 0; i < 2; i++)
		MUST(state_doc_put(p->s, &doc, &must));
	doc.id = SLICE("f2");
	doc.attachments = 0;
	doc.conflicts = UINT32_MAX;
	MUST(state_doc_put(p->s, &doc, &must));
	struct state_counts c = counts_of(p);
	assert_int_equal(c.attachments, 3);
	assert_true(c.conflicts == INT64_C(1) + UINT32_MAX);
	put_doc(p, "form", "f2", NULL, NULL, NULL);
	MUST(state_doc_forget(p->s, SLICE("f1"), &must));
	c = counts_of(p);
	assert_int_equal(c.attachments, 0);
	assert_int_equal(c.conflicts, 0);
}

static void test_state_doc_put__traits_are_those_of_the_last_revision(void **state)
{
	struct place *p = *state;
	struct state_doc doc = {.kind = SLICE("form"), .id = SLICE("f1"), .traits = STATE_LEDGERS | STATE_KEY_TWICE},
			 got;
	MUST(state_doc_put(p->s, &doc, &must));
	MUST(state_doc_put(p->s, &doc, &must));
	doc.id = SLICE("f2");
	doc.traits = STATE_KEY_TWICE;
	doc.diffs = SLICE("[1]");
	MUST(state_doc_put(p->s, &doc, &must));
	put_doc(p, "form", "f3", NULL, NULL, NULL);
	reopen(p);
	assert_traits(p, "form 1/2");
	MUST(state_doc_get(p->s, SLICE("f2"), &p->a, &got, &must));
	assert_int_equal(got.traits, STATE_KEY_TWICE);
	MUST(state_doc_get(p->s, SLICE("f3"), &p->a, &got, &must));
	assert_int_equal(got.traits, 0);
	MUST(state_missing_put(p->s, SLICE("form"), SLICE("f2"), &must));
	MUST(state_missing_del(p->s, SLICE("f2"), &must));
	assert_traits(p, "form 1/2");
	put_doc(p, "form", "f1", NULL, NULL, NULL);
	assert_traits(p, "form 0/1");
	MUST(state_doc_forget(p->s, SLICE("f2"), &must));
	assert_traits(p, "form 0/0");
}

static void test_state_doc_put__ends_reject_missing_and_spool_copy(void **state)
{
	struct place *p = *state;
	put_reject(p, "form", "d1", "too deep");
	put_case(p, "d2", "1-a", "{}");
	compared(p, "d2", NULL, "[1]", "[2]", STATE_MISSING);
	put_case(p, "d3", "1-a", "{}");
	MUST(state_skipped_put(p->s, SLICE("d4"), SLICE("other"), &must));
	MUST(state_missing_put(p->s, SLICE("form"), SLICE("d5"), &must));
	put_doc(p, "form", "d1", NULL, NULL, NULL);
	put_doc(p, "form", "d2", NULL, NULL, NULL);
	put_doc(p, "form", "d3", NULL, NULL, NULL);
	put_doc(p, "form", "d4", NULL, NULL, NULL);
	put_doc(p, "form", "d5", NULL, NULL, NULL);
	assert_kinds(p, "form 5/0/0/0/0");
	assert_pending(p, "");
	assert_int_equal(rows_in(p, "SELECT (SELECT count(*) FROM spool) + (SELECT count(*) FROM reject) +"
				    " (SELECT count(*) FROM missing) + (SELECT count(*) FROM pending) +"
				    " (SELECT count(*) FROM diff) + (SELECT count(*) FROM change) +"
				    " (SELECT count(*) FROM skipped)"),
			 0);
}

static void test_state_doc_put__skipped_id_of_an_earlier_run_ends(void **state)
{
	struct place *p = *state;
	struct slice domain;
	MUST(state_skipped_put(p->s, SLICE("d1"), SLICE("other"), &must));
	reopen(p);
	MUST(state_begin(p->s, &must));
	put_doc(p, "form", "d1", NULL, NULL, NULL);
	MUST(state_commit(p->s, &must));
	MUST(state_skipped_get(p->s, SLICE("d1"), &p->a, &domain, &must));
	assert_null(domain.ptr);
}

static void test_state_doc_put__id_skipped_earlier_in_the_batch(void **state)
{
	struct place *p = *state;
	struct slice domain;
	MUST(state_begin(p->s, &must));
	MUST(state_skipped_put(p->s, SLICE("d1"), SLICE("other"), &must));
	put_doc(p, "form", "d1", NULL, NULL, NULL);
	MUST(state_commit(p->s, &must));
	MUST(state_skipped_get(p->s, SLICE("d1"), &p->a, &domain, &must));
	assert_null(domain.ptr);
}

static void test_state_doc_forget__leaves_nothing(void **state)
{
	struct place *p = *state;
	put_doc(p, "form", "d1", "{\"a\":1}", "[1]", "[2]");
	put_reject(p, "form", "d1", "again");
	put_case(p, "d2", "1-a", "{}");
	compared(p, "d2", NULL, "[1]", "[2]", STATE_MISSING);
	put_case(p, "d2", "2-a", "{}");
	put_reject(p, "", "@5", "no id");
	for (int i = 0; i < 2; i++) {
		MUST(state_doc_forget(p->s, SLICE("d1"), &must));
		MUST(state_doc_forget(p->s, SLICE("d2"), &must));
		MUST(state_doc_forget(p->s, SLICE("@5"), &must));
	}
	assert_kinds(p, "");
	assert_ignored(p, "");
	struct state_counts c = counts_of(p), none = {0};
	assert_memory_equal(&c, &none, sizeof(c));
	assert_int_equal(rows_in(p, "SELECT (SELECT count(*) FROM spool) + (SELECT count(*) FROM doc)"), 0);
}

static void test_state_missing__put_and_del(void **state)
{
	struct place *p = *state;
	put_doc(p, "form", "f1", NULL, NULL, NULL);
	for (int i = 0; i < 2; i++) {
		MUST(state_missing_put(p->s, SLICE("form"), SLICE("f1"), &must));
		MUST(state_missing_put(p->s, SLICE("form"), SLICE("unseen"), &must));
	}
	assert_kinds(p, "form 2/0/2/0/0");
	assert_list(p, STATE_MISSING_DOCS, "form:f1= form:unseen=");
	assert_int_equal(counts_of(p).missing, 2);
	for (int i = 0; i < 2; i++) {
		MUST(state_missing_del(p->s, SLICE("f1"), &must));
		MUST(state_missing_del(p->s, SLICE("unseen"), &must));
	}
	assert_kinds(p, "form 1/0/0/0/0");
	assert_list(p, STATE_MISSING_DOCS, "");
	put_reject(p, "form", "r1", "odd");
	MUST(state_missing_put(p->s, SLICE("form"), SLICE("r1"), &must));
	assert_kinds(p, "form 2/0/0/0/1");
}

static void test_state_reject__whole_document_comes_back(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct state_reject got, r = {.id = SLICE("r\0"),
				      .kind = SLICE("form"),
				      .rev = SLICE("1-a"),
				      .reason = SLICE("depth"),
				      .body = SLICE("{\"a\":\0\xff"),
				      .offset = UINT64_C(1) << 40,
				      .length = 9,
				      .sha256 = SLICE("ab12")};
	MUST(state_reject_put(p->s, &r, &must));
	MUST(state_reject_put(p->s, &r, &must));
	reopen(p);
	MUST(state_reject_get(p->s, r.id, &p->a, &got, &must));
	assert_true(slice_eq(got.id, r.id) && slice_eq(got.kind, r.kind) && slice_eq(got.rev, r.rev));
	assert_true(slice_eq(got.reason, r.reason) && slice_eq(got.body, r.body) && slice_eq(got.sha256, r.sha256));
	assert_true(got.offset == r.offset && got.length == r.length);
	put_reject(p, "", "@7", "no id");
	MUST(state_reject_get(p->s, SLICE("@7"), &p->a, &got, &must));
	assert_null(got.body.ptr);
	assert_null(got.rev.ptr);
	assert_kinds(p, " 1/0/0/0/1 form 1/0/0/0/1");
	assert_int_equal(counts_of(p).rejects, 2);
	assert_int_equal(state_reject_get(p->s, SLICE("r"), &p->a, &got, &err), ERR_NOTFOUND);
	for (int i = 0; i < 2; i++)
		MUST(state_reject_del(p->s, r.id, &must));
	assert_kinds(p, " 1/0/0/0/1");
}

static void test_state_reject__document_that_was_stored_before_counts_once(void **state)
{
	struct place *p = *state;
	put_doc(p, "form", "f1", NULL, "[1]", NULL);
	put_reject(p, "form", "f1", "odd");
	assert_kinds(p, "form 1/1/0/0/1");
	MUST(state_reject_del(p->s, SLICE("f1"), &must));
	assert_kinds(p, "form 1/1/0/0/0");
	put_reject(p, "first", "r1", "odd");
	put_reject(p, "second", "r1", "odder");
	assert_kinds(p, "form 1/1/0/0/0 second 1/0/0/0/1");
	assert_list(p, STATE_REJECTS, "second:r1=odder");
}

/* A case whose document is another domain's differs from it: reading the feed again must not lose that. */
static void test_state_skipped__again_is_no_news(void **state)
{
	struct place *p = *state;
	struct slice domain;
	struct err err = ERR_INIT;
	MUST(state_skipped_put(p->s, SLICE("c1"), SLICE("other"), &err));
	compared(p, "c1", NULL, "[{\"d\":1}]", NULL, STATE_NOT_MISSING);
	MUST(state_skipped_get(p->s, SLICE("c1"), &p->a, &domain, &err));
	assert_slice(domain, "other");
	MUST(state_skipped_put(p->s, SLICE("c1"), SLICE("other"), &err));
	assert_int_equal(counts_of(p).diffs, 1);
	MUST(state_skipped_put(p->s, SLICE("c1"), SLICE("third"), &err));
	assert_int_equal(counts_of(p).diffs, 0);
}

static void test_state_skipped__remembers_the_domain(void **state)
{
	struct place *p = *state;
	struct slice domain;
	put_doc(p, "form", "d1", NULL, "[1]", NULL);
	MUST(state_skipped_put(p->s, SLICE("d1"), SLICE("other"), &must));
	MUST(state_skipped_put(p->s, SLICE("d2"), SLICE("other"), &must));
	MUST(state_skipped_put(p->s, SLICE("d2"), SLICE("third"), &must));
	assert_kinds(p, "");
	reopen(p);
	MUST(state_skipped_get(p->s, SLICE("d1"), &p->a, &domain, &must));
	assert_slice(domain, "other");
	MUST(state_skipped_get(p->s, SLICE("d2"), &p->a, &domain, &must));
	assert_slice(domain, "third");
	MUST(state_skipped_get(p->s, SLICE("d3"), &p->a, &domain, &must));
	assert_null(domain.ptr);
	put_case(p, "d1", "1-a", "{}");
	MUST(state_skipped_get(p->s, SLICE("d1"), &p->a, &domain, &must));
	assert_null(domain.ptr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH_STATE(test_state_doc_get__tells_what_was_put),
	    WITH_STATE(test_state_doc_put__twice_is_once),
	    WITH_STATE(test_state_doc_put__replaces_what_was_known),
	    WITH_STATE(test_state_doc_put__sums_attachments_and_conflicts),
	    WITH_STATE(test_state_doc_put__traits_are_those_of_the_last_revision),
	    WITH_STATE(test_state_doc_put__ends_reject_missing_and_spool_copy),
	    WITH_STATE(test_state_doc_put__skipped_id_of_an_earlier_run_ends),
	    WITH_STATE(test_state_doc_put__id_skipped_earlier_in_the_batch),
	    WITH_STATE(test_state_doc_forget__leaves_nothing),
	    WITH_STATE(test_state_missing__put_and_del),
	    WITH_STATE(test_state_reject__whole_document_comes_back),
	    WITH_STATE(test_state_reject__document_that_was_stored_before_counts_once),
	    WITH_STATE(test_state_skipped__again_is_no_news),
	    WITH_STATE(test_state_skipped__remembers_the_domain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
