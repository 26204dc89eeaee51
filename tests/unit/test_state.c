#include "config.h"

#include "tests/unit/state_place.h"

#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- opening ---- */

static int mode_of(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 ? (int)(st.st_mode & 0777) : -1;
}

static void test_state_open__makes_private_directories_and_files(void **state)
{
	struct place *p = *state;
	char name[120], dir[80];
	mode_t old = umask(0);
	snprintf(dir, sizeof(dir), "%s/new/state", p->dir);
	MUST(state_open(&p->s, dir, SLICE("a/../b"), 0, &must));
	put_doc(p, "form", "f1", NULL, NULL, NULL);
	umask(old);
	static const char *const directories[] = {"/new", "/new/state", "/new/state/domains",
						  "/new/state/domains/a%2F..%2Fb"};
	for (size_t i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "%s%s", p->dir, directories[i]);
		assert_int_equal(mode_of(name), 0700);
	}
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	for (size_t i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s/new/state/domains/a%%2F..%%2Fb/state.db%s", p->dir, suffixes[i]);
		assert_int_equal(mode_of(name), 0600);
	}
}

static void test_state_open__relative_directory(void **state)
{
	struct place *p = *state;
	char old[4096];
	assert_non_null(getcwd(old, sizeof(old)));
	assert_int_equal(chdir(p->dir), 0);
	MUST(state_open(&p->s, "here", SLICE("demo"), 0, &must));
	assert_int_equal(mode_of("here/domains/demo/state.db"), 0600);
	assert_int_equal(chdir(old), 0);
}

static void test_state_open__domains_are_apart(void **state)
{
	struct place *p = *state;
	struct state *other;
	put_doc(p, "form", "f1", NULL, NULL, NULL);
	MUST(state_open(&other, p->dir, SLICE("Demo"), 0, &must));
	struct state *mine = p->s;
	p->s = other;
	assert_kinds(p, "");
	p->s = mine;
	assert_kinds(p, "form 1/0/0/0/0");
	state_close(other);
}

static void test_state_open__read_only_makes_nothing(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	assert_int_equal(state_open(&p->s, p->dir, SLICE("demo"), STATE_READ_ONLY, &err), ERR_NOTFOUND);
	assert_null(p->s);
	assert_non_null(strstr(err.msg, p->file));
	assert_int_not_equal(err.hint[0], 0);
	assert_int_equal(rmdir(p->dir), 0);
	assert_int_equal(state_open(&p->s, "/dev/null", SLICE("demo"), STATE_READ_ONLY, &err), ERR_NOTFOUND);
	assert_int_equal(mkdir(p->dir, 0700), 0);
}

static void test_state_open__read_only_before_the_tables_are_made(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct lite *db;
	struct lite_options o = {.path = p->file, .flags = LITE_CREATE, .code = ERR_STATE};
	state_close(p->s);
	p->s = NULL;
	assert_int_equal(unlink(p->file), 0);
	MUST(lite_open(&db, &o, &must));
	lite_close(db);
	assert_int_equal(state_open(&p->s, p->dir, SLICE("demo"), STATE_READ_ONLY, &err), ERR_NOTFOUND);
}

static void test_state_open__reader_beside_a_writer(void **state)
{
	struct place *p = *state;
	struct state *writer = p->s;
	put_doc(p, "form", "f1", NULL, NULL, NULL);
	MUST(state_begin(writer, &must));
	put_doc(p, "form", "f2", NULL, NULL, NULL);
	MUST(state_open(&p->s, p->dir, SLICE("demo"), STATE_READ_ONLY, &must));
	assert_kinds(p, "form 1/0/0/0/0");
	MUST(state_commit(writer, &must));
	assert_kinds(p, "form 2/0/0/0/0");
	struct err err = ERR_INIT;
	struct state_doc doc = {.kind = SLICE("form"), .id = SLICE("f3")};
	assert_int_equal(state_doc_put(p->s, &doc, &err), ERR_STATE);
	assert_int_equal(err.native & 0xff, SQLITE_READONLY);
	assert_int_equal(state_value_put(p->s, "k", SLICE("v"), &err), ERR_STATE);
	assert_kinds(p, "form 2/0/0/0/0");
	state_close(writer);
	assert_kinds(p, "form 2/0/0/0/0");
}

static void test_state_open__reader_without_wal_files(void **state)
{
	struct place *p = *state;
	char name[100];
	put_doc(p, "form", "f1", NULL, NULL, NULL);
	state_close(p->s);
	p->s = NULL;
	snprintf(name, sizeof(name), "%s-wal", p->file);
	assert_int_equal(mode_of(name), -1);
	MUST(state_open(&p->s, p->dir, SLICE("demo"), STATE_READ_ONLY, &must));
	assert_kinds(p, "form 1/0/0/0/0");
}

static void test_state_open__newer_version_is_refused(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	MUST(lite_exec(p->s->db, "PRAGMA user_version=1000", &must));
	state_close(p->s);
	for (unsigned flags = 0; flags <= STATE_READ_ONLY; flags++) {
		assert_int_equal(state_open(&p->s, p->dir, SLICE("demo"), flags, &err), ERR_STATE);
		assert_null(p->s);
		assert_non_null(strstr(err.msg, "version 1000"));
		assert_non_null(strstr(err.msg, p->file));
		assert_non_null(strstr(err.hint, "later"));
	}
}

static void test_state_open__damaged_file_tells_the_way_out(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	state_close(p->s);
	FILE *f = fopen(p->file, "r+");
	assert_non_null(f);
	fputs("this was a database once", f);
	fclose(f);
	for (unsigned flags = 0; flags <= STATE_READ_ONLY; flags++) {
		assert_int_equal(state_open(&p->s, p->dir, SLICE("demo"), flags, &err), ERR_STATE);
		assert_int_equal(err.native & 0xff, SQLITE_NOTADB);
		assert_non_null(strstr(err.msg, p->file));
		assert_non_null(strstr(err.hint, "built anew"));
	}
}

static void test_state_read__damaged_pages_tell_the_way_out(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct state_kinds kinds;
	for (int i = 0; i < 500; i++) {
		char id[40];
		snprintf(id, sizeof(id), "document-with-a-longer-id-%d", i);
		put_doc(p, "form", id, NULL, NULL, NULL);
	}
	int root_page = rows_in(p, "SELECT rootpage FROM sqlite_master WHERE name = 'doc'");
	state_close(p->s);
	p->s = NULL;
	FILE *f = fopen(p->file, "r+");
	assert_non_null(f);
	fseek(f, (root_page - 1) * 4096L, SEEK_SET);
	for (int i = 0; i < 4096; i++)
		fputc(0xee, f);
	fclose(f);
	MUST(state_open(&p->s, p->dir, SLICE("demo"), 0, &must));
	assert_int_equal(state_kinds(p->s, &p->a, &kinds, &err), ERR_STATE);
	assert_int_equal(err.native & 0xff, SQLITE_CORRUPT);
	assert_non_null(strstr(err.hint, "built anew"));
	struct state_doc doc = {.kind = SLICE("form"), .id = SLICE("f3")};
	assert_int_equal(state_doc_put(p->s, &doc, &err), ERR_STATE);
	assert_non_null(strstr(err.hint, "built anew"));
}

static void open_unwritable(struct place *p)
{
	struct err err = ERR_INIT;
	assert_int_equal(chmod(p->dir, 0500), 0);
	assert_int_equal(state_open(&p->s, p->dir, SLICE("demo"), 0, &err), ERR_STATE);
	assert_int_equal(err.native, EACCES);
	assert_non_null(strstr(err.msg, p->dir));
	assert_non_null(strstr(err.hint, "--state-dir"));
}

static void test_state_open__unwritable_directory(void **state)
{
	struct place *p = *state;
	int root = geteuid() == 0; /* root may write anywhere */
	if (root) {
		assert_int_equal(chown(p->dir, 65534, 65534), 0);
		assert_int_equal(seteuid(65534), 0);
	}
	open_unwritable(p);
	if (root)
		assert_int_equal(seteuid(0), 0);
}

static void test_state_open__a_file_where_a_directory_should_be(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	assert_int_equal(state_open(&p->s, "/dev/null", SLICE("demo"), 0, &err), ERR_STATE);
	assert_int_equal(err.native, ENOTDIR);
	assert_non_null(strstr(err.msg, "/dev/null/domains"));
}

static int told(int rc, const struct err *err)
{
	return rc == ERR_STATE && strstr(err->msg, "no such table") != NULL;
}

/* Every operation meets a file that lacks its tables. */
static void test_state__missing_tables_are_told_by_every_operation(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct slice text, id = SLICE("d1");
	struct state_doc doc = {.kind = SLICE("form"), .id = id, .ignored = SLICE("{\"r\":1}"), .diffs = SLICE("[1]")};
	struct state_case c = {.kind = SLICE("form"), .id = id, .rev = SLICE("1-a")};
	struct state_reject r = {.kind = SLICE("form"), .id = id};
	struct state_counts counts;
	struct state_kinds kinds;
	struct state_tallies tallies;
	struct state_items items;
	struct state_item item;
	struct state_cases cases;
	static const char *const tables[] = {"value",   "name",   "signature", "doc",     "diff",   "change",
					     "missing", "reject", "spool",     "pending", "skipped"};
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		MUST(state_skipped_put(p->s, SLICE("x"), SLICE("other"), &must));
		put_case(p, "c1", "1-a", "{}");
		put_doc(p, "form", "f1", "{\"s\":1}", "[1]", "[2]");
		reopen(p);
		char rename[80], back[80];
		snprintf(rename, sizeof(rename), "ALTER TABLE %s RENAME TO gone", tables[i]);
		snprintf(back, sizeof(back), "ALTER TABLE gone RENAME TO %s", tables[i]);
		MUST(lite_exec(p->s->db, rename, &must));
		int failures = 0;
		failures += told(state_value_put(p->s, "k", SLICE("v"), &err), &err);
		failures += told(state_value_get(p->s, "k", &p->a, &text, &err), &err);
		failures += told(state_doc_put(p->s, &doc, &err), &err);
		failures += told(state_doc_forget(p->s, SLICE("f1"), &err), &err);
		failures += told(state_case_put(p->s, &c, NULL, &err), &err);
		failures += told(state_case_get(p->s, id, &p->a, &c, &err), &err);
		failures += told(state_case_touch(p->s, SLICE("c1"), &err), &err);
		failures += told(state_case_pending(p->s, SLICE_NONE, 9, &p->a, &cases, &err), &err);
		failures += told(state_case_page(p->s, SLICE_NONE, 9, &p->a, &cases, &err), &err);
		failures += told(state_case_compared(p->s, &doc, STATE_MISSING, &err), &err);
		failures += told(state_missing_put(p->s, SLICE("form"), SLICE("m1"), &err), &err);
		failures += told(state_missing_del(p->s, SLICE("m1"), &err), &err);
		failures += told(state_reject_put(p->s, &r, &err), &err);
		failures += told(state_reject_get(p->s, id, &p->a, &r, &err), &err);
		failures += told(state_reject_del(p->s, id, &err), &err);
		failures += told(state_skipped_put(p->s, SLICE("y"), SLICE("other"), &err), &err);
		failures += told(state_skipped_get(p->s, SLICE("y"), &p->a, &text, &err), &err);
		failures += told(state_counts(p->s, &counts, &err), &err);
		failures += told(state_kinds(p->s, &p->a, &kinds, &err), &err);
		failures += told(state_ignored(p->s, &p->a, &tallies, &err), &err);
		for (int which = STATE_DIFFS; which <= STATE_REJECTS; which++) {
			failures += told(state_list(p->s, which, SLICE_NONE, SLICE_NONE, 9, &p->a, &items, &err), &err);
			failures += told(state_get(p->s, which, id, &p->a, &item, &err), &err);
		}
		assert_in_range(failures, 2, 27);
		MUST(lite_exec(p->s->db, back, &must));
	}
}

/* ---- batches ---- */

static void test_state_batch__rollback_undoes_everything_kept_in_memory_too(void **state)
{
	struct place *p = *state;
	MUST(state_begin(p->s, &must));
	put_doc(p, "form", "f1", "{\"r\":1}", "[1]", NULL);
	MUST(state_skipped_put(p->s, SLICE("x"), SLICE("other"), &must));
	state_rollback(p->s);
	state_rollback(p->s);
	assert_kinds(p, "");
	put_doc(p, "other kind", "f2", "{\"s\":1}", NULL, NULL);
	put_doc(p, "form", "f1", "{\"r\":1}", NULL, NULL);
	reopen(p);
	assert_kinds(p, "form 1/0/0/0/0 other kind 1/0/0/0/0");
	assert_ignored(p, "r=1 s=1");
}

static void test_state_batch__close_rolls_back(void **state)
{
	struct place *p = *state;
	MUST(state_begin(p->s, &must));
	put_doc(p, "form", "f1", NULL, NULL, NULL);
	reopen(p);
	assert_kinds(p, "");
}

static void test_state_batch__begin_and_commit_come_in_pairs(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	assert_int_equal(state_commit(p->s, &err), ERR_INTERNAL);
	MUST(state_begin(p->s, &must));
	assert_int_equal(state_begin(p->s, &err), ERR_INTERNAL);
	put_doc(p, "form", "f1", NULL, NULL, NULL);
	MUST(state_commit(p->s, &must));
	assert_kinds(p, "form 1/0/0/0/0");
}

static void test_state_batch__a_failed_write_cannot_be_committed(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct state_doc broken = {.kind = SLICE("form"), .id = SLICE_NONE};
	MUST(state_begin(p->s, &must));
	put_doc(p, "form", "f1", NULL, NULL, NULL);
	assert_int_equal(state_doc_put(p->s, &broken, &err), ERR_STATE);
	assert_int_equal(state_commit(p->s, &err), ERR_STATE);
	assert_kinds(p, "");
	MUST(state_begin(p->s, &must));
	put_doc(p, "form", "f1", NULL, NULL, NULL);
	MUST(state_commit(p->s, &must));
	assert_kinds(p, "form 1/0/0/0/0");
}

static void test_state_batch__second_writer_is_busy(void **state)
{
	struct place *p = *state;
	struct state *second;
	struct err err = ERR_INIT;
	MUST(state_open(&second, p->dir, SLICE("demo"), 0, &must));
	sqlite3_busy_timeout(lite_handle(second->db), 1);
	MUST(state_begin(p->s, &must));
	assert_int_equal(state_begin(second, &err), ERR_BUSY);
	assert_int_equal(err.retryable, 1);
	assert_int_equal(state_value_put(second, "k", SLICE("v"), &err), ERR_BUSY);
	MUST(state_commit(p->s, &must));
	MUST(state_value_put(second, "k", SLICE("v"), &must));
	state_close(second);
}

static void test_state_batch__full_file_leaves_what_was_committed(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	static char body[200000];
	memset(body, 'b', sizeof(body) - 1);
	put_case(p, "c1", "1-a", "{}");
	MUST(lite_exec(p->s->db, "PRAGMA max_page_count=60", &must));
	MUST(state_begin(p->s, &must));
	put_case(p, "c2", "1-a", "{}");
	struct state_case c = {
	    .kind = SLICE("CommCareCase"), .id = SLICE("c3"), .rev = SLICE("1-b"), .body = slice_of(body)};
	int same;
	assert_int_equal(state_case_put(p->s, &c, &same, &err), ERR_STATE);
	assert_int_equal(err.native, SQLITE_FULL);
	assert_non_null(strstr(err.msg, p->file));
	assert_non_null(strstr(err.hint, "free space"));
	assert_int_equal(state_commit(p->s, &err), ERR_STATE);
	state_rollback(p->s);
	assert_pending(p, "c1@1-a");
	MUST(lite_exec(p->s->db, "PRAGMA max_page_count=100000", &must));
	MUST(state_case_put(p->s, &c, &same, &must));
	assert_pending(p, "c1@1-a c3@1-b");
}

static void test_state_batch__file_size_limit_leaves_what_was_committed(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct rlimit old, tiny;
	static char body[600000];
	memset(body, 'b', sizeof(body) - 1);
	put_case(p, "c1", "1-a", "{}");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	tiny = old;
	tiny.rlim_cur = 400000;
	void (*old_handler)(int) = signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tiny), 0);
	struct state_case c = {
	    .kind = SLICE("CommCareCase"), .id = SLICE("c3"), .rev = SLICE("1-b"), .body = slice_of(body)};
	int same;
	int rc = state_case_put(p->s, &c, &same, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	signal(SIGXFSZ, old_handler);
	assert_int_equal(rc, ERR_STATE);
	assert_int_equal(err.native & 0xff, SQLITE_IOERR);
	reopen(p);
	assert_pending(p, "c1@1-a");
}

/* ---- values ---- */

static void test_state_value__put_get_replace(void **state)
{
	struct place *p = *state;
	struct slice value = SLICE("x");
	MUST(state_value_get(p->s, "profile", &p->a, &value, &must));
	assert_null(value.ptr);
	MUST(state_value_put(p->s, "profile", SLICE("a\0b"), &must));
	MUST(state_value_put(p->s, "empty", SLICE(""), &must));
	reopen(p);
	MUST(state_value_get(p->s, "profile", &p->a, &value, &must));
	assert_true(slice_eq(value, SLICE("a\0b")));
	MUST(state_value_put(p->s, "profile", SLICE("c"), &must));
	MUST(state_value_get(p->s, "profile", &p->a, &value, &must));
	assert_slice(value, "c");
	MUST(state_value_get(p->s, "empty", &p->a, &value, &must));
	assert_non_null(value.ptr);
	assert_int_equal(value.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    AT_PLACE(test_state_open__makes_private_directories_and_files),
	    AT_PLACE(test_state_open__relative_directory),
	    WITH_STATE(test_state_open__domains_are_apart),
	    AT_PLACE(test_state_open__read_only_makes_nothing),
	    WITH_STATE(test_state_open__read_only_before_the_tables_are_made),
	    WITH_STATE(test_state_open__reader_beside_a_writer),
	    WITH_STATE(test_state_open__reader_without_wal_files),
	    WITH_STATE(test_state_open__newer_version_is_refused),
	    WITH_STATE(test_state_open__damaged_file_tells_the_way_out),
	    WITH_STATE(test_state_read__damaged_pages_tell_the_way_out),
	    AT_PLACE(test_state_open__unwritable_directory),
	    AT_PLACE(test_state_open__a_file_where_a_directory_should_be),
	    WITH_STATE(test_state__missing_tables_are_told_by_every_operation),
	    WITH_STATE(test_state_batch__rollback_undoes_everything_kept_in_memory_too),
	    WITH_STATE(test_state_batch__close_rolls_back),
	    WITH_STATE(test_state_batch__begin_and_commit_come_in_pairs),
	    WITH_STATE(test_state_batch__a_failed_write_cannot_be_committed),
	    WITH_STATE(test_state_batch__second_writer_is_busy),
	    WITH_STATE(test_state_batch__full_file_leaves_what_was_committed),
	    WITH_STATE(test_state_batch__file_size_limit_leaves_what_was_committed),
	    WITH_STATE(test_state_value__put_get_replace),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
