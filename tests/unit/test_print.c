#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cmd/marked.h"
#include "cmd/print.h"
#include "cmd/select.h"

#include <stdlib.h>
#include <unistd.h>

struct printed { /* what goes to a context's stream */
	struct cmd_context c;
	struct global_options global;
	struct arena arena;
	char *text;
	size_t len;
};

static void printed_begin(struct printed *p)
{
	*p = (struct printed){0};
	p->c.global = &p->global;
	p->c.arena = &p->arena;
	p->c.out = open_memstream(&p->text, &p->len);
	assert_non_null(p->c.out);
}

static void printed_drop(struct printed *p)
{
	fclose(p->c.out);
	free(p->text);
	arena_release(&p->arena);
}

static void printed_end(struct printed *p, const char *wanted)
{
	fflush(p->c.out);
	assert_string_equal(p->text, wanted);
	printed_drop(p);
}

/* Behind what was printed before. */
static void stats_printed(struct printed *p, const struct migrate_stats *s, unsigned flags)
{
	print_stats(&p->c, s, flags);
	fflush(p->c.out);
}

static struct json read_ok(const char *text, struct arena *a)
{
	struct json v;
	assert_int_equal(json_read(slice_of(text), a, 0, &v, NULL, NULL), 0);
	return v;
}

static struct diff_list diffs_of(const char *text, struct arena *a)
{
	struct diff_list list = {0};
	struct json v = read_ok(text, a);
	struct err err = ERR_INIT;
	if (diff_list_from_json(&v, a, &list, &err))
		fail_msg("%s", err.msg);
	return list;
}

#define TWENTY "01234567890123456789"

static void test_print_diffs__long_pairs_take_two_lines(void **state)
{
	struct printed p;
	(void)state;
	printed_begin(&p);
	struct diff_list list =
	    diffs_of("[{\"type\":\"diff\",\"path\":[\"a\",0,\"b\"],\"old\":null,\"new\":{\"x\":1}},"
		     "{\"type\":\"missing\",\"path\":[\"c\"],\"new\":\"" TWENTY TWENTY TWENTY "\"}]",
		     &p.arena);
	print_diffs(&p.c, SLICE("Kind"), SLICE("id\n1"), &list);
	printed_end(&p, "Kind id\xef\xbf\xbd"
			"1\n"
			"  diff [\"a\", 0, \"b\"] null -> {\"x\":1}\n"
			"  missing [\"c\"]\n    - (absent)\n    + \"" TWENTY TWENTY TWENTY "\"\n");
}

static void test_print_diffs__each_reason_has_a_heading(void **state)
{
	struct printed p;
	(void)state;
	printed_begin(&p);
	struct diff_list list =
	    diffs_of("[{\"type\":\"diff\",\"path\":[\"a\"],\"old\":1,\"new\":2,\"reason\":\"rebuilt\"},"
		     "{\"type\":\"diff\",\"path\":[\"b\"],\"old\":1,\"new\":2,\"reason\":\"rebuilt\"},"
		     "{\"type\":\"diff\",\"path\":[\"c\"],\"old\":1,\"new\":2,\"reason\":\"sorted\"}]",
		     &p.arena);
	print_diffs(&p.c, SLICE("K"), SLICE("i"), &list);
	printed_end(&p,
		    "K i rebuilt\n  diff [\"a\"] 1 -> 2\n  diff [\"b\"] 1 -> 2\nK i sorted\n  diff [\"c\"] 1 -> 2\n");
}

static struct migrate_stats some_stats(struct migrate_kind *kinds, struct state_tally *tally)
{
	kinds[0] = (struct migrate_kind){SLICE("XFormInstance"), 12, 0, 0, 0};
	kinds[1] = (struct migrate_kind){SLICE("CommCareCase"), 3, 2, 1, 1234567};
	*tally = (struct state_tally){SLICE("a rule"), 5};
	return (struct migrate_stats){
	    .domain = SLICE("demo"),
	    .status = SLICE("in-progress"),
	    .source = SLICE("file:x"),
	    .target = SLICE("sqlite:y"),
	    .profile = SLICE("commcare"),
	    .checkpoint = SLICE("\"12-abc\""),
	    .started = 1,
	    .counters = {.read = 20, .written = 15, .unchanged = 1, .deleted = 1, .skipped = 2, .rejected = 1},
	    .pending = 1,
	    .rejected_now = 1,
	    .kinds = kinds,
	    .n_kinds = 2,
	    .ignored = {.v = tally, .n = 1},
	};
}

static void test_print_stats__zero_prints_blank(void **state)
{
	struct migrate_kind kinds[2];
	struct state_tally tally;
	struct printed p;
	struct migrate_stats s = some_stats(kinds, &tally);
	(void)state;
	printed_begin(&p);
	print_stats(&p.c, &s, 1);
	printed_end(&p, "Couch to SQL migration status for demo: in-progress\n"
			"source     file:x\n"
			"target     sqlite:y\n"
			"profile    commcare\n"
			"\n"
			"Kind               Docs     Diffs   Missing   Changes\n"
			"XFormInstance        12                              \n"
			"CommCareCase          3         2         1   1234567\n"
			"\n"
			"last pass  read 20 = written 15 + unchanged 1 + deleted 1 + skipped 2 + rejected 1\n"
			"pending    1 (cases that wait to be compared)\n"
			"rejects    1 (documents that could not be stored; kept whole)\n"
			"clean      no\n"
			"Run again with --forms=missing to migrate missing docs\n"
			"There are 1 case diffs pending. `settle diff cases demo --select pending` compares them\n"
			"\n"
			"Ignored differences by rule\n"
			"         5  a rule\n");
}

static void test_print_stats__red_marks_diffs_and_missing(void **state)
{
	struct migrate_kind kinds[2];
	struct state_tally tally;
	struct printed p;
	struct migrate_stats s = some_stats(kinds, &tally);
	(void)state;
	printed_begin(&p);
	p.c.color = 1;
	stats_printed(&p, &s, 0);
	assert_non_null(strstr(p.text, "         3\033[31m         2\033[0m\033[31m         1\033[0m   1234567\n"));
	assert_non_null(strstr(p.text, "        12                              \n"));
	printed_drop(&p);
}

static void test_print_stats__a_caught_up_source_is_said(void **state)
{
	struct printed p;
	struct migrate_stats s = {.domain = SLICE("d"), .status = SLICE("in-progress"), .started = 1, .clean = 1};
	(void)state;
	printed_begin(&p);
	stats_printed(&p, &s, 0);
	assert_non_null(strstr(p.text, "nothing was there to read: caught up\nclean      yes\n"));
	printed_drop(&p);
}

static void test_print_stats__after_a_migration_only_what_is_left(void **state)
{
	struct migrate_kind kinds[2];
	struct state_tally tally;
	struct printed p;
	struct migrate_stats s = some_stats(kinds, &tally);
	(void)state;
	printed_begin(&p);
	stats_printed(&p, &s, STATS_AFTER_MIGRATE);
	assert_null(strstr(p.text, "XFormInstance"));
	assert_non_null(strstr(p.text, "CommCareCase          3"));
	printed_drop(&p);
}

static void test_print_stats__after_a_migration_all_clear_is_green(void **state)
{
	struct migrate_kind kinds[] = {{.kind = SLICE("XFormInstance"), .docs = 12}};
	struct migrate_stats s = {.domain = SLICE("d"), .started = 1, .clean = 1, .kinds = kinds, .n_kinds = 1};
	struct printed p;
	(void)state;
	printed_begin(&p);
	p.c.color = 1;
	stats_printed(&p, &s, STATS_AFTER_MIGRATE);
	assert_non_null(strstr(p.text, "\033[32mNo differences found between old and new docs!\033[0m\n"));
	assert_null(strstr(p.text, "XFormInstance"));
	printed_drop(&p);
}

static void test_print_stats__pending_is_not_clear_and_red(void **state)
{
	struct migrate_stats s = {.domain = SLICE("d"), .started = 1, .pending = 7};
	struct printed p;
	(void)state;
	printed_begin(&p);
	p.c.color = 1;
	stats_printed(&p, &s, STATS_AFTER_MIGRATE);
	assert_null(strstr(p.text, "No differences found"));
	assert_non_null(strstr(p.text, "\033[31mThere are 7 case diffs pending.\033[0m `settle diff cases d"));
	printed_drop(&p);
}

static void test_print_stats__what_documents_hold_is_said_when_asked(void **state)
{
	struct migrate_stats s = {.domain = SLICE("d"), .started = 1, .ledgers = 4, .key_twice = 3};
	struct printed p;
	(void)state;
	printed_begin(&p);
	stats_printed(&p, &s, 0);
	assert_null(strstr(p.text, "ledgers"));
	assert_null(strstr(p.text, "key twice"));
	stats_printed(&p, &s, STATS_VERBOSE);
	assert_non_null(
	    strstr(p.text, "\nledgers    4 (forms that hold stock, which stays in them: it is not replayed)\n"));
	assert_non_null(
	    strstr(p.text, "\nkey twice  3 (documents with a key twice: the last value counts, as in CouchDB)\n"));
	printed_drop(&p);
}

static void test_print_stats__a_kind_without_a_name_is_unknown(void **state)
{
	struct migrate_kind kinds[] = {{.kind = SLICE(""), .docs = 12}};
	struct migrate_stats s = {.domain = SLICE("d"), .started = 1, .kinds = kinds, .n_kinds = 1};
	struct printed p;
	(void)state;
	printed_begin(&p);
	stats_printed(&p, &s, 0);
	assert_non_null(strstr(p.text, "\n(unknown)        12 "));
	printed_drop(&p);
}

static void test_print_diffs__controls_never_reach_the_terminal(void **state)
{
	struct printed p;
	(void)state;
	printed_begin(&p);
	struct diff_list list = diffs_of("[{\"type\":\"diff\",\"path\":[\"a\xc2\x9b\"],\"old\":\"\x7f\",\"new\":\"\xc2\x85\"}]", &p.arena);
	print_diffs(&p.c, SLICE("K\x1b"), SLICE("i\xc2\x9b" "d"), &list);
	printed_end(&p, "K\xef\xbf\xbd i\xef\xbf\xbd" "d\n"
			"  diff [\"a\\u009b\"] \"\\u007f\" -> \"\\u0085\"\n");
}

static void test_stats_to_json__is_the_object_of_the_contract(void **state)
{
	struct migrate_kind kinds[2];
	struct state_tally tally;
	struct printed p;
	struct migrate_stats s = some_stats(kinds, &tally);
	(void)state;
	s.ledgers = 4;
	s.key_twice = 3;
	printed_begin(&p);
	struct json v = stats_to_json(&s, &p.arena);
	print_json_line(&p.c, &v);
	printed_end(&p, "{\"domain\":\"demo\",\"status\":\"in-progress\",\"source\":\"file:x\",\"target\":\"sqlite:y\","
			"\"profile\":\"commcare\",\"clean\":false,\"pending\":1,\"checkpoint\":\"12-abc\",\"read\":20,"
			"\"written\":15,\"unchanged\":1,\"deleted\":1,\"skipped\":2,\"rejected\":1,\"conflicts\":0,"
			"\"conflicts_left\":0,"
			"\"attachments\":0,\"attachments_left\":0,"
			"\"kinds\":[{\"kind\":\"XFormInstance\",\"docs\":12,\"diffs\":0,\"missing\":0,\"changes\":0},"
			"{\"kind\":\"CommCareCase\",\"docs\":3,\"diffs\":2,\"missing\":1,\"changes\":1234567}],"
			"\"ignored\":[{\"rule\":\"a rule\",\"count\":5}],\"ledgers\":4,\"duplicate_keys\":3}\n");
}

static void test_stats_to_json__sequences_are_opaque(void **state)
{
	struct arena a = ARENA_INIT;
	struct migrate_stats s = {.checkpoint = SLICE("[12,\"x\"]")};
	struct json v = stats_to_json(&s, &a);
	(void)state;
	assert_true(slice_is(json_get_text(&v, "checkpoint"), "[12,\"x\"]"));
	s.checkpoint = SLICE("12");
	v = stats_to_json(&s, &a);
	assert_true(slice_is(json_get_text(&v, "checkpoint"), "12"));
	s.checkpoint = SLICE_NONE;
	v = stats_to_json(&s, &a);
	assert_true(json_is(json_gets(&v, "checkpoint"), JSON_NULL));
	arena_release(&a);
}

static void test_print_marked__lines_that_differ_are_marked(void **state)
{
	struct printed p;
	(void)state;
	printed_begin(&p);
	struct json couch = read_ok("{\"a\":1,\"list\":[1,{\"x\":2}],\"rev\":\"r\",\"e\":{}}", &p.arena);
	struct json sql = read_ok("{\"a\":1,\"list\":[1,{\"x\":3}],\"e\":{}}", &p.arena);
	struct diff_list raw = {0}, kept = {0};
	struct marks marks = {&raw, &kept};
	diff_json(&couch, &sql, &p.arena, &raw);
	for (size_t i = 0; i < raw.n; i++)
		if (raw.v[i].npath == 3)
			ARENA_PUSH(&p.arena, &kept, raw.v[i]);
	print_marked(&p.c, &couch, &marks, '-');
	print_marked(&p.c, &sql, &marks, '+');
	printed_end(&p, "  {\n    \"a\": 1,\n    \"list\": [\n      1,\n      {\n-       \"x\": 2\n      }\n    ],\n"
			"~   \"rev\": \"r\",\n    \"e\": {}\n  }\n"
			"  {\n    \"a\": 1,\n    \"list\": [\n      1,\n      {\n+       \"x\": 3\n      }\n    ],\n"
			"    \"e\": {}\n  }\n");
}

static void test_print_marked__shows_where_long_texts_differ(void **state)
{
	struct printed p;
	(void)state;
	printed_begin(&p);
	struct json couch = read_ok("{\"t\":\"" TWENTY TWENTY "caf\xc3\xa9 old " TWENTY TWENTY "\"}", &p.arena);
	struct json sql = read_ok("{\"t\":\"" TWENTY TWENTY "caf\xc3\xa8 old " TWENTY TWENTY "\"}", &p.arena);
	struct diff_list raw = {0};
	struct marks marks = {&raw, &raw};
	diff_json(&couch, &sql, &p.arena, &raw);
	print_marked(&p.c, &couch, &marks, '-');
	print_marked(&p.c, &sql, &marks, '+');
	printed_end(&p, "  {\n-   \"t\": \"" TWENTY TWENTY "caf\xc3\xa9 old " TWENTY TWENTY "\"\n"
			"? from character 44: ...34567890123456789caf[\xc3\xa9] old 012345678901234...\n  }\n"
			"  {\n+   \"t\": \"" TWENTY TWENTY "caf\xc3\xa8 old " TWENTY TWENTY "\"\n"
			"? from character 44: ...34567890123456789caf[\xc3\xa8] old 012345678901234...\n  }\n");
}

static void test_print_marked__one_long_text_may_begin_the_other(void **state)
{
	struct printed p;
	(void)state;
	printed_begin(&p);
	struct json couch = read_ok("\"" TWENTY TWENTY "aa\"", &p.arena), sql = read_ok("\"" TWENTY TWENTY "aaa\"", &p.arena);
	struct diff_list raw = {0};
	struct marks marks = {&raw, &raw};
	diff_json(&couch, &sql, &p.arena, &raw);
	print_marked(&p.c, &couch, &marks, '-');
	print_marked(&p.c, &sql, &marks, '+');
	printed_end(&p, "- \"" TWENTY TWENTY "aa\"\n? from character 43: ...234567890123456789aa[]\n"
			"+ \"" TWENTY TWENTY "aaa\"\n? from character 43: ...234567890123456789aa[a]\n");
}

/* ---- --select ---- */

static const struct profile_kind kinds[] = {
    {.name = {"Form", 4}, .cls = PROFILE_EVENT},
    {.name = {"Case", 4}, .cls = PROFILE_STATE},
};
static const struct profile profile = {.kinds = kinds, .n_kinds = 2};

static int selected(const char *text, const char *kind, const char *id)
{
	struct arena a = ARENA_INIT;
	struct selection s;
	struct err err = ERR_INIT;
	assert_int_equal(selection_parse(text, &profile, &a, &s, &err), 0);
	int has = selection_has(&s, slice_of(kind), slice_of(id));
	arena_release(&a);
	return has;
}

static void test_selection__words(void **state)
{
	(void)state;
	assert_true(selected(NULL, "Form", "a"));
	assert_true(selected("with-diffs", "Form", "a"));
	assert_true(selected("forms", "Form", "a"));
	assert_false(selected("forms", "Case", "a"));
	assert_true(selected("cases", "Case", "a"));
	assert_false(selected("cases", "Other", "a"));
	assert_true(selected("Form", "Form", "a"));
	assert_false(selected("Form", "Case", "Form"));
	assert_true(selected("a,b", "Case", "b"));
	assert_false(selected("a,b", "Case", "c"));
	assert_true(selected("Form:a,b", "Form", "b"));
	assert_false(selected("Form:a,b", "Case", "b"));
	assert_true(selected("org.couch:a", "Case", "org.couch:a"));
}

static void test_selection__files(void **state)
{
	char path[] = "/tmp/settle-select.XXXXXX";
	int fd = mkstemp(path);
	struct arena a = ARENA_INIT;
	struct selection s;
	struct err err = ERR_INIT;
	static const char lines[] = "id1\r\nCase,id2\n\n\"Form\",\"id3\"\nid0";
	(void)state;
	assert_true(fd >= 0 && write(fd, lines, sizeof(lines) - 1) == (ssize_t)sizeof(lines) - 1);
	assert_true(selected(path, "Form", "id1"));
	assert_true(selected(path, "Case", "id2"));
	assert_false(selected(path, "Form", "id2"));
	assert_true(selected(path, "Form", "id3"));
	assert_true(selected(path, "Form", "id0"));
	assert_false(selected(path, "Form", ""));
	assert_true(write(fd, ",b,c\n", 5) == 5);
	close(fd);
	assert_int_equal(selection_parse(path, &profile, &a, &s, &err), ERR_USAGE);
	assert_non_null(strstr(err.msg, "line 5"));
	unlink(path);
	assert_int_equal(selection_parse(path, &profile, &a, &s, &err), ERR_USAGE);
	assert_int_equal(selection_parse("", &profile, &a, &s, &err), ERR_USAGE);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_print_diffs__long_pairs_take_two_lines),
	    cmocka_unit_test(test_print_diffs__each_reason_has_a_heading),
	    cmocka_unit_test(test_print_stats__zero_prints_blank),
	    cmocka_unit_test(test_print_stats__red_marks_diffs_and_missing),
	    cmocka_unit_test(test_print_stats__a_caught_up_source_is_said),
	    cmocka_unit_test(test_print_stats__after_a_migration_only_what_is_left),
	    cmocka_unit_test(test_print_stats__after_a_migration_all_clear_is_green),
	    cmocka_unit_test(test_print_stats__pending_is_not_clear_and_red),
	    cmocka_unit_test(test_print_stats__what_documents_hold_is_said_when_asked),
	    cmocka_unit_test(test_print_stats__a_kind_without_a_name_is_unknown),
	    cmocka_unit_test(test_print_diffs__controls_never_reach_the_terminal),
	    cmocka_unit_test(test_stats_to_json__is_the_object_of_the_contract),
	    cmocka_unit_test(test_stats_to_json__sequences_are_opaque),
	    cmocka_unit_test(test_print_marked__lines_that_differ_are_marked),
	    cmocka_unit_test(test_print_marked__shows_where_long_texts_differ),
	    cmocka_unit_test(test_print_marked__one_long_text_may_begin_the_other),
	    cmocka_unit_test(test_selection__words),
	    cmocka_unit_test(test_selection__files),
	};
	return cmocka_run_group_tests_name("print", tests, NULL, NULL);
}
