/* ask: the one question a command may ask. Threads: main thread. */
#ifndef SETTLE_CMD_ASK_H
#define SETTLE_CMD_ASK_H

#include "cmd/cmd.h"

/* 0 when the answer is yes (--yes answers it). ERR_USAGE when nobody is there to answer; ERR_STOPPED when the answer is anything else. The
 * question goes to stderr. */
MUST_CHECK int cmd_ask(struct cmd_context *c, struct err *err, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
