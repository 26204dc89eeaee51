/*
 * couch_support: what the tests of the room couch/ share: recorded answers, feeds over bytes in memory, and a server
 * that plays a script. Threads: the server runs in a thread of its own; everything else belongs to the test.
 */
#ifndef TESTS_UNIT_COUCH_SUPPORT_H
#define TESTS_UNIT_COUCH_SUPPORT_H

#include "base/buf.h"
#include "couch/couch.h"
#include "couch/couch_internal.h"

#include <pthread.h>

/* fixtures/couch/NAME as it came over the wire, and its body without the chunk framing. */
void fixture_load(const char *name, struct buf *out);
void fixture_body(const char *name, struct buf *out);

/* ---- feeds over memory ---- */

struct delivery {
	size_t first; /* bytes of the first read; 0 = as many as fit */
	size_t later; /* of every later one; 0 = as many as fit */
	int remote, beats;
	size_t max_row;
};

int memory_feed(struct couch_feed **out, struct slice bytes, const struct delivery *d, struct err *err);
/* Reads all rows into text, one line each (seq, id, rev, deleted, flags, doc). Heartbeats are lines of their own.
 * Returns what ended it. */
int rows_as_text(struct couch_feed *f, struct buf *out, struct err *err);

/* ---- a server that plays a script ---- */

enum scene_end {
	SCENE_KEEP,
	SCENE_CLOSE,
	SCENE_HOLD,
	SCENE_PAUSE
}; /* after the answer: serve on, close, say nothing until the client goes, or say nothing for 50 ms and close */

struct scene {
	struct slice answer;
	enum scene_end end;
};

struct couch_server {
	struct scene scenes[8];
	int count;
	int listener, port;
	pthread_t thread;
	atomic_int answered; /* scenes whose answer was sent */
	struct buf requests; /* everything clients sent; read it after couch_server_stop */
	char base[64];       /* "http://127.0.0.1:PORT" */
};

void couch_server_start(struct couch_server *s);
/* Waits until so many scenes were asked for and answered. */
void couch_server_await(const struct couch_server *s, int answers);
/* Waits until all scenes have been played. */
void couch_server_stop(struct couch_server *s);
/* Frees the requests. */
void couch_server_release(struct couch_server *s);

#endif
