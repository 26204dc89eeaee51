/* pg_tools: pg_dump and pg_restore of whole databases, with their progress. Private to src/snapshot. Errors: ERR_TARGET
 * in their own words, ERR_STOPPED. Threads: the main thread. */
#ifndef SETTLE_SNAPSHOT_PG_TOOLS_H
#define SETTLE_SNAPSHOT_PG_TOOLS_H

#include "snapshot/files.h"
#include "snapshot/snapshot.h"

#define PG_TOOLS_EXTRA_MOST 8 /* arguments */

struct pg_tool_call {
	const struct snapshot_env *env; /* target, jobs */
	const char *database;           /* NULL: the one that the target's URL names */
	const char *dir;                /* of pg_dump's directory format */
	const char *extra[PG_TOOLS_EXTRA_MOST + 1];
	struct meter *meter;
	int no_detail; /* as spawn.h says */
};

/* ERR_TARGET when pg_dump is older than the server; *line = what it says of itself, *major may be NULL. */
MUST_CHECK int pg_dump_check(int64_t server_version, struct slice server, struct arena *a, struct slice *line,
			     int *major, struct err *err);
/* ERR_TARGET when pg_restore is older than the pg_dump that said made_by of itself. */
MUST_CHECK int pg_restore_check(struct slice made_by, struct arena *a, struct err *err);
/* Into dir, which is made; not flushed to the disk. */
MUST_CHECK int pg_dump_run(const struct pg_tool_call *c, struct arena *a, struct err *err);
MUST_CHECK int pg_restore_run(const struct pg_tool_call *c, struct arena *a, struct err *err);

#endif
