#include "config.h"

#include "state_place.h"

/* ---- documents ---- */

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

/* ---- cases ---- */

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

/* ---- marks ---- */

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

/* ---- reading back ---- */

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
	    WITH_STATE(test_state_doc_get__tells_what_was_put),
	    WITH_STATE(test_state_doc_put__twice_is_once),
	    WITH_STATE(test_state_doc_put__replaces_what_was_known),
	    WITH_STATE(test_state_doc_put__sums_attachments_and_conflicts),
	    WITH_STATE(test_state_doc_put__ends_reject_missing_and_spool_copy),
	    WITH_STATE(test_state_doc_put__skipped_id_of_an_earlier_run_ends),
	    WITH_STATE(test_state_doc_put__id_skipped_earlier_in_the_batch),
	    WITH_STATE(test_state_doc_forget__leaves_nothing),
	    WITH_STATE(test_state_case_put__same_revision_is_pending_until_compared),
	    WITH_STATE(test_state_case_put__same_revision_may_have_other_conflicts),
	    WITH_STATE(test_state_case_put__diffs_stay_until_compared),
	    WITH_STATE(test_state_case_put__plain_document_becomes_a_case),
	    WITH_STATE(test_state_case_put__tombstone_is_no_document),
	    WITH_STATE(test_state_case_get__everything_comes_back),
	    WITH_STATE(test_state_case_touch__what_exists_is_pending_again),
	    WITH_STATE(test_state_case_compared__stays_pending_until_the_target_has_it),
	    WITH_STATE(test_state_case_compared__sql_only_case_is_no_document),
	    WITH_STATE(test_state_case_compared__a_reject_is_not_missing),
	    WITH_STATE(test_state_case_page__all_cases_in_byte_order),
	    WITH_STATE(test_state_missing__put_and_del),
	    WITH_STATE(test_state_reject__whole_document_comes_back),
	    WITH_STATE(test_state_reject__document_that_was_stored_before_counts_once),
	    WITH_STATE(test_state_skipped__again_is_no_news),
	    WITH_STATE(test_state_skipped__remembers_the_domain),
	    WITH_STATE(test_state_read__leaves_no_transaction_open),
	    WITH_STATE(test_state_list__kind_then_id_in_byte_order),
	    WITH_STATE(test_state_get__one_document),
	    WITH_STATE(test_state_kinds__many_kinds_signatures_and_pages),
	    WITH_STATE(test_state_ignored__unreadable_tally_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
