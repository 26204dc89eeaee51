/*
 * couch: reading a CouchDB database, over HTTP or from a recorded changes feed. Knows nothing about SQL.
 * Sequences are opaque JSON (string, number, array, null): they are kept and given back as their exact text.
 *
 * A feed is a stream of rows, pulled one at a time; it buffers no more than one row and `buffer` bytes. HTTP feeds are read with
 * libcurl's multi interface; a connection that breaks in the middle is an error with retryable = 1, the byte offset and the last
 * good sequence in the message. A recorded feed is `_changes?include_docs=true` output: normal form ({"results":[...],"last_seq":...})
 * or continuous form (a row a line, heartbeats are blank lines), plain or gzip (told apart by the bytes), from a path or standard input.
 * A normal-form file that ends before its "last_seq", a row cut in the middle, and trailing garbage are ERR_SOURCE.
 * Errors: ERR_SOURCE (native = HTTP status or CURLcode), ERR_STOPPED when the stop flag was seen. retryable is also set when no
 * connection could be made (refused, unknown host, no answer): whether that is worth waiting for is for the caller to know.
 * Opening an HTTP feed sends nothing; the first couch_feed_next does.
 * Threads: each handle belongs to one thread at a time.
 */
#ifndef COUCH_COUCH_H
#define COUCH_COUCH_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "base/slice.h"
#include "base/url.h"

#include <stdatomic.h>
#include <stdint.h>

struct couch_options {              /* everything it points to is borrowed for the life of the handle */
	const struct url *url;
	const char *user;           /* or NULL; overrides the URL's */
	const char *password;       /* or NULL; overrides the URL's; .netrc is asked when there is none */
	int connect_timeout_s;      /* 0 = 10 */
	int stall_timeout_s;        /* no byte for so long = broken; 0 = 60 */
	const atomic_int *stop;     /* non-zero: end with ERR_STOPPED within 250 ms; may be NULL */
};

/* ---- single requests (HTTP only) ---- */

struct couch_client;

MUST_CHECK int couch_client_open(struct couch_client **out, const struct couch_options *o, struct err *err);
void couch_client_close(struct couch_client *c); /* NULL allowed */

struct couch_server_info { /* slices live in the arena */
	struct slice vendor;     /* "CouchDB", "PouchDB", ... or "" */
	struct slice version;
	struct slice uuid;       /* the server's, or "" */
};
MUST_CHECK int couch_server_info(struct couch_client *c, struct arena *a, struct couch_server_info *out, struct err *err);

struct couch_db_info {
	struct slice name;
	struct slice instance_start_time; /* when the database was made; "0" on old servers */
	struct slice update_seq;          /* JSON text */
	int64_t doc_count, doc_del_count;
	int64_t external_bytes;           /* sizes.external, or -1 */
	int64_t purges;                   /* the number in purge_seq; 0 when there is none */
};
/* ERR_NOTFOUND: no such database. ERR_SOURCE with native 401: who you are. */
MUST_CHECK int couch_db_info(struct couch_client *c, struct arena *a, struct couch_db_info *out, struct err *err);
/* One document as its exact bytes (winning revision, with _conflicts). ERR_NOTFOUND when deleted or absent. */
MUST_CHECK int couch_doc_get(struct couch_client *c, struct slice id, struct arena *a, struct slice *out, struct err *err);
/* One revision of it, if the database has its body still (leaves always): ERR_NOTFOUND when not, ERR_LIMIT when it is larger than max. */
MUST_CHECK int couch_rev_get(struct couch_client *c, struct slice id, struct slice rev, size_t max, struct arena *a, struct slice *out,
			     struct err *err);
/* The current winning revision of each document, deleted ones included; SLICE_NONE for one that the database never had. A few dozen ids
 * at most. */
MUST_CHECK int couch_current_revs(struct couch_client *c, const struct slice *ids, size_t n, struct arena *a, struct slice *revs,
				  struct err *err);
/* Writes one document (`_design/` and `_local/` ids too), over whatever revision is there. For settle's own documents only. */
MUST_CHECK int couch_doc_put(struct couch_client *c, struct slice id, const struct json *doc, struct err *err);
/* Deletes it; one that is not there is success. */
MUST_CHECK int couch_doc_delete(struct couch_client *c, struct slice id, struct err *err);
/* `pending` of _changes?limit=0&since=: how many changes wait; -1 when the server does not say (PouchDB). */
MUST_CHECK int couch_pending(struct couch_client *c, struct slice since, int64_t *out, struct err *err);

/* ---- lists of documents: _all_docs (HTTP only) ---- */

/*
 * A stream of the ids of a database, or of documents asked for by id. A list of ids is read in pages over one connection, so that no
 * request lasts forever; pages are large, because a server may have to look for the beginning of each. CouchDB lists ids in the order
 * of their UTF-8 bytes (its B-tree and the merge of its shards compare binaries); other servers may not, so whoever merges looks at
 * the order. Deleted documents are not listed. A connection that breaks is retryable: open the stream again after the last id.
 */
struct couch_ids_options {
	struct slice after;  /* begins behind this id; ptr NULL = with the first */
	struct slice until;  /* ends with this id; ptr NULL = with the last */
	int64_t limit;       /* ids in all, 0 = no limit */
	int64_t page;        /* ids a request, 0 = 2^20 */
};

struct couch_id { /* slices are borrowed until the next call */
	struct slice id;   /* decoded; ptr NULL: the list is over */
	struct slice text; /* the whole row, SLICE_NONE when too_large */
	struct slice doc;  /* raw text, with _conflicts; SLICE_NONE: not asked for, absent, deleted or too large */
	int found;         /* 0: asked for by id, and never heard of */
	int deleted;
	int too_large;     /* asked for with documents: it passes max_row */
};

struct couch_ids;

MUST_CHECK int couch_ids_open(struct couch_ids **out, const struct couch_options *o, const struct couch_ids_options *i, struct err *err);

enum couch_ids_want { COUCH_IDS_ONLY, COUCH_IDS_DOCS };
/* These documents, each in its place, with one request. keys are borrowed until close. max_row 0 = 64 MiB. */
MUST_CHECK int couch_ids_open_keys(struct couch_ids **out, const struct couch_options *o, const struct slice *keys, size_t n,
                                   enum couch_ids_want want, size_t max_row, struct err *err);
MUST_CHECK int couch_ids_next(struct couch_ids *s, struct couch_id *out, struct err *err);
/* Documents of the database as the server counts them; -1 while unknown. */
int64_t couch_ids_total(const struct couch_ids *s);
void couch_ids_close(struct couch_ids *s); /* NULL allowed */

/* ---- the changes feed ---- */

enum couch_feed_kind { COUCH_FEED_NORMAL, COUCH_FEED_CONTINUOUS, COUCH_FEED_LONGPOLL };

struct couch_feed_options {
	enum couch_feed_kind kind;  /* HTTP only */
	struct slice since;         /* JSON text of the sequence to start after; ptr NULL = the beginning. A file is read whole */
	int64_t limit;              /* rows, 0 = no limit (HTTP) */
	int seq_interval;           /* HTTP: ask for a sequence only every N rows; 0 = every row */
	int heartbeat_ms;           /* continuous, longpoll; 0 = 10000 */
	int ids_only;               /* do not ask for documents */
	size_t max_row;             /* bytes of one row; a larger one comes out with too_large set. 0 = 64 MiB */
};

struct couch_row {
	struct slice text;     /* the whole row as received; SLICE_NONE when too_large */
	struct slice seq;      /* raw JSON text; "null" when the server left it out between intervals */
	struct slice id;       /* raw text between the quotes (escapes not decoded); SLICE_NONE when the row has none */
	struct slice rev;      /* of the winning revision, raw; SLICE_NONE when the row has none */
	struct slice doc;      /* raw text of the document; SLICE_NONE when the row has none */
	int deleted;
	int too_large;         /* then only offset, length, digest and what could be read of id, rev, seq are set */
	int malformed;         /* brackets balance but it is no row: text is set */
	uint64_t offset;       /* of the row's first byte in the (unpacked) feed */
	uint64_t length;       /* bytes */
	unsigned char sha256[32]; /* of the row's bytes, when too_large */
};

/* Cuts a row's text, as it was kept, into its members again (offset stays 0). */
void couch_row_cut(struct slice text, struct couch_row *row);

struct couch_feed;

enum couch_next { COUCH_ROW, COUCH_HEARTBEAT, COUCH_END };

MUST_CHECK int couch_feed_open(struct couch_feed **out, const struct couch_options *o, const struct couch_feed_options *f,
                               struct err *err);
/* The next row; its slices are borrowed until the next call. COUCH_END: the feed is over (file read whole, normal feed done, continuous
 * feed ended politely); couch_feed_last_seq then tells the feed's own last_seq. COUCH_HEARTBEAT only for continuous feeds and long polls. */
MUST_CHECK int couch_feed_next(struct couch_feed *f, enum couch_next *what, struct couch_row *row, struct err *err);
/* HTTP: 1 when the server began to answer with success, whatever became of the answer then. */
int couch_feed_answered(const struct couch_feed *f);
/* Continuous form: 1 when a whole row lies in memory already, so that couch_feed_next gives it without waiting. */
int couch_feed_ready(const struct couch_feed *f);
struct slice couch_feed_last_seq(const struct couch_feed *f); /* JSON text; SLICE_NONE if it never came */
int64_t couch_feed_pending(const struct couch_feed *f);       /* what the end of the feed said, or -1 */
uint64_t couch_feed_bytes(const struct couch_feed *f);        /* unpacked bytes consumed so far */
uint64_t couch_feed_raw_bytes(const struct couch_feed *f);    /* as read from disk or wire: for progress */
int64_t couch_feed_size(const struct couch_feed *f);          /* size of the file on disk, or -1 */
void couch_feed_close(struct couch_feed *f); /* NULL allowed */

#endif
