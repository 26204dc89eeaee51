#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "explain/explain.h"
#include "tests/unit/random_json.h"

#define NO REPLAY_AT_UNREADABLE
#define MINUTE INT64_C(60000000)
#define MAX 9

static void check(const int64_t *before, const int64_t *wanted, size_t n)
{
	struct arena a = ARENA_INIT;
	int64_t at[MAX];

	memcpy(at, before, n * sizeof(*at));
	assert_true(explain_repair_dates(at, n, &a));
	assert_memory_equal(at, wanted, n * sizeof(*at));
	arena_release(&a);
}

#define CHECK(before, wanted) check(before, wanted, sizeof(before) / sizeof(*(before)))

static void test_repair_dates__ascending_ones_stay(void **state)
{
	static const int64_t one[] = {-7}, some[] = {-5, 0, 1, 2, 900};

	(void)state;
	CHECK(one, one);
	CHECK(some, some);
}

static void test_repair_dates__what_is_out_of_line_is_spaced_evenly(void **state)
{
	static const int64_t late[] = {100, 900, 200}, late_wanted[] = {100, 150, 200};
	static const int64_t two[] = {100, 90, 80, 400, 500},
			     two_wanted[] = {80 - 2 * MINUTE, 80 - MINUTE, 80, 400, 500};
	static const int64_t thirds[] = {0, 500, 400, 100, 200, 300}, thirds_wanted[] = {0, 33, 66, 100, 200, 300};

	(void)state;
	CHECK(late, late_wanted);
	CHECK(two, two_wanted);
	CHECK(thirds, thirds_wanted);
}

static void test_repair_dates__a_minute_each_beyond_the_kept_ones(void **state)
{
	static const int64_t after[] = {100, 200, 300, 50, 40};
	static const int64_t after_wanted[] = {100, 200, 300, 300 + MINUTE, 300 + 2 * MINUTE};
	static const int64_t before[] = {900, 800, 100, 200, 300};
	static const int64_t before_wanted[] = {100 - 2 * MINUTE, 100 - MINUTE, 100, 200, 300};

	(void)state;
	CHECK(after, after_wanted);
	CHECK(before, before_wanted);
}

static void test_repair_dates__no_date_gets_one(void **state)
{
	static const int64_t between[] = {NO, 100, NO, 300, NO};
	static const int64_t between_wanted[] = {100 - MINUTE, 100, 200, 300, 300 + MINUTE};

	(void)state;
	CHECK(between, between_wanted);
}

static void test_repair_dates__equal_dates_are_told_apart(void **state)
{
	static const int64_t equal[] = {100, 100, 100}, wanted[] = {100, 100 + MINUTE, 100 + 2 * MINUTE};

	(void)state;
	/* the first is as good as the others; which one stays is always the same */
	struct arena a = ARENA_INIT;
	int64_t at[3];

	memcpy(at, equal, sizeof(at));
	assert_true(explain_repair_dates(at, 3, &a));
	assert_true(at[0] < at[1] && at[1] < at[2]);
	assert_true(at[0] == 100 || at[1] == 100 || at[2] == 100);
	assert_int_equal(at[2] - at[0], wanted[2] - wanted[0]);
	arena_release(&a);
}

static void test_repair_dates__kept_dates_leave_room(void **state)
{
	static const int64_t tight[] = {100, 900, 101}, wanted[] = {100, 900, 900 + MINUTE};

	(void)state;
	CHECK(tight, wanted);
}

static void test_repair_dates__nothing_to_go_by(void **state)
{
	struct arena a = ARENA_INIT;
	int64_t none[] = {NO, NO};

	(void)state;
	assert_false(explain_repair_dates(none, 2, &a));
	assert_true(none[0] == NO && none[1] == NO);
	assert_false(explain_repair_dates(none, 0, &a));
	arena_release(&a);
}

/* How many dates could stay at best, by trying all subsets. */
static size_t most_that_can_stay(const int64_t *at, size_t n)
{
	size_t best = 0;

	for (unsigned set = 0; set < 1u << n; set++) {
		size_t size = 0, last = n;
		int good = 1;

		for (size_t i = 0; good && i < n; i++) {
			if (!(set & 1u << i))
				continue;
			good = at[i] != NO && (last == n || at[i] - at[last] >= (int64_t)(i - last));
			last = i;
			size++;
		}
		if (good && size > best)
			best = size;
	}
	return best;
}

static void test_repair_dates__random_ones_ascend_and_as_many_as_can_stay(void **state)
{
	struct dice r = dice_new();
	struct arena a = ARENA_INIT;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		int64_t before[MAX], at[MAX];
		size_t n = 1 + dice_below(&r, MAX), stayed = 0;
		unsigned span = 1 + dice_below(&r, 30);

		for (size_t i = 0; i < n; i++)
			before[i] = dice_below(&r, 10) ? (int64_t)dice_below(&r, span) : NO;
		memcpy(at, before, sizeof(at));
		arena_reset(&a);
		if (!explain_repair_dates(at, n, &a)) {
			assert_int_equal(most_that_can_stay(before, n), 0);
			continue;
		}
		for (size_t i = 0; i < n; i++) {
			assert_true(i == 0 || at[i - 1] < at[i]);
			stayed += at[i] == before[i];
		}
		assert_true(stayed >= most_that_can_stay(before, n));
	}
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_repair_dates__ascending_ones_stay),
	    cmocka_unit_test(test_repair_dates__what_is_out_of_line_is_spaced_evenly),
	    cmocka_unit_test(test_repair_dates__a_minute_each_beyond_the_kept_ones),
	    cmocka_unit_test(test_repair_dates__no_date_gets_one),
	    cmocka_unit_test(test_repair_dates__equal_dates_are_told_apart),
	    cmocka_unit_test(test_repair_dates__kept_dates_leave_room),
	    cmocka_unit_test(test_repair_dates__nothing_to_go_by),
	    cmocka_unit_test(test_repair_dates__random_ones_ascend_and_as_many_as_can_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
