#include "config.h"

#include "cmd/cmd_tables.h"
#include "cmd/print.h"

struct options {
	const char *start, *end;
	int migrated, errored;
};

static const struct option_spec table[] = {
    {.name = "start-date",
     .letter = 's',
     .kind = OPT_TEXT,
     .argument = "YYYY-MM-DD",
     .help = "list: only tables of this month or later, and those without a date",
     .offset = offsetof(struct options, start)},
    {.name = "end-date",
     .letter = 'e',
     .kind = OPT_TEXT,
     .argument = "YYYY-MM-DD",
     .help = "list: only tables of before this month",
     .offset = offsetof(struct options, end)},
    {.name = "migrated",
     .letter = 'M',
     .kind = OPT_FLAG,
     .help = "list: only migrated tables",
     .offset = offsetof(struct options, migrated)},
    {.name = "errored",
     .letter = 'E',
     .kind = OPT_FLAG,
     .help = "list: only tables that failed",
     .offset = offsetof(struct options, errored)},
    {.name = NULL},
};

struct sums {
	const struct cmd_context *c;
	int64_t all, done, errored, rows, rejected, all_bytes, done_bytes;
};

static void add(void *ctx, const struct tables_row *row)
{
	struct sums *s = ctx;
	int done = strcmp(row->status, "done") == 0;
	s->all++;
	s->done += done;
	s->errored += strcmp(row->status, "error") == 0;
	s->rows += row->copied;
	s->rejected += row->rejected;
	s->all_bytes += row->bytes > 0 ? row->bytes : 0;
	s->done_bytes += done && row->bytes > 0 ? row->bytes : 0;
}

static void put_stats(const struct sums *s)
{
	FILE *out = s->c->out;
	if (s->c->global->format == FORMAT_JSON) {
		fprintf(out,
			"{\"parts\":%lld,\"migrated\":%lld,\"errored\":%lld,\"remaining\":%lld,\"rows\":%lld,"
			"\"rejected\":%lld,"
			"\"bytes\":%lld,\"migrated_bytes\":%lld}\n",
			(long long)s->all, (long long)s->done, (long long)s->errored, (long long)(s->all - s->done),
			(long long)s->rows, (long long)s->rejected, (long long)s->all_bytes, (long long)s->done_bytes);
		return;
	}
	fprintf(out, "Total      %lld\nMigrated   %lld\nErrored    %lld\nRemaining  %lld\n", (long long)s->all,
		(long long)s->done, (long long)s->errored, (long long)(s->all - s->done));
	fprintf(out, "Rows       %lld\nRejected   %lld\nBytes      %lld of about %lld\n", (long long)s->rows,
		(long long)s->rejected, (long long)s->done_bytes, (long long)s->all_bytes);
}

static void put(struct arena *a, struct json *v, const char *key, const char *text)
{
	json_sets(a, v, key, text ? json_str(text) : json_null);
}

static void list_json(const struct cmd_context *c, const struct tables_row *r)
{
	struct arena *a = c->arena;
	struct json v = json_object();
	put(a, &v, "schema", r->source_schema);
	put(a, &v, "table", r->source);
	put(a, &v, "target_schema", r->target_schema);
	put(a, &v, "target", r->target);
	json_sets(a, &v, "part", json_int(a, r->part));
	json_sets(a, &v, "parts", json_int(a, r->parts));
	put(a, &v, "date", r->date);
	put(a, &v, "status", r->status);
	put(a, &v, "error", r->error);
	json_sets(a, &v, "estimated_rows", json_int(a, r->rows));
	json_sets(a, &v, "estimated_bytes", json_int(a, r->bytes));
	json_sets(a, &v, "rows", json_int(a, r->copied));
	json_sets(a, &v, "rejected", json_int(a, r->rejected));
	put(a, &v, "started", r->started);
	put(a, &v, "ended", r->ended);
	print_json_line(c, &v);
}

static void list_one(void *ctx, const struct tables_row *r)
{
	const struct sums *s = ctx;
	FILE *out = s->c->out;
	if (s->c->global->format == FORMAT_JSON) {
		list_json(s->c, r);
		return;
	}
	fprintf(out, "%-8s %-10s ", r->status, r->date ? r->date : "");
	print_text(s->c, slice_of(r->source));
	if (r->parts > 1)
		fprintf(out, " (part %lld of %lld)", (long long)r->part, (long long)r->parts);
	fputs(" -> ", out);
	print_text(s->c, slice_of(r->target));
	if (strcmp(r->status, "done") == 0)
		fprintf(out, "  %lld rows, %.1f s", (long long)r->copied, (double)r->micros / 1e6);
	if (r->rejected)
		fprintf(out, ", %lld rejected", (long long)r->rejected);
	if (r->error) {
		fputs("  ", out);
		print_text(s->c, slice_of(r->error));
	}
	fputc('\n', out);
}

static int run(struct cmd_context *c, struct err *err)
{
	const struct options *o = c->options;
	const char *what = c->argc > 1 ? c->argv[1] : "stats";
	struct sums sums = {.c = c};
	struct tables_env env;
	struct tables_status_options all = {0}, some = {o->start, o->end, o->migrated, o->errored};
	int list = strcmp(what, "list") == 0 || strcmp(what, "list_tables") == 0;
	if (!list && strcmp(what, "stats") != 0)
		return err_set(err, ERR_USAGE, "tables status wants stats or list, not \"%s\"", what);
	int rc = cmd_tables_env(c, &env, err);
	if (rc == 0)
		rc = tables_status(&env, list ? &some : &all, list ? list_one : add, &sums, err);
	if (rc == 0 && !list)
		put_stats(&sums);
	return rc;
}

const struct command cmd_tables_status = {
    .name = "tables status",
    .arguments = "MANIFEST [stats|list]",
    .summary = "say how far a migration of tables is",
    .help = "stats: sums over the manifest. list: each table or part. May run at any time; it writes nothing.",
    .min_args = 1,
    .max_args = 2,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
