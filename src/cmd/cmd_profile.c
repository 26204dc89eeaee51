#include "config.h"

#include "cmd/print.h"

/* ---- list ---- */

static int run_list(struct cmd_context *c, struct err *err)
{
	(void)err;
	for (const struct profile_builtin *p = profile_builtins; p->name; p++) {
		if (c->global->format == FORMAT_TEXT) {
			fprintf(c->out, "%-12s%s\n", p->name, p->summary);
			continue;
		}
		struct json v = json_object();
		json_sets(c->arena, &v, "name", json_str(p->name));
		json_sets(c->arena, &v, "summary", json_str(p->summary));
		print_json_line(c, &v);
	}
	return 0;
}

const struct command cmd_profile_list = {
    .name = "profile list",
    .arguments = "",
    .summary = "the profiles that settle brings with it",
    .run = run_list,
};

/* ---- show ---- */

/* A built-in profile as it was written; of a file what was read. */
static int run_show(struct cmd_context *c, struct err *err)
{
	struct profile profile;
	for (const struct profile_builtin *p = profile_builtins; p->name; p++) {
		if (strcmp(p->name, c->argv[0]) != 0)
			continue;
		fwrite(p->text.ptr, 1, p->text.len, c->out);
		if (p->text.len && p->text.ptr[p->text.len - 1] != '\n')
			fputc('\n', c->out);
		return 0;
	}
	if (profile_load(c->argv[0], c->arena, &profile, err))
		return err->code;
	print_json(c, &profile.source, JSON_PRETTY);
	fputc('\n', c->out);
	return 0;
}

const struct command cmd_profile_show = {
    .name = "profile show",
    .arguments = "NAME",
    .summary = "print a profile, ready to edit",
    .min_args = 1,
    .max_args = 1,
    .run = run_show,
};

/* ---- check ---- */

static void print_finding(struct cmd_context *c, const struct profile_finding *f)
{
	if (c->global->format == FORMAT_TEXT) {
		fprintf(c->out, "%s:%u:%u: %s: ", c->argv[0], f->line, f->column, f->error ? "error" : "warning");
		print_text(c, f->message);
		fputc('\n', c->out);
		return;
	}
	struct json v = json_object();
	json_sets(c->arena, &v, "file", json_str(c->argv[0]));
	json_sets(c->arena, &v, "line", json_int(c->arena, f->line));
	json_sets(c->arena, &v, "column", json_int(c->arena, f->column));
	json_sets(c->arena, &v, "error", json_bool(f->error));
	json_sets(c->arena, &v, "message", json_string(f->message));
	print_json_line(c, &v);
}

static int run_check(struct cmd_context *c, struct err *err)
{
	struct profile_findings findings = {0};
	struct slice text;
	if (read_file(c->argv[0], c->arena, &text, err))
		return err->code;
	if (profile_check(text, c->arena, &findings, err))
		return err_prefix(err, "%s", c->argv[0]);
	for (size_t i = 0; i < findings.n; i++)
		print_finding(c, &findings.v[i]);
	if (findings.n == 0 && c->global->format == FORMAT_TEXT)
		fprintf(c->out, "%s: nothing to complain about\n", c->argv[0]);
	return findings.n ? 1 : 0;
}

const struct command cmd_profile_check = {
    .name = "profile check",
    .arguments = "FILE",
    .summary = "explain what is wrong or suspicious in a profile, with line and column",
    .help = "Exit 0 when there is nothing to say, 1 on a finding, 2 when the file cannot be read.",
    .min_args = 1,
    .max_args = 1,
    .run = run_check,
};
