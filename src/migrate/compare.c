/* One document against its SQL side, with the rules of the profile. */
#include "config.h"

#include "migrate/migrate.h"

static struct slice kind_of(const struct profile *p, const struct json *doc)
{
	return p->type_field.ptr ? json_text(json_get(doc, p->type_field)) : SLICE_NONE;
}

static struct slice kind_or_guess(const struct profile *p, struct slice kind, const struct json *couch,
				  const struct json *sql)
{
	if (!kind.ptr)
		kind = kind_of(p, couch);
	if (!kind.ptr)
		kind = kind_of(p, sql);
	return kind.ptr ? kind : SLICE("document");
}

void migrate_compare(const struct profile *p, struct slice kind, const struct json *couch, const struct json *sql,
		     const struct slice *no_action_forms, size_t n_no_action, int raw, struct arena *a,
		     struct migrate_comparison *out)
{
	struct rule_context ctx = {.couch = couch,
				   .sql = sql,
				   .kind = kind_or_guess(p, kind, couch, sql),
				   .no_action_forms = no_action_forms,
				   .n_no_action_forms = n_no_action};
	struct diff_list found = {0};

	*out = (struct migrate_comparison){0};
	diff_json(couch, sql, a, &found);
	if (raw)
		out->diffs = found;
	else
		rules_filter(&p->rules, &ctx, &found, a, &out->diffs, &out->ignored);
}
