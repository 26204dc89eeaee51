/* md5: the digest CouchDB gives attachments (RFC 1321). No library that settle links has it. Pure. Threads: safe. */
#ifndef SETTLE_TESTS_MD5_H
#define SETTLE_TESTS_MD5_H

#include "base/slice.h"

#include <stdint.h>

#define MD5_SIZE 16
#define MD5_HEX_SIZE 33 /* 32 digits and NUL */

struct md5 {
	uint32_t state[4];
	uint64_t length; /* bytes so far */
	uint8_t block[64];
};

void md5_init(struct md5 *m);
void md5_add(struct md5 *m, struct slice bytes);
void md5_end(struct md5 *m, uint8_t digest[MD5_SIZE]);
void md5_end_hex(struct md5 *m, char hex[MD5_HEX_SIZE]);

#endif
