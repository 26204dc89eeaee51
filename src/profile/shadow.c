/*
 * Rules that are never asked: in each kind of document of which they speak, rules that are asked before take all that
 * they could take. A group's rule may so be shadowed by one rule, or by a rule of each of its kinds.
 */
#include "config.h"

#include "profile/profile_internal.h"

#define MAX_NAMED 3

/* ---- patterns ---- */

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

/* A plain rule that leaves nothing of a field to the rule that would replace its differences. */
static int takes_field(const struct rule *wide, struct slice field)
{
	const struct rule_step path[] = {{.kind = STEP_KEY, .key = field}, {.kind = STEP_REST}};
	const struct rule all = {.any_type = 1, .path = path, .npath = 2};

	return plain_covers(wide, &all);
}

static int same_replacement(const struct rule *a, const struct rule *b)
{
	if (a->action != b->action)
		return 0;
	if (a->action == RULE_RENAME)
		return slice_eq(a->old_name, b->old_name) && slice_eq(a->new_name, b->new_name);
	return slice_eq(a->path[0].key, b->path[0].key);
}

/* Would `wide`, asked first, leave nothing to `narrow`? */
static int covers(const struct rule *wide, const struct rule *narrow)
{
	if (wide->action != RULE_IGNORE)
		return same_replacement(wide, narrow);
	if (narrow->action == RULE_IGNORE)
		return plain_covers(wide, narrow);
	if (narrow->action == RULE_RENAME)
		return takes_field(wide, narrow->old_name) && takes_field(wide, narrow->new_name);
	return takes_field(wide, narrow->path[0].key);
}

/* ---- kinds ---- */

static const struct rule *shadow_in_kind(const struct draft *d, const struct rule *r, struct slice kind, int turn)
{
	for (const struct rule *other = d->rules; other < d->rules + d->n_rules; other++) {
		int its;

		if (other == r || !covers(other, r))
			continue;
		its = rules_turn(&d->out->rules, other, kind);
		if (its >= 0 && (its < turn || (its == turn && other < r)))
			return other;
	}
	return NULL;
}

struct look { /* at one rule, kind by kind */
	const struct draft *d;
	const struct rule *rule;
	int n_kinds, open; /* kinds it speaks of; in some of them nothing stands before it */
	const struct rule *shadows[MAX_NAMED];
	int n_shadows;
};

static void note_shadow(struct look *l, const struct rule *shadow)
{
	for (int i = 0; i < l->n_shadows; i++)
		if (l->shadows[i] == shadow)
			return;
	if (l->n_shadows < MAX_NAMED)
		l->shadows[l->n_shadows++] = shadow;
}

static void look_in_kind(struct look *l, struct slice kind)
{
	int turn = l->open ? -1 : rules_turn(&l->d->out->rules, l->rule, kind);
	const struct rule *shadow;

	if (turn < 0)
		return;
	l->n_kinds++;
	shadow = shadow_in_kind(l->d, l->rule, kind, turn);
	l->open = !shadow;
	if (shadow)
		note_shadow(l, shadow);
}

/* Kinds that are not listed: those that rules name, and for each prefix one that no rule names. */
static void look_in_other_kinds(struct look *l, struct arena *a)
{
	const struct draft *d = l->d;

	for (size_t i = 0; i < d->n_rules && !l->open; i++) {
		struct slice scope = d->rules[i].group;

		if (i && slice_eq(scope, d->rules[i - 1].group))
			continue;
		if (scope.ptr[scope.len - 1] != '*')
			look_in_kind(l, scope);
		else
			look_in_kind(
			    l, arena_printf(a, "%.*s\xff", (int)scope.len - 1, scope.ptr)); /* no text holds \xff */
	}
}

/* ---- telling ---- */

static uint32_t line_of(const struct reader *r, const struct rule *rule)
{
	uint32_t line, column;

	locate_line(r->text, locate(r->text, r->root, rule->source, LOCATE_VALUE), &line, &column);
	return line;
}

static void tell(struct reader *r, const struct look *l)
{
	struct slice names = SLICE("");

	for (int i = 0; i < l->n_shadows; i++)
		names = arena_printf(r->a, "%.*s%s\"%.*s\" (line %u)", SLICE_ARG(names), i ? ", " : "",
				     SLICE_ARG(l->shadows[i]->name), line_of(r, l->shadows[i]));
	found(r, FINDING_SUSPICIOUS, l->rule->source, "never asked: what it could take is taken before by %.*s",
	      SLICE_ARG(names));
}

void lint_shadows(struct reader *r, const struct draft *d, const struct rule *rule)
{
	struct look l = {.d = d, .rule = rule};

	for (size_t i = 0; i < d->out->n_kinds; i++)
		if (d->out->kinds[i].compared)
			look_in_kind(&l, d->out->kinds[i].name);
	for (size_t i = 0; i < d->parts.n; i++)
		look_in_kind(&l, d->parts.v[i]);
	if (d->out->other_kinds)
		look_in_other_kinds(&l, r->a);
	if (l.n_kinds && !l.open)
		tell(r, &l);
}
