#include "config.h"

#include "cmd/cmd_tables.h"
#include "cmd/print.h"

struct options {
	const char *job;
};

static const struct option_spec table[] = {
    {.name = "job",
     .kind = OPT_TEXT,
     .argument = "FILE",
     .help = "the job: which tables, filtered and mapped how (JSON); without it every table goes to itself",
     .offset = offsetof(struct options, job)},
    {.name = NULL},
};

static void print(const struct cmd_context *c, const struct tables_planned *p)
{
	if (c->global->format == FORMAT_JSON)
		fprintf(c->out, "{\"tables\":%lld,\"parts\":%lld,\"unlisted\":%lld}\n", (long long)p->tables,
			(long long)p->parts, (long long)p->unlisted);
	else if (p->parts != p->tables)
		fprintf(c->out, "%lld tables processed (%lld parts)\n", (long long)p->tables, (long long)p->parts);
	else
		fprintf(c->out, "%lld tables processed\n", (long long)p->tables);
}

static int run(struct cmd_context *c, struct err *err)
{
	const struct options *o = c->options;
	struct tables_env env;
	struct tables_planned planned;
	int rc = cmd_tables_env(c, &env, err);
	if (rc == 0 && !env.source) {
		err_set(err, ERR_USAGE, "no source");
		rc = err_hint(err, "give --source postgres://... or sqlite:PATH");
	}
	if (rc == 0)
		rc = tables_plan(&env, o->job, &planned, err);
	if (rc == 0)
		print(c, &planned);
	return rc;
}

const struct command cmd_tables_plan = {
    .name = "tables plan",
    .arguments = "MANIFEST",
    .summary = "plan a migration of tables",
    .help =
	"Reads the catalogs of --source (postgres://..., or sqlite:PATH) and writes the manifest, a SQLite file "
	"with one row for "
	"each table, or part of a large one. Tables that no rule of the job names are listed, and what settle does not "
	"carry over: views, functions, triggers, grants and the like. A manifest that has rows is refused.",
    .min_args = 1,
    .max_args = 1,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
