/*
 * buf: a growing byte buffer with a cap. Once an append would pass the cap the buffer is `failed`: every later
 * append is a no-op, and one check at the end (buf_check) decides. True lack of memory ends the process as in arena.h.
 * Invariant: ptr[len] is always 0 when ptr != NULL, so ptr can be handed to C functions.
 * Threads: one thread at a time.
 */
#ifndef SETTLE_BASE_BUF_H
#define SETTLE_BASE_BUF_H

#include "base/err.h"
#include "base/slice.h"

#include <stdint.h>

struct buf {
	char *ptr;
	size_t len;
	size_t cap; /* private */
	size_t max; /* bytes; appending past it sets failed */
	int failed;
};

#define BUF_INIT(max_bytes) {.max = (max_bytes)}

void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_adds(struct buf *b, struct slice s);
void buf_str(struct buf *b, const char *text);
void buf_ch(struct buf *b, char c);
void buf_u64(struct buf *b, uint64_t value);
void buf_fmt(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Drops the first n bytes, moving the rest down. */
void buf_consume(struct buf *b, size_t n);
/* Room for n more bytes at ptr + len, or NULL with `failed` set when that passes the cap. The caller then adds to len
 * what it wrote; when that is less than n it writes ptr[len] = 0 too. */
char *buf_room(struct buf *b, size_t n);
static inline struct slice buf_slice(const struct buf *b)
{
	return (struct slice){b->ptr ? b->ptr : "", b->len};
}
/* 0, or ERR_LIMIT "what is larger than max bytes". */
MUST_CHECK int buf_check(const struct buf *b, const char *what, struct err *err);
/* len = 0, failed = 0, memory kept. */
void buf_clear(struct buf *b);
void buf_release(struct buf *b);

#endif
