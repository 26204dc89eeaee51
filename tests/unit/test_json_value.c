#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "tests/unit/lines.h"
#include "tests/unit/random_json.h"

static struct json read_ok(const char *text, struct arena *a)
{
	struct json v;
	assert_int_equal(json_read(slice_of(text), a, 0, &v, NULL, NULL), 0);
	return v;
}

static void assert_text(const struct json *v, const char *wanted, struct arena *a)
{
	assert_string_equal(json_to_text(v, JSON_PLAIN, a).ptr, wanted);
}

static int same(const char *x, const char *y)
{
	struct arena a = ARENA_INIT;
	struct json v = read_ok(x, &a), w = read_ok(y, &a);
	int eq = json_eq(&v, &w);
	assert_int_equal(json_eq(&w, &v), eq);
	arena_release(&a);
	return eq;
}

static void test_json_eq__numbers_by_value_objects_without_order(void **state)
{
	(void)state;
	assert_true(same("[3,-0,1e2]", "[3.0,0,100]"));
	assert_true(same("{\"a\":1,\"b\":{\"c\":[]}}", "{\"b\":{\"c\":[]},\"a\":1.0}"));
	assert_false(same("{\"a\":1}", "{\"a\":2}"));
	assert_false(same("{\"a\":1}", "{\"b\":1}"));
	assert_false(same("{\"a\":1}", "{\"a\":1,\"b\":null}"));
	assert_false(same("[1,2]", "[2,1]"));
	assert_false(same("[1]", "[1,2]"));
	assert_false(same("1", "true"));
	assert_false(same("0", "false"));
	assert_false(same("1", "\"1\""));
	assert_false(same("null", "false"));
	assert_false(same("[]", "{}"));
	assert_false(same("\"a\"", "\"b\""));
}

static void test_json_get__only_objects_have_members(void **state)
{
	struct arena a = ARENA_INIT;
	struct json v = read_ok("{\"s\":\"x\",\"n\":1}", &a), list = read_ok("[\"s\"]", &a);
	(void)state;
	assert_true(slice_is(json_get_text(&v, "s"), "x"));
	assert_null(json_get_text(&v, "n").ptr);
	assert_null(json_get_text(&v, "none").ptr);
	assert_null(json_gets(&list, "s"));
	assert_null(json_gets(NULL, "s"));
	assert_null(json_text(NULL).ptr);
	assert_true(json_is(&v, JSON_OBJECT));
	assert_false(json_is(NULL, JSON_NULL));
	arena_release(&a);
}

static void test_json_type_name__names_the_six_types(void **state)
{
	struct arena a = ARENA_INIT;
	struct json v = read_ok("[null,true,false,1,\"\",[],{}]", &a);
	static const char *const names[] = {"null", "boolean", "boolean", "number", "string", "array", "object"};
	(void)state;
	for (uint32_t i = 0; i < v.count; i++)
		assert_string_equal(json_type_name(&v.items[i]), names[i]);
	arena_release(&a);
}

static void test_json_build__values_of_every_type(void **state)
{
	struct arena a = ARENA_INIT;
	struct json v = json_object(), list = json_array();
	(void)state;
	json_push(&a, &list, json_int(&a, -5));
	json_push(&a, &list, json_number(SLICE("1.50")));
	json_push(&a, &list, json_str("x"));
	json_push(&a, &list, json_string(SLICE_NONE));
	json_push(&a, &list, json_bool(1));
	json_push(&a, &list, json_bool(0));
	json_push(&a, &list, json_null);
	json_sets(&a, &v, "list", list);
	json_sets(&a, &v, "empty", json_array());
	json_sets(&a, &v, "list", json_array());
	json_sets(&a, &v, "list", list);
	assert_text(&v, "{\"list\":[-5,1.50,\"x\",\"\",true,false,null],\"empty\":[]}", &a);
	arena_release(&a);
}

static void test_json_sets_text__none_sets_nothing(void **state)
{
	struct arena a = ARENA_INIT;
	struct json v = json_object();
	(void)state;
	json_sets_text(&a, &v, "text", SLICE("x"));
	json_sets_text(&a, &v, "empty", SLICE(""));
	json_sets_text(&a, &v, "none", SLICE_NONE);
	json_sets_text(&a, &v, "text", SLICE_NONE);
	assert_text(&v, "{\"text\":\"x\",\"empty\":\"\"}", &a);
	arena_release(&a);
}

/* Against a plain array as the model: sets, replacements and removals in random order, across the size where the index
 * begins. */
static void test_json_set__agrees_with_a_model(void **state)
{
	enum { KEYS = 90 };
	struct arena a = ARENA_INIT;
	struct dice dice = dice_new();
	struct json v = json_object();
	int model[KEYS];
	uint32_t count = 0;
	(void)state;
	for (int i = 0; i < KEYS; i++)
		model[i] = -1;
	for (int i = 0; i < 20000; i++) {
		uint32_t k = dice_below(&dice, KEYS);
		struct slice key = arena_printf(&a, "key%u", k * 7919 % 1000);
		/* Mostly removals in every second stretch, so that the object shrinks below the size again. */
		int removes = dice_below(&dice, 10) < (i / 500 % 2 ? 7u : 3u);
		count += removes ? -(uint32_t)(model[k] >= 0) : (uint32_t)(model[k] < 0);
		model[k] = removes ? -1 : i;
		if (removes)
			json_del(&v, key);
		else
			json_set(&a, &v, key, json_int(&a, i));
		assert_int_equal(v.count, count);
		uint32_t probe = dice_below(&dice, KEYS);
		const struct json *found = json_get(&v, arena_printf(&a, "key%u", probe * 7919 % 1000));
		assert_int_equal(found != NULL, model[probe] >= 0);
		if (found)
			assert_true(slice_eq(found->text, arena_printf(&a, "%d", model[probe])));
		if (i % 500 == 0)
			v = json_clone(&a, &v);
	}
	arena_release(&a);
}

static void test_json_del__keeps_order_of_the_others(void **state)
{
	struct arena a = ARENA_INIT;
	struct json v = read_ok("{\"a\":1,\"b\":2,\"c\":3}", &a);
	(void)state;
	json_del(&v, SLICE("none"));
	json_del(&v, SLICE("b"));
	assert_text(&v, "{\"a\":1,\"c\":3}", &a);
	json_del(&v, SLICE("a"));
	json_del(&v, SLICE("c"));
	assert_text(&v, "{}", &a);
	arena_release(&a);
}

static void test_json_clone__changes_do_not_reach_the_original(void **state)
{
	struct arena a = ARENA_INIT;
	struct json list = json_array(), object = json_object();
	(void)state;
	for (int i = 0; i < 5; i++)
		json_push(&a, &list, json_int(&a, i));
	struct json copy = json_clone(&a, &list);
	json_push(&a, &copy, json_str("copy"));
	json_push(&a, &list, json_str("list"));
	copy.items[0] = json_null;
	assert_text(&list, "[0,1,2,3,4,\"list\"]", &a);
	assert_text(&copy, "[null,1,2,3,4,\"copy\"]", &a);
	for (int i = 0; i < 30; i++)
		json_set(&a, &object, arena_printf(&a, "k%d", i), json_null);
	struct json other = json_clone(&a, &object);
	json_del(&other, SLICE("k3"));
	json_sets(&a, &other, "k4", json_true);
	json_sets(&a, &other, "new", json_true);
	assert_int_equal(object.count, 30);
	assert_true(json_is(json_gets(&object, "k3"), JSON_NULL));
	assert_true(json_is(json_gets(&object, "k4"), JSON_NULL));
	assert_null(json_gets(&object, "new"));
	assert_null(json_gets(&other, "k3"));
	assert_true(json_is(json_gets(&other, "new"), JSON_TRUE));
	arena_release(&a);
}

static void test_json_copy__borrows_nothing(void **state)
{
	struct arena a = ARENA_INIT, b = ARENA_INIT;
	struct dice dice = dice_new();
	(void)state;
	for (int i = 0; i < 300; i++) {
		struct json v = random_json(&dice, &a, 4), copy = json_copy(&b, &v);
		struct slice text = json_to_text(&v, JSON_PLAIN, &b);
		assert_true(json_eq(&v, &copy));
		arena_reset(&a);
		assert_true(slice_eq(json_to_text(&copy, JSON_PLAIN, &b), text));
	}
	arena_release(&a);
	arena_release(&b);
}

static void test_json_tame__odd_things_are_replaced(void **state)
{
	struct arena a = ARENA_INIT;
	struct json v =
	    read_ok("{\"a\":[\"\\u0000x\",\"\\ud800\",1e200000,1,{\"k\\u0000\":1,\"k\\ufffd\":2}],\"b\":true}", &a);
	struct json tame = json_tame(&a, &v), plain = read_ok("{\"a\":[1,\"x\"]}", &a);
	(void)state;
	assert_int_equal(json_odd(&v), JSON_ODD_NUL | JSON_ODD_SURROGATE | JSON_ODD_NUMBER);
	assert_text(&tame, "{\"a\":[\"\xef\xbf\xbdx\",\"\xef\xbf\xbd\",null,1,{\"k\xef\xbf\xbd\":2}],\"b\":true}", &a);
	assert_int_equal(json_odd(&tame), 0);
	assert_text(&v, "{\"a\":[\"\\u0000x\",\"\\ud800\",1e200000,1,{\"k\\u0000\":1,\"k\xef\xbf\xbd\":2}],\"b\":true}",
		    &a);
	assert_ptr_equal(json_tame(&a, &plain).members, plain.members);
	arena_release(&a);
}

/* 40,000 members: a comparison or lookup that is not ordered would take minutes under a sanitizer. */
static void test_json_eq__large_objects(void **state)
{
	enum { N = 40000 };
	struct arena a = ARENA_INIT;
	struct buf x = BUF_INIT(4 << 20), y = BUF_INIT(4 << 20);
	(void)state;
	for (int i = 0; i < N; i++) {
		buf_fmt(&x, "%s\"k%d\":%d", i ? "," : "{", i, i);
		buf_fmt(&y, "%s\"k%d\":%d.0", i ? "," : "{", N - 1 - i, N - 1 - i);
	}
	buf_ch(&x, '}');
	buf_ch(&y, '}');
	struct json v = read_ok(x.ptr, &a), w = read_ok(y.ptr, &a);
	assert_true(json_eq(&v, &w));
	assert_true(slice_eq(json_to_text(&v, JSON_CANONICAL, &a), json_to_text(&w, JSON_CANONICAL, &a)));
	json_sets(&a, &w, "k777", json_null);
	assert_false(json_eq(&v, &w));
	buf_release(&x);
	buf_release(&y);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_json_eq__numbers_by_value_objects_without_order),
	    cmocka_unit_test(test_json_get__only_objects_have_members),
	    cmocka_unit_test(test_json_type_name__names_the_six_types),
	    cmocka_unit_test(test_json_build__values_of_every_type),
	    cmocka_unit_test(test_json_sets_text__none_sets_nothing),
	    cmocka_unit_test(test_json_set__agrees_with_a_model),
	    cmocka_unit_test(test_json_del__keeps_order_of_the_others),
	    cmocka_unit_test(test_json_clone__changes_do_not_reach_the_original),
	    cmocka_unit_test(test_json_copy__borrows_nothing),
	    cmocka_unit_test(test_json_tame__odd_things_are_replaced),
	    cmocka_unit_test(test_json_eq__large_objects),
	};
	return cmocka_run_group_tests_name("json_value", tests, NULL, NULL);
}
