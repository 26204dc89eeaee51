/*
 * csv: differences as comma-separated values (RFC 4180): a field is quoted when it must be, values are JSON text, an
 * absent side is an empty field. Threads: main thread.
 */
#ifndef SETTLE_CMD_CSV_H
#define SETTLE_CMD_CSV_H

#include "cmd/cmd.h"
#include "diff/diff.h"

struct csv_doc {
	struct slice kind, id, user_id, server_date;
};

void csv_head(const struct cmd_context *c);
/* One line; reason is the difference's, or the rule that drops it. */
void csv_diff(const struct cmd_context *c, const struct csv_doc *doc, const struct diff *d, struct slice reason);

#endif
