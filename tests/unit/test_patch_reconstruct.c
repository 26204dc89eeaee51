/* The way back from a form to the document before. Properties over random values print their seed. */
#include "config.h"

#include "tests/unit/patch_fixture.h"
#include "tests/unit/random_json.h"

static struct json random_object(struct dice *d, struct arena *a)
{
	struct json v;
	do
		v = random_json(d, a, 4);
	while (v.type != JSON_OBJECT);
	return v;
}

/* Some members put, some removed, lists longer and shorter. */
static struct json changed_json(struct dice *d, struct arena *a, const struct json *v)
{
	struct json out = json_clone(a, v);
	if (v->type == JSON_OBJECT) {
		for (uint32_t i = 0; i < v->count; i++) {
			uint32_t what = dice_below(d, 6);
			if (what == 0)
				json_del(&out, v->members[i].key);
			else if (what == 1)
				json_set(a, &out, v->members[i].key, random_json(d, a, 2));
			else if (what == 2)
				json_set(a, &out, v->members[i].key, changed_json(d, a, &v->members[i].value));
		}
		json_set(a, &out, random_text(d, a), random_json(d, a, 2));
	} else if (v->type == JSON_ARRAY) {
		out = json_array();
		for (uint32_t i = 0; i < v->count; i++)
			if (dice_below(d, 5))
				json_push(a, &out, dice_below(d, 5) ? v->items[i] : random_json(d, a, 2));
		if (dice_below(d, 2))
			json_push(a, &out, random_json(d, a, 2));
	}
	return out;
}

static void test_reconstruct__gives_back_the_document_before(void **state)
{
	struct fixture *f = *state;
	struct dice d = dice_new();
	for (int i = 0; i < 400; i++) {
		struct arena a = ARENA_INIT;
		struct json before = random_object(&d, &a), after = changed_json(&d, &a, &before),
			    block = json_object();
		struct json body = json_object(), back, read;
		struct diff_list diffs = {0};
		struct patch_plan plan = {.block = json_object(), .couch = &after};
		struct err err = ERR_INIT;
		json_sets(&a, &plan.block, "diffs", json_array());
		diff_json(&after, &before, &a, &diffs);
		for (size_t k = 0; k < diffs.n; k++)
			if (dice_below(&d, 2))
				patch_plan_record(&f->commcare.patch, &diffs.v[k], &before, &a, &plan);
		block = plan.block;
		patch_block_set_before(&block, &before, &after, &a);
		json_sets(&a, &body, "#type", json_str("system"));
		json_sets(&a, &body, "diff", json_string(json_to_text(&block, JSON_PLAIN, &a)));
		body = read_xml(xml_of(&body, &a), &a);
		assert_int_equal(patch_block_of(&body, &a, &read, &err), 0);
		if (patch_reconstruct(&read, &after, &a, &back, &err))
			fail_msg("%s: %.*s", err.msg, SLICE_ARG(json_to_text(&block, JSON_PLAIN, &a)));
		assert_true(
		    slice_eq(json_to_text(&back, JSON_CANONICAL, &a), json_to_text(&before, JSON_CANONICAL, &a)));
		arena_release(&a);
	}
}

/* Random documents through the whole way: differences, form, XML, and back to both sides. */
static void test_document__its_form_tells_both_sides(void **state)
{
	struct dice d = dice_new();
	for (int i = 0; i < 500; i++) {
		struct arena a = ARENA_INIT;
		struct err err = ERR_INIT;
		struct diff_list diffs = {0};
		struct json before = random_object(&d, &a), after = changed_json(&d, &a, &before), block, read, said,
			    doc;
		struct slice id = random_text(&d, &a);
		struct patch_document document = {.id = id,
						  .rev = SLICE("1-x"),
						  .kind = random_text(&d, &a),
						  .text = json_to_text(&after, JSON_PLAIN, &a)};
		diff_json(&after, &before, &a, &diffs);
		block = patch_document_block(id, &diffs, &a);
		patch_block_set_before(&block, &before, &after, &a);
		struct json body = patch_document_body(&document, &block, &stamp, &a);
		body = read_xml(xml_of(&body, &a), &a);
		assert_int_equal(patch_document_of(&body, &document, &err), 0);
		assert_int_equal(patch_block_of(&body, &a, &read, &err), 0);
		assert_true(json_eq(&read, &block));
		assert_int_equal(json_read(document.text, &a, 0, &doc, NULL, &err), 0);
		assert_true(json_eq(&doc, &after) && slice_eq(document.id, id) && slice_is(document.rev, "1-x"));
		assert_int_equal(patch_reconstruct(&read, &doc, &a, &said, &err), 0);
		assert_true(
		    slice_eq(json_to_text(&said, JSON_CANONICAL, &a), json_to_text(&before, JSON_CANONICAL, &a)));
		arena_release(&a);
	}
	(void)state;
}

static void test_document__a_form_of_a_case_or_without_text_is_told(void **state)
{
	struct arena a = ARENA_INIT;
	struct err err = ERR_INIT;
	struct patch_document document;
	struct json of_case = read_json("{\"case\":{\"@case_id\":\"c\"}}", &a),
		    no_text = read_json("{\"document\":{\"@id\":\"c\",\"@kind\":\"k\"}}", &a);
	(void)state;
	assert_int_equal(patch_document_of(&of_case, &document, &err), ERR_NOTFOUND);
	assert_int_equal(patch_document_of(&no_text, &document, &err), ERR_SYNTAX);
	arena_release(&a);
}

static void test_reconstruct__no_document_before_is_null(void **state)
{
	struct fixture *f = *state;
	struct json after = read_json("{\"a\":1}", &f->a), block = json_object(), back;
	struct err err = ERR_INIT;
	assert_int_equal(patch_reconstruct(&block, &after, &f->a, &back, &err), ERR_NOTFOUND);
	patch_block_set_before(&block, NULL, &after, &f->a);
	assert_int_equal(patch_reconstruct(&block, &after, &f->a, &back, &err), 0);
	assert_int_equal(back.type, JSON_NULL);
}

static void test_reconstruct__another_document_or_block_is_told(void **state)
{
	static const char *const broken[] = {
	    "{\"before\":{}}",
	    "{\"before\":{\"edits\":[{}],\"sha256\":\"\"}}",
	    "{\"before\":{\"edits\":[{\"path\":[\"x\",\"y\"],\"value\":1}],\"sha256\":\"\"}}",
	    "{\"before\":{\"edits\":[{\"path\":[\"none\"]}],\"sha256\":\"\"}}",
	    "{\"before\":{\"edits\":[{\"path\":[0],\"value\":1}],\"sha256\":\"\"}}",
	    "{\"before\":{\"edits\":[{\"path\":[\"l\"],\"at\":3,\"drop\":0,\"put\":[]}],\"sha256\":\"\"}}",
	    "{\"before\":{\"edits\":[{\"path\":[\"l\"],\"at\":0,\"drop\":9,\"put\":[]}],\"sha256\":\"\"}}",
	    "{\"before\":{\"edits\":[{\"path\":[]}],\"sha256\":\"\"}}",
	};
	struct fixture *f = *state;
	struct json before = read_json("{\"a\":1,\"l\":[1,2]}", &f->a), after = read_json("{\"a\":2,\"l\":[2]}", &f->a);
	struct json block = json_object(), back;
	struct err err = ERR_INIT;
	patch_block_set_before(&block, &before, &after, &f->a);
	json_sets(&f->a, &after, "b", json_true);
	assert_int_equal(patch_reconstruct(&block, &after, &f->a, &back, &err), ERR_SYNTAX);
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		block = read_json(broken[i], &f->a);
		if (patch_reconstruct(&block, &after, &f->a, &back, &err) != ERR_SYNTAX)
			fail_msg("%s", broken[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reconstruct__gives_back_the_document_before),
	    cmocka_unit_test(test_document__its_form_tells_both_sides),
	    cmocka_unit_test(test_document__a_form_of_a_case_or_without_text_is_told),
	    cmocka_unit_test(test_reconstruct__no_document_before_is_null),
	    cmocka_unit_test(test_reconstruct__another_document_or_block_is_told),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
