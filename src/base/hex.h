/*
 * hex: bytes as lower-case hexadecimal digits, NUL-terminated in the arena; digests and random ids in that form.
 * Threads: safe (an arena belongs to one thread at a time).
 */
#ifndef SETTLE_BASE_HEX_H
#define SETTLE_BASE_HEX_H

#include "base/arena.h"

struct slice hex_text(const void *bytes, size_t n, struct arena *a);
/* SHA-256 (FIPS 180-4): 64 digits. */
struct slice hex_sha256(struct slice bytes, struct arena *a);
/* n random bytes: 2 n digits that nobody can foresee. */
struct slice hex_random(size_t n, struct arena *a);

#endif
