#include "migrate/pace.h"

#include "base/clock.h"

#define SLICES 10 /* a second */
#define PAGE_MAX 100000
#define WAIT_MS 20

static double most(const struct pace *p)
{
	return p->rate / SLICES > 1 ? p->rate / SLICES : 1;
}

struct pace pace_begin(double rate, int64_t now_us)
{
	struct pace p = {.rate = rate, .at_us = now_us};

	p.tokens = most(&p);
	return p;
}

int64_t pace_take(struct pace *p, size_t n, int64_t now_us)
{
	if (p->rate <= 0)
		return 0;
	p->tokens += (double)(now_us - p->at_us) / 1e6 * p->rate;
	if (p->tokens > most(p))
		p->tokens = most(p);
	p->at_us = now_us;
	p->tokens -= (double)n;
	return p->tokens < 0 ? (int64_t)(-p->tokens / p->rate * 1e6) + 1 : 0;
}

void pace_keep(struct pace *p, size_t n, const atomic_int *stop)
{
	int64_t until = clock_mono_us(), left;

	until += pace_take(p, n, until);
	while ((left = until - clock_mono_us()) > 0 && !(stop && atomic_load(stop)))
		clock_sleep_ms(left < WAIT_MS * 1000 ? (int)(left / 1000) + 1 : WAIT_MS);
}

size_t pace_slice(const struct pace *p)
{
	return (size_t)(most(p) < PAGE_MAX ? most(p) : PAGE_MAX);
}

size_t pace_page(const struct pace *p)
{
	if (p->rate < 1)
		return 1;
	return (size_t)(p->rate < PAGE_MAX ? p->rate : PAGE_MAX);
}
