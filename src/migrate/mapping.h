/*
 * mapping: documents <-> rows, as the profile declares. Pure: no I/O.
 *
 * A column takes a field's value where it can give back an equal one; otherwise the column is null (or tamed) and the original stays in
 * `extra`, which wins when the document is put together again. `raw` holds the whole document's bytes when JSON cells cannot hold it (odd
 * values, DESIGN decision 2). So row -> document is exact; that is the copy check:  mapping_*_document(row read back) equals
 * the document read, but for the declared mappings (none for forms: the stored doc type is undone).
 * The SQL-side JSON (what SQL tells an application, decisions 10 and 11) is a second function over the same row.
 * Threads: functions are reentrant.
 */
#ifndef SETTLE_MIGRATE_MAPPING_H
#define SETTLE_MIGRATE_MAPPING_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "profile/profile.h"
#include "replay/replay.h"
#include "sql/target.h"

struct mapping_doc { /* one parsed document of the feed */
	struct slice domain, id, rev;
	const struct profile_kind *kind;
	struct slice doc_type;
	const struct json *doc;   /* without _conflicts and other feed metadata */
	struct slice bytes;       /* its exact text */
	unsigned odd;             /* enum json_odd bits */
};

/* ---- events ---- */
/* The rows of a form: forms, form_operations, attachments. ERR_SYNTAX (a reject) when an id cannot be a key. */
struct mapping_form {
	struct sql_row form;
	struct sql_rows operations, attachments, transactions;
	int processed; /* its blocks were replayed (kind processed, no problem, initial_processing_complete not false) */
};
MUST_CHECK int mapping_form(const struct mapping_doc *d, struct arena *a, struct mapping_form *out, struct err *err);
/* The Couch document given back by a row. */
MUST_CHECK int mapping_form_document(const struct sql_row *form, struct arena *a, struct json *out, struct err *err);
/* The SQL-side JSON of a form (decision 10). */
MUST_CHECK int mapping_form_sql_json(const struct sql_row *form, struct arena *a, struct json *out, struct err *err);

/* ---- plain documents ---- */
MUST_CHECK int mapping_document(const struct mapping_doc *d, struct arena *a, struct sql_row *out, struct err *err);
MUST_CHECK int mapping_document_document(const struct sql_row *row, struct arena *a, struct json *out, struct err *err);

/* ---- cases ---- */
struct mapping_case {
	struct sql_row row;
	struct sql_rows indices, attachments;
};
/* Transaction rows (in key order, of one case) -> transactions in order of application. */
MUST_CHECK int mapping_transactions(const struct sql_row *rows, size_t n, struct arena *a, struct replay_txn **out, struct err *err);
/* couch: the spooled Couch case, or NULL: gives doc_type, deletion, what the row copies from it (decision 14). deleted: tombstone. */
struct mapping_case_source {
	struct slice kind;      /* "CommCareCase" when there is no Couch case */
	struct slice couch_rev; /* SLICE_NONE if none */
	const struct json *couch;
	int tombstone;
};
MUST_CHECK int mapping_case(struct slice domain, const struct replay_case *folded, const struct mapping_case_source *src,
                            struct arena *a, struct mapping_case *out, struct err *err);
/* CommCareCase-Deleted without processed forms: copied as it is. */
MUST_CHECK int mapping_case_copy(struct slice domain, const struct mapping_case_source *src, struct arena *a,
                                 struct mapping_case *out, struct err *err);
/* The SQL-side JSON of a case (decision 11) from its rows. */
MUST_CHECK int mapping_case_sql_json(const struct sql_row *row, const struct sql_rows *indices, const struct sql_rows *attachments,
                                     const struct replay_txn *txns, size_t n_txns, struct arena *a, struct json *out,
                                     struct err *err);

#endif
