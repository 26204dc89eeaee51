/* Differences of a case -> what a form writes: BEHAVIOUR section 9.2 to 9.4. */
#include "config.h"

#include "patch/patch_internal.h"
#include "replay/replay.h"

static const struct slice illegal_keys[] = {
    {"actions", 7},
    {"case_id", 7},
    {"domain", 6},
    {"*", 1},
};

int patch_has_name(const struct patch_names *names, struct slice name)
{
	for (size_t i = 0; i < names->n; i++)
		if (slice_eq(names->v[i], name))
			return 1;
	return 0;
}

static int is_key(const struct diff *d, const char *key)
{
	return d->npath == 1 && !d->path[0].is_position && slice_is(d->path[0].key, key);
}

static int starts_with(const struct diff *d, const char *key)
{
	return d->npath && !d->path[0].is_position && slice_is(d->path[0].key, key);
}

/* The whole case is missing in SQL, and that is all there is to say. */
static int is_lost_case(const struct diff_list *diffs)
{
	const struct diff *d = diffs->v;
	return diffs->n == 1 && d->type == DIFF_MISSING && is_key(d, "*") && d->old_value && !d->new_value;
}

/* ---- refusing ---- */

static struct slice path_text(const struct diff *d, struct arena *a)
{
	struct json v = diff_to_json(d, a);
	return json_to_text(json_gets(&v, "path"), JSON_PLAIN, a);
}

static int refuse(struct planning *p, const struct diff *d, const char *why)
{
	struct slice path = path_text(d, p->a);
	p->plan->refused = arena_printf(p->a, "%.*s: %s", SLICE_ARG(path), why);
	return 0;
}

static int refuse_name(struct planning *p, struct slice name, const char *why)
{
	p->plan->refused = arena_printf(p->a, "[\"%.*s\"]: %s", (int)(name.len < 200 ? name.len : 200), name.ptr, why);
	return 0;
}

/* ---- properties ---- */

static int add_property(struct planning *p, struct slice name, struct slice text)
{
	struct slice tame = utf8_tame(name, p->a);
	if (!replay_is_property(&replay_dialect_sql, name))
		return refuse_name(p, tame, "a form cannot set a property of this name");
	json_set(p->a, &p->plan->properties, name, json_string(text));
	return 1;
}

static int plan_property(struct planning *p, const struct diff *d)
{
	if (!d->old_value)
		return add_property(p, d->path[0].key, SLICE(""));
	if (d->npath > 1)
		return refuse(p, d, "a part of a property cannot be set by a form");
	if (d->old_value->type != JSON_STRING)
		return refuse(p, d, "the property is not text in Couch, and a form can only set text");
	return add_property(p, d->path[0].key, d->old_value->text);
}

/* ---- indices ---- */

static void set_index(struct planning *p, struct slice identifier, struct slice type, struct slice id,
		      struct slice relationship)
{
	struct json index = json_object();
	json_sets(p->a, &index, "referenced_type", json_string(type));
	json_sets(p->a, &index, "referenced_id", json_string(id));
	json_sets(p->a, &index, "relationship", json_string(relationship.len ? relationship : SLICE("child")));
	json_set(p->a, &p->plan->indices, identifier, index);
}

static struct slice text_or_empty(const struct json *object, const char *key)
{
	struct slice text = json_get_text(object, key);
	return text.ptr ? text : SLICE("");
}

static void add_index(struct planning *p, const struct json *index)
{
	set_index(p, json_get_text(index, "identifier"), text_or_empty(index, "referenced_type"),
		  text_or_empty(index, "referenced_id"), json_get_text(index, "relationship"));
}

/* An empty reference removes it; not when another difference puts an index of this name. */
static void remove_index(struct planning *p, const struct json *index)
{
	struct slice identifier = json_get_text(index, "identifier");
	if (!json_get(&p->plan->indices, identifier))
		set_index(p, identifier, SLICE(""), SLICE(""), json_get_text(index, "relationship"));
}

/* In a case block "@" begins an attribute and "#" the text. */
static int is_index_name(struct slice identifier)
{
	return identifier.len && identifier.ptr[0] != '@' && identifier.ptr[0] != '#';
}

static int plan_index(struct planning *p, const struct diff *d)
{
	const struct json *index = d->old_value ? d->old_value : d->new_value;
	int whole = d->npath == 2 && (d->path[1].is_position || slice_is(d->path[1].key, "[*]"));
	if (!whole || (d->old_value && d->new_value) || !json_is(index, JSON_OBJECT))
		return refuse(p, d, "only a whole index can be added or removed by a form");
	if (!is_index_name(json_get_text(index, "identifier")))
		return refuse(p, d, "a form cannot name this index");
	if (d->old_value)
		add_index(p, index);
	else
		remove_index(p, index);
	return 1;
}

/* ---- one difference ---- */

static int is_illegal(const struct diff *d)
{
	if (d->npath == 0 || d->path[0].is_position)
		return 1;
	for (size_t i = 0; i < sizeof(illegal_keys) / sizeof(illegal_keys[0]); i++)
		if (slice_eq(d->path[0].key, illegal_keys[i]))
			return 1;
	return 0;
}

int patch_is_unpatchable(const struct patch_policy *policy, const struct diff *d)
{
	if (d->npath == 0 || d->path[0].is_position)
		return 0;
	if (patch_has_name(&policy->unpatchable, d->path[0].key))
		return 1;
	return is_key(d, "closed") && !json_is(d->old_value, JSON_TRUE) && json_is(d->new_value, JSON_TRUE);
}

static int plan_diff(struct planning *p, const struct diff *d)
{
	struct slice key;
	if (is_illegal(d))
		return refuse(p, d, "no form can change it");
	key = d->path[0].key;
	if (patch_has_name(&p->policy->known, key))
		p->plan->actions |= PATCH_UPDATE;
	if (is_key(d, "closed") && json_is(json_gets(p->plan->couch, "closed"), JSON_TRUE) &&
	    !json_is(d->new_value, JSON_TRUE))
		p->plan->actions |= PATCH_CLOSE;
	if (starts_with(d, "indices"))
		return plan_index(p, d);
	if (patch_has_name(&p->policy->statics, key) || patch_has_name(&p->policy->unpatchable, key))
		return 1;
	return plan_property(p, d);
}

static int plan_diffs(struct planning *p, const struct diff_list *diffs)
{
	for (size_t i = 0; i < diffs->n; i++)
		if (!plan_diff(p, &diffs->v[i]))
			return 0;
	if (p->plan->properties.count || p->plan->indices.count)
		p->plan->actions |= PATCH_UPDATE;
	return 1;
}

/* ---- a case that SQL does not have ---- */

static int is_dynamic(const struct patch_policy *policy, struct slice name)
{
	return slice_starts_with_letter(name) && !patch_has_name(&policy->unpatchable, name) &&
	       !patch_has_name(&policy->statics, name) && !patch_has_name(&policy->fields, name);
}

static int plan_all_properties(struct planning *p)
{
	const struct json *couch = p->plan->couch;
	for (uint32_t i = 0; i < couch->count; i++) {
		const struct json_member *m = &couch->members[i];
		if (!is_dynamic(p->policy, m->key) || json_is(&m->value, JSON_NULL))
			continue;
		if (m->value.type != JSON_STRING)
			return refuse_name(p, utf8_tame(m->key, p->a),
					   "the property is not text in Couch, and a form can only set text");
		if (!add_property(p, m->key, m->value.text))
			return 0;
	}
	return 1;
}

static int plan_lost_case(struct planning *p)
{
	const struct json *indices = json_gets(p->plan->couch, "indices");
	p->plan->actions = PATCH_CREATE | PATCH_UPDATE;
	if (json_is(json_gets(p->plan->couch, "closed"), JSON_TRUE))
		p->plan->actions |= PATCH_CLOSE;
	for (uint32_t i = 0; json_is(indices, JSON_ARRAY) && i < indices->count; i++)
		if (is_index_name(json_get_text(&indices->items[i], "identifier")))
			add_index(p, &indices->items[i]);
	return plan_all_properties(p);
}

/* ---- the whole ---- */

static void refuse_text(struct patch_plan *plan, const char *why)
{
	plan->refused = slice_of(why);
}

static int is_plannable(const struct json *couch, const struct diff_list *diffs, struct patch_plan *plan)
{
	if (!couch)
		refuse_text(plan, "there is no Couch case");
	else if (!json_is(couch, JSON_OBJECT) || json_get_text(couch, "_id").len == 0)
		refuse_text(plan, "the Couch case has no _id");
	else if (diffs->n == 0)
		refuse_text(plan, "nothing to patch");
	else
		return 1;
	return 0;
}

void patch_plan(const struct patch_policy *policy, const struct json *couch, const struct diff_list *diffs,
		struct arena *a, struct patch_plan *out)
{
	struct planning p = {.policy = policy, .plan = out, .a = a};
	*out = (struct patch_plan){
	    .couch = couch, .properties = json_object(), .indices = json_object(), .block = json_object()};
	if (!is_plannable(couch, diffs, out))
		return;
	if (!(is_lost_case(diffs) ? plan_lost_case(&p) : plan_diffs(&p, diffs)))
		return;
	out->block = patch_block_make(policy, json_get_text(couch, "_id"), diffs, a);
}
