/*
 * losing: the bodies of losing revisions (decision 22). A feed names them only; a server is asked for each, before the
 * batch's transaction. What cannot be had - a recorded feed has none, a body may be larger than --max-doc, or gone - is
 * not brought over and counted as such. Private to src/migrate. Threads: a batch's worker.
 */
#ifndef SETTLE_MIGRATE_LOSING_H
#define SETTLE_MIGRATE_LOSING_H

#include "migrate/run.h"

/* Is this a document whose losing revisions are kept? */
int losing_wanted(const struct batch_doc *d);
/* Fills `losing` of the batch's documents; the bodies live in its arena. The batch is prepared. */
MUST_CHECK int losing_fetch(struct run *r, struct batch *b, struct err *err);

#endif
