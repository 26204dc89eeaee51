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

UNIT_TESTS += tests/unit/test_state tests/unit/test_state_docs tests/unit/test_state_ids tests/unit/test_state_wants
tests_unit_test_state_wants_SOURCES = tests/unit/test_state_wants.c tests/unit/state_place.h
tests_unit_test_state_wants_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_state_wants_LDADD = $(STATE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_state_ids_SOURCES = tests/unit/test_state_ids.c tests/unit/state_place.h
tests_unit_test_state_ids_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_state_ids_LDADD = $(STATE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_state_docs_SOURCES = tests/unit/test_state_docs.c tests/unit/state_place.h
tests_unit_test_state_docs_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_state_docs_LDADD = $(STATE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_state_SOURCES = tests/unit/test_state.c tests/unit/state_place.h
tests_unit_test_state_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_state_LDADD = $(STATE_LIBS) $(CMOCKA_LIBS)
