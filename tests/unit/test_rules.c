/* The order and the reach of rules, with small profiles; the rules of commcare are tested in test_vectors.c. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "profile/profile.h"
#include "tests/unit/diff_cases.h"

static struct json read_json(const char *text, struct arena *a)
{
	struct json v;
	struct err err = ERR_INIT;

	if (json_read(slice_of(text), a, 0, &v, NULL, &err))
		fail_msg("%s: %s", text, err.msg);
	return v;
}

/* A profile with the kinds A and B of group G, the part P, and these blocks of rules. */
static struct ruleset rules_of(const char *blocks, struct arena *a)
{
	struct profile p;
	struct err err = ERR_INIT;
	struct slice text = arena_printf(a,
					 "{\"name\":\"t\",\"domain_field\":null,\"type_field\":null,\"kinds\":["
					 "{\"name\":\"A\",\"class\":\"document\",\"group\":\"G\"},"
					 "{\"name\":\"B\",\"class\":\"document\",\"group\":\"G\"},"
					 "{\"name\":\"Alone\",\"class\":\"document\"}],"
					 "\"parts\":[\"P\"],\"rules\":[%s]}",
					 blocks);

	if (profile_parse(text, "test", a, &p, &err))
		fail_msg("%s", err.msg);
	return p.rules;
}

struct outcome {
	struct diff_list kept;
	struct ignored_list ignored;
};

static struct outcome filter(const struct ruleset *rules, const char *kind, const char *couch, const char *sql,
			     struct arena *a)
{
	struct json *both = ARENA_ARRAY(a, 2, struct json);
	struct rule_context ctx = {.couch = &both[0], .sql = &both[1], .kind = slice_of(kind)};
	struct diff_list raw = {0};
	struct outcome out = {{0}, {0}};

	both[0] = read_json(couch, a);
	both[1] = read_json(sql, a);
	diff_json(&both[0], &both[1], a, &raw);
	rules_filter(rules, &ctx, &raw, a, &out.kept, &out.ignored);
	return out;
}

/* The reason of the rule that dropped the one difference of {"k":1} and {"k":2}, or "" when it stays. */
static const char *taker(const struct ruleset *rules, const char *kind, struct arena *a)
{
	struct outcome o = filter(rules, kind, "{\"k\":1}", "{\"k\":2}", a);

	assert_int_equal(o.kept.n + o.ignored.n, 1);
	return o.ignored.n ? arena_str(a, o.ignored.v[0].rule->reason) : "";
}

static void test_rules__no_rules_keep_everything(void **state)
{
	struct arena a = ARENA_INIT;
	struct ruleset none = {0}, empty = rules_of("", &a);

	(void)state;
	assert_int_equal(filter(&none, "A", "{\"k\":1}", "{\"k\":2}", &a).kept.n, 1);
	assert_int_equal(filter(&empty, "A", "{\"k\":1}", "{\"k\":2}", &a).kept.n, 1);
	arena_release(&a);
}

static void test_rules__own_kind_comes_before_group_and_path_before_any_path(void **state)
{
	struct arena a = ARENA_INIT;
	struct ruleset rules = rules_of("{\"for\":\"G\",\"rules\":[{\"reason\":\"group any\",\"type\":\"diff\"},"
					"{\"path\":\"k\",\"reason\":\"group path\"}]},"
					"{\"for\":\"A\",\"rules\":[{\"reason\":\"own any\",\"type\":\"diff\"},"
					"{\"path\":[\"*\"],\"reason\":\"own star\"}]}",
					&a);

	(void)state;
	assert_string_equal(taker(&rules, "A", &a), "own star");
	assert_string_equal(taker(&rules, "B", &a), "group path");
	assert_string_equal(taker(&rules, "Alone", &a), "");
	assert_string_equal(taker(&rules, "G", &a), "group path");
	arena_release(&a);
}

/* Taking away what was asked first, one after the other, leaves the rest in the order that rules_turn tells. */
static void test_rules_turn__is_the_order_of_asking(void **state)
{
	static const char *const rules[] = {
	    "{\"for\":\"G\",\"rules\":[{\"type\":\"diff\",\"reason\":\"group any\"}]}",
	    "{\"for\":\"A\",\"rules\":[{\"type\":\"diff\",\"reason\":\"own any\"}]}",
	    "{\"for\":\"G\",\"rules\":[{\"path\":[\"*\"],\"reason\":\"group star\"}]}",
	    "{\"for\":\"G\",\"rules\":[{\"path\":\"k\",\"reason\":\"group path\"}]}",
	    "{\"for\":\"A\",\"rules\":[{\"path\":[\"*\"],\"reason\":\"own star\"}]}",
	    "{\"for\":\"A\",\"rules\":[{\"path\":\"k\",\"reason\":\"own path\"}]}",
	};
	struct arena a = ARENA_INIT;
	int before = 100;

	(void)state;
	for (size_t n = 1; n <= sizeof(rules) / sizeof(*rules); n++) {
		struct slice text = SLICE("");
		struct ruleset set;
		const struct rule *last;

		for (size_t i = 0; i < n; i++)
			text = arena_printf(&a, "%.*s%s%s", SLICE_ARG(text), i ? "," : "", rules[i]);
		set = rules_of(text.ptr, &a);
		last = &set.v[n - 1];
		assert_string_equal(taker(&set, "A", &a), arena_str(&a, last->reason));
		assert_true(rules_turn(&set, last, SLICE("A")) < before);
		before = rules_turn(&set, last, SLICE("A"));
		assert_int_equal(rules_turn(&set, last, SLICE("Alone")), -1);
	}
	arena_release(&a);
}

static void test_rules__the_first_of_equals_wins(void **state)
{
	struct arena a = ARENA_INIT;
	struct ruleset rules = rules_of("{\"for\":\"A\",\"rules\":[{\"path\":\"k\",\"old\":2,\"reason\":\"no\"},"
					"{\"path\":\"k\",\"old\":1,\"reason\":\"first\"},"
					"{\"path\":\"k\",\"reason\":\"second\"}]}",
					&a);

	(void)state;
	assert_string_equal(taker(&rules, "A", &a), "first");
	arena_release(&a);
}

static void test_rules__a_pattern_of_kinds_is_a_prefix(void **state)
{
	struct arena a = ARENA_INIT;
	struct ruleset rules = rules_of("{\"for\":\"Al*\",\"rules\":[{\"path\":\"k\",\"reason\":\"prefix\"}]}", &a);

	(void)state;
	assert_string_equal(taker(&rules, "Alone", &a), "prefix");
	assert_string_equal(taker(&rules, "Al", &a), "prefix");
	assert_string_equal(taker(&rules, "A", &a), "");
	arena_release(&a);
}

static void test_rules__path_patterns(void **state)
{
	static const struct {
		const char *path, *couch, *sql;
		int matches;
	} cases[] = {
	    {"\"k\"", "{\"k\":1}", "{\"k\":2}", 1},
	    {"\"k\"", "{\"k\":{\"k\":1}}", "{\"k\":{\"k\":2}}", 0},
	    {"\"k\"", "{\"j\":1}", "{\"j\":2}", 0},
	    {"[\"k\",\"[*]\"]", "{\"k\":[1]}", "{\"k\":[2]}", 1},
	    {"[\"k\",\"[*]\"]", "{\"k\":{\"[*]\":1}}", "{\"k\":{\"[*]\":2}}", 0},
	    {"[\"k\",\"*\"]", "{\"k\":[1]}", "{\"k\":[2]}", 1},
	    {"[\"k\",\"*\"]", "{\"k\":{\"x\":1}}", "{\"k\":{\"x\":2}}", 1},
	    {"[\"k\",\"*\"]", "{\"k\":1}", "{\"k\":2}", 0},
	    {"[\"k\",\"*\"]", "{\"k\":[[1]]}", "{\"k\":[[2]]}", 0},
	    {"[\"k\",\"...\"]", "{\"k\":1}", "{\"k\":2}", 1},
	    {"[\"k\",\"...\"]", "{\"k\":[{\"a\":1}]}", "{\"k\":[{\"a\":2}]}", 1},
	    {"[\"k\",\"...\"]", "{\"j\":{\"k\":1}}", "{\"j\":{\"k\":2}}", 0},
	    {"[\"...\",\"k\"]", "{\"k\":1}", "{\"k\":2}", 1},
	    {"[\"...\",\"k\"]", "{\"a\":[{\"k\":1}]}", "{\"a\":[{\"k\":2}]}", 1},
	    {"[\"...\",\"k\"]", "{\"k\":{\"a\":1}}", "{\"k\":{\"a\":2}}", 0},
	    {"[\"a\",\"...\",\"k\"]", "{\"a\":{\"k\":1}}", "{\"a\":{\"k\":2}}", 1},
	    {"[\"a\",\"...\",\"k\"]", "{\"a\":[[{\"k\":1}]]}", "{\"a\":[[{\"k\":2}]]}", 1},
	    {"[\"a\",\"...\",\"a\"]", "{\"a\":1}", "{\"a\":2}", 0},
	    {"[{\"key\":\"*\"}]", "{\"*\":1}", "{\"*\":2}", 1},
	    {"[{\"key\":\"*\"}]", "{\"k\":1}", "{\"k\":2}", 0},
	    {"[{\"key\":\"...\"}]", "{\"k\":1}", "{\"k\":2}", 0},
	    {"\"...\"", "{\"k\":[1]}", "{\"k\":[2]}", 1},
	    {"\"...\"", "1", "2", 1},
	    {"[]", "1", "2", 1},
	    {"[]", "{\"k\":1}", "{\"k\":2}", 0},
	    {"\"k\"", "1", "2", 0},
	    {"[\"[*]\"]", "[1]", "[2]", 1},
	    {"[\"*\",\"x\"]", "[{\"x\":1}]", "[{\"x\":2}]", 1},
	};
	struct arena a = ARENA_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct slice blocks = arena_printf(
		    &a, "{\"for\":\"A\",\"rules\":[{\"type\":\"diff\",\"path\":%s,\"reason\":\"r\"}]}", cases[i].path);
		struct ruleset rules = rules_of(blocks.ptr, &a);
		struct outcome o = filter(&rules, "A", cases[i].couch, cases[i].sql, &a);

		if ((int)o.ignored.n != cases[i].matches || o.kept.n + o.ignored.n != 1)
			fail_msg("%s and %s", cases[i].path, cases[i].couch);
	}
	arena_release(&a);
}

static void test_rules__values_are_compared_as_json(void **state)
{
	struct arena a = ARENA_INIT;
	struct ruleset rules = rules_of("{\"for\":\"A\",\"rules\":[{\"path\":\"k\",\"old\":{\"a\":1,\"b\":[2.0]},"
					"\"new\":null,\"reason\":\"r\"}]}",
					&a);

	(void)state;
	assert_int_equal(filter(&rules, "A", "{\"k\":{\"b\":[2],\"a\":1.0}}", "{\"k\":null}", &a).kept.n, 0);
	assert_int_equal(filter(&rules, "A", "{\"k\":{\"b\":[3],\"a\":1.0}}", "{\"k\":null}", &a).kept.n, 1);
	assert_int_equal(filter(&rules, "A", "{\"k\":{\"b\":[2],\"a\":1.0}}", "{}", &a).kept.n, 1);
	arena_release(&a);
}

static void test_rules__what_replaces_is_filtered_by_plain_rules(void **state)
{
	struct arena a = ARENA_INIT;
	struct ruleset rules = rules_of("{\"for\":\"A\",\"rules\":["
					"{\"rename\":[\"o\",\"n\"],\"reason\":\"rename\"},"
					"{\"type\":\"complex\",\"path\":[\"o\",\"n\"],\"new\":2,\"reason\":\"two\"},"
					"{\"compare\":\"id_set\",\"field\":\"ids\",\"reason\":\"set\"},"
					"{\"type\":\"set_mismatch\",\"path\":[\"ids\",\"[*]\"],\"new\":\"\","
					"\"reason\":\"couch only\"}]}",
					&a);

	(void)state;
	assert_int_equal(filter(&rules, "A", "{\"o\":1}", "{\"n\":2}", &a).kept.n, 0);
	assert_int_equal(filter(&rules, "A", "{\"o\":1}", "{\"n\":3}", &a).kept.n, 1);
	assert_int_equal(filter(&rules, "A", "{\"ids\":[\"a\"]}", "{\"ids\":[]}", &a).kept.n, 0);
	assert_int_equal(filter(&rules, "A", "{\"ids\":[]}", "{\"ids\":[\"a\"]}", &a).kept.n, 1);
	arena_release(&a);
}

static void test_rules__a_second_rename_takes_what_the_first_left(void **state)
{
	struct arena a = ARENA_INIT;
	struct ruleset rules = rules_of("{\"for\":\"A\",\"rules\":[{\"rename\":[\"o\",\"m\"],\"reason\":\"first\"},"
					"{\"rename\":[\"o\",\"n\"],\"reason\":\"second\"}]}",
					&a);
	struct outcome o = filter(&rules, "A", "{\"o\":1}", "{\"n\":1}", &a);

	(void)state;
	assert_int_equal(o.kept.n, 0);
	assert_int_equal(o.ignored.n, 2);
	assert_true(slice_is(o.ignored.v[0].rule->reason, "second"));
	o = filter(&rules, "A", "{\"o\":1}", "{\"n\":2,\"m\":3}", &a);
	assert_int_equal(o.kept.n, 2);
	arena_release(&a);
}

static void test_rules__replaced_differences_come_once_for_each_position(void **state)
{
	struct arena a = ARENA_INIT;
	struct ruleset rules =
	    rules_of("{\"for\":\"A\",\"rules\":[{\"compare\":\"indices\",\"field\":\"i\",\"reason\":\"r\"}]}", &a);
	struct outcome o =
	    filter(&rules, "A", "{\"i\":[{\"identifier\":\"b\",\"x\":1},{\"identifier\":\"a\",\"x\":1}]}",
		   "{\"i\":[{\"identifier\":\"a\",\"x\":2},{\"identifier\":\"b\",\"x\":2}]}", &a);

	(void)state;
	assert_int_equal(o.kept.n, 2);
	assert_int_equal(o.kept.v[0].path[1].position, 0);
	assert_int_equal(o.kept.v[1].path[1].position, 1);
	assert_int_equal(o.ignored.n, 0);
	arena_release(&a);
}

static void test_rules__noise_in_indices_is_counted_once(void **state)
{
	struct arena a = ARENA_INIT;
	struct ruleset rules =
	    rules_of("{\"for\":\"A\",\"rules\":[{\"compare\":\"indices\",\"field\":\"i\",\"reason\":\"r\"},"
		     "{\"path\":[\"i\",\"[*]\",\"case_id\"],\"absent\":\"old\",\"reason\":\"noise\"}]}",
		     &a);
	struct outcome o = filter(&rules, "A", "{\"i\":[{\"identifier\":\"b\"},{\"identifier\":\"a\"}]}",
				  "{\"i\":[{\"identifier\":\"a\"},{\"identifier\":\"b\",\"case_id\":1}]}", &a);

	(void)state;
	assert_int_equal(o.kept.n, 0);
	assert_int_equal(o.ignored.n, 1);
	assert_true(slice_is(o.ignored.v[0].rule->reason, "noise"));
	arena_release(&a);
}

static void test_rules__attachments_use_the_rules_of_their_part(void **state)
{
	struct arena a = ARENA_INIT;
	struct ruleset rules =
	    rules_of("{\"for\":\"A\",\"rules\":["
		     "{\"compare\":\"attachments\",\"field\":\"f\",\"with\":\"P\",\"reason\":\"r\"}]},"
		     "{\"for\":\"P\",\"rules\":[{\"path\":\"x\",\"reason\":\"inner\"}]}",
		     &a);
	struct outcome o = filter(&rules, "A", "{\"f\":{\"n\":{\"x\":1,\"y\":1}}}", "{\"f\":{\"n\":{\"y\":2}}}", &a);

	(void)state;
	assert_int_equal(o.kept.n, 1);
	assert_int_equal(o.kept.v[0].npath, 3);
	assert_true(slice_is(o.kept.v[0].path[2].key, "y"));
	assert_int_equal(o.ignored.n, 1);
	assert_true(slice_is(o.ignored.v[0].rule->reason, "inner"));
	assert_int_equal(o.ignored.v[0].diff.npath, 3);
	o = filter(&rules, "B", "{\"f\":{\"n\":{\"x\":1}}}", "{\"f\":{\"n\":{}}}", &a);
	assert_int_equal(o.kept.n, 1);
	arena_release(&a);
}

static void test_rules__stored_differences_without_documents_meet_plain_rules_only(void **state)
{
	struct arena a = ARENA_INIT;
	struct ruleset rules =
	    rules_of("{\"for\":\"A\",\"rules\":[{\"rename\":[\"o\",\"n\"],\"reason\":\"rename\"},"
		     "{\"path\":\"k\",\"reason\":\"plain\"},"
		     "{\"type\":\"diff\",\"path\":\"q\",\"if\":\"no_create_action\",\"reason\":\"p\"}]}",
		     &a);
	struct json stored = read_json("[{\"type\":\"missing\",\"path\":[\"o\"],\"old\":1},"
				       "{\"type\":\"diff\",\"path\":[\"k\"],\"old\":1,\"new\":2},"
				       "{\"type\":\"diff\",\"path\":[\"q\"],\"old\":1,\"new\":2}]",
				       &a);
	struct rule_context ctx = {.kind = SLICE("A")};
	struct diff_list raw = {0}, kept = {0};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(diff_list_from_json(&stored, &a, &raw, &err), 0);
	rules_filter(&rules, &ctx, &raw, &a, &kept, NULL);
	assert_int_equal(kept.n, 2);
	assert_true(slice_is(kept.v[0].path[0].key, "o"));
	assert_true(slice_is(kept.v[1].path[0].key, "q"));
	arena_release(&a);
}

static void test_rules__every_predicate_is_explained(void **state)
{
	(void)state;
	for (const struct rule_named_predicate *p = rule_predicates; p->name; p++) {
		assert_non_null(p->fn);
		assert_true(strlen(p->help) > 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rules__no_rules_keep_everything),
	    cmocka_unit_test(test_rules__own_kind_comes_before_group_and_path_before_any_path),
	    cmocka_unit_test(test_rules_turn__is_the_order_of_asking),
	    cmocka_unit_test(test_rules__the_first_of_equals_wins),
	    cmocka_unit_test(test_rules__a_pattern_of_kinds_is_a_prefix),
	    cmocka_unit_test(test_rules__path_patterns),
	    cmocka_unit_test(test_rules__values_are_compared_as_json),
	    cmocka_unit_test(test_rules__what_replaces_is_filtered_by_plain_rules),
	    cmocka_unit_test(test_rules__a_second_rename_takes_what_the_first_left),
	    cmocka_unit_test(test_rules__replaced_differences_come_once_for_each_position),
	    cmocka_unit_test(test_rules__noise_in_indices_is_counted_once),
	    cmocka_unit_test(test_rules__attachments_use_the_rules_of_their_part),
	    cmocka_unit_test(test_rules__stored_differences_without_documents_meet_plain_rules_only),
	    cmocka_unit_test(test_rules__every_predicate_is_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
