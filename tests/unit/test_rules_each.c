/* Every rule of the built-in profiles has an example (fixtures/diff/rules.json) that shows nothing with the rule and
 * something without it. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "profile/profile.h"
#include "tests/unit/diff_cases.h"

static const struct json *examples;
static struct arena examples_arena;

static int read_examples(void **state)
{
	(void)state;
	examples = cases_read("fixtures/diff/rules.json", &examples_arena);
	return 0;
}

static int drop_examples(void **state)
{
	(void)state;
	arena_release(&examples_arena);
	return 0;
}

#define OWN "fixtures/example/profile.json"

/* The text of a profile by its name, or SLICE_NONE. */
static struct slice text_of(struct slice name, struct arena *a)
{
	for (const struct profile_builtin *b = profile_builtins; b->name; b++)
		if (slice_is(name, b->name))
			return b->text;
	return slice_is(name, OWN) ? file_read(OWN, a) : SLICE_NONE;
}

/* The profile, without the rule of that number (-1: whole). */
static struct profile profile_without(struct slice name, long number, struct arena *a)
{
	struct json whole, less;
	struct profile p;
	struct err err = ERR_INIT;
	struct json *blocks;
	long n = 0;

	assert_int_equal(json_read(text_of(name, a), a, 0, &whole, NULL, NULL), 0);
	less = json_clone(a, &whole);
	blocks = (struct json *)(uintptr_t)json_gets(&less, "rules");
	for (uint32_t i = 0; i < blocks->count; i++) {
		const struct json *rules = json_gets(&blocks->items[i], "rules");
		struct json kept = json_array();

		for (uint32_t k = 0; k < rules->count; k++, n++)
			if (n != number)
				json_push(a, &kept, rules->items[k]);
		json_sets(a, &blocks->items[i], "rules", kept);
	}
	if (profile_parse(json_to_text(&less, JSON_PLAIN, a), arena_str(a, name), a, &p, &err))
		fail_msg("%s", err.msg);
	return p;
}

static const struct json *example_of(struct slice profile, struct slice rule)
{
	for (uint32_t i = 0; i < examples->count; i++)
		if (slice_eq(json_get_text(&examples->items[i], "profile"), profile) &&
		    slice_eq(json_get_text(&examples->items[i], "rule"), rule))
			return &examples->items[i];
	return NULL;
}

/* How many differences are left, then the names of the rules that took the others. */
static struct slice outcome(const struct ruleset *rules, const struct json *example, struct arena *a)
{
	const struct json *couch = json_gets(example, "couch"), *sql = json_gets(example, "sql");
	struct rule_context ctx = {.couch = couch, .sql = sql, .kind = json_get_text(example, "kind")};
	struct diff_list raw = {0}, left = {0};
	struct ignored_list ignored = {0};
	struct slice text;

	diff_json(couch, sql, a, &raw);
	assert_true(raw.n > 0);
	rules_filter(rules, &ctx, &raw, a, &left, &ignored);
	text = arena_printf(a, "%zu left", left.n);
	for (size_t i = 0; i < ignored.n; i++)
		text = arena_printf(a, "%.*s; %.*s", SLICE_ARG(text), SLICE_ARG(ignored.v[i].rule->name));
	return text;
}

static void check_each(struct slice profile)
{
	struct arena a = ARENA_INIT, scratch = ARENA_INIT;
	struct profile whole = profile_without(profile, -1, &a);

	assert_true(whole.rules.n > 0);
	for (size_t i = 0; i < whole.rules.n; i++) {
		struct slice name = whole.rules.v[i].name, with;
		const struct json *example = example_of(profile, name);
		struct profile less;

		arena_reset(&scratch);
		less = profile_without(profile, (long)i, &scratch);
		if (!example)
			fail_msg("%.*s: the rule \"%.*s\" has no example", SLICE_ARG(profile), SLICE_ARG(name));
		with = outcome(&whole.rules, example, &scratch);
		if (!slice_starts(with, SLICE("0 left")))
			fail_msg("%.*s: \"%.*s\" does not take its example", SLICE_ARG(profile), SLICE_ARG(name));
		if (slice_eq(with, outcome(&less.rules, example, &scratch)))
			fail_msg("%.*s: nobody misses \"%.*s\"", SLICE_ARG(profile), SLICE_ARG(name));
	}
	arena_release(&a);
	arena_release(&scratch);
}

static void test_rules_each__is_missed_when_it_is_taken_away(void **state)
{
	(void)state;
	for (const struct profile_builtin *b = profile_builtins; b->name; b++)
		check_each(slice_of(b->name));
	check_each(SLICE(OWN));
}

static int has_rule(const struct profile *p, struct slice name)
{
	for (size_t i = 0; i < p->rules.n; i++)
		if (slice_eq(p->rules.v[i].name, name))
			return 1;
	return 0;
}

static void test_rules_each__every_example_is_of_a_rule(void **state)
{
	struct arena a = ARENA_INIT;

	(void)state;
	for (uint32_t i = 0; i < examples->count; i++) {
		const struct json *e = &examples->items[i];
		struct profile p;

		arena_reset(&a);
		p = profile_without(json_get_text(e, "profile"), -1, &a);
		if (!has_rule(&p, json_get_text(e, "rule")))
			fail_msg("no rule is called \"%.*s\" any more", SLICE_ARG(json_get_text(e, "rule")));
	}
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rules_each__is_missed_when_it_is_taken_away),
	    cmocka_unit_test(test_rules_each__every_example_is_of_a_rule),
	};

	return cmocka_run_group_tests(tests, read_examples, drop_examples);
}
