#include "config.h"

#include "cmd/cmd_tables.h"

struct options {
	const char *table;
};

static const struct option_spec table[] = {
    {.name = "table",
     .kind = OPT_TEXT,
     .argument = "NAME",
     .help = "only what came from this table of the source; NAME or SCHEMA.NAME",
     .offset = offsetof(struct options, table)},
    {.name = NULL},
};

static int run(struct cmd_context *c, struct err *err)
{
	const struct options *o = c->options;
	struct tables_env env;
	int64_t deleted = 0;
	int refused = 0;
	int rc = cmd_tables_env(c, &env, err);
	if (rc == 0)
		rc = tables_clean(&env, o->table, &deleted, &refused, err);
	if (rc == 0 && !refused)
		fprintf(c->out, "Cleanup complete. %lld rows deleted\n", (long long)deleted);
	return rc;
}

const struct command cmd_tables_clean = {
    .name = "tables clean",
    .arguments = "MANIFEST",
    .summary = "take back what a migration of tables loaded",
    .help = "Deletes the rows that this manifest's job loaded, told by their keys, and nothing else; then the same "
	    "manifest may be migrated "
	    "again. Asks first.",
    .min_args = 1,
    .max_args = 1,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
