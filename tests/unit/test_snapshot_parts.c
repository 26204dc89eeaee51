/* The parts of snapshots that need no database: encryption, manifest, journal, masks, names and places, many at once.
 */
#include "config.h"

#include "snapshot_place.h"

#include "base/url.h"
#include "snapshot/crypt.h"
#include "snapshot/database.h"
#include "snapshot/many.h"
#include "snapshot/mask.h"
#include "snapshot/restore.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#define assert_slice(s, text) assert_true(slice_is((s), (text)))

/* ---- keys ---- */

struct keys {
	const char *one, *other; /* files */
	struct slice one_public, other_public;
};

static struct keys make_keys(struct scene *s)
{
	struct keys k = {.one = in_scene(s, "one"), .other = in_scene(s, "other")};
	MUST(snapshot_keygen(k.one, &s->a, &k.one_public, &must));
	MUST(snapshot_keygen(k.other, &s->a, &k.other_public, &must));
	return k;
}

static void test_keys__a_pair_is_read_as_it_was_made(void **state)
{
	struct scene *s = *state;
	struct keys k = make_keys(s);
	struct key_pair pair;
	struct key_public from_file, from_text;
	struct stat st;
	MUST(key_secret_read(k.one, &pair, &must));
	MUST(key_public_read(arena_printf(&s->a, "%s.pub", k.one).ptr, &s->a, &from_file, &must));
	MUST(key_public_read(arena_str(&s->a, k.one_public), &s->a, &from_text, &must));
	assert_memory_equal(pair.public_key.bytes, from_file.bytes, sizeof(from_file.bytes));
	assert_memory_equal(from_text.bytes, from_file.bytes, sizeof(from_file.bytes));
	assert_int_equal(stat(k.one, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_keys__what_is_no_key_is_refused(void **state)
{
	struct scene *s = *state;
	struct keys k = make_keys(s);
	struct key_public key;
	struct key_pair pair;
	struct slice secret = get_file(s, k.one);
	char *cut = arena_str(&s->a, k.one_public);
	cut[k.one_public.len - 1] = 0;
	REFUSED(ERR_USAGE, "no public key", key_public_parse(slice_of(cut), &key, &why));
	REFUSED(ERR_USAGE, "no public key", key_public_parse(SLICE("settle-pub-"), &key, &why));
	REFUSED(ERR_USAGE, "secret key", key_public_parse((struct slice){secret.ptr, secret.len - 1}, &key, &why));
	REFUSED(ERR_USAGE, "holds no public key", key_public_read(k.one, &s->a, &key, &why));
	put_file(in_scene(s, "empty"), SLICE(""));
	REFUSED(ERR_USAGE, "holds no secret key", key_secret_read(in_scene(s, "empty"), &pair, &why));
	assert_int_equal(chmod(k.one, 0604), 0);
	REFUSED(ERR_USAGE, "mode 604", key_secret_read(k.one, &pair, &why));
	struct slice again;
	REFUSED(ERR_USAGE, "cannot make key file", snapshot_keygen(k.other, &s->a, &again, &why));
	assert_int_equal(unlink(k.other), 0);
	REFUSED(ERR_USAGE, "other.pub: File exists", snapshot_keygen(k.other, &s->a, &again, &why));
	assert_int_equal(access(k.other, F_OK), -1);
	assert_int_equal(unlink(in_scene(s, "other.pub")), 0);
	put_file(k.other, SLICE("something"));
	REFUSED(ERR_USAGE, "other: File exists", snapshot_keygen(k.other, &s->a, &again, &why));
}

/* ---- encryption ---- */

static const char *random_file(struct scene *s, const char *name, size_t n)
{
	const char *path = in_scene(s, name);
	char *bytes = arena_alloc(&s->a, n);
	randombytes_buf(bytes, n);
	put_file(path, (struct slice){bytes, n});
	return path;
}

static void test_crypt__what_goes_in_comes_out(void **state)
{
	static const size_t sizes[] = {0, 1, FILES_CHUNK - 1, FILES_CHUNK, FILES_CHUNK + 1, 3 * FILES_CHUNK};
	struct scene *s = *state;
	const char *sealed = in_scene(s, "sealed"), *again = in_scene(s, "again"), *out = in_scene(s, "out");
	struct crypt_key key, other;
	struct crypt_made made;
	char hex[SHA_HEX_SIZE];
	int64_t bytes = 0;
	MUST(crypt_begin(&key, &must));
	MUST(crypt_begin(&other, &must));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const char *in = random_file(s, "in", sizes[i]);
		MUST(crypt_file(&key, SLICE("a/b"), in, sealed, &made, NULL, &must));
		MUST(files_sha256(sealed, hex, &bytes, NULL, &must));
		assert_string_equal(made.sha256, hex);
		assert_int_equal(made.bytes, bytes);
		MUST(recrypt_file(&key, &other, SLICE("a/b"), sealed, again, &made, NULL, &must));
		MUST(files_sha256(again, hex, &bytes, NULL, &must));
		assert_string_equal(made.sha256, hex);
		MUST(decrypt_file(&other, SLICE("a/b"), again, out, NULL, &must));
		assert_true(slice_eq(get_file(s, in), get_file(s, out)));
		REFUSED(ERR_STATE, "altered", decrypt_file(&key, SLICE("a/b"), again, NULL, NULL, &why));
		REFUSED(ERR_STATE, "another file", decrypt_file(&key, SLICE("a/c"), sealed, NULL, NULL, &why));
	}
}

static void test_crypt__what_is_cut_off_or_longer_is_refused(void **state)
{
	struct scene *s = *state;
	const char *in = random_file(s, "in", 2 * FILES_CHUNK), *sealed = in_scene(s, "sealed");
	struct crypt_key key;
	struct crypt_made made;
	MUST(crypt_begin(&key, &must));
	MUST(crypt_file(&key, SLICE("f"), in, sealed, &made, NULL, &must));
	struct slice whole = get_file(s, sealed);
	const size_t chunk = FILES_CHUNK + 17, head = 8 + 24;
	const size_t cuts[] = {0, 7, head - 1, head, head + chunk, head + 2 * chunk, whole.len - 1};
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		put_file(sealed, (struct slice){whole.ptr, cuts[i]});
		REFUSED(ERR_STATE, "sealed cannot be decrypted",
			decrypt_file(&key, SLICE("f"), sealed, NULL, NULL, &why));
	}
	put_file(sealed, arena_printf(&s->a, "x"));
	REFUSED(ERR_STATE, "does not begin", decrypt_file(&key, SLICE("f"), sealed, NULL, NULL, &why));
	char *longer = arena_alloc(&s->a, whole.len + 1);
	memcpy(longer, whole.ptr, whole.len);
	longer[whole.len] = 0;
	put_file(sealed, (struct slice){longer, whole.len + 1});
	assert_int_not_equal(decrypt_file(&key, SLICE("f"), sealed, NULL, NULL, NULL), 0);
}

static void test_crypt__each_recipient_opens_it_and_nobody_else(void **state)
{
	struct scene *s = *state;
	struct keys k = make_keys(s);
	const char *both[] = {arena_str(&s->a, k.one_public), arena_str(&s->a, k.other_public)};
	const struct snapshot_texts two = {both, 2}, first = {both, 1};
	struct crypt_key key, got;
	struct json sealed;
	MUST(crypt_begin(&key, &must));
	MUST(crypt_seal(&key, &two, &s->a, &sealed, &must));
	for (int i = 0; i < 2; i++) {
		MUST(crypt_unseal(&sealed, i ? k.other : k.one, &s->a, &got, &must));
		assert_memory_equal(got.bytes, key.bytes, sizeof(key.bytes));
	}
	MUST(crypt_seal(&key, &first, &s->a, &sealed, &must));
	REFUSED(ERR_USAGE, "not one of the snapshot's 1 recipients", crypt_unseal(&sealed, k.other, &s->a, &got, &why));
	REFUSED(ERR_USAGE, "no key was given", crypt_unseal(&sealed, NULL, &s->a, &got, &why));
	json_sets(&s->a, &sealed.items[0], "sealed", json_str("AAAA"));
	REFUSED(ERR_STATE, "is damaged", crypt_unseal(&sealed, k.one, &s->a, &got, &why));
}

/* ---- the manifest ---- */

static struct manifest some_manifest(struct scene *s)
{
	struct manifest m = {.name = SLICE("n\"1"),
			     .created = SLICE("2026-01-02T03:04:05.678Z"),
			     .engine = SLICE("postgresql"),
			     .method = SLICE("dump"),
			     .server_version = 150004,
			     .recipients = json_array(),
			     .database = json_object(),
			     .roles = json_array()};
	struct manifest_table t = {SLICE("public.\"t \"\"x\""), 12345678901};
	struct manifest_domain d = {SLICE("d/e"), SLICE("live"), SLICE("7-x"), SLICE("state/d%2Fe.db")};
	char hex[SHA_HEX_SIZE];
	MUST(files_sha256_text(SLICE("x"), hex, &must));
	manifest_add_file(&m, SLICE("dump/toc.dat"), hex, 1, &s->a);
	ARENA_PUSH(&s->a, &m.tables, t);
	ARENA_PUSH(&s->a, &m.domains, d);
	return m;
}

static void test_manifest__what_is_written_is_read(void **state)
{
	struct scene *s = *state;
	struct manifest m = some_manifest(s), r;
	struct slice sha;
	MUST(manifest_write(&m, s->dir, &s->a, &must));
	MUST(manifest_read(s->dir, &s->a, &r, NULL, &sha, &must));
	struct json before = manifest_to_json(&m, &s->a), after = manifest_to_json(&r, &s->a);
	assert_true(json_eq(&before, &after));
	assert_true(manifest_encrypted(&r));
	assert_int_equal(manifest_sum_rows(&r), 12345678901);
	assert_int_equal(sha.len, SHA_HEX_SIZE - 1);
}

/* A manifest of this text, with the digest that belongs to it. */
static void put_manifest(struct scene *s, const char *text)
{
	char hex[SHA_HEX_SIZE];
	MUST(files_sha256_text(slice_of(text), hex, &must));
	put_file(in_scene(s, MANIFEST_FILE), slice_of(text));
	put_file(in_scene(s, MANIFEST_SHA_FILE), arena_printf(&s->a, "%s  " MANIFEST_FILE "\n", hex));
}

static void test_manifest__paths_that_lead_out_are_refused(void **state)
{
	static const char *const paths[] = {"",   "/etc/passwd", "../x", "a/../../x", "a/..",
					    "..", ".",           "./x",  "a/./b",     "a\\u0000b"};
	struct scene *s = *state;
	struct manifest m;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		put_manifest(s, arena_printf(&s->a,
					     "{\"name\":\"n\",\"engine\":\"sqlite\",\"method\":\"backup\",\"created\":"
					     "\"t\",\"files\":[{\"path\":\"%s\",\"bytes\":1,\"sha256\":\"%064d\"}]}",
					     paths[i], 0)
				    .ptr);
		REFUSED(ERR_STATE, "is no manifest", manifest_read(s->dir, &s->a, &m, NULL, NULL, &why));
	}
}

static void test_manifest__what_is_none_is_refused(void **state)
{
	struct scene *s = *state;
	struct manifest m;
	REFUSED(ERR_STATE, MANIFEST_FILE, manifest_read(s->dir, &s->a, &m, NULL, NULL, &why));
	put_manifest(s, "{}");
	REFUSED(ERR_STATE, "is no manifest", manifest_read(s->dir, &s->a, &m, NULL, NULL, &why));
	put_manifest(s, "{\"name\":");
	REFUSED(ERR_STATE, MANIFEST_FILE, manifest_read(s->dir, &s->a, &m, NULL, NULL, &why));
	put_manifest(s, "{\"format\":2,\"settle\":\"9.9\"}");
	REFUSED(ERR_STATE, "newer settle (9.9)", manifest_read(s->dir, &s->a, &m, NULL, NULL, &why));
	assert_int_equal(unlink(in_scene(s, MANIFEST_SHA_FILE)), 0);
	REFUSED(ERR_STATE, MANIFEST_SHA_FILE, manifest_read(s->dir, &s->a, &m, NULL, NULL, &why));
}

static void test_counts__the_first_table_that_differs_is_named(void **state)
{
	struct manifest_table wanted[] = {{SLICE("a"), 1}, {SLICE("b"), 2}},
			      have[] = {{SLICE("b"), 2}, {SLICE("a"), 1}};
	struct manifest_tables w = {wanted, 2, 2}, h = {have, 2, 2};
	(void)state;
	MUST(counts_compare(&w, &h, &must));
	have[0].rows = 3;
	REFUSED(ERR_STATE, "table b holds 3 rows, and the snapshot says 2", counts_compare(&w, &h, &why));
	h.n = 1;
	have[0].rows = 2;
	REFUSED(ERR_STATE, "table a is missing", counts_compare(&w, &h, &why));
	REFUSED(ERR_STATE, "there are 2 tables, and the snapshot says 1", counts_compare(&h, &w, &why));
}

/* ---- directories that cannot be read to their end ---- */

struct dirent *__real_readdir(DIR *d);
struct dirent *__wrap_readdir(DIR *d);
static int entries_left = -1; /* before the disk gives an error; -1: it gives none */

struct dirent *__wrap_readdir(DIR *d)
{
	if (entries_left == 0) {
		errno = EIO;
		return NULL;
	}
	entries_left -= entries_left > 0;
	return __real_readdir(d);
}

static void test_files__a_directory_read_in_part_is_no_list(void **state)
{
	struct scene *s = *state;
	struct snapshot_env env = {.state_dir = s->dir, .dir = s->dir, .log = s->log};
	struct snapshot_list snapshots;
	struct file_list list;
	struct place place;
	put_file(in_scene(s, "a"), SLICE("1"));
	put_file(in_scene(s, "b"), SLICE("2"));
	for (int n = 0; n < 4; n++) {
		entries_left = n;
		REFUSED(ERR_STATE, "cannot read directory", files_list(s->dir, &s->a, &list, &why));
		entries_left = n;
		REFUSED(ERR_STATE, "cannot read directory", snapshot_list(&env, &s->a, &snapshots, &why));
		entries_left = n;
		REFUSED(ERR_STATE, "cannot read directory", place_open(s->dir, "c", &s->a, &place, &why));
		place_close(&place);
	}
	entries_left = 0;
	REFUSED(ERR_STATE, "cannot read directory", files_remove_tree(s->dir, &why));
	entries_left = -1;
	MUST(files_list(s->dir, &s->a, &list, &must));
	assert_int_equal(list.n, 3); /* with .lock */
}

/* ---- the journal ---- */

static struct snapshot_env env_of(struct scene *s, const char *target)
{
	struct url *url = ARENA_NEW(&s->a, struct url);
	MUST(url_parse_target(target, &s->a, url, &must));
	return (struct snapshot_env){.state_dir = s->dir, .target = url, .log = s->log};
}

static void test_journal__it_is_read_as_it_was_written(void **state)
{
	struct scene *s = *state;
	struct snapshot_env env = env_of(s, "sqlite:/somewhere/t.db"), other = env_of(s, "sqlite:/somewhere/u.db");
	struct journal j, r;
	MUST(journal_read(&env, &s->a, &j, &must));
	assert_false(j.exists);
	MUST(snapshot_idle(&env, &must));
	j.snapshot = SLICE("/snaps/one");
	j.fresh = SLICE("f");
	json_push(&s->a, &j.done, json_str("verify"));
	json_push(&s->a, &j.domains, json_str("d"));
	MUST(journal_write(&j, &s->a, &must));
	MUST(journal_read(&env, &s->a, &r, &must));
	assert_true(r.exists);
	assert_false(r.finished);
	assert_slice(r.snapshot, "/snaps/one");
	assert_slice(r.fresh, "f");
	assert_null(r.old.ptr);
	assert_true(journal_has(&r, "verify"));
	assert_false(journal_has(&r, "swap"));
	assert_int_equal(r.domains.count, 1);
	MUST(journal_read(&other, &s->a, &r, &must));
	assert_false(r.exists);
}

static void test_journal__between_swap_and_end_nothing_else_may_write(void **state)
{
	struct scene *s = *state;
	struct snapshot_env env = env_of(s, "sqlite:/somewhere/t.db");
	struct journal j;
	MUST(journal_read(&env, &s->a, &j, &must));
	j.snapshot = SLICE("/snaps/one");
	json_push(&s->a, &j.done, json_str("load"));
	MUST(journal_write(&j, &s->a, &must));
	MUST(snapshot_idle(&env, &must));
	json_push(&s->a, &j.done, json_str("swap"));
	MUST(journal_write(&j, &s->a, &must));
	REFUSED(ERR_STATE, "has not come to its end", snapshot_idle(&env, &why));
	j.finished = 1;
	MUST(journal_write(&j, &s->a, &must));
	MUST(snapshot_idle(&env, &must));
	put_file(j.path, SLICE("{"));
	REFUSED(ERR_STATE, "the journal of a restore", journal_read(&env, &s->a, &j, &why));
}

static void test_journal__going_back_forgets_what_follows(void **state)
{
	struct scene *s = *state;
	struct snapshot_plan p = {.n_steps = 3, .steps = {{"verify", "", 1}, {"load", "", 1}, {"check", "", 0}}};
	struct journal j = {.done = json_array(), .begun = SLICE("load")};
	json_push(&s->a, &j.done, json_str("verify"));
	json_push(&s->a, &j.done, json_str("load"));
	journal_forget(&j, &p, 1, &s->a);
	assert_true(journal_has(&j, "verify"));
	assert_false(journal_has(&j, "load"));
	assert_null(j.begun.ptr);
	journal_forget(&j, &p, 0, &s->a);
	assert_false(journal_has(&j, "verify"));
}

/* ---- masks ---- */

static int read_mask(struct scene *s, const char *text, struct mask *out, struct err *err)
{
	struct snapshot_copy_options o = {.mask = in_scene(s, "mask.json")};
	put_file(o.mask, slice_of(text));
	return mask_read(&o, &s->a, out, err);
}

static void test_mask__each_way_is_read(void **state)
{
	struct scene *s = *state;
	struct mask m, again;
	MUST(read_mask(s, "{\"t.a\":null,\"s.t.b\":\"hash\",\"t.c\":{\"value\":\"\"}}", &m, &must));
	assert_true(mask_any(&m));
	assert_int_equal(m.n, 3);
	assert_int_equal(m.v[0].how, MASK_NULL);
	assert_slice(m.v[0].table, "t");
	assert_int_equal(m.v[1].how, MASK_HASH);
	assert_slice(m.v[1].table, "s.t");
	assert_slice(m.v[1].column, "b");
	assert_int_equal(m.v[2].how, MASK_VALUE);
	assert_slice(m.v[2].value, "");
	MUST(read_mask(s, "{}", &again, &must));
	assert_false(mask_any(&again));
	assert_memory_not_equal(m.secret, again.secret, sizeof(m.secret));
}

static void test_mask__what_is_none_is_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
	    {"[]", "holds no JSON object"},
	    {"{\"t\":null}", "not of the form table.column"},
	    {"{\".a\":null}", "not of the form"},
	    {"{\"t.\":null}", "not of the form"},
	    {"{\"t.a\":1}", "must be null"},
	    {"{\"t.a\":{}}", "must be null"},
	    {"{\"t.a\":{\"value\":1}}", "must be null"},
	    {"{\"t.a\":\"Hash\"}", "must be null"},
	    {"{", "mask file"},
	};
	struct scene *s = *state;
	struct mask m;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		REFUSED(ERR_USAGE, bad[i].says, read_mask(s, bad[i].text, &m, &why));
	struct snapshot_copy_options none = {.mask = in_scene(s, "none.json")};
	REFUSED(ERR_USAGE, "none.json", mask_read(&none, &s->a, &m, &why));
}

/* ---- names and places ---- */

static void test_place__names_that_cannot_be_are_refused(void **state)
{
	static const char *const bad[] = {"", ".", "..", ".hidden", "a/b", "/", "x.partial"};
	char longest[202];
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		REFUSED(ERR_USAGE, "cannot be the name", place_check_name(bad[i], &why));
	memset(longest, 'x', sizeof(longest));
	longest[201] = 0;
	REFUSED(ERR_USAGE, "cannot be the name", place_check_name(longest, &why));
	longest[200] = 0;
	MUST(place_check_name(longest, &must));
	MUST(place_check_name("pre-migration-d%2Fe-202611200300", &must));
	MUST(place_check_name("it's \"odd\" \xc3\xa9", &must));
}

static void test_place__one_works_there_and_leftovers_go(void **state)
{
	struct scene *s = *state;
	struct place p, q;
	MUST(files_make_dir(in_scene(s, "old.partial/.plain"), &must));
	put_file(in_scene(s, "old.partial/.plain/x"), SLICE("x"));
	MUST(place_open(s->dir, "new", &s->a, &p, &must));
	assert_false(files_exist(in_scene(s, "old.partial")));
	REFUSED(ERR_BUSY, "another settle", place_open(s->dir, "other", &s->a, &q, &why));
	MUST(place_begin(&p, &must));
	MUST(place_finish(&p, &must));
	assert_true(files_exist(in_scene(s, "new")));
	place_close(&p);
	MUST(place_open(s->dir, "new", &s->a, &p, &must));
	MUST(place_begin(&p, &must));
	put_file(arena_printf(&s->a, "%s/x", p.partial).ptr, SLICE("x"));
	REFUSED(ERR_STATE, "there is a snapshot", place_finish(&p, &why));
	MUST(place_replace(&p, &s->a, &must));
	place_close(&p);
	assert_true(files_exist(in_scene(s, "new/x")));
	assert_false(files_exist(in_scene(s, "new.partial")));
}

static void test_verify__the_name_of_an_encrypted_file(void **state)
{
	struct slice name = SLICE_NONE;
	(void)state;
	assert_true(verify_name(SLICE("dump/1.dat.gz.enc"), &name));
	assert_slice(name, "dump/1.dat.gz");
	assert_false(verify_name(SLICE("dump/1.dat.gz"), &name));
	assert_false(verify_name(SLICE(".enc"), &name));
}

/* ---- many at once ---- */

static int count_one(void *ctx, size_t i, struct arena *a, struct err *err)
{
	atomic_int *done = ctx;
	(void)arena_printf(a, "%zu", i);
	atomic_fetch_add(&done[i], 1);
	return i == 700 ? err_set(err, ERR_STATE, "number 700") : 0;
}

static void test_many__each_is_done_once_until_one_fails(void **state)
{
	static const int threads[] = {1, 2, 7};
	atomic_int done[1000];
	(void)state;
	for (size_t t = 0; t < 3; t++) {
		memset((void *)done, 0, sizeof(done));
		MUST(many_do(threads[t], 700, count_one, done, &must));
		for (size_t i = 0; i < 1000; i++)
			assert_int_equal(done[i], i < 700);
		REFUSED(ERR_STATE, "number 700", many_do(threads[t], 1000, count_one, done, &why));
		for (size_t i = 0; i < 1000; i++)
			assert_in_range(done[i], i <= 700, 2);
		MUST(many_do(threads[t], 0, count_one, done, &must));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SCENE(test_keys__a_pair_is_read_as_it_was_made),
	    SCENE(test_keys__what_is_no_key_is_refused),
	    SCENE(test_crypt__what_goes_in_comes_out),
	    SCENE(test_crypt__what_is_cut_off_or_longer_is_refused),
	    SCENE(test_crypt__each_recipient_opens_it_and_nobody_else),
	    SCENE(test_manifest__what_is_written_is_read),
	    SCENE(test_manifest__paths_that_lead_out_are_refused),
	    SCENE(test_manifest__what_is_none_is_refused),
	    cmocka_unit_test(test_counts__the_first_table_that_differs_is_named),
	    SCENE(test_files__a_directory_read_in_part_is_no_list),
	    SCENE(test_journal__it_is_read_as_it_was_written),
	    SCENE(test_journal__between_swap_and_end_nothing_else_may_write),
	    SCENE(test_journal__going_back_forgets_what_follows),
	    SCENE(test_mask__each_way_is_read),
	    SCENE(test_mask__what_is_none_is_refused),
	    cmocka_unit_test(test_place__names_that_cannot_be_are_refused),
	    SCENE(test_place__one_works_there_and_leftovers_go),
	    cmocka_unit_test(test_verify__the_name_of_an_encrypted_file),
	    cmocka_unit_test(test_many__each_is_done_once_until_one_fails),
	};
	return cmocka_run_group_tests_name("snapshot_parts", tests, NULL, NULL);
}
