/*
 * What the commands `settle tables ...` share: both ends from the options, lines to stdout and stderr, questions.
 * Threads: main thread.
 */
#ifndef SETTLE_CMD_CMD_TABLES_H
#define SETTLE_CMD_CMD_TABLES_H

#include "cmd/cmd.h"
#include "tables/tables.h"

/* The manifest is the last argument. Ends that are not given stay NULL: the manifest knows them. ERR_USAGE names what
 * is wrong. */
MUST_CHECK int cmd_tables_env(struct cmd_context *c, struct tables_env *out, struct err *err);

#endif
