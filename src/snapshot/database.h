/*
 * database: what a snapshot needs to know of a PostgreSQL database and cannot have from a dump (owner, locale, grants,
 * comment, settings, rows of each table), and the few things done to whole databases. Private to src/snapshot. Errors:
 * ERR_TARGET; ERR_STATE for clients in the way and counts that differ. Threads: the main thread.
 */
#ifndef SETTLE_SNAPSHOT_DATABASE_H
#define SETTLE_SNAPSHOT_DATABASE_H

#include "snapshot/link.h"
#include "snapshot/manifest.h"

#define DATABASE_NAME_MOST 63
#define DATABASE_PATIENCE_MS 5000 /* as long as PostgreSQL waits before it says that others are using a database */

/* A connection to a database of the server that is not the target's. */
MUST_CHECK int database_server_link(struct link **out, const struct url *url, struct err *err);

/* {"owner","encoding","collate","ctype",...,"grants":[..]|null,"settings":[..]} and the names of roles. */
MUST_CHECK int database_describe(struct link *l, struct arena *a, struct json *properties, struct json *roles,
				 struct err *err);
MUST_CHECK int database_exists(struct link *l, struct slice name, int *yes, struct err *err);
/* from NULL: empty. As the properties say. */
MUST_CHECK int database_create(struct link *l, struct slice name, const struct json *properties, const char *from,
			       struct err *err);
MUST_CHECK int database_drop(struct link *l, struct slice name, struct err *err);
/* Only its owner may connect. */
MUST_CHECK int database_make_private(struct link *l, struct slice name, struct err *err);
/* Grants, comment, settings, limit of connections; idempotent. */
MUST_CHECK int database_apply(struct link *l, struct slice name, const struct json *properties, struct err *err);
/* Which of these roles are not there: "a, b", or SLICE_NONE. */
MUST_CHECK int database_missing_roles(struct link *l, const struct json *roles, struct arena *a, struct slice *out,
				      struct err *err);

/*
 * A line for each client connected, or SLICE_NONE. The server notices only after a moment that a client has gone: none
 * is listed that goes within patience_ms, nor of this process's own.
 */
MUST_CHECK int database_clients(struct link *l, struct slice name, int patience_ms, struct arena *a, struct slice *out,
				struct err *err);
/* ERR_STATE when a migration runs there (its session holds an advisory lock), and does not end within
 * DATABASE_PATIENCE_MS. */
MUST_CHECK int database_no_migration(struct link *l, struct slice name, struct arena *a, struct err *err);
MUST_CHECK int database_terminate(struct link *l, struct slice name, struct err *err);
/* Drops one of settle's own making, if it is there: a pg_restore whose settle was killed may still be in it. */
MUST_CHECK int database_end(struct link *l, struct slice name, struct err *err);
/* ERR_STATE that names the clients and the way out. */
int database_refuse_clients(struct slice name, struct slice clients, struct err *err);

/* Rows of every table that a dump holds. */
MUST_CHECK int database_count(struct link *l, struct meter *m, struct arena *a, struct manifest_tables *out,
			      struct err *err);
/* ERR_STATE names the first table that differs. */
MUST_CHECK int counts_compare(const struct manifest_tables *wanted, const struct manifest_tables *have,
			      struct err *err);

#endif
