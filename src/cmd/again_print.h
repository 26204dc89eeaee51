/*
 * again_print: what commands that compare again put on stdout. Threads: main thread.
 */
#ifndef SETTLE_CMD_AGAIN_PRINT_H
#define SETTLE_CMD_AGAIN_PRINT_H

#include "cmd/print.h"
#include "migrate/again.h"

/* As `diff show` prints stored ones. ctx is the cmd_context. */
int again_print_found(void *ctx, const struct again_doc *d, struct err *err);
/* Text: one line with how many were compared and what they are. JSON, when it was recorded: an object. */
void again_print_result(struct cmd_context *c, const struct again_result *r, const char *what);

#endif
