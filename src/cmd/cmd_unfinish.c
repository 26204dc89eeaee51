#include "config.h"

#include "cmd/context.h"
#include "cmd/print.h"
#include "cmd/snapshots.h"

static int run(struct cmd_context *c, struct err *err)
{
	struct migrate_env env = cmd_env(c);
	int rc = snapshots_idle(c, err);
	if (rc == 0)
		rc = migrate_unfinish(&env, err);
	if (rc == 0)
		print_status(c, "live");
	return rc;
}

const struct command cmd_unfinish = {
    .name = "unfinish",
    .arguments = "DOMAIN",
    .summary = "go back from in-progress to live",
    .help = "For a migration that was live: its source may be written to again.",
    .needs = MAY_SOURCE | NEED_TARGET | NEED_DOMAIN | NEED_STATE | NEED_PROFILE,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
