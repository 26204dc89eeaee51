/*
 * without: what stays in the source because the user said so (promise 4). The migration's settings hold it, so that
 * every later command knows. It is counted all the same, and keeps no run from being clean. Private to src/migrate.
 * Threads: reentrant.
 */
#ifndef SETTLE_MIGRATE_WITHOUT_H
#define SETTLE_MIGRATE_WITHOUT_H

#include "migrate/migrate.h"

/* The same from a migration's settings (JSON text or SLICE_NONE). */
unsigned without_of_settings(struct slice settings, struct arena *a);
/* ["attachments","conflicts"], as settings hold it and the trail tells it. */
struct json without_json(unsigned without, struct arena *a);

#endif
