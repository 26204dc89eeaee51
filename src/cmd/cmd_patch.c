/* patch preview, list, reconstruct. */
#include "config.h"

#include "cmd/print.h"
#include "migrate/patching.h"

static int run_preview(struct cmd_context *c, struct err *err)
{
	struct migrate_env env = cmd_env(c);
	struct json v;
	int rc = migrate_patch_preview(&env, slice_of(c->argv[1]), c->arena, &v, err);
	if (rc)
		return rc == ERR_NOTFOUND ? err_set(err, ERR_USAGE, "nothing is known to differ in %s", c->argv[1])
					  : rc;
	int patchable = json_is(json_gets(&v, "patchable"), JSON_TRUE);
	if (c->global->format == FORMAT_JSON) {
		print_json_line(c, &v);
	} else if (patchable) {
		struct slice xml = json_get_text(&v, "form_xml");
		fwrite(xml.ptr, 1, xml.len, c->out);
	} else {
		fputs("cannot patch: ", c->out);
		print_text(c, json_get_text(&v, "refused"));
		fputc('\n', c->out);
	}
	return patchable ? 0 : 1;
}

const struct command cmd_patch_preview = {
    .name = "patch preview",
    .arguments = "DOMAIN CASE_ID",
    .summary = "the patch form that a document would get; writes nothing",
    .help = "Exit 1 when the document cannot be patched. Plain documents need --source.",
    .needs = MAY_SOURCE | NEED_TARGET | NEED_DOMAIN | NEED_STATE | NEED_PROFILE,
    .min_args = 2,
    .max_args = 2,
    .run = run_preview,
};

static int print_form(void *ctx, const struct migrate_patch_form *f, struct err *err)
{
	struct cmd_context *c = ctx;
	if (print_go_on(c, err))
		return err->code;
	if (c->global->format == FORMAT_JSON) {
		struct arena a = ARENA_INIT;
		struct json v = json_object();
		json_sets(&a, &v, "form_id", json_string(f->form_id));
		json_sets(&a, &v, "case_id", json_string(f->id));
		json_sets(&a, &v, "received_on", json_string(f->received_on));
		print_json_line(c, &v);
		arena_release(&a);
		return 0;
	}
	print_text(c, f->form_id);
	fputs("  ", c->out);
	print_text(c, f->id);
	fputs("  ", c->out);
	print_text(c, f->received_on);
	fputc('\n', c->out);
	return 0;
}

static int run_list(struct cmd_context *c, struct err *err)
{
	struct migrate_env env = cmd_env(c);
	return print_ended(c, migrate_patch_list(&env, print_form, c, err));
}

const struct command cmd_patch_list = {
    .name = "patch list",
    .arguments = "DOMAIN",
    .summary = "the patch forms of a domain: form id, id of the document, time",
    .help = "In order of form id, read a page at a time: it ends when its reader does.",
    .needs = NEED_TARGET | NEED_DOMAIN | NEED_STATE | NEED_PROFILE,
    .min_args = 1,
    .max_args = 1,
    .run = run_list,
};

static int run_reconstruct(struct cmd_context *c, struct err *err)
{
	struct migrate_env env = cmd_env(c);
	struct json v;
	int rc = migrate_patch_reconstruct(&env, slice_of(c->argv[1]), c->arena, &v, err);
	if (rc) {
		err->code = rc == ERR_NOTFOUND ? ERR_USAGE : err->code;
		return err->code;
	}
	print_json(c, &v, c->global->format == FORMAT_JSON ? JSON_CANONICAL : JSON_PRETTY);
	fputc('\n', c->out);
	return 0;
}

const struct command cmd_patch_reconstruct = {
    .name = "patch reconstruct",
    .arguments = "DOMAIN FORM_ID",
    .summary = "the SQL side of a document as it was before that patch",
    .help = "JSON; null when SQL had no such document. With --format json the canonical JSON on one line.",
    .needs = NEED_TARGET | NEED_DOMAIN | NEED_STATE | NEED_PROFILE,
    .min_args = 2,
    .max_args = 2,
    .run = run_reconstruct,
};
