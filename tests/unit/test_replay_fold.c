#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/random_json.h"
#include "tests/unit/replay_forms.h"

/* ---- any order of arrival gives the same case ---- */

static struct json pick(struct dice *d, const char *const *texts, uint32_t n)
{
	return json_str(texts[dice_below(d, n)]);
}

static struct json random_changes(struct dice *d, struct arena *a)
{
	static const char *const names[] = {"case_name", "case_type", "owner_id",   "external_id", "date_opened",
					    "village",   "name",      "hq_user_id", "closed"};
	static const char *const values[] = {"", "a", "b", "2016-01-01", "2016-01-02T00:00:00Z"};
	struct json out = json_object();
	for (uint32_t i = dice_below(d, 4); i > 0; i--)
		json_sets(a, &out, names[dice_below(d, 9)], pick(d, values, 5));
	return out;
}

static struct json random_index(struct dice *d, struct arena *a)
{
	static const char *const names[] = {"parent", "host"}, *const ids[] = {"", "h1", "h2"};
	struct json index = json_object(), child = json_object();
	json_sets(a, &child, "@case_type", json_str("t"));
	json_sets(a, &child, "#text", pick(d, ids, 3));
	json_sets(a, &index, names[dice_below(d, 2)], child);
	return index;
}

static struct json random_attachment(struct dice *d, struct arena *a)
{
	static const char *const names[] = {"photo", "sound"}, *const sources[] = {"", "p.jpg", "q.jpg"};
	struct json attachment = json_object(), child = json_object();
	json_sets(a, &child, "@src", pick(d, sources, 3));
	json_sets(a, &attachment, names[dice_below(d, 2)], child);
	return attachment;
}

static struct json random_block(struct dice *d, struct arena *a)
{
	static const char *const cases[] = {"c1", "c2"}, *const users[] = {"u1", "u2"};
	static const char *const dates[] = {"2016-01-01", "2016-01-02T10:00:00+02:00", "2016-01-02T08:00:00Z",
					    "2015-08-014"};
	struct json block = json_object();
	json_sets(a, &block, "@xmlns", json_str("http://commcarehq.org/case/transaction/v2"));
	json_sets(a, &block, "@case_id", pick(d, cases, 2));
	if (dice_below(d, 5))
		json_sets(a, &block, "@user_id", pick(d, users, 2));
	if (dice_below(d, 5))
		json_sets(a, &block, "@date_modified", pick(d, dates, 4));
	if (dice_below(d, 3) == 0)
		json_sets(a, &block, "create", random_changes(d, a));
	if (dice_below(d, 2))
		json_sets(a, &block, "update", random_changes(d, a));
	if (dice_below(d, 6) == 0)
		json_sets(a, &block, "close", json_str(""));
	if (dice_below(d, 3) == 0)
		json_sets(a, &block, "index", random_index(d, a));
	if (dice_below(d, 3) == 0)
		json_sets(a, &block, "attachment", random_attachment(d, a));
	return block;
}

static struct json random_forms(struct dice *d, struct arena *a)
{
	static const char *const dates[] = {"2016-01-01T10:00:00Z",
					    "2016-01-01T11:00:00+01:00",
					    "2016-01-01T10:00:00.000001Z",
					    "2016-02-01",
					    "odd",
					    "worse"};
	struct json forms = json_array();
	for (uint32_t i = 2 + dice_below(d, 6); i > 0; i--) {
		struct json form = json_object(), body = json_object(), blocks = json_array();
		for (uint32_t j = dice_below(d, 4); j > 0; j--)
			json_push(a, &blocks, random_block(d, a));
		json_sets(a, &body, "case", blocks);
		json_sets(a, &form, "_id", json_string(arena_printf(a, "%c%u", "fab"[dice_below(d, 3)], (unsigned)i)));
		if (dice_below(d, 8))
			json_sets(a, &form, "received_on", pick(d, dates, 6));
		json_sets(a, &form, "form", body);
		json_push(a, &forms, form);
	}
	return forms;
}

static void shuffle(struct dice *d, struct json *array)
{
	for (uint32_t i = array->count; i > 1; i--) {
		uint32_t j = dice_below(d, i);
		struct json item = array->items[i - 1];
		array->items[i - 1] = array->items[j];
		array->items[j] = item;
	}
}

static struct json fold_forms(const struct replay_dialect *d, const struct json *forms, struct arena *a)
{
	struct replay_txn_list txns = {0};
	struct err err = ERR_INIT;
	struct json out = json_array();
	if (blocks_of_forms(forms, a, &txns, &err) != 0)
		fail_msg("%s", err.msg);
	json_push(a, &out, fold_and_dump(d, &txns, SLICE("c1"), a));
	json_push(a, &out, fold_and_dump(d, &txns, SLICE("c2"), a));
	return out;
}

static void test_replay_fold__order_of_arrival_does_not_matter(void **state)
{
	struct dice dice = dice_new();
	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct arena a = ARENA_INIT;
		struct json forms = random_forms(&dice, &a);
		struct json couch = fold_forms(&replay_dialect_couch, &forms, &a),
			    sql = fold_forms(&replay_dialect_sql, &forms, &a);
		for (int j = 0; j < 4; j++) {
			shuffle(&dice, &forms);
			struct json again = fold_forms(&replay_dialect_couch, &forms, &a);
			assert_true(json_eq(&couch, &again));
			again = fold_forms(&replay_dialect_sql, &forms, &a);
			assert_true(json_eq(&sql, &again));
		}
		arena_release(&a);
	}
}

/* ---- the fold is total ---- */

static void test_replay_fold__no_transaction_is_an_empty_case(void **state)
{
	struct arena a = ARENA_INIT;
	struct replay_case c;
	(void)state;
	replay_fold(&replay_dialect_sql, NULL, 0, &a, &c);
	assert_null(c.case_id.ptr);
	assert_int_equal(c.n_forms, 0);
	assert_int_equal(c.properties.count, 0);
	assert_null(c.server_modified_on.ptr);
	arena_release(&a);
}

static void test_replay_fold__actions_of_another_shape_are_passed_over(void **state)
{
	static const char *const shapes[] = {
	    "null",
	    "{}",
	    "[]",
	    "[1,2,3]",
	    "[{\"date\":5},{\"action\":7},{\"action\":\"update\",\"known\":[1],\"properties\":\"x\"}]",
	    "[{},{\"action\":\"create\",\"known\":{\"name\":5,\"other\":\"x\"}}]",
	    "[{},{\"action\":\"index\",\"indices\":{\"a\":1}}]",
	    "[{},{\"action\":\"attachment\",\"attachments\":[1]},{\"action\":\"unheard\"}]",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct arena a = ARENA_INIT;
		struct err err = ERR_INIT;
		struct replay_txn txn = {.case_id = SLICE("c"), .form_id = SLICE("f"), .at = REPLAY_AT_UNREADABLE};
		struct replay_case c;
		assert_int_equal(json_read(slice_of(shapes[i]), &a, 0, &txn.actions, NULL, &err), 0);
		replay_fold(&replay_dialect_sql, &txn, 1, &a, &c);
		assert_int_equal(c.n_forms, 1);
		assert_null(c.name.ptr);
		assert_int_equal(c.properties.count, 0);
		assert_int_equal(c.indices.count, 0);
		arena_release(&a);
	}
}

static void test_replay_form_blocks__appends_and_takes_nothing_back_but_its_own(void **state)
{
	struct arena a = ARENA_INIT;
	struct replay_txn_list txns = {0};
	struct err err = ERR_INIT;
	struct json body;
	(void)state;
	const char *text =
	    "{\"case\":[{\"case_id\":\"c1\",\"close\":\"\"},{\"case_id\":\"c2\",\"date_modified\":\"never\"}]}";
	struct replay_form form = {.form_id = SLICE("f0")};
	assert_int_equal(json_read(SLICE("{\"case\":{\"case_id\":\"c0\"}}"), &a, 0, &body, NULL, &err), 0);
	form.body = &body;
	assert_int_equal(replay_form_blocks(&form, &a, &txns, &err), 0);
	assert_int_equal(txns.n, 1);
	assert_int_equal(json_read(slice_of(text), &a, 0, &body, NULL, &err), 0);
	assert_int_equal(replay_form_blocks(&form, &a, &txns, &err), ERR_SYNTAX);
	assert_string_equal(err.msg, "case block 2 (case c2): date_modified \"never\" is no date");
	assert_int_equal(txns.n, 1);
	form.body = NULL;
	assert_int_equal(replay_form_blocks(&form, &a, &txns, &err), 0);
	assert_int_equal(txns.n, 1);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_replay_fold__order_of_arrival_does_not_matter),
	    cmocka_unit_test(test_replay_fold__no_transaction_is_an_empty_case),
	    cmocka_unit_test(test_replay_fold__actions_of_another_shape_are_passed_over),
	    cmocka_unit_test(test_replay_form_blocks__appends_and_takes_nothing_back_but_its_own),
	};
	return cmocka_run_group_tests_name("replay_fold", tests, NULL, NULL);
}
