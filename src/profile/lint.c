/* Rules that can be read but make no sense: that hold for no difference, for all, or only for what an earlier one
 * takes. */
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

/* ---- shadows ---- */

static uint32_t rest_at(const struct rule *r)
{
	uint32_t i = 0;

	while (i < r->npath && r->path[i].kind != STEP_REST)
		i++;
	return i;
}

static int step_covers(const struct rule_step *wide, const struct rule_step *narrow)
{
	return wide->kind == STEP_ANY ||
	       (wide->kind == narrow->kind && (wide->kind != STEP_KEY || slice_eq(wide->key, narrow->key)));
}

/* Does the pattern of `wide` hold for every path for which that of `narrow` holds? */
static int path_covers(const struct rule *wide, const struct rule *narrow)
{
	uint32_t left = rest_at(wide), left_n = rest_at(narrow);
	uint32_t right, right_n = left_n == narrow->npath ? narrow->npath : narrow->npath - left_n - 1;

	if (wide->any_path || narrow->any_path)
		return wide->any_path;
	if (left == wide->npath && (left_n != narrow->npath || narrow->npath != wide->npath))
		return 0;
	right = left == wide->npath ? 0 : wide->npath - left - 1;
	if (left > left_n || right > right_n || (left_n == narrow->npath && left + right > narrow->npath))
		return 0;
	for (uint32_t i = 0; i < left; i++) {
		if (!step_covers(&wide->path[i], &narrow->path[i]))
			return 0;
	}
	for (uint32_t i = 1; i <= right; i++) {
		if (!step_covers(&wide->path[wide->npath - i], &narrow->path[narrow->npath - i]))
			return 0;
	}
	return 1;
}

static int value_covers(const struct rule_value *wide, const struct rule_value *narrow)
{
	return wide->kind == RULE_ANY ||
	       (wide->kind == narrow->kind && (wide->kind != RULE_EQUALS || json_eq(&wide->value, &narrow->value)));
}

static int plain_covers(const struct rule *wide, const struct rule *narrow)
{
	return (wide->any_type || (!narrow->any_type && wide->type == narrow->type)) && path_covers(wide, narrow) &&
	       value_covers(&wide->old_value, &narrow->old_value) &&
	       value_covers(&wide->new_value, &narrow->new_value) &&
	       (!wide->predicate || wide->predicate == narrow->predicate);
}

/* In which of the three turns a plain rule is asked: key first, other path, every path. */
static int turn(const struct rule *r)
{
	if (r->any_path)
		return 2;
	return !(r->npath && r->path[0].kind == STEP_KEY);
}

/* a stands before b in the file, or b before a when the turn says so. */
static int plain_shadows(const struct rule *a, const struct rule *b)
{
	return (turn(a) < turn(b) || (turn(a) == turn(b) && a < b)) && plain_covers(a, b);
}

static int replacing_shadows(const struct rule *a, const struct rule *b)
{
	if (a > b)
		return 0;
	if (a->action == RULE_RENAME)
		return slice_eq(a->old_name, b->old_name) && slice_eq(a->new_name, b->new_name);
	return slice_eq(a->path[0].key, b->path[0].key);
}

static int shadows(const struct rule *a, const struct rule *b)
{
	if (a == b || a->action != b->action || !slice_eq(a->group, b->group))
		return 0;
	return a->action == RULE_IGNORE ? plain_shadows(a, b) : replacing_shadows(a, b);
}

static const struct rule *shadow_of(const struct draft *d, const struct rule *r)
{
	for (size_t i = 0; i < d->n_rules; i++) {
		if (shadows(&d->rules[i], r))
			return &d->rules[i];
	}
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
	const struct rule *before = shadow_of(d, rule);
	const char *why = never_compared(d, rule);

	if (!why && rule->action == RULE_IGNORE)
		why = never(rule);
	if (!why && rule->action == RULE_IGNORE)
		why = never_made(d, rule);
	if (takes_everything(rule))
		found(r, FINDING_SUSPICIOUS, rule->source, "drops every difference");
	if (why)
		found(r, FINDING_SUSPICIOUS, rule->source, "can never match: %s", why);
	else if (before)
		found(r, FINDING_SUSPICIOUS, rule->source, "never asked: an earlier rule takes the same, \"%.*s\"",
		      SLICE_ARG(before->name));
}

void lint_rules(struct reader *r, const struct draft *d)
{
	for (size_t i = 0; i < d->n_rules; i++)
		lint_rule(r, d, &d->rules[i]);
}
