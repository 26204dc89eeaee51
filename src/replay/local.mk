# The room src/replay/: its library and its unit tests.
noinst_LIBRARIES += src/replay/libreplay.a
src_replay_libreplay_a_SOURCES = \
	src/replay/actions.c \
	src/replay/blocks.c \
	src/replay/dates.c \
	src/replay/dialect.c \
	src/replay/fold.c \
	src/replay/internal.h \
	src/replay/replay.h

EXTRA_DIST += fixtures/replay

UNIT_TESTS += \
	tests/unit/test_replay_cases \
	tests/unit/test_replay_dates \
	tests/unit/test_replay_fold

tests_unit_test_replay_cases_SOURCES = tests/unit/test_replay_cases.c tests/unit/replay_forms.h
tests_unit_test_replay_cases_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_replay_cases_LDADD = $(REPLAY_LIBS) $(CMOCKA_LIBS)

tests_unit_test_replay_dates_SOURCES = tests/unit/test_replay_dates.c
tests_unit_test_replay_dates_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_replay_dates_LDADD = $(REPLAY_LIBS) $(CMOCKA_LIBS)

tests_unit_test_replay_fold_SOURCES = tests/unit/test_replay_fold.c tests/unit/random_json.h tests/unit/replay_forms.h
tests_unit_test_replay_fold_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_replay_fold_LDADD = $(REPLAY_LIBS) $(CMOCKA_LIBS)
