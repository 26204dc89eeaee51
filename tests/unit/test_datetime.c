#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/datetime.h"

static const struct {
	const char *text;
	int64_t us;
} good[] = {
    {"1970-01-01T00:00:00Z", 0},
    {"1970-01-01T00:00:00.000001Z", 1},
    {"1970-01-01T00:00:00.5Z", 500000},
    {"1970-01-01T00:00:00.12Z", 120000},
    {"1969-12-31T23:59:59.999999Z", -1},
    {"2026-11-20T03:04:05.123456Z", INT64_C(1795143845123456)},
    {"2000-02-29T23:59:59Z", INT64_C(951868799000000)},
    {"2024-02-29T00:00:00Z", INT64_C(1709164800000000)},
    {"0001-01-01T00:00:00Z", INT64_C(-62135596800000000)},
    {"9999-12-31T23:59:59.999999Z", INT64_C(253402300799999999)},
    {"1900-03-01T00:00:00Z", INT64_C(-2203891200000000)},
};

static void test_datetime_parse__valid(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		int64_t us = 42;
		assert_int_equal(datetime_parse(slice_of(good[i].text), &us), 1);
		assert_true(us == good[i].us);
		assert_int_equal(datetime_parse(slice_of(good[i].text), NULL), 1);
	}
}

static void test_datetime_parse__everything_else_is_text(void **state)
{
	(void)state;
	static const char *const bad[] = {
	    "",
	    "Z",
	    "2020-01-01",
	    "2020-01-01T00:00:00",
	    "2020-01-01T00:00:00+00:00",
	    "2020-01-01T00:00:00z",
	    "2020-01-01t00:00:00Z",
	    "2020-01-01 00:00:00Z",
	    "2020-01-01T00:00:00Z ",
	    " 2020-01-01T00:00:00Z",
	    "2020-01-01T00:00:00.Z",
	    "2020-01-01T00:00:00.1234567Z",
	    "2020-01-01T00:00:00,1Z",
	    "2020-01-01T24:00:00Z",
	    "2020-01-01T00:60:00Z",
	    "2020-01-01T00:00:60Z",
	    "2020-13-01T00:00:00Z",
	    "2020-00-01T00:00:00Z",
	    "2020-01-00T00:00:00Z",
	    "2020-01-32T00:00:00Z",
	    "2020-04-31T00:00:00Z",
	    "2021-02-29T00:00:00Z",
	    "1900-02-29T00:00:00Z",
	    "0000-01-01T00:00:00Z",
	    "20201-01-01T00:00:00Z",
	    "-001-01-01T00:00:00Z",
	    "2020-1-01T00:00:00ZZ",
	    "2020-01-01T00-00:00Z",
	    "2020-01-01T00:00-00Z",
	    "2020/01/01T00:00:00Z",
	    "2020-01-01T00:00:00.12a4Z",
	    "2020-01-01T0a:00:00Z",
	    "2020-01-01T00:00:00.+1Z",
	    "2020-01-01T+1:00:00Z",
	    "2020-01-01T00:00:00.1",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int64_t us = 42;
		if (datetime_parse(slice_of(bad[i]), &us))
			fail_msg("taken for a date-time: %s", bad[i]);
		assert_true(us == 42);
	}
	assert_int_equal(datetime_parse(SLICE("2020-01-01T00:00:00\0Z"), NULL), 0);
	assert_int_equal(datetime_parse(SLICE_NONE, NULL), 0);
}

static void test_datetime_format__gives_back_the_instant(void **state)
{
	(void)state;
	char text[DATETIME_TEXT_SIZE];
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		int64_t us = 0;
		assert_int_equal(datetime_format(good[i].us, text), 1);
		assert_int_equal(datetime_parse(slice_of(text), &us), 1);
		assert_true(us == good[i].us);
	}
	assert_int_equal(datetime_format(INT64_C(1795143845123456), text), 1);
	assert_string_equal(text, "2026-11-20T03:04:05.123456Z");
}

static void test_datetime_format__every_day_of_four_centuries(void **state)
{
	(void)state;
	char text[DATETIME_TEXT_SIZE];
	int64_t day = INT64_C(86400) * 1000000, start, us;
	assert_int_equal(date_parse(SLICE("1899-12-31"), &start), 1);
	for (int64_t i = 0; i < 146097; i++) {
		assert_int_equal(datetime_format(start + i * day, text), 1);
		assert_int_equal(date_parse((struct slice){text, 10}, &us), 1);
		assert_true(us == start + i * day);
	}
	assert_string_equal(text, "2299-12-30T00:00:00.000000Z");
}

static void test_datetime_format__refuses_other_years(void **state)
{
	(void)state;
	char text[DATETIME_TEXT_SIZE] = "untouched";
	assert_int_equal(datetime_format(INT64_C(-62135596800000001), text), 0);
	assert_int_equal(datetime_format(INT64_C(253402300800000000), text), 0);
	assert_int_equal(datetime_format(INT64_MIN, text), 0);
	assert_int_equal(datetime_format(INT64_MAX, text), 0);
	assert_string_equal(text, "untouched");
}

static void test_date_parse__strict(void **state)
{
	(void)state;
	int64_t us = 42;
	assert_int_equal(date_parse(SLICE("1970-01-02"), &us), 1);
	assert_true(us == INT64_C(86400000000));
	assert_int_equal(date_parse(SLICE("1970-01-02"), NULL), 1);
	assert_int_equal(date_parse(SLICE("1970-1-02"), &us), 0);
	assert_int_equal(date_parse(SLICE("1970-02-30"), &us), 0);
	assert_int_equal(date_parse(SLICE("1970-01-02T"), &us), 0);
	assert_int_equal(date_parse(SLICE_NONE, &us), 0);
}

static void test_clock__text_is_a_date_time_and_time_goes_on(void **state)
{
	(void)state;
	char text[CLOCK_TEXT_SIZE];
	int64_t before = clock_utc_us(), us = 0, mono = clock_mono_us();
	clock_utc_text(text);
	assert_int_equal(datetime_parse(slice_of(text), &us), 1);
	assert_true(us >= before);
	clock_sleep_ms(0);
	clock_sleep_ms(-5);
	clock_sleep_ms(2);
	assert_true(clock_mono_us() >= mono + 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_datetime_parse__valid),
	    cmocka_unit_test(test_datetime_parse__everything_else_is_text),
	    cmocka_unit_test(test_datetime_format__gives_back_the_instant),
	    cmocka_unit_test(test_datetime_format__every_day_of_four_centuries),
	    cmocka_unit_test(test_datetime_format__refuses_other_years),
	    cmocka_unit_test(test_date_parse__strict),
	    cmocka_unit_test(test_clock__text_is_a_date_time_and_time_goes_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
