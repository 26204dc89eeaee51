/* A form as a row and back, word for word, or a reject. */
#include "config.h"

#include "tests/unit/mapping_forms.h"
#include "tests/unit/random_json.h"

#include <stdio.h>

static void assert_round_trip(const char *text, const struct profile_kind *kind)
{
	struct arena a = ARENA_INIT;
	struct sql_row row = stored_ok(text, kind, &a);
	struct json got = document_ok(&row, &a);
	assert_json_text(&got, text, &a);
	arena_release(&a);
}

static void test_mapping_form__columns_take_what_they_can_give_back(void **state)
{
	struct arena a = ARENA_INIT;
	(void)state;
	struct sql_row row = stored_ok(
	    HEAD BODY ",\"xmlns\":\"http://x\",\"app_id\":\"app\",\"received_on\":\"2016-04-05T06:07:08.123456Z\","
		      "\"server_modified_on\":\"2016-04-05T06:07:09Z\",\"submit_ip\":null}",
	    &kind_form, &a);
	assert_text(row.cells[FORM_DOMAIN], "demo");
	assert_text(row.cells[FORM_ID], "f1");
	assert_text(row.cells[FORM_DOC_TYPE], "XFormInstance");
	assert_text(row.cells[FORM_COUCH_REV], "1-a");
	assert_text(row.cells[FORM_XMLNS], "http://x");
	assert_text(row.cells[FORM_APP_ID], "app");
	assert_text(row.cells[FORM_USER_ID], "u1");
	assert_text(row.cells[FORM_RECEIVED_ON], "2016-04-05T06:07:08.123456Z");
	assert_text(row.cells[FORM_SERVER_MODIFIED_ON], "2016-04-05T06:07:09.000000Z");
	assert_text(row.cells[FORM_BODY], "{\"#type\":\"data\",\"meta\":{\"userID\":\"u1\"},\"weight\":\"9.4\"}");
	assert_text(row.cells[FORM_EXTRA], "{\"server_modified_on\":\"2016-04-05T06:07:09Z\",\"submit_ip\":null}");
	assert_text(row.cells[FORM_RAW], NULL);
	assert_text(row.cells[FORM_DELETED], "f");
	assert_text(row.cells[FORM_DELETED_ON], NULL);
	arena_release(&a);
}

static void test_mapping_form__stored_as_another_type_comes_back_as_it_was(void **state)
{
	const char *text =
	    "{\"_id\":\"f1\",\"_rev\":\"1-a\",\"doc_type\":\"HQSubmission\",\"domain\":\"demo\"," BODY "}";
	struct arena a = ARENA_INIT;
	(void)state;
	struct sql_row row = stored_ok(text, &kind_submission, &a);
	struct json document = document_ok(&row, &a), sql;
	struct err err = ERR_INIT;
	assert_text(row.cells[FORM_DOC_TYPE], "XFormInstance");
	assert_json_text(&document, text, &a);
	assert_int_equal(mapping_form_sql_json(&row, &a, &sql, &err), 0);
	assert_json_text(&sql, HEAD BODY ",\"user_id\":\"u1\"}", &a);
	arena_release(&a);
}

static void test_mapping_form__deleted_kind_fills_the_deletion_columns(void **state)
{
	const char *text = "{\"_id\":\"f1\",\"_rev\":\"1-a\",\"doc_type\":\"XFormInstance-Deleted\",\"domain\":"
			   "\"demo\",\"-deletion_id\":\"d\","
			   "\"-deletion_date\":\"2016-04-05T06:07:08Z\",\"xmlns\":null}";
	struct arena a = ARENA_INIT;
	(void)state;
	struct sql_row row = stored_ok(text, &kind_deleted, &a);
	struct json document = document_ok(&row, &a), sql;
	assert_text(row.cells[FORM_DELETED], "t");
	assert_text(row.cells[FORM_DELETION_ID], "d");
	assert_text(row.cells[FORM_DELETED_ON], "2016-04-05T06:07:08.000000Z");
	assert_json_text(&document, text, &a);
	mapping_form_sql_json_of(&row, &document, &a, &sql);
	assert_text(json_get_text(&sql, "deletion_id"), "d");
	assert_text(json_get_text(&sql, "deleted_on"), "2016-04-05T06:07:08.000000Z");
	assert_text(json_get_text(&sql, "-deletion_id"), "d");
	assert_null(json_gets(&sql, "user_id"));
	arena_release(&a);
}

static void assert_sql_user(const char *fields, const char *wanted)
{
	struct arena a = ARENA_INIT;
	struct slice text = arena_printf(&a, HEAD "%s}", fields);
	struct sql_row row = stored_ok(text.ptr, &kind_form, &a);
	struct err err = ERR_INIT;
	struct json sql;
	assert_int_equal(mapping_form_sql_json(&row, &a, &sql, &err), 0);
	if (wanted)
		assert_json_text(json_gets(&sql, "user_id"), wanted, &a);
	else
		assert_null(json_gets(&sql, "user_id"));
	arena_release(&a);
}

static void test_mapping_form__sql_user_is_the_user_of_the_meta(void **state)
{
	(void)state;
	assert_sql_user(BODY, "\"u1\"");
	assert_sql_user(BODY ",\"user_id\":\"u2\"", "\"u1\"");
	assert_sql_user("\"form\":{},\"user_id\":\"u2\"", "null");
	assert_sql_user("\"form\":{\"meta\":{\"userID\":null}}", NULL);
}

static void test_mapping_form__deletion_of_a_kind_that_is_not_deleted_stays_beside(void **state)
{
	struct arena a = ARENA_INIT;
	(void)state;
	struct sql_row row =
	    stored_ok(HEAD "\"-deletion_id\":\"d\",\"-deletion_date\":\"2016-04-05T06:07:08Z\"}", &kind_form, &a);
	assert_text(row.cells[FORM_DELETION_ID], NULL);
	assert_text(row.cells[FORM_DELETED_ON], NULL);
	struct json document = document_ok(&row, &a);
	assert_text(json_get_text(&document, "-deletion_date"), "2016-04-05T06:07:08Z");
	arena_release(&a);
}

static void test_mapping_form__odd_shapes_come_back(void **state)
{
	(void)state;
	assert_round_trip(
	    HEAD "\"form\":null,\"xmlns\":5,\"app_id\":{},\"received_on\":\"yesterday\",\"server_modified_on\":null}",
	    &kind_form);
	assert_round_trip(HEAD "\"form\":\"text\",\"received_on\":\"2016-04-05\",\"user_id\":\"other\"}", &kind_form);
	assert_round_trip(HEAD "\"received_on\":\"2016-04-05T06:07:08+02:00\",\"a/"
			       "b\":{\"@x#.\":[1.10,3e0,-0,123456789012345678901234567890]}}",
			  &kind_form);
	assert_round_trip(HEAD "\"xmlns\":\"\",\"app_id\":\"\"}", &kind_form);
}

static void test_mapping_form__odd_values_come_back_from_raw(void **state)
{
	const char *text = HEAD "\"form\":{\"a\\u0000\":\"b\\u0000\",\"n\":1e200000,\"s\":\"\\ud800\",\"meta\":{"
				"\"userID\":\"\\udc00\"}},\"xmlns\":\"x\\u0000\"}";
	struct arena a = ARENA_INIT;
	(void)state;
	struct sql_row row = stored_ok(text, &kind_form, &a);
	assert_text(row.cells[FORM_RAW], text);
	assert_text(row.cells[FORM_XMLNS], "x\xef\xbf\xbd");
	assert_text(row.cells[FORM_USER_ID], "\xef\xbf\xbd");
	assert_text(row.cells[FORM_BODY], "{\"a\xef\xbf\xbd\":\"b\xef\xbf\xbd\",\"meta\":{\"userID\":\"\xef\xbf\xbd\"},"
					  "\"n\":null,\"s\":\"\xef\xbf\xbd\"}");
	struct json document = document_ok(&row, &a);
	assert_json_text(&document, text, &a);
	arena_release(&a);
}

static void test_mapping_form__changed_cell_beside_raw_is_seen(void **state)
{
	const char *text = HEAD "\"form\":{\"a\":\"b\\u0000\",\"w\":\"9.4\"},\"received_on\":\"2016-04-05T06:07:08Z\"}";
	static const int columns[] = {FORM_BODY,  FORM_EXTRA,   FORM_RECEIVED_ON,
				      FORM_XMLNS, FORM_USER_ID, FORM_COUCH_REV};
	static const char *const values[] = {
	    "{\"a\":\"b\xef\xbf\xbd\",\"w\":\"9.5\"}", "{}", "2016-04-05T06:07:09.000000Z", "x", "u", "2-b"};
	(void)state;
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		struct arena a = ARENA_INIT;
		struct json original = read_text(slice_of(text), &a);
		struct sql_row row = stored_ok(text, &kind_form, &a);
		struct json document = document_ok(&row, &a);
		assert_true(json_eq(&document, &original));
		row.cells[columns[i]] = slice_of(values[i]);
		document = document_ok(&row, &a);
		if (json_eq(&document, &original))
			fail_msg("column %d", columns[i]);
		arena_release(&a);
	}
}

static void test_mapping_form__changed_column_beside_extra_is_seen(void **state)
{
	struct arena a = ARENA_INIT;
	(void)state;
	struct sql_row row = stored_ok(HEAD BODY ",\"received_on\":\"2016-04-05T06:07:08Z\"}", &kind_form, &a);
	row.cells[FORM_RECEIVED_ON] = SLICE("2016-04-05T06:07:09.000000Z");
	row.cells[FORM_USER_ID] = SLICE_NONE;
	struct json document = document_ok(&row, &a);
	assert_text(json_get_text(&document, "received_on"), "2016-04-05T06:07:09.000000Z");
	assert_true(json_is(json_gets(&document, "user_id"), JSON_NULL));
	row.cells[FORM_RECEIVED_ON] = SLICE_NONE;
	document = document_ok(&row, &a);
	assert_true(json_is(json_gets(&document, "received_on"), JSON_NULL));
	arena_release(&a);
}

static void test_mapping_form__document_without_the_fields_of_key_columns(void **state)
{
	const char *text = "{\"_id\":\"f1\",\"doc_type\":7,\"form\":{}}";
	struct arena a = ARENA_INIT;
	(void)state;
	struct mapping_doc d = doc_of_text(slice_of(text), &kind_form, &a);
	d.rev = SLICE("1-a");
	struct mapping_form m = map_ok(&d, &a);
	struct sql_row row = stored_form(&m.form, &a);
	struct json document = document_ok(&row, &a);
	assert_json_text(&document, text, &a);
	row.cells[FORM_BODY] = SLICE("{\"x\":1}");
	document = document_ok(&row, &a);
	assert_json_text(json_gets(&document, "form"), "{\"x\":1}", &a);
	arena_release(&a);
}

static void test_mapping_form__feed_metadata_in_raw_is_left_out(void **state)
{
	struct arena a = ARENA_INIT;
	(void)state;
	struct mapping_doc d = doc_of_text(SLICE(HEAD "\"x\":\"\\u0000\"}"), &kind_form, &a);
	d.bytes = SLICE(HEAD "\"x\":\"\\u0000\",\"_conflicts\":[\"1-b\"]}");
	struct mapping_form m = map_ok(&d, &a);
	struct json document = document_ok(&m.form, &a);
	assert_same_json(&document, d.doc, &a);
	arena_release(&a);
}

static void test_mapping_form__cell_that_is_no_json_is_an_error(void **state)
{
	struct arena a = ARENA_INIT;
	struct err err = ERR_INIT;
	struct json out;
	(void)state;
	struct sql_row row = stored_ok(HEAD BODY ",\"x\":\"\\u0000\"}", &kind_form, &a);
	row.cells[FORM_RAW] = SLICE("{");
	assert_int_equal(mapping_form_document(&row, &a, &out, &err), ERR_SYNTAX);
	assert_non_null(strstr(err.msg, "forms.raw"));
	row.cells[FORM_BODY] = SLICE("");
	assert_int_equal(mapping_form_document(&row, &a, &out, &err), ERR_SYNTAX);
	assert_non_null(strstr(err.msg, "forms.body"));
	assert_int_equal(mapping_form_sql_json(&row, &a, &out, &err), ERR_SYNTAX);
	row.cells[FORM_BODY] = SLICE_NONE;
	row.cells[FORM_EXTRA] = SLICE("nil");
	assert_int_equal(mapping_form_document(&row, &a, &out, &err), ERR_SYNTAX);
	assert_non_null(strstr(err.msg, "forms.extra"));
	arena_release(&a);
}

static void assert_reject(const char *text, const char *why)
{
	struct arena a = ARENA_INIT;
	struct err err = ERR_INIT;
	struct mapping_form out;
	struct mapping_doc d = doc_of_text(slice_of(text), &kind_form, &a);
	assert_int_equal(mapping_form(&d, &a, &out, &err), ERR_SYNTAX);
	if (!strstr(err.msg, why))
		fail_msg("%s", err.msg);
	arena_release(&a);
}

static void test_mapping_form__what_cannot_be_a_key_is_a_reject(void **state)
{
	char text[4096];
	(void)state;
	assert_reject("{\"_id\":\"\"}", "the document's _id is empty");
	assert_reject("{\"_id\":\"a\\u0000b\"}", "the document's _id holds U+0000 or an unpaired surrogate");
	assert_reject("{\"_id\":\"\\udfff\"}", "the document's _id holds U+0000 or an unpaired surrogate");
	assert_reject(HEAD "\"form\":{\"case\":{\"@case_id\":\"\\ud800\",\"close\":\"\"}}}",
		      "a block's case id holds U+0000");
	assert_reject(HEAD "\"form\":{\"case\":{\"@case_id\":\"\",\"close\":\"\"}}}", "the case id is empty");
	snprintf(text, sizeof(text), "{\"_id\":\"%01001d\"}", 0);
	assert_reject(text, "the document's _id is longer than 1000 bytes");
	snprintf(text, sizeof(text), HEAD "\"external_blobs\":{\"%01001d\":{}}}", 0);
	assert_reject(text, "an attachment's name is longer than 1000 bytes");
	snprintf(text, sizeof(text),
		 HEAD "\"form\":{\"case\":" BLOCK "\"index\":{\"%01001d\":{\"@case_type\":\"t\"}}}}}", 0);
	assert_reject(text, "an index's name is longer than 1000 bytes");
	snprintf(text, sizeof(text), HEAD "\"form\":{\"case\":" BLOCK "\"attachment\":{\"%01001d\":\"\"}}}}", 0);
	assert_reject(text, "a case attachment's name is longer than 1000 bytes");
}

static void test_mapping_form__domain_that_cannot_be_a_key_is_a_reject(void **state)
{
	struct arena a = ARENA_INIT;
	struct err err = ERR_INIT;
	struct mapping_form out;
	struct sql_row row;
	(void)state;
	struct mapping_doc d = doc_of_text(SLICE("{\"_id\":\"a\"}"), &kind_form, &a);
	d.domain = SLICE("");
	assert_int_equal(mapping_form(&d, &a, &out, &err), ERR_SYNTAX);
	assert_string_equal(err.msg, "the domain is empty");
	assert_int_equal(mapping_document(&d, &a, &row, &err), ERR_SYNTAX);
	d.domain = SLICE("demo");
	d.id = SLICE("a\0b");
	assert_int_equal(mapping_document(&d, &a, &row, &err), ERR_SYNTAX);
	arena_release(&a);
}

static struct json random_date(struct dice *d, struct arena *a)
{
	static const char *const dates[] = {"2016-04-05T06:07:08.123456Z", "2016-04-05T06:07:08Z",       "2016-04-05",
					    "2016-04-05T06:07:08.5+02:00", "2016-13-05T06:07:08Z",       "",
					    "0001-01-01T00:00:00+12:00",   "9999-12-31T23:59:59.999999Z"};
	uint32_t n = dice_below(d, 10);
	return n < 8 ? json_str(dates[n]) : random_json(d, a, 1);
}

static struct json random_field(struct dice *d, struct arena *a, const char *name)
{
	if (strstr(name, "_on") || strstr(name, "_date"))
		return random_date(d, a);
	return random_json(d, a, strcmp(name, "form") == 0 ? 5 : 2);
}

static struct json nested(struct arena *a, uint32_t depth)
{
	struct json v = json_str("deep");
	for (uint32_t i = 0; i < depth; i++) {
		struct json outer = i % 2 ? json_array() : json_object();
		if (i % 2)
			json_push(a, &outer, v);
		else
			json_sets(a, &outer, "a/b@#.", v);
		v = outer;
	}
	return v;
}

static struct json random_form(struct dice *d, struct arena *a)
{
	static const char *const names[] = {"xmlns",
					    "app_id",
					    "received_on",
					    "server_modified_on",
					    "form",
					    "-deletion_id",
					    "-deletion_date",
					    "history",
					    "external_blobs",
					    "_attachments",
					    "problem",
					    "user_id",
					    "#export_tag",
					    "a/b",
					    "@x.y"};
	struct json doc = json_object();
	json_sets(a, &doc, "_id", json_str("f/1"));
	if (dice_below(d, 8))
		json_sets(a, &doc, "domain", dice_below(d, 8) ? json_str("demo") : random_json(d, a, 1));
	if (dice_below(d, 8))
		json_sets(a, &doc, "doc_type", dice_below(d, 2) ? json_str("XFormInstance") : json_str("HQSubmission"));
	if (dice_below(d, 8))
		json_sets(a, &doc, "_rev", json_str("1-a"));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (dice_below(d, 3))
			json_sets(a, &doc, names[i], random_field(d, a, names[i]));
	for (uint32_t i = dice_below(d, 4); i > 0; i--)
		json_set(a, &doc, random_text(d, a), random_json(d, a, 3));
	if (dice_below(d, 20) == 0)
		json_sets(a, &doc, "deep", nested(a, 200));
	return doc;
}

static void test_mapping_form__random_documents_come_back(void **state)
{
	static const struct profile_kind *const kinds[] = {&kind_form, &kind_submission, &kind_deleted, &kind_archived};
	struct dice dice = dice_new();
	(void)state;
	int odd = 0;
	for (int i = 0; i < 3000; i++) {
		struct arena a = ARENA_INIT;
		struct json random = random_form(&dice, &a);
		if (dice_below(&dice, 2))
			random = json_tame(&a, &random);
		struct mapping_doc d =
		    doc_of_text(json_to_text(&random, JSON_PLAIN, &a), kinds[dice_below(&dice, 4)], &a);
		struct mapping_form m = map_ok(&d, &a);
		struct sql_row row = stored_form(&m.form, &a);
		struct json got = document_ok(&row, &a);
		assert_same_json(&got, d.doc, &a);
		stored_rows(&m.attachments, ATT_COLUMNS, att_json, no_columns, &a);
		stored_rows(&m.operations, OP_COLUMNS, no_columns, no_columns, &a);
		odd += d.odd != 0;
		arena_release(&a);
	}
	assert_in_range(odd, 500, 2500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_mapping_form__columns_take_what_they_can_give_back),
	    cmocka_unit_test(test_mapping_form__stored_as_another_type_comes_back_as_it_was),
	    cmocka_unit_test(test_mapping_form__deleted_kind_fills_the_deletion_columns),
	    cmocka_unit_test(test_mapping_form__sql_user_is_the_user_of_the_meta),
	    cmocka_unit_test(test_mapping_form__deletion_of_a_kind_that_is_not_deleted_stays_beside),
	    cmocka_unit_test(test_mapping_form__odd_shapes_come_back),
	    cmocka_unit_test(test_mapping_form__odd_values_come_back_from_raw),
	    cmocka_unit_test(test_mapping_form__changed_cell_beside_raw_is_seen),
	    cmocka_unit_test(test_mapping_form__changed_column_beside_extra_is_seen),
	    cmocka_unit_test(test_mapping_form__document_without_the_fields_of_key_columns),
	    cmocka_unit_test(test_mapping_form__feed_metadata_in_raw_is_left_out),
	    cmocka_unit_test(test_mapping_form__cell_that_is_no_json_is_an_error),
	    cmocka_unit_test(test_mapping_form__what_cannot_be_a_key_is_a_reject),
	    cmocka_unit_test(test_mapping_form__domain_that_cannot_be_a_key_is_a_reject),
	    cmocka_unit_test(test_mapping_form__random_documents_come_back),
	};

	return cmocka_run_group_tests_name("mapping_form", tests, NULL, NULL);
}
