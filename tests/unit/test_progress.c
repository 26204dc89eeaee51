/* What the progress line says. */
#include "migrate/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct progress_facts nothing = {
    .what = "documents", .part = -1, .remaining = -1, .behind = -1, .behind_s = -1};

static void assert_text(const struct progress_facts *f, const char *wanted)
{
	char text[200];

	progress_text(f, text, sizeof(text));
	assert_string_equal(text, wanted);
}

static void test_progress_text__says_only_what_is_known(void **state)
{
	(void)state;
	assert_text(&nothing, "documents: 0, 0/s");
}

static void test_progress_text__of_a_phase_with_an_end(void **state)
{
	struct progress_facts f = nothing;

	(void)state;
	f.done = 1500;
	f.rate = 499.6;
	f.part = 0.25;
	f.remaining = 9.2;
	f.behind = 4500;
	assert_text(&f, "documents: 1500, 500/s, 25%, 9 s remaining, 4500 changes behind");
	f.part = 1.02; /* the source went on writing */
	f.remaining = 0;
	f.behind = 0;
	assert_text(&f, "documents: 1500, 500/s, 100%, 0 s remaining, 0 changes behind");
}

static void test_progress_text__while_following(void **state)
{
	struct progress_facts f = nothing;

	(void)state;
	f.what = "following";
	f.done = 7;
	f.behind = 0;
	f.behind_s = 0.4;
	assert_text(&f, "following: 7, 0/s, at the head of the feed");
	f.behind = 300;
	f.behind_s = 12;
	assert_text(&f, "following: 7, 0/s, 300 changes and 12 s behind");
	f.behind = -1; /* a server that does not say */
	assert_text(&f, "following: 7, 0/s, 12 s behind");
	f.behind = 0; /* asked, and then more came */
	assert_text(&f, "following: 7, 0/s, 0 changes and 12 s behind");
}

static void test_progress_text__is_cut_where_it_does_not_fit(void **state)
{
	char text[12];

	(void)state;
	progress_text(&nothing, text, sizeof(text));
	assert_string_equal(text, "documents: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_progress_text__says_only_what_is_known),
	    cmocka_unit_test(test_progress_text__of_a_phase_with_an_end),
	    cmocka_unit_test(test_progress_text__while_following),
	    cmocka_unit_test(test_progress_text__is_cut_where_it_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
