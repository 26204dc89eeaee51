/* Working the manifest off: N threads take parts, each with a connection to both ends, all at one snapshot of the
 * source. */
#include "config.h"

#include "base/clock.h"
#include "tables/tables_internal.h"

#include <pthread.h>
#include <stdlib.h>

#define MOST_WORKERS 64

struct pool {
	struct run *run;
	pthread_mutex_t lock; /* next, failed, the summary, the manifest's connection, the log's progress */
	size_t next;
	int stop; /* after the first error, unless told otherwise */
	struct err first;
	atomic_int running;
	atomic_llong bytes; /* copied so far */
};

struct thread {
	struct pool *pool;
	pthread_t id;
	int started;
};

/* ---- connections ---- */

static int join_snapshot(struct worker *w, const struct run *r, struct err *err)
{
	int rc = pgc_exec(&w->source, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", NULL, err);
	if (rc || !r->snapshot[0])
		return rc;
	char sql[128];
	snprintf(sql, sizeof(sql), "SET TRANSACTION SNAPSHOT '%s'", r->snapshot);
	rc = pgc_exec(&w->source, sql, NULL, err);
	if (rc) { /* the connection that exported it is gone; the next run exports another */
		err_prefix(err, "the snapshot of this run is lost");
		err->retryable = 1;
	}
	return rc;
}

int worker_open(struct worker *w, const struct run *r, struct err *err)
{
	int rc = 0;
	if (w->s->sqlite && !w->lite) {
		rc = session_lite(w->s, &w->lite, err);
		if (rc == 0)
			rc = lite_begin(w->lite, err);
	}
	if (!w->s->sqlite && !w->source.conn) {
		rc = session_connect(w->s, &w->source, 0, err);
		if (rc == 0)
			rc = join_snapshot(w, r, err);
	}
	if (rc == 0 && !w->target.conn)
		rc = session_connect(w->s, &w->target, 1, err);
	if (rc)
		worker_close(w);
	return rc;
}

void worker_close(struct worker *w)
{
	pgc_close(&w->source);
	pgc_close(&w->target);
	lite_close(w->lite);
	w->lite = NULL;
	arena_release(&w->memory);
}

static int export_snapshot(struct run *r, struct err *err)
{
	struct session *s = r->s;
	PGresult *res = NULL;
	if (s->sqlite)
		return 0;
	if (s->source.citus)
		log_at(s->env->log, LOG_WARN,
		       "the source is a Citus cluster, whose nodes share no snapshot: it must stand still while it is "
		       "read");
	int rc = pgc_exec(&s->source, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", NULL, err);
	if (rc == 0)
		rc = pgc_exec(&s->source, "SELECT pg_export_snapshot()", &res, err);
	if (rc == 0 && strspn(PQgetvalue(res, 0, 0), "0123456789ABCDEFabcdef-") == strlen(PQgetvalue(res, 0, 0)))
		snprintf(r->snapshot, sizeof(r->snapshot), "%s", PQgetvalue(res, 0, 0));
	PQclear(res);
	return rc;
}

/* ---- one part ---- */

struct part {
	struct worker *w;
	struct pool *pool;
	struct tables_row row;
	struct arena a;
	struct spec spec;
	struct copied copied;
};

static int load(struct part *p, struct err *err)
{
	struct worker *w = p->w;
	struct resting resting;
	int rc = triggers_begin(&w->target, p->pool->run->triggers, p->spec.to, &p->a, &resting, err);
	if (rc == 0)
		rc = copy_rows(w, &p->spec, SPEC_ALL, qualified(&p->a, p->spec.to->schema, p->spec.to->name), &p->a,
			       &p->copied, err);
	if (rc == 0)
		rc = triggers_end(&w->target, &resting, &p->a, err);
	if (rc == 0)
		rc = parts_finish(w->s, &w->target, &p->row, &p->copied, err);
	return rc;
}

static int record_rejects(struct part *p, struct err *err)
{
	struct manifest *m = (struct manifest *)&p->pool->run->s->m;
	if (!p->w->s->sqlite)
		return 0;
	pthread_mutex_lock(&p->pool->lock);
	int rc = manifest_put_rejects(m, p->row.id, &p->copied.rejects, err);
	pthread_mutex_unlock(&p->pool->lock);
	return rc;
}

static int move_part(struct part *p, struct err *err)
{
	struct worker *w = p->w;
	int rc = worker_open(w, p->pool->run, err);
	if (rc == 0)
		rc = spec_make(w->s, &p->row, &p->a, &p->spec, err);
	if (rc == 0)
		rc = pgc_exec(&w->target, "BEGIN", NULL, err);
	if (rc == 0)
		rc = parts_mark(w->s, &w->target, &p->row, err);
	if (rc == 0)
		rc = load(p, err);
	if (rc == 0)
		rc = record_rejects(p, err);
	if (rc == 0)
		rc = pgc_exec(&w->target, "COMMIT", NULL, err);
	if (rc == 0)
		return 0;
	worker_close(w);
	return rc;
}

/* ---- what became of it ---- */

static void report_done(struct pool *pool, const struct tables_row *row)
{
	struct run *r = pool->run;
	int64_t bytes = 0, tables = 0;
	for (size_t i = 0; i < r->chosen.n; i++)
		if (strcmp(r->chosen.v[i].status, "done") == 0) {
			bytes += r->chosen.v[i].bytes;
			tables++;
		}
	log_at(r->s->env->log, LOG_INFO, "%s -> %s: %lld rows, %.1f s%s", row->source, row->target,
	       (long long)row->copied, (double)row->micros / 1e6,
	       row->rejected ? arena_printf(r->s->a, ", %lld rejected", (long long)row->rejected).ptr : "");
	log_at(r->s->env->log, LOG_INFO, "Progress: %.1f%% data (%lld of %lld), %.1f%% tables (%lld of %lld)",
	       r->all_bytes ? 100.0 * (double)bytes / (double)r->all_bytes : 100.0, (long long)bytes,
	       (long long)r->all_bytes, 100.0 * (double)tables / (double)r->chosen.n, (long long)tables,
	       (long long)r->chosen.n);
}

static int settle_part(struct part *p, size_t at, int64_t micros, struct err *err)
{
	struct pool *pool = p->pool;
	struct run *r = pool->run;
	struct tables_row *row = &r->chosen.v[at];
	row->copied = p->copied.rows;
	row->copied_bytes = p->copied.bytes;
	row->rejected = (int64_t)p->copied.rejects.n;
	row->micros = micros;
	row->status = "done";
	r->sum->parts++;
	r->sum->rows += row->copied;
	r->sum->bytes += row->copied_bytes;
	r->sum->rejected += row->rejected;
	report_done(pool, row);
	return manifest_done(&r->s->m, row, err);
}

static void settle_failure(struct part *p, struct err *err)
{
	struct pool *pool = p->pool;
	struct run *r = pool->run;
	struct err second = ERR_INIT;
	err_prefix(err, "%s", p->row.source);
	int first = pool->first.code == 0 || pool->first.code == ERR_STOPPED;
	if (first)
		pool->first = *err;
	r->sum->failed += err->code != ERR_STOPPED; /* a clean break is no failure */
	/* The first one is told at the end of the run, which is near. */
	if (err->code != ERR_STOPPED && (!first || r->o->no_stop_on_error))
		log_err(r->s->env->log, LOG_ERROR, err);
	if (!r->o->no_stop_on_error || err->code == ERR_STOPPED)
		pool->stop = 1;
	if (manifest_failed(&r->s->m, p->row.id, err, &second))
		log_err(r->s->env->log, LOG_ERROR, &second);
}

static void do_part(struct worker *w, struct pool *pool, size_t at)
{
	struct part p = {.w = w, .pool = pool, .row = pool->run->chosen.v[at]};
	struct err err = ERR_INIT;
	char now[CLOCK_TEXT_SIZE];
	int64_t start = clock_mono_us();
	clock_utc_text(now);
	p.row.started = now;
	int rc = move_part(&p, &err);
	pthread_mutex_lock(&pool->lock);
	pool->run->chosen.v[at].started = now;
	if (rc == 0)
		rc = settle_part(&p, at, clock_mono_us() - start, &err);
	if (rc)
		settle_failure(&p, &err);
	pool->run->chosen.v[at].started = NULL;
	pthread_mutex_unlock(&pool->lock);
	arena_release(&p.a);
}

static void *work(void *arg)
{
	struct thread *t = arg;
	struct pool *pool = t->pool;
	struct worker w = {.s = pool->run->s, .progress = &pool->bytes};
	for (;;) {
		pthread_mutex_lock(&pool->lock);
		size_t at = pool->next;
		int end = pool->stop || at >= pool->run->chosen.n || atomic_load(pool->run->s->env->stop);
		pool->next += !end;
		pthread_mutex_unlock(&pool->lock);
		if (end)
			break;
		do_part(&w, pool, at);
	}
	worker_close(&w);
	atomic_fetch_sub(&pool->running, 1);
	return NULL;
}

/* ---- the threads ---- */

static void show_progress(struct pool *pool)
{
	struct run *r = pool->run;
	char text[160];
	pthread_mutex_lock(&pool->lock);
	double mb = (double)atomic_load(&pool->bytes) / 1e6, all = (double)r->all_bytes / 1e6;
	snprintf(text, sizeof(text), "%.0f MB of about %.0f MB, %lld of %zu parts", mb, all, (long long)r->sum->parts,
		 r->chosen.n);
	pthread_mutex_unlock(&pool->lock);
	log_progress(r->s->env->log, text);
}

static int start_threads(struct pool *pool, struct thread *threads, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		threads[i].pool = pool;
		atomic_fetch_add(&pool->running, 1);
		if (pthread_create(&threads[i].id, NULL, work, &threads[i]) != 0) {
			atomic_fetch_sub(&pool->running, 1);
			return i ? 0 : err_set(err, ERR_INTERNAL, "no thread can be made");
		}
		threads[i].started = 1;
	}
	return 0;
}

static int run_threads(struct run *r, struct err *err)
{
	struct pool pool = {.run = r};
	struct thread threads[MOST_WORKERS] = {0};
	size_t n = r->o->parallel > MOST_WORKERS ? MOST_WORKERS : (size_t)r->o->parallel;
	n = n > r->chosen.n ? r->chosen.n : n;
	pthread_mutex_init(&pool.lock, NULL);
	int rc = start_threads(&pool, threads, n, err);
	while (atomic_load(&pool.running) > 0) {
		show_progress(&pool);
		clock_sleep_ms(20);
	}
	for (size_t i = 0; i < n; i++)
		if (threads[i].started)
			pthread_join(threads[i].id, NULL);
	log_progress(r->s->env->log, "");
	pthread_mutex_destroy(&pool.lock);
	if (rc == 0 && pool.first.code) {
		*err = pool.first;
		rc = pool.first.code;
	}
	if (rc == 0 && atomic_load(r->s->env->stop))
		rc = err_set(err, ERR_STOPPED, "stopped before the end");
	return rc;
}

int run_parts(struct run *r, struct err *err)
{
	struct err restoring = ERR_INIT;
	int rc = export_snapshot(r, err);
	if (rc == 0 && r->triggers == TRIGGERS_ALTER)
		rc = foreign_keys_drop(r->s, &r->chosen, err);
	if (rc == 0)
		rc = run_threads(r, err);
	/* The target may have restarted meanwhile: the next run restores then. */
	int restored = r->triggers == TRIGGERS_ALTER ? foreign_keys_restore(r->s, &restoring) : 0;
	return first_failure(r->s, rc, err, restored, &restoring);
}
