/*
 * sequence.c: update sequences as CouchDB shows them: a number and opaque text. The text names the database (its uuid)
 * and ends in a check of number and database, so that a made-up sequence is refused and one of another database is
 * known as such.
 */
#include "config.h"

#include "tests/server/store.h"

#define CHECK_LEN 11
#define UUID_LEN 32
#define SEQ_DIGITS_MAX 18

static uint64_t stirred(uint64_t x) /* splitmix64, Vigna, https://prng.di.unimi.it/splitmix64.c (public domain) */
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static void check_of(struct slice shared, uint64_t seq, char out[CHECK_LEN])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint64_t x = seq;

	for (size_t i = 0; i + 8 <= shared.len; i += 8) {
		uint64_t word;

		memcpy(&word, shared.ptr + i, 8);
		x = stirred(x ^ word);
	}
	for (int i = 0; i < CHECK_LEN; i++, x >>= 6)
		out[i] = digits[x & 63];
}

void seq_write(const struct db *db, uint64_t seq, struct buf *out)
{
	struct slice shared = slice_of(db->seq_text);
	char check[CHECK_LEN];

	check_of(shared, seq, check);
	buf_u64(out, seq);
	buf_adds(out, shared);
	buf_add(out, check, CHECK_LEN);
}

/* Does the shared part look like that of some database? */
static int same_make(struct slice own, struct slice given, size_t uuid_at)
{
	size_t after = uuid_at + UUID_LEN;

	return given.len == own.len && memcmp(own.ptr, given.ptr, uuid_at) == 0 &&
	       memcmp(own.ptr + after, given.ptr + after, own.len - after) == 0;
}

int seq_parse(const struct db *db, struct slice text, uint64_t *seq)
{
	struct slice own = slice_of(db->seq_text), given;
	size_t i = 0;
	char check[CHECK_LEN];

	*seq = 0;
	if (slice_is(text, "0"))
		return 0;
	for (; i < text.len && i < SEQ_DIGITS_MAX && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++)
		*seq = *seq * 10 + (uint64_t)(text.ptr[i] - '0');
	if (i == 0 || text.len != i + own.len + CHECK_LEN)
		return -1;
	given = (struct slice){text.ptr + i, own.len};
	if (!same_make(own, given, (size_t)(strstr(own.ptr, db->uuid) - own.ptr)))
		return -1;
	check_of(given, *seq, check);
	if (memcmp(check, text.ptr + i + own.len, CHECK_LEN) != 0)
		return -1;
	if (!slice_eq(own, given))
		*seq = 0;
	return 0;
}
