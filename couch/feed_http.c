#include "config.h"

#include "couch/couch_internal.h"

#include <stdlib.h>

#define HEARTBEAT_MS 10000
#define URL_MAX ((size_t)64 * 1024)

struct feed_http {
	struct feed_input in; /* first: cast back from it */
	struct http *http;
	struct slice rest; /* came, not yet given out; borrowed from http */
};

static int feed_http_read(struct feed_input *in, char *room, size_t size, size_t *got, struct err *err)
{
	struct feed_http *f = (struct feed_http *)in;
	*got = 0;
	if (!f->rest.len) {
		int rc = http_read(f->http, &f->rest, err);
		in->answered = http_is_success(http_status(f->http));
		if (rc)
			return rc;
		in->raw_bytes += f->rest.len;
	}
	*got = f->rest.len < size ? f->rest.len : size;
	if (*got)
		memcpy(room, f->rest.ptr, *got);
	f->rest.ptr += *got;
	f->rest.len -= *got;
	return 0;
}

static void feed_http_close(struct feed_input *in)
{
	struct feed_http *f = (struct feed_http *)in;
	http_close(f->http);
	free(f);
}

static int heartbeat_ms(const struct couch_feed_options *f)
{
	return f->heartbeat_ms > 0 ? f->heartbeat_ms : HEARTBEAT_MS;
}

static int feed_url(const struct url *url, const struct couch_feed_options *f, struct buf *out, struct err *err)
{
	buf_fmt(out, "%s%s/_changes?", url->base, url->path);
	if (f->kind == COUCH_FEED_NORMAL)
		buf_str(out, "feed=normal");
	else
		buf_fmt(out, "feed=%s&heartbeat=%d", f->kind == COUCH_FEED_CONTINUOUS ? "continuous" : "longpoll",
			heartbeat_ms(f));
	if (!f->ids_only)
		buf_str(out, "&include_docs=true&conflicts=true&attachments=false");
	if (f->since.ptr) {
		buf_str(out, "&since=");
		int rc = couch_since(f->since, out, err);
		if (rc)
			return rc;
	}
	if (f->limit > 0)
		buf_fmt(out, "&limit=%lld", (long long)f->limit);
	if (f->seq_interval > 1)
		buf_fmt(out, "&seq_interval=%d", f->seq_interval);
	return buf_check(out, "the address of the feed", err);
}

/* A silent feed is alive as long as heartbeats come; two that fail to come are a stall. */
static struct couch_options with_patience(const struct couch_options *o, const struct couch_feed_options *f)
{
	struct couch_options patient = *o;
	int two_beats_s = 2 * heartbeat_ms(f) / 1000 + 1;
	if (f->kind != COUCH_FEED_NORMAL && patient.stall_timeout_s > 0 && patient.stall_timeout_s < two_beats_s)
		patient.stall_timeout_s = two_beats_s;
	return patient;
}

int http_input_open(struct feed_input **out, const struct couch_options *o, struct err *err)
{
	struct feed_http *feed = calloc(1, sizeof(*feed));
	if (!feed)
		return err_set(err, ERR_INTERNAL, "out of memory");
	feed->in = (struct feed_input){.read = feed_http_read, .close = feed_http_close, .size = -1, .remote = 1};
	int rc = http_open(&feed->http, o, err);
	if (rc)
		feed_http_close(&feed->in);
	else
		*out = &feed->in;
	return rc;
}

int http_input_ask(struct feed_input *in, const char *url, struct slice body, struct err *err)
{
	struct feed_http *feed = (struct feed_http *)in;
	feed->rest = SLICE("");
	return body.ptr ? http_send(feed->http, "POST", url, body, err) : http_begin(feed->http, url, err);
}

int feed_http_open(struct feed_input **out, const struct couch_options *o, const struct couch_feed_options *f,
		   struct err *err)
{
	struct buf url = BUF_INIT(URL_MAX);
	struct couch_options patient = with_patience(o, f);
	int rc = feed_url(o->url, f, &url, err);
	if (!rc)
		rc = http_input_open(out, &patient, err);
	if (!rc) {
		(*out)->beats = f->kind != COUCH_FEED_NORMAL;
		rc = http_input_ask(*out, url.ptr, SLICE_NONE, err);
		if (rc)
			(*out)->close(*out);
	}
	buf_release(&url);
	return rc;
}
