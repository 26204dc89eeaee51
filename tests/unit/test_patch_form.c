/* Forms: what their replay makes of a case, and the block they carry. */
#include "config.h"

#include "tests/unit/patch_fixture.h"

#include "replay/replay.h"

/* An empty case_name changes nothing, an update of `name` does. */
static void test_form__an_empty_name_is_written(void **state)
{
	struct fixture *f = *state;
	struct patch_plan plan = plan_of(f, "{\"_id\":\"c\",\"name\":null}",
					 "[{\"type\":\"type\",\"path\":[\"name\"],\"old\":null,\"new\":\"N\"}]");
	struct json body = patch_form_body(&plan, &stamp, &f->a);
	assert_json(json_gets(json_gets(&body, "case"), "update"), "{\"name\":\"\"}", &f->a);
}

static void test_form__replays_to_the_couch_case(void **state)
{
	struct fixture *f = *state;
	struct patch_plan plan = plan_of(
	    f,
	    "{\"_id\":\"c\\u0001\",\"type\":\"t\",\"name\":\"\",\"owner_id\":\"o\",\"user_id\":\"u\",\"closed\":true,"
	    "\"modified_on\":\"2015-01-01T00:00:00Z\",\"opened_on\":\"2014-01-01T00:00:00Z\"}",
	    "[{\"type\":\"diff\",\"path\":[\"a\"],\"old\":\"x\\u0000\\ud800\\uffff\\r\",\"new\":\"y\"},"
	    "{\"type\":\"missing\",\"path\":[\"with blank\"],\"old\":\"]]>\"},"
	    "{\"type\":\"diff\",\"path\":[\"name\"],\"old\":\"\",\"new\":\"N\"},"
	    "{\"type\":\"diff\",\"path\":[\"closed\"],\"old\":true,\"new\":false},"
	    "{\"type\":\"missing\",\"path\":[\"indices\",0],\"old\":{\"identifier\":\"i/1\",\"referenced_type\":\"h\","
	    "\"referenced_id\":\"h-1\",\"relationship\":\"extension\"}}]");
	struct json body = patch_form_body(&plan, &stamp, &f->a), back = read_xml(xml_of(&body, &f->a), &f->a), block;
	struct replay_form form = {.form_id = stamp.form_id, .received_on = stamp.received_on, .body = &back};
	struct replay_txn_list txns = {0};
	struct replay_case folded;
	struct err err = ERR_INIT;
	assert_true(json_eq(&body, &back));
	assert_int_equal(patch_block_of(&back, &f->a, &block, &err), 0);
	assert_true(json_eq(&block, &plan.block));
	assert_int_equal(replay_form_blocks(&form, &f->a, &txns, &err), 0);
	assert_int_equal(txns.n, 1);
	assert_int_equal(txns.v[0].kind, REPLAY_PATCH);
	replay_fold(&replay_dialect_sql, txns.v, txns.n, &f->a, &folded);
	assert_true(slice_eq(folded.case_id, (struct slice){"c\x01", 2}));
	assert_true(
	    slice_eq(json_get_text(&folded.properties, "a"), (struct slice){"x\0\xed\xa0\x80\xef\xbf\xbf\r", 9}));
	assert_true(slice_is(json_get_text(&folded.properties, "with blank"), "]]>"));
	assert_true(folded.name.ptr && folded.name.len == 0);
	assert_true(slice_is(folded.opened_on, "2014-01-01T00:00:00.000000Z"));
	assert_true(slice_is(folded.modified_on, "2015-01-01T00:00:00.000000Z"));
	assert_int_equal(folded.closed, 1);
	assert_json(&folded.indices,
		    "[{\"identifier\":\"i/1\",\"referenced_type\":\"h\",\"referenced_id\":\"h-1\",\"relationship\":"
		    "\"extension\"}]",
		    &f->a);
}

static void test_form__without_actions_only_records(void **state)
{
	struct fixture *f = *state;
	struct patch_plan plan =
	    plan_of(f, CASE "}", "[{\"type\":\"diff\",\"path\":[\"opened_by\"],\"old\":\"a\",\"new\":\"b\"}]");
	struct json body = patch_form_body(&plan, &stamp, &f->a);
	struct replay_form form = {.form_id = stamp.form_id, .received_on = stamp.received_on, .body = &body};
	struct replay_txn_list txns = {0};
	struct err err = ERR_INIT;
	assert_int_equal(replay_form_blocks(&form, &f->a, &txns, &err), 0);
	assert_int_equal(txns.n, 1);
	assert_int_equal(txns.v[0].kind, REPLAY_PATCH);
	assert_int_equal(txns.v[0].actions.count, 1);
}

static void test_form__date_of_the_block(void **state)
{
	static const struct {
		const char *couch, *wanted;
	} t[] = {
	    {"{\"_id\":\"c\",\"modified_on\":\"2015-01-01T00:00:00Z\"}", "2015-01-01T00:00:00Z"},
	    {"{\"_id\":\"c\",\"@date_modified\":\"2015-01-02\"}", "2015-01-02"},
	    {"{\"_id\":\"c\",\"modified_on\":\"soon\"}", "2014-01-01"},
	    {"{\"_id\":\"c\"}", "2014-01-01"},
	};
	struct fixture *f = *state;
	struct patch_stamp s = stamp;
	s.modified_on = SLICE("2014-01-01");
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct patch_plan plan =
		    plan_of(f, t[i].couch, "[{\"type\":\"diff\",\"path\":[\"a\"],\"old\":\"x\",\"new\":\"y\"}]");
		struct json body = patch_form_body(&plan, &s, &f->a);
		assert_true(slice_is(json_get_text(json_gets(&body, "case"), "@date_modified"), t[i].wanted));
	}
}

static void test_block_of__a_form_without_or_with_a_broken_block(void **state)
{
	static const struct {
		const char *body;
		int code;
	} t[] = {{"{}", ERR_NOTFOUND}, {"{\"diff\":\"{\"}", ERR_SYNTAX}, {"{\"diff\":\"[]\"}", ERR_SYNTAX}};
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct json body = read_json(t[i].body, &f->a), block;
		struct err err = ERR_INIT;
		assert_int_equal(patch_block_of(&body, &f->a, &block, &err), t[i].code);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_form__an_empty_name_is_written),
	    cmocka_unit_test(test_form__replays_to_the_couch_case),
	    cmocka_unit_test(test_form__without_actions_only_records),
	    cmocka_unit_test(test_form__date_of_the_block),
	    cmocka_unit_test(test_block_of__a_form_without_or_with_a_broken_block),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
