/* loop.c: accept, epoll, timers. */
#include "config.h"

#include "tests/server/server.h"

#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_MAX 64
#define SLEEP_MAX_US 60000000

struct loop {
	struct site *site;
	struct conn *conns;
	int poll, listener;
};

static void accept_all(struct loop *l)
{
	for (;;) {
		int fd = accept4(l->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct conn *c;
		struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP};

		if (fd < 0)
			return;
		c = conn_new(l->site, fd);
		event.data.ptr = c;
		c->events = event.events;
		if (epoll_ctl(l->poll, EPOLL_CTL_ADD, fd, &event)) {
			conn_free(c);
			continue;
		}
		c->next = l->conns;
		l->conns = c;
	}
}

static void listen_for(const struct loop *l, struct conn *c)
{
	struct epoll_event event = {.events = EPOLLRDHUP, .data.ptr = c};

	if (c->state == CONN_READING)
		event.events |= EPOLLIN;
	if (c->out_at < c->out.len && c->fault_wake == NEVER)
		event.events |= EPOLLOUT;
	if (event.events == c->events)
		return;
	c->events = event.events;
	if (epoll_ctl(l->poll, EPOLL_CTL_MOD, c->fd, &event))
		c->state = CONN_GONE;
}

static void handle(struct conn *c, unsigned events, int64_t now)
{
	if (c->state == CONN_GONE)
		return;
	if (events & (EPOLLERR | EPOLLHUP))
		c->state = CONN_GONE;
	else if (c->state == CONN_READING && (events & (EPOLLIN | EPOLLRDHUP)))
		conn_read(c, now);
	else if (events & EPOLLRDHUP)
		c->state = CONN_GONE;
	else
		conn_pump(c, now);
}

/* When the connection next has something to do by itself. A stream is not asked before the client took what is there.
 */
static int64_t due_at(const struct conn *c)
{
	if (c->out_at < c->out.len)
		return c->fault_wake;
	return c->waiting && c->seen_changes != c->site->store.changes ? 0 : c->stream_wake;
}

/* Pumps what time or a change has woken, forgets the dead, and says how long to sleep. */
static int sweep(struct loop *l)
{
	int64_t now = clock_mono_us(), next = now + SLEEP_MAX_US;

	for (struct conn **at = &l->conns; *at;) {
		struct conn *c = *at;

		if (c->state != CONN_GONE && due_at(c) <= now)
			conn_pump(c, now);
		if (c->state != CONN_GONE)
			listen_for(l, c);
		if (c->state == CONN_GONE) {
			*at = c->next;
			conn_free(c);
			continue;
		}
		next = due_at(c) < next ? due_at(c) : next;
		at = &c->next;
	}
	return next <= now ? 0 : (int)((next - now + 999) / 1000);
}

static int watch(struct loop *l, int fd, void *as, struct err *err)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = as};

	return epoll_ctl(l->poll, EPOLL_CTL_ADD, fd, &event) ? err_sys(err, ERR_INTERNAL, errno, "epoll") : 0;
}

/* One turn; 1 when a signal asks to end, -1 on failure. */
static int turn(struct loop *l, struct err *err)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(l->poll, events, EVENTS_MAX, sweep(l));
	int64_t now = clock_mono_us();

	if (n < 0 && errno != EINTR)
		return err_sys(err, ERR_INTERNAL, errno, "epoll_wait") ? -1 : 0;
	for (int i = 0; i < n; i++) {
		if (events[i].data.ptr == l)
			return 1;
		if (events[i].data.ptr)
			handle(events[i].data.ptr, events[i].events, now);
		else
			accept_all(l);
	}
	return 0;
}

int serve(struct site *site, int listener, int signals, struct err *err)
{
	struct loop l = {.site = site, .listener = listener, .poll = epoll_create1(EPOLL_CLOEXEC)};
	int rc = l.poll < 0 ? err_sys(err, ERR_INTERNAL, errno, "epoll") : 0, over = 0;

	if (!rc)
		rc = watch(&l, listener, NULL, err);
	if (!rc)
		rc = watch(&l, signals, &l, err);
	while (!rc && !over)
		over = turn(&l, err);
	while (l.conns) {
		struct conn *c = l.conns;

		l.conns = c->next;
		conn_free(c);
	}
	if (l.poll >= 0)
		close(l.poll);
	return over < 0 ? (int)err->code : rc;
}
