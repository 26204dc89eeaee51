/* What a form gives rows of beside its own (history, attachments, transactions), and plain documents. */
#include "config.h"

#include "tests/unit/mapping_forms.h"

static void test_mapping_form__history_is_also_rows(void **state)
{
	struct arena a = ARENA_INIT;
	(void)state;
	struct mapping_doc d = doc_of_text(
	    SLICE(HEAD
		  "\"history\":[{\"doc_type\":\"XFormOperation\",\"user\":\"nora\",\"date\":\"2016-04-05T06:07:08Z\","
		  "\"operation\":\"archive\"},\"odd\",{\"user\":null,\"date\":\"x\"}]}"),
	    &kind_form, &a);
	struct mapping_form m = map_ok(&d, &a);
	assert_int_equal(m.operations.n, 2);
	assert_text(m.operations.v[0].cells[OP_FORM_ID], "f1");
	assert_text(m.operations.v[0].cells[OP_POSITION], "0");
	assert_text(m.operations.v[0].cells[OP_USER], "nora");
	assert_text(m.operations.v[0].cells[OP_DATE], "2016-04-05T06:07:08.000000Z");
	assert_text(m.operations.v[0].cells[OP_OPERATION], "archive");
	assert_text(m.operations.v[1].cells[OP_POSITION], "2");
	assert_text(m.operations.v[1].cells[OP_DATE], NULL);
	struct json document = document_ok(&m.form, &a);
	assert_same_json(&document, d.doc, &a);
	arena_release(&a);
}

static void test_mapping_form__attachments_of_both_places(void **state)
{
	struct arena a = ARENA_INIT;
	(void)state;
	struct mapping_doc d =
	    doc_of_text(SLICE(HEAD "\"external_blobs\":{\"form.xml\":{\"doc_type\":\"BlobMetaRef\",\"key\":\"abc\","
				   "\"blobmeta_id\":7,\"content_type\":\"text/xml\","
				   "\"content_length\":812},\"a\\u0000\":{\"id\":\"old\",\"content_length\":\"3\"}},"
				   "\"_attachments\":{\"form.xml\":{\"length\":1},\"p.jpg\":{\"content_type\":\"image/"
				   "jpeg\",\"length\":3120,"
				   "\"digest\":\"md5-x\",\"revpos\":2,\"stub\":true},\"a\\ufffd\":{}}}"),
			&kind_form, &a);
	struct mapping_form m = map_ok(&d, &a);
	struct sql_rows rows = stored_rows(&m.attachments, ATT_COLUMNS, att_json, no_columns, &a);
	assert_int_equal(rows.n, 3);
	assert_text(rows.v[0].cells[ATT_OWNER_KIND], "form");
	assert_text(rows.v[0].cells[ATT_OWNER_ID], "f1");
	assert_text(rows.v[0].cells[ATT_NAME], "form.xml");
	assert_text(rows.v[0].cells[ATT_CONTENT_TYPE], "text/xml");
	assert_text(rows.v[0].cells[ATT_LENGTH], "812");
	assert_text(rows.v[0].cells[ATT_REFERENCE], "abc");
	assert_text(rows.v[0].cells[ATT_EXTRA], "{\"blobmeta_id\":7,\"doc_type\":\"BlobMetaRef\"}");
	assert_text(rows.v[1].cells[ATT_NAME], "a\xef\xbf\xbd");
	assert_text(rows.v[1].cells[ATT_REFERENCE], "old");
	assert_text(rows.v[1].cells[ATT_LENGTH], NULL);
	assert_text(rows.v[1].cells[ATT_EXTRA], "{\"content_length\":\"3\"}");
	assert_text(rows.v[2].cells[ATT_NAME], "p.jpg");
	assert_text(rows.v[2].cells[ATT_DIGEST], "md5-x");
	assert_text(rows.v[2].cells[ATT_REFERENCE], NULL);
	assert_text(rows.v[2].cells[ATT_EXTRA], "{\"revpos\":2,\"stub\":true}");
	arena_release(&a);
}

static void test_mapping_attachments__length_is_any_bigint(void **state)
{
	static const char *const lengths[][2] = {{"0", "0"},
						 {"-5", "-5"},
						 {"3120.0", "3120"},
						 {"-9223372036854775808", "-9223372036854775808"},
						 {"9223372036854775808", NULL},
						 {"1.5", NULL}};
	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct arena a = ARENA_INIT;
		struct err err = ERR_INIT;
		struct sql_rows rows = {0};
		struct json doc = read_text(
		    arena_printf(&a, "{\"external_blobs\":{\"p\":{\"content_length\":%s}}}", lengths[i][0]), &a);
		assert_int_equal(mapping_attachments(SLICE("demo"), "document", SLICE("d"), &doc, &a, &rows, &err), 0);
		assert_text(rows.v[0].cells[ATT_OWNER_KIND], "document");
		assert_text(rows.v[0].cells[ATT_LENGTH], lengths[i][1]);
		arena_release(&a);
	}
}

static size_t transactions_of(const char *text, const struct profile_kind *kind)
{
	struct arena a = ARENA_INIT;
	struct mapping_doc d = doc_of_text(slice_of(text), kind, &a);
	struct mapping_form m = map_ok(&d, &a);
	size_t n = m.transactions.n;
	assert_int_equal(m.processed, n > 0);
	arena_release(&a);
	return n;
}

static void test_mapping_form__only_processed_forms_touch_cases(void **state)
{
#define WITH_BLOCK(fields) HEAD fields "\"form\":{\"case\":" BLOCK "\"close\":\"\"}}}"
	(void)state;
	assert_int_equal(transactions_of(WITH_BLOCK(""), &kind_form), 1);
	assert_int_equal(transactions_of(WITH_BLOCK(""), &kind_submission), 1);
	assert_int_equal(transactions_of(WITH_BLOCK("\"problem\":\"\","), &kind_form), 1);
	assert_int_equal(
	    transactions_of(WITH_BLOCK("\"problem\":null,\"initial_processing_complete\":null,"), &kind_form), 1);
	assert_int_equal(transactions_of(WITH_BLOCK("\"problem\":\"bad\","), &kind_form), 0);
	assert_int_equal(transactions_of(WITH_BLOCK("\"initial_processing_complete\":false,"), &kind_form), 0);
	assert_int_equal(transactions_of(WITH_BLOCK(""), &kind_archived), 0);
	assert_int_equal(transactions_of(WITH_BLOCK(""), &kind_deleted), 0);
}

static void test_mapping_form__transaction_rows_come_back_in_order_of_application(void **state)
{
	struct arena a = ARENA_INIT;
	struct err err = ERR_INIT;
	struct replay_txn *txns;
	(void)state;
	struct mapping_doc d = doc_of_text(
	    SLICE(HEAD "\"received_on\":\"2016-04-05T06:07:08Z\",\"last_sync_token\":\"s\",\"form\":{\"case\":[" BLOCK
		       "\"update\":{\"v\":\"x\\u0000\"}}," BLOCK "\"close\":\"\"}," BLOCK "\"x\":\"\"}]}}"),
	    &kind_form, &a);
	struct mapping_form m = map_ok(&d, &a);
	struct sql_rows rows = stored_rows(&m.transactions, TXN_COLUMNS, txn_json, txn_bytes, &a);
	assert_int_equal(rows.n, 3);
	assert_text(rows.v[0].cells[TXN_SERVER_DATE], "2016-04-05T06:07:08.000000Z");
	assert_text(rows.v[0].cells[TXN_ORIGINAL_SERVER_DATE], NULL);
	assert_text(rows.v[0].cells[TXN_KIND], "form");
	assert_text(rows.v[2].cells[TXN_KIND], "touch");
	assert_text(rows.v[2].cells[TXN_POSITION], "2");
	assert_non_null(rows.v[0].cells[TXN_RAW].ptr);
	assert_text(rows.v[1].cells[TXN_RAW], NULL);
	struct sql_row turned[] = {rows.v[2], rows.v[0], rows.v[1]};
	assert_int_equal(mapping_transactions(turned, 3, &a, &txns, &err), 0);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(txns[i].position, i);
	assert_json_text(&txns[0].actions,
			 "[{\"block\":2,\"date\":\"2016-01-01\",\"user_id\":\"u1\",\"sync_log_id\":\"s\"},"
			 "{\"action\":\"update\",\"known\":{},\"properties\":{\"v\":\"x\\u0000\"}}]",
			 &a);
	assert_int_equal(txns[0].at, 1459836428000000);
	turned[1].cells[TXN_ACTIONS] = SLICE("[{\"block\":2}]");
	assert_int_equal(mapping_transactions(turned, 3, &a, &txns, &err), 0);
	assert_json_text(&txns[0].actions, "[{\"block\":2}]", &a);
	turned[0].cells[TXN_KIND] = SLICE("tuoch");
	assert_int_equal(mapping_transactions(turned, 3, &a, &txns, &err), ERR_SYNTAX);
	assert_non_null(strstr(err.msg, "unknown kind tuoch"));
	turned[0].cells[TXN_KIND] = SLICE("touch");
	turned[1].cells[TXN_RAW] = SLICE("[");
	assert_int_equal(mapping_transactions(turned, 3, &a, &txns, &err), ERR_SYNTAX);
	arena_release(&a);
}

static struct sql_row dated_row(const char *form_id, struct slice date, struct arena *a)
{
	struct sql_row row = {ARENA_ARRAY(a, TXN_COLUMNS, struct slice)};
	row.cells[TXN_CASE_ID] = SLICE("c1");
	row.cells[TXN_FORM_ID] = slice_of(form_id);
	row.cells[TXN_POSITION] = SLICE("0");
	row.cells[TXN_KIND] = SLICE("touch");
	row.cells[TXN_ACTIONS] = SLICE("[]");
	mapping_put_dates(&row, date, date);
	return row;
}

static void test_mapping_put_dates__the_original_date_comes_back(void **state)
{
	static const struct slice early = SLICE("2016-01-01T00:00:00.000000Z"),
				  late = SLICE("2016-01-02T00:00:00.000000Z");
	struct arena a = ARENA_INIT;
	struct err err = ERR_INIT;
	struct replay_txn *txns;
	struct sql_row rows[] = {dated_row("dated", early, &a), dated_row("undated", SLICE_NONE, &a)};
	(void)state;
	assert_null(rows[0].cells[TXN_ORIGINAL_SERVER_DATE].ptr);
	assert_null(rows[1].cells[TXN_ORIGINAL_SERVER_DATE].ptr);
	mapping_put_dates(&rows[0], late, early);
	mapping_put_dates(&rows[1], early, SLICE_NONE);
	assert_int_equal(mapping_transactions(rows, 2, &a, &txns, &err), 0);
	assert_text(txns[0].form_id, "undated");
	assert_true(slice_eq(txns[1].server_date, late));
	assert_int_equal(mapping_original_transactions(rows, 2, &a, &txns, &err), 0);
	assert_text(txns[0].form_id, "dated");
	assert_true(slice_eq(txns[0].server_date, early));
	assert_null(txns[1].server_date.ptr);
	assert_true(txns[1].at == REPLAY_AT_UNREADABLE);
	mapping_put_dates(&rows[0], early, mapping_original_date(&rows[0]));
	assert_null(rows[0].cells[TXN_ORIGINAL_SERVER_DATE].ptr);
	arena_release(&a);
}

static void test_mapping_document__comes_back_exactly(void **state)
{
	const char *text = "{\"_id\":\"t/1\",\"_rev\":\"1-a\",\"x\":[1.50,\"\\ud800\",1e-20000],\"_conflicts\":[]}";
	struct arena a = ARENA_INIT;
	struct err err = ERR_INIT;
	struct sql_row row;
	struct json got;
	(void)state;
	struct mapping_doc d = doc_of_text(slice_of(text), &kind_plain, &a);
	struct json doc = json_clone(&a, d.doc);
	mapping_drop_feed_metadata(&doc);
	d.doc = &doc;
	assert_int_equal(mapping_document(&d, &a, &row, &err), 0);
	row = stored_row(&row, DOC_COLUMNS, doc_json, doc_bytes, &a);
	assert_text(row.cells[DOC_TYPE], "Thing");
	assert_text(row.cells[DOC_DELETED], "f");
	assert_text(row.cells[DOC_RAW], text);
	assert_int_equal(mapping_document_document(&row, &a, &got, &err), 0);
	assert_same_json(&got, &doc, &a);
	row.cells[DOC_BODY] = SLICE("{}");
	assert_int_equal(mapping_document_document(&row, &a, &got, &err), 0);
	assert_json_text(&got, "{}", &a);
	row.cells[DOC_RAW] = SLICE("{");
	assert_int_equal(mapping_document_document(&row, &a, &got, &err), ERR_SYNTAX);
	row.cells[DOC_BODY] = SLICE("");
	assert_int_equal(mapping_document_document(&row, &a, &got, &err), ERR_SYNTAX);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_mapping_form__history_is_also_rows),
	    cmocka_unit_test(test_mapping_form__attachments_of_both_places),
	    cmocka_unit_test(test_mapping_attachments__length_is_any_bigint),
	    cmocka_unit_test(test_mapping_form__only_processed_forms_touch_cases),
	    cmocka_unit_test(test_mapping_form__transaction_rows_come_back_in_order_of_application),
	    cmocka_unit_test(test_mapping_put_dates__the_original_date_comes_back),
	    cmocka_unit_test(test_mapping_document__comes_back_exactly),
	};

	return cmocka_run_group_tests_name("mapping_rows", tests, NULL, NULL);
}
