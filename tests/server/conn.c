/* conn.c: one connection: reading requests, sending answers. */
#include "config.h"

#include "tests/server/server.h"

#include "tests/server/recorded.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define IN_MAX ((size_t)1 << 31)
#define OUT_MAX ((size_t)1 << 40)
#define READ_SIZE ((size_t)1 << 18)
#define CONSUME_ABOVE ((size_t)1 << 20)
#define FILL_BELOW ((size_t)1 << 18) /* a stream is asked for more when less than this is waiting */

struct conn *conn_new(struct site *site, int fd)
{
	struct conn *c = xalloc(sizeof(*c));

	c->site = site;
	c->fd = fd;
	c->in = (struct buf)BUF_INIT(IN_MAX);
	c->chunked_body = (struct buf)BUF_INIT(IN_MAX);
	c->out = (struct buf)BUF_INIT(OUT_MAX);
	c->stream_wake = c->fault_wake = NEVER;
	return c;
}

static void end_stream(struct conn *c)
{
	if (c->stream)
		c->stream->free(c->stream);
	c->stream = NULL;
	c->stream_wake = NEVER;
	c->waiting = 0;
}

void conn_free(struct conn *c)
{
	end_stream(c);
	fault_end(&c->fault);
	close(c->fd);
	buf_release(&c->in);
	buf_release(&c->chunked_body);
	buf_release(&c->out);
	arena_release(&c->arena);
	free(c);
}

/* How many bytes the fault lets go now: the head always leaves whole. */
static size_t sendable(struct conn *c, int64_t now)
{
	size_t allowed, ready;
	int gone = 0;

	c->fault_wake = NEVER;
	allowed = fault_allows(&c->fault, c->body_sent, now, &c->out, c->out_at + c->head_left, &c->fault_wake, &gone);
	ready = c->out.len - c->out_at;
	if (allowed < ready - c->head_left)
		ready = c->head_left + allowed;
	if (gone && ready == 0)
		c->state = CONN_GONE;
	return ready;
}

static void note_sent(struct conn *c, size_t n)
{
	size_t head = n < c->head_left ? n : c->head_left;

	c->out_at += n;
	c->head_left -= head;
	c->body_sent += n - head;
	if (c->out_at == c->out.len) {
		buf_clear(&c->out);
		c->out_at = 0;
	} else if (c->out_at > CONSUME_ABOVE && c->out_at > c->out.len / 2) {
		buf_consume(&c->out, c->out_at);
		c->out_at = 0;
	}
}

/* Sends what may be sent; 1 when nothing is left. */
static int flush(struct conn *c, int64_t now)
{
	for (;;) {
		size_t ready = sendable(c, now);
		ssize_t n;

		if (ready == 0)
			return c->out_at == c->out.len && c->state != CONN_GONE;
		n = send(c->fd, c->out.ptr + c->out_at, ready, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			if (errno != EAGAIN)
				c->state = CONN_GONE;
			return 0;
		}
		note_sent(c, (size_t)n);
	}
}

/* The stand-in cannot promise anything once it cannot write down what it did. */
static void keep_promises(struct conn *c)
{
	struct err err = ERR_INIT;

	if (journal_flush(c->site->journal, &err)) {
		fprintf(stderr, "couchd: %s\n", err.msg);
		exit(err_exit_code(&err));
	}
}

static void fill(struct conn *c, int64_t now)
{
	while (c->stream && c->out.len - c->out_at < FILL_BELOW) {
		enum fill more;

		c->seen_changes = c->site->store.changes;
		c->stream_wake = NEVER;
		more = c->stream->fill(c->stream, c, now);
		c->waiting = more == FILL_WAIT;
		if (more == FILL_END)
			end_stream(c);
		if (c->waiting)
			return;
	}
}

static void answer_status(struct conn *c)
{
	struct refusal no = {c->fault.status, "standin", "as the script asks."};
	struct buf body = BUF_INIT(256);
	struct head head = {.status = c->fault.status, .retry_after = c->fault.retry_after};

	if (no.status == 401)
		no.error = "unauthorized";
	if (no.status == 429)
		no.error = "too_many_requests";
	if (no.status == 500)
		no.error = "internal_server_error";
	if (no.status == 503)
		no.error = "service_unavailable";
	buf_fmt(&body, "{\"error\":\"%s\",\"reason\":\"%s\"}", no.error, no.reason);
	respond_json_head(c, &head, buf_slice(&body));
	buf_release(&body);
}

/* Neither rules nor counters see the requests that are about them. */
static int is_own_door(const struct conn *c)
{
	return slice_is(c->req.path, "/_standin");
}

static void answer(struct conn *c)
{
	c->state = CONN_ANSWERING;
	c->close = c->req.close;
	c->body_sent = 0;
	c->site->request_count++;
	if (!is_own_door(c))
		c->fault = faults_meet(&c->site->faults, c->req.method, c->req.target);
	if (c->fault.action == FAULT_DROP) {
		c->state = CONN_GONE;
		return;
	}
	if (c->fault.action == FAULT_STATUS)
		answer_status(c);
	else if (!recorded_answer(c))
		route(c);
	keep_promises(c);
	if (c->fault.action == FAULT_LOSE)
		c->state = CONN_GONE;
}

static void finish(struct conn *c)
{
	if (!is_own_door(c))
		faults_count(&c->site->faults, c->req.method, c->req.path, c->body_sent);
	fault_end(&c->fault);
	buf_consume(&c->in, c->parsed);
	buf_clear(&c->chunked_body);
	c->parsed = 0;
	c->continued = 0;
	c->req = (struct request){0};
	arena_reset(&c->arena);
	c->state = c->close ? CONN_GONE : CONN_READING;
}

void conn_pump(struct conn *c, int64_t now)
{
	while (c->state != CONN_GONE) {
		if (c->state == CONN_ANSWERING)
			fill(c, now);
		if (!flush(c, now))
			return;
		if (c->stream && c->waiting && c->seen_changes == c->site->store.changes)
			return;
		if (c->stream)
			continue;
		if (c->state == CONN_ANSWERING) {
			finish(c);
			continue;
		}
		switch (request_parse(c)) {
		case 1:
			answer(c);
			break;
		case 0:
			if (c->out.len == 0)
				return;
			break;
		default:
			c->state = CONN_GONE;
		}
	}
}

void conn_read(struct conn *c, int64_t now)
{
	for (;;) {
		char *room = buf_room(&c->in, READ_SIZE);
		ssize_t n = room ? recv(c->fd, room, READ_SIZE, 0) : 0;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0) {
			c->state = CONN_GONE;
			return;
		}
		c->in.len += (size_t)n;
		c->in.ptr[c->in.len] = 0;
		if ((size_t)n < READ_SIZE)
			break;
	}
	conn_pump(c, now);
}
