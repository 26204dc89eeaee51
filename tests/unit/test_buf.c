#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"

#define assert_buf(b, text)                               \
	do {                                              \
		assert_int_equal((b)->len, strlen(text)); \
		assert_string_equal((b)->ptr, text);      \
	} while (0)

static void test_buf_add__grows_and_stays_terminated(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(1 << 20);
	assert_int_equal(buf_slice(&b).len, 0);
	assert_string_equal(buf_slice(&b).ptr, "");
	buf_str(&b, "one ");
	buf_adds(&b, SLICE("two "));
	buf_add(&b, "three!", 5);
	buf_ch(&b, ' ');
	buf_u64(&b, 0);
	buf_u64(&b, UINT64_MAX);
	buf_fmt(&b, " %s=%d", "k", -4);
	assert_buf(&b, "one two three 018446744073709551615 k=-4");
	for (int i = 0; i < 1000; i++) {
		buf_ch(&b, 'x');
		assert_int_equal(b.ptr[b.len], 0);
	}
	assert_int_equal(buf_check(&b, "text", NULL), 0);
	buf_release(&b);
	assert_null(b.ptr);
}

static void test_buf_add__empty_slices_are_nothing(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(10);
	buf_adds(&b, SLICE_NONE);
	buf_str(&b, "");
	assert_int_equal(b.len, 0);
	assert_int_equal(b.failed, 0);
	buf_release(&b);
}

static void test_buf__past_the_cap_every_append_is_dropped(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct buf b = BUF_INIT(8);
	buf_str(&b, "12345678");
	assert_int_equal(buf_check(&b, "the answer", &err), 0);
	buf_ch(&b, '9');
	assert_int_equal(b.failed, 1);
	buf_adds(&b, SLICE(""));
	buf_fmt(&b, "%d", 1);
	assert_buf(&b, "12345678");
	assert_int_equal(buf_check(&b, "the answer", &err), ERR_LIMIT);
	assert_string_equal(err.msg, "the answer is larger than 8 bytes");
	buf_clear(&b);
	assert_buf(&b, "");
	buf_fmt(&b, "%08d", 7);
	assert_int_equal(buf_check(&b, "the answer", &err), 0);
	assert_buf(&b, "00000007");
	buf_fmt(&b, "%d", 7);
	assert_int_equal(b.failed, 1);
	buf_release(&b);
	assert_int_equal(b.failed, 0);
}

static void test_buf_ch__after_a_failed_append_is_dropped_even_if_it_fits(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(8);
	buf_str(&b, "123");
	buf_str(&b, "too long for it");
	buf_ch(&b, 'x');
	assert_buf(&b, "123");
	buf_release(&b);
}

static void test_buf_consume__drops_the_beginning(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(100);
	buf_consume(&b, 0);
	buf_consume(&b, 5);
	buf_str(&b, "headtail");
	buf_consume(&b, 4);
	assert_buf(&b, "tail");
	buf_consume(&b, 100);
	assert_buf(&b, "");
	buf_release(&b);
}

static void test_buf_room__is_filled_by_the_caller(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(10);
	buf_str(&b, "ab");
	char *p = buf_room(&b, 8);
	assert_non_null(p);
	memcpy(p, "cdefghij", 8);
	b.len += 8;
	assert_buf(&b, "abcdefghij");
	assert_null(buf_room(&b, 1));
	assert_int_equal(b.failed, 1);
	buf_clear(&b);
	assert_null(buf_room(&b, SIZE_MAX));
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_buf_add__grows_and_stays_terminated),
	    cmocka_unit_test(test_buf_add__empty_slices_are_nothing),
	    cmocka_unit_test(test_buf__past_the_cap_every_append_is_dropped),
	    cmocka_unit_test(test_buf_ch__after_a_failed_append_is_dropped_even_if_it_fits),
	    cmocka_unit_test(test_buf_consume__drops_the_beginning),
	    cmocka_unit_test(test_buf_room__is_filled_by_the_caller),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
