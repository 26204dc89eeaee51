/*
 * mask: what must not travel with a copy: rows of whole tables, and columns. A mask file is a JSON object
 * {"table.column": null | "hash" | {"value": "text"}}. A hash is keyed with a secret of this one copy, which is
 * forgotten: equal values stay equal, and nobody can find them by trying. Private to src/snapshot. Threads: the main
 * thread.
 */
#ifndef SETTLE_SNAPSHOT_MASK_H
#define SETTLE_SNAPSHOT_MASK_H

#include "snapshot/origin.h"

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

#endif
