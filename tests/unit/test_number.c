#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/number.h"
#include "tests/unit/lines.h"

#include <limits.h>
#include <stdlib.h>

static struct slice canonical(struct arena *a, struct slice text)
{
	struct buf out = BUF_INIT(1 << 20);
	number_canonical(text, &out);
	assert_false(out.failed);
	struct slice copy = arena_slice(a, buf_slice(&out));
	buf_release(&out);
	return copy;
}

static void repeat(struct buf *b, char c, int n)
{
	while (n-- > 0)
		buf_ch(b, c);
}

static void test_number_valid__follows_rfc_8259(void **state)
{
	static const char *const good[] = {"0",     "-0",   "1",        "10",  "1.0", "1e5",
					   "1E+05", "1e-0", "-1.25e-3", "0.0", "0e0"};
	static const char *const bad[] = {"",   "-",  "+1",  "01",  "00",  "1.",   ".5",  "1e",    "1e+",
					  "1 ", " 1", "0x1", "1_0", "NaN", "1.e1", "--1", "1e1.5", "1e1e1"};
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_true(number_valid(slice_of(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(number_valid(slice_of(bad[i])));
	assert_false(number_valid(SLICE_NONE));
}

/* fixtures/json/numbers.txt: canonical text, then texts of the same value. */
static void test_number_canonical__equal_values_give_equal_bytes(void **state)
{
	struct arena a = ARENA_INIT;
	struct lines lines = lines_read("fixtures/json/numbers.txt", &a);
	(void)state;
	assert_true(lines.n > 20);
	for (size_t i = 0; i < lines.n; i++) {
		struct slice rest = lines.v[i], wanted = word_next(&rest), text;
		assert_int_equal(number_eq(wanted, wanted), 1);
		while ((text = word_next(&rest)).len) {
			struct slice got = canonical(&a, text);
			if (!slice_eq(got, wanted))
				fail_msg("%.*s gives %.*s, not %.*s", SLICE_ARG(text), SLICE_ARG(got),
					 SLICE_ARG(wanted));
			assert_true(number_eq(text, wanted));
			assert_true(number_eq(wanted, text));
		}
	}
	arena_release(&a);
}

static void test_number_eq__different_lines_are_different_numbers(void **state)
{
	struct arena a = ARENA_INIT;
	struct lines lines = lines_read("fixtures/json/numbers.txt", &a);
	(void)state;
	for (size_t i = 0; i < lines.n; i++) {
		for (size_t j = 0; j < lines.n; j++) {
			struct slice x = lines.v[i], y = lines.v[j];
			x = word_next(&x);
			y = word_next(&y);
			if (number_eq(x, y) != (i == j))
				fail_msg("%.*s and %.*s", SLICE_ARG(x), SLICE_ARG(y));
		}
	}
	arena_release(&a);
}

static void test_number_eq__text_that_is_no_number_equals_only_itself(void **state)
{
	(void)state;
	assert_true(number_eq(SLICE("x"), SLICE("x")));
	assert_false(number_eq(SLICE("x"), SLICE("1")));
	assert_false(number_eq(SLICE("1"), SLICE("01")));
}

static void test_number_canonical__plain_up_to_forty_digits(void **state)
{
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT(1000);
	(void)state;
	buf_ch(&b, '1');
	repeat(&b, '0', 39);
	assert_true(slice_eq(canonical(&a, buf_slice(&b)), buf_slice(&b)));
	buf_ch(&b, '0');
	assert_true(slice_is(canonical(&a, buf_slice(&b)), "1e40"));
	buf_clear(&b);
	buf_str(&b, "0.");
	repeat(&b, '0', 38);
	buf_ch(&b, '7');
	assert_true(slice_eq(canonical(&a, buf_slice(&b)), buf_slice(&b)));
	b.ptr[b.len - 1] = '0';
	buf_ch(&b, '7');
	assert_true(slice_is(canonical(&a, buf_slice(&b)), "7e-40"));
	buf_release(&b);
	arena_release(&a);
}

static void test_number_canonical__endless_exponents_cost_no_more_than_their_text(void **state)
{
	struct arena a = ARENA_INIT;
	struct buf x = BUF_INIT(1 << 20), y = BUF_INIT(1 << 20);
	(void)state;
	buf_str(&x, "10e");
	repeat(&x, '9', 100000);
	buf_str(&y, "1e1");
	repeat(&y, '0', 100000);
	assert_true(number_eq(buf_slice(&x), buf_slice(&y)));
	assert_true(slice_eq(canonical(&a, buf_slice(&x)), buf_slice(&y)));
	y.ptr[y.len - 1] = '1';
	assert_false(number_eq(buf_slice(&x), buf_slice(&y)));
	buf_release(&x);
	buf_release(&y);
	arena_release(&a);
}

static void assert_fits(const char *text, int wanted)
{
	if (number_fits_numeric(slice_of(text)) != wanted)
		fail_msg("%s: fits should be %d", text, wanted);
}

static void test_number_fits_numeric__limits_are_those_of_postgresql(void **state)
{
	struct buf b = BUF_INIT(1 << 20);
	(void)state;
	assert_fits("1e131071", 1);
	assert_fits("1e131072", 0);
	assert_fits("10e131071", 0);
	assert_fits("0.1e131072", 1);
	assert_fits("-9e131071", 1);
	assert_fits("1e-16383", 1);
	assert_fits("1e-16384", 0);
	assert_fits("1.0e-16383", 0);
	assert_fits("10e-16384", 0);
	assert_fits("0e200000", 1);
	assert_fits("0e-20000", 0);
	assert_fits("1e1000000000000", 0);
	assert_fits("1e-1000000000000", 0);
	assert_fits("01", 0);
	buf_str(&b, "0.");
	repeat(&b, '1', 16383);
	assert_true(number_fits_numeric(buf_slice(&b)));
	buf_ch(&b, '0');
	assert_false(number_fits_numeric(buf_slice(&b)));
	buf_clear(&b);
	repeat(&b, '9', 131072);
	assert_true(number_fits_numeric(buf_slice(&b)));
	buf_ch(&b, '9');
	assert_false(number_fits_numeric(buf_slice(&b)));
	buf_release(&b);
}

static void assert_i64(const char *text, int wanted, long long value)
{
	long long n = 77;
	if (number_to_i64(slice_of(text), &n) != wanted || n != value)
		fail_msg("%s gives %lld", text, n);
}

static void test_number_to_i64__integers_in_range_only(void **state)
{
	(void)state;
	assert_i64("0", 1, 0);
	assert_i64("-0.0e99999999999999999999", 1, 0);
	assert_i64("42", 1, 42);
	assert_i64("-42.00", 1, -42);
	assert_i64("4.2e1", 1, 42);
	assert_i64("4200e-2", 1, 42);
	assert_i64("9223372036854775807", 1, LLONG_MAX);
	assert_i64("-9223372036854775808", 1, LLONG_MIN);
	assert_i64("9223372036854775808", 0, 77);
	assert_i64("-9223372036854775809", 0, 77);
	assert_i64("1e19", 0, 77);
	assert_i64("1.5", 0, 77);
	assert_i64("1e-1", 0, 77);
	assert_i64("1e99999999999999999999", 0, 77);
	assert_i64("", 0, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_number_valid__follows_rfc_8259),
	    cmocka_unit_test(test_number_canonical__equal_values_give_equal_bytes),
	    cmocka_unit_test(test_number_eq__different_lines_are_different_numbers),
	    cmocka_unit_test(test_number_eq__text_that_is_no_number_equals_only_itself),
	    cmocka_unit_test(test_number_canonical__plain_up_to_forty_digits),
	    cmocka_unit_test(test_number_canonical__endless_exponents_cost_no_more_than_their_text),
	    cmocka_unit_test(test_number_fits_numeric__limits_are_those_of_postgresql),
	    cmocka_unit_test(test_number_to_i64__integers_in_range_only),
	};
	return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
