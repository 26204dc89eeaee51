/* Files of the audit trail: their paths, and many of them at once. */
#include "config.h"

#include "tests/unit/audit_place.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

/* Each holds the id in its name. */
static int count_files(struct audit *t, const char *prefix)
{
	struct audit_cursor *c = open_cursor(t, prefix);
	struct audit_file file;
	int n = 0;
	for (; next_file(c, &file); n++) {
		struct buf id = BUF_INIT(256);
		assert_null(file.why.ptr);
		assert_int_equal(audit_path_id("patches", ".txt", file.path, &id), 0);
		assert_true(slice_eq(buf_slice(&id), file.bytes));
		buf_release(&id);
	}
	audit_cursor_close(c);
	return n;
}

static void put_numbered(struct audit *t, uint32_t from, uint32_t to)
{
	struct buf path = BUF_INIT(256);
	for (uint32_t i = from; i < to; i++) {
		char id[16];
		snprintf(id, sizeof(id), "%08x", i * 2654435761u);
		buf_clear(&path);
		audit_path("patches", slice_of(id), ".txt", &path);
		trail_put(t, path.ptr, slice_of(id));
	}
	buf_release(&path);
}

static void test_audit__many_files_go_out_as_packs(void **state)
{
	struct fixture *f = *state;
	struct audit *t = trail_open(f, "demo", 0);
	struct err err = ERR_INIT;
	char id[AUDIT_ID_SIZE];
	trail_begin(t);
	put_numbered(t, 0, 30000);
	trail_put(t, "patches/beside", SLICE("x"));
	trail_commit(t, "patch", 0, id);
	trail_begin(t);
	put_numbered(t, 20000, 40000);
	assert_int_equal(audit_remove(t, SLICE("patches/beside"), &err), 0);
	trail_commit(t, "patch", 0, id);
	assert_int_equal(count_files(t, "patches/"), 40000);
	assert_int_equal(count_files(t, "patches/ff/"), count_files(t, "patches/ff"));
	assert_int_equal(count_files(t, "patchez"), 0);
	audit_close(t);
	assert_sound(f);
	assert_int_equal(shell(f,
			       "for i in @/audit.git/objects/pack/*.idx; do git show-index <$i | wc -l; done >@/n && "
			       "test $(wc -l <@/n) -ge 3 && test $(sort -n @/n | tail -n 1) -eq 50000"),
			 0);
	assert_int_equal(shell(f, "git -C @/audit.git count-objects | grep -q '^0 objects'"), 0);
	assert_int_equal(shell(f, "git clone -q --bare @/audit.git @/clone"), 0);
}

static void test_audit__paths_of_ids_go_there_and_back(void **state)
{
	static const char *const ids[] = {"a", "..", ".hidden", "a/b", "abcdef", "%41", "\xc3\xa9"};
	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		struct buf path = BUF_INIT(256), id = BUF_INIT(256);
		audit_path("k", slice_of(ids[i]), ".x", &path);
		assert_int_equal(audit_path_id("k", ".x", buf_slice(&path), &id), 0);
		assert_true(slice_is(buf_slice(&id), ids[i]));
		buf_clear(&id);
		assert_int_equal(audit_path_id("j", ".x", buf_slice(&path), &id), -1);
		buf_release(&path);
		buf_release(&id);
	}
}

static void test_audit__what_is_no_path_is_refused(void **state)
{
	static const char *const paths[] = {"", "/a", "a/", "a//b", "../a", "a/../b", ".git", "a\nb", "a b"};
	struct fixture *f = *state;
	struct audit *t = trail_open(f, "demo", 0);
	struct err err = ERR_INIT;
	trail_begin(t);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_int_equal(audit_put(t, slice_of(paths[i]), SLICE("x"), &err), ERR_INTERNAL);
	audit_close(t);
}

/* Names that stand otherwise in git's order of a tree than in that of paths, and come in neither. */
static void test_audit__files_stand_in_gits_order(void **state)
{
	static const char *const paths[] = {"b/z", "b.x", "b-x", "a/b/c", "a0", "b/a", "a.b/c", "a/b-c", "B", "a-b"};
	struct fixture *f = *state;
	struct audit *t = trail_open(f, "demo", 0);
	struct err err = ERR_INIT;
	struct arena a = ARENA_INIT;
	char id[AUDIT_ID_SIZE];
	size_t n = sizeof(paths) / sizeof(paths[0]);
	trail_begin(t);
	for (size_t i = 0; i < n; i++)
		trail_put(t, paths[i], i % 2 ? SLICE("earlier") : slice_of(paths[i]));
	assert_int_equal(audit_pending(t), n);
	trail_commit(t, "patch", 0, id);
	trail_begin(t);
	assert_int_equal(audit_pending(t), 0);
	for (size_t i = 1; i < n; i += 2)
		trail_put(t, paths[i], slice_of(paths[i]));
	assert_int_equal(audit_remove(t, SLICE("a/b/c"), &err), 0);
	assert_int_equal(audit_remove(t, SLICE("a/nothing"), &err), 0);
	trail_commit(t, "patch", 0, id);
	for (size_t i = 0; i < n; i++)
		if (strcmp(paths[i], "a/b/c") == 0)
			assert_null(trail_read(t, paths[i], &a));
		else
			assert_string_equal(trail_read(t, paths[i], &a), paths[i]);
	arena_release(&a);
	audit_close(t);
	assert_sound(f);
}

/* One blob at many paths: what grows is the file of the changed paths. */
static void test_audit__no_room_for_the_changed_paths_is_told_and_nothing_is_committed(void **state)
{
	struct fixture *f = *state;
	struct audit *t = trail_open(f, "demo", 0);
	struct err err = ERR_INIT;
	struct rlimit whole, small;
	char path[256], before[AUDIT_ID_SIZE], after[AUDIT_ID_SIZE];
	trail_begin(t);
	trail_put(t, "a", SLICE("x"));
	trail_commit(t, "patch", 0, before);
	trail_begin(t);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &whole), 0);
	small = (struct rlimit){1 << 20, whole.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	int rc = 0;
	for (int i = 0; i < 200000 && rc == 0; i++) {
		snprintf(path, sizeof(path), "%0200d", i);
		rc = audit_put(t, slice_of(path), SLICE("x"), &err);
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &whole), 0);
	assert_int_equal(rc, ERR_STATE);
	assert_non_null(strstr(err.msg, "temporary file of the audit trail"));
	assert_non_null(strstr(err.hint, "free space"));
	audit_rollback(t);
	assert_int_equal(audit_head(t, after, &err), 0);
	assert_string_equal(after, before);
	audit_close(t);
	assert_sound(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    FIXTURE_TEST(test_audit__many_files_go_out_as_packs),
	    FIXTURE_TEST(test_audit__files_stand_in_gits_order),
	    FIXTURE_TEST(test_audit__no_room_for_the_changed_paths_is_told_and_nothing_is_committed),
	    FIXTURE_TEST(test_audit__paths_of_ids_go_there_and_back),
	    FIXTURE_TEST(test_audit__what_is_no_path_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
