/* Forms that the Couch case was made of and SQL lacks (BEHAVIOUR section 7.3, decision 18). */
#include "explain/internal.h"

struct explain_ids explain_lacking_forms(const struct explain_case *c, struct arena *a)
{
	struct explain_ids named = explain_action_forms(c->couch, a);
	struct explain_ids held = explain_txn_forms(c->txns, c->n_txns, a);

	return explain_ids_without(&named, &held, a);
}

static void set_state(struct json *states, struct slice id, int present, struct arena *a)
{
	json_set(a, states, id, json_str(present ? "present" : "missing"));
}

int explain_missing_forms(const struct explain_case *c, struct arena *a, struct diff_list *out)
{
	struct json *couch = ARENA_NEW(a, struct json), *sql = ARENA_NEW(a, struct json);
	int absent = 0;

	*couch = *sql = json_object();
	for (size_t i = 0; i < c->n_forms; i++) {
		absent |= !c->forms[i].in_couch;
		set_state(couch, c->forms[i].id, c->forms[i].in_couch, a);
		set_state(sql, c->forms[i].id, c->forms[i].in_sql, a);
	}
	if (absent)
		explain_push(out, DIFF_MISSING_FORMS, "xform_ids", couch, sql, a);
	return absent;
}
