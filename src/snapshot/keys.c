#include "config.h"

#include "snapshot/keys.h"

#include "snapshot/files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PUBLIC_PREFIX "settle-pub-"
#define SECRET_PREFIX "settle-key-"
#define KEY_TEXT_SIZE 64 /* prefix, 43 characters of base64url, NUL */
#define KEY_FILE_MOST 4096
#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

_Static_assert(sizeof(PUBLIC_PREFIX) + 43 <= KEY_TEXT_SIZE, "the text of a key has room");

static void key_text(const char *prefix, const unsigned char *bytes, char out[KEY_TEXT_SIZE])
{
	size_t n = strlen(prefix);
	memcpy(out, prefix, n);
	sodium_bin2base64(out + n, KEY_TEXT_SIZE - n, bytes, 32, BASE64);
}

/* 0, or -1 when this is no key. */
static int parse_key(const char *prefix, struct slice text, unsigned char out[32])
{
	size_t n = strlen(prefix), len = 0;
	const char *end = NULL;
	if (!slice_starts(text, slice_of(prefix)))
		return -1;
	if (sodium_base642bin(out, 32, text.ptr + n, text.len - n, NULL, &len, &end, BASE64) != 0 || len != 32)
		return -1;
	return end == text.ptr + text.len ? 0 : -1;
}

struct slice key_public_text(const struct key_public *k, struct arena *a)
{
	char text[KEY_TEXT_SIZE];
	key_text(PUBLIC_PREFIX, k->bytes, text);
	return arena_slice(a, slice_of(text));
}

/* The first line that begins so. */
static struct slice find_line(struct slice text, const char *prefix)
{
	size_t at = 0;
	while (at < text.len) {
		struct slice line = {text.ptr + at, 0};
		while (at + line.len < text.len && line.ptr[line.len] != '\n' && line.ptr[line.len] != '\r')
			line.len++;
		if (slice_starts(line, slice_of(prefix)))
			return line;
		at += line.len + 1;
	}
	return SLICE_NONE;
}

int key_public_parse(struct slice text, struct key_public *out, struct err *err)
{
	if (parse_key(PUBLIC_PREFIX, text, out->bytes) == 0)
		return 0;
	if (slice_starts(text, SLICE(SECRET_PREFIX)))
		return err_set(err, ERR_USAGE, "this is a secret key; a recipient is named by the public one");
	return err_set(err, ERR_USAGE, "this is no public key of settle: %.*s", (int)(text.len < 80 ? text.len : 80),
		       text.ptr);
}

int key_public_read(const char *text, struct arena *a, struct key_public *out, struct err *err)
{
	struct slice held = slice_of(text), line;
	if (slice_starts(held, SLICE("settle-")))
		return key_public_parse(held, out, err);
	if (files_read(text, a, &held, err)) {
		err->code = ERR_USAGE;
		return err_hint(err, "a recipient is the text settle-pub-..., or a file that holds it");
	}
	line = find_line(held, PUBLIC_PREFIX);
	if (!line.ptr)
		return err_set(err, ERR_USAGE, "%s holds no public key (a line settle-pub-...)", text);
	if (key_public_parse(line, out, err))
		return err_prefix(err, "%s", text);
	return 0;
}

/* ---- secret keys ---- */

static int check_owner(int fd, const char *path, struct err *err)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return err_sys(err, ERR_USAGE, errno, "cannot look at key file %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_USAGE, "key file %s is no file", path);
	if (st.st_uid != geteuid()) {
		err_set(err, ERR_USAGE, "key file %s belongs to another user", path);
		return err_hint(err, "copy it to a file of your own with mode 600");
	}
	if (st.st_mode & 077) {
		err_set(err, ERR_USAGE, "key file %s can be read or written by others (mode %03o)", path,
			st.st_mode & 0777);
		return err_hint(err, "chmod 600 %s; if others may have read it, make a new key", path);
	}
	return 0;
}

static int read_secret(int fd, const char *path, unsigned char secret[32], struct err *err)
{
	char text[KEY_FILE_MOST];
	size_t len = 0;
	ssize_t n = 1;
	while (n > 0 && len < sizeof(text)) {
		n = read(fd, text + len, sizeof(text) - len);
		len += n > 0 ? (size_t)n : 0;
	}
	struct slice line = find_line((struct slice){text, len}, SECRET_PREFIX);
	int rc = 0;
	if (n < 0)
		rc = err_sys(err, ERR_USAGE, errno, "cannot read key file %s", path);
	else if (!line.ptr || parse_key(SECRET_PREFIX, line, secret))
		rc = err_set(err, ERR_USAGE, "%s holds no secret key of settle (a line settle-key-...)", path);
	sodium_memzero(text, sizeof(text));
	return rc;
}

int key_secret_read(const char *path, struct key_pair *out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_sys(err, ERR_USAGE, errno, "cannot open key file %s", path);
	int rc = check_owner(fd, path, err);
	if (rc == 0)
		rc = read_secret(fd, path, out->secret, err);
	close(fd);
	if (rc == 0 && crypto_scalarmult_base(out->public_key.bytes, out->secret) != 0)
		rc = err_set(err, ERR_USAGE, "%s holds a key that is none", path);
	return rc;
}

static int cannot_make(const char *file, int why, struct err *err)
{
	err_sys(err, ERR_USAGE, why, "cannot make key file %s", file);
	return why == EEXIST ? err_hint(err, "a key is never overwritten; name another file") : ERR_USAGE;
}

static int write_secret(const char *file, const char *text, struct err *err)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	size_t n = strlen(text);
	if (fd < 0)
		return cannot_make(file, errno, err);
	int rc = write(fd, text, n) == (ssize_t)n && fsync(fd) == 0
		     ? 0
		     : err_sys(err, ERR_USAGE, errno, "cannot write key file %s", file);
	close(fd);
	if (rc)
		(void)unlink(file);
	return rc;
}

int snapshot_keygen(const char *file, struct arena *a, struct slice *public_key, struct err *err)
{
	struct key_pair pair;
	char secret[KEY_TEXT_SIZE + 1];
	const char *public_file = arena_printf(a, "%s.pub", file).ptr;
	if (sodium_init() < 0)
		return err_set(err, ERR_INTERNAL, "libsodium does not start");
	/* The secret key of one that is there may be kept elsewhere. */
	if (files_exist(public_file))
		return cannot_make(public_file, EEXIST, err);
	crypto_box_keypair(pair.public_key.bytes, pair.secret);
	*public_key = key_public_text(&pair.public_key, a);
	key_text(SECRET_PREFIX, pair.secret, secret);
	secret[strlen(secret) + 1] = 0;
	secret[strlen(secret)] = '\n';
	int rc = write_secret(file, secret, err);
	sodium_memzero(secret, sizeof(secret));
	sodium_memzero(&pair, sizeof(pair));
	if (rc)
		return rc;
	struct slice line = arena_printf(a, "%.*s\n", SLICE_ARG(*public_key));
	if (files_write(public_file, line, err))
		return err_prefix(err, "the secret key is made, but not the file with the public one");
	return 0;
}
