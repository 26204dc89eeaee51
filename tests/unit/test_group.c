/* group: when batches that share a transaction are on the disk, in the target and in the state file, and when they are
 * not. */
#include "config.h"

#include "tests/unit/sql_place.h"

#include "base/clock.h"
#include "migrate/group.h"
#include "state/state.h"

#include <stdio.h>
#include <unistd.h>

#define DOMAIN SLICE("d")

struct world {
	struct place *place;
	struct migrate_env env;
	struct run run;
	int n; /* documents written */
};

static void world_open(struct world *w, void **state)
{
	struct run *r = &w->run;

	*w = (struct world){.place = *state};
	w->env.domain = DOMAIN;
	r->env = &w->env;
	r->options.batch_bytes = 1000;
	r->options.batch_docs = 10;
	r->targets[0] = place_open(w->place, SQL_CREATE);
	MUST(state_open(&r->state, w->place->dir, DOMAIN, 0, err));
}

static void world_close(struct world *w)
{
	char path[128];

	state_close(w->run.state);
	sql_close(w->run.targets[0]);
	MUST(state_remove(w->place->dir, DOMAIN, err));
	snprintf(path, sizeof(path), "%s/domains/d", w->place->dir);
	rmdir(path);
	*strrchr(path, '/') = 0;
	rmdir(path);
}

static void write_one(struct world *w)
{
	struct run *r = &w->run;
	char id[16];
	enum sql_outcome outcome;
	struct sql_row row;

	snprintf(id, sizeof(id), "doc-%d", ++w->n);
	row = document_row(id, "{}", &w->place->memory);
	MUST(group_begin(r, r->targets[0], err));
	r->group.begun_us = INT64_MAX / 2; /* never too old */
	MUST(sql_put(r->targets[0], &sql_documents, &row, 1, &outcome, &w->place->memory, NULL, err));
	MUST(state_value_put(r->state, "last", slice_of(id), err));
}

static void assert_on_disk(struct world *w, int n)
{
	struct state *s = NULL;
	struct slice last = SLICE_NONE;
	char id[16];

	snprintf(id, sizeof(id), "doc-%d", n);
	assert_int_equal(place_count(w->place, "SELECT count(*) FROM documents"), n);
	MUST(state_open(&s, w->place->dir, DOMAIN, STATE_READ_ONLY, err));
	MUST(state_value_get(s, "last", &w->place->memory, &last, err));
	state_close(s);
	if (n)
		assert_true(slice_is(last, id));
	else
		assert_null(last.ptr);
}

static void test_group_add__is_committed_when_it_holds_enough_documents(void **state)
{
	struct world w;

	world_open(&w, state);
	write_one(&w);
	MUST(group_add(&w.run, 1, 10, err));
	assert_on_disk(&w, 0);
	write_one(&w);
	MUST(group_add(&w.run, 1, 70, err));
	assert_on_disk(&w, 2);
	assert_null(w.run.group.target);
	write_one(&w);
	MUST(group_add(&w.run, 1, 10, err));
	assert_on_disk(&w, 2);
	group_abandon(&w.run);
	world_close(&w);
}

static void test_group_add__is_committed_when_it_is_large(void **state)
{
	struct world w;

	world_open(&w, state);
	write_one(&w);
	MUST(group_add(&w.run, 7999, 1, err));
	assert_on_disk(&w, 0);
	write_one(&w);
	MUST(group_add(&w.run, 1, 1, err));
	assert_on_disk(&w, 2);
	world_close(&w);
}

static void test_group_add__is_committed_when_it_is_old(void **state)
{
	struct world w;

	world_open(&w, state);
	write_one(&w);
	w.run.group.begun_us = clock_mono_us() - 1000000;
	MUST(group_add(&w.run, 1, 1, err));
	assert_on_disk(&w, 1);
	world_close(&w);
}

static void test_group_add__a_commit_that_fails_undoes_the_group(void **state)
{
	struct world w;
	struct sql_row row;
	enum sql_outcome outcome;
	struct err failure = ERR_INIT;

	world_open(&w, state);
	write_one(&w);
	row = row_of_nulls(&sql_dirty_case, &w.place->memory);
	assert_int_equal(sql_put(w.run.targets[0], &sql_dirty_case, &row, 1, &outcome, &w.place->memory, NULL, &failure),
			 ERR_INTERNAL);
	failure = (struct err)ERR_INIT;
	w.run.moment.given = 1; /* the batch has put its checkpoint */
	assert_int_equal(group_add(&w.run, 8000, 1, &failure), ERR_INTERNAL);
	assert_non_null(strstr(failure.msg, "sound transaction"));
	assert_null(w.run.group.target);
	assert_int_equal(place_count(w.place, "SELECT count(*) FROM documents"), 0);
	write_one(&w);
	MUST(group_finish(&w.run, 0, err));
	assert_int_equal(place_count(w.place, "SELECT count(*) FROM documents"), 1);
	world_close(&w);
}

static void test_group_begin__a_state_file_that_cannot_begin_leaves_nothing_open(void **state)
{
	struct world w;
	struct err failure = ERR_INIT;

	world_open(&w, state);
	MUST(state_begin(w.run.state, err));
	assert_int_equal(group_begin(&w.run, w.run.targets[0], &failure), ERR_INTERNAL);
	assert_null(w.run.group.target);
	state_rollback(w.run.state);
	MUST(sql_begin(w.run.targets[0], err));
	sql_rollback(w.run.targets[0]);
	world_close(&w);
}

static void test_group_abandon__undoes_both_files(void **state)
{
	struct world w;

	world_open(&w, state);
	group_abandon(&w.run);
	write_one(&w);
	group_abandon(&w.run);
	assert_on_disk(&w, 0);
	w.n = 0;
	write_one(&w);
	MUST(group_finish(&w.run, 0, err));
	assert_on_disk(&w, 1);
	world_close(&w);
}

static void test_group_finish__keeps_whole_batches_after_a_failure_elsewhere(void **state)
{
	struct world w;
	struct err failure = ERR_INIT;

	world_open(&w, state);
	assert_int_equal(group_finish(&w.run, ERR_SOURCE, &failure), ERR_SOURCE);
	write_one(&w);
	MUST(group_add(&w.run, 1, 1, err));
	assert_int_equal(group_finish(&w.run, ERR_SOURCE, &failure), ERR_SOURCE);
	assert_int_equal(failure.code, 0);
	assert_on_disk(&w, 1);
	world_close(&w);
}

static void test_group_finish__tells_why_it_could_not_commit(void **state)
{
	struct world w;
	struct err failure = ERR_INIT;

	world_open(&w, state);
	write_one(&w);
	sql_rollback(w.run.targets[0]);
	assert_int_equal(group_finish(&w.run, 0, &failure), ERR_INTERNAL);
	assert_non_null(strstr(failure.msg, "sound transaction"));
	assert_null(w.run.group.target);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PLACE_TEST(test_group_add__is_committed_when_it_holds_enough_documents),
	    PLACE_TEST(test_group_add__is_committed_when_it_is_large),
	    PLACE_TEST(test_group_add__is_committed_when_it_is_old),
	    PLACE_TEST(test_group_add__a_commit_that_fails_undoes_the_group),
	    PLACE_TEST(test_group_begin__a_state_file_that_cannot_begin_leaves_nothing_open),
	    PLACE_TEST(test_group_abandon__undoes_both_files),
	    PLACE_TEST(test_group_finish__keeps_whole_batches_after_a_failure_elsewhere),
	    PLACE_TEST(test_group_finish__tells_why_it_could_not_commit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
