/*
 * id_reader: ids in byte order, read in a thread of their own, so that source and target work while ids are compared. Owns the thread,
 * a server's connection and a bounded queue of pages. Private to src/migrate. Threads: one thread at a time calls; the reader's own
 * thread touches nothing of the run but the target it was given, in its turn.
 */
#ifndef SETTLE_MIGRATE_ID_READER_H
#define SETTLE_MIGRATE_ID_READER_H

#include "base/arena.h"
#include "couch/couch.h"
#include "sql/target.h"

#include <pthread.h>

struct id_page {
	struct arena arena; /* of the ids */
	struct slice *ids;  /* in byte order, behind those of the page before */
	size_t n;
	int disorder;  /* the id behind them is not in byte order: nothing follows */
	int64_t total; /* documents as the server counts them, or -1 */
	int rc;        /* what broke behind them (err tells), ERR_STOPPED too: nothing follows */
	struct err err;
};

void id_page_free(struct id_page *p); /* NULL allowed */

struct id_reader;

struct id_keys { /* keys of a table; what it points to outlives the reader */
	struct sql_target *target;
	pthread_mutex_t *turn; /* held while target is used, which others may share */
	const struct sql_table *table;
	struct slice domain;
};

/* Each begins behind `after` (empty: with the first). */
MUST_CHECK int id_reader_keys(struct id_reader **out, const struct id_keys *keys, struct slice after, struct err *err);
/* A server's list. o is copied, what it points to outlives the reader; o->stop is not asked (id_reader_next's
 * `stop` is). */
MUST_CHECK int id_reader_server(struct id_reader **out, const struct couch_options *o, struct slice after, struct err *err);
/* The next page, which is the caller's. One without ids, disorder and error is the end; after any that nothing follows, there is none to
 * be asked for. Waits; once *stop (may be NULL) is set, a page with ERR_STOPPED comes soon. */
struct id_page *id_reader_next(struct id_reader *r, const atomic_int *stop);
/* Ends the thread, whatever it does. NULL allowed. */
void id_reader_close(struct id_reader *r);

#endif
