/*
 * stats_detail: what `stats --verbose` adds: missing documents, rejects with their reasons, losing revisions. Read page by page.
 * Threads: main thread.
 */
#ifndef SETTLE_CMD_STATS_DETAIL_H
#define SETTLE_CMD_STATS_DETAIL_H

#include "cmd/cmd.h"

MUST_CHECK int print_stats_detail(struct cmd_context *c, struct err *err);
/* The same as members "missing", "rejects" and "conflicting" of the object. */
MUST_CHECK int add_stats_detail(struct cmd_context *c, struct arena *a, struct json *v, struct err *err);

#endif
