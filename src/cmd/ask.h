/* ask: the questions a command may ask. They go to stderr; answers are read from stdin, a terminal or not. Threads:
 * main thread. */
#ifndef SETTLE_CMD_ASK_H
#define SETTLE_CMD_ASK_H

#include "cmd/cmd.h"

/* 1 when the answer is the word yes (--yes answers it), 0 when it is anything else, -1 (ERR_USAGE) when stdin ends
 * without one. */
MUST_CHECK int cmd_answer(struct cmd_context *c, const char *question, struct err *err);
/* 0 when the answer is yes; ERR_STOPPED when it is anything else, ERR_USAGE when there is none. */
MUST_CHECK int cmd_ask(struct cmd_context *c, const char *question, struct err *err);

#endif
