# The room diff/: its library and its unit tests.
noinst_LIBRARIES += diff/libdiff.a
diff_libdiff_a_SOURCES = \
	diff/attachments.c \
	diff/diff.c \
	diff/diff.h \
	diff/id_set.c \
	diff/index.c \
	diff/indices.c \
	diff/match.c \
	diff/predicates.c \
	diff/rename.c \
	diff/rules.c \
	diff/rules.h \
	diff/rules_internal.h \
	diff/serial.c

EXTRA_DIST += fixtures/diff fixtures/vectors tests/unit/diff_cases.h

UNIT_TESTS += \
	tests/unit/test_diff \
	tests/unit/test_rules \
	tests/unit/test_rules_each \
	tests/unit/test_vectors

tests_unit_test_diff_SOURCES = tests/unit/test_diff.c tests/unit/random_json.h
tests_unit_test_diff_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_diff_LDADD = $(DIFF_LIBS) $(CMOCKA_LIBS)

tests_unit_test_rules_each_SOURCES = tests/unit/test_rules_each.c
tests_unit_test_rules_each_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_rules_each_LDADD = $(PROFILE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_rules_SOURCES = tests/unit/test_rules.c
tests_unit_test_rules_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_rules_LDADD = $(PROFILE_LIBS) $(CMOCKA_LIBS)

# Through migrate_compare, which is what every command compares with.
tests_unit_test_vectors_SOURCES = tests/unit/test_vectors.c
tests_unit_test_vectors_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_vectors_LDADD = src/migrate/libmigrate.a $(PROFILE_LIBS) $(CMOCKA_LIBS)
