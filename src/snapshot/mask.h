/*
 * mask: what must not travel with a copy: rows of whole tables, and columns. A mask file is a JSON object
 * {"table.column": null | "hash" | {"value": "text"}}. A hash (SQLite: keyed BLAKE2b, PostgreSQL: HMAC-SHA-256, in hex)
 * is keyed with a secret of this one copy, which is forgotten: equal values stay equal, and nobody can find them by
 * trying. NULL stays NULL. No trigger sees the change. What is computed from the data (generated columns, indexes,
 * materialized views) is computed anew; statistics that hold values, and PostgreSQL's large objects, stay behind.
 * Definitions (defaults, checks, views, functions, comments) travel as they are. Private to src/snapshot. Threads: the
 * main thread.
 */
#ifndef SETTLE_SNAPSHOT_MASK_H
#define SETTLE_SNAPSHOT_MASK_H

#include "snapshot/workshop.h"

#include <sodium.h>

enum mask_how { MASK_NULL, MASK_HASH, MASK_VALUE };

struct mask_column {
	struct slice table, column, value;
	enum mask_how how;
};
struct mask { /* ARENA_PUSH */
	struct mask_column *v;
	size_t n, cap;
	struct snapshot_texts exclude;
	struct json excluded_json, masked_json; /* for the manifest: names, no values */
	unsigned char secret[crypto_generichash_KEYBYTES];
};

/* ERR_USAGE names what is wrong with the file. */
MUST_CHECK int mask_read(const struct snapshot_copy_options *o, struct arena *a, struct mask *out, struct err *err);
int mask_any(const struct mask *m);
/* Changes the plain target.db in this directory, so that no byte of what goes is left in it; m->tables are counted
 * anew. ERR_USAGE for tables and columns that are not there. */
MUST_CHECK int mask_sqlite(const struct mask *mask, const char *dir, struct manifest *m, struct arena *a,
			   struct err *err);
/*
 * Makes .plain/dump in the workshop of the plain dump in `from`, through a database of the target's server, which is
 * gone afterwards; m->tables are counted anew, and server and tool are those of the new dump. ERR_USAGE as above, and
 * for what cannot be masked so; ERR_TARGET when keys do not hold any more.
 */
MUST_CHECK int mask_pg(const struct mask *mask, struct workshop *w, const char *from, struct manifest *m,
		       struct meter *meter, struct err *err);

#endif
