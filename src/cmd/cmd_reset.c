#include "config.h"

#include "cmd/ask.h"
#include "cmd/context.h"
#include "cmd/print.h"
#include "cmd/snapshots.h"

static int run(struct cmd_context *c, struct err *err)
{
	struct migrate_env env = cmd_env(c);
	if (snapshots_idle(c, err) || migrate_may_reset(&env, err))
		return err->code;
	snapshots_advise(c, "instead of deleting, the whole target can go back to its latest snapshot");
	struct slice question = arena_printf(c->arena, "Delete all rows of %.*s from %s, and what settle knows of it?",
					     SLICE_ARG(c->domain), c->target.shown);
	int rc = cmd_ask(c, question.ptr, err);
	if (rc == 0)
		rc = migrate_reset(&env, err);
	if (rc == 0)
		print_status(c, "not-started");
	return rc;
}

const struct command cmd_reset = {
    .name = "reset",
    .arguments = "DOMAIN",
    .summary = "begin again: delete the domain's rows and state",
    .help = "Asks first (--yes answers). The audit trail stays. A complete migration cannot be reset.",
    .needs = MAY_SOURCE | NEED_TARGET | NEED_DOMAIN | NEED_STATE | NEED_PROFILE,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
