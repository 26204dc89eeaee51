/*
 * state_internal: what the files of this room share. One table `doc` has a row for every id; its flags say in which
 * of the other tables something lies for this id, so that for nearly all documents no other table is touched.
 */
#ifndef SETTLE_STATE_INTERNAL_H
#define SETTLE_STATE_INTERNAL_H

#include "lite/lite.h"
#include "state/state.h"

/*
 * ---- interned texts: text <-> small number, in table `name` (kinds, domains) or `signature` (what rules ignored)
 * ----
 */

struct intern {
	const char *select, *insert; /* SQL */
	struct arena memory;
	struct intern_slot *slots;
	size_t n, cap;
};

MUST_CHECK int intern_number(struct lite *db, struct intern *in, struct slice text, int64_t *out, struct err *err);
/* Forgets what may not be in the file after a rollback. */
void intern_clear(struct intern *in);

/* ---- the handle ---- */

struct state {
	struct lite *db;
	struct arena memory;
	int in_batch;    /* between state_begin and state_commit or state_rollback */
	int failed;      /* a write of this batch failed halfway: only a rollback helps */
	int any_skipped; /* 0: table skipped is known to be empty */
	int any_wanted;  /* the same of table wanted */
	struct intern names, signatures;
};

/* Around every writing operation: a transaction of its own unless a batch is open; *own says so. */
MUST_CHECK int state_op_begin(struct state *s, int *own, struct err *err);
MUST_CHECK int state_op_end(struct state *s, int own, int rc, struct err *err);
/* Adds the way out of a damaged state file; returns rc. */
int state_told(int rc, struct err *err);
/* The row that a query of one id gives, if *row; whatever comes of it, lite_done ends the statement. */
MUST_CHECK int state_find(struct state *s, const char *sql, struct slice id, struct lite_stmt **stmt, int *row,
			  struct err *err);
/* A statement with one id bound, run. */
MUST_CHECK int state_run_id(struct state *s, const char *sql, struct slice id, struct err *err);

/* ---- rows of doc ---- */

enum doc_flags {
	DOC_SOURCE = 1 << 0, /* the source has this document, and it is of this domain */
	DOC_DIFF = 1 << 1,   /* a row in the table of that name, and so on */
	DOC_CHANGE = 1 << 2,
	DOC_MISSING = 1 << 3,
	DOC_REJECT = 1 << 4,
	DOC_PENDING = 1 << 5,
	DOC_TOMBSTONE = 1 << 6, /* a spooled case that is deleted in the source */
	DOC_WANTS = 1 << 7,     /* rows in wanted */
	DOC_LEDGERS = 1 << 8,   /* enum state_traits; only with DOC_SOURCE */
	DOC_KEY_TWICE = 1 << 9,
	DOC_TRAITS = DOC_LEDGERS | DOC_KEY_TWICE,
	DOC_SQL_ONLY = 1 << 10, /* what differs is a case of that id, of which the source has none */
};

struct doc_row {
	int found;
	int64_t kind, flags;
	int64_t ignored; /* number in signature, 0 = nothing */
	int64_t attachments, conflicts;
	int64_t spool; /* number in spool, 0 = none */
};

MUST_CHECK int doc_read(struct state *s, struct slice id, struct doc_row *out, struct err *err);
/*
 * Brings the row from `old` to `next`: removes what lies in other tables and is not in next.flags (or next.spool) any
 * more, and the row itself when nothing is left. What next adds, the caller puts.
 */
MUST_CHECK int doc_change(struct state *s, struct slice id, const struct doc_row *old, const struct doc_row *next,
			  struct err *err);
/* The texts of diffs and changes; SLICE_NONE, "" and "[]" are none. */
MUST_CHECK int doc_put_lists(struct state *s, const struct state_doc *doc, struct err *err);
int doc_list_flags(const struct state_doc *doc);
int64_t doc_trait_flags(unsigned traits); /* of enum state_traits, */
unsigned doc_traits(int64_t flags);       /* and back */
MUST_CHECK int doc_ignored_number(struct state *s, struct slice ignored, int64_t *out, struct err *err);
MUST_CHECK int doc_put_missing(struct state *s, struct slice kind, struct slice id, struct err *err);

/* ---- cases and the forms they want ---- */

/* Marks a spooled case as pending. Inside a batch or an operation. */
MUST_CHECK int case_touch(struct state *s, struct slice id, struct err *err);
MUST_CHECK int wants_put(struct state *s, const struct state_doc *doc, struct err *err);
/* Marks as pending the cases that want this form, of which something became known. */
MUST_CHECK int wants_touch(struct state *s, struct slice form_id, struct err *err);
MUST_CHECK int wants_look(struct state *s, struct err *err);

#endif
