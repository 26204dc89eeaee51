#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/pct.h"

typedef void encoder(struct slice, struct buf *);

static void assert_encodes(encoder *encode, struct slice in, const char *expected)
{
	struct buf out = BUF_INIT(1000);
	encode(in, &out);
	assert_string_equal(buf_slice(&out).ptr, expected);
	buf_release(&out);
}

static void test_pct_file_name__never_a_path(void **state)
{
	(void)state;
	assert_encodes(pct_file_name, SLICE("demo-Domain_1.x"), "demo-Domain_1.x");
	assert_encodes(pct_file_name, SLICE(""), "%");
	assert_encodes(pct_file_name, SLICE("."), "%2E");
	assert_encodes(pct_file_name, SLICE(".."), "%2E.");
	assert_encodes(pct_file_name, SLICE("a/b"), "a%2Fb");
	assert_encodes(pct_file_name, SLICE("%"), "%25");
	assert_encodes(pct_file_name, SLICE("a~\0\xc3\xa9"), "a%7E%00%C3%A9");
}

static void test_pct_url__unreserved_characters_stay(void **state)
{
	(void)state;
	assert_encodes(pct_url, SLICE("aZ09-._~"), "aZ09-._~");
	assert_encodes(pct_url, SLICE("_design/x y+\xff"), "_design%2Fx%20y%2B%FF");
	assert_encodes(pct_url, SLICE(""), "");
}

static void test_pct_decode__gives_back_every_byte(void **state)
{
	(void)state;
	char all[256];
	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	struct slice in = {all, sizeof(all)};
	struct buf encoded = BUF_INIT(1000), decoded = BUF_INIT(1000);
	pct_url(in, &encoded);
	assert_int_equal(pct_decode(buf_slice(&encoded), &decoded), 0);
	assert_true(slice_eq(buf_slice(&decoded), in));
	buf_clear(&encoded);
	buf_clear(&decoded);
	pct_file_name(in, &encoded);
	assert_int_equal(pct_decode(buf_slice(&encoded), &decoded), 0);
	assert_true(slice_eq(buf_slice(&decoded), in));
	buf_clear(&decoded);
	assert_int_equal(pct_decode(SLICE("%c3%a9+"), &decoded), 0);
	assert_string_equal(decoded.ptr, "\xc3\xa9+");
	buf_release(&encoded);
	buf_release(&decoded);
}

static void test_pct_decode__refuses_half_escapes(void **state)
{
	(void)state;
	static const char *const bad[] = {"%", "a%", "%4", "%4g", "%g4", "% 4", "100%!"};
	struct buf out = BUF_INIT(1000);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(pct_decode(slice_of(bad[i]), &out), -1);
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pct_file_name__never_a_path),
	    cmocka_unit_test(test_pct_url__unreserved_characters_stay),
	    cmocka_unit_test(test_pct_decode__gives_back_every_byte),
	    cmocka_unit_test(test_pct_decode__refuses_half_escapes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
