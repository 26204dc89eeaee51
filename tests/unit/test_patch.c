/* Plans, forms, XML and the way back. Properties over random values print their seed. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "patch/patch.h"
#include "profile/profile.h"
#include "replay/replay.h"
#include "tests/unit/random_json.h"

struct fixture {
	struct arena a;
	struct profile commcare;
};

static struct json read_json(const char *text, struct arena *a)
{
	struct err err = ERR_INIT;
	struct json v;
	if (json_read(slice_of(text), a, 0, &v, NULL, &err))
		fail_msg("%s: %s", text, err.msg);
	return v;
}

static struct diff_list read_diffs(const char *text, struct arena *a)
{
	struct err err = ERR_INIT;
	struct json *v = ARENA_NEW(a, struct json);
	struct diff_list out = {0};
	*v = read_json(text, a);
	if (diff_list_from_json(v, a, &out, &err))
		fail_msg("%s: %s", text, err.msg);
	return out;
}

static struct patch_plan plan_of(struct fixture *f, const char *couch, const char *diffs)
{
	struct json *doc = ARENA_NEW(&f->a, struct json);
	struct diff_list list = read_diffs(diffs, &f->a);
	struct patch_plan plan;
	*doc = read_json(couch, &f->a);
	patch_plan(&f->commcare.patch, doc, &list, &f->a, &plan);
	return plan;
}

static const struct patch_stamp stamp = {
    .form_id = {"0123456789abcdef0123456789abcdef", 32},
    .received_on = {"2026-01-02T03:04:05.000006Z", 27},
};

static struct slice xml_of(const struct json *body, struct arena *a)
{
	struct buf out = BUF_INIT(64u << 20);
	struct err err = ERR_INIT;
	struct slice xml;
	if (patch_xml_write(body, &out, &err))
		fail_msg("%s", err.msg);
	xml = arena_slice(a, buf_slice(&out));
	buf_release(&out);
	return xml;
}

static struct json read_xml(struct slice xml, struct arena *a)
{
	struct err err = ERR_INIT;
	struct json body;
	if (patch_xml_read(xml, a, &body, &err))
		fail_msg("%s in %.*s", err.msg, SLICE_ARG(xml));
	return body;
}

static void assert_json(const struct json *got, const char *wanted, struct arena *a)
{
	struct json v = read_json(wanted, a);
	assert_string_equal(json_to_text(got, JSON_CANONICAL, a).ptr, json_to_text(&v, JSON_CANONICAL, a).ptr);
}

#define CASE                                                                                       \
	"{\"_id\":\"c\",\"type\":\"patient\",\"name\":\"N\",\"owner_id\":\"o\",\"user_id\":\"u\"," \
	"\"modified_on\":\"2015-01-01T00:00:00Z\",\"closed\":false"

/* ---- plan ---- */

static void test_plan__refusals_name_the_path(void **state)
{
	static const struct {
		const char *diffs, *why;
	} t[] = {
	    {"[{\"type\":\"diff\",\"path\":[\"domain\"],\"old\":\"x\",\"new\":\"y\"}]", "[\"domain\"]: no form"},
	    {"[{\"type\":\"missing\",\"path\":[\"actions\",0],\"new\":1}]", "[\"actions\",0]: no form"},
	    {"[{\"type\":\"missing\",\"path\":[\"*\"],\"new\":\"present\"}]", "[\"*\"]: no form"},
	    {"[{\"type\":\"missing\",\"path\":[\"*\"],\"old\":\"*\"},{\"type\":\"missing\",\"path\":[\"a\"],\"old\":"
	     "\"1\"}]",
	     "[\"*\"]: no form"},
	    {"[{\"type\":\"type\",\"path\":[\"age\"],\"old\":27,\"new\":\"27\"}]",
	     "[\"age\"]: the property is not text"},
	    {"[{\"type\":\"diff\",\"path\":[\"p\",\"q\"],\"old\":\"1\",\"new\":\"2\"}]", "[\"p\",\"q\"]: a part of"},
	    {"[{\"type\":\"diff\",\"path\":[\"update\"],\"old\":\"1\",\"new\":\"2\"}]",
	     "[\"update\"]: a form cannot set a property"},
	    {"[{\"type\":\"diff\",\"path\":[\"date_opened\"],\"old\":\"1\",\"new\":\"2\"}]",
	     "[\"date_opened\"]: a form cannot set a property"},
	    {"[{\"type\":\"diff\",\"path\":[\"indices\",0,\"referenced_id\"],\"old\":\"1\",\"new\":\"2\"}]",
	     "[\"indices\",0,\"referenced_id\"]: only a whole index"},
	    {"[{\"type\":\"diff\",\"path\":[\"indices\",0],\"old\":{\"identifier\":\"a\"},\"new\":{\"identifier\":"
	     "\"b\"}}]",
	     "[\"indices\",0]: only a whole index"},
	    {"[{\"type\":\"missing\",\"path\":[\"indices\",0],\"old\":{\"identifier\":\"@a\"}}]",
	     "[\"indices\",0]: a form cannot name"},
	    {"[]", "nothing to patch"},
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct patch_plan plan = plan_of(f, CASE "}", t[i].diffs);
		if (!plan.refused.ptr || !slice_starts(plan.refused, slice_of(t[i].why)))
			fail_msg("%s: refused: %.*s", t[i].diffs, SLICE_ARG(plan.refused));
	}
}

static void test_plan__no_couch_case_is_refused(void **state)
{
	struct fixture *f = *state;
	struct diff_list diffs = read_diffs("[{\"type\":\"missing\",\"path\":[\"*\"],\"new\":\"present\"}]", &f->a);
	struct patch_plan plan;
	patch_plan(&f->commcare.patch, NULL, &diffs, &f->a, &plan);
	assert_true(slice_is(plan.refused, "there is no Couch case"));
}

static void test_plan__lost_case_is_written_whole(void **state)
{
	struct fixture *f = *state;
	struct patch_plan plan = plan_of(
	    f,
	    CASE ",\"closed\":true,\"p\":\"1\",\"@x\":\"2\",\"version\":\"2.0\",\"none\":null,\"location_id\":\"l\","
		 "\"indices\":[{\"identifier\":\"i\",\"referenced_type\":\"t\",\"referenced_id\":\"r\"}]}",
	    "[{\"type\":\"missing\",\"path\":[\"*\"],\"old\":\"*\",\"reason\":\"orphaned case\"}]");
	assert_null(plan.refused.ptr);
	assert_int_equal(plan.actions, PATCH_CREATE | PATCH_UPDATE | PATCH_CLOSE);
	assert_json(&plan.properties, "{\"p\":\"1\"}", &f->a);
	assert_json(&plan.indices,
		    "{\"i\":{\"referenced_type\":\"t\",\"referenced_id\":\"r\",\"relationship\":\"child\"}}", &f->a);
	plan = plan_of(f, CASE ",\"p\":{\"q\":1}}", "[{\"type\":\"missing\",\"path\":[\"*\"],\"old\":\"*\"}]");
	assert_non_null(plan.refused.ptr);
}

/* BEHAVIOUR 9.3: only the first name of a path is looked at. */
static void test_plan__a_renamed_field_or_a_location_asks_for_no_update(void **state)
{
	struct fixture *f = *state;
	struct patch_plan plan = plan_of(
	    f, CASE "}", "[{\"type\":\"complex\",\"path\":[\"@user_id\",\"user_id\"],\"old\":\"v\",\"new\":\"u\"}]");
	assert_null(plan.refused.ptr);
	assert_int_equal(plan.actions, 0);
	plan = plan_of(f, CASE "}", "[{\"type\":\"diff\",\"path\":[\"location_id\"],\"old\":\"v\",\"new\":\"u\"}]");
	assert_null(plan.refused.ptr);
	assert_int_equal(plan.actions, 0);
	assert_json(
	    &plan.block,
	    "{\"case_id\":\"c\",\"diffs\":[{\"path\":[\"location_id\"],\"patch\":true,\"old\":\"v\",\"new\":\"u\"}]}",
	    &f->a);
}

/* An empty case_name changes nothing, an update of `name` does. */
static void test_form__an_empty_name_is_written(void **state)
{
	struct fixture *f = *state;
	struct patch_plan plan = plan_of(f, "{\"_id\":\"c\",\"name\":null}",
					 "[{\"type\":\"type\",\"path\":[\"name\"],\"old\":null,\"new\":\"N\"}]");
	struct json body = patch_form_body(&plan, &stamp, &f->a);
	assert_json(json_gets(json_gets(&body, "case"), "update"), "{\"name\":\"\"}", &f->a);
}

static void test_plan__an_index_put_and_removed_is_put(void **state)
{
	struct fixture *f = *state;
	struct patch_plan plan = plan_of(
	    f, CASE "}",
	    "[{\"type\":\"missing\",\"path\":[\"indices\",0],\"old\":{\"identifier\":\"i\",\"referenced_type\":\"t\","
	    "\"referenced_id\":\"r\",\"relationship\":\"extension\"}},"
	    "{\"type\":\"missing\",\"path\":[\"indices\",\"[*]\"],\"new\":{\"identifier\":\"i\"}}]");
	assert_json(&plan.indices,
		    "{\"i\":{\"referenced_type\":\"t\",\"referenced_id\":\"r\",\"relationship\":\"extension\"}}",
		    &f->a);
}

static void test_block__is_sorted_by_path_with_numbers_as_numbers(void **state)
{
	struct fixture *f = *state;
	struct patch_plan plan =
	    plan_of(f, CASE "}",
		    "[{\"type\":\"missing\",\"path\":[\"indices\",10],\"new\":{\"identifier\":\"j\"}},"
		    "{\"type\":\"missing\",\"path\":[\"indices\",9],\"new\":{\"identifier\":\"i\"}},"
		    "{\"type\":\"diff\",\"path\":[\"a\"],\"old\":\"1\",\"new\":null,\"reason\":\"why\"}]");
	assert_json(
	    &plan.block,
	    "{\"case_id\":\"c\",\"diffs\":[{\"path\":[\"a\"],\"patch\":true,\"old\":\"1\",\"new\":null,\"reason\":"
	    "\"why\"},{\"path\":[\"indices\",9],\"patch\":true,\"new\":{\"identifier\":\"i\"}},"
	    "{\"path\":[\"indices\",10],\"patch\":true,\"new\":{\"identifier\":\"j\"}}]}",
	    &f->a);
}

/* ---- already patched ---- */

#define MISMATCH(couch, sql) \
	"{\"type\":\"set_mismatch\",\"path\":[\"xform_ids\",\"[*]\"],\"old\":\"" couch "\",\"new\":\"" sql "\"}"
#define CLOSED_ON(old_value, new_value) \
	"{\"type\":\"type\",\"path\":[\"closed_on\"],\"old\":" old_value ",\"new\":" new_value "}"

static void test_patched__what_is_left_must_be_recorded(void **state)
{
	static const char block_text[] =
	    "{\"case_id\":\"c\",\"diffs\":[{\"path\":[\"closed_on\"],\"patch\":false,\"old\":\"x\",\"new\":null},"
	    "{\"path\":[\"colour\"],\"patch\":true,\"new\":\"red\"}]}";
	static const struct {
		const char *diffs;
		int patched;
	} t[] = {
	    {"[" MISMATCH("", "f1,f2") "]", 1},
	    {"[" MISMATCH("", "f12") "]", 0},
	    {"[" MISMATCH("", "f2") "]", 0},
	    {"[" MISMATCH("g", "f1") "]", 0},
	    {"[]", 0},
	    {"[" MISMATCH("", "f1") "," CLOSED_ON("\"x\"", "\"anything\"") "]", 1},
	    {"[" MISMATCH("", "f1") "," CLOSED_ON("\"y\"", "null") "]", 0},
	    {"[" MISMATCH("", "f1") ",{\"type\":\"missing\",\"path\":[\"colour\"],\"new\":\"\"}]", 1},
	    {"[" MISMATCH("", "f1") ",{\"type\":\"missing\",\"path\":[\"colour\"],\"new\":\"red\"}]", 0},
	    {"[" MISMATCH("", "f1") ",{\"type\":\"missing\",\"path\":[\"other\"],\"new\":\"\"}]", 0},
	    {"[" MISMATCH("", "f1") ",{\"type\":\"diff\",\"path\":[\"name\"],\"old\":\"a\",\"new\":\"b\"}]", 0},
	};
	struct fixture *f = *state;
	struct json block = read_json(block_text, &f->a);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct diff_list diffs = read_diffs(t[i].diffs, &f->a);
		if (patch_is_patched(&f->commcare.patch, &diffs, &block, SLICE("f1"), &f->a) != t[i].patched)
			fail_msg("%s", t[i].diffs);
	}
}

static void test_patched__form_ids_of_couch_may_be_recorded(void **state)
{
	struct fixture *f = *state;
	struct json block =
	    read_json("{\"diffs\":[{\"path\":[\"xform_ids\",\"[*]\"],\"patch\":false,\"old\":\"g\",\"new\":"
		      "\"\"}]}",
		      &f->a);
	struct diff_list diffs = read_diffs("[" MISMATCH("g", "f1") "]", &f->a);
	assert_true(patch_is_patched(&f->commcare.patch, &diffs, &block, SLICE("f1"), &f->a));
}

/* ---- XML ---- */

static void test_xml__hostile_values_come_back(void **state)
{
	static const struct slice values[] = {
	    {"", 0},
	    {"a]]>b", 5},
	    {"<&\"'>", 5},
	    {" \t two \n lines \n", 16},
	    {"\r", 1},
	    {"a\r\nb\rc", 6},
	    {"\0", 1},
	    {"a\0b", 3},
	    {"\x01\x1f\x7f", 3},
	    {"\xed\xa0\x80", 3},
	    {"\xed\xb0\x80x", 4},
	    {"\xef\xbf\xbe\xef\xbf\xbf", 6},
	    {"\\u0000 \\ \"", 10},
	    {"&#0;&amp;", 9},
	    {"\xf0\x9f\x98\x80\xc2\x85\xe2\x80\xa8", 9},
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct json body = json_object(), inner = json_object(), back;
		json_sets(&f->a, &body, "#type", json_str("system"));
		json_sets(&f->a, &inner, "@case_id", json_string(values[i]));
		json_sets(&f->a, &inner, "value", json_string(values[i]));
		json_set(&f->a, &inner, values[i].len ? values[i] : SLICE("1 2"), json_str("named"));
		json_sets(&f->a, &body, "case", inner);
		struct slice xml = xml_of(&body, &f->a);
		assert_null(memchr(xml.ptr, 0, xml.len));
		assert_null(memchr(xml.ptr, '\r', xml.len));
		back = read_xml(xml, &f->a);
		if (!json_eq(&back, &body))
			fail_msg("%.*s\n%.*s", SLICE_ARG(xml), SLICE_ARG(json_to_text(&back, JSON_PLAIN, &f->a)));
	}
}

static void test_xml__large_values_come_back(void **state)
{
	struct fixture *f = *state;
	size_t n = (size_t)12 << 20;
	char *text = arena_alloc(&f->a, n);
	struct json body = json_object(), back;
	memset(text, 'x', n);
	json_sets(&f->a, &body, "#type", json_str("system"));
	json_sets(&f->a, &body, "@long", json_string((struct slice){text, n}));
	json_sets(&f->a, &body, "long", json_string((struct slice){text, n}));
	back = read_xml(xml_of(&body, &f->a), &f->a);
	assert_true(json_eq(&body, &back));
}

static void test_xml__namespaces_lists_and_text_beside_attributes(void **state)
{
	struct fixture *f = *state;
	struct json body =
	    read_xml(SLICE("<?xml version='1.0'?><data xmlns='urn:f' xmlns:o='urn:o' version='3'>"
			   "<o:meta><o:userID>u</o:userID></o:meta>"
			   "<item>1</item><item a='b'>2</item><![CDATA[ ]]><empty/><x xmlns=''> </x></data>"),
		     &f->a);
	assert_json(
	    &body,
	    "{\"#type\":\"data\",\"@xmlns\":\"urn:f\",\"@version\":\"3\",\"meta\":{\"@xmlns\":\"urn:o\",\"userID\":"
	    "\"u\"},\"item\":[\"1\",{\"@a\":\"b\",\"#text\":\"2\"}],\"empty\":\"\",\"x\":{\"@xmlns\":\"\",\"#text\":"
	    "\" \"}}",
	    &f->a);
}

static void test_xml__what_is_no_form_is_an_error(void **state)
{
	static const char *const t[] = {
	    "",
	    "no xml",
	    "<a>",
	    "<a></b>",
	    "<a/><b/>",
	    "<a>\x01</a>",
	    "<a>\xff</a>",
	    "<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a>&e;</a>",
	    "<!DOCTYPE a SYSTEM 'http://127.0.0.1:1/x.dtd'><a/>",
	    "<a>&e;</a>",
	    "<a xmlns:j='urn:settle:json-text'><b j:text='json'>\\x</b></a>",
	    "<a xmlns:j='urn:settle:json-text'><j:e j:name='\\'>1</j:e></a>",
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct err err = ERR_INIT;
		struct json body;
		if (patch_xml_read(slice_of(t[i]), &f->a, &body, &err) != ERR_SYNTAX)
			fail_msg("%s: %s", t[i], err.msg);
	}
}

static void test_xml__deep_nesting_is_a_limit(void **state)
{
	struct fixture *f = *state;
	struct buf xml = BUF_INIT(1u << 20);
	struct err err = ERR_INIT;
	struct json body;
	for (int i = 0; i < 5000; i++)
		buf_str(&xml, "<a>");
	for (int i = 0; i < 5000; i++)
		buf_str(&xml, "</a>");
	assert_int_equal(patch_xml_read(buf_slice(&xml), &f->a, &body, &err), ERR_LIMIT);
	buf_release(&xml);
}

static void test_xml__a_cap_is_kept(void **state)
{
	struct fixture *f = *state;
	struct buf out = BUF_INIT(100);
	struct err err = ERR_INIT;
	struct json body = json_object();
	json_sets(&f->a, &body, "#type", json_str("system"));
	json_sets(&f->a, &body, "long", json_string((struct slice){arena_zalloc(&f->a, 1, 200), 200}));
	assert_int_equal(patch_xml_write(&body, &out, &err), ERR_LIMIT);
	buf_release(&out);
	out = (struct buf)BUF_INIT(1000);
	json_sets(&f->a, &body, "long", json_true);
	assert_int_equal(patch_xml_write(&body, &out, &err), ERR_SYNTAX);
	buf_release(&out);
}

static void test_form__replays_to_the_couch_case(void **state)
{
	struct fixture *f = *state;
	struct patch_plan plan = plan_of(
	    f,
	    "{\"_id\":\"c\\u0001\",\"type\":\"t\",\"name\":\"\",\"owner_id\":\"o\",\"user_id\":\"u\",\"closed\":true,"
	    "\"modified_on\":\"2015-01-01T00:00:00Z\",\"opened_on\":\"2014-01-01T00:00:00Z\"}",
	    "[{\"type\":\"diff\",\"path\":[\"a\"],\"old\":\"x\\u0000\\ud800\\uffff\\r\",\"new\":\"y\"},"
	    "{\"type\":\"missing\",\"path\":[\"with blank\"],\"old\":\"]]>\"},"
	    "{\"type\":\"diff\",\"path\":[\"name\"],\"old\":\"\",\"new\":\"N\"},"
	    "{\"type\":\"diff\",\"path\":[\"closed\"],\"old\":true,\"new\":false},"
	    "{\"type\":\"missing\",\"path\":[\"indices\",0],\"old\":{\"identifier\":\"i/1\",\"referenced_type\":\"h\","
	    "\"referenced_id\":\"h-1\",\"relationship\":\"extension\"}}]");
	struct json body = patch_form_body(&plan, &stamp, &f->a), back = read_xml(xml_of(&body, &f->a), &f->a), block;
	struct replay_form form = {.form_id = stamp.form_id, .received_on = stamp.received_on, .body = &back};
	struct replay_txn_list txns = {0};
	struct replay_case folded;
	struct err err = ERR_INIT;
	assert_true(json_eq(&body, &back));
	assert_int_equal(patch_block_of(&back, &f->a, &block, &err), 0);
	assert_true(json_eq(&block, &plan.block));
	assert_int_equal(replay_form_blocks(&form, &f->a, &txns, &err), 0);
	assert_int_equal(txns.n, 1);
	assert_int_equal(txns.v[0].kind, REPLAY_PATCH);
	replay_fold(&replay_dialect_sql, txns.v, txns.n, &f->a, &folded);
	assert_true(slice_eq(folded.case_id, (struct slice){"c\x01", 2}));
	assert_true(
	    slice_eq(json_get_text(&folded.properties, "a"), (struct slice){"x\0\xed\xa0\x80\xef\xbf\xbf\r", 9}));
	assert_true(slice_is(json_get_text(&folded.properties, "with blank"), "]]>"));
	assert_true(folded.name.ptr && folded.name.len == 0);
	assert_true(slice_is(folded.opened_on, "2014-01-01T00:00:00.000000Z"));
	assert_true(slice_is(folded.modified_on, "2015-01-01T00:00:00.000000Z"));
	assert_int_equal(folded.closed, 1);
	assert_json(&folded.indices,
		    "[{\"identifier\":\"i/1\",\"referenced_type\":\"h\",\"referenced_id\":\"h-1\",\"relationship\":"
		    "\"extension\"}]",
		    &f->a);
}

static void test_form__without_actions_only_records(void **state)
{
	struct fixture *f = *state;
	struct patch_plan plan =
	    plan_of(f, CASE "}", "[{\"type\":\"diff\",\"path\":[\"opened_by\"],\"old\":\"a\",\"new\":\"b\"}]");
	struct json body = patch_form_body(&plan, &stamp, &f->a);
	struct replay_form form = {.form_id = stamp.form_id, .received_on = stamp.received_on, .body = &body};
	struct replay_txn_list txns = {0};
	struct err err = ERR_INIT;
	assert_int_equal(replay_form_blocks(&form, &f->a, &txns, &err), 0);
	assert_int_equal(txns.n, 1);
	assert_int_equal(txns.v[0].kind, REPLAY_PATCH);
	assert_int_equal(txns.v[0].actions.count, 1);
}

static void test_form__date_of_the_block(void **state)
{
	static const struct {
		const char *couch, *wanted;
	} t[] = {
	    {"{\"_id\":\"c\",\"modified_on\":\"2015-01-01T00:00:00Z\"}", "2015-01-01T00:00:00Z"},
	    {"{\"_id\":\"c\",\"@date_modified\":\"2015-01-02\"}", "2015-01-02"},
	    {"{\"_id\":\"c\",\"modified_on\":\"soon\"}", "2014-01-01"},
	    {"{\"_id\":\"c\"}", "2014-01-01"},
	};
	struct fixture *f = *state;
	struct patch_stamp s = stamp;
	s.modified_on = SLICE("2014-01-01");
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct patch_plan plan =
		    plan_of(f, t[i].couch, "[{\"type\":\"diff\",\"path\":[\"a\"],\"old\":\"x\",\"new\":\"y\"}]");
		struct json body = patch_form_body(&plan, &s, &f->a);
		assert_true(slice_is(json_get_text(json_gets(&body, "case"), "@date_modified"), t[i].wanted));
	}
}

static void test_block_of__a_form_without_or_with_a_broken_block(void **state)
{
	static const struct {
		const char *body;
		int code;
	} t[] = {{"{}", ERR_NOTFOUND}, {"{\"diff\":\"{\"}", ERR_SYNTAX}, {"{\"diff\":\"[]\"}", ERR_SYNTAX}};
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct json body = read_json(t[i].body, &f->a), block;
		struct err err = ERR_INIT;
		assert_int_equal(patch_block_of(&body, &f->a, &block, &err), t[i].code);
	}
}

/* ---- there and back ---- */

static struct json random_object(struct dice *d, struct arena *a)
{
	struct json v;
	do
		v = random_json(d, a, 4);
	while (v.type != JSON_OBJECT);
	return v;
}

/* Some members put, some removed, lists longer and shorter. */
static struct json changed_json(struct dice *d, struct arena *a, const struct json *v)
{
	struct json out = json_clone(a, v);
	if (v->type == JSON_OBJECT) {
		for (uint32_t i = 0; i < v->count; i++) {
			uint32_t what = dice_below(d, 6);
			if (what == 0)
				json_del(&out, v->members[i].key);
			else if (what == 1)
				json_set(a, &out, v->members[i].key, random_json(d, a, 2));
			else if (what == 2)
				json_set(a, &out, v->members[i].key, changed_json(d, a, &v->members[i].value));
		}
		json_set(a, &out, random_text(d, a), random_json(d, a, 2));
	} else if (v->type == JSON_ARRAY) {
		out = json_array();
		for (uint32_t i = 0; i < v->count; i++)
			if (dice_below(d, 5))
				json_push(a, &out, dice_below(d, 5) ? v->items[i] : random_json(d, a, 2));
		if (dice_below(d, 2))
			json_push(a, &out, random_json(d, a, 2));
	}
	return out;
}

static void test_reconstruct__gives_back_the_document_before(void **state)
{
	struct fixture *f = *state;
	struct dice d = dice_new();
	for (int i = 0; i < 400; i++) {
		struct arena a = ARENA_INIT;
		struct json before = random_object(&d, &a), after = changed_json(&d, &a, &before),
			    block = json_object();
		struct json body = json_object(), back, read;
		struct diff_list diffs = {0};
		struct patch_plan plan = {.block = json_object(), .couch = &after};
		struct err err = ERR_INIT;
		json_sets(&a, &plan.block, "diffs", json_array());
		diff_json(&after, &before, &a, &diffs);
		for (size_t k = 0; k < diffs.n; k++)
			if (dice_below(&d, 2))
				patch_plan_record(&f->commcare.patch, &diffs.v[k], &before, &a, &plan);
		block = plan.block;
		patch_block_set_before(&block, &before, &after, &a);
		json_sets(&a, &body, "#type", json_str("system"));
		json_sets(&a, &body, "diff", json_string(json_to_text(&block, JSON_PLAIN, &a)));
		body = read_xml(xml_of(&body, &a), &a);
		assert_int_equal(patch_block_of(&body, &a, &read, &err), 0);
		if (patch_reconstruct(&read, &after, &a, &back, &err))
			fail_msg("%s: %.*s", err.msg, SLICE_ARG(json_to_text(&block, JSON_PLAIN, &a)));
		assert_true(
		    slice_eq(json_to_text(&back, JSON_CANONICAL, &a), json_to_text(&before, JSON_CANONICAL, &a)));
		arena_release(&a);
	}
}

/* Random documents through the whole way: differences, form, XML, and back to both sides. */
static void test_document__its_form_tells_both_sides(void **state)
{
	struct dice d = dice_new();
	for (int i = 0; i < 500; i++) {
		struct arena a = ARENA_INIT;
		struct err err = ERR_INIT;
		struct diff_list diffs = {0};
		struct json before = random_object(&d, &a), after = changed_json(&d, &a, &before), block, read, said,
			    doc;
		struct slice id = random_text(&d, &a);
		struct patch_document document = {.id = id,
						  .rev = SLICE("1-x"),
						  .kind = random_text(&d, &a),
						  .text = json_to_text(&after, JSON_PLAIN, &a)};
		diff_json(&after, &before, &a, &diffs);
		block = patch_document_block(id, &diffs, &a);
		patch_block_set_before(&block, &before, &after, &a);
		struct json body = patch_document_body(&document, &block, &stamp, &a);
		body = read_xml(xml_of(&body, &a), &a);
		assert_int_equal(patch_document_of(&body, &document, &err), 0);
		assert_int_equal(patch_block_of(&body, &a, &read, &err), 0);
		assert_true(json_eq(&read, &block));
		assert_int_equal(json_read(document.text, &a, 0, &doc, NULL, &err), 0);
		assert_true(json_eq(&doc, &after) && slice_eq(document.id, id) && slice_is(document.rev, "1-x"));
		assert_int_equal(patch_reconstruct(&read, &doc, &a, &said, &err), 0);
		assert_true(
		    slice_eq(json_to_text(&said, JSON_CANONICAL, &a), json_to_text(&before, JSON_CANONICAL, &a)));
		arena_release(&a);
	}
	(void)state;
}

static void test_document__a_form_of_a_case_or_without_text_is_told(void **state)
{
	struct arena a = ARENA_INIT;
	struct err err = ERR_INIT;
	struct patch_document document;
	struct json of_case = read_json("{\"case\":{\"@case_id\":\"c\"}}", &a),
		    no_text = read_json("{\"document\":{\"@id\":\"c\",\"@kind\":\"k\"}}", &a);
	(void)state;
	assert_int_equal(patch_document_of(&of_case, &document, &err), ERR_NOTFOUND);
	assert_int_equal(patch_document_of(&no_text, &document, &err), ERR_SYNTAX);
	arena_release(&a);
}

static void test_reconstruct__no_document_before_is_null(void **state)
{
	struct fixture *f = *state;
	struct json after = read_json("{\"a\":1}", &f->a), block = json_object(), back;
	struct err err = ERR_INIT;
	assert_int_equal(patch_reconstruct(&block, &after, &f->a, &back, &err), ERR_NOTFOUND);
	patch_block_set_before(&block, NULL, &after, &f->a);
	assert_int_equal(patch_reconstruct(&block, &after, &f->a, &back, &err), 0);
	assert_int_equal(back.type, JSON_NULL);
}

static void test_reconstruct__another_document_or_block_is_told(void **state)
{
	static const char *const broken[] = {
	    "{\"before\":{}}",
	    "{\"before\":{\"edits\":[{}],\"sha256\":\"\"}}",
	    "{\"before\":{\"edits\":[{\"path\":[\"x\",\"y\"],\"value\":1}],\"sha256\":\"\"}}",
	    "{\"before\":{\"edits\":[{\"path\":[\"none\"]}],\"sha256\":\"\"}}",
	    "{\"before\":{\"edits\":[{\"path\":[0],\"value\":1}],\"sha256\":\"\"}}",
	    "{\"before\":{\"edits\":[{\"path\":[\"l\"],\"at\":3,\"drop\":0,\"put\":[]}],\"sha256\":\"\"}}",
	    "{\"before\":{\"edits\":[{\"path\":[\"l\"],\"at\":0,\"drop\":9,\"put\":[]}],\"sha256\":\"\"}}",
	    "{\"before\":{\"edits\":[{\"path\":[]}],\"sha256\":\"\"}}",
	};
	struct fixture *f = *state;
	struct json before = read_json("{\"a\":1,\"l\":[1,2]}", &f->a), after = read_json("{\"a\":2,\"l\":[2]}", &f->a);
	struct json block = json_object(), back;
	struct err err = ERR_INIT;
	patch_block_set_before(&block, &before, &after, &f->a);
	json_sets(&f->a, &after, "b", json_true);
	assert_int_equal(patch_reconstruct(&block, &after, &f->a, &back, &err), ERR_SYNTAX);
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		block = read_json(broken[i], &f->a);
		if (patch_reconstruct(&block, &after, &f->a, &back, &err) != ERR_SYNTAX)
			fail_msg("%s", broken[i]);
	}
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err = ERR_INIT;
	*state = f;
	return f ? profile_load("commcare", &f->a, &f->commcare, &err) : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	arena_release(&f->a);
	free(f);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_plan__refusals_name_the_path),
	    cmocka_unit_test(test_plan__no_couch_case_is_refused),
	    cmocka_unit_test(test_plan__lost_case_is_written_whole),
	    cmocka_unit_test(test_plan__a_renamed_field_or_a_location_asks_for_no_update),
	    cmocka_unit_test(test_form__an_empty_name_is_written),
	    cmocka_unit_test(test_plan__an_index_put_and_removed_is_put),
	    cmocka_unit_test(test_block__is_sorted_by_path_with_numbers_as_numbers),
	    cmocka_unit_test(test_patched__what_is_left_must_be_recorded),
	    cmocka_unit_test(test_patched__form_ids_of_couch_may_be_recorded),
	    cmocka_unit_test(test_xml__hostile_values_come_back),
	    cmocka_unit_test(test_xml__large_values_come_back),
	    cmocka_unit_test(test_xml__namespaces_lists_and_text_beside_attributes),
	    cmocka_unit_test(test_xml__what_is_no_form_is_an_error),
	    cmocka_unit_test(test_xml__deep_nesting_is_a_limit),
	    cmocka_unit_test(test_xml__a_cap_is_kept),
	    cmocka_unit_test(test_form__replays_to_the_couch_case),
	    cmocka_unit_test(test_form__without_actions_only_records),
	    cmocka_unit_test(test_form__date_of_the_block),
	    cmocka_unit_test(test_block_of__a_form_without_or_with_a_broken_block),
	    cmocka_unit_test(test_reconstruct__gives_back_the_document_before),
	    cmocka_unit_test(test_document__its_form_tells_both_sides),
	    cmocka_unit_test(test_document__a_form_of_a_case_or_without_text_is_told),
	    cmocka_unit_test(test_reconstruct__no_document_before_is_null),
	    cmocka_unit_test(test_reconstruct__another_document_or_block_is_told),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
