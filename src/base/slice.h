/*
 * slice: a borrowed run of bytes. Owns nothing; the bytes live as long as whoever made them says.
 * Bytes are never NUL-terminated by promise. Text is UTF-8 (base/utf8.h says which). A slice with
 * ptr == NULL means "absent" where a function says so; len is then 0.
 * Threads: values, safe.
 */
#ifndef SETTLE_BASE_SLICE_H
#define SETTLE_BASE_SLICE_H

#include <stddef.h>
#include <string.h>

struct slice {
	const char *ptr;
	size_t len;
};

/* For string literals only. */
#define SLICE(lit) ((struct slice){(lit), sizeof(lit) - 1})
#define SLICE_NONE ((struct slice){NULL, 0})
/* For printf("%.*s"). */
#define SLICE_ARG(s) (int)(s).len, (s).ptr

static inline struct slice slice_of(const char *text)
{
	return (struct slice){text, text ? strlen(text) : 0};
}

static inline int slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline int slice_is(struct slice a, const char *text)
{
	return slice_eq(a, slice_of(text));
}

/* Order of bytes, shorter first where one is the start of the other; equals order of UTF-8 code points. */
static inline int slice_cmp(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n ? memcmp(a.ptr, b.ptr, n) : 0;
	return c ? c : (a.len > b.len) - (a.len < b.len);
}

static inline int slice_starts(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

/* An ASCII letter, or anything beyond ASCII. */
static inline int slice_starts_with_letter(struct slice s)
{
	unsigned char c = s.len ? (unsigned char)s.ptr[0] : 0;

	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

#endif
