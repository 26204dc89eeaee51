#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/json_scan.h"
#include "tests/unit/lines.h"
#include "tests/unit/random_json.h"

static size_t scan(const char *text, int *done, struct json_scan *s)
{
	*s = (struct json_scan)JSON_SCAN_INIT;
	return json_scan_value(s, text, strlen(text), done);
}

static void assert_scan(const char *text, size_t taken, int done, int started)
{
	struct json_scan s;
	int is_done;
	size_t n = scan(text, &is_done, &s);
	if (n != taken || is_done != done || s.started != started)
		fail_msg("%s: %zu bytes, done %d, started %d", text, n, is_done, s.started);
}

static void test_json_scan_value__ends_with_its_value(void **state)
{
	(void)state;
	assert_scan("{\"a\":[1,2]},x", 11, 1, 1);
	assert_scan("  [] ", 4, 1, 1);
	assert_scan("\"a\\\"b\\\\\"\"", 8, 1, 1);
	assert_scan("\"[{\"]", 4, 1, 1);
	assert_scan("[\"]\"]]", 5, 1, 1);
	assert_scan("12,", 2, 1, 1);
	assert_scan("null}", 4, 1, 1);
	assert_scan("tru\n", 3, 1, 1);
	assert_scan("1\"", 1, 1, 1);
}

static void test_json_scan_value__wants_more(void **state)
{
	(void)state;
	assert_scan("", 0, 0, 0);
	assert_scan(" \n", 2, 0, 0);
	assert_scan("123", 3, 0, 1);
	assert_scan("\"abc", 4, 0, 1);
	assert_scan("\"abc\\", 5, 0, 1);
	assert_scan("[{\"a\":1}", 8, 0, 1);
}

static void test_json_scan_value__nothing_begins_with_a_closing_bracket(void **state)
{
	(void)state;
	assert_scan("]", 0, 1, 0);
	assert_scan("  }", 2, 1, 0);
	assert_scan(",1", 0, 1, 0);
	assert_scan(":", 0, 1, 0);
}

static void test_json_scan_value__remembers_the_depth(void **state)
{
	struct json_scan s;
	int done;
	(void)state;
	scan("[[{}],[]]", &done, &s);
	assert_int_equal(s.max_depth, 3);
	assert_int_equal(s.depth, 0);
	scan("[[[", &done, &s);
	assert_int_equal(s.depth, 3);
	assert_false(done);
	scan("\"[[[\"", &done, &s);
	assert_int_equal(s.max_depth, 0);
}

/* The value must end at the same byte wherever the bytes are cut in two. */
static void assert_cuts(struct slice text, size_t wanted)
{
	for (size_t cut = 0; cut <= text.len; cut++) {
		struct json_scan s = JSON_SCAN_INIT;
		int done;
		size_t n = json_scan_value(&s, text.ptr, cut, &done);
		if (!done) {
			assert_int_equal(n, cut);
			n += json_scan_value(&s, text.ptr + cut, text.len - cut, &done);
		}
		assert_true(done && s.started);
		assert_int_equal(n, wanted);
	}
}

static void test_json_scan_value__agrees_with_json_read(void **state)
{
	struct arena a = ARENA_INIT;
	struct dice dice = dice_new();
	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct json v = random_json(&dice, &a, 3), first;
		struct slice text = json_to_text(&v, i % 2 ? JSON_PLAIN : JSON_PRETTY, &a);
		struct slice more = arena_printf(&a, " ");
		more.len = text.len + 2;
		char *both = arena_alloc(&a, more.len);
		memcpy(both, text.ptr, text.len);
		memcpy(both + text.len, ",]", 2);
		more.ptr = both;
		assert_cuts(more, text.len);
		assert_int_equal(json_read((struct slice){both, text.len}, &a, 0, &first, NULL, NULL), 0);
		arena_reset(&a);
	}
	arena_release(&a);
}

static void test_json_scan_members__cuts_top_level_members(void **state)
{
	struct slice text = SLICE(" {\"seq\" : \"1-x\\\"\",\n\"id\":{\"a\":[1,2]} , \"n\":12, \"\\u0061\":null } ");
	struct json_part parts[8];
	size_t bad;
	(void)state;
	assert_int_equal(json_scan_members(text, parts, 8, &bad), 4);
	assert_true(slice_is(parts[0].key, "seq"));
	assert_true(slice_is(parts[0].value, "\"1-x\\\"\""));
	assert_true(slice_is(parts[1].key, "id"));
	assert_true(slice_is(parts[1].value, "{\"a\":[1,2]}"));
	assert_true(slice_is(parts[2].value, "12"));
	assert_true(slice_is(parts[3].key, "\\u0061"));
	assert_true(slice_is(parts[3].value, "null"));
	assert_int_equal(json_scan_members(text, parts, 1, &bad), 4);
	assert_int_equal(json_scan_members(text, NULL, 0, &bad), 4);
	assert_int_equal(json_scan_members(SLICE("{}"), parts, 8, &bad), 0);
	assert_int_equal(json_scan_members(SLICE("{ } \n"), parts, 8, &bad), 0);
}

static void test_json_scan_members__says_where_it_is_no_object(void **state)
{
	static const struct {
		const char *text;
		size_t at;
	} cases[] = {
	    {"", 0},           {"[]", 0},         {"1", 0},           {"{", 1},     {"{\"a\"}", 4},   {"{\"a\":}", 5},
	    {"{\"a\":1", 5},   {"{\"a\":1,}", 7}, {"{\"a\":1 2}", 7}, {"{a:1}", 1}, {"{\"a\" 1}", 5}, {"{\"a\":1}x", 7},
	    {"{\"a\":[1}", 8}, {"{\"a", 1},       {"{\"a\":1,2}", 7}, {"{,}", 1},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct json_part parts[4];
		size_t bad = 99;
		int n = json_scan_members(slice_of(cases[i].text), parts, 4, &bad);
		if (n != -1 || bad != cases[i].at)
			fail_msg("%s: %d, bad at %zu", cases[i].text, n, bad);
	}
}

static void test_json_scan_members__agrees_with_json_read(void **state)
{
	struct arena a = ARENA_INIT;
	struct dice dice = dice_new();
	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct json v = random_json(&dice, &a, 3), part;
		struct json_part parts[64];
		size_t bad;
		int n = json_scan_members(json_to_text(&v, JSON_PRETTY, &a), parts, 64, &bad);
		assert_int_equal(n, v.type == JSON_OBJECT ? (int)v.count : -1);
		for (int k = 0; k < n; k++) {
			assert_int_equal(json_read(parts[k].value, &a, 0, &part, NULL, NULL), 0);
			assert_true(json_eq(&part, &v.members[k].value));
		}
		arena_reset(&a);
	}
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_json_scan_value__ends_with_its_value),
	    cmocka_unit_test(test_json_scan_value__wants_more),
	    cmocka_unit_test(test_json_scan_value__nothing_begins_with_a_closing_bracket),
	    cmocka_unit_test(test_json_scan_value__remembers_the_depth),
	    cmocka_unit_test(test_json_scan_value__agrees_with_json_read),
	    cmocka_unit_test(test_json_scan_members__cuts_top_level_members),
	    cmocka_unit_test(test_json_scan_members__says_where_it_is_no_object),
	    cmocka_unit_test(test_json_scan_members__agrees_with_json_read),
	};
	return cmocka_run_group_tests_name("json_scan", tests, NULL, NULL);
}
