#include "config.h"

#include "snapshot/sha256.h"

#include <openssl/evp.h>

/* A struct sha256 is OpenSSL's own context. */
static EVP_MD_CTX *context_of(struct sha256 *s)
{
	return (EVP_MD_CTX *)s;
}

struct sha256 *sha256_begin(void)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	if (ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1)
		return (struct sha256 *)ctx;
	EVP_MD_CTX_free(ctx);
	return NULL;
}

int sha256_add(struct sha256 *s, const void *bytes, size_t n)
{
	return EVP_DigestUpdate(context_of(s), bytes, n) == 1 ? 0 : -1;
}

int sha256_end(struct sha256 *s, char hex[SHA256_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char hash[EVP_MAX_MD_SIZE];
	if (EVP_DigestFinal_ex(context_of(s), hash, NULL) != 1)
		return -1;
	for (int i = 0; i < 32; i++) {
		hex[2 * i] = digits[hash[i] >> 4];
		hex[2 * i + 1] = digits[hash[i] & 15];
	}
	hex[64] = 0;
	return 0;
}

void sha256_free(struct sha256 *s)
{
	EVP_MD_CTX_free(context_of(s));
}
