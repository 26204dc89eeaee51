/* progress: the line that shows how far a phase is. */
#include "base/clock.h"
#include "migrate/run.h"

#include <stdio.h>

#define DRAW_EVERY_US 200000

void run_progress_start(struct run *r, int64_t total)
{
	atomic_store(&r->progress.docs, 0);
	atomic_store(&r->progress.total, total);
	r->progress.started_us = clock_mono_us();
	r->progress.drawn_us = 0;
}

/* Part of the phase that is done, 0..1, or -1 when nothing tells. */
static double fraction(struct run *r, int64_t docs)
{
	int64_t total = atomic_load(&r->progress.total), done_bytes = 0, all_bytes = -1;

	if (total > 0)
		return (double)docs / (double)total;
	if (r->fetch)
		fetch_progress(r->fetch, &done_bytes, &all_bytes);
	return all_bytes > 0 ? (double)done_bytes / (double)all_bytes : -1;
}

void run_progress_draw(struct run *r, const char *what)
{
	int64_t now = clock_mono_us(), docs = atomic_load(&r->progress.docs);
	double seconds = (double)(now - r->progress.started_us) / 1e6, part;
	char line[160];
	int n;

	if (!what) {
		log_progress(r->env->log, "");
		return;
	}
	if (now - r->progress.drawn_us < DRAW_EVERY_US)
		return;
	r->progress.drawn_us = now;
	part = fraction(r, docs);
	n = snprintf(line, sizeof(line), "%s: %lld, %.0f/s", what, (long long)docs,
		     seconds > 0 ? (double)docs / seconds : 0);
	if (part > 0 && n > 0 && (size_t)n < sizeof(line))
		snprintf(line + n, sizeof(line) - (size_t)n, ", %.0f%%, %.0f s remaining", part > 1 ? 100 : part * 100,
			 part > 1 ? 0 : seconds / part * (1 - part));
	log_progress(r->env->log, line);
}
