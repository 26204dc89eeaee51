/* sha256: digests by OpenSSL, which names things as base/err.h does: kept apart. Private to src/snapshot. Threads: one
 * thread at a time per digest. */
#ifndef SETTLE_SNAPSHOT_SHA256_H
#define SETTLE_SNAPSHOT_SHA256_H

#include <stddef.h>

#define SHA256_HEX_SIZE 65

struct sha256;

/* NULL: OpenSSL cannot. */
struct sha256 *sha256_begin(void);
/* 0 or -1. */
int sha256_add(struct sha256 *s, const void *bytes, size_t n);
int sha256_end(struct sha256 *s, char hex[SHA256_HEX_SIZE]);
void sha256_free(struct sha256 *s); /* NULL allowed */

#endif
