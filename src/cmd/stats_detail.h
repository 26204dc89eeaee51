/*
 * stats_detail: what `stats --verbose` adds: missing documents, rejects with their reasons, losing revisions. Printed page by page: memory does
 * not grow with their number.
 * Threads: main thread.
 */
#ifndef SETTLE_CMD_STATS_DETAIL_H
#define SETTLE_CMD_STATS_DETAIL_H

#include "cmd/cmd.h"

/* Text: a section for each. JSON: the members "missing", "rejects" and "conflicting" of an object that is being printed, each led by a comma. */
MUST_CHECK int print_stats_detail(struct cmd_context *c, struct err *err);

#endif
