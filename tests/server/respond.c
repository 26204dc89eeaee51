/* respond.c: heads, whole answers, chunks. Header fields stand in the order in which CouchDB sends them. */
#include "config.h"

#include "tests/server/server.h"

#include <sodium.h>
#include <time.h>

#define CHUNK_ROWS 1490 /* CouchDB's buffer for rows */

static const char *phrase(int status)
{
	static const struct {
		int status;
		const char *phrase;
	} known[] = {
	    {200, "OK"},
	    {201, "Created"},
	    {202, "Accepted"},
	    {400, "Bad Request"},
	    {401, "Unauthorized"},
	    {403, "Forbidden"},
	    {404, "Object Not Found"},
	    {405, "Method Not Allowed"},
	    {409, "Conflict"},
	    {412, "Precondition Failed"},
	    {415, "Unsupported Media Type"},
	    {429, "Too Many Requests"},
	    {500, "Internal Server Error"},
	    {503, "Service Unavailable"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (known[i].status == status)
			return known[i].phrase;
	return "Status";
}

static void add_date(struct buf *out)
{
	char text[64];
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(text, sizeof(text), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
	buf_str(out, text);
}

static void add_field(struct buf *out, const char *name, struct slice value)
{
	if (!value.ptr)
		return;
	buf_str(out, name);
	buf_str(out, ": ");
	buf_adds(out, value);
	buf_str(out, "\r\n");
}

static void add_fields(struct buf *out, const struct head *h)
{
	if (h->flags & HEAD_ATTACHMENT)
		buf_str(out, "Accept-Ranges: none\r\n");
	buf_str(out, "Cache-Control: must-revalidate\r\n");
	if (h->length >= 0)
		buf_fmt(out, "Content-Length: %lld\r\n", h->length);
	if (h->flags & HEAD_ATTACHMENT)
		buf_str(out, "Content-Security-Policy: sandbox\r\n");
	add_field(out, "Content-Type", slice_of(h->type ? h->type : "application/json"));
	add_date(out);
	add_field(out, "ETag", h->etag);
	add_field(out, "Location", h->location);
	if (h->retry_after)
		buf_fmt(out, "Retry-After: %lld\r\n", h->retry_after);
	buf_str(out, "Server: CouchDB/3.4.3 (Erlang OTP/25)\r\n");
	add_field(out, "Set-Cookie", h->set_cookie);
	if (h->length < 0)
		buf_str(out, "Transfer-Encoding: chunked\r\n");
	if (!(h->flags & HEAD_SESSION))
		buf_fmt(out, "X-Couch-Request-ID: %08x%02x\r\nX-CouchDB-Body-Time: 0\r\n", randombytes_random(),
			randombytes_uniform(256));
}

void respond_head(struct conn *c, const struct head *h)
{
	size_t before = c->out.len;

	buf_fmt(&c->out, "HTTP/1.1 %d %s\r\n", h->status, phrase(h->status));
	add_fields(&c->out, h);
	buf_str(&c->out, "\r\n");
	c->head_left += c->out.len - before;
}

static int is_head(const struct conn *c)
{
	return slice_is(c->req.method, "HEAD");
}

void respond_json_head(struct conn *c, const struct head *head, struct slice body)
{
	struct head h = *head;

	h.length = (long long)body.len + 1;
	respond_head(c, &h);
	if (is_head(c))
		return;
	buf_adds(&c->out, body);
	buf_ch(&c->out, '\n');
}

void respond_json(struct conn *c, int status, struct slice body)
{
	respond_json_head(c, &(struct head){.status = status}, body);
}

void respond_ok(struct conn *c, int status)
{
	respond_json(c, status, SLICE("{\"ok\":true}"));
}

void respond_refusal(struct conn *c, const struct refusal *no)
{
	struct buf body = BUF_INIT(1024);

	buf_fmt(&body, "{\"error\":\"%s\",\"reason\":\"%s\"}", no->error, no->reason);
	respond_json(c, no->status, buf_slice(&body));
	buf_release(&body);
}

void respond_stream(struct conn *c, struct stream *stream)
{
	if (is_head(c))
		stream->free(stream);
	else
		c->stream = stream;
}

void chunk_write(struct conn *c, struct slice bytes)
{
	if (is_head(c))
		return;
	buf_fmt(&c->out, "%zx\r\n", bytes.len);
	buf_adds(&c->out, bytes);
	buf_add(&c->out, "\r\n", 2);
}

/* CouchDB ends every chunked answer with a chunk that is one line end. */
void chunk_last(struct conn *c)
{
	if (!is_head(c))
		buf_str(&c->out, "1\r\n\n\r\n0\r\n\r\n");
}

void chunker_flush(struct chunker *k, struct conn *c)
{
	if (k->rows.len)
		chunk_write(c, buf_slice(&k->rows));
	buf_clear(&k->rows);
}

void chunker_add(struct chunker *k, struct conn *c, struct slice row)
{
	k->rows.max = SIZE_MAX / 2;
	if (k->rows.len && k->rows.len + row.len > CHUNK_ROWS)
		chunker_flush(k, c);
	buf_adds(&k->rows, row);
}

void chunker_release(struct chunker *k)
{
	buf_release(&k->rows);
}
