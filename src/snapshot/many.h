/* many: the same work for each of many files, by several threads. Private to src/snapshot. */
#ifndef SETTLE_SNAPSHOT_MANY_H
#define SETTLE_SNAPSHOT_MANY_H

#include "base/arena.h"
#include "base/err.h"

#include <stddef.h>

/* Work on number i; a is the thread's own, and forgotten afterwards. Called from several threads at once. */
typedef int many_fn(void *ctx, size_t i, struct arena *a, struct err *err);

/* For each of 0 .. n - 1, in about that order. After an error nothing more is begun, and that error is the result. */
MUST_CHECK int many_do(int threads, size_t n, many_fn *fn, void *ctx, struct err *err);

#endif
