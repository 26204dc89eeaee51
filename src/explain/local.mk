# The room src/explain/: its library and its unit tests.
noinst_LIBRARIES += src/explain/libexplain.a
src_explain_libexplain_a_SOURCES = \
	src/explain/explain.c \
	src/explain/explain.h \
	src/explain/ids.c \
	src/explain/internal.h \
	src/explain/missing_case.c \
	src/explain/missing_forms.c \
	src/explain/order.c \
	src/explain/rebuild.c \
	src/explain/sort.c

EXTRA_DIST += fixtures/explain

# What SQL would say of a case is made by the mapping.
UNIT_TESTS += tests/unit/test_explain tests/unit/test_explain_sort
tests_unit_test_explain_SOURCES = tests/unit/test_explain.c tests/unit/replay_forms.h
tests_unit_test_explain_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_explain_LDADD = $(MAPPING_LIBS) $(CMOCKA_LIBS)

tests_unit_test_explain_sort_SOURCES = tests/unit/test_explain_sort.c tests/unit/random_json.h
tests_unit_test_explain_sort_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_explain_sort_LDADD = $(EXPLAIN_LIBS) $(CMOCKA_LIBS)
