#include "config.h"

#include "base/queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t has_room, has_item;
	size_t capacity, first, count; /* a ring: items[first], count of them */
	int closed;
	void *items[];
};

/* Timed waits go by the monotonic clock: setting the machine's time must not stretch them. */
static void cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

struct queue *queue_new(size_t capacity)
{
	size_t room = capacity ? capacity : 1, size;
	struct queue *q = NULL;
	if (!__builtin_mul_overflow(room, sizeof(void *), &size) && !__builtin_add_overflow(size, sizeof(*q), &size))
		q = calloc(1, size);
	if (!q) {
		fprintf(stderr, "settle: out of memory (a queue of %zu)\n", room);
		exit(6);
	}
	q->capacity = room;
	pthread_mutex_init(&q->lock, NULL);
	cond_init(&q->has_room);
	cond_init(&q->has_item);
	return q;
}

void queue_free(struct queue *q)
{
	if (!q)
		return;
	pthread_cond_destroy(&q->has_item);
	pthread_cond_destroy(&q->has_room);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

static struct timespec deadline_in(int timeout_ms)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	if (timeout_ms > 0) {
		t.tv_sec += timeout_ms / 1000;
		t.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	}
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

enum queue_result queue_push(struct queue *q, void *item, int timeout_ms)
{
	struct timespec deadline = deadline_in(timeout_ms);
	enum queue_result result = QUEUE_OK;
	pthread_mutex_lock(&q->lock);
	int late = 0;
	while (!q->closed && q->count == q->capacity && !late)
		late = pthread_cond_timedwait(&q->has_room, &q->lock, &deadline) == ETIMEDOUT;
	if (q->closed) {
		result = QUEUE_CLOSED;
	} else if (q->count == q->capacity) {
		result = QUEUE_TIMEOUT;
	} else {
		q->items[(q->first + q->count++) % q->capacity] = item;
		pthread_cond_signal(&q->has_item);
	}
	pthread_mutex_unlock(&q->lock);
	return result;
}

enum queue_result queue_pop(struct queue *q, void **item, int timeout_ms)
{
	struct timespec deadline = deadline_in(timeout_ms);
	enum queue_result result = QUEUE_OK;
	pthread_mutex_lock(&q->lock);
	int late = 0;
	while (!q->closed && q->count == 0 && !late)
		late = pthread_cond_timedwait(&q->has_item, &q->lock, &deadline) == ETIMEDOUT;
	if (q->count) {
		*item = q->items[q->first];
		q->first = (q->first + 1) % q->capacity;
		q->count--;
		pthread_cond_signal(&q->has_room);
	} else {
		result = q->closed ? QUEUE_CLOSED : QUEUE_TIMEOUT;
	}
	pthread_mutex_unlock(&q->lock);
	return result;
}

void queue_close(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = 1;
	pthread_cond_broadcast(&q->has_room);
	pthread_cond_broadcast(&q->has_item);
	pthread_mutex_unlock(&q->lock);
}

size_t queue_length(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	size_t n = q->count;
	pthread_mutex_unlock(&q->lock);
	return n;
}
