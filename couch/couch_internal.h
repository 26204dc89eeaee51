/*
 * couch_internal: what the files of this room share. One request over HTTP (http.c, http_error.c), where a feed's bytes
 * come from (feed_file.c, feed_http.c), the window of bytes that is being read (feed_window.c), and a row's members
 * (row.c, row_peek.c). Threads: as couch.h, each handle belongs to one thread at a time.
 */
#ifndef COUCH_COUCH_INTERNAL_H
#define COUCH_COUCH_INTERNAL_H

#include "base/buf.h"
#include "base/json_scan.h"
#include "couch/couch.h"

#include <stddef.h>
#include <stdint.h>

/* Has somebody asked for an end? stop may be NULL. */
static inline int couch_stopped(const atomic_int *stop)
{
	return stop && atomic_load_explicit(stop, memory_order_relaxed);
}
/* Sets ERR_STOPPED. */
int couch_stop_error(struct err *err);
/* Sets native and retryable beside the code that stands in *err; returns that code. */
int couch_mark(struct err *err, int native, int retryable);
/* `since` as a query value: a string without its quotes, everything else as its JSON text; percent-encoded. */
MUST_CHECK int couch_since(struct slice seq, struct buf *out, struct err *err);

/* ---- one request at a time over one kept connection ---- */

struct http;

MUST_CHECK int http_open(struct http **out, const struct couch_options *o, struct err *err);
void http_close(struct http *h); /* NULL allowed */
/* Starts GET url (no userinfo in it; copied). A request under way is dropped. */
MUST_CHECK int http_begin(struct http *h, const char *url, struct err *err);
/* Any method with a JSON body (copied; SLICE_NONE = none). */
MUST_CHECK int http_send(struct http *h, const char *method, const char *url, struct slice body, struct err *err);
/*
 * Waits for bytes of the answer's body; borrowed until the next call. bytes->len 0: the body is complete. A refusal
 * (any status but 200) is ERR_SOURCE with native = status and CouchDB's own words.
 */
MUST_CHECK int http_read(struct http *h, struct slice *bytes, struct err *err);
/* The answer's HTTP status; 0 while there is none. */
long http_status(const struct http *h);
int http_is_success(long status);
/* The body of the refusal, at most 64 KiB; empty if there was none. */
struct slice http_refusal(const struct http *h);

/* What an HTTP status other than 200 says, for people; callers put the source's name before it. user (who was refused)
 * and location (where a redirect points) may be NULL. */
int http_status_error(long status, struct slice body, const char *user, const char *location, struct err *err);
/* What a CURLcode says; detail is libcurl's error buffer. */
int http_transport_error(int curl_code, const char *detail, struct err *err);
#define COUCH_SAID_SIZE 320
/* "error: reason" of CouchDB's {"error","reason"} body, cut to size; 0 when the text is no such object. */
int couch_said(struct slice body, char out[COUCH_SAID_SIZE]);
/* 1 when a 404's body says that the database is not there (rather than a document in it). */
int couch_said_no_database(struct slice body);

/* ---- where a feed's bytes come from ---- */

struct feed_input {
	/* Puts 1..size bytes into room; *got = 0 only at the end. Blocks; ends with ERR_STOPPED when the stop flag is
	 * set. */
	int (*read)(struct feed_input *in, char *room, size_t size, size_t *got, struct err *err);
	void (*close)(struct feed_input *in);
	uint64_t raw_bytes; /* as they came from disk or wire */
	int64_t size;       /* of the file on disk, or -1 */
	int remote;         /* over HTTP: a cut may be tried again */
	int beats;          /* heartbeats are events: continuous feed or long poll */
	int answered;       /* over HTTP: with success, whatever became of it then */
};

MUST_CHECK int feed_file_open(struct feed_input **out, const struct couch_options *o, struct err *err);
MUST_CHECK int feed_http_open(struct feed_input **out, const struct couch_options *o,
			      const struct couch_feed_options *f, struct err *err);

/* An answer's body as an input, for one question after the other over one connection. */
MUST_CHECK int http_input_open(struct feed_input **out, const struct couch_options *o, struct err *err);
/* GET, or POST when body.ptr is set (JSON, copied); what follows is read as the bytes of its answer. */
MUST_CHECK int http_input_ask(struct feed_input *in, const char *url, struct slice body, struct err *err);

/* A feed over any input, which it then owns (also when this fails). max_row 0 = the default. */
MUST_CHECK int couch_feed_over(struct couch_feed **out, const struct couch_options *o, size_t max_row,
			       struct feed_input *in, struct err *err);

/* ---- the window: the bytes of a feed that have been read and not yet taken ---- */

#define WINDOW_CHUNK ((size_t)256 * 1024)
#define WINDOW_END (-1)  /* no more bytes will come */
#define WINDOW_BEAT (-2) /* blank lines came and nothing else */

struct feed_window {
	struct feed_input *in; /* borrowed */
	struct buf bytes;      /* never without memory, so that a pointer into it is never NULL */
	size_t start;          /* taken already, within bytes */
	uint64_t offset;       /* of bytes.ptr[start] in the feed */
	int ended;
	int line_start;  /* nothing but blanks since the last line feed */
	int blank_lines; /* seen since they were last reported */
};

void window_init(struct feed_window *w, struct feed_input *in, size_t max_value);
void window_release(struct feed_window *w);
/* What is there; borrowed until more bytes are asked for. */
static inline struct slice window_rest(const struct feed_window *w)
{
	return (struct slice){w->bytes.ptr + w->start, w->bytes.len - w->start};
}
void window_take(struct feed_window *w, size_t n);
/* Reads on; sets ended when there is nothing more. */
MUST_CHECK int window_more(struct feed_window *w, struct err *err);
/* Skips white space; *c = the byte that follows (not taken) or WINDOW_END. */
MUST_CHECK int window_skip(struct feed_window *w, int *c, struct err *err);
/* The same, but rather than wait after blank lines it answers WINDOW_BEAT, where the input counts heartbeats. */
MUST_CHECK int window_skip_or_beat(struct feed_window *w, int *c, struct err *err);
/* The value that starts at the first byte, not taken. *len = its length; *whole = 0 when it passes max or the feed ends
 * inside it. */
MUST_CHECK int window_value(struct feed_window *w, struct json_scan *scan, size_t max, size_t *len, int *whole,
			    struct err *err);

/* ---- rows ---- */

/* Cuts a whole row into its members; malformed when it has none that make it a row. seq is "null" when absent. */
void row_cut(struct slice text, struct couch_row *row);
/* The revision of the first entry of a row's `changes` list, raw; *more = further entries follow. SLICE_NONE when there
 * is none. */
struct slice row_first_rev(struct slice changes, int *more);
struct slice row_unquoted(struct slice raw); /* between the quotes, or SLICE_NONE when raw is no string */

#define PEEK_VALUE_MAX 8192

/* Picks id, revision and sequence out of a row that is too large to keep, in one pass over its bytes. */
struct row_peek {
	struct buf key, value, id, seq, changes; /* each capped */
	uint32_t depth;
	uint8_t in_string, escaped, in_value;
};

void row_peek_init(struct row_peek *p);
void row_peek_bytes(struct row_peek *p, struct slice bytes);
void row_peek_result(const struct row_peek *p, struct couch_row *row); /* slices borrowed from p */
void row_peek_release(struct row_peek *p);

#endif
