#include "config.h"

#include "cmd/cmd_tables.h"

struct options {
	int dry_run;
};

static const struct option_spec table[] = {
    {.name = "dry-run",
     .kind = OPT_FLAG,
     .help = "only print the statements",
     .offset = offsetof(struct options, dry_run)},
    {.name = NULL},
};

static int run(struct cmd_context *c, struct err *err)
{
	const struct options *o = c->options;
	struct tables_create_options create = {.dry_run = o->dry_run};
	struct tables_env env;
	int rc = cmd_tables_env(c, &env, err);
	return rc ? rc : tables_create(&env, &create, err);
}

const struct command cmd_tables_create = {
    .name = "tables create",
    .arguments = "MANIFEST",
    .summary = "make the tables that the target lacks",
    .help =
	"Tables, children, partitions, checks, defaults, comments, and the sequences and types they need, as the "
	"source "
	"has them; on Citus they are distributed as the job says. Keys, indexes and foreign keys are made by tables "
	"migrate after the load. What is left to others (views, functions, triggers, grants and the like) is listed "
	"by name. May be run again.",
    .min_args = 1,
    .max_args = 1,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
