#include "config.h"

#include "cmd/print.h"
#include "cmd/snapshots.h"

struct options {
	const char *name, *to;
	int method, terminate;
	int64_t jobs;
	struct option_list recipients;
};

#define FIELD(field) offsetof(struct options, field)

static const struct option_spec table[] = {
    {.name = "name",
     .kind = OPT_TEXT,
     .argument = "NAME",
     .help = "default pre-migration-DOMAIN-YYYYMMDDHHMM",
     .offset = FIELD(name)},
    {.name = "to",
     .kind = OPT_TEXT,
     .argument = "DIR",
     .help = "where the snapshot goes; default STATE_DIR/snapshots",
     .offset = FIELD(to)},
    {.name = "method",
     .kind = OPT_CHOICE,
     .argument = "dump|template",
     .help = "dump: files (the default); template: a copy of the database inside the same PostgreSQL server",
     .offset = FIELD(method)},
    SNAPSHOTS_RECIPIENT_OPTION(struct options),
    SNAPSHOTS_JOBS_OPTION(struct options),
    {.name = "terminate", .kind = OPT_FLAG, .help = "end the clients that are in the way", .offset = FIELD(terminate)},
    {.name = NULL},
};

static int run(struct cmd_context *c, struct err *err)
{
	const struct options *o = c->options;
	struct snapshot_env env = snapshots_env(c, o->to, NULL);
	struct snapshot_create_options options = {
	    .name = o->name,
	    .method = o->method ? SNAPSHOT_TEMPLATE : SNAPSHOT_DUMP,
	    .recipients = snapshots_words(c, &o->recipients),
	    .terminate = o->terminate,
	};
	struct snapshot_info made;
	struct slice path;
	env.domain = c->argc ? slice_of(c->argv[0]) : SLICE_NONE;
	env.jobs = snapshots_jobs(o->jobs);
	if (snapshot_create(&env, &options, c->arena, &path, err))
		return err->code;
	struct slice whole = arena_printf(c->arena, "%s%.*s", path.ptr[0] == '/' ? "" : "./", SLICE_ARG(path));
	if (snapshot_show(&env, whole.ptr, c->arena, &made, err))
		return err->code;
	if (snapshots_note(c, &made, env.domain, "snapshot", err))
		return err->code;
	if (c->global->format == FORMAT_JSON) {
		struct json v = snapshots_to_json(c, &made);
		print_json_line(c, &v);
		return 0;
	}
	struct slice size = snapshots_size(c, made.bytes);
	fprintf(c->out, "snapshot   %.*s\n", SLICE_ARG(path));
	fprintf(c->out, "holds      %lld tables, %lld rows, %.*s%s\n", (long long)made.tables, (long long)made.rows,
		SLICE_ARG(size), made.encrypted ? ", encrypted" : "");
	struct slice name = snapshots_word(c, made.name), dir = snapshots_dir_words(c, o->to);
	fprintf(c->out, "back to it settle snapshot restore %.*s%.*s%s\n", SLICE_ARG(name), SLICE_ARG(dir),
		made.encrypted ? " --key FILE" : "");
	return 0;
}

const struct command cmd_snapshot_create = {
    .name = "snapshot create",
    .arguments = "[DOMAIN]",
    .summary = "keep the target as it is now, with the state files of its migrations",
    .help =
	"The whole target: PostgreSQL by pg_dump, SQLite by its backup. DOMAIN is for the name only. With --recipient "
	"every file is encrypted; pg_dump's plain files lie in a directory that nobody else may read until then, and "
	"are removed whatever happens (after a kill or power failure by the next `snapshot create`, `copy` or "
	"`prune`).",
    .needs = NEED_TARGET | NEED_STATE,
    .min_args = 0,
    .max_args = 1,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
