#include "config.h"

#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Makes room for n more bytes and the closing NUL; 0, or -1 with `failed` set when that passes the cap. */
static int make_room(struct buf *b, size_t n)
{
	if (b->failed || b->len > b->max || n > b->max - b->len) {
		b->failed = 1;
		return -1;
	}
	size_t need = b->len + n + 1;
	if (need <= b->cap)
		return 0;
	size_t cap = b->cap < 32 ? 64 : b->cap + b->cap / 2;
	if (cap < need)
		cap = need;
	char *p = need ? realloc(b->ptr, cap) : NULL;
	if (!p) {
		fprintf(stderr, "settle: out of memory (%zu bytes)\n", cap);
		exit(6);
	}
	b->ptr = p;
	b->cap = cap;
	b->ptr[b->len] = 0;
	return 0;
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
	if (make_room(b, len) != 0)
		return;
	if (len)
		memcpy(b->ptr + b->len, bytes, len);
	b->len += len;
	b->ptr[b->len] = 0;
}

void buf_adds(struct buf *b, struct slice s)
{
	buf_add(b, s.ptr, s.len);
}

void buf_str(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void buf_ch(struct buf *b, char c)
{
	if (b->len + 1 < b->cap && b->len < b->max && !b->failed) {
		b->ptr[b->len++] = c;
		b->ptr[b->len] = 0;
		return;
	}
	buf_add(b, &c, 1);
}

void buf_u64(struct buf *b, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);
	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	buf_add(b, digits + at, sizeof(digits) - at);
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || make_room(b, (size_t)n) != 0) {
		b->failed = 1;
		return;
	}
	va_start(ap, fmt);
	vsnprintf(b->ptr + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

void buf_consume(struct buf *b, size_t n)
{
	if (n > b->len)
		n = b->len;
	if (n == 0)
		return;
	b->len -= n;
	memmove(b->ptr, b->ptr + n, b->len);
	b->ptr[b->len] = 0;
}

char *buf_room(struct buf *b, size_t n)
{
	if (make_room(b, n) != 0)
		return NULL;
	b->ptr[b->len + n] = 0;
	return b->ptr + b->len;
}

int buf_check(const struct buf *b, const char *what, struct err *err)
{
	if (!b->failed)
		return 0;
	return err_set(err, ERR_LIMIT, "%s is larger than %zu bytes", what, b->max);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = 0;
	if (b->ptr)
		b->ptr[0] = 0;
}

void buf_release(struct buf *b)
{
	free(b->ptr);
	b->ptr = NULL;
	b->len = b->cap = 0;
	b->failed = 0;
}
