#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cmd/lookup.h"
#include "cmd/options.h"

#include <stdlib.h>

struct values {
	int flag, other_flag, choice;
	const char *text, *optional;
	int64_t number, size;
};

#define FIELD(name) offsetof(struct values, name)

static const struct option_spec table[] = {
    {.name = "flag", .letter = 'f', .kind = OPT_FLAG, .offset = FIELD(flag)},
    {.name = "other", .letter = 'o', .kind = OPT_FLAG, .offset = FIELD(other_flag)},
    {.name = "text",
     .letter = 't',
     .kind = OPT_TEXT,
     .argument = "TEXT",
     .environment = "SETTLE_TEST_TEXT",
     .offset = FIELD(text)},
    {.name = "optional", .kind = OPT_TEXT, .argument = "V", .optional_argument = 1, .offset = FIELD(optional)},
    {.name = "number",
     .letter = 'n',
     .kind = OPT_INT,
     .argument = "N",
     .environment = "SETTLE_TEST_NUMBER",
     .least = 2,
     .offset = FIELD(number)},
    {.name = "size", .kind = OPT_SIZE, .argument = "SIZE", .least = 1, .offset = FIELD(size)},
    {.name = "choice", .kind = OPT_CHOICE, .argument = "red|green|blue", .offset = FIELD(choice)},
    {.name = NULL},
};

#define ARGS_MAX 16

struct result {
	struct values v;
	char *words[ARGS_MAX];
	int n_words, rc;
	struct err err;
};

struct line { /* arguments: the words of a line */
	char text[256];
	char *argv[ARGS_MAX];
	int argc;
};

static void line_split(struct line *l, const char *text)
{
	snprintf(l->text, sizeof(l->text), "%s", text);
	l->argc = 0;
	for (char *at = l->text; *at && l->argc < ARGS_MAX;) {
		size_t n = strcspn(at, " ");
		l->argv[l->argc++] = at;
		at += n;
		if (*at)
			*at++ = 0;
	}
}

static struct result parse(const char *text)
{
	static struct line l;
	struct result r = {.v = {.choice = -1}};
	struct option_set sets[2] = {{NULL, NULL}, {table, &r.v}};
	line_split(&l, text);
	r.rc = options_parse(sets, 2, l.argc, l.argv, r.words, &r.n_words, &r.err);
	return r;
}

static void test_options_parse__values_stand_apart_or_behind_an_equals_sign(void **state)
{
	struct result r = parse("--text a --number=5 w1 --choice blue -f --text=b w2");
	(void)state;
	assert_int_equal(r.rc, 0);
	assert_string_equal(r.v.text, "b");
	assert_int_equal(r.v.number, 5);
	assert_int_equal(r.v.choice, 2);
	assert_int_equal(r.v.flag, 1);
	assert_int_equal(r.n_words, 2);
	assert_string_equal(r.words[0], "w1");
	assert_string_equal(r.words[1], "w2");
}

static void test_options_parse__letters_are_bundled(void **state)
{
	struct result r = parse("-fof -n7 -t x");
	(void)state;
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.v.flag, 2);
	assert_int_equal(r.v.other_flag, 1);
	assert_int_equal(r.v.number, 7);
	assert_string_equal(r.v.text, "x");
	r = parse("-fty");
	assert_string_equal(r.v.text, "y");
}

static void test_options_parse__a_value_may_look_like_an_option(void **state)
{
	struct result r = parse("--text --flag");
	(void)state;
	assert_int_equal(r.rc, 0);
	assert_string_equal(r.v.text, "--flag");
	assert_int_equal(r.v.flag, 0);
}

static void test_options_parse__two_dashes_end_options(void **state)
{
	struct result r = parse("-f -- -f --text -- -");
	(void)state;
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.v.flag, 1);
	assert_int_equal(r.n_words, 4);
	assert_string_equal(r.words[0], "-f");
	assert_string_equal(r.words[3], "-");
	r = parse("- x");
	assert_string_equal(r.words[0], "-");
}

static void test_options_parse__optional_values_only_behind_an_equals_sign(void **state)
{
	struct result r = parse("--optional x");
	(void)state;
	assert_string_equal(r.v.optional, "");
	assert_int_equal(r.n_words, 1);
	r = parse("--optional=x");
	assert_string_equal(r.v.optional, "x");
	assert_int_equal(r.n_words, 0);
	r = parse("--optional=");
	assert_string_equal(r.v.optional, "");
}

static void test_options_parse__sizes(void **state)
{
	(void)state;
	assert_int_equal(parse("--size 12").v.size, 12);
	assert_int_equal(parse("--size 12K").v.size, 12 << 10);
	assert_int_equal(parse("--size 3m").v.size, 3 << 20);
	assert_int_equal(parse("--size 8G").v.size, 8LL << 30);
}

static void assert_usage(const char *line, const char *message)
{
	struct result r = parse(line);
	if (r.rc != ERR_USAGE || !strstr(r.err.msg, message))
		fail_msg("%s: %d, %s", line, r.rc, r.err.msg);
}

static void test_options_parse__what_cannot_be_is_refused(void **state)
{
	(void)state;
	assert_usage("--nothing", "there is no option --nothing here");
	assert_usage("--nothing=x", "there is no option --nothing here");
	assert_usage("-x", "there is no option -x here");
	assert_usage("-fx", "there is no option -x here");
	assert_usage("--text", "--text wants a value: TEXT");
	assert_usage("-t", "--text wants a value: TEXT");
	assert_usage("--flag=1", "--flag takes no value");
	assert_usage("--number x", "--number wants a whole number, not \"x\"");
	assert_usage("--number 1", "--number must be at least 2, not 1");
	assert_usage("--number -5", "at least 2, not -5");
	assert_usage("--number=", "whole number");
	assert_usage("--number 1e3", "whole number");
	assert_usage("--number 99999999999999999999", "whole number");
	assert_usage("--size K", "a size such as");
	assert_usage("--size -1", "a size such as");
	assert_usage("--size 1KB", "a size such as");
	assert_usage("--size 1T", "a size such as");
	assert_usage("--size 0", "at least 1");
	assert_usage("--size 9999999999G", "smaller");
	assert_usage("--choice", "wants a value: red|green|blue");
	assert_usage("--choice gre", "--choice wants red|green|blue, not \"gre\"");
	assert_usage("--choice=", "wants red|green|blue");
}

static void test_options_parse__a_similar_option_is_suggested(void **state)
{
	(void)state;
	assert_string_equal(parse("--fla").err.hint, "did you mean --flag?");
	assert_string_equal(parse("--nubmer 3").err.hint, "did you mean --number?");
	assert_string_equal(parse("--completely-different").err.hint, "");
}

static void test_options_environment__gives_defaults(void **state)
{
	struct values v = {0};
	struct option_set set = {table, &v};
	struct err err = ERR_INIT;
	(void)state;
	setenv("SETTLE_TEST_TEXT", "from the environment", 1);
	setenv("SETTLE_TEST_NUMBER", "", 1);
	assert_int_equal(options_environment(&set, &err), 0);
	assert_string_equal(v.text, "from the environment");
	assert_int_equal(v.number, 0);
	setenv("SETTLE_TEST_NUMBER", "many", 1);
	assert_int_equal(options_environment(&set, &err), ERR_USAGE);
	assert_non_null(strstr(err.msg, "SETTLE_TEST_NUMBER: --number wants"));
	unsetenv("SETTLE_TEST_NUMBER");
	unsetenv("SETTLE_TEST_TEXT");
}

static void test_word_distance__counts_edits(void **state)
{
	(void)state;
	assert_int_equal(word_distance("", ""), 0);
	assert_int_equal(word_distance("abc", "abc"), 0);
	assert_int_equal(word_distance("abc", ""), 3);
	assert_int_equal(word_distance("kitten", "sitting"), 3);
	assert_int_equal(word_distance("migrat", "migrate"), 1);
	assert_int_equal(word_distance("an argument that is far too long to be a command", "x"), 99);
}

/* ---- commands ---- */

static const char *looked_up(const char *text)
{
	struct line l;
	struct lookup found;
	struct err err = ERR_INIT;
	line_split(&l, text);
	return lookup_command(l.argc, l.argv, &found, &err) == 0 && found.command ? found.command->name : "";
}

static void test_lookup_command__options_may_stand_between(void **state)
{
	(void)state;
	assert_string_equal(looked_up("stats demo"), "stats");
	assert_string_equal(looked_up("diff show demo"), "diff show");
	assert_string_equal(looked_up("--format json stats demo"), "stats");
	assert_string_equal(looked_up("-q --source=x -t stats diff --kind show files demo"), "diff files");
	assert_string_equal(looked_up("diff --no-progress show demo"), "diff show");
	assert_string_equal(looked_up("--target"), "");
	assert_string_equal(looked_up("diff"), "");
	assert_string_equal(looked_up("demo"), "");
	assert_string_equal(looked_up("-- stats"), "");
}

/* What help and manual page are made of must be there. */
static void check_table(const char *name, const struct option_spec *o)
{
	for (; o && o->name; o++) {
		int valued = o->kind != OPT_FLAG;
		if (!o->help || (o->argument != NULL) != valued)
			fail_msg("%s --%s", name, o->name);
	}
}

static void test_commands__tables_are_whole(void **state)
{
	(void)state;
	check_table("global", global_options);
	for (int i = 0; commands[i]; i++) {
		const struct command *c = commands[i];
		check_table(c->name, c->options);
		assert_true(c->summary && c->arguments && c->run);
		assert_true(c->options_size <= OPTIONS_MAX);
		assert_true(!c->options == !c->options_size);
		assert_true(!(c->needs & NEED_DOMAIN) || c->min_args > 0);
		assert_true(c->max_args < 0 || c->max_args >= c->min_args);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_options_parse__values_stand_apart_or_behind_an_equals_sign),
	    cmocka_unit_test(test_options_parse__letters_are_bundled),
	    cmocka_unit_test(test_options_parse__a_value_may_look_like_an_option),
	    cmocka_unit_test(test_options_parse__two_dashes_end_options),
	    cmocka_unit_test(test_options_parse__optional_values_only_behind_an_equals_sign),
	    cmocka_unit_test(test_options_parse__sizes),
	    cmocka_unit_test(test_options_parse__what_cannot_be_is_refused),
	    cmocka_unit_test(test_options_parse__a_similar_option_is_suggested),
	    cmocka_unit_test(test_options_environment__gives_defaults),
	    cmocka_unit_test(test_word_distance__counts_edits),
	    cmocka_unit_test(test_lookup_command__options_may_stand_between),
	    cmocka_unit_test(test_commands__tables_are_whole),
	};
	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
