#include "config.h"

#include "base/clock.h"

#include "base/datetime.h"

#include <errno.h>
#include <string.h>
#include <time.h>

_Static_assert(CLOCK_TEXT_SIZE == DATETIME_TEXT_SIZE, "both are the canonical text");

static int64_t now_us(clockid_t clock)
{
	struct timespec t = {0};
	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_mono_us(void)
{
	return now_us(CLOCK_MONOTONIC);
}

int64_t clock_utc_us(void)
{
	return now_us(CLOCK_REALTIME);
}

void clock_utc_text(char out[CLOCK_TEXT_SIZE])
{
	if (!datetime_format(clock_utc_us(), out))
		memcpy(out, "0001-01-01T00:00:00.000000Z", CLOCK_TEXT_SIZE);
}

void clock_sleep_ms(int ms)
{
	if (ms <= 0)
		return;
	struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
		;
}
