#include "config.h"

#include "tests/unit/patch_fixture.h"

#include <stdlib.h>

struct json read_json(const char *text, struct arena *a)
{
	struct err err = ERR_INIT;
	struct json v;
	if (json_read(slice_of(text), a, 0, &v, NULL, &err))
		fail_msg("%s: %s", text, err.msg);
	return v;
}

struct diff_list read_diffs(const char *text, struct arena *a)
{
	struct err err = ERR_INIT;
	struct json *v = ARENA_NEW(a, struct json);
	struct diff_list out = {0};
	*v = read_json(text, a);
	if (diff_list_from_json(v, a, &out, &err))
		fail_msg("%s: %s", text, err.msg);
	return out;
}

struct patch_plan plan_of(struct fixture *f, const char *couch, const char *diffs)
{
	struct json *doc = ARENA_NEW(&f->a, struct json);
	struct diff_list list = read_diffs(diffs, &f->a);
	struct patch_plan plan;
	*doc = read_json(couch, &f->a);
	patch_plan(&f->commcare.patch, doc, &list, &f->a, &plan);
	return plan;
}

const struct patch_stamp stamp = {
    .form_id = {"0123456789abcdef0123456789abcdef", 32},
    .received_on = {"2026-01-02T03:04:05.000006Z", 27},
};

struct slice xml_of(const struct json *body, struct arena *a)
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

struct json read_xml(struct slice xml, struct arena *a)
{
	struct err err = ERR_INIT;
	struct json body;
	if (patch_xml_read(xml, a, &body, &err))
		fail_msg("%s in %.*s", err.msg, SLICE_ARG(xml));
	return body;
}

void assert_json(const struct json *got, const char *wanted, struct arena *a)
{
	struct json v = read_json(wanted, a);
	assert_string_equal(json_to_text(got, JSON_CANONICAL, a).ptr, json_to_text(&v, JSON_CANONICAL, a).ptr);
}

int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err = ERR_INIT;
	*state = f;
	return f ? profile_load("commcare", &f->a, &f->commcare, &err) : -1;
}

int teardown(void **state)
{
	struct fixture *f = *state;
	arena_release(&f->a);
	free(f);
	return 0;
}
