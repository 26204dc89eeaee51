/* progress: what a run tells of how far it is, and of how far it is behind the source. */
#include "migrate/progress.h"

#include "base/clock.h"
#include "migrate/session.h"

#include <stdarg.h>
#include <stdio.h>

#define DRAW_EVERY_US 200000
#define RATE_OVER_US 5000000   /* while following: the rate of the last seconds */
#define ASK_EVERY_US 5000000   /* the source, how many changes wait */
#define TELL_AFTER_US 10000000 /* behind for so long: it is logged */
#define TELL_EVERY_US 60000000

/* ---- the text ---- */

struct line {
	char *at;
	size_t left;
};

static void PRINTF_LIKE(2, 3) add(struct line *l, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(l->at, l->left, fmt, args);
	va_end(args);
	if (n < 0 || l->left == 0)
		return;
	n = (size_t)n < l->left ? n : (int)l->left - 1;
	l->at += n;
	l->left -= (size_t)n;
}

static void add_behind(struct line *l, const struct progress_facts *f)
{
	if (f->behind == 0 && f->behind_s >= 0 && f->behind_s < 1) {
		add(l, ", at the head of the feed");
		return;
	}
	if (f->behind >= 0)
		add(l, ", %lld changes", (long long)f->behind);
	if (f->behind_s >= 0)
		add(l, "%s%.0f s", f->behind >= 0 ? " and " : ", ", f->behind_s);
	if (f->behind >= 0 || f->behind_s >= 0)
		add(l, " behind");
}

void progress_text(const struct progress_facts *f, char *out, size_t size)
{
	struct line l = {out, size};

	add(&l, "%s: %lld, %.0f/s", f->what, (long long)f->done, f->rate);
	if (f->part >= 0)
		add(&l, ", %.0f%%", f->part > 1 ? 100 : f->part * 100);
	if (f->remaining >= 0)
		add(&l, ", %.0f s remaining", f->remaining);
	add_behind(&l, f);
}

/* ---- of a run ---- */

void run_progress_start(struct run *r, int64_t total)
{
	if (r->progress.following)
		return;
	atomic_store(&r->progress.docs, 0);
	atomic_store(&r->progress.total, total);
	r->progress.started_us = clock_mono_us();
	r->progress.drawn_us = 0;
}

void run_progress_follow(struct run *r)
{
	run_progress_start(r, 0);
	r->progress.following = 1;
	r->progress.head_us = r->progress.rate_us = r->progress.started_us;
}

/* Part of the phase that is done, 0..1, or -1 when nothing tells. */
static double part_done(struct run *r, int64_t docs)
{
	int64_t total = atomic_load(&r->progress.total), done_bytes = 0, all_bytes = -1;

	if (total > 0)
		return (double)docs / (double)total;
	if (r->fetch)
		fetch_progress(r->fetch, &done_bytes, &all_bytes);
	return all_bytes > 0 ? (double)done_bytes / (double)all_bytes : -1;
}

static struct progress_facts of_phase(struct run *r, const char *what, int64_t now)
{
	struct progress_facts f = {
	    .what = what, .done = atomic_load(&r->progress.docs), .remaining = -1, .behind = -1, .behind_s = -1};
	double seconds = (double)(now - r->progress.started_us) / 1e6;

	f.rate = seconds > 0 ? (double)f.done / seconds : 0;
	f.part = part_done(r, f.done);
	if (f.part > 0)
		f.remaining = f.part > 1 ? 0 : seconds / f.part * (1 - f.part);
	if (r->progress.of_feed && atomic_load(&r->progress.total) > 0)
		f.behind = f.done < atomic_load(&r->progress.total) ? atomic_load(&r->progress.total) - f.done : 0;
	return f;
}

static double recent_rate(struct run_progress *p, int64_t docs, int64_t now)
{
	if (now - p->rate_us >= RATE_OVER_US || p->rate_us == p->started_us) {
		p->rate = now > p->rate_us ? (double)(docs - p->rate_docs) / ((double)(now - p->rate_us) / 1e6) : 0;
		if (now - p->rate_us >= RATE_OVER_US) {
			p->rate_us = now;
			p->rate_docs = docs;
		}
	}
	return p->rate;
}

static struct progress_facts of_follow(struct run *r, int64_t now)
{
	struct run_progress *p = &r->progress;
	int64_t docs = atomic_load(&p->docs);

	return (struct progress_facts){
	    .what = "following",
	    .done = docs,
	    .rate = recent_rate(p, docs, now),
	    .part = -1,
	    .remaining = -1,
	    .behind = p->behind,
	    .behind_s = (double)(now - p->head_us) / 1e6,
	};
}

static void draw(struct run *r, const char *what)
{
	int64_t now = clock_mono_us();
	struct progress_facts facts;
	char text[200];

	if (now - r->progress.drawn_us < DRAW_EVERY_US)
		return;
	r->progress.drawn_us = now;
	facts = r->progress.following ? of_follow(r, now) : of_phase(r, what, now);
	progress_text(&facts, text, sizeof(text));
	log_progress(r->env->log, text);
}

void run_progress_draw(struct run *r, const char *what)
{
	if (r->progress.following)
		return;
	if (what)
		draw(r, what);
	else
		log_progress(r->env->log, "");
}

/* ---- behind the head of the feed ---- */

int64_t run_waiting(struct run *r)
{
	struct couch_client *client = NULL;
	struct err err = ERR_INIT;
	int64_t pending = -1;

	if (!run_from_server(r) || couch_client_open(&client, &r->couch, &err))
		return -1;
	if (couch_pending(client, r->seq.len ? buf_slice(&r->seq) : SLICE_NONE, &pending, &err))
		pending = -1;
	couch_client_close(client);
	return pending;
}

void run_progress_at_head(struct run *r)
{
	struct run_progress *p = &r->progress;

	p->head_us = clock_mono_us();
	p->behind = 0;
	if (p->told_us)
		log_at(r->env->log, LOG_INFO, "at the head of the feed again");
	p->told_us = 0;
	draw(r, "following");
}

static void tell_behind(struct run *r, int64_t now)
{
	struct run_progress *p = &r->progress;

	if (now - p->head_us < TELL_AFTER_US || (p->told_us && now - p->told_us < TELL_EVERY_US))
		return;
	p->told_us = now;
	log_at(r->env->log, LOG_INFO, "behind the head of the feed for %.0f s changes=%lld",
	       (double)(now - p->head_us) / 1e6, (long long)p->behind);
}

void run_progress_behind(struct run *r)
{
	struct run_progress *p = &r->progress;
	int64_t now = clock_mono_us();

	if (now - p->asked_us >= ASK_EVERY_US) {
		p->asked_us = now;
		p->behind = run_waiting(r);
	}
	tell_behind(r, now);
	draw(r, "following");
}
