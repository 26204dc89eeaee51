/*
 * scan: looks for missing documents: those that the source has, that are of this domain, and that SQL does not hold. Streams of ids in
 * byte order are merged: the source's, the keys of forms, cases and documents in the target, and what the state file knows (ids of other
 * domains, rejects, cases that wait to be compared, documents marked missing). Nothing of it is held in memory but a page of each.
 *
 * A case whose comparison found no SQL case is missing already, and stays so: the scan asks the same question. A reject is not missing.
 * Where the scan has come to is committed to the state file with what it found, every second; a later scan goes on from there. Private
 * to src/migrate. Threads: the main thread, while no pass runs; source and target are read by threads of their own (id_reader.h).
 */
#ifndef SETTLE_MIGRATE_SCAN_H
#define SETTLE_MIGRATE_SCAN_H

#include "migrate/session.h"

MUST_CHECK int run_scan(struct run *r, struct err *err);
/* Takes the mark from documents that SQL holds by now, or the source no more (recheck.c). */
MUST_CHECK int run_recheck(struct run *r, struct err *err);
/* The next scan begins anew. */
MUST_CHECK int scan_forget(struct run *r, struct err *err);

#endif
