/*
 * idset: a set of hashes of ids, to ask whether two batches may share a document. Says yes too often (colliding hashes), never no
 * wrongly. Threads: one writer; readers once it is complete.
 */
#ifndef SETTLE_MIGRATE_IDSET_H
#define SETTLE_MIGRATE_IDSET_H

#include "base/slice.h"

#include <stdint.h>

struct idset {
	uint64_t *slots; /* private: open addressing, 0 = empty */
	size_t n, cap;
};

#define IDSET_INIT {0}

/* 1 when it was there already. */
int idset_add(struct idset *s, struct slice id);
int idset_has(const struct idset *s, struct slice id);
/* 1 when the two may have an id in common. */
int idset_meets(const struct idset *a, const struct idset *b);
void idset_release(struct idset *s);

#endif
