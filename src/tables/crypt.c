/*
 * Password hashing with crypt(3). The salt is random to everybody but the manifest: a keyed hash (BLAKE2b) of the place
 * of the value under the manifest's own key, so that a repeated part gives the same rows.
 */
#include "config.h"

#include "tables/tables_internal.h"

#include <crypt.h>
#include <sodium.h>
#include <stdlib.h>

#define BCRYPT_COST 10

int crypt_value(const char *method, struct slice salt, const char *place, struct slice secret, struct arena *a,
		struct slice *out, const char **reason)
{
	unsigned char bytes[32];
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	int bcrypt = strcmp(method, "bcrypt") == 0;
	struct crypt_data *data = NULL;
	char *text = NULL;
	const char *hash = NULL;
	if (memchr(secret.ptr, 0, secret.len)) {
		*reason = "a password with U+0000";
		return 1;
	}
	crypto_generichash(bytes, sizeof(bytes), (const unsigned char *)place, strlen(place),
			   (const unsigned char *)salt.ptr,
			   salt.len < crypto_generichash_KEYBYTES_MAX ? salt.len : crypto_generichash_KEYBYTES_MAX);
	if (crypt_gensalt_rn(bcrypt ? "$2b$" : "$y$", bcrypt ? BCRYPT_COST : 0, (const char *)bytes, 16, setting,
			     sizeof(setting))) {
		text = strndup(secret.ptr, secret.len);
		data = calloc(1, sizeof(*data));
		hash = text && data ? crypt_rn(text, setting, data, (int)sizeof(*data)) : NULL;
	}
	if (hash)
		*out = arena_slice(a, slice_of(hash));
	else
		*reason = arena_printf(a, "crypt(3) cannot make a hash of it with %s", method).ptr;
	if (text)
		explicit_bzero(text, strlen(text));
	if (data)
		explicit_bzero(data, sizeof(*data));
	free(text);
	free(data);
	return !hash;
}
