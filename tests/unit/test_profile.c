#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "profile/profile.h"
#include "tests/unit/lines.h"

#include <errno.h>
#include <unistd.h>

static struct profile load(const char *name, struct arena *a)
{
	struct profile p;
	struct err err = ERR_INIT;

	if (profile_load(name, a, &p, &err))
		fail_msg("%s: %s", name, err.msg);
	return p;
}

static struct profile_findings check(struct slice text, struct arena *a)
{
	struct profile_findings findings = {0};
	struct err err = ERR_INIT;

	if (profile_check(text, a, &findings, &err))
		fail_msg("%s", err.msg);
	return findings;
}

/* ---- the built-in profiles ---- */

static void test_profile__nothing_is_wrong_with_the_built_in_ones(void **state)
{
	struct arena a = ARENA_INIT;
	size_t n = 0;

	(void)state;
	for (const struct profile_builtin *b = profile_builtins; b->name; b++, n++) {
		struct profile_findings findings = check(b->text, &a);

		if (findings.n)
			fail_msg("%s:%u:%u: %.*s", b->name, findings.v[0].line, findings.v[0].column,
				 SLICE_ARG(findings.v[0].message));
		assert_true(slice_is(load(b->name, &a).name, b->name));
		assert_true(strlen(b->summary) > 10);
	}
	assert_int_equal(n, 2);
	arena_release(&a);
}

static void test_profile__built_in_text_is_the_file_byte_for_byte(void **state)
{
	struct arena a = ARENA_INIT;

	(void)state;
	for (const struct profile_builtin *b = profile_builtins; b->name; b++) {
		struct slice path = arena_printf(&a, "src/profile/%s.json", b->name);
		struct profile p = load(b->name, &a);

		assert_true(slice_eq(file_read(path.ptr, &a), b->text));
		assert_true(slice_is(json_get_text(&p.source, "summary"), b->summary));
	}
	arena_release(&a);
}

static void test_profile__commcare_lists_its_kinds_in_order(void **state)
{
	static const struct profile_kind kinds[] = {
	    {SLICE("XFormInstance"), PROFILE_EVENT, SLICE("XFormInstance"), 1, 0, 1},
	    {SLICE("XFormArchived"), PROFILE_EVENT, SLICE("XFormArchived"), 0, 0, 1},
	    {SLICE("XFormDeprecated"), PROFILE_EVENT, SLICE("XFormDeprecated"), 0, 0, 1},
	    {SLICE("XFormDuplicate"), PROFILE_EVENT, SLICE("XFormDuplicate"), 0, 0, 1},
	    {SLICE("XFormError"), PROFILE_EVENT, SLICE("XFormError"), 0, 0, 1},
	    {SLICE("SubmissionErrorLog"), PROFILE_EVENT, SLICE("SubmissionErrorLog"), 0, 0, 0},
	    {SLICE("HQSubmission"), PROFILE_EVENT, SLICE("XFormInstance"), 1, 0, 1},
	    {SLICE("XFormInstance-Deleted"), PROFILE_EVENT, SLICE("XFormInstance-Deleted"), 0, 1, 1},
	    {SLICE("CommCareCase"), PROFILE_STATE, SLICE("CommCareCase"), 0, 0, 1},
	    {SLICE("CommCareCase-Deleted"), PROFILE_STATE, SLICE("CommCareCase-Deleted"), 0, 1, 1},
	};
	struct arena a = ARENA_INIT;
	struct profile p = load("commcare", &a);

	(void)state;
	assert_true(slice_is(p.domain_field, "domain"));
	assert_true(slice_is(p.type_field, "doc_type"));
	assert_int_equal(p.other_kinds, 0);
	assert_int_equal(p.n_kinds, sizeof(kinds) / sizeof(*kinds));
	for (size_t i = 0; i < p.n_kinds; i++) {
		const struct profile_kind *is = &p.kinds[i], *should = &kinds[i];

		assert_true(slice_eq(is->name, should->name) && slice_eq(is->stored_as, should->stored_as));
		assert_true(is->cls == should->cls && is->processed == should->processed);
		assert_true(is->deleted == should->deleted && is->compared == should->compared);
		assert_ptr_equal(profile_kind(&p, should->name), is);
	}
	assert_null(profile_kind(&p, SLICE("LedgerValue")));
	arena_release(&a);
}

static void test_profile__documents_knows_no_domain_and_any_type(void **state)
{
	struct arena a = ARENA_INIT;
	struct profile p = load("documents", &a);

	(void)state;
	assert_null(p.domain_field.ptr);
	assert_true(slice_is(p.type_field, "doc_type"));
	assert_int_equal(p.n_kinds, 0);
	assert_int_equal(p.other_kinds, 1);
	assert_int_equal(p.rules.n, 1);
	assert_true(p.patch_documents && !p.has_patch);
	arena_release(&a);
}

static int rule_name_order(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

static void test_profile__rules_have_names_of_their_own_and_reasons(void **state)
{
	struct arena a = ARENA_INIT;
	struct profile p = load("commcare", &a);
	struct slice *names = ARENA_ARRAY(&a, p.rules.n, struct slice);

	(void)state;
	for (size_t i = 0; i < p.rules.n; i++) {
		names[i] = p.rules.v[i].name;
		assert_true(p.rules.v[i].reason.len > 5);
	}
	qsort(names, p.rules.n, sizeof(*names), rule_name_order);
	for (size_t i = 1; i < p.rules.n; i++)
		assert_false(slice_eq(names[i - 1], names[i]));
	arena_release(&a);
}

/* ---- loading ---- */

static const char small[] = "{\"name\":\"s\",\"domain_field\":null,\"type_field\":null,\"kinds\":[],\"rules\":[]}";

static void test_profile__digest_is_of_the_content_not_of_the_writing(void **state)
{
	static const char same[] = "{ \"rules\": [], \"kinds\": [],\n \"type_field\": null, \"domain_field\": null,"
				   " \"n\\u0061me\": \"s\"}";
	static const char other[] =
	    "{\"name\":\"t\",\"domain_field\":null,\"type_field\":null,\"kinds\":[],\"rules\":[]}";
	struct arena a = ARENA_INIT;
	struct profile p, q, r;

	(void)state;
	assert_int_equal(profile_parse(slice_of(small), "a", &a, &p, NULL), 0);
	assert_int_equal(profile_parse(slice_of(same), "b", &a, &q, NULL), 0);
	assert_int_equal(profile_parse(slice_of(other), "c", &a, &r, NULL), 0);
	assert_int_equal(p.digest.len, 64);
	assert_true(slice_eq(p.digest, q.digest));
	assert_false(slice_eq(p.digest, r.digest));
	arena_release(&a);
}

static void write_file(const char *path, const char *text, size_t len)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void test_profile_load__reads_a_file(void **state)
{
	char dir[] = "profile-XXXXXX";
	struct arena a = ARENA_INIT;
	struct slice path;

	(void)state;
	assert_non_null(mkdtemp(dir));
	path = arena_printf(&a, "%s/p", dir);
	write_file(path.ptr, small, strlen(small));
	assert_true(slice_is(load(path.ptr, &a).name, "s"));
	assert_int_equal(unlink(path.ptr), 0);
	assert_int_equal(rmdir(dir), 0);
	arena_release(&a);
}

static void test_profile_load__a_file_that_is_too_large_is_refused(void **state)
{
	char dir[] = "profile-XXXXXX";
	struct arena a = ARENA_INIT;
	size_t size = (size_t)2 * 1024 * 1024;
	char *text = arena_alloc(&a, size);
	struct profile p;
	struct err err = ERR_INIT;
	struct slice path;

	(void)state;
	assert_non_null(mkdtemp(dir));
	path = arena_printf(&a, "%s/p.json", dir);
	memset(text, ' ', size);
	memcpy(text, small, strlen(small));
	write_file(path.ptr, text, size);
	assert_int_equal(profile_load(path.ptr, &a, &p, &err), ERR_USAGE);
	assert_non_null(strstr(err.msg, "no larger than"));
	write_file(path.ptr, text, (size_t)1024 * 1024 + 1);
	assert_int_equal(profile_load(path.ptr, &a, &p, &err), ERR_USAGE);
	assert_non_null(strstr(err.msg, "no larger than"));
	write_file(path.ptr, text, (size_t)1024 * 1024);
	assert_int_equal(profile_load(path.ptr, &a, &p, &err), 0);
	assert_int_equal(unlink(path.ptr), 0);
	assert_int_equal(rmdir(dir), 0);
	arena_release(&a);
}

static void test_profile_load__what_cannot_be_found_is_named(void **state)
{
	struct arena a = ARENA_INIT;
	struct profile p;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(profile_load("comcare", &a, &p, &err), ERR_USAGE);
	assert_string_equal(err.msg, "no profile is called \"comcare\"");
	assert_non_null(strstr(err.hint, "profile list"));
	assert_int_equal(profile_load("nowhere.json", &a, &p, &err), ERR_USAGE);
	assert_int_equal(err.native, ENOENT);
	assert_non_null(strstr(err.msg, "nowhere.json"));
	assert_int_equal(profile_load("./", &a, &p, &err), ERR_USAGE);
	assert_non_null(strstr(err.msg, "cannot read profile ./"));
	arena_release(&a);
}

/* ---- what is wrong, and where ---- */

/* A case is one profile; `@` marks where the finding must stand and is taken out. */
#define HEAD "{\"name\":\"t\",\n\"domain_field\":null,\"type_field\":\"t\",\n"
#define KINDS "\"kinds\":[{\"name\":\"A\",\"class\":\"event\",\"group\":\"G\"}],\n"
#define RULE(text) HEAD KINDS "\"rules\":[{\"for\":\"A\",\"rules\":[\n" text "]}]}"
#define BLOCK(name, text) "{\"for\":\"" name "\",\"rules\":[\n" text "]}\n"
#define RULES(text)                                                                                                 \
	HEAD "\"kinds\":[{\"name\":\"A\",\"class\":\"event\",\"group\":\"G\"},{\"name\":\"B\",\"class\":\"event\"," \
	     "\"group\":\"G\"},\n"                                                                                  \
	     "{\"name\":\"C\",\"class\":\"event\",\"compared\":false},{\"name\":\"GG\",\"class\":\"state\"}],"      \
	     "\"rules\":[" text "]}"
#define KIND(text) HEAD "\"kinds\":[{\"name\":\"A\",\"class\":\"event\"},\n" text "],\"rules\":[]}"

static const struct finding_case {
	const char *text;
	int error;
	const char *message;
} finding_cases[] = {
    /* the profile */
    {"@[]", 1, "a profile is an object, not array"},
    {"  \n @{\"domain_field\":null,\"type_field\":null,\"kinds\":[],\"rules\":[]}", 1, "\"name\" is missing (string)"},
    {HEAD "\"kinds\":[],\"rules\":[], @\"ruels\":[]}", 1, "unknown key \"ruels\" (known here: name, summary, "},
    {HEAD "\"kinds\":[],\"rules\":@{}}", 1, "\"rules\" must be array, not object"},
    {HEAD "\"kinds\":@null,\"rules\":[]}", 1, "\"kinds\" must be array, not null"},
    {"@{\"name\":\"t\",\"type_field\":null,\"kinds\":[],\"rules\":[]}", 1, "\"domain_field\" is missing"},
    {"{\"name\":\"t\",\"domain_field\":@\"\",\"type_field\":null,\"kinds\":[],\"rules\":[]}", 1, "must not be empty"},
    {"{\"name\":\"t\",\"domain_field\":null,\"type_field\":@1,\"kinds\":[],\"rules\":[]}", 1,
     "must be string, not number"},
    {"@{\"name\":\"t\",\"name\":\"u\",\"domain_field\":null,\"type_field\":null,\"kinds\":[],\"rules\":[]}", 1,
     "a key stands twice"},
    {HEAD "\"other_kinds\":@\"all\",\"kinds\":[],\"rules\":[]}", 1, "\"compared\" or \"copied\""},
    {HEAD "\"summary\":@[],\"kinds\":[],\"rules\":[]}", 1, "\"summary\" must be string"},
    /* kinds */
    {KIND("@1"), 1, "a kind is an object, not number"},
    {KIND("@{\"class\":\"event\"}"), 1, "\"name\" is missing"},
    {KIND("{\"name\":\"B\",\"class\":@\"form\"}"), 1, "unknown class (known: event, state, document)"},
    {KIND("{\"name\":@\"A\",\"class\":\"state\"}"), 1, "kind \"A\" is listed twice"},
    {KIND("{\"name\":\"B\",\"class\":\"state\",@\"processed\":true}"), 1, "only events are processed"},
    {KIND("{\"name\":\"B\",\"class\":\"state\",\"deleted\":@1}"), 1, "\"deleted\" must be boolean, not number"},
    {KIND("{\"name\":\"B\",\"class\":\"state\",@\"columns\":[]}"), 1, "unknown key \"columns\""},
    {KIND("{\"name\":\"B\",\"class\":\"state\",\"group\":@\"A\"}"), 1, "group \"A\" has the name of a kind"},
    {HEAD KINDS "@\"parts\":[\"A\"],\"rules\":[]}", 1, "part \"A\" is also a kind"},
    {HEAD KINDS "\"parts\":[\"P\",@\"P\"],\"rules\":[]}", 1, "\"P\" stands twice in \"parts\""},
    {HEAD KINDS "\"parts\":[@\"\"],\"rules\":[]}", 1, "\"parts\" must hold texts that are not empty"},
    /* rules */
    {HEAD KINDS "\"rules\":[@1]}", 1, "rules stand in blocks"},
    {HEAD KINDS "\"rules\":[@{\"rules\":[]}]}", 1, "\"for\" is missing"},
    {HEAD KINDS "\"rules\":[{\"for\":\"A\",@\"why\":\"\",\"rules\":[]}]}", 1,
     "unknown key \"why\" (known here: for, rules)"},
    {HEAD KINDS "\"rules\":[{\"for\":@\"B\",\"rules\":[]}]}", 1, "no kind, group or part is called \"B\""},
    {HEAD KINDS "\"rules\":[{\"for\":@\"B*\",\"rules\":[]}]}", 1, "no kind, group or part is called \"B*\""},
    {RULE("@null"), 1, "a rule is an object, not null"},
    {RULE("@{\"path\":\"a\"}"), 1, "\"reason\" is missing"},
    {RULE("{\"path\":\"a\",@\"Old\":1,\"reason\":\"r\"}"), 1, "unknown key \"Old\""},
    {RULE("{\"type\":@\"length\",\"reason\":\"r\"}"), 1, "unknown type of difference"},
    {RULE("{\"path\":@1,\"reason\":\"r\"}"), 1, "write \"[*]\""},
    {RULE("{\"path\":[\"a\",@0],\"reason\":\"r\"}"), 1, "write \"[*]\""},
    {RULE("{\"path\":[\"a\",@{\"key\":1}],\"reason\":\"r\"}"), 1, "a path element is a text or {\"key\": TEXT}"},
    {RULE("{\"path\":[\"a\",@{\"key\":\"a\",\"b\":1}],\"reason\":\"r\"}"), 1, "a path element is a text"},
    {RULE("{\"path\":@[\"...\",\"a\",\"...\"],\"reason\":\"r\"}"), 1, "\"...\" once at most"},
    {RULE("{\"path\":\"a\",\"absent\":@\"sql\",\"reason\":\"r\"}"), 1,
     "\"absent\" is \"old\" (Couch) or \"new\" (SQL)"},
    {RULE("{\"path\":\"a\",\"old\":1,\"absent\":@\"old\",\"reason\":\"r\"}"), 1, "\"old\" has a value and is absent"},
    {RULE("{\"type\":\"diff\",\"if\":@\"both_dates\",\"reason\":\"r\"}"), 1,
     "unknown predicate (known: both_datetimes, no_create_action, supply_point_form)"},
    {RULE("{\"rename\":@[\"a\"],\"reason\":\"r\"}"), 1, "\"rename\" is [name in Couch, name in SQL]"},
    {RULE("{\"rename\":@[\"a\",1],\"reason\":\"r\"}"), 1, "\"rename\" is [name in Couch, name in SQL]"},
    {RULE("{\"rename\":@[\"a\",\"a\"],\"reason\":\"r\"}"), 1, "both names are equal"},
    {RULE("{\"rename\":[\"a\",\"b\"],@\"path\":\"a\",\"reason\":\"r\"}"), 1, "unknown key \"path\""},
    {RULE("{\"compare\":@\"sets\",\"field\":\"a\",\"reason\":\"r\"}"), 1, "unknown comparison"},
    {RULE("@{\"compare\":\"id_set\",\"reason\":\"r\"}"), 1, "\"field\" is missing"},
    {RULE("@{\"compare\":\"attachments\",\"field\":\"a\",\"reason\":\"r\"}"), 1, "\"with\" is missing"},
    {RULE("{\"compare\":\"attachments\",\"field\":\"a\",\"with\":@\"P\",\"reason\":\"r\"}"), 1,
     "no part is called \"P\""},
    {RULE("{\"compare\":\"indices\",\"field\":\"a\",@\"with\":\"A\",\"reason\":\"r\"}"), 1, "only \"attachments\""},
    /* patch */
    {HEAD KINDS "\"patch\":@[],\"rules\":[]}", 1, "\"patch\" must be object"},
    {HEAD KINDS "\"patch\":@{\"static\":[],\"known\":[]},\"rules\":[]}", 1, "\"unpatchable\" is missing"},
    {HEAD KINDS "\"patch\":{\"documents\":@1},\"rules\":[]}", 1, "\"documents\" must be boolean"},
    {HEAD KINDS "\"patch\":@{\"static\":[],\"known\":[],\"documents\":true},\"rules\":[]}", 1,
     "\"unpatchable\" is missing"},
    {HEAD KINDS "\"patch\":{\"static\":[@1],\"known\":[],\"unpatchable\":[]},\"rules\":[]}", 1,
     "\"static\" must hold texts"},
    {HEAD KINDS "\"patch\":{\"static\":[],\"known\":[],\"unpatchable\":[],@\"x\":1},\"rules\":[]}", 1,
     "unknown key \"x\""},
    /* positions: characters count once, duplicate and escaped keys are found */
    {HEAD KINDS "\"rules\":[{\"for\":\"A\",\"rules\":[{\"reason\":\"\xc3\xa9\xe2\x82\xac\",@\"b\":1}]}]}", 1,
     "unknown key \"b\""},
    {HEAD KINDS "\"rules\":[{\"f\\u006fr\":\"A\",\"rules\":[{\"reason\":\"r\",@\"\\u0062\":{\"x\":[]}}]}]}", 1,
     "unknown key \"b\""},
    {RULE("{\"reason\":\"r\",\"b\":1,@\"b\":2}"), 1, "unknown key \"b\""},
    /* suspicious */
    {RULE("@{\"reason\":\"r\"}"), 0, "drops every difference"},
    {RULE("@{\"path\":\"...\",\"reason\":\"r\"}"), 0, "drops every difference"},
    {RULE("@{\"type\":\"type\",\"path\":\"a\",\"absent\":\"old\",\"reason\":\"r\"}"), 0,
     "can never match: a side that is absent"},
    {RULE("@{\"type\":\"complex\",\"path\":\"a\",\"absent\":\"old\",\"new\":null,\"reason\":\"r\"}"), 0,
     "can never match"},
    {RULE("@{\"type\":\"missing\",\"path\":\"a\",\"old\":1,\"new\":2,\"reason\":\"r\"}"), 0, "value on one side only"},
    {RULE("@{\"type\":\"type\",\"path\":\"a\",\"old\":true,\"new\":false,\"reason\":\"r\"}"), 0, "of the same type"},
    {RULE("@{\"type\":\"diff\",\"path\":\"a\",\"old\":\"1\",\"new\":1,\"reason\":\"r\"}"), 0, "values of two types"},
    {RULE("@{\"type\":\"diff\",\"path\":\"a\",\"old\":null,\"reason\":\"r\"}"), 0,
     "between texts, numbers or booleans"},
    {RULE("@{\"type\":\"diff\",\"path\":\"a\",\"new\":[],\"reason\":\"r\"}"), 0, "between texts, numbers or booleans"},
    {RULE("@{\"path\":\"a\",\"old\":1,\"new\":1.0,\"reason\":\"r\"}"), 0, "both values are equal"},
    {RULE("@{\"type\":\"missing\",\"if\":\"both_datetimes\",\"reason\":\"r\"}"), 0, "two date-times are texts"},
    {RULE("@{\"path\":\"a\",\"absent\":\"new\",\"if\":\"both_datetimes\",\"reason\":\"r\"}"), 0,
     "two date-times are texts"},
    {RULE("@{\"path\":\"a\",\"old\":1,\"if\":\"both_datetimes\",\"reason\":\"r\"}"), 0, "two date-times are texts"},
    {RULE("{\"path\":\"a\",\"reason\":\"r\"},@{\"path\":\"a\",\"old\":1,\"reason\":\"r\"}"), 0,
     "never asked: what it could take is taken before by \"A: a\" (line 5)"},
    {RULE("{\"path\":\"a\",\"reason\":\"r\"},@{\"path\":\"a\",\"reason\":\"r\"}"), 0, "never asked"},
    {RULE("{\"path\":[\"*\",\"x\"],\"reason\":\"r\"},{\"path\":[\"...\",\"x\"],\"reason\":\"r\"},"
	  "@{\"path\":[\"*\",\"x\"],\"reason\":\"r\"}"),
     0, "never asked"},
    {RULE("{\"path\":[\"...\",\"x\"],\"reason\":\"r\"},@{\"path\":[\"...\",\"a\",\"x\"],\"reason\":\"r\"}"), 0,
     "never asked"},
    {RULE("{\"path\":[\"a\",\"...\"],\"reason\":\"r\"},@{\"path\":[\"a\"],\"type\":\"diff\",\"reason\":\"r\"}"), 0,
     "never asked"},
    {RULE("{\"path\":[\"a\",\"*\"],\"reason\":\"r\"},@{\"path\":[\"a\",\"[*]\"],\"reason\":\"r\"}"), 0, "never asked"},
    {RULE("{\"rename\":[\"a\",\"b\"],\"reason\":\"r\"},@{\"rename\":[\"a\",\"b\"],\"reason\":\"r\"}"), 0,
     "never asked"},
    {RULE("{\"compare\":\"id_set\",\"field\":\"a\",\"reason\":\"r\"},@{\"compare\":\"id_set\",\"field\":\"a\","
	  "\"reason\":\"r\"}"),
     0, "never asked"},
    {RULE(
	 "{\"rename\":[\"x\",\"y\"],\"reason\":\"r\"},@{\"type\":\"complex\",\"path\":[\"a\",\"b\"],\"reason\":\"r\"}"),
     0, "comes from a rename"},
    {RULE("@{\"type\":\"set_mismatch\",\"path\":[\"a\",\"[*]\"],\"reason\":\"r\"}"), 0,
     "comes from comparing an id_set"},
    {HEAD "\"kinds\":[{\"name\":\"A\",\"class\":\"event\",\"compared\":false}],\"rules\":[{\"for\":\"A\",\"rules\":[@{"
	  "\"path\":\"a\",\"reason\":\"r\"}]}]}",
     0, "documents of this kind are not compared"},
    /* shadows from other groups */
    {HEAD KINDS "\"rules\":[{\"for\":\"G\",\"rules\":[@{\"path\":\"a\",\"reason\":\"r\"}]},"
		"{\"for\":\"A\",\"rules\":[{\"path\":\"a\",\"reason\":\"r\"}]}]}",
     0, "taken before by \"A: a\""},
    {RULES(BLOCK("A", "{\"path\":\"a\",\"reason\":\"r\"}") "," BLOCK(
	 "B", "{\"path\":[\"a\",\"...\"],\"reason\":\"r\"}") "," BLOCK("G", "@{\"type\":\"diff\",\"path\":\"a\","
									    "\"reason\":\"r\"}")),
     0, "taken before by \"A: a\" (line 5), \"B: a/...\" (line 7)"},
    {RULES(BLOCK("G", "{\"path\":\"c\",\"reason\":\"r\"},\n @{\"path\":\"a\",\"old\":1,\"reason\":\"r\"}") "," BLOCK(
	 "B", "{\"path\":\"a\",\"reason\":\"r\"}") "," BLOCK("A", "{\"path\":\"a\",\"reason\":\"r\"}")),
     0, "taken before by \"A: a\" (line 10), \"B: a\" (line 8)"},
    {RULES(BLOCK("*", "{\"path\":\"a\",\"reason\":\"r\"}") "," BLOCK("G",
								     "@{\"path\":\"a\",\"old\":1,\"reason\":\"r\"}")),
     0, "taken before by \"*: a\""},
    {RULES(BLOCK("*", "{\"reason\":\"r\",\"type\":\"diff\"}") "," BLOCK(
	 "G", "{\"path\":\"c\",\"reason\":\"r\"},@{\"type\":\"diff\",\"if\":\"both_datetimes\",\"reason\":\"r\"}")),
     0, "taken before by \"*: diff any path\""},
    {RULES(BLOCK("*", "{\"path\":[\"*\",\"x\"],\"reason\":\"r\"}") "," BLOCK(
	 "A", "{\"path\":\"c\",\"reason\":\"r\"}") "," BLOCK("G*", "@{\"path\":[\"*\",\"x\"],\"reason\":\"r\"}")),
     0, "taken before by \"*: */x\""},
    {RULES(BLOCK("A", "{\"rename\":[\"a\",\"b\"],\"reason\":\"r\"}") "," BLOCK(
	 "B", "{\"rename\":[\"a\",\"b\"],\"reason\":\"r\"}") "," BLOCK("G",
								       "@{\"rename\":[\"a\",\"b\"],\"reason\":\"r\"}")),
     0, "taken before by \"A: a renamed b\""},
    {RULES(BLOCK("*", "{\"path\":[\"a\",\"...\"],\"reason\":\"r\"}") "," BLOCK(
	 "G", "@{\"compare\":\"id_set\",\"field\":\"a\",\"reason\":\"r\"}")),
     0, "taken before by \"*: a/...\""},
    {HEAD
     "\"other_kinds\":\"compared\",\"kinds\":[],\"rules\":[" BLOCK("X*", "{\"path\":\"a\",\"reason\":\"r\"}") "," BLOCK(
	 "XY*", "@{\"path\":\"a\",\"old\":1,\"reason\":\"r\"}") "]}",
     0, "taken before by \"X*: a\""},
    {HEAD
     "\"other_kinds\":\"compared\",\"kinds\":[],\"rules\":[" BLOCK("X*", "{\"path\":\"a\",\"reason\":\"r\"}") "," BLOCK(
	 "XY", "{\"path\":\"c\",\"reason\":\"r\"},{\"type\":\"diff\","
	       "\"reason\":\"r\"}") "," BLOCK("*", "{\"path\":\"a\",\"old\":1,"
						   "\"reason\":\"r\"}") "]}",
     -1, NULL},
    {RULES(BLOCK("A", "{\"path\":\"a\",\"reason\":\"r\"}") "," BLOCK("G", "{\"path\":\"a\",\"reason\":\"r\"}")), -1,
     NULL},
    {RULES(BLOCK("G", "{\"path\":\"a\",\"reason\":\"r\"}") "," BLOCK("*", "{\"path\":\"a\",\"reason\":\"r\"}")), -1,
     NULL},
    {RULES(BLOCK("*", "{\"type\":\"diff\",\"reason\":\"r\"}") "," BLOCK(
	 "G", "{\"path\":\"a\",\"type\":\"diff\",\"reason\":\"r\"},{\"compare\":\"id_set\",\"field\":\"b\",\"reason\":"
	      "\"r\"}")),
     -1, NULL},
    {RULES(BLOCK("*", "{\"path\":[\"a\",\"...\"],\"reason\":\"r\"},{\"path\":\"b\",\"reason\":\"r\"}") "," BLOCK(
	 "G",
	 "{\"rename\":[\"a\",\"b\"],\"reason\":\"r\"},{\"compare\":\"indices\",\"field\":\"a\",\"reason\":\"r\"}")),
     -1, NULL},
    /* nothing wrong */
    {RULE("{\"rename\":[\"a\",\"b\"],\"reason\":\"r\"},{\"type\":\"complex\",\"path\":[\"a\",\"b\"],\"reason\":\"r\"}"),
     -1, NULL},
    {RULE("{\"compare\":\"id_set\",\"field\":\"a\",\"reason\":\"r\"},{\"type\":\"set_mismatch\",\"path\":[\"a\",\"[*]"
	  "\"],\"reason\":\"r\"}"),
     -1, NULL},
    {RULE("{\"path\":\"a\",\"old\":1,\"reason\":\"r\"},{\"path\":\"a\",\"reason\":\"r\"}"), -1, NULL},
    {RULE("{\"path\":[\"a\",\"...\"],\"reason\":\"r\"},{\"path\":[\"...\",\"a\"],\"reason\":\"r\"}"), -1, NULL},
    {RULE("{\"path\":[\"a\",\"...\",\"b\"],\"reason\":\"r\"},{\"path\":[\"a\",\"...\"],\"type\":\"diff\",\"reason\":"
	  "\"r\"}"),
     -1, NULL},
    {RULE("{\"path\":[\"a\",\"...\",\"a\"],\"reason\":\"r\"},{\"path\":[\"a\"],\"reason\":\"r\"}"), -1, NULL},
    {RULE("{\"path\":\"a\",\"if\":\"no_create_action\",\"reason\":\"r\"},{\"path\":\"a\",\"reason\":\"r\"}"), -1, NULL},
    {RULE("{\"type\":\"missing\",\"reason\":\"r\"},{\"path\":\"a\",\"type\":\"missing\",\"reason\":\"r\"}"), -1, NULL},
    {RULE("{\"path\":[],\"reason\":\"r\"},{\"path\":[{\"key\":\"...\"}],\"reason\":\"r\"}"), -1, NULL},
    {HEAD "\"other_kinds\":\"compared\",\"kinds\":[],\"rules\":[{\"for\":\"B\",\"rules\":[]}]}", -1, NULL},
};

/* The text without its mark; line and column of the mark, both 0 when there is none. */
static struct slice unmarked(const char *text, uint32_t *line, uint32_t *column, struct arena *a)
{
	const char *mark = strchr(text, '@');

	*line = *column = 0;
	if (!mark)
		return slice_of(text);
	*line = *column = 1;
	for (const char *at = text; at < mark; at++) {
		if (*at == '\n')
			*column = 0, ++*line;
		if (((unsigned char)*at & 0xC0) != 0x80)
			++*column;
	}
	return arena_printf(a, "%.*s%s", (int)(mark - text), text, mark + 1);
}

static int is_found(const struct profile_findings *findings, const struct finding_case *c, uint32_t line,
		    uint32_t column)
{
	for (size_t i = 0; i < findings->n; i++) {
		const struct profile_finding *f = &findings->v[i];

		if (f->line == line && f->column == column && f->error == c->error &&
		    strstr(f->message.ptr, c->message))
			return 1;
	}
	return 0;
}

static void test_profile_check__finds_what_is_wrong_and_where(void **state)
{
	struct arena a = ARENA_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(finding_cases) / sizeof(*finding_cases); i++) {
		const struct finding_case *c = &finding_cases[i];
		uint32_t line, column;
		struct slice text = unmarked(c->text, &line, &column, &a);
		struct profile_findings findings = check(text, &a);

		if (!c->message && findings.n)
			fail_msg("%s: %u:%u: %.*s", c->text, findings.v[0].line, findings.v[0].column,
				 SLICE_ARG(findings.v[0].message));
		if (c->message && !is_found(&findings, c, line, column))
			fail_msg("%s: not found among %zu; first is %u:%u: %s", c->text, findings.n,
				 findings.n ? findings.v[0].line : 0, findings.n ? findings.v[0].column : 0,
				 findings.n ? findings.v[0].message.ptr : "none");
	}
	arena_release(&a);
}

static void test_profile_parse__refuses_errors_and_takes_what_is_only_suspicious(void **state)
{
	struct arena a = ARENA_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(finding_cases) / sizeof(*finding_cases); i++) {
		const struct finding_case *c = &finding_cases[i];
		uint32_t line, column;
		struct slice text = unmarked(c->text, &line, &column, &a);
		struct profile p;
		struct err err = ERR_INIT;
		int rc = profile_parse(text, "my.json", &a, &p, &err);

		if (rc != (c->error == 1 ? ERR_USAGE : 0))
			fail_msg("%s: %d %s", c->text, rc, err.msg);
		if (rc) {
			assert_true(strncmp(err.msg, "my.json:", 8) == 0);
			assert_non_null(strstr(err.hint, "settle profile check my.json"));
		}
	}
	arena_release(&a);
}

static void test_profile_check__tells_everything_in_file_order(void **state)
{
	struct arena a = ARENA_INIT;
	struct profile_findings f = check(slice_of("{\"x\":1,\n\"kinds\":1,\"y\":1,\n\"rules\":2}"), &a);

	(void)state;
	assert_int_equal(f.n, 7);
	for (size_t i = 1; i < f.n; i++)
		assert_true(f.v[i - 1].line < f.v[i].line ||
			    (f.v[i - 1].line == f.v[i].line && f.v[i - 1].column <= f.v[i].column));
	arena_release(&a);
}

static void test_profile_check__text_that_is_no_json_is_an_error_with_a_place(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
	    {"{\n \"name\": oops}", "profile:2:"},
	    {"", "profile:1:1: "},
	    {"{\"a\":\"\xff\"}", "profile:1:7: not UTF-8"},
	    {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "nested deeper than 32"},
	};
	struct arena a = ARENA_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct profile_findings findings = {0};
		struct err err = ERR_INIT;

		assert_int_equal(profile_check(slice_of(cases[i].text), &a, &findings, &err), ERR_USAGE);
		if (!strstr(err.msg, cases[i].message))
			fail_msg("%s: %s", cases[i].text, err.msg);
		assert_int_equal(profile_check(slice_of(cases[i].text), &a, &findings, NULL), ERR_USAGE);
	}
	arena_release(&a);
}

static void test_profile_check__many_findings_and_many_rules_have_an_end(void **state)
{
	struct arena a = ARENA_INIT;
	struct json rules = json_array(), block = json_object(), blocks = json_array(), p, rule;
	struct profile_findings findings;

	(void)state;
	assert_int_equal(json_read(slice_of(small), &a, 0, &p, NULL, NULL), 0);
	assert_int_equal(json_read(SLICE("{\"path\":\"a\",\"reason\":\"r\"}"), &a, 0, &rule, NULL, NULL), 0);
	for (int i = 0; i < 5000; i++)
		json_push(&a, &rules, i < 300 ? json_null : rule);
	json_sets(&a, &block, "for", json_str("A"));
	json_sets(&a, &block, "rules", rules);
	json_push(&a, &blocks, block);
	json_sets(&a, &p, "rules", blocks);
	json_sets(&a, &p, "other_kinds", json_str("compared"));
	findings = check(json_to_text(&p, JSON_PLAIN, &a), &a);
	assert_int_equal(findings.n, 100);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_profile__nothing_is_wrong_with_the_built_in_ones),
	    cmocka_unit_test(test_profile__built_in_text_is_the_file_byte_for_byte),
	    cmocka_unit_test(test_profile__commcare_lists_its_kinds_in_order),
	    cmocka_unit_test(test_profile__documents_knows_no_domain_and_any_type),
	    cmocka_unit_test(test_profile__rules_have_names_of_their_own_and_reasons),
	    cmocka_unit_test(test_profile__digest_is_of_the_content_not_of_the_writing),
	    cmocka_unit_test(test_profile_load__reads_a_file),
	    cmocka_unit_test(test_profile_load__a_file_that_is_too_large_is_refused),
	    cmocka_unit_test(test_profile_load__what_cannot_be_found_is_named),
	    cmocka_unit_test(test_profile_check__finds_what_is_wrong_and_where),
	    cmocka_unit_test(test_profile_parse__refuses_errors_and_takes_what_is_only_suspicious),
	    cmocka_unit_test(test_profile_check__tells_everything_in_file_order),
	    cmocka_unit_test(test_profile_check__text_that_is_no_json_is_an_error_with_a_place),
	    cmocka_unit_test(test_profile_check__many_findings_and_many_rules_have_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
