/*
 * patch_case: one page of documents (cases, and plain ones: patch_document.h) that are to be patched: what SQL and
 * Couch hold of them, the plan, the form, and what SQL will hold after it (the same code that stores a case predicts
 * it). Reads only. Private to src/migrate. Threads: a page belongs to one thread at a time.
 */
#ifndef SETTLE_MIGRATE_PATCH_CASE_H
#define SETTLE_MIGRATE_PATCH_CASE_H

#include "migrate/cases.h"
#include "patch/patch.h"

struct patch_case {
	struct slice kind, id;
	struct diff_list diffs; /* and changes */
	struct slice refused;   /* why it cannot be patched, or SLICE_NONE */
	struct slice form_id, received_on;
	struct patch_plan plan; /* with the whole diff block */
	struct slice xml;
	struct json before, after; /* SQL-side JSON; before: JSON null when there is none */
	/* on the way */
	struct json couch;
	const struct json *couch_doc; /* &couch, or NULL */
	struct slice couch_rev;
	struct sql_rows txns, indices, attachments;
	const struct sql_row *row; /* of `cases`, or NULL */
};

struct patch_cases { /* in byte order of id, each once */
	struct arena arena;
	int64_t now; /* microseconds since 1970: when it was read */
	struct {
		struct patch_case *v;
		size_t n, cap;
	} list;
};

/* Fills everything but kind, id and diffs, which the caller has put: read, then make. */
MUST_CHECK int patch_cases_plan(struct run *r, struct patch_cases *page, struct err *err);
/* What SQL, Couch and the source hold; through r->lister and r->lister_state. */
MUST_CHECK int patch_cases_read(struct run *r, struct patch_cases *page, struct err *err);
/* The plans, forms and predictions: reads nothing, so that any thread may do it. */
MUST_CHECK int patch_cases_make(struct run *r, struct patch_cases *page, struct err *err);

/* What patches of plain documents share with those of cases. */
void patch_case_stamp(struct patch_case *c, int64_t now, struct arena *a); /* form_id, received_on; or refused */
MUST_CHECK int patch_case_write(struct run *r, struct patch_case *c, const struct json *body, struct arena *a,
				struct err *err);
/* A document that cannot be made to follow is refused; only what makes the whole pass impossible stays an error. */
int patch_case_refuse(struct patch_case *c, struct arena *a, struct err *err);

/* What the trail keeps of a planned patch beside the XML: JSON. */
struct json patch_entry(const struct patch_case *c, struct arena *a);

/* A patch form's rows as its XML gives them. ERR_SYNTAX when it is none. */
struct patch_rows {
	struct json body, block;
	struct mapping_form form;
	int is_document; /* it sets a plain document, and is of no case: */
	struct patch_document document;
	struct json doc;    /* its JSON */
	struct sql_row row; /* of `documents` */
};
MUST_CHECK int patch_rows_of(struct slice domain, struct slice xml, struct arena *a, struct patch_rows *out,
			     struct err *err);

/* The SQL-side JSON of the case from its rows as the target holds them; JSON null when row is NULL. */
MUST_CHECK int patch_sql_json(const struct sql_row *row, const struct sql_rows *txns, const struct sql_rows *indices,
			      const struct sql_rows *attachments, struct arena *a, struct json *out, struct err *err);

#endif
