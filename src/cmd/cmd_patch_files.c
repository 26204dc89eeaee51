#include "config.h"

#include "base/clock.h"
#include "cmd/print.h"
#include "patch/patch.h"

#include <sodium.h>

struct answer {
	struct patch_plan plan;
	struct slice xml;
};

static void print_answer(const struct cmd_context *c, const struct answer *answer)
{
	struct slice refused = answer->plan.refused;
	if (c->global->format == FORMAT_JSON) {
		struct json v = patch_plan_to_json(&answer->plan, answer->xml, c->arena);
		print_json_line(c, &v);
	} else if (refused.ptr) {
		fputs("cannot patch: ", c->out);
		print_text(c, refused);
		fputc('\n', c->out);
	} else {
		fwrite(answer->xml.ptr, 1, answer->xml.len, c->out);
	}
}

static int make_form(struct cmd_context *c, struct answer *answer, struct err *err)
{
	unsigned char bytes[16];
	char form_id[PATCH_ID_SIZE], now[CLOCK_TEXT_SIZE];
	struct buf xml = BUF_INIT((size_t)1 << 30);
	randombytes_buf(bytes, sizeof(bytes));
	sodium_bin2hex(form_id, sizeof(form_id), bytes, sizeof(bytes));
	clock_utc_text(now);
	struct patch_stamp stamp = {.form_id = slice_of(form_id), .received_on = slice_of(now)};
	struct json body = patch_form_body(&answer->plan, &stamp, c->arena);
	int rc = patch_xml_write(&body, &xml, err);
	if (rc == 0)
		answer->xml = arena_slice(c->arena, buf_slice(&xml));
	buf_release(&xml);
	return rc;
}

static int read_diffs(struct cmd_context *c, const char *path, struct diff_list *diffs, struct err *err)
{
	struct json *list = ARENA_NEW(c->arena, struct json);
	int rc = read_json_file(path, c->arena, list, err);
	if (rc)
		return rc;
	if (diff_list_from_json(list, c->arena, diffs, err)) {
		err->code = ERR_USAGE;
		return err_prefix(err, "%s", path);
	}
	return 0;
}

static int can_patch(const struct cmd_context *c, const struct json *couch, struct slice *refused)
{
	struct slice name = c->profile.type_field.ptr ? json_text(json_get(couch, c->profile.type_field)) : SLICE_NONE;
	const struct profile_kind *kind = name.ptr ? profile_kind(&c->profile, name) : NULL;
	if (kind && kind->cls == PROFILE_STATE && !kind->deleted && c->profile.has_patch)
		return 1;
	*refused = arena_printf(c->arena, "profile %.*s patches no %.*s", SLICE_ARG(c->profile.name),
				name.ptr ? (int)name.len : 8, name.ptr ? name.ptr : "document");
	return 0;
}

static int run(struct cmd_context *c, struct err *err)
{
	struct answer answer = {0};
	struct json couch;
	struct diff_list diffs = {0};
	if (read_json_file(c->argv[0], c->arena, &couch, err) || read_diffs(c, c->argv[1], &diffs, err))
		return err->code;
	if (can_patch(c, &couch, &answer.plan.refused)) {
		patch_plan(&c->profile.patch, &couch, &diffs, c->arena, &answer.plan);
		if (!answer.plan.refused.ptr && make_form(c, &answer, err))
			return err->code;
	}
	print_answer(c, &answer);
	return answer.plan.refused.ptr ? 1 : 0;
}

const struct command cmd_patch_files = {
    .name = "patch files",
    .arguments = "CASE.json DIFFS.json",
    .summary = "the patch form that given differences of a case would get; no database",
    .help = "CASE.json is the Couch case, DIFFS.json its differences as `diff files --format json` lists them under "
	    "\"diffs\". Exit 1 when the case cannot be patched.",
    .needs = NEED_PROFILE,
    .min_args = 2,
    .max_args = 2,
    .run = run,
};
