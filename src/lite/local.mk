# The room src/lite/: its library and its unit tests.
noinst_LIBRARIES += src/lite/liblite.a
src_lite_liblite_a_SOURCES = \
	src/lite/lite.c \
	src/lite/lite.h \
	src/lite/lite_backup.c \
	src/lite/lite_internal.h \
	src/lite/lite_stmt.c

UNIT_TESTS += tests/unit/test_lite
tests_unit_test_lite_SOURCES = tests/unit/test_lite.c
tests_unit_test_lite_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_lite_LDADD = $(LITE_LIBS) $(CMOCKA_LIBS)
