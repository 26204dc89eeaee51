#include "base/hide.h"

#include <strings.h>

static const struct slice colon_slashes = SLICE("://");
static const char *const keys[] = {"password=", "passwd="};

static int ends_word(char c)
{
	return (unsigned char)c <= ' ' || c == '"' || c == '`';
}

static size_t word_length(struct slice s)
{
	size_t n = 0;
	while (n < s.len && !ends_word(s.ptr[n]))
		n++;
	return n;
}

/* Is it HOST:PORT, which no user name and password is? */
static int is_host_and_port(struct slice s)
{
	const char *colon = memchr(s.ptr, ':', s.len);
	size_t digits = colon ? (size_t)(colon + 1 - s.ptr) : s.len;
	while (digits < s.len && s.ptr[digits] >= '0' && s.ptr[digits] <= '9')
		digits++;
	return digits == s.len;
}

/*
 * Of what follows "://": where a password begins, and its length. A slash in a password should have been %2F; what
 * stands before the first one tells which it is. 0 when there is none.
 */
static size_t password_in_url(struct slice s, size_t *from)
{
	size_t end = word_length(s);
	while (end && s.ptr[end - 1] != '@')
		end--;
	if (!end)
		return 0;
	const char *slash = memchr(s.ptr, '/', end - 1), *colon = memchr(s.ptr, ':', end - 1);
	if (!colon || (slash && is_host_and_port((struct slice){s.ptr, (size_t)(slash - s.ptr)})))
		return 0;
	*from = (size_t)(colon + 1 - s.ptr);
	return end - 1 - *from;
}

static size_t password_behind_key(struct slice s, size_t *from)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		size_t n = strlen(keys[i]);
		if (s.len <= n || strncasecmp(s.ptr, keys[i], n) != 0)
			continue;
		*from = n;
		return word_length((struct slice){s.ptr + n, s.len - n});
	}
	return 0;
}

/* The password that is told of at the beginning of s. */
static size_t password_at(struct slice s, size_t *from)
{
	size_t n;
	if (!slice_starts(s, colon_slashes))
		return password_behind_key(s, from);
	n = password_in_url((struct slice){s.ptr + colon_slashes.len, s.len - colon_slashes.len}, from);
	*from += colon_slashes.len;
	return n;
}

void hide_passwords(struct slice text, struct buf *out)
{
	while (text.len) {
		size_t from = 0, n = password_at(text, &from), taken = n ? from + n : 1;
		buf_add(out, text.ptr, n ? from : 1);
		if (n)
			buf_str(out, "***");
		text.ptr += taken;
		text.len -= taken;
	}
}
