#include "config.h"

#include "base/buf.h"
#include "tests/unit/state_place.h"

/* "id id ..." over pages of two. */
static void assert_ids(struct place *p, enum state_ids which, const char *expected)
{
	struct buf text = BUF_INIT(10000);
	struct slice after = SLICE_NONE;
	struct state_id_list ids;
	do {
		MUST(state_ids(p->s, which, after, 2, &p->a, &ids, &must));
		for (size_t i = 0; i < ids.n; i++) {
			after = ids.v[i];
			buf_fmt(&text, "%s%.*s", text.len ? " " : "", SLICE_ARG(after));
		}
	} while (ids.n);
	assert_string_equal(buf_slice(&text).ptr, expected);
	buf_release(&text);
}

static void test_state_ids__each_list_in_byte_order(void **state)
{
	struct place *p = *state;
	put_doc(p, "form", "b", NULL, NULL, NULL);
	put_doc(p, "form", "\xc3\xa9", NULL, NULL, NULL);
	put_doc(p, "form", "Z", NULL, NULL, NULL);
	put_case(p, "c", "1-a", "{}");
	put_case(p, "gone", "2-a", NULL);
	put_reject(p, "form", "r", "too odd");
	MUST(state_missing_put(p->s, SLICE("form"), SLICE("m"), &must));
	MUST(state_missing_put(p->s, SLICE("form"), SLICE("M"), &must));
	MUST(state_skipped_put(p->s, SLICE("x"), SLICE("other"), &must));
	MUST(state_skipped_put(p->s, SLICE("X"), SLICE(""), &must));
	assert_ids(p, STATE_IDS_SOURCE, "M Z b c m \xc3\xa9");
	assert_ids(p, STATE_IDS_MISSING, "M m");
	assert_ids(p, STATE_IDS_REJECTS, "r");
	assert_ids(p, STATE_IDS_PENDING, "c gone");
	assert_ids(p, STATE_IDS_SKIPPED, "X x");
}

static void assert_kind(struct place *p, const char *id, const char *expected)
{
	struct slice kind;
	MUST(state_kind_get(p->s, slice_of(id), &p->a, &kind, &must));
	if (expected)
		assert_slice(kind, expected);
	else
		assert_null(kind.ptr);
}

static void test_state_kind__of_documents_that_the_source_has(void **state)
{
	struct place *p = *state;
	put_doc(p, "form", "f", NULL, NULL, NULL);
	put_case(p, "c", "1-a", "{}");
	put_case(p, "gone", "2-a", NULL);
	put_reject(p, "form", "r", "too odd");
	compared(p, "sql-only", NULL, "[1]", NULL, STATE_NOT_MISSING);
	assert_kind(p, "f", "form");
	assert_kind(p, "c", "CommCareCase");
	assert_kind(p, "gone", NULL);
	assert_kind(p, "r", NULL);
	assert_kind(p, "sql-only", NULL);
	assert_kind(p, "never", NULL);
}

static void test_id_sorter__byte_order_each_once(void **state)
{
	struct id_sorter *s;
	struct arena a = ARENA_INIT;
	struct state_id_list page;
	static const char *const ids[] = {"b", "a", "\xff", "a", "aa", "B", "b"};
	(void)state;
	MUST(id_sorter_open(&s, &must));
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		MUST(id_sorter_add(s, slice_of(ids[i]), &must));
	MUST(id_sorter_page(s, SLICE_NONE, 3, &a, &page, &must));
	assert_int_equal(page.n, 3);
	assert_slice(page.v[0], "B");
	assert_slice(page.v[1], "a");
	assert_slice(page.v[2], "aa");
	MUST(id_sorter_page(s, page.v[2], 3, &a, &page, &must));
	assert_int_equal(page.n, 2);
	assert_slice(page.v[0], "b");
	assert_slice(page.v[1], "\xff");
	MUST(id_sorter_page(s, page.v[1], 3, &a, &page, &must));
	assert_int_equal(page.n, 0);
	id_sorter_close(s);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH_STATE(test_state_ids__each_list_in_byte_order),
	    WITH_STATE(test_state_kind__of_documents_that_the_source_has),
	    cmocka_unit_test(test_id_sorter__byte_order_each_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
