/*
 * keys: key pairs of people and machines (X25519), as text: "settle-pub-..." and "settle-key-...". A secret key is read
 * from a file that nobody else may read. Private to src/snapshot. Errors: ERR_USAGE. Threads: the main thread.
 */
#ifndef SETTLE_SNAPSHOT_KEYS_H
#define SETTLE_SNAPSHOT_KEYS_H

#include "snapshot/snapshot.h"

#include <sodium.h>

#define KEYS_RECIPIENTS_MOST 32

struct key_public {
	unsigned char bytes[crypto_box_PUBLICKEYBYTES];
};
struct key_pair {
	struct key_public public_key;
	unsigned char secret[crypto_box_SECRETKEYBYTES];
};

struct slice key_public_text(const struct key_public *k, struct arena *a);
/* Text, or a file that holds it. */
MUST_CHECK int key_public_read(const char *text, struct arena *a, struct key_public *out, struct err *err);
MUST_CHECK int key_public_parse(struct slice text, struct key_public *out, struct err *err);
/* The caller wipes *out (sodium_memzero). */
MUST_CHECK int key_secret_read(const char *path, struct key_pair *out, struct err *err);

#endif
