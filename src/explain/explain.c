/* The verdict on one case: compare, then ask for a reason, step by step. */
#include "explain/internal.h"

struct diff_list explain_compare(const struct explain_case *c, const struct json *couch, const struct json *sql,
				 struct arena *a, struct ignored_list *ignored)
{
	struct explain_ids touching = explain_touching_forms(c->txns, c->n_txns, a);
	struct rule_context ctx = {
	    .couch = couch,
	    .sql = sql,
	    .kind = c->kind,
	    .no_action_forms = touching.v,
	    .n_no_action_forms = touching.n,
	};
	struct diff_list raw = {0}, kept = {0};

	diff_json(couch, sql, a, &raw);
	rules_filter(c->rules, &ctx, &raw, a, &kept, ignored);
	return kept;
}

void explain_push(struct diff_list *out, enum diff_type type, const char *key, const struct json *old_value,
		  const struct json *new_value, struct arena *a)
{
	struct diff_step *path = ARENA_NEW(a, struct diff_step);
	struct diff d = {.type = type, .path = path, .npath = 1, .old_value = old_value, .new_value = new_value};

	path->key = slice_of(key);
	ARENA_PUSH(a, out, d);
}

static int rebuilding_explains(const struct explain_case *c, struct arena *a)
{
	struct json rebuilt = explain_rebuild_couch(c, a);

	return explain_compare(c, &rebuilt, c->sql, a, NULL).n == 0;
}

static void as_changes(struct explain_verdict *v, const char *reason)
{
	v->changes = v->diffs;
	v->diffs = (struct diff_list){0};
	for (size_t i = 0; i < v->changes.n; i++)
		v->changes.v[i].reason = slice_of(reason);
}

static void explain_both(const struct explain_case *c, struct arena *a, struct explain_verdict *out)
{
	out->diffs = explain_compare(c, c->couch, c->sql, a, &out->ignored);
	if (out->diffs.n == 0)
		return;
	if (!c->forms)
		out->wants = explain_lacking_forms(c, a);
	if (out->wants.n || explain_missing_forms(c, a, &out->diffs))
		return;
	if (rebuilding_explains(c, a))
		as_changes(out, EXPLAIN_REBUILD);
}

void explain(const struct explain_case *c, struct arena *a, struct explain_verdict *out)
{
	*out = (struct explain_verdict){0};
	if (c->sql)
		explain_both(c, a, out);
	else
		explain_missing_case(c, a, out);
}
