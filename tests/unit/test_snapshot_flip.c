/* No byte of a snapshot can change, go or come unseen: verify finds each, restore refuses each, and both name the file.
 */
#include "config.h"

#include "snapshot_place.h"

#include "base/url.h"
#include "lite/lite.h"
#include "snapshot/crypt.h"
#include "snapshot/manifest.h"
#include "snapshot/place.h"

#define RESTORE_EVERY 41 /* bytes: a restore that is refused writes a journal, which is flushed to the disk */

struct kept { /* a snapshot, and what it was made of */
	struct scene *s;
	struct snapshot_env env;
	struct url target;
	const char *path;
	struct slice before; /* of the target */
};

static void make_target(const char *path)
{
	struct lite_options o = {.path = path, .flags = LITE_CREATE, .code = ERR_TARGET, .what = "target"};
	struct lite *db = NULL;
	MUST(lite_open(&db, &o, &must));
	MUST(lite_exec(db, "PRAGMA page_size = 512; CREATE TABLE t (v); INSERT INTO t VALUES ('one'), ('two')", &must));
	lite_close(db);
}

static void keep(struct scene *s, struct kept *k, const char *recipient)
{
	struct snapshot_create_options o = {.name = "kept", .recipients = {&recipient, recipient ? 1 : 0}};
	const char *db = in_scene(s, "t.db");
	struct slice path;
	make_target(db);
	*k = (struct kept){.s = s, .before = get_file(s, db)};
	MUST(url_parse_target(arena_printf(&s->a, "sqlite:%s", db).ptr, &s->a, &k->target, &must));
	k->env = (struct snapshot_env){.state_dir = in_scene(s, "state"), .target = &k->target, .log = s->log};
	MUST(snapshot_create(&k->env, &o, &s->a, &path, &must));
	k->path = arena_str(&s->a, path);
}

static void keep_plain(struct scene *s, struct kept *k)
{
	keep(s, k, NULL);
}

static void keep_encrypted(struct scene *s, struct kept *k)
{
	const char *key = in_scene(s, "key");
	struct slice text;
	MUST(snapshot_keygen(key, &s->a, &text, &must));
	keep(s, k, arena_str(&s->a, text));
	k->env.key_file = key;
}

/* The file is wrong somewhere now. */
static void must_be_found(const struct kept *k, const char *file, size_t at)
{
	struct snapshot_findings found;
	struct arena a = ARENA_INIT;
	MUST(snapshot_verify(&k->env, "kept", &a, &found, &must));
	if (found.n == 0 || !strstr(arena_str(&a, found.v[0]), file))
		fail_msg("verify does not find %s, byte %zu", file, at);
	arena_release(&a);
}

static void must_be_refused(const struct kept *k, const char *file, size_t at)
{
	struct snapshot_restore_options o = {.from_step = NULL};
	struct snapshot_plan plan = {.n_steps = 0};
	struct err why = ERR_INIT;
	struct arena a = ARENA_INIT;
	struct slice now = SLICE_NONE;
	if (snapshot_restore(&k->env, "kept", &o, &a, &plan, &why) != ERR_STATE || !strstr(why.msg, file))
		fail_msg("restore does not refuse %s, byte %zu: %s", file, at, why.msg);
	MUST(files_read(k->target.path, &a, &now, &must));
	assert_true(slice_eq(now, k->before));
	arena_release(&a);
}

/* The listing reads manifests, and sizes of files. */
static void must_not_be_listed_as_good(const struct kept *k, const char *file, size_t at)
{
	struct snapshot_list list;
	struct arena a = ARENA_INIT;
	MUST(snapshot_list(&k->env, &a, &list, &must));
	for (size_t i = 0; i < list.n; i++)
		if (!list.v[i].problem)
			fail_msg("listed as good with %s, byte %zu", file, at);
	arena_release(&a);
}

static void write_to(const char *path, const char *bytes, size_t n)
{
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

/* Each byte of the file in turn, with another bit each time. */
static void flip_file(const struct kept *k, const char *file)
{
	const char *path = arena_printf(&k->s->a, "%s/%s", k->path, file).ptr;
	struct slice whole = get_file(k->s, path);
	char *bytes = arena_str(&k->s->a, whole);
	assert_true(whole.len > 64);
	for (size_t at = 0; at < whole.len; at++) {
		bytes[at] = (char)(bytes[at] ^ (1 << at % 8));
		write_to(path, bytes, whole.len);
		must_be_found(k, file, at);
		if (strncmp(file, "manifest", 8) == 0)
			must_not_be_listed_as_good(k, file, at);
		if (at % RESTORE_EVERY == 0)
			must_be_refused(k, file, at);
		bytes[at] = whole.ptr[at];
	}
	write_to(path, bytes, whole.len);
}

/* Cut off at each length, and with a byte too many. */
static void cut_file(const struct kept *k, const char *file)
{
	const char *path = arena_printf(&k->s->a, "%s/%s", k->path, file).ptr;
	struct slice whole = get_file(k->s, path);
	char *longer = arena_alloc(&k->s->a, whole.len + 1);
	memcpy(longer, whole.ptr, whole.len);
	longer[whole.len] = '!';
	for (size_t len = 0; len < whole.len; len += 7) {
		write_to(path, whole.ptr, len);
		must_be_found(k, file, len);
		must_not_be_listed_as_good(k, file, len);
	}
	must_be_refused(k, file, whole.len);
	write_to(path, longer, whole.len + 1);
	must_be_found(k, file, whole.len + 1);
	must_not_be_listed_as_good(k, file, whole.len + 1);
	write_to(path, whole.ptr, whole.len);
}

static void must_be_good(const struct kept *k)
{
	struct snapshot_findings found;
	MUST(snapshot_verify(&k->env, "kept", &k->s->a, &found, &must));
	assert_int_equal(found.n, 0);
}

static void test_snapshot__any_flipped_byte_of_a_plain_one_is_found(void **state)
{
	static const char *const files[] = {MANIFEST_FILE, MANIFEST_SHA_FILE, SQLITE_FILE};
	struct kept k;
	keep_plain(*state, &k);
	for (size_t i = 0; i < 3; i++)
		flip_file(&k, files[i]);
	must_be_good(&k);
}

static void test_snapshot__any_flipped_byte_of_an_encrypted_one_is_found(void **state)
{
	static const char *const files[] = {MANIFEST_FILE, MANIFEST_SHA_FILE, SQLITE_FILE CRYPT_SUFFIX};
	struct kept k;
	keep_encrypted(*state, &k);
	for (size_t i = 0; i < 3; i++)
		flip_file(&k, files[i]);
	must_be_good(&k);
}

static void test_snapshot__a_cut_off_or_longer_file_is_found(void **state)
{
	static const char *const files[] = {MANIFEST_FILE, MANIFEST_SHA_FILE, SQLITE_FILE CRYPT_SUFFIX};
	struct kept k;
	keep_encrypted(*state, &k);
	for (size_t i = 0; i < 3; i++)
		cut_file(&k, files[i]);
	must_be_good(&k);
}

/* With the digests mended too, the key still tells: each byte of an encrypted file is authenticated. */
static void test_snapshot__decrypting_finds_each_byte_by_itself(void **state)
{
	struct kept k;
	struct manifest m;
	struct crypt_key key;
	keep_encrypted(*state, &k);
	const char *path = arena_printf(&k.s->a, "%s/" SQLITE_FILE CRYPT_SUFFIX, k.path).ptr;
	struct slice whole = get_file(k.s, path);
	char *bytes = arena_str(&k.s->a, whole);
	MUST(manifest_read(k.path, &k.s->a, &m, NULL, NULL, &must));
	MUST(crypt_unseal(&m.recipients, k.env.key_file, &k.s->a, &key, &must));
	for (size_t at = 0; at < whole.len; at++) {
		bytes[at] = (char)(bytes[at] ^ (1 << at % 8));
		write_to(path, bytes, whole.len);
		REFUSED(ERR_STATE, "target.db.enc", decrypt_file(&key, SLICE(SQLITE_FILE), path, NULL, NULL, &why));
		bytes[at] = whole.ptr[at];
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SCENE(test_snapshot__any_flipped_byte_of_a_plain_one_is_found),
	    SCENE(test_snapshot__any_flipped_byte_of_an_encrypted_one_is_found),
	    SCENE(test_snapshot__a_cut_off_or_longer_file_is_found),
	    SCENE(test_snapshot__decrypting_finds_each_byte_by_itself),
	};
	return cmocka_run_group_tests_name("snapshot_flip", tests, NULL, NULL);
}
