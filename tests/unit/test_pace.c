/* The token bucket of --max-rate, by a clock of its own. */
#include "migrate/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SECOND 1000000

/* Takes `size` at a time for so many seconds, waiting as told; how many came in each second. */
static void run_for(double rate, size_t size, int seconds, size_t *came)
{
	int64_t now = 77, begin = now;
	struct pace p = pace_begin(rate, now);

	for (int i = 0; i < seconds; i++)
		came[i] = 0;
	for (;;) {
		now += pace_take(&p, size, now);
		if (now - begin >= (int64_t)seconds * SECOND)
			return;
		came[(now - begin) / SECOND] += size;
	}
}

static void test_pace_take__no_rate_no_wait(void **state)
{
	struct pace p = pace_begin(0, 5);

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(pace_take(&p, 1000000, 5), 0);
}

static void test_pace_take__every_second_gives_the_rate(void **state)
{
	size_t came[20];

	(void)state;
	run_for(500, 50, 20, came);
	assert_in_range(came[0], 500, 550); /* what was saved at first */
	for (int i = 1; i < 20; i++)
		assert_in_range(came[i], 450, 550);
}

static void test_pace_take__larger_than_a_slice_is_paid_back(void **state)
{
	struct pace p = pace_begin(100, 0);

	(void)state;
	assert_int_equal(pace_take(&p, 10, 0), 0);
	assert_in_range(pace_take(&p, 1000, 0), 10 * SECOND, 10 * SECOND + 1);
	assert_in_range(pace_take(&p, 1, 10 * SECOND), SECOND / 100, SECOND / 100 + 1);
}

static void test_pace_take__a_pause_saves_a_tenth_of_a_second(void **state)
{
	struct pace p = pace_begin(1000, 0);

	(void)state;
	assert_int_equal(pace_take(&p, 100, 0), 0);
	assert_int_equal(pace_take(&p, 100, 3600ll * SECOND), 0);
	assert_in_range(pace_take(&p, 100, 3600ll * SECOND), SECOND / 10, SECOND / 10 + 1);
}

static void test_pace_take__less_than_one_a_second(void **state)
{
	struct pace p = pace_begin(0.01, 0);

	(void)state;
	assert_int_equal(pace_take(&p, 1, 0), 0);
	assert_in_range(pace_take(&p, 1, 0), 100 * SECOND, 100 * SECOND + 1);
}

static void test_pace_sizes__at_least_one(void **state)
{
	struct pace slow = pace_begin(0.5, 0), fast = pace_begin(2000, 0), mad = pace_begin(1e300, 0);

	(void)state;
	assert_int_equal(pace_slice(&slow), 1);
	assert_int_equal(pace_page(&slow), 1);
	assert_int_equal(pace_slice(&fast), 200);
	assert_int_equal(pace_page(&fast), 2000);
	assert_int_equal(pace_slice(&mad), pace_page(&mad));
}

static void test_pace_keep__a_stop_ends_the_wait(void **state)
{
	struct pace p = pace_begin(0.0001, 0);
	atomic_int stop = 1;

	(void)state;
	pace_keep(&p, 100, &stop); /* or this test would take eleven days */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pace_take__no_rate_no_wait),
	    cmocka_unit_test(test_pace_take__every_second_gives_the_rate),
	    cmocka_unit_test(test_pace_take__larger_than_a_slice_is_paid_back),
	    cmocka_unit_test(test_pace_take__a_pause_saves_a_tenth_of_a_second),
	    cmocka_unit_test(test_pace_take__less_than_one_a_second),
	    cmocka_unit_test(test_pace_sizes__at_least_one),
	    cmocka_unit_test(test_pace_keep__a_stop_ends_the_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
