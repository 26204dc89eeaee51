/*
 * number: JSON numbers as text, compared by exact decimal value (DESIGN decision 1). No double, no expanding of
 * exponents; exponents of any length are handled (longer than 18 digits compare by text length and digits). Pure.
 * Threads: safe. Grammar: RFC 8259 section 6.
 */
#ifndef SETTLE_BASE_NUMBER_H
#define SETTLE_BASE_NUMBER_H

#include "base/buf.h"
#include "base/slice.h"

int number_valid(struct slice text);           /* is it one RFC 8259 number, whole */
int number_eq(struct slice a, struct slice b); /* -0 = 0, 3 = 3.0 = 3e0 */
/* Canonical text of the value: no leading or trailing zeros, plain notation up to 40 digits, else d.ddde[-]x. Equal
 * values give equal bytes. */
void number_canonical(struct slice text, struct buf *out);
/* Can PostgreSQL's numeric hold it exactly (at most 131072 digits before the point, 16383 after)? */
int number_fits_numeric(struct slice text);
int number_to_i64(struct slice text, long long *out); /* 1 if it is an integer in range */

#endif
