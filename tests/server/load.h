/* load: a recorded changes feed into a database. Threads: one. */
#ifndef SETTLE_TESTS_LOAD_H
#define SETTLE_TESTS_LOAD_H

#include "base/err.h"
#include "tests/server/edit.h"

/*
 * Normal (`{"results":[...`) or continuous form, plain or gzip. Revisions are kept; a row that names several becomes a
 * document with those leaves, of which all but the winner have no members (a feed does not show them); those that its
 * _conflicts does not list are deleted ones.
 * A document that is no JSON (fixtures/odd has some) is kept and shown as it is; an object that is no row is left out,
 * and stderr says so.
 */
MUST_CHECK int load_feed(struct editor *e, struct db *db, const char *path, struct err *err);

#endif
