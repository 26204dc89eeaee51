/*
 * server: one thread, one epoll set. A connection reads one request, answers it (whole, or by a stream that is asked
 * for more whenever the client has taken what was there), and reads the next. Faults (faults.h) act where bytes leave.
 * Threads: one.
 */
#ifndef SETTLE_TESTS_SERVER_H
#define SETTLE_TESTS_SERVER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "tests/server/edit.h"
#include "tests/server/faults.h"
#include "tests/server/store.h"

#include <stdint.h>

#define NEVER INT64_MAX

struct recorded;

/* What all connections share. */
struct site {
	struct store store;
	struct journal *journal; /* or NULL */
	char uuid[33];
	const char *user; /* NULL: nobody needs to log in */
	const char *password;
	struct recorded *recorded; /* or NULL */
	struct faults faults;
	uint64_t request_count;
};

/* Everything borrowed from the connection's input until the answer has been sent. */
struct request {
	struct slice method, target; /* target: path and query as sent */
	struct slice path, query;    /* still encoded */
	struct slice body;
	struct slice authorization, cookie, content_type, host, if_match; /* ptr NULL: absent */
	int close;                                                        /* the client wants no more */
};

struct conn;

enum fill { FILL_MORE, FILL_WAIT, FILL_END };

/* An answer that is made while it is sent. fill appends to conn->out; when it returns FILL_WAIT it is called again
 * after any change of the store, or at conn->stream_wake. */
struct stream {
	enum fill (*fill)(struct stream *stream, struct conn *c, int64_t now);
	void (*free)(struct stream *stream);
};

/* Rows gathered into chunks as CouchDB sends them: as many as fit into 1490 bytes. */
struct chunker {
	struct buf rows;
};

enum conn_state { CONN_READING, CONN_ANSWERING, CONN_GONE };

struct conn {
	struct conn *next;
	struct site *site;
	int fd;
	enum conn_state state;
	struct buf in;
	size_t parsed;           /* bytes of `in` that the request at hand takes, 0 while incomplete */
	struct buf chunked_body; /* body of a request that came in chunks */
	struct buf out;
	size_t out_at;    /* sent so far of out */
	size_t head_left; /* bytes of out that belong to the head */
	uint64_t body_sent;
	struct stream *stream;
	int64_t stream_wake;
	uint64_t seen_changes; /* store.changes when the stream last looked */
	int waiting;           /* the stream had nothing to say */
	struct fault fault;
	int64_t fault_wake;
	int close;          /* after this answer */
	int continued;      /* 100 Continue was sent */
	unsigned events;    /* asked of epoll */
	struct arena arena; /* of the request at hand */
	struct request req;
};

/* ---- loop.c ---- */
/* Serves until `signals`, a signalfd, has something to read. */
MUST_CHECK int serve(struct site *site, int listener, int signals, struct err *err);

/* ---- conn.c ---- */
struct conn *conn_new(struct site *site, int fd);
void conn_free(struct conn *c);
/* Goes as far as it can without waiting. */
void conn_pump(struct conn *c, int64_t now);
/* More bytes have come, or the end. */
void conn_read(struct conn *c, int64_t now);

/* ---- request.c ---- */
/* 1: c->req is complete; 0: more bytes are needed; -1: that is no HTTP. */
int request_parse(struct conn *c);
/* The value of a query parameter, decoded, in the arena; ptr NULL when absent. */
struct slice query_get(struct conn *c, const char *name);
int query_is(struct conn *c, const char *name, const char *value);
/* A whole number, or `otherwise` when absent; -1 when it is no number. */
long long query_number(struct conn *c, const char *name, long long otherwise);
/* The body as JSON: 0, or -1 after a 400 has been given as the answer. */
int request_json(struct conn *c, struct json *out);

/* ---- respond.c ---- */
struct head {
	int status;
	const char *type; /* NULL: application/json */
	long long length; /* -1: chunked */
	struct slice etag, location, set_cookie;
	long long retry_after; /* 0: none */
	unsigned flags;        /* enum head_flags */
};
enum head_flags {
	HEAD_SESSION = 1u << 0,    /* no request id, as CouchDB's login answers */
	HEAD_ATTACHMENT = 1u << 1, /* Accept-Ranges and Content-Security-Policy */
};
void respond_head(struct conn *c, const struct head *head);
/* A whole answer; the body gets a line end, as CouchDB's JSON does. */
void respond_json(struct conn *c, int status, struct slice body);
void respond_json_head(struct conn *c, const struct head *head, struct slice body);
void respond_ok(struct conn *c, int status);
void respond_refusal(struct conn *c, const struct refusal *no);
/* Takes the stream; it is filled from the next pump on (never for HEAD). */
void respond_stream(struct conn *c, struct stream *stream);
void chunk_write(struct conn *c, struct slice bytes);
void chunk_last(struct conn *c);
void chunker_add(struct chunker *k, struct conn *c, struct slice row);
void chunker_flush(struct chunker *k, struct conn *c);
void chunker_release(struct chunker *k);

/* ---- route.c ---- */
void route(struct conn *c);

/* ---- auth.c ---- */
/* 1 when the request may see databases, 0 when it is anonymous; -1 after a 401 has been given as the answer. */
int auth_check(struct conn *c);
void api_session(struct conn *c);

/* The leaves, lowest generation first, in the arena; returns how many. */
size_t leaves_by_rev(const struct doc *doc, struct arena *a, const struct leaf ***out);

/* ---- the answers; db is a database that exists, name, id: decoded ---- */
void api_db(struct conn *c, struct slice name);
void api_db_info(struct conn *c, const struct db *db);
void api_security(struct conn *c, struct db *db);
void api_doc(struct conn *c, struct db *db, struct slice id);
void api_local(struct conn *c, struct db *db, struct slice id);
void api_attachment(struct conn *c, struct db *db, struct slice id, struct slice name);
void api_bulk_docs(struct conn *c, struct db *db);
void api_bulk_get(struct conn *c, struct db *db);
void api_purge(struct conn *c, struct db *db);
/* Purges one leaf; 0 when there is none of this name. */
int purge_revision(struct store *s, struct db *db, struct slice id, struct slice rev);
void api_revs_diff(struct conn *c, struct db *db);
void api_all_docs(struct conn *c, struct db *db);
void api_changes(struct conn *c, struct db *db);
void api_standin(struct conn *c);
struct editor site_editor(struct conn *c);

#endif
