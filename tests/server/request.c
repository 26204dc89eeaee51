/* request.c: HTTP/1.1 requests (RFC 9112), with Content-Length or chunked bodies. */
#include "config.h"

#include "tests/server/server.h"

#include "base/number.h"
#include "base/pct.h"

#include <strings.h>

#define HEAD_MAX ((size_t)1 << 16)
#define LENGTH_DIGITS_MAX 12
#define JSON_DEPTH_MAX 100000

struct framing {
	long long length; /* -1: none given */
	int chunked, expects;
};

static struct slice trimmed(struct slice s)
{
	while (s.len && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
		s.ptr++, s.len--;
	while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t' || s.ptr[s.len - 1] == '\r'))
		s.len--;
	return s;
}

static int same_word(struct slice s, const char *word)
{
	return s.len == strlen(word) && strncasecmp(s.ptr, word, s.len) == 0;
}

/* Cuts `all` at the first c: returns what is before it and leaves what is after. */
static struct slice cut_at(struct slice *all, char c)
{
	const char *at = all->len ? memchr(all->ptr, c, all->len) : NULL;
	struct slice first = *all;

	if (!at) {
		*all = (struct slice){all->ptr + all->len, 0};
		return first;
	}
	first.len = (size_t)(at - all->ptr);
	*all = (struct slice){at + 1, all->len - first.len - 1};
	return first;
}

static int read_length(struct slice text, long long *out)
{
	return text.len && text.len <= LENGTH_DIGITS_MAX && number_to_i64(text, out) && *out >= 0 ? 0 : -1;
}

static int read_field(struct request *req, struct slice name, struct slice value, struct framing *f)
{
	if (same_word(name, "content-length"))
		return read_length(value, &f->length);
	if (same_word(name, "transfer-encoding"))
		f->chunked = same_word(value, "chunked");
	else if (same_word(name, "expect"))
		f->expects = same_word(value, "100-continue");
	else if (same_word(name, "connection"))
		req->close = same_word(value, "close");
	else if (same_word(name, "authorization"))
		req->authorization = value;
	else if (same_word(name, "cookie"))
		req->cookie = value;
	else if (same_word(name, "content-type"))
		req->content_type = value;
	else if (same_word(name, "host"))
		req->host = value;
	else if (same_word(name, "if-match"))
		req->if_match = value;
	return 0;
}

static int read_head(struct slice head, struct request *req, struct framing *f)
{
	struct slice line = trimmed(cut_at(&head, '\n')), version;

	*req = (struct request){0};
	*f = (struct framing){.length = -1};
	req->method = cut_at(&line, ' ');
	req->target = cut_at(&line, ' ');
	version = trimmed(line);
	if (!slice_starts(version, SLICE("HTTP/1.")) || req->target.len == 0 || req->target.ptr[0] != '/')
		return -1;
	req->close = slice_is(version, "HTTP/1.0");
	req->query = req->target;
	req->path = cut_at(&req->query, '?');
	while (head.len) {
		struct slice value = cut_at(&head, '\n'), name = cut_at(&value, ':');

		if (trimmed(name).len && read_field(req, trimmed(name), trimmed(value), f))
			return -1;
	}
	return 0;
}

/* Gathers a chunked body in c->chunked_body: 1 whole, 0 more is needed, -1 broken. *used: bytes of `in` it takes. */
static int read_chunks(struct conn *c, size_t from, size_t *used)
{
	struct slice rest = {c->in.ptr + from, c->in.len - from};

	buf_clear(&c->chunked_body);
	for (;;) {
		const char *line_end = memchr(rest.ptr, '\n', rest.len);
		struct slice line;
		size_t size = 0;

		if (!line_end)
			return 0;
		line = cut_at(&rest, '\n');
		line = trimmed(cut_at(&line, ';'));
		if (line.len == 0 || line.len > 8)
			return -1;
		for (size_t i = 0; i < line.len; i++) {
			const char *digit = strchr("0123456789abcdef", line.ptr[i] | 0x20);

			if (!digit)
				return -1;
			size = size * 16 + (size_t)(digit - "0123456789abcdef");
		}
		if (rest.len < size + 2)
			return 0;
		if (size == 0) {
			*used = (size_t)(rest.ptr - c->in.ptr) + 2;
			return 1;
		}
		buf_add(&c->chunked_body, rest.ptr, size);
		rest = (struct slice){rest.ptr + size + 2, rest.len - size - 2};
	}
}

static void say_continue(struct conn *c)
{
	if (!c->continued)
		buf_str(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
	c->continued = 1;
}

int request_parse(struct conn *c)
{
	const char *end;
	struct framing f;
	size_t head_len;
	int rc = 1;

	if (c->in.len < c->parsed || c->in.len == 0)
		return 0;
	end = memmem(c->in.ptr, c->in.len < HEAD_MAX ? c->in.len : HEAD_MAX, "\r\n\r\n", 4);
	if (!end)
		return c->in.len < HEAD_MAX ? 0 : -1;
	head_len = (size_t)(end - c->in.ptr) + 4;
	if (read_head((struct slice){c->in.ptr, head_len - 2}, &c->req, &f))
		return -1;
	c->parsed = head_len + (f.length > 0 ? (size_t)f.length : 0);
	if (f.chunked)
		rc = read_chunks(c, head_len, &c->parsed);
	else
		rc = c->in.len >= c->parsed;
	if (rc == 0 && f.expects)
		say_continue(c);
	if (rc == 0 && f.chunked)
		c->parsed = 0;
	c->req.body =
	    f.chunked ? buf_slice(&c->chunked_body) : (struct slice){c->in.ptr + head_len, c->parsed - head_len};
	return rc;
}

struct slice query_get(struct conn *c, const char *name)
{
	struct slice rest = c->req.query;
	struct buf value = BUF_INIT(HEAD_MAX);
	struct slice found = SLICE_NONE;

	while (rest.len && !found.ptr) {
		struct slice part = cut_at(&rest, '&'), key = cut_at(&part, '=');

		if (!slice_is(key, name))
			continue;
		for (size_t i = 0; i < part.len; i++)
			if (part.ptr[i] == '+')
				((char *)part.ptr)[i] = ' ';
		if (pct_decode(part, &value) == 0)
			found = arena_slice(&c->arena, buf_slice(&value));
	}
	buf_release(&value);
	return found;
}

int query_is(struct conn *c, const char *name, const char *value)
{
	struct slice given = query_get(c, name);

	return given.ptr && slice_is(given, value);
}

long long query_number(struct conn *c, const char *name, long long otherwise)
{
	struct slice text = query_get(c, name);
	long long n;

	if (!text.ptr)
		return otherwise;
	return number_valid(text) && number_to_i64(text, &n) && n >= 0 ? n : -1;
}

int request_json(struct conn *c, struct json *out)
{
	if (json_read(c->req.body, &c->arena, JSON_DEPTH_MAX, out, NULL, NULL) == 0)
		return 0;
	respond_refusal(c, &refusal_bad_json);
	return -1;
}
