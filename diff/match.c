/* Patterns: does a rule speak of a difference? */
#include "config.h"

#include "diff/rules_internal.h"

/* A set_mismatch has the text `[*]` where other differences have a position. */
static int is_position(const struct diff *d, const struct diff_step *step)
{
	return step->is_position || (d->type == DIFF_SET_MISMATCH && slice_is(step->key, "[*]"));
}

static int step_matches(const struct rule_step *want, const struct diff *d, const struct diff_step *step)
{
	switch (want->kind) {
	case STEP_KEY:
		return !step->is_position && slice_eq(step->key, want->key);
	case STEP_ANY_POSITION:
		return is_position(d, step);
	case STEP_ANY:
	case STEP_REST:
		break;
	}
	return 1;
}

/* The steps of the pattern before `...` match from the left, those after it from the right. */
static int path_matches(const struct rule *r, const struct diff *d)
{
	uint32_t left = 0, right = 0;

	while (left < r->npath && r->path[left].kind != STEP_REST) {
		if (left == d->npath || !step_matches(&r->path[left], d, &d->path[left]))
			return 0;
		left++;
	}
	if (left == r->npath)
		return left == d->npath;
	while (r->npath - right - 1 > left) {
		if (left + right == d->npath ||
		    !step_matches(&r->path[r->npath - right - 1], d, &d->path[d->npath - right - 1]))
			return 0;
		right++;
	}
	return 1;
}

static int value_matches(const struct rule_value *want, const struct json *v)
{
	switch (want->kind) {
	case RULE_ANY:
		break;
	case RULE_ABSENT:
		return !v;
	case RULE_EQUALS:
		return v && json_eq(&want->value, v);
	}
	return 1;
}

int rule_matches(const struct rule *r, const struct diff *d, const struct rule_context *ctx)
{
	return (r->any_type || r->type == d->type) && (r->any_path || path_matches(r, d)) &&
	       value_matches(&r->old_value, d->old_value) && value_matches(&r->new_value, d->new_value) &&
	       (!r->predicate || r->predicate(d, ctx));
}

int rule_claims(const struct rule *r, const struct diff *d)
{
	struct slice first;

	if (d->npath == 0 || d->path[0].is_position)
		return 0;
	first = d->path[0].key;
	switch (r->action) {
	case RULE_IGNORE:
		return 0;
	case RULE_RENAME:
		return slice_eq(first, r->old_name) || slice_eq(first, r->new_name);
	case RULE_ID_SET:
		return d->npath >= 2 && d->path[1].is_position && slice_eq(first, r->path[0].key);
	case RULE_ATTACHMENTS:
	case RULE_INDICES:
		break;
	}
	return slice_eq(first, r->path[0].key);
}
