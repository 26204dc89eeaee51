#include "config.h"

#include "base/utf8.h"

#include <stdint.h>

static int is_tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* Length of the strict UTF-8 character of more than one byte at p, or 0 (Unicode 15, table 3-7). */
static size_t char_length(const unsigned char *p, size_t left)
{
	unsigned char c = p[0];
	if (c >= 0xc2 && c <= 0xdf)
		return left >= 2 && is_tail(p[1]) ? 2 : 0;
	if ((c & 0xf0) == 0xe0) {
		unsigned char low = c == 0xe0 ? 0xa0 : 0x80, high = c == 0xed ? 0x9f : 0xbf;
		return left >= 3 && p[1] >= low && p[1] <= high && is_tail(p[2]) ? 3 : 0;
	}
	if (c >= 0xf0 && c <= 0xf4) {
		unsigned char low = c == 0xf0 ? 0x90 : 0x80, high = c == 0xf4 ? 0x8f : 0xbf;
		return left >= 4 && p[1] >= low && p[1] <= high && is_tail(p[2]) && is_tail(p[3]) ? 4 : 0;
	}
	return 0;
}

size_t utf8_bad_at(struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.ptr;
	size_t i = 0;
	while (i < s.len) {
		uint64_t eight;
		while (s.len - i >= sizeof(eight)) {
			memcpy(&eight, p + i, sizeof(eight));
			if (eight & UINT64_C(0x8080808080808080))
				break;
			i += sizeof(eight);
		}
		while (i < s.len && p[i] < 0x80)
			i++;
		while (i < s.len && p[i] >= 0x80) {
			size_t n = char_length(p + i, s.len - i);
			if (n == 0)
				return i;
			i += n;
		}
	}
	return s.len;
}

/* Offset of the first unpaired surrogate (ED A0..BF xx) at or after `from`, or len. */
static size_t surrogate_at(struct slice s, size_t from)
{
	while (from < s.len) {
		const char *p = memchr(s.ptr + from, 0xed, s.len - from);
		if (!p)
			break;
		from = (size_t)(p - s.ptr);
		if (s.len - from >= 3 && (unsigned char)p[1] >= 0xa0)
			return from;
		from++;
	}
	return s.len;
}

unsigned utf8_odd(struct slice wtf8)
{
	unsigned odd = 0;
	if (wtf8.len && memchr(wtf8.ptr, 0, wtf8.len))
		odd |= UTF8_HAS_NUL;
	if (surrogate_at(wtf8, 0) < wtf8.len)
		odd |= UTF8_HAS_SURROGATE;
	return odd;
}

struct slice utf8_tame(struct slice wtf8, struct arena *a)
{
	static const char replacement[3] = {'\xef', '\xbf', '\xbd'};
	if (!utf8_odd(wtf8))
		return wtf8;
	size_t nuls = 0;
	for (size_t i = 0; i < wtf8.len; i++)
		nuls += wtf8.ptr[i] == 0;
	char *out = arena_alloc(a, wtf8.len + 2 * nuls + 1);
	size_t len = 0, surrogate = surrogate_at(wtf8, 0);
	for (size_t i = 0; i < wtf8.len;) {
		if (i == surrogate || wtf8.ptr[i] == 0) {
			memcpy(out + len, replacement, sizeof(replacement));
			len += sizeof(replacement);
			i += i == surrogate ? 3 : 1;
			if (i > surrogate)
				surrogate = surrogate_at(wtf8, i);
		} else {
			out[len++] = wtf8.ptr[i++];
		}
	}
	out[len] = 0;
	return (struct slice){out, len};
}
