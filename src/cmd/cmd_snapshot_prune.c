#include "config.h"

#include "cmd/ask.h"
#include "cmd/print.h"
#include "cmd/snapshots.h"

struct options {
	const char *dir;
	int64_t keep, older_than;
	int dry_run;
};

#define FIELD(field) offsetof(struct options, field)

static const struct option_spec table[] = {
    SNAPSHOTS_DIR_OPTION(struct options),
    {.name = "keep",
     .kind = OPT_INT,
     .argument = "N",
     .least = 1,
     .help = "the newest N snapshots stay",
     .offset = FIELD(keep)},
    {.name = "older-than",
     .kind = OPT_INT,
     .argument = "DAYS",
     .least = 1,
     .help = "younger snapshots stay",
     .offset = FIELD(older_than)},
    {.name = "dry-run",
     .kind = OPT_FLAG,
     .help = "say what would happen; write nothing anywhere",
     .offset = FIELD(dry_run)},
    {.name = NULL},
};

static int run(struct cmd_context *c, struct err *err)
{
	const struct options *o = c->options;
	struct snapshot_env env = snapshots_env(c, o->dir, NULL);
	struct snapshot_prune_options options = {o->keep, o->older_than};
	struct snapshot_list list;
	int rc = snapshot_prune_plan(&env, &options, c->arena, &list, err);
	for (size_t i = 0; rc == 0 && i < list.n; i++) {
		struct json v = snapshots_to_json(c, &list.v[i]);
		if (c->global->format == FORMAT_JSON) {
			print_json_line(c, &v);
			continue;
		}
		fputs(o->dry_run ? "would remove  " : "remove  ", c->out);
		print_text(c, list.v[i].path);
		fputc('\n', c->out);
	}
	if (rc == 0 && list.n == 0 && c->global->format == FORMAT_TEXT)
		fputs("nothing to remove\n", c->out);
	if (rc || o->dry_run || list.n == 0)
		return rc;
	fflush(c->out);
	rc = cmd_ask(c, arena_printf(c->arena, "Remove %zu of them for good?", list.n).ptr, err);
	for (size_t i = 0; rc == 0 && i < list.n; i++)
		rc = snapshot_remove(&env, &list.v[i], err);
	return rc;
}

const struct command cmd_snapshot_prune = {
    .name = "snapshot prune",
    .arguments = "",
    .summary = "remove old snapshots, and what was left unfinished",
    .help =
	"With --keep and --older-than a snapshot goes when both say so; without either only leftovers go. Damaged ones "
	"stay for somebody to look at. Asks first (--yes answers).",
    .needs = MAY_TARGET | NEED_STATE,
    .max_args = 0,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
