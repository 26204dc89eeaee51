/* What both kinds of target promise of reading: pages of rows, keys and values, counts, and rows by their columns. */
#include "config.h"

#include "base/buf.h"
#include "tests/unit/sql_place.h"

static const char *const ids[] = {"b", "\xf0\x9f\x98\x80", "a", "\xef\xbf\xbf", "B", "_", "", "aa", NULL};
static const char *const order[] = {"", "B", "_", "a", "aa", "b", "\xef\xbf\xbf", "\xf0\x9f\x98\x80"};

static void test_sql_page__order_is_of_bytes(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_rows rows;
	struct slice after = SLICE_NONE;
	size_t seen = 0;

	MUST(sql_begin(t, err));
	add_documents(p, t, ids);
	MUST(sql_commit(t, err));
	do {
		MUST(sql_page(t, &sql_documents, SLICE("d"), DOC_ID, after, 3, 0, &p->memory, &rows, err));
		for (size_t i = 0; i < rows.n; i++, seen++) {
			after = rows.v[i].cells[DOC_ID];
			assert_true(slice_is(after, order[seen]));
		}
	} while (rows.n == 3);
	assert_int_equal(seen, 8);
	MUST(sql_page(t, &sql_documents, SLICE("D"), DOC_ID, SLICE_NONE, 3, 0, &p->memory, &rows, err));
	assert_int_equal(rows.n, 0);
	sql_close(t);
}

static struct sql_row dirty(const char *id, struct arena *a)
{
	struct sql_row row = row_of_nulls(&sql_dirty_case, a);

	row.cells[DIRTY_DOMAIN] = SLICE("d");
	row.cells[DIRTY_CASE_ID] = slice_of(id);
	return row;
}

static void test_sql_page__distinct_ids_of_a_table_without_key(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row rows[] = {dirty("b", &p->memory), dirty("a", &p->memory), dirty("b", &p->memory),
				 dirty("c", &p->memory), dirty("a", &p->memory)};
	struct sql_rows got;

	MUST(sql_begin(t, err));
	MUST(sql_insert(t, &sql_dirty_case, rows, 5, err));
	MUST(sql_page(t, &sql_dirty_case, SLICE("d"), DIRTY_CASE_ID, SLICE_NONE, 2, 1, &p->memory, &got, err));
	assert_int_equal(got.n, 2);
	assert_true(slice_is(got.v[0].cells[DIRTY_CASE_ID], "a"));
	assert_true(slice_is(got.v[1].cells[DIRTY_CASE_ID], "b"));
	MUST(sql_page(t, &sql_dirty_case, SLICE("d"), DIRTY_CASE_ID, SLICE("a"), 10, 0, &p->memory, &got, err));
	assert_int_equal(got.n, 3);
	MUST(sql_delete_range(t, &sql_dirty_case, SLICE("d"), DIRTY_CASE_ID, SLICE("a"), SLICE("b"), err));
	MUST(sql_page(t, &sql_dirty_case, SLICE("d"), DIRTY_CASE_ID, SLICE_NONE, 10, 0, &p->memory, &got, err));
	assert_int_equal(got.n, 3);
	assert_true(slice_is(got.v[2].cells[DIRTY_CASE_ID], "c"));
	sql_close(t);
}

static void test_sql_page_keys__ids_of_the_domain_in_order_of_bytes(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row other = document_row("c", "{}", &p->memory);
	struct slice after = SLICE_NONE;
	struct sql_keys keys;
	size_t seen = 0;

	other.cells[DOC_DOMAIN] = SLICE("e");
	MUST(sql_begin(t, err));
	add_documents(p, t, ids);
	put_documents(t, &other, 1, SQL_INSERTED, &p->memory);
	MUST(sql_commit(t, err));
	do {
		MUST(sql_page_keys(t, &sql_documents, SLICE("d"), after, 3, &p->memory, &keys, err));
		for (size_t i = 0; i < keys.n; i++, seen++) {
			after = keys.v[i];
			assert_true(slice_is(after, order[seen]));
		}
	} while (keys.n == 3);
	assert_int_equal(seen, 8);
	MUST(sql_page_keys(t, &sql_documents, SLICE("d"), SLICE_NONE, 0, &p->memory, &keys, err));
	assert_int_equal(keys.n, 0);
	MUST(sql_page_keys(t, &sql_forms, SLICE("d"), SLICE_NONE, 5, &p->memory, &keys, err));
	assert_int_equal(keys.n, 0);
	REFUSED(sql_page_keys(t, &sql_dirty_case, SLICE("d"), SLICE_NONE, 5, &p->memory, &keys, err), "is not one id");
	sql_close(t);
}

static struct sql_row operation(const char *form_id, const char *position, const char *what, struct arena *a)
{
	struct sql_row row = row_of_nulls(&sql_form_operations, a);

	row.cells[OP_DOMAIN] = SLICE("d");
	row.cells[OP_FORM_ID] = slice_of(form_id);
	row.cells[OP_POSITION] = slice_of(position);
	row.cells[OP_OPERATION] = slice_of(what);
	return row;
}

static void test_sql_page_values__each_once_of_rows_that_hold_the_value(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row rows[] = {operation("c", "0", "edit", &p->memory),  operation("a", "0", "patch", &p->memory),
				 operation("a", "1", "patch", &p->memory), operation("B", "0", "patch", &p->memory),
				 operation("b", "0", "patch", &p->memory), operation("f", "0", "patch", &p->memory)};
	struct sql_keys keys;

	rows[5].cells[OP_DOMAIN] = SLICE("e");
	MUST(sql_begin(t, err));
	MUST(sql_insert(t, &sql_form_operations, rows, 6, err));
	MUST(sql_commit(t, err));
	MUST(sql_page_values(t, &sql_form_operations, SLICE("d"), OP_FORM_ID, OP_OPERATION, SLICE("patch"), SLICE_NONE,
			     2, &p->memory, &keys, err));
	assert_int_equal(keys.n, 2);
	assert_true(slice_is(keys.v[0], "B"));
	assert_true(slice_is(keys.v[1], "a"));
	MUST(sql_page_values(t, &sql_form_operations, SLICE("d"), OP_FORM_ID, OP_OPERATION, SLICE("patch"), keys.v[1],
			     2, &p->memory, &keys, err));
	assert_int_equal(keys.n, 1);
	assert_true(slice_is(keys.v[0], "b"));
	REFUSED(sql_page_values(t, &sql_form_operations, SLICE("d"), OP_POSITION, OP_OPERATION, SLICE("patch"),
				SLICE_NONE, 2, &p->memory, &keys, err),
		"are not text");
	sql_close(t);
}

static void write_count(void *ctx, struct slice value, int64_t n)
{
	buf_fmt(ctx, "%s%.*s=%lld;", value.ptr ? "" : "(null)", SLICE_ARG(value), (long long)n);
}

static void test_sql_count_by__null_comes_first(void **state)
{
	static const char *const types[] = {"b", "a", NULL, "b", "", "\xc3\xa9", "B"};
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct buf b = BUF_INIT(1000);

	MUST(sql_begin(t, err));
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct sql_row row = document_row(arena_printf(&p->memory, "%zu", i).ptr, "{}", &p->memory);
		row.cells[DOC_TYPE] = slice_of(types[i]);
		put_documents(t, &row, 1, SQL_INSERTED, &p->memory);
	}
	MUST(sql_commit(t, err));
	MUST(sql_count_by(t, &sql_documents, SLICE("d"), DOC_TYPE, write_count, &b, err));
	buf_ch(&b, '|');
	MUST(sql_count_by(t, &sql_documents, SLICE("d"), DOC_DELETED, write_count, &b, err));
	assert_string_equal(b.ptr, "(null)=1;=1;B=1;a=1;b=2;\xc3\xa9=1;|f=7;");
	buf_release(&b);
	sql_close(t);
}

static void test_sql_select__null_equals_nothing(void **state)
{
	static const int by_type[] = {DOC_DOMAIN, DOC_TYPE};
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row row = document_row("x", "{}", &p->memory);
	struct slice cells[] = {SLICE("d"), SLICE_NONE};
	struct sql_row tuple = {cells};
	struct sql_rows rows;

	MUST(sql_begin(t, err));
	put_documents(t, &row, 1, SQL_INSERTED, &p->memory);
	MUST(sql_select(t, &sql_documents, by_type, 2, &tuple, 1, &p->memory, &rows, err));
	assert_int_equal(rows.n, 0);
	MUST(sql_delete(t, &sql_documents, by_type, 2, &tuple, 1, &p->memory, &rows, err));
	assert_int_equal(rows.n, 0);
	MUST(sql_select(t, &sql_documents, by_type, 1, &tuple, 1, &p->memory, &rows, err));
	assert_int_equal(rows.n, 1);
	MUST(sql_select(t, &sql_documents, by_type, 1, NULL, 0, &p->memory, &rows, err));
	assert_int_equal(rows.n, 0);
	sql_close(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PLACE_TEST(test_sql_page__order_is_of_bytes),
	    PLACE_TEST(test_sql_page__distinct_ids_of_a_table_without_key),
	    PLACE_TEST(test_sql_page_keys__ids_of_the_domain_in_order_of_bytes),
	    PLACE_TEST(test_sql_page_values__each_once_of_rows_that_hold_the_value),
	    PLACE_TEST(test_sql_count_by__null_comes_first),
	    PLACE_TEST(test_sql_select__null_equals_nothing),
	};

	return run_at_each_place("sql_read", tests, sizeof(tests) / sizeof(tests[0]));
}
