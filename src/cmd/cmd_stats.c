#include "config.h"

#include "base/clock.h"
#include "cmd/print.h"
#include "cmd/stats_detail.h"

#define WATCH_MS 2000

struct options {
	int verbose, watch;
};

static const struct option_spec table[] = {
    {.name = "verbose",
     .kind = OPT_FLAG,
     .help = "also what each rule ignored, how many documents hold ledgers or a key twice, and the missing documents, "
	     "rejects with their reasons, and losing revisions",
     .offset = offsetof(struct options, verbose)},
    {.name = "watch",
     .kind = OPT_FLAG,
     .help = "print again every two seconds, until Ctrl-C",
     .offset = offsetof(struct options, watch)},
    {.name = NULL},
};

/* The object stays open for what follows one by one. */
static int print_json_stats(struct cmd_context *c, const struct migrate_stats *stats, int verbose, struct arena *a,
			    struct err *err)
{
	struct json v = stats_to_json(stats, a);
	struct slice text = json_to_text(&v, JSON_PLAIN, a);
	int rc = 0;
	fwrite(text.ptr, 1, text.len - 1, c->out);
	if (verbose)
		rc = print_stats_detail(c, err);
	fputs("}\n", c->out);
	return rc;
}

static int print_once(struct cmd_context *c, const struct options *o, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct migrate_env env = cmd_env(c);
	struct migrate_stats stats;
	int rc = migrate_stats(&env, &a, &stats, err);
	int verbose = o->verbose || c->global->verbose;
	if (rc == 0 && c->global->format == FORMAT_JSON) {
		rc = print_json_stats(c, &stats, verbose, &a, err);
	} else if (rc == 0) {
		print_stats(c, &stats, verbose ? STATS_VERBOSE : 0u);
		if (verbose)
			rc = print_stats_detail(c, err);
	}
	fflush(c->out);
	arena_release(&a);
	return rc;
}

static int keep_watching(const struct cmd_context *c)
{
	for (int waited = 0; waited < WATCH_MS; waited += 100) {
		if (atomic_load(c->stop) || ferror(c->out))
			return 0;
		clock_sleep_ms(100);
	}
	return 1;
}

static int run(struct cmd_context *c, struct err *err)
{
	const struct options *o = c->options;
	int rc = print_once(c, o, err);
	while (rc == 0 && o->watch && keep_watching(c)) {
		if (c->terminal && c->global->format == FORMAT_TEXT)
			fputs("\033[H\033[2J", c->out);
		rc = print_once(c, o, err);
	}
	return rc;
}

const struct command cmd_stats = {
    .name = "stats",
    .arguments = "DOMAIN",
    .summary = "status, and documents, differences, missing ones and changes per kind",
    .help = "Zero prints blank. Counts are documents, not differences. May run at any time; it writes nothing.",
    .needs = MAY_SOURCE | NEED_TARGET | NEED_DOMAIN | NEED_STATE | NEED_PROFILE,
    .min_args = 1,
    .max_args = 1,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
