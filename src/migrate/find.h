/*
 * find: documents of the source by their ids: asked for in bulk from a server, or picked out of one reading of a
 * recorded feed. Private to src/migrate. Threads: one at a time, while no pass reads the feed.
 */
#ifndef SETTLE_MIGRATE_FIND_H
#define SETTLE_MIGRATE_FIND_H

#include "migrate/session.h"

/* Is given batches of the documents that are there, not prepared yet; the batch stays the finder's. */
typedef int find_fn(void *ctx, struct batch *b, struct err *err);

enum find_result {
	FIND_ABSENT,    /* deleted, or not there */
	FIND_GIVEN,     /* to fn, perhaps twice */
	FIND_TOO_LARGE, /* larger than allowed: a warning names it */
};

/* found (n places, zeroed by the caller, or NULL): enum find_result of each id. ids are distinct. */
MUST_CHECK int find_documents(struct run *r, const struct slice *ids, size_t n, char *found, find_fn *fn, void *ctx, struct err *err);

/* After an error that another try may mend: waits, and says 1; 0 when it is none, or after too many tries. */
int find_again(struct run *r, int *tries, const struct err *err);

#endif
