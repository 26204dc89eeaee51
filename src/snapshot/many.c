#include "config.h"

#include "snapshot/many.h"

#include <pthread.h>

#define THREADS_MOST 64

struct many {
	pthread_mutex_t lock; /* of all below */
	size_t next, n;
	many_fn *fn;
	void *ctx;
	struct err err;
};

/* Is there more to do? *i = its number. */
static int take(struct many *m, size_t *i)
{
	pthread_mutex_lock(&m->lock);
	int more = m->next < m->n && m->err.code == 0;
	*i = more ? m->next++ : 0;
	pthread_mutex_unlock(&m->lock);
	return more;
}

static void give_up(struct many *m, const struct err *why)
{
	pthread_mutex_lock(&m->lock);
	if (m->err.code == 0)
		m->err = *why;
	pthread_mutex_unlock(&m->lock);
}

static void *work(void *arg)
{
	struct many *m = arg;
	struct arena a = ARENA_INIT;
	struct err why = ERR_INIT;
	size_t i;
	while (take(m, &i)) {
		if (m->fn(m->ctx, i, &a, &why))
			give_up(m, &why);
		arena_reset(&a);
	}
	arena_release(&a);
	return NULL;
}

int many_do(int threads, size_t n, many_fn *fn, void *ctx, struct err *err)
{
	struct many m = {.n = n, .fn = fn, .ctx = ctx};
	pthread_t others[THREADS_MOST];
	int begun = 0;
	pthread_mutex_init(&m.lock, NULL);
	/* This thread is one of them; with fewer than wanted it takes longer, that is all. */
	while (begun < threads - 1 && begun < THREADS_MOST && (size_t)begun + 1 < n &&
	       pthread_create(&others[begun], NULL, work, &m) == 0)
		begun++;
	work(&m);
	for (int i = 0; i < begun; i++)
		pthread_join(others[i], NULL);
	pthread_mutex_destroy(&m.lock);
	if (m.err.code)
		*err = m.err;
	return m.err.code;
}
