#include "config.h"

#include "cmd/print.h"
#include "cmd/snapshots.h"

struct options {
	const char *dir;
};

static const struct option_spec table[] = {
    SNAPSHOTS_DIR_OPTION(struct options),
    {.name = NULL},
};

static void print_one(const struct cmd_context *c, const struct snapshot_info *s)
{
	struct slice size = snapshots_size(c, s->bytes);
	print_text(c, s->name);
	if (s->problem) {
		print_color(c, PRINT_RED);
		fputs("  NO GOOD: ", c->out);
		print_text(c, slice_of(s->problem));
		print_color(c, PRINT_PLAIN);
		fputc('\n', c->out);
		return;
	}
	fprintf(c->out, "  %.19sZ  %.*s %.*s, %lld tables, %lld rows, %.*s%s  ", s->created.ptr, SLICE_ARG(s->engine),
		SLICE_ARG(s->method), (long long)s->tables, (long long)s->rows, SLICE_ARG(size),
		s->encrypted ? ", encrypted" : "");
	print_text(c, s->target);
	fputc('\n', c->out);
}

static int run_list(struct cmd_context *c, struct err *err)
{
	const struct options *o = c->options;
	struct snapshot_env env = snapshots_env(c, o->dir, NULL);
	struct snapshot_list list;
	if (snapshot_list(&env, c->arena, &list, err))
		return err->code;
	for (size_t i = 0; i < list.n; i++) {
		struct json v = snapshots_to_json(c, &list.v[i]);
		if (c->global->format == FORMAT_JSON)
			print_json_line(c, &v);
		else
			print_one(c, &list.v[i]);
	}
	return 0;
}

const struct command cmd_snapshot_list = {
    .name = "snapshot list",
    .arguments = "",
    .summary = "the snapshots there are, oldest first",
    .help = "Looks at manifests and sizes; `snapshot verify` reads every byte.",
    .needs = NEED_STATE,
    .max_args = 0,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run_list,
};

static int run_show(struct cmd_context *c, struct err *err)
{
	const struct options *o = c->options;
	struct snapshot_env env = snapshots_env(c, o->dir, NULL);
	struct snapshot_info s;
	int rc = snapshot_show(&env, c->argv[0], c->arena, &s, err);
	if (rc)
		return snapshots_named(err);
	print_json(c, &s.manifest, c->global->format == FORMAT_JSON ? JSON_PLAIN : JSON_PRETTY);
	fputc('\n', c->out);
	if (s.problem)
		log_at(c->log, LOG_WARN, "this snapshot is no good: %s", s.problem);
	return 0;
}

const struct command cmd_snapshot_show = {
    .name = "snapshot show",
    .arguments = "NAME",
    .summary = "the manifest of a snapshot",
    .help = "Versions, tables with their rows, migrations with status and checkpoint, files with sizes and digests, "
	    "recipients. NAME is one of `snapshot list`, or a path with a slash.",
    .needs = NEED_STATE,
    .min_args = 1,
    .max_args = 1,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run_show,
};
