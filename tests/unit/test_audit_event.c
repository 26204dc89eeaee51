/* Events of the audit trail: what is in force after each, how they are found again, a branch for each domain. */
#include "config.h"

#include "tests/unit/audit_place.h"

#include <stdio.h>

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
	struct audit *t = trail_open(f, "demo", 0);
	char one[AUDIT_ID_SIZE], two[AUDIT_ID_SIZE], head[AUDIT_ID_SIZE];
	struct seen seen = {0};
	struct audit_entry found;
	struct err err = ERR_INIT;
	assert_int_equal(audit_head(t, head, &err), 0);
	assert_string_equal(head, "");
	trail_begin(t);
	trail_put(t, "a/b.txt", SLICE("1"));
	trail_put(t, "a.x", SLICE("2"));
	trail_put(t, "a0/c", SLICE(""));
	trail_put(t, "a/b.txt", SLICE("1 again"));
	trail_commit(t, "start", 0, one);
	trail_begin(t);
	trail_put(t, "a/d", SLICE("3"));
	assert_int_equal(audit_remove(t, SLICE("a0/c"), &err), 0);
	assert_int_equal(audit_remove(t, SLICE("none/there"), &err), 0);
	trail_commit(t, "end", 0, two);
	assert_string_equal(trail_read(t, "a/b.txt", &f->a), "1 again");
	assert_string_equal(trail_read(t, "a/d", &f->a), "3");
	assert_string_equal(trail_read(t, "a.x", &f->a), "2");
	assert_null(trail_read(t, "a0/c", &f->a));
	assert_null(trail_read(t, "", &f->a));
	audit_close(t);
	t = trail_open(f, "demo", AUDIT_READ_ONLY);
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
	struct audit *t = trail_open(f, "demo", 0);
	char id[AUDIT_ID_SIZE];
	trail_begin(t);
	trail_put(t, "old", SLICE("1"));
	trail_commit(t, "start", 0, id);
	trail_begin(t);
	trail_put(t, "new", SLICE("2"));
	trail_commit(t, "reset", AUDIT_CLEAR, id);
	assert_null(trail_read(t, "old", &f->a));
	assert_string_equal(trail_read(t, "new", &f->a), "2");
	trail_begin(t);
	trail_commit(t, "reset", AUDIT_CLEAR, id);
	assert_null(trail_read(t, "new", &f->a));
	audit_close(t);
	assert_sound(f);
}

static void test_audit__an_event_can_go_back_to_what_was_in_force(void **state)
{
	struct fixture *f = *state;
	struct audit *t = trail_open(f, "demo", 0);
	char then[AUDIT_ID_SIZE], id[AUDIT_ID_SIZE];
	struct err err = ERR_INIT;
	trail_begin(t);
	trail_put(t, "old", SLICE("1"));
	trail_commit(t, "start", 0, then);
	trail_begin(t);
	trail_put(t, "old", SLICE("2"));
	trail_put(t, "new", SLICE("2"));
	trail_commit(t, "patch", 0, id);
	trail_begin(t);
	struct audit_event e = {.event = "restore", .subject = SLICE("back"), .back_to = then};
	assert_int_equal(audit_commit(t, &e, id, &err), 0);
	assert_string_equal(trail_read(t, "old", &f->a), "1");
	assert_null(trail_read(t, "new", &f->a));
	trail_begin(t);
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
		struct audit *t = trail_open(f, domains[i], 0);
		trail_begin(t);
		trail_put(t, "domain", slice_of(domains[i]));
		trail_commit(t, "start", 0, id);
		audit_close(t);
	}
	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
		struct audit *t = trail_open(f, domains[i], AUDIT_READ_ONLY);
		assert_string_equal(trail_read(t, "domain", &f->a), domains[i]);
		audit_close(t);
	}
	assert_sound(f);
	assert_int_equal(
	    shell(f, "git clone -q @/audit.git @/clone 2>/dev/null && test \"$(cat @/clone/domain)\" = demo"), 0);
	assert_int_equal(shell(f, "test \"$(git -C @/clone branch -r | grep -vc HEAD)\" -ge 7"), 0);
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
	struct audit *t = trail_open(f, "demo", 0);
	struct buf told = BUF_INIT(1000);
	struct err err = ERR_INIT;
	char id[AUDIT_ID_SIZE];
	trail_begin(t);
	trail_put(t, "a", SLICE("1"));
	trail_put(t, "b", SLICE("1"));
	trail_commit(t, "start", 0, id);
	assert_int_equal(audit_changes(t, id, note_change, &told, &err), 0);
	assert_true(slice_is(buf_slice(&told), "added a\nadded b\n"));
	buf_clear(&told);
	trail_begin(t);
	trail_put(t, "a", SLICE("2"));
	trail_put(t, "c", SLICE("3"));
	assert_int_equal(audit_remove(t, SLICE("b"), &err), 0);
	trail_commit(t, "end", 0, id);
	assert_int_equal(audit_changes(t, id, note_change, &told, &err), 0);
	assert_true(slice_is(buf_slice(&told), "changed a\nremoved b\nadded c\n"));
	assert_int_equal(audit_changes(t, "zz", note_change, &told, &err), ERR_NOTFOUND);
	buf_release(&told);
	audit_close(t);
}

static void test_audit__an_event_given_up_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct audit *t = trail_open(f, "demo", 0);
	struct err err = ERR_INIT;
	char head[AUDIT_ID_SIZE];
	trail_begin(t);
	assert_int_equal(audit_begin(t, &err), ERR_INTERNAL);
	trail_put(t, "a", SLICE("1"));
	audit_rollback(t);
	assert_int_equal(audit_head(t, head, &err), 0);
	assert_string_equal(head, "");
	struct audit_event e = {.event = "x"};
	assert_int_equal(audit_commit(t, &e, head, &err), ERR_INTERNAL);
	audit_close(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    FIXTURE_TEST(test_audit__events_are_read_back),
	    FIXTURE_TEST(test_audit__a_cleared_tree_holds_only_the_new),
	    FIXTURE_TEST(test_audit__an_event_can_go_back_to_what_was_in_force),
	    FIXTURE_TEST(test_audit__domains_have_branches_of_their_own),
	    FIXTURE_TEST(test_audit__changes_of_a_commit),
	    FIXTURE_TEST(test_audit__an_event_given_up_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
