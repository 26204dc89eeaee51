#include "config.h"

#include "cmd/print.h"
#include "cmd/snapshots.h"

struct options {
	const char *dir, *key, *name, *to, *mask;
	int64_t jobs;
	struct option_list recipients, exclude;
};

#define FIELD(field) offsetof(struct options, field)

static const struct option_spec table[] = {
    SNAPSHOTS_DIR_OPTION(struct options),
    SNAPSHOTS_KEY_OPTION(struct options),
    SNAPSHOTS_RECIPIENT_OPTION(struct options),
    {.name = "to", .kind = OPT_TEXT, .argument = "DIR", .help = "where the copy goes", .offset = FIELD(to)},
    {.name = "name",
     .kind = OPT_TEXT,
     .argument = "NAME",
     .help = "of the copy; default " SNAPSHOT_FOR_COPY,
     .offset = FIELD(name)},
    {.name = "exclude-table",
     .kind = OPT_LIST,
     .argument = "TABLE",
     .help = "rows of this table do not travel; several with commas, or given again",
     .offset = FIELD(exclude)},
    {.name = "mask",
     .kind = OPT_TEXT,
     .argument = "FILE",
     .help = "columns that do not travel as they are: a JSON object, \"table.column\" to null, \"hash\" or "
	     "{\"value\": \"text\"}",
     .offset = FIELD(mask)},
    SNAPSHOTS_JOBS_OPTION(struct options),
    {.name = NULL},
};

static int run(struct cmd_context *c, struct err *err)
{
	const struct options *o = c->options;
	struct snapshot_env env = snapshots_env(c, o->dir, o->key);
	struct snapshot_copy_options options = {
	    .name = o->name,
	    .to = o->to,
	    .recipients = snapshots_words(c, &o->recipients),
	    .exclude = snapshots_words(c, &o->exclude),
	    .mask = o->mask,
	};
	struct slice path;
	env.jobs = snapshots_jobs(o->jobs);
	if (!o->to)
		return err_set(err, ERR_USAGE, "where does the copy go? give --to DIR");
	int rc = snapshot_copy(&env, c->argv[0], &options, c->arena, &path, err);
	if (rc)
		return snapshots_named(err);
	if (c->global->format == FORMAT_JSON) {
		struct json v = json_object();
		json_sets(c->arena, &v, "path", json_string(path));
		print_json_line(c, &v);
	} else {
		fprintf(c->out, "copy       %.*s\n", SLICE_ARG(path));
	}
	return 0;
}

const struct command cmd_snapshot_copy = {
    .name = "snapshot copy",
    .arguments = "NAME",
    .summary = "a copy of a snapshot for another environment, under another key",
    .help =
	"Always under the same name, in the place of the copy that was there. With --exclude-table or --mask the copy "
	"holds no state files and no large objects; a hash is keyed with a secret that is forgotten, so equal values "
	"stay equal and nobody can find them by trying. Of a PostgreSQL snapshot such a copy is made through a "
	"database "
	"beside the one that --target names, which is dropped whatever happens (after a kill by the next such "
	"`snapshot "
	"copy`, or `snapshot prune`).",
    .needs = MAY_TARGET | NEED_STATE,
    .min_args = 1,
    .max_args = 1,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
