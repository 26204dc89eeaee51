/*
 * context: makes what a command's needs say of the options: URLs, secrets, state directory, domain, profile, colour.
 * Threads: main thread.
 */
#ifndef SETTLE_CMD_CONTEXT_H
#define SETTLE_CMD_CONTEXT_H

#include "cmd/cmd.h"

/* c->global, argc, argv, arena, log, out are set. ERR_USAGE names what is missing. */
MUST_CHECK int context_open(struct cmd_context *c, const struct command *command, struct err *err);
/* Warns when --kind names one that the profile does not list, so that it has no rules; NULL: not given. */
void warn_of_kind(const struct cmd_context *c, const char *kind);
/* The directory and those above it, 0700. */
MUST_CHECK int make_directory(const char *path, struct err *err);

#endif
