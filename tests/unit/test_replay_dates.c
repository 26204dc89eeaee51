#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "replay/replay.h"

#include <string.h>

struct reading {
	const char *text, *canonical; /* NULL: no date */
};

static const struct reading readings[] = {
    {"2016-04-05T06:07:08Z", "2016-04-05T06:07:08.000000Z"},
    {"2016-04-05T06:07:08.5Z", "2016-04-05T06:07:08.500000Z"},
    {"2016-04-05T06:07:08.1234569Z", "2016-04-05T06:07:08.123456Z"},
    {"2016-04-05T06:07:08", "2016-04-05T06:07:08.000000Z"},
    {"2016-04-05 06:07:08", "2016-04-05T06:07:08.000000Z"},
    {"2016-04-05T06:07:08+00:00Z", "2016-04-05T06:07:08.000000Z"},
    {"2016-04-05T06:07:08.25+02:00", "2016-04-05T04:07:08.250000Z"},
    {"2016-04-05T06:07:08-0530", "2016-04-05T11:37:08.000000Z"},
    {"2016-04-05T00:07:08+02", "2016-04-04T22:07:08.000000Z"},
    {"2016-02-29", "2016-02-29T00:00:00.000000Z"},
    {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"},
    {"0001-01-01T00:00:00+01:00", NULL}, /* before the year 1 */
    {"9999-12-31T23:59:59-01:00", NULL},
    {"2015-02-29", NULL},
    {"2015-02-29T00:00:00Z", NULL},
    {"2016-04-05T24:00:00Z", NULL},
    {"2016-04-05T23:59:60Z", NULL},
    {"2016-04-05t06:07:08z", NULL},
    {"2016-04-05T06:07Z", NULL},
    {"2016-04-05T06:07:08.Z", NULL},
    {"2016-04-05T06:07:08+24:00", NULL},
    {"2016-04-05T06:07:08+01:60", NULL},
    {"2016-04-05T06:07:08+1:00", NULL},
    {"2016-04-05T06:07:08+01:0", NULL},
    {"2016-04-05T06:07:08+01:000", NULL},
    {"2016-04-05T06:07:08+", NULL},
    {"2016-04-05T06:07:08Zx", NULL},
    {"2016-04-05T06:07:08 ", NULL},
    {"2016-04-05T", NULL},
    {"", NULL},
    {"yesterday", NULL},
};

static void test_replay_instant__reads_what_stored_documents_hold(void **state)
{
	struct arena a = ARENA_INIT;
	(void)state;
	for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++) {
		const struct reading *r = &readings[i];
		struct slice text = arena_slice(&a, slice_of(r->text)), canonical = replay_canonical_date(text, &a);
		int64_t us;
		if (replay_instant(text, &us) != (r->canonical != NULL))
			fail_msg("%s", r->text);
		if (!slice_is(canonical, r->canonical ? r->canonical : r->text))
			fail_msg("%s became %.*s", r->text, SLICE_ARG(canonical));
	}
	arena_release(&a);
}

static void test_replay_instant__absent_text_is_no_date(void **state)
{
	struct arena a = ARENA_INIT;
	int64_t us;
	(void)state;
	assert_int_equal(replay_instant(SLICE_NONE, &us), 0);
	assert_null(replay_canonical_date(SLICE_NONE, &a).ptr);
	assert_null(replay_repair_date(SLICE_NONE, &a).ptr);
	arena_release(&a);
}

static const struct reading repairs[] = {
    {"2015-08-014", "2015-08-14"},
    {"08-14-2015", "2015-08-14"},
    {"08/14/15 10:11:12", "2015-08-14 10:11:12"},
    {"2016-04-05T06:07:08+02:00", "2016-04-05T06:07:08+02:00"}, /* a date already: kept as it is */
    {"2016-04-05", "2016-04-05"},
    {"2015-08-032", NULL},
    {"2015-08-114", NULL},
    {"2015-08-01x", NULL},
    {"13-14-2015", NULL},
    {"08-14-15", NULL},
    {"08/14/15", NULL},
    {"08/14/15 25:11:12", NULL},
    {"08/14/2015 10:11:12", NULL},
    {"x8/14/15 10:11:12", NULL},
    {"soon", NULL},
    {"", NULL},
};

static void test_replay_repair_date__repairs_the_known_shapes_only(void **state)
{
	struct arena a = ARENA_INIT;
	(void)state;
	for (size_t i = 0; i < sizeof(repairs) / sizeof(repairs[0]); i++) {
		const struct reading *r = &repairs[i];
		struct slice got = replay_repair_date(arena_slice(&a, slice_of(r->text)), &a);
		if (r->canonical ? !slice_is(got, r->canonical) : got.ptr != NULL)
			fail_msg("%s became %.*s", r->text, SLICE_ARG(got));
	}
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_replay_instant__reads_what_stored_documents_hold),
	    cmocka_unit_test(test_replay_instant__absent_text_is_no_date),
	    cmocka_unit_test(test_replay_repair_date__repairs_the_known_shapes_only),
	};
	return cmocka_run_group_tests_name("replay_dates", tests, NULL, NULL);
}
