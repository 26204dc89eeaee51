#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/utf8.h"

#define BAD_AT(lit) utf8_bad_at(SLICE(lit))

static void test_utf8_bad_at__well_formed(void **state)
{
	(void)state;
	assert_int_equal(utf8_bad_at(SLICE_NONE), 0);
	assert_int_equal(BAD_AT("plain ascii, more than eight bytes"), 34);
	assert_int_equal(BAD_AT("a\0b"), 3);
	assert_int_equal(BAD_AT("\xc2\x80\xdf\xbf"), 4);
	assert_int_equal(BAD_AT("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"), 12);
	assert_int_equal(BAD_AT("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"), 8);
}

static void test_utf8_bad_at__names_the_first_bad_byte(void **state)
{
	(void)state;
	static const struct slice bad[] = {
	    SLICE("\x80"),
	    SLICE("\xbf"),
	    SLICE("\xc0\x80"),
	    SLICE("\xc1\xbf"),
	    SLICE("\xc2"),
	    SLICE("\xc2 "),
	    SLICE("\xe0\x9f\xbf"),
	    SLICE("\xe1\x80"),
	    SLICE("\xe1\x80 "),
	    SLICE("\xed\xa0\x80"),
	    SLICE("\xed\xbf\xbf"),
	    SLICE("\xf0\x8f\xbf\xbf"),
	    SLICE("\xf4\x90\x80\x80"),
	    SLICE("\xf1\x80\x80"),
	    SLICE("\xf1\x80\x80 "),
	    SLICE("\xf1\x80 \x80"),
	    SLICE("\xf5\x80\x80\x80"),
	    SLICE("\xfe"),
	    SLICE("\xff"),
	};
	char text[64];
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		for (size_t before = 0; before < 20; before++) {
			for (size_t after = 0; after < 10; after += 9) {
				memset(text, 'a', sizeof(text));
				memcpy(text + before, bad[i].ptr, bad[i].len);
				struct slice s = {text, before + bad[i].len + after};
				assert_int_equal(utf8_bad_at(s), before);
			}
		}
	}
}

/* Every code point, built by the definition of UTF-8, is well-formed if and only if it is no surrogate. */
static void test_utf8_bad_at__every_code_point(void **state)
{
	(void)state;
	for (uint32_t c = 0x800; c < 0x110000; c++) {
		char text[4] = {(char)(0xf0 | c >> 18), (char)(0x80 | (c >> 12 & 0x3f)), (char)(0x80 | (c >> 6 & 0x3f)),
				(char)(0x80 | (c & 0x3f))};
		struct slice s = {text, 4};
		if (c < 0x10000) {
			text[1] = (char)(0xe0 | c >> 12);
			s = (struct slice){text + 1, 3};
		}
		assert_int_equal(utf8_bad_at(s), c >= 0xd800 && c <= 0xdfff ? 0 : s.len);
	}
}

static void test_utf8_odd__tells_nul_and_surrogates(void **state)
{
	(void)state;
	assert_int_equal(utf8_odd(SLICE_NONE), 0);
	assert_int_equal(utf8_odd(SLICE("plain \xed\x9f\xbf")), 0);
	assert_int_equal(utf8_odd(SLICE("a\0")), UTF8_HAS_NUL);
	assert_int_equal(utf8_odd(SLICE("a\xed\xa0\x80")), UTF8_HAS_SURROGATE);
	assert_int_equal(utf8_odd(SLICE("\xed\x9f\xbf\xed\xbf\xbf\0z")), UTF8_HAS_NUL | UTF8_HAS_SURROGATE);
	assert_int_equal(utf8_odd(SLICE("\xed")), 0);
}

static void test_utf8_tame__replaces_the_odd_and_nothing_else(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct slice plain = SLICE("nothing odd \xed\x9f\xbf");
	assert_ptr_equal(utf8_tame(plain, &a).ptr, plain.ptr);
	struct slice tamed = utf8_tame(SLICE("\0a\xed\xa0\x80\xed\xb0\x80"
					     "b\xed\x9f\xbf\0"),
				       &a);
	assert_string_equal(tamed.ptr, "\xef\xbf\xbd"
				       "a\xef\xbf\xbd\xef\xbf\xbd"
				       "b\xed\x9f\xbf\xef\xbf\xbd");
	assert_int_equal(tamed.len, strlen(tamed.ptr));
	assert_int_equal(utf8_odd(tamed), 0);
	assert_int_equal(utf8_bad_at(tamed), tamed.len);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_utf8_bad_at__well_formed),
	    cmocka_unit_test(test_utf8_bad_at__names_the_first_bad_byte),
	    cmocka_unit_test(test_utf8_bad_at__every_code_point),
	    cmocka_unit_test(test_utf8_odd__tells_nul_and_surrogates),
	    cmocka_unit_test(test_utf8_tame__replaces_the_odd_and_nothing_else),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
