/* Differences and rules against cases kept as data: fixtures/vectors and fixtures/diff/cases.json. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "migrate/migrate.h"
#include "tests/unit/diff_cases.h"

struct fixture {
	struct arena a;
	struct profile commcare;
	const struct json *vectors, *cases;
};

static const char *name_of(const struct json *c, struct arena *a)
{
	return arena_str(a, json_get_text(c, "name"));
}

static void test_json_diff__vectors(void **state)
{
	struct fixture *f = *state;
	const struct json *list = cases_read("fixtures/vectors/json_diff.json", &f->a);

	for (uint32_t i = 0; i < list->count; i++) {
		const struct json *c = &list->items[i];
		struct diff_list got = {0};

		diff_json(json_gets(c, "couch"), json_gets(c, "sql"), &f->a, &got);
		assert_diffs(name_of(c, &f->a), &got, json_gets(c, "expected_diffs"), POSITIONS_EXACT, &f->a);
	}
}

static struct migrate_comparison compare(const struct profile *p, const struct json *c, int raw, struct arena *a)
{
	const struct json *forms = json_gets(c, "no_action_forms");
	struct slice *ids = ARENA_ARRAY(a, forms ? forms->count : 0, struct slice);
	struct migrate_comparison got;

	for (uint32_t i = 0; forms && i < forms->count; i++)
		ids[i] = forms->items[i].text;
	migrate_compare(p, json_get_text(c, "doc_type"), json_gets(c, "couch"), json_gets(c, "sql"), ids,
			forms ? forms->count : 0, raw, a, &got);
	return got;
}

static void test_filter__vectors(void **state)
{
	struct fixture *f = *state;

	for (uint32_t i = 0; i < f->vectors->count; i++) {
		const struct json *c = &f->vectors->items[i];
		struct migrate_comparison raw = compare(&f->commcare, c, 1, &f->a);
		struct migrate_comparison got = compare(&f->commcare, c, 0, &f->a);

		assert_diffs(name_of(c, &f->a), &raw.diffs, json_gets(c, "expected_diffs"), POSITIONS_ANY, &f->a);
		assert_diffs(name_of(c, &f->a), &got.diffs, json_gets(c, "expected_after_filter"), POSITIONS_ANY,
			     &f->a);
	}
}

/* The names of the rules that dropped something, each once and sorted, one a line. */
static struct slice rule_names(const struct ignored_list *ignored, struct arena *a)
{
	struct lines names = {0};
	struct slice text = SLICE("");

	for (size_t i = 0; i < ignored->n; i++)
		ARENA_PUSH(a, &names, ignored->v[i].rule->name);
	if (names.n)
		qsort(names.v, names.n, sizeof(*names.v), text_order);
	for (size_t i = 0; i < names.n; i++) {
		if (i == 0 || !slice_eq(names.v[i - 1], names.v[i]))
			text = arena_printf(a, "%.*s%.*s\n", SLICE_ARG(text), SLICE_ARG(names.v[i]));
	}
	return text;
}

static struct slice expected_names(const struct json *c, struct arena *a)
{
	const struct json *rules = json_gets(c, "rules");
	struct slice text = SLICE("");

	for (uint32_t i = 0; i < rules->count; i++)
		text = arena_printf(a, "%.*s%.*s\n", SLICE_ARG(text), SLICE_ARG(rules->items[i].text));
	return text;
}

static void test_filter__cases(void **state)
{
	struct fixture *f = *state;

	for (uint32_t i = 0; i < f->cases->count; i++) {
		const struct json *c = &f->cases->items[i];
		struct migrate_comparison got = compare(&f->commcare, c, 0, &f->a);
		struct slice is = rule_names(&got.ignored, &f->a), should = expected_names(c, &f->a);

		assert_diffs(name_of(c, &f->a), &got.diffs, json_gets(c, "kept"), POSITIONS_EXACT, &f->a);
		if (!slice_eq(is, should))
			fail_msg("%s: ignored by\n%.*s and should be by\n%.*s", name_of(c, &f->a), SLICE_ARG(is),
				 SLICE_ARG(should));
	}
}

static void check_predicted(struct fixture *f, const char *path)
{
	const struct json *list = cases_read(path, &f->a);

	for (uint32_t i = 0; i < list->count; i++) {
		const struct json *c = &list->items[i];
		struct migrate_comparison got = compare(&f->commcare, c, json_gets(c, "raw") != NULL, &f->a);

		assert_diffs(name_of(c, &f->a), &got.diffs, json_gets(c, "kept"), POSITIONS_EXACT, &f->a);
	}
}

/* Predicted from the written rules alone: odd values without rules ("raw"), rules almost met and with sides swapped. */
static void test_filter__hostile_cases(void **state)
{
	check_predicted(*state, "fixtures/diff/hostile.json");
}

/* Random documents of several fields, under all rules at once; predicted by a model of the written rules that is no
 * part of this program. */
static void test_filter__mixed_documents(void **state)
{
	check_predicted(*state, "fixtures/diff/mixed.json");
}

static int passes(const struct profile *p, const struct json *c, struct arena *a)
{
	struct migrate_comparison got = compare(p, c, 0, a);
	const struct json *kept = json_gets(c, "kept");

	if (!kept)
		return diffs_are(&got.diffs, json_gets(c, "expected_after_filter"), POSITIONS_ANY, a);
	return diffs_are(&got.diffs, kept, POSITIONS_EXACT, a) &&
	       slice_eq(rule_names(&got.ignored, a), expected_names(c, a));
}

static int all_pass(const struct profile *p, const struct json *list)
{
	struct arena a = ARENA_INIT;
	int ok = 1;

	for (uint32_t i = 0; ok && i < list->count; i++) {
		ok = passes(p, &list->items[i], &a);
		arena_reset(&a);
	}
	arena_release(&a);
	return ok;
}

/* The built-in profile without its n-th rule, read again as a profile would be. */
static struct profile profile_without(const struct profile *whole, size_t n, struct arena *a)
{
	struct json source = json_clone(a, &whole->source), blocks = json_array();
	const struct json *old = json_gets(&whole->source, "rules");
	struct profile p;
	struct err err = ERR_INIT;

	for (uint32_t i = 0; i < old->count; i++) {
		struct json block = json_clone(a, &old->items[i]), rules = json_array();
		const struct json *list = json_gets(&old->items[i], "rules");

		for (uint32_t j = 0; j < list->count; j++, n--) {
			if (n != 0)
				json_push(a, &rules, list->items[j]);
		}
		json_sets(a, &block, "rules", rules);
		json_push(a, &blocks, block);
	}
	json_sets(a, &source, "rules", blocks);
	if (profile_parse(json_to_text(&source, JSON_PLAIN, a), "without", a, &p, &err))
		fail_msg("%s", err.msg);
	return p;
}

static void test_filter__every_rule_of_commcare_is_needed(void **state)
{
	struct fixture *f = *state;

	assert_true(all_pass(&f->commcare, f->vectors) && all_pass(&f->commcare, f->cases));
	for (size_t i = 0; i < f->commcare.rules.n; i++) {
		struct arena a = ARENA_INIT;
		struct profile p = profile_without(&f->commcare, i, &a);

		assert_int_equal(p.rules.n, f->commcare.rules.n - 1);
		if (all_pass(&p, f->cases))
			fail_msg("no case needs the rule %.*s", SLICE_ARG(f->commcare.rules.v[i].name));
		arena_release(&a);
	}
}

static int set_up(void **state)
{
	static struct fixture f;
	struct err err = ERR_INIT;

	f = (struct fixture){.a = ARENA_INIT};
	*state = &f;
	if (profile_load("commcare", &f.a, &f.commcare, &err))
		fail_msg("%s", err.msg);
	f.vectors = cases_read("fixtures/vectors/filter.json", &f.a);
	f.cases = cases_read("fixtures/diff/cases.json", &f.a);
	return 0;
}

static int tear_down(void **state)
{
	arena_release(&((struct fixture *)*state)->a);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_json_diff__vectors),
	    cmocka_unit_test(test_filter__vectors),
	    cmocka_unit_test(test_filter__cases),
	    cmocka_unit_test(test_filter__hostile_cases),
	    cmocka_unit_test(test_filter__mixed_documents),
	    cmocka_unit_test(test_filter__every_rule_of_commcare_is_needed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
