/* Random operations on a table of every kind, each followed in a model that is a plain list of rows. */
#include "config.h"

#include "base/datetime.h"
#include "base/number.h"
#include "base/utf8.h"
#include "tests/unit/random_json.h"
#include "tests/unit/sql_place.h"

#define MAX_BATCH 12
#define STEPS 120

struct world {
	struct place *place;
	struct sql_target *t;
	const struct sql_table *table;
	struct dice dice;
	struct arena memory; /* the model's rows */
	struct sql_rows rows;
};

/* ---- random cells ---- */

/* Names whose order differs between bytes and any locale, and texts that a careless writer would take for something
 * else. */
static const char *const names[] = {
    "a",
    "A",
    "B",
    "_",
    "aa",
    "a b",
    "",
    "\\N",
    "\\.",
    "\t",
    "a\n",
    "\r\n",
    "'; DROP --",
    "\"quoted\"",
    "\xef\xbf\xbf",
    "\xf0\x9f\x98\x80",
    "\xc3\xa9",
    "{1,2}",
    "NULL",
    "%s",
};

static struct slice random_name(struct world *w)
{
	return slice_of(names[dice_below(&w->dice, sizeof(names) / sizeof(names[0]))]);
}

static struct slice random_bytes(struct dice *d, struct arena *a)
{
	size_t len = dice_below(d, 40);
	char *bytes = arena_alloc(a, len + 1);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)dice_below(d, 256);
	return (struct slice){bytes, len};
}

static struct slice random_time(struct dice *d, struct arena *a)
{
	char text[DATETIME_TEXT_SIZE];
	int64_t low, high;

	assert_true(datetime_parse(SLICE("0001-01-01T00:00:00Z"), &low));
	assert_true(datetime_parse(SLICE("9999-12-31T23:59:59.999999Z"), &high));
	assert_true(datetime_format(low + (int64_t)(dice_next(d) % (uint64_t)(high - low + 1)), text));
	return arena_slice(a, slice_of(text));
}

static struct slice random_cell(struct world *w, int column)
{
	const struct sql_column *c = &w->table->columns[column];
	struct dice *d = &w->dice;
	struct arena *a = &w->memory;
	struct json v;

	if (column < w->table->nkey && c->type == SQL_INT)
		return arena_printf(a, "%u", dice_below(d, 12));
	if (column < w->table->nkey)
		return column == 0 ? slice_of(dice_below(d, 4) ? "d" : "") : random_name(w);
	if (!(c->flags & SQL_NOT_NULL) && dice_below(d, 4) == 0)
		return SLICE_NONE;
	switch (c->type) {
	case SQL_JSON:
		v = random_json(d, a, 3);
		v = json_tame(a, &v);
		return json_to_text(&v, JSON_PLAIN, a);
	case SQL_BOOL:
		return dice_below(d, 2) ? SLICE("t") : SLICE("f");
	case SQL_INT:
		return arena_printf(a, "%lld", (long long)dice_next(d) >> dice_below(d, 64));
	case SQL_TIME:
		return random_time(d, a);
	case SQL_BYTES:
		return random_bytes(d, a);
	case SQL_TEXT:
		break;
	}
	return dice_below(d, 2) ? random_name(w) : utf8_tame(random_text(d, a), a);
}

static struct sql_row random_row(struct world *w)
{
	struct sql_row row = row_of_nulls(w->table, &w->memory);

	for (int c = 0; c < w->table->ncolumns; c++)
		row.cells[c] = random_cell(w, c);
	return row;
}

/* ---- the model ---- */

static int same_json(struct slice x, struct slice y)
{
	struct arena a = ARENA_INIT;
	struct json v, u;
	int same;

	MUST(json_read(x, &a, 0, &v, NULL, err));
	MUST(json_read(y, &a, 0, &u, NULL, err));
	same = json_eq(&v, &u);
	arena_release(&a);
	return same;
}

static int same_cell(const struct sql_column *c, struct slice x, struct slice y, int exact)
{
	if (!x.ptr || !y.ptr)
		return !x.ptr && !y.ptr;
	return c->type == SQL_JSON && !exact ? same_json(x, y) : slice_eq(x, y);
}

static int same_cells(const struct world *w, const struct sql_row *x, const struct sql_row *y, int from, int to,
		      int exact)
{
	for (int c = from; c < to; c++)
		if (!same_cell(&w->table->columns[c], x->cells[c], y->cells[c], exact))
			return 0;
	return 1;
}

static struct sql_row *find(struct world *w, const struct sql_row *row)
{
	for (size_t i = 0; i < w->rows.n; i++)
		if (same_cells(w, &w->rows.v[i], row, 0, w->table->nkey, 1))
			return &w->rows.v[i];
	return NULL;
}

static int compare(const struct sql_table *table, int column, struct slice x, struct slice y)
{
	long long a, b;

	if (table->columns[column].type != SQL_INT)
		return slice_cmp(x, y);
	assert_true(number_to_i64(x, &a));
	assert_true(number_to_i64(y, &b));
	return (a > b) - (a < b);
}

/* Key order, or first by one column and then by the key. */
static int in_order(const struct world *w, int first, const struct sql_row *x, const struct sql_row *y)
{
	int order = first >= 0 ? compare(w->table, first, x->cells[first], y->cells[first]) : 0;

	for (int c = 0; c < w->table->nkey && order == 0; c++)
		order = compare(w->table, c, x->cells[c], y->cells[c]);
	return order < 0;
}

static void assert_row(const struct world *w, const struct sql_row *got, const struct sql_row *want)
{
	for (int c = 0; c < w->table->ncolumns; c++)
		if (!same_cell(&w->table->columns[c], got->cells[c], want->cells[c], 0))
			fail_msg("%s.%s: got '%.*s', want '%.*s'", w->table->name, w->table->columns[c].name,
				 SLICE_ARG(got->cells[c]), SLICE_ARG(want->cells[c]));
}

/* The rows are all in the model, in order; n is how many the model says. */
static void assert_rows(struct world *w, const struct sql_rows *got, size_t n, int first)
{
	assert_int_equal(got->n, n);
	for (size_t i = 0; i < n; i++) {
		struct sql_row *want = find(w, &got->v[i]);
		assert_non_null(want);
		assert_row(w, &got->v[i], want);
		assert_true(i == 0 || in_order(w, first, &got->v[i - 1], &got->v[i]));
	}
}

/* ---- operations ---- */

static size_t random_batch(struct world *w, struct sql_row *out)
{
	size_t n = 0;

	for (uint32_t tries = 1 + dice_below(&w->dice, MAX_BATCH); tries > 0; tries--) {
		size_t i = 0;
		if (w->rows.n > 0 && dice_below(&w->dice, 3) == 0)
			out[n] = w->rows.v[dice_below(&w->dice, (uint32_t)w->rows.n)];
		else
			out[n] = random_row(w);
		while (i < n && !same_cells(w, &out[i], &out[n], 0, w->table->nkey, 1))
			i++;
		n += i == n;
	}
	return n;
}

static void model_put(struct world *w, const struct sql_row *row, enum sql_outcome outcome)
{
	struct sql_row *held = find(w, row);

	if (!held) {
		assert_int_equal(outcome, SQL_INSERTED);
		ARENA_PUSH(&w->memory, &w->rows, *row);
		return;
	}
	assert_int_equal(outcome,
			 same_cells(w, held, row, 0, w->table->ncolumns, !w->place->is_pg) ? SQL_SAME : SQL_UPDATED);
	*held = *row;
}

static void do_put(struct world *w)
{
	struct sql_row batch[MAX_BATCH], *back;
	enum sql_outcome outcomes[MAX_BATCH];
	size_t n = random_batch(w, batch);

	MUST(sql_put(w->t, w->table, batch, n, outcomes, &w->memory, &back, err));
	for (size_t i = 0; i < n; i++) {
		assert_row(w, &back[i], &batch[i]);
		model_put(w, &batch[i], outcomes[i]);
	}
	MUST(sql_put(w->t, w->table, batch, n, outcomes, &w->memory, &back, err));
	for (size_t i = 0; i < n; i++)
		assert_int_equal(outcomes[i], SQL_SAME);
}

struct question {
	int cols[4], ncols;
	struct sql_row tuples[6];
	size_t n;
};

/* A prefix of the key, or domain and some other text column; some tuples come twice. */
static void random_question(struct world *w, struct question *q)
{
	q->ncols = 1 + (int)dice_below(&w->dice, (uint32_t)w->table->nkey);
	for (int c = 0; c < q->ncols; c++)
		q->cols[c] = c;
	if (dice_below(&w->dice, 3) == 0) {
		q->ncols = 2;
		q->cols[1] = w->table->nkey - 1;
	}
	q->n = 1 + dice_below(&w->dice, 6);
	for (size_t i = 0; i < q->n; i++) {
		struct sql_row row = w->rows.n && dice_below(&w->dice, 2)
					 ? w->rows.v[dice_below(&w->dice, (uint32_t)w->rows.n)]
					 : random_row(w);
		q->tuples[i].cells = ARENA_ARRAY(&w->memory, (size_t)q->ncols, struct slice);
		for (int c = 0; c < q->ncols; c++)
			q->tuples[i].cells[c] = row.cells[q->cols[c]];
	}
}

static int matches(const struct question *q, const struct sql_row *row)
{
	for (size_t i = 0; i < q->n; i++) {
		int c = 0;
		while (c < q->ncols && slice_eq(q->tuples[i].cells[c], row->cells[q->cols[c]]))
			c++;
		if (c == q->ncols)
			return 1;
	}
	return 0;
}

static void do_select(struct world *w)
{
	struct question q;
	struct sql_rows got;
	size_t n = 0;

	random_question(w, &q);
	for (size_t i = 0; i < w->rows.n; i++)
		n += (size_t)matches(&q, &w->rows.v[i]);
	MUST(sql_select(w->t, w->table, q.cols, q.ncols, q.tuples, q.n, &w->memory, &got, err));
	assert_rows(w, &got, n, -1);
	for (size_t i = 0; i < n; i++)
		assert_true(matches(&q, &got.v[i]));
}

static void do_delete(struct world *w)
{
	struct question q;
	struct sql_rows old = {0};
	size_t kept = 0;

	random_question(w, &q);
	q.n = 1;
	MUST(sql_delete(w->t, w->table, q.cols, q.ncols, q.tuples, q.n, &w->memory,
			dice_below(&w->dice, 2) ? &old : NULL, err));
	for (size_t i = 0; i < old.n; i++)
		assert_non_null(find(w, &old.v[i]));
	for (size_t i = 0; i < w->rows.n; i++)
		if (!matches(&q, &w->rows.v[i]))
			w->rows.v[kept++] = w->rows.v[i];
	assert_true(old.n == 0 || old.n == w->rows.n - kept);
	w->rows.n = kept;
}

static int in_range(const struct sql_row *row, int by, struct slice low, struct slice high)
{
	return slice_is(row->cells[0], "d") && (!low.ptr || slice_cmp(row->cells[by], low) > 0) &&
	       (!high.ptr || slice_cmp(row->cells[by], high) <= 0);
}

static void do_page(struct world *w)
{
	struct slice after = dice_below(&w->dice, 4) ? random_name(w) : SLICE_NONE;
	int limit = 1 + (int)dice_below(&w->dice, 10);
	struct sql_rows got;
	size_t n = 0;

	for (size_t i = 0; i < w->rows.n; i++)
		n += (size_t)in_range(&w->rows.v[i], 1, after, SLICE_NONE);
	MUST(sql_page(w->t, w->table, SLICE("d"), 1, after, limit, 0, &w->memory, &got, err));
	assert_rows(w, &got, n < (size_t)limit ? n : (size_t)limit, 1);
	for (size_t i = 0; i < got.n; i++)
		assert_true(in_range(&got.v[i], 1, after, SLICE_NONE));
}

static void do_distinct(struct world *w)
{
	struct slice after = SLICE_NONE;
	struct sql_rows got;
	size_t seen = 0;

	do {
		MUST(sql_page(w->t, w->table, SLICE("d"), 1, after, 3, 1, &w->memory, &got, err));
		for (size_t i = 0; i < got.n; i++) {
			assert_true(!after.ptr || slice_cmp(after, got.v[i].cells[1]) < 0);
			after = got.v[i].cells[1];
			for (size_t r = 0; r < w->rows.n; r++)
				seen += slice_is(w->rows.v[r].cells[0], "d") && slice_eq(w->rows.v[r].cells[1], after);
		}
	} while (got.n > 0);
	for (size_t r = 0; r < w->rows.n; r++)
		seen -= (size_t)in_range(&w->rows.v[r], 1, SLICE_NONE, SLICE_NONE);
	assert_int_equal(seen, 0);
}

static void do_delete_range(struct world *w)
{
	struct slice low = dice_below(&w->dice, 3) ? random_name(w) : SLICE_NONE;
	struct slice high = dice_below(&w->dice, 3) ? random_name(w) : SLICE_NONE;
	size_t kept = 0;

	MUST(sql_delete_range(w->t, w->table, SLICE("d"), 1, low, high, err));
	for (size_t i = 0; i < w->rows.n; i++)
		if (!in_range(&w->rows.v[i], 1, low, high))
			w->rows.v[kept++] = w->rows.v[i];
	w->rows.n = kept;
}

struct count_check {
	struct world *w;
	struct slice last;
	int64_t total;
};

static void check_count(void *ctx, struct slice value, int64_t n)
{
	struct count_check *c = ctx;
	int64_t want = 0;

	assert_true(!c->last.ptr || slice_cmp(c->last, value) < 0);
	c->last = arena_slice(&c->w->memory, value);
	c->total += n;
	for (size_t i = 0; i < c->w->rows.n; i++)
		want += slice_is(c->w->rows.v[i].cells[0], "d") && slice_eq(c->w->rows.v[i].cells[1], value);
	assert_int_equal(n, want);
}

static void do_count(struct world *w)
{
	struct count_check c = {w, SLICE_NONE, 0};
	int64_t want = 0;

	MUST(sql_count_by(w->t, w->table, SLICE("d"), 1, check_count, &c, err));
	for (size_t i = 0; i < w->rows.n; i++)
		want += slice_is(w->rows.v[i].cells[0], "d");
	assert_int_equal(c.total, want);
}

/* ---- runs ---- */

static void transaction(struct world *w)
{
	struct sql_rows before = {0};
	int undo = dice_below(&w->dice, 4) == 0;

	for (size_t i = 0; i < w->rows.n; i++)
		ARENA_PUSH(&w->memory, &before, w->rows.v[i]);
	MUST(sql_begin(w->t, err));
	for (uint32_t n = 1 + dice_below(&w->dice, 4); n > 0; n--) {
		static void (*const writes[])(struct world *) = {do_put, do_put, do_put, do_delete, do_delete_range};
		writes[dice_below(&w->dice, dice_below(&w->dice, 3) ? 3 : 5)](w);
		do_select(w);
	}
	if (undo) {
		sql_rollback(w->t);
		w->rows = before;
	} else {
		MUST(sql_commit(w->t, err));
	}
}

static void play(struct place *p, const struct sql_table *table)
{
	struct world w = {.place = p, .t = place_open(p, SQL_CREATE), .table = table, .dice = dice_new()};

	for (int i = 0; i < STEPS; i++) {
		static void (*const reads[])(struct world *) = {do_select, do_page, do_distinct, do_count};
		transaction(&w);
		reads[dice_below(&w.dice, 4)](&w);
	}
	sql_close(w.t);
	arena_release(&w.memory);
}

static void test_sql_model__forms(void **state)
{
	play(*state, &sql_forms);
}

static void test_sql_model__case_transactions(void **state)
{
	play(*state, &sql_case_transactions);
}

static void test_sql_model__attachments(void **state)
{
	play(*state, &sql_attachments);
}

static void test_sql_model__cases(void **state)
{
	play(*state, &sql_cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PLACE_TEST(test_sql_model__forms),
	    PLACE_TEST(test_sql_model__case_transactions),
	    PLACE_TEST(test_sql_model__attachments),
	    PLACE_TEST(test_sql_model__cases),
	};

	return run_at_each_place("sql_model", tests, sizeof(tests) / sizeof(tests[0]));
}
