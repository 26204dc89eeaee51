#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "tests/unit/lines.h"
#include "tests/unit/random_json.h"

static struct json read_ok(struct slice text, struct arena *a)
{
	struct json v;
	assert_int_equal(json_read(text, a, 0, &v, NULL, NULL), 0);
	return v;
}

static void assert_written(const char *text, enum json_style style, const char *wanted)
{
	struct arena a = ARENA_INIT;
	struct json v = read_ok(slice_of(text), &a);
	struct slice got = json_to_text(&v, style, &a);
	if (!slice_is(got, wanted))
		fail_msg("%s: %.*s, not %s", text, SLICE_ARG(got), wanted);
	arena_release(&a);
}

static void test_json_write__plain_keeps_order_and_number_text(void **state)
{
	(void)state;
	assert_written(" { \"b\" : [ 1.10 , -0 ] , \"a\" : null } ", JSON_PLAIN, "{\"b\":[1.10,-0],\"a\":null}");
}

static void test_json_write__canonical_orders_keys_by_bytes_and_numbers_by_value(void **state)
{
	(void)state;
	assert_written("{\"b\":[1.10,-0,1e2],\"a\":{\"\\u00e9\":1,\"z\":2,\"\":3}}", JSON_CANONICAL,
		       "{\"a\":{\"\":3,\"z\":2,\"\xc3\xa9\":1},\"b\":[1.1,0,100]}");
	assert_written("{\"\\ud83d\\ude00\":1,\"\\uffff\":2}", JSON_CANONICAL,
		       "{\"\xef\xbf\xbf\":2,\"\xf0\x9f\x98\x80\":1}");
}

static void test_json_write__pretty_indents_by_two(void **state)
{
	(void)state;
	assert_written("{\"a\":[1,{\"b\":[]}],\"c\":{}}", JSON_PRETTY,
		       "{\n  \"a\": [\n    1,\n    {\n      \"b\": []\n    }\n  ],\n  \"c\": {}\n}");
	assert_written("[]", JSON_PRETTY, "[]");
}

static void test_json_write_string__escapes_what_must_be(void **state)
{
	struct buf out = BUF_INIT(1000);
	(void)state;
	json_write_string(SLICE("\"\\\b\f\n\r\t\x01\x1f/\x7f\0"), &out);
	assert_string_equal(out.ptr, "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f/\x7f\\u0000\"");
	buf_clear(&out);
	json_write_string(SLICE("\xed\xa0\x80|\xed\xbf\xbf|\xed\x9f\xbf|\xed\xa0"), &out);
	assert_string_equal(out.ptr, "\"\\ud800|\\udfff|\xed\x9f\xbf|\xed\xa0\"");
	buf_clear(&out);
	json_write_string(SLICE_NONE, &out);
	assert_string_equal(out.ptr, "\"\"");
	buf_release(&out);
}

static void test_json_write__a_full_buffer_is_seen_at_the_end(void **state)
{
	struct arena a = ARENA_INIT;
	struct buf out = BUF_INIT(10);
	struct err err = ERR_INIT;
	struct json v = read_ok(SLICE("[\"0123456789\",1e99999999999999999999]"), &a);
	(void)state;
	json_write(&v, JSON_CANONICAL, &out);
	assert_int_equal(buf_check(&out, "the value", &err), ERR_LIMIT);
	buf_release(&out);
	arena_release(&a);
}

static void test_json_write__equal_values_have_equal_canonical_text(void **state)
{
	struct arena a = ARENA_INIT;
	struct dice dice = dice_new();
	(void)state;
	for (int i = 0; i < 2000; i++) {
		struct json v = random_json(&dice, &a, 4), w = shuffled_json(&dice, &a, &v),
			    other = random_json(&dice, &a, 1);
		struct slice x = json_to_text(&v, JSON_CANONICAL, &a), y = json_to_text(&w, JSON_CANONICAL, &a),
			     z = json_to_text(&other, JSON_CANONICAL, &a);
		assert_true(json_eq(&v, &w));
		assert_true(slice_eq(x, y));
		assert_int_equal(json_eq(&v, &other), slice_eq(x, z));
		arena_reset(&a);
	}
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_json_write__plain_keeps_order_and_number_text),
	    cmocka_unit_test(test_json_write__canonical_orders_keys_by_bytes_and_numbers_by_value),
	    cmocka_unit_test(test_json_write__pretty_indents_by_two),
	    cmocka_unit_test(test_json_write_string__escapes_what_must_be),
	    cmocka_unit_test(test_json_write__a_full_buffer_is_seen_at_the_end),
	    cmocka_unit_test(test_json_write__equal_values_have_equal_canonical_text),
	};
	return cmocka_run_group_tests_name("json_write", tests, NULL, NULL);
}
