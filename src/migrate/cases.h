/*
 * cases: a page of cases, folded from their transactions, stored, read back and compared with the Couch cases. Private to src/migrate.
 * Threads: a page is made by the lister (producer), then owned by one worker.
 */
#ifndef SETTLE_MIGRATE_CASES_H
#define SETTLE_MIGRATE_CASES_H

#include "explain/explain.h"
#include "migrate/rows.h"
#include "migrate/run.h"

struct page_patch {
	struct slice form_id;
	struct json block;          /* the diff block; {} when it cannot be read */
};

struct page_case {
	struct slice id;
	int has_couch;              /* in the spool, a tombstone included */
	struct state_case spooled;
	struct slice other_domain;  /* a document of this id belongs to that domain */
	/* results */
	struct slice kind;          /* under which it counts */
	struct slice diffs, changes, ignored;
	int missing;
	/* on the way */
	struct json couch;          /* parsed, when has_couch and not deleted */
	struct sql_rows txn_rows;   /* as the target holds them, in key order */
	struct replay_txn *arrived; /* its transactions as their forms came */
	struct replay_txn *txns;    /* the same in order of application: arrived, unless sorted (decision 17) */
	size_t n_txns;
	struct mapping_case mapped;
	int has_row;                /* mapped is to be stored */
	const struct sql_row *back; /* what SQL holds then, or NULL */
	struct sql_rows indices, attachments;
	struct explain_ids wants;   /* forms that its verdict depends on */
	struct explain_form *forms; /* what became of them, in the order of wants */
	struct page_patch *patches; /* patch forms of this case that SQL holds */
	size_t n_patches;
	struct slice foreseen;      /* digest of the SQL side that a patch must lead to, or SLICE_NONE */
	int unforeseen;             /* it led elsewhere */
};

struct page {
	struct pipeline_job job;    /* first: see pipeline.h */
	struct arena arena;
	struct {
		struct page_case *v;
		size_t n, cap;
	} cases;                    /* in byte order of id, each once */
	struct slice low, high;     /* this page clears settle_dirty_case in (low, high]; low SLICE_NONE = from the start */
};

struct page *page_new(void);
void page_free(struct page *p);
/* Folds, stores, reads back and compares, inside the caller's transaction; fills the results. */
MUST_CHECK int page_store(struct run *r, struct sql_target *t, struct page *page, struct err *err);
/* Which of the cases there are, and as what: fills kind and back. Reads only. */
MUST_CHECK int page_identify(struct run *r, struct sql_target *t, struct page *page, struct err *err);
/* Compares the cases as SQL holds them and fills the results; writes nothing, needs no transaction. */
MUST_CHECK int page_look(struct run *r, struct sql_target *t, struct page *page, struct err *err);
/* What the spool and the remembered ids of other domains know of a case, for a page. */
MUST_CHECK int page_add(struct run *r, struct page *page, struct slice id, struct err *err);
/* The results into the state file, inside its batch. */
MUST_CHECK int page_record(struct run *r, const struct page *page, struct err *err);

#endif
