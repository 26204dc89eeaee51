#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/mapping_docs.h"
#include "tests/unit/random_json.h"

#define V2 "\"@xmlns\":\"http://commcarehq.org/case/transaction/v2\",\"@case_id\":\"c1\",\"@user_id\":\"u1\","
#define FORM(id, received, block)                                                                                      \
	"{\"_id\":\"" id                                                                                               \
	"\",\"_rev\":\"1-a\",\"doc_type\":\"XFormInstance\",\"domain\":\"demo\",\"received_on\":\"" received           \
	"\",\"external_blobs\":{\"p.jpg\":{\"key\":\"abd\",\"content_type\":\"image/jpeg\",\"content_length\":3120}}," \
	"\"last_sync_token\":\"s1\",\"form\":{\"case\":{" V2 block "}}}"

static const char full[] = FORM("f1", "2016-04-05T06:07:08Z",
				"\"@date_modified\":\"2016-04-05T06:00:00Z\","
				"\"create\":{\"case_name\":\"Amina\",\"case_type\":\"patient\",\"owner_id\":\"o1\"},"
				"\"update\":{\"village\":\"Mulanje\",\"external_id\":\"PT-4\",\"location_id\":\"l1\"},"
				"\"index\":{\"parent\":{\"@case_type\":\"household\",\"#text\":\"h\"},"
				"\"host\":{\"@case_type\":\"clinic\",\"@relationship\":\"extension\",\"#text\":\"k\"}},"
				"\"attachment\":{\"photo\":{\"@from\":\"local\",\"@src\":\"p.jpg\"}}");
static const char touch[] = FORM("f2", "2016-04-06T06:07:08Z", "\"@date_modified\":\"2016-04-06\"");

struct stored_case { /* what the database holds of one case */
	struct sql_row row;
	struct sql_rows indices, attachments;
	struct replay_txn *txns;
	size_t n_txns;
};

static void read_transactions(const char *const *forms, struct arena *a, struct stored_case *out)
{
	struct sql_rows rows = {0};
	struct err err = ERR_INIT;
	for (; *forms; forms++) {
		struct mapping_doc d = doc_of_text(slice_of(*forms), &kind_form, a);
		struct mapping_form m;
		if (mapping_form(&d, a, &m, &err) != 0)
			fail_msg("%s", err.msg);
		struct sql_rows back = stored_rows(&m.transactions, TXN_COLUMNS, txn_json, txn_bytes, a);
		for (size_t i = 0; i < back.n; i++)
			ARENA_PUSH(a, &rows, back.v[i]);
	}
	out->n_txns = rows.n;
	assert_int_equal(mapping_transactions(rows.v, rows.n, a, &out->txns, &err), 0);
}

static void store_mapped(const struct mapping_case *m, struct arena *a, struct stored_case *out)
{
	out->row = stored_row(&m->row, CASE_COLUMNS, case_json, case_bytes, a);
	out->indices = stored_rows(&m->indices, INDEX_COLUMNS, no_columns, no_columns, a);
	out->attachments = stored_rows(&m->attachments, ATT_COLUMNS, att_json, no_columns, a);
}

static struct stored_case store_folded(const char *const *forms, const struct mapping_case_source *src, struct arena *a)
{
	struct stored_case out = {0};
	struct replay_case folded;
	struct mapping_case m;
	struct err err = ERR_INIT;
	read_transactions(forms, a, &out);
	replay_fold(&replay_dialect_sql, out.txns, out.n_txns, a, &folded);
	if (mapping_case(SLICE("demo"), &folded, src, a, &m, &err) != 0)
		fail_msg("%s", err.msg);
	store_mapped(&m, a, &out);
	return out;
}

static struct stored_case store_copied(const struct json *couch, struct arena *a)
{
	struct mapping_case_source src = {
	    .kind = SLICE("CommCareCase-Deleted"), .couch_rev = SLICE("3-a"), .couch = couch};
	struct stored_case out = {0};
	struct mapping_case m;
	struct err err = ERR_INIT;
	if (mapping_case_copy(SLICE("demo"), &src, a, &m, &err) != 0)
		fail_msg("%s", err.msg);
	store_mapped(&m, a, &out);
	return out;
}

static struct json sql_json(const struct stored_case *c, struct arena *a)
{
	struct json out;
	struct err err = ERR_INIT;
	if (mapping_case_sql_json(&c->row, &c->indices, &c->attachments, c->txns, c->n_txns, a, &out, &err) != 0)
		fail_msg("%s", err.msg);
	return out;
}

static void test_mapping_case__sql_json_has_every_field_of_the_contract(void **state)
{
	const char *const forms[] = {touch, full, NULL};
	struct mapping_case_source src = {.kind = SLICE("CommCareCase"), .couch_rev = SLICE("3-a")};
	struct arena a = ARENA_INIT;
	(void)state;
	struct stored_case c = store_folded(forms, &src, &a);
	struct json got = sql_json(&c, &a);
	assert_text(c.row.cells[CASE_COUCH_REV], "3-a");
	assert_text(c.row.cells[CASE_CLOSED], "f");
	assert_text(c.row.cells[CASE_RAW], NULL);
	assert_text(c.row.cells[CASE_EXTRA], "{}");
	assert_text(c.attachments.v[0].cells[ATT_REFERENCE], "abd");
	assert_text(c.attachments.v[0].cells[ATT_OWNER_KIND], "case");
	assert_json_text(
	    &got,
	    "{\"_id\":\"c1\",\"id\":\"c1\",\"doc_type\":\"CommCareCase\",\"domain\":\"demo\",\"type\":\"patient\","
	    "\"name\":\"Amina\","
	    "\"external_id\":\"PT-4\",\"owner_id\":\"o1\",\"user_id\":\"u1\",\"modified_by\":\"u1\","
	    "\"opened_on\":\"2016-04-05T06:00:00.000000Z\",\"opened_by\":\"u1\",\"closed\":false,\"closed_on\":null,"
	    "\"closed_by\":null,"
	    "\"modified_on\":\"2016-04-05T06:00:00.000000Z\",\"server_modified_on\":\"2016-04-06T06:07:08.000000Z\","
	    "\"location_id\":\"l1\","
	    "\"village\":\"Mulanje\",\"xform_ids\":[\"f1\",\"f2\"],\"deleted\":false,\"backend_id\":\"sql\","
	    "\"actions\":[{\"xform_id\":\"f1\",\"server_date\":\"2016-04-05T06:07:08.000000Z\",\"date\":\"2016-04-"
	    "05T06:00:00Z\",\"sync_log_id\":\"s1\"},"
	    "{\"xform_id\":\"f2\",\"server_date\":\"2016-04-06T06:07:08.000000Z\",\"date\":\"2016-04-06\",\"sync_log_"
	    "id\":\"s1\"}],"
	    "\"indices\":[{\"case_id\":\"c1\",\"identifier\":\"host\",\"referenced_type\":\"clinic\",\"referenced_id\":"
	    "\"k\",\"relationship\":\"extension\"},"
	    "{\"case_id\":\"c1\",\"identifier\":\"parent\",\"referenced_type\":\"household\",\"referenced_id\":\"h\","
	    "\"relationship\":\"child\"}],"
	    "\"case_attachments\":{\"photo\":{\"name\":\"photo\",\"content_length\":3120,\"content_type\":\"image/"
	    "jpeg\"}}}",
	    &a);
	arena_release(&a);
}

static void test_mapping_case__form_with_two_blocks_is_listed_once(void **state)
{
	const char *const forms[] = {
	    "{\"_id\":\"f1\",\"form\":{\"case\":[{" V2 "\"close\":\"\"},{" V2 "\"update\":{\"a\":\"1\"}}]}}", NULL};
	struct mapping_case_source src = {0};
	struct arena a = ARENA_INIT;
	(void)state;
	struct stored_case c = store_folded(forms, &src, &a);
	struct json got = sql_json(&c, &a);
	assert_json_text(json_gets(&got, "xform_ids"), "[\"f1\"]", &a);
	assert_int_equal(json_gets(&got, "actions")->count, 2);
	assert_true(json_is(json_gets(json_gets(&got, "actions")->items, "server_date"), JSON_NULL));
	arena_release(&a);
}

static void test_mapping_case__unset_fields(void **state)
{
	const char *const forms[] = {touch, NULL};
	struct mapping_case_source src = {0};
	struct arena a = ARENA_INIT;
	(void)state;
	struct stored_case c = store_folded(forms, &src, &a);
	struct json got = sql_json(&c, &a);
	static const char *const empty[] = {"type", "owner_id", "user_id", "modified_by", "opened_by"};
	static const char *const null[] = {"name",        "external_id", "closed_by",  "closed_on",
					   "location_id", "opened_on",   "modified_on"};
	for (size_t i = 0; i < 5; i++)
		assert_text(json_get_text(&got, empty[i]), "");
	for (size_t i = 0; i < 7; i++)
		assert_true(json_is(json_gets(&got, null[i]), JSON_NULL));
	assert_json_text(json_gets(&got, "indices"), "[]", &a);
	assert_json_text(json_gets(&got, "case_attachments"), "{}", &a);
	assert_text(json_get_text(&got, "doc_type"), "CommCareCase");
	assert_null(json_gets(&got, "deletion_id"));
	assert_text(c.row.cells[CASE_COUCH_REV], NULL);
	arena_release(&a);
}

static void test_mapping_case__deleted_kind_is_folded_and_marked(void **state)
{
	const char *const forms[] = {full, NULL};
	struct arena a = ARENA_INIT;
	(void)state;
	struct json couch = read_text(SLICE("{\"_id\":\"c1\",\"-deletion_id\":\"d1\",\"-deletion_date\":\"2016-05-"
					    "01T00:00:00Z\",\"name\":\"Other\"}"),
				      &a);
	struct mapping_case_source src = {
	    .kind = SLICE("CommCareCase-Deleted"), .couch_rev = SLICE("3-a"), .couch = &couch};
	struct stored_case c = store_folded(forms, &src, &a);
	struct json got = sql_json(&c, &a);
	assert_text(c.row.cells[CASE_DELETED], "t");
	assert_text(json_get_text(&got, "doc_type"), "CommCareCase-Deleted");
	assert_text(json_get_text(&got, "name"), "Amina");
	assert_text(json_get_text(&got, "deletion_id"), "d1");
	assert_text(json_get_text(&got, "deleted_on"), "2016-05-01T00:00:00.000000Z");
	assert_true(json_is(json_gets(&got, "deleted"), JSON_TRUE));
	arena_release(&a);
}

static void test_mapping_case__tombstone_and_no_form_left_are_deleted(void **state)
{
	const char *const forms[] = {full, NULL}, *const none[] = {NULL};
	struct arena a = ARENA_INIT;
	(void)state;
	struct json couch = read_text(SLICE("{\"_id\":\"c1\"}"), &a);
	struct mapping_case_source tombstone = {
	    .kind = SLICE("CommCareCase"), .couch_rev = SLICE("4-a"), .tombstone = 1};
	struct mapping_case_source left = {.kind = SLICE("CommCareCase"), .couch = &couch};
	struct stored_case c = store_folded(forms, &tombstone, &a);
	struct json got = sql_json(&c, &a);
	assert_text(c.row.cells[CASE_DELETED], "t");
	assert_text(c.row.cells[CASE_COUCH_REV], "4-a");
	assert_true(json_is(json_gets(&got, "deleted_on"), JSON_NULL));
	c = store_folded(none, &left, &a);
	assert_text(c.row.cells[CASE_ID], "c1");
	assert_text(c.row.cells[CASE_DELETED], "t");
	arena_release(&a);
}

static void test_mapping_case__text_that_is_no_date_is_kept_beside_the_column(void **state)
{
	const char *const forms[] = {FORM("f1", "2016-04-05T06:07:08Z", "\"update\":{\"date_opened\":\"long ago\"}"),
				     NULL};
	struct mapping_case_source src = {0};
	struct arena a = ARENA_INIT;
	(void)state;
	struct stored_case c = store_folded(forms, &src, &a);
	struct json got = sql_json(&c, &a);
	assert_text(c.row.cells[CASE_OPENED_ON], NULL);
	assert_text(c.row.cells[CASE_EXTRA], "{\"opened_on\":\"long ago\"}");
	assert_text(json_get_text(&got, "opened_on"), "long ago");
	c.row.cells[CASE_OPENED_ON] = SLICE("2016-04-05T06:07:08.000000Z");
	got = sql_json(&c, &a);
	assert_text(json_get_text(&got, "opened_on"), "2016-04-05T06:07:08.000000Z");
	arena_release(&a);
}

static const char odd_form[] =
    FORM("f1", "2016-04-05T06:07:08Z",
	 "\"create\":{\"case_name\":\"A\\u0000\"},\"update\":{\"v\\u0000\":\"\\ud800\",\"n\":1e200000},"
	 "\"index\":{\"p\\udfff\":{\"@case_type\":\"t\",\"#text\":\"\\u0000\"}},"
	 "\"attachment\":{\"q\\u0000\":{\"@src\":\"p.jpg\"}}");

static void test_mapping_case__odd_values_are_exact(void **state)
{
	const char *const forms[] = {odd_form, NULL};
	struct mapping_case_source src = {0};
	struct arena a = ARENA_INIT;
	(void)state;
	struct stored_case c = store_folded(forms, &src, &a);
	struct json got = sql_json(&c, &a);
	assert_non_null(c.row.cells[CASE_RAW].ptr);
	assert_text(c.row.cells[CASE_NAME], "A\xef\xbf\xbd");
	assert_json_text(json_gets(&got, "name"), "\"A\\u0000\"", &a);
	assert_json_text(json_get(&got, (struct slice){"v\0", 2}), "\"\\ud800\"", &a);
	assert_json_text(json_gets(&got, "n"), "1e200000", &a);
	assert_json_text(json_gets(&got, "indices"),
			 "[{\"case_id\":\"c1\",\"identifier\":\"p\\udfff\",\"referenced_type\":\"t\",\"referenced_id\":"
			 "\"\\u0000\",\"relationship\":\"child\"}]",
			 &a);
	assert_json_text(
	    json_gets(&got, "case_attachments"),
	    "{\"q\\u0000\":{\"name\":\"q\\u0000\",\"content_length\":3120,\"content_type\":\"image/jpeg\"}}", &a);
	arena_release(&a);
}

static void test_mapping_case__changed_cell_beside_raw_is_seen(void **state)
{
	const char *const forms[] = {odd_form, NULL};
	struct mapping_case_source src = {0};
	(void)state;
	for (int i = 0; i < 5; i++) {
		struct arena a = ARENA_INIT;
		struct stored_case c = store_folded(forms, &src, &a);
		struct json before = sql_json(&c, &a);
		if (i == 0)
			c.row.cells[CASE_NAME] = SLICE("B");
		else if (i == 1)
			c.row.cells[CASE_PROPERTIES] = SLICE("{}");
		else if (i == 2)
			c.indices.n = 0;
		else if (i == 3)
			c.attachments.v[0].cells[ATT_LENGTH] = SLICE("1");
		else
			c.row.cells[CASE_CLOSED] = SLICE("t");
		struct json after = sql_json(&c, &a);
		assert_false(json_eq(&before, &after));
		assert_json_text(json_gets(&after, "name"), i == 0 ? "\"B\"" : "\"A\\ufffd\"", &a);
		arena_release(&a);
	}
}

static void test_mapping_case__cell_that_is_no_json_is_an_error(void **state)
{
	const char *const forms[] = {odd_form, NULL};
	struct mapping_case_source src = {0};
	static const int columns[] = {CASE_PROPERTIES, CASE_EXTRA, CASE_RAW};
	static const char *const names[] = {"cases.properties", "cases.extra", "cases.raw"};
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct arena a = ARENA_INIT;
		struct err err = ERR_INIT;
		struct json out;
		struct stored_case c = store_folded(forms, &src, &a);
		if (i < 3)
			c.row.cells[columns[i]] = SLICE("{");
		else
			c.attachments.v[0].cells[ATT_EXTRA] = SLICE("{");
		assert_int_equal(
		    mapping_case_sql_json(&c.row, &c.indices, &c.attachments, c.txns, c.n_txns, &a, &out, &err),
		    ERR_SYNTAX);
		assert_non_null(strstr(err.msg, i < 3 ? names[i] : "attachments.extra"));
		arena_release(&a);
	}
}

/* ---- copies ---- */

static const char deleted_case[] =
    "{\"_id\":\"c1\",\"_rev\":\"3-a\",\"doc_type\":\"CommCareCase-Deleted\",\"domain\":\"demo\",\"type\":null,\"name\":"
    "\"Amina\",\"owner_id\":\"\","
    "\"user_id\":\"u1\",\"opened_on\":\"2016-04-05T06:00:00Z\",\"modified_on\":\"never\",\"closed\":true,\"closed_by\":"
    "\"\",\"version\":\"2.0\","
    "\"village\":\"Mulanje\",\"count\":5,\"xform_ids\":[\"f1\"],\"actions\":[{\"xform_id\":\"f1\"}],\"computed_\":{},"
    "\"-deletion_id\":\"d1\",\"-deletion_date\":\"2016-05-01T00:00:00Z\",\"external_blobs\":{\"photo\":{\"key\":"
    "\"abd\"}},"
    "\"indices\":[{\"doc_type\":\"CommCareCaseIndex\",\"identifier\":\"z\",\"referenced_type\":\"t\",\"referenced_id\":"
    "\"1\"},"
    "{\"identifier\":\"a\",\"referenced_type\":\"t\",\"referenced_id\":\"2\",\"relationship\":\"extension\"}],"
    "\"case_attachments\":{\"photo\":{\"identifier\":\"photo\",\"attachment_size\":3120,\"server_mime\":\"image/"
    "jpeg\",\"server_md5\":null}}}";

static void test_mapping_case_copy__everything_is_kept(void **state)
{
	struct arena a = ARENA_INIT;
	(void)state;
	struct json couch = read_text(SLICE(deleted_case), &a);
	struct stored_case c = store_copied(&couch, &a);
	struct json got = sql_json(&c, &a);
	assert_text(c.row.cells[CASE_DOC_TYPE], "CommCareCase-Deleted");
	assert_text(c.row.cells[CASE_COUCH_REV], "3-a");
	assert_text(c.row.cells[CASE_DELETED], "t");
	assert_text(c.row.cells[CASE_MODIFIED_BY], "u1");
	assert_text(c.row.cells[CASE_PROPERTIES], "{\"village\":\"Mulanje\"}");
	assert_text(c.row.cells[CASE_EXTRA],
		    "{\"actions\":[{\"xform_id\":\"f1\"}],\"computed_\":{},\"count\":5,\"external_blobs\":{\"photo\":{"
		    "\"key\":\"abd\"}},"
		    "\"modified_on\":\"never\",\"type\":null,\"version\":\"2.0\",\"xform_ids\":[\"f1\"]}");
	assert_text(c.attachments.v[0].cells[ATT_REFERENCE], "abd");
	assert_text(c.attachments.v[0].cells[ATT_EXTRA],
		    "{\"couch\":{\"attachment_size\":3120,\"identifier\":\"photo\",\"server_md5\":null,\"server_mime\":"
		    "\"image/jpeg\"}}");
	assert_json_text(&got,
			 "{\"_id\":\"c1\",\"id\":\"c1\",\"doc_type\":\"CommCareCase-Deleted\",\"domain\":\"demo\","
			 "\"type\":null,\"name\":\"Amina\",\"external_id\":null,"
			 "\"owner_id\":\"\",\"user_id\":\"u1\",\"modified_by\":\"u1\",\"opened_on\":\"2016-04-05T06:00:"
			 "00.000000Z\",\"opened_by\":\"\",\"closed\":true,"
			 "\"closed_on\":null,\"closed_by\":\"\",\"modified_on\":\"never\",\"server_modified_on\":null,"
			 "\"location_id\":null,\"deleted\":true,"
			 "\"deleted_on\":\"2016-05-01T00:00:00.000000Z\",\"deletion_id\":\"d1\",\"backend_id\":\"sql\","
			 "\"version\":\"2.0\",\"village\":\"Mulanje\","
			 "\"count\":5,\"xform_ids\":[\"f1\"],\"actions\":[{\"xform_id\":\"f1\"}],\"computed_\":{},"
			 "\"external_blobs\":{\"photo\":{\"key\":\"abd\"}},"
			 "\"indices\":[{\"case_id\":\"c1\",\"identifier\":\"a\",\"referenced_type\":\"t\",\"referenced_"
			 "id\":\"2\",\"relationship\":\"extension\"},"
			 "{\"case_id\":\"c1\",\"identifier\":\"z\",\"referenced_type\":\"t\",\"referenced_id\":\"1\","
			 "\"relationship\":\"child\"}],"
			 "\"case_attachments\":{\"photo\":{\"name\":\"photo\",\"content_length\":3120,\"content_type\":"
			 "\"image/jpeg\"}}}",
			 &a);
	arena_release(&a);
}

static void test_mapping_case_copy__transactions_win_over_copied_lists(void **state)
{
	const char *const forms[] = {touch, NULL};
	struct arena a = ARENA_INIT;
	(void)state;
	struct json couch = read_text(SLICE(deleted_case), &a);
	struct stored_case c = store_copied(&couch, &a);
	read_transactions(forms, &a, &c);
	struct json got = sql_json(&c, &a);
	assert_json_text(json_gets(&got, "xform_ids"), "[\"f2\"]", &a);
	assert_int_equal(json_gets(json_gets(&got, "actions")->items, "date")->type, JSON_STRING);
	arena_release(&a);
}

static void test_mapping_case_copy__changed_column_beside_extra_is_seen(void **state)
{
	struct arena a = ARENA_INIT;
	(void)state;
	struct json couch = read_text(SLICE("{\"_id\":\"c1\",\"user_id\":5}"), &a);
	struct stored_case c = store_copied(&couch, &a);
	c.row.cells[CASE_MODIFIED_BY] = SLICE("u2");
	struct json got = sql_json(&c, &a);
	assert_text(json_get_text(&got, "user_id"), "u2");
	arena_release(&a);
}

static void assert_kept_whole(const char *field, const char *value)
{
	struct arena a = ARENA_INIT;
	struct slice text = arena_printf(&a, "{\"_id\":\"c1\",\"%s\":%s}", field, value);
	struct json couch = read_text(text, &a);
	struct stored_case c = store_copied(&couch, &a);
	struct json got = sql_json(&c, &a);
	assert_json_text(json_gets(&got, field), value, &a);
	assert_int_equal(c.indices.n + c.attachments.n, 0);
	arena_release(&a);
}

static void test_mapping_case_copy__what_rows_cannot_hold_is_kept_whole(void **state)
{
	(void)state;
	assert_kept_whole("indices", "[{\"identifier\":\"a\",\"referenced_type\":\"t\",\"referenced_id\":\"1\"},{"
				     "\"identifier\":\"a\",\"referenced_type\":\"t\",\"referenced_id\":\"2\"}]");
	assert_kept_whole("indices", "[{\"identifier\":\"a\",\"referenced_type\":null,\"referenced_id\":\"1\"}]");
	assert_kept_whole("indices",
			  "[{\"identifier\":\"a\",\"referenced_type\":\"t\",\"referenced_id\":\"1\",\"more\":1}]");
	assert_kept_whole("indices", "[5]");
	assert_kept_whole("indices", "null");
	assert_kept_whole("case_attachments", "[]");
	assert_kept_whole("closed", "\"yes\"");
	assert_kept_whole("user_id", "5");
}

static void test_mapping_case_copy__odd_values_are_exact(void **state)
{
	const char *text = "{\"_id\":\"c1\",\"name\":\"\\u0000\",\"v\":\"\\ud800\",\"n\":1e200000,\"case_attachments\":"
			   "{\"a\\u0000\":{\"server_mime\":5}}}";
	struct arena a = ARENA_INIT;
	(void)state;
	struct json couch = read_text(slice_of(text), &a);
	struct stored_case c = store_copied(&couch, &a);
	struct json got = sql_json(&c, &a);
	assert_json_text(json_gets(&got, "name"), "\"\\u0000\"", &a);
	assert_json_text(json_gets(&got, "v"), "\"\\ud800\"", &a);
	assert_json_text(json_gets(&got, "n"), "1e200000", &a);
	assert_json_text(json_gets(&got, "case_attachments"),
			 "{\"a\\u0000\":{\"name\":\"a\\u0000\",\"content_length\":null,\"content_type\":5}}", &a);
	arena_release(&a);
}

static void test_mapping_case__what_cannot_be_a_key_is_a_reject(void **state)
{
	struct arena a = ARENA_INIT;
	struct err err = ERR_INIT;
	struct mapping_case m;
	struct replay_case empty;
	char text[2048];
	(void)state;
	struct json couch = read_text(SLICE("{\"_id\":\"a\\u0000\"}"), &a);
	struct mapping_case_source src = {.kind = SLICE("CommCareCase-Deleted"), .couch = &couch};
	assert_int_equal(mapping_case_copy(SLICE("demo"), &src, &a, &m, &err), ERR_SYNTAX);
	assert_string_equal(err.msg, "the case id holds U+0000 or an unpaired surrogate");
	replay_fold(&replay_dialect_sql, NULL, 0, &a, &empty);
	src.couch = NULL;
	assert_int_equal(mapping_case(SLICE("demo"), &empty, &src, &a, &m, &err), ERR_SYNTAX);
	assert_string_equal(err.msg, "the case id is empty");
	assert_int_equal(mapping_case(SLICE(""), &empty, &src, &a, &m, &err), ERR_SYNTAX);
	assert_string_equal(err.msg, "the domain is empty");
	src.couch = &couch;
	snprintf(text, sizeof(text), "{\"_id\":\"c\",\"case_attachments\":{\"%01001d\":{}}}", 0);
	couch = read_text(slice_of(text), &a);
	assert_int_equal(mapping_case_copy(SLICE("demo"), &src, &a, &m, &err), ERR_SYNTAX);
	snprintf(text, sizeof(text),
		 "{\"_id\":\"c\",\"indices\":[{\"identifier\":\"%01001d\",\"referenced_type\":\"\",\"referenced_id\":"
		 "\"\"}]}",
		 0);
	couch = read_text(slice_of(text), &a);
	assert_int_equal(mapping_case_copy(SLICE("demo"), &src, &a, &m, &err), ERR_SYNTAX);
	assert_string_equal(err.msg, "an index's name is longer than 1000 bytes");
	arena_release(&a);
}

/* Every field of the Couch document comes back from the rows, dates by their instant, under its own or its SQL name. */
static void check_copied_field(const struct json_member *m, const struct json *got, struct arena *a)
{
	static const char *const elsewhere[] = {"_rev", "domain", "doc_type", "indices", "case_attachments", "_id"};
	struct slice name = m->key;
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
		if (slice_is(name, elsewhere[i]))
			return;
	if (slice_is(name, "-deletion_id") && json_is(&m->value, JSON_STRING))
		name = SLICE("deletion_id");
	const struct json *v = json_get(got, name);
	if (!v)
		fail_msg("%.*s is gone", SLICE_ARG(name));
	assert_same_json(v, &m->value, a);
}

static void test_mapping_case_copy__random_documents_come_back(void **state)
{
	static const char *const names[] = {"type",      "name",    "owner_id",  "user_id",          "external_id",
					    "opened_by", "closed",  "closed_by", "location_id",      "-deletion_id",
					    "xform_ids", "actions", "indices",   "case_attachments", "village",
					    "@x",        "a/b",     "#text"};
	struct dice dice = dice_new();
	(void)state;
	for (int i = 0; i < 2000; i++) {
		struct arena a = ARENA_INIT;
		struct json couch = json_object();
		json_sets(&a, &couch, "_id", json_str("c1"));
		for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++)
			if (dice_below(&dice, 3))
				json_sets(&a, &couch, names[j],
					  dice_below(&dice, 2) ? json_string(random_text(&dice, &a))
							       : random_json(&dice, &a, 3));
		if (dice_below(&dice, 2))
			couch = json_tame(&a, &couch);
		struct stored_case c = store_copied(&couch, &a);
		struct json got = sql_json(&c, &a);
		for (uint32_t j = 0; j < couch.count; j++)
			check_copied_field(&couch.members[j], &got, &a);
		arena_release(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_mapping_case__sql_json_has_every_field_of_the_contract),
	    cmocka_unit_test(test_mapping_case__form_with_two_blocks_is_listed_once),
	    cmocka_unit_test(test_mapping_case__unset_fields),
	    cmocka_unit_test(test_mapping_case_copy__transactions_win_over_copied_lists),
	    cmocka_unit_test(test_mapping_case_copy__changed_column_beside_extra_is_seen),
	    cmocka_unit_test(test_mapping_case__deleted_kind_is_folded_and_marked),
	    cmocka_unit_test(test_mapping_case__tombstone_and_no_form_left_are_deleted),
	    cmocka_unit_test(test_mapping_case__text_that_is_no_date_is_kept_beside_the_column),
	    cmocka_unit_test(test_mapping_case__odd_values_are_exact),
	    cmocka_unit_test(test_mapping_case__changed_cell_beside_raw_is_seen),
	    cmocka_unit_test(test_mapping_case__cell_that_is_no_json_is_an_error),
	    cmocka_unit_test(test_mapping_case_copy__everything_is_kept),
	    cmocka_unit_test(test_mapping_case_copy__what_rows_cannot_hold_is_kept_whole),
	    cmocka_unit_test(test_mapping_case_copy__odd_values_are_exact),
	    cmocka_unit_test(test_mapping_case__what_cannot_be_a_key_is_a_reject),
	    cmocka_unit_test(test_mapping_case_copy__random_documents_come_back),
	};
	return cmocka_run_group_tests_name("mapping_case", tests, NULL, NULL);
}
