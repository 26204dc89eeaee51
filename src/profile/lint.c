/* Rules that can be read but make no sense: that hold for no difference or for all (shadow.c: only for what another
 * takes). */
#include "config.h"

#include "profile/profile_internal.h"

#include "base/datetime.h"

/* ---- never ---- */

static int is_boolean(const struct json *v)
{
	return v->type == JSON_TRUE || v->type == JSON_FALSE;
}

static int same_type(const struct json *a, const struct json *b)
{
	return a->type == b->type || (is_boolean(a) && is_boolean(b));
}

/* null, objects and lists differ inside, by type, or not at all. */
static int can_stand_in_diff(const struct rule_value *v)
{
	return v->kind != RULE_EQUALS ||
	       (v->value.type != JSON_NULL && v->value.type != JSON_OBJECT && v->value.type != JSON_ARRAY);
}

static int wants_datetimes(const struct rule *r)
{
	for (const struct rule_named_predicate *p = rule_predicates; p->name; p++) {
		if (p->fn == r->predicate)
			return strcmp(p->name, "both_datetimes") == 0;
	}
	return 0;
}

static int can_be_datetime(const struct rule_value *v)
{
	return v->kind == RULE_ANY || (v->kind == RULE_EQUALS && v->value.type == JSON_STRING);
}

/* Of rules with a type; both = both sides have a given value. */
static const char *never_by_type(const struct rule *r, int absent, int both)
{
	const struct json *old = &r->old_value.value, *fresh = &r->new_value.value;

	if (absent && r->type != DIFF_MISSING)
		return "a side that is absent gives \"missing\"";
	if (both && r->type == DIFF_MISSING)
		return "\"missing\" has a value on one side only";
	if (both && r->type == DIFF_TYPE && same_type(old, fresh))
		return "both values are of the same type";
	if (both && r->type == DIFF_DIFF && !same_type(old, fresh))
		return "values of two types give \"type\"";
	if (r->type == DIFF_DIFF && !(can_stand_in_diff(&r->old_value) && can_stand_in_diff(&r->new_value)))
		return "a \"diff\" is between texts, numbers or booleans";
	return NULL;
}

/* Why no difference can be like that, or NULL. */
static const char *never(const struct rule *r)
{
	int absent = r->old_value.kind == RULE_ABSENT || r->new_value.kind == RULE_ABSENT;
	int both = r->old_value.kind == RULE_EQUALS && r->new_value.kind == RULE_EQUALS;

	if (both && json_eq(&r->old_value.value, &r->new_value.value))
		return "both values are equal";
	if (wants_datetimes(r) && (absent || (!r->any_type && (r->type == DIFF_MISSING || r->type == DIFF_TYPE)) ||
				   !can_be_datetime(&r->old_value) || !can_be_datetime(&r->new_value)))
		return "two date-times are texts and give \"diff\"";
	return r->any_type ? NULL : never_by_type(r, absent, both);
}

/* May the rule's path begin with that key? */
static int may_begin(const struct rule *r, struct slice key)
{
	return r->any_path || (r->npath && (r->path[0].kind == STEP_ANY || r->path[0].kind == STEP_REST ||
					    (r->path[0].kind == STEP_KEY && slice_eq(r->path[0].key, key))));
}

/* Some types of differences come from replacing rules alone. */
static const char *never_made(const struct draft *d, const struct rule *r)
{
	int is_pair = r->type == DIFF_COMPLEX, is_set = r->type == DIFF_SET_MISMATCH;

	if (r->any_type || (!is_pair && !is_set))
		return NULL;
	for (size_t i = 0; i < d->n_rules; i++) {
		const struct rule *maker = &d->rules[i];

		if (is_pair && maker->action == RULE_RENAME && may_begin(r, maker->old_name))
			return NULL;
		if (is_set && maker->action == RULE_ID_SET && may_begin(r, maker->path[0].key))
			return NULL;
	}
	return is_pair ? "\"complex\" comes from a rename, and none begins with that name"
		       : "\"set_mismatch\" comes from comparing an id_set, and that field is none";
}

/* A kind, by its own name, that is copied and never compared. */
static const char *never_compared(const struct draft *d, const struct rule *r)
{
	for (size_t i = 0; i < d->out->n_kinds; i++)
		if (slice_eq(d->out->kinds[i].name, r->group) && !d->out->kinds[i].compared)
			return "documents of this kind are not compared";
	return NULL;
}

/* ---- one rule ---- */

static int takes_everything(const struct rule *r)
{
	return r->action == RULE_IGNORE && r->any_type && r->any_path && r->old_value.kind == RULE_ANY &&
	       r->new_value.kind == RULE_ANY && !r->predicate;
}

static void lint_rule(struct reader *r, const struct draft *d, const struct rule *rule)
{
	const char *why = never_compared(d, rule);

	if (!why && rule->action == RULE_IGNORE)
		why = never(rule);
	if (!why && rule->action == RULE_IGNORE)
		why = never_made(d, rule);
	if (takes_everything(rule))
		found(r, FINDING_SUSPICIOUS, rule->source, "drops every difference");
	if (why)
		found(r, FINDING_SUSPICIOUS, rule->source, "can never match: %s", why);
	else
		lint_shadows(r, d, rule);
}

void lint_rules(struct reader *r, const struct draft *d)
{
	for (size_t i = 0; i < d->n_rules; i++)
		lint_rule(r, d, &d->rules[i]);
}
