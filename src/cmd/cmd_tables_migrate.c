#include "config.h"

#include "base/clock.h"
#include "cmd/cmd_tables.h"
#include "cmd/print.h"

struct options {
	const char *start, *end, *table, *since, *export_dir;
	int confirm, dry_run, no_stop_on_error, retry_errors, apply;
	int64_t parallel;
};

static const struct option_spec table[] = {
    {.name = "start-date",
     .kind = OPT_TEXT,
     .argument = "YYYY-MM-DD",
     .help = "only tables of this month or later, and those without a date",
     .offset = offsetof(struct options, start)},
    {.name = "end-date",
     .kind = OPT_TEXT,
     .argument = "YYYY-MM-DD",
     .help = "only tables of before this month",
     .offset = offsetof(struct options, end)},
    {.name = "table",
     .kind = OPT_TEXT,
     .argument = "NAME",
     .help = "only this table of the source; NAME or SCHEMA.NAME",
     .offset = offsetof(struct options, table)},
    {.name = "confirm", .kind = OPT_FLAG, .help = "ask for each table", .offset = offsetof(struct options, confirm)},
    {.name = "dry-run",
     .kind = OPT_FLAG,
     .help = "only print what would be copied",
     .offset = offsetof(struct options, dry_run)},
    {.name = "parallel",
     .letter = 'j',
     .kind = OPT_INT,
     .argument = "N",
     .help = "parts at the same time; default 1, at most 64",
     .least = 1,
     .offset = offsetof(struct options, parallel)},
    {.name = "no-stop-on-error",
     .kind = OPT_FLAG,
     .help = "go on with other tables after one has failed",
     .offset = offsetof(struct options, no_stop_on_error)},
    {.name = "retry-errors",
     .kind = OPT_FLAG,
     .help = "also tables that have failed before; without it they are passed over (exit status 1)",
     .offset = offsetof(struct options, retry_errors)},
    {.name = "apply",
     .kind = OPT_FLAG,
     .help = "move the rows of a job that is only checked without it; nothing is asked",
     .offset = offsetof(struct options, apply)},
    {.name = "since",
     .kind = OPT_TEXT,
     .argument = "TIME",
     .help = "top up what was migrated: rows that the job's \"since\" conditions find",
     .offset = offsetof(struct options, since)},
    {.name = "export-dir",
     .kind = OPT_TEXT,
     .argument = "DIR",
     .help = "first write each source table there as CSV: NAME.csv, of several schemas SCHEMA.NAME.csv",
     .offset = offsetof(struct options, export_dir)},
    {.name = NULL},
};

static void print(const struct cmd_context *c, const struct tables_summary *s, double seconds)
{
	if (c->global->format == FORMAT_JSON) {
		fprintf(c->out,
			"{\"parts\":%lld,\"rows\":%lld,\"bytes\":%lld,\"rejected\":%lld,\"failed\":%lld,\"left\":%lld,"
			"\"elapsed_s\":%.3f}\n",
			(long long)s->parts, (long long)s->rows, (long long)s->bytes, (long long)s->rejected,
			(long long)s->failed, (long long)s->left, seconds);
		return;
	}
	fprintf(c->out, "%lld parts, %lld rows, %.1f MB in %.1f s", (long long)s->parts, (long long)s->rows,
		(double)s->bytes / 1e6, seconds);
	if (s->rejected)
		fprintf(c->out, "; %lld rows rejected", (long long)s->rejected);
	if (s->failed)
		fprintf(c->out, "; %lld parts failed", (long long)s->failed);
	if (s->left)
		fprintf(c->out, "; %lld parts left", (long long)s->left);
	fputc('\n', c->out);
}

static void print_reject(void *ctx, const char *name, int64_t rowid, const char *column, const char *reason)
{
	(void)ctx;
	fputs("rejected: ", stderr);
	print_text_to(stderr, slice_of(name));
	fprintf(stderr, " row %lld%s", (long long)rowid, *column ? ", " : "");
	print_text_to(stderr, slice_of(column));
	fputs(": ", stderr);
	print_text_to(stderr, slice_of(reason));
	fputc('\n', stderr);
}

static int run(struct cmd_context *c, struct err *err)
{
	const struct options *o = c->options;
	struct tables_migrate_options migrate = {
	    .select = {.start = o->start, .end = o->end, .table = o->table},
	    .parallel = o->parallel ? o->parallel : 1,
	    .confirm = o->confirm,
	    .dry_run = o->dry_run,
	    .no_stop_on_error = o->no_stop_on_error,
	    .retry_errors = o->retry_errors,
	    .apply = o->apply,
	    .since = o->since,
	    .export_dir = o->export_dir,
	};
	struct tables_env env;
	struct tables_summary sum = {0};
	struct err second = ERR_INIT;
	int64_t start = clock_mono_us();
	int rc = cmd_tables_env(c, &env, err);
	if (rc == 0)
		rc = tables_migrate(&env, &migrate, &sum, err);
	if (sum.parts || sum.failed)
		print(c, &sum, (double)(clock_mono_us() - start) / 1e6);
	if (sum.set_aside > sum.rejected)
		log_at(c->log, LOG_WARN,
		       "%lld rows were set aside before, since they do not fit: `settle tables validate` counts them",
		       (long long)(sum.set_aside - sum.rejected));
	if (sum.rejected && tables_rejects(&env, print_reject, c, &second))
		log_err(c->log, LOG_ERROR, &second);
	return rc;
}

const struct command cmd_tables_migrate = {
    .name = "tables migrate",
    .arguments = "MANIFEST",
    .summary = "copy the tables of a manifest",
    .help = "Works the manifest off: each part in one transaction of the target, with its mark in settle_part there. "
	    "Stopped or killed, the "
	    "same command goes on; the source must then not have changed, or be topped up with --since. Asks once "
	    "unless --yes or "
	    "--apply is given. All workers of a run read one snapshot of the source.",
    .min_args = 1,
    .max_args = 1,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
