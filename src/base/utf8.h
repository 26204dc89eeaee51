/*
 * utf8: validity and repair. "WTF-8" here is UTF-8 plus three-byte encodings of unpaired surrogates (ED A0..BF xx): the
 * form in which a json string keeps `\ud800`. https://simonsapin.github.io/wtf-8/ Pure. Threads: safe.
 */
#ifndef SETTLE_BASE_UTF8_H
#define SETTLE_BASE_UTF8_H

#include "base/arena.h"
#include "base/slice.h"

/* Offset of the first byte that is not strict UTF-8 (RFC 3629; surrogates are invalid), or len when all is well. */
size_t utf8_bad_at(struct slice s);
enum utf8_odd { UTF8_HAS_NUL = 1u << 0, UTF8_HAS_SURROGATE = 1u << 1 };
/* Which odd things a WTF-8 text holds. */
unsigned utf8_odd(struct slice wtf8);
/* The same text with every U+0000 and unpaired surrogate replaced by U+FFFD; s itself when nothing is odd. */
struct slice utf8_tame(struct slice wtf8, struct arena *a);

#endif
