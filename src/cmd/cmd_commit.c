#include "config.h"

#include "cmd/context.h"
#include "cmd/print.h"
#include "cmd/snapshots.h"

struct options {
	int accept_differences;
};

static const struct option_spec table[] = {
    {.name = "accept-differences",
     .kind = OPT_FLAG,
     .help = "commit although differences, missing documents or rejects are left",
     .offset = offsetof(struct options, accept_differences)},
    {.name = NULL},
};

static int run(struct cmd_context *c, struct err *err)
{
	const struct options *o = c->options;
	struct migrate_env env = cmd_env(c);
	int rc = snapshots_idle(c, err);
	if (rc == 0)
		rc = migrate_commit(&env, o->accept_differences, err);
	if (rc == 0)
		print_status(c, "complete");
	if (rc == 0)
		snapshots_advise(c, "the way back, should it be needed");
	return rc;
}

const struct command cmd_commit = {
    .name = "commit",
    .arguments = "DOMAIN",
    .summary = "complete a migration that is in progress",
    .help = "Reads the source once more from the checkpoint and refuses when anything of the domain has changed, and while "
	    "anything is left, unless --accept-differences is given. After it nothing of the domain is written any more.",
    .needs = NEED_SOURCE | NEED_TARGET | NEED_DOMAIN | NEED_STATE | NEED_PROFILE,
    .min_args = 1,
    .max_args = 1,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
