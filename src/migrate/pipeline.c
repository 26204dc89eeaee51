#include "migrate/pipeline.h"

#include "base/queue.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#define WAIT_MS 200
#define QUEUED_JOBS 2

struct pipeline {
	const struct pipeline_spec *spec;
	struct queue *queue;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	uint64_t done;                               /* every job below this number is done */
	uint64_t finished[PIPELINE_MAX_WORKERS + 1]; /* numbers done out of order */
	int n_finished;
	int failed;
	uint64_t failed_number;
	struct err error;
	int stopped;
};

struct worker {
	struct pipeline *p;
	int index;
	pthread_t thread;
};

static void note_failure(struct pipeline *p, uint64_t number, const struct err *err)
{
	if (!p->failed || number < p->failed_number) {
		p->error = *err;
		p->failed_number = number;
	}
	p->failed = 1;
	pthread_cond_broadcast(&p->changed);
	queue_close(p->queue);
}

/* Called with the mutex held. */
static void note_done(struct pipeline *p, uint64_t number)
{
	p->finished[p->n_finished++] = number;
	for (int i = 0; i < p->n_finished;) {
		if (p->finished[i] != p->done) {
			i++;
			continue;
		}
		p->finished[i] = p->finished[--p->n_finished];
		p->done++;
		i = 0;
	}
	pthread_cond_broadcast(&p->changed);
}

int pipeline_await_job(struct pipeline *p, uint64_t number, const struct pipeline_job *job, struct err *err)
{
	int failed;

	if (!p || number >= job->number)
		return 0;
	pthread_mutex_lock(&p->mutex);
	while (p->done <= number && !(p->failed && p->failed_number < job->number))
		pthread_cond_wait(&p->changed, &p->mutex);
	failed = p->failed && p->failed_number < job->number;
	pthread_mutex_unlock(&p->mutex);
	return failed ? err_set(err, ERR_STOPPED, "an earlier batch failed") : 0;
}

int pipeline_await_turn(struct pipeline *p, const struct pipeline_job *job, struct err *err)
{
	return job->number == 0 ? 0 : pipeline_await_job(p, job->number - 1, job, err);
}

uint64_t pipeline_oldest(struct pipeline *p)
{
	uint64_t oldest;

	pthread_mutex_lock(&p->mutex);
	oldest = p->done;
	pthread_mutex_unlock(&p->mutex);
	return oldest;
}

static int is_failed(struct pipeline *p)
{
	int failed;

	pthread_mutex_lock(&p->mutex);
	failed = p->failed;
	pthread_mutex_unlock(&p->mutex);
	return failed;
}

/* A job is left undone only when an earlier one failed: later ones may be waiting for it. */
static int is_lost(struct pipeline *p, const struct pipeline_job *job)
{
	int lost;

	pthread_mutex_lock(&p->mutex);
	lost = p->failed && p->failed_number < job->number;
	pthread_mutex_unlock(&p->mutex);
	return lost;
}

static void do_job(struct worker *w, struct pipeline_job *job)
{
	struct pipeline *p = w->p;
	struct err err = ERR_INIT;
	int rc = is_lost(p, job) ? ERR_STOPPED : p->spec->work(p->spec->ctx, p, w->index, job, &err);

	pthread_mutex_lock(&p->mutex);
	if (rc == 0)
		note_done(p, job->number);
	else if (err.code)
		note_failure(p, job->number, &err);
	pthread_mutex_unlock(&p->mutex);
	p->spec->release(p->spec->ctx, job);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	void *item;

	for (;;) {
		switch (queue_pop(w->p->queue, &item, WAIT_MS)) {
		case QUEUE_OK:
			do_job(w, item);
			break;
		case QUEUE_TIMEOUT:
			break;
		case QUEUE_CLOSED:
			return NULL;
		}
	}
}

/* 1 when the job was taken over by the queue. */
static int hand_over(struct pipeline *p, struct pipeline_job *job)
{
	for (;;) {
		switch (queue_push(p->queue, job, WAIT_MS)) {
		case QUEUE_OK:
			return 1;
		case QUEUE_TIMEOUT:
			break;
		case QUEUE_CLOSED:
			return 0;
		}
	}
}

static void produce_all(struct pipeline *p)
{
	const struct pipeline_spec *s = p->spec;

	for (uint64_t number = 0; !is_failed(p); number++) {
		struct pipeline_job *job = NULL;
		struct err err = ERR_INIT;

		if (s->stop && atomic_load(s->stop)) {
			p->stopped = 1;
			break;
		}
		if (s->produce(s->ctx, number, &job, &err)) {
			pthread_mutex_lock(&p->mutex);
			note_failure(p, number, &err);
			pthread_mutex_unlock(&p->mutex);
			break;
		}
		if (!job)
			break;
		assert(job->number == number);
		if (!hand_over(p, job)) {
			s->release(s->ctx, job);
			break;
		}
	}
	queue_close(p->queue);
}

static int start_workers(struct pipeline *p, struct worker *workers, int *started, struct err *err)
{
	for (*started = 0; *started < p->spec->workers; (*started)++) {
		struct worker *w = &workers[*started];
		int rc;

		w->p = p;
		w->index = *started;
		rc = pthread_create(&w->thread, NULL, worker_main, w);
		if (rc)
			return err_sys(err, ERR_INTERNAL, rc, "cannot start a worker thread");
	}
	return 0;
}

int pipeline_run(const struct pipeline_spec *spec, struct err *err)
{
	struct pipeline p = {.spec = spec};
	struct worker workers[PIPELINE_MAX_WORKERS];
	int started = 0, rc;

	assert(spec->workers >= 1 && spec->workers <= PIPELINE_MAX_WORKERS);
	pthread_mutex_init(&p.mutex, NULL);
	pthread_cond_init(&p.changed, NULL);
	p.queue = queue_new(QUEUED_JOBS);
	rc = start_workers(&p, workers, &started, err);
	if (rc == 0)
		produce_all(&p);
	else
		queue_close(p.queue);
	for (int i = 0; i < started; i++)
		pthread_join(workers[i].thread, NULL);
	if (rc == 0 && p.failed) {
		if (err)
			*err = p.error;
		rc = p.error.code;
	} else if (rc == 0 && p.stopped) {
		rc = err_set(err, ERR_STOPPED, "clean break");
	}
	queue_free(p.queue);
	pthread_cond_destroy(&p.changed);
	pthread_mutex_destroy(&p.mutex);
	return rc;
}
