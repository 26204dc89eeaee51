/*
 * selector: the part of CouchDB's selectors that a migration needs: equality (also nested, also "a.b"), $eq, $in,
 * $exists, $and, $or. Anything else is refused, never guessed. Threads: one.
 */
#ifndef SETTLE_TESTS_SELECTOR_H
#define SETTLE_TESTS_SELECTOR_H

#include "base/json.h"

/* 0, or -1 when it holds something this does not know. */
int selector_check(const struct json *selector);
/* 1 when the document matches. */
int selector_matches(const struct json *selector, const struct json *doc);

#endif
