# The room src/state/: its library and its unit tests.
noinst_LIBRARIES += src/state/libstate.a
src_state_libstate_a_SOURCES = \
	src/state/state.c \
	src/state/state.h \
	src/state/state_cases.c \
	src/state/state_counts.c \
	src/state/state_docs.c \
	src/state/state_ids.c \
	src/state/state_intern.c \
	src/state/state_internal.h \
	src/state/state_lists.c \
	src/state/state_marks.c \
	src/state/state_patches.c \
	src/state/state_wants.c

STATE_PLACE = tests/unit/state_place.c tests/unit/state_place.h

UNIT_TESTS += tests/unit/test_state
tests_unit_test_state_SOURCES = tests/unit/test_state.c $(STATE_PLACE)
tests_unit_test_state_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_state_LDADD = $(STATE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_state_docs
tests_unit_test_state_docs_SOURCES = tests/unit/test_state_docs.c $(STATE_PLACE)
tests_unit_test_state_docs_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_state_docs_LDADD = $(STATE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_state_cases
tests_unit_test_state_cases_SOURCES = tests/unit/test_state_cases.c $(STATE_PLACE)
tests_unit_test_state_cases_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_state_cases_LDADD = $(STATE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_state_read
tests_unit_test_state_read_SOURCES = tests/unit/test_state_read.c $(STATE_PLACE)
tests_unit_test_state_read_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_state_read_LDADD = $(STATE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_state_ids
tests_unit_test_state_ids_SOURCES = tests/unit/test_state_ids.c $(STATE_PLACE)
tests_unit_test_state_ids_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_state_ids_LDADD = $(STATE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_state_wants
tests_unit_test_state_wants_SOURCES = tests/unit/test_state_wants.c $(STATE_PLACE)
tests_unit_test_state_wants_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_state_wants_LDADD = $(STATE_LIBS) $(CMOCKA_LIBS)
