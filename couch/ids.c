/* ids: _all_docs as a stream, read page by page. */
#include "config.h"

#include "base/number.h"
#include "base/pct.h"
#include "couch/couch_internal.h"

#include <stdlib.h>

#define PAGE_DEFAULT (1 << 20)
#define ROW_MAX_DEFAULT ((size_t)64 * 1024 * 1024)
#define ROW_AROUND ((size_t)64 * 1024) /* what a row has beside its document */
#define KEYS_MAX ((size_t)256 * 1024 * 1024)
#define URL_MAX ((size_t)64 * 1024)
#define OUTER_MAX ((size_t)1024 * 1024)

enum ids_state {
	IDS_ASK,  /* the next page is to be asked for */
	IDS_ROWS, /* inside the list of a page */
	IDS_OVER,
	IDS_BROKEN, /* an error was given out */
};

struct couch_ids {
	struct couch_options o;
	struct couch_ids_options i;
	const struct slice *keys; /* NULL: a range */
	size_t n_keys;
	enum couch_ids_want want;
	size_t max_row, max_doc;
	struct feed_input *in;
	struct feed_window w;
	struct arena scratch; /* of the row that was given out last */
	enum ids_state state;
	size_t taken_next; /* bytes of the row that was given out last */
	struct buf after, until, last;
	int skip_first; /* the page begins with the id after which it was asked for */
	int64_t asked, in_page, given, total;
};

/* ---- errors ---- */

static int broke(struct couch_ids *s, int rc, struct err *err)
{
	s->state = IDS_BROKEN;
	return rc == ERR_STOPPED ? rc : err_prefix(err, "%s: _all_docs", s->o.url->shown);
}

static int fail(struct couch_ids *s, const char *what, struct err *err)
{
	err_set(err, ERR_SOURCE, "%s", what);
	err_hint(err, "is this the address of a CouchDB database?");
	return broke(s, ERR_SOURCE, err);
}

static int cut(struct couch_ids *s, struct err *err)
{
	err_set(err, ERR_SOURCE, "the connection was closed inside the list of documents");
	couch_mark(err, 0, 1);
	return broke(s, ERR_SOURCE, err);
}

/* CouchDB reports a failure by an object in place of a row, or of the whole list. */
static int server_error(struct couch_ids *s, struct slice object, struct err *err)
{
	char said[COUCH_SAID_SIZE];

	if (!couch_said(object, said))
		return fail(s, "a row of the list has no id", err);
	err_set(err, ERR_SOURCE, "the server said: %s", said);
	couch_mark(err, 0, 1);
	return broke(s, ERR_SOURCE, err);
}

/* ---- asking ---- */

static void add_json_text(struct slice text, struct buf *out)
{
	struct json v = json_string(text);

	json_write(&v, JSON_PLAIN, out);
}

static void add_key(const char *name, struct slice id, struct buf *url)
{
	struct buf text = BUF_INIT(URL_MAX);

	add_json_text(id, &text);
	buf_fmt(url, "&%s=", name);
	pct_url(buf_slice(&text), url);
	buf_release(&text);
}

static int64_t page_size(const struct couch_ids *s)
{
	int64_t page = s->i.page > 0 ? s->i.page : PAGE_DEFAULT;
	int64_t left = s->i.limit > 0 ? s->i.limit - s->given : page;

	return left < page ? left : page;
}

static int ask_range(struct couch_ids *s, struct err *err)
{
	struct buf url = BUF_INIT(4 * URL_MAX);
	int rc;

	s->skip_first = s->after.len > 0;
	s->asked = page_size(s) + s->skip_first;
	buf_fmt(&url, "%s%s/_all_docs?limit=%lld", s->o.url->base, s->o.url->path, (long long)s->asked);
	if (s->after.len)
		add_key("startkey", buf_slice(&s->after), &url);
	if (s->until.len)
		add_key("endkey", buf_slice(&s->until), &url);
	rc = buf_check(&url, "the address of the list", err);
	if (rc == 0)
		rc = http_input_ask(s->in, url.ptr, SLICE_NONE, err);
	buf_release(&url);
	return rc;
}

static int ask_keys(struct couch_ids *s, struct err *err)
{
	struct buf url = BUF_INIT(URL_MAX), body = BUF_INIT(KEYS_MAX);
	int rc;

	buf_fmt(&url, "%s%s/_all_docs%s", s->o.url->base, s->o.url->path,
		s->want == COUCH_IDS_DOCS ? "?include_docs=true&conflicts=true" : "");
	buf_str(&body, "{\"keys\":[");
	for (size_t i = 0; i < s->n_keys; i++) {
		if (i)
			buf_ch(&body, ',');
		add_json_text(s->keys[i], &body);
	}
	buf_str(&body, "]}");
	rc = buf_check(&url, "the address of the list", err);
	if (rc == 0)
		rc = buf_check(&body, "a list of ids", err);
	if (rc == 0)
		rc = http_input_ask(s->in, url.ptr, buf_slice(&body), err);
	buf_release(&url);
	buf_release(&body);
	return rc;
}

/* ---- the outer object ---- */

/* The byte that comes next must be `wanted`, and is taken. */
static int expect(struct couch_ids *s, int wanted, struct err *err)
{
	int c, rc = window_skip(&s->w, &c, err);

	if (rc)
		return broke(s, rc, err);
	if (c == WINDOW_END)
		return cut(s, err);
	if (c != wanted)
		return fail(s, "the answer is no list of documents", err);
	window_take(&s->w, 1);
	return 0;
}

/* A key or value of the outer object, not taken. */
static int outer_value(struct couch_ids *s, struct slice *out, struct err *err)
{
	struct json_scan scan = JSON_SCAN_INIT;
	size_t len;
	int c, whole, rc = window_skip(&s->w, &c, err);

	if (rc == 0)
		rc = window_value(&s->w, &scan, OUTER_MAX, &len, &whole, err);
	if (rc)
		return broke(s, rc, err);
	if (!whole && len <= OUTER_MAX)
		return cut(s, err);
	if (!whole || !scan.started)
		return fail(s, "the answer is no list of documents", err);
	*out = (struct slice){window_rest(&s->w).ptr, len};
	return 0;
}

/* From one member's key to behind its value, or behind the [ of "rows"; *rows says which. */
static int read_member(struct couch_ids *s, int *rows, struct err *err)
{
	struct slice text;
	long long n;
	int is_total;

	if (outer_value(s, &text, err))
		return err->code;
	*rows = slice_is(text, "\"rows\"");
	is_total = slice_is(text, "\"total_rows\"");
	if (slice_is(text, "\"error\""))
		return server_error(s, SLICE("{}"), err);
	window_take(&s->w, text.len);
	if (expect(s, ':', err))
		return err->code;
	if (*rows)
		return expect(s, '[', err);
	if (outer_value(s, &text, err))
		return err->code;
	if (is_total && number_to_i64(text, &n))
		s->total = n;
	window_take(&s->w, text.len);
	return 0;
}

static int begin_page(struct couch_ids *s, struct err *err)
{
	int rows = 0;
	int rc = s->keys ? ask_keys(s, err) : ask_range(s, err);

	if (rc)
		return broke(s, rc, err);
	window_release(&s->w);
	window_init(&s->w, s->in, s->max_row);
	s->in_page = 0;
	s->taken_next = 0;
	if (expect(s, '{', err))
		return err->code;
	for (;;) {
		if (read_member(s, &rows, err))
			return err->code;
		if (rows)
			break;
		if (expect(s, ',', err))
			return err->code;
	}
	s->state = IDS_ROWS;
	return 0;
}

/* Behind the list: the rest of the outer object, to its last byte, so that the connection can be used again. */
static int end_page(struct couch_ids *s, struct err *err)
{
	int c = 0, rc = 0;

	window_take(&s->w, 1);
	while (rc == 0 && c != WINDOW_END) {
		rc = window_skip(&s->w, &c, err);
		if (rc == 0 && c != WINDOW_END)
			window_take(&s->w, window_rest(&s->w).len);
	}
	if (rc)
		return broke(s, rc, err);
	s->state = s->keys || s->in_page < s->asked || (s->i.limit > 0 && s->given >= s->i.limit) ? IDS_OVER : IDS_ASK;
	if (s->state == IDS_ASK) {
		buf_clear(&s->after);
		buf_adds(&s->after, buf_slice(&s->last));
	}
	return 0;
}

/* ---- rows ---- */

/* The id without its escapes. */
static struct slice decoded(struct couch_ids *s, struct slice raw)
{
	struct json v;
	struct slice quoted;

	if (!memchr(raw.ptr, '\\', raw.len))
		return raw;
	quoted = arena_printf(&s->scratch, "\"%.*s\"", SLICE_ARG(raw));
	return json_read(quoted, &s->scratch, 0, &v, NULL, NULL) == 0 ? json_text(&v) : raw;
}

/* Rows begin with their id where CouchDB writes them; the id is all that a list of ids is read for. */
static struct slice leading_id(struct slice row)
{
	static const char prefix[] = "{\"id\":\"";
	const size_t n = sizeof(prefix) - 1;
	const char *end;

	if (row.len < n || memcmp(row.ptr, prefix, n) != 0)
		return SLICE_NONE;
	end = memchr(row.ptr + n, '"', row.len - n);
	if (!end || memchr(row.ptr + n, '\\', (size_t)(end - row.ptr) - n))
		return SLICE_NONE;
	return (struct slice){row.ptr + n, (size_t)(end - row.ptr) - n};
}

static int is_deleted(struct slice value)
{
	struct json_part parts[8];
	size_t bad;
	int n = json_scan_members(value, parts, 8, &bad);

	for (int i = 0; i < n && i < 8; i++)
		if (slice_is(parts[i].key, "deleted"))
			return slice_is(parts[i].value, "true");
	return 0;
}

static int cut_row(struct couch_ids *s, struct slice text, struct couch_id *out, struct err *err)
{
	struct json_part parts[8];
	size_t bad;
	int n = json_scan_members(text, parts, 8, &bad), has_key = 0;

	out->text = text;
	out->found = 0;
	for (int i = 0; i < n && i < 8; i++) {
		if (slice_is(parts[i].key, "id")) {
			struct slice raw = row_unquoted(parts[i].value);
			out->id = raw.ptr ? decoded(s, raw) : SLICE_NONE;
			out->found = raw.ptr != NULL;
		} else if (slice_is(parts[i].key, "key")) {
			has_key = 1;
		} else if (slice_is(parts[i].key, "value")) {
			out->deleted = is_deleted(parts[i].value);
		} else if (slice_is(parts[i].key, "doc") && !slice_is(parts[i].value, "null")) {
			out->doc = parts[i].value;
		}
	}
	if (s->keys && has_key)
		out->id = s->keys[s->in_page];
	if (out->doc.ptr && out->doc.len > s->max_doc) {
		out->too_large = 1;
		out->text = out->doc = SLICE_NONE;
	}
	return out->id.ptr ? 0 : server_error(s, text, err);
}

/* Drops the rest of a row that passes max_row; `len` bytes of it lie in the window. */
static int skip_large(struct couch_ids *s, struct json_scan *scan, size_t len, struct couch_id *out, struct err *err)
{
	int done = 0;

	if (!s->keys)
		return fail(s, "a row of the list is larger than any id", err);
	while (!done) {
		window_take(&s->w, len);
		if (window_rest(&s->w).len == 0) {
			int rc = window_more(&s->w, err);
			if (rc)
				return broke(s, rc, err);
			if (s->w.ended)
				return cut(s, err);
		}
		len = json_scan_value(scan, window_rest(&s->w).ptr, window_rest(&s->w).len, &done);
	}
	window_take(&s->w, len);
	out->id = s->keys[s->in_page];
	out->found = out->too_large = 1;
	return 0;
}

static int read_row(struct couch_ids *s, struct couch_id *out, struct err *err)
{
	struct json_scan scan = JSON_SCAN_INIT;
	struct slice text;
	size_t len;
	int whole, rc = window_value(&s->w, &scan, s->max_row, &len, &whole, err);

	if (rc)
		return broke(s, rc, err);
	if (s->keys && s->in_page >= (int64_t)s->n_keys)
		return fail(s, "the list holds more than was asked for", err);
	if (!whole && len > s->max_row)
		return skip_large(s, &scan, len, out, err);
	if (!whole)
		return cut(s, err);
	text = (struct slice){window_rest(&s->w).ptr, len};
	s->taken_next = len;
	out->id = s->keys ? SLICE_NONE : leading_id(text);
	out->text = text;
	out->found = 1;
	return out->id.ptr ? 0 : cut_row(s, text, out, err);
}

/* The text that must stand at *at; *at moves behind it. */
static int takes(const char **at, const char *end, struct slice text)
{
	if ((size_t)(end - *at) < text.len || memcmp(*at, text.ptr, text.len) != 0)
		return 0;
	*at += text.len;
	return 1;
}

/* A string's bytes up to its closing quote, which is taken; 0 when there is an escape or no end. */
static int takes_plain(const char **at, const char *end, struct slice *out)
{
	const char *quote = memchr(*at, '"', (size_t)(end - *at));

	if (!quote || memchr(*at, '\\', (size_t)(quote - *at)))
		return 0;
	*out = (struct slice){*at, (size_t)(quote - *at)};
	*at = quote + 1;
	return 1;
}

/* Commas and line ends between rows. */
static int takes_separator(const char **at, const char *end, int first)
{
	if (!first && !takes(at, end, SLICE(",")))
		return 0;
	while (*at < end && (**at == '\r' || **at == '\n'))
		(*at)++;
	return *at < end;
}

/*
 * Most rows of a list of ids lie in the window whole and look like {"id":"A","key":"A","value":{"rev":"B"}}, without
 * escapes: they are read by comparing bytes. 0: nothing was taken, the row is for page_row.
 */
static int plain_row(struct couch_ids *s, struct couch_id *out)
{
	struct slice rest = window_rest(&s->w), id, rev;
	const char *at = rest.ptr + s->taken_next, *end = rest.ptr + rest.len, *begin;

	if (s->keys || s->taken_next > rest.len || !takes_separator(&at, end, s->in_page == 0))
		return 0;
	begin = at;
	if (!takes(&at, end, SLICE("{\"id\":\"")) || !takes_plain(&at, end, &id) ||
	    !takes(&at, end, SLICE(",\"key\":\"")) || !takes(&at, end, id) ||
	    !takes(&at, end, SLICE("\",\"value\":{\"rev\":\"")) || !takes_plain(&at, end, &rev) ||
	    !takes(&at, end, SLICE("}}")))
		return 0;
	window_take(&s->w, (size_t)(begin - rest.ptr));
	s->taken_next = (size_t)(at - begin);
	s->in_page++;
	out->id = id;
	out->text = (struct slice){begin, s->taken_next};
	out->found = 1;
	return 1;
}

/* One row of the page, or its end: then out->id stays unset. */
static int page_row(struct couch_ids *s, struct couch_id *out, struct err *err)
{
	int c, rc;

	window_take(&s->w, s->taken_next);
	s->taken_next = 0;
	rc = window_skip(&s->w, &c, err);
	if (rc)
		return broke(s, rc, err);
	if (c == ']')
		return end_page(s, err);
	if (s->in_page && expect(s, ',', err))
		return err->code;
	rc = window_skip(&s->w, &c, err);
	if (rc)
		return broke(s, rc, err);
	if (c == WINDOW_END)
		return cut(s, err);
	if (c != '{')
		return fail(s, "a row of the list is no object", err);
	rc = read_row(s, out, err);
	s->in_page++;
	return rc;
}

/* startkey is part of the range: the id after which the page begins is there unless it was deleted since. */
static int is_repeated(struct couch_ids *s, const struct couch_id *row)
{
	return s->skip_first && s->in_page == 1 && slice_eq(row->id, buf_slice(&s->after));
}

int couch_ids_next(struct couch_ids *s, struct couch_id *out, struct err *err)
{
	for (;;) {
		*out = (struct couch_id){.id = SLICE_NONE, .text = SLICE_NONE, .doc = SLICE_NONE};
		arena_reset(&s->scratch);
		if (s->state == IDS_OVER)
			return 0;
		if (s->state == IDS_BROKEN)
			return err_set(err, ERR_INTERNAL, "a list of documents is read on after it broke");
		if (s->state == IDS_ASK && begin_page(s, err))
			return err->code;
		if (!plain_row(s, out) && page_row(s, out, err))
			return err->code;
		if (!out->id.ptr || is_repeated(s, out))
			continue;
		s->given++;
		if (!s->keys && (s->in_page == s->asked || s->given == s->i.limit)) {
			buf_clear(&s->last);
			buf_adds(&s->last, out->id);
		}
		if (!s->keys && s->i.limit > 0 && s->given > s->i.limit) {
			s->state = IDS_OVER;
			continue;
		}
		return 0;
	}
}

/* ---- opening ---- */

static int open_stream(struct couch_ids **out, const struct couch_options *o, size_t max_row, struct err *err)
{
	struct couch_ids *s;
	int rc;

	*out = NULL;
	if (o->url->scheme != URL_HTTP && o->url->scheme != URL_HTTPS)
		return err_set(err, ERR_USAGE, "%s is a recorded feed, no server that could be asked", o->url->shown);
	s = calloc(1, sizeof(*s));
	if (!s)
		return err_set(err, ERR_INTERNAL, "out of memory");
	s->o = *o;
	s->max_row = max_row;
	s->total = -1;
	s->after.max = s->until.max = s->last.max = URL_MAX;
	rc = http_input_open(&s->in, o, err);
	if (rc)
		couch_ids_close(s);
	else
		*out = s;
	return rc;
}

int couch_ids_open(struct couch_ids **out, const struct couch_options *o, const struct couch_ids_options *i,
		   struct err *err)
{
	int rc = open_stream(out, o, 2 * URL_MAX, err);

	if (rc)
		return rc;
	(*out)->i = *i;
	if (i->after.ptr)
		buf_adds(&(*out)->after, i->after);
	if (i->until.ptr)
		buf_adds(&(*out)->until, i->until);
	return 0;
}

int couch_ids_open_keys(struct couch_ids **out, const struct couch_options *o, const struct slice *keys, size_t n,
			enum couch_ids_want want, size_t max_row, struct err *err)
{
	size_t cap = max_row ? max_row : ROW_MAX_DEFAULT;
	int rc = open_stream(out, o, cap + ROW_AROUND, err);

	if (rc)
		return rc;
	(*out)->max_doc = cap;
	(*out)->keys = keys;
	(*out)->n_keys = n;
	(*out)->want = want;
	(*out)->state = n ? IDS_ASK : IDS_OVER;
	return 0;
}

int64_t couch_ids_total(const struct couch_ids *s)
{
	return s->total;
}

void couch_ids_close(struct couch_ids *s)
{
	if (!s)
		return;
	window_release(&s->w);
	if (s->in)
		s->in->close(s->in);
	buf_release(&s->after);
	buf_release(&s->until);
	buf_release(&s->last);
	arena_release(&s->scratch);
	free(s);
}
