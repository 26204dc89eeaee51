/*
 * fetch: the feed cut into batches. Owns the feed handle and reconnecting: a connection that breaks is taken up again
 * after the last sequence seen, with backoff, until the source has answered nothing for some minutes; nothing is lost
 * because batches overlap at most.
 *
 * Threads: the producer thread of the pipeline.
 */
#ifndef SETTLE_MIGRATE_FETCH_H
#define SETTLE_MIGRATE_FETCH_H

#include "migrate/batch.h"

struct fetch_options {
	struct couch_options couch;
	struct couch_feed_options feed;
	size_t batch_bytes;
	size_t batch_docs;
	int64_t limit;   /* rows in all, 0 = none */
	double max_rate; /* rows a second, 0 = no limit; a server is then asked in small pages (pace.h) */
	struct log *log;
	/* Asked whenever a feed that was opened, or opened again, has answered: is it the database that it was? An
	 * error ends the reading. NULL = it is not asked. A sequence of a database that was deleted and made anew is
	 * taken by CouchDB, and means its beginning. */
	int (*same)(void *context, struct err *err);
	void *context;
	int tries;            /* without any answer, then it gives up; 0 = 20 */
	int first_backoff_ms; /* doubled with each try, up to 16 s; 0 = 250 */
};

struct fetch;

MUST_CHECK int fetch_open(struct fetch **out, const struct fetch_options *o, struct err *err);
/* The next batch, or NULL at the end of the feed. The caller owns it. Of a continuous feed a batch holds what is there
 * without waiting (at least one row, or none when a heartbeat came). The last batch of a feed may be empty: it carries
 * the feed's last_seq. */
MUST_CHECK int fetch_next(struct fetch *f, struct batch **out, struct err *err);
/* Continuous feed: is more there without waiting? */
int fetch_ready(const struct fetch *f);
/* For progress: bytes read and in all (-1 unknown), as the source counts them. Safe from any thread. */
void fetch_progress(const struct fetch *f, int64_t *done, int64_t *total);
void fetch_close(struct fetch *f);

#endif
