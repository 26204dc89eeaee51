#include "config.h"

#include "snapshot/crypt.h"

#include "snapshot/sha256.h"

#include <string.h>

#define MAGIC "settle1\n"
#define MAGIC_LEN (sizeof(MAGIC) - 1)
#define OVERHEAD crypto_secretstream_xchacha20poly1305_ABYTES
#define HEADER crypto_secretstream_xchacha20poly1305_HEADERBYTES
#define FINAL crypto_secretstream_xchacha20poly1305_TAG_FINAL

int crypt_begin(struct crypt_key *k, struct err *err)
{
	if (sodium_init() < 0)
		return err_set(err, ERR_INTERNAL, "libsodium does not start");
	crypto_secretstream_xchacha20poly1305_keygen(k->bytes);
	return 0;
}

/* ---- keys for recipients ---- */

static struct slice to_base64(const unsigned char *bytes, size_t n, struct arena *a)
{
	size_t size = sodium_base64_encoded_len(n, sodium_base64_VARIANT_ORIGINAL);
	char *text = arena_alloc(a, size);
	sodium_bin2base64(text, size, bytes, n, sodium_base64_VARIANT_ORIGINAL);
	return slice_of(text);
}

static int seal_to(const struct crypt_key *k, const char *recipient, struct arena *a, struct json *out, struct err *err)
{
	unsigned char sealed[sizeof(k->bytes) + crypto_box_SEALBYTES];
	struct key_public public_key;
	struct json one = json_object();
	int rc = key_public_read(recipient, a, &public_key, err);
	if (rc)
		return rc;
	if (crypto_box_seal(sealed, k->bytes, sizeof(k->bytes), public_key.bytes) != 0)
		return err_set(err, ERR_USAGE, "%s is a key that nothing can be sealed to", recipient);
	json_sets(a, &one, "public", json_string(key_public_text(&public_key, a)));
	json_sets(a, &one, "sealed", json_string(to_base64(sealed, sizeof(sealed), a)));
	json_push(a, out, one);
	return 0;
}

int crypt_seal(const struct crypt_key *k, const struct snapshot_texts *recipients, struct arena *a, struct json *out,
	       struct err *err)
{
	int rc = 0;
	*out = json_array();
	if (recipients->n > KEYS_RECIPIENTS_MOST)
		return err_set(err, ERR_USAGE, "more than %d recipients", KEYS_RECIPIENTS_MOST);
	for (int i = 0; rc == 0 && i < recipients->n; i++)
		rc = seal_to(k, recipients->v[i], a, out, err);
	return rc;
}

static int unseal(const struct json *one, const struct key_pair *pair, struct crypt_key *out)
{
	unsigned char sealed[sizeof(out->bytes) + crypto_box_SEALBYTES];
	struct slice text = json_get_text(one, "sealed");
	size_t n = 0;
	if (!text.ptr || sodium_base642bin(sealed, sizeof(sealed), text.ptr, text.len, NULL, &n, NULL,
					   sodium_base64_VARIANT_ORIGINAL) != 0)
		return -1;
	if (n != sizeof(sealed))
		return -1;
	return crypto_box_seal_open(out->bytes, sealed, sizeof(sealed), pair->public_key.bytes, pair->secret);
}

static int find_own(const struct json *recipients, const struct key_pair *pair, const char *key_file, struct arena *a,
		    struct crypt_key *out, struct err *err)
{
	struct slice own = key_public_text(&pair->public_key, a);
	for (uint32_t i = 0; i < recipients->count; i++) {
		const struct json *one = &recipients->items[i];
		if (!slice_eq(json_get_text(one, "public"), own))
			continue;
		return unseal(one, pair, out) == 0
			   ? 0
			   : err_set(err, ERR_STATE, "the key that was sealed to %.*s is damaged", SLICE_ARG(own));
	}
	err_set(err, ERR_USAGE, "the key in %s is not one of the snapshot's %u recipients", key_file,
		recipients->count);
	return err_hint(err, "`settle snapshot show` lists the public keys it was made for");
}

int crypt_unseal(const struct json *recipients, const char *key_file, struct arena *a, struct crypt_key *out,
		 struct err *err)
{
	struct key_pair pair;
	if (sodium_init() < 0)
		return err_set(err, ERR_INTERNAL, "libsodium does not start");
	if (!key_file) {
		err_set(err, ERR_USAGE, "the snapshot is encrypted, and no key was given");
		return err_hint(err, "give --key FILE, or set SETTLE_SNAPSHOT_KEY");
	}
	int rc = key_secret_read(key_file, &pair, err);
	if (rc == 0)
		rc = find_own(recipients, &pair, key_file, a, out, err);
	sodium_memzero(&pair, sizeof(pair));
	return rc;
}

/* ---- streams ---- */

struct sealer { /* the writing end */
	crypto_secretstream_xchacha20poly1305_state state;
	struct slice name;
	const char *path;
	FILE *out;
	struct sha256 *sha;
	int64_t bytes;
};

struct opener { /* the reading end */
	crypto_secretstream_xchacha20poly1305_state state;
	struct slice name;
	const char *path;
	FILE *in;
	int ended;
};

static int sealer_write(struct sealer *s, const void *bytes, size_t n, struct err *err)
{
	if (sha256_add(s->sha, bytes, n))
		return err_set(err, ERR_INTERNAL, "SHA-256 of %s failed", s->path);
	s->bytes += (int64_t)n;
	return files_put(s->out, s->path, bytes, n, err);
}

static int sealer_open(struct sealer *s, const struct crypt_key *k, struct slice name, const char *path,
		       struct err *err)
{
	unsigned char header[HEADER];
	*s = (struct sealer){.name = name, .path = path, .sha = sha256_begin()};
	if (!s->sha)
		return err_set(err, ERR_INTERNAL, "no SHA-256");
	if (crypto_secretstream_xchacha20poly1305_init_push(&s->state, header, k->bytes) != 0)
		return err_set(err, ERR_INTERNAL, "cannot begin to encrypt %s", path);
	int rc = files_open_out(path, &s->out, err);
	if (rc == 0)
		rc = sealer_write(s, MAGIC, MAGIC_LEN, err);
	if (rc == 0)
		rc = sealer_write(s, header, sizeof(header), err);
	return rc;
}

static int sealer_put(struct sealer *s, const unsigned char *plain, size_t n, int last, struct err *err)
{
	unsigned char sealed[FILES_CHUNK + OVERHEAD];
	unsigned long long len = 0;
	unsigned char tag = last ? FINAL : 0;
	if (crypto_secretstream_xchacha20poly1305_push(&s->state, sealed, &len, plain, n,
						       (const unsigned char *)s->name.ptr, s->name.len, tag) != 0)
		return err_set(err, ERR_INTERNAL, "cannot encrypt %s", s->path);
	return sealer_write(s, sealed, (size_t)len, err);
}

static int sealer_close(struct sealer *s, int rc, struct crypt_made *made, struct err *err)
{
	if (s->out && rc == 0)
		rc = files_close_soon(s->out, s->path, err);
	else if (s->out)
		fclose(s->out);
	made->bytes = s->bytes;
	if (rc == 0 && sha256_end(s->sha, made->sha256))
		rc = err_set(err, ERR_INTERNAL, "SHA-256 of %s failed", s->path);
	sha256_free(s->sha);
	sodium_memzero(&s->state, sizeof(s->state));
	return rc;
}

static int damaged(const struct opener *o, const char *how, struct err *err)
{
	return err_set(err, ERR_STATE, "%s cannot be decrypted: %s", o->path, how);
}

static int opener_open(struct opener *o, const struct crypt_key *k, struct slice name, const char *path,
		       struct err *err)
{
	unsigned char head[MAGIC_LEN + HEADER];
	size_t n = 0;
	*o = (struct opener){.name = name, .path = path};
	int rc = files_open_in(path, &o->in, err);
	if (rc == 0)
		rc = files_get(o->in, path, head, sizeof(head), &n, err);
	if (rc)
		return rc;
	if (n < sizeof(head) || memcmp(head, MAGIC, MAGIC_LEN) != 0)
		return damaged(o, "it does not begin as such a file does", err);
	if (crypto_secretstream_xchacha20poly1305_init_pull(&o->state, head + MAGIC_LEN, k->bytes) != 0)
		return damaged(o, "its header is wrong", err);
	return 0;
}

/* *n plain bytes; o->ended after the last. */
static int opener_get(struct opener *o, unsigned char plain[FILES_CHUNK], size_t *n, struct err *err)
{
	unsigned char sealed[FILES_CHUNK + OVERHEAD], tag = 0;
	unsigned long long len = 0;
	size_t got = 0;
	int rc = files_get(o->in, o->path, sealed, sizeof(sealed), &got, err);
	if (rc)
		return rc;
	if (got < OVERHEAD)
		return damaged(o, "it is cut off", err);
	if (crypto_secretstream_xchacha20poly1305_pull(&o->state, plain, &len, &tag, sealed, got,
						       (const unsigned char *)o->name.ptr, o->name.len) != 0)
		return damaged(o, "it was altered or cut off, or is another file", err);
	*n = (size_t)len;
	o->ended = tag == FINAL;
	if (o->ended && fgetc(o->in) != EOF)
		return damaged(o, "there are bytes behind its end", err);
	return 0;
}

static void opener_close(struct opener *o)
{
	if (o->in)
		fclose(o->in);
	sodium_memzero(&o->state, sizeof(o->state));
}

int crypt_file(const struct crypt_key *k, struct slice name, const char *from, const char *to, struct crypt_made *made,
	       struct meter *m, struct err *err)
{
	unsigned char plain[FILES_CHUNK];
	struct sealer s;
	FILE *in = NULL;
	size_t n = sizeof(plain);
	int rc = sealer_open(&s, k, name, to, err);
	if (rc == 0)
		rc = files_open_in(from, &in, err);
	/* A file that fills its last chunk ends with an empty one. */
	while (rc == 0 && n == sizeof(plain)) {
		rc = files_get(in, from, plain, sizeof(plain), &n, err);
		if (rc == 0)
			rc = sealer_put(&s, plain, n, n < sizeof(plain), err);
		if (rc == 0)
			rc = meter_add(m, (int64_t)n, err);
	}
	if (in)
		fclose(in);
	return sealer_close(&s, rc, made, err);
}

int decrypt_file(const struct crypt_key *k, struct slice name, const char *from, const char *to, struct meter *m,
		 struct err *err)
{
	unsigned char plain[FILES_CHUNK];
	struct opener o;
	FILE *out = NULL;
	size_t n = 0;
	int rc = opener_open(&o, k, name, from, err);
	if (rc == 0 && to)
		rc = files_open_out(to, &out, err);
	while (rc == 0 && !o.ended) {
		rc = opener_get(&o, plain, &n, err);
		if (rc == 0 && out)
			rc = files_put(out, to, plain, n, err);
		if (rc == 0)
			rc = meter_add(m, (int64_t)n, err);
	}
	opener_close(&o);
	if (out && fclose(out) != 0 && rc == 0)
		rc = err_set(err, ERR_STATE, "cannot write %s", to);
	return rc;
}

int recrypt_file(const struct crypt_key *k, const struct crypt_key *other, struct slice name, const char *from,
		 const char *to, struct crypt_made *made, struct meter *m, struct err *err)
{
	unsigned char plain[FILES_CHUNK];
	struct sealer s = {0};
	struct opener o;
	size_t n = 0;
	int rc = opener_open(&o, k, name, from, err);
	if (rc == 0)
		rc = sealer_open(&s, other, name, to, err);
	while (rc == 0 && !o.ended) {
		rc = opener_get(&o, plain, &n, err);
		if (rc == 0)
			rc = sealer_put(&s, plain, n, o.ended, err);
		if (rc == 0)
			rc = meter_add(m, (int64_t)n, err);
	}
	sodium_memzero(plain, sizeof(plain));
	opener_close(&o);
	return sealer_close(&s, rc, made, err);
}
