/* One writer a domain, and a writer that lost its lock cannot commit. */
#include "config.h"

#include "tests/unit/sql_place.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void put(struct sql_target *t, const char *id, struct arena *a)
{
	struct sql_row row = document_row(id, "{}", a);
	enum sql_outcome outcome;

	MUST(sql_put(t, &sql_documents, &row, 1, &outcome, a, NULL, err));
}

static int64_t documents(struct place *p)
{
	return place_count(p, "SELECT count(*) FROM documents");
}

static void test_sql_domain_lock__second_writer_is_told_who_holds_it(void **state)
{
	struct place *p = *state;
	struct sql_target *first = place_open(p, SQL_CREATE), *second = place_open(p, SQL_CREATE);
	struct err e = ERR_INIT;
	int64_t epoch = 0, later = 0;
	char pid[40];

	MUST(sql_domain_lock(first, SLICE("it's \"d\""), &epoch, err));
	assert_int_equal(epoch, 1);
	assert_int_equal(sql_domain_lock(second, SLICE("it's \"d\""), &later, &e), ERR_BUSY);
	snprintf(pid, sizeof(pid), " pid %ld since 2", (long)getpid());
	assert_non_null(strstr(e.msg, pid));
	assert_non_null(strstr(e.msg, "it's \"d\""));
	sql_close(first);
	MUST(sql_domain_lock(second, SLICE("it's \"d\""), &later, err));
	assert_int_equal(later, 2);
	sql_close(second);
}

static void test_sql_domain_lock__goes_back_when_the_epoch_cannot_be_raised(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct err e = ERR_INIT;
	int64_t epoch;

	place_exec(p, p->is_pg
			  ? "ALTER TABLE settle_migration ADD CHECK (epoch > 1)"
			  : "CREATE TRIGGER no BEFORE INSERT ON settle_migration BEGIN SELECT raise(ABORT, 'no'); END");
	assert_int_equal(sql_domain_lock(t, SLICE("d"), &epoch, &e), ERR_TARGET);
	/* Somebody else is not told that it is held. */
	struct sql_target *other = place_open(p, 0);
	assert_int_equal(sql_domain_lock(other, SLICE("d"), &epoch, &e), ERR_TARGET);
	sql_close(other);
	sql_close(t);
}

static void test_sql_domain_lock__one_domain_a_connection(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct err e = ERR_INIT;
	int64_t epoch;

	MUST(sql_domain_lock(t, SLICE("d"), &epoch, err));
	assert_int_equal(sql_domain_lock(t, SLICE("e"), &epoch, &e), ERR_INTERNAL);
	assert_int_equal(sql_domain_join(t, SLICE("e"), 1, &e), ERR_INTERNAL);
	sql_close(t);
}

static void test_sql_domain_lock__other_domains(void **state)
{
	struct place *p = *state;
	struct sql_target *one = place_open(p, SQL_CREATE), *two = place_open(p, SQL_CREATE);
	struct err e = ERR_INIT;
	int64_t epoch;

	MUST(sql_domain_lock(one, SLICE("d"), &epoch, err));
	/* A SQLite file has one writer, whatever the domain. */
	assert_int_equal(sql_domain_lock(two, SLICE("e"), &epoch, &e), p->is_pg ? 0 : ERR_BUSY);
	sql_close(two);
	sql_close(one);
}

static void test_sql_commit__a_lost_lock_commits_nothing(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_rows rows;
	struct err e = ERR_INIT;
	int64_t epoch;

	MUST(sql_domain_lock(t, SLICE("d"), &epoch, err));
	MUST(sql_begin(t, err));
	put(t, "kept", &p->memory);
	MUST(sql_commit(t, err));
	place_exec(p, "UPDATE settle_migration SET epoch = epoch + 1"); /* what another process does on taking over */
	MUST(sql_begin(t, err));
	put(t, "lost", &p->memory);
	assert_int_equal(sql_commit(t, &e), ERR_STATE);
	assert_non_null(strstr(e.msg, "took over domain d"));
	sql_rollback(t);
	assert_int_equal(documents(p), 1);
	/* Reading needs no lock. */
	MUST(sql_begin(t, err));
	MUST(sql_page(t, &sql_documents, SLICE("d"), DOC_ID, SLICE_NONE, 10, 0, &p->memory, &rows, err));
	MUST(sql_commit(t, err));
	place_exec(p, "DELETE FROM settle_migration");
	MUST(sql_begin(t, err));
	put(t, "lost", &p->memory);
	assert_int_equal(sql_commit(t, &e), ERR_STATE);
	sql_close(t);
	assert_int_equal(documents(p), 1);
}

static void test_sql_domain_join__shares_the_epoch(void **state)
{
	struct place *p = *state;
	struct sql_target *holder = place_open(p, SQL_CREATE), *worker = place_open(p, 0), *stale = place_open(p, 0);
	struct err e = ERR_INIT;
	int64_t epoch;

	MUST(sql_domain_lock(holder, SLICE("d"), &epoch, err));
	MUST(sql_domain_join(worker, SLICE("d"), epoch, err));
	MUST(sql_domain_join(stale, SLICE("d"), epoch - 1, err));
	MUST(sql_begin(worker, err));
	put(worker, "a", &p->memory);
	MUST(sql_commit(worker, err));
	MUST(sql_begin(stale, err));
	put(stale, "b", &p->memory);
	assert_int_equal(sql_commit(stale, &e), ERR_STATE);
	sql_close(stale);
	sql_close(worker);
	sql_close(holder);
	assert_int_equal(documents(p), 1);
}

static void test_sql_domain_lock__goes_with_a_killed_process(void **state)
{
	struct place *p = *state;
	int ready[2], status;
	struct sql_target *t;
	int64_t epoch = 0;
	char byte;

	sql_close(place_open(p, SQL_CREATE));
	assert_int_equal(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		struct err e = ERR_INIT;
		int rc = place_try(p, 0, &t, &e) || sql_domain_lock(t, SLICE("d"), &epoch, &e);
		(void)!write(ready[1], rc ? "n" : "y", 1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(byte, 'y');
	t = place_open(p, 0);
	struct err e = ERR_INIT;
	assert_int_equal(sql_domain_lock(t, SLICE("d"), &epoch, &e), ERR_BUSY);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	/* The server notices a moment later. */
	while (sql_domain_lock(t, SLICE("d"), &epoch, &e) == ERR_BUSY)
		usleep(10000);
	assert_int_equal(epoch, 2);
	sql_close(t);
	close(ready[0]);
	close(ready[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PLACE_TEST(test_sql_domain_lock__second_writer_is_told_who_holds_it),
	    PLACE_TEST(test_sql_domain_lock__goes_back_when_the_epoch_cannot_be_raised),
	    PLACE_TEST(test_sql_domain_lock__one_domain_a_connection),
	    PLACE_TEST(test_sql_domain_lock__other_domains),
	    PLACE_TEST(test_sql_commit__a_lost_lock_commits_nothing),
	    PLACE_TEST(test_sql_domain_join__shares_the_epoch),
	    PLACE_TEST(test_sql_domain_lock__goes_with_a_killed_process),
	};

	return run_at_each_place("sql_lock", tests, sizeof(tests) / sizeof(tests[0]));
}
