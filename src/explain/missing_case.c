/* A Couch case without an SQL case: its forms say why (BEHAVIOUR section 7, decision 19). */
#include "explain/internal.h"

static int all_deleted(const struct explain_case *c)
{
	for (size_t i = 0; i < c->n_forms; i++)
		if (!c->forms[i].deleted)
			return 0;
	return c->n_forms > 0;
}

static int none_references(const struct explain_case *c)
{
	for (size_t i = 0; i < c->n_forms; i++)
		if (c->forms[i].references)
			return 0;
	return 1;
}

static const char *reason_of(const struct explain_case *c)
{
	if (all_deleted(c))
		return EXPLAIN_DELETED_FORMS;
	return none_references(c) ? EXPLAIN_ORPHANED : NULL;
}

void explain_missing_case(const struct explain_case *c, struct arena *a, struct explain_verdict *out)
{
	struct json *everything = ARENA_NEW(a, struct json);
	const char *reason;

	if (!c->forms)
		out->wants = explain_case_forms(c->couch, a);
	if (out->wants.n)
		return;
	reason = reason_of(c);
	*everything = json_str("*");
	explain_push(reason ? &out->changes : &out->diffs, DIFF_MISSING, "*", everything, NULL, a);
	if (reason)
		out->changes.v[0].reason = slice_of(reason);
}

int explain_form_references(const struct json *body, struct slice case_id, struct arena *a)
{
	struct replay_form form = {.form_id = SLICE(""), .body = body};
	struct replay_txn_list blocks = {0};

	if (!body || replay_form_blocks(&form, a, &blocks, NULL))
		return 1;
	for (size_t i = 0; i < blocks.n; i++)
		if (slice_eq(blocks.v[i].case_id, case_id))
			return 1;
	return 0;
}
