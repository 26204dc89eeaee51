#include "config.h"

#include "cmd/cmd_tables.h"
#include "cmd/print.h"

#define SPOT_CHECKS 100

struct options {
	int64_t parallel, spot;
	const char *table;
};

static const struct option_spec table[] = {
    {.name = "parallel",
     .letter = 'j',
     .kind = OPT_INT,
     .argument = "N",
     .help = "tables at the same time; default 1, at most 64",
     .least = 1,
     .offset = offsetof(struct options, parallel)},
    {.name = "spot-checks",
     .kind = OPT_INT,
     .argument = "N",
     .help = "random rows of each table that are compared field by field; default 100",
     .least = 1,
     .offset = offsetof(struct options, spot)},
    {.name = "table",
     .kind = OPT_TEXT,
     .argument = "NAME",
     .help = "only this table; NAME or SCHEMA.NAME of the source, or NAME of the target",
     .offset = offsetof(struct options, table)},
    {.name = NULL},
};

static void put_json(const struct cmd_context *c, const struct tables_finding *f)
{
	struct json v = json_object();
	json_sets(c->arena, &v, "table", json_str(f->table));
	json_sets(c->arena, &v, "check", json_str(f->check));
	json_sets(c->arena, &v, "ok", json_bool(f->ok));
	json_sets(c->arena, &v, "detail", json_str(f->detail));
	print_json_line(c, &v);
}

static void print(void *ctx, const struct tables_finding *f)
{
	const struct cmd_context *c = ctx;
	if (c->global->format == FORMAT_JSON) {
		put_json(c, f);
		return;
	}
	if (!f->ok)
		print_color(c, PRINT_RED);
	fputs(f->ok ? "ok    " : "DIFF  ", c->out);
	print_text(c, slice_of(f->table));
	fprintf(c->out, "  %s: ", f->check);
	print_text(c, slice_of(f->detail));
	if (!f->ok)
		print_color(c, PRINT_PLAIN);
	fputc('\n', c->out);
}

static int run(struct cmd_context *c, struct err *err)
{
	const struct options *o = c->options;
	struct tables_validate_options validate = {
	    .parallel = o->parallel ? o->parallel : 1, .spot = o->spot ? o->spot : SPOT_CHECKS, .table = o->table};
	struct tables_env env;
	int rc = cmd_tables_env(c, &env, err);
	return rc ? rc : tables_validate(&env, &validate, print, c, err);
}

const struct command cmd_tables_validate = {
    .name = "tables validate",
    .arguments = "MANIFEST",
    .summary = "compare source and target of a migration of tables",
    .help = "Row counts, a checksum of the content that does not depend on the order of rows, random rows field by "
	    "field, foreign keys, and "
	    "sequences ahead of their columns. Exit status 1 on any difference.",
    .min_args = 1,
    .max_args = 1,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
