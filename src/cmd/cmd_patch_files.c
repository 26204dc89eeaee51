#include "config.h"

#include "base/clock.h"
#include "base/hex.h"
#include "cmd/print.h"
#include "patch/patch.h"

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

static int write_xml(struct answer *answer, const struct json *body, struct arena *a, struct err *err)
{
	struct buf xml = BUF_INIT((size_t)1 << 30);
	int rc = patch_xml_write(body, &xml, err);
	if (rc == 0)
		answer->xml = arena_slice(a, buf_slice(&xml));
	buf_release(&xml);
	return rc;
}

static struct patch_stamp make_stamp(struct arena *a)
{
	char now[CLOCK_TEXT_SIZE];
	clock_utc_text(now);
	return (struct patch_stamp){.form_id = hex_random(PATCH_ID_BYTES, a),
				    .received_on = arena_slice(a, slice_of(now))};
}

static int answer_for_case(struct cmd_context *c, const struct json *couch, const struct diff_list *diffs,
			   struct answer *answer, struct err *err)
{
	struct patch_stamp stamp = make_stamp(c->arena);
	patch_plan(&c->profile.patch, couch, diffs, c->arena, &answer->plan);
	if (answer->plan.refused.ptr)
		return 0;
	struct json body = patch_form_body(&answer->plan, &stamp, c->arena);
	return write_xml(answer, &body, c->arena, err);
}

/* The whole row is set: what is missing in SQL is made. */
static int answer_for_document(struct cmd_context *c, const struct json *couch, const struct diff_list *diffs,
			       struct slice kind, struct answer *answer, struct err *err)
{
	struct patch_stamp stamp = make_stamp(c->arena);
	struct patch_document document = {.id = json_get_text(couch, "_id"),
					  .rev = json_get_text(couch, "_rev"),
					  .kind = kind,
					  .text = json_to_text(couch, JSON_PLAIN, c->arena)};
	const struct diff *first = diffs->n ? &diffs->v[0] : NULL;
	int lost = diffs->n == 1 && first->type == DIFF_MISSING && first->npath == 1 && !first->path[0].is_position &&
		   slice_is(first->path[0].key, "*") && !first->new_value;
	if (document.id.len == 0)
		answer->plan.refused = SLICE("the Couch document has no _id");
	else if (diffs->n == 0)
		answer->plan.refused = SLICE("nothing to patch");
	if (answer->plan.refused.ptr)
		return 0;
	answer->plan.actions = lost ? PATCH_CREATE : PATCH_UPDATE;
	answer->plan.properties = answer->plan.indices = json_object();
	answer->plan.block = patch_document_block(document.id, diffs, c->arena);
	struct json body = patch_document_body(&document, &answer->plan.block, &stamp, c->arena);
	return write_xml(answer, &body, c->arena, err);
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

static int answer_for(struct cmd_context *c, const struct json *couch, const struct diff_list *diffs,
		      struct answer *answer, struct err *err)
{
	struct slice name = c->profile.type_field.ptr ? json_text(json_get(couch, c->profile.type_field)) : SLICE_NONE;
	const struct profile_kind *kind = name.ptr ? profile_kind(&c->profile, name) : NULL;
	enum profile_class cls = kind ? kind->cls : PROFILE_DOCUMENT;
	int deleted = kind && kind->deleted;
	if (cls == PROFILE_STATE && !deleted && c->profile.has_patch)
		return answer_for_case(c, couch, diffs, answer, err);
	if (cls == PROFILE_DOCUMENT && !deleted && c->profile.patch_documents)
		return answer_for_document(c, couch, diffs, name.ptr ? name : SLICE("document"), answer, err);
	answer->plan.refused = arena_printf(c->arena, "profile %.*s patches no %.*s", SLICE_ARG(c->profile.name),
					    name.ptr ? (int)name.len : 8, name.ptr ? name.ptr : "document");
	return 0;
}

static int run(struct cmd_context *c, struct err *err)
{
	struct answer answer = {0};
	struct json couch;
	struct diff_list diffs = {0};
	if (read_json_file(c->argv[0], c->arena, &couch, err) || read_diffs(c, c->argv[1], &diffs, err) ||
	    answer_for(c, &couch, &diffs, &answer, err))
		return err->code;
	print_answer(c, &answer);
	return answer.plan.refused.ptr ? 1 : 0;
}

const struct command cmd_patch_files = {
    .name = "patch files",
    .arguments = "CASE.json DIFFS.json",
    .summary = "the patch form that given differences of a document would get; no database",
    .help =
	"CASE.json is the Couch document, DIFFS.json its differences as `diff files --format json` lists them under "
	"\"diffs\". Exit 1 when it cannot be patched.",
    .needs = NEED_PROFILE,
    .min_args = 2,
    .max_args = 2,
    .run = run,
};
