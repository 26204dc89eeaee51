/* pipeline: order, failure and stopping, with real threads (runs under TSan in CI). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "migrate/idset.h"
#include "migrate/pipeline.h"

struct job {
	struct pipeline_job head;
	int value;
};

struct world {
	int produced, limit, fail_at, fail_produce_at;
	_Atomic int released;
	int order[512], n_order; /* written with the turn */
	unsigned seed;
	atomic_int stop;
	int stop_at;
	int rival; /* every job waits for the one this far before it */
};

static int produce(void *ctx, uint64_t number, struct pipeline_job **job, struct err *err)
{
	struct world *w = ctx;
	struct job *j;

	if (w->fail_produce_at && w->produced == w->fail_produce_at)
		return err_set(err, ERR_SOURCE, "feed broke");
	if (w->produced == w->limit)
		return 0;
	if (w->stop_at && w->produced == w->stop_at)
		atomic_store(&w->stop, 1);
	j = calloc(1, sizeof(*j));
	assert_non_null(j);
	j->value = w->produced++;
	j->head.number = number;
	*job = &j->head;
	return 0;
}

static int work(void *ctx, struct pipeline *p, int worker, struct pipeline_job *job, struct err *err)
{
	struct world *w = ctx;
	struct job *j = (struct job *)job;

	(void)worker;
	if ((unsigned)j->value % 7 == w->seed % 7)
		clock_sleep_ms(1);
	if (w->rival && job->number >= (uint64_t)w->rival &&
	    pipeline_await_job(p, job->number - (uint64_t)w->rival, job, err))
		return err->code;
	if (w->fail_at && j->value == w->fail_at)
		return err_set(err, ERR_TARGET, "write failed");
	if (pipeline_await_turn(p, job, err))
		return err->code;
	assert_int_equal(job->number, (uint64_t)j->value);
	w->order[w->n_order++] = j->value;
	return 0;
}

static void release(void *ctx, struct pipeline_job *job)
{
	struct world *w = ctx;

	atomic_fetch_add(&w->released, 1);
	free(job);
}

static int run(struct world *w, int workers, struct err *err)
{
	struct pipeline_spec spec = {
	    .workers = workers, .stop = &w->stop, .ctx = w, .produce = produce, .work = work, .release = release};

	return pipeline_run(&spec, err);
}

static void assert_prefix_in_order(const struct world *w)
{
	for (int i = 0; i < w->n_order; i++)
		assert_int_equal(w->order[i], i);
	assert_int_equal(w->released, w->produced);
}

static void test_pipeline__turns_come_in_order_of_production(void **state)
{
	(void)state;
	for (int workers = 1; workers <= 4; workers++) {
		struct world w = {.limit = 300, .seed = (unsigned)workers, .rival = workers};
		struct err err = ERR_INIT;

		assert_int_equal(run(&w, workers, &err), 0);
		assert_int_equal(w.n_order, 300);
		assert_prefix_in_order(&w);
	}
}

static void test_pipeline__failed_job_stops_later_ones_and_is_reported(void **state)
{
	(void)state;
	for (int workers = 1; workers <= 4; workers++) {
		struct world w = {.limit = 300, .fail_at = 57};
		struct err err = ERR_INIT;

		assert_int_equal(run(&w, workers, &err), ERR_TARGET);
		assert_string_equal(err.msg, "write failed");
		assert_true(w.n_order <= 57);
		assert_prefix_in_order(&w);
		assert_true(w.produced < 300);
	}
}

/* Job 3 fails while job 2 is still on its way: job 2 must be done all the same. */
static void test_pipeline__jobs_before_the_failed_one_are_done(void **state)
{
	(void)state;
	for (int i = 0; i < 200; i++) {
		struct world w = {.limit = 20, .fail_at = 3 + i % 5, .seed = (unsigned)i};
		struct err err = ERR_INIT;

		assert_int_equal(run(&w, 4, &err), ERR_TARGET);
		assert_int_equal(w.n_order, w.fail_at);
		assert_prefix_in_order(&w);
	}
}

static void test_pipeline__failing_producer_lets_begun_jobs_finish(void **state)
{
	struct world w = {.limit = 300, .fail_produce_at = 20};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(run(&w, 3, &err), ERR_SOURCE);
	assert_string_equal(err.msg, "feed broke");
	assert_prefix_in_order(&w);
}

static void test_pipeline__stop_flag_ends_with_a_clean_prefix(void **state)
{
	struct world w = {.limit = 300, .stop_at = 30};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(run(&w, 3, &err), ERR_STOPPED);
	assert_int_equal(w.n_order, w.produced);
	assert_int_equal(w.produced, 31);
	assert_prefix_in_order(&w);
}

static void test_pipeline__nothing_produced_is_success(void **state)
{
	struct world w = {.limit = 0};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(run(&w, 2, &err), 0);
	assert_int_equal(w.n_order, 0);
}

static void test_idset__tells_known_ids_and_common_ones(void **state)
{
	struct idset a = IDSET_INIT, b = IDSET_INIT, empty = IDSET_INIT;
	char text[32];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		snprintf(text, sizeof(text), "id-%d", i);
		assert_int_equal(idset_add(&a, slice_of(text)), 0);
		assert_int_equal(idset_add(&a, slice_of(text)), 1);
	}
	assert_true(idset_has(&a, SLICE("id-4999")));
	assert_false(idset_has(&a, SLICE("id-5000")));
	assert_false(idset_meets(&a, &empty));
	assert_false(idset_meets(&empty, &a));
	(void)idset_add(&b, SLICE("other"));
	assert_false(idset_meets(&a, &b));
	(void)idset_add(&b, SLICE("id-17"));
	assert_true(idset_meets(&a, &b));
	assert_true(idset_meets(&b, &a));
	idset_release(&a);
	idset_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pipeline__turns_come_in_order_of_production),
	    cmocka_unit_test(test_pipeline__failed_job_stops_later_ones_and_is_reported),
	    cmocka_unit_test(test_pipeline__jobs_before_the_failed_one_are_done),
	    cmocka_unit_test(test_pipeline__failing_producer_lets_begun_jobs_finish),
	    cmocka_unit_test(test_pipeline__stop_flag_ends_with_a_clean_prefix),
	    cmocka_unit_test(test_pipeline__nothing_produced_is_success),
	    cmocka_unit_test(test_idset__tells_known_ids_and_common_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
