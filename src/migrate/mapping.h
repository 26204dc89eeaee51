/*
 * mapping: documents <-> rows, as the profile declares. Pure: no I/O.
 *
 * A column takes a field's value where it can give back an equal one; otherwise the column is null (or tamed) and the
 * original stays in `extra`, which wins when the document is put together again. `raw` holds the whole document's bytes
 * when the cells cannot hold it: odd values (DESIGN decision 2), or no field of its own for a key column (a profile
 * without domain). So row -> document is exact; that is the copy check:  mapping_*_document(row read back) equals the
 * document read (the stored doc type is undone).
 *
 * A changed cell never hides behind `raw` or `extra`: raw counts only while the cells equal the tamed raw, otherwise
 * the document is what the cells say; a date column that no longer follows from the text in `extra` wins over it; a
 * user_id that no longer follows from the form's meta shows as a field of its own.
 *
 * The SQL-side JSON (what SQL tells an application, decisions 10 and 11) is a second function over the same row.
 * Cells borrow from the document or live in the arena. Threads: functions are reentrant.
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
	const struct json *doc; /* without _conflicts and other feed metadata */
	struct slice bytes;     /* its exact text; feed metadata in it is left out again when it is read */
	unsigned odd;           /* enum json_odd bits */
};

/* A field that CouchDB adds to an answer and that is no part of the document: _conflicts, _deleted_conflicts,
 * _revisions, ... */
int mapping_is_feed_metadata(struct slice key);
/* Takes those fields out of a document whose list of members belongs to the caller. */
void mapping_drop_feed_metadata(struct json *doc);

/*
 * Ids at most this long fit into every key of section 7: PostgreSQL takes about 2700 bytes for an index entry. Longer
 * ones are rejects.
 */
#define MAPPING_KEY_MAX 1000
/* 0, or ERR_SYNTAX "WHAT is empty | holds U+0000 or an unpaired surrogate | is longer than ...". */
MUST_CHECK int mapping_key_check(struct slice key, const char *what, struct err *err);

/* ---- events ---- */
/* The rows of a form: forms, form_operations, attachments. ERR_SYNTAX (a reject) when an id cannot be a key, or a block
 * cannot be read. */
struct mapping_form {
	struct sql_row form;
	struct sql_rows operations, attachments, transactions;
	int processed; /* its blocks were replayed (kind processed, no problem, initial_processing_complete not false)
			*/
};
MUST_CHECK int mapping_form(const struct mapping_doc *d, struct arena *a, struct mapping_form *out, struct err *err);
/* The Couch document given back by a row. ERR_SYNTAX when a cell is no JSON. Borrows from the row. */
MUST_CHECK int mapping_form_document(const struct sql_row *form, struct arena *a, struct json *out, struct err *err);
/* The SQL-side JSON of a form (decision 10). */
MUST_CHECK int mapping_form_sql_json(const struct sql_row *form, struct arena *a, struct json *out, struct err *err);
/* The same without reading the row's JSON again: document is what mapping_form_document gave for it. */
void mapping_form_sql_json_of(const struct sql_row *form, const struct json *document, struct arena *a,
			      struct json *out);

/*
 * Attachment rows of any document: external_blobs, then names that only _attachments has. owner_kind: 'form', 'case' or
 * 'document'. Names are tamed; of names that become the same the first has the row (the document keeps them all).
 */
MUST_CHECK int mapping_attachments(struct slice domain, const char *owner_kind, struct slice owner_id,
				   const struct json *doc, struct arena *a, struct sql_rows *out, struct err *err);

/* ---- plain documents ---- */
MUST_CHECK int mapping_document(const struct mapping_doc *d, struct arena *a, struct sql_row *out, struct err *err);
MUST_CHECK int mapping_document_document(const struct sql_row *row, struct arena *a, struct json *out, struct err *err);

/* ---- cases ---- */
struct mapping_case {
	struct sql_row row;
	struct sql_rows indices, attachments; /* indices in order of identifier */
};
/*
 * Transaction rows (of one case) -> transactions in order of application. TXN_SERVER_DATE holds the date that orders
 * now; TXN_ORIGINAL_SERVER_DATE is null unless another date was put in its place (decision 17).
 */
MUST_CHECK int mapping_transactions(const struct sql_row *rows, size_t n, struct arena *a, struct replay_txn **out,
				    struct err *err);
/* The same with the dates the forms came with, in the order these give. */
MUST_CHECK int mapping_original_transactions(const struct sql_row *rows, size_t n, struct arena *a,
					     struct replay_txn **out, struct err *err);
/*
 * Puts the date that orders (applied) and, where it is another, the one the form came with (original, SLICE_NONE: none) into a
 * transaction's row. A form without a readable date that is given one has the last moment of the calendar as its original date:
 * unreadable dates come last.
 */
void mapping_put_dates(struct sql_row *row, struct slice applied, struct slice original);
/* The date the form came with, or SLICE_NONE. */
struct slice mapping_original_date(const struct sql_row *row);
/* couch: the spooled Couch case, or NULL: gives doc_type, deletion, what the row copies from it (decision 14). deleted:
 * tombstone. */
struct mapping_case_source {
	struct slice kind;      /* "CommCareCase" (or SLICE_NONE) when there is no Couch case */
	struct slice couch_rev; /* SLICE_NONE if none */
	const struct json *couch;
	int tombstone;
};
/*
 * A folded case. Deleted when its Couch document is CommCareCase-Deleted or a tombstone, or when no form is left.
 * case_id is folded->case_id, or the Couch document's _id when nothing was folded.
 */
MUST_CHECK int mapping_case(struct slice domain, const struct replay_case *folded,
			    const struct mapping_case_source *src, struct arena *a, struct mapping_case *out,
			    struct err *err);
/* CommCareCase-Deleted without processed forms: copied as it is. src->couch must not be NULL. */
MUST_CHECK int mapping_case_copy(struct slice domain, const struct mapping_case_source *src, struct arena *a,
				 struct mapping_case *out, struct err *err);
/*
 * The SQL-side JSON of a case (decision 11) from its rows; indices in order of identifier, xform_ids and actions from
 * the transactions (in order of application), or as copied when there are none.
 */
MUST_CHECK int mapping_case_sql_json(const struct sql_row *row, const struct sql_rows *indices,
				     const struct sql_rows *attachments, const struct replay_txn *txns, size_t n_txns,
				     struct arena *a, struct json *out, struct err *err);

#endif
