/* What a server's words say that its SQLSTATE does not. No state, no ownership, any thread. */
#ifndef SETTLE_SQL_PG_STATE_H
#define SETTLE_SQL_PG_STATE_H

#include <string.h>

/*
 * A connection writes down what it has read of the catalogs, for those that come later; where it has no room for that
 * it ends. Servers before PostgreSQL 17 give no SQLSTATE of a full disk for it, and libpq none at all while it
 * connects. Borrows both, returns one.
 */
static inline const char *pg_state_of(const char *sqlstate, const char *text)
{
	return strstr(text, "could not write init file") ? "53100" : sqlstate;
}

#endif
