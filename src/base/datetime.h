/*
 * datetime: the one strict reading of date-time text (BEHAVIOUR section 3): `YYYY-MM-DDThh:mm:ssZ`, optionally `.`
 * and 1-6 fraction digits before Z; calendar-valid (proleptic Gregorian), years 0001-9999, seconds 00-59, capital T
 * and Z. Pure. Threads: safe.
 */
#ifndef SETTLE_BASE_DATETIME_H
#define SETTLE_BASE_DATETIME_H

#include "base/slice.h"

#include <stdint.h>

#define DATETIME_TEXT_SIZE 28

/*
 * 1 and *us = microseconds since 1970-01-01T00:00:00Z (may be negative), or 0 when it is not a date-time. us may be
 * NULL.
 */
int datetime_parse(struct slice text, int64_t *us);
/* Canonical text "YYYY-MM-DDThh:mm:ss.ffffffZ" of an instant in years 0001-9999; returns 0 outside them. */
int datetime_format(int64_t us, char out[DATETIME_TEXT_SIZE]);
/* A calendar-valid date only, `YYYY-MM-DD`; *us = midnight UTC. */
int date_parse(struct slice text, int64_t *us);

#endif
