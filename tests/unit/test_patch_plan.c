/* Plans: what a form can write, what must be recorded, and when a case is patched already. */
#include "config.h"

#include "tests/unit/patch_fixture.h"

static void test_plan__refusals_name_the_path(void **state)
{
	static const struct {
		const char *diffs, *why;
	} t[] = {
	    {"[{\"type\":\"diff\",\"path\":[\"domain\"],\"old\":\"x\",\"new\":\"y\"}]", "[\"domain\"]: no form"},
	    {"[{\"type\":\"missing\",\"path\":[\"actions\",0],\"new\":1}]", "[\"actions\",0]: no form"},
	    {"[{\"type\":\"missing\",\"path\":[\"*\"],\"new\":\"present\"}]", "[\"*\"]: no form"},
	    {"[{\"type\":\"missing\",\"path\":[\"*\"],\"old\":\"*\"},{\"type\":\"missing\",\"path\":[\"a\"],\"old\":"
	     "\"1\"}]",
	     "[\"*\"]: no form"},
	    {"[{\"type\":\"type\",\"path\":[\"age\"],\"old\":27,\"new\":\"27\"}]",
	     "[\"age\"]: the property is not text"},
	    {"[{\"type\":\"diff\",\"path\":[\"p\",\"q\"],\"old\":\"1\",\"new\":\"2\"}]", "[\"p\",\"q\"]: a part of"},
	    {"[{\"type\":\"diff\",\"path\":[\"update\"],\"old\":\"1\",\"new\":\"2\"}]",
	     "[\"update\"]: a form cannot set a property"},
	    {"[{\"type\":\"diff\",\"path\":[\"date_opened\"],\"old\":\"1\",\"new\":\"2\"}]",
	     "[\"date_opened\"]: a form cannot set a property"},
	    {"[{\"type\":\"diff\",\"path\":[\"indices\",0,\"referenced_id\"],\"old\":\"1\",\"new\":\"2\"}]",
	     "[\"indices\",0,\"referenced_id\"]: only a whole index"},
	    {"[{\"type\":\"diff\",\"path\":[\"indices\",0],\"old\":{\"identifier\":\"a\"},\"new\":{\"identifier\":"
	     "\"b\"}}]",
	     "[\"indices\",0]: only a whole index"},
	    {"[{\"type\":\"missing\",\"path\":[\"indices\",0],\"old\":{\"identifier\":\"@a\"}}]",
	     "[\"indices\",0]: a form cannot name"},
	    {"[]", "nothing to patch"},
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct patch_plan plan = plan_of(f, CASE "}", t[i].diffs);
		if (!plan.refused.ptr || !slice_starts(plan.refused, slice_of(t[i].why)))
			fail_msg("%s: refused: %.*s", t[i].diffs, SLICE_ARG(plan.refused));
	}
}

static void test_plan__no_couch_case_is_refused(void **state)
{
	struct fixture *f = *state;
	struct diff_list diffs = read_diffs("[{\"type\":\"missing\",\"path\":[\"*\"],\"new\":\"present\"}]", &f->a);
	struct patch_plan plan;
	patch_plan(&f->commcare.patch, NULL, &diffs, &f->a, &plan);
	assert_true(slice_is(plan.refused, "there is no Couch case"));
}

static void test_plan__lost_case_is_written_whole(void **state)
{
	struct fixture *f = *state;
	struct patch_plan plan = plan_of(
	    f,
	    CASE ",\"closed\":true,\"p\":\"1\",\"@x\":\"2\",\"version\":\"2.0\",\"none\":null,\"location_id\":\"l\","
		 "\"indices\":[{\"identifier\":\"i\",\"referenced_type\":\"t\",\"referenced_id\":\"r\"}]}",
	    "[{\"type\":\"missing\",\"path\":[\"*\"],\"old\":\"*\",\"reason\":\"orphaned case\"}]");
	assert_null(plan.refused.ptr);
	assert_int_equal(plan.actions, PATCH_CREATE | PATCH_UPDATE | PATCH_CLOSE);
	assert_json(&plan.properties, "{\"p\":\"1\"}", &f->a);
	assert_json(&plan.indices,
		    "{\"i\":{\"referenced_type\":\"t\",\"referenced_id\":\"r\",\"relationship\":\"child\"}}", &f->a);
	plan = plan_of(f, CASE ",\"p\":{\"q\":1}}", "[{\"type\":\"missing\",\"path\":[\"*\"],\"old\":\"*\"}]");
	assert_non_null(plan.refused.ptr);
}

/* BEHAVIOUR 9.3: only the first name of a path is looked at. */
static void test_plan__a_renamed_field_or_a_location_asks_for_no_update(void **state)
{
	struct fixture *f = *state;
	struct patch_plan plan = plan_of(
	    f, CASE "}", "[{\"type\":\"complex\",\"path\":[\"@user_id\",\"user_id\"],\"old\":\"v\",\"new\":\"u\"}]");
	assert_null(plan.refused.ptr);
	assert_int_equal(plan.actions, 0);
	plan = plan_of(f, CASE "}", "[{\"type\":\"diff\",\"path\":[\"location_id\"],\"old\":\"v\",\"new\":\"u\"}]");
	assert_null(plan.refused.ptr);
	assert_int_equal(plan.actions, 0);
	assert_json(
	    &plan.block,
	    "{\"case_id\":\"c\",\"diffs\":[{\"path\":[\"location_id\"],\"patch\":true,\"old\":\"v\",\"new\":\"u\"}]}",
	    &f->a);
}

static void test_plan__an_index_put_and_removed_is_put(void **state)
{
	struct fixture *f = *state;
	struct patch_plan plan = plan_of(
	    f, CASE "}",
	    "[{\"type\":\"missing\",\"path\":[\"indices\",0],\"old\":{\"identifier\":\"i\",\"referenced_type\":\"t\","
	    "\"referenced_id\":\"r\",\"relationship\":\"extension\"}},"
	    "{\"type\":\"missing\",\"path\":[\"indices\",\"[*]\"],\"new\":{\"identifier\":\"i\"}}]");
	assert_json(&plan.indices,
		    "{\"i\":{\"referenced_type\":\"t\",\"referenced_id\":\"r\",\"relationship\":\"extension\"}}",
		    &f->a);
}

static void test_block__is_sorted_by_path_with_numbers_as_numbers(void **state)
{
	struct fixture *f = *state;
	struct patch_plan plan =
	    plan_of(f, CASE "}",
		    "[{\"type\":\"missing\",\"path\":[\"indices\",10],\"new\":{\"identifier\":\"j\"}},"
		    "{\"type\":\"missing\",\"path\":[\"indices\",9],\"new\":{\"identifier\":\"i\"}},"
		    "{\"type\":\"diff\",\"path\":[\"a\"],\"old\":\"1\",\"new\":null,\"reason\":\"why\"}]");
	assert_json(
	    &plan.block,
	    "{\"case_id\":\"c\",\"diffs\":[{\"path\":[\"a\"],\"patch\":true,\"old\":\"1\",\"new\":null,\"reason\":"
	    "\"why\"},{\"path\":[\"indices\",9],\"patch\":true,\"new\":{\"identifier\":\"i\"}},"
	    "{\"path\":[\"indices\",10],\"patch\":true,\"new\":{\"identifier\":\"j\"}}]}",
	    &f->a);
}

#define MISMATCH(couch, sql) \
	"{\"type\":\"set_mismatch\",\"path\":[\"xform_ids\",\"[*]\"],\"old\":\"" couch "\",\"new\":\"" sql "\"}"
#define CLOSED_ON(old_value, new_value) \
	"{\"type\":\"type\",\"path\":[\"closed_on\"],\"old\":" old_value ",\"new\":" new_value "}"

static void test_patched__what_is_left_must_be_recorded(void **state)
{
	static const char block_text[] =
	    "{\"case_id\":\"c\",\"diffs\":[{\"path\":[\"closed_on\"],\"patch\":false,\"old\":\"x\",\"new\":null},"
	    "{\"path\":[\"colour\"],\"patch\":true,\"new\":\"red\"}]}";
	static const struct {
		const char *diffs;
		int patched;
	} t[] = {
	    {"[" MISMATCH("", "f1,f2") "]", 1},
	    {"[" MISMATCH("", "f12") "]", 0},
	    {"[" MISMATCH("", "f2") "]", 0},
	    {"[" MISMATCH("g", "f1") "]", 0},
	    {"[]", 0},
	    {"[" MISMATCH("", "f1") "," CLOSED_ON("\"x\"", "\"anything\"") "]", 1},
	    {"[" MISMATCH("", "f1") "," CLOSED_ON("\"y\"", "null") "]", 0},
	    {"[" MISMATCH("", "f1") ",{\"type\":\"missing\",\"path\":[\"colour\"],\"new\":\"\"}]", 1},
	    {"[" MISMATCH("", "f1") ",{\"type\":\"missing\",\"path\":[\"colour\"],\"new\":\"red\"}]", 0},
	    {"[" MISMATCH("", "f1") ",{\"type\":\"missing\",\"path\":[\"other\"],\"new\":\"\"}]", 0},
	    {"[" MISMATCH("", "f1") ",{\"type\":\"diff\",\"path\":[\"name\"],\"old\":\"a\",\"new\":\"b\"}]", 0},
	};
	struct fixture *f = *state;
	struct json block = read_json(block_text, &f->a);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct diff_list diffs = read_diffs(t[i].diffs, &f->a);
		if (patch_is_patched(&f->commcare.patch, &diffs, &block, SLICE("f1"), &f->a) != t[i].patched)
			fail_msg("%s", t[i].diffs);
	}
}

static void test_patched__form_ids_of_couch_may_be_recorded(void **state)
{
	struct fixture *f = *state;
	struct json block =
	    read_json("{\"diffs\":[{\"path\":[\"xform_ids\",\"[*]\"],\"patch\":false,\"old\":\"g\",\"new\":"
		      "\"\"}]}",
		      &f->a);
	struct diff_list diffs = read_diffs("[" MISMATCH("g", "f1") "]", &f->a);
	assert_true(patch_is_patched(&f->commcare.patch, &diffs, &block, SLICE("f1"), &f->a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_plan__refusals_name_the_path),
	    cmocka_unit_test(test_plan__no_couch_case_is_refused),
	    cmocka_unit_test(test_plan__lost_case_is_written_whole),
	    cmocka_unit_test(test_plan__a_renamed_field_or_a_location_asks_for_no_update),
	    cmocka_unit_test(test_plan__an_index_put_and_removed_is_put),
	    cmocka_unit_test(test_block__is_sorted_by_path_with_numbers_as_numbers),
	    cmocka_unit_test(test_patched__what_is_left_must_be_recorded),
	    cmocka_unit_test(test_patched__form_ids_of_couch_may_be_recorded),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
