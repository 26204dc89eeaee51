#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/queue.h"

#include <pthread.h>

#define PATIENCE_MS 20000 /* for waits that must end by themselves */

static void test_queue__first_in_first_out(void **state)
{
	(void)state;
	int items[5];
	void *item = NULL;
	struct queue *q = queue_new(3);
	for (int round = 0; round < 4; round++) {
		for (int i = 0; i < 3; i++)
			assert_int_equal(queue_push(q, &items[i], 0), QUEUE_OK);
		assert_int_equal(queue_length(q), 3);
		for (int i = 0; i < 2; i++) {
			assert_int_equal(queue_pop(q, &item, 0), QUEUE_OK);
			assert_ptr_equal(item, &items[i]);
		}
		assert_int_equal(queue_pop(q, &item, 0), QUEUE_OK);
		assert_ptr_equal(item, &items[2]);
	}
	assert_int_equal(queue_length(q), 0);
	queue_free(q);
	queue_free(NULL);
}

static void test_queue__waits_end_with_timeout(void **state)
{
	(void)state;
	int value;
	void *item = &value;
	struct queue *q = queue_new(0); /* at least one fits */
	assert_int_equal(queue_pop(q, &item, 5), QUEUE_TIMEOUT);
	assert_ptr_equal(item, &value);
	assert_int_equal(queue_pop(q, &item, -1), QUEUE_TIMEOUT);
	assert_int_equal(queue_push(q, &value, 0), QUEUE_OK);
	assert_int_equal(queue_push(q, &value, 5), QUEUE_TIMEOUT);
	assert_int_equal(queue_push(q, &value, 0), QUEUE_TIMEOUT);
	assert_int_equal(queue_length(q), 1);
	queue_free(q);
}

static void test_queue_close__what_is_inside_still_comes_out(void **state)
{
	(void)state;
	int value;
	void *item = NULL;
	struct queue *q = queue_new(2);
	assert_int_equal(queue_push(q, &value, 0), QUEUE_OK);
	queue_close(q);
	queue_close(q);
	assert_int_equal(queue_push(q, &value, PATIENCE_MS), QUEUE_CLOSED);
	assert_int_equal(queue_pop(q, &item, 0), QUEUE_OK);
	assert_ptr_equal(item, &value);
	assert_int_equal(queue_pop(q, &item, PATIENCE_MS), QUEUE_CLOSED);
	queue_free(q);
}

static void *pop_one(void *arg)
{
	void *item = NULL;
	return (void *)(uintptr_t)queue_pop(arg, &item, PATIENCE_MS);
}

static void *push_one(void *arg)
{
	return (void *)(uintptr_t)queue_push(arg, arg, PATIENCE_MS);
}

static void test_queue_close__wakes_everybody(void **state)
{
	(void)state;
	struct queue *empty = queue_new(1), *full = queue_new(1);
	pthread_t threads[6];
	assert_int_equal(queue_push(full, full, 0), QUEUE_OK);
	for (int i = 0; i < 6; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, i < 3 ? pop_one : push_one, i < 3 ? empty : full),
				 0);
	queue_close(empty);
	queue_close(full);
	for (int i = 0; i < 6; i++) {
		void *result;
		pthread_join(threads[i], &result);
		assert_int_equal((uintptr_t)result, QUEUE_CLOSED);
	}
	queue_free(empty);
	queue_free(full);
}

enum { PRODUCERS = 3, CONSUMERS = 3, EACH = 20000 };

struct crowd {
	struct queue *q;
	unsigned char *seen; /* an item's owner writes its place, nobody else does */
	pthread_mutex_t lock;
	int next;
	int out_of_order;
};

static void *produce(void *arg)
{
	struct crowd *c = arg;
	pthread_mutex_lock(&c->lock);
	int first = c->next;
	c->next += EACH;
	pthread_mutex_unlock(&c->lock);
	for (int i = 0; i < EACH; i++) {
		if (queue_push(c->q, &c->seen[first + i], PATIENCE_MS) != QUEUE_OK)
			return c;
	}
	return NULL;
}

static void *consume(void *arg)
{
	struct crowd *c = arg;
	unsigned char *last[PRODUCERS] = {0};
	void *item;
	while (queue_pop(c->q, &item, PATIENCE_MS) == QUEUE_OK) {
		unsigned char *place = item;
		size_t producer = (size_t)(place - c->seen) / EACH;
		++*place;
		if (last[producer] && place <= last[producer]) {
			pthread_mutex_lock(&c->lock);
			c->out_of_order++;
			pthread_mutex_unlock(&c->lock);
		}
		last[producer] = place;
	}
	return NULL;
}

static void test_queue__many_threads_lose_and_repeat_nothing(void **state)
{
	(void)state;
	struct crowd c = {.q = queue_new(7), .lock = PTHREAD_MUTEX_INITIALIZER};
	c.seen = test_calloc(PRODUCERS, EACH);
	pthread_t producers[PRODUCERS], consumers[CONSUMERS];
	for (int i = 0; i < CONSUMERS; i++)
		assert_int_equal(pthread_create(&consumers[i], NULL, consume, &c), 0);
	for (int i = 0; i < PRODUCERS; i++)
		assert_int_equal(pthread_create(&producers[i], NULL, produce, &c), 0);
	for (int i = 0; i < PRODUCERS; i++) {
		void *failed;
		pthread_join(producers[i], &failed);
		assert_null(failed);
	}
	queue_close(c.q);
	for (int i = 0; i < CONSUMERS; i++)
		pthread_join(consumers[i], NULL);
	for (int i = 0; i < PRODUCERS * EACH; i++)
		assert_int_equal(c.seen[i], 1);
	assert_int_equal(c.out_of_order, 0);
	test_free(c.seen);
	queue_free(c.q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_queue__first_in_first_out),
	    cmocka_unit_test(test_queue__waits_end_with_timeout),
	    cmocka_unit_test(test_queue_close__what_is_inside_still_comes_out),
	    cmocka_unit_test(test_queue_close__wakes_everybody),
	    cmocka_unit_test(test_queue__many_threads_lose_and_repeat_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
