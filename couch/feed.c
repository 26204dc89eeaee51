#include "config.h"

#include "base/number.h"
#include "couch/couch_internal.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>

#define ROW_MAX_DEFAULT ((size_t)64 * 1024 * 1024)
#define KEY_MAX ((size_t)4096)
#define ENVELOPE_VALUE_MAX ((size_t)1024 * 1024)
#define SEQ_SHOWN 160

enum feed_state {
	FEED_HEAD,        /* nothing read yet: which form is it? */
	FEED_MEMBERS,     /* normal form, before a member of the outer object */
	FEED_MEMBERS_END, /* normal form, after one */
	FEED_FIRST_ROW,   /* normal form, behind the [ of "results" */
	FEED_ROWS,        /* normal form, after a row */
	FEED_LINES,       /* continuous form, between rows */
	FEED_TAIL,        /* last_seq was read: nothing but white space may follow */
	FEED_OVER,
	FEED_BROKEN, /* an error was given out */
};

struct couch_feed {
	struct couch_options o;
	struct feed_input *in;
	struct feed_window w;
	enum feed_state state;
	size_t max_row;
	size_t taken_next; /* bytes of the row that was given out last */
	struct buf last_good, last_seq;
	int64_t pending;
	uint64_t rows;
	int saw_results;
	struct row_peek peek;
};

/* ---- errors ---- */

/* Says where in the feed it happened, and up to where everything was read. Nothing can be read after it. */
static void feed_broke(struct couch_feed *f, uint64_t at, struct err *err)
{
	struct slice seq = buf_slice(&f->last_good), shown = seq;
	f->state = FEED_BROKEN;
	if (shown.len > SEQ_SHOWN)
		shown.len = SEQ_SHOWN;
	if (at == 0 && f->in->raw_bytes == 0)
		err_prefix(err, "%s", f->o.url->shown);
	else if (!seq.len)
		err_prefix(err, "%s: byte %" PRIu64 " of the feed (no sequence read yet)", f->o.url->shown, at);
	else
		err_prefix(err, "%s: byte %" PRIu64 " of the feed (last good sequence %.*s%s)", f->o.url->shown, at,
			   SLICE_ARG(shown), shown.len < seq.len ? "..." : "");
}

static int feed_fail(struct couch_feed *f, uint64_t at, const char *what, struct err *err)
{
	err_set(err, ERR_SOURCE, "%s", what);
	feed_broke(f, at, err);
	return ERR_SOURCE;
}

/* The bytes end where they must not. */
static int feed_cut(struct couch_feed *f, const char *what, struct err *err)
{
	feed_fail(f, f->w.offset + window_rest(&f->w).len, what, err);
	couch_mark(err, 0, f->in->remote);
	err_hint(err, "%s",
		 f->in->remote ? "the connection was closed early; the same command again goes on from the checkpoint"
			       : "the recording is incomplete: record it again");
	return ERR_SOURCE;
}

/* An error of the input itself. */
static int feed_input_error(struct couch_feed *f, int rc, struct err *err)
{
	if (rc != ERR_STOPPED)
		feed_broke(f, f->w.offset + window_rest(&f->w).len, err);
	return rc;
}

/* CouchDB reports a failure by an object in place of a row, or of the whole feed. */
static int feed_server_error(struct couch_feed *f, struct slice object, struct err *err)
{
	char said[COUCH_SAID_SIZE];
	if (!couch_said(object, said))
		return feed_fail(f, f->w.offset, "an object that is no row of a changes feed", err);
	err_set(err, ERR_SOURCE, "the server said: %s", said);
	feed_broke(f, f->w.offset, err);
	couch_mark(err, 0, f->in->remote);
	return ERR_SOURCE;
}

/* ---- the outer object ---- */

enum envelope_key { KEY_OTHER, KEY_RESULTS, KEY_LAST_SEQ, KEY_PENDING, KEY_ROW, KEY_ERROR, KEY_ALL_DOCS };

static enum envelope_key key_of(struct slice key)
{
	static const struct {
		const char *name;
		enum envelope_key key;
	} known[] = {
	    {"\"results\"", KEY_RESULTS}, {"\"last_seq\"", KEY_LAST_SEQ},
	    {"\"pending\"", KEY_PENDING}, {"\"seq\"", KEY_ROW},
	    {"\"id\"", KEY_ROW},          {"\"changes\"", KEY_ROW},
	    {"\"doc\"", KEY_ROW},         {"\"deleted\"", KEY_ROW},
	    {"\"error\"", KEY_ERROR},     {"\"reason\"", KEY_ERROR},
	    {"\"rows\"", KEY_ALL_DOCS},   {"\"total_rows\"", KEY_ALL_DOCS},
	    {"\"offset\"", KEY_ALL_DOCS},
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (slice_is(key, known[i].name))
			return known[i].key;
	return KEY_OTHER;
}

static void remember(struct couch_feed *f, enum envelope_key key, struct slice value)
{
	if (key == KEY_LAST_SEQ) {
		buf_clear(&f->last_seq);
		buf_adds(&f->last_seq, value);
	} else if (key == KEY_PENDING) {
		long long n;
		f->pending = number_to_i64(value, &n) ? n : -1;
	}
}

static int expect(struct couch_feed *f, int wanted, const char *missing, struct err *err)
{
	int c;
	int rc = window_skip(&f->w, &c, err);
	if (rc)
		return feed_input_error(f, rc, err);
	if (c == WINDOW_END)
		return feed_cut(f, "the feed ends before its \"last_seq\"", err);
	if (c != wanted)
		return feed_fail(f, f->w.offset, missing, err);
	window_take(&f->w, 1);
	return 0;
}

/* A key or value of the outer object, not taken; the slice lasts until the window moves on. */
static int outer_value(struct couch_feed *f, size_t max, struct slice *out, struct err *err)
{
	struct json_scan scan = JSON_SCAN_INIT;
	size_t len;
	int c, whole;
	int rc = window_skip(&f->w, &c, err);
	if (!rc)
		rc = window_value(&f->w, &scan, max, &len, &whole, err);
	if (rc)
		return feed_input_error(f, rc, err);
	if (!whole && len <= max)
		return feed_cut(f, "the feed ends before its \"last_seq\"", err);
	if (!whole || !scan.started)
		return feed_fail(f, f->w.offset, "not the outer object of a changes feed", err);
	*out = (struct slice){window_rest(&f->w).ptr, len};
	return 0;
}

/* One member, from its key; `results` stops behind its opening bracket. */
static int read_member(struct couch_feed *f, struct err *err)
{
	struct slice text;
	int rc = outer_value(f, KEY_MAX, &text, err);
	if (rc)
		return rc;
	if (text.ptr[0] != '"')
		return feed_fail(f, f->w.offset, "a member name was expected", err);
	enum envelope_key key = key_of(text);
	window_take(&f->w, text.len);
	rc = expect(f, ':', "a colon was expected", err);
	if (rc)
		return rc;
	if (key == KEY_RESULTS) {
		if (f->saw_results)
			return feed_fail(f, f->w.offset, "a second list of results", err);
		f->saw_results = 1;
		f->state = FEED_FIRST_ROW;
		return expect(f, '[', "the results are no list", err);
	}
	rc = outer_value(f, ENVELOPE_VALUE_MAX, &text, err);
	if (rc)
		return rc;
	remember(f, key, text);
	window_take(&f->w, text.len);
	f->state = FEED_MEMBERS_END;
	return 0;
}

static int close_outer(struct couch_feed *f, struct err *err)
{
	if (!f->last_seq.len)
		return feed_fail(f, f->w.offset, "the feed closes without a \"last_seq\"", err);
	window_take(&f->w, 1);
	f->state = FEED_TAIL;
	return 0;
}

static int end_member(struct couch_feed *f, struct err *err)
{
	int c;
	int rc = window_skip(&f->w, &c, err);
	if (rc)
		return feed_input_error(f, rc, err);
	if (c == '}')
		return close_outer(f, err);
	f->state = FEED_MEMBERS;
	return expect(f, ',', "garbage where the feed's outer object goes on", err);
}

/* The object's first key, once it is there in full; KEY_OTHER when there is none within KEY_MAX bytes. */
static int first_key(struct couch_feed *f, enum envelope_key *key, struct err *err)
{
	for (;;) {
		struct slice rest = window_rest(&f->w);
		struct json_scan scan = JSON_SCAN_INIT;
		int done = 0;
		size_t blanks = 1 + strspn(rest.ptr + 1, " \t\r\n");
		size_t len = json_scan_value(&scan, rest.ptr + blanks, rest.len - blanks, &done);
		*key = done && scan.started ? key_of((struct slice){rest.ptr + blanks, len}) : KEY_OTHER;
		if (done || rest.len > KEY_MAX || f->w.ended)
			return 0;
		int rc = window_more(&f->w, err);
		if (rc)
			return feed_input_error(f, rc, err);
	}
}

static const char *no_feed(int c)
{
	switch (c) {
	case '<':
		return "this is no changes feed; it looks like HTML or XML";
	case '[':
		return "this is no changes feed but a JSON array";
	default:
		return "this is no changes feed";
	}
}

static int read_head(struct couch_feed *f, int c, struct err *err)
{
	enum envelope_key key;
	if (c == WINDOW_END && f->in->beats) {
		f->state = FEED_OVER;
		return 0;
	}
	if (c == WINDOW_END)
		return feed_cut(f, "the feed is empty", err);
	if (c != '{')
		return feed_fail(f, f->w.offset, no_feed(c), err);
	int rc = first_key(f, &key, err);
	if (rc)
		return rc;
	if (key == KEY_RESULTS || key == KEY_LAST_SEQ || key == KEY_PENDING) {
		window_take(&f->w, 1);
		f->state = FEED_MEMBERS;
	} else if (key == KEY_ROW || key == KEY_ERROR || f->w.ended) {
		f->state = FEED_LINES;
	} else {
		feed_fail(f, f->w.offset,
			  key == KEY_ALL_DOCS ? "this is a list of documents, no changes feed" : no_feed(c), err);
		err_hint(err, "record it with: curl 'http://HOST/DB/_changes?include_docs=true'");
		return ERR_SOURCE;
	}
	return 0;
}

/* ---- rows ---- */

static void row_done(struct couch_feed *f, const struct couch_row *row)
{
	f->rows++;
	if (slice_eq(row->seq, SLICE("null")))
		return;
	buf_clear(&f->last_good);
	buf_adds(&f->last_good, row->seq);
}

/* The rest of a row that passed max_row: hashed, looked through and dropped as it comes. `len` bytes of it lie in the
 * window. */
static int skip_large(struct couch_feed *f, struct json_scan *scan, size_t len, struct couch_row *row, struct err *err)
{
	crypto_hash_sha256_state hash;
	int done = 0;
	crypto_hash_sha256_init(&hash);
	row_peek_release(&f->peek);
	row_peek_init(&f->peek);
	for (;;) {
		struct slice part = {window_rest(&f->w).ptr, len};
		crypto_hash_sha256_update(&hash, (const unsigned char *)part.ptr, part.len);
		row_peek_bytes(&f->peek, part);
		window_take(&f->w, len);
		row->length += len;
		if (done || f->peek.depth == 0)
			break;
		if (window_rest(&f->w).len == 0) {
			int rc = window_more(&f->w, err);
			if (rc)
				return feed_input_error(f, rc, err);
			if (f->w.ended)
				return feed_cut(f, "the feed ends inside a row", err);
		}
		len = json_scan_value(scan, window_rest(&f->w).ptr, window_rest(&f->w).len, &done);
	}
	crypto_hash_sha256_final(&hash, row->sha256);
	row_peek_result(&f->peek, row);
	row->too_large = 1;
	return 0;
}

/* What stands in a row's place but has no id: an error of the server, the end of a continuous feed, or a row to be
 * rejected. */
static int judge_malformed(struct couch_feed *f, const struct couch_row *row, int *is_row, struct err *err)
{
	struct json_part parts[8];
	size_t bad;
	int n = json_scan_members(row->text, parts, 8, &bad);
	int last = 0, error = 0;
	for (int i = 0; i < n && i < 8; i++) {
		enum envelope_key key = KEY_OTHER;
		if (slice_is(parts[i].key, "last_seq"))
			key = KEY_LAST_SEQ;
		else if (slice_is(parts[i].key, "pending"))
			key = KEY_PENDING;
		last |= key == KEY_LAST_SEQ;
		error |= slice_is(parts[i].key, "error") && row_unquoted(parts[i].value).ptr;
		if (f->state == FEED_LINES)
			remember(f, key, parts[i].value);
	}
	*is_row = !error && !(last && f->state == FEED_LINES);
	if (error)
		return feed_server_error(f, row->text, err);
	if (!*is_row) {
		window_take(&f->w, row->text.len);
		f->state = FEED_TAIL;
	}
	return 0;
}

/* The row that starts at the next byte. *is_row = 0: it was the last line of a continuous feed. */
static int read_row(struct couch_feed *f, struct couch_row *row, int *is_row, struct err *err)
{
	struct json_scan scan = JSON_SCAN_INIT;
	size_t len;
	int whole, rc;
	*row = (struct couch_row){.seq = SLICE("null"), .offset = f->w.offset};
	*is_row = 1;
	rc = window_value(&f->w, &scan, f->max_row, &len, &whole, err);
	if (rc)
		return feed_input_error(f, rc, err);
	if (!whole && len <= f->max_row)
		return feed_cut(f, "the feed ends inside a row", err);
	if (!whole) {
		rc = skip_large(f, &scan, len, row, err);
	} else {
		row_cut((struct slice){window_rest(&f->w).ptr, len}, row);
		f->taken_next = len;
		if (row->malformed)
			rc = judge_malformed(f, row, is_row, err);
		if (!*is_row || rc)
			f->taken_next = 0;
	}
	if (!rc && *is_row)
		row_done(f, row);
	return rc;
}

/* Before a row of the normal form: its comma, or the end of the list. *more = a row follows. */
static int row_follows(struct couch_feed *f, int c, int *more, struct err *err)
{
	*more = 0;
	if (c == ']') {
		window_take(&f->w, 1);
		f->state = FEED_MEMBERS_END;
		return 0;
	}
	if (f->state == FEED_ROWS && c == ',') {
		window_take(&f->w, 1);
		int rc = window_skip(&f->w, &c, err);
		if (rc)
			return feed_input_error(f, rc, err);
	} else if (f->state == FEED_ROWS && c == '{') {
		/* A server that fails in the middle of a feed writes its error object where the comma should stand. */
		struct slice object;
		int rc = outer_value(f, ENVELOPE_VALUE_MAX, &object, err);
		return rc ? rc : feed_server_error(f, object, err);
	} else if (f->state == FEED_ROWS && c != WINDOW_END) {
		return feed_fail(f, f->w.offset, "garbage between rows", err);
	}
	if (c == WINDOW_END)
		return feed_cut(f, "the feed ends before its \"last_seq\"", err);
	if (c != '{')
		return feed_fail(f, f->w.offset, "garbage where a row should begin", err);
	*more = 1;
	return 0;
}

static int line_follows(struct couch_feed *f, int c, int *more, struct err *err)
{
	*more = c == '{';
	if (c == WINDOW_END && f->in->remote && !f->in->beats)
		return feed_cut(f, "the feed ends before its \"last_seq\"", err);
	if (c == WINDOW_END)
		f->state = FEED_OVER;
	else if (c != '{')
		return feed_fail(f, f->w.offset, "garbage between rows", err);
	return 0;
}

static int read_tail(struct couch_feed *f, int c, struct err *err)
{
	if (c != WINDOW_END)
		return feed_fail(f, f->w.offset, "something follows the end of the feed", err);
	f->state = FEED_OVER;
	return 0;
}

/* One step of the grammar at byte c; *is_row = a row was read. */
static int feed_step(struct couch_feed *f, int c, struct couch_row *row, int *is_row, struct err *err)
{
	int more = 0, rc;
	switch (f->state) {
	case FEED_HEAD:
		return read_head(f, c, err);
	case FEED_MEMBERS:
		return read_member(f, err);
	case FEED_MEMBERS_END:
		return end_member(f, err);
	case FEED_FIRST_ROW:
	case FEED_ROWS:
		rc = row_follows(f, c, &more, err);
		if (!rc && more) {
			f->state = FEED_ROWS;
			rc = read_row(f, row, is_row, err);
		}
		return rc;
	case FEED_LINES:
		rc = line_follows(f, c, &more, err);
		return !rc && more ? read_row(f, row, is_row, err) : rc;
	case FEED_TAIL:
		return read_tail(f, c, err);
	case FEED_OVER:
	case FEED_BROKEN:
		break;
	}
	return 0;
}

int couch_feed_next(struct couch_feed *f, enum couch_next *what, struct couch_row *row, struct err *err)
{
	int is_row = 0;
	window_take(&f->w, f->taken_next);
	f->taken_next = 0;
	while (!is_row) {
		int c;
		if (f->state == FEED_BROKEN)
			return err_set(err, ERR_SOURCE, "%s: the feed broke off before", f->o.url->shown);
		if (couch_stopped(f->o.stop))
			return couch_stop_error(err);
		if (f->state == FEED_OVER) {
			*what = COUCH_END;
			return 0;
		}
		int rc = f->state == FEED_TAIL ? window_skip(&f->w, &c, err) : window_skip_or_beat(&f->w, &c, err);
		if (rc)
			return feed_input_error(f, rc, err);
		if (c == WINDOW_BEAT) {
			*what = COUCH_HEARTBEAT;
			return 0;
		}
		rc = feed_step(f, c, row, &is_row, err);
		if (rc)
			return rc;
	}
	*what = COUCH_ROW;
	return 0;
}

int couch_feed_answered(const struct couch_feed *f)
{
	return f->in->answered;
}

int couch_feed_ready(const struct couch_feed *f)
{
	struct slice rest = window_rest(&f->w);
	if (f->state != FEED_LINES || rest.len <= f->taken_next)
		return 0;
	rest.ptr += f->taken_next;
	rest.len -= f->taken_next;
	while (rest.len && (*rest.ptr == '\n' || *rest.ptr == '\r')) {
		rest.ptr++;
		rest.len--;
	}
	return rest.len && memchr(rest.ptr, '\n', rest.len) != NULL;
}

/* ---- life cycle ---- */

int couch_feed_over(struct couch_feed **out, const struct couch_options *o, size_t max_row, struct feed_input *in,
		    struct err *err)
{
	struct couch_feed *feed = sodium_init() < 0 ? NULL : calloc(1, sizeof(*feed));
	*out = feed;
	if (!feed) {
		in->close(in);
		return err_set(err, ERR_INTERNAL, "out of memory, or libsodium cannot be set up");
	}
	feed->o = *o;
	feed->in = in;
	feed->max_row = max_row ? max_row : ROW_MAX_DEFAULT;
	feed->pending = -1;
	feed->last_good = (struct buf)BUF_INIT(ENVELOPE_VALUE_MAX);
	feed->last_seq = (struct buf)BUF_INIT(ENVELOPE_VALUE_MAX);
	row_peek_init(&feed->peek);
	window_init(&feed->w, in, feed->max_row);
	return 0;
}

int couch_feed_open(struct couch_feed **out, const struct couch_options *o, const struct couch_feed_options *f,
		    struct err *err)
{
	struct feed_input *in = NULL;
	int http = o->url->scheme == URL_HTTP || o->url->scheme == URL_HTTPS;
	*out = NULL;
	int rc = http ? feed_http_open(&in, o, f, err) : feed_file_open(&in, o, err);
	return rc ? rc : couch_feed_over(out, o, f->max_row, in, err);
}

void couch_feed_close(struct couch_feed *f)
{
	if (!f)
		return;
	f->in->close(f->in);
	window_release(&f->w);
	row_peek_release(&f->peek);
	buf_release(&f->last_good);
	buf_release(&f->last_seq);
	free(f);
}

struct slice couch_feed_last_seq(const struct couch_feed *f)
{
	return f->last_seq.len ? buf_slice(&f->last_seq) : SLICE_NONE;
}

int64_t couch_feed_pending(const struct couch_feed *f)
{
	return f->pending;
}

uint64_t couch_feed_bytes(const struct couch_feed *f)
{
	return f->w.offset + f->taken_next;
}

uint64_t couch_feed_raw_bytes(const struct couch_feed *f)
{
	return f->in->raw_bytes;
}

int64_t couch_feed_size(const struct couch_feed *f)
{
	return f->in->size;
}
