#include "migrate/rules_used.h"

#define MAX_LISTS 16 /* beyond, it is only known that they were others */

static const char *value_key(enum again_class c)
{
	return c == AGAIN_CASES ? "rules-cases" : "rules-forms";
}

/* ---- which rules there are ---- */

static int kind_takes(const struct json *kind, struct slice group)
{
	struct slice name = json_get_text(kind, "name");
	struct slice prefix = {group.ptr, group.len ? group.len - 1 : 0};

	return slice_eq(name, group) || slice_eq(json_get_text(kind, "group"), group) ||
	       (group.len && group.ptr[group.len - 1] == '*' && slice_starts(name, prefix));
}

/* Kinds that the profile does not list are plain documents; parts stand inside cases. */
static int group_concerns(const struct profile *p, struct slice group, enum again_class c)
{
	const struct json *kinds = json_gets(&p->source, "kinds"), *parts = json_gets(&p->source, "parts");
	int listed = 0, is_case = 0, is_form = 0;

	for (uint32_t i = 0; kinds && i < kinds->count; i++) {
		int state = slice_is(json_get_text(&kinds->items[i], "class"), "state");

		if (!kind_takes(&kinds->items[i], group))
			continue;
		listed = 1;
		is_case |= state;
		is_form |= !state;
	}
	for (uint32_t i = 0; parts && i < parts->count; i++)
		if (slice_eq(json_text(&parts->items[i]), group))
			return 1;
	if (!listed || (p->other_kinds && group.len && group.ptr[group.len - 1] == '*'))
		is_form = 1;
	return c == AGAIN_CASES ? is_case : is_form;
}

/* A list of [group, rule without its reason], of the rules that concern the class, in the profile's order. */
static struct json rules_now(const struct profile *p, enum again_class c, struct arena *a)
{
	const struct json *blocks = json_gets(&p->source, "rules");
	struct json list = json_array();

	for (uint32_t i = 0; blocks && i < blocks->count; i++) {
		struct slice group = json_get_text(&blocks->items[i], "for");
		const struct json *rules = json_gets(&blocks->items[i], "rules");

		if (!group_concerns(p, group, c))
			continue;
		for (uint32_t k = 0; rules && k < rules->count; k++) {
			struct json pair = json_array(), rule = json_clone(a, &rules->items[k]);

			json_del(&rule, SLICE("reason"));
			json_push(a, &pair, json_string(group));
			json_push(a, &pair, rule);
			json_push(a, &list, pair);
		}
	}
	return list;
}

/* ---- the state file ---- */

static int read_lists(struct state *s, enum again_class c, struct arena *a, struct json *lists, struct err *err)
{
	struct slice text;

	*lists = json_array();
	if (state_value_get(s, value_key(c), a, &text, err))
		return err->code;
	if (text.ptr && json_read(text, a, 0, lists, NULL, err)) {
		err->code = ERR_STATE;
		return err_prefix(err, "state file: %s", value_key(c));
	}
	return 0;
}

static int write_lists(struct state *s, enum again_class c, const struct json *lists, struct arena *a, struct err *err)
{
	return state_value_put(s, value_key(c), json_to_text(lists, JSON_CANONICAL, a), err);
}

static int holds(const struct json *list, const struct json *v)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (json_eq(&list->items[i], v))
			return 1;
	return 0;
}

int rules_used_add(struct state *s, const struct profile *p, enum again_class c, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct json lists, now = rules_now(p, c, &a);
	int rc = read_lists(s, c, &a, &lists, err);

	if (rc == 0 && !holds(&lists, &now)) {
		if (lists.count >= MAX_LISTS) {
			lists = json_array();
			json_push(&a, &lists, json_null);
		}
		json_push(&a, &lists, now);
		rc = write_lists(s, c, &lists, &a, err);
	}
	arena_release(&a);
	return rc;
}

int rules_used_only(struct state *s, const struct profile *p, enum again_class c, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct json lists = json_array();
	int rc;

	json_push(&a, &lists, rules_now(p, c, &a));
	rc = write_lists(s, c, &lists, &a, err);
	arena_release(&a);
	return rc;
}

/* ---- judging ---- */

static int is_replacing(const struct json *rule)
{
	return json_gets(rule, "rename") || json_gets(rule, "compare");
}

/* Does a replacing rule of the list speak of differences whose path begins with that key? */
static int is_replaced(const struct json *now, struct slice key)
{
	for (uint32_t i = 0; i < now->count; i++) {
		const struct json *rule = &now->items[i].items[1], *names = json_gets(rule, "rename");

		for (uint32_t k = 0; names && k < names->count; k++)
			if (slice_eq(json_text(&names->items[k]), key))
				return 1;
		if (json_gets(rule, "compare") && slice_eq(json_get_text(rule, "field"), key))
			return 1;
	}
	return 0;
}

static int is_pattern(struct slice key)
{
	return slice_is(key, "*") || slice_is(key, "[*]") || slice_is(key, "...");
}

/* Why stored differences do not tell what an added rule would do, or NULL. */
static const char *undecided(const struct json *now, const struct json *rule)
{
	const struct json *path = json_gets(rule, "path"), *first = path;
	struct slice test = json_get_text(rule, "if"), key;

	if (is_replacing(rule))
		return "it puts other differences in place of those found";
	if (test.ptr && !slice_is(test, "both_datetimes"))
		return "it asks the document itself";
	if (!path)
		return NULL;
	if (path->type == JSON_ARRAY)
		first = path->count ? &path->items[0] : NULL;
	if (!first)
		return NULL;
	key = first->type == JSON_OBJECT ? json_get_text(first, "key") : json_text(first);
	if (first->type == JSON_STRING && is_pattern(key) &&
	    !(slice_is(key, "...") && path->type == JSON_ARRAY && path->count == 1))
		return "it may speak of fields that are compared as a whole";
	return is_replaced(now, key) ? "it speaks of a field that is renamed or compared as a whole" : NULL;
}

static struct slice named(struct arena *a, const char *what, const struct json *pair, const char *why)
{
	struct slice rule = json_to_text(&pair->items[1], JSON_PLAIN, a);

	return arena_printf(a, "%s for %.*s: %.*s%s%s", what, SLICE_ARG(json_text(&pair->items[0])), SLICE_ARG(rule),
			    why ? "; " : "", why ? why : "");
}

static int is_pair(const struct json *v)
{
	return v->type == JSON_ARRAY && v->count == 2;
}

static void judge_list(const struct json *was, const struct json *now, struct arena *a, struct rules_judgement *out)
{
	if (json_eq(was, now))
		return;
	out->verdict = RULES_ADDED;
	if (was->type != JSON_ARRAY) {
		out->rule = SLICE("rules that are not known any more");
		out->verdict = RULES_OTHER;
		return;
	}
	for (uint32_t i = 0; i < was->count; i++)
		if (is_pair(&was->items[i]) && !holds(now, &was->items[i])) {
			out->rule = named(a, "a rule that is gone", &was->items[i], NULL);
			out->verdict = RULES_OTHER;
			return;
		}
	for (uint32_t i = 0; i < now->count; i++) {
		const char *why = holds(was, &now->items[i]) ? NULL : undecided(now, &now->items[i].items[1]);

		if (why) {
			out->rule = named(a, "an added rule", &now->items[i], why);
			out->verdict = RULES_OTHER;
			return;
		}
	}
}

int rules_used_judge(struct state *s, const struct profile *p, enum again_class c, struct arena *a,
		     struct rules_judgement *out, struct err *err)
{
	struct json lists, now = rules_now(p, c, a);

	*out = (struct rules_judgement){RULES_SAME, SLICE_NONE};
	if (read_lists(s, c, a, &lists, err))
		return err->code;
	for (uint32_t i = 0; i < lists.count && out->verdict != RULES_OTHER; i++)
		judge_list(&lists.items[i], &now, a, out);
	return 0;
}
