/*
 * queue: a bounded queue of pointers between threads. An item has exactly one owner: whoever pushed it until pop
 * returns it. Every wait has a timeout. Threads: safe.
 */
#ifndef SETTLE_BASE_QUEUE_H
#define SETTLE_BASE_QUEUE_H

#include <stddef.h>

struct queue;

struct queue *queue_new(size_t capacity);
/* Items still inside are not freed: drain first. NULL is allowed. */
void queue_free(struct queue *q);
enum queue_result { QUEUE_OK, QUEUE_TIMEOUT, QUEUE_CLOSED };
/* Waits for room up to timeout_ms. CLOSED: the caller keeps the item. */
enum queue_result queue_push(struct queue *q, void *item, int timeout_ms);
/* Waits for an item; after close the remaining items still come out, then CLOSED. */
enum queue_result queue_pop(struct queue *q, void **item, int timeout_ms);
/* No more pushes; wakes everybody. Idempotent. */
void queue_close(struct queue *q);
size_t queue_length(struct queue *q);

#endif
