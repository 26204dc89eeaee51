#include "config.h"

#include "audit/sha1.h"

#include <openssl/evp.h>

/* A struct sha1 is an EVP_MD_CTX. */
static EVP_MD_CTX *context_of(struct sha1 *s)
{
	return (EVP_MD_CTX *)s;
}

struct sha1 *sha1_new(void)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	if (c && EVP_DigestInit_ex(c, EVP_sha1(), NULL) == 1)
		return (struct sha1 *)c;
	EVP_MD_CTX_free(c);
	return NULL;
}

void sha1_free(struct sha1 *s)
{
	EVP_MD_CTX_free(context_of(s));
}

int sha1_add(struct sha1 *s, const void *bytes, size_t n)
{
	return EVP_DigestUpdate(context_of(s), bytes, n) == 1 ? 0 : -1;
}

int sha1_end(struct sha1 *s, unsigned char out[SHA1_SIZE])
{
	unsigned n = 0;
	return EVP_DigestFinal_ex(context_of(s), out, &n) == 1 && n == SHA1_SIZE ? 0 : -1;
}
