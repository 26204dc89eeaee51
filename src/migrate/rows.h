/*
 * rows: small helpers to build the rows that migrate itself writes (bookkeeping, children). Everything lives in the arena given.
 * Threads: reentrant.
 */
#ifndef SETTLE_MIGRATE_ROWS_H
#define SETTLE_MIGRATE_ROWS_H

#include "base/arena.h"
#include "sql/tables.h"
#include "sql/target.h"

/* A row of n NULL cells. */
struct sql_row row_new(struct arena *a, int n);
/* A row (or key tuple) of two cells. */
struct sql_row row_pair(struct arena *a, struct slice first, struct slice second);
struct slice row_int(struct arena *a, long long n);
long long row_to_int(struct slice cell); /* 0 when NULL or no integer */
struct slice row_bool(int truth);
int row_is_true(struct slice cell);

#endif
