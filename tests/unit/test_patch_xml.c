/* Bodies of forms as XML and back. */
#include "config.h"

#include "tests/unit/patch_fixture.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_xml__hostile_values_come_back),
	    cmocka_unit_test(test_xml__large_values_come_back),
	    cmocka_unit_test(test_xml__namespaces_lists_and_text_beside_attributes),
	    cmocka_unit_test(test_xml__what_is_no_form_is_an_error),
	    cmocka_unit_test(test_xml__deep_nesting_is_a_limit),
	    cmocka_unit_test(test_xml__a_cap_is_kept),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
