/* Hexadecimal digits, SHA-256 by the examples of FIPS 180-4, random ids. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hex.h"

#include <string.h>

static void test_hex_text__two_lower_case_digits_a_byte(void **state)
{
	static const unsigned char bytes[] = {0x00, 0x0f, 0xf0, 0xff, 0xab};
	struct arena a = ARENA_INIT;
	struct slice text = hex_text(bytes, sizeof(bytes), &a);
	(void)state;
	assert_true(slice_is(text, "000ff0ffab"));
	assert_int_equal(text.ptr[text.len], 0);
	assert_int_equal(hex_text(bytes, 0, &a).len, 0);
	arena_release(&a);
}

static void test_hex_sha256__examples_of_the_standard(void **state)
{
	struct arena a = ARENA_INIT;
	(void)state;
	assert_true(
	    slice_is(hex_sha256(SLICE("abc"), &a), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
	assert_true(
	    slice_is(hex_sha256(SLICE(""), &a), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
	arena_release(&a);
}

static void test_hex_random__of_that_length_and_never_the_same(void **state)
{
	struct arena a = ARENA_INIT;
	struct slice one = hex_random(16, &a), other = hex_random(16, &a);
	(void)state;
	assert_int_equal(one.len, 32);
	assert_int_equal(strspn(one.ptr, "0123456789abcdef"), 32);
	assert_false(slice_eq(one, other));
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hex_text__two_lower_case_digits_a_byte),
	    cmocka_unit_test(test_hex_sha256__examples_of_the_standard),
	    cmocka_unit_test(test_hex_random__of_that_length_and_never_the_same),
	};
	return cmocka_run_group_tests_name("hex", tests, NULL, NULL);
}
