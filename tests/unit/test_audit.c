/* The audit trail: events, packs, order of trees, damage, and what stock git says to it. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "audit/audit.h"
#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct fixture {
	char dir[64];
	struct arena a;
};

static struct audit *open_trail(const struct fixture *f, const char *domain, unsigned flags)
{
	struct audit *t = NULL;
	struct err err = ERR_INIT;
	if (audit_open(&t, f->dir, slice_of(domain), flags, &err))
		fail_msg("%s", err.msg);
	return t;
}

static void begin(struct audit *t)
{
	struct err err = ERR_INIT;
	if (audit_begin(t, &err))
		fail_msg("%s", err.msg);
}

static void put(struct audit *t, const char *path, struct slice bytes)
{
	struct err err = ERR_INIT;
	if (audit_put(t, slice_of(path), bytes, &err))
		fail_msg("%s", err.msg);
}

static void commit_with(struct audit *t, const char *event, unsigned flags, char id[AUDIT_ID_SIZE])
{
	static const struct audit_trailer trailers[] = {{"Status", {"live\nor not", 11}}, {"None", {NULL, 0}}};
	struct err err = ERR_INIT;
	struct audit_event e = {.event = event,
				.subject = SLICE("what\nhappened"),
				.text = SLICE("two\nlines"),
				.trailers = trailers,
				.n_trailers = 2,
				.time_us = 1700000000000000,
				.flags = flags};
	if (audit_commit(t, &e, id, &err))
		fail_msg("%s", err.msg);
}

static const char *read_back(struct audit *t, const char *path, struct arena *a)
{
	struct err err = ERR_INIT;
	struct slice bytes;
	int rc = audit_read(t, slice_of(path), a, &bytes, &err);
	if (rc == ERR_NOTFOUND)
		return NULL;
	if (rc)
		fail_msg("%s", err.msg);
	return arena_str(a, bytes);
}

/* A shell command with %s for the state directory. */
static int shell(const struct fixture *f, const char *fmt)
{
	struct buf b = BUF_INIT(4096);
	int rc;
	for (const char *c = fmt; *c; c++) {
		if (*c == '@')
			buf_str(&b, f->dir);
		else
			buf_ch(&b, *c);
	}
	rc = system(b.ptr);
	buf_release(&b);
	return WIFEXITED(rc) ? WEXITSTATUS(rc) : -1;
}

static void assert_sound(const struct fixture *f)
{
	assert_int_equal(
	    shell(f, "git -C @/audit.git fsck --strict --no-dangling >@/fsck 2>&1 || { cat @/fsck; exit 1; }; "
		     "! grep -v '^notice' @/fsck"),
	    0);
}

struct seen {
	int n;
	char first[AUDIT_ID_SIZE], last[AUDIT_ID_SIZE];
	char event[32];
};

static int see(void *ctx, const struct audit_entry *e, struct err *err)
{
	struct seen *s = ctx;
	(void)err;
	if (s->n++ == 0)
		memcpy(s->first, e->id, sizeof(s->first));
	memcpy(s->last, e->id, sizeof(s->last));
	snprintf(s->event, sizeof(s->event), "%.*s", SLICE_ARG(e->event));
	assert_true(slice_is(e->subject, "what happened"));
	assert_true(slice_is(e->status, "live or not"));
	assert_null(audit_trailer_get(e->message, "None").ptr);
	return 0;
}

static void test_audit__events_are_read_back(void **state)
{
	struct fixture *f = *state;
	struct audit *t = open_trail(f, "demo", 0);
	char one[AUDIT_ID_SIZE], two[AUDIT_ID_SIZE], head[AUDIT_ID_SIZE];
	struct seen seen = {0};
	struct audit_entry found;
	struct err err = ERR_INIT;
	assert_int_equal(audit_head(t, head, &err), 0);
	assert_string_equal(head, "");
	begin(t);
	put(t, "a/b.txt", SLICE("1"));
	put(t, "a.x", SLICE("2"));
	put(t, "a0/c", SLICE(""));
	put(t, "a/b.txt", SLICE("1 again"));
	commit_with(t, "start", 0, one);
	begin(t);
	put(t, "a/d", SLICE("3"));
	assert_int_equal(audit_remove(t, SLICE("a0/c"), &err), 0);
	assert_int_equal(audit_remove(t, SLICE("none/there"), &err), 0);
	commit_with(t, "end", 0, two);
	assert_string_equal(read_back(t, "a/b.txt", &f->a), "1 again");
	assert_string_equal(read_back(t, "a/d", &f->a), "3");
	assert_string_equal(read_back(t, "a.x", &f->a), "2");
	assert_null(read_back(t, "a0/c", &f->a));
	assert_null(read_back(t, "", &f->a));
	audit_close(t);
	t = open_trail(f, "demo", AUDIT_READ_ONLY);
	assert_int_equal(audit_head(t, head, &err), 0);
	assert_string_equal(head, two);
	assert_int_equal(audit_walk(t, see, &seen, &err), 0);
	assert_int_equal(seen.n, 2);
	assert_string_equal(seen.first, two);
	assert_string_equal(seen.last, one);
	assert_string_equal(seen.event, "start");
	assert_int_equal(audit_find(t, (struct slice){one, 10}, &f->a, &found, &err), 0);
	assert_string_equal(found.id, one);
	assert_int_equal(audit_find(t, SLICE("zzzz"), &f->a, &found, &err), ERR_NOTFOUND);
	assert_int_equal(audit_find(t, SLICE(""), &f->a, &found, &err), ERR_NOTFOUND);
	audit_close(t);
	assert_sound(f);
}

static void test_audit__a_cleared_tree_holds_only_the_new(void **state)
{
	struct fixture *f = *state;
	struct audit *t = open_trail(f, "demo", 0);
	char id[AUDIT_ID_SIZE];
	begin(t);
	put(t, "old", SLICE("1"));
	commit_with(t, "start", 0, id);
	begin(t);
	put(t, "new", SLICE("2"));
	commit_with(t, "reset", AUDIT_CLEAR, id);
	assert_null(read_back(t, "old", &f->a));
	assert_string_equal(read_back(t, "new", &f->a), "2");
	begin(t);
	commit_with(t, "reset", AUDIT_CLEAR, id);
	assert_null(read_back(t, "new", &f->a));
	audit_close(t);
	assert_sound(f);
}

static void test_audit__an_event_can_go_back_to_what_was_in_force(void **state)
{
	struct fixture *f = *state;
	struct audit *t = open_trail(f, "demo", 0);
	char then[AUDIT_ID_SIZE], id[AUDIT_ID_SIZE];
	struct err err = ERR_INIT;
	begin(t);
	put(t, "old", SLICE("1"));
	commit_with(t, "start", 0, then);
	begin(t);
	put(t, "old", SLICE("2"));
	put(t, "new", SLICE("2"));
	commit_with(t, "patch", 0, id);
	begin(t);
	struct audit_event e = {.event = "restore", .subject = SLICE("back"), .back_to = then};
	assert_int_equal(audit_commit(t, &e, id, &err), 0);
	assert_string_equal(read_back(t, "old", &f->a), "1");
	assert_null(read_back(t, "new", &f->a));
	begin(t);
	e.back_to = "0123456789012345678901234567890123456789";
	assert_int_equal(audit_commit(t, &e, id, &err), ERR_STATE);
	audit_close(t);
	assert_sound(f);
}

static void test_audit__domains_have_branches_of_their_own(void **state)
{
	static const char *const domains[] = {"demo", "-x", "..", "a..b", "x.lock", "a/b \xc3\xa9", "@", "HEAD"};
	struct fixture *f = *state;
	char id[AUDIT_ID_SIZE];
	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
		struct audit *t = open_trail(f, domains[i], 0);
		begin(t);
		put(t, "domain", slice_of(domains[i]));
		commit_with(t, "start", 0, id);
		audit_close(t);
	}
	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
		struct audit *t = open_trail(f, domains[i], AUDIT_READ_ONLY);
		assert_string_equal(read_back(t, "domain", &f->a), domains[i]);
		audit_close(t);
	}
	assert_sound(f);
	assert_int_equal(
	    shell(f, "git clone -q @/audit.git @/clone 2>/dev/null && test \"$(cat @/clone/domain)\" = demo"), 0);
	assert_int_equal(shell(f, "test \"$(git -C @/clone branch -r | grep -vc HEAD)\" -ge 7"), 0);
}

static struct audit_cursor *open_cursor(struct audit *t, const char *prefix)
{
	struct audit_cursor *c = NULL;
	struct err err = ERR_INIT;
	if (audit_cursor_open(&c, t, slice_of(prefix), &err))
		fail_msg("%s", err.msg);
	return c;
}

static int next_file(struct audit_cursor *c, struct audit_file *out)
{
	struct err err = ERR_INIT;
	int more;
	if (audit_cursor_next(c, out, &more, &err))
		fail_msg("%s", err.msg);
	return more;
}

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
		put(t, path.ptr, slice_of(id));
	}
	buf_release(&path);
}

static void test_audit__many_files_go_out_as_packs(void **state)
{
	struct fixture *f = *state;
	struct audit *t = open_trail(f, "demo", 0);
	struct err err = ERR_INIT;
	char id[AUDIT_ID_SIZE];
	begin(t);
	put_numbered(t, 0, 30000);
	put(t, "patches/beside", SLICE("x"));
	commit_with(t, "patch", 0, id);
	begin(t);
	put_numbered(t, 20000, 40000);
	assert_int_equal(audit_remove(t, SLICE("patches/beside"), &err), 0);
	commit_with(t, "patch", 0, id);
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
	struct audit *t = open_trail(f, "demo", 0);
	struct err err = ERR_INIT;
	begin(t);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_int_equal(audit_put(t, slice_of(paths[i]), SLICE("x"), &err), ERR_INTERNAL);
	audit_close(t);
}

static void damage(const struct fixture *f, const char *path)
{
	struct buf b = BUF_INIT(1000);
	buf_fmt(&b,
		"cd @/audit.git && bad=$(git rev-parse %s) && good=$(git rev-parse demo:a/good) && "
		"chmod u+w objects/*/* && cp objects/$(echo $good | sed 's,..,&/,') "
		"objects/$(echo $bad | sed 's,..,&/,')",
		path);
	assert_int_equal(shell(f, b.ptr), 0);
	buf_release(&b);
}

static int note_damage(void *ctx, const char *commit, struct slice path, struct slice why, struct err *err)
{
	(void)err;
	assert_non_null(why.ptr);
	buf_fmt(ctx, "%.4s %.*s\n", commit, SLICE_ARG(path));
	return 0;
}

static void test_audit__a_damaged_file_is_told_by_name(void **state)
{
	struct fixture *f = *state;
	struct audit *t = open_trail(f, "demo", 0);
	struct audit_cursor *c;
	struct audit_file file;
	char id[AUDIT_ID_SIZE];
	begin(t);
	put(t, "a/good", SLICE("good"));
	put(t, "a/bad", SLICE("bad"));
	commit_with(t, "start", 0, id);
	audit_close(t);
	damage(f, "demo:a/bad");
	t = open_trail(f, "demo", AUDIT_READ_ONLY);
	c = open_cursor(t, "");
	assert_true(next_file(c, &file));
	assert_true(slice_is(file.path, "a/bad"));
	assert_non_null(file.why.ptr);
	assert_null(file.bytes.ptr);
	assert_true(next_file(c, &file));
	assert_true(slice_is(file.path, "a/good"));
	assert_true(slice_is(file.bytes, "good"));
	assert_false(next_file(c, &file));
	audit_cursor_close(c);
	audit_close(t);
}

static void test_audit__a_damaged_directory_is_told_by_name(void **state)
{
	struct fixture *f = *state;
	struct audit *t = open_trail(f, "demo", 0);
	struct audit_cursor *c;
	struct audit_file file;
	char id[AUDIT_ID_SIZE];
	begin(t);
	put(t, "a/good", SLICE("good"));
	put(t, "b/file", SLICE("bad"));
	commit_with(t, "start", 0, id);
	audit_close(t);
	damage(f, "demo:b");
	t = open_trail(f, "demo", AUDIT_READ_ONLY);
	c = open_cursor(t, "b");
	assert_true(next_file(c, &file));
	assert_true(slice_is(file.path, "b"));
	assert_non_null(file.why.ptr);
	assert_false(next_file(c, &file));
	audit_cursor_close(c);
	audit_close(t);
}

static void test_audit__damage_in_what_is_no_longer_in_force_is_told_with_its_commit(void **state)
{
	struct fixture *f = *state;
	struct audit *t = open_trail(f, "demo", 0);
	char one[AUDIT_ID_SIZE], two[AUDIT_ID_SIZE], three[AUDIT_ID_SIZE];
	struct buf told = BUF_INIT(1000), wanted = BUF_INIT(1000);
	struct err err = ERR_INIT;
	begin(t);
	put(t, "a/changed", SLICE("1"));
	put(t, "a/good", SLICE("good"));
	put(t, "b/c/gone", SLICE("2"));
	commit_with(t, "start", 0, one);
	begin(t);
	put(t, "a/changed", SLICE("3"));
	assert_int_equal(audit_remove(t, SLICE("b/c/gone"), &err), 0);
	commit_with(t, "end", 0, two);
	begin(t);
	put(t, "a/changed", SLICE("4"));
	commit_with(t, "end", 0, three);
	assert_int_equal(audit_history(t, note_damage, &told, &err), 0);
	assert_int_equal(told.len, 0);
	audit_close(t);
	damage(f, "demo~1:a/changed");
	damage(f, "demo~2:b/c/gone");
	t = open_trail(f, "demo", AUDIT_READ_ONLY);
	assert_int_equal(audit_history(t, note_damage, &told, &err), 0);
	buf_fmt(&wanted, "%.4s a/changed\n%.4s b/c/gone\n", two, one);
	assert_string_equal(told.ptr, wanted.ptr);
	audit_close(t);
	buf_clear(&told);
	buf_clear(&wanted);
	damage(f, "demo~2:b");
	t = open_trail(f, "demo", AUDIT_READ_ONLY);
	assert_int_equal(audit_history(t, note_damage, &told, &err), 0);
	buf_fmt(&wanted, "%.4s a/changed\n%.4s b\n", two, one);
	assert_string_equal(told.ptr, wanted.ptr);
	buf_release(&told);
	buf_release(&wanted);
	audit_close(t);
}

static int note_change(void *ctx, struct slice path, struct slice how, struct err *err)
{
	(void)err;
	buf_fmt(ctx, "%.*s %.*s\n", SLICE_ARG(how), SLICE_ARG(path));
	return 0;
}

static void test_audit__changes_of_a_commit(void **state)
{
	struct fixture *f = *state;
	struct audit *t = open_trail(f, "demo", 0);
	struct buf told = BUF_INIT(1000);
	struct err err = ERR_INIT;
	char id[AUDIT_ID_SIZE];
	begin(t);
	put(t, "a", SLICE("1"));
	put(t, "b", SLICE("1"));
	commit_with(t, "start", 0, id);
	assert_int_equal(audit_changes(t, id, note_change, &told, &err), 0);
	assert_true(slice_is(buf_slice(&told), "added a\nadded b\n"));
	buf_clear(&told);
	begin(t);
	put(t, "a", SLICE("2"));
	put(t, "c", SLICE("3"));
	assert_int_equal(audit_remove(t, SLICE("b"), &err), 0);
	commit_with(t, "end", 0, id);
	assert_int_equal(audit_changes(t, id, note_change, &told, &err), 0);
	assert_true(slice_is(buf_slice(&told), "changed a\nremoved b\nadded c\n"));
	assert_int_equal(audit_changes(t, "zz", note_change, &told, &err), ERR_NOTFOUND);
	buf_release(&told);
	audit_close(t);
}

static void test_audit__a_second_writer_waits(void **state)
{
	struct fixture *f = *state;
	struct audit *t = open_trail(f, "demo", 0);
	char id[AUDIT_ID_SIZE];
	int ready[2];
	char c;
	assert_int_equal(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		struct audit *other = open_trail(f, "other", 0);
		begin(other);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		clock_sleep_ms(200);
		commit_with(other, "start", 0, id);
		audit_close(other);
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	begin(t);
	struct audit *other = open_trail(f, "other", AUDIT_READ_ONLY);
	audit_close(other);
	commit_with(t, "start", 0, id);
	audit_close(t);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	close(ready[0]);
	close(ready[1]);
}

static void test_audit__a_killed_writers_lock_of_the_branch_is_no_obstacle(void **state)
{
	struct fixture *f = *state;
	struct audit *t = open_trail(f, "demo", 0);
	char id[AUDIT_ID_SIZE];
	begin(t);
	commit_with(t, "start", 0, id);
	assert_int_equal(shell(f, "touch @/audit.git/refs/heads/demo.lock"), 0);
	begin(t);
	commit_with(t, "end", 0, id);
	audit_close(t);
	assert_sound(f);
}

static void test_audit__a_repository_half_made_by_a_killed_writer_is_made(void **state)
{
	static const char *const left[] = {"audit.git/HEAD.lock", "audit.git/config.lock"};
	struct fixture *f = *state;
	struct slice path = arena_printf(&f->a, "%s/audit.git", f->dir);
	char id[AUDIT_ID_SIZE];
	struct audit *t;

	assert_int_equal(mkdir(path.ptr, 0700), 0);
	for (size_t i = 0; i < 2; i++) {
		FILE *file;

		path = arena_printf(&f->a, "%s/%s", f->dir, left[i]);
		file = fopen(path.ptr, "w");
		assert_non_null(file);
		(void)fclose(file);
	}
	t = open_trail(f, "d", 0);
	begin(t);
	put(t, "x", SLICE("1"));
	commit_with(t, "start", 0, id);
	audit_close(t);
}

static void test_audit__only_its_owner_may_look(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	char path[128];
	audit_close(open_trail(f, "demo", 0));
	snprintf(path, sizeof(path), "%s/audit.git", f->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

static void test_audit__nothing_there_and_nothing_usable(void **state)
{
	struct fixture *f = *state;
	struct audit *t = NULL;
	struct err err = ERR_INIT;
	assert_int_equal(audit_open(&t, f->dir, SLICE("demo"), AUDIT_READ_ONLY, &err), ERR_NOTFOUND);
	audit_close(open_trail(f, "demo", 0));
	assert_int_equal(audit_open(&t, f->dir, SLICE("demo"), AUDIT_READ_ONLY, &err), ERR_NOTFOUND);
	assert_int_equal(shell(f, "rm -rf @/audit.git && touch @/audit.git"), 0);
	assert_int_not_equal(audit_open(&t, f->dir, SLICE("demo"), 0, &err), 0);
	assert_null(t);
}

static void test_audit__an_event_given_up_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct audit *t = open_trail(f, "demo", 0);
	struct err err = ERR_INIT;
	char head[AUDIT_ID_SIZE];
	begin(t);
	assert_int_equal(audit_begin(t, &err), ERR_INTERNAL);
	put(t, "a", SLICE("1"));
	audit_rollback(t);
	assert_int_equal(audit_head(t, head, &err), 0);
	assert_string_equal(head, "");
	struct audit_event e = {.event = "x"};
	assert_int_equal(audit_commit(t, &e, head, &err), ERR_INTERNAL);
	audit_close(t);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	*state = f;
	if (!f)
		return -1;
	snprintf(f->dir, sizeof(f->dir), "/tmp/settle-audit-XXXXXX");
	return mkdtemp(f->dir) ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int rc = shell(f, "rm -rf @");
	arena_release(&f->a);
	free(f);
	return rc;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_audit__events_are_read_back),
	    TEST(test_audit__a_cleared_tree_holds_only_the_new),
	    TEST(test_audit__an_event_can_go_back_to_what_was_in_force),
	    TEST(test_audit__domains_have_branches_of_their_own),
	    TEST(test_audit__many_files_go_out_as_packs),
	    TEST(test_audit__paths_of_ids_go_there_and_back),
	    TEST(test_audit__what_is_no_path_is_refused),
	    TEST(test_audit__a_damaged_file_is_told_by_name),
	    TEST(test_audit__a_damaged_directory_is_told_by_name),
	    TEST(test_audit__damage_in_what_is_no_longer_in_force_is_told_with_its_commit),
	    TEST(test_audit__changes_of_a_commit),
	    TEST(test_audit__a_second_writer_waits),
	    TEST(test_audit__a_killed_writers_lock_of_the_branch_is_no_obstacle),
	    TEST(test_audit__a_repository_half_made_by_a_killed_writer_is_made),
	    TEST(test_audit__only_its_owner_may_look),
	    TEST(test_audit__nothing_there_and_nothing_usable),
	    TEST(test_audit__an_event_given_up_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
