/*
 * prepare: what a row of the feed is, and what becomes of it: parsed, told by kind and domain, mapped to rows. Pure but for the arena.
 * A document that cannot be read or stored becomes a reject with its reason; nothing here fails.
 * Threads: reentrant per batch.
 */
#ifndef SETTLE_MIGRATE_PREPARE_H
#define SETTLE_MIGRATE_PREPARE_H

#include "base/utf8.h"
#include "migrate/batch.h"

void prepare_batch(const struct profile *profile, struct slice domain, struct batch *b);

#endif
