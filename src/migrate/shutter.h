/*
 * shutter: with --shutter the source refuses writes to the domain while its migration is finished and after. A design document with a
 * validate_doc_update function is put into the source database and taken away again by unfinish and reset; the status is published in
 * `_local/settle-DOMAIN`, which applications can read. The only writes settle ever does to a source (promise 6).
 * https://docs.couchdb.org/en/stable/ddocs/ddocs.html#validate-document-update-functions
 * Threads: the main thread.
 */
#ifndef SETTLE_MIGRATE_SHUTTER_H
#define SETTLE_MIGRATE_SHUTTER_H

#include "migrate/session.h"

/* Closes the source for the domain and remembers that in the state file. ERR_USAGE for a recorded feed. */
MUST_CHECK int shutter_close(struct run *r, struct err *err);
/* Remembers that this migration, which begins, has closed nothing. */
MUST_CHECK int shutter_none(struct run *r, struct err *err);
/* Opens it again if it was closed; a state file that does not know (it was lost) asks the source. ERR_USAGE when it was
 * and no source is given. */
MUST_CHECK int shutter_open(struct run *r, struct err *err);
/* Publishes the status where the shutter is or was closed in this migration; elsewhere nothing. */
MUST_CHECK int shutter_publish(struct run *r, enum life_status status, struct err *err);
/* The validate function for a domain; domain_field SLICE_NONE: every document. Text in the arena. Pure. */
struct slice shutter_function(struct slice domain_field, struct slice domain, struct arena *a);

#endif
