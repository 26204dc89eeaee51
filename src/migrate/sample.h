/*
 * sample: a few documents of the source with the revisions that were read, to tell at the next run whether the source
 * was rolled back or swapped (decision 29): its sequences alone do not say, a foreign one is taken silently. Kept in
 * the state file. Threads: sample_note with the pipeline's turn; the rest in the main thread.
 */
#ifndef SETTLE_MIGRATE_SAMPLE_H
#define SETTLE_MIGRATE_SAMPLE_H

#include "migrate/session.h"

/* Remembers a document of this batch. Call inside the state file's transaction. */
MUST_CHECK int sample_note(struct run *r, const struct batch *b, struct err *err);
/* ERR_STATE when a remembered document has an older revision now, or never was, unless the source has purged documents
 * since. Servers only. */
MUST_CHECK int sample_check(struct run *r, struct err *err);

#endif
