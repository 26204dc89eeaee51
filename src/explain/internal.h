/* What the files of explain share. */
#ifndef SETTLE_EXPLAIN_INTERNAL_H
#define SETTLE_EXPLAIN_INTERNAL_H

#include "explain/explain.h"

/* ---- ids.c ---- */

/* The ids of the forms that the Couch case's actions name, each once, in order of the actions. Null and empty ones are
 * no ids. */
struct explain_ids explain_action_forms(const struct json *couch, struct arena *a);
/* The same of its xform_ids and then of its actions. */
struct explain_ids explain_case_forms(const struct json *couch, struct arena *a);
/* The ids of the forms of transactions, each once, in order. */
struct explain_ids explain_txn_forms(const struct replay_txn *txns, size_t n, struct arena *a);
/* Those of `ids` that are not among `others`, in order. */
struct explain_ids explain_ids_without(const struct explain_ids *ids, const struct explain_ids *others,
				       struct arena *a);

/* ---- explain.c ---- */

/* The differences of the two that the rules leave; ignored may be NULL. */
struct diff_list explain_compare(const struct explain_case *c, const struct json *couch, const struct json *sql,
				 struct arena *a, struct ignored_list *ignored);
/* One difference at a path of one key, appended to out. */
void explain_push(struct diff_list *out, enum diff_type type, const char *key, const struct json *old_value,
		  const struct json *new_value, struct arena *a);

/* ---- rebuild.c ---- */

/* The Couch case that the Couch form processor would make of the transactions today (decision 16). */
struct json explain_rebuild_couch(const struct explain_case *c, struct arena *a);

/* ---- missing_forms.c ---- */

/* The forms that the Couch actions name and SQL's transactions lack. */
struct explain_ids explain_lacking_forms(const struct explain_case *c, struct arena *a);
/* Appends the difference `missing-forms` when at least one of c->forms is absent from Couch (decision 18). 1 when it
 * did. */
int explain_missing_forms(const struct explain_case *c, struct arena *a, struct diff_list *out);

/* ---- missing_case.c ---- */

/* The verdict on a Couch case that SQL does not have (decision 19). */
void explain_missing_case(const struct explain_case *c, struct arena *a, struct explain_verdict *out);

#endif
