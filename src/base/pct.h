/*
 * pct: percent-encoding of opaque ids for paths, refs and file names (DESIGN decision 3), and for URL parts. Pure.
 * Threads: safe.
 */
#ifndef SETTLE_BASE_PCT_H
#define SETTLE_BASE_PCT_H

#include "base/buf.h"

/*
 * [A-Za-z0-9_-] stay, and '.' unless first; everything else is %XX, so the result is never "", ".", "..", has no '/',
 * and is distinct for distinct ids ("" becomes "%").
 */
void pct_file_name(struct slice id, struct buf *out);
/* RFC 3986 unreserved characters stay; '/' is encoded. */
void pct_url(struct slice text, struct buf *out);
/* Decodes %XX; 0, or -1 when a % is not followed by two hex digits (out then holds a part). */
int pct_decode(struct slice text, struct buf *out);

#endif
