/*
 * state: the state file of one domain, STATE_DIR/domains/<encoded domain>/state.db (SQLite, WAL, numbered
 * migrations). Owns what settle knows about each document beside the target: diffs, changes, missing, rejects, what
 * rules ignored, the spool of Couch cases, remembered ids of other domains, run settings. No state-file SQL outside
 * src/state. Directories 0700, files 0600.
 *
 * Everything is idempotent per document: recording a document twice is recording it once, so a pass that is repeated
 * after a kill ends in the same state. Losing the file loses no data (rebuilt from target and source).
 * Writers: one at a time (the domain lock guards it); state_begin/commit group a batch. Readers open with
 * STATE_READ_ONLY, cannot write, and hold no long transaction: iterators read page by page.
 * After an error inside a batch the batch must be rolled back; state_commit refuses it otherwise. Outside of a batch
 * each operation is a transaction of its own. A commit is on the disk when it returns: the target's commit that
 * relies on it comes next.
 * Every id has one record: the source's document, what became of it, and its one kind. Ids are compared by bytes; no
 * id is empty.
 * Errors: ERR_STATE (native = SQLite's code), ERR_NOTFOUND where a function says so.
 * Threads: one thread at a time per handle.
 */
#ifndef SETTLE_STATE_STATE_H
#define SETTLE_STATE_STATE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdint.h>

struct state;

enum state_flags {
	STATE_READ_ONLY = 1u << 0,
	STATE_TRACELESS = 1u << 1, /* with STATE_READ_ONLY: for a moment, while nobody writes; makes no file */
};

/* Read-only: ERR_NOTFOUND when there is no state file. Otherwise directories and file are made. */
MUST_CHECK int state_open(struct state **out, const char *state_dir, struct slice domain, unsigned flags,
			  struct err *err);
void state_close(struct state *s); /* NULL allowed; rolls back */
/* Takes the state file of a domain away, if there is one. No handle on it may be open. */
MUST_CHECK int state_remove(const char *state_dir, struct slice domain, struct err *err);
/* Where the state file of a domain lies, there or not; its log is FILE-wal. */
const char *state_file(const char *state_dir, struct slice domain, struct arena *a);
MUST_CHECK int state_begin(struct state *s, struct err *err);
MUST_CHECK int state_commit(struct state *s, struct err *err);
void state_rollback(struct state *s);

/* ---- settings and small values ---- */
MUST_CHECK int state_value_put(struct state *s, const char *key, struct slice value, struct err *err);
/* Absent: SLICE_NONE. */
MUST_CHECK int state_value_get(struct state *s, const char *key, struct arena *a, struct slice *out, struct err *err);

/* What a stored document holds that people are told of; nothing hangs on it. */
enum state_traits {
	STATE_LEDGERS = 1u << 0,   /* a form with stock in it */
	STATE_KEY_TWICE = 1u << 1, /* a key stands twice in one object */
};

/* ---- one record per Couch document of the domain that is stored in SQL (events and plain documents) ---- */
struct state_doc {
	struct slice kind, id;
	/*
	 * What rules ignored in it: JSON object rule name -> count, canonical, or SLICE_NONE. Interned, so that a
	 * million equal ones cost little.
	 */
	struct slice ignored;
	uint32_t attachments; /* inline attachments not brought over */
	uint32_t conflicts;   /* losing revisions not brought over */
	unsigned traits;      /* enum state_traits */
	/*
	 * JSON arrays as diff_list_to_json makes them; SLICE_NONE or "[]" = none. A row is kept only while there is
	 * something.
	 */
	struct slice diffs, changes;
	/*
	 * Of a case: ids of forms that its outcome depends on and that have no block for it. It becomes pending when one
	 * of them is put, rejected, skipped or forgotten, unless that is no news.
	 */
	const struct slice *wants;
	size_t n_wants;
	int same; /* 1: the target held this very document already, so that nobody waits for it */
};
/*
 * Replaces everything known about this id, reject, missing mark and spool copy included (an id has one kind; an old
 * record under another kind goes).
 */
MUST_CHECK int state_doc_put(struct state *s, const struct state_doc *doc, struct err *err);
/*
 * What is known of a document besides its differences: kind, ignored, attachments, conflicts, traits (slices in the
 * arena). ERR_NOTFOUND when there is no record.
 */
MUST_CHECK int state_doc_get(struct state *s, struct slice id, struct arena *a, struct state_doc *out, struct err *err);
/*
 * The document is gone from the source (tombstone), or is not of this domain any more: forgets all that is known
 * about it.
 */
MUST_CHECK int state_doc_forget(struct state *s, struct slice id, struct err *err);

/* ---- spool of Couch cases: kept for later comparison; `pending` until compared ---- */
struct state_case {
	struct slice kind, id, rev;
	struct slice body; /* JSON text; SLICE_NONE for a tombstone */
	int deleted;       /* tombstone */
	int pending;
	uint32_t attachments, conflicts;
	unsigned traits; /* enum state_traits */
};
/*
 * Puts it as pending, unless the same revision is there already: then *same = 1, it is as pending as it was, and only
 * attachments, conflicts and traits are brought up to date. A reject of this id goes; diffs, changes and missing mark
 * stay until it is compared.
 */
MUST_CHECK int state_case_put(struct state *s, const struct state_case *c, int *same, struct err *err);
/* ERR_NOTFOUND when there is none. */
MUST_CHECK int state_case_get(struct state *s, struct slice id, struct arena *a, struct state_case *out,
			      struct err *err);
/* Marks as pending again those that exist. */
MUST_CHECK int state_case_touch(struct state *s, struct slice id, struct err *err);
struct state_cases {
	struct state_case *v;
	size_t n, cap;
};
/* Pending cases with id > after in byte order, at most limit; one that has no spool row any more has only its id and kind. */
MUST_CHECK int state_case_pending(struct state *s, struct slice after, int limit, struct arena *a,
				  struct state_cases *out, struct err *err);
/* All spooled cases with id > after. */
MUST_CHECK int state_case_page(struct state *s, struct slice after, int limit, struct arena *a, struct state_cases *out,
			       struct err *err);

enum state_missing { STATE_NOT_MISSING, STATE_MISSING };
/*
 * The outcome of comparing one case: replaces its kind, diffs, changes, ignored and missing mark; it stays pending
 * until state_pending_clear, which comes after the target has committed the rows that were compared: a kill in between
 * compares it again. doc->attachments, conflicts and traits are not looked at. Works for SQL-only cases too (no spool
 * row): these are not among the documents of state_kinds. A reject is not marked missing.
 */
MUST_CHECK int state_case_compared(struct state *s, const struct state_doc *doc, enum state_missing missing,
				   struct err *err);

/* No case with an id up to `high` (byte order) is pending any more. */
MUST_CHECK int state_pending_clear(struct state *s, struct slice high, struct err *err);

/* ---- missing documents (of the source, without a counterpart in SQL); a reject is not marked ---- */
MUST_CHECK int state_missing_put(struct state *s, struct slice kind, struct slice id, struct err *err);
MUST_CHECK int state_missing_del(struct state *s, struct slice id, struct err *err);

/* ---- rejects: kept whole, with the reason ---- */
struct state_reject {
	struct slice id;                /* decoded, or "@<offset>" where the document has none */
	struct slice kind;              /* "" if unknown */
	struct slice rev, reason, body; /* body SLICE_NONE when it was over the size cap */
	uint64_t offset, length;
	struct slice sha256; /* hex, of the bytes */
};
MUST_CHECK int state_reject_put(struct state *s, const struct state_reject *r, struct err *err);
MUST_CHECK int state_reject_del(struct state *s, struct slice id, struct err *err);

/*
 * ---- ids that belong to other domains, or ("") to none: when that is news, what was known about such an id as this domain's goes, and
 * if there was anything the id is pending: forms of this domain may use it ----
 */
MUST_CHECK int state_skipped_put(struct state *s, struct slice id, struct slice domain, struct err *err);
/* Absent: SLICE_NONE. */
MUST_CHECK int state_skipped_get(struct state *s, struct slice id, struct arena *a, struct slice *domain,
				 struct err *err);

/* ---- the journal of a patch pass: planned, and not yet known to be in the target ---- */
struct state_patch {
	int64_t n; /* place in the journal; not looked at when put */
	struct slice form_id, kind, id;
	struct slice received_on;
	struct slice xml;
	struct slice entry; /* what the trail keeps beside it: JSON text */
};
struct state_patches {
	struct state_patch *v;
	size_t n, cap;
};
/* Of the same form_id put twice the first stays. */
MUST_CHECK int state_patch_put(struct state *s, const struct state_patch *p, struct err *err);
/* Those with n > after, in order, at most limit. */
MUST_CHECK int state_patch_page(struct state *s, int64_t after, int limit, struct arena *a, struct state_patches *out,
				struct err *err);
MUST_CHECK int state_patch_del(struct state *s, int64_t n, struct err *err);
MUST_CHECK int state_patch_count(struct state *s, int64_t *out, struct err *err);

/* ---- reading back ---- */
struct state_counts {
	int64_t pending, rejects, conflicts, attachments;
	int64_t diffs, missing, changes; /* documents */
};
MUST_CHECK int state_counts(struct state *s, struct state_counts *out, struct err *err);
struct state_kind_counts {
	struct slice kind;
	int64_t docs, diffs, missing, changes, rejects;
	int64_t ledgers, key_twice; /* documents with that trait */
};
struct state_kinds {
	struct state_kind_counts *v;
	size_t n, cap;
};
/*
 * Documents of the source per kind (rejected ones included under their kind), with diffs, missing, changes; by kind
 * in byte order.
 */
MUST_CHECK int state_kinds(struct state *s, struct arena *a, struct state_kinds *out, struct err *err);
struct state_tally {
	struct slice rule;
	int64_t count;
};
struct state_tallies {
	struct state_tally *v;
	size_t n, cap;
};
/* Ignored differences by rule name, in byte order. */
MUST_CHECK int state_ignored(struct state *s, struct arena *a, struct state_tallies *out, struct err *err);

enum state_list { STATE_DIFFS, STATE_CHANGES, STATE_MISSING_DOCS, STATE_REJECTS };
struct state_item {
	struct slice kind, id;
	struct slice json; /* diffs or changes; for rejects the reason */
};
struct state_items {
	struct state_item *v;
	size_t n, cap;
};
/* A page in (kind, id) byte order after the given one (both SLICE_NONE: from the start). */
MUST_CHECK int state_list(struct state *s, enum state_list which, struct slice after_kind, struct slice after_id,
			  int limit, struct arena *a, struct state_items *out, struct err *err);
/* Diffs or changes of one document; ERR_NOTFOUND when there are none. */
MUST_CHECK int state_get(struct state *s, enum state_list which, struct slice id, struct arena *a,
			 struct state_item *out, struct err *err);
MUST_CHECK int state_reject_get(struct state *s, struct slice id, struct arena *a, struct state_reject *out,
				struct err *err);

/* ---- ids in byte order ---- */
enum state_ids {
	STATE_IDS_SOURCE, /* documents of the domain that the source has, missing ones included */
	STATE_IDS_MISSING,
	STATE_IDS_REJECTS,
	STATE_IDS_PENDING, /* cases that wait to be compared */
	STATE_IDS_SKIPPED, /* of other domains, or of none */
};
struct state_id_list {
	struct slice *v;
	size_t n, cap;
};
/* Ids > after, at most limit. */
MUST_CHECK int state_ids(struct state *s, enum state_ids which, struct slice after, int limit, struct arena *a,
			 struct state_id_list *out, struct err *err);
/* The kind of a document that the source is known to have; SLICE_NONE when it is not known. */
MUST_CHECK int state_kind_get(struct state *s, struct slice id, struct arena *a, struct slice *kind, struct err *err);

/*
 * Sorts any number of ids: they lie in a temporary file, each once, and come out in pages in byte order. Errors: ERR_STATE.
 */
struct id_sorter;
MUST_CHECK int id_sorter_open(struct id_sorter **out, struct err *err);
MUST_CHECK int id_sorter_add(struct id_sorter *s, struct slice id, struct err *err);
MUST_CHECK int id_sorter_page(struct id_sorter *s, struct slice after, int limit, struct arena *a,
			      struct state_id_list *out, struct err *err);
void id_sorter_close(struct id_sorter *s); /* NULL allowed */

#endif
