/* "rules": which differences are expected. */
#include "config.h"

#include "profile/profile_internal.h"

#define MAX_RULES 4096

static const char *const block_keys[] = {"for", "rules", NULL};
static const char *const plain_keys[] = {"type", "path", "old", "new", "absent", "if", "reason", NULL};
static const char *const rename_keys[] = {"rename", "reason", NULL};
static const char *const compare_keys[] = {"compare", "field", "with", "reason", NULL};

/* ---- plain rules ---- */

static void read_type(struct reader *r, const struct json *v, struct rule *rule)
{
	struct slice name = member_text(r, v, "type", OPTIONAL);

	rule->any_type = !name.ptr;
	if (name.ptr && diff_type_parse(name, &rule->type))
		found(r, FINDING_ERROR, json_gets(v, "type"),
		      "unknown type of difference (known: diff, type, missing, complex, set_mismatch)");
}

static enum rule_step_kind step_kind(struct slice text)
{
	if (slice_is(text, "*"))
		return STEP_ANY;
	if (slice_is(text, "[*]"))
		return STEP_ANY_POSITION;
	return slice_is(text, "...") ? STEP_REST : STEP_KEY;
}

/* {"key": "*"} is the key that a text could not name. */
static void read_step(struct reader *r, const struct json *v, struct rule_step *out)
{
	const struct json *key = json_gets(v, "key");

	if (v->type == JSON_STRING)
		*out = (struct rule_step){.kind = step_kind(v->text), .key = v->text};
	else if (json_is(key, JSON_STRING) && v->count == 1)
		*out = (struct rule_step){.kind = STEP_KEY, .key = key->text};
	else if (v->type == JSON_NUMBER)
		found(r, FINDING_ERROR, v, "a rule speaks of every list position: write \"[*]\"");
	else
		found(r, FINDING_ERROR, v, "a path element is a text or {\"key\": TEXT}");
}

static void check_rests(struct reader *r, const struct json *v, const struct rule *rule)
{
	uint32_t rests = 0;

	for (uint32_t i = 0; i < rule->npath; i++)
		rests += rule->path[i].kind == STEP_REST;
	if (rests > 1)
		found(r, FINDING_ERROR, v, "a path holds \"...\" once at most");
}

static void read_path(struct reader *r, const struct json *v, struct rule *rule)
{
	const struct json *steps = v && v->type == JSON_ARRAY ? v->items : v;
	struct rule_step *path;

	rule->any_path = !v;
	if (!v)
		return;
	rule->npath = v->type == JSON_ARRAY ? v->count : 1;
	path = ARENA_ARRAY(r->a, rule->npath, struct rule_step);
	for (uint32_t i = 0; i < rule->npath; i++)
		read_step(r, &steps[i], &path[i]);
	rule->path = path;
	rule->any_path = rule->npath == 1 && path[0].kind == STEP_REST;
	check_rests(r, v, rule);
}

static void read_value(const struct json *v, struct rule_value *out)
{
	if (v)
		*out = (struct rule_value){.kind = RULE_EQUALS, .value = *v};
}

static void read_absent(struct reader *r, const struct json *v, struct rule *rule)
{
	struct slice side = member_text(r, v, "absent", OPTIONAL);
	struct rule_value *value = slice_is(side, "old") ? &rule->old_value : &rule->new_value;

	if (!side.ptr)
		return;
	if (!slice_is(side, "old") && !slice_is(side, "new"))
		found(r, FINDING_ERROR, json_gets(v, "absent"), "\"absent\" is \"old\" (Couch) or \"new\" (SQL)");
	else if (value->kind == RULE_EQUALS)
		found(r, FINDING_ERROR, json_gets(v, "absent"), "\"%.*s\" has a value and is absent", SLICE_ARG(side));
	else
		value->kind = RULE_ABSENT;
}

static void read_predicate(struct reader *r, const struct json *v, struct rule *rule)
{
	struct slice name = member_text(r, v, "if", OPTIONAL), known = SLICE_NONE;
	const struct rule_named_predicate *p = rule_predicates;

	if (!name.ptr)
		return;
	for (; p->name && !slice_is(name, p->name); p++)
		known = known.ptr ? arena_printf(r->a, "%.*s, %s", SLICE_ARG(known), p->name) : slice_of(p->name);
	rule->predicate = p->fn;
	if (!p->name)
		found(r, FINDING_ERROR, json_gets(v, "if"), "unknown predicate (known: %.*s)", SLICE_ARG(known));
}

static void read_plain(struct reader *r, const struct json *v, struct rule *rule)
{
	check_keys(r, v, plain_keys);
	read_type(r, v, rule);
	read_path(r, json_gets(v, "path"), rule);
	read_value(json_gets(v, "old"), &rule->old_value);
	read_value(json_gets(v, "new"), &rule->new_value);
	read_absent(r, v, rule);
	read_predicate(r, v, rule);
}

/* ---- replacing rules ---- */

static void read_rename(struct reader *r, const struct json *v, struct rule *rule)
{
	const struct json *pair = member(r, v, "rename", JSON_ARRAY, REQUIRED);

	check_keys(r, v, rename_keys);
	rule->action = RULE_RENAME;
	if (!pair)
		return;
	if (pair->count != 2 || !json_is(&pair->items[0], JSON_STRING) || !json_is(&pair->items[1], JSON_STRING)) {
		found(r, FINDING_ERROR, pair, "\"rename\" is [name in Couch, name in SQL]");
		return;
	}
	rule->old_name = pair->items[0].text;
	rule->new_name = pair->items[1].text;
	if (slice_eq(rule->old_name, rule->new_name))
		found(r, FINDING_ERROR, pair, "both names are equal");
}

static const struct comparison {
	const char *name;
	enum rule_action action;
} comparisons[] = {
    {"id_set", RULE_ID_SET}, {"attachments", RULE_ATTACHMENTS}, {"indices", RULE_INDICES}, {NULL, RULE_IGNORE}};

static void read_compare(struct reader *r, const struct json *v, struct rule *rule)
{
	struct slice how = member_text(r, v, "compare", REQUIRED);
	struct rule_step *field = ARENA_NEW(r->a, struct rule_step);
	const struct comparison *c = comparisons;

	check_keys(r, v, compare_keys);
	field->key = member_text(r, v, "field", REQUIRED);
	rule->path = field;
	rule->npath = 1;
	while (how.ptr && c->name && !slice_is(how, c->name))
		c++;
	rule->action = c->action;
	if (how.ptr && !c->name)
		found(r, FINDING_ERROR, json_gets(v, "compare"),
		      "unknown comparison (known: id_set, attachments, indices)");
	rule->inner = member_text(r, v, "with", rule->action == RULE_ATTACHMENTS ? REQUIRED : OPTIONAL);
	if (rule->inner.ptr && rule->action != RULE_ATTACHMENTS)
		found_key(r, json_gets(v, "with"), "only \"attachments\" are compared \"with\" a part's rules");
}

/* ---- names: how the tally calls a rule ---- */

static struct slice path_name(const struct rule *rule, struct arena *a)
{
	struct slice text = SLICE("");

	if (rule->any_path)
		return SLICE("any path");
	if (!rule->npath)
		return SLICE("the document");
	for (uint32_t i = 0; i < rule->npath; i++)
		text = arena_printf(a, "%.*s%s%.*s", SLICE_ARG(text), i ? "/" : "", SLICE_ARG(rule->path[i].key));
	return text;
}

static struct slice value_name(const struct rule_value *v, struct arena *a)
{
	struct slice text;

	if (v->kind == RULE_ANY)
		return SLICE("any");
	if (v->kind == RULE_ABSENT)
		return SLICE("absent");
	text = json_to_text(&v->value, JSON_PLAIN, a);
	return text.len > 60 ? arena_printf(a, "a certain %s", json_type_name(&v->value)) : text;
}

static const char *predicate_name(rule_predicate *fn)
{
	const struct rule_named_predicate *p = rule_predicates;

	while (p->name && p->fn != fn)
		p++;
	return p->name;
}

static struct slice plain_name(const struct rule *rule, struct arena *a)
{
	struct slice path = path_name(rule, a), text;

	text = arena_printf(a, "%s%s%.*s", rule->any_type ? "" : diff_type_name(rule->type), rule->any_type ? "" : " ",
			    SLICE_ARG(path));
	if (rule->old_value.kind != RULE_ANY || rule->new_value.kind != RULE_ANY) {
		struct slice old = value_name(&rule->old_value, a), fresh = value_name(&rule->new_value, a);

		text = arena_printf(a, "%.*s, %.*s -> %.*s", SLICE_ARG(text), SLICE_ARG(old), SLICE_ARG(fresh));
	}
	if (rule->predicate)
		text = arena_printf(a, "%.*s if %s", SLICE_ARG(text), predicate_name(rule->predicate));
	return text;
}

static struct slice action_name(const struct rule *rule, struct arena *a)
{
	switch (rule->action) {
	case RULE_IGNORE:
		return plain_name(rule, a);
	case RULE_RENAME:
		return arena_printf(a, "%.*s renamed %.*s", SLICE_ARG(rule->old_name), SLICE_ARG(rule->new_name));
	case RULE_ID_SET:
		return arena_printf(a, "%.*s as a set", SLICE_ARG(rule->path[0].key));
	case RULE_ATTACHMENTS:
		return arena_printf(a, "%.*s by name", SLICE_ARG(rule->path[0].key));
	case RULE_INDICES:
		break;
	}
	return arena_printf(a, "%.*s by identifier", SLICE_ARG(rule->path[0].key));
}

/* Two rules that say the same are told apart by their number. */
static struct slice rule_name(const struct draft *d, const struct rule *rule, struct arena *a)
{
	struct slice what = action_name(rule, a);
	struct slice name = arena_printf(a, "%.*s: %.*s", SLICE_ARG(rule->group), SLICE_ARG(what));

	for (size_t i = 0; i < d->n_rules; i++) {
		if (slice_eq(d->rules[i].name, name))
			return arena_printf(a, "%.*s (rule %zu)", SLICE_ARG(name), d->n_rules + 1);
	}
	return name;
}

/* ---- all together ---- */

static int is_kind_or_part(const struct draft *d, struct slice name)
{
	for (size_t i = 0; i < d->out->n_kinds; i++) {
		if (slice_eq(d->out->kinds[i].name, name))
			return 1;
	}
	for (size_t i = 0; i < d->parts.n; i++) {
		if (slice_eq(d->parts.v[i], name))
			return 1;
	}
	return 0;
}

static int starts_a_kind(const struct draft *d, struct slice pattern)
{
	struct slice prefix = {pattern.ptr, pattern.len - 1};

	for (size_t i = 0; i < d->out->n_kinds; i++) {
		if (slice_starts(d->out->kinds[i].name, prefix))
			return 1;
	}
	return 0;
}

static int belongs_somewhere(const struct draft *d, struct slice group)
{
	if (d->out->other_kinds || is_kind_or_part(d, group))
		return 1;
	for (size_t i = 0; i < d->groups.n; i++) {
		if (slice_eq(d->groups.v[i].name, group))
			return 1;
	}
	return group.ptr[group.len - 1] == '*' && starts_a_kind(d, group);
}

static void push_rule(struct reader *r, struct draft *d, struct rule rule)
{
	struct {
		struct rule *v;
		size_t n, cap;
	} list = {d->rules, d->n_rules, d->cap_rules};

	rule.name = rule_name(d, &rule, r->a);
	ARENA_PUSH(r->a, &list, rule);
	d->rules = list.v;
	d->n_rules = list.n;
	d->cap_rules = list.cap;
}

static void read_rule(struct reader *r, struct draft *d, struct slice group, const struct json *v)
{
	struct rule rule = {.group = group, .source = v};
	size_t before = r->n_found;

	rule.reason = member_text(r, v, "reason", REQUIRED);
	if (json_gets(v, "rename"))
		read_rename(r, v, &rule);
	else if (json_gets(v, "compare"))
		read_compare(r, v, &rule);
	else
		read_plain(r, v, &rule);
	if (r->n_found == before)
		push_rule(r, d, rule);
}

static void read_block(struct reader *r, struct draft *d, const struct json *v)
{
	struct slice group = member_text(r, v, "for", REQUIRED);
	const struct json *list = member(r, v, "rules", JSON_ARRAY, REQUIRED);

	check_keys(r, v, block_keys);
	if (group.ptr && !belongs_somewhere(d, group))
		found(r, FINDING_ERROR, json_gets(v, "for"), "no kind, group or part is called \"%.*s\"",
		      SLICE_ARG(group));
	for (uint32_t i = 0; group.ptr && list && i < list->count; i++) {
		if (d->n_rules == MAX_RULES) {
			found(r, FINDING_ERROR, &list->items[i], "more than %d rules", MAX_RULES);
			return;
		}
		if (json_is(&list->items[i], JSON_OBJECT))
			read_rule(r, d, group, &list->items[i]);
		else
			found(r, FINDING_ERROR, &list->items[i], "a rule is an object, not %s",
			      json_type_name(&list->items[i]));
	}
}

static void check_inner(struct reader *r, const struct draft *d)
{
	for (size_t i = 0; i < d->n_rules; i++) {
		const struct rule *rule = &d->rules[i];

		if (rule->action == RULE_ATTACHMENTS && !is_kind_or_part(d, rule->inner))
			found(r, FINDING_ERROR, json_gets(rule->source, "with"), "no part is called \"%.*s\"",
			      SLICE_ARG(rule->inner));
	}
}

void read_rules(struct reader *r, struct draft *d)
{
	const struct json *blocks = member(r, r->root, "rules", JSON_ARRAY, REQUIRED);

	for (uint32_t i = 0; blocks && i < blocks->count; i++) {
		if (json_is(&blocks->items[i], JSON_OBJECT))
			read_block(r, d, &blocks->items[i]);
		else
			found(r, FINDING_ERROR, &blocks->items[i], "rules stand in blocks {\"for\", \"rules\"}");
	}
	check_inner(r, d);
}
