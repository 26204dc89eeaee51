/* lite_internal: what the files of this room share. */
#ifndef SETTLE_LITE_INTERNAL_H
#define SETTLE_LITE_INTERNAL_H

#include "lite/lite.h"

#include <sqlite3.h>

struct lite {
	sqlite3 *db;
	struct lite_options options; /* path and what: copies in `memory` */
	struct arena memory;         /* lives as long as the connection; statements too */
	struct lite_stmt **slots;    /* hash table by the address of the SQL text; NULL = free */
	size_t slot_count;           /* a power of two, or 0 */
	size_t statements;
};

struct lite_stmt {
	struct lite *lite;
	sqlite3_stmt *stmt;
	const char *sql;
	int bind_rc; /* of the first bind that failed, told at the next step */
};

/* Turns the connection's last error into *err; returns the code. */
int lite_fail(struct lite *db, int rc, struct err *err);
void lite_finalize_all(struct lite *db);

#endif
