/*
 * page: the steps of one page of cases (page_store), each in a file of its own: page_fold.c (which order, and what it
 * makes), page_write.c (rows), page_compare.c (verdicts), page_forms.c (the forms a verdict asks for). Private to
 * src/migrate; the page itself is in cases.h. Everything of a page lives in its arena. Threads: as the page's worker.
 */
#ifndef SETTLE_MIGRATE_PAGE_H
#define SETTLE_MIGRATE_PAGE_H

#include "migrate/cases.h"

/* The run of rows from *at on that belong to this case; rows and cases are both in byte order of case id. */
struct sql_rows page_rows_of(const struct sql_rows *rows, int column, struct slice id, size_t *at);

/* What explain is asked about a Couch case; sql and forms are left to the caller. */
struct explain_case page_question(const struct run *r, const struct page_case *c);

/* The kind under which a case counts: the Couch case's, else the profile's first kind of cases. */
struct slice page_kind(const struct run *r, const struct page_case *c);

/* Puts the transactions in their order and folds them: txns, mapped, has_row of each case. */
MUST_CHECK int page_fold(struct run *r, struct page *page, struct err *err);
/* Brings the target to what was folded; then `back`, `indices` and `attachments` of each case are what it holds. */
MUST_CHECK int page_write(struct run *r, struct sql_target *t, struct page *page, struct err *err);
/* What the target holds now: `indices` and `attachments` of each case. */
MUST_CHECK int page_read_children(struct run *r, struct sql_target *t, struct page *page, struct err *err);
/* Compares each case with what the target holds: diffs, changes, ignored and missing of each case. */
MUST_CHECK int page_compare(struct run *r, struct sql_target *t, struct page *page, struct err *err);
/* Looks up the forms that the cases' verdicts want: in the target, else among the rejects. */
MUST_CHECK int page_find_forms(struct run *r, struct sql_target *t, struct page *page, struct err *err);

/* ---- patched.c ---- */
/* The patch forms of the page's cases. */
MUST_CHECK int page_read_patches(struct run *r, struct sql_target *t, struct page *page, struct err *err);
/* Is everything that differs recorded by a patch form (BEHAVIOUR 9.5)? Then the verdict has no difference. */
int page_is_patched(struct run *r, const struct page_case *c, const struct json *sql, struct arena *a,
                    struct explain_verdict *out);
/* Marks a case whose patch led elsewhere than was foreseen; sql: what the target holds then, or NULL. */
void page_check_foreseen(struct page_case *c, const struct json *sql, struct arena *a);

#endif
