#include "config.h"

#include "base/hex.h"

#include <openssl/evp.h>
#include <sodium.h>

struct slice hex_text(const void *bytes, size_t n, struct arena *a)
{
	char *text = arena_alloc(a, 2 * n + 1);

	sodium_bin2hex(text, 2 * n + 1, bytes, n);
	return (struct slice){text, 2 * n};
}

struct slice hex_sha256(struct slice bytes, struct arena *a)
{
	unsigned char hash[crypto_hash_sha256_BYTES];

	/* libcrypto knows the processor's instructions for it: three times as fast for a patch form. */
	if (EVP_Digest(bytes.len ? bytes.ptr : "", bytes.len, hash, NULL, EVP_sha256(), NULL) != 1)
		(void)crypto_hash_sha256(hash, (const unsigned char *)bytes.ptr, bytes.len);
	return hex_text(hash, sizeof(hash), a);
}

struct slice hex_random(size_t n, struct arena *a)
{
	unsigned char *bytes = arena_alloc(a, n);

	randombytes_buf(bytes, n);
	return hex_text(bytes, n, a);
}
