/*
 * sha1: the checksum at the end of a pack, by libcrypto. Apart, because OpenSSL's names collide with those of base/err.h.
 * Threads: one thread at a time per sum.
 */
#ifndef SETTLE_AUDIT_SHA1_H
#define SETTLE_AUDIT_SHA1_H

#include <stddef.h>

#define SHA1_SIZE 20

struct sha1;

struct sha1 *sha1_new(void); /* NULL: libcrypto has none */
void sha1_free(struct sha1 *s);
/* Both 0, or -1 when libcrypto fails. */
int sha1_add(struct sha1 *s, const void *bytes, size_t n);
int sha1_end(struct sha1 *s, unsigned char out[SHA1_SIZE]);

#endif
