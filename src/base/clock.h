/*
 * clock: time for progress, log lines and settle's own records. No row outside settle_* may depend on it. Threads:
 * safe.
 */
#ifndef SETTLE_BASE_CLOCK_H
#define SETTLE_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define CLOCK_TEXT_SIZE 28 /* "2026-11-20T03:04:05.123456Z" and NUL */

int64_t clock_mono_us(void); /* microseconds from an arbitrary start, never backwards */
int64_t clock_utc_us(void);  /* microseconds since 1970-01-01T00:00:00Z */
void clock_utc_text(char out[CLOCK_TEXT_SIZE]);
void clock_sleep_ms(int ms);

#endif
