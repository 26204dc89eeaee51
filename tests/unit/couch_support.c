#include "config.h"

#include "couch_support.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

/* ---- recorded answers ---- */

void fixture_load(const char *name, struct buf *out)
{
	char path[4096];
	size_t n;
	const char *top = getenv("top_srcdir");
	*out = (struct buf)BUF_INIT(1 << 20);
	snprintf(path, sizeof(path), "%s/fixtures/couch/%s", top ? top : ".", name);
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	char *room = buf_room(out, 1 << 19);
	while ((n = fread(room + out->len, 1, (1 << 19) - out->len, file)) > 0)
		out->len += n;
	fclose(file);
}

static size_t header_length(struct slice answer)
{
	const char *end = memmem(answer.ptr, answer.len, "\r\n\r\n", 4);
	assert_non_null(end);
	return (size_t)(end - answer.ptr) + 4;
}

void fixture_body(const char *name, struct buf *out)
{
	struct buf raw;
	fixture_load(name, &raw);
	size_t at = header_length(buf_slice(&raw));
	*out = (struct buf)BUF_INIT(1 << 20);
	if (!memmem(raw.ptr, at, "chunked", 7)) {
		buf_add(out, raw.ptr + at, raw.len - at);
		buf_release(&raw);
		return;
	}
	for (;;) {
		char *end;
		size_t len = strtoul(raw.ptr + at, &end, 16);
		at = (size_t)(end - raw.ptr) + 2;
		if (!len || at + len > raw.len)
			break;
		buf_add(out, raw.ptr + at, len);
		at += len + 2;
	}
	buf_release(&raw);
}

/* ---- feeds over memory ---- */

struct memory_input {
	struct feed_input in;
	struct slice left;
	struct delivery d;
};

static int memory_read(struct feed_input *in, char *room, size_t size, size_t *got, struct err *err)
{
	struct memory_input *m = (struct memory_input *)in;
	size_t n = in->raw_bytes == 0 && m->d.first ? m->d.first : m->d.later;
	(void)err;
	if (!n || n > size)
		n = size;
	if (n > m->left.len)
		n = m->left.len;
	if (n)
		memcpy(room, m->left.ptr, n);
	m->left.ptr += n;
	m->left.len -= n;
	in->raw_bytes += n;
	*got = n;
	return 0;
}

static void memory_close(struct feed_input *in)
{
	free(in);
}

int memory_feed(struct couch_feed **out, struct slice bytes, const struct delivery *d, struct err *err)
{
	static const struct url url = {.scheme = URL_STDIN, .shown = "file:-"};
	struct couch_options o = {.url = &url};
	struct memory_input *m = calloc(1, sizeof(*m));
	m->in = (struct feed_input){
	    .read = memory_read, .close = memory_close, .size = -1, .remote = d->remote, .beats = d->beats};
	m->left = bytes;
	m->d = *d;
	return couch_feed_over(out, &o, d->max_row, &m->in, err);
}

int rows_as_text(struct couch_feed *f, struct buf *out, struct err *err)
{
	enum couch_next what;
	struct couch_row r;
	for (;;) {
		int rc = couch_feed_next(f, &what, &r, err);
		if (rc || what == COUCH_END)
			return rc;
		if (what == COUCH_HEARTBEAT) {
			buf_str(out, "heartbeat\n");
			continue;
		}
		buf_fmt(out, "%.*s|%.*s|%.*s|", SLICE_ARG(r.seq), SLICE_ARG(r.id), SLICE_ARG(r.rev));
		buf_fmt(out, "%s%s%s%.*s\n", r.deleted ? "deleted " : "", r.too_large ? "large " : "",
			r.malformed ? "malformed " : "", SLICE_ARG(r.doc));
	}
}

/* ---- the server ---- */

static void send_all(int fd, struct slice bytes)
{
	while (bytes.len) {
		ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		bytes = (struct slice){bytes.ptr + n, bytes.len - (size_t)n};
	}
}

/* One request's headers; 0 when the client has gone instead. */
static int receive_request(int fd, struct buf *requests)
{
	size_t begin = requests->len;
	for (;;) {
		char bytes[4096];
		ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
		if (n <= 0)
			return 0;
		buf_add(requests, bytes, (size_t)n);
		if (memmem(requests->ptr + begin, requests->len - begin, "\r\n\r\n", 4))
			return 1;
	}
}

static void wait_until_client_goes(int fd)
{
	char bytes[256];
	while (recv(fd, bytes, sizeof(bytes), 0) > 0)
		continue;
}

/* Plays one scene on the connection, or on another when that one has gone. Returns the connection to go on with, or -1.
 */
static int play(struct couch_server *s, int fd, const struct scene *scene)
{
	while (fd < 0 || !receive_request(fd, &s->requests)) {
		if (fd >= 0)
			close(fd);
		fd = accept(s->listener, NULL, NULL);
		if (fd < 0)
			return -1;
	}
	send_all(fd, scene->answer);
	atomic_fetch_add(&s->answered, 1);
	if (scene->end == SCENE_KEEP)
		return fd;
	if (scene->end == SCENE_HOLD)
		wait_until_client_goes(fd);
	if (scene->end == SCENE_PAUSE)
		usleep(50000);
	close(fd);
	return -1;
}

static void *serve(void *context)
{
	struct couch_server *s = context;
	int fd = -1;
	for (int i = 0; i < s->count; i++)
		fd = play(s, fd, &s->scenes[i]);
	if (fd >= 0)
		close(fd);
	return NULL;
}

void couch_server_start(struct couch_server *s)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	s->requests = (struct buf)BUF_INIT(1 << 20);
	s->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(s->listener, 8), 0);
	assert_int_equal(getsockname(s->listener, (struct sockaddr *)&address, &len), 0);
	s->port = ntohs(address.sin_port);
	snprintf(s->base, sizeof(s->base), "http://127.0.0.1:%d", s->port);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

void couch_server_await(const struct couch_server *s, int answers)
{
	while (atomic_load(&s->answered) < answers)
		usleep(1000);
}

void couch_server_stop(struct couch_server *s)
{
	pthread_join(s->thread, NULL);
	close(s->listener);
}

void couch_server_release(struct couch_server *s)
{
	buf_release(&s->requests);
}
