#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "tests/unit/lines.h"
#include "tests/unit/random_json.h"

static struct json read_ok(struct slice text, struct arena *a, struct json_info *info)
{
	struct json v;
	struct err err = ERR_INIT;
	if (json_read(text, a, 0, &v, info, &err) != 0)
		fail_msg("%.*s: %s", SLICE_ARG(text), err.msg);
	return v;
}

/* fixtures/json/valid.txt: text, tab, what it is written as. */
static void test_json_read__valid_texts_are_read(void **state)
{
	struct arena a = ARENA_INIT;
	struct lines lines = lines_read("fixtures/json/valid.txt", &a);
	(void)state;
	assert_true(lines.n > 40);
	for (size_t i = 0; i < lines.n; i++) {
		const char *tab = memchr(lines.v[i].ptr, '\t', lines.v[i].len);
		assert_non_null(tab);
		struct slice text = {lines.v[i].ptr, (size_t)(tab - lines.v[i].ptr)};
		struct slice wanted = {tab + 1, lines.v[i].len - text.len - 1};
		struct json v = read_ok(text, &a, NULL);
		struct slice got = json_to_text(&v, JSON_PLAIN, &a);
		if (!slice_eq(got, wanted))
			fail_msg("%.*s is written as %.*s", SLICE_ARG(text), SLICE_ARG(got));
	}
	arena_release(&a);
}

/* fixtures/json/invalid.txt: byte offset, text. */
static void test_json_read__invalid_texts_are_refused_with_their_offset(void **state)
{
	struct arena a = ARENA_INIT;
	struct lines lines = lines_read("fixtures/json/invalid.txt", &a);
	(void)state;
	assert_true(lines.n > 30);
	for (size_t i = 0; i < lines.n; i++) {
		struct slice text = lines.v[i], offset = word_next(&text);
		struct err err = ERR_INIT;
		struct json v;
		text.ptr++;
		text.len--;
		assert_int_equal(json_read(text, &a, 0, &v, NULL, &err), ERR_SYNTAX);
		assert_int_equal(err.code, ERR_SYNTAX);
		struct slice wanted = arena_printf(&a, "not JSON at byte %.*s: ", SLICE_ARG(offset));
		if (!slice_starts(slice_of(err.msg), wanted))
			fail_msg("%.*s: %s", SLICE_ARG(text), err.msg);
		assert_null(strchr(err.msg, '\n'));
		assert_int_equal(v.type, JSON_NULL);
	}
	arena_release(&a);
}

static void assert_syntax(struct slice text, const char *message)
{
	struct arena a = ARENA_INIT;
	struct json v;
	struct err err = ERR_INIT;
	assert_int_equal(json_read(text, &a, 0, &v, NULL, &err), ERR_SYNTAX);
	if (!strstr(err.msg, message))
		fail_msg("%.*s: %s, not %s", SLICE_ARG(text), err.msg, message);
	arena_release(&a);
}

static void test_json_read__bad_bytes_are_refused(void **state)
{
	(void)state;
	assert_syntax(SLICE(""), "byte 0: ");
	assert_syntax(SLICE_NONE, "byte 0: ");
	assert_syntax(SLICE(" \n"), "byte 2: ");
	assert_syntax(SLICE("\"a\nb\""), "not JSON at byte 2: ");
	assert_syntax(SLICE("\"a\0b\""), "not JSON at byte 2: ");
	assert_syntax(SLICE("[\0]"), "not JSON at byte 2: ");
	assert_syntax(SLICE("[1,\v2]"), "not JSON at byte 3: control");
	assert_syntax(SLICE("\f\v[]"), "not JSON at byte 0: control");
	assert_syntax(SLICE("\"a\xff\""), "not UTF-8 at byte 2");
	assert_syntax(SLICE("\"\xed\xa0\x80\""), "not UTF-8 at byte 1");
	assert_syntax(SLICE("\"\xc0\x80\""), "not UTF-8 at byte 1");
	assert_syntax(SLICE("\"\xe2\x82"), "not UTF-8 at byte 1");
	assert_syntax(SLICE("\xef\xbb\xbf[]"), "not JSON at byte 1: ");
}

static struct slice nested(struct arena *a, size_t depth)
{
	char *text = arena_alloc(a, depth * 2);
	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	return (struct slice){text, depth * 2};
}

static void test_json_read__depth_is_limited(void **state)
{
	struct arena a = ARENA_INIT;
	struct json v;
	struct err err = ERR_INIT;
	(void)state;
	assert_int_equal(json_read(nested(&a, JSON_DEPTH_DEFAULT), &a, 0, &v, NULL, &err), 0);
	assert_int_equal(json_read(nested(&a, JSON_DEPTH_DEFAULT + 1), &a, 0, &v, NULL, &err), ERR_LIMIT);
	assert_string_equal(err.msg, "nested deeper than 512 levels at byte 513");
	assert_int_equal(json_read(nested(&a, 100000), &a, 0, &v, NULL, &err), ERR_LIMIT);
	assert_int_equal(json_read(nested(&a, 3), &a, 3, &v, NULL, &err), 0);
	assert_int_equal(json_read(SLICE("[[{\"a\":{}}]]"), &a, 3, &v, NULL, &err), ERR_LIMIT);
	assert_int_equal(json_read(SLICE("[\"\\ud800\",[[[[{\"a\":{}}]]]]]"), &a, 3, &v, NULL, &err), ERR_LIMIT);
	arena_release(&a);
}

static void test_json_read__wide_and_deep_lists_leave_the_small_stack(void **state)
{
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT(1 << 20);
	(void)state;
	for (int i = 0; i < 300; i++)
		buf_fmt(&b, "[{\"k%d\":", i);
	buf_ch(&b, '[');
	for (int i = 0; i < 5000; i++)
		buf_fmt(&b, "%s%d", i ? "," : "", i);
	buf_ch(&b, ']');
	for (int i = 0; i < 300; i++)
		buf_str(&b, "}]");
	struct json v;
	assert_int_equal(json_read(buf_slice(&b), &a, 601, &v, NULL, NULL), 0);
	assert_true(slice_eq(json_to_text(&v, JSON_PLAIN, &a), buf_slice(&b)));
	buf_release(&b);
	arena_release(&a);
}

static int inside(struct slice part, struct slice whole)
{
	return part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len;
}

static void test_json_read__plain_strings_are_borrowed_and_decoded_ones_are_not(void **state)
{
	struct arena a = ARENA_INIT;
	struct slice text = SLICE("{\"key\":\"plain\",\"n\":12,\"k\\n\":\"deco\\ded\"}");
	struct slice good = SLICE("{\"key\":\"plain\",\"n\":12,\"k\\n\":\"deco\\ted\"}");
	(void)state;
	assert_syntax(text, "not JSON at byte");
	struct json v = read_ok(good, &a, NULL);
	assert_true(inside(v.members[0].key, good));
	assert_true(inside(v.members[0].value.text, good));
	assert_true(inside(v.members[1].value.text, good));
	assert_false(inside(v.members[2].key, good));
	assert_false(inside(v.members[2].value.text, good));
	assert_true(slice_is(v.members[2].value.text, "deco\ted"));
	v = read_ok(SLICE("12345"), &a, NULL);
	assert_true(slice_is(v.text, "12345"));
	arena_release(&a);
}

static void test_json_read__lone_surrogate_is_kept(void **state)
{
	struct arena a = ARENA_INIT;
	struct json_info info;
	struct json v = read_ok(SLICE("\"x\\uDBFFy\\uDC00\\ud83d\\ude00\""), &a, &info);
	(void)state;
	assert_true(slice_is(v.text, "x\xed\xaf\xbfy\xed\xb0\x80\xf0\x9f\x98\x80"));
	assert_int_equal(info.odd, JSON_ODD_SURROGATE);
	assert_int_equal(json_odd(&v), JSON_ODD_SURROGATE);
	arena_release(&a);
}

static void test_json_read__nul_stays_inside_the_length(void **state)
{
	struct arena a = ARENA_INIT;
	struct json_info info;
	struct json v = read_ok(SLICE("[\"a\\u0000b\",\"\\\\u0000\"]"), &a, &info);
	(void)state;
	assert_true(slice_eq(v.items[0].text, SLICE("a\0b")));
	assert_true(slice_is(v.items[1].text, "\\u0000"));
	assert_int_equal(info.odd, JSON_ODD_NUL);
	read_ok(SLICE("[\"\\\\u0000\",\"\\\\ud800\"]"), &a, &info);
	assert_int_equal(info.odd, 0);
	arena_release(&a);
}

static void test_json_read__odd_things_are_seen_in_keys_and_numbers(void **state)
{
	struct arena a = ARENA_INIT;
	struct json_info info;
	(void)state;
	read_ok(SLICE("{\"a\":[{\"\\ud800\":1}]}"), &a, &info);
	assert_int_equal(info.odd, JSON_ODD_SURROGATE);
	read_ok(SLICE("{\"a\":[{\"\\u0000\":1}]}"), &a, &info);
	assert_int_equal(info.odd, JSON_ODD_NUL);
	read_ok(SLICE("[1e131072]"), &a, &info);
	assert_int_equal(info.odd, JSON_ODD_NUMBER);
	read_ok(SLICE("[1e131071,\"1e131072\",1.5,\"\\ud83d\\ude00\"]"), &a, &info);
	assert_int_equal(info.odd, 0);
	arena_release(&a);
}

static void test_json_read__last_of_duplicate_keys_wins_at_the_first_place(void **state)
{
	struct arena a = ARENA_INIT;
	struct json_info info;
	struct buf b = BUF_INIT(1 << 20);
	(void)state;
	read_ok(SLICE("{\"a\":1,\"a\":{\"b\":1,\"b\":2},\"a\":3}"), &a, &info);
	assert_int_equal(info.duplicates, 3);
	buf_ch(&b, '{');
	for (int i = 0; i < 100; i++)
		buf_fmt(&b, "\"k%d\":%d,", i % 40, i);
	buf_str(&b, "\"end\":null}");
	struct json v = read_ok(buf_slice(&b), &a, &info);
	assert_int_equal(info.duplicates, 60);
	assert_int_equal(v.count, 41);
	for (int i = 0; i < 40; i++) {
		struct slice key = arena_printf(&a, "k%d", i), n = arena_printf(&a, "%d", i < 20 ? i + 80 : i + 40);
		assert_true(slice_eq(v.members[i].key, key));
		assert_true(slice_eq(v.members[i].value.text, n));
		assert_ptr_equal(json_get(&v, key), &v.members[i].value);
	}
	assert_non_null(json_gets(&v, "end"));
	assert_null(json_gets(&v, "k40"));
	buf_release(&b);
	arena_release(&a);
}

static void test_json_read__what_was_written_is_read_back(void **state)
{
	struct arena a = ARENA_INIT;
	struct dice dice = dice_new();
	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct json v = random_json(&dice, &a, 4);
		for (int style = JSON_PLAIN; style <= JSON_PRETTY; style++) {
			struct json_info info;
			struct slice text = json_to_text(&v, (enum json_style)style, &a);
			struct json back = read_ok(text, &a, &info);
			assert_true(json_eq(&v, &back));
			assert_int_equal(info.odd, json_odd(&back));
			assert_int_equal(info.duplicates, 0);
			assert_true(slice_eq(json_to_text(&back, (enum json_style)style, &a), text));
		}
		arena_reset(&a);
	}
	arena_release(&a);
}

static void test_json_read__no_beginning_of_a_text_does_harm(void **state)
{
	struct arena a = ARENA_INIT;
	struct dice dice = dice_new();
	(void)state;
	for (int i = 0; i < 200; i++) {
		struct json v = random_json(&dice, &a, 3), part;
		struct slice text = json_to_text(&v, JSON_PLAIN, &a);
		for (size_t n = 0; n < text.len; n++) {
			int code = json_read((struct slice){text.ptr, n}, &a, 0, &part, NULL, NULL);
			assert_true(code == ERR_SYNTAX || v.type == JSON_NUMBER);
		}
		arena_reset(&a);
	}
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_json_read__valid_texts_are_read),
	    cmocka_unit_test(test_json_read__invalid_texts_are_refused_with_their_offset),
	    cmocka_unit_test(test_json_read__bad_bytes_are_refused),
	    cmocka_unit_test(test_json_read__depth_is_limited),
	    cmocka_unit_test(test_json_read__wide_and_deep_lists_leave_the_small_stack),
	    cmocka_unit_test(test_json_read__plain_strings_are_borrowed_and_decoded_ones_are_not),
	    cmocka_unit_test(test_json_read__lone_surrogate_is_kept),
	    cmocka_unit_test(test_json_read__nul_stays_inside_the_length),
	    cmocka_unit_test(test_json_read__odd_things_are_seen_in_keys_and_numbers),
	    cmocka_unit_test(test_json_read__last_of_duplicate_keys_wins_at_the_first_place),
	    cmocka_unit_test(test_json_read__what_was_written_is_read_back),
	    cmocka_unit_test(test_json_read__no_beginning_of_a_text_does_harm),
	};
	return cmocka_run_group_tests_name("json_read", tests, NULL, NULL);
}
