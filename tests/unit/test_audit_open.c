/* Opening the audit trail and writing to it beside others: rights, locks, what killed writers leave. */
#include "config.h"

#include "tests/unit/audit_place.h"

#include "base/clock.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_audit__a_second_writer_waits(void **state)
{
	struct fixture *f = *state;
	struct audit *t = trail_open(f, "demo", 0);
	char id[AUDIT_ID_SIZE];
	int ready[2];
	char c;
	assert_int_equal(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		struct audit *other = trail_open(f, "other", 0);
		trail_begin(other);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		clock_sleep_ms(200);
		trail_commit(other, "start", 0, id);
		audit_close(other);
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	trail_begin(t);
	struct audit *other = trail_open(f, "other", AUDIT_READ_ONLY);
	audit_close(other);
	trail_commit(t, "start", 0, id);
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
	struct audit *t = trail_open(f, "demo", 0);
	char id[AUDIT_ID_SIZE];
	trail_begin(t);
	trail_commit(t, "start", 0, id);
	assert_int_equal(shell(f, "touch @/audit.git/refs/heads/demo.lock"), 0);
	trail_begin(t);
	trail_commit(t, "end", 0, id);
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
	t = trail_open(f, "d", 0);
	trail_begin(t);
	trail_put(t, "x", SLICE("1"));
	trail_commit(t, "start", 0, id);
	audit_close(t);
}

/* A directory cannot be unlinked nor opened as a lock. */
static void test_audit__what_stands_in_the_way_is_named(void **state)
{
	static const struct {
		const char *directory, *failure;
	} cases[] = {
	    {"audit.git/settle.lock", "cannot open "},
	    {"audit.git/HEAD.lock", "cannot remove "},
	    {"audit.git/config.lock", "cannot remove "},
	};
	struct fixture *f = *state;
	struct slice made = arena_printf(&f->a, "%s/audit.git", f->dir);

	assert_int_equal(mkdir(made.ptr, 0700), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice path = arena_printf(&f->a, "%s/%s", f->dir, cases[i].directory);
		struct audit *t = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(mkdir(path.ptr, 0700), 0);
		assert_int_equal(audit_open(&t, f->dir, SLICE("demo"), 0, &err), ERR_STATE);
		assert_null(t);
		if (!strstr(err.msg, cases[i].failure) || !strstr(err.msg, path.ptr))
			fail_msg("'%s' does not tell '%s%s'", err.msg, cases[i].failure, path.ptr);
		assert_int_equal(rmdir(path.ptr), 0);
	}
	audit_close(trail_open(f, "demo", 0));
}

static void test_audit__a_lock_of_the_branch_that_stays_is_named(void **state)
{
	struct fixture *f = *state;
	struct audit *t = trail_open(f, "demo", 0);
	struct err err = ERR_INIT;
	char id[AUDIT_ID_SIZE];

	assert_int_equal(shell(f, "mkdir @/audit.git/refs/heads/demo.lock"), 0);
	assert_int_equal(audit_begin(t, &err), ERR_STATE);
	assert_non_null(strstr(err.msg, "cannot remove "));
	assert_non_null(strstr(err.msg, "refs/heads/demo.lock"));
	assert_int_equal(shell(f, "rmdir @/audit.git/refs/heads/demo.lock"), 0);
	trail_begin(t);
	trail_commit(t, "start", 0, id);
	audit_close(t);
}

/* How many descriptors, of 3 and up, a program that is started would have too. */
static int inherited(void)
{
	int n = 0;
	for (int fd = 3; fd < 1024; fd++) {
		int flags = fcntl(fd, F_GETFD);
		n += flags >= 0 && !(flags & FD_CLOEXEC);
	}
	return n;
}

static void test_audit__a_program_that_is_started_has_nothing_of_it(void **state)
{
	struct fixture *f = *state;
	int before = inherited();
	struct audit *t = trail_open(f, "demo", 0);
	trail_begin(t);
	trail_put(t, "a", SLICE("1"));
	assert_int_equal(inherited(), before);
	audit_close(t);
}

static void test_audit__only_its_owner_may_look(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	char path[128];
	audit_close(trail_open(f, "demo", 0));
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
	audit_close(trail_open(f, "demo", 0));
	assert_int_equal(audit_open(&t, f->dir, SLICE("demo"), AUDIT_READ_ONLY, &err), ERR_NOTFOUND);
	assert_int_equal(shell(f, "rm -rf @/audit.git && touch @/audit.git"), 0);
	assert_int_not_equal(audit_open(&t, f->dir, SLICE("demo"), 0, &err), 0);
	assert_null(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    FIXTURE_TEST(test_audit__a_second_writer_waits),
	    FIXTURE_TEST(test_audit__a_killed_writers_lock_of_the_branch_is_no_obstacle),
	    FIXTURE_TEST(test_audit__a_repository_half_made_by_a_killed_writer_is_made),
	    FIXTURE_TEST(test_audit__what_stands_in_the_way_is_named),
	    FIXTURE_TEST(test_audit__a_lock_of_the_branch_that_stays_is_named),
	    FIXTURE_TEST(test_audit__a_program_that_is_started_has_nothing_of_it),
	    FIXTURE_TEST(test_audit__only_its_owner_may_look),
	    FIXTURE_TEST(test_audit__nothing_there_and_nothing_usable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
