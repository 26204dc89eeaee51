/*
 * crypt: one random key for a snapshot, sealed to each recipient (crypto_box_seal), and files as secretstreams
 * (XChaCha20-Poly1305) in chunks of 64 KiB, bound to the file's name, so that no byte can be changed, cut off or moved
 * unseen. File: "settle1\n", the stream's header, chunks; the last chunk carries the final tag. Private to
 * src/snapshot. Errors: ERR_STATE for what cannot be decrypted, ERR_USAGE for keys. Threads: safe on different files.
 */
#ifndef SETTLE_SNAPSHOT_CRYPT_H
#define SETTLE_SNAPSHOT_CRYPT_H

#include "snapshot/files.h"
#include "snapshot/keys.h"

#define CRYPT_SUFFIX ".enc"

struct crypt_key {
	unsigned char bytes[crypto_secretstream_xchacha20poly1305_KEYBYTES];
};

MUST_CHECK int crypt_begin(struct crypt_key *k, struct err *err);
/* [{"public":...,"sealed":...}, ...] */
MUST_CHECK int crypt_seal(const struct crypt_key *k, const struct snapshot_texts *recipients, struct arena *a,
			  struct json *out, struct err *err);
MUST_CHECK int crypt_unseal(const struct json *recipients, const char *key_file, struct arena *a, struct crypt_key *out,
			    struct err *err);

struct crypt_made { /* an encrypted file; it is on its way to the disk, not flushed */
	char sha256[SHA_HEX_SIZE];
	int64_t bytes;
};

/* name: the file's path in the snapshot without the suffix. */
MUST_CHECK int crypt_file(const struct crypt_key *k, struct slice name, const char *from, const char *to,
			  struct crypt_made *made, struct meter *m, struct err *err);
/* to NULL: only looks whether it can be decrypted. */
MUST_CHECK int decrypt_file(const struct crypt_key *k, struct slice name, const char *from, const char *to,
			    struct meter *m, struct err *err);
/* From one key to another; nothing plain touches the disk. */
MUST_CHECK int recrypt_file(const struct crypt_key *k, const struct crypt_key *other, struct slice name,
			    const char *from, const char *to, struct crypt_made *made, struct meter *m,
			    struct err *err);

#endif
