/*
 * pace: --max-rate. A token bucket: tokens come at the rate, and no more than a tenth of a second's worth are saved, so
 * that what is taken is spread evenly. Pure but for pace_keep, which waits. Private to src/migrate. Threads: one thread
 * at a time.
 */
#ifndef SETTLE_MIGRATE_PACE_H
#define SETTLE_MIGRATE_PACE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct pace {
	double rate;   /* tokens a second; 0 = no limit */
	double tokens; /* below 0: a debt */
	int64_t at_us; /* when they were counted last */
};

struct pace pace_begin(double rate, int64_t now_us);
/* Takes n tokens; microseconds to wait until they are there, 0 = they are. */
int64_t pace_take(struct pace *p, size_t n, int64_t now_us);
/* The same, and waits; ends early when stop (NULL allowed) is set. */
void pace_keep(struct pace *p, size_t n, const atomic_int *stop);
/* How many to take at a time (a tenth of a second's worth), and how many to ask a server for at a time (a second's
 * worth): at least 1. */
size_t pace_slice(const struct pace *p);
size_t pace_page(const struct pace *p);

#endif
