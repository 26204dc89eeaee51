/*
 * Case blocks: the input is a form document. Blocks are read, folded in both dialects and mapped to rows; what was read
 * twice is the same, and the mapped document comes back.
 */
#include "migrate/mapping.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
	if (!truth)
		abort();
}

static void fold(const struct replay_txn *txns, size_t n, struct arena *a)
{
	struct replay_case couch, sql;
	replay_fold(&replay_dialect_couch, txns, n, a, &couch);
	replay_fold(&replay_dialect_sql, txns, n, a, &sql);
	require(couch.n_forms <= sql.n_forms);
	if (n) {
		struct mapping_case mapped;
		struct mapping_case_source src = {0};
		struct err err = ERR_INIT;
		struct json out;
		sql.case_id = SLICE("c");
		if (mapping_case(SLICE("demo"), &sql, &src, a, &mapped, &err) == 0)
			require(mapping_case_sql_json(&mapped.row, &mapped.indices, &mapped.attachments, txns, n, a,
						      &out, &err) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct profile_kind kind = {
	    .name = {"XFormInstance", 13}, .stored_as = {"XFormInstance", 13}, .processed = 1};
	struct arena a = ARENA_INIT;
	struct err err = ERR_INIT;
	struct json doc, again;
	struct slice text = {(const char *)data, size};
	struct replay_txn *txns;
	struct mapping_form m;
	if (json_read(text, &a, 0, &doc, NULL, &err) == 0 && json_is(&doc, JSON_OBJECT)) {
		struct mapping_doc d = {.domain = SLICE("demo"),
					.id = json_get_text(&doc, "_id"),
					.rev = json_get_text(&doc, "_rev"),
					.kind = &kind,
					.doc_type = kind.name,
					.doc = &doc,
					.bytes = text,
					.odd = json_odd(&doc)};
		mapping_drop_feed_metadata(&doc);
		if (mapping_form(&d, &a, &m, &err) == 0) {
			require(mapping_form_document(&m.form, &a, &again, &err) == 0 && json_eq(&doc, &again));
			require(mapping_transactions(m.transactions.v, m.transactions.n, &a, &txns, &err) == 0);
			fold(txns, m.transactions.n, &a);
		} else {
			require(err.code == ERR_SYNTAX);
		}
	}
	arena_release(&a);
	return 0;
}
