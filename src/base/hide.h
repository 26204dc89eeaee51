/*
 * hide: takes passwords out of texts that somebody is about to read. Messages name arguments as they were given, and an
 * argument in the wrong place may be a URL. What is known to be a URL is shown as url.shown (base/url.h), which is
 * exact; this is for all the rest. Threads: reentrant.
 */
#ifndef SETTLE_BASE_HIDE_H
#define SETTLE_BASE_HIDE_H

#include "base/buf.h"

/* Appends text, with *** for what stands between user and host of a URL in it, and for the value behind `password=`. */
void hide_passwords(struct slice text, struct buf *out);

#endif
