#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/diff_cases.h"
#include "tests/unit/random_json.h"

#define ROUNDS 3000

static struct json read_json(const char *text, struct arena *a)
{
	struct json v;
	struct err err = ERR_INIT;

	if (json_read(slice_of(text), a, 0, &v, NULL, &err))
		fail_msg("%s: %s", text, err.msg);
	return v;
}

static struct diff_list diff_of(const struct json *couch, const struct json *sql, struct arena *a)
{
	struct diff_list list = {0};

	diff_json(couch, sql, a, &list);
	return list;
}

/* ---- a pair of values that resemble each other ---- */

static struct json mutated_json(struct dice *d, struct arena *a, const struct json *v);

static struct json mutated_array(struct dice *d, struct arena *a, const struct json *v)
{
	struct json out = json_array();

	for (uint32_t i = 0; i < v->count; i++) {
		if (dice_below(d, 8))
			json_push(a, &out, mutated_json(d, a, &v->items[i]));
	}
	while (dice_below(d, 4) == 0)
		json_push(a, &out, random_json(d, a, 1));
	return out;
}

static struct json mutated_object(struct dice *d, struct arena *a, const struct json *v)
{
	struct json out = json_object();

	for (uint32_t i = 0; i < v->count; i++) {
		if (dice_below(d, 8))
			json_set(a, &out, v->members[i].key, mutated_json(d, a, &v->members[i].value));
	}
	while (dice_below(d, 4) == 0)
		json_set(a, &out, random_text(d, a), random_json(d, a, 1));
	return dice_below(d, 2) ? shuffled_json(d, a, &out) : out;
}

static struct json mutated_json(struct dice *d, struct arena *a, const struct json *v)
{
	if (dice_below(d, 12) == 0)
		return random_json(d, a, 2);
	if (v->type == JSON_ARRAY)
		return mutated_array(d, a, v);
	return v->type == JSON_OBJECT ? mutated_object(d, a, v) : *v;
}

/* ---- applying differences: what makes them complete ---- */

static struct json *slot_of(struct json *v, const struct diff_step *step)
{
	if (step->is_position)
		return step->position < v->count ? &v->items[step->position] : NULL;
	for (uint32_t i = 0; i < v->count; i++) {
		if (slice_eq(v->members[i].key, step->key))
			return &v->members[i].value;
	}
	return NULL;
}

static void take_away(struct json *v, const struct diff_step *step)
{
	if (!step->is_position)
		json_del(v, step->key);
	else if (v->count > step->position)
		v->count = step->position;
}

static struct json applied(struct arena *a, const struct json *old, const struct diff_step *path, uint32_t n,
			   const struct json *fresh)
{
	struct json v, *slot;

	if (n == 0)
		return *fresh;
	v = json_clone(a, old);
	slot = slot_of(&v, path);
	if (n == 1 && !fresh)
		take_away(&v, path);
	else if (slot)
		*slot = applied(a, slot, path + 1, n - 1, fresh);
	else if (path->is_position)
		json_push(a, &v, *fresh);
	else
		json_set(a, &v, path->key, *fresh);
	return v;
}

/* ---- properties ---- */

static void test_diff__a_value_told_otherwise_is_no_difference(void **state)
{
	struct dice dice = dice_new();
	struct arena a = ARENA_INIT;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct json v = random_json(&dice, &a, 4), same = shuffled_json(&dice, &a, &v);

		assert_int_equal(diff_of(&v, &v, &a).n, 0);
		assert_int_equal(diff_of(&v, &same, &a).n, 0);
		arena_reset(&a);
	}
	arena_release(&a);
}

static void test_diff__no_difference_means_equal(void **state)
{
	struct dice dice = dice_new();
	struct arena a = ARENA_INIT;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct json v = random_json(&dice, &a, 4), w = mutated_json(&dice, &a, &v);

		assert_int_equal(diff_of(&v, &w, &a).n == 0, json_eq(&v, &w));
		arena_reset(&a);
	}
	arena_release(&a);
}

static struct json swapped(const struct diff_list *list, struct arena *a)
{
	struct json out = json_array();

	for (size_t i = 0; i < list->n; i++) {
		struct diff d = list->v[i];

		d.old_value = list->v[i].new_value;
		d.new_value = list->v[i].old_value;
		json_push(a, &out, diff_to_json(&d, a));
	}
	return out;
}

static void test_diff__swapping_sides_swaps_old_and_new(void **state)
{
	struct dice dice = dice_new();
	struct arena a = ARENA_INIT;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct json v = random_json(&dice, &a, 4), w = mutated_json(&dice, &a, &v);
		struct diff_list there = diff_of(&v, &w, &a), back = diff_of(&w, &v, &a);
		struct json expected = swapped(&back, &a);

		assert_diffs("swapped", &there, &expected, POSITIONS_EXACT, &a);
		arena_reset(&a);
	}
	arena_release(&a);
}

static void test_diff__differences_applied_to_couch_give_sql(void **state)
{
	struct dice dice = dice_new();
	struct arena a = ARENA_INIT;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct json v = random_json(&dice, &a, 4), w = mutated_json(&dice, &a, &v), got = v;
		struct diff_list list = diff_of(&v, &w, &a);

		for (size_t j = 0; j < list.n; j++)
			got = applied(&a, &got, list.v[j].path, list.v[j].npath, list.v[j].new_value);
		assert_true(json_eq(&got, &w));
		arena_reset(&a);
	}
	arena_release(&a);
}

static void test_diff__differences_survive_as_json(void **state)
{
	struct dice dice = dice_new();
	struct arena a = ARENA_INIT;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct json v = random_json(&dice, &a, 4), w = mutated_json(&dice, &a, &v);
		struct diff_list list = diff_of(&v, &w, &a), back = {0};
		struct json as_json = diff_list_to_json(&list, &a), read;
		struct err err = ERR_INIT;

		assert_int_equal(json_read(json_to_text(&as_json, JSON_PLAIN, &a), &a, 0, &read, NULL, &err), 0);
		if (diff_list_from_json(&read, &a, &back, &err))
			fail_msg("%s", err.msg);
		assert_int_equal(back.n, list.n);
		assert_diffs("read back", &back, &as_json, POSITIONS_EXACT, &a);
		arena_reset(&a);
	}
	arena_release(&a);
}

/* ---- single cases ---- */

static void test_diff__couch_keys_come_in_order_then_sql_only_keys(void **state)
{
	struct arena a = ARENA_INIT;
	struct json couch = read_json("{\"z\":1,\"same\":0,\"a\":1,\"m\":1}", &a);
	struct json sql = read_json("{\"y\":2,\"a\":2,\"same\":0,\"b\":2,\"z\":2}", &a);
	struct diff_list list = diff_of(&couch, &sql, &a);
	const char *keys[] = {"z", "a", "m", "y", "b"};

	(void)state;
	assert_int_equal(list.n, 5);
	for (size_t i = 0; i < list.n; i++)
		assert_true(slice_is(list.v[i].path[0].key, keys[i]));
	arena_release(&a);
}

static void test_diff__an_absent_side_is_missing_at_the_root(void **state)
{
	struct arena a = ARENA_INIT;
	struct json v = read_json("{\"a\":null}", &a);
	struct diff_list list = diff_of(&v, NULL, &a);

	(void)state;
	assert_int_equal(list.n, 1);
	assert_int_equal(list.v[0].type, DIFF_MISSING);
	assert_int_equal(list.v[0].npath, 0);
	assert_ptr_equal(list.v[0].old_value, &v);
	assert_null(list.v[0].new_value);
	assert_int_equal(diff_of(NULL, &v, &a).n, 1);
	assert_int_equal(diff_of(NULL, NULL, &a).n, 0);
	arena_release(&a);
}

static void test_diff__types_are_the_six_of_json(void **state)
{
	static const struct {
		const char *couch, *sql, *type;
	} cases[] = {
	    {"true", "false", "diff"}, {"true", "1", "type"},          {"null", "false", "type"},
	    {"1", "1.5", "diff"},      {"1", "\"1\"", "type"},         {"[]", "{}", "type"},
	    {"[1]", "[]", "missing"},  {"{}", "{\"a\":1}", "missing"}, {"\"a\"", "\"A\"", "diff"},
	    {"null", "\"\"", "type"},  {"[]", "null", "type"},         {"1e400", "1e401", "diff"},
	};
	struct arena a = ARENA_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct json couch = read_json(cases[i].couch, &a), sql = read_json(cases[i].sql, &a);
		struct diff_list list = diff_of(&couch, &sql, &a);

		assert_int_equal(list.n, 1);
		assert_string_equal(diff_type_name(list.v[0].type), cases[i].type);
	}
	arena_release(&a);
}

static void test_diff__equal_numbers_are_told_in_many_ways(void **state)
{
	static const char *const pairs[][2] = {{"3", "3.0"}, {"3", "3e0"}, {"-0", "0"}, {"1e400", "10e399"}};
	struct arena a = ARENA_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		struct json couch = read_json(pairs[i][0], &a), sql = read_json(pairs[i][1], &a);

		assert_int_equal(diff_of(&couch, &sql, &a).n, 0);
	}
	arena_release(&a);
}

static void test_diff_type_parse__knows_every_name_and_no_other(void **state)
{
	(void)state;
	for (int i = DIFF_DIFF; i <= DIFF_MISSING_FORMS; i++) {
		enum diff_type type;

		assert_int_equal(diff_type_parse(slice_of(diff_type_name((enum diff_type)i)), &type), 0);
		assert_int_equal(type, i);
	}
	enum diff_type none;
	assert_int_equal(diff_type_parse(SLICE("length"), &none), -1);
	assert_int_equal(diff_type_parse(SLICE_NONE, &none), -1);
}

static void test_diff_to_json__absent_side_is_an_absent_key(void **state)
{
	struct arena a = ARENA_INIT;
	struct json couch = read_json("{\"l\":[1,null]}", &a), sql = read_json("{\"l\":[1]}", &a);
	struct diff_list list = diff_of(&couch, &sql, &a);
	struct json got;

	(void)state;
	list.v[0].reason = SLICE("rebuild case");
	got = diff_list_to_json(&list, &a);
	assert_true(slice_is(json_to_text(&got, JSON_PLAIN, &a),
			     "[{\"type\":\"missing\",\"path\":[\"l\",1],\"old\":null,\"reason\":\"rebuild case\"}]"));
	arena_release(&a);
}

static void test_diff_from_json__names_what_is_wrong(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
	    {"{}", "differences are a list"},
	    {"null", "differences are a list"},
	    {"[1]", "difference 1: a difference is an object, not number"},
	    {"[{\"path\":[],\"old\":1}]", "difference 1: a difference needs \"type\""},
	    {"[{\"type\":\"length\",\"path\":[],\"old\":1}]", "difference 1: unknown type of difference \"length\""},
	    {"[{\"type\":\"diff\",\"old\":1}]", "difference 1: a difference needs \"path\""},
	    {"[{\"type\":\"diff\",\"path\":\"a\",\"old\":1}]", "difference 1: a difference needs \"path\""},
	    {"[{\"type\":\"diff\",\"path\":[\"a\",null],\"old\":1}]", "path element 1 is null"},
	    {"[{\"type\":\"diff\",\"path\":[-1],\"old\":1}]", "path element 0 is no list position: -1"},
	    {"[{\"type\":\"diff\",\"path\":[1.5],\"old\":1}]", "path element 0 is no list position: 1.5"},
	    {"[{\"type\":\"diff\",\"path\":[4294967296],\"old\":1}]", "is no list position: 4294967296"},
	    {"[{\"type\":\"diff\",\"path\":[],\"old\":1,\"reason\":2}]", "\"reason\" of a difference is number"},
	    {"[{\"type\":\"missing\",\"path\":[\"a\"]}]", "needs \"old\", \"new\" or both"},
	    {"[{\"type\":\"diff\",\"path\":[],\"old\":1,\"new\":2},{\"type\":\"diff\"}]", "difference 2: "},
	};
	struct arena a = ARENA_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct json v = read_json(cases[i].text, &a);
		struct diff_list list = {0};
		struct err err = ERR_INIT;

		assert_int_equal(diff_list_from_json(&v, &a, &list, &err), ERR_SYNTAX);
		if (!strstr(err.msg, cases[i].message))
			fail_msg("%s: %s", cases[i].text, err.msg);
	}
	arena_release(&a);
}

static void test_diff_list_from_json__an_absent_value_is_no_list(void **state)
{
	struct diff_list list = {0};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(diff_list_from_json(NULL, NULL, &list, &err), ERR_SYNTAX);
	assert_string_equal(err.msg, "differences are a list, not absent");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_diff__a_value_told_otherwise_is_no_difference),
	    cmocka_unit_test(test_diff__no_difference_means_equal),
	    cmocka_unit_test(test_diff__swapping_sides_swaps_old_and_new),
	    cmocka_unit_test(test_diff__differences_applied_to_couch_give_sql),
	    cmocka_unit_test(test_diff__differences_survive_as_json),
	    cmocka_unit_test(test_diff__couch_keys_come_in_order_then_sql_only_keys),
	    cmocka_unit_test(test_diff__an_absent_side_is_missing_at_the_root),
	    cmocka_unit_test(test_diff__types_are_the_six_of_json),
	    cmocka_unit_test(test_diff__equal_numbers_are_told_in_many_ways),
	    cmocka_unit_test(test_diff_type_parse__knows_every_name_and_no_other),
	    cmocka_unit_test(test_diff_to_json__absent_side_is_an_absent_key),
	    cmocka_unit_test(test_diff_from_json__names_what_is_wrong),
	    cmocka_unit_test(test_diff_list_from_json__an_absent_value_is_no_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
