#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "state/state_internal.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
	char dir[32], file[80];
	struct state *s;
	struct arena a;
};

#define MUST(call)                                                           \
	do {                                                                 \
		struct err must = ERR_INIT;                                  \
		if ((call) != 0)                                             \
			fail_msg("%s:%d: %s", __FILE__, __LINE__, must.msg); \
	} while (0)

#define assert_slice(s, text) assert_true(slice_is((s), (text)))

static int make_place(void **state)
{
	struct place *p = test_calloc(1, sizeof(*p));
	memcpy(p->dir, "/tmp/settle-state-XXXXXX", sizeof("/tmp/settle-state-XXXXXX"));
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->file, sizeof(p->file), "%s/domains/demo/state.db", p->dir);
	*state = p;
	return 0;
}

static int make_state(void **state)
{
	make_place(state);
	struct place *p = *state;
	MUST(state_open(&p->s, p->dir, SLICE("demo"), 0, &must));
	return 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static int remove_place(void **state)
{
	struct place *p = *state;
	state_close(p->s);
	arena_release(&p->a);
	chmod(p->dir, 0700);
	int rc = nftw(p->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	test_free(p);
	return rc;
}

static void reopen(struct place *p)
{
	state_close(p->s);
	p->s = NULL;
	MUST(state_open(&p->s, p->dir, SLICE("demo"), 0, &must));
}

/* ---- shorthands ---- */

static void put_doc(struct place *p, const char *kind, const char *id, const char *ignored, const char *diffs,
		    const char *changes)
{
	struct state_doc doc = {.kind = slice_of(kind),
				.id = slice_of(id),
				.ignored = slice_of(ignored),
				.diffs = slice_of(diffs),
				.changes = slice_of(changes)};
	MUST(state_doc_put(p->s, &doc, &must));
}

static int put_case(struct place *p, const char *id, const char *rev, const char *body)
{
	int same = 7;
	struct state_case c = {.kind = SLICE("CommCareCase"),
			       .id = slice_of(id),
			       .rev = slice_of(rev),
			       .body = slice_of(body),
			       .deleted = body == NULL};
	MUST(state_case_put(p->s, &c, &same, &must));
	return same;
}

static void compared(struct place *p, const char *id, const char *ignored, const char *diffs, const char *changes,
		     enum state_missing missing)
{
	struct state_doc doc = {.kind = SLICE("CommCareCase"),
				.id = slice_of(id),
				.ignored = slice_of(ignored),
				.diffs = slice_of(diffs),
				.changes = slice_of(changes)};
	MUST(state_case_compared(p->s, &doc, missing, &must));
}

static void put_reject(struct place *p, const char *kind, const char *id, const char *reason)
{
	struct state_reject r = {.kind = slice_of(kind), .id = slice_of(id), .reason = slice_of(reason)};
	MUST(state_reject_put(p->s, &r, &must));
}

static struct state_counts counts_of(struct place *p)
{
	struct state_counts c;
	MUST(state_counts(p->s, &c, &must));
	return c;
}

/* "kind docs/diffs/missing/changes/rejects ..." */
static void assert_kinds(struct place *p, const char *expected)
{
	struct state_kinds kinds;
	struct buf text = BUF_INIT(10000);
	MUST(state_kinds(p->s, &p->a, &kinds, &must));
	for (size_t i = 0; i < kinds.n; i++) {
		const struct state_kind_counts *k = &kinds.v[i];
		buf_fmt(&text, "%s%.*s %d/%d/%d/%d/%d", i ? " " : "", SLICE_ARG(k->kind), (int)k->docs, (int)k->diffs,
			(int)k->missing, (int)k->changes, (int)k->rejects);
	}
	assert_string_equal(buf_slice(&text).ptr, expected);
	buf_release(&text);
}

static void assert_ignored(struct place *p, const char *expected)
{
	struct state_tallies tallies;
	struct buf text = BUF_INIT(10000);
	MUST(state_ignored(p->s, &p->a, &tallies, &must));
	for (size_t i = 0; i < tallies.n; i++)
		buf_fmt(&text, "%s%.*s=%d", i ? " " : "", SLICE_ARG(tallies.v[i].rule), (int)tallies.v[i].count);
	assert_string_equal(buf_slice(&text).ptr, expected);
	buf_release(&text);
}

/* "kind:id=json ..." over pages of two. */
static void assert_list(struct place *p, enum state_list which, const char *expected)
{
	struct buf text = BUF_INIT(10000);
	struct slice kind = SLICE_NONE, id = SLICE_NONE;
	struct state_items items;
	do {
		MUST(state_list(p->s, which, kind, id, 2, &p->a, &items, &must));
		assert_in_range(items.n, 0, 2);
		for (size_t i = 0; i < items.n; i++) {
			kind = items.v[i].kind;
			id = items.v[i].id;
			buf_fmt(&text, "%s%.*s:%.*s=%.*s", text.len ? " " : "", SLICE_ARG(kind), SLICE_ARG(id),
				SLICE_ARG(items.v[i].json));
		}
	} while (items.n);
	assert_string_equal(buf_slice(&text).ptr, expected);
	buf_release(&text);
}

/* "id@rev ..." over pages of two. */
static void assert_pending(struct place *p, const char *expected)
{
	struct buf text = BUF_INIT(10000);
	struct slice after = SLICE_NONE;
	struct state_cases cases;
	do {
		MUST(state_case_pending(p->s, after, 2, &p->a, &cases, &must));
		for (size_t i = 0; i < cases.n; i++) {
			assert_int_equal(cases.v[i].pending, 1);
			after = cases.v[i].id;
			buf_fmt(&text, "%s%.*s@%.*s", text.len ? " " : "", SLICE_ARG(after), SLICE_ARG(cases.v[i].rev));
		}
	} while (cases.n);
	assert_string_equal(buf_slice(&text).ptr, expected);
	buf_release(&text);
}

static int rows_in(struct place *p, const char *sql)
{
	struct lite_stmt *stmt;
	int row, n;
	MUST(lite_stmt(p->s->db, sql, &stmt, &must));
	MUST(lite_step(stmt, &row, &must));
	n = (int)lite_int(stmt, 0);
	lite_done(stmt);
	return n;
}

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

/* ---- documents ---- */

static void test_state_doc_put__twice_is_once(void **state)
{
	struct place *p = *state;
	for (int i = 0; i < 2; i++) {
		put_doc(p, "form", "f1", "{\"a\":2,\"b\":1}", "[1]", "[2]");
		put_doc(p, "form", "f2", "{\"a\":2,\"b\":1}", "[]", NULL);
		put_doc(p, "form", "f3", "{\"b\":5}", "", NULL);
		put_doc(p, "app", "f4", "{}", NULL, NULL);
		assert_kinds(p, "app 1/0/0/0/0 form 3/1/0/1/0");
		assert_ignored(p, "a=4 b=7");
		assert_list(p, STATE_DIFFS, "form:f1=[1]");
		assert_list(p, STATE_CHANGES, "form:f1=[2]");
		struct state_counts c = counts_of(p);
		assert_int_equal(c.diffs, 1);
		assert_int_equal(c.changes, 1);
		reopen(p);
	}
	assert_int_equal(rows_in(p, "SELECT count(*) FROM signature"), 2);
}

static void test_state_doc_put__replaces_what_was_known(void **state)
{
	struct place *p = *state;
	put_doc(p, "form", "f1", "{\"a\":2}", "[1]", "[2]");
	put_doc(p, "form", "f1", "{\"b\":1}", "[3]", NULL);
	assert_kinds(p, "form 1/1/0/0/0");
	assert_ignored(p, "b=1");
	assert_list(p, STATE_DIFFS, "form:f1=[3]");
	assert_list(p, STATE_CHANGES, "");
	put_doc(p, "app", "f1", NULL, "[4]", NULL);
	assert_kinds(p, "app 1/1/0/0/0");
	assert_list(p, STATE_DIFFS, "app:f1=[4]");
	put_doc(p, "app", "f1", NULL, NULL, NULL);
	assert_kinds(p, "app 1/0/0/0/0");
	assert_list(p, STATE_DIFFS, "");
	assert_ignored(p, "");
}

static void test_state_doc_put__sums_attachments_and_conflicts(void **state)
{
	struct place *p = *state;
	struct state_doc doc = {.kind = SLICE("form"), .id = SLICE("f1"), .attachments = 3, .conflicts = 1};
	for (int i = 0; i < 2; i++)
		MUST(state_doc_put(p->s, &doc, &must));
	doc.id = SLICE("f2");
	doc.attachments = 0;
	doc.conflicts = UINT32_MAX;
	MUST(state_doc_put(p->s, &doc, &must));
	struct state_counts c = counts_of(p);
	assert_int_equal(c.attachments, 3);
	assert_true(c.conflicts == INT64_C(1) + UINT32_MAX);
	put_doc(p, "form", "f2", NULL, NULL, NULL);
	MUST(state_doc_forget(p->s, SLICE("f1"), &must));
	c = counts_of(p);
	assert_int_equal(c.attachments, 0);
	assert_int_equal(c.conflicts, 0);
}

static void test_state_doc_put__ends_reject_missing_and_spool_copy(void **state)
{
	struct place *p = *state;
	put_reject(p, "form", "d1", "too deep");
	put_case(p, "d2", "1-a", "{}");
	compared(p, "d2", NULL, "[1]", "[2]", STATE_MISSING);
	put_case(p, "d3", "1-a", "{}");
	MUST(state_skipped_put(p->s, SLICE("d4"), SLICE("other"), &must));
	MUST(state_missing_put(p->s, SLICE("form"), SLICE("d5"), &must));
	put_doc(p, "form", "d1", NULL, NULL, NULL);
	put_doc(p, "form", "d2", NULL, NULL, NULL);
	put_doc(p, "form", "d3", NULL, NULL, NULL);
	put_doc(p, "form", "d4", NULL, NULL, NULL);
	put_doc(p, "form", "d5", NULL, NULL, NULL);
	assert_kinds(p, "form 5/0/0/0/0");
	assert_pending(p, "");
	assert_int_equal(rows_in(p, "SELECT (SELECT count(*) FROM spool) + (SELECT count(*) FROM reject) +"
				    " (SELECT count(*) FROM missing) + (SELECT count(*) FROM pending) +"
				    " (SELECT count(*) FROM diff) + (SELECT count(*) FROM change) +"
				    " (SELECT count(*) FROM skipped)"),
			 0);
}

static void test_state_doc_put__skipped_id_of_an_earlier_run_ends(void **state)
{
	struct place *p = *state;
	struct slice domain;
	MUST(state_skipped_put(p->s, SLICE("d1"), SLICE("other"), &must));
	reopen(p);
	MUST(state_begin(p->s, &must));
	put_doc(p, "form", "d1", NULL, NULL, NULL);
	MUST(state_commit(p->s, &must));
	MUST(state_skipped_get(p->s, SLICE("d1"), &p->a, &domain, &must));
	assert_null(domain.ptr);
}

static void test_state_doc_put__id_skipped_earlier_in_the_batch(void **state)
{
	struct place *p = *state;
	struct slice domain;
	MUST(state_begin(p->s, &must));
	MUST(state_skipped_put(p->s, SLICE("d1"), SLICE("other"), &must));
	put_doc(p, "form", "d1", NULL, NULL, NULL);
	MUST(state_commit(p->s, &must));
	MUST(state_skipped_get(p->s, SLICE("d1"), &p->a, &domain, &must));
	assert_null(domain.ptr);
}

static void test_state_doc_forget__leaves_nothing(void **state)
{
	struct place *p = *state;
	put_doc(p, "form", "d1", "{\"a\":1}", "[1]", "[2]");
	put_reject(p, "form", "d1", "again");
	put_case(p, "d2", "1-a", "{}");
	compared(p, "d2", NULL, "[1]", "[2]", STATE_MISSING);
	put_case(p, "d2", "2-a", "{}");
	put_reject(p, "", "@5", "no id");
	for (int i = 0; i < 2; i++) {
		MUST(state_doc_forget(p->s, SLICE("d1"), &must));
		MUST(state_doc_forget(p->s, SLICE("d2"), &must));
		MUST(state_doc_forget(p->s, SLICE("@5"), &must));
	}
	assert_kinds(p, "");
	assert_ignored(p, "");
	struct state_counts c = counts_of(p), none = {0};
	assert_memory_equal(&c, &none, sizeof(c));
	assert_int_equal(rows_in(p, "SELECT (SELECT count(*) FROM spool) + (SELECT count(*) FROM doc)"), 0);
}

/* ---- cases ---- */

static void test_state_case_put__same_revision_is_pending_until_compared(void **state)
{
	struct place *p = *state;
	assert_int_equal(put_case(p, "c1", "1-a", "{\"v\":1}"), 0);
	assert_int_equal(put_case(p, "c1", "1-a", "{\"v\":1}"), 0);
	assert_pending(p, "c1@1-a");
	compared(p, "c1", "{\"r\":1}", NULL, NULL, STATE_NOT_MISSING);
	assert_pending(p, "");
	assert_int_equal(put_case(p, "c1", "1-a", "{\"v\":1}"), 1);
	assert_pending(p, "");
	assert_kinds(p, "CommCareCase 1/0/0/0/0");
	assert_ignored(p, "r=1");
	assert_int_equal(put_case(p, "c1", "2-b", "{\"v\":2}"), 0);
	assert_pending(p, "c1@2-b");
	struct state_case c;
	MUST(state_case_get(p->s, SLICE("c1"), &p->a, &c, &must));
	assert_slice(c.body, "{\"v\":2}");
	assert_int_equal(rows_in(p, "SELECT count(*) FROM spool"), 1);
}

static void test_state_case_put__same_revision_may_have_other_conflicts(void **state)
{
	struct place *p = *state;
	struct state_case c = {.kind = SLICE("k"), .id = SLICE("c1"), .rev = SLICE("1-a"), .body = SLICE("{}")};
	int same;
	MUST(state_case_put(p->s, &c, &same, &must));
	compared(p, "c1", NULL, "[1]", NULL, STATE_NOT_MISSING);
	c.conflicts = 2;
	MUST(state_case_put(p->s, &c, &same, &must));
	assert_int_equal(same, 1);
	assert_int_equal(counts_of(p).conflicts, 2);
	assert_int_equal(counts_of(p).diffs, 1);
	assert_int_equal(counts_of(p).pending, 0);
	MUST(state_case_put(p->s, &c, NULL, &must));
}

static void test_state_case_put__diffs_stay_until_compared(void **state)
{
	struct place *p = *state;
	put_case(p, "c1", "1-a", "{}");
	compared(p, "c1", "{\"r\":1}", "[1]", "[2]", STATE_MISSING);
	put_case(p, "c1", "2-a", "{}");
	assert_kinds(p, "CommCareCase 1/1/1/1/0");
	assert_list(p, STATE_MISSING_DOCS, "CommCareCase:c1=");
	compared(p, "c1", NULL, NULL, NULL, STATE_NOT_MISSING);
	assert_kinds(p, "CommCareCase 1/0/0/0/0");
	assert_ignored(p, "");
}

static void test_state_case_put__plain_document_becomes_a_case(void **state)
{
	struct place *p = *state;
	put_doc(p, "app", "c1", "{\"r\":1}", "[1]", "[2]");
	put_case(p, "c1", "1-a", "{}");
	assert_kinds(p, "CommCareCase 1/0/0/0/0");
	assert_ignored(p, "");
	assert_list(p, STATE_DIFFS, "");
	assert_pending(p, "c1@1-a");
}

static void test_state_case_put__tombstone_is_no_document(void **state)
{
	struct place *p = *state;
	struct state_case c;
	put_case(p, "c1", "1-a", "{}");
	assert_int_equal(put_case(p, "c1", "2-b", NULL), 0);
	assert_kinds(p, "");
	assert_pending(p, "c1@2-b");
	MUST(state_case_get(p->s, SLICE("c1"), &p->a, &c, &must));
	assert_int_equal(c.deleted, 1);
	assert_null(c.body.ptr);
	assert_slice(c.rev, "2-b");
	compared(p, "c1", NULL, NULL, NULL, STATE_NOT_MISSING);
	assert_int_equal(put_case(p, "c1", "2-b", NULL), 1);
	assert_int_equal(put_case(p, "c1", "3-c", "{}"), 0);
	MUST(state_case_get(p->s, SLICE("c1"), &p->a, &c, &must));
	assert_int_equal(c.deleted, 0);
	assert_slice(c.body, "{}");
	assert_kinds(p, "CommCareCase 1/0/0/0/0");
}

static void test_state_case_get__everything_comes_back(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct state_case got, c = {.kind = SLICE("k\0\xc3\xa9"),
				    .id = SLICE("i\0d"),
				    .rev = SLICE("1-a"),
				    .body = SLICE("{\"a\":\"\xc3\xa9\"}"),
				    .attachments = 4,
				    .conflicts = 5};
	MUST(state_case_put(p->s, &c, NULL, &must));
	reopen(p);
	MUST(state_case_get(p->s, c.id, &p->a, &got, &must));
	assert_true(slice_eq(got.kind, c.kind));
	assert_true(slice_eq(got.id, c.id));
	assert_true(slice_eq(got.rev, c.rev));
	assert_true(slice_eq(got.body, c.body));
	assert_int_equal(got.attachments, 4);
	assert_int_equal(got.conflicts, 5);
	assert_int_equal(got.pending, 1);
	assert_int_equal(got.deleted, 0);
	assert_int_equal(state_case_get(p->s, SLICE("i"), &p->a, &got, &err), ERR_NOTFOUND);
	put_doc(p, "form", "f", NULL, NULL, NULL);
	assert_int_equal(state_case_get(p->s, SLICE("f"), &p->a, &got, &err), ERR_NOTFOUND);
	assert_non_null(strstr(err.msg, " f "));
}

static void test_state_case_touch__what_exists_is_pending_again(void **state)
{
	struct place *p = *state;
	put_case(p, "c1", "1-a", "{}");
	compared(p, "c1", NULL, "[1]", NULL, STATE_NOT_MISSING);
	compared(p, "sql only", NULL, "[1]", NULL, STATE_NOT_MISSING);
	for (int i = 0; i < 2; i++) {
		MUST(state_case_touch(p->s, SLICE("c1"), &must));
		MUST(state_case_touch(p->s, SLICE("sql only"), &must));
		MUST(state_case_touch(p->s, SLICE("unknown"), &must));
	}
	assert_pending(p, "c1@1-a");
	assert_int_equal(counts_of(p).pending, 1);
	assert_int_equal(counts_of(p).diffs, 2);
}

static void test_state_case_compared__sql_only_case_is_no_document(void **state)
{
	struct place *p = *state;
	compared(p, "s1", "{\"r\":3}", "[1]", NULL, STATE_NOT_MISSING);
	compared(p, "s2", NULL, NULL, NULL, STATE_NOT_MISSING);
	assert_kinds(p, "CommCareCase 0/1/0/0/0");
	assert_ignored(p, "r=3");
	compared(p, "s1", NULL, NULL, NULL, STATE_NOT_MISSING);
	assert_kinds(p, "");
	assert_int_equal(rows_in(p, "SELECT count(*) FROM doc"), 0);
}

static void test_state_case_compared__a_reject_is_not_missing(void **state)
{
	struct place *p = *state;
	put_case(p, "c1", "1-a", "{}");
	compared(p, "c1", NULL, NULL, NULL, STATE_MISSING);
	put_reject(p, "CommCareCase", "c1", "odd");
	assert_kinds(p, "CommCareCase 1/0/0/0/1");
	compared(p, "c1", NULL, "[1]", NULL, STATE_MISSING);
	assert_kinds(p, "CommCareCase 1/1/0/0/1");
	assert_int_equal(counts_of(p).missing, 0);
	put_case(p, "c1", "1-a", "{}");
	assert_kinds(p, "CommCareCase 1/1/0/0/0");
}

static void test_state_case_page__all_cases_in_byte_order(void **state)
{
	struct place *p = *state;
	static const struct slice ids[] = {SLICE("\0"),       SLICE("\0\0"),         SLICE("A"),
					   SLICE("a"),        SLICE("a\0b"),         SLICE("aa"),
					   SLICE("\xc3\xa9"), SLICE("\xef\xbf\xbf"), SLICE("\xf0\x90\x80\x80")};
	enum { N = sizeof(ids) / sizeof(ids[0]) };
	for (size_t i = 0; i < N; i++) {
		struct state_case c = {
		    .kind = SLICE("k"), .id = ids[i * 7 % N], .rev = SLICE("1-a"), .body = SLICE("{}")};
		MUST(state_case_put(p->s, &c, NULL, &must));
		char form[20];
		snprintf(form, sizeof(form), "a form %zu", i);
		put_doc(p, "form", form, NULL, NULL, NULL);
	}
	compared(p, "A", NULL, NULL, NULL, STATE_NOT_MISSING);
	for (int limit = 1; limit <= N + 1; limit++) {
		struct slice after = SLICE_NONE;
		struct state_cases page;
		size_t seen = 0;
		do {
			MUST(state_case_page(p->s, after, limit, &p->a, &page, &must));
			for (size_t i = 0; i < page.n; i++)
				assert_true(slice_eq(page.v[i].id, ids[seen++]));
			after = page.n ? page.v[page.n - 1].id : after;
		} while (page.n);
		assert_int_equal(seen, N);
	}
	struct state_cases pending;
	MUST(state_case_pending(p->s, SLICE("\0"), 100, &p->a, &pending, &must));
	assert_int_equal(pending.n, N - 2);
}

/* ---- marks ---- */

static void test_state_missing__put_and_del(void **state)
{
	struct place *p = *state;
	put_doc(p, "form", "f1", NULL, NULL, NULL);
	for (int i = 0; i < 2; i++) {
		MUST(state_missing_put(p->s, SLICE("form"), SLICE("f1"), &must));
		MUST(state_missing_put(p->s, SLICE("form"), SLICE("unseen"), &must));
	}
	assert_kinds(p, "form 2/0/2/0/0");
	assert_list(p, STATE_MISSING_DOCS, "form:f1= form:unseen=");
	assert_int_equal(counts_of(p).missing, 2);
	for (int i = 0; i < 2; i++) {
		MUST(state_missing_del(p->s, SLICE("f1"), &must));
		MUST(state_missing_del(p->s, SLICE("unseen"), &must));
	}
	assert_kinds(p, "form 1/0/0/0/0");
	assert_list(p, STATE_MISSING_DOCS, "");
	put_reject(p, "form", "r1", "odd");
	MUST(state_missing_put(p->s, SLICE("form"), SLICE("r1"), &must));
	assert_kinds(p, "form 2/0/0/0/1");
}

static void test_state_reject__whole_document_comes_back(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct state_reject got, r = {.id = SLICE("r\0"),
				      .kind = SLICE("form"),
				      .rev = SLICE("1-a"),
				      .reason = SLICE("depth"),
				      .body = SLICE("{\"a\":\0\xff"),
				      .offset = UINT64_C(1) << 40,
				      .length = 9,
				      .sha256 = SLICE("ab12")};
	MUST(state_reject_put(p->s, &r, &must));
	MUST(state_reject_put(p->s, &r, &must));
	reopen(p);
	MUST(state_reject_get(p->s, r.id, &p->a, &got, &must));
	assert_true(slice_eq(got.id, r.id) && slice_eq(got.kind, r.kind) && slice_eq(got.rev, r.rev));
	assert_true(slice_eq(got.reason, r.reason) && slice_eq(got.body, r.body) && slice_eq(got.sha256, r.sha256));
	assert_true(got.offset == r.offset && got.length == r.length);
	put_reject(p, "", "@7", "no id");
	MUST(state_reject_get(p->s, SLICE("@7"), &p->a, &got, &must));
	assert_null(got.body.ptr);
	assert_null(got.rev.ptr);
	assert_kinds(p, " 1/0/0/0/1 form 1/0/0/0/1");
	assert_int_equal(counts_of(p).rejects, 2);
	assert_int_equal(state_reject_get(p->s, SLICE("r"), &p->a, &got, &err), ERR_NOTFOUND);
	for (int i = 0; i < 2; i++)
		MUST(state_reject_del(p->s, r.id, &must));
	assert_kinds(p, " 1/0/0/0/1");
}

static void test_state_reject__document_that_was_stored_before_counts_once(void **state)
{
	struct place *p = *state;
	put_doc(p, "form", "f1", NULL, "[1]", NULL);
	put_reject(p, "form", "f1", "odd");
	assert_kinds(p, "form 1/1/0/0/1");
	MUST(state_reject_del(p->s, SLICE("f1"), &must));
	assert_kinds(p, "form 1/1/0/0/0");
	put_reject(p, "first", "r1", "odd");
	put_reject(p, "second", "r1", "odder");
	assert_kinds(p, "form 1/1/0/0/0 second 1/0/0/0/1");
	assert_list(p, STATE_REJECTS, "second:r1=odder");
}

static void test_state_skipped__remembers_the_domain(void **state)
{
	struct place *p = *state;
	struct slice domain;
	put_doc(p, "form", "d1", NULL, "[1]", NULL);
	MUST(state_skipped_put(p->s, SLICE("d1"), SLICE("other"), &must));
	MUST(state_skipped_put(p->s, SLICE("d2"), SLICE("other"), &must));
	MUST(state_skipped_put(p->s, SLICE("d2"), SLICE("third"), &must));
	assert_kinds(p, "");
	reopen(p);
	MUST(state_skipped_get(p->s, SLICE("d1"), &p->a, &domain, &must));
	assert_slice(domain, "other");
	MUST(state_skipped_get(p->s, SLICE("d2"), &p->a, &domain, &must));
	assert_slice(domain, "third");
	MUST(state_skipped_get(p->s, SLICE("d3"), &p->a, &domain, &must));
	assert_null(domain.ptr);
	put_case(p, "d1", "1-a", "{}");
	MUST(state_skipped_get(p->s, SLICE("d1"), &p->a, &domain, &must));
	assert_null(domain.ptr);
}

/* ---- reading back ---- */

/* An open statement is an open read transaction: the writer's -wal would grow for as long. */
static void assert_nothing_is_read(struct place *p)
{
	for (sqlite3_stmt *stmt = sqlite3_next_stmt(lite_handle(p->s->db), NULL); stmt;
	     stmt = sqlite3_next_stmt(lite_handle(p->s->db), stmt)) {
		if (sqlite3_stmt_busy(stmt))
			fail_msg("still open: %s", sqlite3_sql(stmt));
	}
}

static void test_state_read__leaves_no_transaction_open(void **state)
{
	struct place *p = *state;
	struct slice text;
	struct state_case c;
	struct state_item item;
	struct state_items items;
	struct state_reject r;
	put_case(p, "c1", "1-a", "{}");
	put_case(p, "c2", "1-a", "{}");
	assert_int_equal(put_case(p, "c1", "1-a", "{}"), 0);
	compared(p, "c1", "{\"r\":1}", "[1]", "[2]", STATE_MISSING);
	put_reject(p, "form", "r1", "odd");
	MUST(state_skipped_put(p->s, SLICE("x"), SLICE("other"), &must));
	MUST(state_value_put(p->s, "k", SLICE("v"), &must));
	assert_nothing_is_read(p);
	reopen(p);
	struct state *writer = p->s;
	MUST(state_open(&p->s, p->dir, SLICE("demo"), STATE_READ_ONLY, &must));
	assert_nothing_is_read(p);
	MUST(state_value_get(p->s, "k", &p->a, &text, &must));
	MUST(state_case_get(p->s, SLICE("c1"), &p->a, &c, &must));
	MUST(state_reject_get(p->s, SLICE("r1"), &p->a, &r, &must));
	MUST(state_skipped_get(p->s, SLICE("x"), &p->a, &text, &must));
	MUST(state_get(p->s, STATE_DIFFS, SLICE("c1"), &p->a, &item, &must));
	MUST(state_list(p->s, STATE_DIFFS, SLICE_NONE, SLICE_NONE, 1, &p->a, &items, &must));
	assert_pending(p, "c2@1-a");
	assert_kinds(p, "CommCareCase 2/1/1/1/0 form 1/0/0/0/1");
	assert_ignored(p, "r=1");
	counts_of(p);
	assert_nothing_is_read(p);
	state_close(writer);
}

static void test_state_list__kind_then_id_in_byte_order(void **state)
{
	struct place *p = *state;
	put_doc(p, "form", "b", NULL, "[1]", "[5]");
	put_doc(p, "form", "B", NULL, "[2]", NULL);
	put_doc(p, "Form", "c", NULL, "[3]", NULL);
	put_doc(p, "form", "\xc3\xa9", NULL, "[4]", "[6]");
	put_doc(p, "zoo", "a", NULL, "[7]", NULL);
	put_doc(p, "form", "nothing", NULL, NULL, NULL);
	assert_list(p, STATE_DIFFS, "Form:c=[3] form:B=[2] form:b=[1] form:\xc3\xa9=[4] zoo:a=[7]");
	assert_list(p, STATE_CHANGES, "form:b=[5] form:\xc3\xa9=[6]");
	assert_list(p, STATE_REJECTS, "");
	put_reject(p, "", "@1", "one");
	put_reject(p, "form", "x", "two");
	assert_list(p, STATE_REJECTS, ":@1=one form:x=two");
}

static void test_state_get__one_document(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct state_item item;
	put_doc(p, "form", "f1", NULL, "[1]", NULL);
	put_reject(p, "form", "r1", "odd");
	MUST(state_missing_put(p->s, SLICE("form"), SLICE("m1"), &must));
	MUST(state_get(p->s, STATE_DIFFS, SLICE("f1"), &p->a, &item, &must));
	assert_slice(item.kind, "form");
	assert_slice(item.id, "f1");
	assert_slice(item.json, "[1]");
	MUST(state_get(p->s, STATE_REJECTS, SLICE("r1"), &p->a, &item, &must));
	assert_slice(item.json, "odd");
	MUST(state_get(p->s, STATE_MISSING_DOCS, SLICE("m1"), &p->a, &item, &must));
	assert_null(item.json.ptr);
	assert_int_equal(state_get(p->s, STATE_CHANGES, SLICE("f1"), &p->a, &item, &err), ERR_NOTFOUND);
	assert_string_equal(err.msg, "document f1 has no changes");
	assert_int_equal(state_get(p->s, STATE_DIFFS, SLICE("unknown"), &p->a, &item, &err), ERR_NOTFOUND);
}

static void test_state_kinds__many_kinds_signatures_and_pages(void **state)
{
	struct place *p = *state;
	enum { N = 60000 };
	struct state_kinds kinds;
	struct state_tallies ignored;
	MUST(state_begin(p->s, &must));
	for (int i = 0; i < N; i++) {
		char kind[20], id[20], text[40];
		snprintf(kind, sizeof(kind), "kind %03d", i % 300);
		snprintf(id, sizeof(id), "%x-%d", i * 7919 % N, i);
		snprintf(text, sizeof(text), "{\"all\":%d,\"r%d\":1}", i % 10000 + 1, i % 3);
		put_doc(p, kind, id, text, NULL, NULL);
	}
	MUST(state_commit(p->s, &must));
	MUST(state_kinds(p->s, &p->a, &kinds, &must));
	assert_int_equal(kinds.n, 300);
	for (size_t i = 0; i < kinds.n; i++) {
		assert_int_equal(kinds.v[i].docs, N / 300);
		if (i)
			assert_true(slice_cmp(kinds.v[i - 1].kind, kinds.v[i].kind) < 0);
	}
	MUST(state_ignored(p->s, &p->a, &ignored, &must));
	assert_int_equal(ignored.n, 4);
	assert_slice(ignored.v[0].rule, "all");
	assert_true(ignored.v[0].count == INT64_C(6) * 10000 * 10001 / 2);
	for (size_t i = 1; i < 4; i++)
		assert_int_equal(ignored.v[i].count, N / 3);
}

static void test_state_ignored__unreadable_tally_is_told(void **state)
{
	struct place *p = *state;
	static const char *const bad[] = {"[1]", "{\"a\":", "{\"a\":\"1\"}", "{\"a\":1.5}"};
	for (size_t i = 0; i < 4; i++) {
		struct err err = ERR_INIT;
		struct state_tallies ignored;
		put_doc(p, "form", "f1", bad[i], NULL, NULL);
		assert_int_equal(state_ignored(p->s, &p->a, &ignored, &err), ERR_STATE);
		assert_non_null(strstr(err.msg, "unreadable tally"));
	}
}

#define AT_PLACE(f) cmocka_unit_test_setup_teardown(f, make_place, remove_place)
#define WITH_STATE(f) cmocka_unit_test_setup_teardown(f, make_state, remove_place)

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
	    WITH_STATE(test_state_doc_put__twice_is_once),
	    WITH_STATE(test_state_doc_put__replaces_what_was_known),
	    WITH_STATE(test_state_doc_put__sums_attachments_and_conflicts),
	    WITH_STATE(test_state_doc_put__ends_reject_missing_and_spool_copy),
	    WITH_STATE(test_state_doc_put__skipped_id_of_an_earlier_run_ends),
	    WITH_STATE(test_state_doc_put__id_skipped_earlier_in_the_batch),
	    WITH_STATE(test_state_doc_forget__leaves_nothing),
	    WITH_STATE(test_state_case_put__same_revision_is_pending_until_compared),
	    WITH_STATE(test_state_case_put__same_revision_may_have_other_conflicts),
	    WITH_STATE(test_state_case_put__diffs_stay_until_compared),
	    WITH_STATE(test_state_case_put__plain_document_becomes_a_case),
	    WITH_STATE(test_state_case_put__tombstone_is_no_document),
	    WITH_STATE(test_state_case_get__everything_comes_back),
	    WITH_STATE(test_state_case_touch__what_exists_is_pending_again),
	    WITH_STATE(test_state_case_compared__sql_only_case_is_no_document),
	    WITH_STATE(test_state_case_compared__a_reject_is_not_missing),
	    WITH_STATE(test_state_case_page__all_cases_in_byte_order),
	    WITH_STATE(test_state_missing__put_and_del),
	    WITH_STATE(test_state_reject__whole_document_comes_back),
	    WITH_STATE(test_state_reject__document_that_was_stored_before_counts_once),
	    WITH_STATE(test_state_skipped__remembers_the_domain),
	    WITH_STATE(test_state_read__leaves_no_transaction_open),
	    WITH_STATE(test_state_list__kind_then_id_in_byte_order),
	    WITH_STATE(test_state_get__one_document),
	    WITH_STATE(test_state_kinds__many_kinds_signatures_and_pages),
	    WITH_STATE(test_state_ignored__unreadable_tally_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
