/*
 * id_stream: ids in byte order from anywhere, a page at a time. Private to src/migrate. Threads: one thread at a time (server and
 * target are read ahead by id_reader).
 */
#ifndef SETTLE_MIGRATE_ID_STREAM_H
#define SETTLE_MIGRATE_ID_STREAM_H

#include "migrate/id_reader.h"
#include "migrate/session.h"

#define ID_STREAM_PAGE 20000

struct id_stream {
	/* Puts the ids after `after` into the arena and into ids, n; n = 0 at the end. */
	int (*refill)(struct id_stream *s, struct slice after, struct err *err);
	struct run *r;
	/* private */
	struct arena arena;
	struct slice *ids;
	size_t n, at;
	int ended;
	struct buf after;
	enum state_ids list;           /* of the state file */
	struct id_reader *reader;      /* of a server, or of the target */
	struct id_page *page;          /* whose ids they are: the reader's, else NULL */
	int64_t total;                 /* ids in all as far as known, else 0 */
	struct id_sorter *sorter;      /* sorted here */
	int disorder;                  /* the server's ids are in another order: `refill` then ended the stream */
};

/* Each begins behind `after` (SLICE_NONE: with the first). */
/* Keys of a table, read ahead; turn: for the use of r->lister. */
MUST_CHECK int id_stream_target(struct id_stream *s, struct run *r, const struct sql_table *table, pthread_mutex_t *turn,
				struct slice after, struct err *err);
void id_stream_state(struct id_stream *s, struct run *r, enum state_ids list, struct slice after);
void id_stream_server(struct id_stream *s, struct run *r, struct slice after);
/* Reads all ids of the source, a server or a recorded feed, into a sorter first. */
MUST_CHECK int id_stream_sorted(struct id_stream *s, struct run *r, struct slice after, struct err *err);
void id_stream_release(struct id_stream *s);

MUST_CHECK int id_stream_fill(struct id_stream *s, struct err *err); /* private to id_stream_peek */

/* The stream's first id in *out, or SLICE_NONE at its end. */
MUST_CHECK static inline int id_stream_peek(struct id_stream *s, struct slice *out, struct err *err)
{
	if (s->at == s->n && !s->ended && id_stream_fill(s, err))
		return err->code;
	*out = s->at < s->n ? s->ids[s->at] : SLICE_NONE;
	return 0;
}

static inline void id_stream_advance(struct id_stream *s)
{
	s->at++;
}

#endif
